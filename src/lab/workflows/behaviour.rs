//! What the flows do to the lab's own Okta, and what they make of an error: the templates catch it and answer as if
//! nothing had happened, so "finished" and "verified" differ.
use super::payload::Payload;
use crate::lab::okta::{Act, OktaError, Operation, Recipient, end_sessions_of, join, operate};
use crate::lab::world::World;

/// How a flow behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Suspend,
    ResetPassword,
    AddToGroup,
    /// Acts in a system that the lab does not have.
    Foreign(&'static str),
    /// The event-hook template: a router by product and title.
    Router,
    Contain,
    Release,
    FanOut,
    Pretend,
    Slow,
    TooSlow,
    CloseEarly,
    Raw,
}

/// What became of one user.
pub(super) type Remedied = Result<(), OktaError>;

/// Runs the remediation.
pub(super) fn run(world: &World, behaviour: Behaviour, payload: &Payload, execution: &str) -> Vec<Remedied> {
    let one = |operation: Operation| vec![apply(world, operation, &payload.entity, execution)];
    match behaviour {
        Behaviour::Suspend | Behaviour::Slow | Behaviour::TooSlow | Behaviour::CloseEarly => {
            one(Operation::Suspend)
        }
        Behaviour::ResetPassword => one(Operation::ResetPassword),
        Behaviour::Release => one(Operation::Unsuspend),
        Behaviour::AddToGroup => vec![add_to_group(world, &payload.entity, execution)],
        Behaviour::Contain => vec![contain(world, &payload.entity, execution)],
        Behaviour::FanOut => payload.users.iter().map(|login| contain(world, login, execution)).collect(),
        Behaviour::Router if unused_okta_admin(payload) => one(Operation::Suspend),
        Behaviour::Router => Vec::new(),
        Behaviour::Foreign(_) => vec![Ok(())],
        Behaviour::Pretend => vec![Err(OktaError::no_permission())],
        Behaviour::Raw => vec![Err(OktaError::validation("entityIdInService"))],
    }
}

/// The router's example condition; titles drift, and then nothing happens.
fn unused_okta_admin(payload: &Payload) -> bool {
    let title = payload.title.to_lowercase();
    payload.product.eq_ignore_ascii_case("okta") && title.contains("unused") && title.contains("admin")
}

/// No template checks the product: whatever stands in the field goes to Okta.
fn apply(world: &World, operation: Operation, entity: &str, execution: &str) -> Remedied {
    operate(world, entity, operation, Recipient::User, &Act::by_flow(operation.event_type(), execution))
        .map(drop)
}

fn contain(world: &World, entity: &str, execution: &str) -> Remedied {
    let id = world.directory().find(entity)?.id.clone();
    end_sessions_of(world, &id, &Act::by_flow("user.session.clear", execution))?;
    apply(world, Operation::Suspend, &id, execution)
}

fn add_to_group(world: &World, entity: &str, execution: &str) -> Remedied {
    let (user, group) = {
        let directory = world.directory();
        let quarantine =
            directory.groups.iter().find(|(name, _)| *name != "Everyone").map(|(_, id)| id.clone());
        (directory.find(entity)?.id.clone(), quarantine.unwrap_or_default())
    };
    join(world, &group, &user, &Act::by_flow("group.user_membership.add", execution))
}
