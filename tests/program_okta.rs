//! Okta's own operations from the command line, against a lab: what is sent, what is not, and what is
//! proven.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod support;

use rstest::rstest;
use serde_json::{Value, json};
use support::place::Place;
use support::tenant::Tenant;

fn started() -> (Tenant, Place) {
    let tenant = Tenant::start();
    let place = Place::with_lab(&tenant.lab);
    (tenant, place)
}

/// What an operation came to, and with which status the program ended.
fn operate(place: &Place, words: &[&str], status: i32) -> Value {
    let words: Vec<&str> = ["okta", "user"].iter().chain(words).copied().collect();
    place.run_json(&words).expect(status).json_lines().remove(0)
}

fn ended(action: &Value) -> (&str, &str) {
    (action["outcome"].as_str().unwrap(), action["evidence"].as_str().unwrap_or("nothing"))
}

/// Method and path of what was sent, in order.
fn sent(tenant: &Tenant) -> Vec<String> {
    tenant.lab.recorder().writes().iter().map(|sent| format!("{} {}", sent.method, sent.path)).collect()
}

#[test]
fn an_operation_is_sent_once_by_id_and_verified_by_a_reread() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let action = operate(&place, &["suspend", &login, "--yes", "--reason", "case 7"], 0);
    assert_eq!(ended(&action), ("changed", "verified"));
    let id = action["target"].as_str().unwrap();
    assert_eq!(sent(&tenant), [format!("POST /api/v1/users/{id}/lifecycle/suspend")]);
    let write = &tenant.lab.recorder().writes()[0];
    assert_eq!((write.header("content-length"), write.body.is_empty()), (Some("0"), true));
    // The receipt has the id by which Okta's support and its log know the request.
    let headers = action["receipt"]["headers"].as_array().unwrap();
    assert!(headers.iter().any(|header| header[0] == "x-okta-request-id"), "{headers:?}");
    let verified = action["receipt"]["verified"].as_str().unwrap();
    assert!(verified.contains("SUSPENDED, before ACTIVE"), "{verified}");
    // And so it has the id of the request that proved it.
    assert!(verified.contains("(request a"), "{verified}");

    let again = operate(&place, &["suspend", &login, "--yes"], 0);
    assert_eq!(ended(&again), ("no-change", "nothing"));
    assert_eq!(sent(&tenant).len(), 1, "what is so already is not sent");
    let back = operate(&place, &["unsuspend", &login, "--yes"], 0);
    assert_eq!((ended(&back), sent(&tenant).len()), (("changed", "verified"), 2));
}

#[rstest]
#[case("clear-sessions", "DELETE /api/v1/users/ID/sessions?oauthTokens=true", ("accepted", "acknowledged"))]
#[case("reset-password", "POST /api/v1/users/ID/lifecycle/reset_password?sendEmail=true", ("changed", "verified"))]
#[case("expire-password", "POST /api/v1/users/ID/lifecycle/expire_password", ("changed", "verified"))]
#[case("reset-factors", "POST /api/v1/users/ID/lifecycle/reset_factors", ("changed", "verified"))]
#[case("deactivate", "POST /api/v1/users/ID/lifecycle/deactivate?sendEmail=false", ("changed", "verified"))]
#[case("disable", "POST /api/v1/users/ID/lifecycle/deactivate?sendEmail=false", ("changed", "verified"))]
fn each_operation_is_its_documented_request(
    #[case] verb: &str,
    #[case] request: &str,
    #[case] expected: (&str, &str),
) {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let action = operate(&place, &[verb, &login, "--yes", "--confirm", &login], 0);
    assert_eq!(ended(&action), expected, "{action}");
    let request = request.replace("ID", action["target"].as_str().unwrap());
    let write = &tenant.lab.recorder().writes()[0];
    let (path, query) = request.split_once('?').unwrap_or((&request, ""));
    assert_eq!((format!("{} {}", write.method, write.path).as_str(), write.query.as_str()), (path, query));
    assert!(!action.to_string().contains("Token\":\"") && !action.to_string().contains("resetPasswordUrl"));
}

#[test]
fn what_destroys_wants_the_login_typed() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let refused = place.run(&["okta", "user", "deactivate", &login, "--yes"]).expect(2);
    assert!(refused.errors.contains("`--yes` is not enough"), "{}", refused.errors);
    assert!(sent(&tenant).is_empty());
}

#[test]
fn a_deactivated_account_comes_back_only_by_its_own_operation() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    operate(&place, &["deactivate", &login, "--confirm", &login], 0);
    let twice = operate(&place, &["deactivate", &login, "--confirm", &login], 0);
    assert_eq!(ended(&twice), ("no-change", "nothing"));
    let illegal = place.run(&["okta", "user", "suspend", &login, "--yes"]).expect(1);
    assert!(illegal.errors.contains("not legal from DEPROVISIONED"), "{}", illegal.errors);
    let back = operate(&place, &["enable", &login, "--yes"], 0);
    assert_eq!(ended(&back), ("changed", "verified"));
    assert_eq!(sent(&tenant).len(), 2);
}

#[test]
fn a_lost_reply_is_cleared_up_by_a_reread_and_not_by_another_send() {
    let (tenant, place) = started();
    tenant.fault("change-lost");
    let action = operate(&place, &["suspend", &tenant.login(3), "--yes"], 0);
    assert_eq!(ended(&action), ("changed", "verified"));
    assert_eq!(sent(&tenant).len(), 1);
    assert!(action["receipt"]["error"].is_string(), "{action}");
    let sessions = operate(&place, &["clear-sessions", &tenant.login(4), "--yes"], 4);
    assert_eq!(ended(&sessions), ("unknown", "sent"));
    assert_eq!(sent(&tenant).len(), 2);
}

#[test]
fn nothing_is_sent_where_the_account_cannot_be_read() {
    let (tenant, place) = started();
    tenant.fault("403@okta");
    let refused = place.run(&["okta", "user", "suspend", &tenant.login(3), "--yes"]).expect(1);
    assert!(refused.errors.contains("the account cannot be read"), "{}", refused.errors);
    assert!(refused.errors.contains("hint: "), "what mends it: {}", refused.errors);
    assert!(sent(&tenant).is_empty());
}

#[test]
fn somebody_whom_okta_does_not_know_is_no_target() {
    let (tenant, place) = started();
    let refused = place.run(&["okta", "user", "suspend", "nobody@example.org", "--dry-run"]).expect(1);
    assert!(refused.errors.contains("E0000007"), "{}", refused.errors);
    assert!(sent(&tenant).is_empty());
}

/// One JSON line of a command that reads.
fn looked_up(place: &Place, words: &[&str], status: i32) -> Value {
    let words: Vec<&str> = std::iter::once("okta").chain(words.iter().copied()).collect();
    place.run_json(&words).expect(status).json_lines().remove(0)
}

#[test]
fn a_user_is_told_with_the_real_status_under_xsoars_names() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let user = looked_up(&place, &["user", "get", &login], 0);
    let shown = |user: &Value| {
        ["success", "active", "status", "can_sign_in", "action"].map(|name| user[name].to_string()).join(" ")
    };
    assert_eq!(shown(&user), "true true \"ACTIVE\" true \"get\"");
    assert_eq!((&user["username"], &user["details"]["id"]), (&Value::from(login.as_str()), &user["id"]));
    operate(&place, &["suspend", &login, "--yes"], 0);
    let profile = format!(r#"{{"id":"","login":"{login}"}}"#);
    let user = looked_up(&place, &["iam-get-user", "--user-profile", &profile], 0);
    assert_eq!(shown(&user), "true false \"SUSPENDED\" false \"get\"", "suspended is not active");
    let nobody = looked_up(&place, &["user", "get", "nobody@example.org"], 1);
    assert_eq!((&nobody["success"], &nobody["errorCode"]), (&json!(false), &json!("404")));
}

#[test]
fn a_short_login_is_somebody_who_may_be_meant_and_nobody_more() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let short = login.split('@').next().unwrap();
    let told = looked_up(&place, &["user", "get", short], 1);
    assert_eq!((&told["success"], &told["candidates"][0]["username"]), (&json!(false), &json!(login)));
    let refused = place.run(&["okta", "user", "apps", short]).expect(1);
    assert!(refused.errors.contains("is not one user"), "{}", refused.errors);
    // What is listed of them would look like somebody else's own.
    let dossier = place.run_json(&["user", short]).expect(0).json_lines().remove(0);
    for part in ["okta_groups", "okta_apps", "okta_factors", "okta_activity"] {
        assert!(dossier[part]["data"].is_null(), "{part}: {}", dossier[part]);
        assert!(dossier[part]["error"][0]["message"].as_str().unwrap().contains("by a short login"));
    }
}

#[test]
fn several_users_of_one_mail_address_are_candidates_and_none_is_chosen() {
    let (tenant, place) = started();
    let (ann, bob) = (tenant.login(3), tenant.login(4));
    tenant.lab.share_mail("shared@meridian.example", &[&ann, &bob]);
    let told = looked_up(&place, &["user", "get", "shared@meridian.example"], 1);
    let mut logins: Vec<&str> = told["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["username"].as_str().unwrap())
        .collect();
    logins.sort_unstable();
    let mut expected = [ann.as_str(), bob.as_str()];
    expected.sort_unstable();
    assert_eq!((logins.as_slice(), &told["success"]), (expected.as_slice(), &json!(false)));
}

#[test]
fn an_assignment_has_three_answers_and_not_two() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let apps = place.run_json(&["okta", "app", "list", "--limit", "200"]).expect(0).json_lines();
    let assigned = place.run_json(&["okta", "user", "apps", &login]).expect(0).json_lines();
    let id = |app: &Value| app["ID"].as_str().unwrap().to_owned();
    let has: Vec<String> = assigned.iter().map(id).collect();
    let lacks = apps.iter().map(id).find(|app| !has.contains(app)).unwrap();
    let ask = |app: &str| ["app", "assignment", "--user", &login, "--app", app].map(str::to_owned);
    let answer = |app: &str, status| {
        let words = ask(app);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        looked_up(&place, &words, status)["IsAssigned"].clone()
    };
    assert_eq!([answer(&has[0], 0), answer(&lacks, 0)], [json!(true), json!(false)]);
    let wrong = place.run(&["okta", "app", "assignment", "--user", &login, "--app", "0oaNobody"]).expect(1);
    assert!(wrong.errors.contains("knows no application `0oaNobody`"), "{}", wrong.errors);
    // A page is what follows the pages before it.
    let page = |n: &str| {
        place.run_json(&["okta", "app", "list", "--limit", "5", "--page", n]).expect(0).json_lines()
    };
    assert_eq!([page("0"), page("1")].concat(), apps[..10]);
}

#[test]
fn a_group_is_the_one_of_exactly_that_name() {
    let (_tenant, place) = started();
    let group = looked_up(&place, &["group", "get", "--name", "Engineering", "--members"], 0);
    assert!(!group["members"].as_array().unwrap().is_empty(), "{group}");
    let by_id = looked_up(&place, &["group", "get", "--id", group["id"].as_str().unwrap()], 0);
    assert_eq!((&by_id["displayName"], &by_id["members"]), (&group["displayName"], &Value::Null));
    let prefix = looked_up(&place, &["iam-get-group", "--scim", r#"{"displayName":"Engine"}"#], 1);
    assert_eq!(prefix["success"], false);
    let candidates = prefix["candidates"].as_array().unwrap();
    assert!(candidates.iter().any(|group| group["displayName"] == "Engineering"), "{prefix}");
}

#[test]
fn the_iam_configuration_is_checked_laid_over_and_shown_before_it_is_kept() {
    let (_tenant, place) = started();
    let set = |json: &str, more: &[&str], status: i32| {
        let words = ["okta", "config", "set", "--configuration", json];
        place.run_json(&[&words, more].concat()).expect(status)
    };
    let dry = set(r#"[{"ApplicationID":"0oa1","Name":"A"}]"#, &["--dry-run"], 0);
    assert_eq!(dry.json_lines()[0]["changes"], json!(["+ 0oa1 A"]));
    assert!(place.run_json(&["okta", "config", "get"]).expect(0).json_lines().is_empty());
    set(r#"[{"ApplicationID":"0oa1","Name":"A"}]"#, &[], 2);
    set(r#"[{"ApplicationID":"0oa1","Name":"A"}]"#, &["--yes"], 0);
    set(r#"[{"ApplicationID":"0oa2","Name":"B"}]"#, &["--yes"], 0);
    let kept = place.run_json(&["okta", "okta-iam-get-configuration"]).expect(0).json_lines();
    assert_eq!(kept.len(), 2, "what is set is laid over what is there: {kept:?}");
    let same = set(r#"[{"ApplicationID":"0oa2","Name":"B"}]"#, &["--yes"], 0);
    assert_eq!(same.json_lines()[0]["outcome"], "no-change");
    set(r#"{"ApplicationID":"0oa2"}"#, &["--yes"], 2);
}

/// What may be done is told before it is tried, on the card and by itself: as far as that can be known.
#[test]
fn what_our_credential_may_do_is_told_and_nothing_is_run() {
    let (tenant, place) = started();
    let all = place.run_json(&["okta", "access"]).expect(0).json_lines();
    let of = |rows: &[Value], flow: &str| {
        let row = rows.iter().find(|row| row["flow"] == flow).unwrap();
        (
            row["access"]["verdict"].as_str().unwrap().to_owned(),
            row["access"]["why"].as_str().unwrap().to_owned(),
        )
    };
    let (verdict, why) = of(&all, "okta-suspend");
    assert_eq!(
        (verdict.as_str(), why.as_str()),
        ("cannot tell", "whether a role covers it shows at the call only")
    );
    assert!(of(&all, "suspend-okta-account").1.contains("its client token is tried at the call only"));
    assert_eq!(all.last().unwrap()["flow"], "ispm-delegated-flow");

    let admin = tenant.lab.administrators().remove(0);
    let of_admin = place.run_json(&["okta", "access", &admin]).expect(0).json_lines();
    let (verdict, why) = of(&of_admin, "ispm-delegated-flow");
    assert_eq!((verdict.as_str(), why), ("likely", format!("{admin} is a super administrator")));
    let nobody = place.run_json(&["okta", "access", "nobody@example.com"]).expect(0).json_lines();
    assert_eq!(of(&nobody, "ispm-delegated-flow").0, "cannot tell", "what cannot be read is never a no");

    let login = tenant.login(3);
    let run = ["run", "okta-suspend", "--user", &login, "--dry-run"];
    let card = place.run_json(&run).expect(0).json_lines().remove(0);
    assert_eq!(card["access"]["verdict"], "cannot tell");
    let text = place.run(&run).expect(0).out;
    assert!(
        text.contains("access   cannot tell: whether a role covers it shows at the call only\n"),
        "{text}"
    );
    assert_eq!(sent(&tenant), Vec::<String>::new());
}

/// An issue may name somebody else's account: no answer but that account's own login or id says that it is meant, and
/// the dry run names it as the run asks for it.
#[test]
fn an_account_that_goes_by_another_login_is_confirmed_by_itself() {
    let (tenant, place) = started();
    let (ann, bob) = (tenant.login(3), tenant.login(4));
    let read = |login: &str| place.run_json(&["okta", "user", "get", login]).expect(0).json_lines().remove(0);
    let id_of = |login: &str| read(login)["id"].as_str().unwrap().to_owned();
    let (anns, bobs) = (id_of(&ann), id_of(&bob));
    let issue = json!({"eventId": "e-1", "issueId": "i-1", "issueTitle": "Old Password", "entityType": "Account",
        "entityIdInService": bobs, "entityDisplayName": ann, "entitySourceProductName": "Okta"});
    place.write("issue.json", &issue.to_string());
    place.run(&["import", "issue.json"]).expect(0);
    let finding = place.all("findings").remove(0)["id"].as_str().unwrap().to_owned();
    let words = ["run", "okta-suspend", "--user", &ann, "--finding", &finding];
    let run = |more: &[&str]| place.run_json(&[&words[..], more].concat());
    let dry = run(&["--dry-run"]).expect(0).json_lines().remove(0);
    let (confirm, doubt) = (dry["confirm"].as_str().unwrap(), dry["account_doubt"].as_str().unwrap());
    assert_eq!(confirm, format!("--confirm {bob}"));
    assert!([&anns, &bobs, &bob].iter().all(|name| doubt.contains(*name)), "{doubt}");
    for answer in [&["--yes"][..], &["--yes", "--again"]] {
        let told = run(answer).expect(1);
        assert!(told.errors.contains(&format!("`--confirm {bob}`")), "{}", told.errors);
    }
    run(&["--yes", "--again", "--confirm", &ann]).expect(2);
    assert_eq!(tenant.lab.recorder().writes().len(), 0);
    let done = run(&["--confirm", &bobs]).expect(0);
    assert!(done.errors.contains(&bob), "whose account it is is said: {}", done.errors);
    let action = done.json_lines().remove(0);
    let status = |login: &str| read(login)["status"].as_str().unwrap().to_owned();
    assert_eq!((status(&ann), status(&bob)), ("ACTIVE".into(), "SUSPENDED".into()));
    let undo = ["undo", action["id"].as_str().unwrap()];
    let told = place.run(&[&undo[..], &["--yes", "--again"]].concat()).expect(1);
    assert!(told.errors.contains(&format!("`--confirm {bob}`")), "{}", told.errors);
    place.run(&[&undo[..], &["--confirm", &bob]].concat()).expect(0);
    assert_eq!(status(&bob), "ACTIVE");
}
