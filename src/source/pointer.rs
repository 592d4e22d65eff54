//! JSON pointers (RFC 6901) into JSON of any shape and depth.

use super::loose::{self, Object};
use serde_json::value::RawValue;

/// What stands there, null or not. A value is read level by level, so that nothing beside the way of the
/// pointer has to be understood.
pub fn find<'a>(json: &'a RawValue, pointer: &str) -> Option<&'a RawValue> {
    let mut names = pointer.split('/');
    // What stands before the first slash is nothing, or it is no pointer.
    names.next().filter(|before| before.is_empty())?;
    names.try_fold(json, step)
}

fn step<'a>(json: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    if json.get().starts_with('[') {
        return loose::items(json).get(index(name)?).copied();
    }
    let object: Object<'a> = loose::object(json)?;
    // In this order: `~01` is `~1` and no slash.
    object.member(&name.replace("~1", "/").replace("~0", "~"))
}

/// A place in a list: no sign, no leading zero.
fn index(name: &str) -> Option<usize> {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_digit()) && (name == "0" || !name.starts_with('0'));
    if is_plain { name.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const DOCUMENT: &str =
        r#" {"a":{"b":[10,{"c":"x"}]},"":1,"m/n":2,"m~n":3,"~1":4,"null":null,"\u00e9":5} "#;

    fn found<'a>(json: &'a str, pointer: &str) -> Option<&'a str> {
        find(serde_json::from_str(json).unwrap(), pointer).map(RawValue::get)
    }

    #[rstest]
    #[case("/a/b/0", Some("10"))]
    #[case("/a/b/1/c", Some("\"x\""))]
    #[case("/", Some("1"))]
    #[case("/m~1n", Some("2"))]
    #[case("/m~0n", Some("3"))]
    #[case("/~01", Some("4"))]
    #[case("/null", Some("null"))]
    #[case("/é", Some("5"))]
    #[case("/a/b/01", None)]
    #[case("/a/b/-", None)]
    #[case("/a/b/2", None)]
    #[case("/a/b/99999999999999999999", None)]
    #[case("/a/b/1/c/d", None)]
    #[case("/a/c", None)]
    #[case("a", None)]
    fn finds(#[case] pointer: &str, #[case] expected: Option<&str>) {
        assert_eq!(found(DOCUMENT, pointer), expected);
    }

    proptest! {
        #[test]
        fn is_what_others_find(pointer in "(/[abcmn0-2~/]{0,4}){0,4}") {
            let value: serde_json::Value = serde_json::from_str(DOCUMENT).unwrap();
            let expected = value.pointer(&pointer);
            let found = found(DOCUMENT, &pointer).map(|json| serde_json::from_str(json).unwrap());
            prop_assert_eq!(found.as_ref(), expected);
        }
    }
}
