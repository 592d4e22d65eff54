//! `bulk …`: runs on many, how they stand, and what becomes of them.

mod print;

use super::args::Bulk;
use super::connect;
use super::failure::{DONE, Failure};
use super::output::Output;
use super::run::{Stop, TellEnd, follow, note};
use crate::domain::bulk::{BulkId, BulkRun, BulkState};
use crate::domain::bulk_export::{run_json, user_json};
use crate::domain::run_end::StepEnd;
use crate::domain::{Actor, Risk};
use crate::remediation::{BulkError, BulkTold, Runner, Wish};
use crate::store::{Store, Users};
use async_trait::async_trait;
use jiff::Timestamp;
use print::{Shape, shown};
use std::sync::Arc;
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::watch;

/// Whether it changes something.
pub(super) fn changes(what: &Bulk) -> bool {
    match what {
        Bulk::List { .. } | Bulk::Show { .. } => false,
        Bulk::Resume { .. } | Bulk::Pause { .. } | Bulk::Stop { .. } => true,
    }
}

/// Who does it, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct By<'a> {
    pub(super) actor: &'a Actor,
    pub(super) at: Timestamp,
}

/// Shows runs, and says of one that it waits or is over. Whoever drives it hears that within a second.
///
/// # Errors
/// A run that there is not, a store that fails, and a closed output.
pub(super) async fn run(
    what: &Bulk,
    store: &dyn Store,
    by: By<'_>,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    match what {
        Bulk::List { limit, before, csv } => {
            print::list(store, (*before, *limit), Shape::of(*csv), by.at, out).await
        }
        Bulk::Show { id, exceptions, queued, csv } => {
            let which = match (exceptions, queued) {
                (true, _) => Users::Exceptions,
                (_, true) => Users::Queued,
                _ => Users::All,
            };
            print::show(*id, (which, Shape::of(*csv)), store, by.at, out).await
        }
        Bulk::Pause { id } => turn(*id, BulkState::Paused, store, by, out).await,
        Bulk::Stop { id } => turn(*id, BulkState::Stopped, store, by, out).await,
        // Driving it is for whoever has the tenants.
        Bulk::Resume { id, .. } => turn(*id, BulkState::Running, store, by, out).await,
    }
}

async fn turn(
    id: BulkId,
    to: BulkState,
    store: &dyn Store,
    by: By<'_>,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    // What a crash left pending is told as what it is.
    store.expire_leases(by.at).await?;
    let is_so = store.turn(id, to, None, by.actor, by.at).await?;
    let run = store.bulk(id).await?.ok_or_else(|| missing(id))?;
    if !is_so {
        let (word, wanted) = (run.state.word(), to.word());
        return Err(Failure::failed(format!("run on many `{id}` is {word}: it cannot be {wanted} any more")));
    }
    if out.is_json() {
        out.json(&run_json(&run, by.at))?;
    }
    note(&run, out)?;
    Ok(DONE)
}

/// Whether nobody was left to be acted on in a run whose driver is gone: then it is over, and told as it stands.
///
/// # Errors
/// A store that fails, a run that there is not, and a closed output.
pub(super) async fn is_closed(
    id: BulkId,
    store: &dyn Store,
    by: By<'_>,
    out: &mut Output<'_>,
) -> Result<bool, Failure> {
    let before = store.bulk(id).await?.ok_or_else(|| missing(id))?;
    store.expire_leases(by.at).await?;
    let run = store.bulk(id).await?.ok_or_else(|| missing(id))?;
    let is_closed = !before.state.is_over() && run.state == BulkState::Done;
    if is_closed {
        if out.is_json() {
            out.json(&run_json(&run, by.at))?;
        }
        note(&run, out)?;
    }
    Ok(is_closed)
}

/// Whether the command line says what the run itself was confirmed with: of high risk, how many wait.
///
/// # Errors
/// Where it does not, and where there is no such run.
pub(super) async fn may_go_on(id: BulkId, said: Option<&str>, store: &dyn Store) -> Result<(), Failure> {
    let run = store.bulk(id).await?.ok_or_else(|| missing(id))?;
    answered(&run, said)
}

fn answered(run: &BulkRun, said: Option<&str>) -> Result<(), Failure> {
    let waiting = run.counts.queued;
    let hint = format!(
        "`--confirm {waiting}`, after a look at `idtriage bulk show {} --queued`; it was {}",
        run.id,
        run.confirmed_by()
    );
    match said {
        // Nobody would be acted on: it is only closed.
        _ if waiting == 0 => Ok(()),
        Some(said) if said.trim() == waiting.to_string() => Ok(()),
        Some(said) => {
            Err(Failure::usage(format!("`--confirm {said}` is not what is asked for\nhint: {hint}")))
        }
        None if run.risk == Risk::High => Err(Failure::usage(format!(
            "run on many `{}` is of high risk: `--yes` is not enough\nhint: {hint}",
            run.id
        ))),
        None => Ok(()),
    }
}

fn missing(id: BulkId) -> Failure {
    Failure::usage(BulkError::Missing(id).to_string())
}

/// Why a run is not driven, as a command says it.
pub(super) fn not_driven(error: BulkError) -> Failure {
    match error {
        BulkError::Missing(_) => Failure::usage(error.to_string()),
        error => Failure::failed(error.to_string()),
    }
}

/// Drives a run that is running, and tells how it ends for each.
///
/// # Errors
/// Where it cannot be driven, or nobody waits for it any more.
pub(super) async fn drive(
    id: BulkId,
    runner: Arc<Runner>,
    stop: &mut Stop,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let (wishes, wish) = watch::channel(Wish::GoOn);
    let (told, ends) = unbounded_channel::<BulkTold>();
    follow(connect::driven(runner, id, wish, told), wishes, ends, &mut Lines(id), stop, out).await
}

/// A line for each.
struct Lines(BulkId);

#[async_trait(?Send)]
impl TellEnd for Lines {
    async fn told(&mut self, told: &BulkTold, _: &mut Stop, out: &mut Output<'_>) -> u8 {
        line(self.0, told, out)
    }
}

fn line(id: BulkId, told: &BulkTold, out: &mut Output<'_>) -> u8 {
    let user = &told.user;
    let Some(end) = &user.end else { return DONE };
    let why = end.why.as_deref().map(|why| format!(": {}", shown(Some(why)))).unwrap_or_default();
    // Nobody has it anywhere else.
    let link = told.run.as_ref().and_then(|run| run.steps.iter().find_map(StepEnd::link));
    let mut json = user_json(id, user);
    if let Some(link) = link {
        json["one_time_link"] = link.expose().into();
    }
    // The run has it, where the output is closed.
    let _ = match (out.is_json(), link) {
        (true, _) => out.json(&json),
        (false, Some(link)) => {
            out.text(&format!("{}: one-time link, shown once: {}", user.whom(), link.expose()))
        }
        (false, None) => Ok(()),
    };
    if !out.is_json() {
        let _ = out.text(&format!("{}: {}{why}", user.whom(), end.words()));
    }
    end.outcome.exit_status()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::{Form, tests::printed};
    use crate::domain::bulk::{BulkCounts, BulkEnd, BulkUser};
    use crate::domain::{Login, Outcome};
    use rstest::rstest;

    fn run_of(risk: Risk) -> BulkRun {
        BulkRun {
            risk,
            counts: BulkCounts { queued: 38, ..BulkCounts::default() },
            ..crate::domain::bulk::tests::run()
        }
    }

    /// Whoever reads a line knows on which account it was, also where that goes by another login.
    #[test]
    fn a_line_names_the_account_that_was_acted_on() {
        let user = BulkUser {
            position: 0,
            login: Login::new("ruth"),
            target_id: Some("00u1".into()),
            account_login: Some(Login::new("olga")),
            finding: None,
            made_of: Default::default(),
            doubts: Vec::new(),
            undoes: None,
            end: Some(BulkEnd::not_sent(Outcome::Refused, "protected", Timestamp::UNIX_EPOCH)),
        };
        let told = BulkTold { user, run: None };
        let of = |form| printed(form, async |out| line(BulkId(uuid::Uuid::nil()), &told, out)).1.out;
        assert_eq!(of(Form::Text), "olga (ruth): refused: protected\n");
        let json: serde_json::Value = serde_json::from_str(&of(Form::Json)).unwrap();
        assert_eq!([&json["login"], &json["account_login"], &json["target"]], ["ruth", "olga", "00u1"]);
    }

    #[rstest]
    #[case(Risk::High, None, Some("of high risk: `--yes` is not enough\nhint: `--confirm 38`"))]
    #[case(Risk::High, Some("40"), Some("`--confirm 40` is not what is asked for\nhint: `--confirm 38`"))]
    #[case(Risk::High, Some("38"), None)]
    #[case(Risk::Medium, Some("40"), Some("`--confirm 38`"))]
    #[case(Risk::Medium, None, None)]
    fn going_on_asks_for_what_the_run_was_confirmed_with(
        #[case] risk: Risk,
        #[case] said: Option<&str>,
        #[case] refused: Option<&str>,
    ) {
        match (answered(&run_of(risk), said), refused) {
            (Ok(()), None) => {}
            (Err(failure), Some(refused)) => {
                let failure = failure.to_string();
                assert!(failure.contains(refused), "{failure}");
                assert!(failure.contains("at 1970-01-01T00:00:00Z with "), "{failure}");
            }
            (answer, refused) => panic!("{:?}, not {refused:?}", answer.is_ok()),
        }
    }
}
