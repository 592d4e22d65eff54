//! States, made through `app::update`: its effects are answered from a small world.

use crate::many;
use idtriage::app::effect::RunAsk;
use idtriage::app::header::Receiver;
use idtriage::app::health::Kept;
use idtriage::app::journal::JournalSlice;
use idtriage::app::layout::Size;
use idtriage::app::log::{LogSlice, LogStep};
use idtriage::app::msg::{Answer, Motion, Msg};
use idtriage::app::state::Settings;
use idtriage::app::user::Pane;
use idtriage::app::{Effect, RequestId, Screen, State, update};
use idtriage::domain::access::Access;
use idtriage::domain::action::{Receipt, ShownRequest};
use idtriage::domain::blast::{Blast, Roles, Told};
use idtriage::domain::bulk::BulkState;
use idtriage::domain::counts::StateCounts;
use idtriage::domain::dossier::{AddressUsers, EndUserRef, LoadedPart, Problem};
use idtriage::domain::event::{Detail, EventDetail};
use idtriage::domain::iam_configuration::{ConfigurationChange, Onto};
use idtriage::domain::journal::query::{JournalQuery, Rows};
use idtriage::domain::journal::told::Told as RecordTold;
use idtriage::domain::journal::{Damage, Record, RecordKind, Verdict, Verifier};
use idtriage::domain::log::{LogAsk, LogQuery, LogRecord};
use idtriage::domain::look_up::{Assignment, LookUp, LookedUp};
use idtriage::domain::operation::Particulars;
use idtriage::domain::page::{
    Counted, Dropped, EventUser, From, NotifierHealth, Page, Sequence, StoreHealth, StoreStatus,
};
use idtriage::domain::plan::{Confirm, Fact, Fit, FitTarget, PageOf, Target, WebPage};
use idtriage::domain::subject::ProviderAccount;
use idtriage::domain::time::Zone;
use idtriage::domain::{
    Action, ActionId, Actor, Check, Disposition, Event, EventId, EventKind, Evidence, Finding, FindingId,
    FindingState, Flow, Login, Outcome, Part, PartName, Plan, Risk, Route, Severity, SourceHealth,
    SourceNote, SourceState, SourcesReport, Untrusted, preset,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

pub(crate) const ANN: &str = "ann@example.com";

/// `minutes` before the fixtures' now.
pub(crate) fn ago(minutes: i64) -> Timestamp {
    let now: Timestamp = "2026-03-04T10:00:00Z".parse().unwrap();
    now - SignedDuration::from_mins(minutes)
}

/// A console of a size, before anything came.
pub(crate) fn console(columns: u16, rows: u16) -> State {
    let settings = Settings {
        badge: Some("DEMO".into()),
        analyst: "kim".into(),
        actor: Actor { user: "kim".into(), host: "jump".into(), ..Actor::default() },
        parts: PartName::ALL.to_vec(),
        flows: flows().into(),
        profile_map: idtriage::domain::profile::ProfileMap::shipped(),
        prefetches: false,
        probes_calls: false,
        is_read_only: false,
        link_hosts: vec!["dashboard.example.com".into()],
        is_desktop: false,
        zone: Zone::Utc,
        bulk_limit: 50,
        arms_after: idtriage::app::state::ARMS_AFTER,
    };
    let mut state = State::new(ago(0), Size { columns, rows }, settings);
    tell(&mut state, Msg::ReceiverChanged(Receiver::ThisConsole));
    let source = |name: &str, refused| SourceHealth {
        state: SourceState::Running,
        refused: [("wrong or missing secret".to_owned(), refused)].into(),
        ..SourceHealth::new(name.into(), name, format!("/hooks/{name}"))
    };
    tell(&mut state, Msg::SourcesChanged([source("cii-webhook", 0), source("okta-event-hook", 2)].into()));
    state
}

/// Something happened: every effect is answered, as long as there are any.
pub(crate) fn tell(state: &mut State, msg: Msg) {
    let effects = update(state, msg);
    settle(state, effects);
}

fn settle(state: &mut State, mut effects: Vec<Effect>) {
    while let Some(effect) = effects.pop() {
        if let Some((request, answer)) = answer(effect) {
            effects.extend(update(state, Msg::Answered(request, answer)));
        }
    }
}

/// Starts the console, so that the feed comes.
pub(crate) fn started(columns: u16, rows: u16) -> State {
    let mut state = console(columns, rows);
    let effects = update::start(&mut state);
    settle(&mut state, effects);
    state
}

fn answer(effect: Effect) -> Option<(RequestId, Answer)> {
    let answer = |request, answer| Some((request, answer));
    match effect {
        Effect::LoadEvents { request, from, limit, query } => {
            let none = query != idtriage::domain::Query::default().without_records();
            let rows = if none { Vec::new() } else { page(from, limit) };
            answer(request, Answer::Events(Ok(Page { rows, next: None })))
        }
        Effect::CountEvents { request, .. } => {
            let counted = Counted { total: 12, critical: 2, is_capped: false };
            answer(request, Answer::Counted(Ok(counted)))
        }
        Effect::LoadHealth { request } => answer(request, Answer::Health(Ok(health()))),
        Effect::LoadKept { request } => answer(request, Answer::Kept(Ok(Box::new(kept())))),
        Effect::LoadEvent { request, id } => answer(request, Answer::Event(Ok(Some(Box::new(detail(id)))))),
        Effect::LoadEventUsers { request, .. } => {
            answer(request, Answer::EventUsers(Ok(Page { rows: event_users(), next: None })))
        }
        Effect::LoadSaid { request, logins, .. } => {
            let said = |login: Login| (login.clone(), said_of(&login));
            answer(request, Answer::Said(Ok(logins.into_iter().map(said).collect())))
        }
        Effect::LoadFindings { request, login } => {
            answer(request, Answer::Findings(Ok(Page { rows: findings(&login), next: None })))
        }
        Effect::LoadActions { request, login, .. } => {
            answer(request, Answer::Actions(Ok(Page { rows: actions(&login), next: None })))
        }
        Effect::LoadJournal { request, query, .. } => {
            answer(request, Answer::Journal(Ok(Box::new(slice(&query)))))
        }
        Effect::CheckChain { request } => answer(request, Answer::Chain(Ok(verdict()))),
        Effect::LoadExecutions { request, ids } => answer(request, Answer::Executions(Ok(executions(&ids)))),
        Effect::LoadPart { request, login, part: name } => answer(request, Answer::Part(login, part(name))),
        Effect::LoadAddress { request, .. } => answer(request, Answer::Address(address_users())),
        Effect::LoadLog { request, step: LogStep::First(query) } => answer(request, Answer::Log(log(&query))),
        Effect::LookUp { request, what } => answer(request, Answer::LookedUp(looked_up(&what).map(Box::new))),
        Effect::FitFlows { request, .. } => answer(request, Answer::Fits(Ok(fits()))),
        Effect::PreparePlan { request, ask, .. } => {
            answer(request, Answer::Prepared(Ok(Box::new(plan(&ask)))))
        }
        _ => None,
    }
}

fn health() -> StoreHealth {
    let last_received = Some(ago(2));
    StoreHealth { events: 12_585, quiet: 12_345, open_findings: 14, last_received, ..StoreHealth::default() }
}

fn kept() -> Kept {
    let dropped = |reason: &str, times, minutes| Dropped {
        reason: reason.into(),
        times,
        first: ago(9_000),
        last: ago(minutes),
    };
    Kept {
        status: StoreStatus {
            files: vec![("idtriage.db".into(), 734_003_200), ("idtriage-search.db".into(), 117_440_512)],
            events: 1_204_331,
            quiet: 1_100_000,
            raws: 700_123,
            raw_bytes: 671_088_640,
            oldest_raw: Some(ago(90_720)),
            findings: 2_041,
            actions: 31,
            records: 412,
            set_aside: 2,
            ..StoreStatus::default()
        },
        notifiers: vec![
            NotifierHealth {
                name: "security-channel".into(),
                told: Some(ago(12)),
                failing: None,
                lost: None,
            },
            NotifierHealth {
                name: "night".into(),
                told: Some(ago(400)),
                failing: Some((ago(130), "answered 503".into())),
                lost: Some(ago(500)),
            },
        ],
        dropped: vec![dropped("rule `hygiene\u{202e}`", 1_204, 2), dropped("filter of `okta-hook`", 7, 300)],
    }
}

/// Sources of every state, as another process said them to be.
pub(crate) fn report(at: Timestamp) -> SourcesReport {
    let source = |name: &str, source_type: &str, place: &str, state| SourceHealth {
        state,
        since: Some(ago(600)),
        accepted: 1_204,
        last_accepted: Some(ago(200)),
        ..SourceHealth::new(name.into(), source_type, place)
    };
    let waiting = SourceState::Waiting { until: ago(-3), why: "Okta answered 429".into() };
    let port = "address `127.0.0.1:8790` is taken: another program listens there\nhint: end it, or set another `address` in `[listen]`";
    let sources = vec![
        SourceHealth {
            accepted: 120,
            last_accepted: Some(ago(2)),
            refused: [("busy".to_owned(), 1), ("wrong or missing secret".to_owned(), 1_002)].into(),
            ..source("cii", "cii-webhook", "/hooks/cii", SourceState::Running)
        },
        SourceHealth {
            canary_seconds: Some(3_600),
            ..source("okta-hook", "okta-event-hook", "/hooks/okta", SourceState::Running)
        },
        SourceHealth {
            notes: vec![
                SourceNote::fact("the filter changed: a new reading began"),
                SourceNote::warning(
                    "possible gap: the cursor had aged out, and what was published in the ten minutes before may be missing",
                    ago(180),
                ),
                SourceNote::warning("its clock\u{1b}[2J is 4 minutes ahead of ours", ago(1)),
            ],
            ..source("okta-log", "okta-system-log", "acme.okta.com", waiting)
        },
        SourceHealth {
            again: Some(ago(-1)),
            accepted: 0,
            last_accepted: None,
            ..source("ispm", "ispm-webhook", "/hooks/ispm", SourceState::failed(port))
        },
    ];
    SourcesReport { receiver: "collect (pid 4711 on jump1)".into(), at, sources }
}

/// The screen of sources and store, while another process receives.
pub(crate) fn on_health(columns: u16, rows: u16) -> State {
    let mut state = started(columns, rows);
    let said = report(ago(0));
    tell(&mut state, Msg::ReceiverChanged(Receiver::Other(said.receiver.clone())));
    tell(&mut state, Msg::SourcesReported(said.into()));
    state.header.keep = Some(SignedDuration::from_hours(90 * 24));
    tell(&mut state, Msg::HealthAsked);
    state
}

/// Records of the System Log, newest first; a filter that is none is refused as Okta refuses it.
fn log(query: &LogQuery) -> Result<LogSlice, String> {
    if query.filter.as_deref() == Some("eventType eq") {
        return Err("E0000053: Okta's System Log answered 400: Invalid filter at 12. (request id r1)\n\
            hint: mend the filter or the times"
            .to_owned());
    }
    let records = [
        ("user.session.start", "DENY", ANN, "", "192.0.2.7", "Kyiv"),
        ("user.mfa.okta_verify.deny_push", "FAILURE", ANN, "", "192.0.2.7", "Kyiv"),
        (
            "user.session.impersonation.initiate",
            "SUCCESS",
            "admin@example.com",
            ANN,
            "2001:db8::1:2:3",
            "Austin",
        ),
        ("user.lifecycle.suspend", "SUCCESS", "idtriage\u{202e}", ANN, "", ""),
        ("policy.evaluate_sign_on", "CHALLENGE", "日本語@example.com", "", "198.51.100.9", "\u{1b}[2JParis"),
    ];
    let record = |(n, (kind, result, actor, target, address, city)): (
        usize,
        (&str, &str, &str, &str, &str, &str),
    )| {
        let target: Vec<_> = Some(target).filter(|it| !it.is_empty()).into_iter().collect();
        let target: Vec<_> = target.iter().map(|it| json!({"type": "User", "alternateId": it})).collect();
        let raw = json!({
            "uuid": n.to_string(), "published": ago(n as i64 * 7).to_string(), "eventType": kind,
            "outcome": {"result": result}, "actor": {"type": "User", "alternateId": actor}, "target": target,
            "client": {"ipAddress": address, "geographicalContext": {"city": city, "country": "Ukraine"}},
        });
        LogRecord::of(raw.to_string().into())
    };
    let records = records.into_iter().enumerate().map(record).collect();
    let clock_ahead = Some(SignedDuration::from_secs(90));
    Ok(LogSlice { records, next: Some("next".into()), clock_ahead, ..LogSlice::default() })
}

/// The System Log with a filter; its second page is being read.
pub(crate) fn on_log(columns: u16, rows: u16, filter: &str) -> State {
    let mut state = started(columns, rows);
    tell(&mut state, Msg::LogAsked(Box::new(LogAsk::default().with_filter(filter))));
    tell(&mut state, Msg::CursorMoved(Motion::Down));
    state
}

/// The same without what is not ASCII.
pub(crate) fn on_plain_log(columns: u16, rows: u16) -> State {
    let mut state = on_log(columns, rows, "");
    if let Some(Screen::Log(screen)) = state.stack.last_mut() {
        screen.rows.retain(|row| row.record.raw.is_ascii());
    }
    state
}

fn okta_account(n: usize, login: &str, status: &str) -> serde_json::Value {
    json!({
        "id": format!("00u{n:017}"), "status": status, "statusChanged": ago(3_000).to_string(),
        "lastLogin": ago(4_000).to_string(), "passwordChanged": null,
        "profile": {"login": login, "email": "shared@example.com", "department": "Finance\u{202e}"},
        "_links": {"self": {}, "unsuspend": {}, "deactivate": {}, "resetPassword": {}, "resetFactors": {}},
    })
}

/// What Okta answers to a look-up; whoever is nobody is refused as it refuses them.
fn looked_up(what: &LookUp) -> Result<LookedUp, String> {
    let people = [(ANN, "ACTIVE"), ("bob@example.com", "SUSPENDED"), ("日本語@example.com", "DEPROVISIONED")];
    let people = people.iter().enumerate().map(|(n, (login, status))| okta_account(n, login, status));
    match what {
        LookUp::User(key) if key == "nobody" => Err("E0000007: Okta knows no user `nobody`\n\
            hint: a whole login, a mail address or an id"
            .to_owned()),
        LookUp::User(key) => Ok(LookedUp::User(okta_account(1, key, "SUSPENDED"))),
        LookUp::Group(name) => {
            let group = json!({"id": "00g0000000000000001", "type": "OKTA_GROUP",
                "profile": {"name": name, "description": "everybody who sells between Lisbon and Kyiv"}});
            Ok(LookedUp::Group { group, members: Ok(people.collect()) })
        }
        LookUp::Configuration => {
            let entries =
                vec![json!({"ApplicationID": "0oa0000000000000001", "Name": "Payroll", "Instance": "prod"})];
            let filter = "((eventType eq \"application.user_membership.add\" or eventType eq \
                \"application.user_membership.remove\") and (target.id eq \"0oa0000000000000001\")) or \
                eventType eq \"user.account.update_profile\"";
            Ok(LookedUp::Configuration { entries, filter: Some(filter.to_owned()) })
        }
        LookUp::ConfigurationChange(said) => {
            let seen =
                Some(r#"[{"ApplicationID":"0oa1","Name":"Old name"},{"ApplicationID":"0oa9"}]"#.to_owned());
            ConfigurationChange::of(seen, said, Onto::LaidOver).map(LookedUp::ConfigurationChange)
        }
        LookUp::Fields => Ok(LookedUp::Fields(Vec::new())),
        LookUp::AppsOfUser(key) => {
            Ok(LookedUp::AppsOfUser { user: okta_account(1, key, "ACTIVE"), apps: Vec::new() })
        }
        LookUp::Apps(_) => Ok(LookedUp::Apps { apps: Vec::new(), has_more: false }),
        LookUp::Assignment { user, .. } => {
            let user = okta_account(1, user, "ACTIVE");
            Ok(LookedUp::Assignment { user, stands: Assignment::NotAssigned })
        }
    }
}

/// A look-up, answered.
pub(crate) fn on_look_up(columns: u16, rows: u16, what: LookUp) -> State {
    let mut state = started(columns, rows);
    tell(&mut state, Msg::LookUpAsked(what));
    state
}

fn page(from: From<EventId>, limit: usize) -> Vec<Event> {
    let keeps = |event: &Event| match from {
        From::Newest | From::Oldest => true,
        From::Before(id) => event.id < id,
        From::After(id) => event.id > id,
    };
    events().into_iter().filter(keeps).take(limit).collect()
}

fn check(id: &str, title: &str) -> Check {
    Check { id: id.into(), title: title.into() }
}

fn counts(open: u64, claimed: u64, closed: u64) -> StateCounts {
    StateCounts { open, claimed, snoozed: 0, closed }
}

/// An event of some users, published so many minutes ago.
pub(crate) fn event(id: i64, severity: Severity, check: Check, users: &[&str], minutes: i64) -> Event {
    Event {
        id: EventId(id),
        kind: EventKind::FailedCheck,
        source: "cii-webhook".into(),
        source_event_id: None,
        check,
        severity,
        severity_raw: severity.word().into(),
        user_count: users.len() as u64,
        first_users: users.iter().map(|login| Login::new(login)).collect(),
        times: 1,
        published: Some(ago(minutes)),
        received: ago(minutes),
        findings: counts(users.len() as u64, 0, 0),
        tags: Vec::new(),
    }
}

pub(crate) fn events() -> Vec<Event> {
    let travel = check("impossible-travel", "Impossible Travel");
    let mut events = vec![
        Event {
            tags: ["vip", "notify:on-call"].map(str::to_owned).into(),
            ..event(40, Severity::Critical, travel, &[ANN, "bo@example.com", "cy@example.com"], 2)
        },
        event(39, Severity::High, check("no-mfa", "No MFA Configured"), &["bo@example.com"], 9),
        Event {
            kind: EventKind::Test,
            findings: counts(0, 0, 0),
            ..event(38, Severity::Unknown, check("", "WebhookTest"), &[], 12)
        },
        Event {
            times: 3,
            findings: counts(0, 1, 0),
            ..event(37, Severity::Critical, check("mfa-flood", "MFA Flood"), &["hrms.serviceuser"], 44)
        },
        Event {
            received: ago(50),
            tags: ["hygiene", "quarterly-review"].map(str::to_owned).into(),
            user_count: 128,
            findings: counts(96, 2, 30),
            source: "okta-event-hook".into(),
            ..event(
                36,
                Severity::Medium,
                check("inactive-users", "Inactive Users"),
                &["dee@example.com"],
                180,
            )
        },
        Event {
            findings: counts(0, 0, 1),
            ..event(
                35,
                Severity::Low,
                check("unused-app", "Unused Application for a User"),
                &["a.very.long.login.of.somebody@subsidiary.example.com"],
                300,
            )
        },
        event(34, Severity::Info, check("rare-browser", "Rare Browser Activity"), &["eve@example.com"], 2000),
    ];
    let long = "Access From Dormant Account";
    let rest = 0..60;
    events.extend(rest.map(|n| {
        event(
            33 - n,
            Severity::ALL[n as usize % 5],
            check("dormant", long),
            &["fay@example.com"],
            3000 + n * 60,
        )
    }));
    events
}

/// Rows that are meant to break the screen.
pub(crate) fn hostile_events() -> Vec<Event> {
    let evil = "\u{202E}gnp.exe\u{1b}[2J\u{200B}\u{0}\nsecond\tline";
    let wide = "パスワード漏えいの疑い: 表示幅の広い見出しがここで切れる";
    vec![
        event(4, Severity::Critical, check(evil, evil), &[evil], 1),
        event(3, Severity::High, check("wide", wide), &["山田太郎@例え.jp"], 2),
        event(
            2,
            Severity::Medium,
            check("combining", "e\u{301}e\u{301}e\u{301} 👩\u{200D}💻 family"),
            &["👩@x"],
            3,
        ),
        event(1, Severity::Low, check("", ""), &[""], 4),
    ]
}

fn detail(id: EventId) -> EventDetail {
    let event = events().into_iter().find(|event| event.id == id).unwrap();
    EventDetail {
        event,
        description: vec![
            "The user signed in from Oslo, NO and 14 minutes later from Manila, PH. The two places are 9,650 km apart, which no traveller covers in that time.".into(),
            "Addresses: 203.0.113.7, 198.51.100.23".into(),
        ],
        recommended_actions: vec![
            "Ask the user, by another way than mail, whether both sign-ins were theirs.".into(),
            "If not: suspend the account, end its sessions and reset the password.".into(),
        ],
        reference_url: Some("https://dashboard.example.com/checks/impossible-travel".into()),
        raw: Some(json!({"detail": {"id": "e-40", "check": {"id": "impossible-travel"}, "users": [ANN]}}).to_string()),
    }
}

fn finding(id: i64, login: &str, severity: Severity, check: Check, state: FindingState) -> Finding {
    Finding {
        id: FindingId(id),
        login: Login::new(login),
        check,
        severity,
        state,
        assignee: (state == FindingState::Claimed).then(|| "kim".to_owned()),
        disposition: (state == FindingState::Closed).then_some(Disposition::BenignExpected),
        closed_at: (state == FindingState::Closed).then(|| ago(60)),
        first_seen: ago(4000),
        last_seen: ago(2),
        times: id as u64,
        version: 1,
    }
}

/// What the message says about one of its users, some of it hostile; nothing about the others.
fn said_of(login: &Login) -> Vec<Detail> {
    if login.raw() != ANN {
        return Vec::new();
    }
    let detail = |key: &str, value| Detail { key: key.into(), value };
    vec![
        detail("providersFailingChecks", json!(["providerFailingCheck-impossible-travel__OKTA__1f2e3d"])),
        detail("numberOfDays\u{1b}[2J", json!("{{numberOfDays}}")),
    ]
}

fn event_users() -> Vec<EventUser> {
    let travel = || check("impossible-travel", "Impossible Travel");
    let user = |id: i64, login: &str, state| EventUser {
        position: usize::try_from(id).unwrap() - 1,
        login: Login::new(login),
        finding: Some(finding(id, login, Severity::Critical, travel(), state)),
    };
    vec![
        user(1, ANN, FindingState::Open),
        user(2, "bo@example.com", FindingState::Claimed),
        user(3, "cy@example.com", FindingState::Closed),
    ]
}

fn findings(login: &Login) -> Vec<Finding> {
    let of = |id, severity, check, state| finding(id, login.raw(), severity, check, state);
    vec![
        of(1, Severity::Critical, check("impossible-travel", "Impossible Travel"), FindingState::Open),
        of(7, Severity::High, check("no-mfa", "No MFA Configured"), FindingState::Claimed),
        of(9, Severity::Low, check("unused-app", "Unused Application for a User"), FindingState::Closed),
    ]
}

fn actor() -> Actor {
    Actor { user: "kim".into(), analyst: None, host: "jump1".into(), tty: None, ssh_from: None }
}

pub(crate) fn action(
    login: &Login,
    outcome: Outcome,
    evidence: Evidence,
    receipt: Option<Receipt>,
) -> Action {
    let ask = RunAsk { login: login.clone(), ..RunAsk::default() };
    let plan = plan(&ask);
    Action {
        id: plan.action,
        step: None,
        is_test: false,
        undoes: None,
        undone: None,
        before: None,
        flow: plan.flow.id,
        verb: plan.flow.verb,
        risk: plan.flow.risk,
        login: plan.login,
        target_id: plan.target_id,
        account_login: None,
        finding: None,
        evidence,
        outcome,
        request: plan.request,
        receipt,
        reason: Some("confirmed by phone: not hers".into()),
        actor: actor(),
        at: ago(5),
    }
}

pub(crate) fn receipt(status: u16) -> Receipt {
    Receipt {
        status: Some(status),
        headers: vec![("content-type".into(), "application/json".into())],
        body: r#"{"status":"ok"}"#.into(),
        execution_id: Some("4632dc20-6989-4c57-9b5f-c17528474086".into()),
        at: Some(ago(4)),
        ..Receipt::default()
    }
}

fn actions(login: &Login) -> Vec<Action> {
    let unknown = Receipt { error: Some("timed out after 30 s".into()), ..Receipt::default() };
    let mut second = action(login, Outcome::Unknown, Evidence::Sent, Some(unknown));
    second.id = ActionId(uuid::Uuid::from_u128(2));
    second.at = ago(90);
    vec![action(login, Outcome::Accepted, Evidence::Acknowledged, Some(receipt(200))), second]
}

/// The journal, newest first: what was run, triaged and set, and a record that somebody changed.
pub(crate) fn records() -> Vec<Record> {
    let actor = json!({ "user": "root", "analyst": "kim", "host": "jump-1" });
    let [done, lost] = [1, 2].map(|n| ActionId(uuid::Uuid::from_u128(n)));
    let run = |id: ActionId, more: serde_json::Value| {
        let mut content = json!({ "action": id, "flow": "suspend-okta-account", "login": ANN });
        content.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        content
    };
    let triage = |login: &str, change| json!({ "login": login, "check_id": "no-mfa", "change": change, "actor": actor });
    let all = [
        (300, RecordKind::Setting, json!({ "setting": "quiet-hours", "value": "on", "actor": actor })),
        (120, RecordKind::Triage, triage("bob@example.com", json!({ "change": "claim" }))),
        (90, RecordKind::Intended, run(lost, json!({ "verb": "suspend the Okta account", "actor": actor }))),
        (88, RecordKind::Expired, run(lost, json!({ "evidence": "sent", "outcome": "unknown" }))),
        (
            60,
            RecordKind::Triage,
            triage(ANN, json!({ "change": "note", "text": "on leave\u{202e} until Monday" })),
        ),
        (
            30,
            RecordKind::Bulk,
            json!({ "bulk": many::id(), "flow": "clear-sessions", "users": 12, "state": "running", "actor": actor }),
        ),
        (
            20,
            RecordKind::Bulk,
            json!({ "bulk": many::id(), "flow": "clear-sessions", "state": "paused", "why": "`bo@example.com` is refused",
                "counts": "1 refused, 2 changed, 9 queued", "actor": actor }),
        ),
        (4, RecordKind::Intended, run(done, json!({ "verb": "suspend the Okta account", "actor": actor }))),
        (3, RecordKind::Settled, run(done, json!({ "evidence": "acknowledged", "outcome": "accepted" }))),
    ];
    let mut records: Vec<Record> = Vec::new();
    for (minutes, kind, content) in all {
        let head = records.last().map(Record::head);
        records.push(Record::after(head.as_ref(), ago(minutes), kind, content.to_string()));
    }
    records[1].kind = RecordKind::Unreadable;
    records[1].damage = Some(Damage { column: "kind", why: "is `seen`, which is none".into() });
    records.reverse();
    records
}

/// What became of the chain: it is broken where a record was changed.
fn verdict() -> Verdict {
    let records = records();
    let mut verifier = Verifier::new(None);
    let broken = records.iter().rev().find_map(|record| verifier.next(record).err());
    Verdict { head: verifier.head().cloned(), broken }
}

fn slice(query: &JournalQuery) -> JournalSlice {
    let all = records();
    let of = |id: ActionId| -> Vec<Record> {
        all.iter().filter(|record| RecordTold::of(record).action() == Some(id)).cloned().collect()
    };
    let is_row =
        |record: &&Record| match RecordTold::of(record).action().filter(|_| query.rows() == Rows::Actions) {
            Some(id) => {
                let of = of(id);
                of[0].seq == record.seq && query.matches_action(record, &of, ago(0))
            }
            None => query.matches(record, ago(0)),
        };
    let rows = all.iter().filter(is_row).cloned().collect();
    JournalSlice {
        page: Page { rows, next: None },
        actions: actions(&Login::new(ANN)),
        runs: vec![many::run(BulkState::Paused)],
        absent: Vec::new(),
    }
}

/// Two records of each execution.
fn executions(ids: &[String]) -> Vec<(String, Event)> {
    let record = |n: i64, kind: &str| Event {
        kind: EventKind::Execution,
        ..event(20 + n, Severity::Unknown, check(&format!("execution:{kind}"), kind), &[], 4)
    };
    let both =
        |id: &String| [record(0, "FLOW_START"), record(1, "FLOW_END")].map(|event| (id.clone(), event));
    ids.iter().flat_map(both).collect()
}

fn part(name: PartName) -> LoadedPart {
    let at = ago(3);
    match name {
        PartName::Cii => LoadedPart::Cii(Box::new(Part::whole(at, serde_json::from_value(cii()).unwrap()))),
        PartName::CiiDetails => {
            LoadedPart::CiiDetails(Box::new(Part::whole(at, serde_json::from_value(details()).unwrap())))
        }
        PartName::Okta => {
            let problem = Problem {
                path: Vec::new(),
                message: "the token has expired".into(),
                kind: Some("E0000011".into()),
                hint: Some("`idtriage doctor` checks it".into()),
            };
            LoadedPart::Okta(Box::new(Part::failed(at, problem)))
        }
        PartName::OktaRoles => LoadedPart::OktaRoles(Box::new(listed(
            at,
            json!([
                {"id": "ra1", "type": "APP_ADMIN", "label": "Application Administrator", "status": "ACTIVE",
                 "assignmentType": "GROUP"},
                {"id": "ra2", "type": "CUSTOM", "label": "Help desk", "status": "ACTIVE", "assignmentType": "USER",
                 "role": "cr01", "resource-set": "iam01"},
            ]),
        ))),
        PartName::OktaGroups => LoadedPart::OktaGroups(Box::new(listed(
            at,
            json!([
                {"id": "00g1", "type": "OKTA_GROUP", "profile": {"name": "Sales EMEA"}},
                {"id": "00g2", "type": "BUILT_IN", "profile": {"name": "Everyone"}},
            ]),
        ))),
        PartName::OktaApps => LoadedPart::OktaApps(Box::new(listed(
            at,
            json!([
                {"id": "0oa1", "name": "google", "label": "Google Workspace", "status": "ACTIVE"},
                {"id": "0oa2", "name": "wiki", "label": "", "status": "INACTIVE"},
            ]),
        ))),
        PartName::OktaFactors => LoadedPart::OktaFactors(Box::new(listed(
            at,
            json!([
                {"id": "opf1", "factorType": "push", "provider": "OKTA", "status": "ACTIVE", "created": "2025-06-01T08:00:00.000Z"},
                {"id": "sms1", "factorType": "sms", "provider": "OKTA", "status": "PENDING_ACTIVATION"},
            ]),
        ))),
        PartName::OktaActivity => {
            let record = json!({"uuid": "u1", "published": "2026-03-04T09:41:00.000Z", "eventType": "user.session.start",
             "outcome": {"result": "DENY", "reason": "POLICY_BLOCK"}, "actor": {"alternateId": ANN},
             "client": {"ipAddress": "203.0.113.7", "userAgent": {"browser": "FIREFOX"},
                        "geographicalContext": {"city": "Oslo", "country": "NO"}},
             "securityContext": {"risk": {"level": "HIGH"}}});
            let record = LogRecord::of(record.to_string().into());
            LoadedPart::OktaActivity(Box::new(Part::whole(at, vec![record])))
        }
    }
}

fn listed<T: serde::de::DeserializeOwned>(at: Timestamp, items: serde_json::Value) -> Part<Vec<T>> {
    Part::whole(at, serde_json::from_value(items).unwrap())
}

fn cii() -> serde_json::Value {
    let place = |city: &str, country: &str| json!({"city": city, "country": country});
    json!({
        "id": "cii-1", "displayName": "Ann Example", "login": ANN, "employeeId": ["7"], "status": "ACTIVE",
        "userTypeClassification": "INTERNAL", "managerLogin": "max@example.com", "phoneNumber": "+47 22 00 00 00",
        "ipAddresses": [
            {"ipAddress": "203.0.113.7", "location": place("Oslo", "NO")},
            {"ipAddress": "198.51.100.23", "location": place("Manila", "PH")},
            {"ipAddress": "2001:db8::1"},
        ],
        "registeredLocationDetails": place("Oslo", "NO"),
        "workingLocationDetails": [
            {"location": place("Oslo", "NO"), "userLocationPrevalence": 91.5},
            {"location": place("Bergen", "NO"), "userLocationPrevalence": 7.25},
            {"location": place("Manila", "PH"), "userLocationPrevalence": 1.25},
        ],
        "usedApplications": ["Slack", "Salesforce", "Jira", "Workday"],
        "unusedApplications": ["Tableau", "Box"],
        "usedFactors": ["Okta Verify push", "SMS"],
        "referenceUrl": "https://dashboard.example.com/users/ann"
    })
}

fn details() -> serde_json::Value {
    json!({
        "endUserDetails": {
            "id": "cii-1", "login": ANN, "title": "Controller", "department": "Finance", "mfaEnabled": true,
            "groupNames": ["Finance", "VPN"], "linkedEndUserLogins": ["ann.admin@example.com"],
            "lastSignIn": {"timestamp": "2026-03-04T09:46:00Z", "result": "SUCCESS", "ipAddress": "198.51.100.23"}
        },
        "providerEndUserDetails": [
            {"userId": "00u1abc", "provider": "OKTA", "status": "ACTIVE"},
            {"userId": "0a1b-22", "provider": "AZURE_AD", "status": "ENABLED"},
        ]
    })
}

fn address_users() -> AddressUsers {
    let user = |id: &str, login: &str, name: &str| EndUserRef {
        id: id.into(),
        display_name: Some(name.into()),
        login: Login::new(login),
        reference_url: None,
    };
    AddressUsers {
        users: vec![user("1", ANN, "Ann Example"), user("2", "bo@example.com", "Bo Example")],
        problems: Vec::new(),
        is_cut: true,
    }
}

fn account() -> ProviderAccount {
    ProviderAccount { provider: "OKTA".into(), user_id: "00u1abc".into(), login: Login::new(ANN) }
}

fn issue() -> WebPage {
    WebPage { url: "https://ispm.example.com/issues/Alert_7".parse().unwrap(), of: PageOf::Finding }
}

/// The presets; some have an address.
fn flows() -> Vec<Flow> {
    let runnable = |at: usize, flow: Flow| match at {
        0 | 1 | 3 | 7 => {
            let url = Some("https://acme.workflows.okta.com/api/flo/1/invoke".to_owned());
            Flow { route: Route::ApiEndpoint, url, ..flow }
        }
        _ => flow,
    };
    preset::all().into_iter().enumerate().map(|(at, flow)| runnable(at, flow)).collect()
}

fn fits() -> Vec<Fit> {
    let all = flows().into_iter().enumerate().map(|(at, flow)| {
        let target = match at {
            0 => Ok(FitTarget::Account(account())),
            1 => Ok(FitTarget::Login(Login::new(ANN))),
            7 => Ok(FitTarget::Router(None)),
            8 => Ok(FitTarget::Page(issue())),
            _ => Err(flow.unrunnable().unwrap_or_else(|| "no account is known".to_owned())),
        };
        Fit { is_suggested: at < 2, flow, target }
    });
    all.collect()
}

/// The plan of suspending somebody's Okta account.
pub(crate) fn plan(ask: &RunAsk) -> Plan {
    let mut flow = preset::flow("suspend-okta-account").unwrap();
    flow.route = Route::ApiEndpoint;
    let body = json!({
        "eventId": "00000000-0000-0000-0000-000000000001", "eventSource": "idtriage", "eventType": "issue.onDemand",
        "issueSeverity": "Critical", "issueTitle": "Impossible Travel", "entityIdInService": "00u1abc",
        "entityDisplayName": ANN, "entityType": "Account", "issueRiskAndImpact": ""
    });
    Plan {
        action: ActionId(uuid::Uuid::from_u128(1)),
        step: None,
        is_test: false,
        undoes: None,
        caveats: flow.caveats.clone(),
        risk: Risk::Medium,
        access: Some(Access::CannotTell("its client token is tried at the call only".into())),
        blast: Some(blast()),
        confirm: Confirm::Word("suspend".into()),
        flow,
        login: ask.login.clone(),
        target_id: None,
        account_login: None,
        finding: ask.finding,
        request: ShownRequest {
            method: "POST".into(),
            url: "https://acme.workflows.okta.com/api/flo/0123456789abcdef0123456789abcdef/invoke".into(),
            headers: vec![
                ("content-type".into(), "application/json".into()),
                ("x-api-client-token".into(), "[secret]".into()),
                ("x-idtriage-operator".into(), "kim".into()),
            ],
            body: body.to_string(),
        },
        target: Target::Read {
            at: ago(0),
            from: "Okta",
            facts: vec![fact("status", "ACTIVE"), fact("id", "00u1abc")],
        },
        cannot_know: vec!["whether the flow behind the URL is the one that the preset describes".into()],
        needs_again: None,
        account_doubt: None,
        asked: Default::default(),
        made_of: Default::default(),
        unread: None,
        follows: None,
        refusal: None,
        undo: "unsuspend the account in Okta: groups and applications are kept".into(),
        verb: "suspend the Okta account".to_owned(),
        particulars: Particulars::default(),
        differences: Vec::new(),
        steps: Vec::new(),
        reason_required: true,
    }
}

/// How far a suspension of somebody ordinary reaches.
fn blast() -> Blast {
    let texts = |texts: &[&str]| Told::Is(texts.iter().map(|text| Untrusted::from(*text)).collect());
    Blast {
        accounts: vec!["00u1abc".to_owned()],
        elsewhere: None,
        roles: Roles::default(),
        called: Vec::new(),
        groups: texts(&["Sales EMEA", "Everyone"]),
        apps: texts(&["Google Workspace", "Slack", "Jira", "Workday", "Salesforce", "Wiki"]),
        findings: Told::Is(2),
        class: Told::Is("INTERNAL".into()),
    }
}

pub(crate) fn fact(name: &str, value: &str) -> Fact {
    Fact { name: name.into(), value: value.into(), kind: idtriage::domain::plan::FactKind::State }
}

/// The feed with the cursor on its second row and new rows waiting.
pub(crate) fn holding(columns: u16, rows: u16) -> State {
    let mut state = started(columns, rows);
    tell(&mut state, Msg::CursorMoved(Motion::Down));
    tell(&mut state, Msg::StoreChanged(Sequence { newest_event: 52, change: 9 }));
    state
}

pub(crate) fn on_event(columns: u16, rows: u16) -> State {
    let mut state = started(columns, rows);
    stand(&mut state);
    tell(&mut state, Msg::Opened);
    state
}

pub(crate) fn on_user(columns: u16, rows: u16, pane: Pane) -> State {
    let mut state = on_event(columns, rows);
    tell(&mut state, Msg::Opened);
    tell(&mut state, Msg::PaneChosen(pane));
    state
}

pub(crate) fn with_flows(columns: u16, rows: u16) -> State {
    let mut state = on_event(columns, rows);
    tell(&mut state, Msg::RemediateAsked);
    state
}

/// A card that has armed.
pub(crate) fn with_card(columns: u16, rows: u16) -> State {
    let mut state = with_flows(columns, rows);
    tell(&mut state, Msg::FlowChosen(0));
    stand(&mut state);
    state
}

/// What is there is drawn, and stands there long enough to have been read.
pub(crate) fn stand(state: &mut State) {
    let extent = crate::paint::extent(state);
    tell(state, Msg::Drawn(extent));
    later(state, 500);
}

/// Some milliseconds go by.
pub(crate) fn later(state: &mut State, millis: i64) {
    let now = state.now + SignedDuration::from_millis(millis);
    tell(state, Msg::Ticked(now));
}

/// A text is typed.
pub(crate) fn type_text(state: &mut State, text: &str) {
    for c in text.chars() {
        tell(state, Msg::Edited(tui_input::InputRequest::InsertChar(c)));
    }
}
