//! CII's token exchange: client credentials as JSON.

use super::super::http::{Answer, Bucket, Http, Request};
use super::super::problem::{unexpected, with_hint, words};
use super::super::token::{Issued, TokenIssuer};
use crate::config::meant::Cii;
use crate::domain::dossier::Problem;
use async_trait::async_trait;
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;
use url::Url;

/// Documented as ten hours, and assumed where `expires_in` is absent.
const DEFAULT_LIVES: SignedDuration = SignedDuration::from_hours(10);

/// Asks CII's token endpoint.
#[derive(Debug)]
pub(super) struct CiiTokens {
    url: Url,
    client_id: String,
    client_secret: SecretString,
    audience: Option<String>,
}

/// The documented body. `audience` goes only where it is configured: some clients break without it,
/// others do not know it.
#[derive(Serialize)]
struct Body<'a> {
    client_id: &'a str,
    client_secret: &'a str,
    grant_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    audience: Option<&'a str>,
}

impl CiiTokens {
    pub(super) fn new(cii: &Cii) -> CiiTokens {
        CiiTokens {
            url: cii.token_url.clone(),
            client_id: cii.client_id.clone(),
            client_secret: cii.client_secret.clone(),
            audience: cii.audience.clone(),
        }
    }

    fn request(&self) -> Request {
        let body = Body {
            client_id: &self.client_id,
            client_secret: self.client_secret.expose_secret(),
            grant_type: "client_credentials",
            audience: self.audience.as_deref(),
        };
        Request::post_json(self.url.clone(), &body)
    }

    fn refused(&self, http: &Http, answer: &Answer) -> Problem {
        let Some(body) = answer.json() else { return unexpected("the CII token endpoint", answer) };
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(|text| words(http, text));
        let said: Vec<String> =
            ["error", "error_description", "message"].into_iter().filter_map(text).collect();
        let message = format!("{} from the CII token endpoint: {}", answer.status, said.join(": "));
        with_hint(message, self.hint(answer.status))
    }

    fn hint(&self, status: u16) -> &'static str {
        match (status, &self.audience) {
            (400 | 401 | 403, None) => {
                "check `client_id` and the secret; a client made before September 2025 may need `audience`"
            }
            (400 | 401 | 403, Some(_)) => "check `client_id`, the secret and `audience`",
            (404 | 405, _) => "check `[cii] token_url`",
            _ => "ask again later",
        }
    }
}

#[async_trait]
impl TokenIssuer for CiiTokens {
    async fn issue(&self, http: &Http) -> Result<Issued, Problem> {
        let answer = http.read(&Bucket::cii("token"), &self.request()).await?;
        let issued = answer.json().and_then(|body| Issued::parse(&body, DEFAULT_LIVES));
        match issued {
            Some(issued) if answer.is_success() => Ok(issued),
            _ => Err(self.refused(http, &answer)),
        }
    }
}
