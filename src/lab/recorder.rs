//! What was asked of the lab: every request, without its secrets.
//!
//! It is how a test proves an absence: that a dry run sent no write, that no POST was repeated.
use jiff::Timestamp;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Requests kept; older ones are forgotten, so that a demo left running does not grow.
const KEPT: usize = 20_000;
/// Characters of a body that are kept.
const BODY: usize = 64 * 1024;
/// Headers whose value is a credential.
const SECRET_HEADERS: [&str; 5] =
    ["authorization", "x-api-client-token", "dpop", "cookie", "proxy-authorization"];

/// One request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Lab time.
    pub at: Timestamp,
    pub method: String,
    pub path: String,
    /// As it came; the value of `clientToken` is hidden.
    pub query: String,
    /// Names in lower case; the value of a credential is `[secret]`.
    pub headers: Vec<(String, String)>,
    /// Empty for the token endpoints, while it has not come, and if it was too large to be read.
    pub body: String,
    /// What the lab answered; 0 while it has not, or when the connection was cut.
    pub status: u16,
}

impl Recorded {
    /// Whether it could have changed something: anything but a GET of something else than a flow (which runs for GET
    /// too), a token request or a GraphQL query.
    pub fn is_write(&self) -> bool {
        let reading = match self.method.as_str() {
            "GET" => !self.path.starts_with("/api/flo/"),
            method => matches!(method, "HEAD" | "OPTIONS"),
        };
        let token = self.path.ends_with("/token");
        let query = self.path == "/cii/api" && !self.body.contains("mutation");
        !(reading || token || query)
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The record; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Recorder(Arc<Mutex<Log>>);

#[derive(Debug, Default)]
struct Log {
    dropped: usize,
    requests: VecDeque<Recorded>,
}

impl Recorder {
    /// Everything so far, oldest first.
    pub fn requests(&self) -> Vec<Recorded> {
        self.with(|log| log.requests.iter().cloned().collect())
    }

    /// The same, and forgets it: what comes meanwhile is in the next.
    pub fn take(&self) -> Vec<Recorded> {
        self.with(|log| {
            log.dropped += log.requests.len();
            log.requests.drain(..).collect()
        })
    }

    /// Those that could have changed something.
    pub fn writes(&self) -> Vec<Recorded> {
        self.requests().into_iter().filter(Recorded::is_write).collect()
    }

    /// How often a method and path were asked for.
    pub fn count(&self, method: &str, path: &str) -> usize {
        self.with(|log| log.requests.iter().filter(|r| r.method == method && r.path == path).count())
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.with(|log| {
            log.dropped += log.requests.len();
            log.requests.clear();
        });
    }

    /// Notes a request whose body is still to come, and returns its ticket for what happens to it.
    pub(crate) fn note(&self, mut request: Recorded) -> usize {
        request.headers.iter_mut().for_each(hide_secret);
        request.query = hide_client_token(&request.query);
        self.with(|log| {
            log.requests.push_back(request);
            if log.requests.len() > KEPT {
                log.requests.pop_front();
                log.dropped += 1;
            }
            log.dropped + log.requests.len() - 1
        })
    }

    /// The body has come.
    pub(crate) fn came(&self, ticket: usize, body: &[u8]) {
        self.amend(ticket, |request| {
            if !request.path.ends_with("/token") {
                request.body = cut(without_secrets(&String::from_utf8_lossy(body)));
            }
        });
    }

    /// The lab has answered; 0 if it cut the connection instead.
    pub(crate) fn answered(&self, ticket: usize, status: u16) {
        self.amend(ticket, |request| request.status = status);
    }

    fn amend(&self, ticket: usize, change: impl FnOnce(&mut Recorded)) {
        self.with(|log| {
            let index = ticket.checked_sub(log.dropped);
            if let Some(request) = index.and_then(|index| log.requests.get_mut(index)) {
                change(request);
            }
        });
    }

    fn with<T>(&self, act: impl FnOnce(&mut Log) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn hide_secret((name, value): &mut (String, String)) {
    if SECRET_HEADERS.contains(&name.as_str()) {
        *value = "[secret]".into();
    }
}

fn hide_client_token(query: &str) -> String {
    let hidden = |pair: &str| match pair.split_once('=') {
        Some(("clientToken", _)) => "clientToken=[secret]".to_owned(),
        _ => pair.to_owned(),
    };
    query.split('&').map(hidden).collect::<Vec<_>>().join("&")
}

/// Where a request tells the lab a secret that it is to show later.
const TOLD: [&str; 2] = ["/variables/input/apiKey", "/channel/config/authScheme/value"];

fn without_secrets(body: &str) -> String {
    let Ok(mut json) = serde_json::from_str::<serde_json::Value>(body) else { return body.to_owned() };
    let mut is_hidden = false;
    for pointer in TOLD {
        if let Some(secret) = json.pointer_mut(pointer) {
            *secret = "[secret]".into();
            is_hidden = true;
        }
    }
    if is_hidden { json.to_string() } else { body.to_owned() }
}

fn cut(mut body: String) -> String {
    let mut end = body.len().min(BODY);
    while !body.is_char_boundary(end) {
        end -= 1;
    }
    body.truncate(end);
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str, query: &str) -> Recorded {
        Recorded {
            at: Timestamp::UNIX_EPOCH,
            method: method.into(),
            path: path.into(),
            query: query.into(),
            headers: vec![("authorization".into(), "SSWS s3cret".into()), ("accept".into(), "*/*".into())],
            body: String::new(),
            status: 0,
        }
    }

    #[test]
    fn keeps_no_secret() {
        let recorder = Recorder::default();
        let ticket = recorder.note(request("POST", "/cii/oauth/token", "a=b&clientToken=s3cret"));
        recorder.came(ticket, b"client_secret=s3cret");
        for body in [
            r#"{"query":"mutation","variables":{"input":{"name":"n","apiKey":"s3cret"}}}"#,
            r#"{"channel":{"config":{"authScheme":{"key":"k","value":"s3cret"}}}}"#,
        ] {
            let ticket = recorder.note(request("POST", "/x", ""));
            recorder.came(ticket, body.as_bytes());
        }
        assert!(recorder.requests()[1].body.contains(r#""name":"n","apiKey":"[secret]""#));
        assert!(!format!("{recorder:?}").contains("s3cret"));
        assert_eq!(recorder.requests()[0].header("accept"), Some("*/*"));
        assert_eq!(recorder.requests()[0].query, "a=b&clientToken=[secret]");
    }

    #[test]
    fn tells_writes_from_reads() {
        let recorder = Recorder::default();
        recorder.note(request("GET", "/api/v1/users/x", ""));
        recorder.note(request("POST", "/cii/api", ""));
        recorder.note(request("POST", "/oauth2/v1/token", ""));
        recorder.note(request("HEAD", "/api/flo/x/invoke", ""));
        assert!(recorder.writes().is_empty());
        recorder.note(request("DELETE", "/api/v1/users/x/sessions", ""));
        recorder.note(request("GET", "/api/flo/x/invoke", ""));
        let mutation = recorder.note(request("POST", "/cii/api", ""));
        recorder.came(mutation, b"{\"query\": \"mutation { unregisterWebhook(id: 1) }\"}");
        assert_eq!(recorder.writes().len(), 3);
    }

    #[test]
    fn a_late_answer_to_a_forgotten_request_is_harmless() {
        let recorder = Recorder::default();
        let ticket = recorder.note(request("GET", "/a", ""));
        recorder.clear();
        recorder.note(request("GET", "/b", ""));
        recorder.answered(ticket, 500);
        assert_eq!(recorder.requests()[0].status, 0);
    }
}
