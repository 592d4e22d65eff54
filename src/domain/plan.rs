//! What is about to happen, exactly: the content of a confirm card and of a dry run.

use super::access::Access;
use super::account_name::AccountName;
use super::action::{ShownRequest, StepOf};
use super::blast::Blast;
use super::operation::{Delivery, Particulars};
use super::run_end::StepEnd;
use super::subject::ProviderAccount;
use super::undo::Undoes;
use super::{ActionId, EventId, FindingId, Flow, FlowId, Login, Outcome, Risk, Untrusted};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt;
use url::Url;

/// What a confirmation asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirm {
    /// `y` or `n`.
    Key,
    /// This word is typed.
    Word(String),
    /// The login is typed.
    Login(Login),
}

impl Confirm {
    /// What a risk asks for on one subject.
    pub fn of(risk: Risk, login: &Login, word: &str) -> Confirm {
        match risk {
            Risk::Low => Confirm::Key,
            Risk::Medium => Confirm::Word(word.to_owned()),
            Risk::High => Confirm::Login(login.clone()),
        }
    }

    /// Whether what was typed is what was asked for. A login is compared case-folded.
    pub fn accepts(&self, typed: &str) -> bool {
        match self {
            Confirm::Key => typed.eq_ignore_ascii_case("y"),
            Confirm::Word(word) => typed.trim() == word,
            Confirm::Login(login) => Login::new(typed) == *login,
        }
    }
}

/// The target as it was re-read for the card.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// It was read.
    Read {
        /// When.
        at: Timestamp,
        /// From where: `Okta`.
        from: &'static str,
        /// Named facts, in the order of the card: `status` = `ACTIVE`.
        facts: Vec<Fact>,
    },
    /// It cannot be read, and why.
    CannotTell(String),
}

/// What a fact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactKind {
    /// What the target is: when it changes, the analyst has to look again.
    State,
    /// What the target did last: shown, but an account under attack signs in while one decides.
    Activity,
}

/// One named fact of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Its name.
    pub name: String,
    /// Its value, ready to be shown.
    pub value: String,
    /// What it is about.
    pub kind: FactKind,
}

impl Target {
    /// The facts that were read.
    pub fn facts(&self) -> &[Fact] {
        match self {
            Target::Read { facts, .. } => facts,
            Target::CannotTell(_) => &[],
        }
    }

    /// When it was read.
    pub fn at(&self) -> Option<Timestamp> {
        match self {
            Target::Read { at, .. } => Some(*at),
            Target::CannotTell(_) => None,
        }
    }

    /// Why it cannot be read, if so.
    pub fn unread(&self) -> Option<&str> {
        match self {
            Target::Read { .. } => None,
            Target::CannotTell(why) => Some(why),
        }
    }

    /// A fact's value.
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.facts().iter().find(|fact| fact.name == name).map(|fact| fact.value.as_str())
    }

    /// What differs in the state of a newer reading: name, then, now.
    pub fn changes(&self, newer: &Target) -> Vec<(String, String, String)> {
        let state = newer.facts().iter().filter(|fact| fact.kind == FactKind::State);
        let changed = |fact: &&Fact| self.fact(&fact.name).is_some_and(|then| then != fact.value);
        state
            .filter(changed)
            .map(|fact| {
                let then = self.fact(&fact.name).unwrap_or_default().to_owned();
                (fact.name.clone(), then, fact.value.clone())
            })
            .collect()
    }
}

/// What a request is made from, before it is shown and again before it leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Which flow.
    pub flow: FlowId,
    /// The id of the account that is acted on, where one is known.
    pub target: Option<String>,
    /// The body.
    pub body: String,
    /// The action's id.
    pub action: String,
    /// Who acts, as the flow is told.
    pub operator: String,
    /// What an operation of Okta's own is told besides.
    pub particulars: Particulars,
}

/// Why something will not be sent at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why, in words.
    pub why: String,
    /// What that makes of it: refused by us, nothing to change, or not legal now.
    pub outcome: Outcome,
    /// Whether it may be so for everybody: something cannot be read, or is switched off.
    pub is_general: bool,
}

impl Refusal {
    /// There is nothing to change.
    pub fn no_change(why: impl Into<String>) -> Refusal {
        Refusal { why: why.into(), outcome: Outcome::NoChange, is_general: false }
    }

    /// The target's state does not allow it.
    pub fn not_legal(why: impl Into<String>) -> Refusal {
        Refusal { why: why.into(), outcome: Outcome::NotLegal, is_general: false }
    }

    /// Of something that is so whoever is acted on, as far as anybody can tell.
    #[must_use]
    pub fn general(self) -> Refusal {
        Refusal { is_general: true, ..self }
    }
}

/// By a guard of ours.
impl From<String> for Refusal {
    fn from(why: String) -> Refusal {
        Refusal { why, outcome: Outcome::Refused, is_general: false }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// A field that will hold something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its name, as it came.
    pub name: Untrusted,
    /// What it holds now, if anything.
    pub was: Option<Untrusted>,
    /// What it will hold, if anything.
    pub becomes: Option<Untrusted>,
}

/// What a plan was asked for with, besides the flow, the login and the finding.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AskedFor {
    /// The event that was named.
    pub event: Option<EventId>,
    /// The account that was chosen, where there were several.
    pub account: Option<AccountName>,
    /// The values that were given for inputs.
    pub inputs: BTreeMap<String, String>,
}

/// What of it decides what leaves, and can become another by what arrives meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MadeOf {
    /// The event whose texts and record go into the body, where there is one.
    pub event: Option<EventId>,
    /// The digest of the body, where something is sent in one: without what differs from one planning to the next by
    /// design, which are the action's id, the time, and when the person last signed in. Of what has none, that of the
    /// method and the address, which names the account and the group; not kept of older runs.
    pub body: Option<String>,
}

/// That it may be somebody else's account that is acted on. Who means it says so by its login or its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountDoubt {
    /// Why, in words.
    pub why: String,
    /// The login that the account itself goes by, where it was read.
    pub login: Option<Login>,
}

/// What is about to happen.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The id that the action will have; the flow gets it too. Of a run of several it is the run's: each
    /// step has its own.
    pub action: ActionId,
    /// Where it is planned as one of several: which.
    pub step: Option<StepOf>,
    /// Whether the flow is only tried, with the documented sample: nobody is meant.
    pub is_test: bool,
    /// What it undoes, where it is planned for that.
    pub undoes: Option<Undoes>,
    /// The flow.
    pub flow: Flow,
    /// What is done, in words that name the group or the fields it is about.
    pub verb: String,
    /// The subject.
    pub login: Login,
    /// The id of the account that is acted on, where one is known: two logins may lead to the same.
    pub target_id: Option<String>,
    /// The login of that account, where it is not the subject's.
    pub account_login: Option<Login>,
    /// The finding it is run from.
    pub finding: Option<FindingId>,
    /// What it was planned from besides: by it the plan is made again before anything leaves.
    pub asked: AskedFor,
    /// The event it was made from, and what that makes of the body.
    pub made_of: MadeOf,
    /// What could not be read of the person, where something could not: the body may lack it.
    pub unread: Option<String>,
    /// The exact request, secrets masked; of a run of several, the first step's.
    pub request: ShownRequest,
    /// What an operation of Okta's own is told besides.
    pub particulars: Particulars,
    /// What will differ in the target's fields, where that is known.
    pub differences: Vec<Difference>,
    /// The plans of what a run of several runs, in this order; empty where there is one action.
    pub steps: Vec<Plan>,
    /// The target re-read just now.
    pub target: Target,
    /// The flow's risk, one tier up for somebody who is known to be an administrator.
    pub risk: Risk,
    /// How far it reaches; `None` where that was not read, or nobody is there yet.
    pub blast: Option<Blast>,
    /// What our credential may do of it, as far as is known before it is sent; `None` of a step, and where nobody looked.
    pub access: Option<Access>,
    /// What the confirmation asks for.
    pub confirm: Confirm,
    /// What this cannot know.
    pub cannot_know: Vec<String>,
    /// The template's own conditions and limits.
    pub caveats: Vec<String>,
    /// Why the analyst has to insist: an action of unknown outcome, or the same one a moment ago.
    pub needs_again: Option<String>,
    /// Of those reasons what may make it another's account: no insisting on a repeat answers that.
    pub account_doubt: Option<AccountDoubt>,
    /// The earlier action among those reasons: insisting covers it, and no other that comes meanwhile.
    pub follows: Option<ActionId>,
    /// Why it will not be sent at all.
    pub refusal: Option<Refusal>,
    /// What would undo it, in words.
    pub undo: String,
    /// Whether a reason is asked for.
    pub reason_required: bool,
}

impl Plan {
    /// The digest of what is shown: what leaves has to rebuild to the same.
    pub fn digest(&self) -> String {
        if self.steps.is_empty() {
            return self.request.digest();
        }
        let digests: Vec<String> = self.steps.iter().map(Plan::digest).collect();
        super::digest::of_parts(digests.iter().map(String::as_bytes))
    }

    /// What `--confirm` has to say: where it may be another's account, which one is meant, by the login that it goes
    /// by itself, else by its id; else the login that the confirmation asks for.
    pub fn to_say(&self) -> &str {
        let doubt = self.account_doubt.as_ref();
        let of_doubt =
            doubt.and_then(|doubt| doubt.login.as_ref().map(Login::raw).or(self.target_id.as_deref()));
        let of_tier = || match &self.confirm {
            Confirm::Login(login) => login.raw(),
            Confirm::Key | Confirm::Word(_) => self.login.raw(),
        };
        of_doubt.unwrap_or_else(of_tier)
    }

    /// What the card asks for: where it may be another's account, which one is meant, however low the risk is.
    pub fn to_confirm(&self) -> Confirm {
        match &self.account_doubt {
            Some(_) => Confirm::Login(Login::new(self.to_say())),
            None => self.confirm.clone(),
        }
    }

    /// Whether that is what was typed.
    pub fn is_confirmed_by(&self, typed: &str) -> bool {
        match &self.account_doubt {
            Some(_) => self.is_said(typed),
            None => self.confirm.accepts(typed),
        }
    }

    /// Whether that was said. Where it may be another's account, its id says it too.
    pub fn is_said(&self, said: &str) -> bool {
        let is_id = || self.account_doubt.is_some() && self.target_id.as_deref() == Some(said.trim());
        Login::new(said) == Login::new(self.to_say()) || is_id()
    }

    /// What makes another one-time link, where one was to be handed out by a step and did not come.
    pub fn missed_link(&self, end: &StepEnd) -> Option<&'static str> {
        let part = self.parts().iter().find(|part| part.flow.id == end.flow)?;
        let is_handed = part.particulars.delivery == Delivery::Handed;
        let operation = part.flow.operation.filter(|operation| operation.makes_link() && is_handed)?;
        let may_be_made = matches!(end.outcome(), Outcome::Accepted | Outcome::Changed | Outcome::Unknown);
        (may_be_made && end.link().is_none()).then(|| operation.another_link())
    }

    /// Whom it is on: by the account's own login first, where that is another one.
    pub fn whom(&self) -> String {
        whom(self.account_login.as_ref(), &self.login)
    }

    /// Which account that is: `Okta 00u1a2b3c4`; `None` where the flow is told a login alone.
    pub fn account(&self) -> Option<String> {
        let id = Untrusted::from(self.target_id.as_deref()?);
        Some(
            self.flow
                .product
                .map_or_else(|| id.to_string(), |product| format!("{} {id}", product.ispm_name())),
        )
    }

    /// Whether the risk is higher than the flow's, because of whom it is on.
    pub fn is_raised(&self) -> bool {
        self.risk > self.flow.risk
    }

    /// What is not sent though the rest is: `no suspend, not legal from DEPROVISIONED`. A step that would change nothing
    /// is missed by nobody.
    pub fn missing_steps(&self) -> Vec<String> {
        let is_sent = self.refusal.is_none();
        let steps = self.steps.iter().filter(|_| is_sent);
        let missing = steps.filter_map(|step| Some((step.flow.word(), step.refusal.as_ref()?)));
        missing
            .filter(|(_, refusal)| refusal.outcome != Outcome::NoChange)
            .map(|(word, refusal)| format!("no {word}, {}", refusal.why))
            .collect()
    }

    /// What becomes one action each: the steps, or the plan itself.
    pub fn parts(&self) -> &[Plan] {
        if self.steps.is_empty() { std::slice::from_ref(self) } else { &self.steps }
    }

    /// What its request is made from, by who acts.
    pub fn order(&self, operator: String) -> Order {
        Order {
            flow: self.flow.id.clone(),
            target: self.target_id.clone(),
            body: self.request.body.clone(),
            action: self.action.to_string(),
            operator,
            particulars: self.particulars.clone(),
        }
    }
}

/// `olga@example.com (ruth@example.com)`: the login of an account, and whom it was found by.
pub(super) fn whom(account: Option<&Login>, subject: &Login) -> String {
    match account {
        Some(account) if account != subject => format!("{account} ({subject})"),
        _ => subject.to_string(),
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_of_group = self.flow.is_of_group();
        let joint = match self.flow.product {
            _ if is_of_group || self.flow.creates() => ":",
            Some(_) => " of",
            // A router acts on nothing itself: it is handed something *for* somebody.
            None => " for",
        };
        write!(f, "{}{joint} {}", self.verb, self.whom())
    }
}

/// Whether a flow fits a subject, before it is offered.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// The flow.
    pub flow: Flow,
    /// Whether it is suggested for the finding's check.
    pub is_suggested: bool,
    /// What it would act on, or why it cannot.
    pub target: Result<FitTarget, String>,
}

/// A page that a flow opens, its link checked.
#[derive(Debug, Clone, PartialEq)]
pub struct WebPage {
    /// Where it is.
    pub url: Url,
    /// What it is about.
    pub of: PageOf,
}

/// What a page is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageOf {
    /// The flow itself, as configured.
    Flow,
    /// The finding: what its event refers to, an ISPM issue for one.
    Finding,
    /// The person.
    Person,
}

impl PageOf {
    /// The words on the screen.
    pub fn words(self) -> &'static str {
        match self {
            PageOf::Flow => "the flow's page",
            PageOf::Finding => "the finding's page",
            PageOf::Person => "the person's page",
        }
    }
}

/// What a fitting flow would act on.
#[derive(Debug, Clone, PartialEq)]
pub enum FitTarget {
    /// The one account of the flow's product.
    Account(ProviderAccount),
    /// Two or more: the analyst chooses.
    Choose(Vec<ProviderAccount>),
    /// No id is known, and the flow's card takes a login.
    Login(Login),
    /// The flow is told everything and decides itself (a router).
    Router(Option<ProviderAccount>),
    /// Nothing: it opens a page, and nothing is sent from here.
    Page(WebPage),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tier_asks_for_its_own() {
        let login = Login::new("Ann@Example.com");
        assert!(Confirm::of(Risk::Low, &login, "suspend").accepts("y"));
        assert!(Confirm::of(Risk::Medium, &login, "suspend").accepts("suspend"));
        assert!(!Confirm::of(Risk::Medium, &login, "suspend").accepts("y"));
        assert!(Confirm::of(Risk::High, &login, "suspend").accepts("ann@example.com"));
    }

    #[test]
    fn whom_it_is_on_is_told_by_the_account_first() {
        let (olga, ruth) = (Login::new("olga"), Login::new("ruth"));
        assert_eq!(whom(Some(&olga), &ruth), "olga (ruth)");
        assert_eq!(whom(Some(&Login::new("RUTH")), &ruth), "ruth");
        assert_eq!(whom(None, &ruth), "ruth");
    }

    #[test]
    fn a_changed_target_is_told() {
        let read = |status: &str| Target::Read {
            at: Timestamp::UNIX_EPOCH,
            from: "Okta",
            facts: vec![Fact { name: "status".into(), value: status.into(), kind: FactKind::State }],
        };
        assert_eq!(
            read("ACTIVE").changes(&read("SUSPENDED")),
            vec![("status".to_owned(), "ACTIVE".to_owned(), "SUSPENDED".to_owned())]
        );
        assert!(read("ACTIVE").changes(&read("ACTIVE")).is_empty());
    }
}
