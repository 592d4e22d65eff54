//! Maps that come in three shapes: as an object, as JSON inside a text, or as Java prints them.
//!
//! `{level=HIGH, reasons=Anomalous Device, New IP}` is what Okta's log holds where a map was put among
//! texts. A comma may end a value or stand inside it: what has no `=` belongs to the value before.

use crate::source::loose::{self, Object};
use serde_json::value::RawValue;

/// The pairs that are read; the maps of the contract have two or five.
const MOST: usize = 50;

/// Keys and values, in their order.
pub(super) type Pairs = Vec<(String, String)>;

/// What a map holds; nothing, where there is none.
pub(super) fn pairs(map: &RawValue) -> Pairs {
    if let Some(object) = loose::object(map) {
        return of_object(&object);
    }
    let text = loose::text(map).unwrap_or_default();
    Object::parse(&text).map(|object| of_object(&object)).unwrap_or_else(|_| printed(&text))
}

/// The value of a key, whatever case it has.
pub(super) fn value(pairs: &Pairs, key: &str) -> Option<String> {
    pairs.iter().find(|(known, _)| known.eq_ignore_ascii_case(key)).map(|(_, value)| value.clone())
}

fn of_object(object: &Object<'_>) -> Pairs {
    let pair = |(key, value): (&str, &RawValue)| Some((key.to_owned(), joined(value)?));
    object.members().filter_map(pair).take(MOST).collect()
}

fn joined(value: &RawValue) -> Option<String> {
    let texts: Vec<String> = loose::items(value).into_iter().filter_map(loose::text).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}

fn printed(text: &str) -> Pairs {
    let inner = text.trim().strip_prefix('{').and_then(|inner| inner.strip_suffix('}'));
    let mut pairs: Pairs = Vec::new();
    for piece in inner.unwrap_or_default().split(',').map(str::trim) {
        if let Some((key, value)) = piece.split_once('=') {
            if pairs.len() == MOST {
                break;
            }
            pairs.push((key.to_owned(), value.to_owned()));
        } else if let Some((_, value)) = pairs.last_mut() {
            value.extend([", ", piece]);
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(r#""{level=HIGH, reasons=Anomalous Device, New IP}""#, &[("level", "HIGH"), ("reasons", "Anomalous Device, New IP")])]
    #[case(r#""{reasons=A=B, level=LOW}""#, &[("reasons", "A=B"), ("level", "LOW")])]
    #[case(r#""{New Geo-Location=NEGATIVE, New Device=POSITIVE}""#, &[("New Geo-Location", "NEGATIVE"), ("New Device", "POSITIVE")])]
    #[case(r#""{\"level\":\"HIGH\",\"reasons\":[\"A\",\"B\"]}""#, &[("level", "HIGH"), ("reasons", "A, B")])]
    #[case(r#"{"level":"HIGH","reasons":["A",{}],"count":2,"none":null}"#, &[("level", "HIGH"), ("reasons", "A"), ("count", "2")])]
    #[case(r#""{}""#, &[])]
    #[case(r#""HIGH""#, &[])]
    #[case(r#""{a, b=c""#, &[])]
    #[case("[]", &[])]
    #[case("null", &[])]
    fn reads_three_shapes(#[case] map: &str, #[case] expected: &[(&str, &str)]) {
        let read = pairs(serde_json::from_str(map).unwrap());
        let read: Vec<_> = read.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(read, expected);
    }

    #[test]
    fn a_long_map_is_read_in_part_and_in_time() {
        let long = format!("\"{{a=1{}}}\"", ", x".repeat(200_000));
        assert_eq!(pairs(serde_json::from_str(&long).unwrap()).len(), 1);
        let many = format!("\"{{{}z=1}}\"", "a=1, ".repeat(100_000));
        assert_eq!(pairs(serde_json::from_str(&many).unwrap()).len(), MOST);
    }
}
