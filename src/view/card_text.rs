//! What the confirm card says above its question.
//!
//! What an analyst has to know before deciding comes first and is short: what it does, to whom, in
//! which state, how it is undone, and what this cannot know. The target's other facts and the request,
//! whole and exact, come last, because they are long. Where rows are few, what only repeats the frame,
//! the sentence and the question gives way too: the first screen has the state, the way back and what
//! this cannot know.

use super::prose::Prose;
use super::theme::Role;
use super::words;
use crate::app::card::Card;
use crate::domain::action::{Complaint, ShownRequest};
use crate::domain::blast::{Blast, BlastLine, Weight};
use crate::domain::plan::{Confirm, Fact, Plan, Target};
use crate::domain::time::Zone;
use crate::domain::{Action, Login, NOTHING, Receipt, Risk, Untrusted};

/// The fact that stands for the target's state.
const STATUS: &str = "status";

/// Everything between the sentence and the question, but for what stands whole beside its keys.
pub(super) fn write(prose: &mut Prose, card: &Card, pinned: &str, zone: &Zone) {
    let Some(plan) = &card.plan else {
        prose.fact("login", Role::Text, &card.ask.login.to_string());
        if let Some(flow) = &card.ask.flow {
            prose.fact("flow", Role::Text, &flow.to_string());
        }
        return;
    };
    changes(prose, &card.changes);
    obstacles(prose, plan, pinned);
    if prose.is_dense() {
        brief(prose, plan, zone);
        undoes(prose, plan);
        differences(prose, plan);
        risk(prose, plan);
        names(prose, plan);
        sends(prose, plan);
        access(prose, plan);
    } else {
        undoes(prose, plan);
        facts(prose, plan, zone);
        differences(prose, plan);
        section(prose, "What this cannot know", &plan.cannot_know);
    }
    reach(prose, plan);
    section(prose, "Limits", &plan.caveats);
    // Where to look afterwards: no proof, since whoever else does the same leaves the same there.
    section(prose, "Audit: to expect in the System Log", &plan.flow.audit);
    more_of_target(prose, plan);
    plan.parts().iter().for_each(|part| request(prose, &part.request));
}

/// What the target's fields will hold that they do not hold now.
fn differences(prose: &mut Prose, plan: &Plan) {
    if plan.differences.is_empty() {
        return;
    }
    prose.heading(Role::Heading, "Changes");
    for difference in &plan.differences {
        let line = |value: &Option<Untrusted>| {
            let value = value.as_ref().map_or_else(|| NOTHING.to_owned(), Untrusted::to_string);
            format!("{}  {value}", difference.name)
        };
        if difference.was.is_some() {
            prose.marked("  - ", Role::DiffOld, &line(&difference.was));
        }
        prose.marked("  + ", Role::DiffNew, &line(&difference.becomes));
    }
}

fn obstacles(prose: &mut Prose, plan: &Plan, pinned: &str) {
    let is_said = |text: &String| pinned.strip_prefix("! ") == Some(text.as_str());
    let refusal =
        plan.refusal.as_ref().map(|refusal| (words::refused_role(refusal), words::refused(refusal)));
    if let Some(((sign, role), why)) = refusal.filter(|(_, why)| !is_said(why)) {
        prose.marked(sign, role, &why);
        prose.blank();
    }
    if let Some(why) = plan.needs_again.as_ref().filter(|why| !is_said(why)) {
        prose.marked("! ", Role::Warning, why);
        prose.blank();
    }
}

fn changes(prose: &mut Prose, changes: &[(String, String, String)]) {
    if changes.is_empty() {
        return;
    }
    prose.marked("! ", Role::Alarm, "changed since you looked:");
    for (name, then, now) in changes {
        prose.marked("  - ", Role::DiffOld, &format!("{name}  {then}"));
        prose.marked("  + ", Role::DiffNew, &format!("{name}  {now}"));
    }
    prose.blank();
}

fn facts(prose: &mut Prose, plan: &Plan, zone: &Zone) {
    risk(prose, plan);
    let (role, target) = in_a_word(&plan.target, zone);
    prose.fact("target", role, &target);
    if let Some(line) = administrator(plan) {
        prose.fact(line.name, weighed(line.weight), &line.words);
    }
    if let Some(line) = plan.blast.as_ref().map(Blast::brief) {
        prose.fact(line.name, weighed(line.weight), &line.words);
    }
    names(prose, plan);
    sends(prose, plan);
    prose.fact("undo", Role::Text, &plan.undo);
    access(prose, plan);
}

/// What it takes back.
fn undoes(prose: &mut Prose, plan: &Plan) {
    if let Some(undoes) = &plan.undoes {
        prose.fact("undoes", Role::Text, &format!("{} (action {})", undoes.what, undoes.action));
    }
}

/// What has to be on the first screen of the lowest terminal, in the fewest rows.
fn brief(prose: &mut Prose, plan: &Plan, zone: &Zone) {
    let (role, target) = in_a_word(&plan.target, zone);
    prose.run_in("target:", role, &target);
    if let Some(line) = administrator(plan) {
        // One row: what else stands on this screen has to be seen too.
        let room = prose.columns().saturating_sub("admin: ".len());
        prose.run_in("admin:", weighed(line.weight), &prose.shown(&line.words, room));
    }
    if let Some(line) = plan.blast.as_ref().map(Blast::brief) {
        let room = prose.columns().saturating_sub("reaches: ".len());
        prose.run_in("reaches:", weighed(line.weight), &prose.shown(&line.words, room));
    }
    prose.run_in("undo:", Role::Text, &plan.undo);
    if !plan.cannot_know.is_empty() {
        prose.run_in("cannot know:", Role::Text, &plan.cannot_know.join("; "));
    }
}

fn risk(prose: &mut Prose, plan: &Plan) {
    let raised = if plan.is_raised() { ", one tier up" } else { "" };
    // What is refused asks for nothing.
    let asks = if plan.refusal.is_none() { format!(": {}", asks(plan)) } else { String::new() };
    let words = format!("{}{raised}{asks}", plan.risk.word());
    prose.fact("risk", risk_role(plan.risk), &words);
}

fn names(prose: &mut Prose, plan: &Plan) {
    let account = plan.account().map(|account| format!(", {account}")).unwrap_or_default();
    prose.fact("account", Role::Text, &format!("{}{account}", plan.whom()));
    prose.fact("flow", Role::Text, &format!("{} ({})", plan.flow.name, plan.flow.id));
}

/// How far it reaches, beside the target's own state and whether it is an administrator's, which stand above.
fn reach(prose: &mut Prose, plan: &Plan) {
    let Some(blast) = &plan.blast else { return };
    prose.heading(Role::Heading, "What it reaches");
    let first = blast.administrator();
    for line in std::iter::once(first).filter(|line| line.weight == Weight::Known).chain(blast.others()) {
        prose.fact(line.name, weighed(line.weight), &line.words);
    }
}

/// What decides what is asked, unless it is known that there is nothing to be said.
fn administrator(plan: &Plan) -> Option<BlastLine> {
    plan.blast.as_ref().map(Blast::administrator).filter(|line| line.weight != Weight::Known)
}

/// How loud a line of what it reaches is.
pub(super) fn weighed(weight: Weight) -> Role {
    match weight {
        Weight::Raises => Role::Alarm,
        Weight::Known => Role::Text,
        Weight::Unknown => Role::Warning,
    }
}

/// Each request, and which of them is not sent, and why.
fn sends(prose: &mut Prose, plan: &Plan) {
    let is_several = !plan.steps.is_empty();
    for (number, part) in (1..).zip(plan.parts()) {
        let label = if is_several { format!("sends {number}") } else { "sends".to_owned() };
        let address = format!("{} {}", part.request.method, part.request.url);
        match part.refusal.as_ref().filter(|_| is_several) {
            None => prose.fact(&label, Role::Text, &address),
            Some(refusal) => prose.fact(&label, Role::Warning, &format!("nothing: {}", refusal.why)),
        }
    }
}

/// Whether our credential may do it, as far as that is known before it is tried.
fn access(prose: &mut Prose, plan: &Plan) {
    if let Some(access) = &plan.access {
        prose.fact("access", words::access_role(access), &access.words());
    }
}

/// The target's state, before everything that takes more than a line.
fn in_a_word(target: &Target, zone: &Zone) -> (Role, String) {
    match target {
        Target::CannotTell(why) => (Role::Warning, format!("cannot tell: {why}")),
        Target::Read { at, from, .. } => {
            let status = target.fact(STATUS).unwrap_or(NOTHING);
            (Role::Heading, format!("{status}, as {from} said at {}", zone.time_of_day(*at)))
        }
    }
}

/// How loud a risk is.
pub(super) fn risk_role(risk: Risk) -> Role {
    match risk {
        Risk::Low => Role::Muted,
        Risk::Medium => Role::Warning,
        Risk::High => Role::Alarm,
    }
}

fn asks(plan: &Plan) -> String {
    match plan.to_confirm() {
        Confirm::Key => "a key confirms it".to_owned(),
        Confirm::Word(word) => format!("`{word}` has to be typed"),
        Confirm::Login(account) if plan.account_doubt.is_some() => {
            format!("{account} has to be typed, for it may be another's account")
        }
        Confirm::Login(_) => "the login has to be typed".to_owned(),
    }
}

/// What was read of the target beside its state, without what is said above or says nothing.
fn more_of_target(prose: &mut Prose, plan: &Plan) {
    let is_said = |fact: &&Fact| {
        let is_login = fact.name == "login" && Login::new(&fact.value) == plan.login;
        fact.name == STATUS || is_login || fact.value == NOTHING
    };
    let facts: Vec<&Fact> = plan.target.facts().iter().filter(|fact| !is_said(fact)).collect();
    if facts.is_empty() {
        return;
    }
    prose.heading(Role::Heading, "More of the target");
    for fact in facts {
        prose.fact(&fact.name, Role::Text, &fact.value);
    }
}

pub(super) fn section(prose: &mut Prose, heading: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    prose.heading(Role::Heading, heading);
    for item in items {
        prose.item(Role::Text, item);
    }
}

/// The exact request.
pub(super) fn request(prose: &mut Prose, request: &ShownRequest) {
    prose.heading(Role::Heading, "The request");
    prose.say(Role::Accent, &format!("{} {}", request.method, request.url));
    headers(prose, &request.headers);
    if !request.body.is_empty() {
        prose.blank();
        prose.code(&pretty(&request.body));
    }
}

fn headers(prose: &mut Prose, headers: &[(String, String)]) {
    for (name, value) in headers {
        prose.marked(&format!("{name}: "), Role::Muted, value);
    }
}

/// JSON over several lines, but only where that says the same: a number or a doubled key that our
/// reading would change is shown as it leaves.
fn pretty(body: &str) -> String {
    let value: Option<serde_json::Value> = serde_json::from_str(body).ok();
    let same = value.filter(|value| serde_json::to_string(value).is_ok_and(|again| again == body));
    same.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| body.to_owned())
}

/// How an action ended, and how much of that is proven.
pub(super) fn ending(prose: &mut Prose, zone: &Zone, action: &Action) {
    undone(prose, zone, action);
    prose.fact("outcome", action.outcome, &words::ended(action.outcome, action.receipt.as_ref()));
    if let Some(word) = action.word_in_full() {
        let role = if action.contradicted().is_some() { Role::Warning } else { Role::Text };
        prose.fact("word", role, &word);
    }
    proof(prose, action);
}

/// What undid it, first: what it did stands no more.
pub(super) fn undone(prose: &mut Prose, zone: &Zone, action: &Action) {
    if let Some(undone) = &action.undone {
        prose.fact("undone", Role::Warning, &undone.in_full(&zone.seconds(undone.at)));
    }
}

/// How much of an ending is proven.
pub(super) fn proof(prose: &mut Prose, action: &Action) {
    let receipt = action.receipt.as_ref();
    if let Some(seen) = receipt.and_then(|receipt| receipt.verified.as_deref()) {
        prose.fact("re-read", Role::Text, seen.strip_prefix("re-read ").unwrap_or(seen));
    }
    let evidence = words::evidence(action.evidence);
    prose.fact("evidence", Role::Text, &format!("{}: {evidence}", action.evidence.word()));
    if let Some(Complaint { why, hint }) = receipt.and_then(|receipt| receipt.complaint.as_ref()) {
        prose.fact("why", Role::Warning, why);
        if let Some(hint) = hint {
            prose.fact("hint", Role::Text, hint);
        }
    }
    if let Some(ended) = receipt.and_then(|receipt| receipt.ended.as_ref()) {
        prose.fact("run ended", Role::Text, &ended.to_string());
    }
}

/// What came back.
pub(super) fn receipt(prose: &mut Prose, receipt: Option<&Receipt>, zone: &Zone) {
    let Some(receipt) = receipt else { return };
    prose.heading(Role::Heading, "The receipt");
    match (receipt.status, &receipt.error) {
        (Some(status), _) => prose.fact("status", Role::Text, &status.to_string()),
        (None, Some(error)) => prose.fact("no answer", Role::Warning, error),
        (None, None) => prose.fact("status", Role::Muted, "no answer came"),
    }
    if let Some(at) = receipt.at {
        prose.fact("at", Role::Text, &zone.seconds(at));
    }
    if let Some(id) = &receipt.execution_id {
        prose.fact("execution", Role::Text, id);
    }
    if !receipt.tries.is_empty() {
        let mut said: Vec<String> = receipt.tries.iter().map(|tried| tried.status.to_string()).collect();
        said.dedup();
        let tries = match receipt.tries.len() {
            1 => "1 try was".to_owned(),
            count => format!("{count} tries were"),
        };
        let words = format!("{tries} answered {}: nothing ran", said.join(", "));
        prose.fact("before", Role::Text, &words);
    }
    headers(prose, &receipt.headers);
    if !receipt.body.is_empty() {
        prose.code(&pretty(&receipt.body));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_is_printed_pretty() {
        assert_eq!(pretty(r#"{"a":1}"#), "{\n  \"a\": 1\n}");
        for other in [r#"{"a":1,"a":2}"#, r#"{"a":1.0e2}"#, "a=b&c=d", "{"] {
            assert_eq!(pretty(other), other);
        }
    }
}
