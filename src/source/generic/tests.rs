use super::*;
use crate::config::meant::{Place, Reading};
use rstest::rstest;
use serde_json::{Value, json};

fn mapping(places: &[(&str, &str)]) -> Mapping {
    let mut mapping = Mapping::default();
    for (part, text) in places {
        match *part {
            "items" => mapping.items = Some((*text).to_owned()),
            part => *mapping.part(part).unwrap() = Some(Place::of(text)),
        }
    }
    mapping
}

fn reading(mapping: Mapping) -> Reading {
    Reading { mappings: [("hook".into(), mapping)].into(), ..Reading::default() }
}

fn decoded(body: &Value, places: &[(&str, &str)]) -> DecodedEvent {
    let reading = reading(mapping(places));
    decode(&body.to_string(), &Meaning::of(&reading, &"hook".into()))
}

fn split(body: &str, places: &[(&str, &str)]) -> Result<Vec<String>, String> {
    let reading = reading(mapping(places));
    let elements = elements(body.into(), &Meaning::of(&reading, &"hook".into()));
    Ok(elements.map_err(|error| error.to_string())?.iter().map(|element| element.to_string()).collect())
}

fn first_paragraph(event: &DecodedEvent) -> &str {
    event.description.first().map(Untrusted::raw).unwrap_or_default()
}

const NEEDED: [(&str, &str); 3] = [("check", "/c"), ("title", "/t"), ("users", "/u")];

#[rstest]
#[case(json!({ "c": "no-mfa", "t": "No MFA", "u": "ann@x" }), &["ann@x"])]
#[case(json!({ "c": 12, "t": true, "u": ["ann@x", 7, {}, null, " ", "ANN@x"] }), &["ann@x", "7"])]
fn what_stands_there_is_text(#[case] body: Value, #[case] users: &[&str]) {
    let event = decoded(&body, &NEEDED);
    assert_eq!(event.kind, EventKind::FailedCheck);
    assert!(event.opens_findings && event.description.is_empty());
    assert_eq!(event.users.iter().map(Login::raw).collect::<Vec<_>>(), users);
}

#[rstest]
#[case(json!({ "t": "T", "u": "a" }), "the mapping does not apply: `/c` (check) found nothing")]
#[case(json!({ "c": {}, "t": "T", "u": "a" }), "the mapping does not apply: `/c` (check) found an object")]
#[case(json!({ "c": ["x"], "t": "T", "u": "a" }), "the mapping does not apply: `/c` (check) found a list")]
#[case(json!({ "c": "x", "t": null, "u": "a" }), "the mapping does not apply: `/t` (title) found null")]
#[case(json!({ "c": "x", "t": " ", "u": "a" }), "the mapping does not apply: `/t` (title) found a blank text")]
#[case(json!({ "c": "x", "t": "T", "u": [{}] }), "the mapping does not apply: `/u` (users) found a list without a text in it")]
#[case(json!({ "c": "x", "t": "T" }), "the mapping does not apply: `/u` (users) found nothing")]
#[case(json!({}), "the mapping does not apply: `/c` (check) found nothing; `/t` (title) found nothing; `/u` (users) found nothing")]
#[case(json!([1]), "the mapping does not apply: `/c` (check) found nothing; `/t` (title) found nothing; `/u` (users) found nothing")]
fn says_which_pointer_failed(#[case] body: Value, #[case] expected: &str) {
    let event = decoded(&body, &NEEDED);
    assert_eq!((event.kind, event.opens_findings), (EventKind::Other, false));
    assert_eq!(first_paragraph(&event), expected);
}

#[test]
fn a_part_that_is_not_needed_costs_itself_alone() {
    let body = json!({ "c": "x", "t": "T", "u": "a@x", "text": ["one", "two"], "at": "yesterday", "id": {}, "sev": "awful", "link": null });
    let more = [
        ("description", "/text"),
        ("published", "/at"),
        ("id", "/id"),
        ("severity", "/sev"),
        ("link", "/link"),
    ];
    let event = decoded(&body, &[NEEDED.as_slice(), &more].concat());
    assert_eq!(
        (event.kind, event.severity, event.severity_raw.raw()),
        (EventKind::FailedCheck, Severity::Unknown, "awful")
    );
    let told: Vec<&str> = event.description.iter().map(Untrusted::raw).collect();
    let expected = [
        "one",
        "two",
        "this part of the mapping does not apply: `/id` (id) found an object",
        "this part of the mapping does not apply: `/at` (published) found what is no time",
        "this part of the mapping does not apply: `/link` (link) found null",
    ];
    assert_eq!(told, expected);
    assert!(event.key.as_str().starts_with("generic:sha256:"));
}

#[test]
fn nobody_need_be_named_where_no_users_are_mapped() {
    let event = decoded(&json!({}), &[("check", "disk-full"), ("title", "Disk full")]);
    assert_eq!((event.kind, event.users.len()), (EventKind::FailedCheck, 0));
}

#[rstest]
#[case(json!({ "list": [{ "c": "x" }], "t": "shared", "u": "a" }), "failed-check", "")]
#[case(json!({ "list": [{ "c": "x", "t": null, "u": "b" }], "t": "shared" }), "failed-check", "")]
#[case(json!({ "list": { "c": "x", "t": "T", "u": "a" } }), "failed-check", "")]
#[case(json!({ "list": ["text"], "c": "x", "t": "T", "u": "a" }), "failed-check", "")]
#[case(json!({ "list": [] }), "other", "the mapping does not apply: `/list` (items) found an empty list")]
#[case(json!({ "c": "x", "t": "T", "u": "a" }), "other", "the mapping does not apply: `/list` (items) found nothing")]
#[case(json!({ "list": 7 }), "other", "the mapping does not apply: `/list` (items) found a number")]
fn what_an_item_lacks_its_body_may_have(#[case] body: Value, #[case] kind: &str, #[case] first: &str) {
    let event = decoded(&body, &[NEEDED.as_slice(), &[("items", "/list")]].concat());
    assert_eq!((event.kind.word(), first_paragraph(&event)), (kind, first));
}

#[test]
fn each_item_is_an_element_in_its_body() {
    let body = r#"{"all": {"list": [ {"n":1}, {"n":2} ]}, "from": "x"}"#;
    let expected =
        [r#"{"all": {"list": [{"n":1}]}, "from": "x"}"#, r#"{"all": {"list": [{"n":2}]}, "from": "x"}"#];
    assert_eq!(split(body, &[("items", "/all/list")]).unwrap(), expected);
    assert_eq!(split(body, &[("items", "/elsewhere")]).unwrap(), [body]);
    assert_eq!(split(body, &[]).unwrap(), [body]);
    assert_eq!(split("[1]", &[]).unwrap(), ["[1]"]);
    assert_eq!(split("7", &[]).unwrap_err(), "the body is a number, not an object");
}

#[test]
fn an_id_tells_repeats_by_check_users_and_time() {
    let places = [NEEDED.as_slice(), &[("id", "/id"), ("published", "/at")]].concat();
    let body = |at: &str, users: Value| json!({ "c": "x", "t": "T", "u": users, "id": "f1", "at": at, "n": at.len() + users.to_string().len() });
    let key = |at: &str, users: Value| decoded(&body(at, users), &places).key;
    let first = key("2026-01-01T00:00:00Z", json!(["a", "b"]));
    assert_eq!(first, key("2026-01-01T00:00:00.000Z", json!(["B", "A", "a"])));
    assert_ne!(first, key("2026-01-02T00:00:00Z", json!(["a", "b"])), "it fires anew");
    assert_ne!(first, key("2026-01-01T00:00:00Z", json!(["a"])));
}

#[test]
fn without_a_mapping_it_is_kept() {
    let event = decode(r#"{"title":"T"}"#, &Meaning::of(&Reading::default(), &"hook".into()));
    assert_eq!((event.kind, event.check.title.raw()), (EventKind::Other, "T"));
    assert_eq!(first_paragraph(&event), "no mapping for this source in this configuration");
}
