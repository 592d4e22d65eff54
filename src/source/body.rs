//! Bodies, and how those that hold several events fall apart.
//!
//! Each event of a body is an element of its own, but what stands around it (when the call was made, by
//! which hook) belongs to it too. So an element is its body with the list that holds the events holding
//! this one alone. It is cut from the text and never written anew: every other byte is as it came, and
//! what no reader here understands is kept.

use super::Unreadable;
use super::loose::{self, Object};
use serde_json::value::RawValue;
use std::sync::Arc;

/// The bytes that the elements of one body may take together. What stands around many small events
/// is repeated with each, so that without a bound a body of 8 MiB could grow to any size.
const MOST: usize = 64 * 1024 * 1024;
/// How many elements a body may hold: far above what any sender puts in one, and little enough to be
/// committed while it waits.
const MOST_ITEMS: usize = 10_000;
/// How many times the events' own texts their elements may take together, and how much beside that.
const TIMES: usize = 8;
const BESIDE: usize = 1024 * 1024;
/// What an element takes beside its text while it waits to be committed.
const EACH: usize = 64;

/// A body as one object.
///
/// # Errors
/// What it is instead.
pub fn object(body: &str) -> Result<Object<'_>, Unreadable> {
    Object::parse(body).map_err(|error| match error.is_data() {
        true => not_an_object(body),
        false => not_json(&error),
    })
}

/// A body as any JSON of several values: an object or a list.
///
/// # Errors
/// What it is instead.
pub fn object_or_list(body: &str) -> Result<&RawValue, Unreadable> {
    let whole: &RawValue = serde_json::from_str(body).map_err(|error| not_json(&error))?;
    if whole.get().starts_with(['{', '[']) { Ok(whole) } else { Err(not_an_object(body)) }
}

/// A body of JSON texts one behind the other, such as JSON Lines.
///
/// # Errors
/// Where one is no JSON.
pub fn several(body: &str) -> Result<Vec<&RawValue>, Unreadable> {
    let texts = serde_json::Deserializer::from_str(body).into_iter();
    texts.collect::<Result<_, _>>().map_err(|error| not_json(&error))
}

fn not_an_object(body: &str) -> Unreadable {
    Unreadable::NotAnObject { what: "the body", found: loose::shape(body) }
}

fn not_json(error: &serde_json::Error) -> Unreadable {
    Unreadable::NotJson { line: error.line(), column: error.column() }
}

/// One element for each item of a list of the body: the body with the list holding that item alone. The
/// whole body, where the list has one item or none.
///
/// # Errors
/// They would take too much together.
pub fn each_alone(body: &Arc<str>, list: &RawValue) -> Result<Vec<Arc<str>>, Unreadable> {
    let items = loose::items(list);
    match around(body, list) {
        Some((before, after)) if items.len() > 1 => elements(before, &items, after),
        _ => Ok(vec![Arc::clone(body)]),
    }
}

/// One element for each of some records, with nothing around it.
///
/// # Errors
/// They would take too much together, or one is no record.
pub fn each(items: &[&RawValue]) -> Result<Vec<Arc<str>>, Unreadable> {
    let elements = elements("", items, "")?;
    match items.iter().find(|item| !item.get().starts_with('{')) {
        Some(odd) => {
            Err(Unreadable::NotAnObject { what: "an item of the body", found: loose::shape(odd.get()) })
        }
        None => Ok(elements),
    }
}

/// The bytes that the elements of a body take until they are committed. One alone is the body itself.
pub fn taken_by(elements: &[Arc<str>]) -> usize {
    let texts: usize = elements.iter().map(|element| element.len()).sum();
    texts + elements.len().saturating_sub(1) * EACH
}

fn elements(before: &str, items: &[&RawValue], after: &str) -> Result<Vec<Arc<str>>, Unreadable> {
    let shells = items.len().saturating_mul(before.len() + after.len() + EACH);
    let texts: usize = items.iter().map(|item| item.get().len()).sum();
    let most = texts.saturating_mul(TIMES).saturating_add(BESIDE).min(MOST);
    if items.len() > MOST_ITEMS || shells.saturating_add(texts) > most {
        return Err(Unreadable::TooMany { elements: items.len() });
    }
    Ok(items.iter().map(|item| [before, item.get(), after].concat().into()).collect())
}

/// What stands before the items of a list of the body, and what behind them, brackets included. A value
/// is a piece of the text that it was read from: where it stands there is where it starts in memory.
fn around<'a>(body: &'a str, list: &RawValue) -> Option<(&'a str, &'a str)> {
    let list = list.get();
    let start = list.as_ptr().addr().checked_sub(body.as_ptr().addr())?;
    let end = start.checked_add(list.len())?;
    let is_list = list.starts_with('[') && body.get(start..end) == Some(list);
    is_list.then_some((body.get(..=start)?, body.get(end.checked_sub(1)?..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn alone(text: &str) -> Result<Vec<String>, Unreadable> {
        let body: Arc<str> = text.into();
        let list = object(&body)?.get("a").map(|list| each_alone(&body, list));
        Ok(list.unwrap()?.iter().map(|element| element.to_string()).collect())
    }

    #[test]
    fn a_small_body_does_not_become_a_large_one() {
        let events = |n: usize, shell: usize| {
            format!(r#"{{"shell":"{}","a":[{}]}}"#, "x".repeat(shell), vec!["{}"; n].join(","))
        };
        assert_eq!(alone(&events(1_000, 100)).unwrap().len(), 1_000);
        // 64 KiB around each of a thousand tiny ones.
        assert!(matches!(alone(&events(1_000, 64 << 10)), Err(Unreadable::TooMany { elements: 1_000 })));
        assert!(matches!(alone(&events(MOST_ITEMS + 1, 0)), Err(Unreadable::TooMany { .. })));
    }

    #[rstest]
    #[case(r#"{"a":[1,{"b":2},"c"]}"#, &[r#"{"a":[1]}"#, r#"{"a":[{"b":2}]}"#, r#"{"a":["c"]}"#])]
    #[case(" {\"é\" : 1, \"a\"\t:[ 1 ,\n null ], \"z\":[] } ", &[" {\"é\" : 1, \"a\"\t:[1], \"z\":[] } ", " {\"é\" : 1, \"a\"\t:[null], \"z\":[] } "])]
    #[case(r#"{"a":["kept"],"a":[1,2]}"#, &[r#"{"a":["kept"],"a":[1]}"#, r#"{"a":["kept"],"a":[2]}"#])]
    #[case(r#"{"a": [ 1 ] }"#, &[r#"{"a": [ 1 ] }"#])]
    #[case(r#"{"a":[]}"#, &[r#"{"a":[]}"#])]
    #[case(r#"{"a":{"b":1}}"#, &[r#"{"a":{"b":1}}"#])]
    fn all_but_the_item_stays_as_it_came(#[case] text: &str, #[case] expected: &[&str]) {
        assert_eq!(alone(text).unwrap(), expected);
    }

    #[test]
    fn a_list_of_another_text_is_none_of_the_body() {
        let body: Arc<str> = r#"{"a":[1,2]}"#.into();
        let other = body.to_string();
        let list = object(&other).unwrap().get("a").map(|list| each_alone(&body, list));
        assert_eq!(list.unwrap().unwrap(), [body]);
    }

    #[test]
    fn what_would_grow_without_bound_is_refused() {
        let around = "x".repeat(10_000);
        let body = |events: usize| format!(r#"{{"pad":"{around}","a":[{}0]}}"#, "0,".repeat(events - 1));
        assert_eq!(alone(&body(100)).unwrap().len(), 100);
        let refused = alone(&body(110)).unwrap_err();
        assert_eq!(refused, Unreadable::TooMany { elements: 110 });
        assert!(refused.to_string().starts_with("the body holds 110 events"), "{refused}");
        let tiny = format!("[{}0]", "0,".repeat(4_000_000));
        let items = loose::items(object_or_list(&tiny).unwrap());
        assert!(matches!(each(&items), Err(Unreadable::TooMany { .. })));
    }

    #[rstest]
    #[case("{}\n[]\r\n \"x\"", 3)]
    #[case("{}{}", 2)]
    #[case("", 0)]
    fn texts_may_follow_each_other(#[case] body: &str, #[case] expected: usize) {
        assert_eq!(several(body).unwrap().len(), expected);
    }

    #[test]
    fn says_where_and_what_is_wrong() {
        assert_eq!(several("{}\n{\n").unwrap_err(), Unreadable::NotJson { line: 3, column: 0 });
        assert_eq!(
            object_or_list(" 12").unwrap_err(),
            Unreadable::NotAnObject { what: "the body", found: "a number" }
        );
        assert_eq!(object_or_list("12 x").unwrap_err(), Unreadable::NotJson { line: 1, column: 4 });
    }
}
