//! How a call that acts on somebody ended, whichever system it went to.

use super::http::{ActEnd, Answer, HttpError};
use super::problem::line;
use super::{CallEnd, NoAnswer};
use crate::domain::FlowId;
use crate::domain::action::{Receipt, ShownRequest, Try};

/// The end of a request; `receipt` keeps an answer.
pub(super) fn of(end: ActEnd, receipt: impl FnOnce(&Answer, Vec<Try>) -> Receipt) -> CallEnd {
    match end {
        ActEnd::Answered(answer, tries) => CallEnd::Answered(receipt(&answer, tries)),
        ActEnd::Throttled(answer, tries) => CallEnd::Throttled(receipt(&answer, tries)),
        ActEnd::NotSent(error, tries) if tries.is_empty() && error.is_held_back() => {
            CallEnd::HeldBack(line(&error.into()))
        }
        ActEnd::NotSent(error, tries) => CallEnd::NotSent(no_answer(error, tries)),
        ActEnd::Unknown(error, tries) => CallEnd::Unknown(no_answer(error, tries)),
    }
}

/// What would leave has to be what was shown.
pub(super) fn same(flow: &FlowId, rebuilt: &ShownRequest, shown: &ShownRequest) -> Result<(), String> {
    if rebuilt.digest() == shown.digest() {
        return Ok(());
    }
    Err(format!("what flow `{flow}` would be sent is not what was shown; nothing was sent"))
}

fn no_answer(error: HttpError, tries: Vec<Try>) -> NoAnswer {
    let words = line(&error.into());
    let why = match tries.len() {
        0 => words,
        count => format!("{words} (after {count} tries that were refused before anything ran)"),
    };
    NoAnswer { why, tries }
}
