//! Cards and runs against doubles: never two sends for one intent, never a send without a committed
//! intent, never `verified` without a re-read.

mod accounts;
mod again;
mod bulk;
mod doubles;
mod held_back;
mod inputs;
mod issues;
mod later;
mod made_of;
mod model;
mod operations;
mod others;
mod rivals;
mod steps;
mod told;
mod trials;
mod undo;
mod unread;

use super::*;
use crate::domain::account_name::AccountName;
use crate::domain::flow::PayloadShape;
use crate::domain::plan::{Confirm, FitTarget, Plan, Target};
use crate::domain::time::Zone;
use crate::domain::*;
use crate::store::{Again, IntendError};
use crate::tenant::CallEnd;
use doubles::*;
use jiff::SignedDuration;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};

/// Everything that a test may look into afterwards.
struct Lab {
    memory: Arc<Memory>,
    people: Arc<People>,
    script: Arc<Script>,
    groups: Arc<Org>,
    now: Arc<Mutex<Timestamp>>,
    desk: Arc<Desk>,
}

struct Setup {
    memory: Memory,
    script: Script,
    statuses: Vec<&'static str>,
    is_missing: bool,
    is_member: bool,
    link: Option<OneTimeLink>,
    parts: Vec<PartName>,
    details: serde_json::Value,
    problems: Vec<dossier::Problem>,
    others: BTreeMap<&'static str, Somebody>,
    guard: Guard,
    mode: Mode,
    log: Option<Arc<Log>>,
}

impl Default for Setup {
    fn default() -> Self {
        Setup {
            memory: Memory::default(),
            script: Script::default(),
            statuses: vec!["ACTIVE"],
            is_missing: false,
            is_member: false,
            link: None,
            parts: PartName::ALL.to_vec(),
            details: json!({"endUserDetails": {"id": "c1", "login": "ann", "linkedEndUserLogins": ["root"]},
                "providerEndUserDetails": [{"userId": "00u1", "provider": "OKTA", "login": "ann@okta.example"}]}),
            problems: Vec::new(),
            others: BTreeMap::new(),
            guard: Guard::default(),
            mode: Mode::Acting,
            log: Some(Arc::default()),
        }
    }
}

fn flows() -> Arc<[Flow]> {
    let url = Some("https://x.workflows.okta.com/api/flo/1/invoke".to_owned());
    let all = preset::all().into_iter();
    let of_workflows = all.map(|flow| Flow { route: Route::ApiEndpoint, url: url.clone(), ..flow });
    of_workflows.chain(operation::flows()).collect()
}

impl Setup {
    fn ends(ends: impl IntoIterator<Item = CallEnd>) -> Setup {
        let ends = Mutex::new(ends.into_iter().collect());
        Setup { script: Script { ends, ..Default::default() }, ..Default::default() }
    }

    fn lab(mut self) -> Lab {
        let trace = Trace::default();
        (self.memory.trace, self.script.trace) = (trace.clone(), trace.clone());
        let statuses = Mutex::new(self.statuses.into());
        let (parts, details, problems) = (self.parts, self.details, self.problems);
        let (is_missing, title) = (self.is_missing, Mutex::new("Clerk"));
        let others = self.others;
        let changed = Mutex::default();
        let people = People { trace, parts, details, problems, statuses, is_missing, title, changed, others };
        self.script.link = self.link;
        let groups = Arc::new(Org {
            is_member: Mutex::new(self.is_member),
            has_factor: Mutex::new(true),
            ..Org::default()
        });
        let (memory, people, script) = (Arc::new(self.memory), Arc::new(people), Arc::new(self.script));
        let now = Arc::new(Mutex::new(Timestamp::from_second(1_700_000_000).unwrap()));
        let clock = now.clone();
        let desk = Arc::new(Desk {
            store: memory.clone(),
            directory: people.clone(),
            org: Some(groups.clone()),
            log: self.log.map(|log| log as Arc<dyn crate::tenant::LogSearch>),
            caller: script.clone(),
            flows: flows(),
            guard: self.guard,
            mode: self.mode,
            actor: Actor { user: "ops".into(), host: "jump".into(), ..Default::default() },
            zone: Zone::Utc,
            looked: Arc::default(),
            owner: "jump:1:1".into(),
            clock: Arc::new(move || *clock.lock().unwrap()),
        });
        Lab { memory, people, script, groups, now, desk }
    }
}

fn ask(n: u128) -> Ask {
    Ask {
        action: ActionId(uuid::Uuid::from_u128(n)),
        flow: "suspend-okta-account".into(),
        login: Login::new("ann"),
        finding: None,
        event: None,
        account: None,
        inputs: Default::default(),
        undoes: None,
    }
}

fn only(end: RunEnd) -> Action {
    end.only_action().expect("a flow of one action").clone()
}

fn confirmed(plan: &Plan) -> Confirmed {
    Confirmed { digest: plan.digest(), reason: None, again: Again::No }
}

fn insisting(plan: &Plan) -> Confirmed {
    Confirmed { again: Again::Insist, ..confirmed(plan) }
}

/// Waits of nothing, so that no test sleeps.
fn pace() -> Pace {
    Pace {
        lease: SignedDuration::from_secs(20),
        renew_every: Duration::from_millis(1),
        hear_every: Duration::from_millis(1),
        rereads: vec![Duration::ZERO; 3],
        keep_again: vec![Duration::ZERO; 2],
    }
}

impl Lab {
    fn runner(&self) -> Runner {
        Runner::new(self.desk.clone(), pace())
    }

    async fn plan(&self) -> Plan {
        prepare(&self.desk, ask(1)).await.unwrap()
    }

    async fn run(&self, plan: &Plan, confirmed: &Confirmed) -> Result<Action, RunError> {
        let end = self.runner().run(plan, confirmed, mpsc::unbounded_channel().0).await?;
        Ok(only(end))
    }

    /// What happened, without reads.
    fn acts(&self) -> Vec<&'static str> {
        self.memory.trace.lock().unwrap().iter().copied().filter(|what| *what != "read").collect()
    }

    fn sends(&self) -> usize {
        self.acts().iter().filter(|what| **what == "call").count()
    }
}

/// What Okta says of somebody's administrator roles.
fn roles(of: &str) -> Option<Vec<serde_json::Value>> {
    let role = |status: &str| json!({"id": "ra1", "type": "SUPER_ADMIN", "label": "Super Administrator", "status": status});
    match of {
        "active" => Some(vec![role("ACTIVE")]),
        "by a group" => {
            Some(vec![json!({"id": "ra2", "type": "CUSTOM", "label": null, "assignmentType": "GROUP"})])
        }
        "inactive" => Some(vec![role("INACTIVE")]),
        "none" => Some(Vec::new()),
        "odd" => Some(vec![json!({"id": 7, "status": {}})]),
        "odd and active" => Some(vec![json!(null), role("ACTIVE")]),
        _ => None,
    }
}

impl Lab {
    /// Okta says this of the roles of an account, and of no other.
    fn gives_roles(&self, id: &'static str, of: &str) {
        let mut all = self.groups.roles.lock().unwrap();
        all.clear();
        roles(of).into_iter().for_each(|roles| drop(all.insert(id, roles)));
    }
}

/// Known administrators are one tier up; who may be one is not.
#[rstest]
#[case::low("okta-add-to-group", "active", Risk::Medium, Some(true))]
#[case::medium("suspend-okta-account", "active", Risk::High, Some(true))]
#[case::high_stays("okta-deactivate", "active", Risk::High, Some(true))]
#[case::by_a_group("suspend-okta-account", "by a group", Risk::High, Some(true))]
#[case::one_odd_item_hides_no_other("suspend-okta-account", "odd and active", Risk::High, Some(true))]
#[case::inactive("suspend-okta-account", "inactive", Risk::Medium, Some(false))]
#[case::none("suspend-okta-account", "none", Risk::Medium, Some(false))]
#[case::not_told("suspend-okta-account", "403", Risk::Medium, None)]
#[case::not_readable("suspend-okta-account", "odd", Risk::Medium, None)]
#[case::several("okta-contain", "active", Risk::High, Some(true))]
#[tokio::test]
async fn a_known_administrator_is_one_tier_up(
    #[case] flow: &str,
    #[case] of: &str,
    #[case] risk: Risk,
    #[case] administers: Option<bool>,
) {
    let lab = Setup::default().lab();
    lab.gives_roles("00u1", of);
    let inputs = BTreeMap::from([("group".to_owned(), "Sales".to_owned())]);
    let inputs = if flow.contains("group") { inputs } else { BTreeMap::new() };
    let ask = || Ask { flow: flow.into(), inputs: inputs.clone(), ..ask(1) };
    let plan = prepare(&lab.desk, ask()).await.unwrap();
    assert_eq!((plan.risk, plan.blast.as_ref().unwrap().administers()), (risk, administers));
    assert_eq!(matches!(plan.confirm, Confirm::Login(_)), risk == Risk::High, "{:?}", plan.confirm);
    let again = prepare_to(&lab.desk, ask(), Depth::Target).await.unwrap();
    assert_eq!(
        (again.blast, again.request.digest()),
        (None, plan.request.digest()),
        "no part of what is sent"
    );
}

#[tokio::test]
async fn nobodys_roles_are_anothers() {
    let lab = Setup::default().lab();
    lab.gives_roles("00u2", "active");
    assert_eq!(lab.plan().await.blast.unwrap().administers(), None, "of 00u1 nobody may see any");
}

/// An account of another product is not told by Okta; that the person administers Okta counts all the same.
#[rstest]
#[case("none", None, Risk::Medium)]
#[case("active", Some(true), Risk::High)]
#[tokio::test]
async fn okta_does_not_speak_for_other_products(
    #[case] of: &str,
    #[case] administers: Option<bool>,
    #[case] risk: Risk,
) {
    let details = json!({"endUserDetails": {"id": "c1", "login": "ann"}, "providerEndUserDetails": [
        {"userId": "00u1", "provider": "OKTA", "login": "ann@okta.example"},
        {"userId": "aad-1", "provider": "AZURE_AD", "login": "ann@aad.example"}]});
    let lab = Setup { details, ..Setup::default() }.lab();
    lab.gives_roles("00u1", of);
    let of_aad = |flow: &&Flow| flow.product == Some(flow::Product::Aad) && flow.risk == Risk::Medium;
    let flow = lab.desk.flows.iter().find(of_aad).unwrap().id.clone();
    let plan = prepare(&lab.desk, Ask { flow, ..ask(1) }).await.unwrap();
    let blast = plan.blast.unwrap();
    assert_eq!((blast.administers(), plan.risk), (administers, risk), "{blast:?}");
    assert_eq!(blast.accounts, ["00u1"]);
}

/// Whoever becomes an administrator while the card stands open is asked for as one.
#[tokio::test]
async fn roles_are_looked_at_again_before_the_send() {
    for (of, is_stopped) in [("none", false), ("active", true)] {
        let lab = Setup::ends([answered(200)]).lab();
        lab.gives_roles("00u1", "none");
        let plan = lab.plan().await;
        lab.gives_roles("00u1", of);
        let ended = lab.run(&plan, &confirmed(&plan)).await;
        let said = ended.as_ref().err().map(ToString::to_string).unwrap_or_default();
        assert_eq!(said.contains("an administrator now (Super Administrator)"), is_stopped, "{of}: {said}");
        assert_eq!(lab.sends(), usize::from(!is_stopped), "{of}");
    }
}

/// A reason that is wanted from a risk on is wanted for whom that risk holds.
#[tokio::test]
async fn a_reason_is_wanted_for_the_raised_risk() {
    let guard = Guard { require_reason_from: Some(Risk::High), ..Guard::default() };
    for (of, is_wanted) in [("none", false), ("active", true)] {
        let lab = Setup { guard: guard.clone(), ..Setup::default() }.lab();
        lab.gives_roles("00u1", of);
        assert_eq!(lab.plan().await.reason_required, is_wanted, "{of}");
    }
}

#[tokio::test]
async fn a_plan_shows_the_request_the_target_and_what_it_asks_for() {
    let plan = Setup::default().lab().plan().await;
    assert_eq!(plan.confirm, Confirm::Word("suspend".into()));
    assert!(plan.request.body.contains(r#""entityIdInService":"00u1""#), "{}", plan.request.body);
    let facts: Vec<String> = plan.target.facts().iter().map(|f| format!("{}={}", f.name, f.value)).collect();
    assert!(
        facts.contains(&"status=ACTIVE".to_owned()) && facts.contains(&"id=00u1".to_owned()),
        "{facts:?}"
    );
    assert_eq!((plan.refusal.clone(), plan.needs_again.clone()), (None, None));
    assert!(plan.cannot_know.iter().any(|line| line.contains("sessions inside applications")));
    assert!(plan.cannot_know.iter().any(|line| line.contains("it may answer earlier")));
}

#[tokio::test]
async fn a_flow_that_only_opens_leads_to_a_page_and_plans_nothing() {
    let details = json!({"endUserDetails": {"login": "ann", "referenceUrl": "https://cii.example/ann"}});
    let mut lab = Setup { details, ..Default::default() }.lab();
    let desk = Arc::get_mut(&mut lab.desk).unwrap();
    desk.flows = preset::all().into();
    let page = page(&lab.desk, &ask(1)).await.unwrap().unwrap();
    assert_eq!(page.url.as_str(), "https://cii.example/ann");
    let offered = offers(&lab.desk, &Login::new("ann"), None, None).await.unwrap();
    assert!(offered.iter().all(|fit| fit.target == Ok(FitTarget::Page(page.clone()))));
    let error = prepare(&lab.desk, ask(1)).await.unwrap_err().to_string();
    assert!(error.contains("only opens a page"), "{error}");
    assert_eq!(lab.sends(), 0);
}

#[tokio::test]
async fn a_flow_that_runs_something_has_no_page() {
    assert_eq!(page(&Setup::default().lab().desk, &ask(1)).await.unwrap(), None);
}

#[rstest]
#[case("SUSPENDED", "already so: the account is SUSPENDED")]
#[case("DEPROVISIONED", "not legal from DEPROVISIONED")]
#[tokio::test]
async fn the_targets_state_refuses(#[case] status: &'static str, #[case] phrase: &str) {
    let lab = Setup { statuses: vec![status], ..Default::default() }.lab();
    let plan = lab.plan().await;
    assert!(plan.refusal.as_ref().unwrap().why.contains(phrase), "{:?}", plan.refusal);
    assert!(matches!(lab.run(&plan, &insisting(&plan)).await, Err(RunError::Refused(_))));
    assert_eq!(lab.acts(), Vec::<&str>::new());
}

#[rstest]
#[case("root")]
#[case("ANN@okta.example")]
#[case("c1")]
#[tokio::test]
async fn a_protected_name_refuses_by_any_of_its_names(#[case] entry: &str) {
    let guard = Guard { protected: vec![entry.to_owned()], ..Guard::default() };
    let plan = Setup { guard, ..Default::default() }.lab().plan().await;
    assert!(plan.refusal.unwrap().why.contains("protected"));
}

#[rstest]
#[case("group:Admins", true)]
#[case("root2", false)]
#[tokio::test]
async fn a_partial_answer_checks_no_protection_in_silence(#[case] entry: &str, #[case] is_refused: bool) {
    let fewer = dossier::Problem { path: vec!["getEndUser".into()], ..dossier::Problem::whole("drift") };
    let guard = Guard { protected: vec![entry.to_owned()], ..Guard::default() };
    let plan = Setup { guard, problems: vec![fewer], ..Default::default() }.lab().plan().await;
    let why = plan.refusal.map(|refusal| refusal.why);
    assert_eq!(why.is_some(), is_refused, "{why:?}");
    assert!(why.is_none_or(|why| why.contains("cannot tell whether they are protected")));
    let is_said = plan.cannot_know.iter().any(|line| line.contains("linked logins"));
    assert_eq!(is_said, !is_refused);
}

#[rstest]
#[case::in_a_protected_group("group:sales", false, Some("`guard.protected` holds `group:sales`"))]
#[case::in_another("group:admins", false, None)]
#[case::unread("group:admins", true, Some("cannot tell"))]
#[case::logins_alone("bob", true, None)]
#[tokio::test]
async fn the_groups_that_okta_knows_protect(
    #[case] entry: &str,
    #[case] is_hidden: bool,
    #[case] phrase: Option<&str>,
) {
    let guard = Guard { protected: vec![entry.to_owned()], ..Guard::default() };
    let lab = Setup { guard, is_member: true, ..Default::default() }.lab();
    *lab.groups.hides_groups.lock().unwrap() = is_hidden;
    let plan = lab.plan().await;
    let why = plan.refusal.clone().map(|refusal| refusal.why);
    assert_eq!(why.is_some(), phrase.is_some(), "{why:?}");
    assert!(phrase.is_none_or(|phrase| why.unwrap().contains(phrase)));
    if phrase.is_some() {
        assert!(matches!(lab.run(&plan, &insisting(&plan)).await, Err(RunError::Refused(_))));
        assert_eq!(lab.sends(), 0);
    }
}

#[rstest]
#[case::chosen("00u2", true)]
#[case::another_of_theirs("00u1", false)]
#[tokio::test]
async fn the_groups_of_the_account_that_was_chosen_protect(#[case] chosen: &str, #[case] is_refused: bool) {
    let record = |id: &str| json!({"userId": id, "provider": "OKTA", "login": id});
    let details = json!({"endUserDetails": {"id": "c1", "login": "ann"},
        "providerEndUserDetails": [record("00u1"), record("00u2")]});
    let guard = Guard { protected: vec!["group:sales".to_owned()], ..Guard::default() };
    let parts = vec![PartName::CiiDetails];
    let lab = Setup { guard, details, parts, is_member: true, ..Default::default() }.lab();
    *lab.groups.only.lock().unwrap() = Some("00u2");
    let error = prepare(&lab.desk, ask(1)).await.unwrap_err();
    let PlanError::Choose { accounts, .. } = error else { panic!("{error}") };
    let account = accounts.iter().find(|account| account.user_id.raw() == chosen).map(AccountName::of);
    let plan = prepare(&lab.desk, Ask { account, ..ask(1) }).await.unwrap();
    assert_eq!(plan.refusal.is_some(), is_refused, "{:?}", plan.refusal);
}

#[tokio::test]
async fn read_only_shows_and_sends_nothing() {
    let lab = Setup { mode: Mode::ReadOnly, ..Default::default() }.lab();
    let plan = lab.plan().await;
    assert!(plan.refusal.as_ref().unwrap().why.contains("read-only"));
    let hidden = Plan { refusal: None, ..plan };
    assert!(matches!(lab.run(&hidden, &insisting(&hidden)).await, Err(RunError::Refused(_))));
    assert_eq!(lab.sends(), 0);
}

#[tokio::test]
async fn what_cannot_be_read_is_said_and_the_login_is_used() {
    let lab = Setup { parts: vec![], ..Default::default() }.lab();
    let plan = lab.plan().await;
    assert!(matches!(&plan.target, Target::CannotTell(why) if why.contains("Okta is not configured")));
    assert!(plan.cannot_know.iter().any(|line| line.contains("given the login")));
    assert!(plan.request.body.contains(r#""entityIdInService":"ann""#));
    let group = Ask { flow: "okta-add-user-to-a-group".into(), ..ask(1) };
    let error = prepare(&lab.desk, group).await.unwrap_err().to_string();
    assert!(error.contains("Cisco Identity Intelligence is not configured"), "{error}");
}

#[tokio::test]
async fn anothers_finding_is_refused() {
    let at = Timestamp::UNIX_EPOCH;
    let finding = Finding {
        id: FindingId(7),
        login: Login::new("bob"),
        check: Check::default(),
        severity: Severity::High,
        state: FindingState::Open,
        assignee: None,
        disposition: None,
        closed_at: None,
        first_seen: at,
        last_seen: at,
        times: 1,
        version: 1,
    };
    let memory = Memory { finding: Some(finding), ..Default::default() };
    let lab = Setup { memory, ..Default::default() }.lab();
    let error = prepare(&lab.desk, Ask { finding: Some(FindingId(7)), ..ask(1) }).await.unwrap_err();
    assert_eq!(error.to_string(), "finding `7` is of `bob`, not of `ann`");
}

#[tokio::test]
async fn an_event_that_does_not_name_the_login_is_refused() {
    let lab = Setup::default().lab();
    let error = prepare(&lab.desk, Ask { event: Some(EventId(3)), ..ask(1) }).await.unwrap_err();
    assert!(matches!(error, PlanError::AnothersEvent { .. }));
}

#[test]
fn undo_is_the_inverse_where_it_can_be_run() {
    let flows = flows();
    let suspend = flows[0].clone();
    assert!(crate::domain::undo::words(&suspend, &flows).starts_with("unsuspend the account"));
    let inverse = Flow { inverse: Some("ispm-event-hook".into()), ..suspend };
    assert!(crate::domain::undo::words(&inverse, &flows).starts_with("flow `ispm-event-hook`"));
    assert!(crate::domain::undo::words(&inverse, &preset::all()).starts_with("unsuspend"));
    let silent = Flow { inverse: None, undo: String::new(), ..inverse };
    assert_eq!(crate::domain::undo::words(&silent, &flows), "nothing that is known here");
}

#[tokio::test]
async fn intent_send_receipt_then_the_proof() {
    let statuses = vec!["ACTIVE", "ACTIVE", "ACTIVE", "SUSPENDED"];
    let lab = Setup { statuses, ..Setup::ends([answered(200)]) }.lab();
    let plan = lab.plan().await;
    let (sender, mut progress) = mpsc::unbounded_channel();
    let action = only(lab.runner().run(&plan, &confirmed(&plan), sender).await.unwrap());
    assert_eq!(lab.acts(), ["intend", "sending", "call", "settle", "settle"]);
    assert_eq!((action.evidence, action.outcome), (Evidence::Verified, Outcome::Changed));
    let verified = action.receipt.as_ref().unwrap().verified.clone().unwrap();
    assert_eq!(verified, "re-read at 1970-01-01T00:00:00Z (request req-read): SUSPENDED, before ACTIVE");
    let mut told = Vec::new();
    while let Some(Told { step, progress }) = progress.recv().await {
        assert_eq!(step, None, "it is the only one");
        told.push(progress);
    }
    let done = Progress::Done(Box::new(action));
    let steps = [
        Progress::Intended,
        Progress::Sending,
        Progress::Answered(Some(200), Outcome::Accepted),
        Progress::Verifying,
        done,
    ];
    assert_eq!(told, steps);
}

#[rstest]
#[case(
    answered(200),
    "ACTIVE",
    Evidence::Acknowledged,
    Outcome::Accepted,
    Some("re-read 3 times, last at 1970-01-01T00:00:00Z (request req-read): still ACTIVE")
)]
#[case(answered(200), "", Evidence::Acknowledged, Outcome::Accepted, Some("could not be re-read: 429"))]
#[case(answered(504), "SUSPENDED", Evidence::Verified, Outcome::Changed, Some("re-read at"))]
#[case(CallEnd::Unknown("cut".into()), "ACTIVE", Evidence::Sent, Outcome::Unknown, Some("still ACTIVE"))]
#[case(answered(403), "SUSPENDED", Evidence::Acknowledged, Outcome::Refused, None)]
#[case(CallEnd::NotSent("dns".into()), "SUSPENDED", Evidence::Intended, Outcome::Failed, None)]
#[tokio::test]
async fn each_end_is_shown_as_what_is_proven(
    #[case] end: CallEnd,
    #[case] after: &'static str,
    #[case] evidence: Evidence,
    #[case] outcome: Outcome,
    #[case] verified: Option<&str>,
) {
    let lab = Setup { statuses: vec!["ACTIVE", "ACTIVE", after], ..Setup::ends([end]) }.lab();
    let plan = lab.plan().await;
    let action = lab.run(&plan, &confirmed(&plan)).await.unwrap();
    assert_eq!((action.evidence, action.outcome), (evidence, outcome));
    let said = action.receipt.unwrap().verified;
    assert_eq!(said.is_some(), verified.is_some(), "{said:?}");
    assert!(verified.is_none_or(|phrase| said.unwrap().contains(phrase)));
    assert_eq!(lab.sends(), 1);
}

#[tokio::test]
async fn what_does_not_rebuild_to_the_shown_digest_is_not_sent() {
    let lab = Setup::ends([answered(200)]).lab();
    let plan = lab.plan().await;
    let other = Confirmed { digest: "0".repeat(64), ..confirmed(&plan) };
    assert!(matches!(lab.run(&plan, &other).await, Err(RunError::NotWhatWasShown)));
    let mut edited = plan.clone();
    edited.request.body.push(' ');
    assert!(matches!(lab.run(&edited, &confirmed(&plan)).await, Err(RunError::NotWhatWasShown)));
    *lab.script.host.lock().unwrap() = "elsewhere".into();
    assert!(matches!(lab.run(&plan, &confirmed(&plan)).await, Err(RunError::NotWhatWasShown)));
    let mut flow = plan.clone();
    flow.flow.payload = PayloadShape::CiiEvent;
    assert!(matches!(lab.run(&flow, &confirmed(&flow)).await, Err(RunError::FlowChanged(_))));
    assert_eq!(lab.acts(), Vec::<&str>::new());
}

#[rstest]
#[case("LOCKED_OUT", "status was ACTIVE, is LOCKED_OUT")]
#[case("", "cannot be read any more")]
#[tokio::test]
async fn a_target_that_changed_goes_back_to_the_analyst(#[case] now: &'static str, #[case] phrase: &str) {
    let lab = Setup { statuses: vec!["ACTIVE", now], ..Setup::ends([answered(200)]) }.lab();
    let plan = lab.plan().await;
    let error = lab.run(&plan, &confirmed(&plan)).await.unwrap_err();
    assert!(matches!(error, RunError::TargetChanged(_)) && error.to_string().contains(phrase), "{error}");
    assert_eq!(lab.acts(), Vec::<&str>::new());
}

#[tokio::test]
async fn without_a_committed_intent_nothing_is_sent() {
    let memory = Memory { failing: Mutex::new(vec!["intend"]), ..Default::default() };
    let lab = Setup { memory, ..Setup::ends([answered(200)]) }.lab();
    let plan = lab.plan().await;
    let error = lab.run(&plan, &confirmed(&plan)).await.unwrap_err();
    assert!(matches!(error, RunError::Intend(IntendError::Store(_))));
    assert_eq!((lab.sends(), lab.runner().in_flight()), (0, 0));
}

#[tokio::test]
async fn a_send_that_cannot_be_recorded_is_not_made() {
    let memory = Memory { failing: Mutex::new(vec!["sending"]), ..Default::default() };
    let lab = Setup { memory, ..Setup::ends([answered(200)]) }.lab();
    let plan = lab.plan().await;
    let action = lab.run(&plan, &confirmed(&plan)).await.unwrap();
    assert_eq!((action.evidence, action.outcome), (Evidence::Intended, Outcome::NotSent));
    assert_eq!(lab.acts(), ["intend", "settle"]);
}

#[tokio::test]
async fn a_process_that_slept_through_its_lease_sends_nothing() {
    let lab = Setup::ends([answered(200)]).lab();
    let plan = lab.plan().await;
    let asleep = Runner::new(lab.desk.clone(), Pace { lease: SignedDuration::ZERO, ..pace() });
    let action = only(asleep.run(&plan, &confirmed(&plan), mpsc::unbounded_channel().0).await.unwrap());
    assert_eq!((action.outcome, lab.sends()), (Outcome::NotSent, 0));
    assert!(action.receipt.unwrap().error.unwrap().contains("lease"));
}

#[tokio::test]
async fn what_was_declared_dead_while_it_waited_for_its_place_does_not_leave() {
    let script = Script { paced: Some((Notify::new(), Notify::new())), ..Default::default() };
    let lab = Setup { script, ..Default::default() }.lab();
    let plan = lab.plan().await;
    let (queued, may_leave) = lab.script.paced.as_ref().unwrap();
    let declared_dead = async {
        queued.notified().await;
        lab.memory.actions.lock().unwrap()[0].outcome = Outcome::Unknown;
        may_leave.notify_one();
    };
    let confirmed = confirmed(&plan);
    let (action, ()) = tokio::join!(lab.run(&plan, &confirmed), declared_dead);
    let action = action.unwrap();
    assert_eq!((action.evidence, action.outcome, lab.sends()), (Evidence::Intended, Outcome::NotSent, 0));
    assert!(action.receipt.unwrap().error.unwrap().contains("not pending any more"));
}

/// A program that was stopped while it waited for its place holds a lease that nobody ended: it ran out all the same.
#[tokio::test]
async fn what_slept_through_its_lease_while_it_waited_for_its_place_does_not_leave() {
    let script = Script { paced: Some((Notify::new(), Notify::new())), ..Default::default() };
    let lab = Setup { script, ..Default::default() }.lab();
    let plan = lab.plan().await;
    let (queued, may_leave) = lab.script.paced.as_ref().unwrap();
    let asleep = async {
        queued.notified().await;
        *lab.now.lock().unwrap() += SignedDuration::from_secs(20);
        // Awake again, it renews its lease first, which nobody ended meanwhile.
        lab.memory.renewed.notified().await;
        lab.memory.renewed.notified().await;
        may_leave.notify_one();
    };
    let confirmed = confirmed(&plan);
    let (action, ()) = tokio::join!(lab.run(&plan, &confirmed), asleep);
    let action = action.unwrap();
    assert_eq!((action.evidence, action.outcome, lab.sends()), (Evidence::Intended, Outcome::NotSent, 0));
    assert_eq!(action.receipt.unwrap().error.unwrap(), "the lease ran out before a byte left");
}

#[rstest]
#[case(2, true)]
#[case(3, false)]
#[tokio::test]
async fn a_receipt_is_tried_again_and_never_dropped_silently(#[case] failures: usize, #[case] is_kept: bool) {
    let memory = Memory { failing: Mutex::new(vec!["settle"; failures]), ..Default::default() };
    let lab = Setup { memory, ..Setup::ends([answered(403)]) }.lab();
    let plan = lab.plan().await;
    match lab.run(&plan, &confirmed(&plan)).await {
        Ok(action) => assert!(is_kept && action.outcome == Outcome::Refused),
        Err(error) => assert!(!is_kept && error.to_string().contains("(answered 403)"), "{error}"),
    }
    assert_eq!(lab.sends(), 1);
}

#[tokio::test]
async fn the_same_again_has_to_be_insisted_on_and_the_same_action_never_runs_twice() {
    let lab = Setup::ends([answered(500), answered(200)]).lab();
    let plan = lab.plan().await;
    assert_eq!(lab.run(&plan, &confirmed(&plan)).await.unwrap().outcome, Outcome::Unknown);
    assert!(matches!(lab.run(&plan, &insisting(&plan)).await, Err(RunError::AlreadyRun(_))));
    *lab.now.lock().unwrap() += SignedDuration::from_hours(24);
    let next = prepare(&lab.desk, ask(2)).await.unwrap();
    assert!(next.needs_again.as_ref().unwrap().contains("unknown outcome"));
    assert!(matches!(lab.run(&next, &confirmed(&next)).await, Err(RunError::NeedsAgain(_))));
    assert_eq!(lab.sends(), 1);
    assert_eq!(lab.run(&next, &insisting(&next)).await.unwrap().outcome, Outcome::Accepted);
    assert_eq!(lab.sends(), 2);
}

#[tokio::test]
async fn the_same_account_through_another_login_is_the_same_subject() {
    let lab = Setup::ends([answered(500)]).lab();
    let plan = lab.plan().await;
    lab.run(&plan, &confirmed(&plan)).await.unwrap();
    let other = Ask { login: Login::new("root"), ..ask(2) };
    let next = prepare(&lab.desk, other).await.unwrap();
    assert_eq!((next.target_id.as_deref(), next.follows), (Some("00u1"), Some(plan.action)));
    assert!(matches!(lab.run(&next, &confirmed(&next)).await, Err(RunError::NeedsAgain(_))));
    assert_eq!(lab.sends(), 1);
}

#[tokio::test]
async fn insisting_covers_only_what_was_shown() {
    let lab = Setup::ends([answered(500), answered(200)]).lab();
    let (plan, meanwhile) = (lab.plan().await, prepare(&lab.desk, ask(2)).await.unwrap());
    assert_eq!(lab.run(&meanwhile, &confirmed(&meanwhile)).await.unwrap().outcome, Outcome::Unknown);
    let error = lab.run(&plan, &insisting(&plan)).await.unwrap_err();
    assert!(matches!(&error, RunError::NeedsAgain(why) if why.contains("unknown outcome")), "{error}");
    assert_eq!(lab.sends(), 1);
}

/// Another process ends the same between the last look and the intent.
#[rstest]
#[case(Outcome::Unknown)]
#[case(Outcome::Accepted)]
#[tokio::test]
async fn insisting_covers_nothing_that_came_after_the_last_look(#[case] outcome: Outcome) {
    let lab = Setup::ends([answered(500), answered(200)]).lab();
    let first = lab.plan().await;
    let action = lab.run(&first, &confirmed(&first)).await.unwrap();
    let next = prepare(&lab.desk, ask(2)).await.unwrap();
    let meanwhile = ActionId(uuid::Uuid::from_u128(77));
    *lab.memory.meanwhile.lock().unwrap() = Some(Action { id: meanwhile, outcome, ..action });
    let error = lab.run(&next, &insisting(&next)).await.unwrap_err();
    assert!(matches!(&error, RunError::Intend(IntendError::Meanwhile(id)) if *id == meanwhile), "{error}");
    assert_eq!(lab.sends(), 1);
}

#[tokio::test]
async fn what_never_left_may_be_tried_again_at_once() {
    let lab = Setup::ends([CallEnd::NotSent("dns".into()), answered(400)]).lab();
    let plan = lab.plan().await;
    assert_eq!(lab.run(&plan, &confirmed(&plan)).await.unwrap().evidence, Evidence::Intended);
    let next = prepare(&lab.desk, ask(2)).await.unwrap();
    assert_eq!(next.needs_again, None);
    assert!(lab.run(&next, &confirmed(&next)).await.is_ok());
}

#[tokio::test]
async fn a_reason_is_required_from_a_risk_on() {
    let guard = Guard { require_reason_from: Some(Risk::Medium), ..Default::default() };
    let lab = Setup { guard, ..Setup::ends([answered(400)]) }.lab();
    let plan = lab.plan().await;
    assert!(plan.reason_required);
    let blank = Confirmed { reason: Some("  ".into()), ..confirmed(&plan) };
    assert!(matches!(lab.run(&plan, &blank).await, Err(RunError::NeedsReason)));
    let given = Confirmed { reason: Some("INC-1".into()), ..blank };
    assert_eq!(lab.run(&plan, &given).await.unwrap().reason.as_deref(), Some("INC-1"));
}

#[tokio::test]
async fn a_run_whose_caller_left_still_keeps_its_receipt_and_its_lease() {
    let held = Some((Notify::new(), Notify::new()));
    let script = Script { held, ends: Mutex::new([answered(400)].into()), ..Default::default() };
    let lab = Setup { script, ..Default::default() }.lab();
    let plan = lab.plan().await;
    let runner = lab.runner();
    let (begun, may_end) = lab.script.held.as_ref().unwrap();
    {
        let confirmed = confirmed(&plan);
        let run = runner.run(&plan, &confirmed, mpsc::unbounded_channel().0);
        tokio::select! { _ = run => panic!("it is held"), () = begun.notified() => {} }
    }
    assert_eq!(runner.in_flight(), 1);
    // Once before the exchange, and again while it lasts.
    lab.memory.renewed.notified().await;
    lab.memory.renewed.notified().await;
    assert_eq!(runner.finish(Duration::ZERO).await, 1);
    let late = prepare(&lab.desk, ask(2)).await.unwrap();
    assert!(late.refusal.as_ref().unwrap().why.contains("still pending"));
    may_end.notify_one();
    assert_eq!(runner.finish(Duration::from_secs(60)).await, 0);
    let kept = lab.memory.actions.lock().unwrap()[0].clone();
    assert_eq!((kept.outcome, lab.sends()), (Outcome::Failed, 1));
    let stopped = runner.run(&plan, &confirmed(&plan), mpsc::unbounded_channel().0).await;
    assert!(stopped.is_err());
}

#[tokio::test]
async fn the_lease_holds_until_the_receipt_is_kept() {
    let memory = Memory { failing: Mutex::new(vec!["settle"]), ..Memory::default() };
    let lab = Setup { memory, ..Setup::ends([answered(400)]) }.lab();
    let plan = lab.plan().await;
    let runner =
        Runner::new(lab.desk.clone(), Pace { keep_again: vec![Duration::from_secs(3_600)], ..pace() });
    let confirmed = confirmed(&plan);
    let run = runner.run(&plan, &confirmed, mpsc::unbounded_channel().0);
    let renewed = async {
        for _ in 0..4 {
            lab.memory.renewed.notified().await;
        }
    };
    let renewed = tokio::time::timeout(Duration::from_secs(45), renewed);
    tokio::select! { _ = run => panic!("it cannot be kept yet"), renewed = renewed => renewed.unwrap() }
    assert_eq!(lab.sends(), 1);
}

#[tokio::test]
async fn a_stopping_program_sends_nothing_more() {
    let lab = Setup::ends([answered(200)]).lab();
    let plan = lab.plan().await;
    let runner = lab.runner();
    assert_eq!(runner.finish(Duration::ZERO).await, 0);
    let stopped = runner.run(&plan, &confirmed(&plan), mpsc::unbounded_channel().0).await;
    assert!(matches!(stopped, Err(RunError::Stopping)));
    assert_eq!(lab.acts(), Vec::<&str>::new());
}

#[tokio::test]
async fn an_account_of_a_login_that_nobody_knows_has_to_be_insisted_on() {
    let details = json!({"endUserDetails": {"id": "c1", "login": "ann"},
        "providerEndUserDetails": [{"userId": "00u1", "provider": "OKTA", "login": "ann"}]});
    let lab = Setup { details, ..Setup::ends([answered(400), answered(400)]) }.lab();
    let plan = lab.plan().await;
    assert!(plan.needs_again.as_ref().unwrap().contains("not a login known of `ann`"), "{plan:?}");
    assert!(matches!(lab.run(&plan, &confirmed(&plan)).await, Err(RunError::NeedsAgain(_))));
    assert_eq!(lab.sends(), 0);
    assert!(lab.run(&plan, &insisting(&plan)).await.is_ok());
}

#[tokio::test]
async fn a_target_that_was_not_read_is_never_verified() {
    let lab = Setup { parts: vec![PartName::CiiDetails], ..Setup::ends([answered(200)]) }.lab();
    let plan = lab.plan().await;
    let action = lab.run(&plan, &confirmed(&plan)).await.unwrap();
    assert_eq!((action.evidence, action.outcome), (Evidence::Acknowledged, Outcome::Accepted));
    assert!(!lab.people.trace.lock().unwrap().contains(&"read"));
}

/// Whatever the answers, the store's failures and the target's states are.
fn end() -> impl Strategy<Value = CallEnd> {
    prop_oneof![
        prop_oneof![Just(200u16), Just(400), Just(403), Just(500)].prop_map(answered),
        Just(CallEnd::NotSent("dns".into())),
        Just(CallEnd::Unknown("cut".into())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_three_nevers_hold(
        ends in proptest::collection::vec(end(), 1..4),
        failing in proptest::collection::vec(prop_oneof![Just("intend"), Just("sending"), Just("settle")], 0..6),
        statuses in proptest::collection::vec(prop_oneof![Just("ACTIVE"), Just("SUSPENDED"), Just("")], 1..12),
        insists in proptest::collection::vec(any::<bool>(), 1..5),
    ) {
        let memory = Memory { failing: Mutex::new(failing), ..Default::default() };
        let lab = Setup { memory, statuses, ..Setup::ends(ends) }.lab();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            for (n, insist) in (1u128..).zip(insists) {
                let plan = prepare(&lab.desk, ask(n)).await.unwrap();
                let confirmed = if insist { insisting(&plan) } else { confirmed(&plan) };
                let before = lab.sends();
                let ran = lab.run(&plan, &confirmed).await;
                assert!(lab.sends() - before <= 1);
                if let Ok(action) = ran {
                    let said = action.receipt.and_then(|receipt| receipt.verified);
                    assert!(action.evidence != Evidence::Verified || said.is_some_and(|t| t.contains("SUSPENDED")));
                }
            }
        });
        let acts = lab.acts();
        let count = |what: &str| acts.iter().filter(|act| **act == what).count();
        prop_assert!(count("call") <= count("sending") && count("sending") <= count("intend"));
        for (at, act) in acts.iter().enumerate().filter(|(_, act)| **act == "call") {
            prop_assert_eq!((*act, acts[at - 1], acts[at - 2]), ("call", "sending", "intend"));
        }
    }
}
