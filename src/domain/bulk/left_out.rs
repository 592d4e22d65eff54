//! Who of those who were planned is acted on, and who is left out: told before anything is sent, and what the
//! number is that a confirmation asks for.

use crate::domain::plan::{Plan, Refusal};
use crate::domain::{ActionId, Untrusted};
use std::collections::BTreeMap;

/// What becomes of who has something standing against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubts {
    /// They are left out.
    Stand,
    /// They are acted on all the same: that is insisted on.
    InsistedOn,
}

/// Why somebody is left out of a run on many, one for each plan in their order; `None` for who is acted on. A second
/// name of an account is left out: whoever is acted on is acted on once.
pub fn left_out(plans: &[Plan], doubts: Doubts) -> Vec<Option<Refusal>> {
    let mut accounts = BTreeMap::new();
    plans.iter().map(|plan| own(plan, doubts).or_else(|| second(plan, &mut accounts))).collect()
}

/// Why a plan is on an account that somebody is acted on by already.
fn second<'a>(plan: &'a Plan, accounts: &mut BTreeMap<&'a str, &'a Plan>) -> Option<Refusal> {
    let account = plan.target_id.as_deref()?;
    let first = accounts.insert(account, plan)?;
    accounts.insert(account, first);
    Some(Refusal::from(format!("the same account as `{}`: `{}`", first.login, Untrusted::from(account))))
}

fn own(plan: &Plan, doubts: Doubts) -> Option<Refusal> {
    let doubt = || plan.needs_again.clone().filter(|_| doubts == Doubts::Stand).map(Refusal::from);
    plan.refusal.clone().or_else(|| named_alone(plan)).or_else(doubt)
}

/// Whose account may be another's is left out, whatever is insisted on: one answer for all of them names none.
fn named_alone(plan: &Plan) -> Option<Refusal> {
    let why = &plan.account_doubt.as_ref()?.why;
    let said = Untrusted::from(plan.to_say());
    Some(Refusal::from(format!(
        "{why}: run it on them alone, saying `{said}` (typed there, or with `--confirm`)"
    )))
}

/// What of that insisting answers: not that it may be another's account.
pub fn insisted_by_again(plan: &Plan) -> Vec<String> {
    let of_account = plan.account_doubt.as_ref().map(|doubt| doubt.why.as_str()).unwrap_or_default();
    let is_of_account = |doubt: &String| of_account.split("; ").any(|text| text == doubt);
    doubts(plan).into_iter().filter(|doubt| !is_of_account(doubt)).collect()
}

/// What stands against a plan, a text each: an earlier action by its id, since its age changes, and anything else in
/// its words.
pub fn doubts(plan: &Plan) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for part in plan.parts() {
        let follows = part.follows.map(|action| action.to_string());
        let texts = part.needs_again.iter().flat_map(|texts| texts.split("; "));
        for text in texts {
            let newest = follows.as_ref().filter(|action| text.contains(action.as_str())).cloned();
            let earlier = newest.or_else(|| named_first(text).map(|action| action.to_string()));
            let doubt = earlier.map_or_else(|| text.to_owned(), |action| format!("action {action}"));
            if !all.contains(&doubt) {
                all.push(doubt);
            }
        }
    }
    all
}

/// The action that a text begins with.
fn named_first(text: &str) -> Option<ActionId> {
    text.strip_prefix("action ")?.split(' ').next()?.parse().ok()
}
