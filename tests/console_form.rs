//! The real loop with scripted keys: the dry run of a card, and the form of a flow's inputs.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(dead_code, reason = "each test file uses what it needs of the shared bench")]

#[path = "console_support/mod.rs"]
mod console;

use console::Bench;

/// From the feed to a card that has not armed yet.
async fn card(bench: &Bench) {
    bench.check("r", "Okta 00u1").await;
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
    // What was typed ahead neither copies nor writes it.
    bench.check("yE", "nothing was sent").await;
    assert!(!bench.glass.was_sent("\u{1b}]52;c;"));
    bench.check("G", "\"undo\": \"flow `unsuspend`").await;
    bench.advance(400).await;
    bench.check("y", "sent to the terminal (OSC 52)").await;
    bench.check("E", "the dry run is in ").await;
    bench.check("<esc>", "arming…").await;
    // Back on the card, which is read anew before it takes anything.
    bench.check("pend<enter>", "arming…").await;
    assert_eq!(bench.caller.sent(), 0);
    bench.advance(400).await;
    bench.check("pend<enter>", "changed:").await;
    assert_eq!(bench.caller.sent(), 1);
    bench.check("<esc>L", "verified").await;
}

/// A card that wants insistence takes no letters of the word: its last one is no key.
#[tokio::test(flavor = "multi_thread")]
async fn a_word_that_is_typed_ahead_asks_for_no_dry_run() {
    let bench = Bench::new().await;
    card(&bench).await;
    bench.advance(400).await;
    bench.check("suspend<enter>", "accepted:").await;
    bench.press("<esc>");
    bench.check("r", "Okta 00u1").await;
    bench.check("1", "A insists").await;
    bench.advance(400).await;
    bench.check("suspend<enter>", "A insists · ctrl-r dry run").await;
    bench.check("<ctrl-r>", "Dry run of suspend-okta-account").await;
    assert_eq!(bench.caller.sent(), 1);
}

/// From the feed to the form of the flow that has inputs.
async fn form(bench: &Bench) {
    bench.check("r", "Tell somebody").await;
    bench.see("a router").await;
    bench.check("4", "Inputs of Tell somebody").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_filled_in_its_card_shows_the_values_and_leads_back() {
    let bench = Bench::new().await;
    form(&bench).await;
    bench.see("who is told, by mail").await;
    // Enter and tab go on; nothing runs before the last one.
    bench.check("bob<enter>seven", "wants a number").await;
    bench.check("<ctrl-u>14<tab> <enter>", "arming…").await;
    bench.advance(400).await;
    bench.see("y runs it · e inputs · d dry run").await;
    bench.check("<pagedown><pagedown>", "\"days\": 14").await;
    bench.see("\"login\": \"ann@example.com\"").await;
    bench.check("e", "Inputs of Tell somebody").await;
    // The keys are on the last field; what was typed is kept.
    bench.check("<up><ctrl-u>30<down><enter>", "arming…").await;
    bench.advance(400).await;
    bench.check("<pagedown><pagedown>", "\"days\": 30").await;
    assert_eq!(bench.caller.sent(), 0);
    bench.check("y", "accepted:").await;
    assert_eq!(bench.caller.sent(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_says_what_is_missing_and_leads_back_to_the_list() {
    let bench = Bench::new().await;
    form(&bench).await;
    bench.check("<up><enter>", "has to be filled in").await;
    bench.check("<esc>", "a number or enter chooses").await;
    bench.press("<esc>");
    bench.gone("a number or enter chooses").await;
}
