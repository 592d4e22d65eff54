//! An alert manager, of the shape that the example `alerts` in the template of the configuration maps.
use super::post::{Manners, Parcel, Post, failed};
use super::{Errand, LabListener, Sender};
use crate::lab::clock::millis;
use crate::lab::story::Alert;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

static MANNERS: Manners = Manners {
    sender: Sender::Alerts,
    patience: Duration::from_secs(10),
    tries: 5,
    pause: Duration::from_secs(5),
    again: failed,
};

#[derive(Debug)]
pub(super) struct Alerts {
    post: Arc<Post>,
    to: LabListener,
}

impl Alerts {
    pub(super) fn new(post: Arc<Post>, to: LabListener) -> Self {
        Self { post, to }
    }

    pub(super) fn tell(&self, alerts: &[Alert], published: Timestamp) -> Errand {
        let event = alerts.first().map_or("", |alert| alert.fingerprint.as_str());
        let body = body(&self.post.world.addresses.pages_url, alerts, published);
        let parcel = Parcel::now(event, body);
        let (post, to) = (Arc::clone(&self.post), self.to.clone());
        Box::pin(async move { post.deliver(&to, &MANNERS, parcel).await })
    }
}

fn body(pages: &str, alerts: &[Alert], published: Timestamp) -> Value {
    let name = alerts.first().map_or("", |alert| alert.name);
    json!({
        "version": "4", "groupKey": format!("{{}}:{{alertname=\"{name}\"}}"), "truncatedAlerts": 0,
        "status": "firing", "receiver": "idtriage", "groupLabels": {"alertname": name},
        "commonLabels": {"alertname": name}, "commonAnnotations": {}, "externalURL": format!("{pages}/alerts"),
        "alerts": alerts.iter().map(|alert| one(pages, alert, published)).collect::<Value>(),
    })
}

fn one(pages: &str, alert: &Alert, published: Timestamp) -> Value {
    let mut labels = json!({"alertname": alert.name, "severity": alert.severity});
    if let Some(user) = &alert.user {
        labels["user"] = json!(user);
    }
    json!({
        "status": "firing", "labels": labels,
        "annotations": {"summary": alert.summary, "description": alert.description},
        // The zero of the language that it is written in: it has not ended.
        "startsAt": millis(published), "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": format!("{pages}/alerts/{}", alert.name), "fingerprint": alert.fingerprint,
    })
}
