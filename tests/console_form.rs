//! The real loop with scripted keys: the dry run of a card, and the form of a flow's inputs.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(dead_code, reason = "each test file uses what it needs of the shared bench")]

#[path = "console_support/mod.rs"]
mod console;

use console::Bench;

/// From the feed to a card that has not armed yet.
async fn card(bench: &Bench) {
    bench.check("r", "OKTA 00u1").await;
    bench.check("1", "arming…").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_shows_the_json_sends_nothing_and_the_card_arms_anew() {
    let bench = Bench::new().await;
    bench.caller.works_on(&bench.town);
    card(&bench).await;
    // Too early, and where a word is typed the letter is one.
    bench.check("<ctrl-r>d", "arming…").await;
    bench.advance(400).await;
    bench.see("ctrl-r dry run").await;
    bench.check("sus<ctrl-r>", "Dry run of suspend-okta-account").await;
    bench.see("\"evidence\": null").await;
    bench.see("\"confirm\": \"--yes\"").await;
    // What was typed ahead neither copies nor writes it.
    bench.check("yE", "nothing was sent").await;
    assert!(!bench.glass.was_sent("\u{1b}]52;c;"));
    bench.check("<ctrl-d>G", "↑").await;
    bench.advance(400).await;
    bench.check("y", "sent to the terminal (OSC 52)").await;
    bench.check("E", "there is no home directory to write to").await;
    bench.check("<esc>", "arming…").await;
    // Back on the card, which is read anew before it takes anything.
    bench.check("pend<enter>", "arming…").await;
    assert_eq!(bench.caller.sent(), 0);
    bench.advance(400).await;
    bench.check("pend<enter>", "changed:").await;
    assert_eq!(bench.caller.sent(), 1);
    bench.check("<esc>L", "verified").await;
}
