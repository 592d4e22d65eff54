//! Okta users made and changed from the command line, against a lab: what is sent, what is not, and what is
//! told of it under XSOAR's names.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod support;

use idtriage::domain::Actor;
use idtriage::source::system_log::filter::IAM_CONFIGURATION;
use jiff::Timestamp;
use rstest::rstest;
use serde_json::{Value, json};
use support::place::Place;
use support::tenant::Tenant;

fn started() -> (Tenant, Place) {
    started_with("")
}

fn started_with(more: &str) -> (Tenant, Place) {
    let tenant = Tenant::start();
    let place = Place::with_lab_and(&tenant.lab, more);
    (tenant, place)
}

/// The lines of an `okta …` command that ends with this status.
fn okta(place: &Place, words: &[&str], status: i32) -> Vec<Value> {
    let words: Vec<&str> = ["okta"].iter().chain(words).copied().collect();
    place.run_json(&words).expect(status).json_lines()
}

fn one(place: &Place, words: &[&str], status: i32) -> Value {
    let mut lines = okta(place, words, status);
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)
}

/// Method, path and parameters of what was sent, in order.
fn sent(tenant: &Tenant) -> Vec<String> {
    let writes = tenant.lab.recorder().writes();
    writes.iter().map(|sent| format!("{} {}?{}", sent.method, sent.path, sent.query)).collect()
}

fn body(tenant: &Tenant, n: usize) -> Value {
    serde_json::from_str(&tenant.lab.recorder().writes()[n].body).unwrap()
}

const NEW: &str = r#"{"username":"new.hire@acme.example","email":"new.hire@acme.example","givenname":"New","surname":"Hire"}"#;

/// The account of an administrator is asked for by its login, also where the flow's own risk asks for less;
/// where nobody may see roles, nobody is one.
#[test]
fn an_administrator_is_confirmed_by_login() {
    let (tenant, place) = started();
    let admin = tenant.lab.administrators()[0].clone();
    let card = place.run(&["okta", "user", "suspend", &admin, "--dry-run"]).expect(0).out;
    for said in
        ["high, one tier up for an administrator", "admin: Super Administrator", "sessions: cannot tell"]
    {
        assert!(card.contains(said), "{said}: {card}");
    }
    // Also who is one by a group, or by a role that the org made itself.
    let other = tenant.lab.administrators()[1].clone();
    let dry = place.run_json(&["okta", "user", "suspend", &other, "--dry-run"]).expect(0).json_lines();
    let roles = json!(["Application Administrator", "Help desk of employees"]);
    assert_eq!((&dry[0]["blast_radius"]["roles"]["value"], &dry[0]["risk"]), (&roles, &"high".into()));
    let dry = place.run_json(&["okta", "user", "suspend", &admin, "--dry-run"]).expect(0).json_lines();
    assert_eq!(dry[0]["risk"], "high");
    assert_eq!(dry[0]["blast_radius"]["roles"]["value"], serde_json::json!(["Super Administrator"]));
    let refused = place.run(&["okta", "user", "suspend", &admin, "--yes"]).expect(2);
    assert!(refused.errors.contains(&format!("--confirm {admin}")), "{}", refused.errors);
    tenant.fault("no-roles-role@okta");
    let dry = place.run_json(&["okta", "user", "suspend", &admin, "--dry-run"]).expect(0).json_lines();
    assert_eq!((&dry[0]["risk"], &dry[0]["blast_radius"]["administrator"]), (&"medium".into(), &Value::Null));
    let why = dry[0]["blast_radius"]["roles"]["cannot_tell"].as_str().unwrap();
    assert!(why.contains("E0000006"), "{why}");
    assert!(tenant.lab.recorder().writes().is_empty());
}

#[test]
fn an_account_is_made_staged_and_told_as_it_is_then() {
    let (tenant, place) = started();
    let words =
        ["user", "create", "--profile", NEW, "--set", "title=Clerk", "--set", "onCall:=true", "--yes"];
    let told = one(&place, &words, 0);
    assert_eq!(sent(&tenant), ["POST /api/v1/users?activate=false"]);
    let profile = json!({"email": "new.hire@acme.example", "firstName": "New", "lastName": "Hire",
        "login": "new.hire@acme.example", "onCall": true, "title": "Clerk"});
    assert_eq!(body(&tenant, 0), json!({"profile": profile}));
    assert_eq!([&told["success"], &told["active"], &told["can_sign_in"]], [true, false, false]);
    assert_eq!([&told["action"], &told["status"], &told["outcome"]], ["create", "STAGED", "changed"]);
    assert_eq!(told["username"], "new.hire@acme.example");
    assert_eq!(told["details"]["profile"]["title"], "Clerk");
    assert!(told["id"].as_str().unwrap().starts_with("00u") && told["action_id"].is_string(), "{told}");

    // The login is taken now, in whatever case.
    let again =
        r#"{"login":"NEW.hire@acme.example","email":"x@acme.example","firstName":"N","lastName":"H"}"#;
    let told = one(&place, &["user", "create", "--profile", again, "--yes"], 1);
    assert_eq!([&told["success"], &told["skipped"]], [false, true]);
    assert_eq!(told["outcome"], "not-legal", "{told}");
    // The mail address is another account's: it has to be insisted on.
    let other =
        r#"{"login":"other@acme.example","email":"new.hire@acme.example","firstName":"N","lastName":"H"}"#;
    let told = one(&place, &["user", "create", "--profile", other, "--yes"], 1);
    assert_eq!(told["outcome"], "refused");
    assert!(told["reason"].as_str().unwrap().contains("another account has this mail address"), "{told}");
    assert_eq!(sent(&tenant).len(), 1);
    one(&place, &["user", "create", "--profile", other, "--yes", "--again"], 0);
    assert_eq!(sent(&tenant).len(), 2);
}

#[test]
fn made_and_activated_are_two_actions_and_the_link_is_shown_once() {
    let (tenant, place) = started();
    let words = ["user", "create", "--profile", NEW, "--activate", "--link", "--yes", "--reason", "case 7"];
    let told = okta(&place, &words, 0);
    assert_eq!(told.len(), 2, "one object a step: {told:?}");
    assert_eq!([&told[0]["action"], &told[1]["action"]], ["create", "enable"]);
    let id = told[1]["id"].as_str().unwrap();
    let expected = [
        "POST /api/v1/users?activate=false".to_owned(),
        format!("POST /api/v1/users/{id}/lifecycle/activate?sendEmail=false"),
    ];
    assert_eq!(sent(&tenant), expected);
    assert_eq!([&told[1]["status"], &told[1]["active"]], [&json!("PROVISIONED"), &json!(false)]);
    assert_ne!(told[0]["action_id"], told[1]["action_id"]);
    let link = told[1]["one_time_link"].as_str().unwrap().to_owned();
    assert!(link.starts_with("http") && told[0]["one_time_link"].is_null());
    let (times, whole) = (told[1].to_string().matches(&link).count(), told[0].to_string());
    assert!(times == 1 && !whole.contains(&link));
    // Nowhere else: not in the journal, not in the store's files.
    let journal = place.run_json(&["journal", "list"]).expect(0).out;
    assert!(journal.contains("case 7") && !journal.contains(&link), "{journal}");
    let token = link.rsplit('/').next().unwrap();
    for entry in std::fs::read_dir(place.store_file().parent().unwrap()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()));
    }
}

#[test]
fn an_update_sends_what_is_named_by_post_shows_it_before_and_is_no_change_the_second_time() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let words = ["user", "update", &login, "--set", "title=Head of Sales", "--set", "costcenter=7"];
    let dry = one(&place, &[&words[..], &["--dry-run"]].concat(), 0);
    let fields: Vec<&Value> = dry["differences"].as_array().unwrap().iter().map(|it| &it["field"]).collect();
    assert_eq!(fields, ["costCenter", "title"]);
    assert!(sent(&tenant).is_empty(), "a dry run sends no write");
    let whole: Vec<&str> = [&["okta"], &words[..], &["--yes"]].concat();
    let ended = place.run_json(&whole).expect(0);
    let note = |line: &&str| line.starts_with("note: costCenter: ") || line.starts_with("note: title: ");
    let notes: Vec<&str> = ended.errors.lines().filter(note).collect();
    assert_eq!(notes.len(), 2, "the difference is shown: {}", ended.errors);
    assert!(notes[0].ends_with("-> `\"7\"`") && notes[1].ends_with("-> `Head of Sales`"), "{notes:?}");
    let told = ended.json_lines().remove(0);
    let id = told["id"].as_str().unwrap();
    assert_eq!(sent(&tenant), [format!("POST /api/v1/users/{id}?")]);
    assert_eq!(body(&tenant, 0), json!({"profile": {"costCenter": "7", "title": "Head of Sales"}}));
    assert_eq!([&told["outcome"], &told["evidence"], &told["action"]], ["changed", "verified", "update"]);
    assert_eq!(told["details"]["profile"]["title"], "Head of Sales", "as it is then");
    assert_eq!(told["details"]["profile"]["login"], login.as_str(), "what is not named stays");
    let same = one(&place, &[&words[..], &["--yes"]].concat(), 0);
    assert_eq!(
        [&same["success"], &same["skipped"], &same["outcome"]],
        [&json!(false), &json!(true), &json!("no-change")]
    );
    assert_eq!(sent(&tenant).len(), 1);
}

/// A refusal says what Okta says, of which request, and what the account is; one that is not even tried, what was read.
#[test]
fn a_refused_change_says_why() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let words = ["okta", "user", "update", &login, "--set", "title=x", "--yes"];
    tenant.fault("mastered-elsewhere@okta=1");
    let ended = place.run(&words).expect(1);
    assert!(ended.out.contains("not-legal (acknowledged, answered 403)"), "{}", ended.out);
    assert!(ended.out.contains("  why: E0000023: Okta answered 403: "), "{}", ended.out);
    assert!(ended.out.contains("(request id "), "{}", ended.out);
    tenant.fault("mastered-elsewhere@okta=1");
    // Nothing was done: it need not be insisted on.
    let told = one(&place, &words[1..], 1);
    assert_eq!([&told["errorCode"], &told["outcome"]], ["E0000023", "not-legal"]);
    assert!(told["reason"].as_str().unwrap().starts_with("E0000023: Okta answered 403: "), "{told}");
    assert!(!told["id"].as_str().unwrap().is_empty());

    one(&place, &["user", "disable", &login, "--yes", "--confirm", &login], 0);
    let told = one(&place, &["user", "suspend", &login, "--yes"], 1);
    assert_eq!([&told["outcome"], &told["status"]], ["not-legal", "DEPROVISIONED"]);
    assert_eq!([&told["active"], &told["can_sign_in"]], [&json!(false), &json!(false)]);
    assert_eq!([&told["id"], &told["username"]], [&told["target"], &json!(login)]);
    let ended = place.run(&["okta", "user", "suspend", &login, "--yes"]).expect(1);
    assert!(ended.errors.contains("not legal from"), "{}", ended.errors);
}

/// Whoever knows an expired password is not kept out by it.
#[test]
fn an_expired_password_keeps_nobody_out() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let ended = place.run(&["okta", "user", "expire-password", &login, "--yes"]).expect(0);
    let now = "now PASSWORD_EXPIRED: sign-in with the old password, by choosing a new one";
    assert!(ended.out.contains(now), "{}", ended.out);
    let ended = place.run(&["okta", "user", "suspend", &login, "--yes"]).expect(1);
    assert!(ended.errors.contains("resetting the password or deactivating ends that"), "{}", ended.errors);
}

#[test]
fn who_is_deactivated_is_neither_changed_nor_activated_by_the_way() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    one(&place, &["user", "disable", &login, "--yes", "--confirm", &login], 0);
    let profile = json!({"username": login, "title": "x"}).to_string();
    for command in ["iam-update-user", "iam-create-user"] {
        let words =
            ["okta", command, "--user-profile", &profile, "--allow-enable", "true", "--yes", "--json"];
        let ended = place.run(&words).expect(1);
        let told = ended.json_lines().remove(0);
        assert_eq!([&told["success"], &told["skipped"]], [false, true]);
        assert_eq!([&told["action"], &told["outcome"]], ["update", "not-legal"], "{told}");
        assert!(told["reason"].as_str().unwrap().contains("okta user activate"), "{told}");
        assert!(ended.errors.contains("re-activates nobody"), "{}", ended.errors);
    }
    assert_eq!(sent(&tenant).len(), 1, "only the deactivation was sent");
    let back = one(&place, &["user", "enable", &login, "--yes"], 0);
    assert_eq!([&back["action"], &back["success"]], [&json!("enable"), &json!(true)]);
}

#[test]
fn xsoars_commands_make_change_disable_and_enable() {
    let (tenant, place) = started();
    let made = okta(&place, &["iam-create-user", "--user_profile", NEW, "--yes"], 0);
    assert_eq!([&made[0]["action"], &made[1]["action"]], ["create", "enable"]);
    assert!(sent(&tenant)[1].ends_with("sendEmail=true"), "nobody asked for the link: {:?}", sent(&tenant));
    assert!(made[1]["one_time_link"].is_null());
    // There already: changed instead, and that is said.
    let profile = r#"{"email":"new.hire@acme.example","surname":"Hired"}"#;
    let told = one(&place, &["iam-create-user", "--user-profile", profile, "--yes"], 0);
    assert_eq!([&told["action"], &told["outcome"]], ["update", "changed"]);
    assert_eq!(told["details"]["profile"]["lastName"], "Hired");
    assert_eq!(
        body(&tenant, 2),
        json!({"profile": {"lastName": "Hired"}}),
        "what said whom is not sent back"
    );
    // What the profile was before the change says whom it is about.
    let renamed = r#"{"email":"hired@acme.example","olduserdata":{"email":"new.hire@acme.example"}}"#;
    let told = one(&place, &["iam-update-user", "--user-profile", renamed, "--yes"], 0);
    assert_eq!([&told["email"], &told["username"]], ["hired@acme.example", "new.hire@acme.example"]);
    let who = r#"{"email":"hired@acme.example"}"#;
    let disable = ["iam-disable-user", "--user-profile", who, "--yes", "--confirm", "new.hire@acme.example"];
    let told = one(&place, &disable, 0);
    assert_eq!([&told["action"], &told["status"]], ["disable", "DEPROVISIONED"]);
    assert_eq!((&told["active"], &told["details"]["status"]), (&json!(false), &json!("DEPROVISIONED")));
    let told = one(&place, &disable, 0);
    assert_eq!([&told["outcome"], &told["status"]], ["no-change", "DEPROVISIONED"]);
    let who = r#"{"username":"new.hire@acme.example"}"#;
    let told = one(&place, &["iam-enable-user", "--user-profile", who, "--link", "--yes", "--again"], 0);
    assert_eq!([&told["action"], &told["status"]], ["enable", "PROVISIONED"]);
    assert_eq!(told["status_before"], "DEPROVISIONED");
    assert!(told["one_time_link"].is_string());
}

#[rstest]
#[case("", 1)]
#[case("create_if_missing = true", 0)]
fn who_is_missing_is_made_by_an_update_only_where_that_is_allowed(
    #[case] setting: &str,
    #[case] status: i32,
) {
    let (tenant, place) = started();
    let config = std::fs::read_to_string(place.config()).unwrap();
    place.write_config(&config.replacen("[okta]\n", &format!("[okta]\n{setting}\n"), 1));
    let told = okta(&place, &["iam-update-user", "--user-profile", NEW, "--yes"], status);
    if status == 0 {
        assert_eq!([&told[0]["action"], &told[1]["action"]], ["create", "enable"]);
        return;
    }
    assert_eq!([&told[0]["success"], &told[0]["skipped"]], [false, true]);
    assert!(told[0]["reason"].as_str().unwrap().contains("create_if_missing"), "{told:?}");
    assert!(sent(&tenant).is_empty());
}

#[rstest]
#[case("create", &["iam-create-user", "--user-profile", NEW, "--yes"])]
#[case("enable", &["iam-create-user", "--user-profile", NEW, "--yes"])]
#[case("update", &["user", "update", "LOGIN", "--set", "title=x", "--yes"])]
#[case("disable", &["user", "deactivate", "LOGIN", "--yes", "--confirm", "LOGIN"])]
#[case("enable", &["user", "reactivate", "LOGIN", "--yes"])]
fn what_is_switched_off_is_refused_with_the_reason(#[case] switch: &str, #[case] words: &[&str]) {
    let (tenant, place) = started_with(&format!("\n[okta.allow]\n{switch} = false\n"));
    let login = tenant.login(3);
    let words: Vec<&str> =
        words.iter().map(|word| if *word == "LOGIN" { login.as_str() } else { word }).collect();
    let told = one(&place, &words, 1);
    assert_eq!([&told["success"], &told["skipped"]], [false, true]);
    assert_eq!(told["outcome"], "refused");
    assert!(
        told["reason"].as_str().unwrap().contains(&format!("`[okta.allow] {switch}` is false")),
        "{told}"
    );
    assert!(sent(&tenant).is_empty());
    // Holding an attacker is nobody's switch.
    one(&place, &["user", "suspend", &login, "--yes"], 0);
}

#[test]
fn several_of_one_mail_address_are_listed_and_none_is_touched() {
    let (tenant, place) = started();
    for login in ["twin.a@acme.example", "twin.b@acme.example"] {
        let profile =
            json!({"login": login, "email": "twins@acme.example", "firstName": "T", "lastName": "W"});
        let words = ["user", "create", "--profile", &profile.to_string(), "--yes", "--again"];
        one(&place, &words, 0);
    }
    let before = sent(&tenant).len();
    for command in ["iam-create-user", "iam-update-user", "iam-disable-user"] {
        let profile = r#"{"email":"twins@acme.example","title":"x"}"#;
        let told = one(&place, &[command, "--user-profile", profile, "--yes"], 1);
        assert_eq!(
            (told["candidates"].as_array().unwrap().len(), &told["success"]),
            (2, &json!(false)),
            "{told}"
        );
    }
    assert_eq!(sent(&tenant).len(), before);
}

/// Two accounts of which the first one's login is the second one's mail address.
struct Crossed {
    tenant: Tenant,
    place: Place,
    ann: String,
    bob: String,
}

impl Crossed {
    fn new() -> Crossed {
        let (tenant, place) = started();
        let (ann, bob) = (tenant.login(3), tenant.login(4));
        for (login, mail) in [(&ann, "ann.elsewhere@acme.example"), (&bob, &ann)] {
            let mail = format!("email={mail}");
            one(&place, &["user", "update", login, "--set", &mail, "--yes", "--again"], 0);
        }
        Crossed { tenant, place, ann, bob }
    }

    /// What XSOAR's command answers, and what was sent meanwhile.
    fn iam(&self, command: &str, profile: &Value, more: &[&str], status: i32) -> (Vec<Value>, Vec<String>) {
        let before = sent(&self.tenant).len();
        let profile = profile.to_string();
        let words = [&[command, "--user-profile", &profile, "--yes"], more].concat();
        let told = okta(&self.place, &words, status);
        (told, sent(&self.tenant).split_off(before))
    }
}

#[test]
fn a_mail_address_that_is_anothers_login_means_whose_mail_address_it_is() {
    let crossed = Crossed::new();
    let (ann, bob) = (crossed.ann.as_str(), crossed.bob.as_str());
    let (told, _) = crossed.iam("iam-disable-user", &json!({"email": ann}), &["--confirm", bob], 0);
    assert_eq!([&told[0]["username"], &told[0]["status"]], [bob, "DEPROVISIONED"], "{told:?}");
    // By login it is the other.
    let (told, _) = crossed.iam("iam-disable-user", &json!({"username": ann}), &["--confirm", ann], 0);
    assert_eq!([&told[0]["username"], &told[0]["status"]], [ann, "DEPROVISIONED"], "{told:?}");
}

#[test]
fn a_change_by_mail_address_or_login_changes_whose_that_is() {
    let crossed = Crossed::new();
    let (ann, bob) = (crossed.ann.as_str(), crossed.bob.as_str());
    for (profile, whose) in [
        (json!({"email": ann, "title": "by mail"}), bob),
        (json!({"username": ann, "title": "by login"}), ann),
    ] {
        for command in ["iam-create-user", "iam-update-user"] {
            let mut profile = profile.clone();
            profile["title"] = format!("{} {command}", profile["title"]).into();
            let (told, sent) = crossed.iam(command, &profile, &[], 0);
            assert_eq!(
                [&told[0]["username"], &told[0]["details"]["profile"]["title"]],
                [&json!(whose), &profile["title"]]
            );
            assert_eq!(sent.len(), 1, "{sent:?}");
        }
    }
}

#[rstest]
#[case("iam-disable-user", "username", "does")]
#[case("iam-enable-user", "username", "does")]
#[case("iam-update-user", "username", "create_if_missing")]
#[case("iam-disable-user", "id", "knows no")]
#[case("iam-create-user", "id", "knows no")]
fn a_mail_address_is_neither_login_nor_id(#[case] command: &str, #[case] field: &str, #[case] phrase: &str) {
    let crossed = Crossed::new();
    let profile = json!({field: "ann.elsewhere@acme.example", "title": "x"});
    let (told, sent) = crossed.iam(command, &profile, &["--confirm", "ann.elsewhere@acme.example"], 1);
    let why = told[0]["errorMessage"].as_str().unwrap();
    assert!(why.contains(phrase) || why.contains("no such user"), "{told:?}");
    assert_eq!((&told[0]["errorCode"], sent), (&json!("404"), Vec::new()));
}

#[test]
fn who_is_made_takes_no_account_over_that_has_the_login_as_its_mail_address() {
    let crossed = Crossed::new();
    let profile = json!({"username": "ann.elsewhere@acme.example", "email": "own@acme.example",
        "givenname": "A", "surname": "B"});
    let (told, sent) = crossed.iam("iam-create-user", &profile, &[], 0);
    assert_eq!([&told[0]["action"], &told[0]["username"]], ["create", "ann.elsewhere@acme.example"]);
    assert_eq!(sent.iter().filter(|sent| sent.starts_with("POST /api/v1/users?")).count(), 1, "{sent:?}");
    let ann = one(&crossed.place, &["user", "get", &crossed.ann], 0);
    assert_eq!(ann["username"], crossed.ann.as_str(), "whose mail address it is keeps the login");
}

#[rstest]
#[case("iam-disable-user", json!({"username": "ANN", "email": "bob@acme.example"}), "another mail address")]
#[case("iam-enable-user", json!({"username": "ANN", "email": "bob@acme.example"}), "another mail address")]
#[case("iam-disable-user", json!({"id": "ANN'S", "username": "bob@acme.example"}), "another login")]
#[case("iam-create-user", json!({"id": "ANN'S", "username": "bob@acme.example"}), "another login")]
fn a_profile_that_fits_two_is_left_to_people(
    #[case] command: &str,
    #[case] profile: Value,
    #[case] phrase: &str,
) {
    let crossed = Crossed::new();
    let id = one(&crossed.place, &["user", "get", &crossed.ann], 0)["id"].as_str().unwrap().to_owned();
    let profile = profile.to_string().replace("ANN'S", &id).replace("ANN", &crossed.ann);
    let profile: Value = serde_json::from_str(&profile).unwrap();
    let (told, sent) = crossed.iam(command, &profile, &["--confirm", &crossed.ann], 1);
    assert!(told[0]["errorMessage"].as_str().unwrap().contains(phrase), "{told:?}");
    assert_eq!((told[0]["candidates"][0]["id"].as_str(), sent), (Some(id.as_str()), Vec::new()));
}

#[rstest]
#[case(r#"{"username":"ann@x","login":"bob@x"}"#, "both mean `login`")]
#[case(r#"{"id":7,"email":"bob@x"}"#, "`id` says whom the profile means")]
#[case(r#"{"login":["ann@x"],"email":"bob@x"}"#, "`login` says whom the profile means")]
fn a_profile_that_names_nobody_or_two_is_wrong_usage(#[case] profile: &str, #[case] phrase: &str) {
    let (tenant, place) = started();
    for command in
        ["iam-create-user", "iam-update-user", "iam-disable-user", "iam-enable-user", "iam-get-user"]
    {
        let yes: &[&str] = if command == "iam-get-user" { &[] } else { &["--yes"] };
        let words = [&["okta", command, "--user-profile", profile], yes].concat();
        let ended = place.run(&words).expect(2);
        assert!(ended.errors.contains(phrase), "{command}: {}", ended.errors);
    }
    assert!(tenant.lab.recorder().writes().is_empty());
}

#[rstest]
#[case(json!({"id": "00uNobody0000000000x ", "email": "a@acme.example"}))]
#[case(json!({"username": "n@acme.example", "olduserdata": {"id": "00uNobody0000000000x"}}))]
fn an_unknown_id_makes_no_account_however_it_is_said(#[case] profile: Value) {
    let (tenant, place) = started();
    let config = std::fs::read_to_string(place.config()).unwrap();
    place.write_config(&config.replacen("[okta]\n", "[okta]\ncreate_if_missing = true\n", 1));
    let told = one(&place, &["iam-update-user", "--user-profile", &profile.to_string(), "--yes"], 1);
    assert!(told["errorMessage"].as_str().unwrap().contains("no user of this id"), "{told}");
    assert!(sent(&tenant).is_empty());
}

#[test]
fn a_failed_creation_of_a_short_login_tells_of_nobody_else() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let short = login.split('@').next().unwrap();
    let profile = json!({"login": short, "email": "s@acme.example", "firstName": "S", "lastName": "T"});
    let told = one(&place, &["user", "create", "--profile", &profile.to_string(), "--yes"], 1);
    assert_eq!([&told["id"], &told["username"]], ["", short], "{told}");
    assert!(sent(&tenant).is_empty());
}

#[test]
fn nobody_is_made_for_an_unknown_id_and_nobody_disabled_who_is_not_there() {
    let (tenant, place) = started_with("");
    let told = one(
        &place,
        &["iam-create-user", "--user-profile", r#"{"id":"00uNobody0000000000x","email":"a@x"}"#, "--yes"],
        1,
    );
    assert!(told["errorMessage"].as_str().unwrap().contains("no user of this id"), "{told}");
    let told = one(
        &place,
        &["iam-disable-user", "--user-profile", r#"{"email":"nobody@acme.example"}"#, "--yes"],
        1,
    );
    assert_eq!([&told["errorCode"], &told["action"]], ["404", "disable"]);
    assert!(sent(&tenant).is_empty());
}

#[test]
fn who_cannot_be_looked_for_is_not_made() {
    let (tenant, place) = started();
    tenant.fault("403@okta");
    for command in ["iam-create-user", "iam-update-user"] {
        let told = one(&place, &[command, "--user-profile", NEW, "--yes"], 1);
        assert_eq!(
            [&told["success"], &told["skipped"], &told["outcome"]],
            [&json!(false), &json!(true), &json!("failed")]
        );
        assert_ne!(told["errorCode"], "404", "that nobody is there is not known: {told}");
    }
    assert!(sent(&tenant).is_empty());
}

#[test]
fn a_lost_reply_is_no_failure_and_nothing_is_made_twice() {
    let (tenant, place) = started();
    tenant.fault("change-lost");
    let told = one(&place, &["user", "create", "--profile", NEW, "--yes"], 0);
    assert_eq!([&told["outcome"], &told["evidence"], &told["status"]], ["changed", "verified", "STAGED"]);
    let sessions = one(&place, &["user", "clear-sessions", &tenant.login(4), "--yes"], 4);
    assert_eq!([&sessions["success"], &sessions["outcome"]], [&json!(false), &json!("unknown")]);
    assert!(!sessions["errorMessage"].as_str().unwrap().is_empty(), "{sessions}");
    assert_eq!(sessions["status"], "ACTIVE", "read once more all the same");
    assert_eq!(sent(&tenant).len(), 2);
}

#[test]
fn contain_is_two_actions_and_a_suspended_account_is_not_active() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let told = okta(&place, &["user", "contain", &login, "--yes"], 0);
    assert_eq!([&told[0]["action"], &told[1]["action"]], ["suspend", "clear-sessions"]);
    assert_eq!([&told[0]["status"], &told[0]["status_before"]], ["SUSPENDED", "ACTIVE"]);
    assert_eq!([&told[0]["active"], &told[0]["can_sign_in"], &told[0]["success"]], [false, false, true]);
    assert_eq!(sent(&tenant).len(), 2);
}

#[test]
fn a_group_is_joined_and_left_by_its_exact_name() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let names = okta(&place, &["iam-get-group", "--scim", r#"{"displayName":"Engine"}"#], 1);
    let groups = names[0]["candidates"].as_array().unwrap();
    let group = groups.iter().find(|group| group["displayName"] == "Engineering").unwrap();
    let (id, name) = (group["id"].as_str().unwrap(), "Engineering");
    // Whether they are in it to begin with is the lab's affair.
    okta(&place, &["user", "remove-from-group", &login, "--group", name, "--yes"], 0);
    let told = one(&place, &["user", "add-to-group", &login, "--group", name, "--yes"], 0);
    assert_eq!(
        [&told["outcome"], &told["evidence"], &told["action"]],
        ["changed", "verified", "add-to-group"]
    );
    let user = told["id"].as_str().unwrap();
    assert!(sent(&tenant).contains(&format!("PUT /api/v1/groups/{id}/users/{user}?")), "{:?}", sent(&tenant));
    let told = one(&place, &["user", "remove-from-group", &login, "--group", id, "--yes", "--again"], 0);
    assert_eq!(told["outcome"], "changed");
    assert_eq!(
        place.run(&["okta", "user", "add-to-group", &login, "--group", "Engine", "--yes"]).expect(1).out,
        ""
    );
}

#[test]
fn a_link_is_handed_over_in_words_too_and_mailed_to_nobody() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let ended = place.run(&["okta", "user", "reset-password", &login, "--link", "--yes"]).expect(0);
    assert_eq!(ended.out.matches("one-time link, shown once: http").count(), 1, "{}", ended.out);
    assert!(ended.out.contains("; now RECOVERY: no sign-in"), "{}", ended.out);
    assert!(sent(&tenant)[0].ends_with("/lifecycle/reset_password?sendEmail=false"), "{:?}", sent(&tenant));
    let mailed = one(&place, &["user", "reset-password", &tenant.login(4), "--yes"], 0);
    assert!(mailed["one_time_link"].is_null() && sent(&tenant)[1].ends_with("sendEmail=true"));
}

/// A playbook reads these names, whatever came of it.
#[test]
fn a_change_is_told_under_the_documented_names_whatever_came_of_it() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let update = ["user", "update", &login, "--set", "title=x", "--yes"];
    let ends = [
        one(&place, &update, 0),
        one(&place, &update, 0),
        one(&place, &["user", "activate", "nobody@x", "--yes"], 1),
    ];
    let documented = ["success", "active", "id", "username", "email", "errorCode", "errorMessage", "details"];
    let ours = ["action", "skipped", "reason", "status", "can_sign_in", "outcome", "evidence", "action_id"];
    for told in &ends {
        let missing: Vec<_> =
            documented.iter().chain(&ours).filter(|name| told.get(**name).is_none()).collect();
        assert!(missing.is_empty(), "{missing:?} of {told}");
        assert!(told["errorCode"].is_string(), "a code is a text");
    }
    assert_eq!(ends[2]["outcome"], "failed", "{}", ends[2]);
}

#[test]
fn what_okta_refuses_is_told_in_its_code_and_causes() {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let taken = format!("login={}", tenant.login(4));
    let told = one(&place, &["user", "update", &login, "--set", &taken, "--yes"], 1);
    assert_eq!((&told["success"], told["errorCode"].as_str()), (&json!(false), Some("E0000001")), "{told}");
    assert!(!told["errorMessage"].as_str().unwrap().is_empty());
    assert_eq!(told["status"], "ACTIVE", "as it is then");
}

#[rstest]
#[case(&["--set", "title"], "is not a field and a value")]
#[case(&["--set", "id=00u1", "--set", "title=x"], "`id` says whom a profile means")]
#[case(&["--set", "n:=seven"], "not JSON")]
#[case(&["--profile", "[]"], "`--profile` cannot be used")]
#[case(&["--set", "surname=a", "--set", "lastName=b"], "both mean `lastName`")]
#[case(&["--set", "title=\u{1b}[2J"], "control character")]
fn what_cannot_be_sent_is_wrong_usage(#[case] fields: &[&str], #[case] phrase: &str) {
    let (tenant, place) = started();
    let login = tenant.login(3);
    let words = [&["okta", "user", "update", &login, "--yes"], fields].concat();
    let ended = place.run(&words).expect(2);
    assert!(ended.errors.contains(phrase) && !ended.errors.contains('\u{1b}'), "{}", ended.errors);
    assert!(sent(&tenant).is_empty());
}

#[test]
fn fields_are_listed_beside_the_names_of_the_table() {
    let (_tenant, place) = started_with("\n[okta.map]\nbadge = \"badgeNumber\"\n");
    let fields = okta(&place, &["get-mapping-fields"], 0);
    let of = |name: &str| fields.iter().find(|field| field["field"] == name).unwrap();
    assert_eq!((&of("lastName")["names"], &of("lastName")["from"]), (&json!(["surname"]), &json!("base")));
    assert_eq!(
        (&of("badgeNumber")["names"], &of("badgeNumber")["from"]),
        (&json!(["badge"]), &json!("custom"))
    );
    assert!(of("badgeNumber")["title"].is_string());
}

#[test]
fn who_set_the_iam_configuration_at_once_lose_nothing_of_each_other() {
    let (_tenant, place) = started();
    place.run(&["okta", "config", "get"]).expect(0);
    let entry = |n: usize| json!([{"ApplicationID": format!("0oa{n}"), "Name": "A"}]).to_string();
    let running: Vec<_> = (0..6)
        .map(|n| place.start(&["okta", "config", "set", "--configuration", &entry(n), "--yes"]))
        .collect();
    for process in running {
        process.ended().expect(0);
    }
    assert_eq!(okta(&place, &["config", "get"], 0).len(), 6);
}

#[test]
fn a_damaged_iam_configuration_is_told_and_mended_by_replacing_it() {
    let (tenant, place) = started();
    place.run(&["okta", "config", "get"]).expect(0);
    tenant.wait(async {
        let (store, nobody) = (place.store(), Actor::default());
        store.set_setting(IAM_CONFIGURATION, "{\"damaged", &nobody, Timestamp::UNIX_EPOCH).await.unwrap();
        store.close().await.unwrap();
    });
    let get = place.run(&["okta", "config", "get"]).expect(1);
    assert!(get.errors.contains("okta config set --replace"), "{}", get.errors);
    let set = ["config", "set", "--configuration", r#"[{"ApplicationID":"0oa1"}]"#, "--yes"];
    assert!(okta(&place, &set, 1).is_empty(), "what cannot be read is not laid over");
    let told = one(&place, &[&set[..], &["--replace"]].concat(), 0);
    assert!(told["mended"].as_str().unwrap().contains("not JSON"), "{told}");
    assert_eq!(okta(&place, &["config", "get"], 0).len(), 1);
}

#[test]
fn doctor_says_what_is_switched_off_and_why_there_is_no_max_fetch() {
    let (_tenant, place) = started_with(
        "\n[okta.allow]\ncreate = false\n\n[[source]]\ntype = \"okta-system-log\"\nname = \"log-2\"\n",
    );
    let lines = place.run_json(&["doctor"]).json_lines();
    let told = |name: &str| lines.iter().find(|line| line["check"] == name).unwrap()["told"].to_string();
    assert!(told("okta writes").contains("switched off: create"));
    assert!(told("max_fetch").contains("committed together"));
}
