//! `GET /api/v1/logs`: the org's System Log.

use super::credential::{Auth, no_credential};
use super::error::{self, OktaError};
use super::service_app::Scope;
use super::{Okta, address, link};
use crate::domain::Untrusted;
use crate::domain::dossier::Problem;
use crate::domain::log::{LogOrder, LogQuery};
use crate::domain::time;
use crate::tenant::http::{self, Answer, HttpError, Request};
use crate::tenant::problem::unexpected;
use crate::tenant::system_log::{
    LogCut, LogPage, LogSearch, LogSpan, LogStart, LogTrouble, NextPage, SystemLog,
};
use crate::tenant::token::NoAnswer;
use async_trait::async_trait;
use jiff::SignedDuration;
use serde_json::value::RawValue;
use std::sync::Arc;
use url::Url;

/// What a refusal is about: an address that Okta named, or a request of our own making.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Cursor,
    Request,
}

#[async_trait]
impl SystemLog for Okta {
    fn org(&self) -> String {
        self.org_url.origin().ascii_serialization()
    }

    async fn first(&self, from: &LogStart) -> Result<LogPage, LogTrouble> {
        let since = time::rfc3339(from.since);
        let filter = from.filter.as_deref().map(|filter| ("filter", filter));
        let limit = from.limit.to_string();
        let pairs = [("since", since.as_str()), ("sortOrder", "ASCENDING"), ("limit", &limit)];
        self.page(self.logs_url(pairs.into_iter().chain(filter)), Asked::Request).await
    }

    async fn follow(&self, next: &str) -> Result<LogPage, LogTrouble> {
        match self.own(next) {
            Ok(url) => self.page(url, Asked::Cursor).await,
            Err(elsewhere) => Err(LogTrouble::Foreign(elsewhere)),
        }
    }

    async fn within(&self, span: &LogSpan) -> Result<LogPage, LogTrouble> {
        let (since, until) = (time::rfc3339(span.since), time::rfc3339(span.until));
        let limit = span.limit.to_string();
        let pairs =
            [("since", since.as_str()), ("until", &until), ("sortOrder", "ASCENDING"), ("limit", &limit)];
        self.page(self.logs_url(pairs), Asked::Request).await
    }
}

#[async_trait]
impl LogSearch for Okta {
    async fn search(&self, query: &LogQuery) -> Result<LogCut, Problem> {
        let (since, until) = (time::rfc3339(query.since), time::rfc3339(query.until));
        let order = match query.order {
            LogOrder::Ascending => "ASCENDING",
            LogOrder::Descending => "DESCENDING",
        };
        let limit = query.page.to_string();
        let pairs = [("since", since.as_str()), ("until", &until), ("sortOrder", order), ("limit", &limit)];
        let filter = query.filter.as_deref().map(|filter| ("filter", filter));
        let words = query.words.as_deref().map(|words| ("q", words));
        self.cut(self.logs_url(pairs.into_iter().chain(filter).chain(words)), Asked::Request).await
    }

    async fn search_on(&self, next: &str) -> Result<LogCut, Problem> {
        match self.own(next) {
            Ok(url) => self.cut(url, Asked::Cursor).await,
            Err(elsewhere) => Err(Problem::whole(format!(
                "the next page's address leads to `{elsewhere}`, out of the org: it is not asked"
            ))),
        }
    }
}

impl Okta {
    /// A page that an analyst waits for: what a rate limit holds up for a moment only is waited out.
    async fn cut(&self, url: Url, asked: Asked) -> Result<LogCut, Problem> {
        let answer = self.read(Scope::ReadLogs, "logs", Request::get(url)).await?;
        match answer.status {
            200..300 => self.page_of(&answer).map(LogCut::of).map_err(|_| unexpected("Okta", &answer)),
            _ => Err(refused_search(&self.http, &answer, asked)),
        }
    }

    fn logs_url<'a>(&self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Url {
        let pairs = pairs.into_iter().map(|(name, value)| format!("{name}={}", address::value(value)));
        let mut url = self.org_url.clone();
        url.set_path("/api/v1/logs");
        url.set_query(Some(&pairs.collect::<Vec<_>>().join("&")));
        url
    }

    /// The address, if its scheme, host and port are the org's: the credential goes nowhere else. The
    /// error says where it leads instead.
    pub(super) fn own(&self, address: &str) -> Result<Url, String> {
        let url = self.org_url.join(address).map_err(|_| "no address".to_owned())?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(format!("{} with a user name or a password", url.origin().ascii_serialization()));
        }
        match url.origin() == self.org_url.origin() {
            true => Ok(url),
            false => Err(url.origin().ascii_serialization()),
        }
    }

    async fn page(&self, url: Url, asked: Asked) -> Result<LogPage, LogTrouble> {
        let answer = self.logs_answer(Request::get(url)).await?;
        match answer.status {
            200..300 => self.page_of(&answer),
            _ => Err(self.refused(&answer, asked)),
        }
    }

    async fn logs_answer(&self, request: Request) -> Result<Answer, LogTrouble> {
        if let Auth::Nothing = self.auth {
            return Err(LogTrouble::Refused(no_credential()));
        }
        self.read_page(Scope::ReadLogs, "logs", request).await.map_err(|error| match error {
            NoAnswer::NoToken(problem) => without_token(problem),
            NoAnswer::Http(HttpError::Throttled { wait, .. }) => {
                LogTrouble::Throttled(Some(self.http.span(wait)))
            }
            NoAnswer::Http(HttpError::TooLarge { limit, .. }) => LogTrouble::TooLarge(limit),
            NoAnswer::Http(error) => LogTrouble::NoAnswer(error.into()),
        })
    }

    /// A page is a list. Its records are only cut apart: what they hold is nobody's business here.
    fn page_of(&self, answer: &Answer) -> Result<LogPage, LogTrouble> {
        let text = answer.text();
        let Ok(records) = serde_json::from_str::<Vec<&RawValue>>(&text) else {
            return Err(LogTrouble::NoAnswer(unexpected("Okta", answer)));
        };
        let next = match link::target(answer, "next").map(|next| (next, self.own(next))) {
            Some((next, Ok(_))) => NextPage::At(next.to_owned()),
            Some((_, Err(elsewhere))) => NextPage::Foreign(elsewhere),
            None => NextPage::Unnamed,
        };
        Ok(LogPage {
            records: records.into_iter().map(|record| Arc::from(record.get())).collect(),
            next,
            at: answer.at,
            clock_ahead: answer.clock_ahead().map(SignedDuration::from_secs),
        })
    }

    fn refused(&self, answer: &Answer, asked: Asked) -> LogTrouble {
        let problem = || problem(&self.http, answer);
        match (answer.status, asked) {
            (429, _) if answer.header("x-rate-limit-limit").map(str::trim) == Some("0") => {
                LogTrouble::Crowded
            }
            (429, _) => LogTrouble::Throttled(self.http.asked_pause(answer)),
            (401 | 403, _) => LogTrouble::Refused(problem()),
            (400 | 404 | 410, Asked::Cursor) => LogTrouble::BadCursor(problem()),
            (408 | 500.., _) => LogTrouble::NoAnswer(problem()),
            _ => LogTrouble::BadRequest(problem()),
        }
    }
}

/// In Okta's own words, with what mends it for this call.
fn problem(http: &http::Http, answer: &Answer) -> Problem {
    let error = OktaError::read(http, answer);
    let problem = error.of_call("Okta's System Log", Scope::ReadLogs, answer);
    match (answer.status, error.code.as_deref()) {
        (400, Some("E0000031" | "E0000053")) => {
            let hint = "check the source's `filter`: it is in Okta's own grammar";
            Problem { hint: Some(hint.to_owned()), ..problem }
        }
        _ => problem,
    }
}

/// A query that was refused, in Okta's own words: they say where a filter goes wrong.
fn refused_search(http: &http::Http, answer: &Answer, asked: Asked) -> Problem {
    let problem = problem(http, answer);
    let is_of_query = matches!(problem.kind.as_ref().map(Untrusted::raw), Some("E0000031" | "E0000053"));
    let hint = match (answer.status, asked) {
        (400, Asked::Request) if is_of_query => GRAMMAR,
        (400 | 404 | 410, Asked::Cursor) => "the next page is not offered any more: ask anew",
        _ => return problem,
    };
    Problem { hint: Some(hint.to_owned()), ..problem }
}

const GRAMMAR: &str = "mend the filter or the times; a filter looks like `eventType eq \"user.session.start\" and \
    outcome.result eq \"DENY\"`";

/// The token endpoint says by its code that it will not issue one; anything else may pass.
fn without_token(problem: Problem) -> LogTrouble {
    match error::is_final(&problem) {
        true => LogTrouble::Refused(problem),
        false => LogTrouble::NoAnswer(problem),
    }
}
