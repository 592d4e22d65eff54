//! A message as any webhook gets it: JSON, in the names of `events list --json`.

use super::message::{Form, Message, Whole};
use crate::domain::event;
use serde_json::{Map, Value, json};
use std::cmp::Reverse;

/// The checks of a burst that are named.
const CHECKS: usize = 20;

/// The body of the request. Of a burst, `events` are the worst, and `total` says how many there are.
pub(super) fn body(message: &Message) -> Value {
    let events: Vec<Value> = message.events().iter().map(|whole| Value::Object(event(whole))).collect();
    let mut body = Map::new();
    body.insert("notifier".to_owned(), message.notifier.as_str().into());
    body.insert("total".to_owned(), message.total().into());
    body.insert("late".to_owned(), message.late.into());
    body.insert("test".to_owned(), (message.form == Form::Test).into());
    body.insert("events".to_owned(), events.into());
    if let Form::Burst(sum, _) | Form::Bare(sum) = &message.form {
        let severities = sum.severities.iter().map(|(Reverse(severity), n)| (severity.to_string(), json!(n)));
        body.insert("severities".to_owned(), Value::Object(severities.collect()));
        let (checks, others) = sum.checks(CHECKS);
        let checks = checks.into_iter().map(|(title, times)| json!({ "title": title, "times": times }));
        body.insert("checks".to_owned(), checks.collect());
        body.insert("other_checks".to_owned(), others.into());
    }
    Value::Object(body)
}

/// An event that names very many users names the first, and says how many there are.
fn event(whole: &Whole) -> Map<String, Value> {
    let mut object = event::to_json(&whole.event, &whole.users);
    object.insert("user_count".to_owned(), whole.event.user_count.into());
    object.insert("reference_url".to_owned(), whole.page.as_ref().map(|page| page.as_str()).into());
    object
}

#[cfg(test)]
mod tests {
    use super::super::message::tests::{event as an_event, sum};
    use super::*;
    use crate::domain::Severity;

    #[test]
    fn events_are_told_as_they_are_listed() {
        let event = an_event(7, Severity::High, "No MFA");
        let whole = Whole { users: event.first_users.clone(), event, page: None };
        let message = Message { notifier: "hook".to_owned(), form: Form::Each(vec![whole]), late: 2 };
        let body = body(&message);
        assert_eq!(
            (&body["notifier"], &body["total"], &body["late"], &body["test"]),
            (&json!("hook"), &json!(1), &json!(2), &json!(false))
        );
        let event = &body["events"][0];
        assert_eq!((&event["id"], &event["severity"]), (&json!("7"), &json!("high")));
        assert_eq!((&event["users"], &event["user_count"]), (&json!(["ann@example.com"]), &json!(1)));
        assert!(body.get("severities").is_none());
    }

    #[test]
    fn a_burst_is_counted() {
        let sum = sum(&vec![an_event(1, Severity::Low, "Old Password"); 9]);
        let body = body(&Message { notifier: "hook".to_owned(), form: Form::Bare(sum), late: 0 });
        assert_eq!((&body["total"], &body["events"]), (&json!(9), &json!([])));
        assert_eq!(body["severities"], json!({ "low": 9 }));
        assert_eq!(body["checks"], json!([{ "title": "Old Password", "times": 9 }]));
    }
}
