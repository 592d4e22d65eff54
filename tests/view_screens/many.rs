//! The card for many, and the screens of runs on many.

use crate::fixtures::*;
use crate::paint::{paint, text, written};
use idtriage::app::bulk::Which;
use idtriage::app::marks::Gathered;
use idtriage::app::msg::{Answer, Motion, Msg};
use idtriage::app::{Effect, Overlay, RequestId, State, update};
use idtriage::command::{Keymap, footer};
use idtriage::domain::action::Undone;
use idtriage::domain::blast::{Roles, Told};
use idtriage::domain::bulk::{BulkCounts, BulkEnd, BulkId, BulkRun, BulkState, BulkUser, Seal};
use idtriage::domain::many::{Mark, Planned};
use idtriage::domain::page::{Counted, Page};
use idtriage::domain::plan::{Refusal, Target};
use idtriage::domain::{ActionId, Actor, Evidence, FindingId, Login, Outcome, Plan, Risk};
use idtriage::view::Theme;
use rstest::rstest;
use std::collections::BTreeMap;

const PEOPLE: [&str; 8] = [
    "root@example.com",
    "bo@example.com",
    "cy@example.com",
    "dee@example.com",
    "eve.admin@example.com",
    "fay@example.com",
    "日本語@example.com",
    "a.very.long.login.of.somebody@subsidiary.example.com",
];

fn look(name: &str, state: &State) {
    look_in(name, state, &Theme::default());
}

fn look_in(name: &str, state: &State, theme: &Theme) {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name.to_owned(), written(state, theme));
    });
}

/// Something happened: what is asked about many is answered.
fn go(state: &mut State, msg: Msg) {
    let mut effects = update(state, msg);
    while let Some(effect) = effects.pop() {
        if let Some((request, answer)) = answer(effect) {
            effects.extend(update(state, Msg::Answered(request, answer)));
        }
    }
}

fn answer(effect: Effect) -> Option<(RequestId, Answer)> {
    Some(match effect {
        Effect::GatherUsers { request, .. } => {
            let mark =
                |(n, login): (i64, &str)| Mark { login: Login::new(login), finding: Some(FindingId(n)) };
            let marks = (1..).zip(PEOPLE).map(mark).collect();
            (request, Answer::Gathered(Ok(Gathered { marks, ..Gathered::default() })))
        }
        Effect::PlanMany { request, ask } => (request, Answer::ManyPlanned(Ok(planned(&ask)))),
        Effect::LoadBulks { request, .. } => {
            let rows = vec![run(BulkState::Paused), run(BulkState::Done)];
            (request, Answer::Bulks(Ok(Page { rows, next: None })))
        }
        Effect::LoadBulk { request, id: asked } => {
            let state = if asked == id() { BulkState::Paused } else { BulkState::Done };
            (request, Answer::Bulk(Ok(Some(Box::new(run(state))))))
        }
        Effect::LoadBulkUsers { request, which, .. } => {
            let shown = users().into_iter().filter(|user| which == Which::All || user.end.is_none());
            (request, Answer::BulkUsers(Ok(shown.collect())))
        }
        _ => return None,
    })
}

/// Of each kind one: refused, already so, a second name, doubted, without a plan, an administrator, and others.
fn planned(ask: &idtriage::app::effect::RunAsk) -> Planned {
    let of = |n: usize, login: &str| Plan {
        login: Login::new(login),
        target_id: Some(format!("00u{}", n.min(6))),
        reason_required: false,
        ..plan(ask)
    };
    let mut plans: Vec<Plan> = PEOPLE.iter().enumerate().map(|(n, login)| of(n, login)).collect();
    plans[0].refusal = Some("protected: `guard.protected` holds `root@example.com`".to_owned().into());
    plans[1].refusal = Some(Refusal::no_change("the account is SUSPENDED already"));
    plans[2].needs_again = Some("the same was done less than ten minutes ago: action 7 (3m, changed)".into());
    plans[3].target = Target::CannotTell("Okta answered 503".into());
    if let Some(blast) = &mut plans[4].blast {
        blast.roles = Roles { held: vec!["Super Administrator".into()], untold: None };
    }
    plans[4].risk = Risk::High;
    let unplanned = Mark { login: Login::new("gil@example.com"), finding: None };
    let why = "flow `suspend-okta-account` does not fit `gil@example.com`: no account is known".to_owned();
    Planned { plans, unplanned: vec![(unplanned, why)] }
}

/// The card for many, armed.
pub(crate) fn with_many(columns: u16, rows: u16) -> State {
    let mut state = on_event(columns, rows);
    go(&mut state, Msg::AllMarksToggled);
    go(&mut state, Msg::RemediateAsked);
    go(&mut state, Msg::FlowChosen(0));
    stand(&mut state);
    state
}

pub(crate) fn id() -> BulkId {
    BulkId(uuid::Uuid::from_u128(0x1234_5678_9abc_4def_8123_4567_89ab_cdef))
}

pub(crate) fn run(state: BulkState) -> BulkRun {
    let mut counts = BulkCounts::default();
    for (outcome, n) in [(Some(Outcome::Changed), 11), (Some(Outcome::Refused), 3), (None, 26)] {
        counts.add(outcome, n);
    }
    if state.is_over() {
        counts.add_undone(Outcome::Changed, 11);
    }
    BulkRun {
        id: if state == BulkState::Paused { id() } else { BulkId(uuid::Uuid::from_u128(7)) },
        flow: "suspend-okta-account".into(),
        verb: "suspend the Okta account".into(),
        risk: Risk::High,
        inputs: Default::default(),
        reason: Some("confirmed by phone\u{202e}: not theirs".into()),
        is_insisted: false,
        actor: Actor { user: "kim".into(), host: "jump1".into(), ..Actor::default() },
        at: ago(12),
        state,
        why: Some("`bo@example.com` is refused (answered 403): the token\u{1b}[2J lacks a scope".into()),
        held_until: None,
        seal: Some(Seal {
            flow: String::new(),
            acting: 38,
            limit: 50,
            people: String::new(),
            group: None,
            left_out: BTreeMap::from([("refused".to_owned(), 2)]),
        }),
        counts,
    }
}

fn users() -> Vec<BulkUser> {
    let end = |outcome, evidence, status, why: Option<&str>| BulkEnd {
        outcome,
        evidence,
        status,
        why: why.map(str::to_owned),
        action: Some(id().action(1)),
        at: ago(10),
        undone: None,
    };
    let undone = Undone {
        by: ActionId(uuid::Uuid::from_u128(0xab)),
        standing: Outcome::Accepted.word().to_owned(),
        at: ago(2),
    };
    let back = BulkEnd {
        undone: Some(undone),
        ..end(Outcome::Accepted, Some(Evidence::Acknowledged), Some(200), None)
    };
    let ends = [
        Some(BulkEnd::not_sent(Outcome::Refused, "protected: `guard.protected` holds it", ago(10))),
        Some(end(Outcome::Refused, Some(Evidence::Acknowledged), Some(403), Some("lacks\u{1b}[2J a scope"))),
        Some(end(Outcome::Changed, Some(Evidence::Verified), Some(200), None)),
        Some(end(Outcome::Unknown, Some(Evidence::Sent), None, Some("timed out after 60 s"))),
        Some(back),
        Some(BulkEnd::not_sent(Outcome::NoChange, "the account is SUSPENDED already", ago(10))),
        None,
        None,
    ];
    let user = |(position, (login, end)): (u32, (&str, Option<BulkEnd>))| BulkUser {
        position,
        login: Login::new(login),
        target_id: None,
        account_login: None,
        finding: None,
        made_of: Default::default(),
        doubts: Vec::new(),
        undoes: None,
        end,
    };
    (0..).zip(PEOPLE.into_iter().zip(ends)).map(user).collect()
}

pub(crate) fn on_bulk(columns: u16, rows: u16) -> State {
    let mut state = started(columns, rows);
    go(&mut state, Msg::BulksAsked);
    go(&mut state, Msg::Opened);
    go(&mut state, Msg::CursorMoved(Motion::Down));
    state
}

#[rstest]
#[case(60, 16)]
#[case(80, 24)]
#[case(120, 40)]
fn many(#[case] columns: u16, #[case] rows: u16) {
    look(&format!("many_{columns}x{rows}"), &with_many(columns, rows));
}

/// What has to be known before anybody is looked at stands above them, and is seen without scrolling.
#[rstest]
#[case(60, 16)]
#[case(80, 24)]
fn how_many_and_how_far_it_reaches_stand_on_the_first_screen(#[case] columns: u16, #[case] rows: u16) {
    let mut state = with_many(columns, rows);
    let Some(Overlay::Many(card)) = &mut state.overlay else { panic!("no card for many") };
    for plan in card.planned.plans.iter_mut().skip(4) {
        let blast = plan.blast.as_mut().unwrap();
        blast.roles = Roles { held: vec!["Super Administrator".into()], untold: None };
    }
    card.planned.plans[3].blast.as_mut().unwrap().groups = Told::CannotTell("Okta answered 503".into());
    stand(&mut state);
    let written = text(&paint(&state, &Theme::default()).0);
    let joined = written.lines().map(|line| line.trim_matches(['┃', ' '])).collect::<Vec<_>>().join(" ");
    let place = |words: &str| joined.find(words).unwrap_or_else(|| panic!("no {words} in\n{written}"));
    let places = [
        place("4 are acted on, 5 are left out"),
        place("3 of them: eve.admin@example.com"),
        place("reaches"),
        place("cannot tell: groups for 1; 2 groups, 6 apps, 8 other findings; sessions unknown"),
        place("Left out (5)"),
        place("root@example.com"),
    ];
    assert!(places.is_sorted(), "{places:?}\n{written}");
}

/// In few rows what is done to everybody is not said once more of each.
#[test]
fn in_few_rows_a_user_is_a_login_and_a_state() {
    let mut state = with_many(60, 16);
    let row = |state: &State| {
        let written = text(&paint(state, &Theme::default()).0);
        written.lines().find(|line| line.contains("fay@example.com")).map(str::to_owned)
    };
    for _ in 0..40 {
        tell(&mut state, Msg::CursorMoved(Motion::Down));
        if row(&state).is_some() {
            break;
        }
    }
    let fay = row(&state).unwrap();
    assert!(fay.contains("ACTIVE") && !fay.contains("suspend"), "{fay}");
}

#[test]
fn many_without_colour() {
    look_in("many_mono", &with_many(80, 24), &Theme::default().without_colour());
}

/// Everybody is left out: it is said first, and nothing is asked.
#[rstest]
#[case::so_already(
    "many_nothing_to_do",
    Refusal::no_change("already so: the account is SUSPENDED, there is nothing to change")
)]
#[case::refused("many_nobody", Refusal::from("protected: `guard.protected` holds it".to_owned()))]
fn many_of_whom_nobody_is_acted_on(#[case] name: &str, #[case] refusal: Refusal) {
    let mut state = with_many(60, 16);
    let Some(Overlay::Many(card)) = &mut state.overlay else { panic!("no card for many") };
    card.planned.unplanned.clear();
    card.planned.plans.iter_mut().for_each(|plan| plan.refusal = Some(refusal.clone()));
    stand(&mut state);
    look(name, &state);
}

#[rstest]
#[case(60, 16)]
#[case(80, 24)]
#[case(120, 40)]
fn bulk(#[case] columns: u16, #[case] rows: u16) {
    look(&format!("bulk_{columns}x{rows}"), &on_bulk(columns, rows));
}

#[test]
fn bulk_without_colour() {
    look_in("bulk_mono", &on_bulk(80, 24), &Theme::default().without_colour());
}

#[test]
fn bulks() {
    let mut state = started(80, 24);
    go(&mut state, Msg::BulksAsked);
    look("bulks_80x24", &state);
}

#[test]
fn marked() {
    let mut state = on_event(80, 24);
    go(&mut state, Msg::MarkToggled);
    go(&mut state, Msg::MarkToggled);
    look("marked_80x24", &state);
}

/// Who is marked is seen on the events that name them, without a colour too.
#[test]
fn marked_in_the_feed() {
    let mut state = started(60, 16);
    go(&mut state, Msg::AllMarksToggled);
    let lines = text(&paint(&state, &Theme::default().without_colour()).0);
    let sign_of = |words: &str| lines.lines().find(|line| line.contains(words)).unwrap().starts_with('*');
    assert!(sign_of("Impossible Tr") && sign_of("128 users") && sign_of("fay@"), "{lines}");
    assert!(!sign_of("WebhookTest") && !sign_of("hrms.service") && !sign_of("eve@"), "{lines}");
    let keys = offered(&state);
    assert!(keys.contains(&"* none".to_owned()) && keys[0].ends_with("marked"), "{keys:?}");
}

/// What arrived while users were marked is told beside them, and what has no room is left out.
#[rstest]
#[case::all_of_it(60, "8 marked · 33 new (7 critical)")]
#[case::how_many(34, "8 marked · 33 new ")]
#[case::no_room(24, "8 marked ")]
fn what_waits_stands_beside_the_marks(#[case] columns: u16, #[case] words: &str) {
    let mut state = started(columns, 16);
    go(&mut state, Msg::AllMarksToggled);
    state.feed.held = Counted { total: 33, critical: 7, is_capped: false };
    let lines = text(&paint(&state, &Theme::default()).0);
    assert!(lines.lines().nth(1).unwrap().trim_end().ends_with(words.trim_end()), "{lines}");
}

/// What is said of a card is not drawn into its border.
#[test]
fn a_notice_over_a_card_has_a_line_of_its_own() {
    let mut state = with_many(60, 16);
    let border = |state: &State| text(&paint(state, &Theme::default()).0).lines().nth(14).unwrap().to_owned();
    let before = border(&state);
    state.notice.fail(state.now, "copied nothing");
    let lines = text(&paint(&state, &Theme::default()).0);
    assert!(lines.lines().next().unwrap().contains("! copied nothing"), "{lines}");
    assert_eq!(border(&state), before, "{lines}");
}

/// The keys that are offered, first things first.
fn offered(state: &State) -> Vec<String> {
    let keymap = Keymap::new(&BTreeMap::new()).unwrap();
    footer(state, &keymap).into_iter().map(|(key, label)| format!("{key} {label}")).collect()
}

#[test]
fn what_cannot_be_done_with_a_run_is_not_offered() {
    let mut state = started(80, 24);
    go(&mut state, Msg::BulksAsked);
    assert_eq!(offered(&state).get(..3).unwrap(), ["enter open", "c go on", "S stop"]);
    go(&mut state, Msg::CursorMoved(Motion::Down));
    let done = offered(&state);
    assert!(!done.iter().any(|key| key.ends_with("go on") || key.ends_with("stop")), "{done:?}");
    assert!(!done.iter().any(|key| key.ends_with("pause")), "{done:?}");
    go(&mut state, Msg::Opened);
    assert_eq!(offered(&state).get(..3).unwrap(), ["f exceptions", "esc back", "enter person"]);
    go(&mut state, Msg::BulkFiltered);
    assert_eq!(offered(&state).first().unwrap(), "f waiting");
}

#[test]
fn a_run_that_waits_offers_to_go_on_first() {
    let mut state = on_bulk(80, 24);
    let keys = offered(&state);
    assert_eq!(keys.get(..4).unwrap(), ["c go on", "S stop", "f exceptions", "esc back"]);
    assert_eq!(keys.last().unwrap(), "? help");
    state.settings.is_read_only = true;
    assert_eq!(offered(&state).get(..3).unwrap(), ["f exceptions", "esc back", "enter person"]);
}

/// Asked for from a run, the list is where it was: nobody walks in circles.
#[test]
fn the_list_of_runs_is_gone_back_to() {
    let mut state = on_bulk(80, 24);
    assert_eq!(state.crumbs(), ["Feed", "runs on many", "run 12345678"]);
    go(&mut state, Msg::BulksAsked);
    assert_eq!(state.crumbs(), ["Feed", "runs on many"]);
}

/// However long the reason is why a run waits, it is read to its end where few rows are, and users are seen below it.
#[test]
fn why_a_run_waits_is_said_whole() {
    let state = on_bulk(60, 16);
    let (buffer, _) = paint(&state, &Theme::default());
    let written = text(&buffer);
    let joined: String = written.lines().map(|line| format!("{} ", line.trim())).collect();
    assert!(joined.contains("is refused (answered 403): the token<U+001B>[2J lacks a scope"), "{written}");
    assert!(joined.contains("mend it, then c goes on; S stops it for good"), "{written}");
    assert!(joined.contains("cy@example.com"), "{written}");
}

/// The question is never clipped, and no byte of a name or a reason reaches the screen as it came.
#[rstest]
#[case(20, 6)]
#[case(40, 10)]
#[case(60, 16)]
#[case(200, 50)]
fn no_size_breaks_them(#[case] columns: u16, #[case] rows: u16) {
    let mut card = with_many(columns, rows);
    for state in [&card, &on_bulk(columns, rows)] {
        let (buffer, _) = paint(state, &Theme::default());
        let text = text(&buffer);
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
    }
    if columns >= 40 {
        let (buffer, _) = paint(&card, &Theme::default());
        assert!(text(&buffer).contains("type how many"), "{}", text(&buffer));
    }
    // To its end and back.
    for motion in [Motion::End, Motion::Top] {
        tell(&mut card, Msg::CursorMoved(motion));
        paint(&card, &Theme::default());
    }
}
