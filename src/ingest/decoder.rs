//! What the store's writer decodes the inbox with.

use crate::domain::event::DecodedEvent;
use crate::domain::{EventKey, EventKind};
use crate::source;
use crate::store::{Decode, InboxItem};
use std::sync::Arc;

/// The decoder of every known type of source.
pub fn decoder() -> Arc<dyn Decode> {
    Arc::new(ByType)
}

/// Asks the item's type. An item of a type that this version does not know (a newer one wrote the
/// inbox) is kept as an event of kind `other`, known by its content.
#[derive(Debug)]
struct ByType;

impl Decode for ByType {
    fn decode(&self, item: &InboxItem) -> DecodedEvent {
        match source::type_named(&item.source_type) {
            Some(known) => (known.decode)(&item.raw),
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
    use jiff::Timestamp;
    use rstest::rstest;

    #[rstest]
    #[case("cii-webhook", EventKind::FailedCheck)]
    #[case("from-the-future", EventKind::Other)]
    fn asks_the_type(#[case] source_type: &str, #[case] expected: EventKind) {
        let item = InboxItem {
            source: "any".into(),
            source_type: source_type.to_owned(),
            received: Timestamp::UNIX_EPOCH,
            raw: r#"{"detail":{"checkId":"no-mfa","login":"a@example.com"}}"#.into(),
        };
        assert_eq!(decoder().decode(&item).kind, expected);
    }
}
