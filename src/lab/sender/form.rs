//! A form service, of the shape that the example `report-form` in the template of the configuration maps.
use super::post::{Manners, Parcel, Post, failed};
use super::{Errand, LabListener, Sender};
use crate::lab::clock::seconds;
use crate::lab::story::Report;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

static MANNERS: Manners = Manners {
    sender: Sender::Form,
    patience: Duration::from_secs(30),
    tries: 5,
    pause: Duration::from_secs(5),
    again: failed,
};

#[derive(Debug)]
pub(super) struct Form {
    post: Arc<Post>,
    to: LabListener,
}

impl Form {
    pub(super) fn new(post: Arc<Post>, to: LabListener) -> Self {
        Self { post, to }
    }

    pub(super) fn tell(&self, report: &Report, published: Timestamp) -> Errand {
        let parcel = Parcel::now(&report.id, body(report, published));
        let (post, to) = (Arc::clone(&self.post), self.to.clone());
        Box::pin(async move { post.deliver(&to, &MANNERS, parcel).await })
    }
}

fn body(report: &Report, published: Timestamp) -> Value {
    let field = |id: &str, kind: &str| json!({"id": id, "type": kind, "ref": id});
    json!({
        "event_id": report.id, "event_type": "form_response",
        "form_response": {
            "form_id": "suspicious", "token": report.token,
            "landed_at": seconds(published - SignedDuration::from_secs(95)), "submitted_at": seconds(published),
            "definition": {"id": "suspicious", "title": "Report something suspicious", "fields": [
                {"id": "who", "type": "email", "title": "Your address"},
                {"id": "what", "type": "long_text", "title": "What happened?"},
            ]},
            "answers": [
                {"type": "email", "email": report.email, "field": field("who", "email")},
                {"type": "text", "text": report.text, "field": field("what", "long_text")},
            ],
        },
    })
}
