//! An analyst's word on how an action ended, where nothing that can be read from here proves it.
//!
//! It is a word and no evidence: outcome and evidence stay as they are, and whatever is proven later goes before it.
//! What it ends is the asking: an action of which somebody said how it ended wants no insisting any more for being
//! unknown, and what is said not to have changed anything is not undone. Where the last look at the target contradicts
//! it, it is shown with that, and ends nothing.

use super::{Action, Evidence, Outcome};
use crate::domain::later::{self, Stands};
use crate::domain::untrusted::visible;
use crate::domain::{Actor, Flow, time};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is said of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// It did what it was to do.
    Changed,
    /// It did nothing.
    NotChanged,
}

impl Said {
    /// Both.
    pub const ALL: [Said; 2] = [Said::Changed, Said::NotChanged];

    /// The word on the command line, in the journal and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Said::Changed => "changed",
            Said::NotChanged => "not-changed",
        }
    }

    /// What a word says.
    pub fn parse(word: &str) -> Option<Said> {
        Said::ALL.into_iter().find(|said| said.word() == word)
    }

    /// For people: `not changed`.
    pub fn shown(self) -> &'static str {
        match self {
            Said::Changed => "changed",
            Said::NotChanged => "not changed",
        }
    }

    /// How an action ended by somebody's word: `changed, said by Bo`. Never the word of what is proven alone.
    pub fn by(self, name: &str) -> String {
        format!("{}, said by {}", self.shown(), visible(name))
    }
}

/// What stands beside every word, wherever there is room: what it is worth.
pub const UNPROVED: &str = "by an analyst's word, not proved";

/// Somebody's word on how an action ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnalystWord {
    /// What they say.
    pub said: Said,
    /// Who.
    pub actor: Actor,
    /// When.
    #[serde(with = "time::millis")]
    pub at: Timestamp,
    /// How they know.
    pub reason: String,
}

/// On the screen, in few words.
impl fmt::Display for AnalystWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said.by(self.actor.name()))
    }
}

impl AnalystWord {
    /// In full: who by every name, when, why, and what it is worth.
    pub fn in_full(&self) -> String {
        let (said, who) = (self.said.shown(), visible(&self.actor.signed()).into_owned());
        let at = time::rfc3339_seconds(self.at);
        format!("{said}, said by {who} at {at}: {} ({UNPROVED})", visible(&self.reason))
    }
}

/// Why nobody's word is taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoWord {
    /// It is under way.
    #[error("it has not ended yet: what becomes of it is for whoever runs it to say")]
    Pending,
    /// What is known of it is more than a word.
    #[error("it is {}: what is known goes before anybody's word", .0.word())]
    Known(Outcome),
    /// A look may prove what a word would only say.
    #[error(
        "its account can be read again: {how}\nhint: `idtriage journal check {action}` first; where that look reads the account and decides nothing, your word is taken"
    )]
    LookFirst {
        /// Which.
        action: super::ActionId,
        /// What the look would tell.
        how: String,
    },
    /// It did nothing, whatever stands at the account now.
    #[error(
        "it broke off before anything left: a change would be somebody else's\nhint: `not-changed` is what can be said of it"
    )]
    NeverLeft,
    /// That is said of it already.
    #[error("that is what it is by the word of {0} already")]
    Same(String),
}

/// Whether anybody's word is taken on how an action ended; answers the word that it contradicts, if there is one,
/// which has to be insisted on.
///
/// # Errors
/// A sentence that says why it is not taken.
pub fn may_be_given<'a>(
    action: &'a Action,
    flows: &[Flow],
    said: Said,
) -> Result<Option<&'a AnalystWord>, NoWord> {
    match action.outcome {
        Outcome::Unknown | Outcome::Accepted => {}
        Outcome::Pending => return Err(NoWord::Pending),
        known => return Err(NoWord::Known(known)),
    }
    if action.evidence == Evidence::Intended && said == Said::Changed {
        return Err(NoWord::NeverLeft);
    }
    let was_looked_at = action.receipt.as_ref().is_some_and(|receipt| receipt.last_look().is_some());
    if let (Ok(how), false) = (later::can_tell(action, flows), was_looked_at) {
        return Err(NoWord::LookFirst { action: action.id, how });
    }
    match action.word() {
        Some(before) if before.said == said => Err(NoWord::Same(before.actor.signed())),
        before => Ok(before),
    }
}

impl Action {
    /// What somebody says of how it ended, where nothing is proven of it. What is proven later goes before it.
    pub fn word(&self) -> Option<&AnalystWord> {
        let word = self.receipt.as_ref()?.word.as_ref()?;
        later::is_open(self).then_some(word)
    }

    /// What is said of it, if anything is.
    pub fn said(&self) -> Option<Said> {
        self.word().map(|word| word.said)
    }

    /// When the last look saw what contradicts the word: the target as it was before where it is said to have changed,
    /// as it was wanted where it is said not to have.
    pub fn contradicted(&self) -> Option<Timestamp> {
        let (at, stands) = self.receipt.as_ref()?.last_look()?;
        let contradicts = match self.said()? {
            Said::Changed => stands == Stands::Before,
            Said::NotChanged => stands == Stands::Wanted,
        };
        contradicts.then_some(at)
    }

    /// What is said of it and not contradicted: what is decided by.
    pub fn upheld(&self) -> Option<Said> {
        self.said().filter(|_| self.contradicted().is_none())
    }

    /// Whether nobody knows how it ended, and nobody has said so either, or a look contradicts who did.
    pub fn is_unknown(&self) -> bool {
        self.outcome == Outcome::Unknown && self.upheld().is_none()
    }

    /// How it ended, for people: the outcome, or by whose word it is another, and what contradicts that. What is undone
    /// by now says so first.
    pub fn standing(&self) -> String {
        let word = |word: &AnalystWord| self.with_contradiction(word.to_string());
        let ended = self.word().map_or_else(|| self.outcome.word().to_owned(), word);
        match &self.undone {
            Some(undone) => format!("{undone}, was {ended}"),
            None => ended,
        }
    }

    /// Somebody's word on it in full, and what contradicts it.
    pub fn word_in_full(&self) -> Option<String> {
        self.word().map(|word| self.with_contradiction(word.in_full()))
    }

    fn with_contradiction(&self, word: String) -> String {
        match self.contradicted() {
            Some(at) => format!("{word}, and contradicted by a re-read at {}", time::rfc3339_seconds(at)),
            None => word,
        }
    }

    /// With somebody's word on it. Outcome and evidence stay as they are.
    #[must_use]
    pub fn with_word(self, word: AnalystWord) -> Action {
        let receipt = super::Receipt { word: Some(word), ..self.receipt.clone().unwrap_or_default() };
        Action { receipt: Some(receipt), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::action;
    use super::super::{Receipt, Settlement};
    use super::*;
    use crate::domain::operation::{self, Operation};
    use crate::domain::preset;
    use rstest::rstest;

    const SUSPEND: &str = "okta-suspend";
    /// Acts on an account of Google's, which cannot be read from here.
    const GOOGLE: &str = "suspend-google-workspace-user";

    fn flows() -> Vec<Flow> {
        operation::flows().into_iter().chain(preset::all()).collect()
    }

    fn of(flow: &str, evidence: Evidence, outcome: Outcome) -> Action {
        let is_okta = Operation::of_flow(&flow.into()).is_some();
        Action {
            flow: flow.into(),
            before: is_okta.then(|| "ACTIVE".to_owned()),
            target_id: Some("1".to_owned()),
            ..action(evidence, outcome, None)
        }
    }

    fn word(said: Said) -> AnalystWord {
        let actor = Actor { analyst: Some("Bo".to_owned()), user: "root".to_owned(), ..Actor::default() };
        AnalystWord { said, actor, at: Timestamp::UNIX_EPOCH, reason: "asked them".to_owned() }
    }

    fn looked(action: Action) -> Action {
        seen(action, Stands::Otherwise)
    }

    fn seen(action: Action, stands: Stands) -> Action {
        let (outcome, evidence) = (action.outcome, action.evidence);
        let look = Settlement { outcome, evidence, receipt: Receipt::default() };
        action.settled_by(&look.looked_at(Timestamp::UNIX_EPOCH, stands))
    }

    #[rstest]
    #[case(GOOGLE, Evidence::Sent, Outcome::Unknown, [None, None])]
    #[case(GOOGLE, Evidence::Acknowledged, Outcome::Accepted, [None, None])]
    #[case(GOOGLE, Evidence::Finished, Outcome::Accepted, [None, None])]
    #[case(GOOGLE, Evidence::Sent, Outcome::Pending, [Some("not ended yet"); 2])]
    #[case(GOOGLE, Evidence::Verified, Outcome::Changed, [Some("it is changed"); 2])]
    #[case(GOOGLE, Evidence::Acknowledged, Outcome::Refused, [Some("it is refused"); 2])]
    #[case(GOOGLE, Evidence::Intended, Outcome::NotSent, [Some("it is not-sent"); 2])]
    #[case::nothing_left(GOOGLE, Evidence::Intended, Outcome::Unknown, [Some("somebody else's"), None])]
    #[case::it_can_be_read(SUSPEND, Evidence::Sent, Outcome::Unknown, [Some("journal check"); 2])]
    #[case::so_can_this(SUSPEND, Evidence::Acknowledged, Outcome::Accepted, [Some("journal check"); 2])]
    #[case::not_configured_any_more("gone", Evidence::Sent, Outcome::Unknown, [None, None])]
    fn a_word_is_taken_where_nothing_can_be_known(
        #[case] flow: &str,
        #[case] evidence: Evidence,
        #[case] outcome: Outcome,
        #[case] refused: [Option<&str>; 2],
    ) {
        for (said, expected) in Said::ALL.into_iter().zip(refused) {
            let action = of(flow, evidence, outcome);
            let found = may_be_given(&action, &flows(), said).map_err(|why| why.to_string());
            match (found, expected) {
                (Ok(None), None) => {}
                (Err(why), Some(expected)) if why.contains(expected) => {}
                (found, expected) => panic!("{said:?}: {found:?}, not {expected:?}"),
            }
        }
    }

    #[test]
    fn a_look_that_decided_nothing_lets_a_word_be_given() {
        let open = looked(of(SUSPEND, Evidence::Sent, Outcome::Unknown));
        assert_eq!(may_be_given(&open, &flows(), Said::Changed), Ok(None));
        // Neither is one that read nothing, of which earlier versions kept the time.
        let unread = Receipt { looked: Some(Timestamp::UNIX_EPOCH), ..Receipt::default() };
        let open = Action { receipt: Some(unread), ..of(SUSPEND, Evidence::Sent, Outcome::Unknown) };
        assert!(matches!(may_be_given(&open, &flows(), Said::Changed), Err(NoWord::LookFirst { .. })));
        // The re-reads of the run's own, a moment behind the send, are no such look.
        let seen =
            Receipt { verified: Some("re-read 3 times: still ACTIVE".to_owned()), ..Receipt::default() };
        let open = Action { receipt: Some(seen), ..of(SUSPEND, Evidence::Sent, Outcome::Unknown) };
        assert!(matches!(may_be_given(&open, &flows(), Said::Changed), Err(NoWord::LookFirst { .. })));
    }

    #[test]
    fn a_second_word_contradicts_or_is_none() {
        let said = of(GOOGLE, Evidence::Sent, Outcome::Unknown).with_word(word(Said::Changed));
        let flows = flows();
        let again = may_be_given(&said, &flows, Said::Changed).map_err(|why| why.to_string());
        assert!(again.unwrap_err().contains("root (analyst Bo, asserted)"));
        assert_eq!(may_be_given(&said, &flows, Said::NotChanged), Ok(Some(&word(Said::Changed))));
    }

    #[rstest]
    #[case(Said::Changed, "changed, said by Bo")]
    #[case(Said::NotChanged, "not changed, said by Bo")]
    fn a_word_is_no_evidence(#[case] said: Said, #[case] shown: &str) {
        for (evidence, outcome) in
            [(Evidence::Sent, Outcome::Unknown), (Evidence::Acknowledged, Outcome::Accepted)]
        {
            let action = of(GOOGLE, evidence, outcome);
            let with_word = action.clone().with_word(word(said));
            assert_eq!((with_word.evidence, with_word.outcome), (evidence, outcome));
            assert_eq!((with_word.standing(), with_word.is_unknown()), (shown.to_owned(), false));
            assert_eq!(with_word.to_json()["said"], said.word());
            assert_eq!(action.standing(), outcome.word());
        }
        let full = word(said).in_full();
        assert!(full.contains("root (analyst Bo, asserted)") && full.ends_with("not proved)"), "{full}");
    }

    #[rstest]
    #[case::still_as_before(Said::Changed, Stands::Before, true)]
    #[case::as_wanted(Said::Changed, Stands::Wanted, false)]
    #[case::as_neither(Said::Changed, Stands::Otherwise, false)]
    #[case::as_wanted_after_all(Said::NotChanged, Stands::Wanted, true)]
    #[case::as_before(Said::NotChanged, Stands::Before, false)]
    #[case::as_neither(Said::NotChanged, Stands::Otherwise, false)]
    fn a_look_that_contradicts_a_word_stands_beside_it_and_the_asking_goes_on(
        #[case] said: Said,
        #[case] stands: Stands,
        #[case] is_contradicted: bool,
    ) {
        let open = of(SUSPEND, Evidence::Sent, Outcome::Unknown).with_word(word(said));
        let looked = seen(open, stands);
        assert_eq!(looked.contradicted().is_some(), is_contradicted);
        assert_eq!((looked.is_unknown(), looked.said()), (is_contradicted, Some(said)));
        assert_eq!(looked.upheld().is_none(), is_contradicted);
        let contradiction = ", and contradicted by a re-read at 1970-01-01T00:00:00Z";
        for shown in [looked.standing(), looked.word_in_full().unwrap()] {
            assert!(shown.contains(&said.by("")[..5]), "{shown}");
            assert_eq!(shown.ends_with(contradiction), is_contradicted, "{shown}");
        }
        // A look that could read nothing takes back nothing of what the one before it saw.
        let unread = Settlement {
            evidence: looked.evidence,
            outcome: looked.outcome,
            receipt: Receipt { verified: Some("could not be re-read".to_owned()), ..Receipt::default() },
        };
        assert_eq!(looked.settled_by(&unread).contradicted().is_some(), is_contradicted);
    }

    #[rstest]
    #[case::proven_by_a_look(Evidence::Verified, Outcome::Changed, None, "changed")]
    #[case::it_was_refused(Evidence::Acknowledged, Outcome::Refused, Some(403), "refused")]
    #[case::it_was_answered(Evidence::Acknowledged, Outcome::Accepted, Some(202), "not changed, said by Bo")]
    #[case::a_look_that_decided_nothing(Evidence::Sent, Outcome::Unknown, None, "not changed, said by Bo")]
    fn what_is_known_later_goes_before_a_word(
        #[case] evidence: Evidence,
        #[case] outcome: Outcome,
        #[case] status: Option<u16>,
        #[case] standing: &str,
    ) {
        let said = of(GOOGLE, Evidence::Sent, Outcome::Unknown).with_word(word(Said::NotChanged));
        let later = Settlement { evidence, outcome, receipt: Receipt { status, ..Receipt::default() } };
        let settled = said.settled_by(&later.looked_at(Timestamp::UNIX_EPOCH, Stands::Otherwise));
        assert_eq!((settled.standing().as_str(), settled.outcome), (standing, outcome));
        let receipt = settled.receipt.unwrap();
        assert_eq!(receipt.word, Some(word(Said::NotChanged)), "it is not lost");
        assert!(receipt.looked.is_some() && receipt.status == status);
    }

    #[test]
    fn a_word_harms_no_terminal() {
        let actor = Actor { user: "ev\u{202e}e".to_owned(), ..Actor::default() };
        let word = AnalystWord { actor, ..word(Said::Changed) };
        assert_eq!(word.to_string(), "changed, said by ev<U+202E>e");
    }

    #[test]
    fn words_round_trip() {
        assert!(Said::ALL.into_iter().all(|said| Said::parse(said.word()) == Some(said)));
        let receipt = Receipt { word: Some(word(Said::Changed)), ..Receipt::default() };
        let json = serde_json::to_string(&receipt).unwrap();
        assert_eq!(serde_json::from_str::<Receipt>(&json).unwrap(), receipt);
    }
}
