//! JSON of which only the outline can be relied on.
//!
//! Senders disagree about shapes (a list here, one text there, a number for an id), so a struct whose
//! fields have one type each would refuse a whole message for one odd field. An [`Object`] is read one
//! level deep; every value stays raw text until somebody asks for it as what they can use, and what
//! does not fit is absent. One level at a time also means that nesting costs nothing: no depth of
//! brackets in a value that nobody reads can exhaust a stack.

use crate::domain::Untrusted;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// An object, its members still raw. Borrowed from the text it was read from.
#[derive(Debug, Default)]
pub struct Object<'a>(Vec<(Text, &'a RawValue)>);

impl<'a> Object<'a> {
    /// Reads one object and nothing behind it.
    pub fn parse(json: &'a str) -> Result<Object<'a>, serde_json::Error> {
        serde_json::from_str(json)
    }

    /// A member that is there, null or not. Of members with one name the last counts, as in most readers
    /// of JSON.
    pub fn member(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(key, _)| key.0 == name).map(|(_, value)| *value)
    }

    /// Every member, in the order they came.
    pub fn members(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(key, value)| (key.0.as_str(), *value))
    }

    /// A member that is there and not null.
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.member(name).filter(|value| value.get() != "null")
    }

    /// A member that is a text (or a number, as it is spelt) and not blank.
    pub fn text(&self, name: &str) -> Option<String> {
        text(self.get(name)?)
    }

    /// A member that is a list of texts, or one text.
    pub fn texts(&self, name: &str) -> Vec<String> {
        self.items(name).into_iter().filter_map(text).collect()
    }

    /// A member's items: those of a list, or the one thing that stands there instead.
    pub fn items(&self, name: &str) -> Vec<&'a RawValue> {
        self.get(name).map(items).unwrap_or_default()
    }

    /// A member that is an object.
    pub fn object(&self, name: &str) -> Option<Object<'a>> {
        object(self.get(name)?)
    }
}

/// A text, or a number as it is spelt; blank is absent.
pub fn text(raw: &RawValue) -> Option<String> {
    let text = match raw.get().as_bytes().first()? {
        b'"' => serde_json::from_str::<Text>(raw.get()).ok()?.0,
        b'-' | b'0'..=b'9' => raw.get().to_owned(),
        _ => return None,
    };
    (!text.trim().is_empty()).then_some(text)
}

/// An object.
pub fn object(raw: &RawValue) -> Option<Object<'_>> {
    Object::parse(raw.get()).ok()
}

/// What stands there, in words, for a reason.
pub fn shape(json: &str) -> &'static str {
    match json.trim_start().as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a text",
        Some(b't' | b'f') => "a truth value",
        Some(b'n') => "null",
        Some(_) => "a number",
        None => "missing",
    }
}

/// The items of a list, or the one thing that stands there instead.
pub fn items(raw: &RawValue) -> Vec<&RawValue> {
    if raw.get().starts_with('[') { serde_json::from_str(raw.get()).unwrap_or_default() } else { vec![raw] }
}

/// The bytes of one of an event's paragraphs.
const LONGEST_PARAGRAPH: usize = 4_000;
/// The bytes of what stands on one line: a title, an id, a word.
const LONGEST_LINE: usize = 500;

/// A text of at most `most` bytes; one that was cut says so by `…`.
pub fn cut(mut text: String, most: usize) -> String {
    if text.len() > most {
        let end = (0..=most).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or_default());
        text.push('…');
    }
    text
}

/// A text as one of an event's paragraphs: what is too long is cut, since the raw text has it whole.
pub fn paragraph(text: String) -> Untrusted {
    cut(text, LONGEST_PARAGRAPH).into()
}

/// A text as a title, an id or a word: what is too long to be one is cut.
pub fn line(text: String) -> String {
    cut(text, LONGEST_LINE)
}

/// What is there of some parts, joined; `None` where nothing is.
pub fn joined(parts: impl IntoIterator<Item = Option<String>>, separator: &str) -> Option<String> {
    let there: Vec<String> = parts.into_iter().flatten().collect();
    (!there.is_empty()).then(|| there.join(separator))
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members).map(Object)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(Text, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

/// Text read as bytes: JSON may escape half a surrogate pair, which no Rust string can hold. One such
/// character becomes U+FFFD and the rest of the message stays readable.
#[derive(Debug)]
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(Lossy)
    }
}

struct Lossy;

impl Visitor<'_> for Lossy {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Text, E> {
        Ok(Text(String::from_utf8_lossy(bytes).into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case(r#"{"a":"x"}"#, Some("x"))]
    #[case(r#"{"a": 12 }"#, Some("12"))]
    #[case(r#"{"a":"x","a":"y"}"#, Some("y"))]
    #[case(r#"{"a":"\ud800x"}"#, Some("\u{fffd}\u{fffd}\u{fffd}x"))]
    #[case(r#"{"\udfff":1,"a":"x"}"#, Some("x"))]
    #[case(r#"{"a":"  "}"#, None)]
    #[case(r#"{"a":null}"#, None)]
    #[case(r#"{"a":["x"]}"#, None)]
    #[case(r#"{"b":"x"}"#, None)]
    fn reads_a_text(#[case] json: &str, #[case] expected: Option<&str>) {
        assert_eq!(Object::parse(json).unwrap().text("a").as_deref(), expected);
    }

    #[rstest]
    #[case(r#"{"a":["x",1,null,{},"y"]}"#, &["x", "1", "y"])]
    #[case(r#"{"a":"x"}"#, &["x"])]
    #[case(r#"{"a":{}}"#, &[])]
    #[case("{}", &[])]
    fn reads_texts(#[case] json: &str, #[case] expected: &[&str]) {
        assert_eq!(Object::parse(json).unwrap().texts("a"), expected);
    }

    #[test]
    fn null_is_there_and_says_nothing() {
        let object = Object::parse(r#"{"a":null,"b":1}"#).unwrap();
        assert_eq!(object.member("a").map(RawValue::get), Some("null"));
        assert!(object.get("a").is_none() && object.member("c").is_none());
        assert_eq!(object.members().map(|(name, _)| name).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[rstest]
    #[case("abc", 3, "abc")]
    #[case("abcd", 3, "abc…")]
    #[case("ééé", 3, "é…")]
    fn what_is_too_long_is_cut(#[case] text: &str, #[case] most: usize, #[case] expected: &str) {
        assert_eq!(cut(text.to_owned(), most), expected);
    }

    #[test]
    fn depth_costs_nothing() {
        let deep = format!(r#"{{"a":{}{},"b":"x"}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(Object::parse(&deep).unwrap().text("b").as_deref(), Some("x"));
    }

    proptest! {
        #[test]
        fn any_text_survives(text in "\\PC*[a-z]") {
            let json = serde_json::json!({ "a": text }).to_string();
            prop_assert_eq!(Object::parse(&json).unwrap().text("a"), Some(text));
        }
    }
}
