//! Posts the incident to the listener, as CII's event bus does: five seconds for an answer, a repeat of the very same body
//! after a time-out or a 5xx, no repeat after a 4xx (contracts/cii.md, section 4).
use super::faults::{FaultKind, Part};
use super::hook_auth::HookAuth;
use super::story::{Beat, Tenant, remember};
use super::world::{World, lock};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::{JoinHandle, JoinSet};

/// How long the listener may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Tries of one event: at doubling pauses that is some ten minutes of a listener that is away.
const TRIES: u32 = 10;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// How long a late event is held back.
const LATE: Duration = Duration::from_secs(45);

/// Where webhooks go, and what opens that door.
#[derive(Debug, Clone)]
pub struct LabListener {
    pub url: String,
    pub auth: HookAuth,
}

/// One try of one webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// `detail.id` of the event: the same in every try.
    pub event: String,
    /// The answer, or none: no token, no connection, or no answer in time.
    pub status: Option<u16>,
}

/// The incident being told. It ends when this is dropped.
#[derive(Debug)]
#[must_use = "the story ends when this is dropped"]
pub struct Telling {
    task: JoinHandle<()>,
    deliveries: Arc<Mutex<Vec<Delivery>>>,
}

impl Telling {
    /// Every try so far.
    pub fn deliveries(&self) -> Vec<Delivery> {
        lock(&self.deliveries).clone()
    }

    /// Whether the whole incident is told.
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    /// Ends the story now and waits until nothing is being sent any more.
    pub async fn stop(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts to tell the incident.
pub(super) fn tell(world: Arc<World>, tenant: Tenant, incident: Vec<Beat>, listener: LabListener) -> Telling {
    let deliveries = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&deliveries);
    let task = tokio::spawn(async move {
        let Ok(client) = client() else { return };
        let post = Post { world, client, listener, log };
        script(Arc::new(post), &tenant, incident).await;
    });
    Telling { task, deliveries }
}

/// Each webhook is a task of its own: one that must be repeated does not hold up the others.
async fn script(post: Arc<Post>, tenant: &Tenant, incident: Vec<Beat>) {
    let began = post.world.clock.elapsed();
    let mut running = JoinSet::new();
    for (index, beat) in incident.into_iter().enumerate() {
        let due = began + beat.at;
        post.world.clock.sleep(due.saturating_sub(post.world.clock.elapsed())).await;
        let late = index % 3 == 2 && post.world.faults.active(FaultKind::LateEvents, Part::Cii);
        let published = found_at(post.world.clock.now(), beat.lag);
        remember(&mut lock(&post.world.failing), &beat.failure);
        let envelope = beat.envelope(tenant, published);
        let wait = if late { LATE } else { Duration::ZERO };
        running.spawn(deliver(Arc::clone(&post), beat.ids.detail, envelope, wait));
        while running.try_join_next().is_some() {}
    }
    running.join_all().await;
}

fn found_at(now: Timestamp, lag: Duration) -> Timestamp {
    now - SignedDuration::try_from(lag).unwrap_or(SignedDuration::ZERO)
}

struct Post {
    world: Arc<World>,
    client: reqwest::Client,
    listener: LabListener,
    log: Arc<Mutex<Vec<Delivery>>>,
}

async fn deliver(post: Arc<Post>, event: String, envelope: Value, wait: Duration) {
    post.world.clock.sleep(wait).await;
    let mut pause = FIRST_PAUSE;
    for _ in 0..TRIES {
        let status = post.once(&envelope).await;
        lock(&post.log).push(Delivery { event: event.clone(), status });
        // 429 is EventBridge's other reason to come back.
        if status.is_some_and(|status| status < 500 && status != 429) {
            return;
        }
        post.world.clock.sleep(pause).await;
        pause *= 2;
    }
}

impl Post {
    async fn once(&self, envelope: &Value) -> Option<u16> {
        let request = self.client.post(&self.listener.url).json(envelope);
        let request = self.listener.auth.give(&self.client, request).await?;
        request.send().await.ok().map(|response| response.status().as_u16())
    }
}

/// Plain HTTP to loopback: no proxy, no redirects, no certificates. The patience is real time: the listener is real.
fn client() -> reqwest::Result<reqwest::Client> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE);
    match rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions() {
        Ok(tls) => {
            let roots = rustls::RootCertStore::empty();
            builder.tls_backend_preconfigured(tls.with_root_certificates(roots).with_no_client_auth()).build()
        }
        Err(_) => builder.build(),
    }
}
