//! The confirm card: a sentence on top, the question pinned at the bottom, the rest scrolls between.
//!
//! ```text
//! ┏ Confirm ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ risk medium ┓
//! ┃ Suspend the Okta account of ann@example.com              ┃
//! ┃                                                          ┃
//! ┃ … target, limits, the exact request …                    ┃
//! ┃ ──────────────────────────────────────── ↓ 14 more lines ┃
//! ┃ confirm   susp▏                                          ┃
//! ┃ type `suspend` and press enter · esc leaves (default)    ┃
//! ┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛
//! ```
//!
//! The question is laid out first, so that it is never clipped: a prompt that can be is no prompt.

use super::canvas::{Canvas, Cells};
use super::card_end;
use super::card_text;
use super::field;
use super::panel::{Focus, Panel, hidden};
use super::prose::Prose;
use super::theme::{Role, Theme};
use super::words;
use super::{CardKeys, Scene};
use crate::app::after;
use crate::app::card::{Card, Field, Phase};
use crate::app::list::Extent;
use crate::app::msg::Progress;
use crate::app::text::wrap;
use crate::app::waits;
use crate::domain::plan::{Confirm, Plan};
use crate::domain::untrusted::width;
use crate::domain::{Outcome, Remote, Route, undo};
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;
use tui_input::Input;

/// The columns of a field's name.
const LABEL: u16 = 10;
/// Below this many rows of screen the card is dense.
const LOW: u16 = 20;
/// Rows of explanation above the fields; what is longer stands in the scrolled part too.
pub(super) const SAID: usize = 3;

/// Whether rows are too few for empty lines and for what need not be asked.
pub(super) fn is_low(scene: &Scene) -> bool {
    scene.size.rows < LOW
}

/// What is pinned at the bottom.
pub(super) struct Question<'a> {
    pub(super) said: Vec<Line<'static>>,
    pub(super) fields: Vec<(&'static str, &'a Input, Focus)>,
    pub(super) keys: Line<'static>,
}

impl Question<'_> {
    pub(super) fn rows(&self) -> u16 {
        (self.said.len() + self.fields.len() + 1) as u16
    }
}

pub(super) fn draw(scene: &Scene, card: &Card, canvas: &mut Canvas) -> Option<Position> {
    let largest = scene.size.card();
    let columns = usize::from(largest.width.saturating_sub(4));
    let sentence = sentence(canvas.theme, card, columns);
    let middle = middle(scene, canvas.theme, card, columns, &pinned(canvas.theme, card, columns));
    let question = question(scene, canvas.theme, card, columns);
    let wanted = sentence.len() + middle.len() + usize::from(question.rows()) + 4;
    let wanted = u16::try_from(wanted).unwrap_or(u16::MAX).min(largest.height);
    let inner = frame(card).draw(canvas, scene.size.overlay(largest.width, wanted));
    let gap = u16::from(!is_low(scene));
    let (top, between, bottom) = parts(inner, sentence.len(), question.rows(), gap);
    canvas.lines(top, &sentence);
    draw_middle(canvas, between, &middle, card.scroll.offset);
    draw_question(canvas, bottom, &question)
}

fn frame(card: &Card) -> Panel {
    let title = match &card.phase {
        Phase::Preparing => "Preparing",
        Phase::Asking => card.refusal().map_or("Confirm", words::refused_title),
        Phase::Running(_) => "Running",
        Phase::Done(end) if end.is_mixed() => "In part",
        Phase::Done(end) => match end.outcome() {
            Outcome::Unknown => "Outcome unknown",
            Outcome::Refused => "Refused",
            Outcome::Failed => "Failed",
            Outcome::NotSent => "Not sent",
            Outcome::NotLegal => "Not legal",
            Outcome::Pending => "Pending",
            Outcome::Accepted => "Accepted",
            Outcome::Changed => "Changed",
            Outcome::NoChange => "No change",
        },
        Phase::Failed(_) => "Not sent",
        Phase::Unsure(_) => "Outcome unknown",
    };
    let panel = Panel::new(title, Focus::Here);
    match &card.plan {
        Some(plan) if !card.has_left() => {
            let risk = plan.risk;
            panel.aside(card_text::risk_role(risk), format!("risk {}", risk.word()))
        }
        _ => panel,
    }
}

/// The question has its rows first, then the sentence, then what scrolls with its separator.
pub(super) fn parts(inner: Rect, sentence: usize, question: u16, gap: u16) -> (Rect, Rect, Rect) {
    let bottom = question.min(inner.height);
    let left = inner.height - bottom;
    let top = u16::try_from(sentence).unwrap_or(u16::MAX).min(left.saturating_sub(3).max(1)).min(left);
    let gap = if left > top + 4 { gap } else { 0 };
    let between = left - top - gap.min(left - top);
    let at = |y: u16, height: u16| Rect { y: inner.y + y, height, ..inner };
    (at(0, top), at(left - between, between), at(left, bottom))
}

/// What happens to whom, in plain words.
fn sentence(theme: &Theme, card: &Card, columns: usize) -> Vec<Line<'static>> {
    let text = match &card.plan {
        Some(plan) => format!("{}{}", words::capitalised(&plan.to_string()), came_to(card)),
        None => {
            let flow = card.ask.flow.as_ref().map_or("a flow".to_owned(), |flow| format!("`{flow}`"));
            format!("Run {flow} on {}", card.ask.login)
        }
    };
    let mut prose = Prose::new(theme, columns);
    if let Some(refusal) = card.refusal() {
        let (sign, role) = words::refused_role(refusal);
        prose.marked(sign, role, &words::refused(refusal));
    }
    let mut lines = prose.lines();
    if lines.len() > SAID {
        let role = card.refusal().map_or(Role::Alarm, |refusal| words::refused_role(refusal).1);
        lines.truncate(SAID - 1);
        lines.push(theme.own_line(role, "  … whole below"));
    }
    let mut prose = Prose::new(theme, columns);
    prose.say(Role::Heading, &text);
    lines.extend(prose.lines());
    lines
}

/// What a run that was made came to, behind what it does.
fn came_to(card: &Card) -> String {
    match &card.phase {
        Phase::Done(end) if end.is_mixed() => ": in part".to_owned(),
        Phase::Done(end) => format!(": {}", end.outcome().word()),
        Phase::Unsure(_) => ": outcome unknown".to_owned(),
        _ => String::new(),
    }
}

fn middle(scene: &Scene, theme: &Theme, card: &Card, columns: usize, pinned: &str) -> Vec<Line<'static>> {
    let prose = Prose::new(theme, columns);
    let mut prose = if is_low(scene) { prose.dense() } else { prose };
    match &card.plan {
        Some(plan) if card.has_left() => card_end::write(scene, &mut prose, card, plan, pinned),
        _ => card_text::write(&mut prose, card, pinned, &scene.state.settings.zone),
    }
    prose.lines()
}

/// What stands whole beside the keys, and need not be said above once more.
fn pinned(theme: &Theme, card: &Card, columns: usize) -> String {
    let text = match card.refusal() {
        Some(refusal) => format!("! {}", words::refused(refusal)),
        None => said(theme, card).1,
    };
    if wrap(&text, columns).len() > SAID { String::new() } else { text }
}

/// The scrolled part, and below it a rule that says how much is not visible.
fn draw_middle(canvas: &mut Canvas, area: Rect, lines: &[Line<'static>], offset: usize) {
    let Some(height) = area.height.checked_sub(1) else { return };
    let rows = usize::from(height);
    let offset = offset.min(lines.len().saturating_sub(rows));
    canvas.extent = Extent { lines: lines.len(), height: rows };
    canvas.lines(Rect { height, ..area }, lines.iter().skip(offset));
    let more = hidden(offset, rows, lines.len());
    let tail = if more.is_empty() { String::new() } else { format!(" {more}") };
    let tail = canvas.theme.own(&tail);
    let rule = "─".repeat(usize::from(area.width).saturating_sub(width(&tail)));
    let line = Cells::new(canvas.theme).own(Role::Border, &rule).text(Role::Accent, &tail).line();
    canvas.line(area, rows, &line);
}

pub(super) fn draw_question(canvas: &mut Canvas, area: Rect, question: &Question) -> Option<Position> {
    // Where there is not even room for the question, its last rows, the keys, are the ones that stay.
    let missing = usize::from(question.rows().saturating_sub(area.height));
    canvas.lines(area, question.said.iter().skip(missing));
    let mut row = question.said.len().saturating_sub(missing);
    let mut cursor = None;
    for (label, input, focus) in question.fields.iter().skip(missing.saturating_sub(question.said.len())) {
        let at = draw_field(canvas, area, row, label, input);
        cursor = if *focus == Focus::Here { at } else { cursor };
        row += 1;
    }
    canvas.line(area, row, &question.keys);
    cursor
}

fn draw_field(canvas: &mut Canvas, area: Rect, row: usize, label: &str, input: &Input) -> Option<Position> {
    let row = u16::try_from(row).ok().filter(|row| *row < area.height)?;
    let line = Rect { y: area.y + row, height: 1, ..area };
    canvas.line(line, 0, &canvas.theme.line(Role::Muted, label));
    let label = LABEL.min(line.width);
    field::draw(canvas, Rect { x: line.x + label, width: line.width - label, ..line }, input)
}

fn question<'a>(scene: &Scene, theme: &Theme, card: &'a Card, columns: usize) -> Question<'a> {
    let (role, text) = held_up(scene, card).unwrap_or_else(|| said(theme, card));
    let mut said = Prose::new(theme, columns);
    if !text.is_empty() {
        said.say(role, &text);
    }
    let mut said = said.lines();
    said.truncate(SAID);
    Question { said, fields: fields(scene, card), keys: keys(scene, theme, card, columns) }
}

/// Which systems hold up what the card does now, if they make us wait. A request that is said to be held
/// up has not left: so what others wait for, a reading ahead say, must not be told here.
fn awaited(card: &Card) -> Vec<Remote> {
    let flow = card.plan.iter().map(|plan| match plan.flow.route {
        Route::Okta => Remote::Okta,
        Route::ApiEndpoint | Route::Open => Remote::Flow(plan.request.url.clone()),
    });
    match &card.phase {
        Phase::Preparing => vec![Remote::Cii, Remote::Okta],
        Phase::Running(stage) => match stage.as_ref().map(|stage| &stage.progress) {
            // Before the intent the target is read once more.
            None | Some(Progress::Intended) => flow.chain([Remote::Okta]).collect(),
            Some(Progress::Sending) => flow.collect(),
            Some(Progress::Answered(_) | Progress::Verifying) => vec![Remote::Okta],
        },
        _ => Vec::new(),
    }
}

/// The wait that holds up what the card does now.
fn held_up(scene: &Scene, card: &Card) -> Option<(Role, String)> {
    let doing = match &card.phase {
        Phase::Preparing => "reading the target".to_owned(),
        Phase::Running(stage) => words::stage(stage.as_ref()),
        _ => return None,
    };
    let wait = waits::on(scene.state, &awaited(card))?;
    let wait = wait.words(&scene.state.settings.zone);
    Some((Role::Warning, format!("{}: {wait}", doing.trim_end_matches('…'))))
}

/// What has to be said beside the keys.
fn said(theme: &Theme, card: &Card) -> (Role, String) {
    match &card.phase {
        Phase::Preparing if card.plan.is_some() => (Role::Muted, theme.own("reading the target again…")),
        Phase::Preparing => (Role::Muted, theme.own("reading the target and building the request…")),
        Phase::Running(stage) => (Role::Accent, theme.own(&words::stage(stage.as_ref()))),
        Phase::Failed(why) | Phase::Unsure(why) => (Role::Alarm, format!("! {why}")),
        Phase::Done(end) => (end.outcome().into(), words::run_ended(end)),
        Phase::Asking => asked(card),
    }
}

fn asked(card: &Card) -> (Role, String) {
    let again = card.plan.as_ref().and_then(|plan| plan.needs_again.as_ref());
    match (card.refusal(), again, &card.error) {
        // It is no question: why it is refused stands on top.
        (Some(_), ..) => (Role::Text, String::new()),
        (_, Some(why), _) if card.wants_insistence() => (Role::Warning, format!("! {why}")),
        (.., Some(error)) => (Role::Alarm, format!("! {error}")),
        _ if card.plan.as_ref().is_some_and(|plan| plan.account_doubt.is_some()) => {
            (Role::Warning, "! it may be another's account: say which one is meant".to_owned())
        }
        _ => (Role::Text, String::new()),
    }
}

/// The fields stand there before the card arms, so that nothing moves when it does.
fn fields<'a>(scene: &Scene, card: &'a Card) -> Vec<(&'static str, &'a Input, Focus)> {
    let Some(plan) = card.plan.as_ref().filter(|_| is_open(card)) else { return Vec::new() };
    let takes = card.takes_text(scene.state.now);
    let focus = |field: Field| Focus::here(takes && card.field == field);
    let mut fields = Vec::new();
    if plan.reason_required || offers_reason(scene, card, plan) {
        fields.push(("reason", &card.reason, focus(Field::Reason)));
    }
    if plan.to_confirm() != Confirm::Key {
        fields.push(("confirm", &card.typed, focus(Field::Confirm)));
    }
    fields
}

/// Whether there is room for a reason that need not be given. One that is being typed is always seen.
fn offers_reason(scene: &Scene, card: &Card, plan: &Plan) -> bool {
    let is_used = card.field == Field::Reason || !card.reason.value().is_empty();
    plan.to_confirm() != Confirm::Key && (!is_low(scene) || is_used)
}

/// Whether the card can still be answered with yes.
fn is_open(card: &Card) -> bool {
    let is_refused = card.plan.as_ref().is_none_or(|plan| plan.refusal.is_some());
    card.phase == Phase::Asking && !is_refused && !card.wants_insistence()
}

/// What the keys do. What sends nothing is left out where there is no room for it: the footer has it too.
fn keys(scene: &Scene, theme: &Theme, card: &Card, columns: usize) -> Line<'static> {
    let beside = beside(scene, card);
    let lines =
        (0..=beside.len()).rev().map(|n| keys_with(scene, theme, card, beside.get(..n).unwrap_or_default()));
    let mut last = Line::default();
    for line in lines {
        last = line;
        if last.width() <= columns {
            break;
        }
    }
    last
}

/// What can be asked of the card that sends nothing.
fn beside<'a>(scene: &'a Scene, card: &Card) -> Vec<(&'a str, &'static str)> {
    let now = scene.state.now;
    let key = |keys: &'a CardKeys| match card.is_typed() || card.takes_text(now) {
        true => keys.beside_field.as_str(),
        false => keys.plain.as_str(),
    };
    let look = card.takes_look(now).then_some((scene.help.look_key.as_str(), " looks again"));
    let form = card.takes_form(now).then(|| (key(&scene.help.form_keys), " inputs"));
    let dry_run = card.takes_dry_run(now).then(|| (key(&scene.help.dry_run_keys), " dry run"));
    [look, form, dry_run].into_iter().flatten().filter(|(key, _)| !key.is_empty()).collect()
}

fn keys_with(scene: &Scene, theme: &Theme, card: &Card, beside: &[(&str, &str)]) -> Line<'static> {
    let cells = Cells::new(theme);
    let cells = match &card.phase {
        Phase::Done(_) | Phase::Failed(_) | Phase::Unsure(_) => {
            let cells = match card.link() {
                Some(_) => {
                    cells.text(Role::Key, "y").text(Role::Text, " copies the link").own(Role::Muted, " · ")
                }
                None => afterwards(scene, cells),
            };
            return said_beside(cells, beside).text(Role::Key, "esc").text(Role::Muted, " closes").line();
        }
        Phase::Running(_) => {
            return cells.text(Role::Key, "esc").text(Role::Muted, " leaves: the run goes on").line();
        }
        Phase::Asking if card.refusal().is_some() => {
            return said_beside(cells, beside).text(Role::Key, "esc").text(Role::Muted, " back").line();
        }
        Phase::Asking if card.wants_insistence() => {
            cells.text(Role::Key, &scene.help.insist_key).text(Role::Text, " insists").own(Role::Muted, " · ")
        }
        Phase::Asking if is_open(card) && card.is_armed(scene.state.now) => answer(cells, card),
        Phase::Asking if is_open(card) => cells.own(Role::Muted, "arming… · "),
        Phase::Asking | Phase::Preparing => cells,
    };
    said_beside(cells, beside).text(Role::Key, leaves(card)).text(Role::Muted, " leaves (default)").line()
}

fn said_beside<'a>(cells: Cells<'a>, beside: &[(&str, &str)]) -> Cells<'a> {
    beside.iter().fold(cells, |cells, (key, label)| {
        cells.text(Role::Key, key).text(Role::Text, label).own(Role::Muted, " · ")
    })
}

/// What can be done about the actions of a card that has ended.
fn afterwards<'a>(scene: &Scene, cells: Cells<'a>) -> Cells<'a> {
    let (actions, flows) = (after::meant(scene.state), &scene.state.settings.flows);
    let undo = undo::of_any(actions.iter().copied(), flows).is_ok();
    let undo = undo.then_some((scene.help.undo_key.as_str(), " undoes"));
    let look = after::takes_look(scene.state).then_some((scene.help.look_key.as_str(), " looks again"));
    // Where nobody knows how it ended, a look comes before anything else.
    let is_unknown = actions.iter().any(|action| action.is_unknown());
    let both = if is_unknown { [look, undo] } else { [undo, look] };
    both.into_iter().flatten().fold(cells, |cells, (key, words)| {
        cells.text(Role::Key, key).text(Role::Text, words).own(Role::Muted, " · ")
    })
}

fn leaves(card: &Card) -> &'static str {
    let by_key = card.plan.as_ref().is_some_and(|plan| plan.to_confirm() == Confirm::Key);
    if by_key && is_open(card) && card.field == Field::Confirm { "n/esc" } else { "esc" }
}

fn answer<'a>(cells: Cells<'a>, card: &Card) -> Cells<'a> {
    let Some(plan) = &card.plan else { return cells };
    let cells = match (card.field, &plan.to_confirm()) {
        (Field::Reason, Confirm::Key) if !plan.reason_required => {
            cells.text(Role::Key, "y").text(Role::Text, " runs it")
        }
        (Field::Reason, _) => cells.text(Role::Text, "say why, then ").text(Role::Key, "enter"),
        (Field::Confirm, Confirm::Key) => cells.text(Role::Key, "y").text(Role::Text, " runs it"),
        (Field::Confirm, Confirm::Word(word)) => cells
            .text(Role::Text, "type ")
            .text(Role::Key, word)
            .text(Role::Text, " and ")
            .text(Role::Key, "enter"),
        (Field::Confirm, Confirm::Login(account)) if plan.account_doubt.is_some() => cells
            .text(Role::Text, "type ")
            .text(Role::Key, &account.to_string())
            .text(Role::Text, " and ")
            .text(Role::Key, "enter"),
        (Field::Confirm, Confirm::Login(_)) => {
            cells.text(Role::Text, "type the login and ").text(Role::Key, "enter")
        }
    };
    cells.own(Role::Muted, " · ")
}
