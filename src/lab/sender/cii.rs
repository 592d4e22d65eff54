//! CII's webhooks, as its event bus sends them: five seconds for an answer, a repeat of the very same body after a time-out
//! or a 5xx, no repeat after a 4xx.
use super::post::{Manners, Parcel, Post, failed};
use super::{Errand, LabListener, Sender};
use crate::lab::faults::{FaultKind, Part};
use crate::lab::story::{Failure, Ids, Tenant, failed_check};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

static MANNERS: Manners = Manners {
    sender: Sender::Cii,
    patience: Duration::from_secs(5),
    // At doubling pauses that is some ten minutes of a listener that is away.
    tries: 10,
    pause: Duration::from_secs(1),
    // 429 is EventBridge's other reason to come back.
    again: |status| failed(status) || status == Some(429),
};

/// How long a late event is held back.
const LATE: Duration = Duration::from_secs(45);

#[derive(Debug)]
pub(super) struct Cii {
    post: Arc<Post>,
    to: LabListener,
    tenant: Tenant,
    told: usize,
}

impl Cii {
    pub(super) fn new(post: Arc<Post>, to: LabListener, tenant: Tenant) -> Self {
        Self { post, to, tenant, told: 0 }
    }

    pub(super) fn tell(&mut self, failure: &Failure, ids: &Ids, published: Timestamp) -> Errand {
        self.told += 1;
        let is_late =
            self.told.is_multiple_of(3) && self.post.world.faults.active(FaultKind::LateEvents, Part::Cii);
        let mut parcel = Parcel::now(&ids.detail, failed_check(&self.tenant, ids, failure, published));
        parcel.wait = if is_late { LATE } else { Duration::ZERO };
        let (post, to) = (Arc::clone(&self.post), self.to.clone());
        Box::pin(async move { post.deliver(&to, &MANNERS, parcel).await })
    }
}
