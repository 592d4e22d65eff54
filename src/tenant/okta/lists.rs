//! What an org lists of one user, all pages: administrator roles, groups, assigned applications, factors, recent records.

use super::error::OktaError;
use super::link;
use super::service_app::Scope;
use super::{Okta, address, user};
use crate::domain::dossier::{OktaApp, OktaFactor, OktaGroup, OktaRole, Part, Problem};
use crate::domain::log::{LogOrder, LogQuery, LogRecord, literal, of_person};
use crate::tenant::LogSearch;
use crate::tenant::decode;
use crate::tenant::http::{Answer, Request};
use crate::tenant::problem::{unexpected, with_hint};
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;

/// More pages than these are not read: what is there is shown, and that there is more.
const MOST_PAGES: usize = 500;
/// Nor more than this, however few pages that are.
const MOST_BYTES: usize = 64 << 20;
/// Records of late that are shown of one user.
const RECENT: usize = 50;
/// How far back those are looked for.
const RECENT_SPAN: SignedDuration = SignedDuration::from_hours(7 * 24);
/// For so long an id that was read is taken to be the login's still.
const ID_KEPT: SignedDuration = SignedDuration::from_secs(60);
/// Ids of so many logins are kept.
const IDS_KEPT: usize = 1_000;

/// An id, and when it was read.
type KnownId = Arc<tokio::sync::Mutex<Option<(Timestamp, String)>>>;

/// The ids of logins that were read a moment ago: the parts of one person are asked for side by side, and
/// each is asked for by id. One look-up of a login at a time: who comes meanwhile finds what it brought.
#[derive(Debug, Default)]
pub(super) struct Ids(Mutex<HashMap<String, KnownId>>);

impl Ids {
    fn of(&self, login: &str) -> KnownId {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= IDS_KEPT && !known.contains_key(login) {
            known.clear();
        }
        known.entry(login.to_owned()).or_default().clone()
    }
}

/// Where a list stands.
pub(super) struct Listed {
    pub(super) scope: Scope,
    pub(super) calls: &'static str,
    pub(super) path: String,
    pub(super) query: Option<String>,
}

/// The items of a page, how long it was, and where the next one is.
struct Page {
    items: Vec<Value>,
    bytes: usize,
    next: Result<Option<Url>, Problem>,
}

/// A list as far as it was read, and why that is not all.
struct Walked {
    items: Vec<Value>,
    cut: Option<Problem>,
}

impl Okta {
    /// The administrator roles of a user, their groups' among them.
    pub(in crate::tenant) async fn roles_of(&self, login: &str) -> Part<Vec<OktaRole>> {
        self.list(login, "roles", |id| Listed {
            scope: Scope::ReadRoles,
            calls: "users/{id}/roles",
            path: format!("/api/v1/users/{id}/roles"),
            query: None,
        })
        .await
    }

    /// The groups of a user.
    pub(in crate::tenant) async fn groups_of(&self, login: &str) -> Part<Vec<OktaGroup>> {
        self.list(login, "groups", |id| Listed {
            scope: Scope::ReadUsers,
            calls: "users/{id}/groups",
            path: format!("/api/v1/users/{id}/groups"),
            query: None,
        })
        .await
    }

    /// The applications that are assigned to a user, by groups or directly.
    pub(in crate::tenant) async fn apps_of(&self, login: &str) -> Part<Vec<OktaApp>> {
        self.list(login, "apps", |id| Listed {
            scope: Scope::ReadApps,
            calls: "apps",
            path: "/api/v1/apps".to_owned(),
            query: Some(format!(
                "filter={}&limit=200",
                address::value(&format!("user.id eq {}", literal(id)))
            )),
        })
        .await
    }

    /// The factors of a user, as far as the policy for whoever asks shows them.
    pub(in crate::tenant) async fn factors_of(&self, login: &str) -> Part<Vec<OktaFactor>> {
        let mut part = self
            .list(login, "factors", |id| Listed {
                scope: Scope::ReadUsers,
                calls: "users/{id}/factors",
                path: format!("/api/v1/users/{id}/factors"),
                query: None,
            })
            .await;
        // What is embedded of one that is being enrolled may be its shared secret.
        for factor in part.data.iter_mut().flatten() {
            let factor: &mut OktaFactor = factor;
            factor.other.remove("_embedded");
        }
        part
    }

    /// What the System Log holds of late of what a user did and of what was done to them, newest first.
    pub(in crate::tenant) async fn activity_of(&self, login: &str) -> Part<Vec<LogRecord>> {
        let now = self.http.now();
        let id = match self.id_of(login).await {
            Ok(id) => id,
            Err(problem) => return Part::failed(now, problem),
        };
        let query = LogQuery {
            filter: Some(of_person(Some(&id), login)),
            words: None,
            since: now.saturating_sub(RECENT_SPAN).unwrap_or(Timestamp::UNIX_EPOCH),
            until: now,
            order: LogOrder::Descending,
            page: RECENT,
        };
        // One page: what is older is the System Log screen's.
        match self.search(&query).await {
            Ok(cut) => Part::whole(now, cut.records.into_iter().map(LogRecord::of).collect()),
            Err(problem) => Part::failed(now, problem),
        }
    }

    async fn list<T: DeserializeOwned>(
        &self,
        login: &str,
        place: &'static str,
        listed: impl FnOnce(&str) -> Listed,
    ) -> Part<Vec<T>> {
        let at = self.http.now();
        let id = match self.id_of(login).await {
            Ok(id) => id,
            Err(problem) => return Part::failed(at, problem),
        };
        let Walked { items, cut } = match self.walk(&listed(&id), usize::MAX).await {
            Ok(walked) => walked,
            Err(problem) => return Part::failed(at, problem),
        };
        // What came is shown, with why it is not all.
        let cut = cut.map(|problem| Problem { path: vec![place.to_owned()], ..problem });
        decoded(at, place, items, cut.into_iter().collect())
    }

    /// A list, page by page, until there are enough or as many as are read. An error is one of the first page.
    async fn walk(&self, listed: &Listed, enough: usize) -> Result<Walked, Problem> {
        let (mut items, mut asked, mut bytes) = (Vec::new(), HashSet::new(), 0);
        let mut next = Some(self.listed_url(listed));
        let cut = |items, problem| Ok(Walked { items, cut: Some(problem) });
        while let Some(url) = next.take().filter(|_| items.len() < enough) {
            if asked.len() == MOST_PAGES || bytes >= MOST_BYTES {
                let message =
                    format!("at least these {}: the list goes on, and no more is read", items.len());
                return cut(items, with_hint(message, "ask for less: a longer name, or one user"));
            }
            if !asked.insert(url.clone()) {
                let message = "the list leads back to a page that was read: there may be more";
                return cut(items, Problem::whole(message));
            }
            match self.page_at(listed, url).await {
                Ok(page) => {
                    bytes += page.bytes;
                    items.extend(page.items);
                    match page.next {
                        Ok(following) => next = following,
                        Err(problem) => return cut(items, problem),
                    }
                }
                Err(problem) if items.is_empty() => return Err(problem),
                Err(problem) => return cut(items, problem),
            }
        }
        Ok(Walked { items, cut: None })
    }

    pub(super) fn listed_url(&self, listed: &Listed) -> Url {
        let mut url = self.org_url.clone();
        url.set_path(&listed.path);
        url.set_query(listed.query.as_deref());
        url
    }

    /// The items of a list, all pages or until there are enough; a list that breaks off is none.
    pub(super) async fn all(&self, listed: Listed, enough: usize) -> Result<Vec<Value>, Problem> {
        let Walked { items, cut } = self.walk(&listed, enough).await?;
        cut.map_or(Ok(items), Err)
    }

    /// One page, and where the next is: within the org, or why it is not followed.
    async fn page_at(&self, listed: &Listed, url: Url) -> Result<Page, Problem> {
        let answer = self.read(listed.scope, listed.calls, Request::get(url)).await?;
        if !answer.is_success() {
            return Err(OktaError::read(&self.http, &answer).of_call("Okta", listed.scope, &answer));
        }
        let Some(Value::Array(items)) = answer.json() else { return Err(unexpected("Okta", &answer)) };
        let next = self.next_page(&answer);
        Ok(Page { items, bytes: answer.body.len(), next })
    }

    /// Where a list goes on: within the org, or why that is not followed.
    pub(super) fn next_page(&self, answer: &Answer) -> Result<Option<Url>, Problem> {
        let Some(next) = link::target(answer, "next") else { return Ok(None) };
        self.own(next).map(Some).map_err(|elsewhere| {
            Problem::whole(format!("the list goes on at `{elsewhere}`, which is not the org: not followed"))
        })
    }

    /// The id behind a login, read a moment ago at most.
    async fn id_of(&self, login: &str) -> Result<String, Problem> {
        let known = self.ids.of(login);
        let mut known = known.lock().await;
        let now = self.http.now();
        if let Some((_, id)) = known.as_ref().filter(|(at, _)| now.duration_since(*at) < ID_KEPT) {
            return Ok(id.clone());
        }
        let mut part = self.user(login).await;
        match part.data {
            // What is listed of somebody else would look like this person's own.
            Some(user) => match user::namesake(&user, login) {
                Some(problem) => Err(problem),
                None if !address::is_id(user.id.raw()) => {
                    Err(with_hint("Okta named no id of this user", "`idtriage doctor`"))
                }
                None => {
                    *known = Some((now, user.id.raw().to_owned()));
                    Ok(user.id.raw().to_owned())
                }
            },
            None if part.problems.is_empty() => Err(Problem::whole("Okta answered nothing")),
            None => Err(part.problems.swap_remove(0)),
        }
    }
}

/// One odd item must not cost the others.
fn decoded<T: DeserializeOwned>(
    at: Timestamp,
    place: &'static str,
    items: Vec<Value>,
    mut problems: Vec<Problem>,
) -> Part<Vec<T>> {
    let data = items.into_iter().filter_map(|item| decode::tolerantly(place, item, &mut problems)).collect();
    Part { at, problems, data: Some(data) }
}
