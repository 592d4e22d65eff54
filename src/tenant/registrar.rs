//! How the senders of events learn where to post: CII's webhook targets and Okta's event hooks.
//!
//! What is shown and what leaves are drafted by the same lines, with the mask or with the secret in its
//! place, so that they cannot come to differ. What acts is sent once, like a flow's call.

use super::http::{ActEnd, Answer, HeaderText, Http, HttpError, MASK, Request};
use super::problem::with_hint;
use super::{Clearance, http};
use crate::domain::action::{Receipt, ShownRequest, Try};
use crate::domain::dossier::Problem;
use crate::domain::{Outcome, Untrusted};
use async_trait::async_trait;
use secrecy::SecretString;
use std::fmt;
use url::Url;

/// A header that a sender shows with everything that it posts.
#[derive(Debug, Clone)]
pub struct SecretHeader {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: SecretString,
}

/// A target of CII's webhooks.
#[derive(Debug, Clone)]
pub struct CiiWebhook {
    /// Its name; CII adds something random to it.
    pub name: String,
    /// Where CII posts to.
    pub endpoint: Url,
    /// What CII shows there.
    pub header: SecretHeader,
    /// The ids of the checks that it is told of.
    pub checks: Vec<String>,
}

/// An event hook of an Okta org.
#[derive(Debug, Clone)]
pub struct NewEventHook {
    /// Its name.
    pub name: String,
    /// Where Okta posts to.
    pub uri: Url,
    /// What Okta shows there.
    pub header: SecretHeader,
    /// The event types that it is told of.
    pub events: Vec<String>,
}

/// What CII is to change.
#[derive(Debug, Clone)]
pub enum CiiChange {
    /// It posts to this target from now on.
    Register(CiiWebhook),
    /// It posts to the target of this id no more.
    Unregister(String),
}

/// What an Okta org is to change.
#[derive(Debug, Clone)]
pub enum OktaChange {
    /// It has this hook, which is not verified yet.
    Create(NewEventHook),
    /// It asks the address of the hook of this id whether that is its own.
    Verify(String),
}

/// What a sender of events is to change.
#[derive(Debug, Clone)]
pub enum Registration {
    /// Cisco Identity Intelligence.
    Cii(CiiChange),
    /// The configured Okta org.
    Okta(OktaChange),
}

/// An event hook as Okta tells it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventHook {
    /// Okta's id of it.
    pub id: Untrusted,
    /// Its name.
    pub name: Untrusted,
    /// `ACTIVE` or `INACTIVE`.
    pub status: Untrusted,
    /// `VERIFIED` or `UNVERIFIED`.
    pub verification: Untrusted,
    /// Where Okta posts to.
    pub uri: Untrusted,
    /// How many event types it is told of.
    pub events: usize,
}

/// How a registration ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Registered {
    /// As far as known.
    pub outcome: Outcome,
    /// What the other side calls it, where it says so.
    pub id: Option<Untrusted>,
    /// The hook as it is now, where it was told.
    pub hook: Option<EventHook>,
    /// What went wrong.
    pub problem: Option<Problem>,
    /// What came back.
    pub receipt: Receipt,
}

/// Tells the senders of events where to post.
#[async_trait]
pub trait Registrar: Send + Sync + fmt::Debug {
    /// The request as it will leave, its secrets masked. Nothing is sent.
    fn shown(&self, what: &Registration) -> Result<ShownRequest, Problem>;

    /// Sends it, once; only a 429 is followed by another try, and each try only if it is cleared.
    async fn register(&self, what: &Registration, clearance: &dyn Clearance) -> Registered;

    /// Every event hook of the configured Okta org.
    async fn event_hooks(&self) -> Result<Vec<EventHook>, Problem>;
}

impl Registered {
    /// Ended like this, with nothing more to say.
    pub(super) fn ended(outcome: Outcome) -> Registered {
        Registered { outcome, id: None, hook: None, problem: None, receipt: Receipt::default() }
    }

    /// Ended like this because of that.
    pub(super) fn because(outcome: Outcome, problem: Problem) -> Registered {
        Registered { problem: Some(problem), ..Registered::ended(outcome) }
    }

    /// No byte left.
    pub(super) fn not_sent(problem: Problem) -> Registered {
        Registered::silent(Outcome::Failed, problem, Vec::new())
    }

    fn silent(outcome: Outcome, problem: Problem, tries: Vec<Try>) -> Registered {
        let receipt = Receipt { error: Some(problem.line()), tries, ..Receipt::default() };
        Registered { receipt, ..Registered::because(outcome, problem) }
    }

    /// What the end of a request comes to; `read` says it of an answer.
    pub(super) fn of(
        http: &Http,
        end: ActEnd,
        token: Option<&SecretString>,
        read: impl FnOnce(&Answer) -> Registered,
    ) -> Registered {
        match end {
            ActEnd::Answered(answer, tries) => {
                let read = read(&answer);
                Registered { receipt: http.receipt(&answer, tries, token), ..read }
            }
            ActEnd::Throttled(answer, tries) => {
                let problem =
                    with_hint("every try was answered 429: nothing was changed", "wait, then ask again");
                let receipt = http.receipt(&answer, tries, token);
                Registered { receipt, ..Registered::because(Outcome::Refused, problem) }
            }
            ActEnd::NotSent(error, tries) => Registered::silent(Outcome::Failed, held_back(error), tries),
            ActEnd::Unknown(error, tries) => Registered::silent(Outcome::Unknown, error.into(), tries),
        }
    }
}

fn held_back(error: HttpError) -> Problem {
    let problem = Problem::from(error);
    Problem { message: format!("nothing was sent: {}", problem.message).into(), ..problem }
}

/// What is shown of a request that is complete but for the headers that prove who sends it, with the body
/// that is shown.
pub(super) fn shown(request: &Request, proofs: &[&str], body: &str) -> Result<ShownRequest, Problem> {
    http::check(&request.url)?;
    let value = |text: &HeaderText| match text {
        HeaderText::Plain(text) => text.clone(),
        HeaderText::Secret(_) => MASK.to_owned(),
    };
    let headers = request.headers.iter().map(|(name, text)| (name.clone(), value(text)));
    Ok(ShownRequest {
        method: request.method.name().to_owned(),
        url: request.url.to_string(),
        headers: headers.chain(proofs.iter().map(|name| ((*name).to_owned(), MASK.to_owned()))).collect(),
        body: body.to_owned(),
    })
}
