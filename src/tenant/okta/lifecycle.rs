//! The operations on one user: `/lifecycle/…`, the end of their sessions, groups, profile.

use super::credential::{Acted, Auth, no_credential};
use super::error::OktaError;
use super::service_app::Scope;
use super::{Okta, address};
use crate::domain::OneTimeLink;
use crate::domain::action::{Receipt, ShownRequest};
use crate::domain::log::beside;
use crate::domain::operation::{Delivery, Operation, Whom};
use crate::domain::plan::Order;
use crate::tenant::http::{ActEnd, Answer, Method, Request};
use crate::tenant::problem::line;
use crate::tenant::{CallEnd, Called, Clearance, ID_TO_COME, call_end, registrar};
use url::Url;

/// As the library writes [`ID_TO_COME`] in an address.
const ENCODED_ID_TO_COME: &str = "%7Bid%7D";

impl Okta {
    /// The request of an operation, the credential masked.
    pub(in crate::tenant) fn shown_operation(
        &self,
        operation: Operation,
        order: &Order,
    ) -> Result<ShownRequest, String> {
        if let Auth::Nothing = self.auth {
            return Err(line(&no_credential()));
        }
        let request = self.operation_request(operation, order)?;
        let shown =
            registrar::shown(&request, self.proofs(), &order.body).map_err(|problem| line(&problem))?;
        let url = shown.url.replace(ENCODED_ID_TO_COME, ID_TO_COME);
        Ok(ShownRequest { url, ..shown })
    }

    /// Sends what was shown, once.
    pub(in crate::tenant) async fn operate(
        &self,
        operation: Operation,
        order: &Order,
        shown: &ShownRequest,
        clearance: &dyn Clearance,
    ) -> Called {
        let not_sent = |why: String| Called::from(CallEnd::NotSent(why.into()));
        if order.particulars.whom == Whom::Made {
            return not_sent("the account is not there yet".to_owned());
        }
        let rebuilt = self.shown_operation(operation, order);
        let is_same = rebuilt.and_then(|rebuilt| call_end::same(&order.flow, &rebuilt, shown));
        let request = match is_same.and_then(|()| self.operation_request(operation, order)) {
            Ok(request) => request,
            Err(why) => return not_sent(why),
        };
        let (scope, calls) = right(operation);
        match self.act(scope, calls, request, clearance).await {
            Ok(Acted { end, token }) => {
                let is_asked = order.particulars.delivery == Delivery::Handed && operation.makes_link();
                let link = if is_asked { link_of(&end) } else { None };
                let receipt = |answer: &Answer, tries| {
                    let complains = || OktaError::read(&self.http, answer).complaint(scope, answer);
                    let complaint = (!answer.is_success()).then(complains);
                    Receipt { complaint, ..self.http.receipt(answer, tries, token.as_ref()) }
                };
                Called { end: call_end::of(end, receipt), link }
            }
            Err(problem) => not_sent(line(&problem)),
        }
    }

    fn operation_request(&self, operation: Operation, order: &Order) -> Result<Request, String> {
        let wire = wire(operation, order)?;
        let mut url = self.org_url.clone();
        url.set_path(&wire.path);
        url.set_query(wire.query);
        let request = match order.body.is_empty() {
            true => Request::nothing(wire.method, url),
            false => Request::post_text(url, order.body.clone()),
        };
        // The System Log keeps it: so its record is found again also where the reply is lost.
        Ok(match order.action.is_empty() {
            true => request,
            false => request.signed(&beside::signature(&order.action)),
        })
    }
}

/// The one-time link of an answer: under one name or the other.
fn link_of(end: &ActEnd) -> Option<OneTimeLink> {
    let ActEnd::Answered(answer, _) = end else { return None };
    let body = answer.json()?;
    let link = ["activationUrl", "resetPasswordUrl"].iter().find_map(|name| body.get(name))?;
    let is_link = |text: &&str| Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http"));
    link.as_str().filter(is_link).map(|text| OneTimeLink::new(text.to_owned()))
}

/// What an operation needs, and what its calls are limited with.
fn right(operation: Operation) -> (Scope, &'static str) {
    match operation {
        Operation::AddToGroup | Operation::RemoveFromGroup => (Scope::ManageGroups, "groups/users"),
        Operation::Create => (Scope::ManageUsers, "users"),
        Operation::Update => (Scope::ManageUsers, "users/{id}"),
        _ => (Scope::ManageUsers, "users/lifecycle"),
    }
}

/// Method, path and parameters of an operation.
struct Wire {
    method: Method,
    path: String,
    query: Option<&'static str>,
}

/// Whom a mail goes to is always said. Whether devices are forgotten is left to the org, and the card says so.
fn wire(operation: Operation, order: &Order) -> Result<Wire, String> {
    let mails = order.particulars.delivery == Delivery::Mailed;
    let link = Some(if mails { "sendEmail=true" } else { "sendEmail=false" });
    let (method, path, query) = match operation {
        Operation::Create => {
            let path = "/api/v1/users".to_owned();
            return Ok(Wire { method: Method::Post, path, query: Some("activate=false") });
        }
        Operation::AddToGroup => return in_group(Method::Put, order),
        Operation::RemoveFromGroup => return in_group(Method::Delete, order),
        Operation::Update => (Method::Post, "", None),
        Operation::Activate => (Method::Post, "/lifecycle/activate", link),
        Operation::Reactivate => (Method::Post, "/lifecycle/reactivate", link),
        Operation::Deactivate => (Method::Post, "/lifecycle/deactivate", Some("sendEmail=false")),
        Operation::Suspend => (Method::Post, "/lifecycle/suspend", None),
        Operation::Unsuspend => (Method::Post, "/lifecycle/unsuspend", None),
        Operation::Unlock => (Method::Post, "/lifecycle/unlock", None),
        Operation::ExpirePassword => (Method::Post, "/lifecycle/expire_password", None),
        Operation::ResetPassword => (Method::Post, "/lifecycle/reset_password", link),
        Operation::ResetFactors => (Method::Post, "/lifecycle/reset_factors", None),
        Operation::ClearSessions => (Method::Delete, "/sessions", Some("oauthTokens=true")),
    };
    Ok(Wire { method, path: format!("/api/v1/users/{}{path}", user(order)?), query })
}

fn in_group(method: Method, order: &Order) -> Result<Wire, String> {
    let group = order.particulars.group.as_ref().filter(|group| address::is_id(&group.id));
    let group = group.ok_or_else(|| format!("flow `{}` acts on a group, and none was found", order.flow))?;
    let path = format!("/api/v1/groups/{}/users/{}", group.id, user(order)?);
    Ok(Wire { method, path, query: None })
}

/// Only ever by the id that was read: a short login may be somebody else.
fn user(order: &Order) -> Result<&str, String> {
    if order.particulars.whom == Whom::Made && order.target.is_none() {
        return Ok(ID_TO_COME);
    }
    let id = order.target.as_deref().filter(|id| address::is_id(id));
    id.ok_or_else(|| format!("flow `{}` acts on an Okta id, and none was read", order.flow))
}
