//! The `:` prompt under its palette, and the `/` filter under what it understands.

use super::Scene;
use super::canvas::{Canvas, Cells};
use super::field;
use super::palette;
use super::panel::{Focus, Panel};
use super::prose::Prose;
use super::theme::{Role, Theme};
use crate::app::Screen;
use crate::app::prompt::{self, Prompt, PromptKind};
use crate::domain::log::Completion;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

/// The most rows of what is wrong with a line.
const ERROR: usize = 6;

const SYNTAX: [(&str, &str); 6] = [
    ("severity>=high", "also = > < <=, and low, medium"),
    ("check:no-mfa*", "id or title; * is anything"),
    ("user:ann@example.com", "a login"),
    ("state:open", "open claimed snoozed closed"),
    ("source:cii-webhook", "kind:failed-check likewise"),
    ("words \"in quotes\" -not", "free text; - negates"),
];

/// Of the journal's records.
const OF_RECORDS: [(&str, &str); 7] = [
    ("user:ann*", "whom it was on; * is anything"),
    ("flow:okta-suspend", "by:bo likewise: who did it"),
    ("outcome:unknown", "changed accepted refused"),
    ("said:changed", "not-changed: an analyst's word"),
    ("kind:intended", "settled triage setting bulk"),
    ("since:yesterday", "or 7d, 2026-05-01; until: likewise"),
    ("words \"in quotes\" -not", "free text; - negates"),
];

/// Of the users of an event.
const OF_USERS: [(&str, &str); 2] =
    [("state:open", "open claimed snoozed closed"), ("user:ann*", "a login; a word is looked for in it")];

pub(super) fn draw(scene: &Scene, prompt: &Prompt, canvas: &mut Canvas) -> Option<Position> {
    let columns = usize::from(scene.size.columns.saturating_sub(4));
    let below = error(canvas.theme, prompt, columns);
    let most = usize::from(scene.size.rows).saturating_sub(5 + below.len()).min(10);
    let above = match prompt.kind {
        PromptKind::Command => palette::lines(canvas.theme, &scene.help.palette, most, columns),
        PromptKind::Filter => syntax(canvas.theme, terms(scene), most),
        PromptKind::Log => ways_on(canvas.theme, prompt, most, columns),
    };
    let title = match prompt.kind {
        PromptKind::Filter => "Filter",
        PromptKind::Log => "Filter of the System Log",
        PromptKind::Command => "Command",
    };
    let inner = Panel::new(title, Focus::Here).draw(canvas, at_bottom(scene, above.len() + below.len() + 3));
    canvas.lines(inner, above.iter().chain(&below));
    let used = u16::try_from(above.len() + below.len()).unwrap_or(u16::MAX).min(inner.height);
    let line = Rect { y: inner.y + used, height: inner.height - used, ..inner };
    let sign = if prompt.kind == PromptKind::Command { ":" } else { "/" };
    canvas.line(line, 0, &canvas.theme.line(Role::Key, sign));
    let sign = 1.min(line.width);
    field::draw(canvas, Rect { x: line.x + sign, width: line.width - sign, ..line }, &prompt.input)
}

/// A box above the footer, as high as told.
fn at_bottom(scene: &Scene, rows: usize) -> Rect {
    let body = scene.size.area();
    let room = body.height.saturating_sub(1);
    let height = u16::try_from(rows).unwrap_or(u16::MAX).min(room);
    Rect { y: room - height, height, ..body }
}

fn error(theme: &Theme, prompt: &Prompt, columns: usize) -> Vec<Line<'static>> {
    let mut prose = Prose::new(theme, columns);
    if let Some(error) = &prompt.error {
        prose.marked("! ", Role::Alarm, error);
    }
    let mut lines = prose.lines();
    lines.truncate(ERROR);
    lines
}

/// How the filter may go on at the cursor; tab takes the selected one.
fn ways_on(theme: &Theme, prompt: &Prompt, most: usize, columns: usize) -> Vec<Line<'static>> {
    let all = prompt::ways_on(prompt);
    let selected = prompt.choice.min(all.len().saturating_sub(1));
    let first = (selected + 1).saturating_sub(most);
    let word = (columns / 2).min(46);
    let line = |(at, way): (usize, &Completion)| {
        let (name, meaning) =
            if at == selected { (Role::Selected, Role::Selected) } else { (Role::Accent, Role::Muted) };
        let cells = Cells::new(theme).left(name, way.word, word);
        let line = cells.left(meaning, way.meaning, columns.saturating_sub(word)).line();
        if at == selected { line.style(theme.style(Role::Selected)) } else { line }
    };
    all.iter().enumerate().skip(first).take(most).map(line).collect()
}

/// The terms of the filter that is typed: each kind of list has its own.
fn terms(scene: &Scene) -> &'static [(&'static str, &'static str)] {
    match scene.state.stack.last() {
        Some(Screen::Journal(_)) => &OF_RECORDS,
        Some(Screen::Event(_)) => &OF_USERS,
        _ => &SYNTAX,
    }
}

fn syntax(theme: &Theme, terms: &[(&str, &str)], most: usize) -> Vec<Line<'static>> {
    let line = |(term, meaning): &(&str, &str)| {
        Line::from(vec![theme.span(Role::Accent, &format!("{term:<23} ")), theme.span(Role::Muted, meaning)])
    };
    terms.iter().take(most).map(line).collect()
}
