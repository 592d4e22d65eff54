//! Where a reading of the log stands, and how it moves. Pure: what is kept with each page, and the rules
//! for beginning anew.

use super::notes::Notes;
use crate::domain::{digest, time};
use crate::source::loose::Object;
use crate::tenant::{LogPage, LogStart, NextPage};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long Okta keeps its log.
pub const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);
/// How far back a new reading begins before what was read: records are persisted in another order than
/// they are published in.
pub const OVERLAP: SignedDuration = SignedDuration::from_mins(10);
/// An outage has to be longer than what Okta keeps by this before a loss is stated: nobody says at which
/// minute a record goes.
const SLACK: SignedDuration = SignedDuration::from_hours(1);
/// How old the kept time of the last page may be. A page without a record is no reason for a commit of
/// its own each time.
const STALE: SignedDuration = SignedDuration::from_hours(1);

/// What a place belongs to: with another of these it is no place at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The org: `https://example.okta.com`.
    pub org: String,
    /// Which records; `None` asks for all.
    pub filter: Option<String>,
    /// Records a page.
    pub limit: usize,
    /// How far back a reading goes that begins for the first time.
    pub first_fetch: SignedDuration,
}

impl Terms {
    fn filter_digest(&self) -> String {
        self.filter.as_deref().map(|text| digest::of_bytes(text.as_bytes())).unwrap_or_default()
    }
}

/// What is asked next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// The first page of a reading.
    First(LogStart),
    /// The page at this address.
    Follow(String),
}

/// What follows a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behind {
    /// It was full: there is more.
    More,
    /// Everything there was has been read.
    End,
    /// The next address leads elsewhere, and the same page has to be asked for again.
    Foreign(String),
    /// There were records and no next address: the same page has to be asked for again.
    Unnamed,
}

/// Where a reading stands. As JSON it is the cursor that is committed with each page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    org: String,
    /// The filter's digest, empty without one.
    filter: String,
    /// Records a page, as wanted and as asked for: less, once a page was too large.
    limit_wanted: usize,
    limit: usize,
    /// The address of the next page, exactly as Okta named it; `None` before the first.
    next_url: Option<String>,
    /// Where this reading began.
    #[serde(with = "time::millis")]
    since: Timestamp,
    /// The newest record's time of publishing.
    #[serde(with = "time::millis_option", default)]
    high_water: Option<Timestamp>,
    /// When a page was last read to whose end everything had been read.
    #[serde(with = "time::millis_option", default)]
    caught_up: Option<Timestamp>,
    #[serde(default)]
    notes: Notes,
}

impl Place {
    /// The place of a reading that begins now.
    pub fn new(terms: &Terms, now: Timestamp) -> Place {
        let mut place = Place::at(terms, before(now, terms.first_fetch.min(KEPT)), Notes::default());
        place.notes.fact(format!(
            "reading began at {} with the records since {}",
            shown(now),
            shown(place.since)
        ));
        place
    }

    /// The place that was kept, if one was, under today's terms.
    pub fn resumed(kept: Option<&str>, terms: &Terms, now: Timestamp) -> Place {
        match kept.map(serde_json::from_str::<Place>) {
            None => Place::new(terms, now),
            Some(Ok(place)) => place.under(terms, now),
            Some(Err(error)) => {
                let mut place = Place::new(terms, now);
                place.notes.warning(
                    format!(
                        "possible gap before {}: where an earlier reading stood cannot be read ({error})",
                        shown(place.since)
                    ),
                    now,
                );
                place
            }
        }
    }

    /// The same place, unless it belongs to other terms: then a new reading, a little before what was read.
    #[must_use]
    pub fn under(self, terms: &Terms, now: Timestamp) -> Place {
        let changed = [
            ("the org", self.org != terms.org),
            ("the filter", self.filter != terms.filter_digest()),
            ("the page size", self.limit_wanted != terms.limit),
        ];
        let changed: Vec<&str> =
            changed.into_iter().filter_map(|(what, is_other)| is_other.then_some(what)).collect();
        if changed.is_empty() {
            return self.reaching_back(terms, now);
        }
        let mut place = Place {
            high_water: self.high_water,
            caught_up: self.caught_up,
            ..Place::at(terms, self.anew(now), self.notes)
        };
        place.notes.fact(format!(
            "{} changed: since {} a new reading, with the records since {}",
            changed.join(" and "),
            shown(now),
            shown(place.since)
        ));
        place
    }

    /// The same place; where nothing was read yet and the first reading is by now to go further back, it does.
    fn reaching_back(mut self, terms: &Terms, now: Timestamp) -> Place {
        let is_untouched = self.next_url.is_none() && self.high_water.is_none() && self.caught_up.is_none();
        let wanted = before(now, terms.first_fetch.min(KEPT));
        if is_untouched && wanted < self.since {
            self.since = wanted;
            self.notes.fact(format!("`first_fetch` changed: now with the records since {}", shown(wanted)));
        }
        self
    }

    fn at(terms: &Terms, since: Timestamp, notes: Notes) -> Place {
        Place {
            org: terms.org.clone(),
            filter: terms.filter_digest(),
            limit_wanted: terms.limit,
            limit: terms.limit,
            next_url: None,
            since,
            high_water: None,
            caught_up: None,
            notes,
        }
    }

    /// Where a new reading begins that goes on from this one. Okta refuses what is older than it keeps.
    fn anew(&self, now: Timestamp) -> Timestamp {
        let overlapping =
            self.high_water.map_or(self.since, |newest| before(newest, OVERLAP).max(self.since));
        overlapping.max(before(now, KEPT))
    }

    /// What is asked next.
    pub fn ask(&self, terms: &Terms, now: Timestamp) -> Ask {
        match &self.next_url {
            Some(url) => Ask::Follow(url.clone()),
            None => Ask::First(LogStart {
                since: self.since.max(before(now, KEPT)),
                filter: terms.filter.clone(),
                limit: self.limit,
            }),
        }
    }

    /// The place behind a page, and what follows it.
    pub fn behind(&self, page: &LogPage) -> (Place, Behind) {
        let mut place = self.clone();
        place.state_loss(page.sent());
        place.high_water = self.high_water.max(newest(page));
        let behind = match &page.next {
            NextPage::At(url) => {
                place.next_url = Some(url.clone());
                if page.records.len() >= self.limit { Behind::More } else { Behind::End }
            }
            NextPage::Foreign(elsewhere) => Behind::Foreign(elsewhere.clone()),
            // Seen once, with an empty page: the address just used stays good.
            NextPage::Unnamed if page.records.is_empty() => Behind::End,
            NextPage::Unnamed => Behind::Unnamed,
        };
        if behind == Behind::End {
            place.caught_up = Some(page.sent());
        }
        (place, behind)
    }

    /// What Okta did not keep long enough for us is lost, and that is said once, with the first page after
    /// the outage.
    fn state_loss(&mut self, now: Timestamp) {
        let read_up_to = self.high_water.max(self.caught_up).unwrap_or(self.since);
        let kept_since = before(now, KEPT);
        if read_up_to < before(kept_since, SLACK) {
            self.notes.warning(
                format!(
                    "records from {} to {} are lost: Okta keeps its log for 90 days",
                    shown(read_up_to),
                    shown(kept_since)
                ),
                now,
            );
            // From here on it is the new reading that counts.
            self.high_water = self.high_water.max(Some(kept_since));
        }
    }

    /// A new reading, since the place is not taken any more. What was persisted meanwhile and published
    /// before the overlap is not in it.
    #[must_use]
    pub fn given_up(&self, why: &str, now: Timestamp) -> Place {
        let mut place = Place { next_url: None, since: self.anew(now), ..self.clone() };
        let read_up_to = self.high_water.unwrap_or(self.since);
        place.notes.warning(
            format!(
                "possible gap between {} and {}: {why}; read again with the records since {}",
                shown(read_up_to),
                shown(now),
                shown(place.since)
            ),
            now,
        );
        place
    }

    /// A reading in smaller pages; `None` if they cannot be smaller. A limit belongs to an address, so
    /// this is a new reading where one is under way.
    pub fn smaller(&self, bytes: usize, now: Timestamp) -> Option<Place> {
        let limit = (self.limit / 4).max(1);
        if limit == self.limit {
            return None;
        }
        let place = match self.next_url {
            None => self.clone(),
            Some(_) => {
                self.given_up(&format!("a page of {} records was larger than {bytes} bytes", self.limit), now)
            }
        };
        Some(Place { limit, ..place })
    }

    /// Whether a page without records has to be committed for the place behind it.
    pub fn is_news_to(&self, kept: &Place) -> bool {
        let stale = |kept: Option<Timestamp>, now: Option<Timestamp>| match (kept, now) {
            (Some(kept), Some(now)) => now.duration_since(kept) >= STALE,
            (kept, now) => kept != now,
        };
        let same_time = Place { caught_up: kept.caught_up, ..self.clone() };
        same_time != *kept || stale(kept.caught_up, self.caught_up)
    }

    /// What stays to be known.
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    /// Whether a page of this reading was read.
    pub fn is_begun(&self) -> bool {
        self.next_url.is_some()
    }

    /// The org that is read.
    pub fn org(&self) -> &str {
        &self.org
    }

    /// As the cursor that is kept.
    pub fn kept(&self) -> String {
        // Texts, numbers and lists of texts: nothing in it can fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The newest time of publishing on a page. A record from the future would put the next reading into the
/// future too: none counts for more than the time the page was sent at.
fn newest(page: &LogPage) -> Option<Timestamp> {
    let published = |record: &str| time::parse(&Object::parse(record).ok()?.text("published")?);
    page.records.iter().filter_map(|record| published(record)).max().map(|at| at.min(page.sent()))
}

fn before(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.saturating_sub(span).unwrap_or(at)
}

fn shown(at: Timestamp) -> String {
    time::rfc3339_seconds(at)
}
