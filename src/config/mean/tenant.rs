//! The tenants: where they are, and what we call them with.

use super::Check;
use crate::config::meant::{Cii, Okta, ServiceApp};
use crate::config::problem::At;
use crate::config::said;
use url::Url;

impl Check<'_, '_> {
    pub(super) fn cii(&mut self, said: said::Cii) -> Option<Cii> {
        let at = At::table("[cii]");
        let hint = "it stands in what \"Copy all\" gave for the API client";
        let token_url = self.required_url(said.token_url, at.key("token_url"), hint);
        let api_url = self.required_url(said.api_url, at.key("api_url"), hint);
        let client_id = self.required(said.client_id, at.key("client_id"), hint);
        let secret_hint = "`client_secret = { env = \"NAME\" }`";
        let client_secret = self.secret(said.client_secret.as_ref(), at.key("client_secret"), secret_hint);
        Some(Cii {
            token_url: token_url?,
            api_url: api_url?,
            client_id: client_id?,
            client_secret: client_secret?,
            audience: said.audience,
        })
    }

    pub(super) fn okta(&mut self, said: said::Okta) -> Option<Okta> {
        let at = At::table("[okta]");
        let org_url =
            self.required_url(said.org_url.clone(), at.key("org_url"), "`https://example.okta.com`");
        let org_url = org_url.and_then(|url| self.org_url(url, at.key("org_url")));
        let place = said.api_token.as_ref();
        let api_token = place.and_then(|place| self.secret(Some(place), at.key("api_token"), ""));
        let service_app = self.service_app(&said, &at);
        if said.api_token.is_none() && said.client_id.is_none() && said.private_key.is_none() {
            let hint = "`api_token`, or `client_id` and `private_key` of a service application";
            self.problems.missing(at.key("api_token"), hint);
        }
        Some(Okta { org_url: org_url?, api_token, service_app })
    }

    fn org_url(&mut self, url: Url, at: At) -> Option<Url> {
        let host = url.host_str().unwrap_or_default();
        let label = host.split('.').next().unwrap_or_default();
        if label.ends_with("-admin") {
            let hint = format!("without `-admin`: `https://{}`", host.replacen("-admin.", ".", 1));
            self.problems.hinted(at, format!("`{host}` is the Admin Console, not the API"), &hint);
            return None;
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            self.problems.hinted(at, "has more than a host", &format!("`https://{host}`"));
            return None;
        }
        Some(url)
    }

    fn service_app(&mut self, said: &said::Okta, at: &At) -> Option<ServiceApp> {
        match (&said.client_id, &said.private_key) {
            (Some(client_id), Some(place)) => {
                let private_key = self.secret(Some(place), at.key("private_key"), "")?;
                Some(ServiceApp {
                    client_id: client_id.clone(),
                    private_key,
                    key_id: said.key_id.clone(),
                    dpop: said.dpop.unwrap_or_default(),
                })
            }
            (None, Some(_)) => {
                self.problems.missing(at.key("client_id"), "`private_key` needs the application's client id");
                None
            }
            (Some(_), None) => {
                self.problems.missing(at.key("private_key"), "`private_key = { file = \"okta.pem\" }`");
                None
            }
            (None, None) => {
                if said.key_id.is_some() {
                    self.problems.missing(at.key("private_key"), "`key_id` names which key it is");
                }
                if said.dpop == Some(true) {
                    let what = "only the tokens of a service application can be bound to a key";
                    let hint = "`client_id` and `private_key` of one; an API token has no DPoP";
                    self.problems.hinted(at.key("dpop"), what.to_owned(), hint);
                }
                None
            }
        }
    }
}
