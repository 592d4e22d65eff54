//! What is to be done about a page or a trouble. Pure: nothing here asks, waits or commits.

use super::place::{Ask, Behind, Place, Terms};
use crate::domain::SourceState;
use crate::domain::dossier::Problem;
use crate::tenant::{LogPage, LogTrouble};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// How long is rested, by the clock that was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// After everything was read.
    pub interval: Duration,
    /// After a first trouble that may pass by itself; each further one in a row doubles it.
    pub first_pause: Duration,
    /// The longest such rest.
    pub longest_pause: Duration,
    /// After a refusal, which somebody has to mend.
    pub refused: Duration,
}

impl Pace {
    /// The usual rests, with the configured one after everything was read.
    pub fn every(interval: Duration) -> Pace {
        Pace {
            interval,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
            refused: Duration::from_secs(5 * 60),
        }
    }

    /// The rest after so many troubles in a row before this one.
    fn back_off(&self, before: u32) -> Duration {
        self.first_pause.saturating_mul(2u32.saturating_pow(before)).min(self.longest_pause)
    }
}

/// When something was heard, and how far it is from being on time: clients that rest equally long after
/// the same answer would all come back at once.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Now.
    pub now: Timestamp,
    /// Anything from 0 to 1.
    pub jitter: f64,
}

impl Moment {
    /// A rest from now, a little longer than it has to be.
    pub fn and(self, rest: Duration) -> Timestamp {
        let more = (rest / 8).min(Duration::from_secs(2)).mul_f64(self.jitter.clamp(0.0, 1.0));
        after(self.now, rest + more)
    }
}

/// Whether a page has to be committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// With the place behind it.
    Page,
    /// Nothing came that has to be.
    Nothing,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is to be committed before anything else.
    pub keep: Keep,
    /// Where the reading stands then.
    pub place: Place,
    /// How the source is then.
    pub state: SourceState,
    /// When it is asked again; `None` is at once.
    pub until: Option<Timestamp>,
    /// Troubles in a row.
    tries: u32,
}

/// A reading under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    place: Place,
    /// The place that is committed.
    kept: Option<Place>,
    tries: u32,
}

impl Reader {
    /// Goes on from what was kept.
    pub fn resumed(kept: Option<&str>, terms: &Terms, now: Timestamp) -> Reader {
        let place = Place::resumed(kept, terms, now);
        let kept = kept.and_then(|kept| serde_json::from_str(kept).ok());
        Reader { place, kept, tries: 0 }
    }

    /// Under today's terms.
    #[must_use]
    pub fn under(self, terms: &Terms, now: Timestamp) -> Reader {
        Reader { place: self.place.under(terms, now), ..self }
    }

    /// Where it stands.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What is asked next.
    pub fn ask(&self, terms: &Terms, now: Timestamp) -> Ask {
        self.place.ask(terms, now)
    }

    /// What is to be done about what was heard.
    pub fn hear(&self, heard: Result<&LogPage, &LogTrouble>, moment: Moment, pace: &Pace) -> Step {
        match heard {
            Ok(page) => self.page(page, moment, pace),
            Err(trouble) => self.trouble(trouble, moment, pace),
        }
    }

    /// The step was taken: what it says to commit is committed.
    pub fn take(&mut self, step: Step) {
        if step.keep == Keep::Page {
            self.kept = Some(step.place.clone());
        }
        self.place = step.place;
        self.tries = step.tries;
    }

    /// The step could not be committed: nothing moved. Until when to rest.
    pub fn not_committed(&mut self, moment: Moment, pace: &Pace) -> Timestamp {
        self.tries += 1;
        moment.and(pace.back_off(self.tries - 1))
    }

    fn page(&self, page: &LogPage, moment: Moment, pace: &Pace) -> Step {
        let (place, behind) = self.place.behind(page);
        let is_news =
            !page.records.is_empty() || self.kept.as_ref().is_none_or(|kept| place.is_news_to(kept));
        let (keep, place) = if is_news { (Keep::Page, place) } else { (Keep::Nothing, self.place.clone()) };
        // A first page says nothing of whether addresses are taken.
        let tries = if self.place.is_begun() { 0 } else { self.tries };
        let step = Step { keep, place, state: SourceState::Running, until: None, tries };
        let again = moment.and(pace.back_off(self.tries));
        match behind {
            Behind::More => step,
            Behind::End => Step { until: Some(after(moment.now, pace.interval)), ..step },
            Behind::Foreign(elsewhere) => Step {
                state: SourceState::failed(foreign(&elsewhere, self.place.org())),
                until: Some(again),
                tries: self.tries + 1,
                ..step
            },
            Behind::Unnamed => {
                let why = "Okta named no next page: the same one is asked for again".to_owned();
                Step {
                    state: SourceState::Waiting { until: again, why },
                    until: Some(again),
                    tries: self.tries + 1,
                    ..step
                }
            }
        }
    }

    fn trouble(&self, trouble: &LogTrouble, moment: Moment, pace: &Pace) -> Step {
        let back_off = pace.back_off(self.tries);
        match trouble {
            LogTrouble::Throttled(asked) => {
                let why = "Okta answered 429: the rate limit of its System Log is used up";
                self.waits(moment.and(asked.unwrap_or_default().max(back_off)), why)
            }
            LogTrouble::Crowded => {
                self.waits(moment.and(back_off), "Okta answered 429: the org has too many requests at once")
            }
            LogTrouble::NoAnswer(problem) => self.waits(moment.and(back_off), &problem.line()),
            LogTrouble::Refused(problem) | LogTrouble::BadRequest(problem) => {
                self.fails(problem, moment.and(pace.refused))
            }
            LogTrouble::BadCursor(problem) => {
                let why = format!("Okta takes the kept place no more ({})", problem.line());
                self.begins_anew(self.place.given_up(&why, moment.now), moment, pace)
            }
            LogTrouble::Foreign(elsewhere) => {
                let why = format!("the kept place leads to `{elsewhere}` and was not asked");
                self.begins_anew(self.place.given_up(&why, moment.now), moment, pace)
            }
            LogTrouble::TooLarge(bytes) => match self.place.smaller(*bytes, moment.now) {
                Some(place) => self.begins_anew(place, moment, pace),
                None => {
                    let problem =
                        Problem::whole(format!("a page of one record is larger than {bytes} bytes"));
                    self.fails(&problem, moment.and(pace.refused))
                }
            },
        }
    }

    fn stays(&self, state: SourceState, until: Timestamp) -> Step {
        let (place, tries) = (self.place.clone(), self.tries.saturating_add(1));
        Step { keep: Keep::Nothing, place, state, until: Some(until), tries }
    }

    fn waits(&self, until: Timestamp, why: &str) -> Step {
        self.stays(SourceState::Waiting { until, why: why.to_owned() }, until)
    }

    fn fails(&self, problem: &Problem, until: Timestamp) -> Step {
        self.stays(SourceState::failed(problem.words()), until)
    }

    /// At once the first time; if that does not help, only after a rest.
    fn begins_anew(&self, place: Place, moment: Moment, pace: &Pace) -> Step {
        let rest = self.tries.checked_sub(1).map(|before| moment.and(pace.back_off(before)));
        let state = match rest {
            Some(until) => {
                SourceState::Waiting { until, why: "reads again from before its last place".to_owned() }
            }
            None => SourceState::Running,
        };
        Step { keep: Keep::Nothing, place, state, until: rest, tries: self.tries.saturating_add(1) }
    }
}

fn foreign(elsewhere: &str, org: &str) -> String {
    format!(
        "the next page's address leads to `{elsewhere}`, not to `{org}`: nothing was sent there, and the last \
         page is asked for again\nhint: `[okta] org_url` has to be the address that Okta itself names"
    )
}

fn after(at: Timestamp, rest: Duration) -> Timestamp {
    at.saturating_add(SignedDuration::try_from(rest).unwrap_or(SignedDuration::MAX)).unwrap_or(Timestamp::MAX)
}
