//! Bounded re-reads of the Okta user: what turns *accepted* into *changed*, and nothing else does.

use crate::domain::action::Settlement;
use crate::domain::dossier::{OktaUser, Part};
use crate::domain::flow::ProvenBy;
use crate::domain::plan::Plan;
use crate::domain::{Evidence, Outcome, time};
use crate::remediation::{evidence, target};
use crate::tenant::Directory;
use std::time::Duration;
use tokio::time::sleep;

/// Whether a re-read could prove anything: the flow has a proof, the target was read before, and what
/// was sent may have had an effect. An unknown outcome may be cleared up like an accepted one.
pub(super) fn can(plan: &Plan, settlement: &Settlement) -> bool {
    let may_have_worked = matches!(settlement.outcome, Outcome::Accepted | Outcome::Unknown);
    let could_prove = plan.flow.proven_by.is_some() && may_have_worked;
    target::id(&plan.target).is_some() && (could_prove || is_ambiguous(plan, settlement))
}

/// Okta has one code for a user that it does not know and for one that is deactivated. A 404 without it is
/// somebody else's, and says nothing of the user.
fn is_ambiguous(plan: &Plan, settlement: &Settlement) -> bool {
    let receipt = &settlement.receipt;
    let is_oktas = || evidence::okta_code(receipt).as_deref() == Some("E0000007");
    plan.flow.operation.is_some() && receipt.status == Some(404) && is_oktas()
}

/// Re-reads until the target is in the wanted state or the waits run out, and says what was seen.
pub(super) async fn verify(
    directory: &dyn Directory,
    waits: &[Duration],
    plan: &Plan,
    mut settlement: Settlement,
) -> Settlement {
    let Some(id) = target::id(&plan.target) else { return settlement };
    if is_ambiguous(plan, &settlement) {
        return told_apart(directory, plan, id, settlement).await;
    }
    let Some(by) = plan.flow.proven_by else { return settlement };
    let mut seen = "not re-read".to_owned();
    for (tries, wait) in (1_usize..).zip(waits) {
        sleep(*wait).await;
        let part = directory.okta_user(id).await;
        if let Some(proof) = proof(&part, by, plan) {
            settlement.receipt.verified = Some(proof);
            return Settlement { evidence: Evidence::Verified, outcome: Outcome::Changed, ..settlement };
        }
        seen = unproven(&part, tries);
    }
    settlement.receipt.verified = Some(seen);
    settlement
}

/// What a 404 meant, by one more look at the user.
async fn told_apart(
    directory: &dyn Directory,
    plan: &Plan,
    id: &str,
    mut settlement: Settlement,
) -> Settlement {
    let part = directory.okta_user(id).await;
    let at = time::rfc3339_seconds(part.at);
    let is_so = |user: &OktaUser| plan.flow.proven_by.is_some_and(|by| target::is_proven(user, by));
    let (outcome, said) = match &part.data {
        Some(user) if is_so(user) => (Outcome::NoChange, format!("re-read at {at}: {} already", user.status)),
        Some(user) => {
            (Outcome::NotLegal, format!("re-read at {at}: the account is there, and {}", user.status))
        }
        None if part.is_of_nobody() => {
            (Outcome::Refused, format!("re-read at {at}: Okta knows no such account any more"))
        }
        None => (settlement.outcome, unproven(&part, 1)),
    };
    settlement.receipt.verified = Some(said);
    Settlement { outcome, ..settlement }
}

fn proof(part: &Part<OktaUser>, by: ProvenBy, plan: &Plan) -> Option<String> {
    let user = part.data.as_ref().filter(|user| target::is_proven(user, by))?;
    let before = target::status(&plan.target).unwrap_or("not known");
    Some(format!("re-read at {}: {}, before {before}", time::rfc3339_seconds(part.at), user.status))
}

fn unproven(part: &Part<OktaUser>, tries: usize) -> String {
    match (&part.data, part.problems.first()) {
        (Some(user), _) => format!("re-read {tries} times: still {}", user.status),
        (None, Some(problem)) => format!("could not be re-read: {}", problem.line()),
        (None, None) => "could not be re-read".to_owned(),
    }
}
