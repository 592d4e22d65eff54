//! Inputs of a flow's own that name somebody: what becomes of them nobody can know from here.
//!
//! A flow may act on whom it is told besides. So, where anybody is protected, whoever an input names is asked after
//! in Okta and Cisco Identity Intelligence as the finding's person is. Who is protected, and who cannot be read, is not
//! acted on. Whom both know nothing of is somebody outside, or somebody under another name: that is insisted on, and so
//! is what goes beyond the look-ups that are made.

mod known;
mod literal;
mod words;

pub use known::Looked;

use super::guard::{self, Mode};
use super::subject::Names;
use super::{Desk, blast};
use crate::domain::flow::InputType;
use crate::domain::plan::Refusal;
use crate::domain::{Flow, Login, Route, Untrusted};
use futures_util::stream::{self, StreamExt};
use known::Known;
use literal::Found;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use words::{Token, Weight};

/// So many names are asked after, those that are named without a doubt first.
const MOST_ASKED: usize = blast::MOST_NAMED;
/// And of these so many at once.
const AT_ONCE: usize = 4;

/// Somebody whom an input names, who is not known as whom the card is about.
#[derive(Debug)]
struct Other<'a> {
    input: &'a str,
    token: Token,
}

impl Other<'_> {
    fn is_named(&self) -> bool {
        self.token.weight == Weight::Named
    }

    fn says(&self, why: &str) -> String {
        format!("input `{}` names `{}`: {why}", Untrusted::from(self.input), self.shown())
    }

    fn shown(&self) -> Untrusted {
        Untrusted::from(self.token.text.as_str())
    }

    fn cannot_know(&self, login: &Login) -> String {
        let (input, text) = (Untrusted::from(self.input), self.shown());
        format!("whether the flow acts on `{text}` too, whom input `{input}` names: not known as `{login}`")
    }
}

/// Everybody else in what was given to a flow of Workflows, those who are named without a doubt first.
fn others<'a>(flow: &'a Flow, inputs: &'a BTreeMap<String, String>, names: &Names) -> Vec<Other<'a>> {
    let mut found: Vec<Other<'_>> = read(flow, inputs)
        .flat_map(|(input, text)| {
            words::tokens(input, text).into_iter().map(move |token| Other { input, token })
        })
        .filter(|other| !is_own(&other.token, names))
        .collect();
    found.sort_by_key(|other| other.token.weight);
    found
}

/// The inputs that may name somebody.
fn read<'a>(
    flow: &'a Flow,
    inputs: &'a BTreeMap<String, String>,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let kind = |name: &str| flow.inputs.iter().find(|input| input.name == name).map(|input| input.kind);
    let may_name = move |name: &str, text: &str| match kind(name) {
        Some(InputType::Text) => true,
        Some(InputType::Number) => words::is_person(name) || words::is_id_number(text),
        _ => false,
    };
    told(flow, inputs).filter(move |(name, text)| may_name(name, text))
}

/// All that a flow of Workflows is told besides.
fn told<'a>(
    flow: &Flow,
    inputs: &'a BTreeMap<String, String>,
) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
    let is_told = flow.route == Route::ApiEndpoint;
    inputs.iter().filter(move |_| is_told).map(|(name, text)| (name.as_str(), text.as_str()))
}

/// Why nothing is sent, or what has to be insisted on, by what is protected standing in what is told, of whatever
/// kind it is and whatever it is taken for.
fn literally(desk: &Desk, flow: &Flow, inputs: &BTreeMap<String, String>) -> Result<Vec<String>, String> {
    let mut doubts = Vec::new();
    for (input, text) in told(flow, inputs) {
        let says = |found: &str, why: &str| {
            format!("input `{}` names `{}`: {why}", Untrusted::from(input), Untrusted::from(found))
        };
        match literal::found(guard::names(&desk.guard), text) {
            None => {}
            Some(Found::Surely { entry, found }) => return Err(says(&found, &guard::protected_by(entry))),
            Some(Found::Perhaps { entry, found }) => {
                doubts.push(says(&found, &format!("`guard.protected` holds `{entry}`, which may be them")));
            }
        }
    }
    Ok(doubts)
}

/// Whether it is a name of whom the card is about, or one without its domain.
fn is_own(token: &Token, names: &Names) -> bool {
    let is_short = token.weight == Weight::Perhaps && names.has_short(&token.text);
    names.has(&token.text) || is_short || token.within.as_ref().is_some_and(|within| names.has(within))
}

/// What the inputs of a flow mean for a run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ByInputs {
    /// Why nothing is sent: one names somebody who is protected, or may be.
    pub(super) refusal: Option<Refusal>,
    /// What has to be insisted on.
    pub(super) doubts: Vec<String>,
    /// What nobody can know: whether the flow acts on whom they name.
    pub(super) cannot_know: Vec<String>,
}

/// Asks after everybody whom the inputs name, where anybody is protected.
pub(super) async fn look(
    desk: &Desk,
    flow: &Flow,
    (inputs, login): (&BTreeMap<String, String>, &Login),
    names: &Names,
) -> ByInputs {
    let others = others(flow, inputs, names);
    let named = others.iter().filter(|other| other.is_named()).map(|other| other.cannot_know(login));
    let mut by_inputs = ByInputs { cannot_know: named.collect(), ..ByInputs::default() };
    if desk.guard.protected.is_empty() {
        return by_inputs;
    }
    match refused_by_name(desk, &others).map_or_else(|| literally(desk, flow, inputs), Err) {
        Ok(doubts) => by_inputs.doubts.extend(doubts),
        Err(why) => return ByInputs { refusal: Some(why.into()), ..by_inputs },
    }
    let unread = read(flow, inputs).filter(|(_, text)| words::is_encoded_twice(text)).map(|(input, _)| {
        format!("input `{}` is encoded more than once: whom it names cannot be told", Untrusted::from(input))
    });
    by_inputs.doubts.extend(unread);
    by_inputs.doubts.extend(beyond(others.len()));
    ask_after(desk, &others, names, login, &mut by_inputs).await;
    by_inputs
}

fn beyond(how_many: usize) -> Option<String> {
    (how_many > MOST_ASKED).then(|| {
        format!(
            "the inputs hold {how_many} names and words that may be one, of which {MOST_ASKED} are looked up: whether one of the others is protected cannot be told"
        )
    })
}

async fn ask_after(
    desk: &Desk,
    others: &[Other<'_>],
    names: &Names,
    login: &Login,
    by_inputs: &mut ByInputs,
) {
    let mut found: BTreeSet<&str> = BTreeSet::new();
    let mut unknown: Vec<(&Other<'_>, String)> = Vec::new();
    let asked: Vec<_> = others.iter().take(MOST_ASKED).map(|other| answered(desk, other, names)).collect();
    let mut answers = stream::iter(asked).buffered(AT_ONCE);
    while let Some((other, known)) = answers.next().await {
        let text = other.token.text.as_str();
        let refusal = match &*known {
            Known::Is(theirs) => {
                found.insert(text);
                let is_told = other.is_named();
                by_inputs.cannot_know.extend((!is_told).then(|| other.cannot_know(login)));
                guard::refusal(&desk.guard, Mode::Acting, theirs)
                    .map(|why| Refusal::from(other.says(&why)))
                    .or_else(|| guard::untold(&desk.guard, theirs).map(|why| untold(other, &why)))
            }
            Known::Untold(why) if other.is_named() => {
                guard::untold_whom(&desk.guard, Some(why)).map(|why| untold(other, &why))
            }
            Known::Untold(why) => {
                unknown.push((other, format!("whether that is somebody protected cannot be told: {why}")));
                None
            }
            Known::Nobody(by) if other.is_named() => {
                unknown.push((
                    other,
                    format!("{by} no such person: whether that is somebody protected cannot be told"),
                ));
                None
            }
            Known::Nobody(_) => {
                let short = guard::short_of(&desk.guard, text);
                unknown.extend(
                    short.map(|entry| {
                        (other, format!("`guard.protected` holds `{entry}`, which may be them"))
                    }),
                );
                None
            }
            Known::Own => None,
        };
        if refusal.is_some() {
            by_inputs.refusal = refusal;
            return;
        }
    }
    let is_open = |(other, _): &&(&Other<'_>, String)| {
        other.token.within.as_deref().is_none_or(|within| !found.contains(within))
    };
    by_inputs.doubts.extend(unknown.iter().filter(is_open).map(|(other, why)| other.says(why)));
}

/// What cannot be told of whom the inputs name, for everybody who is acted on with them: whoever runs it on many waits.
fn untold(other: &Other<'_>, why: &str) -> Refusal {
    Refusal::from(other.says(why)).general()
}

/// What is known of somebody.
async fn answered<'a, 'b>(desk: &Desk, other: &'a Other<'b>, names: &Names) -> (&'a Other<'b>, Arc<Known>) {
    let text = other.token.text.as_str();
    let known = match other.token.weight {
        Weight::Named => known::asked(desk, text).await,
        Weight::Perhaps => known::asked_perhaps(desk, text, names).await,
    };
    (other, known)
}

/// Why nothing is sent, by the very names that were given.
fn refused_by_name(desk: &Desk, others: &[Other<'_>]) -> Option<String> {
    others.iter().find_map(|other| {
        let names = Names::of_login(&Login::new(&other.token.text));
        guard::refusal(&desk.guard, Mode::Acting, &names).map(|why| other.says(&why))
    })
}

/// The same for a trial, which finds by itself that they are nobody's.
pub(super) fn refusal_by_name(
    desk: &Desk,
    flow: &Flow,
    inputs: &BTreeMap<String, String>,
    names: &Names,
) -> Option<String> {
    refused_by_name(desk, &others(flow, inputs, names)).or_else(|| literally(desk, flow, inputs).err())
}

/// Whom the inputs of a trial name: a live flow may act on them.
///
/// # Errors
/// Where they are more than are looked up.
pub(super) fn named(
    flow: &Flow,
    inputs: &BTreeMap<String, String>,
    names: &Names,
) -> Result<Vec<String>, String> {
    let others = others(flow, inputs, names);
    match beyond(others.len()) {
        Some(why) => Err(why),
        None => Ok(others.into_iter().map(|other| other.token.text).collect()),
    }
}
