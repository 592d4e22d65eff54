//! The operations on one user: `/lifecycle/…`, and the end of their sessions.

use super::credential::{Acted, Auth, no_credential};
use super::service_app::Scope;
use super::{Okta, address};
use crate::domain::action::ShownRequest;
use crate::domain::operation::Operation;
use crate::domain::plan::Order;
use crate::tenant::http::{Method, Request};
use crate::tenant::problem::line;
use crate::tenant::{CallEnd, Clearance, call_end, registrar};

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
        registrar::shown(&request, self.proofs(), "").map_err(|problem| line(&problem))
    }

    /// Sends what was shown, once.
    pub(in crate::tenant) async fn operate(
        &self,
        operation: Operation,
        order: &Order,
        shown: &ShownRequest,
        clearance: &dyn Clearance,
    ) -> CallEnd {
        let rebuilt = self.shown_operation(operation, order);
        let is_same = rebuilt.and_then(|rebuilt| call_end::same(&order.flow, &rebuilt, shown));
        let request = match is_same.and_then(|()| self.operation_request(operation, order)) {
            Ok(request) => request,
            Err(why) => return CallEnd::NotSent(why.into()),
        };
        match self.act(Scope::ManageUsers, "users/lifecycle", request, clearance).await {
            Ok(Acted { end, token }) => {
                call_end::of(end, |answer, tries| self.http.receipt(answer, tries, token.as_ref()))
            }
            Err(problem) => CallEnd::NotSent(line(&problem).into()),
        }
    }

    /// Only ever by the id that was read: a short login may be somebody else.
    fn operation_request(&self, operation: Operation, order: &Order) -> Result<Request, String> {
        let id = order
            .target
            .as_deref()
            .filter(|id| address::is_id(id))
            .ok_or_else(|| format!("flow `{}` acts on an Okta id, and none was read", order.flow))?;
        let (method, path, query) = wire(operation);
        let mut url = self.org_url.clone();
        url.set_path(&format!("/api/v1/users/{id}/{path}"));
        url.set_query(query);
        Ok(Request::nothing(method, url))
    }
}

/// Whom a mail goes to is always said. Whether devices are forgotten is left to the org, and the card says so.
fn wire(operation: Operation) -> (Method, &'static str, Option<&'static str>) {
    match operation {
        Operation::Activate => (Method::Post, "lifecycle/activate", Some("sendEmail=true")),
        Operation::Reactivate => (Method::Post, "lifecycle/reactivate", Some("sendEmail=true")),
        Operation::Deactivate => (Method::Post, "lifecycle/deactivate", Some("sendEmail=false")),
        Operation::Suspend => (Method::Post, "lifecycle/suspend", None),
        Operation::Unsuspend => (Method::Post, "lifecycle/unsuspend", None),
        Operation::Unlock => (Method::Post, "lifecycle/unlock", None),
        Operation::ExpirePassword => (Method::Post, "lifecycle/expire_password", None),
        Operation::ResetPassword => (Method::Post, "lifecycle/reset_password", Some("sendEmail=true")),
        Operation::ResetFactors => (Method::Post, "lifecycle/reset_factors", None),
        Operation::ClearSessions => (Method::Delete, "sessions", Some("oauthTokens=true")),
    }
}
