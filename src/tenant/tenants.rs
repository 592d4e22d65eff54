//! The configured tenants, behind both traits.

use super::cii::Cii;
use super::http::{self, Clock, Http, HttpError, Limits, Redactor};
use super::okta::{AppIdentity, KeyError, Okta, Scope};
use super::probe::{self, Probe};
use super::prober::CallProbe;
use super::problem::with_hint;
use super::registrar::{EventHook, Registered, Registrar, Registration};
use super::workflows::Workflows;
use super::{
    AccessPreview, CallEnd, Called, Clearance, Directory, FlowCaller, LogSearch, OktaOrg, SystemLog,
};
use crate::config::Config;
use crate::config::meant::Way;
use crate::domain::access::{self, Access, INVOKE_FLOW};
use crate::domain::action::ShownRequest;
use crate::domain::dossier::{AddressUsers, LoadedPart, OktaUser, Part, Problem};
use crate::domain::operation::Operation;
use crate::domain::plan::Order;
use crate::domain::wait::Waits;
use crate::domain::{Flow, Login, PartName};
use async_trait::async_trait;
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::watch;
use url::Url;

/// Why the tenants cannot be used as configured.
#[derive(Debug, Error)]
pub enum TenantError {
    /// An address that nothing is ever sent to.
    #[error("`{setting}`: {cause}")]
    Address {
        /// The setting that holds it.
        setting: &'static str,
        /// Why.
        cause: HttpError,
    },
    /// Certificates or proxy.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The service application's key.
    #[error("`[okta] private_key`: {0}")]
    Key(#[from] KeyError),
}

impl TenantError {
    /// What mends it, where we know.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            TenantError::Address { cause, .. } | TenantError::Http(cause) => cause.hint(),
            TenantError::Key(cause) => cause.hint(),
        }
    }
}

/// Every configured tenant.
#[derive(Debug)]
pub struct Tenants {
    http: Arc<Http>,
    cii: Option<Cii>,
    okta: Option<Arc<Okta>>,
    workflows: Workflows,
    /// What of Okta the configuration cannot do without.
    needed: Vec<Scope>,
}

impl Tenants {
    /// Ready to ask; nothing is sent yet.
    pub fn build(config: &Config, clock: Clock) -> Result<Tenants, TenantError> {
        Tenants::with_limits(config, clock, Limits::default())
    }

    /// The same with other waits.
    pub fn with_limits(config: &Config, clock: Clock, limits: Limits) -> Result<Tenants, TenantError> {
        check_addresses(config)?;
        let http = Arc::new(Http::new(&config.net, limits, clock, Redactor::of(config))?);
        let cii = config.cii.as_ref().map(|cii| Cii::new(&http, cii));
        let app = service_app(config)?;
        let okta = config.okta.as_ref().map(|okta| Arc::new(Okta::new(&http, okta, app.as_ref())));
        let workflows = Workflows::new(&http, &config.flows, app.as_ref());
        Ok(Tenants { http, cii, okta, workflows, needed: needed(config) })
    }

    /// Tries every configured tenant, for `doctor`. No flow is run.
    pub async fn probe(&self) -> Vec<Probe> {
        probe::all(self.cii.as_ref(), self.readable_okta(), &self.workflows).await
    }

    /// Tries every kind of Okta call, for `doctor`. Nothing is changed.
    pub async fn probe_calls(&self) -> Vec<CallProbe> {
        match self.readable_okta() {
            Some(okta) => {
                let (core, invoke) =
                    futures_util::join!(okta.probe_calls(&self.needed), self.workflows.probe_token());
                core.into_iter().chain(invoke).collect()
            }
            None => Vec::new(),
        }
    }

    /// The calls that the pacer holds back, now and from now on.
    pub fn held(&self) -> watch::Receiver<Waits> {
        self.http.held()
    }

    fn readable_okta(&self) -> Option<&Okta> {
        self.okta.as_deref().filter(|okta| okta.can_read())
    }

    /// The System Log of the configured Okta org.
    pub fn system_log(&self) -> Option<Arc<dyn SystemLog>> {
        self.okta.clone().map(|okta| okta as Arc<dyn SystemLog>)
    }

    /// The configured Okta org, to look things up in.
    pub fn okta_org(&self) -> Option<Arc<dyn OktaOrg>> {
        self.okta.clone().map(|okta| okta as Arc<dyn OktaOrg>)
    }

    /// What roles of the org let somebody do with delegated flows.
    pub fn access(&self) -> Option<Arc<dyn AccessPreview>> {
        self.okta.clone().filter(|okta| okta.can_read()).map(|okta| okta as Arc<dyn AccessPreview>)
    }

    /// The same, to look into.
    pub fn log_search(&self) -> Option<Arc<dyn LogSearch>> {
        self.okta.clone().map(|okta| okta as Arc<dyn LogSearch>)
    }

    fn unconfigured<T>(&self, what: &str) -> Part<T> {
        Part::failed(self.http.now(), unconfigured(what))
    }
}

/// The service application's key is read once: all its tokens share it, and what they are bound to.
fn service_app(config: &Config) -> Result<Option<Arc<AppIdentity>>, KeyError> {
    let okta = config.okta.as_ref();
    let app = okta.and_then(|okta| Some((okta, okta.service_app.as_ref()?)));
    app.map(|(okta, app)| AppIdentity::new(&okta.org_url, app).map(Arc::new)).transpose()
}

/// A dossier reads users; a source that asks the System Log reads that.
fn needed(config: &Config) -> Vec<Scope> {
    let polls = config.sources.iter().any(|source| matches!(source.way, Way::SystemLog(_)));
    std::iter::once(Scope::ReadUsers).chain(polls.then_some(Scope::ReadLogs)).collect()
}

fn unconfigured(what: &str) -> Problem {
    with_hint(format!("{what} is not configured"), "`idtriage init` writes a commented template")
}

/// A flow's address is checked when the flow is shown: one wrong flow must not stop the console.
fn check_addresses(config: &Config) -> Result<(), TenantError> {
    let check = |setting: &'static str, url: &Url| {
        http::check(url).map_err(|cause| TenantError::Address { setting, cause })
    };
    if let Some(cii) = &config.cii {
        check("[cii] token_url", &cii.token_url)?;
        check("[cii] api_url", &cii.api_url)?;
    }
    config.okta.as_ref().map_or(Ok(()), |okta| check("[okta] org_url", &okta.org_url))
}

#[async_trait]
impl Directory for Tenants {
    fn parts(&self) -> Vec<PartName> {
        let can_read = |part: &PartName| match part {
            PartName::Cii | PartName::CiiDetails => self.cii.is_some(),
            PartName::Okta
            | PartName::OktaRoles
            | PartName::OktaGroups
            | PartName::OktaApps
            | PartName::OktaFactors
            | PartName::OktaActivity => self.readable_okta().is_some(),
        };
        PartName::ALL.into_iter().filter(can_read).collect()
    }

    async fn part(&self, name: PartName, login: &Login) -> LoadedPart {
        let missing = |what| LoadedPart::failed(name, self.http.now(), unconfigured(what));
        match name {
            PartName::Cii | PartName::CiiDetails => match &self.cii {
                Some(cii) => of_cii(cii, name, login).await,
                None => missing("CII"),
            },
            _ => match &self.okta {
                Some(okta) => of_okta(okta, name, login.raw()).await,
                None => missing("Okta"),
            },
        }
    }

    async fn users_of_address(&self, address: &str) -> AddressUsers {
        match &self.cii {
            Some(cii) => cii.users_of_address(address).await,
            None => {
                AddressUsers { problems: self.unconfigured::<()>("CII").problems, ..AddressUsers::default() }
            }
        }
    }

    async fn okta_user(&self, id_or_login: &str) -> Part<OktaUser> {
        match &self.okta {
            Some(okta) => okta.user(id_or_login).await,
            None => self.unconfigured("Okta"),
        }
    }
}

async fn of_cii(cii: &Cii, name: PartName, login: &Login) -> LoadedPart {
    match name {
        PartName::CiiDetails => LoadedPart::CiiDetails(Box::new(cii.end_user(login).await)),
        _ => LoadedPart::Cii(Box::new(cii.end_user_state(login).await)),
    }
}

async fn of_okta(okta: &Okta, name: PartName, login: &str) -> LoadedPart {
    match name {
        PartName::OktaRoles => LoadedPart::OktaRoles(Box::new(okta.roles_of(login).await)),
        PartName::OktaGroups => LoadedPart::OktaGroups(Box::new(okta.groups_of(login).await)),
        PartName::OktaApps => LoadedPart::OktaApps(Box::new(okta.apps_of(login).await)),
        PartName::OktaFactors => LoadedPart::OktaFactors(Box::new(okta.factors_of(login).await)),
        PartName::OktaActivity => LoadedPart::OktaActivity(Box::new(okta.activity_of(login).await)),
        _ => LoadedPart::Okta(Box::new(okta.user(login).await)),
    }
}

#[async_trait]
impl FlowCaller for Tenants {
    async fn access_to(&self, flow: &Flow) -> Access {
        let needed = access::needed(flow);
        let mut calls = match &self.okta {
            Some(okta) => okta.probe_changes(&needed).await,
            None => Vec::new(),
        };
        if needed.contains(&INVOKE_FLOW) {
            calls.extend(self.workflows.probe_token().await);
        }
        access::before_a_call(flow, &calls)
    }

    fn secret_in(&self, words: &str) -> Option<String> {
        self.http.secret_in(words).map(str::to_owned)
    }

    fn shown(&self, order: &Order) -> Result<ShownRequest, String> {
        match (Operation::of_flow(&order.flow), &self.okta) {
            (None, _) => self.workflows.shown(order),
            (Some(operation), Some(okta)) => okta.shown_operation(operation, order),
            (Some(_), None) => Err(unconfigured("Okta").line()),
        }
    }

    async fn call(&self, order: &Order, shown: &ShownRequest, clearance: &dyn Clearance) -> Called {
        match (Operation::of_flow(&order.flow), &self.okta) {
            (None, _) => self.workflows.call(order, shown, clearance).await.into(),
            (Some(operation), Some(okta)) => okta.operate(operation, order, shown, clearance).await,
            (Some(_), None) => CallEnd::NotSent(unconfigured("Okta").line().into()).into(),
        }
    }
}

#[async_trait]
impl Registrar for Tenants {
    fn shown(&self, what: &Registration) -> Result<ShownRequest, Problem> {
        match (what, &self.cii, &self.okta) {
            (Registration::Cii(change), Some(cii), _) => cii.shown_change(change),
            (Registration::Okta(change), _, Some(okta)) => okta.shown_change(change),
            (Registration::Cii(_), None, _) => Err(unconfigured("CII")),
            (Registration::Okta(_), _, None) => Err(unconfigured("Okta")),
        }
    }

    async fn register(&self, what: &Registration, clearance: &dyn Clearance) -> Registered {
        match (what, &self.cii, &self.okta) {
            (Registration::Cii(change), Some(cii), _) => cii.change(change, clearance).await,
            (Registration::Okta(change), _, Some(okta)) => okta.change(change, clearance).await,
            (Registration::Cii(_), None, _) => Registered::not_sent(unconfigured("CII")),
            (Registration::Okta(_), _, None) => Registered::not_sent(unconfigured("Okta")),
        }
    }

    async fn event_hooks(&self) -> Result<Vec<EventHook>, Problem> {
        match &self.okta {
            Some(okta) => okta.event_hooks().await,
            None => Err(unconfigured("Okta")),
        }
    }
}
