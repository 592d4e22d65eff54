//! A record as it is kept: what cannot be read of it is said, and hides no other.

use crate::domain::journal::{Damage, PLACE, Record, RecordKind};
use jiff::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{Result, Row};

/// Microseconds of the unit that times are sealed in.
const SEALED: i64 = 1_000;

/// A journal record, all columns.
pub(in crate::store::sqlite) fn record(row: &Row<'_>) -> Result<Record> {
    let mut reader = Reader { row, damage: None };
    Ok(Record {
        seq: reader.place()?,
        at: reader.time()?,
        kind: reader.kind()?,
        content: reader.content()?,
        digest: reader.text("digest")?,
        previous: reader.text("previous")?,
        hash: reader.text("hash")?,
        damage: reader.damage,
    })
}

/// Reads columns, and keeps the first damage.
struct Reader<'a, 'row> {
    row: &'a Row<'row>,
    damage: Option<Damage>,
}

impl Reader<'_, '_> {
    fn damaged(&mut self, column: &'static str, why: impl Into<String>) {
        self.damage.get_or_insert(Damage { column, why: why.into() });
    }

    fn place(&mut self) -> Result<u64> {
        let ValueRef::Integer(seq) = self.row.get_ref("seq")? else {
            self.damaged(PLACE, "is no number");
            return Ok(0);
        };
        match u64::try_from(seq) {
            Ok(place @ 1..) => Ok(place),
            _ => {
                self.damaged(PLACE, format!("is {seq}, where no record stands"));
                Ok(0)
            }
        }
    }

    fn time(&mut self) -> Result<Timestamp> {
        let ValueRef::Integer(micros) = self.row.get_ref("at")? else {
            self.damaged("time", "is no number");
            return Ok(Timestamp::UNIX_EPOCH);
        };
        if micros % SEALED != 0 {
            self.damaged("time", "has digits below a millisecond, which no record has");
        }
        Ok(Timestamp::from_microsecond(micros).unwrap_or_else(|error| {
            self.damaged("time", format!("is none: {error}"));
            Timestamp::UNIX_EPOCH
        }))
    }

    fn kind(&mut self) -> Result<RecordKind> {
        let word = self.text("kind")?;
        Ok(RecordKind::parse(&word).unwrap_or_else(|| {
            self.damaged("kind", format!("is `{word}`, which is none"));
            RecordKind::Unreadable
        }))
    }

    fn content(&mut self) -> Result<Option<String>> {
        match self.row.get_ref("content")? {
            ValueRef::Null => Ok(None),
            _ => self.text("content").map(Some),
        }
    }

    /// A text, as well as it can be read.
    fn text(&mut self, column: &'static str) -> Result<String> {
        let value = self.row.get_ref(column)?;
        let ValueRef::Text(bytes) = value else {
            self.damaged(column, "is no text");
            return Ok(String::new());
        };
        Ok(match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => {
                self.damaged(column, "is no UTF-8");
                String::from_utf8_lossy(bytes).into_owned()
            }
        })
    }
}
