//! Does what `update` asks for, each in a task of its own, and tells the loop what came of it.

use super::export::{self, Export};
use super::many;
use super::services::Services;
use super::{clipboard, dry_run, journal, opener};
use crate::app::bulk::Which;
use crate::app::health::Kept;
use crate::app::log::{LogForm, LogSlice, LogStep};
use crate::app::msg::{Answer, Looked, NotRun, Progress, SaidOf, Stage};
use crate::app::{Effect, Msg, RequestId, effect::RunAsk};
use crate::domain::access::Preview;
use crate::domain::account_name::AccountName;
use crate::domain::bulk::BulkId;
use crate::domain::dossier::Problem;
use crate::domain::finding::HistoryEntry;
use crate::domain::iam_configuration::{self, ConfigurationChange, Onto};
use crate::domain::journal::query::JournalQuery;
use crate::domain::log::LogRecord;
use crate::domain::look_up::{LookUp, LookedUp};
use crate::domain::page::From;
use crate::domain::plan::{Fit, Plan};
use crate::domain::{ActionId, EventId, FindingId, FlowId, Login, untrusted};
use crate::notify::Mark;
use crate::remediation::{self, Ask, Beside, Confirmed, LookError, RunError, Told};
use crate::source::cii;
use crate::source::system_log::filter::{IAM_CONFIGURATION, applications, of_applications};
use crate::store::{ActionFilter, Again, FindingFilter, Replaced, Still, Store, StoreError, chain};
use crate::tenant::{LogCut, look_up};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;

/// Findings and actions read at once.
const ROWS: usize = 200;
/// Logins suggested for one that nobody has.
const SUGGESTED: usize = 5;

/// What is said where a task panicked: its words are in the log.
pub(super) const BROKE: &str =
    "a part of the program broke off; hint: start with `--log FILE` and report what it says";

const NO_ORG: &str =
    "no Okta org is configured\nhint: `[okta]` in the configuration; `idtriage init` writes a template";

/// What the loop hears from elsewhere.
#[derive(Debug)]
pub enum Heard {
    /// Something happened.
    Msg(Msg),
    /// Bytes that belong to no frame go to the terminal: a clipboard sequence.
    Aside(String),
    /// Nothing is written until this is dropped: the process may be stopped.
    Still(Still),
}

/// Does effects.
#[derive(Debug)]
pub struct Effects {
    services: Services,
    heard: UnboundedSender<Heard>,
    tasks: HashMap<RequestId, AbortHandle>,
}

impl Effects {
    /// Effects that tell `heard`.
    pub fn new(services: Services, heard: UnboundedSender<Heard>) -> Effects {
        Effects { services, heard, tasks: HashMap::new() }
    }

    /// Tells when nothing is in the middle of a write: a process that stops there would keep others out of the store
    /// for as long.
    pub fn hold_still(&self) {
        let (store, heard) = (self.services.desk.store.clone(), self.heard.clone());
        tokio::spawn(async move { heard.send(Heard::Still(store.still().await)) });
    }

    /// Starts an effect. Those that only the loop can do (quit, suspend, redraw) are not for here.
    pub fn perform(&mut self, effect: Effect) {
        self.tasks.retain(|_, task| !task.is_finished());
        let work = Work { services: self.services.clone(), heard: self.heard.clone() };
        match effect {
            Effect::Cancel(request) => self.cancel(request),
            Effect::RunPlan { request, ask, plan, digest, reason } => {
                // A request that acts is never stopped: it is in no table that could.
                let heard = self.heard.clone();
                let task = tokio::spawn(work.run(request, ask, plan, digest, reason));
                tokio::spawn(async move {
                    if task.await.is_err() {
                        let _ =
                            heard.send(Heard::Msg(Msg::Answered(request, Answer::Broke(BROKE.to_owned()))));
                    }
                });
            }
            effect @ (Effect::RunMany { .. } | Effect::ResumeBulk { .. }) => {
                many::drive(effect, work.services, work.heard);
            }
            Effect::ExportBulk { id, which, form } => drop(tokio::spawn(work.export_bulk(id, which, form))),
            Effect::OpenLink(url) => drop(tokio::spawn(async move { work.open(&url) })),
            Effect::CopyText(text) => drop(tokio::spawn(work.copy_shown(text))),
            Effect::CopyLink(link) => drop(tokio::spawn(async move {
                work.copy(link.expose(), "the one-time link").await;
            })),
            Effect::ExportLog { form, records, has_more } => {
                drop(tokio::spawn(work.export(form, records, has_more)));
            }
            Effect::ExportDryRun { flow, lines } => drop(tokio::spawn(work.export_dry_run(flow, lines))),
            Effect::ExportJournal { form, query } => drop(tokio::spawn(work.export_journal(form, query))),
            effect => self.spawn(effect, work),
        }
    }

    fn cancel(&mut self, request: RequestId) {
        if let Some(task) = self.tasks.remove(&request) {
            task.abort();
        }
    }

    fn spawn(&mut self, effect: Effect, work: Work) {
        let Some(request) = request_of(&effect) else { return };
        let heard = work.heard.clone();
        let task = tokio::spawn(async move { work.answer(effect).await });
        self.tasks.insert(request, task.abort_handle());
        tokio::spawn(async move {
            let answer = match task.await {
                Ok(answer) => answer,
                Err(broke) => broke.is_panic().then(|| Answer::Broke(BROKE.to_owned())),
            };
            if let Some(answer) = answer {
                // The loop is gone when the console ends; so is whoever waited.
                let _ = heard.send(Heard::Msg(Msg::Answered(request, answer)));
            }
        });
    }
}

fn request_of(effect: &Effect) -> Option<RequestId> {
    match effect {
        Effect::LoadEvents { request, .. }
        | Effect::CountEvents { request, .. }
        | Effect::LoadEvent { request, .. }
        | Effect::LoadEventUsers { request, .. }
        | Effect::LoadSaid { request, .. }
        | Effect::LoadFindings { request, .. }
        | Effect::LoadHistory { request, .. }
        | Effect::LoadActions { request, .. }
        | Effect::LoadJournal { request, .. }
        | Effect::LoadStanding { request, .. }
        | Effect::CheckChain { request }
        | Effect::LookAgain { request, .. }
        | Effect::LoadExecutions { request, .. }
        | Effect::LoadPart { request, .. }
        | Effect::SuggestLogins { request, .. }
        | Effect::LoadAddress { request, .. }
        | Effect::LoadHealth { request }
        | Effect::LoadKept { request }
        | Effect::ProbeCalls { request }
        | Effect::PreviewAccess { request }
        | Effect::LoadLog { request, .. }
        | Effect::LookUp { request, .. }
        | Effect::KeepConfiguration { request, .. }
        | Effect::ChangeFinding { request, .. }
        | Effect::GatherUsers { request, .. }
        | Effect::GatherUndo { request, .. }
        | Effect::PlanMany { request, .. }
        | Effect::TurnBulk { request, .. }
        | Effect::LoadBulks { request, .. }
        | Effect::LoadBulk { request, .. }
        | Effect::LoadBulkUsers { request, .. }
        | Effect::FitFlows { request, .. }
        | Effect::PreparePlan { request, .. } => Some(*request),
        _ => None,
    }
}

struct Work {
    services: Services,
    heard: UnboundedSender<Heard>,
}

/// What a store holds, what was left out of it, and how those are who are told of it.
async fn kept(store: &dyn Store, notifiers: &[String]) -> Result<Box<Kept>, StoreError> {
    let notifiers = Mark::health(store, notifiers).await?;
    Ok(Box::new(Kept { status: store.status().await?, dropped: store.dropped().await?, notifiers }))
}

fn words<T>(result: Result<T, impl ToString>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}

impl Work {
    async fn answer(&self, effect: Effect) -> Option<Answer> {
        let desk = &self.services.desk;
        let store = &desk.store;
        Some(match effect {
            Effect::LoadEvents { query, from, limit, .. } => {
                Answer::Events(words(store.events(&query, from, limit).await))
            }
            Effect::CountEvents { query, above, .. } => {
                Answer::Counted(words(store.count_events(&query, above).await))
            }
            Effect::LoadEvent { id, .. } => {
                Answer::Event(words(store.event(id).await).map(|event| event.map(Box::new)))
            }
            Effect::LoadEventUsers { id, query, from, limit, .. } => {
                Answer::EventUsers(words(store.event_users(id, &query, from, limit).await))
            }
            Effect::LoadSaid { id, logins, .. } => Answer::Said(self.said(id, logins).await),
            Effect::LoadFindings { login, .. } => self.findings(login).await,
            Effect::LoadHistory { findings, .. } => Answer::History(self.history(findings).await),
            Effect::LoadActions { login, .. } => {
                let filter = ActionFilter { login: Some(login), ..ActionFilter::default() };
                Answer::Actions(words(store.actions(&filter, None, ROWS).await))
            }
            Effect::LoadJournal { query, from, limit, .. } => {
                let now = self.services.clock.now();
                Answer::Journal(
                    words(journal::slice(store.as_ref(), &query, now, from, limit).await).map(Box::new),
                )
            }
            Effect::LoadStanding { actions, runs, .. } => {
                let (actions, runs) = (actions.into_iter().collect(), runs.into_iter().collect());
                Answer::Journal(words(journal::standing(store.as_ref(), actions, runs).await).map(Box::new))
            }
            Effect::CheckChain { .. } => Answer::Chain(words(chain::verify(store.as_ref(), None).await)),
            Effect::LookAgain { action, .. } => {
                Answer::Looked(words(self.looked(action).await).map(Box::new))
            }
            Effect::LoadExecutions { ids, .. } => Answer::Executions(words(store.executions(&ids).await)),
            Effect::LoadPart { login, part, .. } => {
                let loaded = desk.directory.part(part, &login).await;
                Answer::Part(login, loaded)
            }
            Effect::SuggestLogins { login, .. } => {
                let beside = words(store.logins_beside(&login, SUGGESTED).await);
                Answer::Suggested(beside.map(|logins| login.resembled_by(logins, SUGGESTED)))
            }
            Effect::LoadAddress { address, .. } => {
                Answer::Address(desk.directory.users_of_address(&address).await)
            }
            Effect::LoadHealth { .. } => Answer::Health(words(store.health().await)),
            Effect::LoadKept { .. } => {
                Answer::Kept(words(kept(store.as_ref(), &self.services.notifiers).await))
            }
            Effect::ProbeCalls { .. } => match &self.services.prober {
                Some(prober) => Answer::Calls(prober.probe_calls().await),
                None => Answer::Calls(Vec::new()),
            },
            Effect::PreviewAccess { .. } => Answer::Access(Box::new(self.access().await)),
            Effect::ChangeFinding { finding, version, change, .. } => {
                let held = change.words().map_or(Ok(()), |(what, said)| desk.takes_words(what, said));
                Answer::Changed(match held {
                    Ok(()) => {
                        let now = desk.now();
                        words(store.change(finding, Some(version), &change, &desk.actor, now).await)
                            .map(Box::new)
                    }
                    Err(held) => Err(held.to_string()),
                })
            }
            Effect::LoadLog { step, .. } => Answer::Log(self.log(step).await),
            Effect::KeepConfiguration { change, .. } => {
                Answer::ConfigurationKept(self.keep_configuration(&change).await)
            }
            Effect::LookUp { what, .. } => Answer::LookedUp(self.look_up(&what).await.map(Box::new)),
            Effect::GatherUsers { what, limit, .. } => {
                Answer::Gathered(words(many::gather(store.as_ref(), &what, limit).await))
            }
            Effect::GatherUndo { id, .. } => {
                let undo = remediation::undo_of_run(store.as_ref(), id, &desk.flows, desk.now()).await;
                Answer::UndoGathered(words(undo).map(Box::new))
            }
            Effect::PlanMany { request, ask } => {
                Answer::ManyPlanned(many::plan(&self.services, &self.heard, request, ask).await)
            }
            Effect::TurnBulk { id, to, .. } => Answer::BulkTurned(many::turn(&self.services, id, to).await),
            Effect::LoadBulks { before, .. } => many::runs(store.as_ref(), before).await,
            Effect::LoadBulk { id, .. } => {
                Answer::Bulk(words(store.bulk(id).await).map(|run| run.map(Box::new)))
            }
            Effect::LoadBulkUsers { id, which, from, limit, .. } => {
                Answer::BulkUsers(words(store.bulk_users(id, many::users(which), from, limit).await))
            }
            Effect::FitFlows { ask, .. } => Answer::Fits(self.fits(&ask).await),
            Effect::PreparePlan { ask, .. } => Answer::Prepared(self.prepare(ask).await),
            _ => return None,
        })
    }

    async fn findings(&self, login: Login) -> Answer {
        let filter = FindingFilter { login: Some(login), ..FindingFilter::default() };
        Answer::Findings(words(self.services.desk.store.findings(&filter, From::Newest, ROWS).await))
    }

    async fn history(&self, findings: Vec<FindingId>) -> Result<Vec<(FindingId, HistoryEntry)>, String> {
        let mut entries = Vec::new();
        for id in findings {
            let history = words(self.services.desk.store.history(id).await)?;
            entries.extend(history.into_iter().map(|entry| (id, entry)));
        }
        Ok(entries)
    }

    /// What an event's message says about some users. A message may be of 8 MiB: it is taken apart where
    /// that holds up nobody.
    async fn said(&self, id: EventId, logins: Vec<Login>) -> SaidOf {
        let event = words(self.services.desk.store.event(id).await)?;
        let raw = event.and_then(|event| event.raw).unwrap_or_default();
        words(tokio::task::spawn_blocking(move || cii::details(&raw, &logins)).await)
    }

    /// What can be found out about an action: by its target where its end is open, and by the System Log.
    async fn looked(&self, id: ActionId) -> Result<Looked, LookError> {
        let store = &self.services.desk.store;
        let (action, unseen) = match self.services.runner.look_again(id).await {
            Ok(look) => (look.action, None),
            Err(LookError::CannotTell { why, .. }) => {
                (store.action(id).await?.ok_or(LookError::NoSuchAction(id))?, Some(why))
            }
            Err(error) => return Err(error),
        };
        let flow = self.services.desk.flow(&action.flow);
        let Beside { notes, unread } =
            remediation::beside(store.as_ref(), self.services.log.as_deref(), &action, flow).await?;
        Ok(Looked { action, unseen, beside: notes, unread })
    }

    async fn log(&self, step: LogStep) -> Result<LogSlice, String> {
        let Some(log) = &self.services.log else { return Err(NO_ORG.to_owned()) };
        let cut = match step {
            LogStep::First(query) => log.search(&query).await,
            LogStep::Next(next) => log.search_on(&next).await,
        };
        cut.map(slice).map_err(|problem| problem.words())
    }

    async fn look_up(&self, what: &LookUp) -> Result<LookedUp, String> {
        let store = self.services.desk.store.as_ref();
        match what {
            LookUp::Configuration => return configuration(store).await,
            LookUp::ConfigurationChange(said) => {
                let seen = words(store.setting(IAM_CONFIGURATION).await)?;
                let change =
                    ConfigurationChange::of(seen, said, Onto::LaidOver).map_err(|why| damaged(&why))?;
                return Ok(LookedUp::ConfigurationChange(change));
            }
            _ => {}
        }
        let Some(org) = &self.services.org else { return Err(NO_ORG.to_owned()) };
        look_up::look_up(org.as_ref(), &self.services.map, what).await.map_err(|problem| problem.words())
    }

    /// Keeps what was shown, if it still is what would change.
    async fn keep_configuration(&self, change: &ConfigurationChange) -> Result<(), String> {
        let desk = &self.services.desk;
        let (seen, text) = (change.seen.as_deref(), change.text());
        desk.takes_words("the IAM configuration", &text).map_err(|held| held.to_string())?;
        let kept = desk.store.replace_setting(IAM_CONFIGURATION, seen, &text, &desk.actor, desk.now()).await;
        match words(kept)? {
            Replaced::Done => Ok(()),
            Replaced::Meanwhile => Err("somebody else has changed it meanwhile: look once more".to_owned()),
        }
    }

    async fn export(self, form: LogForm, records: Vec<Arc<str>>, has_more: bool) {
        let now = self.services.clock.now();
        let folder = self.services.exports.clone();
        let written = tokio::task::spawn_blocking(move || match folder {
            Some(folder) => Export { form, records, has_more, now }.write(&folder),
            None => Err(export::NO_HOME.to_owned()),
        });
        let said = written.await.unwrap_or_else(|_| Err(BROKE.to_owned()));
        let _ = self.heard.send(Heard::Msg(Msg::Noticed(said)));
    }

    async fn access(&self) -> Preview {
        match &self.services.access {
            Some(access) => access.of_whoever_acts(self.services.desk.actor.analyst.as_deref()).await,
            None => Preview::unknown("no Okta org is configured"),
        }
    }

    async fn export_dry_run(self, flow: FlowId, lines: Vec<String>) {
        let (now, folder) = (self.services.clock.now(), self.services.exports.clone());
        let written = tokio::task::spawn_blocking(move || match folder {
            Some(folder) => dry_run::write(&folder, &flow, &lines, now),
            None => Err(export::NO_HOME.to_owned()),
        });
        let said = written.await.unwrap_or_else(|_| Err(BROKE.to_owned()));
        let _ = self.heard.send(Heard::Msg(Msg::Noticed(said)));
    }

    async fn export_journal(self, form: LogForm, query: JournalQuery) {
        let now = self.services.clock.now();
        let said = match &self.services.exports {
            Some(folder) => {
                journal::export(self.services.desk.store.as_ref(), form, &query, now, folder).await
            }
            None => Err(export::NO_HOME.to_owned()),
        };
        let _ = self.heard.send(Heard::Msg(Msg::Noticed(said)));
    }

    /// Writes a run on many and those of its users who are shown.
    async fn export_bulk(self, id: BulkId, which: Which, form: LogForm) {
        let said = self.bulk_written(id, which, form).await;
        let _ = self.heard.send(Heard::Msg(Msg::Noticed(said)));
    }

    async fn bulk_written(&self, id: BulkId, which: Which, form: LogForm) -> Result<String, String> {
        let store = self.services.desk.store.as_ref();
        let run = words(store.bulk(id).await)?.ok_or_else(|| format!("there is no run on many `{id}`"))?;
        let users = words(many::all_users(store, id, which).await)?;
        let (now, folder) = (self.services.clock.now(), self.services.exports.clone());
        let folder = folder.ok_or_else(|| export::NO_HOME.to_owned())?;
        let written = tokio::task::spawn_blocking(move || export::bulk(&run, &users, form, now, &folder));
        written.await.unwrap_or_else(|_| Err(BROKE.to_owned()))
    }

    async fn fits(&self, ask: &RunAsk) -> Result<Vec<Fit>, String> {
        words(remediation::offers(&self.services.desk, &ask.login, ask.finding, ask.event).await)
    }

    async fn prepare(&self, ask: RunAsk) -> Result<Box<Plan>, String> {
        let Some(flow) = ask.flow else { return Err("no flow is chosen".to_owned()) };
        let ask = Ask {
            action: ActionId(uuid::Uuid::new_v4()),
            flow,
            login: ask.login,
            finding: ask.finding,
            event: ask.event,
            account: ask.account.as_ref().map(AccountName::of),
            inputs: ask.inputs,
            undoes: ask.undoes,
        };
        words(remediation::prepare(&self.services.desk, ask).await).map(Box::new)
    }

    async fn run(
        self,
        request: RequestId,
        ask: RunAsk,
        plan: Box<Plan>,
        digest: String,
        reason: Option<String>,
    ) {
        let action = plan.action;
        let (progress, mut steps) = unbounded_channel();
        let heard = self.heard.clone();
        let told = tokio::spawn(async move {
            while let Some(told) = steps.recv().await {
                if let Some(stage) = shown(told) {
                    let _ = heard.send(Heard::Msg(Msg::RunProgressed(action, stage)));
                }
            }
        });
        let again = if ask.insists { Again::Insist } else { Again::No };
        let confirmed = Confirmed { digest, reason, again };
        let ended = self.services.runner.run(&plan, &confirmed, progress).await;
        // Every step is told before the end is.
        let _ = told.await;
        let answer = Answer::Ran(ended.map(Box::new).map_err(not_run));
        let _ = self.heard.send(Heard::Msg(Msg::Answered(request, answer)));
    }

    fn open(&self, url: &url::Url) {
        let result = opener::open(url, &self.services.children);
        let _ = self.heard.send(Heard::Msg(Msg::Noticed(result)));
    }

    async fn copy_shown(self, text: String) {
        let shown = untrusted::visible(&text);
        let shown = untrusted::fit_marked(&shown, 80, '~');
        self.copy(&text, &shown).await;
    }

    /// `shown` is what is said of the text.
    async fn copy(&self, text: &str, shown: &str) {
        let result = clipboard::hand(self.services.clipboard, text, shown, &self.services.children).await;
        let said = result.map(|handed| {
            if let Some(escape) = handed.escape {
                let _ = self.heard.send(Heard::Aside(escape));
            }
            handed.said
        });
        let _ = self.heard.send(Heard::Msg(Msg::Noticed(said)));
    }
}

/// The IAM configuration of a store, and the filter that is made of it.
async fn configuration(store: &dyn Store) -> Result<LookedUp, String> {
    let Some(text) = words(store.setting(IAM_CONFIGURATION).await)? else {
        return Ok(LookedUp::Configuration { entries: Vec::new(), filter: None });
    };
    let entries = iam_configuration::listed(&text).map_err(|why| damaged(&why))?;
    Ok(LookedUp::Configuration { entries, filter: of_applications(applications(&text)) })
}

fn damaged(why: &str) -> String {
    format!(
        "the IAM configuration in the store cannot be used: {why}\nhint: `idtriage okta config set --replace` sets it anew"
    )
}

fn slice(cut: LogCut) -> LogSlice {
    LogSlice {
        records: cut.records.into_iter().map(LogRecord::of).collect(),
        next: cut.next,
        problem: cut.problem.as_ref().map(Problem::words),
        clock_ahead: cut.clock_ahead,
    }
}

fn shown(told: Told) -> Option<Stage> {
    let progress = match told.progress {
        remediation::Progress::Intended => Progress::Intended,
        remediation::Progress::Sending => Progress::Sending,
        remediation::Progress::Answered(status, _) => Progress::Answered(status),
        remediation::Progress::Verifying => Progress::Verifying,
        remediation::Progress::Done(_) => return None,
    };
    Some(Stage { step: told.step, progress })
}

fn not_run(error: RunError) -> NotRun {
    match error {
        RunError::TargetChanged(_) => NotRun::TargetChanged(error.to_string()),
        RunError::Lost(_) | RunError::NotKept { .. } => NotRun::Unsure(error.to_string()),
        error => NotRun::Because(error.to_string()),
    }
}
