//! What the configuration can say already and this version does not do yet: refused by name, since a
//! setting that is silently without effect is worse than none.

use super::problem::{At, Problems};
use super::said::Said;

const NOT_YET: &str = "is not supported by this version";
const TAKE_OUT: &str = "take it out: a setting without effect is not accepted in silence";

/// Notes everything of that kind.
pub(super) fn note(said: &Said, problems: &mut Problems) {
    let mut refuse = |at: At, is_said: bool| {
        if is_said {
            problems.hinted(at, NOT_YET, TAKE_OUT);
        }
    };
    for (index, notify) in said.notify.iter().enumerate() {
        let is_known = matches!(notify.kind.as_deref(), Some("slack" | "webhook" | "bell"));
        refuse(At::element("[[notify]]", index).key("type"), is_known);
    }
}
