//! Undoing, looking again, and what arrives later, through the whole program, against a lab.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod support;

use idtriage::domain::action::ShownRequest;
use idtriage::domain::{Action, ActionId, Actor, Evidence, Login, Outcome, Risk};
use idtriage::store::{ActionFilter, Again, Basis, Lease};
use jiff::{SignedDuration, Timestamp};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use support::place::Place;
use support::screen::Screen;
use support::tenant::Tenant;
use support::wait;

fn started() -> (Tenant, Place) {
    let tenant = Tenant::start();
    let place = Place::with_lab(&tenant.lab);
    (tenant, place)
}

fn ran(place: &Place, words: &[&str], status: i32) -> Value {
    place.run_json(words).expect(status).json_lines().swap_remove(0)
}

fn words(action: &Value) -> [&str; 3] {
    ["flow", "outcome", "evidence"].map(|name| action[name].as_str().unwrap_or("nothing"))
}

fn id(action: &Value) -> &str {
    action["id"].as_str().unwrap()
}

fn sends(tenant: &Tenant) -> usize {
    tenant.lab.recorder().writes().len()
}

/// What is in the store, newest first.
fn actions(tenant: &Tenant, place: &Place) -> Vec<Action> {
    tenant.wait(async {
        let store = place.store();
        let page = store.actions(&ActionFilter::default(), None, 100).await.unwrap();
        store.close().await.unwrap();
        page.rows
    })
}

#[test]
fn a_suspension_is_undone_on_the_same_account_and_both_stand_in_the_journal() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let done = ran(&place, &["run", "okta-suspend", "--user", &login, "--yes"], 0);
    assert_eq!(words(&done), ["okta-suspend", "changed", "verified"]);
    let shown = place.run(&["undo", id(&done), "--dry-run"]).expect(0);
    assert!(shown.out.contains("lifecycle/unsuspend") && shown.out.contains(id(&done)), "{}", shown.out);
    assert_eq!(sends(&tenant), 1, "a dry run sends nothing");
    let asked = place.run(&["undo", id(&done)]).expect(2);
    assert!(asked.errors.contains("wants a confirmation"), "{}", asked.errors);
    let undone = ran(&place, &["undo", id(&done), "--yes"], 0);
    assert_eq!(words(&undone), ["okta-unsuspend", "changed", "verified"]);
    assert_eq!((&undone["undoes"], &undone["target"]), (&done["id"], &done["target"]));
    let user = place.run_json(&["okta", "user", "get", &login]).expect(0).out;
    assert!(user.contains(r#""status":"ACTIVE""#), "{user}");
    let records = place.run_json(&["journal", "list"]).expect(0).json_lines();
    let undoes: Vec<&Value> = records.iter().map(|record| &record["content"]["undoes"]).collect();
    assert!(undoes.contains(&&done["id"]), "{undoes:?}");
    place.run(&["journal", "verify"]).expect(0);
    // Undone already: there is nothing to change, and nothing is sent.
    let again = ran(&place, &["undo", id(&done), "--yes", "--again"], 0);
    assert_eq!((again["outcome"].as_str(), sends(&tenant)), (Some("no-change"), 2));
}

#[test]
fn a_group_is_left_and_joined_again_by_undoing_in_both_ways() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let input = "group=Sales EMEA";
    let left =
        ran(&place, &["run", "okta-remove-from-group", "--user", &login, "--input", input, "--yes"], 0);
    assert_eq!(words(&left), ["okta-remove-from-group", "changed", "verified"]);
    let joined = ran(&place, &["undo", id(&left), "--yes"], 0);
    assert_eq!(words(&joined), ["okta-add-to-group", "changed", "verified"]);
    let left_again = ran(&place, &["undo", id(&joined), "--yes", "--again"], 0);
    assert_eq!(words(&left_again), ["okta-remove-from-group", "changed", "verified"]);
    assert_eq!((&left_again["undoes"], sends(&tenant)), (&joined["id"], 3));
}

#[test]
fn what_nothing_undoes_says_why_and_sends_nothing() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let cleared = ran(&place, &["run", "okta-clear-sessions", "--user", &login, "--yes"], 0);
    let refused = place.run(&["undo", id(&cleared), "--yes"]).expect(1);
    assert!(
        refused.errors.contains("cannot be undone") && refused.errors.contains("signs in again"),
        "{}",
        refused.errors
    );
    let nobody = place.run(&["undo", "00000000-0000-0000-0000-000000000001", "--yes"]).expect(2);
    assert!(nobody.errors.contains("there is no action"), "{}", nobody.errors);
    assert_eq!(sends(&tenant), 1);
}

#[test]
fn a_lost_reply_that_nobody_followed_up_is_found_out_by_a_look_and_never_sent_again() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    tenant.fault("change-lost");
    let mut run = place.start(&["run", "okta-suspend", "--user", &login, "--yes"]);
    wait::until("the send", || sends(&tenant) == 1);
    // The looks right behind the send hang, and then whoever sent it is gone.
    tenant.fault("latency@okta=60000");
    wait::until("its end", || {
        actions(&tenant, &place).first().is_some_and(|run| run.outcome == Outcome::Unknown)
    });
    run.cut();
    tenant.lab.faults().clear_all();
    let all = place.run_json(&["journal", "check", "--unknown"]).expect(0).json_lines();
    assert_eq!(all.len(), 1);
    assert_eq!(words(&all[0]), ["okta-suspend", "changed", "verified"]);
    let seen = all[0]["receipt"]["verified"].as_str().unwrap();
    // No reply came: the System Log has kept which action the request said that it was.
    assert!(seen.contains("SUSPENDED, before ACTIVE") && seen.contains("by this request"), "{seen}");
    let log = all[0]["beside"].as_array().unwrap();
    assert!(log.iter().any(|note| note["event_type"] == "user.lifecycle.suspend"), "{log:?}");
    assert_eq!(sends(&tenant), 1, "a look sends nothing");
    let settled = place.run(&["journal", "check", id(&all[0])]).expect(0);
    assert!(
        settled.out.contains("nothing left to find out") && settled.out.contains("no evidence"),
        "{}",
        settled.out
    );
    place.run(&["journal", "verify"]).expect(0);
    let read_only = place.run(&["--read-only", "journal", "check", id(&all[0])]).expect(1);
    assert!(read_only.errors.contains("--read-only"), "{}", read_only.errors);
}

#[test]
fn what_the_log_says_of_a_request_stands_beside_its_action_by_the_id_of_the_request() {
    let (tenant, place) = started();
    let done = ran(&place, &["run", "okta-suspend", "--user", &tenant.login(3), "--yes"], 0);
    let checked = ran(&place, &["journal", "check", id(&done)], 0);
    let note = &checked["beside"][0];
    assert_eq!(
        (&note["event_type"], &note["relation"]),
        (&json!("user.lifecycle.suspend"), &json!("by this request"))
    );
    assert_eq!(checked["evidence"], "verified");
}

#[test]
fn an_action_that_broke_off_is_told_of_with_what_looks_at_it() {
    let (tenant, place) = started();
    let done = ran(&place, &["run", "okta-suspend", "--user", &tenant.login(3), "--yes"], 0);
    let gone = actions(&tenant, &place).remove(0);
    let gone = |n: u128, flow: &str| Action {
        id: ActionId(uuid::Uuid::from_u128(n)),
        flow: flow.into(),
        evidence: Evidence::Intended,
        outcome: Outcome::Pending,
        receipt: None,
        ..gone.clone()
    };
    // One may have left, the other was waiting for its turn.
    let (gone, unsent) = (gone(77, "okta-unsuspend"), gone(78, "okta-reactivate"));
    tenant.wait(async {
        let store = place.store();
        let until = Timestamp::now() - SignedDuration::from_secs(1);
        let lease = Lease { owner: "gone".to_owned(), until };
        let basis = Basis { same: Vec::new(), seen: Vec::new(), again: Again::No };
        for action in [&gone, &unsent] {
            store.intend(action, &lease, &basis).await.unwrap();
        }
        store.sending(gone.id, &lease).await.unwrap();
        store.close().await.unwrap();
    });
    let told = place.run(&["events", "list"]).expect(0);
    assert!(told.errors.contains(&format!("journal check {}", gone.id)), "{}", told.errors);
    assert!(place.run(&["events", "list"]).expect(0).errors.is_empty(), "it is said once");
    let checked = place.run(&["journal", "check", &gone.id.to_string()]).expect(4);
    assert!(checked.out.contains("unknown (sent)") && checked.out.contains("SUSPENDED"), "{}", checked.out);
    let checked = place.run(&["journal", "check", &unsent.id.to_string()]).expect(1);
    assert!(checked.out.contains("not-sent (intended)"), "{}", checked.out);
    assert_ne!(id(&done), gone.id.to_string());
}

#[test]
fn the_end_of_an_execution_that_is_configured_raises_the_action_that_its_receipt_names() {
    let (tenant, place) = started();
    let words_of = ["run", "suspend-okta-account", "--user", &tenant.login(3), "--yes", "--again"];
    let done = place.run_json(&words_of).json_lines().swap_remove(0);
    let execution = done["receipt"]["execution_id"].as_str().unwrap_or_else(|| panic!("{done}"));
    let record = |kind: &str| {
        json!({ "execution_id": execution, "event_type": kind, "timestamp": "2026-05-01T12:00:00Z" })
            .to_string()
    };
    let import = |kind: &str| {
        place.write("record.json", &record(kind));
        let file = place.path("record.json");
        place.run(&["import", file.to_str().unwrap()]).expect(0);
        actions(&tenant, &place).remove(0)
    };
    let before = import("FLOW_START");
    assert!(before.receipt.is_some_and(|receipt| receipt.ended.is_none()));
    let raised = import("FLOW_COMPLETE");
    let ended = raised.receipt.unwrap().ended.unwrap();
    assert_eq!(ended.event_type.raw(), "FLOW_COMPLETE");
    assert!(raised.evidence >= Evidence::Finished);
    place.run(&["journal", "verify"]).expect(0);
}

/// Done by somebody else: the store of ours knows nothing of it.
fn suspended_elsewhere(tenant: &Tenant, login: &str) {
    let elsewhere = Place::with_lab(&tenant.lab);
    ran(&elsewhere, &["run", "okta-suspend", "--user", login, "--yes"], 0);
}

/// A suspension of unknown outcome, of less than a minute ago, whose account is suspended by now.
fn one_that_is_open(tenant: &Tenant, place: &Place) -> Action {
    let login = tenant.login(3);
    let user = ran(place, &["okta", "user", "get", &login], 0);
    let account = id(&user).to_owned();
    suspended_elsewhere(tenant, &login);
    let open = suspension(&login, &account, Timestamp::now() - SignedDuration::from_secs(40));
    breaks_off(tenant, place, &open);
    open
}

fn suspension(login: &str, account: &str, at: Timestamp) -> Action {
    Action {
        id: ActionId(uuid::Uuid::from_u128(78)),
        step: None,
        is_test: false,
        undoes: None,
        undone: None,
        before: Some("ACTIVE".to_owned()),
        flow: "okta-suspend".into(),
        verb: "suspend the Okta account".to_owned(),
        risk: Risk::Medium,
        login: Login::new(login),
        target_id: Some(account.to_owned()),
        account_login: None,
        finding: None,
        evidence: Evidence::Intended,
        outcome: Outcome::Pending,
        request: ShownRequest {
            method: "POST".to_owned(),
            url: "https://acme.example/".to_owned(),
            headers: Vec::new(),
            body: String::new(),
        },
        receipt: None,
        reason: None,
        actor: Actor::default(),
        at,
    }
}

/// It was sent, and whoever sent it is gone.
fn breaks_off(tenant: &Tenant, place: &Place, open: &Action) {
    let at = open.at;
    tenant.wait(async {
        let store = place.store();
        let lease = Lease { owner: "gone".to_owned(), until: at + SignedDuration::from_secs(20) };
        store
            .intend(open, &lease, &Basis { same: Vec::new(), seen: Vec::new(), again: Again::No })
            .await
            .unwrap();
        store.sending(open.id, &lease).await.unwrap();
        store.expire_leases(at + SignedDuration::from_secs(25)).await.unwrap();
        store.close().await.unwrap();
    });
}

#[test]
fn whoever_collects_looks_by_itself_and_sends_nothing() {
    let (tenant, place) = started();
    let open = one_that_is_open(&tenant, &place);
    let before = sends(&tenant);
    let collecting = place.collect();
    let looked_at = || actions(&tenant, &place).into_iter().find(|action| action.id == open.id).unwrap();
    wait::until("the look that is due", || looked_at().receipt.is_some());
    // Somebody else suspended them: whoever looked says so, and credits nobody.
    let seen = looked_at();
    let said = seen.receipt.as_ref().and_then(|receipt| receipt.verified.clone()).unwrap();
    assert_eq!(seen.outcome, Outcome::Unknown);
    assert!(said.contains("SUSPENDED, before ACTIVE") && said.contains("by whom is not known"), "{said}");
    collecting.signal(Signal::SIGTERM);
    collecting.ended().expect(0);
    assert_eq!(sends(&tenant), before);
    place.run(&["journal", "verify"]).expect(0);
}

#[test]
fn a_console_says_at_its_start_what_is_unknown_and_looks_by_itself() {
    let (tenant, place) = started();
    one_that_is_open(&tenant, &place);
    let before = sends(&tenant);
    let mut screen = Screen::start(&place, &[], 120, 40);
    screen.shows("1 action of unknown outcome");
    screen.press("L");
    screen.shows("SUSPENDED, before ACTIVE");
    assert_eq!(sends(&tenant), before);
}

#[test]
fn a_look_that_read_nothing_takes_no_word_and_a_later_one_that_contradicts_a_word_unseats_it() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let account = id(&ran(&place, &["okta", "user", "get", &login], 0)).to_owned();
    let open = suspension(&login, &account, Timestamp::now() - SignedDuration::from_mins(30));
    breaks_off(&tenant, &place, &open);
    let open = open.id.to_string();
    let check = |status| place.run(&["journal", "check", &open]).expect(status).out;
    let say = |said: &str, more: &[&str]| {
        place.run(&[&["journal", "say", &open, said, "--reason", "they say so", "--yes"], more].concat())
    };
    tenant.fault("403@okta");
    let unread = check(4);
    assert!(unread.contains("could not be re-read"), "{unread}");
    let refused = say("changed", &[]).expect(1);
    assert!(refused.errors.contains("can be read again"), "{}", refused.errors);
    tenant.lab.faults().clear_all();
    check(4);
    say("changed", &[]).expect(0);
    let told = check(4);
    assert!(told.contains("changed, said by") && told.contains("contradicted by a re-read at"), "{told}");
    let plan = || place.run(&["run", "okta-suspend", "--user", &login, "--dry-run"]).out;
    assert!(plan().contains("has an unknown outcome"), "{}", plan());
    let listed = place.run(&["journal", "list", &format!("action:{open}")]).expect(0).out;
    assert!(listed.contains("a re-read contradicts: changed, said by"), "{listed}");
    // The word that the look bears out ends the asking.
    say("not-changed", &["--again"]).expect(0);
    assert!(!plan().contains("unknown outcome"), "{}", plan());
    place.run(&["journal", "verify"]).expect(0);
}

/// What the suite's flows of other products act on cannot be read from here.
const GOOGLE: &str = "suspend-google-workspace-user";

#[test]
fn where_nothing_can_be_read_an_analysts_word_ends_the_asking_and_stands_everywhere_as_a_word() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let at = Timestamp::now() - SignedDuration::from_mins(30);
    let lost = Action { flow: GOOGLE.into(), before: None, ..suspension(&login, "10001", at) };
    breaks_off(&tenant, &place, &lost);
    let id = lost.id.to_string();
    let say = |said: &str, more: &[&str]| {
        let words = ["journal", "say", &id, said, "--reason", "seen in the Admin Console"];
        place.run(&[&words, more].concat())
    };
    // Nothing tells how it ended, and the next run is held up for it.
    let checked = place.run(&["journal", "check", &id]).expect(4);
    assert!(checked.out.contains("cannot be read from here"), "{}", checked.out);
    let plan = || place.run(&["run", GOOGLE, "--user", &login, "--dry-run"]).out;
    assert!(plan().contains("has an unknown outcome"), "{}", plan());

    let asked = say("not-changed", &[]).expect(2);
    assert!(
        asked.errors.contains("wants a confirmation") && asked.errors.contains("not proved"),
        "{}",
        asked.errors
    );
    let read_only =
        place.run(&["--read-only", "journal", "say", &id, "changed", "--reason", "x", "--yes"]).expect(1);
    assert!(read_only.errors.contains("--read-only"), "{}", read_only.errors);
    assert!(actions(&tenant, &place).remove(0).receipt.is_none(), "neither kept anything");

    let kept = say("not-changed", &["--yes"]).expect(0);
    assert!(kept.out.contains("not changed, said by") && kept.out.contains("not proved"), "{}", kept.out);
    let now = actions(&tenant, &place).remove(0);
    assert_eq!((now.outcome, now.evidence), (Outcome::Unknown, Evidence::Sent), "it is no evidence");
    assert!(!plan().contains("unknown outcome"), "{}", plan());
    let unproven = place.run(&["journal", "check", "--unknown"]).expect(4);
    assert!(unproven.out.contains("not changed, said by"), "a word proves nothing: {}", unproven.out);
    let undo = place.run(&["undo", &id, "--dry-run"]).expect(1);
    assert!(undo.errors.contains("nothing to undo"), "{}", undo.errors);

    // The same once more is none; another is insisted on, and the journal has both.
    assert!(say("not-changed", &["--yes"]).expect(1).errors.contains("already"));
    let contradicted = say("changed", &["--yes"]).expect(2);
    assert!(contradicted.errors.contains("not changed, said by") && contradicted.errors.contains("--again"));
    say("changed", &["--yes", "--again"]).expect(0);
    let records =
        place.run_json(&["journal", "list", "kind:said", &format!("action:{id}")]).expect(0).json_lines();
    let said: Vec<&Value> = records.iter().map(|record| &record["content"]["said"]).collect();
    assert_eq!(said, [&json!("changed"), &json!("not-changed")]);
    assert_eq!(records[0]["content"]["instead_of"]["said"], "not-changed");
    let listed = place.run(&["journal", "list", "said:changed"]).expect(0);
    assert!(listed.out.contains("changed, said by") && listed.out.contains("not proved"), "{}", listed.out);
    let csv = place.run(&["journal", "export", "--csv", "kind:said"]).expect(0).out;
    assert!(csv.lines().next().unwrap().ends_with(",said") && csv.trim_end().ends_with(",changed"), "{csv}");
    place.run(&["journal", "verify"]).expect(0);
    assert_eq!(sends(&tenant), 0, "a word sends nothing");
}

#[test]
fn where_the_account_can_be_read_a_look_comes_before_anybodys_word() {
    let (tenant, place) = started();
    let open = one_that_is_open(&tenant, &place);
    let id = open.id.to_string();
    let say = || place.run(&["journal", "say", &id, "changed", "--reason", "I saw it end", "--yes"]);
    let refused = say().expect(1);
    assert!(refused.errors.contains(&format!("journal check {id}")), "{}", refused.errors);
    // It is as it was wanted, and nothing says by whom.
    let looked = place.run(&["journal", "check", &id]).expect(4);
    assert!(looked.out.contains("by whom is not known"), "{}", looked.out);
    say().expect(0);
    let told = ran(&place, &["journal", "check", &id], 4);
    assert_eq!(
        (&told["said"], &told["outcome"], &told["evidence"]),
        (&json!("changed"), &json!("unknown"), &json!("sent"))
    );
    place.run(&["journal", "verify"]).expect(0);
}
