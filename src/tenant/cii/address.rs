//! The users of an address: every page, every user once.
//!
//! Nothing is promised of the order between pages or of how long a page's token lives, so users are
//! told apart by id, and a token that comes twice ends the paging instead of going round for ever.

use super::{Cii, queries};
use crate::domain::dossier::{AddressUsers, EndUserRef, Problem};
use crate::domain::{Login, Untrusted};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashSet;

/// The largest page that every version of the documentation allows.
const PAGE_SIZE: usize = 500;

/// More users than this nobody reads: the rest is a number, not a list.
const MOST_USERS: usize = 20_000;

/// Bounds the reading where the other side's pages are small.
const MOST_PAGES: usize = 400;

/// Reads all pages, as far as they come.
pub(super) async fn all_pages(cii: &Cii, address: &str) -> AddressUsers {
    let mut paging = Paging::default();
    let mut token = None;
    for _ in 0..MOST_PAGES {
        let variables = json!({ "ipAddress": address, "pageSize": PAGE_SIZE, "pageToken": token });
        let outcome = cii.query(queries::END_USERS_BY_IP, variables).await;
        token = paging.take(outcome.data, outcome.problems);
        if token.is_none() {
            return paging.found;
        }
    }
    paging.found.is_cut = true;
    paging.found
}

#[derive(Debug, Default)]
struct Paging {
    found: AddressUsers,
    ids: HashSet<Untrusted>,
    tokens: HashSet<String>,
}

impl Paging {
    /// Takes a page in; the token of the next one, if there is one to be read.
    fn take(&mut self, page: Option<Value>, problems: Vec<Problem>) -> Option<String> {
        self.note(problems);
        let page = page?;
        for item in page.get("items").and_then(Value::as_array).into_iter().flatten() {
            self.take_user(item);
        }
        let token = page.get("pageToken").and_then(Value::as_str).filter(|token| !token.is_empty())?;
        if self.found.users.len() >= MOST_USERS {
            self.found.is_cut = true;
            return None;
        }
        if !self.tokens.insert(token.to_owned()) {
            self.note(vec![Problem::whole("a page's token came twice; the paging stops here")]);
            return None;
        }
        Some(token.to_owned())
    }

    fn take_user(&mut self, item: &Value) {
        let Some(user) = user(item) else {
            return self.note(vec![Problem::whole("a user without an id or a login is left out")]);
        };
        if self.found.users.len() >= MOST_USERS {
            self.found.is_cut = true;
        } else if self.ids.insert(user.id.clone()) {
            self.found.users.push(user);
        }
    }

    /// The same problem of every page is told once.
    fn note(&mut self, problems: Vec<Problem>) {
        for problem in problems {
            if !self.found.problems.contains(&problem) {
                self.found.problems.push(problem);
            }
        }
    }
}

/// The smaller selection has neither a name nor a page.
fn user(item: &Value) -> Option<EndUserRef> {
    let user = EndUserRef::deserialize(item).ok()?;
    let is_named = !user.id.is_blank() && user.login != Login::default();
    is_named.then_some(user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_once_and_no_endless_paging() {
        let mut paging = Paging::default();
        let page = |ids: &[&str], token: Value| {
            let items: Vec<Value> =
                ids.iter().map(|id| json!({"id": id, "login": id, "displayName": null})).collect();
            Some(json!({"items": items, "pageToken": token}))
        };
        assert_eq!(paging.take(page(&["1", "2"], json!("a")), vec![]), Some("a".to_owned()));
        assert_eq!(paging.take(page(&["2", "3"], json!("a")), vec![]), None);
        assert_eq!(paging.found.users.len(), 3);
        assert_eq!(paging.found.problems.len(), 1);
        assert!(!paging.found.is_cut);
    }

    #[test]
    fn an_odd_user_is_told_once() {
        let mut paging = Paging::default();
        let items = json!([{"id": "1", "login": "a"}, {"id": 7}, {"id": "2", "login": ""}, null]);
        assert_eq!(paging.take(Some(json!({"items": items, "pageToken": null})), vec![]), None);
        assert_eq!((paging.found.users.len(), paging.found.problems.len()), (1, 1));
    }

    #[test]
    fn more_users_than_anybody_reads_are_cut() {
        let mut paging = Paging::default();
        let items: Vec<Value> =
            (0..MOST_USERS + 5).map(|n| json!({"id": n.to_string(), "login": n.to_string()})).collect();
        assert_eq!(paging.take(Some(json!({"items": items})), vec![]), None);
        assert_eq!((paging.found.users.len(), paging.found.is_cut), (MOST_USERS, true));
    }
}
