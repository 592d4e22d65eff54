//! `notify test`, and what `doctor` says of who is told.

use super::args;
use super::connect;
use super::doctor::{Checked, Verdict};
use super::failure::{DONE, Failure};
use super::output::Output;
use super::session::Session;
use crate::config::Config;
use crate::config::meant::{Channel, Notify};
use crate::domain::time;
use crate::notify::message::Message;
use crate::notify::{Mark, Messenger, NotTold, Outcome};
use crate::store::Store;
use serde_json::json;

/// Runs the subcommand.
pub(super) async fn run(
    what: &args::Notify,
    session: &Session<'_>,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let args::Notify::Test { name, dry_run } = what;
    if !dry_run {
        session.may_change("telling somebody")?;
    }
    let loaded = session.loaded()?;
    let messenger = connect::messenger(&loaded.config, connect::clock())?;
    let notify = messenger.all().find(|notify| notify.name == *name);
    let notify = notify.ok_or_else(|| no_such(name, &messenger))?;
    let message = Message::test(name);
    match messenger.body(notify, &message) {
        None => return bell(name, out),
        Some(body) if *dry_run => {
            out.json(&json!({ "notifier": name, "type": kind(notify), "body": body }))?;
            return Ok(DONE);
        }
        Some(_) => {}
    }
    messenger.tell(notify, &message).await.map_err(|why| failure(name, &why))?;
    match out.is_json() {
        true => out.json(&json!({ "notifier": name, "type": kind(notify), "told": true }))?,
        false => out.text(&format!("`{name}` was told"))?,
    }
    Ok(DONE)
}

/// A bell rings where a console is open, and nowhere else.
fn bell(name: &str, out: &mut Output<'_>) -> Result<u8, Failure> {
    match out.is_json() {
        true => out.json(&json!({ "notifier": name, "type": "bell", "told": false }))?,
        false => {
            out.text(&format!("`{name}` is a bell: it rings in every open console, for what arrives"))?
        }
    }
    Ok(DONE)
}

fn no_such(name: &str, messenger: &Messenger) -> Failure {
    let names: Vec<String> = messenger.all().map(|notify| format!("`{}`", notify.name)).collect();
    let hint =
        if names.is_empty() { "a `[[notify]]` in the configuration".to_owned() } else { names.join(", ") };
    Failure::usage(format!("there is no `[[notify]]` of the name `{name}`\nhint: {hint}"))
}

fn failure(name: &str, not_told: &NotTold) -> Failure {
    let hint = not_told.hint.map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    let text = format!("notifier `{name}`: {}{hint}", not_told.why);
    match not_told.outcome {
        Outcome::Unknown => Failure::unknown(text),
        Outcome::NotTold | Outcome::Refused => Failure::failed(text),
    }
}

fn kind(notify: &Notify) -> &'static str {
    match notify.channel {
        Channel::Slack { .. } => "slack",
        Channel::Webhook { .. } => "webhook",
        Channel::Bell => "bell",
    }
}

/// Everybody who is told: whether that works is known from the last time.
pub(super) async fn checks(config: &Config, store: Result<&dyn Store, &Failure>) -> Vec<Checked> {
    if config.notify.is_empty() {
        return Vec::new();
    }
    let messenger = match connect::messenger(config, connect::clock()) {
        Ok(messenger) => messenger,
        Err(failure) => return vec![Checked::failed("notify", &failure)],
    };
    let mut checked = Vec::new();
    for notify in messenger.all() {
        let mark = match store {
            Ok(store) => Mark::read(store, &notify.name).await.ok().flatten(),
            Err(_) => None,
        };
        checked.push(check(notify, messenger.flaw(notify), mark));
    }
    checked
}

fn check(notify: &Notify, flaw: Option<NotTold>, mark: Option<Mark>) -> Checked {
    let (name, kind) = (format!("notify {}", notify.name), kind(notify));
    if let Channel::Bell = notify.channel {
        return Checked::new(&name, Verdict::Good, "rings in open consoles");
    }
    if let Some(flaw) = flaw {
        let checked = Checked::new(&name, Verdict::Bad, format!("{kind}: {}", flaw.why));
        return flaw.hint.into_iter().fold(checked, Checked::hinted);
    }
    let test = format!("`idtriage notify test {}` tries it", notify.name);
    let Some(mark) = mark else {
        return Checked::new(&name, Verdict::Note, format!("{kind}: not started yet")).hinted(test);
    };
    if let Some(failing) = mark.failing {
        let since = time::rfc3339_seconds(failing.since);
        return Checked::new(&name, Verdict::Bad, format!("{kind}: failing since {since}: {}", failing.why))
            .hinted(format!("nothing is lost, it is tried again; {test}"));
    }
    let told = mark.told.map_or_else(
        || "nothing to tell yet".to_owned(),
        |at| format!("last told {}", time::rfc3339_seconds(at)),
    );
    match mark.lost {
        Some(at) => {
            let before = time::rfc3339_seconds(at);
            let lost = "how far it had told could not be read: it may not have told what arrived before";
            Checked::new(&name, Verdict::Note, format!("{kind}: {told}; {lost} {before}"))
        }
        None => Checked::new(&name, Verdict::Good, format!("{kind}: {told}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::EventId;
    use crate::notify::Failing;
    use jiff::Timestamp;

    #[test]
    fn doctor_says_how_each_is() {
        let channel = Channel::Slack { url: "https://hooks.example.com/s3cret".to_owned().into() };
        let slack = Notify { name: "soc".to_owned(), when: None, burst: 5, channel };
        let at = Timestamp::UNIX_EPOCH;
        let told = Mark { told: Some(at), ..Mark::at(EventId(1), at) };
        let failing = Some(Failing { since: at, why: "answered 404: no_team".to_owned() });
        let cases = [
            (None, Verdict::Note, "slack: not started yet"),
            (Some(Mark::at(EventId(1), at)), Verdict::Good, "slack: nothing to tell yet"),
            (Some(told), Verdict::Good, "slack: last told 1970-01-01T00:00:00Z"),
            (
                Some(Mark { lost: Some(at), ..Mark::at(EventId(1), at) }),
                Verdict::Note,
                "slack: nothing to tell yet; how far it had told could not be read: it may not have told what \
                 arrived before 1970-01-01T00:00:00Z",
            ),
            (
                Some(Mark { failing, ..Mark::at(EventId(1), at) }),
                Verdict::Bad,
                "slack: failing since 1970-01-01T00:00:00Z: answered 404: no_team",
            ),
        ];
        for (mark, verdict, words) in cases {
            let checked = check(&slack, None, mark);
            assert_eq!(
                (checked.name.as_str(), checked.verdict, checked.told.as_str()),
                ("notify soc", verdict, words)
            );
        }
        let bell = Notify { channel: Channel::Bell, ..slack };
        assert_eq!(check(&bell, None, None).verdict, Verdict::Good);
    }
}
