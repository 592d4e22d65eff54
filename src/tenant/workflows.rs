//! Okta Workflows: flows behind API Endpoints.
//!
//! What the analyst confirms is a [`ShownRequest`], and what leaves is built from the configuration
//! again: if the two differ, nothing leaves. The digest covers everything but the secret's value.

use super::call_end;
use super::http::{self, ActEnd, Answer, Bucket, Http, MASK, Method, Request, USER_AGENT};
use super::okta::{AppIdentity, Scope, ServiceAppTokens, is_final};
use super::prober::{CallProbe, Works};
use super::problem::{line as problem_line, with_hint};
use super::token::Tokens;
use super::{CallEnd, Clearance};
use crate::config::meant::ConfiguredFlow;
use crate::domain::access::INVOKE_FLOW;
use crate::domain::action::{Receipt, ShownRequest, Try};
use crate::domain::dossier::Problem;
use crate::domain::flow::FlowAuth;
use crate::domain::plan::Order;
use crate::domain::{FlowId, Route, untrusted};
use secrecy::SecretString;
use std::collections::HashMap;
use std::sync::Arc;
use url::Url;

const ACTION: &str = "x-idtriage-action";
const OPERATOR: &str = "x-idtriage-operator";
const CLIENT_TOKEN: &str = "x-api-client-token";

/// A name in a header is cut here.
const LONGEST_NAME: usize = 200;

/// The flows that can be called.
#[derive(Debug)]
pub(super) struct Workflows {
    http: Arc<Http>,
    flows: HashMap<FlowId, ConfiguredFlow>,
    tokens: Option<Tokens>,
}

impl Workflows {
    /// Asks for nothing yet.
    pub(super) fn new(
        http: &Arc<Http>,
        flows: &[ConfiguredFlow],
        app: Option<&Arc<AppIdentity>>,
    ) -> Workflows {
        let wants_token = flows.iter().any(|flow| flow.flow.auth == FlowAuth::Oauth);
        let issuer = app.filter(|_| wants_token).map(|app| ServiceAppTokens::new(app, Scope::InvokeFlows));
        let tokens = issuer.map(|issuer| Tokens::new(http.clone(), issuer));
        let ours = flows.iter().filter(|flow| flow.flow.route != Route::Okta);
        let flows = ours.map(|flow| (flow.flow.id.clone(), flow.clone())).collect();
        Workflows { http: http.clone(), flows, tokens }
    }

    /// The request as it will leave, its secret masked.
    pub(super) fn shown(&self, order: &Order) -> Result<ShownRequest, String> {
        let flow = self.flow(&order.flow)?;
        let url = self.address(flow)?;
        let mut headers = vec![
            ("user-agent", USER_AGENT.to_owned()),
            ("accept", "application/json".to_owned()),
            ("content-type", "application/json".to_owned()),
        ];
        headers.extend(self.secret_headers(flow)?.iter().map(|name| (*name, MASK.to_owned())));
        headers.push((ACTION, header_text(&order.action)));
        headers.push((OPERATOR, header_text(&order.operator)));
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Ok(ShownRequest { method: "POST".to_owned(), url: url.into(), headers, body: order.body.clone() })
    }

    /// Sends what was shown, once.
    pub(super) async fn call(
        &self,
        order: &Order,
        shown: &ShownRequest,
        clearance: &dyn Clearance,
    ) -> CallEnd {
        let prepared = match self.rebuilt(order, shown) {
            Ok(flow) => self.prepare(flow, shown).await,
            Err(why) => Err(why),
        };
        match prepared {
            Ok((request, secret)) => {
                let end = self.http.act(&Bucket::flow(&shown.url), &request, clearance).await;
                self.forget_refused(&end, secret.as_ref()).await;
                self.ended(end, secret.as_ref())
            }
            Err(why) => CallEnd::NotSent(why.into()),
        }
    }

    /// Whether the token for OAuth flows is had; `None` where no flow wants one.
    pub(super) async fn check_token(&self) -> Option<Result<(), Problem>> {
        match &self.tokens {
            Some(tokens) => Some(tokens.get().await.map(drop)),
            None => self.wants_token().then(|| Err(no_service_app())),
        }
    }

    /// Whether that token is issued, as a call that was tried; `None` where no flow wants one. No flow is run.
    pub(super) async fn probe_token(&self) -> Option<CallProbe> {
        let needs = Scope::InvokeFlows.name();
        let (has, works, hint) = match self.check_token().await? {
            Ok(()) => {
                let untried = "whether the flow takes the token shows at the call only".to_owned();
                (needs, Works::CannotTell(untried), None)
            }
            Err(problem) if is_final(&problem) => ("nothing", Works::No(problem.line()), problem.hint),
            Err(problem) => ("nothing", Works::CannotTell(problem.line()), problem.hint),
        };
        Some(CallProbe { call: INVOKE_FLOW, needs, has: has.to_owned(), works, hint, is_needed: false })
    }

    /// Why each flow that cannot be called cannot, by its id.
    pub(super) fn unusable(&self) -> Vec<(FlowId, String)> {
        let checked = |flow: &ConfiguredFlow| {
            let why = self.address(flow).and_then(|_| self.secret_headers(flow)).err()?;
            Some((flow.flow.id.clone(), why))
        };
        let runnable = self.flows.values().filter(|flow| flow.flow.unrunnable().is_none());
        let mut found: Vec<(FlowId, String)> = runnable.filter_map(checked).collect();
        found.sort();
        found
    }

    fn wants_token(&self) -> bool {
        self.flows.values().any(|flow| flow.flow.auth == FlowAuth::Oauth)
    }

    fn flow(&self, id: &FlowId) -> Result<&ConfiguredFlow, String> {
        self.flows.get(id).ok_or_else(|| format!("flow `{id}` is not configured"))
    }

    /// Where the flow is: never an address that holds a token or leads over plain HTTP.
    fn address(&self, flow: &ConfiguredFlow) -> Result<Url, String> {
        if let Some(why) = flow.flow.unrunnable() {
            return Err(why);
        }
        let id = &flow.flow.id;
        let url = flow.flow.url.as_deref().unwrap_or_default();
        let mut url = Url::parse(url).map_err(|e| format!("the `url` of flow `{id}` is no address: {e}"))?;
        if url.query_pairs().any(|(name, _)| name.eq_ignore_ascii_case("clientToken")) {
            return Err(format!(
                "the `url` of flow `{id}` holds `clientToken=`; hint: take it out, and configure it as `auth = {{ client_token = {{ env = \"NAME\" }} }}`"
            ));
        }
        http::check(&url).map_err(|error| problem_line(&error.into()))?;
        url.set_fragment(None);
        Ok(url)
    }

    /// The names of the headers that will hold secrets, after making sure that there are any to hold.
    fn secret_headers(&self, flow: &ConfiguredFlow) -> Result<&'static [&'static str], String> {
        match (flow.flow.auth, &self.tokens) {
            (FlowAuth::None, _) => Ok(&[]),
            (FlowAuth::ClientToken, _) if flow.client_token.is_some() => Ok(&[CLIENT_TOKEN]),
            (FlowAuth::ClientToken, _) => {
                Err(format!("no client token is configured for flow `{}`", flow.flow.id))
            }
            (FlowAuth::Oauth, Some(tokens)) => Ok(tokens.headers()),
            (FlowAuth::Oauth, None) => Err(problem_line(&no_service_app())),
        }
    }

    /// The flow, if the configuration gives the request that was shown.
    fn rebuilt(&self, order: &Order, shown: &ShownRequest) -> Result<&ConfiguredFlow, String> {
        call_end::same(&order.flow, &self.shown(order)?, shown)?;
        self.flow(&order.flow)
    }

    /// The request with its secret in place; the secret comes along for masking the answer.
    async fn prepare(
        &self,
        flow: &ConfiguredFlow,
        shown: &ShownRequest,
    ) -> Result<(Request, Option<SecretString>), String> {
        let secret = self.secret(flow).await.map_err(|problem| problem_line(&problem))?;
        let url = Url::parse(&shown.url).map_err(|e| format!("`{}`: {e}", shown.url))?;
        let masked = self.secret_headers(flow)?;
        let mut request = Request::bare(Method::Post, url);
        for (name, value) in &shown.headers {
            request = match &secret {
                Some(token) if name == CLIENT_TOKEN => request.with_secret(name, token.clone()),
                // Whoever issued the token shows it, in these headers and no others.
                Some(_) if masked.contains(&name.as_str()) => request,
                _ => request.with(name, value),
            };
        }
        request.body = Some(shown.body.clone().into());
        let request = match (flow.flow.auth, &secret, &self.tokens) {
            (FlowAuth::Oauth, Some(token), Some(tokens)) => tokens.authorized(&request, token),
            _ => request,
        };
        Ok((request, secret))
    }

    /// A token near its end is renewed here, before the request: a 401 after it is final.
    async fn secret(&self, flow: &ConfiguredFlow) -> Result<Option<SecretString>, Problem> {
        match (flow.flow.auth, &self.tokens) {
            (FlowAuth::None, _) => Ok(None),
            (FlowAuth::ClientToken, _) => Ok(flow.client_token.clone()),
            (FlowAuth::Oauth, Some(tokens)) => tokens.get().await.map(Some),
            (FlowAuth::Oauth, None) => Err(no_service_app()),
        }
    }

    /// A token that was revoked before its end is not shown twice. What was refused is not repeated by
    /// itself: the flow may have answered the 401.
    async fn forget_refused(&self, end: &ActEnd, secret: Option<&SecretString>) {
        let is_refused = matches!(end, ActEnd::Answered(answer, _) if answer.status == 401);
        if let (true, Some(tokens), Some(token)) = (is_refused, &self.tokens, secret) {
            tokens.forget(token).await;
        }
    }

    fn ended(&self, end: ActEnd, secret: Option<&SecretString>) -> CallEnd {
        call_end::of(end, |answer, tries| self.receipt(answer, tries, secret))
    }

    fn receipt(&self, answer: &Answer, tries: Vec<Try>, secret: Option<&SecretString>) -> Receipt {
        let execution_id = execution_id(answer).filter(|id| !self.http.repeats_secret(id, secret));
        Receipt { execution_id, ..self.http.receipt(answer, tries, secret) }
    }
}

fn no_service_app() -> Problem {
    let message = "a flow with `auth = \"oauth\"` needs the service application of the org";
    with_hint(message, "configure `client_id` and `private_key` of `[okta]`")
}

/// A text as a header carries it: what is not visible ASCII is percent-encoded. A `%` stays as it is,
/// so that encoding twice gives the same, which the comparison of digests relies on.
fn header_text(text: &str) -> String {
    let mut out = String::new();
    for byte in text.trim().bytes() {
        match byte {
            b' '..=b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out.truncate(LONGEST_NAME);
    out.trim_end().to_owned()
}

/// The run's id: in a header whose name is not published, or in the body where the flow returns it.
fn execution_id(answer: &Answer) -> Option<String> {
    let is_named = |name: &str| name.contains("execution");
    let header = answer.headers.iter().find(|(name, value)| is_named(name) && is_id(value));
    let body = || {
        let body = answer.json()?;
        let field = body.get("execution_id").or_else(|| body.get("executionId"))?;
        field.as_str().filter(|id| is_id(id)).map(str::to_owned)
    };
    header.map(|(_, value)| value.clone()).or_else(body)
}

fn is_id(text: &str) -> bool {
    let is_plain = |c: char| untrusted::is_printable(c) && !c.is_whitespace();
    !text.is_empty() && text.len() <= LONGEST_NAME && text.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use proptest::prelude::*;
    use rstest::rstest;

    fn answer(headers: &[(&str, &str)], body: &str) -> Answer {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Answer { status: 200, headers, body: body.into(), flaw: None, at: Timestamp::UNIX_EPOCH }
    }

    #[rstest]
    #[case(&[("x-okta-execution-id", "e1")], "{}", Some("e1"))]
    #[case(&[("x-execution", "")], r#"{"execution_id":"e2"}"#, Some("e2"))]
    #[case(&[], r#"{"executionId":"e3"}"#, Some("e3"))]
    #[case(&[], r#"{"executionId":"a b"}"#, None)]
    #[case(&[], r#"{"executionId":7}"#, None)]
    #[case(&[("date", "x")], "<ok/>", None)]
    fn the_execution_id_is_found(
        #[case] headers: &[(&str, &str)],
        #[case] body: &str,
        #[case] expected: Option<&str>,
    ) {
        assert_eq!(execution_id(&answer(headers, body)).as_deref(), expected);
    }

    proptest! {
        #[test]
        fn header_texts_are_visible_and_stable(text in any::<String>()) {
            let once = header_text(&text);
            prop_assert!(once.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
            prop_assert_eq!(header_text(&once), once.clone());
        }
    }
}
