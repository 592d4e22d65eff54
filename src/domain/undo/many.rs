//! What undoes a run on many: the inverse of its flow, on each whom it changed, each by an action of their own.
//!
//! Who was not changed is not meant. Where nobody knows whether they were, or nothing undoes it on them, they stand
//! among those who are left out, with the reason.

use super::{Undo, Undoes};
use crate::domain::action::{Action, Outcome};
use crate::domain::bulk::{BulkEnd, BulkId, BulkRun, BulkState, BulkUser};
use crate::domain::many::Mark;
use crate::domain::{Flow, FlowId, Login, Untrusted};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// A run that undoes a run on many.
#[derive(Debug, Clone, PartialEq)]
pub struct UndoMany {
    /// What it undoes.
    pub run: BulkId,
    /// What that did, in words.
    pub what: String,
    /// The flow that is the inverse.
    pub flow: FlowId,
    /// What it is told besides, the same for everybody.
    pub inputs: BTreeMap<String, String>,
    /// On whom.
    pub whom: Vec<Mark>,
    /// Whom nothing undoes by it, and why.
    pub left_out: Vec<(Mark, String)>,
    /// So many it did not change: there is nothing to undo of them.
    pub unchanged: usize,
    undoes: BTreeMap<String, Undoes>,
}

impl UndoMany {
    /// What of somebody is undone.
    pub fn undoes(&self, login: &Login) -> Option<&Undoes> {
        self.undoes.get(login.folded())
    }

    /// `suspend the Okta account (run 6f1c1b5e); 3 whom it did not change are not meant`.
    pub fn words(&self) -> String {
        let short: String = self.run.to_string().chars().take(8).collect();
        let unchanged = match self.unchanged {
            0 => String::new(),
            1 => "; 1 whom it did not change is not meant".to_owned(),
            n => format!("; {n} whom it did not change are not meant"),
        };
        format!("{} (run {short}){unchanged}", self.what)
    }
}

/// The flow that undoes a run.
///
/// # Errors
/// A sentence that says why there is none, or not now.
pub fn inverse<'a>(run: &BulkRun, flows: &'a [Flow], now: Timestamp) -> Result<&'a Flow, String> {
    if run.state == BulkState::Running && !run.is_interrupted(now) {
        return Err("it is being driven: have it wait, or stop it, first".to_owned());
    }
    super::inverse(&run.flow, flows).map(|(_, inverse)| inverse)
}

/// The run that undoes a run, from its users and the actions that are there on each.
///
/// # Errors
/// A sentence that says why there is none.
pub fn of(
    run: &BulkRun,
    users: &[(BulkUser, Vec<Action>)],
    flows: &[Flow],
    now: Timestamp,
) -> Result<UndoMany, String> {
    let flow = inverse(run, flows, now)?.id.clone();
    let mut all = UndoMany {
        run: run.id,
        what: run.verb.clone(),
        flow,
        inputs: BTreeMap::new(),
        whom: Vec::new(),
        left_out: Vec::new(),
        unchanged: 0,
        undoes: BTreeMap::new(),
    };
    for (user, actions) in users {
        let mark = Mark { login: user.login.clone(), finding: user.finding };
        match of_user(user, actions, flows) {
            None => all.unchanged += 1,
            Some(Ok(undo)) => all.take(mark, undo),
            Some(Err(why)) => all.left_out.push((mark, why)),
        }
    }
    match (all.whom.is_empty(), all.left_out.first()) {
        (false, _) => Ok(all),
        (true, None) => Err("it changed nobody: there is nothing to undo".to_owned()),
        (true, Some((mark, why))) => {
            let others = match all.left_out.len() - 1 {
                0 => String::new(),
                1 => "; 1 other is left out too".to_owned(),
                n => format!("; {n} others are left out too"),
            };
            Err(format!("`{}`: {why}{others}", mark.login))
        }
    }
}

impl UndoMany {
    /// Takes somebody in, if they are undone as the others are.
    fn take(&mut self, mark: Mark, undo: Undo) {
        if self.whom.is_empty() {
            self.inputs.clone_from(&undo.inputs);
        }
        if let Some(why) = self.differs(&mark, &undo) {
            let why = format!("{why}: `idtriage undo {}` undoes it by itself", undo.undoes.action);
            return self.left_out.push((mark, why));
        }
        self.undoes.insert(mark.login.folded().to_owned(), undo.undoes);
        self.whom.push(mark);
    }
}

impl UndoMany {
    /// Why somebody is not undone as the others are, or not by the same run.
    fn differs(&self, mark: &Mark, undo: &Undo) -> Option<String> {
        if undo.flow != self.flow {
            return Some(format!("flow `{}` undoes it, and not `{}`", undo.flow, self.flow));
        }
        let names: BTreeSet<&String> = undo.inputs.keys().chain(self.inputs.keys()).collect();
        let of = |inputs: &BTreeMap<String, String>, name: &str| match inputs.get(name) {
            Some(value) => format!("`{}`", Untrusted::from(value.as_str())),
            None => "nothing".to_owned(),
        };
        let other = names.into_iter().find(|name| undo.inputs.get(*name) != self.inputs.get(*name));
        if let Some(name) = other {
            let (own, others) = (of(&undo.inputs, name), of(&self.inputs, name));
            return Some(format!("what undoes it is told `{name}` is {own}, and for the others {others}"));
        }
        // One login may be there by two findings, and was changed twice.
        let first = self.undoes(&mark.login)?;
        Some(format!("it changed this login twice, and by this run action {} is undone", first.action))
    }
}

/// What undoes the run on one user; nothing where it did not change them.
fn of_user(user: &BulkUser, actions: &[Action], flows: &[Flow]) -> Option<Result<Undo, String>> {
    let open = actions.iter().find(|action| action.is_unknown() || action.outcome == Outcome::Pending);
    if let Some(open) = open {
        return Some(Err(format!(
            "whether it changed them is not known: look at action {} again, or undo it by itself",
            open.id
        )));
    }
    if let Some(undone) = BulkEnd::undone_by(actions) {
        return Some(Err(format!("it is undone already, by action {} ({})", undone.by, undone.standing)));
    }
    let changed = actions.iter().filter(|action| action.had_effect());
    if changed.clone().next().is_some() {
        return Some(super::of_any(changed, flows));
    }
    if !actions.is_empty() {
        return None;
    }
    // No action tells of what the run's own word says was done.
    let of_run = user.end.as_ref().map(|end| end.outcome);
    of_run
        .filter(|outcome| outcome.says_done() || matches!(outcome, Outcome::Unknown | Outcome::Pending))
        .map(|outcome| Err(format!("it is {}, and its action is not in the store", outcome.word())))
}

#[cfg(test)]
mod tests;
