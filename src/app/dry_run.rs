//! The dry run of a card: what the command line prints of the same with `--dry-run --json`, read over the
//! card. Nothing is sent, and nothing is journalled, as there.

use super::card;
use super::effect::Effect;
use super::many::{self, ManyCard};
use super::msg::Motion;
use super::raw::RawScreen;
use super::state::{Overlay, State};
use crate::domain::untrusted::escape_json;
use crate::domain::{FlowId, Plan, dry_run};
use serde_json::Value;

/// What would be done, as JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct DryRun {
    /// Of which flow.
    pub flow: FlowId,
    /// The lines as the command line prints them, one an action.
    pub lines: Vec<String>,
    /// The same, laid out to be read.
    pub text: RawScreen,
}

/// Of many, so many lines are laid out to be read; the file has all of them.
const LAID_OUT: usize = 20;

impl DryRun {
    fn of_many(card: &ManyCard, state: &State) -> Option<DryRun> {
        let flow = card.ask.flow.clone()?;
        let of = (&flow, &card.planned);
        let lines = dry_run::lines_of_many(of, card.doubts(), &state.settings.actor, state.now);
        let mut text = laid_out(&lines[..lines.len().min(LAID_OUT)]);
        if lines.len() > LAID_OUT {
            let more = lines.len() - LAID_OUT;
            text.push(format!("and {more} more: a file or a copy of it has all of them"));
        }
        Some(DryRun { flow, text: RawScreen::of_lines(text), lines })
    }

    fn of(plan: &Plan, state: &State) -> DryRun {
        let lines = dry_run::lines(plan, &state.settings.actor, state.now);
        DryRun { flow: plan.flow.id.clone(), text: RawScreen::of_lines(laid_out(&lines)), lines }
    }
}

/// Each record over several lines, still with nothing in it that moves a terminal.
fn laid_out(lines: &[String]) -> Vec<String> {
    let pretty = |line: &String| {
        let value: Option<Value> = serde_json::from_str(line).ok();
        let pretty = value.and_then(|value| serde_json::to_string_pretty(&value).ok());
        pretty.unwrap_or_else(|| line.clone())
    };
    let lines = lines.iter().map(pretty).collect::<Vec<_>>().join("\n");
    lines.lines().map(|line| escape_json(line).into_owned()).collect()
}

/// A dry run of what is on the card was asked for.
pub fn asked(state: &mut State) {
    let now = state.now;
    let dry_run = match &state.overlay {
        Some(Overlay::Card(card)) if card.takes_dry_run(now) => {
            card.plan.as_ref().map(|plan| DryRun::of(plan, state))
        }
        Some(Overlay::Many(card)) if card.takes_dry_run(now) => DryRun::of_many(card, state),
        _ => None,
    };
    let Some(dry_run) = dry_run else { return };
    match &state.overlay {
        Some(Overlay::Many(_)) => many::covered(state, dry_run),
        _ => card::covered(state, dry_run),
    }
}

/// The one that lies over a card, whatever that is for.
fn over(state: &State) -> Option<&DryRun> {
    match &state.overlay {
        Some(Overlay::Card(card)) => card.dry_run.as_deref(),
        Some(Overlay::Many(card)) => card.dry_run.as_deref(),
        _ => None,
    }
}

/// The dry run that is read, once it has stood there long enough for a key to be meant for it.
fn read(state: &State) -> Option<&DryRun> {
    let has_stood = match &state.overlay {
        Some(Overlay::Card(card)) => card.has_stood(state.now),
        Some(Overlay::Many(card)) => card.has_stood(state.now),
        _ => false,
    };
    over(state).filter(|_| has_stood)
}

/// It was to be copied; `None` where none is read.
pub fn copied(state: &State) -> Option<Vec<Effect>> {
    let is_over_card = over(state).is_some();
    let copy = || read(state).map(|dry_run| Effect::CopyText(dry_run.lines.join("\n")));
    is_over_card.then(|| copy().into_iter().collect())
}

/// It was to be written to a file.
pub fn exported(state: &State) -> Vec<Effect> {
    let export =
        |dry_run: &DryRun| Effect::ExportDryRun { flow: dry_run.flow.clone(), lines: dry_run.lines.clone() };
    read(state).map(export).into_iter().collect()
}

/// It was scrolled; answers whether there is one.
pub fn moved(state: &mut State, motion: Motion) -> bool {
    let extent = state.extent;
    let dry_run = match &mut state.overlay {
        Some(Overlay::Card(card)) => card.dry_run.as_mut(),
        Some(Overlay::Many(card)) => card.dry_run.as_mut(),
        _ => None,
    };
    let is_there = dry_run.is_some();
    if let Some(dry_run) = dry_run {
        dry_run.text.scroll.go(motion, extent.lines, extent.height);
    }
    is_there
}
