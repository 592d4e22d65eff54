//! What the store's writer decodes the inbox with.

use crate::config::meant::Reading;
use crate::domain::event::DecodedEvent;
use crate::domain::rule::Verdict;
use crate::domain::{EventKey, EventKind};
use crate::source::{self, Meaning};
use crate::store::{Decode, Decoded, InboxItem};
use std::sync::Arc;

/// The decoder of every known type of source, as a configuration has events read, and its rules.
pub fn decoder(reading: Reading) -> Arc<dyn Decode> {
    Arc::new(ByType(reading))
}

/// Asks the item's type. An item of a type that this version does not know (a newer one wrote the
/// inbox) is kept as an event of kind `other`, known by its content.
#[derive(Debug)]
struct ByType(Reading);

impl Decode for ByType {
    fn decode(&self, item: &InboxItem) -> Decoded {
        let mut event = self.decode_begun(item);
        match self.0.rules.apply(&item.source, &mut event) {
            Verdict::Keep => Decoded::Event(Box::new(event)),
            Verdict::Drop(reason) => Decoded::Dropped(reason),
        }
    }

    fn decode_begun(&self, item: &InboxItem) -> DecodedEvent {
        match source::type_named(&item.source_type) {
            Some(known) => (known.decode)(&item.raw, &Meaning::of(&self.0, &item.source)),
            None => DecodedEvent::new(
                EventKey::of_content(&item.source_type, item.raw.as_bytes()),
                EventKind::Other,
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rule::{Rule, Then};
    use crate::domain::{Query, Rules};
    use jiff::Timestamp;
    use rstest::rstest;

    #[rstest]
    #[case("cii-webhook", EventKind::FailedCheck)]
    #[case("from-the-future", EventKind::Other)]
    fn asks_the_type(#[case] source_type: &str, #[case] expected: EventKind) {
        let decoded = decoder(Reading::default()).decode(&item(source_type));
        assert!(matches!(decoded, Decoded::Event(event) if event.kind == expected));
    }

    #[test]
    fn rules_are_applied_to_what_was_understood() {
        let rule = Rule {
            name: "no mfa".to_owned(),
            when: Query::parse("check:no-mfa").unwrap(),
            then: Then { drops: true, ..Then::default() },
        };
        let reading =
            Reading { rules: Rules { rules: vec![rule], ..Rules::default() }, ..Reading::default() };
        let decoder = decoder(reading);
        assert_eq!(decoder.decode(&item("cii-webhook")), Decoded::Dropped("no mfa".to_owned()));
        assert!(matches!(decoder.decode(&item("from-the-future")), Decoded::Event(_)));
    }

    fn item(source_type: &str) -> InboxItem {
        InboxItem {
            source: "any".into(),
            source_type: source_type.to_owned(),
            received: Timestamp::UNIX_EPOCH,
            raw: r#"{"detail":{"checkId":"no-mfa","login":"a@example.com"}}"#.into(),
        }
    }
}
