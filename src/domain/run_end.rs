//! How a run ended, step by step.

use super::plan::Refusal;
use super::{Action, FlowId, OneTimeLink, Outcome};

/// How a run ended. A flow of one action has one step.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEnd {
    /// The steps, in the order in which they were run.
    pub steps: Vec<StepEnd>,
}

/// How one step of a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct StepEnd {
    /// Which flow.
    pub flow: FlowId,
    /// What it does, in words.
    pub verb: String,
    /// How it ended.
    pub ended: Ended,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    /// It ran, and this is its action as it stands.
    Ran {
        /// The action.
        action: Box<Action>,
        /// The one-time link that came back, where one was asked for.
        link: Option<OneTimeLink>,
    },
    /// Nothing was sent.
    NotSent(Refusal),
    /// It may have been sent, and its end is not known here.
    Unsure(String),
}

impl StepEnd {
    /// Of one that ran, as its action stands.
    pub fn ran(action: Action, link: Option<OneTimeLink>) -> StepEnd {
        let (flow, verb) = (action.flow.clone(), action.verb.clone());
        StepEnd { flow, verb, ended: Ended::Ran { action: Box::new(action), link } }
    }

    /// As which outcome it counts.
    pub fn outcome(&self) -> Outcome {
        match &self.ended {
            Ended::Ran { action, .. } => action.outcome,
            Ended::NotSent(refusal) => refusal.outcome,
            Ended::Unsure(_) => Outcome::Unknown,
        }
    }

    /// The action, if there is one.
    pub fn action(&self) -> Option<&Action> {
        match &self.ended {
            Ended::Ran { action, .. } => Some(action),
            Ended::NotSent(_) | Ended::Unsure(_) => None,
        }
    }

    /// The one-time link, if one came back.
    pub fn link(&self) -> Option<&OneTimeLink> {
        match &self.ended {
            Ended::Ran { link, .. } => link.as_ref(),
            Ended::NotSent(_) | Ended::Unsure(_) => None,
        }
    }

    /// Whether something left for it, as far as is known.
    pub fn has_left(&self) -> bool {
        match &self.ended {
            Ended::Ran { action, .. } => !action.is_withheld(),
            Ended::NotSent(_) => false,
            Ended::Unsure(_) => true,
        }
    }

    fn what(&self) -> &str {
        self.verb.split_whitespace().next().unwrap_or_default()
    }

    /// What and how in the fewest words: `suspend: changed (verified)`.
    fn brief(&self) -> String {
        let what = self.what();
        match &self.ended {
            Ended::Ran { .. } => format!("{what}: {}", self.words()),
            Ended::NotSent(_) | Ended::Unsure(_) => format!("{what}: {}", self.outcome().word()),
        }
    }

    /// Outcome and evidence, or why there is none: `changed (verified)`.
    pub fn words(&self) -> String {
        match &self.ended {
            Ended::Ran { action, .. } => format!("{} ({})", action.outcome.word(), action.evidence.word()),
            Ended::NotSent(refusal) => format!("{}: {}", refusal.outcome.word(), refusal.why),
            Ended::Unsure(why) => format!("{}: {why}", Outcome::Unknown.word()),
        }
    }
}

impl RunEnd {
    /// A run of one action.
    pub fn of(step: StepEnd) -> RunEnd {
        RunEnd { steps: vec![step] }
    }

    /// What has to be known first of a run: the step that went worst. One that was held back behind another that was
    /// sent makes a run that failed: that nothing was sent is true of the step alone.
    pub fn outcome(&self) -> Outcome {
        match self.worst().map_or(Outcome::NoChange, StepEnd::outcome) {
            Outcome::NotSent if self.steps.iter().any(StepEnd::has_left) => Outcome::Failed,
            outcome => outcome,
        }
    }

    /// The step that went worst, the first of several that went alike.
    pub fn worst(&self) -> Option<&StepEnd> {
        self.steps.iter().min_by_key(|step| rank(step.outcome()))
    }

    /// The only action of a run of one.
    pub fn only_action(&self) -> Option<&Action> {
        match self.steps.as_slice() {
            [step] => step.action(),
            _ => None,
        }
    }

    /// Whether some went one way and some another.
    pub fn is_mixed(&self) -> bool {
        let mut statuses = self.steps.iter().map(|step| step.outcome().exit_status());
        let first = statuses.next();
        statuses.any(|status| Some(status) != first)
    }

    /// How it ended, in a line: `changed (verified)`, or that of each step, with why it was not sent.
    pub fn words(&self) -> String {
        match self.steps.as_slice() {
            [step] => step.words(),
            steps => joined(steps, |step| format!("{}: {}", step.what(), step.words())),
        }
    }

    /// The same in the fewest words, where the reasons stand beside them.
    pub fn brief(&self) -> String {
        joined(&self.steps, StepEnd::brief)
    }
}

fn joined(steps: &[StepEnd], words: impl Fn(&StepEnd) -> String) -> String {
    steps.iter().map(words).collect::<Vec<_>>().join("; ")
}

/// What has to be looked at comes before what went wrong, and that before what went well.
fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Unknown => 0,
        Outcome::Pending => 1,
        Outcome::Failed => 2,
        Outcome::NotSent => 3,
        Outcome::Refused => 4,
        Outcome::NotLegal => 5,
        Outcome::Accepted => 6,
        Outcome::Changed => 7,
        Outcome::NoChange => 8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn not_sent(outcome: Outcome) -> StepEnd {
        let refusal = Refusal { outcome, ..Refusal::from("why".to_owned()) };
        StepEnd { flow: "a".into(), verb: "do it".into(), ended: Ended::NotSent(refusal) }
    }

    #[rstest]
    #[case(&[Outcome::NoChange, Outcome::Unknown], Outcome::Unknown)]
    #[case(&[Outcome::Refused, Outcome::Changed], Outcome::Refused)]
    #[case(&[Outcome::NoChange, Outcome::Changed], Outcome::Changed)]
    #[case(&[Outcome::Accepted, Outcome::Changed], Outcome::Accepted)]
    fn the_worst_step_counts(#[case] outcomes: &[Outcome], #[case] expected: Outcome) {
        let end = RunEnd { steps: outcomes.iter().copied().map(not_sent).collect() };
        assert_eq!(end.outcome(), expected);
        assert!(end.brief().starts_with(&format!("do: {}; do: ", outcomes[0].word())));
        assert!(end.words().contains("why"), "a step that was not sent stands nowhere else");
    }

    #[test]
    fn a_link_is_in_no_debug_output() {
        let link = OneTimeLink::new("https://example.okta.com/tokens/secret".into());
        assert!(!format!("{link:?}").contains("tokens") && link.expose().contains("tokens"));
    }
}
