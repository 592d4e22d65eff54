//! Telling CII and Okta where to post, with the real program against a lab.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod support;

use nix::sys::signal::Signal;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::fs;
use support::place::Place;
use support::tenant::Tenant;
use support::wait;

const CII_URL: &str = "https://hooks.example.com/hooks/cii";
const REGISTER: [&str; 9] =
    ["cii", "webhook", "register", "--url", CII_URL, "--check", "no-mfa", "--check", "inactive-users"];

fn started() -> (Tenant, Place) {
    let tenant = Tenant::start();
    let place = Place::with_lab(&tenant.lab);
    (tenant, place)
}

fn register(more: &[&'static str]) -> Vec<&'static str> {
    [REGISTER.as_slice(), more].concat()
}

/// Where the place's own listener listens, as Okta would post to it.
fn own_url(place: &Place) -> String {
    format!("http://{}/hooks/okta", place.listen())
}

/// The values that the journal has of a setting, oldest first.
fn journal(place: &Place) -> Vec<Value> {
    let mut records = place.run_json(&["journal", "list"]).expect(0).json_lines();
    records.reverse();
    let value = |record: &Value| {
        let value = record["content"]["value"].as_str()?;
        serde_json::from_str(value).ok()
    };
    records.iter().filter_map(value).collect()
}

fn outcomes(place: &Place) -> Vec<String> {
    let told = journal(place);
    told.iter().map(|value| value["outcome"].as_str().unwrap().to_owned()).collect()
}

/// No secret of any kind in what the program printed or wrote.
fn holds_no_secret(tenant: &Tenant, place: &Place) {
    let secrets = tenant.lab.secrets();
    let mut all = vec![
        secrets.cii_hook_token.expose_secret().to_owned(),
        secrets.okta_hook_secret.expose_secret().to_owned(),
        secrets.cii_client_secret.expose_secret().to_owned(),
        secrets.okta_token.expose_secret().to_owned(),
    ];
    all.extend(tenant.lab.issued_tokens().iter().map(|token| token.expose_secret().to_owned()));
    let written = place.files().into_iter().filter(|path| !path.starts_with(place.path("secrets")));
    let mut seen = 0;
    for path in written {
        let bytes = fs::read(&path).unwrap();
        seen += usize::from(!bytes.is_empty());
        for secret in &all {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "a secret stands in {}", path.display());
        }
    }
    assert!(seen > 3, "streams and store were looked at");
}

#[test]
fn a_dry_run_shows_the_request_and_sends_nothing() {
    let (tenant, place) = started();
    let text = place.run(&register(&["--dry-run"])).expect(0).out;
    let api = &tenant.lab.addresses().cii_api_url;
    assert!(text.starts_with(&format!("POST {api}\n")), "{text}");
    assert!(text.contains("authorization: [secret]\n") && text.contains(r#""apiKey":"[secret]""#), "{text}");
    let shown = &place.run_json(&register(&["--dry-run", "--read-only"])).expect(0).json_lines()[0];
    let body: Value = serde_json::from_str(shown["request"]["body"].as_str().unwrap()).unwrap();
    let input = json!({"name": "idtriage", "endpoint": CII_URL, "apiKeyName": "x-api-client-token",
        "apiKey": "[secret]", "checkIds": ["inactive-users", "no-mfa"]});
    assert_eq!((&body["variables"]["input"], &shown["outcome"]), (&input, &Value::Null));
    let hook = place.run_json(&["okta", "hook", "create", "--url", &own_url(&place), "--dry-run"]).expect(0);
    let shown = &hook.json_lines()[0];
    let body: Value = serde_json::from_str(shown["request"]["body"].as_str().unwrap()).unwrap();
    let scheme = json!({"type": "HEADER", "key": "authorization", "value": "[secret]"});
    assert_eq!(body["channel"]["config"]["authScheme"], scheme);
    place.run(&["okta", "hook", "verify", "who1", "--dry-run"]).expect(0);
    place.run(&["cii", "webhook", "unregister", "wh-1", "--dry-run"]).expect(0);
    assert!(tenant.lab.recorder().requests().is_empty(), "nothing left, not even for a token");
    assert!(!place.store_file().exists(), "and nothing was journalled");
    holds_no_secret(&tenant, &place);
}

#[test]
fn a_webhook_is_registered_and_its_id_ends_it() {
    let (tenant, place) = started();
    let ended = place.run(&register(&["--yes", "--name", "soc"])).expect(0);
    let webhook = tenant.lab.webhooks().remove(0);
    let last = ended.out.lines().last().unwrap();
    assert_eq!(last, format!("registered: {}", webhook.id));
    assert!(ended.errors.contains(&format!("`idtriage cii webhook unregister {}`", webhook.id)));
    assert!(webhook.name.starts_with("soc-"), "{}", webhook.name);
    assert_eq!((webhook.endpoint.as_deref(), webhook.header.as_str()), (Some(CII_URL), "x-api-client-token"));
    assert_eq!(webhook.checks, ["inactive-users", "no-mfa"]);
    let secret = tenant.lab.secrets().cii_hook_token.expose_secret();
    assert!(webhook.secret.expose_secret() == secret, "it is the source's own");

    let ended = place.run_json(&["cii", "webhook", "unregister", &webhook.id, "--yes"]).expect(0);
    let told = &ended.json_lines()[0];
    assert_eq!((&told["outcome"], &told["receipt"]["status"]), (&json!("accepted"), &json!(200)));
    assert!(tenant.lab.webhooks().is_empty());
    let again = place.run(&["cii", "webhook", "unregister", &webhook.id, "--yes"]).expect(1);
    assert!(again.errors.contains("failed: NotFound: no webhook with this id"), "{}", again.errors);
    tenant.fault("unregister-false");
    let again = place.run(&["cii", "webhook", "unregister", &webhook.id, "--yes"]).expect(1);
    assert!(again.errors.contains("CII answered that it did not\nhint: check the id"), "{}", again.errors);

    let told = journal(&place);
    assert_eq!(
        outcomes(&place),
        ["pending", "accepted", "pending", "accepted", "pending", "failed", "pending", "failed"]
    );
    assert_eq!((&told[0]["request"]["method"], &told[1]["id"]), (&json!("POST"), &json!(webhook.id)));
    let listed = place.run(&["journal", "list"]).expect(0).out;
    let row = format!("registered.cii-webhook · accepted · {}", webhook.id);
    assert!(listed.contains(&row), "{listed}");
    place.run(&["journal", "verify"]).expect(0);
    holds_no_secret(&tenant, &place);
}

#[test]
fn nothing_is_sent_without_a_confirmation_or_read_only() {
    let (tenant, place) = started();
    let asked = place.run(&register(&[])).expect(2);
    assert!(asked.errors.contains("wants a confirmation\nhint: `--yes` sends it"), "{}", asked.errors);
    assert!(asked.out.starts_with("POST "), "it is shown all the same: {}", asked.out);
    let refused = place.run(&register(&["--yes", "--read-only"])).expect(1);
    assert!(refused.errors.contains("registering is refused: this is `--read-only`"), "{}", refused.errors);
    place.run(&["okta", "hook", "verify", "who1", "--yes", "--read-only"]).expect(1);
    assert!(tenant.lab.recorder().requests().is_empty());
}

#[test]
fn a_lost_reply_is_unknown_and_not_sent_twice() {
    let (tenant, place) = started();
    tenant.fault("reply-lost@cii=1");
    let lost = place.run(&register(&["--yes"])).expect(4);
    assert!(
        lost.errors.contains("the outcome of registering a webhook with CII is unknown"),
        "{}",
        lost.errors
    );
    assert!(lost.errors.contains("look under `Integrations`"), "{}", lost.errors);
    assert_eq!((tenant.lab.recorder().count("POST", "/cii/api"), tenant.lab.webhooks().len()), (1, 1));
    let again = place.run(&register(&["--yes"])).expect(1);
    assert!(again.errors.contains("then insist with `--again`"), "{}", again.errors);
    assert_eq!(tenant.lab.recorder().count("POST", "/cii/api"), 1);
    place.run(&register(&["--yes", "--again"])).expect(0);
    assert_eq!(tenant.lab.webhooks().len(), 2);
    assert_eq!(outcomes(&place), ["pending", "unknown", "pending", "accepted"]);
    holds_no_secret(&tenant, &place);
}

#[test]
fn what_is_refused_is_told_with_what_mends_it() {
    let (tenant, place) = started();
    tenant.fault("403@cii");
    let refused = place.run(&register(&["--yes"])).expect(1);
    assert!(refused.errors.contains("CII answered 403\nhint: check the role"), "{}", refused.errors);
    tenant.fault("403@okta");
    let refused = place.run(&["okta", "hook", "list"]).expect(1);
    assert!(refused.errors.contains("the event hooks cannot be read"), "{}", refused.errors);
    let refused = place.run(&["okta", "hook", "create", "--url", &own_url(&place), "--yes"]).expect(1);
    assert!(refused.errors.contains("a super administrator"), "{}", refused.errors);
    tenant.lab.faults().clear_all();
    let unknown = place.run(&["okta", "hook", "verify", "whonobody", "--yes"]).expect(1);
    assert!(unknown.errors.contains("hint: `idtriage okta hook list` shows the ids"), "{}", unknown.errors);
    assert!(tenant.lab.webhooks().is_empty() && tenant.lab.event_hooks().is_empty());
}

#[test]
fn the_address_and_the_source_are_looked_at() {
    let (tenant, place) = started();
    let odd = place.run(&[
        "cii",
        "webhook",
        "register",
        "--url",
        "https://hooks.example.com/x",
        "--check",
        "no-mfa",
        "--dry-run",
    ]);
    let odd = odd.expect(0);
    assert!(odd.errors.contains("ends in `/x` and the source listens on `/hooks/cii`"), "{}", odd.errors);
    let secret = tenant.lab.secrets().cii_hook_token.expose_secret();
    let url = format!("{CII_URL}?key={secret}");
    let told =
        place.run(&["cii", "webhook", "register", "--url", &url, "--check", "no-mfa", "--yes"]).expect(2);
    assert!(told.errors.contains("the source's secret stands in `--url`"), "{}", told.errors);
    assert!(!told.errors.contains(secret) && told.out.is_empty());
    let nobody = place.run(&register(&["--source", "alerts", "--yes"])).expect(2);
    assert!(nobody.errors.contains("hint: one of `cii-webhook`"), "{}", nobody.errors);
    assert!(tenant.lab.recorder().requests().is_empty());
}

#[test]
fn a_hook_is_made_verified_by_who_receives_and_listed() {
    let (tenant, place) = started();
    let created = place.run(&["okta", "hook", "create", "--url", &own_url(&place), "--yes"]).expect(0);
    let hook = tenant.lab.event_hooks().remove(0);
    let last = created.out.lines().last().unwrap();
    assert_eq!(last, format!("created: {} (ACTIVE, UNVERIFIED)", hook.id));
    assert!(created.errors.contains("`security.threat.detected`"), "{}", created.errors);
    assert!(created.errors.contains(&format!("`idtriage okta hook verify {} --yes`", hook.id)));
    let secret = tenant.lab.secrets().okta_hook_secret.expose_secret();
    assert!(hook.header == "authorization" && hook.secret.expose_secret() == secret);
    assert!(hook.events.len() > 20 && hook.events.contains(&"user.mfa.okta_verify.deny_push".to_owned()));

    let verify = ["okta", "hook", "verify", hook.id.as_str(), "--yes"];
    let failed = place.run(&verify).expect(1);
    assert!(failed.errors.contains("did not answer Okta's challenge"), "{}", failed.errors);
    let collect = place.collect();
    let verified = place.run(&verify).expect(0);
    assert!(verified.out.ends_with("verified: ACTIVE, VERIFIED\n"), "{}", verified.out);
    assert!(tenant.lab.event_hooks()[0].is_verified);
    collect.signal(Signal::SIGTERM);
    collect.ended().expect(0);

    let row = &place.run_json(&["--read-only", "okta", "hook", "list"]).expect(0).json_lines()[0];
    let expected = json!({"id": hook.id, "name": "idtriage", "status": "ACTIVE", "verification": "VERIFIED",
        "uri": own_url(&place), "events": hook.events.len()});
    assert_eq!(row, &expected);
    let table = place.run(&["okta", "hook", "list"]).expect(0).out;
    assert!(table.starts_with("ID") && table.lines().count() == 2 && table.contains("VERIFIED"), "{table}");
    assert_eq!(outcomes(&place), ["pending", "accepted", "pending", "failed", "pending", "accepted"]);
    holds_no_secret(&tenant, &place);
}

/// A signal comes while the reply is held back: it is waited for, and told.
#[test]
fn a_signal_waits_for_the_reply() {
    let (tenant, place) = started();
    tenant.fault("latency@cii=3s");
    let process = place.start(&register(&["--yes"]));
    wait::until("the request", || tenant.lab.recorder().count("POST", "/cii/api") == 1);
    process.signal(Signal::SIGTERM);
    process.says("stopping: waiting for the reply");
    process.ended().expect(0);
    assert_eq!(outcomes(&place), ["pending", "accepted"]);
}
