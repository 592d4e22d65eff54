//! Flows: a preset with a URL, or one said in full; then the presets that are only listed.

use super::Check;
use crate::config::meant::ConfiguredFlow;
use crate::config::problem::At;
use crate::config::said;
use crate::domain::flow::{
    EntityKind, Flow, FlowAuth, FlowId, Input, InputType, PayloadShape, Product, ProvenBy,
};
use crate::domain::operation::Operation;
use crate::domain::payload::{check_type, says_whom};
use crate::domain::{Risk, Route, operation, preset};
use secrecy::SecretString;
use std::collections::BTreeSet;

const HEADING: &str = "[[flow]]";
const AUTH: &str =
    "`auth = { client_token = { env = \"NAME\" } }`, `\"oauth\"`, or `\"none\"` for a public flow";

/// Whether the operations of Okta's own API are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OktaFlows {
    /// `[okta]` has a credential.
    Offered,
    /// Nothing could be asked of it.
    NoCredential,
}

impl Check<'_, '_> {
    /// Those that are said, then Okta's own operations where it can be asked, then the presets that are only
    /// listed.
    pub(super) fn flows(
        &mut self,
        said: Vec<said::Flow>,
        can_oauth: bool,
        okta: OktaFlows,
    ) -> Vec<ConfiguredFlow> {
        let mut flows = Vec::new();
        let mut ids = BTreeSet::new();
        for (index, said) in said.into_iter().enumerate() {
            let at = At::element(HEADING, index);
            let Some(flow) = self.flow(said, &at, can_oauth) else { continue };
            if !ids.insert(flow.flow.id.0.clone()) {
                let what = format!("`{}` is the id of a flow above already", flow.flow.id);
                self.problems.hinted(at.key("id"), what, "give each its own `id`");
            }
            flows.push((at, flow));
        }
        let built_in = match okta {
            OktaFlows::Offered => operation::flows(),
            OktaFlows::NoCredential => Vec::new(),
        };
        ids.extend(built_in.iter().map(|flow| flow.id.0.clone()));
        flows.iter_mut().for_each(|(_, flow)| undone_by_okta(&mut flow.flow, &built_in));
        self.check_inverses(&flows, &ids);
        let listed = preset::all().into_iter().filter(|flow| !ids.contains(&flow.id.0));
        let listed = built_in.into_iter().chain(listed);
        let listed = listed.map(|flow| ConfiguredFlow { flow, client_token: None });
        flows.into_iter().map(|(_, flow)| flow).chain(listed).collect()
    }

    fn check_inverses(&mut self, flows: &[(At, ConfiguredFlow)], ids: &BTreeSet<String>) {
        for (at, flow) in flows {
            let inverse = flow.flow.inverse.as_ref().filter(|inverse| !ids.contains(&inverse.0));
            if let Some(inverse) = inverse {
                let what = format!("`{inverse}` is not the id of a configured flow");
                self.problems.hinted(at.key("inverse"), what, "the `id` of another `[[flow]]`");
            }
        }
    }

    fn flow(&mut self, mut said: said::Flow, at: &At, can_oauth: bool) -> Option<ConfiguredFlow> {
        let base = self.base(&mut said, at)?;
        let flow = Self::described(base, &mut said);
        let flow = self.typed(flow, &said, at);
        let flow = self.with_inputs(flow, said.inputs.take(), at);
        self.with_route(flow, said, at, can_oauth)
    }

    /// What the settings are laid over: the preset, or an empty flow of this id.
    fn base(&mut self, said: &mut said::Flow, at: &At) -> Option<Flow> {
        let id = match said.id.take() {
            Some(id) => Some(self.flow_id(id, at.key("id"))?),
            None => None,
        };
        let Some(name) = &said.preset else {
            if id.is_none() {
                self.problems.missing(at.key("id"), "a flow needs a `preset`, or an `id` and the rest");
            }
            return Some(empty(id?));
        };
        let Some(preset) = preset::flow(name) else {
            let ids: Vec<String> = preset::ids().map(|id| format!("`{id}`")).collect();
            let what = format!("`{name}` is not a preset");
            self.problems.hinted(at.key("preset"), what, &format!("the presets are {}", ids.join(" ")));
            return None;
        };
        let id = id.unwrap_or_else(|| preset.id.clone());
        Some(Flow { id, ..preset })
    }

    fn flow_id(&mut self, id: String, at: At) -> Option<FlowId> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if operation::is_built_in(&FlowId(id.clone())) {
            let what = format!("`{id}` is the id of an operation of Okta's own");
            self.problems.hinted(at, what, "another `id`");
            return None;
        }
        if !id.is_empty() && id.len() <= 64 && !id.starts_with('-') && id.chars().all(is_plain) {
            return Some(FlowId(id));
        }
        let hint = "up to 64 lower-case letters, digits and hyphens: `unsuspend-okta-account`";
        self.problems.hinted(at, format!("`{id}` is not a flow's id"), hint);
        None
    }

    /// The settings that are words for people.
    fn described(base: Flow, said: &mut said::Flow) -> Flow {
        let mut flow = base;
        put(&mut flow.name, said.name.take());
        put(&mut flow.verb, said.verb.take());
        put(&mut flow.undo, said.undo.take());
        put(&mut flow.tenant, said.tenant.take());
        put(&mut flow.suggested_for, said.suggested_for.take());
        put(&mut flow.audit, said.audit.take());
        if flow.name.trim().is_empty() {
            flow.name = flow.id.to_string();
        }
        if flow.verb.trim().is_empty() {
            flow.verb = format!("run {}", flow.name);
        }
        flow
    }

    /// The settings that are one of some words.
    fn typed(&mut self, base: Flow, said: &said::Flow, at: &At) -> Flow {
        let mut flow = base;
        let payload = said.payload.as_deref().and_then(|word| self.payload(word, at.key("payload")));
        put(&mut flow.payload, payload);
        let risk = said.risk.as_deref().and_then(|word| self.risk(word, at.key("risk")));
        if let Some(risk) = risk.filter(|risk| said.preset.is_some() && *risk < flow.risk) {
            let what = format!(
                "`{}` is below the preset's `{}`: its card would ask for less",
                risk.word(),
                flow.risk.word()
            );
            self.problems.hinted(at.key("risk"), what, "leave it out, or raise it");
        }
        put(&mut flow.risk, risk);
        put(&mut flow.takes_login, said.takes_login);
        put(&mut flow.is_final, said.is_final);
        if let Some(word) = &said.product {
            let words = "`okta`, `aad`, `google-workspace` or `salesforce`";
            flow.product = self.word(word, at.key("product"), Product::parse, words);
        }
        if let Some(word) = &said.entity {
            let words = "`Account`, `User`, `OAuth Grant` or `any`";
            put(&mut flow.entity, self.word(word, at.key("entity"), entity, words));
        }
        if let Some(word) = &said.proven_by {
            let words = "`suspended`, `deactivated`, `active` or `password-reset`";
            flow.proven_by = self.word(word, at.key("proven_by"), proven_by, words);
        }
        flow.inverse = said.inverse.as_deref().map(FlowId::from);
        flow
    }

    fn payload(&mut self, word: &str, at: At) -> Option<PayloadShape> {
        let parse = |word: &str| match word {
            "ispm-flat" => Some(PayloadShape::IspmFlat),
            "ispm-nested" => Some(PayloadShape::IspmNested),
            "cii-event" => Some(PayloadShape::CiiEvent),
            "fields" => Some(PayloadShape::Fields),
            _ => None,
        };
        self.word(word, at, parse, "`ispm-flat`, `ispm-nested`, `cii-event` or `fields`")
    }

    fn with_inputs(&mut self, mut flow: Flow, said: Option<Vec<said::Input>>, at: &At) -> Flow {
        let at = at.key("inputs");
        let said = said.unwrap_or_default();
        match (flow.payload, said.is_empty()) {
            (PayloadShape::Fields, true) => {
                self.problems.missing(at.clone(), "`inputs = [{ name = \"user\", type = \"text\" }]`");
            }
            (PayloadShape::Fields, false) | (_, true) => {}
            (_, false) => {
                self.problems.hinted(
                    at.clone(),
                    "only the payload `fields` has inputs",
                    "`payload = \"fields\"`",
                );
            }
        }
        flow.inputs = said.into_iter().filter_map(|input| self.input(input, &at)).collect();
        let mut names = BTreeSet::new();
        if let Some(double) = flow.inputs.iter().find(|input| !names.insert(&input.name)) {
            self.problems.note(at, format!("`{}` is declared twice", double.name), None);
        }
        flow
    }

    fn input(&mut self, said: said::Input, at: &At) -> Option<Input> {
        let name = self.required(said.name, at.inner("name"), "the key in the body");
        let kind = match said.kind {
            Some(word) => {
                let words = "`text`, `number`, `boolean` or `date-time`";
                self.word(&word, at.inner("type"), input_type, words)
            }
            None => Some(InputType::Text),
        };
        let (name, kind) = (name?, kind?);
        for (key, text) in [("value", &said.value), ("default", &said.default)] {
            if let Some(wanted) = text.as_deref().and_then(|text| check_type(kind, text).err()) {
                let what = format!("`{name}` is of another type");
                self.problems.hinted(at.inner(key), what, wanted);
            }
        }
        if says_whom(&name)
            && let Some((key, _)) =
                [("value", &said.value), ("default", &said.default)].into_iter().find(|it| it.1.is_some())
        {
            let what = format!("`{name}` says who is acted on");
            self.problems.hinted(at.inner(key), what, "leave it out: it comes from whom the card is about");
        }
        if said.value.is_some() && said.default.is_some() {
            let what = format!("`{name}` has a fixed `value`, so nothing else is ever taken");
            self.problems.hinted(at.inner("default"), what, "leave one of them out");
        }
        let (value, default, description) = (said.value, said.default, said.description);
        Some(Input { name, kind, value, default, description })
    }

    /// Where it is run and what it is called with. A preset without a URL stays a page to open.
    fn with_route(
        &mut self,
        mut flow: Flow,
        said: said::Flow,
        at: &At,
        can_oauth: bool,
    ) -> Option<ConfiguredFlow> {
        let route = self.route(said.route.as_deref(), &said, at)?;
        flow.route = route;
        if said.url.is_some() || said.preset.is_none() {
            let hint = "the invoke URL of the flow's API Endpoint card";
            let url = self.required_url(said.url, at.key("url"), hint)?;
            if route == Route::ApiEndpoint && url.query().is_some() {
                // Whatever stands there is shown and journalled with the request.
                let what = "something stands behind `?` in the URL: an invoke URL has nothing there";
                let hint = "cut it off; a token belongs in `auth = { client_token = { env = \"NAME\" } }`";
                self.problems.hinted(at.key("url"), what, hint);
            }
            flow.url = Some(url.into());
        }
        if route == Route::Open {
            if said.auth.is_some() {
                let what = "nothing is sent, so there is nothing to prove";
                self.problems.hinted(at.key("auth"), what, "give the flow a `url`, or leave `auth` out");
            }
            return Some(ConfiguredFlow { flow, client_token: None });
        }
        let (auth, client_token) = self.auth(said.auth, at.key("auth"), can_oauth)?;
        flow.auth = auth;
        Some(ConfiguredFlow { flow, client_token })
    }

    fn route(&mut self, word: Option<&str>, said: &said::Flow, at: &At) -> Option<Route> {
        match word {
            None if said.url.is_none() && said.preset.is_some() => Some(Route::Open),
            None | Some("api-endpoint") => Some(Route::ApiEndpoint),
            Some("open") => Some(Route::Open),
            Some("okta") => {
                let what = "flows of route `okta` are there by themselves";
                let hint = "`[okta]` with a credential offers them: `idtriage flows` lists their ids";
                self.problems.hinted(at.key("route"), what, hint);
                None
            }
            Some(word) => {
                let what = format!("`{word}` is not a route");
                self.problems.hinted(at.key("route"), what, "`api-endpoint` or `open`");
                None
            }
        }
    }

    fn auth(
        &mut self,
        said: Option<said::Auth>,
        at: At,
        can_oauth: bool,
    ) -> Option<(FlowAuth, Option<SecretString>)> {
        match said {
            Some(said::Auth::Token(token)) => {
                let secret = self.secret(Some(&token.client_token), at.inner("client_token"), AUTH)?;
                Some((FlowAuth::ClientToken, Some(secret)))
            }
            Some(said::Auth::Word(word)) => self.auth_word(&word, at, can_oauth).map(|auth| (auth, None)),
            None => {
                self.problems.missing(at, AUTH);
                None
            }
        }
    }

    /// The word is not repeated: it may be a token in the wrong place.
    fn auth_word(&mut self, word: &str, at: At, can_oauth: bool) -> Option<FlowAuth> {
        match word {
            "none" => return Some(FlowAuth::None),
            "oauth" if can_oauth => return Some(FlowAuth::Oauth),
            "oauth" => self.problems.hinted(
                at,
                "`oauth` needs a service application",
                "`client_id` and `private_key` in `[okta]`",
            ),
            _ => self.problems.hinted(at, "it is not a way to call a flow", AUTH),
        }
        None
    }
}

fn put<T>(slot: &mut T, said: Option<T>) {
    if let Some(said) = said {
        *slot = said;
    }
}

/// What an issue has to be about; `any` takes them all.
fn entity(word: &str) -> Option<Option<EntityKind>> {
    if word == "any" { Some(None) } else { EntityKind::parse(word).map(Some) }
}

fn proven_by(word: &str) -> Option<ProvenBy> {
    match word {
        "suspended" => Some(ProvenBy::Suspended),
        "deactivated" => Some(ProvenBy::Deactivated),
        "active" => Some(ProvenBy::Active),
        "password-reset" => Some(ProvenBy::PasswordReset),
        _ => None,
    }
}

fn input_type(word: &str) -> Option<InputType> {
    match word {
        "text" => Some(InputType::Text),
        "number" => Some(InputType::Number),
        "boolean" => Some(InputType::Boolean),
        "date-time" => Some(InputType::DateTime),
        _ => None,
    }
}

/// Of what nobody described, the worst is assumed: the highest risk, that nothing undoes it, and that what is no
/// account would be taken for one.
fn empty(id: FlowId) -> Flow {
    Flow {
        id,
        name: String::new(),
        verb: String::new(),
        route: Route::ApiEndpoint,
        operation: None,
        steps: Vec::new(),
        url: None,
        auth: FlowAuth::None,
        payload: PayloadShape::IspmFlat,
        product: None,
        entity: Some(EntityKind::Account),
        audit: Vec::new(),
        tenant: String::new(),
        risk: Risk::High,
        takes_login: false,
        suggested_for: Vec::new(),
        inputs: Vec::new(),
        inverse: None,
        undo: "the configuration does not say what undoes it".to_owned(),
        caveats: Vec::new(),
        proven_by: None,
        is_final: false,
    }
}

/// What suspends an account of Okta by whatever route is undone by Okta's own operation, where that can be called and
/// nothing else is named.
fn undone_by_okta(flow: &mut Flow, built_in: &[Flow]) {
    let inverse = Operation::Unsuspend.flow_id();
    let suspends = flow.proven_by == Some(ProvenBy::Suspended) && flow.product == Some(Product::Okta);
    if suspends && flow.inverse.is_none() && built_in.iter().any(|flow| flow.id == inverse) {
        flow.inverse = Some(inverse);
    }
}
