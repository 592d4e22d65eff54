//! The lab and the program: what the lab gets wrong, on the screen, and what its senders say, in the store.
use crate::support::place::Place;
use crate::support::screen::Screen;
use crate::support::tenant::Tenant;
use crate::support::wait;
use serde_json::Value;
use std::collections::BTreeSet;

/// Which sources brought what is found.
fn sources(place: &Place, query: &str) -> BTreeSet<String> {
    let events = place.run_json(&["events", "list", query, "--limit", "1000"]).expect(0).json_lines();
    events.iter().filter_map(|event| event["source"].as_str().map(str::to_owned)).collect()
}

#[test]
fn the_incident_is_told_by_everybody() {
    let tenant = Tenant::at_speed(100.0);
    let place = Place::with_lab(&tenant.lab);
    let _collect = place.collect();
    let _telling = tenant.wait(async { tenant.lab.tell(tenant.lab.targets(place.listen())) });
    place.run(&["run", "always-content", "--user", &tenant.login(3), "--yes"]).expect(0);
    let others = ["okta-event-hook", "ispm-webhook", "report-form", "alerts"];
    for source in ["cii-webhook"].into_iter().chain(others) {
        let query = format!("source:{source}");
        wait::until(format!("an event of {source}"), || sources(&place, &query).contains(source));
    }
    let is_there = || sources(&place, "quiet:yes").contains("okta-execution-log");
    wait::until("the run's records", is_there);
    let findings = place.all("findings");
    let opened = |check: &str| findings.iter().any(|finding: &Value| finding["check_id"] == check);
    for check in ["mfa-flood", "okta:push-denied", "ispm:No MFA - Admin Account", "PushPromptRate"] {
        assert!(opened(check), "{check}");
    }
    assert!(opened("reported-by-user"));
    let events = place.all("events");
    // But for ISPM's `issue.updated`, of which nobody knows what it says.
    let is_updated = |event: &Value| event["check_id"] == "ispm:Unused Admin Account";
    let other = events.iter().find(|event| event["kind"] == "other" && !is_updated(event));
    assert!(other.is_none(), "everything else is understood: {other:?}");
}

#[test]
fn what_a_field_lacks_stands_in_the_pane_that_shows_it() {
    let tenant = Tenant::start();
    tenant.fault("partial@cii");
    let place = Place::with_lab(&tenant.lab);
    // Narrow: one pane at a time.
    let mut screen = Screen::start(&place, &[], 80, 24);
    screen.shows("sources ok");
    screen.press(&format!(":user {}\r", tenant.login(3)));
    screen.shows("LocationUnavailable: the location of this sign-in");
    assert!(!screen.text().contains("of this address"), "{}", screen.text());
    screen.press("3");
    screen.shows("LocationUnavailable: the location of this address");
    // What came stands beside it: everybody has an address at home.
    screen.shows("2001:db8:");
}
