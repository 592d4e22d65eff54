//! `run FLOW --user LOGIN…`: plan, confirm on the command line, run.
//!
//! All plans are made before anything is sent, so that wrong usage is found while nothing has happened
//! yet. Then each is run on its own: one that is refused does not hold up the others, and neither does
//! an output that nobody reads any more. The exit status says how the runs ended, whoever saw it. After
//! a signal nothing more is sent; what has left is waited for.

mod follow;
mod many;
mod question;
mod tell;

pub(super) use follow::{TellEnd, follow};
pub(super) use many::note;
pub use tell::{About, AsAction, Tell};

use super::args;
use super::card;
use super::failure::{DONE, Failure, UNKNOWN, combined};
use super::output::Output;
use super::whom::Target;
use crate::domain::account_name::AccountName;
use crate::domain::bulk::{BulkRun, insisted_by_again, left_out};
use crate::domain::dry_run;
use crate::domain::many::Mark;
use crate::domain::plan::{Refusal, WebPage};
use crate::domain::run_end::{Ended, RunEnd, StepEnd};
use crate::domain::subject::ProviderAccount;
use crate::domain::undo::Undoes;
use crate::domain::undo::many::UndoMany;
use crate::domain::{Action, Actor, FindingId, FlowId, Login, Outcome, Plan, Untrusted};
use crate::remediation::bulk::ConfirmedBulk;
use crate::remediation::{BulkTold, Depth, Wish};
use crate::runtime::terminal::signals::Signalled;
use crate::store::Again;
use async_trait::async_trait;
use futures_util::FutureExt as _;
use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;
use many::Planned;
use question::Question;
use serde_json::Value;
use std::collections::BTreeMap;
use std::future::pending;
use std::io;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

/// Users that are read and planned at once: a handful.
const PLANNED_AT_ONCE: usize = 6;

/// What is asked of the desk for one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Which flow.
    pub flow: FlowId,
    /// On whom.
    pub login: Login,
    /// From which finding.
    pub finding: Option<FindingId>,
    /// Which of their accounts.
    pub account: Option<AccountName>,
    /// Values for declared inputs.
    pub inputs: BTreeMap<String, String>,
    /// What it is to undo.
    pub undoes: Option<Undoes>,
    /// How much is looked at beside the target.
    pub depth: Depth,
}

/// What was confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    /// The digest of the request that was planned.
    pub digest: String,
    /// Why, in the analyst's words.
    pub reason: Option<String>,
    /// Whether they insist.
    pub again: Again,
}

/// The remediation desk as this command needs it.
#[async_trait]
pub trait Desk: Send + Sync {
    /// The page that the flow opens, where it runs nothing.
    async fn page(&self, ask: &Ask) -> Result<Option<WebPage>, Failure>;

    /// Reads everything anew and plans.
    async fn prepare(&self, ask: &Ask) -> Result<Plan, Failure>;

    /// Runs what was planned, if it still rebuilds to the digest.
    async fn run(&self, plan: &Plan, confirmed: Confirmed) -> Result<RunEnd, Failure>;

    /// Lets no run begin any more and waits for the receipt of this one, if it has begun. Answers it as
    /// it stands then: pending without a receipt, `None` if nothing was sent.
    async fn stop(&self, plan: &Plan) -> Result<Option<RunEnd>, Failure>;

    /// Keeps a run of these plans and drives it, telling each end. What was planned for somebody is planned anew at
    /// their turn.
    async fn many(
        &self,
        plans: &[Plan],
        said: ConfirmedBulk,
        wishes: watch::Receiver<Wish>,
        told: UnboundedSender<BulkTold>,
    ) -> Result<BulkRun, Failure>;

    /// Comes when a look at a target has taken as long as a one-time link may wait for it: nobody has the link
    /// anywhere else.
    async fn looked_long_enough(&self);
}

/// What signals asked for so far. It only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asked {
    /// Nothing.
    Nothing,
    /// To end in order: send nothing more, wait for what has left.
    End,
    /// Not even to wait.
    EndNow,
}

impl Asked {
    /// After one more signal, so long after the first.
    #[must_use]
    pub fn after(self, signalled: Signalled, since_first: Duration) -> Asked {
        match self {
            asked if signalled == Signalled::Continued => asked,
            Asked::Nothing => Asked::End,
            _ if signalled.is_impatient(since_first) => Asked::EndNow,
            asked => asked,
        }
    }
}

/// How to leave without what is on its way.
pub(super) const IMPATIENT: &str = "ctrl-c again, a second from now, ends the wait";

/// Whether a signal asked to end. Once it has, it has for good.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<Asked>);

impl Stop {
    /// With what asks for it.
    pub fn new() -> (watch::Sender<Asked>, Stop) {
        let (sender, receiver) = watch::channel(Asked::Nothing);
        (sender, Stop(receiver))
    }

    pub(super) fn is_asked(&self) -> bool {
        *self.0.borrow() >= Asked::End
    }

    pub(super) async fn asked(&mut self, for_what: Asked) {
        if self.0.wait_for(|asked| *asked >= for_what).await.is_err() {
            // Nobody is left who could ask.
            pending().await
        }
    }
}

/// Who runs it, and when: for the record that a dry run prints.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// When.
    pub at: Timestamp,
}

/// Runs the subcommand on these users.
///
/// # Errors
/// Wrong usage or a signal, before anything is sent.
pub async fn run(
    what: &args::Run,
    targets: &[Target],
    desk: &dyn Desk,
    by: By<'_>,
    stop: &mut Stop,
    tell: &dyn Tell,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    // Of many, what decides the risk is read, and not all that would inform of one.
    let depth = if targets.len() > 1 || of_run(what).is_some() { Depth::Roles } else { Depth::Whole };
    let asks: Vec<Ask> = targets.iter().map(|target| ask(what, target, depth)).collect();
    let left_out_before = of_run(what).map(|undo| undo.left_out.len()).unwrap_or_default();
    let mut statuses = of_run(what).map(|undo| tell_not_undone(undo, tell, out)).unwrap_or_default();
    let mut plans = Vec::new();
    let mut coming = stream::iter(&asks).map(|ask| prepare(desk, ask)).buffered(PLANNED_AT_ONCE);
    for ask in &asks {
        let planned = tokio::select! {
            planned = coming.next() => planned,
            () = stop.asked(Asked::End) => return Err(stopped_before()),
        };
        match planned.ok_or_else(stopped_before)? {
            Ok(Prepared::Page(page)) => statuses.push(opens(ask, &page, out)?),
            Ok(Prepared::Plan(plan)) => plans.push(*plan),
            Err(failure) => {
                let about = About { flow: &ask.flow, login: &ask.login, plan: None };
                statuses.push(not_run(tell, &about, &failure, out));
            }
        }
    }
    drop(coming);
    let (is_of_many, meant) = (asks.len() > 1 || of_run(what).is_some(), asks.len() + left_out_before);
    let said = said_of_all(what);
    let left_out = if is_of_many { left_out(&plans, said.doubts()) } else { vec![None; plans.len()] };
    let planned = Planned { plans: &plans, left_out: &left_out };
    if what.answers.dry_run {
        for plan in planned.shown() {
            card::print(&plan, by, out)?;
            statuses.push(plan.refusal.as_ref().map_or(DONE, |refusal| refusal.outcome.exit_status()));
        }
        if is_of_many {
            out.note(&format!("{} of {} would be acted on", planned.acting().len(), meant))?;
        }
        return Ok(combined(statuses));
    }
    match plans.as_slice() {
        [plan] if !is_of_many => {
            Question::of_one(plan).answered(what)?;
            statuses.push(run_one(what, plan, desk, stop, tell, out).await);
        }
        plans => {
            let question = Question::of_many(&planned.acting(), meant);
            if let Some(question) = &question {
                question.answered(what)?;
            }
            statuses.extend(planned.tell_left_out(desk, tell, stop, out).await);
            if question.is_some() {
                statuses.push(many::run_many(plans, said, desk, stop, tell, out).await?);
            }
        }
    }
    Ok(combined(statuses))
}

/// What a flow comes to for one user.
enum Prepared {
    /// Something that can be sent.
    Plan(Box<Plan>),
    /// A page to open.
    Page(WebPage),
}

/// Somebody who was not acted on, as who is left out of many: everybody has a line.
fn not_acted_on(about: &About<'_>, failure: &Failure) -> Value {
    let text = failure.to_string();
    let first = text.lines().next().unwrap_or_default();
    let of_plan = about.plan.and_then(|plan| plan.refusal.as_ref());
    let outcome = match of_plan {
        Some(refusal) => refusal.outcome,
        None if failure.status() == UNKNOWN => Outcome::Unknown,
        None => Outcome::Refused,
    };
    let why = of_plan.map_or(first.strip_prefix("error: ").unwrap_or(first), |refusal| &refusal.why);
    let target = about.plan.and_then(|plan| plan.target_id.as_deref());
    let told = dry_run::not_acted_on(about.flow, about.login, (target, outcome, why));
    with_choice(told, failure)
}

/// The accounts among which one has to be chosen, each with what chooses it.
fn with_choice(mut told: Value, failure: &Failure) -> Value {
    let one = |account: &ProviderAccount| {
        serde_json::json!({
            "provider": account.provider, "id": account.user_id, "login": account.login,
            "choose": AccountName::of(account).option(),
        })
    };
    let accounts: Vec<Value> = failure.accounts().iter().map(one).collect();
    if let Some(told) = told.as_object_mut().filter(|_| !accounts.is_empty()) {
        told.insert("accounts".to_owned(), accounts.into());
    }
    told
}

fn stopped_before() -> Failure {
    Failure::failed("stopped by a signal: nothing was sent")
}

async fn prepare(desk: &dyn Desk, ask: &Ask) -> Result<Prepared, Failure> {
    match desk.page(ask).await? {
        Some(page) => Ok(Prepared::Page(page)),
        None => desk.prepare(ask).await.map(|plan| Prepared::Plan(Box::new(plan))),
    }
}

/// Without a screen a page is printed: opening it is for whoever reads this.
fn opens(ask: &Ask, page: &WebPage, out: &mut Output<'_>) -> Result<u8, Failure> {
    if out.is_json() {
        let json = serde_json::json!({ "flow": ask.flow, "login": ask.login, "open": page.url.as_str() });
        out.json(&json)?;
    } else {
        out.text(page.url.as_str())?;
        out.note(&format!("nothing was sent: flow `{}` opens {}", ask.flow, page.of.words()))?;
    }
    Ok(DONE)
}

fn ask(what: &args::Run, target: &Target, depth: Depth) -> Ask {
    Ask {
        flow: what.flow.clone(),
        login: target.login.clone(),
        finding: target.finding,
        account: what.account.clone(),
        inputs: what.inputs.iter().cloned().collect(),
        undoes: what.undoes.clone().or_else(|| of_run(what)?.undoes(&target.login).cloned()),
        depth,
    }
}

/// The run on many that is undone, if one is.
fn of_run(what: &args::Run) -> Option<&UndoMany> {
    what.undoes_run.as_deref()
}

/// Whom nothing undoes by this run, each with a line, as for who cannot be planned.
fn tell_not_undone(undo: &UndoMany, tell: &dyn Tell, out: &mut Output<'_>) -> Vec<u8> {
    let one = |(mark, why): &(Mark, String)| {
        let about = About { flow: &undo.flow, login: &mark.login, plan: None };
        not_run(tell, &about, &Failure::failed(format!("`{}` is not undone: {why}", mark.login)), out)
    };
    undo.left_out.iter().map(one).collect()
}

fn said_of_all(what: &args::Run) -> ConfirmedBulk {
    let again = if what.answers.again { Again::Insist } else { Again::No };
    let inputs = what.inputs.iter().cloned().collect();
    ConfirmedBulk { inputs, reason: what.answers.reason.clone(), again }
}

async fn run_one(
    what: &args::Run,
    plan: &Plan,
    desk: &dyn Desk,
    stop: &mut Stop,
    tell: &dyn Tell,
    out: &mut Output<'_>,
) -> u8 {
    if let Some(refusal) = plan.refusal.as_ref().filter(|refusal| refusal.outcome == Outcome::NoChange) {
        // There is nothing to be journalled: nothing was sent, and nothing has to be.
        let step = StepEnd {
            flow: plan.flow.id.clone(),
            verb: plan.verb.clone(),
            ended: Ended::NotSent(refusal.clone()),
        };
        let _ = told_end(plan, &step, desk, tell, stop, out).await;
        return refusal.outcome.exit_status();
    }
    let ended = match refused(what, plan, tell) {
        Some(failure) => Err(failure),
        None if stop.is_asked() => Err(not_sent(plan)),
        None => send(what, plan, desk, stop, out).await,
    };
    match ended {
        Ok(end) => {
            // The journal has it, where the output is closed.
            for step in &end.steps {
                let _ = told_end(plan, step, desk, tell, stop, out).await;
            }
            combined(end.steps.iter().map(|step| step.outcome().exit_status()))
        }
        Err(failure) => not_run(tell, &About::plan(plan), &failure, out),
    }
}

/// Runs a plan. After a signal the run is looked at once more when its receipt is there, or will not
/// come: it knows more than the store if that would not take the receipt.
async fn send(
    what: &args::Run,
    plan: &Plan,
    desk: &dyn Desk,
    stop: &mut Stop,
    out: &mut Output<'_>,
) -> Result<RunEnd, Failure> {
    // What there was to insist on was answered, or it would not have come this far.
    let again = if what.answers.again || plan.needs_again.is_some() { Again::Insist } else { Again::No };
    if let Some(doubt) = &plan.account_doubt {
        out.note(&format!("{plan}: as was said, though {}", doubt.why))?;
    }
    let confirmed = Confirmed { digest: plan.digest(), reason: what.answers.reason.clone(), again };
    card::tell_changes(plan, out)?;
    let mut running = desk.run(plan, confirmed);
    tokio::select! {
        biased;
        ended = &mut running => return ended,
        () = stop.asked(Asked::End) => {}
    }
    let login = &plan.login;
    // Nobody may be reading any more.
    let _ = out.note(&format!("stopping: waiting for the receipt of `{login}`, at most 60 s; {IMPATIENT}"));
    let stands = tokio::select! {
        biased;
        stands = desk.stop(plan) => Some(stands),
        () = stop.asked(Asked::EndNow) => None,
    };
    match (running.now_or_never(), stands) {
        (Some(ended), _) => ended,
        (None, Some(stands)) => stands?.ok_or_else(|| not_sent(plan)),
        (None, None) => Err(not_waited_for(plan)),
    }
}

fn not_waited_for(plan: &Plan) -> Failure {
    Failure::unknown(format!(
        "the outcome of {plan} for `{}` is unknown: its receipt was not waited for\n\
         hint: the request may have left, and is not sent again: look at the target",
        plan.login
    ))
}

fn not_sent(plan: &Plan) -> Failure {
    Failure::failed(format!("{plan} was not sent for `{}`: stopped by a signal", plan.login))
}

fn refused(what: &args::Run, plan: &Plan, tell: &dyn Tell) -> Option<Failure> {
    let login = &plan.login;
    if let Some(why) = &plan.refusal {
        let hint = tell.hint(plan).map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        return Some(Failure::failed(format!("{plan} is refused for `{login}`: {why}{hint}")));
    }
    let needs = plan.needs_again.as_ref()?;
    // Whoever answered `--confirm` was right, or would not have come this far.
    let wants_account = plan.account_doubt.is_some() && what.answers.confirm.is_none();
    let wants_again = !insisted_by_again(plan).is_empty() && !what.answers.again;
    let answer = match (wants_account, wants_again) {
        (false, false) => return None,
        (false, true) => "insist with `--again`".to_owned(),
        (true, false) => format!("say which account is meant with {}", said_by(plan)),
        (true, true) => {
            format!("say which account is meant with {}, and insist with `--again`", said_by(plan))
        }
    };
    Some(Failure::failed(format!("{plan}: {needs}\nhint: check the target, then {answer}")))
}

/// How it is said that this account is meant.
fn said_by(plan: &Plan) -> String {
    format!("`--confirm {}`", Untrusted::from(plan.to_say()))
}

/// The status of a failure that the others do not wait for, and that is told if anybody still listens.
fn not_run(tell: &dyn Tell, about: &About<'_>, failure: &Failure, out: &mut Output<'_>) -> u8 {
    if out.is_json() {
        let told = tell.not_run(about, failure).map(|told| with_choice(told, failure));
        let json = told.unwrap_or_else(|| not_acted_on(about, failure));
        let _ = out.json(&json);
    }
    let _ = out.error(failure);
    failure.status()
}

/// How a step ended. A one-time link goes to whoever reads this, and nowhere else.
/// Who tells it may look at the target first; somebody who will not even wait for a receipt waits for no look.
async fn told_end(
    plan: &Plan,
    step: &StepEnd,
    desk: &dyn Desk,
    tell: &dyn Tell,
    stop: &mut Stop,
    out: &mut Output<'_>,
) -> io::Result<()> {
    let part = plan.parts().iter().find(|part| part.flow.id == step.flow).unwrap_or(plan);
    if let Ended::Unsure(why) = &step.ended {
        out.error(&Failure::unknown(format!("{part}: {why}")))?;
    }
    if let Some(another) = plan.missed_link(step) {
        out.note(&format!("the one-time link of `{}` did not come: {another}", plan.login))?;
    }
    if out.is_json() {
        return out.json(&told_json(part, step, desk, tell, stop).await);
    }
    // Before anything else is waited for: nobody has it anywhere else.
    if let Some(link) = step.link() {
        out.text(&format!("one-time link, shown once: {}", link.expose()))?;
    }
    let now = tokio::select! {
        biased;
        now = tell.now(part, step) => now,
        () = stop.asked(Asked::EndNow) => None,
    };
    let now = now.map(|now| format!("; {now}")).unwrap_or_default();
    match &step.ended {
        Ended::Ran { action, .. } => done(action, &now, out),
        Ended::NotSent(Refusal { why, outcome, .. }) => {
            let (whom, verb, outcome) = (plan.whom(), &part.verb, outcome.word());
            out.text(&format!("{whom}: {verb}: {outcome} ({why}){now}"))
        }
        Ended::Unsure(_) => Ok(()),
    }
}

async fn told_json(part: &Plan, step: &StepEnd, desk: &dyn Desk, tell: &dyn Tell, stop: &mut Stop) -> Value {
    tokio::select! {
        biased;
        told = tell.ended(part, step) => told,
        () = stop.asked(Asked::EndNow) => tell.ended_unread(part, step),
        () = desk.looked_long_enough(), if step.link().is_some() => tell.ended_unread(part, step),
    }
}

/// A hint may have lines of its own.
fn one_line(text: &str) -> String {
    text.lines().collect::<Vec<_>>().join("; ")
}

/// How an action ended, why it did not as was hoped, and what a re-read showed.
fn done(action: &Action, now: &str, out: &mut Output<'_>) -> io::Result<()> {
    let status = action.receipt.as_ref().and_then(|receipt| receipt.status);
    let answer = status.map(|status| format!(", answered {status}")).unwrap_or_default();
    let (verb, whom) = (&action.verb, action.whom());
    let (outcome, evidence) = (action.outcome.word(), action.evidence.word());
    out.text(&format!("{whom}: {verb}: {outcome} ({evidence}{answer}), action {}{now}", action.id))?;
    let Some(receipt) = &action.receipt else { return Ok(()) };
    let complaint = receipt.complaint.as_ref();
    let lines = [
        ("why", complaint.map(|complaint| &complaint.why).or(receipt.error.as_ref())),
        ("seen", receipt.verified.as_ref()),
        ("hint", complaint.and_then(|complaint| complaint.hint.as_ref())),
    ];
    let said = lines.into_iter().filter_map(|(name, said)| Some((name, said?)));
    said.into_iter().try_for_each(|(name, said)| out.text(&format!("  {name}: {}", one_line(said))))
}

#[cfg(test)]
mod tests {
    use super::super::failure::{FAILED, MIXED, USAGE};
    use super::super::fake::{FakeDesk, Stuck, plan};
    use super::super::output::{Form, tests::printed};
    use super::super::whom::named;
    use super::*;
    use crate::domain::Flow;
    use crate::domain::blast::{Blast, Roles, Told};
    use crate::domain::bulk::Doubts;
    use crate::domain::one_time::OneTimeLink;
    use crate::domain::plan::{AccountDoubt, PageOf};
    use crate::domain::{Outcome, Risk};
    use clap::Parser;
    use rstest::rstest;

    fn arguments(line: &str) -> args::Run {
        let words = format!("idtriage run suspend-okta-account {line}");
        let parsed = args::Arguments::try_parse_from(words.split(' ')).unwrap();
        match parsed.command {
            Some(args::Command::Run(run)) => run.named(),
            other => panic!("{other:?}"),
        }
    }

    async fn ran(
        what: &args::Run,
        desk: &FakeDesk,
        by: By<'_>,
        stop: &mut Stop,
        tell: &dyn Tell,
        out: &mut Output<'_>,
    ) -> Result<u8, Failure> {
        run(what, &named(what)?, desk, by, stop, tell, out).await
    }

    fn by(actor: &Actor) -> By<'_> {
        By { actor, at: Timestamp::UNIX_EPOCH }
    }

    #[rstest]
    #[case("--user ann --yes", Risk::Medium, None)]
    #[case("--user ann --confirm ANN", Risk::High, None)]
    #[case("--user ann", Risk::Low, Some("wants a confirmation"))]
    #[case("--user ann --yes", Risk::High, Some("`--yes` is not enough"))]
    #[case("--user ann --yes --confirm bob", Risk::Low, Some("`--confirm bob` is not what is asked for"))]
    #[case("--user ann --user bob --yes --confirm 2", Risk::High, None)]
    #[case("--user ann --user bob --yes --confirm 3", Risk::High, Some("`--confirm 2`"))]
    fn the_command_line_answers_the_card(
        #[case] line: &str,
        #[case] risk: Risk,
        #[case] refused: Option<&str>,
    ) {
        let desk = FakeDesk { risk, ..Default::default() };
        let actor = Actor::default();
        let (ended, _) = printed(Form::Text, async |out| {
            ran(&arguments(line), &desk, by(&actor), &mut Stop::new().1, &AsAction, out).await
        });
        match (ended, refused) {
            (Ok(status), None) => assert_eq!(status, DONE),
            (Err(failure), Some(phrase)) => {
                assert!(failure.to_string().contains(phrase), "{failure}");
                assert_eq!((failure.status(), desk.ran()), (USAGE, 0));
            }
            other => panic!("{other:?}"),
        }
    }

    #[rstest]
    #[case(&[], DONE)]
    #[case(&[("bob", Outcome::Refused)], MIXED)]
    #[case(&[("ann", Outcome::Failed), ("bob", Outcome::Refused)], FAILED)]
    #[case(&[("ann", Outcome::Unknown)], UNKNOWN)]
    fn statuses_follow_the_outcomes(#[case] outcomes: &[(&'static str, Outcome)], #[case] expected: u8) {
        let desk = FakeDesk { outcomes: outcomes.to_vec(), ..Default::default() };
        let actor = Actor::default();
        let line = "--user ann bob --yes";
        let (status, text) = printed(Form::Json, async |out| {
            ran(&arguments(line), &desk, by(&actor), &mut Stop::new().1, &AsAction, out).await.unwrap()
        });
        assert_eq!((status, text.out.lines().count(), desk.ran()), (expected, 2, 2));
    }

    /// Looks at the target for ever.
    struct Looking;

    #[async_trait(?Send)]
    impl Tell for Looking {
        async fn ended(&self, _: &Plan, _: &StepEnd) -> Value {
            pending().await
        }

        fn ended_unread(&self, part: &Plan, step: &StepEnd) -> Value {
            AsAction.ended_unread(part, step)
        }

        async fn now(&self, _: &Plan, _: &StepEnd) -> Option<String> {
            pending().await
        }

        fn not_run(&self, _: &About<'_>, _: &Failure) -> Option<Value> {
            None
        }

        fn hint(&self, _: &Plan) -> Option<String> {
            None
        }
    }

    #[rstest]
    #[case(Form::Json, "\"outcome\":\"changed\"")]
    #[case(Form::Text, "changed (")]
    fn a_look_behind_a_run_is_not_waited_for_by_who_ends_at_once(#[case] form: Form, #[case] phrase: &str) {
        let (asks, mut stop) = Stop::new();
        asks.send_replace(Asked::EndNow);
        let told = plan(Risk::Low, "ann");
        let desk = FakeDesk { outcomes: vec![("ann", Outcome::Changed)], ..Default::default() };
        let (_, text) = printed(form, async |out| {
            let confirmed = Confirmed { digest: told.digest(), reason: None, again: Again::No };
            let end = desk.run(&told, confirmed).await.unwrap();
            told_end(&told, &end.steps[0], &desk, &Looking, &mut stop, out).await.unwrap();
        });
        assert!(text.out.contains(phrase), "{}", text.out);
    }

    #[tokio::test]
    async fn a_one_time_link_does_not_wait_long_for_a_look() {
        let told = plan(Risk::Low, "ann");
        let desk = FakeDesk { outcomes: vec![("ann", Outcome::Changed)], ..Default::default() };
        let confirmed = Confirmed { digest: told.digest(), reason: None, again: Again::No };
        let mut end = desk.run(&told, confirmed).await.unwrap();
        let Ended::Ran { link, .. } = &mut end.steps[0].ended else { panic!("it ran") };
        *link = Some(OneTimeLink::new("https://acme.example/welcome/t0ken".to_owned()));
        let json = told_json(&told, &end.steps[0], &desk, &Looking, &mut Stop::new().1).await;
        assert!(json.to_string().contains("welcome/t0ken"), "{json}");
    }

    /// A pipe whose reader went away.
    struct Closed;

    impl io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    #[tokio::test]
    async fn a_closed_pipe_neither_skips_a_user_nor_hides_an_outcome() {
        let desk = FakeDesk { outcomes: vec![("bob", Outcome::Unknown)], ..Default::default() };
        let actor = Actor::default();
        let (mut closed, mut errors) = (Closed, Closed);
        let mut out = Output::new(Form::Text, &mut closed, &mut errors);
        let ended = ran(
            &arguments("--user ann bob --yes"),
            &desk,
            by(&actor),
            &mut Stop::new().1,
            &AsAction,
            &mut out,
        )
        .await;
        assert_eq!((ended.unwrap(), desk.ran()), (UNKNOWN, 2));
    }

    #[rstest]
    #[case(Asked::End, false)]
    #[case(Asked::EndNow, true)]
    #[tokio::test]
    async fn impatience_ends_the_wait(#[case] asked: Asked, #[case] is_cut_short: bool) {
        let (asks, mut stop) = Stop::new();
        asks.send_replace(asked.min(Asked::End));
        let desk = FakeDesk { stuck: Some(Stuck { asks, stands: None, asked }), ..Default::default() };
        let (mut told, mut errors) = (Vec::new(), Vec::new());
        let mut out = Output::new(Form::Text, &mut told, &mut errors);
        let (line, plan) = (arguments("--user ann --yes"), plan(Risk::Low, "ann"));
        let failure = send(&line, &plan, &desk, &mut stop, &mut out).await.unwrap_err();
        assert_eq!(failure.status(), if is_cut_short { UNKNOWN } else { FAILED });
        assert_eq!(failure.to_string().contains("its receipt was not waited for"), is_cut_short, "{failure}");
    }

    #[rstest]
    #[case::before_its_intent(None, FAILED, 2)]
    #[case::with_a_receipt(Some(Outcome::Accepted), MIXED, 1)]
    #[case::without_a_receipt(Some(Outcome::Pending), UNKNOWN, 1)]
    fn a_signal_waits_for_what_has_left_and_sends_no_more(
        #[case] stands: Option<Outcome>,
        #[case] expected: u8,
        #[case] not_sent: usize,
    ) {
        let (asks, mut stop) = Stop::new();
        let desk = FakeDesk { stuck: Some(Stuck { asks, stands, asked: Asked::End }), ..Default::default() };
        let actor = Actor::default();
        let line = arguments("--user ann bob --yes");
        let (ended, text) =
            printed(Form::Text, async |out| ran(&line, &desk, by(&actor), &mut stop, &AsAction, out).await);
        assert_eq!((ended.unwrap(), desk.ran()), (expected, 1));
        assert!(
            text.errors.contains(&format!("{not_sent} queued); `idtriage bulk resume")),
            "{}",
            text.errors
        );
    }

    #[test]
    fn a_dry_run_sends_nothing_and_has_no_evidence() {
        let desk = FakeDesk::default();
        let actor = Actor { user: "ann".into(), ..Default::default() };
        let line = "--user ann --dry-run";
        let (_, text) = printed(Form::Json, async |out| {
            ran(&arguments(line), &desk, by(&actor), &mut Stop::new().1, &AsAction, out).await.unwrap()
        });
        assert_eq!(desk.ran(), 0);
        assert!(
            text.out.contains(r#""evidence":null,"outcome":null,"request":{"method":"POST""#),
            "{}",
            text.out
        );
    }

    #[rstest]
    #[case(Form::Text, "https://ispm.example/i/1\n", "nothing was sent")]
    #[case(
        Form::Json,
        r#"{"flow":"suspend-okta-account","login":"ann","open":"https://ispm.example/i/1"}"#,
        ""
    )]
    fn a_flow_that_only_opens_prints_its_page(#[case] form: Form, #[case] said: &str, #[case] noted: &str) {
        let url = "https://ispm.example/i/1".parse().unwrap();
        let desk = FakeDesk { page: Some(WebPage { url, of: PageOf::Finding }), ..Default::default() };
        let actor = Actor::default();
        let (status, text) = printed(form, async |out| {
            ran(&arguments("--user ann"), &desk, by(&actor), &mut Stop::new().1, &AsAction, out)
                .await
                .unwrap()
        });
        assert_eq!((status, desk.ran()), (DONE, 0));
        assert!(text.out.starts_with(said) && text.errors.contains(noted), "{}{}", text.out, text.errors);
    }

    #[rstest]
    #[case::of_three("--yes --confirm 3", &["bob"], None, Err("`--confirm 2`, after a look at `--dry-run`: 2 of 3"))]
    #[case::without_who_is_refused("--yes --confirm 2", &["bob"], None, Ok(2))]
    #[case::an_account_once("--yes --confirm 1", &["bob"], Some("00u1"), Ok(1))]
    #[case::nobody_is_left("--yes", &["ann", "bob", "eve"], None, Ok(0))]
    fn the_number_is_of_those_who_are_acted_on(
        #[case] line: &str,
        #[case] refused: &[&'static str],
        #[case] account: Option<&'static str>,
        #[case] expected: Result<usize, &str>,
    ) {
        let desk = FakeDesk { risk: Risk::High, refused: refused.to_vec(), account, ..Default::default() };
        let actor = Actor::default();
        let line = format!("--user ann bob eve {line}");
        let (ended, text) = printed(Form::Json, async |out| {
            ran(&arguments(&line), &desk, by(&actor), &mut Stop::new().1, &AsAction, out).await
        });
        match expected {
            Ok(acted) => {
                ended.unwrap();
                let lines: Vec<&str> = text.out.lines().collect();
                assert_eq!((desk.ran(), lines.len()), (acted, 3), "{}", text.out);
                let left_out =
                    lines.iter().take_while(|line| line.contains(r#""outcome":"refused""#)).count();
                assert_eq!(left_out, 3 - acted, "who is left out is told before anything is sent: {lines:?}");
                let is_said = text.out.contains("the same account as `ann`");
                assert_eq!(is_said, account.is_some(), "{}", text.out);
            }
            Err(phrase) => {
                let failure = ended.unwrap_err();
                assert!(failure.to_string().contains(phrase), "{failure}");
                assert_eq!((desk.ran(), text.out.as_str()), (0, ""));
            }
        }
    }

    #[rstest]
    #[case::of_one("--user bob --yes", 1)]
    #[case::of_two("--user ann bob --yes", 2)]
    fn who_is_refused_has_a_line_of_the_same_shape_alone_and_among_many(
        #[case] line: &str,
        #[case] lines: usize,
    ) {
        let desk = FakeDesk { refused: vec!["bob"], account: Some("00u1"), ..Default::default() };
        let actor = Actor::default();
        let (_, text) = printed(Form::Json, async |out| {
            ran(&arguments(line), &desk, by(&actor), &mut Stop::new().1, &AsAction, out).await.unwrap()
        });
        let told: Vec<Value> = text.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let expected = serde_json::json!({ "flow": "suspend-okta-account", "login": "bob", "target": null,
            "evidence": null, "outcome": "refused", "refusal": "protected" });
        assert_eq!((told.len(), told.contains(&expected)), (lines, true), "{}", text.out);
    }

    #[test]
    fn a_dry_run_of_many_says_who_is_left_out() {
        let desk = FakeDesk { refused: vec!["bob"], account: Some("00u1"), ..Default::default() };
        let actor = Actor::default();
        let (_, text) = printed(Form::Json, async |out| {
            let line = arguments("--user ann bob eve --dry-run");
            ran(&line, &desk, by(&actor), &mut Stop::new().1, &AsAction, out).await.unwrap()
        });
        let refusals: Vec<Value> = text.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let why = |at: usize| refusals[at]["refusal"].clone();
        assert_eq!([why(0), why(1)], [Value::Null, "protected".into()]);
        assert_eq!(why(2), "the same account as `ann`: `00u1`");
        assert!(text.errors.contains("1 of 3 would be acted on"), "{}", text.errors);
    }

    #[test]
    fn who_makes_a_run_one_of_high_risk_is_named() {
        let blast = Blast {
            accounts: Vec::new(),
            elsewhere: None,
            roles: Roles { held: vec!["Super Administrator".into()], untold: None },
            called: Vec::new(),
            groups: Told::Is(Vec::new()),
            apps: Told::Is(Vec::new()),
            findings: Told::Is(0),
            class: Told::CannotTell("not read".to_owned()),
        };
        let admin = Plan { blast: Some(blast), ..plan(Risk::High, "root") };
        let admin = Plan { flow: Flow { risk: Risk::Medium, ..admin.flow.clone() }, ..admin };
        let other = plan(Risk::Medium, "ann");
        let yes = arguments("--user ann root --yes");
        let of_one = Question::of_one(&admin).answered(&yes).unwrap_err().to_string();
        let of_many =
            Question::of_many(&[&other, &admin], 2).unwrap().answered(&yes).unwrap_err().to_string();
        for failure in [of_one, of_many] {
            assert!(failure.contains("`root` is an administrator (Super Administrator)"), "{failure}");
        }
    }

    #[test]
    fn what_has_to_be_insisted_on_is_not_sent() {
        let again = Plan { needs_again: Some("the last one is unknown".into()), ..plan(Risk::Low, "ann") };
        assert!(refused(&arguments("--user ann --yes"), &again, &AsAction).is_some());
        assert!(refused(&arguments("--user ann --yes --again"), &again, &AsAction).is_none());
        let doubt = Some(AccountDoubt { why: "it is bob's".into(), login: Some(Login::new("bob")) });
        let doubted = |needs: &str| Plan {
            needs_again: Some(needs.to_owned()),
            account_doubt: doubt.clone(),
            target_id: Some("00u2".into()),
            ..again.clone()
        };
        let both = "the last one is unknown; it is bob's";
        for (line, needs, is_sent) in [
            ("--yes --again", "it is bob's", false),
            ("--yes --again --confirm ann", "it is bob's", false),
            ("--confirm BOB", "it is bob's", true),
            ("--yes --confirm 00u2", "it is bob's", true),
            ("--confirm bob", both, false),
            ("--confirm bob --again", both, true),
        ] {
            let (line, plan) = (arguments(&format!("--user ann {line}")), doubted(needs));
            let is_answered = Question::of_one(&plan).answered(&line).is_ok();
            assert_eq!(
                is_answered && refused(&line, &plan, &AsAction).is_none(),
                is_sent,
                "{line:?} {needs}"
            );
        }
        let failure = refused(&arguments("--user ann --yes --again"), &doubted(both), &AsAction).unwrap();
        assert!(failure.to_string().contains("say which account is meant with `--confirm bob`"), "{failure}");
        for doubts in [Doubts::Stand, Doubts::InsistedOn] {
            let why = left_out(&[doubted(both)], doubts).remove(0).unwrap().why;
            assert!(
                why.contains("run it on them alone, saying `bob` (typed there, or with `--confirm`)"),
                "{why}"
            );
        }
        let refusal = Plan { refusal: Some("protected".to_owned().into()), ..again };
        assert!(refused(&arguments("--user ann --yes --again"), &refusal, &AsAction).is_some());
    }
}
