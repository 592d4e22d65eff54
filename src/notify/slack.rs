//! A message as Slack's incoming webhooks take it: `{"text": …}`, in its mark-up.
//!
//! Everything that came from outside is visibly escaped first, as for a terminal, and then as Slack wants
//! it: `&`, `<` and `>` are what mentions, channels and links are made of, so that no title and no login
//! calls `<!channel>`. Stars and the like in it may change how it looks, and nothing else.

use super::message::{Form, Message, Sum, Whole, name};
use crate::domain::untrusted::{fit, visible};
use serde_json::{Value, json};
use url::Url;

/// Columns of a check's name, and of a login.
const NAME: usize = 150;
const LOGIN: usize = 80;
/// The users that are named.
const USERS: usize = 3;
/// The checks of a burst that are named.
const CHECKS: usize = 5;
/// Longer links are left out: Slack would cut them.
const LONGEST_LINK: usize = 2_000;

/// The body of the request.
pub(super) fn body(message: &Message) -> Value {
    json!({ "text": text(message) })
}

fn text(message: &Message) -> String {
    let mut lines = match &message.form {
        Form::Each(events) => events.iter().map(event).collect(),
        Form::Burst(sum, worst) => burst(sum, worst),
        Form::Bare(sum) => vec![total(sum)],
        Form::Test => vec![format!(
            "*test* This is how idtriage tells `{}`; nothing happened.",
            escaped(&message.notifier, NAME)
        )],
    };
    if message.late > 0 {
        lines.push(format!("and {} that were imported", message.late));
    }
    lines.join("\n\n")
}

fn event(whole: &Whole) -> String {
    let event = &whole.event;
    let id = event.check.id.raw();
    let id = if id.is_empty() { String::new() } else { format!(" ({})", escaped(id, NAME)) };
    let mut lines = vec![format!("*{}* {}{id}", event.severity, escaped(&name(event), NAME))];
    if let Some(users) = users(whole) {
        lines.push(users);
    }
    lines.extend(whole.page.as_ref().and_then(link));
    lines.join("\n")
}

fn users(whole: &Whole) -> Option<String> {
    let named: Vec<String> =
        whole.users.iter().take(USERS).map(|login| escaped(login.raw(), LOGIN)).collect();
    let more = whole.event.user_count.saturating_sub(named.len() as u64);
    match (named.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(named.join(", ")),
        (false, more) => Some(format!("{} and {more} more", named.join(", "))),
    }
}

fn total(sum: &Sum) -> String {
    format!("*{} new events*: {}", sum.total, sum.severities())
}

fn burst(sum: &Sum, worst: &[Whole]) -> Vec<String> {
    let (checks, others) = sum.checks(CHECKS);
    let mut lines: Vec<String> =
        checks.iter().map(|(check, times)| format!("• {times} × {}", escaped(check, NAME))).collect();
    if others > 0 {
        lines.push(format!("• {others} of other checks"));
    }
    let first = format!("{}\n{}", total(sum), lines.join("\n"));
    let worst = worst.iter().map(event);
    std::iter::once(first).chain(std::iter::once("The worst:".to_owned())).chain(worst).collect()
}

/// A page, parsed and printed anew; a bar would end the address within its mark-up.
fn link(page: &Url) -> Option<String> {
    let address = escaped_marks(page.as_str()).replace('|', "%7C");
    // Whoever sent the event chose the page: where it leads is to be seen.
    let host = escaped(page.host_str().unwrap_or_default(), NAME).replace('|', "");
    (address.len() <= LONGEST_LINK).then(|| format!("<{address}|reference at {host}>"))
}

/// Text from outside: printable, of so many columns, without mark-up of Slack's.
fn escaped(text: &str, columns: usize) -> String {
    escaped_marks(&fit(&visible(text), columns))
}

fn escaped_marks(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::message::tests::{event as an_event, sum};
    use super::*;
    use crate::domain::untrusted::is_printable;
    use crate::domain::{Event, Login, Severity};
    use proptest::prelude::*;

    fn whole(event: Event) -> Whole {
        Whole {
            users: event.first_users.clone(),
            event,
            page: Url::parse("https://cii.example.com/c?a=1&b=|").ok(),
        }
    }

    fn message(form: Form) -> Message {
        Message { notifier: "slack".to_owned(), form, late: 0 }
    }

    #[test]
    fn an_event_is_told_with_check_severity_users_and_link() {
        let mut event = an_event(1, Severity::High, "No MFA & more");
        event.user_count = 7;
        let text = text(&Message { late: 12, ..message(Form::Each(vec![whole(event)])) });
        assert_eq!(
            text,
            "*high* No MFA &amp; more (no-mfa)\nann@example.com and 6 more\n\
             <https://cii.example.com/c?a=1&amp;b=%7C|reference at cii.example.com>\n\nand 12 that were imported"
        );
    }

    #[test]
    fn a_burst_is_one_summary() {
        let mut events = vec![an_event(1, Severity::Low, "Old Password"); 20];
        events.push(an_event(21, Severity::Critical, "Impossible Travel"));
        let sum = sum(&events);
        let worst = vec![whole(sum.worst[0].clone())];
        let text = text(&message(Form::Burst(sum, worst)));
        let expected = "*21 new events*: 1 critical, 20 low\n• 20 × Old Password\n• 1 × Impossible Travel\n\n\
                        The worst:\n\n*critical* Impossible Travel (no-mfa)\nann@example.com\n<https";
        assert!(text.starts_with(expected), "{text}");
    }

    #[test]
    fn who_did_not_take_it_all_is_told_the_number() {
        let sum = sum(&[an_event(1, Severity::High, "x")]);
        assert_eq!(text(&message(Form::Bare(sum))), "*1 new events*: 1 high");
    }

    #[test]
    fn a_test_says_that_it_is_one() {
        assert_eq!(
            body(&Message::test("slack")),
            json!({ "text": "*test* This is how idtriage tells `slack`; nothing happened." })
        );
    }

    proptest! {
        #[test]
        fn nothing_from_outside_becomes_mark_up(
            title in any::<String>(),
            login in "(<!channel>|<@U1>|&lt;|[ -~])*",
            id in ".*<https://x\\|y>.*",
        ) {
            let mut event = an_event(1, Severity::High, &title);
            event.check.id = id.into();
            event.first_users = vec![Login::new(&login)];
            let told = Whole { page: None, ..whole(event) };
            let text = text(&message(Form::Each(vec![told])));
            prop_assert!(!text.contains(['<', '>']), "{}", text);
            prop_assert!(text.replace('\n', "").chars().all(is_printable));
            prop_assert!(text.len() < 10_000);
            let entities = text.split('&').skip(1);
            prop_assert!(entities.into_iter().all(|rest| ["amp;", "lt;", "gt;"].iter().any(|e| rest.starts_with(e))));
        }
    }
}
