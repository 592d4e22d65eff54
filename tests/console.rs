//! The real loop with scripted keys, against an embedded store and a tenant that a test plays.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "console_support/mod.rs"]
#[expect(dead_code, reason = "each test file uses its part of this")]
mod console;

use console::Bench;
use idtriage::app::Msg;
use idtriage::domain::{Remote, SourceHealth, SourceState, Wait, WaitCause};
use idtriage::runtime::console::Ended;
use jiff::SignedDuration;

#[tokio::test(flavor = "multi_thread")]
async fn an_event_opens_and_the_way_back_is_kept() {
    let bench = Bench::new().await;
    bench.selected("impossible-travel").await;
    bench.check("<enter>", "Feed › Title of impossible-travel").await;
    bench.see("Something is wrong.").await;
    bench.check("<enter>", "› ann@example.com").await;
    bench.check("<esc>", "Something is wrong.").await;
    bench.check("q", "row 1 of 4").await;
    bench.selected("impossible-travel").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_opens_from_the_feed_and_from_the_prompt() {
    let bench = Bench::new().await;
    bench.check("u", "Feed › ann@example.com").await;
    bench.see("A Person").await;
    bench.check(":user zoe@example.com<enter>", "ann@example.com › zoe@example.com").await;
    bench.check("<esc><esc>", "row 1 of 4").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_leads_to_its_users_and_on_to_a_person() {
    let bench = Bench::new().await;
    bench.check("u", "203.0.113.7").await;
    bench.check("3<enter>", "IP 203.0.113.7").await;
    bench.see("fred@example.com").await;
    bench.check("j<enter>", "IP 203.0.113.7 › fred@example.com").await;
    bench.check("<esc>:ip 198.51.100.1<enter>", "IP 203.0.113.7 › IP 198.51.100.1").await;
    bench.check(":ip here<enter>", "`here` is not an IP address").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_narrows_the_feed_and_a_bad_one_says_where() {
    let bench = Bench::new().await;
    bench.press("/severity>=high<enter>");
    bench.gone("Title of old-password").await;
    bench.see("Title of no-mfa").await;
    bench.check("<esc>", "Title of old-password").await;
    bench.check("/severity>=loud<enter>", "at column").await;
    bench.press("<esc>");
    bench.gone("at column").await;
    bench.check("/user:nobody@example.com<enter>", "No event matches the filter").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_palette_chooses_what_a_few_letters_find() {
    let bench = Bench::new().await;
    bench.check(":jour", "the journal").await;
    bench.check("<enter>", "Feed › journal").await;
    bench.check("<esc>:nonsense-that-is-nothing<enter>", "there is no command").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_is_claimed_released_noted_and_closed() {
    let bench = Bench::new().await;
    bench.check("c", "claimed: Title of impossible-travel of ann@example.com").await;
    bench.check("c", "released: ").await;
    bench.check("n", "note").await;
    bench.check("<enter>", "a note is required").await;
    bench.press("called her<enter>");
    bench.gone("a note is required").await;
    // Closing the finding as it was before the note would be refused.
    bench.settled().await;
    bench.check("x", "true positive").await;
    bench.check("<down>expected trip<enter>", "closed: ").await;
    bench.check("<enter>", "closed: benign").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_rows_wait_behind_the_counter_and_none_moves() {
    let bench = Bench::new().await;
    bench.press("j");
    bench.selected("old-password").await;
    let stands = bench.line_of("old-password");
    bench.arrive(&[("5", "mfa-flood", "critical", &["gus@example.com"])]).await;
    bench.see("1 new (1 critical), g").await;
    assert_eq!(bench.line_of("old-password"), stands);
    assert_eq!(bench.line_of("mfa-flood"), None);
    // Up on the first row takes nothing in.
    bench.press("kk");
    bench.selected("impossible-travel").await;
    assert_eq!(bench.line_of("mfa-flood"), None);
    bench.check("g", "Title of mfa-flood").await;
    bench.gone("new, g").await;
    bench.selected("mfa-flood").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_came_in_just_now_is_not_acted_on() {
    let bench = Bench::new().await;
    bench.arrive(&[("5", "mfa-flood", "critical", &["gus@example.com"])]).await;
    bench.selected("mfa-flood").await;
    bench.check("c", "look, then press again").await;
    bench.advance(400).await;
    bench.check("c", "claimed: Title of mfa-flood of gus@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_no_longer_matches_hands_the_cursor_to_the_next() {
    let bench = Bench::new().await;
    bench.press("/state:open<enter>");
    bench.settled().await;
    bench.press("j");
    bench.selected("old-password").await;
    bench.check("c", "claimed: ").await;
    bench.tell(idtriage::app::Msg::StoreChanged(Default::default()));
    bench.selected("no-mfa").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_looked_at_before_it_goes_anywhere() {
    let bench = Bench::new().await;
    bench.check("<enter>", "reference").await;
    bench.check("o", "the host is not among the configured ones").await;
    bench.check("y", "sent to the terminal (OSC 52)").await;
    // "https://dashboard.example.com/checks/7" in base64.
    assert!(bench.glass.was_sent("\u{1b}]52;c;aHR0cHM6Ly9kYXNoYm9hcmQuZXhhbXBsZS5jb20vY2hlY2tzLzc=\u{7}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_goes_to_the_terminal_and_says_so() {
    let bench = Bench::new().await;
    bench.check("y", "sent to the terminal (OSC 52): ann@example.com").await;
    assert!(bench.glass.was_sent("\u{1b}]52;c;YW5uQGV4YW1wbGUuY29t\u{7}"));
}

/// From the feed to a card that has not armed yet.
async fn card(bench: &Bench) {
    bench.check("r", "Okta 00u1").await;
    bench.check("1", "arming…").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remediation_runs_from_the_key_to_the_receipt() {
    let bench = Bench::new().await;
    bench.caller.works_on(&bench.town);
    card(&bench).await;
    bench.advance(400).await;
    bench.see("type suspend and enter").await;
    bench.check("suspect<enter>", "type `suspend` exactly").await;
    assert_eq!(bench.caller.sent(), 0);
    bench.check("<ctrl-u>suspend<enter>", "changed:").await;
    assert_eq!(bench.caller.sent(), 1);
    bench.check("<esc>L", "verified").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_ended_is_undone_from_its_card_and_the_journal_has_both() {
    let bench = Bench::new().await;
    bench.caller.works_on(&bench.town);
    card(&bench).await;
    bench.advance(400).await;
    bench.check("suspend<enter>", "changed:").await;
    // A key that was typed ahead undoes nothing.
    bench.check("z", "changed:").await;
    bench.advance(400).await;
    bench.see("z undoes").await;
    bench.check("z", "undoes ").await;
    bench.see("Unsuspend the Okta account of ann@example.com").await;
    bench.advance(400).await;
    bench.check("unsuspend<enter>", "changed:").await;
    assert_eq!(bench.caller.sent(), 2);
    bench.check("<esc>L", "no flow undoes this").await;
    bench.see("undoes").await;
    bench.check("z", "nothing is undone: no flow undoes this").await;
    bench.check("j", "z: flow `unsuspend`").await;
    bench.see("undone").await;
    assert_eq!(bench.caller.sent(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_still_open_is_looked_at_again_and_undone_from_the_person() {
    let bench = Bench::new().await;
    card(&bench).await;
    bench.advance(400).await;
    bench.check("suspend<enter>", "accepted:").await;
    bench.advance(400).await;
    bench.see("R looks again").await;
    bench.check("<esc>L", "R: the account is read").await;
    bench.check("R", "re-read at").await;
    bench.see("accepted (acknowledged)").await;
    bench.town.turn("SUSPENDED");
    bench.check("R", "SUSPENDED, before ACTIVE").await;
    // There is no System Log here that could say who did it.
    bench.see("whom is not known").await;
    assert_eq!(bench.caller.sent(), 1, "a look sends nothing");
    bench.check("<esc>u8", "accepted; by ops").await;
    bench.check("<enter>", "its records").await;
    bench.check("<esc>", "accepted; by ops").await;
    bench.check("z", "Unsuspend the Okta account of ann@example.com").await;
    bench.check("<esc>", "not sent").await;
    bench.check("1z", "undoing takes an action").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_type_ahead_nor_a_paste_answers_a_card() {
    let bench = Bench::new().await;
    card(&bench).await;
    bench.press("suspend<enter>y<enter>");
    bench.paste("suspend\n");
    bench.advance(399).await;
    bench.press("suspend<enter>");
    bench.advance(1).await;
    bench.see("type suspend and enter").await;
    bench.paste("suspend\n");
    // Nothing of all that stands in the field.
    bench.check("<enter>", "type `suspend` exactly").await;
    assert_eq!(bench.caller.sent(), 0);
    bench.check("<esc>", "not sent").await;
    assert_eq!(bench.caller.sent(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_target_disarms_the_card_and_is_shown() {
    let bench = Bench::new().await;
    card(&bench).await;
    bench.advance(400).await;
    bench.see("type suspend and enter").await;
    bench.town.turn("LOCKED_OUT");
    bench.check("suspend<enter>", "changed since you looked").await;
    bench.see("status  ACTIVE").await;
    bench.see("status  LOCKED_OUT").await;
    assert_eq!(bench.caller.sent(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_tenant_holds_up_no_key() {
    let bench = Bench::new().await;
    bench.town.die();
    bench.check("u", "Feed › ann@example.com").await;
    bench.check("<esc>r", "fits? finding out").await;
    bench.press("<esc>");
    bench.gone("fits? finding out").await;
    bench.press("jj");
    bench.selected("no-mfa").await;
    bench.check(":ip 203.0.113.7<enter>", "reading…").await;
    bench.check("<esc>?", "Here: feed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_users_of_an_event_are_filtered_and_both_ends_reached() {
    let bench = Bench::empty();
    let logins: Vec<String> = (0..700).map(|n| format!("user{n:03}@example.com")).collect();
    let users: Vec<&str> = logins.iter().map(String::as_str).collect();
    bench.arrive(&[("1", "no-mfa", "high", &users)]).await;
    bench.see("700 users").await;
    bench.advance(1_000).await;
    bench.check("<enter>", "user000@example.com").await;
    bench.check("G", "user699@example.com").await;
    bench.check("g", "user000@example.com").await;
    bench.check("/severity>=high<enter>", "is about whole events").await;
    bench.check("<ctrl-u>user:*9@* -user:*99@*<enter>", "63 match").await;
    bench.check("<esc>", "user001@example.com").await;
    bench.check("c", "claimed by ops").await;
    bench.check("/state:claimed<enter>", "1 match").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_tenant_is_named_with_the_time_until_it_goes_on() {
    let bench = Bench::new().await;
    bench.town.die();
    let wait = |remote| Wait {
        remote,
        cause: WaitCause::Asked,
        until: "2026-03-04T03:12:07Z".parse().unwrap(),
        length: SignedDuration::from_secs(12),
    };
    bench.check("u", "reading…").await;
    bench.tell(Msg::WaitsChanged(vec![wait(Remote::Okta)]));
    bench.see("Okta asks to wait until 03:12:07Z (12 s)").await;
    bench.see("reading…").await;
    bench.tell(Msg::WaitsChanged(Vec::new()));
    bench.gone("03:12:07").await;
    bench.check("r", "fits? finding out").await;
    bench.tell(Msg::WaitsChanged(vec![wait(Remote::Cii)]));
    bench.see("CII asks to wait until 03:12:07Z (12 s)").await;
    bench.check("1", "is still being found out").await;
    assert_eq!(bench.caller.sent(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_says_whom_its_run_waits_for() {
    let bench = Bench::new().await;
    card(&bench).await;
    bench.advance(400).await;
    bench.town.die();
    bench.check("suspend<enter>", "starting…").await;
    let wait = |remote| Wait {
        remote,
        cause: WaitCause::Throttled,
        until: "2026-03-04T03:12:07Z".parse().unwrap(),
        length: SignedDuration::from_secs(2),
    };
    bench.tell(Msg::WaitsChanged(vec![wait(Remote::Flow("https://another.example".into()))]));
    bench.see("starting…").await;
    let own = Remote::Flow("https://acme.workflows.okta.com/suspend-okta-account".into());
    bench.tell(Msg::WaitsChanged(vec![wait(own)]));
    bench.see("starting: Workflows answered 429: waits until 03:12:07Z (2 s)").await;
    bench.tell(Msg::WaitsChanged(Vec::new()));
    bench.see("starting…").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_health_screen_says_how_everything_is_and_scrolls() {
    let bench = Bench::new().await;
    let sources: Vec<SourceHealth> = (0..30)
        .map(|n| SourceHealth::new(format!("source-{n:02}").as_str().into(), "cii-webhook", "/hooks"))
        .map(|source| SourceHealth { state: SourceState::Running, ..source })
        .collect();
    bench.receives();
    bench.tell(Msg::SourcesChanged(sources.into()));
    bench.check("H", "Feed › health").await;
    bench.see("this console, as long as it is open").await;
    bench.see("● source-00").await;
    bench.check("G", "Store").await;
    bench.see("kept for ever").await;
    bench.gone("source-00").await;
    bench.check("g", "● source-00").await;
    bench.check("jj", "↑ 2").await;
    bench.check("?", "Here: health").await;
    bench.check("<esc><esc>", "following").await;
    bench.check(":health<enter>", "Feed › health").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn help_lists_the_keys_of_the_screen_first() {
    let bench = Bench::new().await;
    bench.check("?", "Here: feed").await;
    bench.press("<esc>");
    bench.gone("Here: feed").await;
    bench.check("u", "A Person").await;
    bench.check("?", "Here: User 360").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn quitting_asks_while_this_console_receives() {
    let bench = Bench::new().await;
    bench.receives();
    bench.see("this console").await;
    bench.check("q", "events are not taken in").await;
    bench.press("n");
    bench.gone("events are not taken in").await;
    bench.check("<ctrl-c>", "events are not taken in").await;
    // Typed ahead: not meant for a question that has only just come up.
    bench.press("y");
    bench.advance(400).await;
    bench.see("events are not taken in").await;
    bench.press("y");
    assert_eq!(bench.ended().await, Ended::Quit);
}

#[tokio::test(flavor = "multi_thread")]
async fn quitting_does_not_ask_where_nothing_would_be_lost() {
    let bench = Bench::new().await;
    bench.press("q");
    assert_eq!(bench.ended().await, Ended::Quit);
}
