//! No secret in anything that the program writes: its streams, its log, its store, its screen.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]

mod support;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use nix::sys::signal::Signal;
use secrecy::{ExposeSecret, SecretString};
use std::fs;
use std::path::PathBuf;
use support::payload::failed_check;
use support::place::Place;
use support::poster::post;
use support::screen::Screen;
use support::tenant::Tenant;
use support::wait;

const WRONG: &str = "nearly-the-right-secret";

/// Every secret of the lab, as it is, and as it would look in base64.
fn secrets(tenant: &Tenant) -> Vec<(&'static str, String)> {
    let all = tenant.lab.secrets();
    let key = all.okta_private_key.expose_secret();
    let mut secrets = vec![
        ("the client secret", all.cii_client_secret.expose_secret().to_owned()),
        ("the hook's token", all.cii_hook_token.expose_secret().to_owned()),
        ("the event hook's secret", all.okta_hook_secret.expose_secret().to_owned()),
        ("the ISPM tile's secret", all.ispm_secret.expose_secret().to_owned()),
        ("the execution log's token", all.execution_log_token.expose_secret().to_owned()),
        ("the form's key", all.form_key.expose_secret().to_owned()),
        ("the alert manager's password", all.alerts_password.expose_secret().to_owned()),
        ("the Okta token", all.okta_token.expose_secret().to_owned()),
        ("the flows' token", all.flow_token.expose_secret().to_owned()),
        ("a wrong secret that somebody sent", WRONG.to_owned()),
    ];
    let lines = key.lines().filter(|line| !line.starts_with("-----"));
    secrets.extend(lines.map(|line| ("a line of the private key", line.to_owned())));
    let encoded = |engine: &dyn Fn(&str) -> String| -> Vec<_> {
        secrets.iter().map(|(name, secret)| (*name, engine(secret))).collect()
    };
    let (standard, url) =
        (encoded(&|secret| STANDARD.encode(secret)), encoded(&|secret| URL_SAFE_NO_PAD.encode(secret)));
    secrets.into_iter().chain(standard).chain(url).collect()
}

/// What was made from them on the way: the tokens that clients carry, and what they sign to get one.
fn derived(tenant: &Tenant) -> Vec<(&'static str, String)> {
    let named = |name, all: Vec<SecretString>| -> Vec<(&'static str, String)> {
        all.iter().map(|secret| (name, secret.expose_secret().to_owned())).collect()
    };
    let tokens = named("an access token", tenant.lab.issued_tokens());
    let assertions = named("a client's assertion", tenant.lab.client_assertions());
    assert!(tokens.len() > assertions.len() && !assertions.is_empty(), "both kinds were used");
    [tokens, assertions].concat()
}

fn contains(bytes: &[u8], secret: &str) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
}

/// Commands that end well and commands that do not, all with a log of everything.
fn use_it(tenant: &Tenant, place: &Place) {
    let log = place.path("idtriage.log").display().to_string();
    let with_log = |words: &[&str]| {
        let mut command = place.command(&[words, &["--log", &log]].concat());
        command.env("IDTRIAGE_LOG", "trace");
        place.start_command(&mut command)
    };
    let login = tenant.login(3);
    let collect = with_log(&["collect"]);
    collect.says("idtriage: receiving");
    let message = failed_check("e-1", &login).to_string();
    assert_eq!(post(place.listen(), WRONG, &message), 401);
    assert_eq!(post(place.listen(), tenant.lab.secrets().cii_hook_token.expose_secret(), &message), 200);
    let run = |words: &[&str], status| {
        with_log(words).ended().expect(status);
    };
    run(&["doctor"], 0);
    // What an analyst says is kept as it is: it is not taken with a secret in it.
    let pasted = format!("it signs in with {}", tenant.lab.secrets().okta_token.expose_secret());
    let refused = "holds the value of a configured secret";
    let close = ["findings", "close", "1", "--as", "undetermined", "--reason", &pasted];
    for words in [&["findings", "note", "1", &pasted][..], &close] {
        let ended = with_log(words).ended().expect(2);
        assert!(ended.errors.contains(refused) && !ended.errors.contains(&pasted), "{}", ended.errors);
    }
    run(&["findings", "note", "1", "it signs in with a key"], 0);
    run(&["user", &login], 0);
    run(&["user", &login, "--json"], 0);
    run(&["flows", "--json"], 0);
    run(&["run", "always-content", "--user", &login, "--dry-run", "--json"], 0);
    run(&["run", "always-content", "--user", &login, "--yes", "--json"], 0);
    // It suspends too, a moment later.
    run(&["run", "contain-user", "--user", &login, "--yes", "--again"], 0);
    tenant.fault("401@token");
    tenant.fault("401");
    tenant.lab.revoke_tokens();
    run(&["user", &login], 1);
    run(&["doctor"], 1);
    run(&["run", "always-content", "--user", &login, "--yes", "--again"], 1);
    tenant.lab.faults().clear_all();
    run(&["journal", "list", "--json"], 0);
    collect.signal(Signal::SIGTERM);
    collect.ended().expect(0);
}

/// The same through the console, with the screen's text in a file beside the others.
fn look_at_it(tenant: &Tenant, place: &Place) {
    let mut screen = Screen::start(place, &[], 200, 50);
    screen.shows("last event");
    let shown = |name: &str, screen: &Screen| place.write(&format!("screen-{name}"), &screen.text());
    let pasted = tenant.lab.secrets().flow_token.expose_secret().to_owned();
    screen.press(&format!(":user {}\r2", tenant.login(3)));
    screen.shows("No MFA Configured");
    // What is typed into it already makes no difference.
    wait::until("the note", || {
        screen.press("n");
        screen.text().contains("writes it")
    });
    screen.press(&format!("{pasted}\r"));
    screen.shows("holds the value of a configured secret");
    shown("note", &screen);
    screen.press(&format!(":user {}\r", tenant.login(4)));
    screen.shows("Accounts");
    screen.press("r");
    screen.shows("undo:");
    screen.press("1");
    screen.shows("type suspend and enter");
    shown("card", &screen);
    screen.press("suspend\r");
    screen.shows("┏ Changed");
    shown("done", &screen);
    screen.press("\u{1b}");
    screen.shows_no("┏ Changed");
    screen.press("L");
    screen.shows("last record");
    shown("journal", &screen);
    screen.press("\r");
    screen.shows("its records");
    shown("records", &screen);
}

#[test]
fn no_secret_is_written_anywhere() {
    let tenant = Tenant::start();
    let place = Place::with_lab(&tenant.lab);
    use_it(&tenant, &place);
    look_at_it(&tenant, &place);
    let folder = place.path("secrets");
    let (kept, files): (Vec<_>, Vec<_>) =
        place.files().into_iter().partition(|path| path.starts_with(&folder));
    // The search itself works: it finds what has to be there.
    let found = |path: &PathBuf| {
        let bytes = fs::read(path).unwrap();
        secrets(&tenant).iter().any(|(_, secret)| contains(&bytes, secret))
    };
    assert!(kept.len() == 10 && kept.iter().all(found));
    assert!(files.iter().any(|path| path.ends_with("idtriage.log")), "{files:?}");
    assert!(files.contains(&place.store_file()), "{files:?}");
    let all = [secrets(&tenant), derived(&tenant)].concat();
    for path in files {
        let bytes = fs::read(&path).unwrap();
        for (name, secret) in &all {
            assert!(!contains(&bytes, secret), "{name} stands in {}", path.display());
        }
    }
}

/// It stands in every record, and leaves with every call of a flow.
#[test]
fn no_analyst_and_no_application_is_called_like_a_secret() {
    let tenant = Tenant::start();
    let secret = tenant.lab.secrets().flow_token.expose_secret().to_owned();
    let place = Place::with_lab(&tenant.lab);
    let application = format!(r#"[{{"ApplicationID":"0oa1","Name":"{secret}"}}]"#);
    let refused = place.run(&["okta", "config", "set", "--configuration", &application, "--yes"]).expect(2);
    assert!(
        refused.errors.contains("the IAM configuration holds the value of a configured secret"),
        "{refused:?}"
    );
    let journal = place.run_json(&["journal", "export"]).expect(0).out;
    assert!(!journal.contains(&secret), "{journal}");

    let place = Place::with_lab_and(&tenant.lab, &format!("\n[console]\nanalyst = '{secret}'\n"));
    let refused = place.run(&["run", "okta-suspend", "--user", &tenant.login(3), "--yes"]).expect(2);
    let told = "`[console] analyst` holds the value of a configured secret";
    assert!(refused.errors.contains(told) && !refused.errors.contains(&secret), "{refused:?}");
    assert!(tenant.lab.recorder().writes().is_empty());
}
