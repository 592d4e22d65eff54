//! The look-up's screen as a state machine: messages in, effects out.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "app_support/mod.rs"]
#[expect(dead_code, reason = "each test file uses its part of this")]
mod app;

use app::{Desk, start};
use idtriage::app::look_up::{Content, LookUpScreen, Row, Tone};
use idtriage::app::msg::Motion;
use idtriage::app::{Answer, Effect, Msg, RequestId, Screen};
use idtriage::command::palette::meant_as;
use idtriage::domain::dossier::Problem;
use idtriage::domain::iam_configuration::{self, ConfigurationChange, Onto};
use idtriage::domain::look_up::{Assignment, LookUp, LookedUp};
use idtriage::domain::profile::{ProfileMap, attributes};
use rstest::rstest;
use serde_json::{Value, json};

const COLUMNS: usize = 118;

fn account(n: usize, status: &str) -> Value {
    let login = format!("user{n}@example.com");
    json!({
        "id": format!("00u{n:017}"), "status": status, "statusChanged": "2026-01-02T03:04:05.000Z",
        "profile": {"login": login, "email": "shared@example.com"},
        "_links": {"suspend": {"href": "x"}, "self": {"href": "x"}},
    })
}

fn application(n: usize) -> Value {
    json!({"id": format!("0oa{n:017}"), "label": format!("App {n}"), "name": format!("app_{n}"), "status": "ACTIVE"})
}

fn group(n: usize, name: &str) -> Value {
    json!({"id": format!("00g{n:017}"), "type": "OKTA_GROUP", "profile": {"name": name}})
}

fn asked(effects: &[Effect]) -> (RequestId, LookUp) {
    let asked = |effect: &Effect| match effect {
        Effect::LookUp { request, what } => Some((*request, what.clone())),
        _ => None,
    };
    effects.iter().find_map(asked).unwrap_or_else(|| panic!("nothing is looked up: {effects:?}"))
}

/// A line of the `:` prompt, answered.
fn shown(line: &str, answer: Result<LookedUp, &str>) -> Desk {
    let mut desk = Desk::settled(1);
    let (request, _) = asked(&typed(&mut desk, line));
    answered(&mut desk, request, answer);
    desk
}

fn typed(desk: &mut Desk, line: &str) -> Vec<Effect> {
    let (name, argument) = line.split_once(' ').unwrap_or((line, ""));
    desk.send(meant_as(name, argument).unwrap())
}

fn answered(desk: &mut Desk, request: RequestId, answer: Result<LookedUp, &str>) {
    let answer = answer.map(Box::new).map_err(str::to_owned);
    desk.send(Msg::Answered(request, Answer::LookedUp(answer)));
}

fn screen(desk: &Desk) -> &LookUpScreen {
    match desk.state.stack.last() {
        Some(Screen::LookUp(screen)) => screen,
        other => panic!("no look-up on top: {other:?}"),
    }
}

fn content(desk: &Desk) -> &Content {
    &screen(desk).came.as_ref().unwrap().1
}

/// The lines of the screen, as texts.
fn lines(desk: &Desk) -> Vec<String> {
    let line = |row: &Row<'_>| match row {
        Row::Heading(text) => (*text).to_owned(),
        Row::Fact { name, value, .. } => format!("{name}: {value}"),
        Row::Headings(headings) => headings.join("|"),
        Row::Item(item) => item.cells.join("|"),
    };
    screen(desk).rows(COLUMNS, &desk.state.settings.zone).iter().map(|(_, row)| line(row)).collect()
}

fn said(desk: &Desk) -> String {
    desk.state.notice.shown(desk.state.now).unwrap().clone().unwrap_err()
}

#[rstest]
#[case("okta-user ann@example.com", LookUp::User("ann@example.com".into()))]
#[case("okta-user-apps ann@example.com", LookUp::AppsOfUser("ann@example.com".into()))]
#[case("okta-apps", LookUp::Apps(None))]
#[case("okta-apps Sales force", LookUp::Apps(Some("Sales force".into())))]
#[case("okta-assignment 0oa1 ann smith", LookUp::Assignment { app: "0oa1".into(), user: "ann smith".into() })]
#[case("okta-group Sales EMEA", LookUp::Group("Sales EMEA".into()))]
#[case("okta-fields", LookUp::Fields)]
#[case("okta-config", LookUp::Configuration)]
fn a_line_of_the_prompt_is_a_question(#[case] line: &str, #[case] expected: LookUp) {
    let mut desk = Desk::settled(1);
    assert_eq!(asked(&typed(&mut desk, line)).1, expected);
    assert!(screen(&desk).is_reading() && desk.state.overlay.is_none());
    assert_eq!(desk.state.crumbs(), ["Feed", expected.crumb()]);
}

#[rstest]
#[case("okta-group", "")]
#[case("okta-assignment", "")]
fn what_is_missing_is_said(#[case] name: &str, #[case] argument: &str) {
    let why = meant_as(name, argument).unwrap_err();
    assert!(why.contains(name) && why.contains("wants"), "{why}");
}

#[test]
fn without_a_login_it_is_whom_the_cursor_names() {
    let mut desk = Desk::settled(1);
    assert_eq!(asked(&typed(&mut desk, "okta-user")).1, LookUp::User("user1@example.com".into()));
    let mut nobody = Desk::settled(0);
    assert!(typed(&mut nobody, "okta-user-apps").is_empty());
    assert!(said(&nobody).contains("name them") && nobody.state.stack.is_empty());
}

#[rstest]
#[case("ACTIVE", "can sign in: yes", Tone::Plain)]
#[case("SUSPENDED", "can sign in: no", Tone::Warning)]
#[case("LOCKED_OUT", "can sign in: no", Tone::Warning)]
#[case("SOMETHING_NEW", "can sign in: unknown", Tone::Warning)]
fn a_user_is_told_with_the_real_status(#[case] status: &str, #[case] can: &str, #[case] tone: Tone) {
    let desk = shown("okta-user user7@example.com", Ok(LookedUp::User(account(7, status))));
    let told = lines(&desk);
    for line in [&format!("status: {status}"), can, "mail: shared@example.com", "legal now: suspend"] {
        assert!(told.iter().any(|told| told == line), "`{line}` in {told:?}");
    }
    assert_eq!(content(&desk).words.0, tone);
}

#[test]
fn the_cursor_begins_where_enter_leads_somewhere() {
    let mut desk = shown("okta-user user7@example.com", Ok(LookedUp::User(account(7, "ACTIVE"))));
    assert_eq!(desk.send(Msg::CopyAsked), [Effect::CopyText("user7@example.com".into())]);
    desk.send(Msg::Opened);
    assert_eq!(desk.state.crumbs(), ["Feed", "Okta user", "user7@example.com"]);
    desk.send(Msg::WentBack);
    desk.send(Msg::CursorMoved(Motion::Top));
    assert_eq!(desk.send(Msg::CopyAsked), [Effect::CopyText("ACTIVE".into())]);
    assert!(desk.send(Msg::Opened).is_empty());
    assert!(said(&desk).contains("leads nowhere"));
    // Wherever the cursor is, the screen is about one person.
    desk.send(Msg::PersonOpened);
    assert_eq!(desk.state.crumbs().last().unwrap(), "user7@example.com");
}

#[test]
fn of_several_users_of_one_mail_address_none_is_taken() {
    let why = "2 users have this mail address: choose one by its id".to_owned();
    let users = vec![account(1, "ACTIVE"), account(2, "DEPROVISIONED")];
    let mut desk = shown("okta-user shared@example.com", Ok(LookedUp::Users(why.clone(), users)));
    assert_eq!(content(&desk).words, (Tone::Warning, why));
    assert!(content(&desk).facts.is_empty(), "nobody is told of as the one");
    desk.send(Msg::CursorMoved(Motion::Down));
    desk.send(Msg::Opened);
    assert_eq!(desk.state.crumbs().last().unwrap(), "user2@example.com");
}

#[test]
fn more_applications_than_are_held_are_said_to_be_there() {
    let apps: Vec<Value> = (0..1_000).map(application).collect();
    let mut desk = shown("okta-apps", Ok(LookedUp::Apps { apps, has_more: true }));
    let (tone, words) = &content(&desk).words;
    assert_eq!(*tone, Tone::Warning);
    assert!(words.contains("first 1000") && words.contains("there are more"), "{words}");
    desk.send(Msg::CursorMoved(Motion::End));
    assert_eq!(desk.send(Msg::CopyAsked), [Effect::CopyText(format!("0oa{:017}", 999))]);
    assert_eq!(screen(&desk).cursor.offset, 1_001 - desk.state.size.look_up_size().0);
}

#[test]
fn an_assigned_application_leads_to_how_the_user_stands_there() {
    let answer = LookedUp::AppsOfUser { user: account(7, "SUSPENDED"), apps: vec![application(3)] };
    let mut desk = shown("okta-user-apps shared@example.com", Ok(answer));
    assert_eq!(content(&desk).words.1, "1 application is assigned");
    assert_eq!(lines(&desk)[..2], ["login: user7@example.com", "status: SUSPENDED"], "whose these are");
    let (request, what) = asked(&desk.send(Msg::Opened));
    let app = format!("0oa{:017}", 3);
    assert_eq!(what, LookUp::Assignment { app, user: format!("00u{:017}", 7) }, "by the id that was read");
    let seen = json!({"id": "00u1", "status": "PROVISIONED", "scope": "GROUP", "credentials": {"userName": "ann.there"},
        "profile": {"role": "admin", "level": 3, "none": null}});
    let stands = Assignment::Assigned(seen);
    answered(&mut desk, request, Ok(LookedUp::Assignment { user: account(7, "ACTIVE"), stands }));
    let told = lines(&desk);
    for line in ["role: admin", "level: 3", "none: -", "name there: ann.there", "assigned by: GROUP"] {
        assert!(told.iter().any(|told| told == line), "`{line}` in {told:?}");
    }
}

#[rstest]
#[case(Assignment::NotAssigned, "not assigned: both are there")]
#[case(Assignment::NoSuchUser, "Okta knows no such user")]
#[case(Assignment::NoSuchApp, "Okta knows no such application: `:okta-apps` lists them")]
fn a_missing_assignment_has_three_answers(#[case] stands: Assignment, #[case] expected: &str) {
    let user = if stands == Assignment::NoSuchUser { Value::Null } else { account(7, "ACTIVE") };
    let desk = shown("okta-assignment 0oa1 ann@example.com", Ok(LookedUp::Assignment { user, stands }));
    assert_eq!(content(&desk).words, (Tone::Warning, expected.to_owned()));
}

#[test]
fn a_group_has_its_members_and_a_member_is_opened() {
    let members = Ok(vec![account(1, "ACTIVE"), account(2, "DEPROVISIONED"), account(3, "SUSPENDED")]);
    let answer = LookedUp::Group { group: group(1, "Sales"), members };
    let mut desk = shown("okta-group Sales", Ok(answer));
    assert_eq!(content(&desk).words.1, "3 members, 1 of them deactivated");
    desk.send(Msg::CursorMoved(Motion::End));
    assert_eq!(desk.send(Msg::CopyAsked), [Effect::CopyText("user3@example.com".into())]);
    desk.send(Msg::Opened);
    assert_eq!(desk.state.crumbs(), ["Feed", "Okta group", "user3@example.com"]);
}

#[test]
fn members_that_cannot_be_read_are_no_empty_group() {
    let problem = Problem { hint: Some("`okta.groups.read`".into()), ..Problem::whole("403") };
    let desk =
        shown("okta-group Sales", Ok(LookedUp::Group { group: group(1, "Sales"), members: Err(problem) }));
    assert_eq!(content(&desk).error.as_deref(), Some("403\nhint: `okta.groups.read`"));
    assert!(content(&desk).list.is_none() && lines(&desk).contains(&"group: Sales".to_owned()));
}

#[test]
fn groups_that_only_begin_so_are_offered_and_each_leads_to_itself() {
    let groups = vec![group(1, "Sales EMEA"), group(2, "Sales US")];
    let why = "no group has exactly this name".to_owned();
    let mut desk = shown("okta-group Sales", Ok(LookedUp::Groups(why, groups)));
    assert_eq!(content(&desk).words.1, "no group has exactly this name: 2 groups may be meant");
    desk.send(Msg::CursorMoved(Motion::Down));
    assert_eq!(asked(&desk.send(Msg::Opened)).1, LookUp::Group(format!("00g{:017}", 2)));
    assert_eq!(desk.state.stack.len(), 2, "going back leads to the candidates");
}

#[test]
fn the_fields_of_a_profile_stand_beside_what_else_they_are_called() {
    let schema = json!({"definitions": {
        "custom": {"properties": {"badgeNumber": {"title": "Badge", "type": "string"}}},
        "base": {"required": ["login"], "properties": {"login": {"title": "Username", "type": "string"}}},
    }});
    let fields = attributes(&schema, &ProfileMap::shipped());
    let mut desk = shown("okta-fields", Ok(LookedUp::Fields(fields)));
    assert_eq!(content(&desk).words.1, "2 fields, 1 of them the org's own");
    let told = lines(&desk);
    assert_eq!(told[1..], ["login|Username, required|string|username", "badgeNumber|Badge, custom|string|"]);
    assert_eq!(desk.send(Msg::CopyAsked), [Effect::CopyText("login".into())]);
}

#[test]
fn the_filter_of_the_iam_configuration_leads_into_the_log() {
    let entries = vec![json!({"ApplicationID": "0oa1", "Name": "A", "Instance": "i"})];
    let filter = Some("target.id eq \"0oa1\"".to_owned());
    let mut desk = shown("okta-config", Ok(LookedUp::Configuration { entries, filter }));
    assert_eq!(lines(&desk), ["filter: target.id eq \"0oa1\"", "application|label|instance|id", "A||i|0oa1"]);
    desk.send(Msg::Opened);
    let Some(Screen::Log(log)) = desk.state.stack.last() else { panic!("no log") };
    assert_eq!(log.ask.filter, "target.id eq \"0oa1\"");
}

#[test]
fn every_sentence_fits_the_narrowest_screen() {
    let apps: Vec<Value> = (0..1_000).map(application).collect();
    let groups = || vec![group(1, "Sales EMEA"), group(2, "Sales US")];
    let configured = |entries| LookedUp::Configuration { entries, filter: None };
    let user = || account(7, "PASSWORD_EXPIRED");
    let assigned = |stands| LookedUp::Assignment { user: Value::Null, stands };
    let answers = [
        ("okta-user ann", LookedUp::User(user())),
        ("okta-user ann", LookedUp::User(account(7, "SOMETHING_NEW"))),
        ("okta-apps", LookedUp::Apps { apps, has_more: true }),
        ("okta-group Sales", LookedUp::Groups("more than one group has this name".into(), groups())),
        ("okta-config", configured(Vec::new())),
        ("okta-config", configured(vec![json!({})])),
        ("okta-assignment 0oa1 ann", assigned(Assignment::NoSuchApp)),
    ];
    for (line, answer) in answers {
        let desk = shown(line, Ok(answer));
        let words = &content(&desk).words.1;
        assert!(words.chars().count() <= 58, "{words}");
    }
}

#[test]
fn what_was_read_stays_while_it_is_read_anew_and_when_that_fails() {
    let mut desk = shown("okta-user user7@example.com", Ok(LookedUp::User(account(7, "ACTIVE"))));
    desk.advance(60_000);
    let first = asked(&desk.send(Msg::RefreshAsked)).0;
    assert!(screen(&desk).is_reading() && !lines(&desk).is_empty());
    let effects = desk.send(Msg::RefreshAsked);
    assert!(effects.contains(&Effect::Cancel(first)), "what nobody waits for is given up: {effects:?}");
    answered(&mut desk, first, Ok(LookedUp::User(account(7, "SUSPENDED"))));
    assert!(lines(&desk).contains(&"status: ACTIVE".to_owned()), "an answer that came too late is dropped");
    answered(&mut desk, asked(&effects).0, Err("Okta is throttling"));
    assert_eq!(screen(&desk).error.as_deref(), Some("Okta is throttling"));
    assert_eq!(screen(&desk).came.as_ref().unwrap().0, start(), "it says when that was read");
    let again = asked(&desk.send(Msg::RefreshAsked)).0;
    answered(&mut desk, again, Ok(LookedUp::User(account(7, "SUSPENDED"))));
    assert!(lines(&desk).contains(&"status: SUSPENDED".to_owned()) && screen(&desk).error.is_none());
}

#[test]
fn the_same_question_is_not_stacked_twice() {
    let mut desk = shown("okta-apps", Ok(LookedUp::Apps { apps: Vec::new(), has_more: false }));
    typed(&mut desk, "okta-apps");
    assert_eq!(desk.state.stack.len(), 1);
    typed(&mut desk, "okta-apps Sales");
    desk.send(Msg::WentBack);
    assert_eq!(screen(&desk).what, LookUp::Apps(None));
}

#[test]
fn what_came_is_shown_raw_too() {
    let apps = vec![application(3)];
    let mut desk = shown("okta-apps", Ok(LookedUp::Apps { apps, has_more: false }));
    desk.send(Msg::RawAsked);
    let Some(Screen::Raw(raw)) = desk.state.stack.last() else { panic!("no raw JSON") };
    assert!(raw.lines.iter().any(|line| line.contains("\"label\": \"App 3\"")), "{:?}", raw.lines);
}

fn changing(seen: Option<&str>) -> LookedUp {
    let said = iam_configuration::entries(r#"[{"ApplicationID":"0oa1","Name":"Sales"}]"#).unwrap();
    let change = ConfigurationChange::of(seen.map(str::to_owned), &said, Onto::LaidOver);
    LookedUp::ConfigurationChange(change.unwrap())
}

fn kept(effects: &[Effect]) -> Option<(RequestId, String)> {
    effects.iter().find_map(|effect| match effect {
        Effect::KeepConfiguration { request, change } => Some((*request, change.text())),
        _ => None,
    })
}

#[test]
fn a_change_of_the_iam_configuration_is_shown_before_it_is_kept_and_kept_once() {
    let line = r#"okta-config-set [{"ApplicationID":"0oa1","Name":"Sales"}]"#;
    let mut desk = shown(line, Ok(changing(None)));
    let words = screen(&desk).came.as_ref().unwrap().1.words.1.clone();
    assert!(words.contains("not kept yet") && lines(&desk).contains(&"comes: 0oa1 Sales".to_owned()));
    let (request, text) = kept(&typed(&mut desk, "okta-config-keep")).unwrap();
    assert_eq!(text, r#"[{"ApplicationID":"0oa1","Name":"Sales"}]"#);
    assert_eq!(kept(&typed(&mut desk, "okta-config-keep")), None, "once");
    let effects = desk.send(Msg::Answered(request, Answer::ConfigurationKept(Ok(()))));
    let again = asked(&effects).0;
    answered(&mut desk, again, Ok(changing(Some(&text))));
    assert_eq!(screen(&desk).came.as_ref().unwrap().1.words.1, "nothing would change");
    assert_eq!(kept(&typed(&mut desk, "okta-config-keep")), None, "there is nothing to be kept");
}

#[test]
fn what_somebody_wrote_meanwhile_is_shown_anew_and_read_only_keeps_nothing() {
    let line = r#"okta-config-set [{"ApplicationID":"0oa1","Name":"Sales"}]"#;
    let mut desk = shown(line, Ok(changing(None)));
    desk.state.settings.is_read_only = true;
    assert_eq!(kept(&typed(&mut desk, "okta-config-keep")), None);
    desk.state.settings.is_read_only = false;
    let (request, _) = kept(&typed(&mut desk, "okta-config-keep")).unwrap();
    let why = "somebody else has changed it meanwhile".to_owned();
    let effects = desk.send(Msg::Answered(request, Answer::ConfigurationKept(Err(why))));
    answered(&mut desk, asked(&effects).0, Ok(changing(Some(r#"[{"ApplicationID":"0oa2"}]"#))));
    let (_, text) = kept(&typed(&mut desk, "okta-config-keep")).unwrap();
    assert!(text.contains("0oa2") && text.contains("0oa1"), "laid over what is there now: {text}");
}
