//! The flows of the lab: eight of the nine ISPM templates behind API Endpoints (the ninth can only be run by hand), and
//! some that show how an endpoint may behave.
use super::behaviour::Behaviour;
use super::executions::ulid;
use super::{FlowAuth, LabFlow};
use crate::lab::population::uuid;
use fastrand::Rng;

struct Plan {
    id: &'static str,
    name: &'static str,
    product: &'static str,
    risk: &'static str,
    behaviour: Behaviour,
    does: &'static str,
}

const fn plan(
    id: &'static str,
    name: &'static str,
    product: &'static str,
    risk: &'static str,
    behaviour: Behaviour,
    does: &'static str,
) -> Plan {
    Plan { id, name, product, risk, behaviour, does }
}

#[rustfmt::skip]
const TEMPLATES: [Plan; 8] = [
    plan("suspend-okta-account", "Suspend Okta Account", "Okta", "medium", Behaviour::Suspend,
        "suspends the Okta account; answers 200 even if Okta refused"),
    plan("okta-reset-user-password-upon-next-login", "Okta - Reset User Password Upon Next Login", "Okta", "medium", Behaviour::ResetPassword,
        "resets the password without a mail; answers 200 even if Okta refused"),
    plan("okta-add-user-to-a-group", "Okta - Add User to a Group", "Okta", "low", Behaviour::AddToGroup,
        "adds the account to the first group; answers 200 even if Okta refused"),
    plan("disable-entra-id-account", "Disable Entra ID Account", "AAD", "high", Behaviour::Foreign("AAD"),
        "notes the Entra id; the lab has no Entra"),
    plan("entra-id-add-user-to-a-group", "Entra ID - Add User to a Group", "AAD", "low", Behaviour::Foreign("AAD"),
        "notes the Entra id; the lab has no Entra"),
    plan("deactivate-salesforce-user", "Deactivate Salesforce User", "Salesforce.com", "high", Behaviour::Foreign("Salesforce.com"),
        "notes the Salesforce id; the lab has no Salesforce"),
    plan("suspend-google-workspace-user", "Suspend Google Workspace User", "Google Workspace", "high", Behaviour::Foreign("Google Workspace"),
        "notes the Google id; the lab has no Google Workspace"),
    plan("ispm-event-hook", "ISPM - Event Hook", "Okta", "medium", Behaviour::Router,
        "suspends unused Okta admins; anything else matches no branch and nothing happens"),
];

#[rustfmt::skip]
const OTHERS: [Plan; 8] = [
    plan("contain-user", "Contain user: suspend and end sessions", "Okta", "medium", Behaviour::Contain,
        "suspends and ends sessions; its answer is what Okta said"),
    plan("release-user", "Release user: unsuspend", "Okta", "medium", Behaviour::Release,
        "unsuspends; its answer is what Okta said"),
    plan("cii-suspend-failing", "CII event: clear sessions and suspend", "Okta", "high", Behaviour::FanOut,
        "closes with 200 first, then does every user of the event"),
    plan("always-content", "Answers 200 although the remediation failed", "Okta", "medium", Behaviour::Pretend,
        "does nothing and says that all is well"),
    plan("slow-flow", "Takes twenty seconds", "Okta", "medium", Behaviour::Slow,
        "suspends after twenty seconds, within the time limit"),
    plan("too-slow-flow", "Exceeds the sixty seconds", "Okta", "medium", Behaviour::TooSlow,
        "suspends at once, then holds the connection until the platform closes it"),
    plan("close-early", "Answers first, works later", "Okta", "medium", Behaviour::CloseEarly,
        "answers 202 at once and suspends five seconds later"),
    plan("raw-answer", "Answers with a status of its own", "Okta", "medium", Behaviour::Raw,
        "returns 422 and XML: the flow refused, the platform did not"),
];

/// What is configured for the flows that are no presets; the account's name follows it.
fn verb(behaviour: Behaviour) -> &'static str {
    match behaviour {
        Behaviour::Contain => "suspend and end the sessions",
        Behaviour::Release => "unsuspend the Okta account",
        Behaviour::FanOut => "clear the sessions and suspend the Okta account",
        Behaviour::Slow => "suspend, within twenty seconds, the Okta account",
        Behaviour::TooSlow => "suspend, past the time limit, the Okta account",
        Behaviour::CloseEarly => "suspend, some time after the answer, the Okta account",
        Behaviour::Raw => "refuse to suspend the Okta account",
        _ => "suspend the Okta account",
    }
}

/// `None` where nothing that Okta says could prove it.
fn proven_by(behaviour: Behaviour) -> Option<&'static str> {
    match behaviour {
        Behaviour::Release => Some("active"),
        Behaviour::Raw => None,
        _ => Some("suspended"),
    }
}

/// The flows of a seed at a base address.
pub(crate) fn flows(seed: u64, base: &str) -> Vec<LabFlow> {
    let mut rng = Rng::with_seed(seed ^ 0xf10e);
    let mut ids = Rng::with_seed(seed ^ 0xf10f);
    let templates = TEMPLATES.iter().map(|plan| (plan, true));
    let others = OTHERS.iter().map(|plan| (plan, false));
    templates.chain(others).map(|(plan, preset)| flow((&mut rng, &mut ids), base, plan, preset)).collect()
}

fn flow((rng, ids): (&mut Rng, &mut Rng), base: &str, plan: &Plan, preset: bool) -> LabFlow {
    let calls_helper = preset || plan.behaviour == Behaviour::FanOut;
    let alias = uuid(rng).replace('-', "");
    LabFlow {
        id: plan.id,
        name: plan.name,
        preset,
        url: format!("{base}/api/flo/{alias}/invoke"),
        auth: match plan.behaviour {
            Behaviour::Contain | Behaviour::Release => FlowAuth::OAuth,
            Behaviour::Raw => FlowAuth::Public,
            _ => FlowAuth::ClientToken,
        },
        payload: match plan.behaviour {
            Behaviour::Router => "ispm-nested",
            Behaviour::FanOut => "cii-event",
            _ => "ispm-flat",
        },
        verb: verb(plan.behaviour),
        proven_by: proven_by(plan.behaviour),
        does: plan.does,
        product: plan.product,
        risk: plan.risk,
        is_final: matches!(plan.behaviour, Behaviour::Contain | Behaviour::Release),
        inverse: match plan.behaviour {
            Behaviour::Contain => Some("release-user"),
            Behaviour::Release => Some("contain-user"),
            _ => None,
        },
        alias,
        log_id: ulid(ids),
        helper_id: calls_helper.then(|| ulid(ids)),
        behaviour: plan.behaviour,
    }
}
