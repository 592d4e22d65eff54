//! Cisco Identity Intelligence: GraphQL with a bearer token.

mod address;
mod graphql;
mod queries;
mod token;
mod webhooks;

use super::decode;
use super::http::{Answer, Bucket, Http, Request};
use super::token::Tokens;
use crate::config::meant;
use crate::domain::Login;
use crate::domain::dossier::{AddressUsers, EndUser, EndUserState, Part, Problem};
use graphql::Outcome;
use jiff::Timestamp;
use queries::Query;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;
use url::Url;

/// One tenant of CII.
#[derive(Debug)]
pub(super) struct Cii {
    http: Arc<Http>,
    tokens: Tokens,
    api_url: Url,
}

impl Cii {
    /// Nothing is asked for yet.
    pub(super) fn new(http: &Arc<Http>, cii: &meant::Cii) -> Cii {
        let tokens = Tokens::new(http.clone(), token::CiiTokens::new(cii));
        Cii { http: http.clone(), tokens, api_url: cii.api_url.clone() }
    }

    /// `getEndUserState`.
    pub(super) async fn end_user_state(&self, login: &Login) -> Part<EndUserState> {
        self.part(queries::END_USER_STATE, login).await
    }

    /// `getEndUser`.
    pub(super) async fn end_user(&self, login: &Login) -> Part<EndUser> {
        self.part(queries::END_USER, login).await
    }

    /// `getEndUsersByIp`, all pages.
    pub(super) async fn users_of_address(&self, address: &str) -> AddressUsers {
        address::all_pages(self, address).await
    }

    /// Whether a token is had.
    pub(super) async fn check_token(&self) -> Result<(), Problem> {
        self.tokens.get().await.map(drop)
    }

    /// `ping`; how far the other side's clock is ahead of ours, where it says its time.
    pub(super) async fn ping(&self) -> Result<Option<i64>, Problem> {
        let answer = self.post(queries::PING.full, &json!({})).await?;
        let outcome = Outcome::read(&self.http, queries::PING.root, &answer);
        match outcome.problems.into_iter().next() {
            Some(problem) => Err(problem),
            None => Ok(answer.clock_ahead()),
        }
    }

    async fn part<T: DeserializeOwned>(&self, query: Query, login: &Login) -> Part<T> {
        let Outcome { data, mut problems, .. } = self.query(query, json!({ "login": login.raw() })).await;
        let data = data.and_then(|value| decode::tolerantly(query.root, value, &mut problems));
        Part { at: self.now(), problems, data }
    }

    /// Asks; where the tenant does not know a field, once more for fewer.
    async fn query(&self, query: Query, variables: Value) -> Outcome {
        let first = self.ask(query.root, query.full, &variables).await;
        match query.smaller.filter(|_| first.is_drift) {
            Some(smaller) => {
                let mut second = self.ask(query.root, smaller, &variables).await;
                second.problems.insert(0, drift(query.root, &first));
                second
            }
            None => first,
        }
    }

    async fn ask(&self, root: &str, text: &str, variables: &Value) -> Outcome {
        match self.post(text, variables).await {
            Ok(answer) => Outcome::read(&self.http, root, &answer),
            Err(problem) => Outcome::failed(problem),
        }
    }

    async fn post(&self, text: &str, variables: &Value) -> Result<Answer, Problem> {
        let body = json!({ "query": text, "variables": variables });
        self.tokens.read(&Bucket::cii("graphql"), &Request::post_json(self.api_url.clone(), &body)).await
    }

    fn now(&self) -> Timestamp {
        self.http.now()
    }
}

/// What the analyst is told when fewer fields came. It concerns the operation, not one field of it.
fn drift(root: &str, first: &Outcome) -> Problem {
    let said = first.problems.first().map(Problem::line).unwrap_or_default();
    Problem {
        path: vec![root.to_owned()],
        message: format!("the tenant's schema differs, so fewer fields were asked for: {said}").into(),
        kind: Some("schema drift".into()),
        hint: None,
    }
}
