//! One flow on many people as it is about to happen: whom it acts on, whom it leaves out and why, what is asked
//! for that, and how far it reaches altogether.

use super::blast::{Blast, BlastLine, Brief, FINDINGS_COUNTED, NO_ROLE, Told, Weight};
use super::bulk::{Doubts, left_out};
use super::counted::counted;
use super::plan::{Plan, Refusal};
use super::{FindingId, Login, Outcome, Risk, Untrusted};
use std::collections::{BTreeMap, BTreeSet};

/// Somebody who is meant, and the finding that it is run from.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Who.
    pub login: Login,
    /// From which finding.
    pub finding: Option<FindingId>,
}

/// What was planned for each of many.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Planned {
    /// The plans, in the order of the marks.
    pub plans: Vec<Plan>,
    /// Those for whom there is none, and why.
    pub unplanned: Vec<(Mark, String)>,
}

/// What keeps somebody out of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exception {
    /// Our guard forbids it: they are protected, say.
    Refused,
    /// There is nothing that could be sent for them.
    NotPlanned,
    /// It would have to be insisted on.
    Doubted,
    /// It may be another's account: which one is meant can be said of one alone.
    Alone,
    /// They are another name of an account that is acted on already.
    SameAccount,
    /// The account's state does not allow it.
    NotLegal,
    /// The account is so already.
    AlreadySo,
}

impl Exception {
    /// Every kind, the ones that most need a look first.
    pub const ALL: [Exception; 7] = [
        Exception::Refused,
        Exception::NotPlanned,
        Exception::Doubted,
        Exception::Alone,
        Exception::SameAccount,
        Exception::NotLegal,
        Exception::AlreadySo,
    ];

    /// The words on the card.
    pub fn words(self) -> &'static str {
        match self {
            Exception::Refused => "refused",
            Exception::NotPlanned => "cannot be planned",
            Exception::Doubted => "to be insisted on",
            Exception::Alone => "to run alone",
            Exception::SameAccount => "under a second name",
            Exception::NotLegal => "not legal now",
            Exception::AlreadySo => "already so",
        }
    }

    fn of(plan: &Plan, refusal: &Refusal, doubts: Doubts) -> Exception {
        let is_doubted = plan.needs_again.is_some() && doubts == Doubts::Stand;
        match refusal.outcome {
            Outcome::NoChange => Exception::AlreadySo,
            Outcome::NotLegal => Exception::NotLegal,
            _ if plan.refusal.is_some() => Exception::Refused,
            _ if plan.account_doubt.is_some() => Exception::Alone,
            _ if is_doubted => Exception::Doubted,
            _ => Exception::SameAccount,
        }
    }
}

/// How somebody stands in a run on many.
#[derive(Debug, Clone, PartialEq)]
pub struct Stand<'a> {
    /// Who.
    pub login: &'a Login,
    /// What was planned, if anything could be.
    pub plan: Option<&'a Plan>,
    /// Why they are left out, if they are.
    pub left_out: Option<(Exception, String)>,
}

impl<'a> Stand<'a> {
    /// Whom it is on: by the account's own login first, where that is another one.
    pub fn whom(&self) -> String {
        self.plan.map_or_else(|| self.login.to_string(), Plan::whom)
    }

    /// What happens to them, where they are acted on.
    pub fn acted_on(&self) -> Option<&'a Plan> {
        self.plan.filter(|_| self.left_out.is_none())
    }

    /// What has to be insisted on for them, where they are acted on.
    pub fn insisted_on(&self) -> Option<&'a str> {
        self.acted_on()?.needs_again.as_deref()
    }

    /// What is not sent for them, where they are acted on.
    pub fn missing(&self) -> Vec<String> {
        self.acted_on().map(Plan::missing_steps).unwrap_or_default()
    }

    /// Whether they are known to be an administrator, and acted on.
    pub fn is_administrator(&self) -> bool {
        self.acted_on().and_then(|plan| plan.blast.as_ref()).is_some_and(Blast::is_of_administrator)
    }
}

/// How each stands: those who are left out first, then administrators, then those with whom something is the matter,
/// then the others, each in their order.
pub fn stands(planned: &Planned, insists: bool) -> Vec<Stand<'_>> {
    let doubts = if insists { Doubts::InsistedOn } else { Doubts::Stand };
    let unplanned = planned.unplanned.iter().map(|(mark, why)| Stand {
        login: &mark.login,
        plan: None,
        left_out: Some((Exception::NotPlanned, why.clone())),
    });
    let refusals = left_out(&planned.plans, doubts);
    let others = planned.plans.iter().zip(refusals).map(|(plan, refusal)| {
        let left_out = refusal.map(|refusal| (Exception::of(plan, &refusal, doubts), refusal.why));
        Stand { login: &plan.login, plan: Some(plan), left_out }
    });
    let mut all: Vec<Stand<'_>> = unplanned.chain(others).collect();
    all.sort_by_key(|stand| match &stand.left_out {
        Some((exception, _)) => (0, Some(*exception)),
        None if stand.is_administrator() => (1, None),
        None if stand.insisted_on().is_some() || !stand.missing().is_empty() => (2, None),
        None => (3, None),
    });
    all
}

/// What a confirmation of a run on many asks for. Never a single key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfirmMany {
    /// This word is typed.
    Word(String),
    /// The number of those who are acted on is typed.
    Count(usize),
}

impl ConfirmMany {
    /// Whether what was typed is what was asked for.
    pub fn accepts(&self, typed: &str) -> bool {
        match self {
            ConfirmMany::Word(word) => typed.trim() == word,
            ConfirmMany::Count(count) => typed.trim() == count.to_string(),
        }
    }
}

/// What acts, in sum.
#[derive(Debug, Clone, PartialEq)]
pub struct Sum {
    /// Those who are acted on.
    pub acted_on: usize,
    /// So many of them do not get every step.
    pub in_part: usize,
    /// So many of them are acted on because it was insisted.
    pub insisted: usize,
    /// Those who are left out, by why, the ones that most need a look first.
    pub left_out: Vec<(Exception, usize)>,
    /// The highest risk among those who are acted on.
    pub risk: Option<Risk>,
    /// Whether that is higher than the flow's, because of whom it is on.
    pub is_raised: bool,
    /// What a confirmation asks for; nothing where nobody is acted on.
    pub confirm: Option<ConfirmMany>,
    /// Whether a reason is asked for.
    pub reason_required: bool,
}

/// Sums up.
pub fn sum(stands: &[Stand<'_>]) -> Sum {
    let plans: Vec<&Plan> = stands.iter().filter_map(Stand::acted_on).collect();
    let risk = plans.iter().map(|plan| plan.risk).max();
    let mut left_out: BTreeMap<Exception, usize> = BTreeMap::new();
    for (exception, _) in stands.iter().filter_map(|stand| stand.left_out.as_ref()) {
        *left_out.entry(*exception).or_default() += 1;
    }
    let confirm = plans.first().map(|plan| match risk {
        Some(Risk::High) => ConfirmMany::Count(plans.len()),
        _ => ConfirmMany::Word(plan.flow.word().to_owned()),
    });
    Sum {
        acted_on: plans.len(),
        in_part: stands.iter().filter(|stand| !stand.missing().is_empty()).count(),
        insisted: stands.iter().filter(|stand| stand.insisted_on().is_some()).count(),
        left_out: left_out.into_iter().collect(),
        risk,
        is_raised: plans.iter().any(|plan| plan.is_raised()),
        confirm,
        reason_required: plans.iter().any(|plan| plan.reason_required),
    }
}

impl Sum {
    /// `38 are acted on (4 in part, 1 insisted on), 2 are left out`.
    pub fn brief(&self) -> String {
        let how_many = |count: usize| match count {
            0 => "nobody is".to_owned(),
            1 => "1 is".to_owned(),
            count => format!("{count} are"),
        };
        let left_out = self.left_out.iter().map(|(_, count)| count).sum();
        let of_them = [(self.in_part, "in part"), (self.insisted, "insisted on")];
        let of_them = of_them.iter().filter(|(count, _)| *count > 0);
        let of_them: Vec<String> = of_them.map(|(count, words)| format!("{count} {words}")).collect();
        let of_them = if of_them.is_empty() { String::new() } else { format!(" ({})", of_them.join(", ")) };
        format!("{} acted on{of_them}, {} left out", how_many(self.acted_on), how_many(left_out))
    }

    /// `38 are acted on, 2 are left out: 1 refused, 1 already so`.
    pub fn words(&self) -> String {
        if self.left_out.is_empty() {
            return self.brief();
        }
        let kinds = self.left_out.iter().map(|(exception, count)| format!("{count} {}", exception.words()));
        let kinds: Vec<String> = kinds.collect();
        format!("{}: {}", self.brief(), kinds.join(", "))
    }
}

/// So many people are named.
const NAMED: usize = 4;

/// Of whom it was read how far it reaches, and of how many it was not.
fn read_of<'a>(plans: &[&'a Plan]) -> (Vec<(&'a Login, &'a Blast)>, usize) {
    let read: Vec<(&Login, &Blast)> =
        plans.iter().filter_map(|plan| Some((&plan.login, plan.blast.as_ref()?))).collect();
    let unread = plans.len() - read.len();
    (read, unread)
}

/// Whether administrators are among them, unless it is known that none is.
pub fn who_administers(plans: &[&Plan]) -> Option<BlastLine> {
    let (read, unread) = read_of(plans);
    Some(administrators(&read, unread)).filter(|line| line.weight != Weight::Known)
}

/// How far it reaches altogether, in a line, as the card for one says it of one.
pub fn reach_in_a_line(plans: &[&Plan]) -> BlastLine {
    let (read, unread) = read_of(plans);
    let is_in_okta = read.iter().any(|(_, blast)| blast.elsewhere.is_some());
    let mut brief = Brief { is_in_okta, ..Brief::default() };
    if who_administers(plans).is_none() {
        brief.known.push(NO_ROLE.to_owned());
    }
    let groups = listed(unread, read.iter().map(|(_, blast)| &blast.groups));
    let apps = listed(unread, read.iter().map(|(_, blast)| &blast.apps));
    for (name, noun, listed) in [("groups", "group", groups), ("apps", "app", apps)] {
        let Listed { different, untold, is_known, .. } = listed;
        if is_known {
            brief.known.push(counted(different, noun));
        }
        if untold > 0 {
            brief.untold.push(format!("{name} for {untold}"));
        }
    }
    let open: Vec<usize> = read.iter().filter_map(|(_, blast)| blast.findings.known().copied()).collect();
    if !open.is_empty() {
        brief.known.push(open_findings(&open, "other finding"));
    }
    let classless = unread + read.iter().filter(|(_, blast)| blast.class.known().is_none()).count();
    let findingless = plans.len() - open.len();
    for (name, untold) in [("class", classless), ("findings", findingless)] {
        if untold > 0 {
            brief.unknown.push(format!("{name} for {untold}"));
        }
    }
    brief.line()
}

/// `60+ other findings`: of each no more are counted than [`FINDINGS_COUNTED`].
fn open_findings(open: &[usize], noun: &str) -> String {
    match (open.iter().sum::<usize>(), and_more(open)) {
        (sum, "") => counted(sum, noun),
        (sum, and_more) => format!("{sum}{and_more} {noun}s"),
    }
}

/// A sign behind a sum in which somebody's were not counted to the end.
fn and_more(open: &[usize]) -> &'static str {
    if open.iter().any(|open| *open >= FINDINGS_COUNTED) { "+" } else { "" }
}

/// How far it reaches altogether, line by line, in the order of the card for one.
pub fn reach(plans: &[&Plan]) -> Vec<BlastLine> {
    let (read, unread) = read_of(plans);
    let mut lines = vec![
        administrators(&read, unread),
        classes(&read, unread),
        distinct("groups", "membership", unread, read.iter().map(|(_, blast)| &blast.groups)),
        distinct("apps", "assignment", unread, read.iter().map(|(_, blast)| &blast.apps)),
        findings(&read, unread),
    ];
    lines.push(BlastLine {
        name: "sessions",
        words: "cannot tell: no call lists them".to_owned(),
        weight: Weight::Unknown,
    });
    lines
}

fn administrators(read: &[(&Login, &Blast)], unread: usize) -> BlastLine {
    let held: Vec<&Login> =
        read.iter().filter(|(_, blast)| blast.is_of_administrator()).map(|(login, _)| *login).collect();
    let untold = unread + read.iter().filter(|(_, blast)| blast.administers().is_none()).count();
    let mut words = Vec::new();
    if !held.is_empty() {
        words.push(format!("{} of them: {}", held.len(), named(&held)));
    }
    if untold > 0 {
        words.push(format!("cannot tell for {untold}"));
    }
    if words.is_empty() {
        words.push("none has a role that is active".to_owned());
    }
    let weight = match (held.is_empty(), untold) {
        (false, _) => Weight::Raises,
        (true, 0) => Weight::Known,
        (true, _) => Weight::Unknown,
    };
    BlastLine { name: "admins", words: words.join("; "), weight }
}

fn named(logins: &[&Login]) -> String {
    let mut words: Vec<String> = logins.iter().take(NAMED).map(ToString::to_string).collect();
    if let Some(more) = logins.len().checked_sub(NAMED).filter(|more| *more > 0) {
        words.push(format!("and {more} more"));
    }
    words.join(", ")
}

fn classes(read: &[(&Login, &Blast)], unread: usize) -> BlastLine {
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    let mut untold = unread;
    for (_, blast) in read {
        match &blast.class {
            Told::Is(class) => *counted.entry(class.to_string()).or_default() += 1,
            Told::CannotTell(_) => untold += 1,
        }
    }
    let mut all: Vec<(String, usize)> = counted.into_iter().collect();
    all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let known: Vec<String> =
        all.iter().take(NAMED).map(|(class, count)| format!("{count} {class}")).collect();
    let line = line("class", known.join(", "), untold);
    // What runs by itself is not noticed by a person when it stops.
    let is_no_person = all.iter().any(|(class, _)| class.to_uppercase().contains("SERVICE"));
    if is_no_person { BlastLine { weight: Weight::Raises, ..line } } else { line }
}

/// What is in the lists of many together.
struct Listed {
    /// So many different ones.
    different: usize,
    /// So many, each as often as it is listed.
    all: usize,
    /// Of so many nobody can tell.
    untold: usize,
    /// Whether it was told of anybody.
    is_known: bool,
}

fn listed<'a>(unread: usize, told: impl Iterator<Item = &'a Told<Vec<Untrusted>>>) -> Listed {
    let (mut different, mut all, mut untold, mut is_known) = (BTreeSet::new(), 0, unread, false);
    for told in told {
        match told {
            Told::Is(names) => {
                is_known = true;
                all += names.len();
                different.extend(names.iter().map(Untrusted::raw));
            }
            Told::CannotTell(_) => untold += 1,
        }
    }
    Listed { different: different.len(), all, untold, is_known }
}

/// How many different ones there are, and how often.
fn distinct<'a>(
    name: &'static str,
    noun: &str,
    unread: usize,
    told: impl Iterator<Item = &'a Told<Vec<Untrusted>>>,
) -> BlastLine {
    let Listed { different, all, untold, is_known } = listed(unread, told);
    let words = match (is_known, all) {
        (false, _) => String::new(),
        (true, 0) => "none".to_owned(),
        (true, all) => format!("{}, {different} different", counted(all, noun)),
    };
    line(name, words, untold)
}

fn findings(read: &[(&Login, &Blast)], unread: usize) -> BlastLine {
    let known: Vec<usize> = read.iter().filter_map(|(_, blast)| blast.findings.known().copied()).collect();
    let (sum, and_more) = (known.iter().sum(), and_more(&known));
    let words = match sum {
        0 => "no other that is open".to_owned(),
        1 => "1 other that is open".to_owned(),
        open => format!("{open}{and_more} others that are open"),
    };
    line("findings", words, unread + read.len() - known.len())
}

/// Nothing is said of those whom nobody can tell about but how many they are.
fn line(name: &'static str, known: String, untold: usize) -> BlastLine {
    let untold_words = (untold > 0).then(|| format!("cannot tell for {untold}"));
    let all: Vec<String> =
        Some(known).filter(|known| !known.is_empty()).into_iter().chain(untold_words).collect();
    let weight = if untold > 0 { Weight::Unknown } else { Weight::Known };
    BlastLine { name, words: all.join("; "), weight }
}

#[cfg(test)]
mod tests;
