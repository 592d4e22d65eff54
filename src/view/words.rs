//! The words and signs of the screen for what the domain only names.

use super::theme::Role;
use crate::app::msg::{Progress, Stage};
use crate::domain::access::Access;
use crate::domain::bulk::BulkState;
use crate::domain::counts::StateCounts;
use crate::domain::many::Exception;
use crate::domain::plan::Refusal;
use crate::domain::{
    Evidence, FindingState, NOTHING, Outcome, Receipt, RunEnd, Severity, SourceHealth, SourceState,
};
use jiff::Timestamp;

/// How loud a verdict on what may be done is.
pub(super) fn access_role(access: &Access) -> Role {
    match access {
        // What is only told at the call is so on every card: nothing is wrong with it.
        Access::Likely(_) | Access::CannotTell(_) => Role::Muted,
        Access::Unlikely(_) => Role::Warning,
        Access::No(_) => Role::Alarm,
    }
}

/// A severity's sign, our own: told apart by shape, not by colour.
pub(super) fn glyph(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "◆",
        Severity::High => "▲",
        Severity::Medium => "●",
        Severity::Low => "○",
        Severity::Info => "·",
        Severity::Unknown => "?",
    }
}

/// A severity's word in four columns.
pub(super) fn short(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "crit",
        Severity::High => "high",
        Severity::Medium => "med",
        Severity::Low => "low",
        Severity::Info => "info",
        Severity::Unknown => "unkn",
    }
}

/// The state that a row of counts stands for: the one that most needs somebody.
pub(super) fn leading(counts: &StateCounts) -> Option<FindingState> {
    FindingState::ALL.into_iter().find(|state| counts.get(*state) > 0)
}

/// Counts in few columns: `2 open +1`, or the state alone where there is one finding.
pub(super) fn brief(counts: &StateCounts) -> String {
    let total: u64 = FindingState::ALL.into_iter().map(|state| counts.get(state)).sum();
    let Some(state) = leading(counts) else { return NOTHING.to_owned() };
    match (counts.get(state), total) {
        (1, 1) => state.word().to_owned(),
        (n, total) if n == total => format!("{n} {}", state.word()),
        (n, total) => format!("{n} {} +{}", state.word(), total - n),
    }
}

/// Counts in full, a text of our own; the state alone where there is one finding.
pub(super) fn full(counts: &StateCounts) -> String {
    let words = counts.words();
    match words.strip_prefix("1 ") {
        Some(state) if !state.contains(' ') => state.to_owned(),
        _ => words,
    }
}

/// How far a run is, in a text of our own.
pub(super) fn stage(stage: Option<&Stage>) -> String {
    let Some(Stage { step, progress }) = stage else { return "starting…".to_owned() };
    let how = match progress {
        Progress::Intended => "the intent is in the journal…".to_owned(),
        Progress::Sending => "sending…".to_owned(),
        Progress::Answered(Some(status)) => format!("answered {status}…"),
        Progress::Answered(None) => "no answer came…".to_owned(),
        Progress::Verifying => "reading the target again…".to_owned(),
    };
    step.map_or(how.clone(), |step| format!("step {step}: {how}"))
}

/// What a level of evidence means.
pub(super) fn evidence(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Intended => "the intent is in the journal; nothing has left",
        Evidence::Sent => "the request may have left; no answer came",
        Evidence::Acknowledged => "the other side answered over HTTP",
        Evidence::Finished => "the end of the run is on record",
        Evidence::Verified => "the target was read again and is in the wanted state",
    }
}

/// What an outcome means, from what came back. Never more than is known: an answer of 403 may be the
/// flow's own, and then something may have run.
pub(super) fn outcome(outcome: Outcome, receipt: Option<&Receipt>) -> String {
    let status = receipt.and_then(|receipt| receipt.status);
    let error = receipt.and_then(|receipt| receipt.error.as_deref());
    match (outcome, status, error) {
        (Outcome::Pending, ..) => "it has not ended yet".to_owned(),
        (Outcome::Accepted, Some(status), _) => {
            format!("answered {status}; whether anything changed is not proven")
        }
        (Outcome::Accepted, ..) => "whether anything changed is not proven".to_owned(),
        (Outcome::Changed, ..) => "the target is in the wanted state now and was not before".to_owned(),
        (Outcome::NoChange, ..) => "the target was in the wanted state already".to_owned(),
        (Outcome::NotLegal, ..) => "the target's state does not allow it".to_owned(),
        (Outcome::Refused, Some(status), _) => format!("answered {status}"),
        (Outcome::Refused, _, Some(error)) => error.to_owned(),
        (Outcome::Refused, ..) => "our own guard stopped it; nothing was sent".to_owned(),
        (Outcome::Failed, Some(status), _) => format!("answered {status}"),
        (Outcome::Failed, _, Some(error)) => format!("nothing was sent: {error}"),
        (Outcome::Failed, ..) => "nothing was sent".to_owned(),
        (Outcome::NotSent, _, Some(error)) => format!("held back, and not sent: {error}"),
        (Outcome::NotSent, ..) => "held back, and not sent".to_owned(),
        (Outcome::Unknown, Some(status), _) => format!("answered {status}: it may or may not have happened"),
        (Outcome::Unknown, _, Some(error)) => format!("it may or may not have happened: {error}"),
        (Outcome::Unknown, ..) => "it may or may not have happened".to_owned(),
    }
}

/// What a source's state looks like.
pub(super) fn role_of(state: &SourceState) -> Role {
    match state {
        SourceState::Starting | SourceState::Stopped => Role::Muted,
        SourceState::Running => Role::Good,
        SourceState::Waiting { .. } => Role::Warning,
        SourceState::Failed { .. } => Role::Alarm,
    }
}

/// How many of the sources can be trusted to bring what there is.
pub(super) fn sources_ok(sources: &[SourceHealth], now: Timestamp) -> String {
    let ready = sources.iter().filter(|source| source.is_well(now)).count();
    match (ready, sources.len()) {
        (1, 1) => "1 source ok".to_owned(),
        (ready, all) if ready == all => format!("{all} sources ok"),
        (ready, all) => format!("{ready} of {all} sources ok"),
    }
}

/// A number in groups of three digits.
pub(super) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A size in the unit that needs the fewest digits: `812 MiB`, `1.2 GiB`.
pub(super) fn size(bytes: u64) -> String {
    let (mut size, mut units) = (bytes as f64, ["B", "KiB", "MiB", "GiB", "TiB"].into_iter());
    let mut unit = units.next().unwrap_or_default();
    while size >= 1024.0 {
        let Some(next) = units.next() else { break };
        (size, unit) = (size / 1024.0, next);
    }
    if size < 10.0 && unit != "B" { format!("{size:.1} {unit}") } else { format!("{size:.0} {unit}") }
}

/// A sentence starts with a capital letter.
pub(super) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// How an action ended, and what that means.
pub(super) fn ended(ended: Outcome, receipt: Option<&Receipt>) -> String {
    format!("{}: {}", ended.word(), outcome(ended, receipt))
}

/// How a run ended: of several steps, each in a few words.
pub(super) fn run_ended(end: &RunEnd) -> String {
    match end.only_action() {
        Some(action) => ended(action.outcome, action.receipt.as_ref()),
        None => end.brief(),
    }
}

/// That nothing leaves, and why.
pub(super) fn refused(refusal: &Refusal) -> String {
    match refusal.outcome {
        Outcome::NoChange => format!("nothing to do: {}", refusal.why),
        Outcome::NotLegal => said_once("not legal now", &refusal.why),
        _ => format!("refused: {}", refusal.why),
    }
}

/// Why somebody of many is left out: its kind is said once.
pub(super) fn left_out(kind: Exception, why: &str) -> String {
    said_once(kind.words(), why)
}

/// A kind and its reason, or the reason alone where it says the kind itself: `not legal from STAGED`.
fn said_once(kind: &str, why: &str) -> String {
    let stem = kind.strip_suffix(" now").unwrap_or(kind);
    if why.starts_with(stem) { why.to_owned() } else { format!("{kind}: {why}") }
}

/// How loud that is, with its sign: nothing is wrong where nothing has to be done.
pub(super) fn refused_role(refusal: &Refusal) -> (&'static str, Role) {
    if refusal.outcome == Outcome::NoChange { ("- ", Role::Muted) } else { ("! ", Role::Alarm) }
}

/// The same as a title.
pub(super) fn refused_title(refusal: &Refusal) -> &'static str {
    match refusal.outcome {
        Outcome::NoChange => "Nothing to do",
        Outcome::NotLegal => "Not legal now",
        _ => "Refused",
    }
}

/// How loud the state of a run on many is.
pub(super) fn run_state_role(state: BulkState) -> Role {
    match state {
        BulkState::Running => Role::Accent,
        BulkState::Paused => Role::Warning,
        BulkState::Stopped => Role::Muted,
        BulkState::Done => Role::Good,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_sizes_are_short() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
        let sizes = [0, 1_023, 1_536, 851_443_712, 1_288_490_189, u64::MAX];
        assert_eq!(sizes.map(size), ["0 B", "1023 B", "1.5 KiB", "812 MiB", "1.2 GiB", "16777216 TiB"]);
    }

    #[test]
    fn how_far_a_run_is_says_in_which_step() {
        let run = crate::domain::ActionId(uuid::Uuid::nil());
        let of = |step| Stage { step, progress: Progress::Sending };
        let second = crate::domain::action::StepOf { run, number: 2, of: 2 };
        assert_eq!(stage(Some(&of(Some(second)))), "step 2 of 2: sending…");
        assert_eq!((stage(Some(&of(None))), stage(None)), ("sending…".to_owned(), "starting…".to_owned()));
    }

    #[test]
    fn counts_are_said_briefly() {
        let counts = |open, claimed, closed| StateCounts { open, claimed, snoozed: 0, closed };
        assert_eq!(brief(&counts(0, 0, 0)), "-");
        assert_eq!(brief(&counts(1, 0, 0)), "open");
        assert_eq!(brief(&counts(2, 1, 0)), "2 open +1");
        assert_eq!(brief(&counts(0, 0, 3)), "3 closed");
        assert_eq!(full(&counts(0, 1, 0)), "claimed");
        assert_eq!(full(&counts(1, 1, 0)), "1 open · 1 claimed");
    }
}
