//! `/api/v1/eventHooks`: the hooks of an org, a new one, and the request to verify one.

use super::Okta;
use super::credential::{Acted, Auth, no_credential};
use super::error::OktaError;
use super::service_app::Scope;
use crate::domain::action::ShownRequest;
use crate::domain::dossier::Problem;
use crate::domain::{Outcome, Untrusted};
use crate::tenant::Clearance;
use crate::tenant::http::{Answer, MASK, Request};
use crate::tenant::problem::{unexpected, words};
use crate::tenant::registrar::{self, EventHook, NewEventHook, OktaChange, Registered};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use url::Url;

/// An org has 25 hooks that receive; more pages than these are not a list of hooks.
const MOST_PAGES: usize = 20;

impl Okta {
    /// Every hook, page by page.
    pub(in crate::tenant) async fn event_hooks(&self) -> Result<Vec<EventHook>, Problem> {
        let mut url = self.hooks_url(&[]);
        let mut hooks = Vec::new();
        for _ in 0..MOST_PAGES {
            let answer = self.read_hooks(Request::get(url)).await?;
            let Some(Value::Array(page)) = answer.json().filter(|_| answer.is_success()) else {
                return Err(self.refused_hook(&answer, None));
            };
            hooks.extend(page.iter().map(|value| self.hook(value)));
            match self.next_page(&answer)? {
                Some(next) => url = next,
                None => return Ok(hooks),
            }
        }
        Err(Problem::whole(format!("the list of event hooks has more than {MOST_PAGES} pages")))
    }

    /// The request of a change, its secrets masked.
    pub(in crate::tenant) fn shown_change(&self, change: &OktaChange) -> Result<ShownRequest, Problem> {
        if let Auth::Nothing = self.auth {
            return Err(no_credential());
        }
        let masked = match change {
            OktaChange::Create(hook) => body(hook, MASK).to_string(),
            OktaChange::Verify(_) => String::new(),
        };
        registrar::shown(&self.request(change), self.proofs(), &masked)
    }

    /// Makes a change, once.
    pub(in crate::tenant) async fn change(
        &self,
        change: &OktaChange,
        clearance: &dyn Clearance,
    ) -> Registered {
        match self.act(Scope::ManageHooks, "hooks", self.request(change), clearance).await {
            Ok(Acted { end, token }) => {
                Registered::of(&self.http, end, token.as_ref(), |answer| self.changed(change, answer))
            }
            Err(problem) => Registered::not_sent(problem),
        }
    }

    fn request(&self, change: &OktaChange) -> Request {
        match change {
            OktaChange::Create(hook) => {
                Request::post_json(self.hooks_url(&[]), &body(hook, hook.header.value.expose_secret()))
            }
            OktaChange::Verify(id) => Request::post_nothing(self.hooks_url(&[id, "lifecycle", "verify"])),
        }
    }

    fn changed(&self, change: &OktaChange, answer: &Answer) -> Registered {
        if !answer.is_success() {
            let problem = self.refused_hook(answer, Some(change));
            return Registered::because(Outcome::of_status(answer.status), problem);
        }
        let hook = answer.json().map(|value| self.hook(&value)).filter(|hook| !hook.id.is_blank());
        let id = hook.as_ref().map(|hook| hook.id.clone());
        let problem = id.is_none().then(|| unexpected("Okta", answer));
        Registered { id, hook, problem, ..Registered::ended(Outcome::Accepted) }
    }

    async fn read_hooks(&self, request: Request) -> Result<Answer, Problem> {
        self.read(Scope::ReadHooks, "hooks", request).await
    }

    fn hooks_url(&self, below: &[&str]) -> Url {
        let mut url = self.org_url.clone();
        url.set_path("/api/v1/eventHooks");
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(below);
        }
        url
    }

    /// Every property may be missing, and any text may repeat a secret that somebody put there.
    fn hook(&self, value: &Value) -> EventHook {
        let text = |pointer: &str| -> Untrusted {
            let text = value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            words(&self.http, text).into()
        };
        EventHook {
            id: text("/id"),
            name: text("/name"),
            status: text("/status"),
            verification: text("/verificationStatus"),
            uri: text("/channel/config/uri"),
            events: value.pointer("/events/items").and_then(Value::as_array).map_or(0, Vec::len),
        }
    }

    /// In Okta's own words, with what mends it for this call.
    fn refused_hook(&self, answer: &Answer, change: Option<&OktaChange>) -> Problem {
        let needs = if change.is_some() { Scope::ManageHooks } else { Scope::ReadHooks };
        let problem = OktaError::read(&self.http, answer).of_call("Okta", needs, answer);
        let hint = match (answer.status, change) {
            (404, _) => Some("`idtriage okta hook list` shows the ids"),
            (400, Some(OktaChange::Verify(_))) => Some(
                "the address did not answer Okta's challenge within 3 s: `idtriage collect` or the console has to receive, and the address has to lead to it from the internet",
            ),
            (400, Some(OktaChange::Create(_))) => {
                Some("Okta may not push one of the event types: name others with `--event`")
            }
            _ => None,
        };
        match hint {
            Some(hint) => Problem { hint: Some(hint.to_owned()), ..problem },
            None => problem,
        }
    }
}

fn body(hook: &NewEventHook, value: &str) -> Value {
    json!({
        "name": hook.name,
        "events": { "type": "EVENT_TYPE", "items": hook.events },
        "channel": {
            "type": "HTTP",
            "version": "1.0.0",
            "config": {
                "uri": hook.uri.as_str(),
                "authScheme": { "type": "HEADER", "key": hook.header.name, "value": value },
            },
        },
    })
}
