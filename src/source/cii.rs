//! CII's webhooks: what a message is.
//!
//! The wire is in contracts/cii.md, section 4. Little of it is certain, so nothing is required but an
//! object `detail`: two generations of messages differ in where the logins stand (all three places are
//! read), `detail-type` may be missing, empty or new, a list may be one text, placeholders stay as they
//! came. Whatever is understood of a message is kept; the raw message is kept beside it anyway.

use super::loose::{self, Object};
use super::{Expects, Meaning, SourceType, Unreadable, body};
use crate::domain::event::{DecodedEvent, Detail};
use crate::domain::{Check, CheckId, EventKey, EventKind, Login, Severity, Untrusted, time};
use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The type `cii-webhook`.
pub const WEBHOOK: SourceType = SourceType {
    name: "cii-webhook",
    elements,
    decode: |raw, _| decode(raw),
    recognises: |body| body.object("detail").is_some(),
    expects: Expects::USUAL,
};

/// The check of the documented test message.
const TEST_CHECK: &str = "oort-test-check-id";

/// A body is one message; all that can be asked of it is an object `detail`.
fn elements(body: Arc<str>, _: &Meaning<'_>) -> Result<Vec<Arc<str>>, Unreadable> {
    require_detail(&body)?;
    Ok(vec![body])
}

fn require_detail(text: &str) -> Result<(), Unreadable> {
    let envelope = body::object(text)?;
    let detail = envelope.get("detail").map_or("", RawValue::get);
    match loose::shape(detail) {
        "an object" => Ok(()),
        found => Err(Unreadable::NotAnObject { what: "`detail`", found }),
    }
}

/// What a message is. Pure and total: anything else than a message is an event of kind `other`.
pub fn decode(raw: &str) -> DecodedEvent {
    let message = Message::read(raw).unwrap_or_default();
    let mut event = DecodedEvent::new(message.key(raw), message.kind());
    event.source_event_id = message.id().map(Untrusted::from);
    event.severity_raw = message.detail.text("severity").unwrap_or_default().into();
    event.severity = Severity::from_raw(event.severity_raw.raw());
    event.description = message.paragraphs();
    event.recommended_actions = message.recommended_actions();
    event.reference_url = message.detail.text("referenceUrl").map(Untrusted::from);
    event.published = message.published();
    event.check = message.check;
    event.users = message.users;
    event
}

/// Details kept of one user.
const MOST_DETAILS: usize = 20;
/// The bytes of a detail's value that are kept.
const LONGEST_VALUE: usize = 1_000;

/// What a message says about each of some users, in their order: their `loginDetails`, and the event's
/// `explainabilityDetails` where the event is about nobody else. Values that are JSON inside a text are
/// unpacked; placeholders that nobody filled in stay as they came; what is too long or too much is cut.
pub fn details(raw: &str, logins: &[Login]) -> Vec<(Login, Vec<Detail>)> {
    let message = Message::read(raw).unwrap_or_default();
    let mut details: HashMap<&Login, Vec<Detail>> = logins.iter().map(|login| (login, Vec::new())).collect();
    for entry in message.login_details() {
        let login = entry.text("login").map(|text| Login::new(&text));
        if let Some(of_login) = login.and_then(|login| details.get_mut(&login)) {
            add(of_login, &entry, "details");
        }
    }
    if let [only] = message.users.as_slice()
        && let Some(of_login) = details.get_mut(only)
    {
        add(of_login, &message.detail, "explainabilityDetails");
    }
    let mut taken = |login: &Login| details.remove(login).unwrap_or_default();
    logins.iter().map(|login| (login.clone(), taken(login))).collect()
}

/// A message, its parts still loose.
#[derive(Debug, Default)]
struct Message<'a> {
    envelope: Object<'a>,
    detail: Object<'a>,
    detail_type: DetailType,
    check: Check,
    users: Vec<Login>,
}

/// What a message says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum DetailType {
    /// Nothing, as some failed checks do.
    #[default]
    Unsaid,
    /// `WebhookTest`.
    Test,
    /// A direct message, in whatever spelling.
    DirectMessage,
    /// `FAILED_CHECK`, or a word that is not known here: the rest of the message decides.
    Said,
}

impl DetailType {
    fn of(word: &str) -> DetailType {
        let letters: String = word.chars().filter(|c| c.is_alphanumeric()).collect();
        match letters.to_ascii_lowercase().as_str() {
            "" => DetailType::Unsaid,
            "webhooktest" => DetailType::Test,
            letters if letters.contains("directmessage") => DetailType::DirectMessage,
            _ => DetailType::Said,
        }
    }
}

impl<'a> Message<'a> {
    fn read(raw: &'a str) -> Option<Message<'a>> {
        let envelope = Object::parse(raw).ok()?;
        let detail = envelope.object("detail")?;
        let id = CheckId::from(detail.text("checkId").unwrap_or_default());
        let title = detail.text("title").unwrap_or_default().into();
        let detail_type = DetailType::of(&envelope.text("detail-type").unwrap_or_default());
        let mut message =
            Message { envelope, detail, detail_type, check: Check { id, title }, users: Vec::new() };
        message.users = message.each_login_once();
        Some(message)
    }

    /// A test is what says so; one whose `detail-type` was lost on the way is known by its check, since
    /// its invented users must open no finding. Anything else with a check and a login is a failed
    /// check, whatever it calls itself.
    fn kind(&self) -> EventKind {
        let is_lost_test = self.detail_type == DetailType::Unsaid && self.check.id.raw() == TEST_CHECK;
        if self.detail_type == DetailType::Test || is_lost_test {
            EventKind::Test
        } else if !self.check.id.raw().is_empty() && !self.users.is_empty() {
            EventKind::FailedCheck
        } else if self.detail_type == DetailType::DirectMessage || !self.message_texts().is_empty() {
            EventKind::DirectMessage
        } else {
            EventKind::Other
        }
    }

    fn key(&self, raw: &str) -> EventKey {
        let envelope_id = self.envelope.text("id");
        match (self.kind(), envelope_id, self.id()) {
            (EventKind::Test, Some(id), _) => EventKey::cii_test(&id),
            (EventKind::Test, None, _) | (_, _, None) => EventKey::of_content("cii", raw.as_bytes()),
            (_, _, Some(id)) => EventKey::cii(&id, &self.check.id, &self.users),
        }
    }

    fn id(&self) -> Option<String> {
        self.detail.text("id").or_else(|| self.envelope.text("id"))
    }

    fn published(&self) -> Option<Timestamp> {
        let read = |text: Option<String>| time::parse(&text?);
        read(self.detail.text("published")).or_else(|| read(self.envelope.text("time")))
    }

    fn paragraphs(&self) -> Vec<Untrusted> {
        let description = self.detail.texts("description");
        description.into_iter().chain(self.message_texts()).map(Untrusted::from).collect()
    }

    /// Where a direct message may have its text; nobody has published one.
    fn message_texts(&self) -> Vec<String> {
        let mut texts = self.detail.texts("message");
        texts.extend(self.detail.texts("text"));
        texts
    }

    /// The documentation prints the name in two ways.
    fn recommended_actions(&self) -> Vec<Untrusted> {
        let mut actions = self.detail.texts("recommendedActions");
        actions.extend(self.detail.texts("recommended Actions"));
        actions.into_iter().map(Untrusted::from).collect()
    }

    fn login_details(&self) -> impl Iterator<Item = Object<'a>> {
        self.detail.items("loginDetails").into_iter().filter_map(loose::object)
    }

    /// The union of the three places where a login may stand, in their order.
    fn each_login_once(&self) -> Vec<Login> {
        let mut texts = self.detail.texts("usersFailing");
        texts.extend(self.detail.text("login"));
        texts.extend(self.login_details().filter_map(|entry| entry.text("login")));
        let mut seen = HashSet::with_capacity(texts.len());
        texts.iter().map(|text| Login::new(text)).filter(|login| seen.insert(login.clone())).collect()
    }
}

fn add(details: &mut Vec<Detail>, object: &Object<'_>, name: &str) {
    let left = MOST_DETAILS.saturating_sub(details.len());
    let pairs = object.items(name).into_iter().filter_map(loose::object);
    details.extend(pairs.filter_map(|pair| detail(&pair)).take(left));
}

fn cut(text: String) -> String {
    loose::cut(text, LONGEST_VALUE)
}

fn detail(pair: &Object<'_>) -> Option<Detail> {
    let key = Untrusted::from(cut(pair.text("key")?));
    let value = pair.get("value")?;
    let value = match loose::text(value) {
        Some(text) if text.len() > LONGEST_VALUE => Value::String(cut(text)),
        Some(text) => unpacked(&text),
        None if value.get().len() > LONGEST_VALUE => Value::String(cut(value.get().to_owned())),
        None => parsed(value.get()),
    };
    Some(Detail { key, value })
}

/// What a text holds, if that is JSON of several values; a text like `12` or `true` stays one.
fn unpacked(text: &str) -> Value {
    match text.trim_start().starts_with(['[', '{']) {
        true => parsed(text),
        false => Value::String(text.to_owned()),
    }
}

/// Nesting too deep to read stays text.
fn parsed(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|_| Value::String(json.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::meant::Reading;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case("", "the body is not JSON (line 1, column 0)")]
    #[case("{\"detail\":{}", "the body is not JSON (line 1, column 12)")]
    #[case("{\"detail\":{}} x", "the body is not JSON (line 1, column 15)")]
    #[case("user@example.com", "the body is not JSON (line 1, column 1)")]
    #[case("[]", "the body is a list, not an object")]
    #[case("\"secret\"", "the body is a text, not an object")]
    #[case("{}", "`detail` is missing, not an object")]
    #[case("{\"detail\":null}", "`detail` is missing, not an object")]
    #[case("{\"detail\":\"x\"}", "`detail` is a text, not an object")]
    #[case("{\"detail\":[{}]}", "`detail` is a list, not an object")]
    fn says_why_a_body_is_no_message(#[case] body: &str, #[case] expected: &str) {
        assert_eq!(
            elements(body.into(), &Meaning::of(&Reading::default(), &"cii".into())).unwrap_err().to_string(),
            expected
        );
    }

    #[rstest]
    #[case(r#"{"detail":{}}"#)]
    #[case(r#" {"detail" : {"checkId":[[]]} , "detail-type":{}} "#)]
    fn a_body_with_an_object_detail_is_one_element(#[case] body: &str) {
        assert_eq!(
            elements(body.into(), &Meaning::of(&Reading::default(), &"cii".into())).unwrap(),
            [Arc::from(body)]
        );
    }

    #[test]
    fn unpacks_what_is_said_about_one_user() {
        let raw = json!({ "detail": {
            "usersFailing": ["a@x", "b@x"],
            "loginDetails": [
                { "login": "A@X", "details": [
                    { "key": "providersFailingChecks", "value": "[\"p-1\"]" },
                    { "key": "count", "value": "12" },
                    { "key": "plain", "value": { "n": 1 } },
                    { "value": "no key" },
                ] },
                { "login": "b@x", "details": [{ "key": "other", "value": "1" }] },
            ],
            "explainabilityDetails": [{ "key": "userTitle", "value": "Engineer" }],
        } });
        let details = details(&raw.to_string(), &[Login::new("c@x"), Login::new("a@x")]);
        assert_eq!((&details[0].0, &details[0].1), (&Login::new("c@x"), &vec![]));
        let values: Vec<_> =
            details[1].1.iter().map(|detail| (detail.key.raw(), detail.value.clone())).collect();
        let expected = [
            ("providersFailingChecks", json!(["p-1"])),
            ("count", json!("12")),
            ("plain", json!({ "n": 1 })),
        ];
        assert_eq!(values, expected);
    }

    #[test]
    fn an_event_about_one_user_explains_that_user() {
        let raw = r#"{"detail":{"login":"a@x","explainabilityDetails":[{"key":"userTitle","value":"CFO"}]}}"#;
        assert_eq!(details(raw, &[Login::new("a@x")])[0].1.len(), 1);
        assert!(details(raw, &[Login::new("b@x")])[0].1.is_empty());
    }

    #[test]
    fn placeholders_stay_and_what_is_too_much_is_cut() {
        let pair = |n: usize| json!({ "key": format!("k{n}"), "value": "{{numberOfDays}}" });
        let mut pairs: Vec<Value> = (0..MOST_DETAILS * 2).map(pair).collect();
        pairs[0] = json!({ "key": "k".repeat(9_000), "value": format!("[{}", "\"é\",".repeat(9_000)) });
        pairs[1] = json!({ "key": "nested", "value": "[[[[[[[[[[[[[[[[".repeat(40) });
        pairs[2] = json!({ "key": "object", "value": { "list": vec!["é"; 9_000] } });
        let raw = json!({ "detail": { "loginDetails": [{ "login": "a@x", "details": pairs }] } });
        let details = &details(&raw.to_string(), &[Login::new("a@x")])[0].1;
        assert_eq!(details.len(), MOST_DETAILS);
        assert_eq!(details[5].text().raw(), "k5: {{numberOfDays}}");
        assert!(details.iter().all(|detail| detail.text().raw().len() < 3 * LONGEST_VALUE));
    }
}
