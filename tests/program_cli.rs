//! The subcommands against a lab: what they print, and how they end.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod support;

use nix::sys::signal::Signal;
use rstest::rstest;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use support::payload::failed_check;
use support::place::{HOOK_SECRET, Place};
use support::poster::post;
use support::tenant::Tenant;
use support::wait;

/// The names of a JSON object, in order.
fn names(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn started() -> (Tenant, Place) {
    let tenant = Tenant::start();
    let place = Place::with_lab(&tenant.lab);
    (tenant, place)
}

const ACTION: [&str; 12] = [
    "id", "flow", "login", "target", "finding", "evidence", "outcome", "request", "receipt", "reason",
    "actor", "at",
];

#[test]
fn user_prints_every_part_with_its_age_and_its_error() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let ended = place.run_json(&["user", &login]).expect(0);
    let dossier = &ended.json_lines()[0];
    assert_eq!(dossier["login"], login.as_str());
    for part in names(dossier).into_iter().filter(|name| *name != "login") {
        assert_eq!(names(&dossier[part]), ["at", "error", "data"], "{part}");
        assert!(dossier[part]["error"].is_null(), "{part}: {}", dossier[part]);
    }
    assert!(dossier["okta"]["data"]["status"].is_string(), "{dossier}");
    assert!(place.run(&["user", &login]).expect(0).out.contains("okta, read "));
}

#[test]
fn demo_and_lab_refuse_files_that_they_would_not_use() {
    let place = Place::with_source();
    let config = place.config().display().to_string();
    for words in [["demo", "--config", &config], ["lab", "--store", "sqlite:/a.db"]] {
        let ended = place.run(&words).expect(2);
        assert!(ended.errors.contains(&format!("`{}` is not read here", words[1])), "{}", ended.errors);
    }
}

#[test]
fn a_part_that_fails_does_not_hide_the_others() {
    let (tenant, place) = started();
    tenant.fault("403@okta");
    let dossier = &place.run_json(&["user", &tenant.login(3)]).expect(0).json_lines()[0];
    assert!(!dossier["okta"]["error"].is_null() && !dossier["cii"]["data"].is_null(), "{dossier}");
    tenant.fault("403@cii");
    tenant.fault("403@token");
    place.run(&["user", &tenant.login(3)]).expect(1);
}

#[test]
fn what_a_rule_left_out_is_counted_and_told() {
    let place = Place::with_source();
    let config = fs::read_to_string(place.config()).unwrap();
    place.write_config(&format!(
        "{config}\n[store]\nkeep = \"90d\"\n\n\
         [[rule]]\nname = \"scanner\"\nwhen = \"user:scanner@example.com\"\nthen = {{ drop = true }}\n\n\
         [[rule]]\nwhen = \"check:no-mfa\"\nthen = {{ severity = \"low\", tag = \"hygiene\" }}\n"
    ));
    let collect = place.collect();
    for (id, login) in [("1", "scanner@example.com"), ("2", "ann@example.com"), ("1", "scanner@example.com")]
    {
        assert_eq!(post(place.listen(), HOOK_SECRET, &failed_check(id, login).to_string()), 200);
    }
    drop(collect);
    let events = place.run_json(&["events", "list", "tag:hygiene"]).expect(0).json_lines();
    assert_eq!(
        (events.len(), &events[0]["severity"], &events[0]["tags"]),
        (1, &json!("low"), &json!(["hygiene"]))
    );
    assert_eq!(place.all("events").len(), 1);
    let findings = place.all("findings");
    assert_eq!((findings.len(), &findings[0]["severity"]), (1, &json!("low")));

    let status = place.run_json(&["store", "status"]).expect(0).json_lines().remove(0);
    let dropped = &status["dropped"];
    assert_eq!((&dropped[0]["reason"], &dropped[0]["times"]), (&json!("scanner"), &json!(2)), "{status}");
    assert_eq!((&status["keep_seconds"], &status["can_shrink"]), (&json!(7_776_000), &json!(true)));
    let told = place.run(&["store", "status"]).expect(0).out;
    assert!(told.contains("90 days") && told.contains("left out by rules and filters:"), "{told}");
    let doctor = place.run(&["doctor"]).out;
    assert!(doctor.contains("raw texts for 90 days, the oldest of "), "{doctor}");
    assert!(doctor.contains("2 arrivals left out by 1 rule, filters among them"), "{doctor}");
}

#[test]
fn ip_lists_the_users_of_an_address() {
    let (tenant, place) = started();
    let dossier = place.run_json(&["user", &tenant.login(3)]).expect(0).json_lines().remove(0);
    let text = dossier.to_string();
    let address = text.split('"').find(|word| word.parse::<std::net::Ipv4Addr>().is_ok()).unwrap().to_owned();
    let users = place.run_json(&["ip", &address]).expect(0).json_lines();
    assert!(!users.is_empty());
    assert!(users.iter().all(|user| user["login"].is_string()));
    let nobody = place.run_json(&["ip", "203.0.113.254"]).expect(0);
    assert!(nobody.out.is_empty() && nobody.errors.contains("nobody was seen"), "{}", nobody.errors);
    place.run(&["ip", "no-address"]).expect(2);
}

#[test]
fn okta_logs_prints_records_as_json_as_csv_and_as_a_table() {
    let (_tenant, place) = started();
    let records = place.run_json(&["okta", "logs", "--limit", "30", "--sort-order", "descending"]).expect(0);
    let lines = records.json_lines();
    assert_eq!(lines.len(), 30);
    let published = |line: &Value| line["published"].as_str().unwrap().to_owned();
    assert!(lines.windows(2).all(|pair| published(&pair[0]) >= published(&pair[1])));
    assert!(records.errors.contains("may miss records that Okta stores late"), "{}", records.errors);
    let csv =
        place.run(&["okta", "logs", "--preset", "failed-sign-ins", "--since", "7 days", "--csv"]).expect(0);
    assert!(csv.out.starts_with("published,eventType,") && csv.out.contains(",DENY,"), "{}", csv.out);
    let table = place.run(&["okta", "logs", "--limit", "3"]).expect(0).out;
    assert!(table.starts_with("TIME") && table.lines().count() == 4, "{table}");
    let refused = place.run(&["okta", "logs", "--filter", "eventType eq"]).expect(1);
    assert!(
        refused.errors.contains("E0000053") && refused.errors.contains("Invalid filter at 12"),
        "{}",
        refused.errors
    );
    place.run(&["okta", "logs", "--since", "now", "--until", "2h"]).expect(2);
}

#[test]
fn flows_lists_those_of_the_configuration() {
    let (tenant, place) = started();
    let flows = place.run_json(&["flows"]).expect(0).json_lines();
    let ids: Vec<&str> = flows.iter().map(|flow| flow["id"].as_str().unwrap()).collect();
    let configured: Vec<&str> = tenant.lab.flows().iter().map(|flow| flow.id).collect();
    // Behind those of the configuration stand Okta's own, then the presets that it leaves out: they can only
    // be opened.
    assert_eq!(ids[..configured.len()], configured);
    let of_okta = flows.iter().filter(|flow| flow["route"] == "okta").count();
    assert_eq!(of_okta, idtriage::domain::operation::flows().len());
    let (runnable, others) = flows.split_at(configured.len() + of_okta);
    assert!(runnable.iter().all(|flow| flow["unrunnable"].is_null()));
    assert!(others.iter().all(|flow| flow["unrunnable"].is_string()));
}

#[test]
fn an_input_that_is_not_the_flows_is_wrong_usage_and_has_a_line() {
    let (tenant, place) = started();
    let ann = tenant.login(3);
    let wrong = ["run", "suspend-okta-account", "--user", &ann, "--input", "nope=1", "--yes"];
    let missing = ["run", "okta-add-to-group", "--user", &ann, "--yes"];
    for (words, said) in [(&wrong[..], "declares no input `nope`"), (&missing, "has no value")] {
        let told = place.run_json(words).expect(2);
        let lines = told.json_lines();
        assert!(told.errors.contains(said) && lines.len() == 1, "{}{}", told.out, told.errors);
        assert_eq!((&lines[0]["login"], &lines[0]["outcome"]), (&json!(ann), &json!("refused")));
        assert!(lines[0]["refusal"].as_str().unwrap().contains(said), "{}", told.out);
    }
    assert_eq!(tenant.lab.recorder().writes(), []);
}

#[test]
fn a_dry_run_prints_the_request_and_sends_nothing() {
    let (tenant, place) = started();
    let run = ["run", "suspend-okta-account", "--user", &tenant.login(3), "--dry-run"];
    let action = &place.run_json(&run).expect(0).json_lines()[0];
    assert_eq!(names(action)[..12], ACTION);
    assert!(action["evidence"].is_null() && action["receipt"].is_null());
    assert_eq!(names(&action["request"]), ["method", "url", "headers", "body"]);
    let body: Value = serde_json::from_str(action["request"]["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["eventId"], action["id"]);
    assert_eq!(tenant.lab.recorder().writes(), []);
    assert_eq!(place.run(&["journal", "list", "--json"]).expect(0).out, "");
}

#[test]
fn a_run_is_sent_once_and_verified() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let run = ["run", "suspend-okta-account", "--user", &login, "--yes", "--reason", "case 7"];
    let action = &place.run_json(&run).expect(0).json_lines()[0];
    assert_eq!(names(action), ACTION);
    assert_eq!((&action["outcome"], &action["evidence"]), (&json!("changed"), &json!("verified")));
    assert!(action["target"].as_str().is_some_and(|id| id.starts_with("00u")), "{action}");
    assert_eq!((&action["reason"], &action["receipt"]["status"]), (&json!("case 7"), &json!(200)));
    assert_eq!(tenant.lab.recorder().writes().len(), 1);
    let sent = &tenant.lab.recorder().writes()[0];
    assert_eq!(sent.header("x-idtriage-action"), action["id"].as_str());
    let records = place.run_json(&["journal", "list"]).expect(0).json_lines();
    let kinds: Vec<&Value> = records.iter().map(|record| &record["kind"]).collect();
    assert!(place.run(&["journal", "list"]).expect(0).out.contains("suspend-okta-account · "));
    assert_eq!(kinds.last(), Some(&&json!("intended")));
    assert!(kinds[..kinds.len() - 1].iter().all(|kind| **kind == "settled"));
}

#[test]
fn a_flow_is_tried_with_the_documented_sample() {
    let (tenant, place) = started();
    let shown =
        &place.run_json(&["run", "suspend-okta-account", "--test", "--dry-run"]).expect(0).json_lines()[0];
    assert_eq!((&shown["test"], &shown["refusal"]), (&json!(true), &Value::Null));
    assert_eq!(tenant.lab.recorder().writes(), []);
    let run = ["run", "suspend-okta-account", "--test", "--yes"];
    for _ in 0..2 {
        let action = &place.run_json(&run).expect(0).json_lines()[0];
        assert_eq!((&action["test"], &action["login"]), (&json!(true), &json!("john.smith@okta.com")));
        assert_eq!((&action["outcome"], &action["evidence"]), (&json!("accepted"), &json!("acknowledged")));
        assert_eq!(action["request"]["body"], idtriage::domain::payload::sample::FLAT);
    }
    assert_eq!(tenant.lab.recorder().writes().len(), 2);
    let records = place.run_json(&["journal", "list"]).expect(0).json_lines();
    assert!(records.iter().all(|record| record["content"]["test"] == true), "{records:?}");
    assert!(place.run(&["journal", "list"]).expect(0).out.contains("a test, with the documented sample"));
    place.run(&["journal", "verify"]).expect(0);
    let own = place.run(&["run", "okta-suspend", "--test", "--yes"]);
    assert!(own.expect(1).errors.contains("only flows of Okta Workflows can be tried"));
    assert_eq!(tenant.lab.recorder().writes().len(), 2);
}

#[rstest]
#[case::then_the_terminal_goes(Signal::SIGINT, Signal::SIGHUP)]
#[case::as_timeout_sends_it(Signal::SIGTERM, Signal::SIGTERM)]
fn a_signal_waits_for_the_receipt(#[case] first: Signal, #[case] then: Signal) {
    let (tenant, place) = started();
    let run = place.start(&["run", "slow-flow", "--user", &tenant.login(3), "--yes"]);
    let writes = || tenant.lab.recorder().writes().len();
    wait::until("it to be sent", || writes() == 1);
    run.signal(first);
    run.says("waiting for the receipt");
    run.signal(then);
    let ended = run.ended().expect(0);
    assert_eq!((writes(), ended.out.lines().count()), (1, 1), "{}", ended.out);
    assert!(ended.out.contains("answered 200"), "{}", ended.out);
}

#[test]
fn a_signal_waits_for_those_on_their_way_and_sends_no_more() {
    let (tenant, place) = started();
    let users: Vec<String> = (3..23).map(|n| tenant.login(n)).collect();
    let named: Vec<&str> = users.iter().map(String::as_str).collect();
    let run = place.start(&[&["run", "slow-flow", "--yes", "--user"], &named[..]].concat());
    let writes = || tenant.lab.recorder().writes().len();
    wait::until("the first to be sent", || writes() >= 1);
    run.signal(Signal::SIGINT);
    run.says("waiting for those on their way");
    run.signal(Signal::SIGHUP);
    let ended = run.ended().expect(3);
    assert!(ended.errors.contains(" queued); `idtriage bulk resume"), "{}", ended.errors);
    let answered = ended.out.lines().filter(|line| line.contains("answered 200")).count();
    assert!(writes() < 18 && answered == writes(), "{} {}", writes(), ended.out);
}

#[test]
fn impatience_ends_the_wait_for_the_receipt() {
    let (tenant, place) = started();
    tenant.fault("latency@workflows=6000000");
    let (ann, bob) = (tenant.login(3), tenant.login(4));
    let run = place.start(&["run", "okta-add-user-to-a-group", "--user", &ann, &bob, "--yes"]);
    let is_intended = || place.run_json(&["journal", "list"]).expect(0).out.contains(r#""kind":"intended""#);
    wait::answer_or("the first intent", || run.errors(), || is_intended().then_some(()));
    run.signal(Signal::SIGTERM);
    run.says("ends the wait");
    let ended = run.ended_by(Signal::SIGINT).expect(4);
    assert!(ended.errors.contains("were not waited for"), "{}", ended.errors);
    assert!(ended.errors.contains("`idtriage bulk resume` acts on nobody twice"), "{}", ended.errors);
}

#[test]
fn exit_statuses_say_how_it_ended() {
    let tenant = Tenant::start();
    let (ann, bob, protected) = (tenant.login(3), tenant.login(4), tenant.login(5));
    let place = Place::with_lab_and(&tenant.lab, &format!("\n[guard]\nprotected = [{protected:?}]\n"));
    let run = |words: &[&str]| place.run(&[&["run"], words].concat());
    let told = run(&["disable-everything", "--user", &ann, "--yes"]).expect(2);
    assert!(told.errors.contains("disable-everything"), "{}", told.errors);
    run(&["suspend-okta-account", "--yes"]).expect(2);
    run(&["raw-answer", "--user", &ann, "--yes"]).expect(1);
    let told = run(&["cii-suspend-failing", "--user", &ann, "--yes"]).expect(2);
    assert!(told.errors.contains(&format!("--confirm {ann}")), "{}", told.errors);
    run(&["always-content", "--user", &protected, "--yes"]).expect(1);
    run(&["always-content", "--user", &ann, &protected, "--yes"]).expect(3);
    tenant.fault("reply-lost@workflows");
    run(&["okta-add-user-to-a-group", "--user", &bob, "--yes"]).expect(4);
    tenant.lab.faults().clear_all();
    let told = run(&["okta-add-user-to-a-group", "--user", &bob, "--yes"]).expect(1);
    assert!(told.errors.contains("--again"), "{}", told.errors);
    run(&["okta-add-user-to-a-group", "--user", &bob, "--yes", "--again"]).expect(0);
}

#[test]
fn a_finding_is_claimed_noted_closed_reopened_and_released() {
    let (tenant, place) = started();
    let collect = place.collect();
    let message = failed_check("e-1", "ann@example.com").to_string();
    let token = secrecy::ExposeSecret::expose_secret(&tenant.lab.secrets().cii_hook_token);
    assert_eq!(post(place.listen(), token, &message), 200);
    drop(collect);
    let finding = place.all("findings").remove(0);
    let id = finding["id"].as_str().unwrap();
    let triage = |words: &[&str], status| {
        let ended = place.run_json(&[&["findings"], words].concat()).expect(status);
        ended.json_lines().pop().unwrap_or_default()
    };
    let claimed = triage(&["claim", id, "--seen", &finding["version"].to_string()], 0);
    assert!(claimed["state"] == "claimed" && claimed["assignee"].is_string(), "{claimed}");
    triage(&["claim", id, "--seen", &finding["version"].to_string()], 1);
    triage(&["note", id, "asked\u{1b}[2J the user"], 0);
    triage(&["close", id, "--as", "no-such-word", "--reason", "x"], 2);
    let closed = triage(&["close", id, "--as", "benign-expected", "--reason", "on leave"], 0);
    assert_eq!((&closed["state"], &closed["disposition"]), (&json!("closed"), &json!("benign-expected")));
    assert_eq!(triage(&["reopen", id, "--reason", "back"], 0)["state"], "open");
    triage(&["claim", id], 0);
    assert_eq!(triage(&["release", id], 0)["state"], "open");
    triage(&["claim", id, "999999"], 3);
    let shown = place.run(&["findings", "show", id]).expect(0);
    assert!(shown.out.contains("asked<U+001B>[2J the user"), "{}", shown.out);
    let history = place.run_json(&["findings", "show", id]).expect(0);
    assert!(history.out.contains("\\u001b[2J"), "{}", history.out);
    assert_eq!(history.json_lines()[0]["history"].as_array().unwrap().len(), 7);
}

#[test]
fn the_journal_is_verified_against_a_head_that_was_kept() {
    let (tenant, place) = started();
    let run = |n| place.run(&["run", "always-content", "--user", &tenant.login(n), "--yes"]).expect(0);
    run(3);
    let head = || {
        let verified = place.run_json(&["journal", "verify"]).expect(0);
        assert!(verified.errors.contains("nobody can tell"), "{}", verified.errors);
        verified.json_lines()[0]["head"].as_str().unwrap().to_owned()
    };
    let kept = head();
    run(4);
    let records = place.run_json(&["journal", "list", "--limit", "2"]).expect(0).json_lines();
    assert_eq!(
        names(&records[0]),
        ["seq", "at", "kind", "content", "digest", "previous", "hash", "executions"]
    );
    place.run(&["journal", "verify", "--head", &kept]).expect(0);
    place.run(&["journal", "verify", "--head", &head()]).expect(0);
    let (seq, hash) = kept.split_once(':').unwrap();
    let other = format!("{seq}:{}", hash.chars().rev().collect::<String>());
    let broken = place.run_json(&["journal", "verify", "--head", &other]).expect(1);
    assert_eq!(broken.json_lines()[0]["holds"], false);
}

/// What a source needs and may not call is said at the start, not only where it is missed.
#[test]
fn collect_says_at_its_start_what_it_may_not_call() {
    let tenant = Tenant::start();
    let place = Place::with_lab_and(&tenant.lab, "\n[[source]]\ntype = \"okta-system-log\"\n");
    tenant.fault("no-log-role@okta");
    let collect = place.collect();
    collect.says("Okta: GET /api/v1/logs does not work: no role covers it");
    assert!(collect.errors().contains("a role that may read the System Log"), "{}", collect.errors());
}

#[test]
fn doctor_says_what_works_and_what_mends_the_rest() {
    let (tenant, place) = started();
    let good = place.run_json(&["doctor"]).expect(0).json_lines();
    let (calls, others): (Vec<&Value>, Vec<&Value>) =
        good.iter().partition(|check| check["works"].is_string());
    assert!(others.iter().all(|check| names(check) == ["check", "verdict", "told", "hint"]));
    let columns = ["check", "verdict", "told", "hint", "needs", "has", "works"];
    assert!(calls.iter().all(|check| names(check) == columns));
    let works = calls.iter().filter(|check| check["works"] == "yes").count();
    assert_eq!((calls.len(), works), (12, 9), "{calls:?}");
    assert!(good.iter().all(|check| check["verdict"] != "bad"), "{good:?}");
    let by_hand = others.iter().find(|check| check["check"] == "okta delegated flows").unwrap();
    assert_eq!(by_hand["verdict"], "note", "nobody is named whose roles these would be: {by_hand}");
    assert!(by_hand["told"].as_str().unwrap().contains("cannot tell: "), "{by_hand}");
    tenant.fault("401@token");
    let bad = place.run_json(&["doctor"]).expect(1).json_lines();
    let bad: Vec<&Value> = bad.iter().filter(|check| check["verdict"] == "bad").collect();
    assert!(!bad.is_empty() && bad.iter().all(|check| check["hint"].is_string()), "{bad:?}");
}

#[test]
fn init_writes_a_configuration_that_loads() {
    let place = Place::empty();
    place.run(&["init"]).expect(0);
    assert_eq!(fs::metadata(place.config()).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(place.run(&["init"]).expect(2).errors.contains("is there already"));
    place.run(&["flows"]).expect(0);
    assert_eq!(place.run_json(&["events", "list"]).expect(0).out, "");
    assert_eq!(fs::metadata(place.store_file()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn read_only_changes_nothing() {
    let (tenant, place) = started();
    let run = ["run", "always-content", "--user", &tenant.login(3)];
    place.run(&["events", "list"]).expect(0);
    place.run(&[&run[..], &["--dry-run", "--read-only"]].concat()).expect(0);
    let told = place.run(&[&run[..], &["--yes", "--read-only"]].concat()).expect(1);
    assert!(told.errors.contains("--read-only"), "{}", told.errors);
    assert_eq!(tenant.lab.recorder().writes(), []);
}

#[test]
fn a_reader_that_wants_no_more_is_no_error() {
    let place = Place::empty();
    place.run(&["init"]).expect(0);
    let mut command = place.command(&["flows"]);
    let mut flows = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(flows.stdout.take());
    let ended = flows.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn a_reader_that_wants_no_more_withdraws_no_change() {
    let (tenant, place) = started();
    let collect = place.collect();
    let token = secrecy::ExposeSecret::expose_secret(&tenant.lab.secrets().cii_hook_token);
    for (id, login) in [("e-1", "ann@example.com"), ("e-2", "bob@example.com")] {
        assert_eq!(post(place.listen(), token, &failed_check(id, login).to_string()), 200);
    }
    drop(collect);
    assert_eq!(place.all("findings").len(), 2);
    let mut claim = place.command(&["findings", "claim", "999", "1", "2"]);
    let mut claim = claim.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(claim.stdout.take());
    assert_eq!(claim.wait_with_output().unwrap().status.code(), Some(3), "one of them is not there");
    assert!(place.all("findings").iter().all(|finding| finding["state"] == "claimed"));
}

#[test]
fn read_only_leaves_the_store_as_it_is() {
    let place = Place::with_source();
    let collect = place.collect();
    let many: Vec<String> = (0..50_000).map(|n| format!("user{n}@example.com")).collect();
    let mut message = failed_check("e-1", "ann@example.com");
    message["detail"]["usersFailing"] = json!(many);
    assert_eq!(post(place.listen(), HOOK_SECRET, &message.to_string()), 200);
    // Killed in the middle of it: something is left to be expanded.
    drop(collect);
    let counts = || {
        let db = rusqlite::Connection::open(place.store_file()).unwrap();
        let count = |table: &str| {
            db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0)).unwrap()
        };
        ["inbox", "findings", "journal", "actions"].map(count)
    };
    let before = counts();
    assert!(before[0] > 0, "{before:?}");
    let said = place.run(&["--read-only", "events", "list"]).expect(0);
    assert!(said.errors.contains("not listed yet"), "{}", said.errors);
    place.run(&["--read-only", "findings", "list"]).expect(0);
    assert_eq!(counts(), before);
    place.run(&["events", "list"]).expect(0);
    assert_eq!(counts()[0], 0, "without it, the rest is expanded");
}

#[test]
fn read_only_makes_no_store() {
    let place = Place::empty();
    place.run(&["init"]).expect(0);
    let said = place.run(&["--read-only", "events", "list"]).expect(2);
    assert!(said.errors.contains("it is not there") && said.errors.contains("hint:"), "{}", said.errors);
    assert!(!place.path("state/idtriage").exists());
}

/// The checks of a `doctor --json`, by name.
fn checks(place: &Place, status: i32) -> Value {
    let lines = place.run_json(&["doctor"]).expect(status).json_lines();
    lines.into_iter().map(|check| (check["check"].as_str().unwrap().to_owned(), check.clone())).collect()
}

#[test]
fn doctor_examines_the_rest_where_one_thing_is_broken() {
    let (_tenant, place) = started();
    place.write("state/idtriage/idtriage.db", "no database, but as long as a header of one would be");
    let checks = checks(&place, 1);
    assert_eq!((&checks["store"]["verdict"], &checks["cii token"]["verdict"]), (&json!("bad"), &json!("ok")));
    assert!(checks["store"]["hint"].as_str().unwrap().contains("use another file"), "{checks}");
}

#[test]
fn doctor_finds_what_would_stop_the_console() {
    let tenant = Tenant::start();
    let console = "\n[console]\ntheme = \"no-such\"\n";
    let place = Place::with_lab_and(&tenant.lab, console);
    assert_eq!(checks(&place, 0)["console"]["verdict"], "note");
    let place = Place::with_lab_and(&tenant.lab, "\n[console]\nkeys = { \"no.such\" = \"c\" }\n");
    let console = &checks(&place, 1)["console"];
    assert_eq!((&console["verdict"], &console["hint"]), (&json!("bad"), &json!("`[console] keys`")));
}

#[test]
fn doctor_names_the_tenants_settings_that_cannot_be_used() {
    let tenant = Tenant::start();
    let place = Place::with_lab_and(&tenant.lab, "\n[net]\nca_file = \"config.toml\"\n");
    let ended = place.run(&["doctor"]).expect(1);
    assert!(ended.out.contains("bad   tenants: cannot prepare HTTP: `[net] ca_file`"), "{}", ended.out);
    assert!(ended.out.contains("      hint: check `[net] ca_file`"), "{}", ended.out);
}

#[test]
fn without_a_home_everything_has_to_be_said() {
    let place = Place::empty();
    let run = |words: &[&str]| {
        let mut command = place.command(words);
        command.env_remove("HOME").env_remove("XDG_CONFIG_HOME").env_remove("XDG_STATE_HOME");
        place.start_command(&mut command).ended()
    };
    let told = run(&["init"]).expect(2);
    assert!(told.errors.contains("no home directory") && told.errors.contains("`--config PATH`"));
    run(&["--config", "here.toml", "init"]).expect(0);
    let told = run(&["--config", "here.toml", "doctor"]).expect(2);
    assert!(told.errors.contains("[store] url: is missing\n  hint: there is no home"), "{}", told.errors);
    place.write("here.toml", "[store]\nurl = \"sqlite:here.db\"\n");
    run(&["--config", "here.toml", "doctor"]).expect(0);
}
