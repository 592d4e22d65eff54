//! `okta hook list`, `okta hook create`, `okta hook verify`.

use super::super::args::{CreateHook, OktaHook, Sending};
use super::super::connect;
use super::super::failure::{DONE, Failure};
use super::super::output::Output;
use super::super::registration::{self, Basic, Done, Wish, hook_json};
use super::super::session::Session;
use super::super::table::{Table, column};
use crate::config::{Config, Loaded};
use crate::domain::hook_events::{self, MOST_EVENTS};
use crate::domain::{LogChecks, NOTHING};
use crate::tenant::{EventHook, NewEventHook, OktaChange, Registered, Registration};

const SOURCE: &str = "okta-event-hook";
const LOOK: &str = "`idtriage okta hook list` says how it is";

/// Runs the subcommand.
///
/// # Errors
/// What cannot be read, and what is wrong before anything is sent.
pub(in crate::cli) async fn run(
    what: &OktaHook,
    session: &Session<'_>,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    match what {
        OktaHook::List => list(&session.loaded()?, out).await,
        OktaHook::Create(what) => {
            let loaded = begun(what.sending, session)?;
            let wish = create(what, &loaded.config, out)?;
            registration::carry_out(&wish, what.sending, &loaded, session, out).await
        }
        OktaHook::Verify(what) => {
            let loaded = begun(what.sending, session)?;
            registration::carry_out(&verify(&what.id), what.sending, &loaded, session, out).await
        }
    }
}

fn begun(sending: Sending, session: &Session<'_>) -> Result<Loaded, Failure> {
    if !sending.dry_run {
        session.may_change("registering")?;
    }
    session.loaded()
}

async fn list(loaded: &Loaded, out: &mut Output<'_>) -> Result<u8, Failure> {
    let hooks = connect::registrar(loaded)?.event_hooks().await;
    let hooks = hooks
        .map_err(|problem| Failure::failed(format!("the event hooks cannot be read: {}", problem.words())))?;
    if out.is_json() {
        hooks.iter().try_for_each(|hook| out.json(&hook_json(hook)))?;
    } else {
        out.table(&table(&hooks))?;
    }
    Ok(DONE)
}

fn table(hooks: &[EventHook]) -> Table {
    let mut table = Table::of(&[
        column("ID", 40),
        column("NAME", 40),
        column("STATUS", 10),
        column("VERIFICATION", 12),
        column("EVENTS", 6),
        column("URI", 80),
    ]);
    for hook in hooks {
        let texts = [&hook.id, &hook.name, &hook.status, &hook.verification].map(ToString::to_string);
        table.row(texts.into_iter().chain([hook.events.to_string(), hook.uri.to_string()]));
    }
    table
}

fn create(what: &CreateHook, config: &Config, out: &mut Output<'_>) -> Result<Wish, Failure> {
    let (source, webhook) = registration::source(config, SOURCE, what.source.as_deref())?;
    let header = registration::header(source, webhook, &what.url, Basic::Known)?;
    registration::note_path(webhook, &what.url, out)?;
    let events = events(&what.events, &config.log_checks, out)?;
    let hook = NewEventHook { name: what.name.clone(), uri: what.url.clone(), header, events };
    Ok(Wish {
        what: Registration::Okta(OktaChange::Create(hook)),
        does: "making an event hook",
        setting: format!("registered.{}", source.name),
        look: LOOK,
        done: created,
    })
}

/// Those that were said, else those of the table.
fn events(said: &[String], checks: &LogChecks, out: &mut Output<'_>) -> Result<Vec<String>, Failure> {
    let mut events: Vec<String> = Vec::new();
    if said.is_empty() {
        let found = hook_events::of(checks);
        if !found.left_out.is_empty() {
            let left_out: Vec<String> = found.left_out.iter().map(|row| format!("`{row}`")).collect();
            out.note(&format!(
                "not asked for, since Okta posts it to no hook or it is a pattern: {}; a source of type `okta-system-log` has it",
                left_out.join(", ")
            ))?;
        }
        events = found.types;
    }
    for event in said {
        if !events.contains(event) {
            events.push(event.clone());
        }
    }
    match events.len() {
        1..=MOST_EVENTS => Ok(events),
        0 => Err(Failure::usage("no event type is left to be asked for\nhint: `--event user.risk.detect`")),
        many => Err(Failure::usage(format!(
            "{many} event types are more than the {MOST_EVENTS} of a hook\nhint: name those that you want with `--event`"
        ))),
    }
}

fn created(ended: &Registered) -> Done {
    let id = ended.id.as_ref().map_or_else(|| NOTHING.to_owned(), ToString::to_string);
    Done {
        text: format!("created: {id} ({})", state(ended)),
        next: format!(
            "Okta posts nothing before the hook is verified: `idtriage okta hook verify {id} --yes`, while `idtriage collect` or the console receives"
        ),
    }
}

fn state(ended: &Registered) -> String {
    let known = ended.hook.as_ref().map(|hook| [&hook.status, &hook.verification].map(ToString::to_string));
    known.map_or_else(|| NOTHING.to_owned(), |words| words.join(", "))
}

fn verify(id: &str) -> Wish {
    Wish {
        what: Registration::Okta(OktaChange::Verify(id.to_owned())),
        does: "verifying an event hook",
        setting: format!("verified.{id}"),
        look: LOOK,
        done: |ended| Done {
            text: format!("verified: {}", state(ended)),
            next: "minutes may pass before Okta posts; only a hook that is ACTIVE and VERIFIED receives"
                .to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::failure::USAGE;
    use super::super::super::output::{Form, tests::printed};
    use super::*;

    #[test]
    fn what_is_said_goes_before_the_table() {
        let checks = LogChecks::default();
        let asked = |said: &[&str]| {
            let said: Vec<String> = said.iter().map(|name| (*name).to_owned()).collect();
            printed(Form::Text, async |out| events(&said, &checks, out))
        };
        let (found, text) = asked(&["user.risk.detect", "user.risk.change", "user.risk.detect"]);
        assert_eq!(found.unwrap(), ["user.risk.detect", "user.risk.change"]);
        assert_eq!(text.errors, "");
        let (found, text) = asked(&[]);
        assert!(found.unwrap().len() > 20);
        assert!(text.errors.contains("`security.threat.detected`"), "{}", text.errors);
        let many: Vec<String> = (0..=MOST_EVENTS).map(|n| format!("a.b{n}")).collect();
        let (found, _) = printed(Form::Text, async |out| events(&many, &checks, out));
        assert_eq!(found.unwrap_err().status(), USAGE);
    }

    #[test]
    fn a_hook_is_a_row_whatever_it_is_called() {
        let hook = EventHook {
            id: "who1".into(),
            name: "a\u{1b}[2J".into(),
            status: "ACTIVE".into(),
            verification: "UNVERIFIED".into(),
            uri: "https://a.example.com/hooks/okta".into(),
            events: 3,
        };
        let (_, text) = printed(Form::Text, async |out| out.table(&table(&[hook])).unwrap());
        let row = text.out.lines().nth(1).unwrap();
        assert!(row.starts_with("who1  a<U+001B>[2J  ACTIVE  UNVERIFIED"), "{row}");
    }
}
