//! The configuration as written: serde structs of the TOML, one field a setting, nothing checked.
//!
//! Everything is optional here: what is required depends on what else is said, so [`super::mean`]
//! asks for it, where it can name the place and the remedy.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The whole file.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Said {
    /// Where things are kept.
    pub store: Store,
    /// Where webhooks are received.
    pub listen: Listen,
    /// How HTTP leaves.
    pub net: Net,
    /// Where events come from.
    pub source: Vec<Source>,
    /// Cisco Identity Intelligence.
    pub cii: Option<Cii>,
    /// Okta.
    pub okta: Option<Okta>,
    /// What can be run.
    pub flow: Vec<Flow>,
    /// Which log records are findings.
    pub log_check: Vec<LogCheck>,
    /// What is decided about events.
    pub rule: Vec<Rule>,
    /// Who is told of them.
    pub notify: Vec<Notify>,
    /// What must not be done.
    pub guard: Guard,
    /// The console's settings.
    pub console: Console,
}

/// `[store]`.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// Where.
    pub url: Option<String>,
    /// How long raw events are kept.
    pub keep: Option<String>,
}

/// `[listen]`.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    /// Address and port, or a socket.
    pub address: Option<String>,
    /// A certificate chain.
    pub tls_cert: Option<PathBuf>,
    /// Its key.
    pub tls_key: Option<PathBuf>,
}

/// `[net]`.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Net {
    /// A URL.
    pub proxy: Option<String>,
    /// A file.
    pub ca_file: Option<PathBuf>,
}

/// Where a secret is kept: exactly one of the three.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Secret {
    /// In a variable of the environment.
    pub env: Option<String>,
    /// In a file.
    pub file: Option<PathBuf>,
    /// In a command's output.
    pub command: Option<Vec<String>>,
}

/// `[[source]]`.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Source {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// What it is called.
    pub name: Option<String>,
    /// Where it posts to.
    pub path: Option<String>,
    /// The header with the secret.
    pub header: Option<String>,
    /// The query parameter with the secret.
    pub query: Option<String>,
    /// The user of HTTP Basic.
    pub basic_user: Option<String>,
    /// The header with a signature of the body.
    pub hmac_header: Option<String>,
    /// The secret.
    pub secret: Option<Secret>,
    /// Which events are wanted.
    pub filter: Option<String>,
    /// Applications whose records are wanted.
    pub applications: Option<Vec<String>>,
    /// How far back the first request goes.
    pub first_fetch: Option<String>,
    /// The rest between two requests.
    pub interval: Option<String>,
    /// The silence that is too long.
    pub canary: Option<String>,
    /// Where the parts of an event stand.
    pub map: Option<BTreeMap<String, String>>,
    /// Which types of records are ends of an execution.
    pub ended: Option<BTreeMap<String, Vec<String>>>,
}

/// `[cii]`.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cii {
    /// Where tokens come from.
    pub token_url: Option<String>,
    /// Where GraphQL is.
    pub api_url: Option<String>,
    /// The client's id.
    pub client_id: Option<String>,
    /// The client's secret.
    pub client_secret: Option<Secret>,
    /// The audience.
    pub audience: Option<String>,
}

/// `[okta]`.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Okta {
    /// The org.
    pub org_url: Option<String>,
    /// An SSWS token.
    pub api_token: Option<Secret>,
    /// The service application.
    pub client_id: Option<String>,
    /// Its key.
    pub private_key: Option<Secret>,
    /// The key's id.
    pub key_id: Option<String>,
    /// Whether tokens are bound to a key of our own.
    pub dpop: Option<bool>,
    /// What may be done to users.
    pub allow: Option<OktaAllow>,
    /// Whether a change of somebody who is not there makes them.
    pub create_if_missing: Option<bool>,
    /// Names of profile fields.
    pub map: Option<BTreeMap<String, String>>,
}

/// `[okta.allow]`.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct OktaAllow {
    /// Making users.
    pub create: Option<bool>,
    /// Changing profiles.
    pub update: Option<bool>,
    /// Activating.
    pub enable: Option<bool>,
    /// Deactivating.
    pub disable: Option<bool>,
}

/// How a flow is called.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Auth {
    /// With its client token.
    Token(ClientToken),
    /// By a word: `oauth` or `none`.
    Word(String),
}

/// `{ client_token = … }`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ClientToken {
    /// Where the token is kept.
    pub client_token: Secret,
}

/// One declared input of a flow.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Input {
    /// The key in the body.
    pub name: Option<String>,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// A fixed value.
    pub value: Option<String>,
    /// What it is without an answer.
    pub default: Option<String>,
    /// What it is for.
    pub description: Option<String>,
}

/// `[[flow]]`.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Flow {
    /// One of the nine.
    pub preset: Option<String>,
    /// Its id.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// How it is run.
    pub route: Option<String>,
    /// Where.
    pub url: Option<String>,
    /// How it is called.
    pub auth: Option<Auth>,
    /// The body.
    pub payload: Option<String>,
    /// What an issue has to be about.
    pub entity: Option<String>,
    /// The product.
    pub product: Option<String>,
    /// The tenant.
    pub tenant: Option<String>,
    /// The risk.
    pub risk: Option<String>,
    /// In plain words.
    pub verb: Option<String>,
    /// Whether a login will do.
    pub takes_login: Option<bool>,
    /// The declared inputs.
    pub inputs: Option<Vec<Input>>,
    /// The checks.
    pub suggested_for: Option<Vec<String>>,
    /// The flow that undoes it.
    pub inverse: Option<String>,
    /// What undoes it.
    pub undo: Option<String>,
    /// Whether 2xx means ended.
    #[serde(rename = "final")]
    pub is_final: Option<bool>,
    /// What proves it.
    pub proven_by: Option<String>,
    /// What the System Log holds of it.
    pub audit: Option<Vec<String>>,
}

/// `[[log_check]]`.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogCheck {
    /// Event types.
    pub event: Option<String>,
    /// Results.
    pub result: Option<Vec<String>>,
    /// The check's id.
    pub check: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// How bad.
    pub severity: Option<String>,
    /// Whose.
    pub subject: Option<String>,
    /// Whether there is a finding at all.
    pub finding: Option<bool>,
}

/// `[[rule]]`.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rule {
    /// Its name.
    pub name: Option<String>,
    /// When it holds.
    pub when: Option<String>,
    /// What follows.
    pub then: Option<Then>,
}

/// What follows from a rule.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Then {
    /// The severity.
    pub severity: Option<String>,
    /// What it is called.
    pub tag: Option<String>,
    /// Whether it is left out.
    pub drop: Option<bool>,
    /// Whom it is told to.
    pub notify: Option<String>,
}

/// `[[notify]]`.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Notify {
    /// How.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Of which events.
    pub when: Option<String>,
    /// Where to.
    pub url: Option<Secret>,
    /// The header with the secret.
    pub header: Option<String>,
    /// The secret.
    pub secret: Option<Secret>,
    /// More than this become one.
    pub burst: Option<u32>,
}

/// `[guard]`.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Guard {
    /// Logins.
    pub protected: Option<Vec<String>>,
    /// A risk.
    pub require_reason_from: Option<String>,
    /// At most so many users at once.
    pub bulk_limit: Option<u32>,
}

/// One key or several.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Keys {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

/// `[console]`.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Console {
    /// Who.
    pub analyst: Option<String>,
    /// The theme.
    pub theme: Option<String>,
    /// Reading ahead.
    pub prefetch: Option<bool>,
    /// Hosts.
    pub link_hosts: Option<Vec<String>>,
    /// How links open.
    pub open: Option<String>,
    /// The silence that is too long.
    pub canary: Option<String>,
    /// The zone of the times.
    pub time: Option<String>,
    /// The signs of the frame.
    pub borders: Option<String>,
    /// Command id → keys.
    pub keys: Option<BTreeMap<String, Keys>>,
}

#[cfg(test)]
mod tests {
    use super::super::reference::{self, SETTINGS};
    use super::*;

    /// Serde names the fields that it expects when it meets one that it does not know.
    fn fields<T: for<'de> Deserialize<'de>>() -> Vec<String> {
        let error = toml::from_str::<T>("no_such_field = 1").err().unwrap().message().to_owned();
        let expected = error.split_once("expected ").unwrap().1.to_owned();
        expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn the_reference_lists_every_field() {
        let structs: [(&str, Vec<String>); 11] = [
            ("[store]", fields::<Store>()),
            ("[listen]", fields::<Listen>()),
            ("[net]", fields::<Net>()),
            ("[[source]]", fields::<Source>()),
            ("[cii]", fields::<Cii>()),
            ("[okta]", fields::<Okta>()),
            ("[[flow]]", fields::<Flow>()),
            ("[[log_check]]", fields::<LogCheck>()),
            ("[[rule]]", fields::<Rule>()),
            ("[[notify]]", fields::<Notify>()),
            ("[guard]", fields::<Guard>()),
        ];
        let console = ("[console]", fields::<Console>());
        for (heading, mut said) in structs.into_iter().chain([console]) {
            let mut listed: Vec<&str> = reference::under(heading).map(|setting| setting.key).collect();
            said.sort_unstable();
            listed.sort_unstable();
            assert_eq!(said, listed, "{heading}");
        }
        assert_eq!(SETTINGS.last().unwrap().table, "[console]");
    }
}
