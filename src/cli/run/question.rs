//! What a confirmation asks for on the command line, and whether the command line answers it.

use crate::cli::args::{self, Answers};
use crate::cli::failure::Failure;
use crate::domain::plan::{Confirm, Plan};
use crate::domain::{FlowId, Untrusted};
use std::fmt;

/// What has to be answered before anything is sent.
pub(super) struct Question<'a> {
    flow: &'a FlowId,
    wanted: Wanted<'a>,
    /// Behind the hint: how many of those who are named are acted on.
    of: String,
    is_high: bool,
    /// Who makes it so, where somebody does.
    because: String,
    wants_reason: bool,
}

/// What `--confirm` has to say.
enum Wanted<'a> {
    /// Which account is meant: the one that the plan is on.
    Account(&'a Plan),
    /// How many are acted on.
    Count(usize),
}

impl Wanted<'_> {
    fn is_said(&self, said: &str) -> bool {
        match self {
            Wanted::Account(plan) => plan.is_said(said),
            Wanted::Count(count) => said.trim() == count.to_string(),
        }
    }
}

impl fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wanted::Account(plan) => write!(f, "{}", Untrusted::from(plan.to_say())),
            Wanted::Count(count) => write!(f, "{count}"),
        }
    }
}

impl<'a> Question<'a> {
    /// For one.
    pub(super) fn of_one(plan: &'a Plan) -> Question<'a> {
        Question::of(&[plan], plan, Wanted::Account(plan))
    }

    /// For those of so many who are acted on; `None` where nobody is.
    pub(super) fn of_many(acting: &[&'a Plan], named: usize) -> Option<Question<'a>> {
        let first = acting.first()?;
        let count = acting.len();
        let of = if count == named { String::new() } else { format!(": {count} of {named} are acted on") };
        Some(Question { of, ..Question::of(acting, first, Wanted::Count(count)) })
    }

    fn of(acting: &[&'a Plan], first: &'a Plan, wanted: Wanted<'a>) -> Question<'a> {
        let raised = acting.iter().find(|plan| plan.is_raised());
        let by = raised.and_then(|plan| Some((plan, plan.blast.as_ref()?.administrator().words)));
        Question {
            flow: &first.flow.id,
            wanted,
            of: String::new(),
            is_high: acting.iter().any(|plan| matches!(plan.confirm, Confirm::Login(_))),
            because: by
                .map(|(plan, words)| {
                    format!(" here, `{}` is an administrator ({words})", Untrusted::from(plan.to_say()))
                })
                .unwrap_or_default(),
            wants_reason: acting.iter().any(|plan| plan.reason_required),
        }
    }

    /// Whether the command line answers it. `--confirm` has to be right even where `--yes` would do: who types it
    /// wrong means somebody else.
    pub(super) fn answered(&self, what: &args::Run) -> Result<(), Failure> {
        let Answers { yes, confirm, reason, .. } = &what.answers;
        let Question { flow, wanted, of, because, .. } = self;
        if !yes && confirm.is_none() {
            return Err(Failure::usage(format!(
                "flow `{flow}` wants a confirmation\nhint: `--dry-run` shows what would be sent, `--yes` sends it"
            )));
        }
        if self.wants_reason && reason.as_ref().is_none_or(|reason| reason.trim().is_empty()) {
            return Err(Failure::usage(format!("flow `{flow}` wants a reason\nhint: `--reason TEXT`")));
        }
        let hint = format!("`--confirm {wanted}`, after a look at `--dry-run`{of}");
        match confirm {
            Some(typed) if wanted.is_said(typed) => Ok(()),
            Some(typed) => {
                Err(Failure::usage(format!("`--confirm {typed}` is not what is asked for\nhint: {hint}")))
            }
            None if self.is_high => Err(Failure::usage(format!(
                "flow `{flow}` is of high risk{because}: `--yes` is not enough\nhint: {hint}"
            ))),
            None => Ok(()),
        }
    }
}
