//! Sends messages. Whoever is told is called by the configured name: the address is a secret.

use super::message::Message;
use super::{slack, webhook};
use crate::config::Config;
use crate::config::meant::{Channel, Notify};
use crate::tenant::Clearance;
use crate::tenant::http::{
    self, ActEnd, Allowance, Answer, Bucket, Clock, ConnectStep, Http, HttpError, Limits, Redactor, Request,
    asked_pause,
};
use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::time::Duration;
use thiserror::Error;
use url::Url;

/// The longest word of an answer that is repeated: Slack's are as `invalid_payload`.
const LONGEST_WORD: usize = 40;

/// Why somebody was not told.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{why}")]
pub struct NotTold {
    /// In words, without the address.
    pub why: String,
    /// What mends it, where we know.
    pub hint: Option<&'static str>,
    /// How long the other side asks to wait.
    pub asked: Option<Duration>,
    /// Whether it was told or not.
    pub outcome: Outcome,
}

/// Whether somebody was told who did not say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// No: nothing left, or the answer was another.
    NotTold,
    /// No, and this message will not be taken the next time either.
    Refused,
    /// Nobody knows.
    Unknown,
}

/// What messages are sent with.
#[derive(Debug)]
pub struct Messenger {
    http: Http,
    notify: Vec<Notify>,
}

impl Messenger {
    /// To everybody in a configuration.
    ///
    /// # Errors
    /// If there can be no HTTP client: certificates or proxy.
    pub fn build(config: &Config, clock: Clock) -> Result<Messenger, HttpError> {
        let http = Http::new(&config.net, limits(), clock, Redactor::of(config))?;
        Ok(Messenger { http, notify: config.notify.clone() })
    }

    /// Everybody.
    pub fn all(&self) -> impl Iterator<Item = &Notify> {
        self.notify.iter()
    }

    /// What time it is.
    pub(super) fn now(&self) -> Timestamp {
        self.http.now()
    }

    /// Why somebody cannot be told as configured; the address is not repeated.
    pub fn flaw(&self, notify: &Notify) -> Option<NotTold> {
        address(notify).err()
    }

    /// The body of a message; `None` for a bell.
    pub fn body(&self, notify: &Notify, message: &Message) -> Option<Value> {
        match &notify.channel {
            Channel::Slack { .. } => Some(slack::body(message)),
            Channel::Webhook { .. } => Some(webhook::body(message)),
            Channel::Bell => None,
        }
    }

    /// Sends a message, once.
    ///
    /// # Errors
    /// Why it was not told, or may not have been.
    pub async fn tell(&self, notify: &Notify, message: &Message) -> Result<(), NotTold> {
        let Some(body) = self.body(notify, message) else { return Ok(()) };
        let request = request(notify, &body)?;
        match self.http.act(&Bucket::notifier(&notify.name), &request, &Free).await {
            ActEnd::Answered(answer, _) if answer.is_success() => Ok(()),
            ActEnd::Answered(answer, _) => Err(answered(&answer)),
            ActEnd::Throttled(answer, _) => Err(throttled(asked_pause(&answer))),
            ActEnd::NotSent(HttpError::Throttled { wait, .. }, _) => Err(throttled(Some(wait))),
            ActEnd::NotSent(error, _) | ActEnd::Unknown(error, _) => Err(not_answered(&error)),
        }
    }
}

/// One exchange a call: the rests are the notifier's own.
fn limits() -> Limits {
    Limits {
        act: Allowance { timeout: Duration::from_secs(10), body: 64 << 10, held: Duration::ZERO },
        connect: Duration::from_secs(5),
        act_gap: Duration::ZERO,
        longest_pause: Duration::from_secs(3_600),
        ..Limits::default()
    }
}

/// Nothing forbids to tell somebody.
struct Free;

#[async_trait]
impl Clearance for Free {
    async fn clear(&self) -> Result<(), String> {
        Ok(())
    }
}

fn request(notify: &Notify, body: &Value) -> Result<Request, NotTold> {
    let request = Request::post_json(address(notify)?, body);
    Ok(match &notify.channel {
        Channel::Webhook { header: Some((name, secret)), .. } => request.with_secret(name, secret.clone()),
        _ => request,
    })
}

/// Where to, if anything may be sent there.
fn address(notify: &Notify) -> Result<Url, NotTold> {
    let url: &SecretString = match &notify.channel {
        Channel::Slack { url } | Channel::Webhook { url, .. } => url,
        Channel::Bell => return Err(not_told("a bell has no address", None)),
    };
    let hint = Some("look at what `url` of this `[[notify]]` names");
    let url = Url::parse(url.expose_secret().trim());
    let url = url.map_err(|_| not_told("what `url` names is no address", hint))?;
    http::check(&url).map_err(|error| not_answered(&error))?;
    Ok(url)
}

fn not_told(why: impl Into<String>, hint: Option<&'static str>) -> NotTold {
    NotTold { why: why.into(), hint, asked: None, outcome: Outcome::NotTold }
}

fn throttled(asked: Option<Duration>) -> NotTold {
    NotTold { asked, ..not_told("answered 429: it takes no more for now", None) }
}

fn answered(answer: &Answer) -> NotTold {
    let status = answer.status;
    let word = word(answer).map(|word| format!(": {word}")).unwrap_or_default();
    let hint = match status {
        300..=399 => Some("redirects are not followed: configure the address that they lead to"),
        401 | 403 => Some("check the secret, or whether the webhook was switched off"),
        404 | 410 => Some("the webhook is not there any more: make a new one"),
        _ => None,
    };
    let is_refused = matches!(status, 400 | 413 | 422);
    let outcome = if is_refused { Outcome::Refused } else { Outcome::NotTold };
    NotTold { asked: asked_pause(answer), outcome, ..not_told(format!("answered {status}{word}"), hint) }
}

/// What an answer says, if that is one plain word. Anything else may repeat the address.
fn word(answer: &Answer) -> Option<String> {
    let text = answer.text();
    let text = text.trim();
    let is_plain = |c: char| c.is_ascii_lowercase() || c == '_';
    (!text.is_empty() && text.len() <= LONGEST_WORD && text.chars().all(is_plain)).then(|| text.to_owned())
}

/// In words of our own: those of the error name the host.
fn not_answered(error: &HttpError) -> NotTold {
    let why = match error {
        HttpError::PlainHttp(_) => "its address is plain http".to_owned(),
        HttpError::Scheme(_) => "its address is neither https nor http".to_owned(),
        HttpError::Userinfo(_) => "its address holds a user name or a password".to_owned(),
        HttpError::Unreachable { step, cause, .. } => match step {
            ConnectStep::Dns => "cannot be reached: its host is not known".to_owned(),
            ConnectStep::Tls => "cannot be reached: TLS failed".to_owned(),
            ConnectStep::Name => "cannot be reached: the certificate is another host's".to_owned(),
            ConnectStep::Dates => "cannot be reached: the certificate is out of date".to_owned(),
            ConnectStep::Proxy => format!("cannot be reached through the proxy: {cause}"),
            ConnectStep::Tcp => format!("cannot be reached: {cause}"),
        },
        HttpError::TimedOut { waited, .. } => {
            format!("no answer within {} s: it may have been told", waited.as_secs())
        }
        HttpError::Cut { .. } | HttpError::TooLarge { .. } => {
            "the connection broke: it may have been told".to_owned()
        }
        HttpError::Header(_)
        | HttpError::Client(_)
        | HttpError::NotCleared(_)
        | HttpError::Unsigned(_)
        | HttpError::Crowded { .. }
        | HttpError::Throttled { .. } => error.to_string(),
    };
    let outcome = if error.may_have_left() { Outcome::Unknown } else { Outcome::NotTold };
    NotTold { outcome, ..not_told(why, error.hint()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn slack(url: &str) -> Notify {
        let channel = Channel::Slack { url: url.to_owned().into() };
        Notify { name: "slack".to_owned(), when: None, burst: 5, channel }
    }

    fn answer(status: u16, body: &str) -> Answer {
        let headers = vec![("retry-after".to_owned(), "30".to_owned())];
        Answer { status, headers, body: body.into(), flaw: None, at: Timestamp::UNIX_EPOCH }
    }

    #[rstest]
    #[case("https://hooks.example.com/T0/B0/s3cret", None)]
    #[case(" http://127.0.0.1:1/s3cret\n", None)]
    #[case("http://hooks.example.com/s3cret", Some("its address is plain http"))]
    #[case("https://user:s3cret@hooks.example.com/", Some("user name or a password"))]
    #[case("ftp://hooks.example.com/s3cret", Some("neither https nor http"))]
    #[case("s3cret", Some("no address"))]
    fn an_address_is_checked_and_never_told(#[case] url: &str, #[case] expected: Option<&str>) {
        let found = address(&slack(url)).err();
        assert_eq!(found.is_some(), expected.is_some(), "{found:?}");
        let said = format!("{found:?}");
        assert!(expected.is_none_or(|words| said.contains(words)), "{said}");
        assert!(!said.contains("s3cret") && !said.contains("example.com"), "{said}");
    }

    #[rstest]
    #[case(404, "channel_not_found", "answered 404: channel_not_found", Outcome::NotTold)]
    #[case(400, "invalid_payload\n", "answered 400: invalid_payload", Outcome::Refused)]
    #[case(500, "no hook at /T0/B0/s3cret", "answered 500", Outcome::NotTold)]
    #[case(502, "", "answered 502", Outcome::NotTold)]
    fn an_answer_is_told_by_its_word(
        #[case] status: u16,
        #[case] body: &str,
        #[case] why: &str,
        #[case] outcome: Outcome,
    ) {
        let told = answered(&answer(status, body));
        assert_eq!(
            (told.why.as_str(), told.outcome, told.asked),
            (why, outcome, Some(Duration::from_secs(30)))
        );
    }

    #[test]
    fn what_may_have_left_is_not_known() {
        let host = "hooks.example.com".to_owned();
        let timed_out = HttpError::TimedOut { host: host.clone(), waited: Duration::from_secs(10) };
        assert_eq!(not_answered(&timed_out).outcome, Outcome::Unknown);
        let unreachable =
            HttpError::Unreachable { host, via: None, cause: "refused".to_owned(), step: ConnectStep::Tcp };
        let told = not_answered(&unreachable);
        assert_eq!((told.why.as_str(), told.outcome), ("cannot be reached: refused", Outcome::NotTold));
    }
}
