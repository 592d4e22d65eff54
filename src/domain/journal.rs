//! The append-only, hash-chained record of intents, receipts and triage changes.
//!
//! A record's hash is `SHA-256(seq ‖ previous ‖ digest)`, its digest `SHA-256(at ‖ kind ‖ content)`. Only
//! the digest goes into the chain, so a content could be erased and the chain behind it still be checked. Every
//! part is preceded by its length as eight bytes, big end first; `seq` is eight such bytes itself, `at`
//! is RFC 3339 in UTC with milliseconds, the others are their text: enough to verify a journal with
//! another program. What a chain cannot
//! show by itself is that its tail was cut off or that all of it was written anew: for that, a head
//! that was kept elsewhere is compared.
//!
//! What is sealed is exactly what is kept: a time has no digits below a millisecond. A record of which a
//! column cannot be read, or holds what no record can, is a [`Record`] too and says so by its [`Damage`]:
//! whoever reads goes on behind it, and whoever verifies names it. Of a content that is gone nobody can tell any
//! more whether time and kind are what was sealed, and nothing in this program erases one: a journal with such a
//! record does not hold.

pub mod csv;
pub mod query;
pub mod told;

use super::page::Listed;
use super::{digest, time};
use jiff::Timestamp;
use serde::Serialize;
use std::fmt;

/// What a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordKind {
    /// An action is about to be sent.
    Intended,
    /// An action's receipt and outcome, or a later move of its evidence.
    Settled,
    /// An action's lease ran out: its outcome is unknown.
    Expired,
    /// Somebody's word on how an action ended: no evidence.
    Said,
    /// A triage change of a finding.
    Triage,
    /// A setting that lives in the store was changed.
    Setting,
    /// A bulk run was queued, or stands otherwise.
    Bulk,
    /// What stands there is no kind: the record is damaged.
    Unreadable,
}

impl RecordKind {
    /// Every kind that is written.
    pub const ALL: [RecordKind; 7] = [
        RecordKind::Intended,
        RecordKind::Settled,
        RecordKind::Expired,
        RecordKind::Said,
        RecordKind::Triage,
        RecordKind::Setting,
        RecordKind::Bulk,
    ];

    /// The word in the store and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            RecordKind::Intended => "intended",
            RecordKind::Settled => "settled",
            RecordKind::Expired => "expired",
            RecordKind::Said => "said",
            RecordKind::Triage => "triage",
            RecordKind::Setting => "setting",
            RecordKind::Bulk => "bulk",
            RecordKind::Unreadable => "unreadable",
        }
    }

    /// The kind of a word.
    pub fn parse(word: &str) -> Option<RecordKind> {
        RecordKind::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// The column of a record's place.
pub const PLACE: &str = "place";

/// One record of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its place, from 1.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// About what.
    pub kind: RecordKind,
    /// The content, JSON; `None` where it is gone, as nothing in this program does.
    pub content: Option<String>,
    /// The digest of time, kind and content.
    pub digest: String,
    /// The hash of the record before; empty for the first.
    pub previous: String,
    /// The hash of this record.
    pub hash: String,
    /// What cannot be right about it by itself, whatever stands before it.
    pub damage: Option<Damage>,
}

/// Why a record cannot be read as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("its {column} {why}")]
pub struct Damage {
    /// Where.
    pub column: &'static str,
    /// What is wrong there, behind "its kind".
    pub why: String,
}

/// The journal is read newest first, by its places as they are kept: also by those that cannot be.
impl Listed for Record {
    type Key = i64;
}

/// The hash of a record, from its place, the one before and its digest.
pub fn chain_hash(seq: u64, previous: &str, digest: &str) -> String {
    digest::of_parts([seq.to_be_bytes().as_slice(), previous.as_bytes(), digest.as_bytes()])
}

impl Record {
    /// The record that follows `head` with this content.
    pub fn after(head: Option<&Head>, at: Timestamp, kind: RecordKind, content: String) -> Record {
        let seq = head.map_or(1, |head| head.seq.saturating_add(1));
        // What is below a millisecond is not sealed, so it is not kept.
        let at = Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
        let previous = head.map(|head| head.hash.clone()).unwrap_or_default();
        let digest = sealed(at, kind, &content);
        let hash = chain_hash(seq, &previous, &digest);
        Record { seq, at, kind, content: Some(content), digest, previous, hash, damage: None }
    }

    /// The head of a journal that ends with this record.
    pub fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.hash.clone() }
    }

    /// The stable JSON form.
    pub fn to_json(&self) -> serde_json::Value {
        let content = self.content.as_deref().map(|text| {
            serde_json::from_str(text).unwrap_or_else(|_| serde_json::Value::String(text.to_owned()))
        });
        let mut value = serde_json::json!({
            "seq": self.seq.to_string(),
            "at": time::rfc3339(self.at),
            "kind": self.kind,
            "content": content,
            "digest": self.digest,
            "previous": self.previous,
            "hash": self.hash,
        });
        if let Some(damage) = &self.damage {
            value["damage"] = damage.to_string().into();
        }
        value
    }
}

/// The digest that is chained covers time and kind too: neither can be changed unseen.
fn sealed(at: Timestamp, kind: RecordKind, content: &str) -> String {
    digest::of_parts([time::rfc3339(at).as_bytes(), kind.word().as_bytes(), content.as_bytes()])
}

/// The end of a journal: printed at quit and in reports, so that it can be kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The last record's place.
    pub seq: u64,
    /// The last record's hash.
    pub hash: String,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash)
    }
}

impl std::str::FromStr for Head {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("`{text}` is not a journal head; hint: it looks like `12:9f86d0…`");
        let (seq, hash) = text.split_once(':').ok_or_else(wrong)?;
        let is_hash = hash.len() == 64 && hash.chars().all(|c| c.is_ascii_hexdigit());
        let seq = seq.parse().ok().filter(|_| is_hash).ok_or_else(wrong)?;
        Ok(Head { seq, hash: hash.to_ascii_lowercase() })
    }
}

/// The first thing wrong with a journal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A record is missing, double or out of order.
    #[error("record {expected} is missing: the next one found is {found}")]
    Missing {
        /// The place that was due.
        expected: u64,
        /// The place that was found.
        found: u64,
    },
    /// A record's content, time or kind is not what was chained.
    #[error("record {0} was changed: its content does not match its digest")]
    Content(u64),
    /// A record does not follow the one before it.
    #[error("record {0} does not follow the record before it")]
    Link(u64),
    /// A record's hash is not its own.
    #[error("record {0} was changed: its hash does not match")]
    Hash(u64),
    /// A column cannot be read, or holds what no record can.
    #[error("record {0} is damaged: {1}")]
    Damaged(u64, Damage),
    /// Its content was taken out.
    #[error("record {0} was changed: its content is gone, and nothing in this program erases one")]
    Gone(u64),
    /// Every record holds, and what they are found by does not say the same.
    #[error(
        "every record holds, but a search by user, flow or outcome does not find them all, or finds too much: first at record {0}; hint: a search by words (`journal list \"ann\"`) reads the records themselves"
    )]
    Unfound(u64),
    /// The kept head is not in the journal.
    #[error("the journal does not hold the kept head {0}: its tail was cut or it was written anew")]
    Head(u64),
}

/// What was found out about a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The last record that holds.
    pub head: Option<Head>,
    /// The first one that does not.
    pub broken: Option<Broken>,
}

/// Checks records one after another, so that a long journal need not be in memory.
#[derive(Debug, Default)]
pub struct Verifier {
    head: Option<Head>,
    kept: Option<Head>,
    kept_seen: bool,
}

impl Verifier {
    /// Starts at the first record; `kept` is a head noted earlier.
    pub fn new(kept: Option<Head>) -> Verifier {
        Verifier { kept, ..Verifier::default() }
    }

    /// The last record that holds, so far.
    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// Goes on behind a record of which this is the head.
    pub fn behind(head: Head) -> Verifier {
        Verifier { head: Some(head), ..Verifier::default() }
    }

    /// Checks the next record.
    ///
    /// # Errors
    /// [`Broken`] names the first record that does not hold.
    pub fn next(&mut self, record: &Record) -> Result<(), Broken> {
        let expected = self.head.as_ref().map_or(1, |head| head.seq.saturating_add(1));
        // A place that cannot be is told as it stands there.
        let place = |damage: &&Damage| damage.column == PLACE;
        if let Some(damage) = record.damage.as_ref().filter(place) {
            return Err(Broken::Damaged(expected, damage.clone()));
        }
        if record.seq != expected {
            return Err(Broken::Missing { expected, found: record.seq });
        }
        if let Some(damage) = &record.damage {
            return Err(Broken::Damaged(record.seq, damage.clone()));
        }
        let previous = self.head.as_ref().map(|head| head.hash.as_str()).unwrap_or_default();
        if record.previous != previous {
            return Err(Broken::Link(record.seq));
        }
        let content = record.content.as_deref();
        if content.is_some_and(|content| sealed(record.at, record.kind, content) != record.digest) {
            return Err(Broken::Content(record.seq));
        }
        if chain_hash(record.seq, &record.previous, &record.digest) != record.hash {
            return Err(Broken::Hash(record.seq));
        }
        if content.is_none() {
            return Err(Broken::Gone(record.seq));
        }
        self.kept_seen |= self.kept.as_ref().is_some_and(|kept| *kept == record.head());
        self.head = Some(record.head());
        Ok(())
    }

    /// After the last record: the head, or that the kept one was not met.
    ///
    /// # Errors
    /// [`Broken::Head`] if a kept head was given and is not in the journal.
    pub fn finish(self) -> Result<Option<Head>, Broken> {
        match self.kept {
            Some(kept) if !self.kept_seen => Err(Broken::Head(kept.seq)),
            _ => Ok(self.head),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(n: u64) -> Vec<Record> {
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        let mut records: Vec<Record> = Vec::new();
        for i in 0..n {
            let head = records.last().map(Record::head);
            records.push(Record::after(head.as_ref(), at, RecordKind::Triage, format!("{{\"n\":{i}}}")));
        }
        records
    }

    fn verify(records: &[Record], kept: Option<Head>) -> Result<Option<Head>, Broken> {
        let mut verifier = Verifier::new(kept);
        records.iter().try_for_each(|record| verifier.next(record))?;
        verifier.finish()
    }

    #[test]
    fn an_honest_journal_verifies() {
        let records = journal(5);
        assert_eq!(verify(&records, Some(records[3].head())).unwrap(), Some(records[4].head()));
        assert_eq!(verify(&[], None).unwrap(), None);
    }

    #[test]
    fn every_tampering_is_named() {
        let honest = journal(5);
        let broken = |change: &dyn Fn(&mut Vec<Record>)| {
            let mut records = honest.clone();
            change(&mut records);
            verify(&records, Some(honest[4].head())).unwrap_err()
        };
        assert_eq!(broken(&|r| r[2].content = Some("{\"n\":9}".into())), Broken::Content(3));
        assert_eq!(broken(&|r| r[2].kind = RecordKind::Expired), Broken::Content(3));
        assert_eq!(broken(&|r| r[2].at = Timestamp::from_second(5).unwrap()), Broken::Content(3));
        let damage = Damage { column: "kind", why: "is `x`, which is none".into() };
        let said = broken(&|r| r[2].damage = Some(damage.clone())).to_string();
        assert_eq!(said, "record 3 is damaged: its kind is `x`, which is none");
        assert_eq!(broken(&|r| r[2].content = None), Broken::Gone(3));
        assert_eq!(broken(&|r| drop(r.remove(1))), Broken::Missing { expected: 2, found: 3 });
        assert_eq!(broken(&|r| r.swap(1, 2)), Broken::Missing { expected: 2, found: 3 });
        assert_eq!(broken(&|r| r.truncate(3)), Broken::Head(5));
        assert_eq!(broken(&|r| r[3].hash = r[2].hash.clone()), Broken::Hash(4));
        assert_eq!(broken(&|r| r[3].previous = r[1].hash.clone()), Broken::Link(4));
    }

    #[test]
    fn a_content_that_is_gone_is_told_and_the_chain_goes_on_behind_it() {
        let mut records = journal(4);
        records[1].content = None;
        assert_eq!(
            verify(&records, None).unwrap_err().to_string(),
            "record 2 was changed: its content is gone, and nothing in this program erases one"
        );
        let mut verifier = Verifier::behind(records[1].head());
        records[2..].iter().try_for_each(|record| verifier.next(record)).unwrap();
        // What cannot be where it is, is told first.
        records[1].hash = records[0].hash.clone();
        assert_eq!(verify(&records, None), Err(Broken::Hash(2)));
    }

    #[test]
    fn what_is_kept_is_what_is_sealed() {
        let at = Timestamp::from_nanosecond(1_700_000_000_123_456_789).unwrap();
        let record = Record::after(None, at, RecordKind::Triage, "{}".into());
        assert_eq!(record.at.as_nanosecond(), 1_700_000_000_123_000_000);
    }

    #[test]
    fn heads_print_and_parse() {
        let head = journal(2)[1].head();
        assert_eq!(head.to_string().parse(), Ok(head));
        assert!("12".parse::<Head>().is_err());
    }
}
