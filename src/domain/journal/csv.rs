//! Records of the journal as CSV.

use super::Record;
use super::told::Told;
use crate::domain::action::Said;
use crate::domain::csv::line;
use crate::domain::{NOTHING, Outcome, time};

const HEADINGS: [&str; 15] = [
    "seq", "at", "kind", "by", "login", "flow", "outcome", "evidence", "action", "what", "content",
    "previous", "hash", "damage", "said",
];

/// The line of headings, with its line end.
pub fn heading() -> String {
    line(HEADINGS)
}

/// A record's line, with its line end.
pub fn row(record: &Record) -> String {
    let told = Told::of(record);
    let text = |text: Option<String>| text.unwrap_or_default();
    let who = Some(told.who()).filter(|who| who != NOTHING);
    line([
        record.seq.to_string().as_str(),
        &time::rfc3339(record.at),
        record.kind.word(),
        &text(who),
        &text(told.login().map(|login| login.raw().to_owned())),
        told.flow().unwrap_or_default(),
        told.outcome().map_or("", Outcome::word),
        told.evidence().unwrap_or_default(),
        &text(told.action().map(|id| id.to_string())),
        &told.what(),
        record.content.as_deref().unwrap_or_default(),
        &record.previous,
        &record.hash,
        &text(record.damage.as_ref().map(ToString::to_string)),
        told.said().map_or("", Said::word),
    ])
}

#[cfg(test)]
mod tests {
    use super::super::RecordKind;
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn a_row_has_a_cell_a_heading_and_runs_nothing() {
        let content = r#"{"flow":"f","login":"=cmd","outcome":"changed","evidence":"verified"}"#;
        let record = Record::after(None, Timestamp::UNIX_EPOCH, RecordKind::Settled, content.to_owned());
        let row = row(&record);
        assert!(
            row.starts_with("1,1970-01-01T00:00:00.000Z,settled,,\"'=cmd\",f,changed,verified,,"),
            "{row}"
        );
        assert!(row.ends_with(&format!(",,{},,\r\n", record.hash)), "{row}");
    }
}
