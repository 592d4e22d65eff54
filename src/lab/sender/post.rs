//! How anything is posted: the same body again until it is taken, refused for good, or given up.
use super::{Delivery, LabListener, Sender};
use crate::lab::world::{World, lock};
use reqwest::Client;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How a sender goes about it.
#[derive(Debug)]
pub(super) struct Manners {
    pub(super) sender: Sender,
    /// How long the listener may take, in reality: the listener is real.
    pub(super) patience: Duration,
    pub(super) tries: u32,
    /// In lab time, between the first two tries; doubled every time.
    pub(super) pause: Duration,
    /// Which answers are worth another try; `None` is no answer in time.
    pub(super) again: fn(Option<u16>) -> bool,
}

/// No answer, or a failure of the listener's own.
pub(super) fn failed(status: Option<u16>) -> bool {
    status.is_none_or(|status| status >= 500)
}

/// One webhook.
#[derive(Debug, Clone)]
pub(super) struct Parcel {
    /// The sender's id of it.
    pub(super) event: String,
    pub(super) body: Value,
    /// How long it is held back, in lab time.
    pub(super) wait: Duration,
}

impl Parcel {
    pub(super) fn now(event: &str, body: Value) -> Self {
        Self { event: event.to_owned(), body, wait: Duration::ZERO }
    }
}

/// What all senders share.
#[derive(Debug)]
pub(super) struct Post {
    pub(super) world: Arc<World>,
    /// `None` if none can be made: then nothing is posted.
    pub(super) client: Option<Client>,
    log: Arc<Mutex<Vec<Delivery>>>,
}

impl Post {
    pub(super) fn new(world: Arc<World>, log: Arc<Mutex<Vec<Delivery>>>) -> Self {
        Self { world, client: client(), log }
    }

    /// Posts a parcel and comes back when that is over.
    pub(super) async fn deliver(&self, to: &LabListener, manners: &Manners, parcel: Parcel) {
        self.world.clock.sleep(parcel.wait).await;
        let body = parcel.body.to_string().into_bytes();
        let mut pause = manners.pause;
        for left in (0..manners.tries).rev() {
            let status = self.once(to, manners.patience, body.clone()).await;
            let delivery = Delivery { sender: manners.sender, event: parcel.event.clone(), status };
            lock(&self.log).push(delivery);
            if left == 0 || !(manners.again)(status) {
                return;
            }
            self.world.clock.sleep(pause).await;
            pause *= 2;
        }
    }

    async fn once(&self, to: &LabListener, patience: Duration, body: Vec<u8>) -> Option<u16> {
        let request = to.auth.post(self.client.as_ref()?, &to.url, body).await?;
        request.timeout(patience).send().await.ok().map(|response| response.status().as_u16())
    }
}

/// Plain HTTP to loopback: no proxy, no redirects, no certificates.
pub(in crate::lab) fn client() -> Option<Client> {
    let builder = || Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let client = match tls {
        Ok(tls) => {
            let roots = rustls::RootCertStore::empty();
            builder().tls_backend_preconfigured(tls.with_root_certificates(roots).with_no_client_auth())
        }
        Err(_) => builder(),
    };
    client.build().ok()
}
