//! Access tokens: asked for once, kept until shortly before they end.
//!
//! One request for a token at a time: who comes meanwhile waits for that one and shares its answer,
//! also where it is a failure. Otherwise ten callers of a dead token endpoint would wait for ten
//! time-outs in a row. That a scope was not granted is kept for a while: no call that needs it would get
//! another answer, and each refusal stands in the other side's log.

use super::http::{Answer, Bucket, Http, HttpError, Request};
use crate::domain::dossier::Problem;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Mutex;

/// Asks the other side for a token.
#[async_trait]
pub(super) trait TokenIssuer: Send + Sync + fmt::Debug {
    /// A new token, whatever is kept.
    async fn issue(&self, http: &Http) -> Result<Issued, Problem>;

    /// The headers that a request shows a token in.
    fn headers(&self) -> &'static [&'static str] {
        &["authorization"]
    }

    /// The request with a token: a bearer's, unless it is bound to something.
    fn authorized(&self, request: &Request, token: &SecretString) -> Request {
        with_bearer(request, token)
    }
}

/// A token as it was issued.
#[derive(Debug, Clone)]
pub(super) struct Issued {
    /// The token.
    pub(super) token: SecretString,
    /// How long it is good for.
    pub(super) lives: SignedDuration,
    /// What kind it is, where the answer says so: `Bearer`.
    pub(super) kind: Option<String>,
    /// What it is for, where the answer says so.
    pub(super) scope: Option<String>,
}

impl Issued {
    /// Reads a token endpoint's answer.
    pub(super) fn parse(answer: &Value, default_lives: SignedDuration) -> Option<Issued> {
        let token = answer.get("access_token")?.as_str().filter(|token| !token.is_empty())?;
        let seconds = answer.get("expires_in").and_then(seconds);
        let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Issued {
            token: token.into(),
            lives: seconds.unwrap_or(default_lives),
            kind: text("token_type"),
            scope: text("scope"),
        })
    }
}

/// A number, or a text that is one; a day at most.
fn seconds(value: &Value) -> Option<SignedDuration> {
    let seconds = value.as_i64().or_else(|| value.as_str()?.parse().ok())?;
    Some(SignedDuration::from_secs(seconds.clamp(0, 86_400)))
}

/// A token is renewed this long before its end, so that none ends on its way; short-lived ones a
/// quarter of their life before.
const MARGIN: SignedDuration = SignedDuration::from_mins(2);

#[derive(Debug)]
struct Kept {
    token: SecretString,
    good_until: Timestamp,
    scope: Option<String>,
}

#[derive(Debug, Default)]
struct State {
    kept: Option<Kept>,
    failure: Option<Failure>,
}

/// That no token was issued.
#[derive(Debug)]
struct Failure {
    problem: Problem,
    at: Timestamp,
}

/// For so long a scope that was not granted is not asked for again.
const REFUSAL_KEPT: SignedDuration = SignedDuration::from_secs(60);

impl Failure {
    /// Whether asking again would bring the same: the scope is not granted (RFC 6749, section 5.2).
    fn holds(&self, now: Timestamp) -> bool {
        let is_of_scope = self.problem.kind.as_ref().is_some_and(|code| code.raw() == "invalid_scope");
        is_of_scope && now.duration_since(self.at) < REFUSAL_KEPT
    }
}

/// Why a request with a token has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    /// There was no token to send it with.
    #[error("{}", .0.line())]
    NoToken(Problem),
    /// It was sent, or could not be.
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// One kind of token of one tenant.
#[derive(Debug)]
pub(super) struct Tokens {
    http: Arc<Http>,
    issuer: Box<dyn TokenIssuer>,
    state: Mutex<State>,
    /// How many requests for a token have ended: tells a waiter whether one ended while it waited.
    ended: AtomicU64,
}

impl Tokens {
    /// Nothing is asked for yet.
    pub(super) fn new(http: Arc<Http>, issuer: impl TokenIssuer + 'static) -> Tokens {
        Tokens { http, issuer: Box::new(issuer), state: Mutex::default(), ended: AtomicU64::new(0) }
    }

    /// A token that is good for a while yet.
    pub(super) async fn get(&self) -> Result<SecretString, Problem> {
        self.obtain(None).await
    }

    /// What a token is for by the words of whoever issued it; `None` where the answer did not say.
    pub(super) async fn granted(&self) -> Result<Option<String>, Problem> {
        self.get().await?;
        Ok(self.state.lock().await.kept.as_ref().and_then(|kept| kept.scope.clone()))
    }

    /// The headers that a request shows a token in.
    pub(super) fn headers(&self) -> &'static [&'static str] {
        self.issuer.headers()
    }

    /// The request with a token.
    pub(super) fn authorized(&self, request: &Request, token: &SecretString) -> Request {
        self.issuer.authorized(request, token)
    }

    /// A token that was refused is kept no longer; another than the kept one changes nothing.
    pub(super) async fn forget(&self, refused: &SecretString) {
        let mut state = self.state.lock().await;
        if self.good(&state, Some(refused)).is_none() {
            state.kept = None;
        }
    }

    /// Sends a request that reads, with a token; a 401 is answered with a new token, once.
    pub(super) async fn read(&self, bucket: &Bucket, request: &Request) -> Result<Answer, Problem> {
        let token = self.get().await?;
        let answer = self.http.read(bucket, &self.authorized(request, &token)).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let renewed = self.obtain(Some(&token)).await?;
        Ok(self.http.read(bucket, &self.authorized(request, &renewed)).await?)
    }

    /// The same for a page of a log: see [`Http::page`].
    pub(super) async fn page(&self, bucket: &Bucket, request: &Request) -> Result<Answer, NoAnswer> {
        let token = self.get().await.map_err(NoAnswer::NoToken)?;
        let answer = self.http.page(bucket, &self.authorized(request, &token)).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let renewed = self.obtain(Some(&token)).await.map_err(NoAnswer::NoToken)?;
        Ok(self.http.page(bucket, &self.authorized(request, &renewed)).await?)
    }

    /// The kept token if it is good and not the one that was refused, else a new one.
    async fn obtain(&self, refused: Option<&SecretString>) -> Result<SecretString, Problem> {
        let ended_before = self.ended.load(Ordering::SeqCst);
        let mut state = self.state.lock().await;
        if let Some(token) = self.good(&state, refused) {
            return Ok(token);
        }
        let has_waited = self.ended.load(Ordering::SeqCst) != ended_before;
        let now = self.http.now();
        if let Some(failure) = state.failure.as_ref().filter(|failure| has_waited || failure.holds(now)) {
            return Err(failure.problem.clone());
        }
        let issued = self.issuer.issue(&self.http).await;
        self.ended.fetch_add(1, Ordering::SeqCst);
        self.keep(&mut state, issued)
    }

    fn good(&self, state: &State, refused: Option<&SecretString>) -> Option<SecretString> {
        let kept = state.kept.as_ref().filter(|kept| self.http.now() < kept.good_until)?;
        let is_refused = refused.is_some_and(|token| token.expose_secret() == kept.token.expose_secret());
        (!is_refused).then(|| kept.token.clone())
    }

    fn keep(&self, state: &mut State, issued: Result<Issued, Problem>) -> Result<SecretString, Problem> {
        match issued {
            Ok(issued) => {
                let good_until = good_until(self.http.now(), issued.lives);
                let token = issued.token.clone();
                let kept = Kept { token: issued.token, good_until, scope: issued.scope };
                *state = State { kept: Some(kept), failure: None };
                Ok(token)
            }
            Err(problem) => {
                let failure = Failure { problem: problem.clone(), at: self.http.now() };
                *state = State { kept: None, failure: Some(failure) };
                Err(problem)
            }
        }
    }
}

fn good_until(now: Timestamp, lives: SignedDuration) -> Timestamp {
    let margin = MARGIN.min(lives / 4);
    now.saturating_add(lives - margin).unwrap_or(now)
}

/// The request with a bearer token.
pub(super) fn with_bearer(request: &Request, token: &SecretString) -> Request {
    request.clone().with_secret("authorization", format!("Bearer {}", token.expose_secret()).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lives_are_read_in_any_form() {
        let default = SignedDuration::from_secs(36_000);
        for (sent, expected) in [
            (json!({"access_token": "t", "expires_in": 5}), 5),
            (json!({"access_token": "t", "expires_in": "7"}), 7),
            (json!({"access_token": "t"}), 36_000),
            (json!({"access_token": "t", "expires_in": -3}), 0),
        ] {
            assert_eq!(Issued::parse(&sent, default).unwrap().lives.as_secs(), expected);
        }
        assert!(Issued::parse(&json!({"access_token": ""}), default).is_none());
        assert!(Issued::parse(&json!({"error": "x"}), default).is_none());
    }

    #[test]
    fn a_token_is_renewed_before_it_ends() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(good_until(now, SignedDuration::from_secs(3_600)).as_second(), 3_480);
        assert_eq!(good_until(now, SignedDuration::from_secs(40)).as_second(), 30);
    }
}
