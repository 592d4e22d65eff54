//! What makes two arrivals the same event.

use super::{CheckId, Login, digest};
use serde::{Deserialize, Serialize};

/// An event's identity across deliveries. The same key is the same event, however often and by
/// whichever source it comes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventKey(String);

impl EventKey {
    /// A CII failed check: its event id, its check and its set of logins. The logins belong to it
    /// because nothing says that CII gives every delivery of one check an id of its own.
    pub fn cii<'a>(event_id: &str, check: &CheckId, logins: impl IntoIterator<Item = &'a Login>) -> EventKey {
        let mut folded: Vec<&str> = logins.into_iter().map(Login::folded).collect();
        folded.sort_unstable();
        folded.dedup();
        let logins = folded.iter().map(|login| login.as_bytes());
        let parts = [event_id.as_bytes(), check.raw().as_bytes()].into_iter().chain(logins);
        // Hashed as a whole: ids from outside may hold any separator and be of any length.
        EventKey(format!("cii:{}", digest::of_parts(parts)))
    }

    /// A CII test event: the envelope's id, since every test carries the same `detail.id`.
    pub fn cii_test(envelope_id: &str) -> EventKey {
        EventKey(format!("cii-test:{}", digest::of_bytes(envelope_id.as_bytes())))
    }

    /// A LogEvent of an Okta org, whichever source brought it: hook, poll and import agree.
    pub fn okta(uuid: &str) -> EventKey {
        EventKey(format!("okta:{}", plain(uuid)))
    }

    /// An ISPM message: its own id.
    pub fn ispm(event_id: &str) -> EventKey {
        EventKey(format!("ispm:{}", plain(event_id)))
    }

    /// Something with an id of its own in some source's name space. The parts are hashed as a whole.
    pub fn of_parts<'a>(space: &str, parts: impl IntoIterator<Item = &'a str>) -> EventKey {
        EventKey(format!("{space}:{}", digest::of_parts(parts.into_iter().map(str::as_bytes))))
    }

    /// Something without an id: its content.
    pub fn of_content(source: &str, raw: &[u8]) -> EventKey {
        EventKey(format!("{source}:sha256:{}", digest::of_bytes(raw)))
    }

    /// The key as text, for a unique index.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An id as it came, if it looks like one; a digest of anything else, which may be of any length.
fn plain(id: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !id.is_empty() && id.len() <= 64 && id.chars().all(is_plain) {
        return id.to_ascii_lowercase();
    }
    format!("sha256:{}", digest::of_bytes(id.as_bytes()))
}

impl From<String> for EventKey {
    fn from(text: String) -> Self {
        EventKey(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_separator_can_be_forged() {
        let key = |id: &str, check: &str| EventKey::cii(id, &check.into(), &[]);
        assert_ne!(key("a:b", "c"), key("a", "b:c"));
        assert!(key(&"x".repeat(100_000), "c").as_str().len() < 100);
    }

    #[test]
    fn an_id_is_itself_unless_it_is_odd() {
        assert_eq!(EventKey::okta("A-1").as_str(), "okta:a-1");
        assert!(EventKey::okta(&"x".repeat(100_000)).as_str().len() < 100);
        assert_ne!(EventKey::ispm("a b"), EventKey::ispm("a  b"));
        assert_ne!(EventKey::of_parts("x", ["a", "b"]), EventKey::of_parts("x", ["ab"]));
    }

    proptest! {
        #[test]
        fn order_case_and_repeats_of_logins_do_not_matter(mut logins in proptest::collection::vec("[a-z]{1,6}", 1..6)) {
            let key = |logins: &[String]| {
                let logins: Vec<Login> = logins.iter().map(|l| Login::new(l)).collect();
                EventKey::cii("e1", &"no-mfa".into(), &logins)
            };
            let first = key(&logins);
            logins.reverse();
            logins.push(logins[0].to_uppercase());
            prop_assert_eq!(first, key(&logins));
        }
    }
}
