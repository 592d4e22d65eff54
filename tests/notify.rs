//! Notifiers against a webhook that fails in every way: nothing is lost, nothing is told twice but what
//! may not have been heard, and whoever sends events never waits for whoever is told.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy knows test functions, not what they share")]
#![expect(dead_code, reason = "only a part of what tests share is used here")]

#[path = "support/chat.rs"]
mod chat;
#[path = "support/wait.rs"]
mod wait;

use chat::{Chat, Reply};
use idtriage::config::load::{self, Folders};
use idtriage::config::meant::{Channel, Config, Notify, Reading};
use idtriage::domain::Query;
use idtriage::ingest::{Ingest, decoder};
use idtriage::notify::{Hear, Mark, Messenger, Notifiers, Pace};
use idtriage::source::{Accept, Arrival, SystemClock};
use idtriage::store::files::throw_away_folder;
use idtriage::store::{self, Cursor, InboxItem, OpenOptions, Store};
use idtriage::tenant::http::Clock;
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;

const TINY: Pace = Pace {
    gather: Duration::from_millis(5),
    first_rest: Duration::from_millis(5),
    longest_rest: Duration::from_millis(50),
    longest_asked: Duration::from_millis(50),
};

/// A store, a webhook, and what is configured to tell the one of the other.
struct Scene {
    chat: Chat,
    config: Config,
    store: Arc<dyn Store>,
    ear: Arc<Ear>,
    folder: TempDir,
}

/// What was heard of the notifier: why it cannot be told, or that it is told again.
#[derive(Debug, Default)]
struct Ear(Mutex<Vec<Option<String>>>);

impl Hear for Ear {
    fn hear(&self, notifier: &str, why: Option<&str>) {
        assert_eq!(notifier, "hook");
        self.0.lock().unwrap().push(why.map(str::to_owned));
    }
}

/// Somebody who is being told.
struct Telling {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Telling {
    async fn stop(self) {
        self.stop.send_replace(true);
        wait::within("the end of the notifiers", self.task).await.unwrap();
    }
}

impl Scene {
    /// `more` is the configuration beside the webhook `hook`, which is told of everything from high on.
    fn new(more: &str) -> Scene {
        let chat = Chat::start();
        let folder = throw_away_folder("notify-").unwrap();
        let path = folder.path().join("config.toml");
        let text = format!(
            "[[notify]]\ntype = \"webhook\"\nname = \"hook\"\nwhen = \"severity>=high\"\nburst = 3\n\
             header = \"x-token\"\nsecret = {{ file = \"token\" }}\nurl = {{ file = \"url\" }}\n{more}"
        );
        let (url, token) = (chat.url(), "h3ader-s3cret");
        for (name, text) in [("config.toml", text.as_str()), ("url", &url), ("slack", &url), ("token", token)]
        {
            std::fs::write(folder.path().join(name), text).unwrap();
            let private = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(folder.path().join(name), private).unwrap();
        }
        let folders = Folders { config: folder.path().into(), state: folder.path().into() };
        let config = load::load(&path, Some(&folders)).unwrap().config;
        let url = format!("sqlite:{}", folder.path().join("idtriage.db").display());
        let store = store::open(&url, decoder(Reading::of(&config)), OpenOptions::default()).unwrap();
        Scene { chat, config, store, ear: Arc::default(), folder }
    }

    fn start(&self) -> Telling {
        let messenger = Messenger::build(&self.config, Clock::system()).unwrap();
        let notifiers = Notifiers::new(messenger, self.store.clone(), TINY).heard_by(self.ear.clone());
        let (stop, stopped) = watch::channel(false);
        Telling { stop, task: tokio::spawn(async move { notifiers.run(stopped).await }) }
    }

    /// Starts, and waits until it has begun: what arrives from then on is told.
    async fn begun(&self) -> Telling {
        let telling = self.start();
        self.mark(|_| true).await;
        telling
    }

    /// Waits for a mark.
    async fn mark(&self, is_it: impl Fn(&Mark) -> bool) -> Mark {
        let looking = async {
            loop {
                let mark = Mark::read(self.store.as_ref(), "hook").await.unwrap();
                match mark.filter(&is_it) {
                    Some(mark) => return mark,
                    None => tokio::time::sleep(wait::POLL).await,
                }
            }
        };
        wait::within("a mark", looking).await
    }

    /// High, and published just now.
    async fn arrive(&self, ids: &[&str]) {
        for id in ids {
            self.accept("cii-webhook", message(id, "high", Timestamp::now())).await;
        }
    }

    async fn accept(&self, source: &str, raw: serde_json::Value) {
        let ingest = Ingest::new(self.store.clone(), Arc::new(SystemClock));
        let arrival =
            Arrival { source: source.into(), source_type: "cii-webhook", raw: raw.to_string().into() };
        ingest.accept(vec![arrival]).await.unwrap();
    }

    async fn told(&self, ids: &[&str]) {
        let telling = async {
            while self.chat.told().len() < ids.len() {
                tokio::time::sleep(wait::POLL).await;
            }
        };
        wait::within(format!("{ids:?} to be told"), telling).await;
        assert_eq!(self.chat.told(), ids);
    }

    /// Waits until so many requests came.
    async fn heard(&self, count: usize) {
        let hearing = async {
            while self.chat.requests().len() < count {
                tokio::time::sleep(wait::POLL).await;
            }
        };
        wait::within(format!("{count} requests"), hearing).await;
    }
}

fn message(id: &str, severity: &str, published: Timestamp) -> serde_json::Value {
    json!({ "id": format!("envelope-{id}"), "detail": {
        "id": id, "checkId": "no-mfa", "title": "No MFA", "severity": severity, "login": "ann@example.com",
        "published": published.to_string(), "referenceUrl": "https://cii.example.com/x",
    } })
}

#[tokio::test(flavor = "multi_thread")]
async fn each_is_told_once_over_restarts_and_nothing_old() {
    let scene = Scene::new("");
    scene.arrive(&["before"]).await;
    scene.store.drained().await.unwrap();
    let telling = scene.begun().await;
    scene.arrive(&["e-1"]).await;
    scene.told(&["e-1"]).await;
    telling.stop().await;
    scene.arrive(&["e-2"]).await;
    scene.accept("cii-webhook", message("low", "low", Timestamp::now())).await;
    let telling = scene.start();
    scene.told(&["e-1", "e-2"]).await;
    telling.stop().await;
    let telling = scene.start();
    scene.arrive(&["e-3"]).await;
    scene.told(&["e-1", "e-2", "e-3"]).await;
    telling.stop().await;
    let request = &scene.chat.requests()[0];
    assert_eq!(request.path, format!("/services/{}", chat::TOKEN));
    assert_eq!(request.header("x-token"), Some("h3ader-s3cret"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    let event = &request.body["events"][0];
    assert_eq!((&event["users"], &event["severity"]), (&json!(["ann@example.com"]), &json!("high")));
    assert_eq!(event["reference_url"], "https://cii.example.com/x");
}

#[rstest]
#[case::server_error(Reply::Status(503, "overloaded"), "answered 503: overloaded")]
#[case::gone(Reply::Status(404, "no_team"), "answered 404: no_team")]
#[case::redirect(Reply::Status(302, ""), "answered 302")]
#[case::throttled(Reply::Throttled(1), "answered 429")]
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_loses_nothing_and_tells_nothing_twice(#[case] reply: Reply, #[case] why: &str) {
    let scene = Scene::new("");
    let telling = scene.begun().await;
    scene.chat.always(Some(reply));
    scene.arrive(&["e-1"]).await;
    let failing = scene.mark(|mark| mark.failing.is_some()).await.failing.unwrap();
    assert!(failing.why.starts_with(why), "{failing:?}");
    let shown = Mark::health(scene.store.as_ref(), &["hook".to_owned(), "new".to_owned()]).await.unwrap();
    assert_eq!((shown[0].since(), shown[1].since()), (Some(failing.since), None));
    scene.heard(3).await;
    scene.arrive(&["e-2"]).await;
    // An end in the middle of an outage forgets nothing either.
    telling.stop().await;
    let telling = scene.start();
    scene.chat.always(None);
    scene.told(&["e-1", "e-2"]).await;
    let mark = scene.mark(|mark| mark.failing.is_none()).await;
    assert!(mark.told.is_some(), "{mark:?}");
    telling.stop().await;
    assert_eq!(scene.chat.told(), ["e-1", "e-2"]);
    let heard = scene.ear.0.lock().unwrap().clone();
    assert!(heard[0].as_ref().is_some_and(|said| said.starts_with(why)), "{heard:?}");
    assert_eq!(heard.iter().position(Option::is_none), Some(heard.len() - 1), "{heard:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_that_cannot_be_read_is_begun_anew_and_that_stays_said() {
    let scene = Scene::new("");
    scene.arrive(&["before"]).await;
    scene.store.drained().await.unwrap();
    let damaged = Cursor { name: "notify:hook".to_owned(), value: "{\"event\":".to_owned() };
    scene.store.advance(Vec::new(), &damaged).await.unwrap();
    let telling = scene.start();
    let lost = scene.mark(|mark| mark.lost.is_some()).await.lost;
    scene.arrive(&["e-1"]).await;
    scene.told(&["e-1"]).await;
    scene.mark(|mark| mark.told.is_some()).await;
    let shown = Mark::health(scene.store.as_ref(), &["hook".to_owned()]).await.unwrap();
    assert_eq!((shown[0].lost, shown[0].failing.as_ref()), (lost, None));
    telling.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_may_not_have_been_heard_is_told_again() {
    let scene = Scene::new("");
    let telling = scene.begun().await;
    scene.chat.answer([Reply::Lost]);
    scene.arrive(&["e-1"]).await;
    scene.told(&["e-1"]).await;
    scene.arrive(&["e-2"]).await;
    scene.told(&["e-1", "e-2"]).await;
    telling.stop().await;
    let heard: Vec<Vec<String>> = scene.chat.requests().iter().map(chat::Request::ids).collect();
    assert_eq!(heard, [["e-1"], ["e-1"], ["e-2"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sends_does_not_wait_for_whoever_is_told() {
    let scene = Scene::new("");
    let telling = scene.begun().await;
    scene.chat.answer([Reply::Held]);
    scene.arrive(&["e-1"]).await;
    scene.heard(1).await;
    // It hangs on the answer: what arrives is acknowledged all the same.
    scene.arrive(&["e-2", "e-3"]).await;
    scene.store.drained().await.unwrap();
    assert_eq!(scene.chat.requests().len(), 1);
    scene.chat.let_go();
    scene.told(&["e-1", "e-2", "e-3"]).await;
    telling.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_waits_for_the_answer_that_is_on_its_way() {
    let scene = Scene::new("");
    let telling = scene.begun().await;
    scene.chat.answer([Reply::Held]);
    scene.arrive(&["e-1"]).await;
    scene.heard(1).await;
    telling.stop.send_replace(true);
    scene.chat.let_go();
    wait::within("the end of the notifiers", telling.task).await.unwrap();
    let telling = scene.start();
    scene.arrive(&["e-2"]).await;
    scene.told(&["e-1", "e-2"]).await;
    telling.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_one_summary() {
    let scene = Scene::new("");
    let telling = scene.begun().await;
    scene.chat.always(Some(Reply::Status(503, "")));
    scene.arrive(&["e-0"]).await;
    scene.heard(1).await;
    for n in 1..300 {
        let severity = if n == 200 { "critical" } else { "high" };
        scene.accept("cii-webhook", message(&format!("e-{n}"), severity, Timestamp::now())).await;
    }
    scene.store.drained().await.unwrap();
    // The first of these may have been gathered before the last event was there; the second was not.
    scene.heard(scene.chat.requests().len() + 2).await;
    scene.chat.always(None);
    scene.mark(|mark| mark.failing.is_none()).await;
    telling.stop().await;
    let told: Vec<_> = scene.chat.requests().into_iter().filter(chat::Request::is_answered).collect();
    assert_eq!(told.len(), 1, "{told:#?}");
    let body = &told[0].body;
    assert_eq!((&body["total"], &body["severities"]), (&json!(300), &json!({ "critical": 1, "high": 299 })));
    assert_eq!(told[0].ids(), ["e-200", "e-0", "e-1"], "the worst");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_refuses_a_message_is_told_the_number() {
    let scene = Scene::new("");
    let telling = scene.begun().await;
    scene.chat.answer([Reply::Status(400, "invalid_payload")]);
    scene.arrive(&["e-1"]).await;
    scene.heard(2).await;
    scene.mark(|mark| mark.told.is_some()).await;
    scene.arrive(&["e-2"]).await;
    scene.told(&["e-2"]).await;
    telling.stop().await;
    let body = &scene.chat.requests()[1].body;
    assert_eq!((&body["total"], &body["events"]), (&json!(1), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn tests_and_imported_events_are_told_to_nobody_and_what_is_late_is_told() {
    let scene = Scene::new("");
    let telling = scene.begun().await;
    let now = Timestamp::now();
    let mut test = message("test", "critical", now);
    test["detail-type"] = json!("WebhookTest");
    scene.accept("cii-webhook", test).await;
    scene.accept("import", message("imported", "high", now)).await;
    // As an import under the name of a source does it: it arrived when it was published.
    let long_ago = now - SignedDuration::from_hours(24 * 30);
    let item = InboxItem {
        source: "cii-webhook".into(),
        source_type: "cii-webhook".to_owned(),
        received: long_ago,
        raw: message("history", "high", long_ago).to_string().into(),
    };
    scene.store.import(vec![item]).await.unwrap();
    scene.mark(|mark| mark.late == 2).await;
    telling.stop().await;
    let telling = scene.start();
    // As after an outage: CII tries again for a day.
    scene.accept("cii-webhook", message("late", "high", now - SignedDuration::from_hours(2))).await;
    scene.told(&["late"]).await;
    scene.arrive(&["e-1"]).await;
    scene.told(&["late", "e-1"]).await;
    telling.stop().await;
    let late: Vec<_> = scene.chat.requests().iter().map(|request| request.body["late"].clone()).collect();
    assert_eq!(late, [json!(2), json!(0)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_tell_too_and_what_both_tell_is_told_once() {
    let scene = Scene::new("\n[[rule]]\nwhen = \"user:ann@example.com\"\nthen = { notify = \"hook\" }\n");
    let telling = scene.begun().await;
    scene.accept("cii-webhook", message("by-rule", "low", Timestamp::now())).await;
    scene.told(&["by-rule"]).await;
    scene.arrive(&["by-both"]).await;
    scene.told(&["by-rule", "by-both"]).await;
    telling.stop().await;
}

/// What is asked of words and of users is asked of the event itself: indices of either may lag behind it.
#[tokio::test(flavor = "multi_thread")]
async fn words_and_the_last_of_very_many_users_are_found() {
    let mut scene = Scene::new("");
    scene.config.notify[0].when = Query::parse("user:user-4999@example.com impossible").ok();
    let url = format!("sqlite:{}", scene.folder.path().join("other.db").display());
    scene.store = store::open(&url, decoder(Reading::of(&scene.config)), OpenOptions::default()).unwrap();
    let telling = scene.begun().await;
    let users: Vec<String> = (0..5_000).map(|n| format!("user-{n}@example.com")).collect();
    let mut large = message("large", "high", Timestamp::now());
    large["detail"]["usersFailing"] = json!(users);
    large["detail"]["description"] = json!(["An impossible journey"]);
    scene.accept("cii-webhook", large).await;
    scene.arrive(&["other"]).await;
    scene.told(&["large"]).await;
    telling.stop().await;
    let event = &scene.chat.requests()[0].body["events"][0];
    assert_eq!(event["user_count"], json!(5_001));
    assert_eq!(event["users"].as_array().unwrap().len(), 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_cannot_be_told_holds_up_no_other() {
    let scene =
        Scene::new("\n[[notify]]\ntype = \"slack\"\nwhen = \"severity>=high\"\nurl = { file = \"slack\" }\n");
    let other = Chat::start();
    let mut config = scene.config.clone();
    config.notify[1].channel = Channel::Slack { url: other.url().into() };
    let scene = Scene { config, ..scene };
    scene.chat.always(Some(Reply::Held));
    let telling = scene.begun().await;
    scene.arrive(&["e-1"]).await;
    scene.heard(1).await;
    wait::within("Slack to be told", async {
        while other.requests().is_empty() {
            tokio::time::sleep(wait::POLL).await;
        }
    })
    .await;
    let text = other.requests()[0].body["text"].clone();
    assert_eq!(
        text,
        "*high* No MFA (no-mfa)\nann@example.com\n<https://cii.example.com/x|reference at cii.example.com>"
    );
    scene.chat.let_go();
    telling.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_takes_nothing_does_not_make_it_tell_twice() {
    let scene = Scene::new("");
    let telling = scene.begun().await;
    scene.chat.answer([Reply::Held]);
    scene.arrive(&["e-1"]).await;
    scene.heard(1).await;
    // Another writer holds the file while the answer comes: the mark cannot be kept at once.
    let path = scene.folder.path().join("idtriage.db");
    let (locked, is_locked) = std::sync::mpsc::channel();
    let (free, to_free) = std::sync::mpsc::channel::<()>();
    let holding = std::thread::spawn(move || {
        let db = rusqlite::Connection::open(path).unwrap();
        db.execute_batch("BEGIN IMMEDIATE").unwrap();
        locked.send(()).unwrap();
        to_free.recv().unwrap();
        db.execute_batch("ROLLBACK").unwrap();
    });
    is_locked.recv().unwrap();
    scene.chat.let_go();
    tokio::time::sleep(TINY.gather * 20).await;
    free.send(()).unwrap();
    holding.join().unwrap();
    scene.mark(|mark| mark.told.is_some()).await;
    scene.arrive(&["e-2"]).await;
    scene.told(&["e-1", "e-2"]).await;
    telling.stop().await;
}

/// Whoever is told is named by his name: nothing that is shown or kept holds the address.
#[tokio::test(flavor = "multi_thread")]
async fn the_address_is_kept_nowhere() {
    let scene = Scene::new("");
    let telling = scene.begun().await;
    scene.chat.answer([Reply::Status(500, "no hook at /services/T0000-B0000-xoxs3cr3t")]);
    scene.arrive(&["e-1"]).await;
    scene.told(&["e-1"]).await;
    telling.stop().await;
    let messenger = Messenger::build(&scene.config, Clock::system()).unwrap();
    let shown = format!("{messenger:?} {:?}", messenger.all().collect::<Vec<&Notify>>());
    assert!(!shown.contains(chat::TOKEN) && !shown.contains("h3ader"), "{shown}");
    for name in ["idtriage.db", "idtriage.db-wal"] {
        let bytes = std::fs::read(scene.folder.path().join(name)).unwrap_or_default();
        let token = chat::TOKEN.as_bytes();
        assert!(!bytes.windows(token.len()).any(|window| window == token), "{name}");
    }
}
