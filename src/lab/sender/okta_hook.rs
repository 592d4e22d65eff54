//! Okta's event hook: verified by one challenge, then calls with several LogEvents each. Three seconds for an answer, at
//! most one retry, and that only after a time-out or a 5xx.
//!
//! Okta posts nothing to a hook that is not verified, and somebody has to ask for the verification. Here it is asked for
//! at the start and, while it fails, before every call: a listener that starts later is found all the same. What was not
//! posted meanwhile is never posted; the System Log has it.
use super::post::{Manners, Parcel, Post, failed};
use super::{Errand, LabListener, Sender};
use crate::lab::challenge;
use crate::lab::clock::millis;
use crate::lab::faults::{FaultKind, Part};
use crate::lab::story::Record;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

static MANNERS: Manners = Manners {
    sender: Sender::OktaHook,
    patience: Duration::from_secs(3),
    tries: 2,
    pause: Duration::from_secs(1),
    again: failed,
};

/// What the hook is subscribed to. Everything else has to be asked for.
const SUBSCRIBED: [&str; 5] = [
    "user.mfa.okta_verify.deny_push",
    "user.account.report_suspicious_activity_by_enduser",
    "user.session.context.change",
    "policy.auth_reevaluate.fail",
    "user.account.privilege.grant",
];

/// How long a disordered call is held back.
const LATE: Duration = Duration::from_secs(45);
/// How much later a call comes again.
const AGAIN: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct OktaHook {
    post: Arc<Post>,
    channel: Arc<Channel>,
    calls: usize,
}

impl OktaHook {
    pub(super) fn new(post: Arc<Post>, to: LabListener) -> Self {
        Self { post, channel: Arc::new(Channel { to, is_verified: Mutex::new(false) }), calls: 0 }
    }

    /// The verification.
    pub(super) fn begin(&self) -> Errand {
        let (post, channel) = (Arc::clone(&self.post), Arc::clone(&self.channel));
        Box::pin(async move {
            channel.verify(&post).await;
        })
    }

    /// One call with those records that the hook is subscribed to, if any.
    pub(super) fn tell(&mut self, records: &[(&Record, Timestamp)], id: &str) -> Option<Errand> {
        let mut events: Vec<Value> = records
            .iter()
            .filter(|(record, _)| SUBSCRIBED.contains(&record.event_type))
            .map(|(record, published)| record.hooked(&self.post.world.population, *published))
            .collect();
        if events.is_empty() {
            return None;
        }
        self.calls += 1;
        let mut wait = Duration::ZERO;
        if self.has(FaultKind::HookDisorder) {
            events.reverse();
            wait = if self.calls.is_multiple_of(3) { LATE } else { wait };
        }
        let first = Parcel { wait, ..Parcel::now(id, self.envelope(id, &events)) };
        let second = self.has(FaultKind::HookDuplicates).then(|| self.again(id, &events, wait + AGAIN));
        let (post, channel) = (Arc::clone(&self.post), Arc::clone(&self.channel));
        Some(Box::pin(async move {
            channel.call(&post, first).await;
            if let Some(second) = second {
                channel.call(&post, second).await;
            }
        }))
    }

    fn has(&self, kind: FaultKind) -> bool {
        self.post.world.faults.active(kind, Part::Okta)
    }

    /// `eventId` names the call, not what is in it: the same events may come under another one.
    fn again(&self, id: &str, events: &[Value], wait: Duration) -> Parcel {
        let other = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, id.as_bytes()).to_string();
        let id = if self.calls.is_multiple_of(2) { other.as_str() } else { id };
        Parcel { wait, ..Parcel::now(id, self.envelope(id, events)) }
    }

    fn envelope(&self, id: &str, events: &[Value]) -> Value {
        let world = &self.post.world;
        json!({
            "eventType": "com.okta.event_hook", "eventTypeVersion": "1.0", "cloudEventsVersion": "0.1",
            "source": format!("{}/api/v1/eventHooks/wholabeventhook00005d7", world.addresses.okta_org_url),
            "eventId": id, "eventTime": millis(world.clock.now()), "contentType": "application/json",
            "data": {"events": events},
        })
    }
}

/// Where it posts, and whether that was proven to be its own.
#[derive(Debug)]
struct Channel {
    to: LabListener,
    is_verified: Mutex<bool>,
}

impl Channel {
    async fn call(&self, post: &Post, parcel: Parcel) {
        if self.verify(post).await {
            post.deliver(&self.to, &MANNERS, parcel).await;
        }
    }

    async fn verify(&self, post: &Post) -> bool {
        let mut is_verified = self.is_verified.lock().await;
        if let (false, Some(client)) = (*is_verified, &post.client) {
            *is_verified = challenge::is_answered(client, &self.to.url).await;
        }
        *is_verified
    }
}
