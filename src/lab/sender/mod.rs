//! Tells the incident: every sender posts its part of it to a target of its own, one file a sender. How long each waits
//! for an answer and when it comes again is the vendor's; where no vendor says, it is the double's choice, and no client
//! may count on it.
//!
//! | sender | posts | contract |
//! |---|---|---|
//! | `cii` | failed checks | cii.md, section 4 |
//! | `okta_hook` | LogEvents, several a call; the System Log has them too | okta.md, section 8 |
//! | `ispm` | issues, nested and flat | workflows-ispm.md, section 3 |
//! | `executions` | starts and ends of flows that were run | workflows-ispm.md, section 1 |
//! | `form`, `alerts` | what third parties post | the examples in the template of the configuration |
mod alerts;
mod cii;
mod executions;
mod form;
mod ispm;
mod okta_hook;
mod post;

use super::hook_auth::HookAuth;
use super::okta;
use super::story::{Beat, News, Record, Story, remember};
use super::world::{World, lock};
use alerts::Alerts;
use cii::Cii;
use form::Form;
use futures_util::future::BoxFuture;
use ispm::Ispm;
use jiff::{SignedDuration, Timestamp};
use okta_hook::OktaHook;
use post::Post;
pub(super) use post::client;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::{JoinHandle, JoinSet};

/// Something on its way to a target.
type Errand = BoxFuture<'static, ()>;

/// Who posts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sender {
    /// Cisco Identity Intelligence.
    Cii,
    /// Okta's event hook.
    OktaHook,
    /// The webhook tile of Okta ISPM.
    Ispm,
    /// Okta Workflows' Execution Log Streaming.
    Executions,
    /// A form service that signs its bodies.
    Form,
    /// An alert manager.
    Alerts,
}

/// Where webhooks go, and what opens that door.
#[derive(Debug, Clone)]
pub struct LabListener {
    pub url: String,
    pub auth: HookAuth,
}

/// Where each sender posts; one without a target posts nothing.
#[derive(Debug, Clone, Default)]
pub struct LabTargets {
    pub cii: Option<LabListener>,
    /// Posted to once it has answered the challenge of the verification.
    pub okta_hook: Option<LabListener>,
    pub ispm: Option<LabListener>,
    pub executions: Option<LabListener>,
    pub form: Option<LabListener>,
    pub alerts: Option<LabListener>,
}

/// One try of one webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub sender: Sender,
    /// The sender's own id of what it posts: the same in every try.
    pub event: String,
    /// The answer, or none: no token, no connection, or no answer in time.
    pub status: Option<u16>,
}

/// The incident being told. It ends when this is dropped.
#[derive(Debug)]
#[must_use = "the story ends when this is dropped"]
pub struct Telling {
    story: JoinHandle<()>,
    /// The execution log, which goes on as long as flows are run.
    stream: Option<JoinHandle<()>>,
    deliveries: Arc<Mutex<Vec<Delivery>>>,
}

impl Telling {
    /// Every try so far.
    pub fn deliveries(&self) -> Vec<Delivery> {
        lock(&self.deliveries).clone()
    }

    /// Whether the whole incident is told. Executions are streamed all the same.
    pub fn is_finished(&self) -> bool {
        self.story.is_finished()
    }

    /// Ends the story now and waits until nothing is being sent any more.
    pub async fn stop(mut self) {
        self.abort();
        let _ = (&mut self.story).await;
        if let Some(stream) = &mut self.stream {
            let _ = stream.await;
        }
    }

    fn abort(&self) {
        self.story.abort();
        self.stream.iter().for_each(JoinHandle::abort);
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        self.abort();
    }
}

/// Starts to tell the incident.
pub(super) fn tell(world: Arc<World>, story: Arc<Story>, targets: LabTargets) -> Telling {
    let deliveries = Arc::new(Mutex::new(Vec::new()));
    let post = Arc::new(Post::new(world, Arc::clone(&deliveries)));
    // Listened to from now on, not from when the task runs: a run that follows at once is streamed too.
    let stream = targets.executions.clone().map(|listener| {
        let heard = post.world.executions.hear();
        tokio::spawn(executions::stream(Arc::clone(&post), listener, heard))
    });
    let senders = Senders::new(&post, &story, targets);
    let story = tokio::spawn(async move { script(post, senders, &story.incident).await });
    Telling { story, stream, deliveries }
}

/// Each webhook is a task of its own: one that must be repeated does not hold up the others.
async fn script(post: Arc<Post>, mut senders: Senders, incident: &[Beat]) {
    let clock = post.world.clock.clone();
    let began = clock.elapsed();
    let mut running = JoinSet::new();
    if let Some(errand) = senders.begin() {
        running.spawn(errand);
    }
    for beat in incident {
        let due = began + beat.at;
        clock.sleep(due.saturating_sub(clock.elapsed())).await;
        if let Some(errand) = senders.say(&post.world, &beat.news, earlier(clock.now(), beat.lag)) {
            running.spawn(errand);
        }
        while running.try_join_next().is_some() {}
    }
    running.join_all().await;
}

fn earlier(now: Timestamp, lag: Duration) -> Timestamp {
    now - SignedDuration::try_from(lag).unwrap_or(SignedDuration::ZERO)
}

/// Those that take part in the story.
struct Senders {
    cii: Option<Cii>,
    okta_hook: Option<OktaHook>,
    ispm: Option<Ispm>,
    form: Option<Form>,
    alerts: Option<Alerts>,
}

impl Senders {
    fn new(post: &Arc<Post>, story: &Story, targets: LabTargets) -> Self {
        let post = || Arc::clone(post);
        Self {
            cii: targets.cii.map(|to| Cii::new(post(), to, story.tenant.clone())),
            okta_hook: targets.okta_hook.map(|to| OktaHook::new(post(), to)),
            ispm: targets.ispm.map(|to| Ispm::new(post(), to)),
            form: targets.form.map(|to| Form::new(post(), to)),
            alerts: targets.alerts.map(|to| Alerts::new(post(), to)),
        }
    }

    /// What is done before anything has happened.
    fn begin(&self) -> Option<Errand> {
        Some(self.okta_hook.as_ref()?.begin())
    }

    /// What happened is so in the tenant, whether or not anybody is told.
    fn say(&mut self, world: &World, news: &News, published: Timestamp) -> Option<Errand> {
        match news {
            News::CheckFailed(failure, ids) => {
                remember(&mut lock(&world.failing), failure);
                Some(self.cii.as_mut()?.tell(failure, ids, published))
            }
            News::Records(records, call) => {
                let records = dated(records, published);
                let logged = |(record, published): &(&Record, Timestamp)| {
                    okta::Record::of(&record.logged(&world.population, *published), world.clock.now())
                };
                world.log.persist(records.iter().filter_map(logged));
                self.okta_hook.as_mut()?.tell(&records, call)
            }
            News::Issue(issue) => Some(self.ispm.as_ref()?.tell(issue, published)),
            News::Report(report) => Some(self.form.as_ref()?.tell(report, published)),
            News::Alerts(alerts) => Some(self.alerts.as_ref()?.tell(alerts, published)),
        }
    }
}

/// Records of one moment are some milliseconds apart.
fn dated(records: &[Record], first: Timestamp) -> Vec<(&Record, Timestamp)> {
    let dated = |(record, apart)| (record, first + SignedDuration::from_millis(apart));
    records.iter().zip((0..).step_by(20)).map(dated).collect()
}
