//! Records of a System Log as CSV.

use super::{LogRecord, Party, Thread};
use crate::domain::csv::line;
use crate::domain::{Untrusted, time};

const HEADINGS: [&str; 19] = [
    "published",
    "eventType",
    "displayMessage",
    "outcome.result",
    "outcome.reason",
    "actor.alternateId",
    "actor.displayName",
    "actor.id",
    "target.alternateId",
    "target.displayName",
    "target.id",
    "client.ipAddress",
    "city",
    "state",
    "country",
    "externalSessionId",
    "rootSessionId",
    "transaction.id",
    "uuid",
];

/// The line of headings, with its line end.
pub fn heading() -> String {
    line(HEADINGS)
}

/// A record's line, with its line end. The target is the first user among them.
pub fn row(record: &LogRecord) -> String {
    let nobody = Party::default();
    let target = record.target.as_ref().unwrap_or(&nobody);
    let published = record.published.map(time::rfc3339).unwrap_or_default();
    let [city, state, country] = &record.place;
    let thread = |thread| text(record.thread(thread));
    line([
        &published,
        record.event_type.raw(),
        record.message.raw(),
        record.result.raw(),
        record.reason.raw(),
        text(record.actor.alternate_id.as_ref()),
        text(record.actor.name.as_ref()),
        text(record.actor.id.as_ref()),
        text(target.alternate_id.as_ref()),
        text(target.name.as_ref()),
        text(target.id.as_ref()),
        text(record.address.as_ref()),
        text(city.as_ref()),
        text(state.as_ref()),
        text(country.as_ref()),
        thread(Thread::Session),
        thread(Thread::RootSession),
        thread(Thread::Transaction),
        record.uuid.raw(),
    ])
}

fn text(text: Option<&Untrusted>) -> &str {
    text.map(Untrusted::raw).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_a_cell_a_heading() {
        let raw = r#"{"uuid":"u-1","published":"2026-05-01T12:00:00Z","eventType":"user.session.start",
            "outcome":{"result":"DENY"},"actor":{"type":"User","alternateId":"=cmd","displayName":"Ann"},
            "client":{"ipAddress":"192.0.2.7","geographicalContext":{"city":"Kyiv","country":"Ukraine"}}}"#;
        let row = row(&LogRecord::of(raw.into()));
        assert!(
            row.starts_with("2026-05-01T12:00:00.000Z,user.session.start,,DENY,,\"'=cmd\",Ann,,"),
            "{row}"
        );
        assert!(row.ends_with(",192.0.2.7,Kyiv,,Ukraine,,,,u-1\r\n"), "{row}");
        assert_eq!(row.matches(',').count(), heading().matches(',').count());
    }
}
