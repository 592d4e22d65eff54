//! Okta's refusals: five fields, of which only the code is for programs (contracts/okta.md, sections 1 and 4.2).
use crate::lab::secrets::token;
use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// A refusal in Okta's shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OktaError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) summary: String,
    causes: Vec<String>,
    challenge: Option<String>,
    nonce: Option<String>,
}

impl OktaError {
    pub(crate) fn new(status: StatusCode, code: &'static str, summary: impl Into<String>) -> Self {
        Self { status, code, summary: summary.into(), causes: Vec::new(), challenge: None, nonce: None }
    }

    pub(crate) fn because(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    pub(crate) fn not_found(what: &str, kind: &str) -> Self {
        let summary = format!("Not found: Resource not found: {what} ({kind})");
        Self::new(StatusCode::NOT_FOUND, "E0000007", summary)
    }

    pub(crate) fn validation(field: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "E0000001", format!("Api validation failed: {field}"))
    }

    pub(crate) fn invalid_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "E0000011", "Invalid token provided")
    }

    pub(crate) fn no_permission() -> Self {
        let summary = "You do not have permission to perform the requested action";
        Self::new(StatusCode::FORBIDDEN, "E0000006", summary)
    }

    pub(crate) fn too_many() -> Self {
        let summary = "API call exceeded rate limit due to too many requests.";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "E0000047", summary)
    }

    /// A 403 that names the scope the token lacks.
    pub(crate) fn insufficient_scope(scope: &str) -> Self {
        let text = "The access token provided does not contain the required scopes.";
        let challenge = format!(
            "Bearer authorization_uri=\"http://lab/oauth2/v1/authorize\", realm=\"http://lab\", scope=\"{scope}\", \
             error=\"insufficient_scope\", error_description=\"{text}\""
        );
        Self { challenge: Some(challenge), ..Self::new(StatusCode::FORBIDDEN, "E0000006", text) }
    }

    /// The same for a proof that lacks a nonce (RFC 9449, section 9).
    pub(crate) fn asking_for_nonce(self, nonce: String) -> Self {
        let challenge = "DPoP error=\"use_dpop_nonce\", error_description=\"Resource server requires nonce in DPoP proof\"";
        Self { challenge: Some(challenge.to_owned()), nonce: Some(nonce), ..self }
    }

    /// What a bare status looks like.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => Self::invalid_token(),
            StatusCode::FORBIDDEN => Self::no_permission(),
            StatusCode::TOO_MANY_REQUESTS => Self::too_many(),
            StatusCode::SERVICE_UNAVAILABLE => Self::new(status, "E0000010", "Service is in read only mode"),
            _ => Self::new(status, "E0000009", "Internal Server Error"),
        }
    }

    fn body(&self) -> Value {
        let causes: Vec<Value> = self.causes.iter().map(|cause| json!({"errorSummary": cause})).collect();
        json!({
            "errorCode": self.code, "errorSummary": self.summary, "errorLink": self.code,
            "errorId": token("oae", 15), "errorCauses": causes,
        })
    }
}

impl IntoResponse for OktaError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        if let Some(value) = self.challenge.and_then(|challenge| HeaderValue::from_str(&challenge).ok()) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        if let Some(value) = self.nonce.and_then(|nonce| HeaderValue::from_str(&nonce).ok()) {
            response.headers_mut().insert(HeaderName::from_static("dpop-nonce"), value);
        }
        response
    }
}
