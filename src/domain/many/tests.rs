use super::*;
use crate::domain::action::ShownRequest;
use crate::domain::blast::Roles;
use crate::domain::operation::Particulars;
use crate::domain::plan::{AccountDoubt, Confirm, Target};
use crate::domain::{ActionId, preset};
use rstest::rstest;

fn plan(login: &str, account: &str) -> Plan {
    let mut flow = preset::flow("suspend-okta-account").unwrap();
    flow.risk = Risk::Medium;
    Plan {
        access: None,
        action: ActionId(uuid::Uuid::nil()),
        step: None,
        is_test: false,
        undoes: None,
        verb: flow.verb.clone(),
        caveats: Vec::new(),
        risk: flow.risk,
        blast: Some(blast(None)),
        confirm: Confirm::Key,
        flow,
        login: Login::new(login),
        target_id: Some(account.to_owned()),
        account_login: None,
        finding: None,
        request: ShownRequest {
            method: "POST".into(),
            url: "https://x".into(),
            headers: Vec::new(),
            body: String::new(),
        },
        particulars: Particulars::default(),
        differences: Vec::new(),
        steps: Vec::new(),
        target: Target::CannotTell("not read".into()),
        cannot_know: Vec::new(),
        needs_again: None,
        account_doubt: None,
        asked: Default::default(),
        made_of: Default::default(),
        unread: None,
        follows: None,
        refusal: None,
        undo: String::new(),
        reason_required: false,
    }
}

fn blast(role: Option<&str>) -> Blast {
    let texts = |texts: &[&str]| Told::Is(texts.iter().map(|text| Untrusted::from(*text)).collect());
    Blast {
        accounts: Vec::new(),
        elsewhere: None,
        roles: Roles { held: role.into_iter().map(Untrusted::from).collect(), untold: None },
        called: Vec::new(),
        groups: texts(&["Everyone"]),
        apps: Told::CannotTell("403".into()),
        findings: Told::Is(2),
        class: Told::Is("INTERNAL".into()),
    }
}

fn planned(plans: impl IntoIterator<Item = Plan>) -> Planned {
    Planned { plans: plans.into_iter().collect(), unplanned: Vec::new() }
}

fn without_a_plan(login: &str) -> (Mark, String) {
    (Mark { login: Login::new(login), finding: None }, "does not fit".to_owned())
}

fn of_bob() -> AccountDoubt {
    AccountDoubt { why: "bob's".into(), login: Some(Login::new("bob")) }
}

/// One of each kind, in no order.
fn people() -> Planned {
    let refused = |login, why: Refusal, account: &str| Plan { refusal: Some(why), ..plan(login, account) };
    let admin = Plan { blast: Some(blast(Some("Super"))), risk: Risk::High, ..plan("ad", "00u1") };
    let doubted = Plan { needs_again: Some("a minute ago".into()), ..plan("do", "00u5") };
    let plans = vec![
        plan("pl", "00u0"),
        admin,
        refused("so", Refusal::no_change("is suspended"), "00u2"),
        refused("le", Refusal::not_legal("is gone"), "00u3"),
        plan("pl2", "00u0"),
        doubted,
        Plan { needs_again: Some("bob's".into()), account_doubt: Some(of_bob()), ..plan("al", "00u6") },
        refused("re", "protected".to_owned().into(), "00u4"),
    ];
    Planned { plans, unplanned: vec![without_a_plan("np")] }
}

#[test]
fn exceptions_stand_first_then_administrators_then_the_others() {
    let people = people();
    let all = stands(&people, false);
    let order: Vec<&str> = all.iter().map(|stand| stand.login.raw()).collect();
    assert_eq!(order, ["re", "np", "do", "al", "pl2", "le", "so", "ad", "pl"]);
    let kinds: Vec<Exception> = all.iter().filter_map(|stand| Some(stand.left_out.as_ref()?.0)).collect();
    assert_eq!(kinds, Exception::ALL);
}

#[test]
fn the_number_of_those_who_are_acted_on_is_asked_where_a_login_would_be() {
    let people = people();
    let all = sum(&stands(&people, false));
    assert_eq!(all.confirm, Some(ConfirmMany::Count(2)));
    assert!(all.is_raised);
    let insisted = sum(&stands(&people, true));
    assert_eq!(insisted.confirm, Some(ConfirmMany::Count(3)), "who is insisted on is acted on");
    assert!(insisted.confirm.unwrap().accepts(" 3 "));
    assert!(!ConfirmMany::Count(3).accepts("8"), "the number of those who are meant is another");
    assert_eq!(
        all.words(),
        "2 are acted on, 7 are left out: 1 refused, 1 cannot be planned, 1 to be insisted on, 1 to run alone, \
         1 under a second name, 1 not legal now, 1 already so"
    );
}

/// One answer for all of them names none.
#[rstest]
#[case(false)]
#[case(true)]
fn whose_account_may_be_anothers_is_run_alone_whatever_is_insisted_on(#[case] insists: bool) {
    let people = people();
    let all = stands(&people, insists);
    let why = all.iter().find(|stand| stand.login.raw() == "al").unwrap().left_out.clone();
    let said = "bob's: run it on them alone, saying `bob` (typed there, or with `--confirm`)".to_owned();
    assert_eq!(why, Some((Exception::Alone, said)));
}

#[rstest]
#[case(Risk::Low, ConfirmMany::Word("suspend".into()))]
#[case(Risk::Medium, ConfirmMany::Word("suspend".into()))]
#[case(Risk::High, ConfirmMany::Count(1))]
fn many_are_never_confirmed_by_a_key(#[case] risk: Risk, #[case] confirm: ConfirmMany) {
    let one = planned([Plan { risk, ..plan("a", "00u0") }]);
    assert_eq!(sum(&stands(&one, false)).confirm, Some(confirm));
}

#[test]
fn where_nobody_is_acted_on_nothing_is_asked() {
    let unplanned = vec![without_a_plan("a"), without_a_plan("b")];
    let people = Planned { plans: Vec::new(), unplanned };
    let all = sum(&stands(&people, true));
    assert_eq!((all.confirm.clone(), all.risk), (None, None));
    assert_eq!(all.words(), "nobody is acted on, 2 are left out: 2 cannot be planned");
}

/// A name that is left out takes nobody's place.
#[test]
fn of_the_names_of_an_account_one_is_acted_on() {
    let doubted = Plan { needs_again: Some("a minute ago".into()), ..plan("a", "00u0") };
    let people = planned([doubted, plan("b", "00u0"), plan("c", "00u0")]);
    let acted = |insists| {
        let all = stands(&people, insists);
        let logins: Vec<String> =
            all.iter().filter_map(Stand::acted_on).map(|plan| plan.login.to_string()).collect();
        logins.join(" ")
    };
    assert_eq!((acted(false).as_str(), acted(true).as_str()), ("b", "a"));
}

#[test]
fn what_is_reached_is_summed_up_and_what_nobody_can_tell_is_counted() {
    let unread = Plan { blast: None, ..plan("c", "00u7") };
    let admin = Plan { blast: Some(blast(Some("Super"))), ..plan("b", "00u1") };
    let (one, two, three) = (plan("a", "00u0"), admin, unread);
    let lines = reach(&[&one, &two, &three]);
    let words: Vec<(&str, &str)> = lines.iter().map(|line| (line.name, line.words.as_str())).collect();
    assert_eq!(
        words,
        [
            ("admins", "1 of them: b; cannot tell for 1"),
            ("class", "2 INTERNAL; cannot tell for 1"),
            ("groups", "2 memberships, 1 different; cannot tell for 1"),
            ("apps", "cannot tell for 3"),
            ("findings", "4 others that are open; cannot tell for 1"),
            ("sessions", "cannot tell: no call lists them"),
        ]
    );
    assert_eq!(lines[0].weight, Weight::Raises);
}

#[test]
fn a_row_names_the_account_that_is_acted_on_first() {
    let (login, plan) =
        (Login::new("ruth"), Plan { account_login: Some(Login::new("olga")), ..plan("ruth", "00u1") });
    let stand = |plan| Stand { login: &login, plan, left_out: None };
    assert_eq!(stand(Some(&plan)).whom(), "olga (ruth)");
    assert_eq!(stand(None).whom(), "ruth", "nobody knows the account yet");
}

#[test]
fn how_far_it_reaches_is_said_in_a_line_first_what_cannot_be_told() {
    let admin = Plan { blast: Some(blast(Some("Super"))), ..plan("ad", "00u1") };
    let unread = Plan { blast: None, ..plan("un", "00u2") };
    let mut told = plan("pl", "00u0");
    if let Some(blast) = &mut told.blast {
        blast.apps = Told::Is(vec!["Box".into(), "Zoom".into()]);
    }
    let line = |plans: &[&Plan]| {
        let line = reach_in_a_line(plans);
        (line.words, line.weight, who_administers(plans).map(|line| (line.words, line.weight)))
    };
    let (words, weight, admins) = line(&[&admin, &told]);
    assert_eq!(words, "cannot tell: apps for 1; 1 group, 2 apps, 4 other findings; sessions unknown");
    assert_eq!((weight, admins), (Weight::Unknown, Some(("1 of them: ad".to_owned(), Weight::Raises))));
    let (words, weight, admins) = line(&[&told]);
    assert_eq!(words, "no admin role, 1 group, 2 apps, 2 other findings; sessions unknown");
    assert_eq!((weight, admins), (Weight::Known, None));
    let (words, _, admins) = line(&[&unread]);
    assert_eq!(words, "cannot tell: groups for 1, apps for 1; class for 1, findings for 1, sessions unknown");
    assert_eq!(admins, Some(("cannot tell for 1".to_owned(), Weight::Unknown)));
}
