//! What `cii webhook …` and `okta hook …` share: the source that is meant, and how a request that acts
//! is shown, confirmed, journalled, sent once and told.
//!
//! The intent is in the journal before a byte leaves, and how it ended behind it. An end that nobody
//! knows stays there: the same is not sent again before somebody looked and insists.

use super::args::Sending;
use super::connect;
use super::failure::{DONE, Failure};
use super::output::Output;
use super::run::{Asked, IMPATIENT, Stop};
use super::session::{Session, closed};
use crate::config::meant::{Proof, Reading, Source, Webhook};
use crate::config::{Config, Loaded};
use crate::domain::action::ShownRequest;
use crate::domain::dossier::Problem;
use crate::domain::{Actor, Outcome, Receipt};
use crate::store::Store;
use crate::tenant::{Clearance, EventHook, Registered, Registrar, Registration, SecretHeader};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::pin::pin;
use url::Url;

/// What is to be changed, and how it is told.
#[derive(Debug)]
pub(super) struct Wish {
    /// The change itself.
    pub(super) what: Registration,
    /// What it is in words: `registering a webhook with CII`.
    pub(super) does: &'static str,
    /// The name under which the journal has it.
    pub(super) setting: String,
    /// Where one sees what came of it.
    pub(super) look: &'static str,
    /// What is said when it is done.
    pub(super) done: fn(&Registered) -> Done,
}

/// What is said of a change that was accepted.
#[derive(Debug)]
pub(super) struct Done {
    /// What happened.
    pub(super) text: String,
    /// What comes next.
    pub(super) next: String,
}

/// Shows the request and, where the command line says so, sends it.
///
/// # Errors
/// What is wrong before anything is sent.
pub(super) async fn carry_out(
    wish: &Wish,
    sending: Sending,
    loaded: &Loaded,
    session: &Session<'_>,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let registrar = connect::registrar(loaded)?;
    let shown = registrar
        .shown(&wish.what)
        .map_err(|problem| Failure::usage(format!("{}: {}", wish.does, problem.words())))?;
    if sending.dry_run {
        match out.is_json() {
            true => out.json(&json!({ "does": wish.does, "outcome": null, "request": shown }))?,
            false => print(&shown, out)?,
        }
        return Ok(DONE);
    }
    if !out.is_json() {
        // Who reads no more is no reason to do something else than was said.
        let _ = print(&shown, out);
    }
    if !sending.yes {
        return Err(Failure::usage(format!(
            "{} wants a confirmation\nhint: `--yes` sends it; `--dry-run` only shows it",
            wish.does
        )));
    }
    let actor = session.actor(&loaded.config.console);
    let store = session.store(&loaded.config.store, Some(Reading::of(&loaded.config)), out).await?;
    let desk =
        Desk { registrar: registrar.as_ref(), store: store.as_ref(), actor: &actor, now: connect::now };
    let sent = super::until_signalled(async |stop| desk.send(wish, &shown, sending, stop, out).await).await;
    closed(store.as_ref(), sent).await
}

fn print(shown: &ShownRequest, out: &mut Output<'_>) -> std::io::Result<()> {
    out.text(&format!("{} {}", shown.method, shown.url))?;
    for (name, value) in &shown.headers {
        out.text(&format!("{name}: {value}"))?;
    }
    if !shown.body.is_empty() {
        out.text("")?;
        out.text(&shown.body)?;
    }
    out.text("")
}

/// What a change goes by.
struct Desk<'a> {
    registrar: &'a dyn Registrar,
    store: &'a dyn Store,
    actor: &'a Actor,
    now: fn() -> Timestamp,
}

impl Desk<'_> {
    async fn send(
        &self,
        wish: &Wish,
        shown: &ShownRequest,
        sending: Sending,
        stop: &mut Stop,
        out: &mut Output<'_>,
    ) -> Result<u8, Failure> {
        let before = self.store.setting(&wish.setting).await?;
        if before.as_deref().is_some_and(is_open) && !sending.again {
            return Err(Failure::failed(format!(
                "the outcome of {} is unknown since the last time\nhint: {}; then insist with `--again`",
                wish.does, wish.look
            )));
        }
        let intent = json!({ "does": wish.does, "outcome": Outcome::Pending, "request": shown });
        self.note(wish, &intent).await?;
        let ended = self.registered(wish, stop, out).await;
        let settled = json!({
            "does": wish.does,
            "outcome": ended.outcome,
            "id": ended.id,
            "receipt": ended.receipt,
        });
        if let Err(failure) = self.note(wish, &settled).await {
            // It is done all the same: that comes first.
            let _ = out.note(&format!("the journal does not have how it ended: {failure}"));
        }
        // Nobody may be reading any more; the status says it too.
        let _ = tell(wish, shown, &ended, out);
        Ok(ended.outcome.exit_status())
    }

    async fn note(&self, wish: &Wish, content: &Value) -> Result<(), Failure> {
        Ok(self.store.set_setting(&wish.setting, &content.to_string(), self.actor, (self.now)()).await?)
    }

    /// Sends it. A signal before that holds it back; afterwards the reply is waited for, unless
    /// somebody grows impatient.
    async fn registered(&self, wish: &Wish, stop: &mut Stop, out: &mut Output<'_>) -> Registered {
        let unstopped = Unstopped(stop.clone());
        let mut sent = pin!(self.registrar.register(&wish.what, &unstopped));
        tokio::select! {
            biased;
            ended = &mut sent => return ended,
            () = stop.asked(Asked::End) => {}
        }
        let _ = out.note(&format!("stopping: waiting for the reply; {IMPATIENT}"));
        tokio::select! {
            biased;
            ended = &mut sent => ended,
            () = stop.asked(Asked::EndNow) => not_waited_for(),
        }
    }
}

/// Nothing is sent after a signal.
struct Unstopped(Stop);

#[async_trait]
impl Clearance for Unstopped {
    async fn clear(&self) -> Result<(), String> {
        if self.0.is_asked() { Err("stopped by a signal".to_owned()) } else { Ok(()) }
    }
}

fn not_waited_for() -> Registered {
    let why = "its reply was not waited for";
    let receipt = Receipt { error: Some(why.to_owned()), ..Receipt::default() };
    Registered {
        outcome: Outcome::Unknown,
        id: None,
        hook: None,
        problem: Some(Problem::whole(why)),
        receipt,
    }
}

/// Whether what the journal has of the last time leaves open how it ended.
fn is_open(value: &str) -> bool {
    let value: Value = serde_json::from_str(value).unwrap_or_default();
    let outcome = value["outcome"].as_str().and_then(Outcome::parse);
    matches!(outcome, Some(Outcome::Pending | Outcome::Unknown))
}

fn tell(wish: &Wish, shown: &ShownRequest, ended: &Registered, out: &mut Output<'_>) -> std::io::Result<()> {
    if out.is_json() {
        out.json(&json!({
            "does": wish.does,
            "outcome": ended.outcome,
            "id": ended.id,
            "hook": ended.hook.as_ref().map(hook_json),
            "request": shown,
            "receipt": ended.receipt,
            "problem": ended.problem,
        }))?;
    }
    let problem = ended.problem.clone().unwrap_or_else(|| Problem::whole("nothing more is known"));
    match ended.outcome {
        Outcome::Accepted => {
            let done = (wish.done)(ended);
            if !out.is_json() {
                out.text(&done.text)?;
            }
            if let Some(problem) = &ended.problem {
                out.note(&problem.line())?;
            }
            out.note(&done.next)
        }
        Outcome::Unknown => out.error(&Failure::unknown(format!(
            "the outcome of {} is unknown: {}\nhint: it may have happened, and is not sent again: {}",
            wish.does,
            problem.line(),
            wish.look
        ))),
        _ => out.error(&Failure::failed(format!("{} failed: {}", wish.does, problem.words()))),
    }
}

/// The stable JSON form of a hook.
pub(super) fn hook_json(hook: &EventHook) -> Value {
    json!({
        "id": hook.id,
        "name": hook.name,
        "status": hook.status,
        "verification": hook.verification,
        "uri": hook.uri,
        "events": hook.events,
    })
}

/// The source that is meant: by its name, else the only one of its type.
///
/// # Errors
/// If there is none, or no name where there are several.
pub(super) fn source<'a>(
    config: &'a Config,
    source_type: &str,
    name: Option<&str>,
) -> Result<(&'a Source, &'a Webhook), Failure> {
    let of_type = config.sources.iter().filter(|source| source.source_type == source_type);
    let posted: Vec<_> = of_type.filter_map(|source| Some((source, source.webhook()?))).collect();
    let names: Vec<String> = posted.iter().map(|(source, _)| format!("`{}`", source.name)).collect();
    match (name, posted.as_slice()) {
        (_, []) => Err(Failure::usage(format!(
            "no source of type `{source_type}` is configured: nobody would answer\nhint: `[[source]]` with `type = \"{source_type}\"`, a `path` and a `secret`"
        ))),
        (None, [only]) => Ok(*only),
        (None, _) => Err(Failure::usage(format!(
            "several sources are of type `{source_type}`\nhint: `--source` with one of {}",
            names.join(", ")
        ))),
        (Some(name), posted) => {
            posted.iter().find(|(source, _)| source.name.0 == name).copied().ok_or_else(|| {
                Failure::usage(format!(
                    "`{name}` is no source of type `{source_type}`\nhint: one of {}",
                    names.join(", ")
                ))
            })
        }
    }
}

/// Whether a sender can show HTTP Basic as a header with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Basic {
    /// It is documented to.
    Known,
    /// Nothing says so.
    Undocumented,
}

/// The header that the sender has to show: the source's own.
///
/// # Errors
/// If the source wants its secret in a way that cannot be registered, or it stands in the address.
pub(super) fn header(
    source: &Source,
    webhook: &Webhook,
    url: &Url,
    basic: Basic,
) -> Result<SecretHeader, Failure> {
    let (way, secret) = match &webhook.proof {
        Proof::Header { name, secret } => (Ok((name.clone(), secret.clone())), secret),
        Proof::Basic { user, secret } if basic == Basic::Known => {
            let value = STANDARD.encode(format!("{user}:{}", secret.expose_secret()));
            (Ok(("authorization".to_owned(), format!("Basic {value}").into())), secret)
        }
        Proof::Basic { secret, .. } => (Err("as HTTP Basic"), secret),
        Proof::Query { secret, .. } => (Err("in the address, where everybody sees it"), secret),
        Proof::Hmac { secret, .. } => (Err("as a signature"), secret),
    };
    let encoded: String = url::form_urlencoded::byte_serialize(secret.expose_secret().as_bytes()).collect();
    if url.as_str().contains(secret.expose_secret()) || url.as_str().contains(&encoded) {
        return Err(Failure::usage(
            "the source's secret stands in `--url`: addresses are shown and logged\nhint: leave it out; it is sent as the source's header",
        ));
    }
    let (name, value) = way.map_err(|way| {
        Failure::usage(format!(
            "source `{}` wants its secret {way}, which cannot be registered\nhint: configure it with `header = \"…\"`",
            source.name
        ))
    })?;
    Ok(SecretHeader { name, value })
}

/// Says it where the address does not look like one that leads to the source.
pub(super) fn note_path(webhook: &Webhook, url: &Url, out: &mut Output<'_>) -> Result<(), Failure> {
    if url.path().ends_with(&webhook.path) {
        return Ok(());
    }
    out.note(&format!(
        "`--url` ends in `{}` and the source listens on `{}`: whatever stands in front has to lead from one to the other",
        url.path(),
        webhook.path
    ))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::failure::{FAILED, UNKNOWN, USAGE};
    use super::super::output::{Form, tests::printed};
    use super::*;
    use crate::domain::Untrusted;
    use crate::ingest::decoder;
    use crate::store::files::throw_away_folder;
    use crate::store::{self, OpenOptions};
    use crate::tenant::CiiChange;
    use rstest::rstest;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Answers what a test wants, and counts.
    #[derive(Debug)]
    struct Double {
        ended: Registered,
        sent: AtomicUsize,
    }

    #[async_trait]
    impl Registrar for Double {
        fn shown(&self, _: &Registration) -> Result<ShownRequest, Problem> {
            Ok(request())
        }

        async fn register(&self, _: &Registration, clearance: &dyn Clearance) -> Registered {
            match clearance.clear().await {
                Ok(()) => self.sent.fetch_add(1, Ordering::SeqCst),
                Err(_) => return ended(Outcome::Failed),
            };
            self.ended.clone()
        }

        async fn event_hooks(&self) -> Result<Vec<EventHook>, Problem> {
            Ok(Vec::new())
        }
    }

    fn request() -> ShownRequest {
        ShownRequest { method: "POST".into(), url: "https://a/".into(), headers: vec![], body: "{}".into() }
    }

    fn ended(outcome: Outcome) -> Registered {
        let problem = (outcome != Outcome::Accepted).then(|| Problem::whole("the other side is away"));
        let id = (outcome == Outcome::Accepted).then(|| Untrusted::from("wh-1"));
        Registered { outcome, id, hook: None, problem, receipt: Receipt::default() }
    }

    fn wish() -> Wish {
        Wish {
            what: Registration::Cii(CiiChange::Unregister("wh-1".into())),
            does: "unregistering",
            setting: "unregistered.wh-1".into(),
            look: "look there",
            done: |ended| Done { text: format!("done: {:?}", ended.id), next: "next".into() },
        }
    }

    const YES: Sending = Sending { dry_run: false, yes: true, again: false };

    /// Sends each in turn to one store; what came of each, how often it was sent, and the journal.
    fn sent(turns: &[(Outcome, Sending)]) -> (Vec<u8>, Vec<usize>, Vec<String>) {
        let folder = throw_away_folder("registration-").unwrap();
        let url = format!("sqlite:{}", folder.path().join("idtriage.db").display());
        let open = || store::open(&url, decoder(Default::default()), OpenOptions::default()).unwrap();
        let (mut statuses, mut counts) = (Vec::new(), Vec::new());
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let store: Arc<dyn Store> = runtime.block_on(async { open() });
        for (outcome, sending) in turns {
            let double = Double { ended: ended(*outcome), sent: AtomicUsize::new(0) };
            let (mut out, mut errors) = (Vec::new(), Vec::new());
            let mut out = Output::new(Form::Text, &mut out, &mut errors);
            let actor = Actor::default();
            let desk = Desk {
                registrar: &double,
                store: store.as_ref(),
                actor: &actor,
                now: || Timestamp::UNIX_EPOCH,
            };
            let mut stop = Stop::new();
            let status = runtime.block_on(desk.send(&wish(), &request(), *sending, &mut stop.1, &mut out));
            statuses.push(status.unwrap_or_else(|failure| failure.status()));
            counts.push(double.sent.load(Ordering::SeqCst));
        }
        let journal = runtime.block_on(store.journal(0, 100)).unwrap();
        runtime.block_on(store.close()).unwrap();
        (statuses, counts, journal.into_iter().map(|record| record.content.unwrap()).collect())
    }

    #[rstest]
    #[case(Outcome::Accepted, DONE)]
    #[case(Outcome::Refused, FAILED)]
    #[case(Outcome::Failed, FAILED)]
    #[case(Outcome::Unknown, UNKNOWN)]
    fn the_journal_has_it_before_and_after(#[case] outcome: Outcome, #[case] status: u8) {
        let (statuses, sent, journal) = sent(&[(outcome, YES)]);
        assert_eq!((statuses, sent, journal.len()), (vec![status], vec![1], 2));
        assert!(journal[0].contains(r#"\"outcome\":\"pending\""#), "{}", journal[0]);
        assert!(journal[1].contains(&format!(r#"\"outcome\":\"{}\""#, outcome.word())), "{}", journal[1]);
    }

    #[test]
    fn what_nobody_knows_is_sent_again_only_by_who_insists() {
        let again = Sending { again: true, ..YES };
        let turns = [(Outcome::Unknown, YES), (Outcome::Accepted, YES), (Outcome::Accepted, again)];
        let (statuses, counts, _) = sent(&[turns.as_slice(), &[(Outcome::Accepted, YES)]].concat());
        assert_eq!(statuses, [UNKNOWN, FAILED, DONE, DONE]);
        assert_eq!(counts, [1, 0, 1, 1]);
    }

    #[test]
    fn without_a_journal_nothing_is_sent() {
        let double = Double { ended: ended(Outcome::Accepted), sent: AtomicUsize::new(0) };
        let actor = Actor::default();
        let store = super::super::fake::FakeStore::default();
        let desk = Desk { registrar: &double, store: &store, actor: &actor, now: || Timestamp::UNIX_EPOCH };
        let (failed, _) = printed(Form::Text, async |out| {
            desk.send(&wish(), &request(), YES, &mut Stop::new().1, out).await.unwrap_err()
        });
        assert_eq!((failed.status(), double.sent.load(Ordering::SeqCst)), (FAILED, 0));
    }

    #[test]
    fn after_a_signal_nothing_is_sent() {
        let double = Double { ended: ended(Outcome::Accepted), sent: AtomicUsize::new(0) };
        let (asks, stop) = Stop::new();
        let wish = wish();
        asks.send_replace(Asked::End);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let unstopped = Unstopped(stop);
        let ended = runtime.block_on(double.register(&wish.what, &unstopped));
        assert_eq!((ended.outcome, double.sent.load(Ordering::SeqCst)), (Outcome::Failed, 0));
    }

    fn posted(name: &str, proof: Proof) -> Source {
        Source::posted(
            crate::domain::event::SourceName(name.into()),
            "cii-webhook",
            Webhook::new("/hooks/cii", proof),
        )
    }

    fn told(shown: Result<SecretHeader, Failure>) -> String {
        match shown {
            Ok(header) => format!("{}: {}", header.name, header.value.expose_secret()),
            Err(failure) => {
                assert_eq!(failure.status(), USAGE);
                assert!(!failure.to_string().contains("hunter2"), "{failure}");
                failure.to_string()
            }
        }
    }

    #[rstest]
    #[case(Proof::Header { name: "x-key".into(), secret: "hunter2".into() }, Basic::Undocumented, "x-key: hunter2")]
    #[case(Proof::Basic { user: "ann".into(), secret: "hunter2".into() }, Basic::Known, "authorization: Basic YW5uOmh1bnRlcjI=")]
    #[case(Proof::Basic { user: "ann".into(), secret: "hunter2".into() }, Basic::Undocumented, "as HTTP Basic, which cannot be registered")]
    #[case(Proof::Query { name: "k".into(), secret: "hunter2".into() }, Basic::Known, "hint: configure it with `header")]
    #[case(Proof::Hmac { name: "x-sig".into(), secret: "hunter2".into() }, Basic::Known, "as a signature")]
    fn only_a_header_can_be_registered(#[case] proof: Proof, #[case] basic: Basic, #[case] expected: &str) {
        let source = posted("cii", proof);
        let url = "https://a.example.com/hooks/cii".parse().unwrap();
        let shown = told(header(&source, source.webhook().unwrap(), &url, basic));
        assert!(shown.contains(expected), "{shown}");
        let url = "https://a.example.com/hooks/cii?k=hunter2".parse().unwrap();
        let shown = told(header(&source, source.webhook().unwrap(), &url, basic));
        assert!(shown.contains("stands in `--url`"), "{shown}");
    }
}
