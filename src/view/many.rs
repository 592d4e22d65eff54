//! The confirm card for many: the sentence on top, the question pinned at the bottom, and between them what scrolls:
//! whom it leaves out and why, whom it acts on, how far it reaches altogether, and one request for all.
//!
//! ```text
//! ┏ Confirm ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ risk medium ┓
//! ┃ Suspend the Okta account: 38 of 40 users                 ┃
//! ┃ ! root@example.com      refused: protected: …            ┃
//! ┃   ann@example.com       ACTIVE      suspend              ┃
//! ┃ ──────────────────────────────────────── ↓ 44 more lines ┃
//! ┃ confirm   susp▏                                          ┃
//! ┃ type suspend and enter · esc leaves (default)            ┃
//! ┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛
//! ```
//!
//! Of very many users only the lines that are visible are laid out.

mod question;

use super::Scene;
use super::canvas::{Canvas, Cells};
use super::card::{self, is_low, parts};
use super::card_text;
use super::panel::{Focus, Panel, hidden};
use super::prose::Prose;
use super::theme::{Role, Theme};
use super::words;
use crate::app::list::Extent;
use crate::app::many::{ManyCard, Phase};
use crate::domain::blast::{BlastLine, Weight};
use crate::domain::counted::users;
use crate::domain::many::{
    ConfirmMany, Exception, Planned, Stand, Sum, reach, reach_in_a_line, who_administers,
};
use crate::domain::plan::{Plan, Target};
use crate::domain::untrusted::width;
use crate::domain::{Login, NOTHING};
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

/// The columns of a fact's name.
const FACT: usize = 12;
/// The fact that stands for a target's state.
const STATUS: &str = "status";
/// Of more exceptions than these the reason is cut to its line.
const SAID_WHOLE: usize = 100;
/// Limits and unknowns of single users: so many different ones are told.
const TOLD: usize = 8;
/// The columns of a target's state.
const STATE: usize = 14;

pub(super) fn draw(scene: &Scene, card: &ManyCard, canvas: &mut Canvas) -> Option<Position> {
    let largest = scene.size.card();
    let columns = usize::from(largest.width.saturating_sub(4));
    let (stands, theme) = (card.stands(), canvas.theme);
    let sum = card.sum();
    let sentence = sentence(theme, card, &stands, columns);
    let middle = Middle::of(scene, theme, card, &stands, &sum, columns);
    let question = question::question(scene, theme, card, &sum, columns);
    let wanted = sentence.len() + middle.len() + usize::from(question.rows()) + 4;
    let wanted = u16::try_from(wanted).unwrap_or(u16::MAX).min(largest.height);
    let inner = frame(card, &sum).draw(canvas, scene.size.overlay(largest.width, wanted));
    let gap = u16::from(!is_low(scene));
    let (top, between, bottom) = parts(inner, sentence.len(), question.rows(), gap);
    canvas.lines(top, &sentence);
    middle.draw(canvas, between, card.scroll.offset);
    card::draw_question(canvas, bottom, &question)
}

fn frame(card: &ManyCard, sum: &Sum) -> Panel {
    let title = match card.phase {
        Phase::Planning(_) => "Reading",
        Phase::Asking if card.acts_on_nobody() => nobody(sum).2,
        Phase::Asking => "Confirm",
        Phase::Starting => "Starting",
        Phase::Failed(_) => "Not sent",
    };
    let panel = Panel::new(title, Focus::Here);
    match sum.risk {
        Some(risk) => panel.aside(card_text::risk_role(risk), format!("risk {}", risk.word())),
        None => panel,
    }
}

/// That nobody is acted on, and how loud that is: where all are so already, nothing is wrong.
fn nobody(sum: &Sum) -> (&'static str, Role, &'static str) {
    let are_so = sum.left_out.iter().all(|(kind, _)| *kind == Exception::AlreadySo);
    if are_so { ("- ", Role::Muted, "Nothing to do") } else { ("! ", Role::Alarm, "Nobody is acted on") }
}

/// What happens to how many, in plain words.
fn sentence(theme: &Theme, card: &ManyCard, stands: &[Stand], columns: usize) -> Vec<Line<'static>> {
    let plans: Vec<&Plan> = stands.iter().filter_map(Stand::acted_on).collect();
    let of_flow = || card.flow.as_ref().map(|flow| flow.verb.clone());
    let verb = plans.first().map(|plan| plan.verb.clone()).or_else(of_flow);
    let verb = verb.unwrap_or_else(|| "run a flow".to_owned());
    let whom = match card.phase {
        Phase::Planning(_) | Phase::Failed(_) => users(card.meant()),
        _ => format!("{} of {}", plans.len(), users(card.meant())),
    };
    let mut prose = Prose::new(theme, columns);
    if card.acts_on_nobody() {
        let sum = card.sum();
        let (sign, role, _) = nobody(&sum);
        let why = if role == Role::Muted {
            "nothing to do: all of them are so already"
        } else {
            "nothing can be sent: everybody is left out"
        };
        prose.marked(sign, role, why);
    }
    prose.say(Role::Heading, &format!("{}: {whom}", words::capitalised(&verb)));
    prose.lines()
}

/// What scrolls. The rows of users are laid out where they are seen.
struct Middle<'a> {
    theme: &'a Theme,
    columns: usize,
    /// Whether rows are few.
    is_dense: bool,
    head: Vec<Line<'static>>,
    rows: Vec<Row<'a>>,
    tail: Vec<Line<'static>>,
}

enum Row<'a> {
    /// Somebody who is yet to be read.
    Meant(&'a Login),
    /// Somebody who is left out, on a line.
    LeftOut(&'a Stand<'a>),
    /// Somebody who is acted on.
    ActedOn(&'a Stand<'a>, &'a Plan),
}

impl<'a> Middle<'a> {
    fn of(
        scene: &Scene,
        theme: &'a Theme,
        card: &'a ManyCard,
        stands: &'a [Stand<'a>],
        sum: &Sum,
        columns: usize,
    ) -> Middle<'a> {
        let is_dense = is_low(scene);
        let prose = || {
            let prose = Prose::new(theme, columns);
            if is_dense { prose.dense() } else { prose }
        };
        let (mut head, mut tail) = (prose(), prose());
        if card.planned == Planned::default() {
            facts_of_flow(&mut head, card);
            head.heading(Role::Heading, "Whom it is meant for");
            let rows = card.ask.many.iter().map(|mark| Row::Meant(&mark.login)).collect();
            return Middle { theme, columns, is_dense, head: head.lines(), rows, tail: tail.lines() };
        }
        let left_out: Vec<&Stand> = stands.iter().filter(|stand| stand.left_out.is_some()).collect();
        let plans: Vec<&Plan> = stands.iter().filter_map(Stand::acted_on).collect();
        facts(&mut head, card, sum, &plans);
        if !left_out.is_empty() {
            head.heading(Role::Heading, &format!("Left out ({})", left_out.len()));
            left_out.iter().take(SAID_WHOLE).for_each(|stand| exception(&mut head, stand));
        }
        let rest = left_out.into_iter().skip(SAID_WHOLE).map(Row::LeftOut);
        let acted_on = stands.iter().filter_map(|stand| Some(Row::ActedOn(stand, stand.acted_on()?)));
        let rows: Vec<Row> = rest.chain(acted_on).collect();
        if !plans.is_empty() {
            head.heading(Role::Heading, &format!("Acted on ({})", plans.len()));
            after(&mut tail, &plans);
        }
        let gap = if tail.is_dense() { None } else { Some(Line::default()) };
        let tail = gap.into_iter().chain(tail.lines()).collect();
        Middle { theme, columns, is_dense, head: head.lines(), rows, tail }
    }

    fn len(&self) -> usize {
        self.head.len() + self.rows.len() + self.tail.len()
    }

    fn line(&self, at: usize) -> Line<'static> {
        let (rows, tail) = (self.head.len(), self.head.len() + self.rows.len());
        if at < rows {
            return self.head.get(at).cloned().unwrap_or_default();
        }
        match self.rows.get(at - rows) {
            Some(row) => row_line(self.theme, row, self.columns, self.is_dense),
            None => self.tail.get(at - tail).cloned().unwrap_or_default(),
        }
    }

    /// The scrolled part, and below it a rule that says how much is not visible.
    fn draw(&self, canvas: &mut Canvas, area: Rect, offset: usize) {
        let Some(height) = area.height.checked_sub(1) else { return };
        let (rows, all) = (usize::from(height), self.len());
        let offset = offset.min(all.saturating_sub(rows));
        canvas.extent = Extent { lines: all, height: rows };
        let lines: Vec<Line> = (offset..all.min(offset + rows)).map(|at| self.line(at)).collect();
        canvas.lines(Rect { height, ..area }, &lines);
        let more = hidden(offset, rows, all);
        let tail = if more.is_empty() { String::new() } else { format!(" {more}") };
        let tail = canvas.theme.own(&tail);
        let rule = "─".repeat(usize::from(area.width).saturating_sub(width(&tail)));
        let line = Cells::new(canvas.theme).own(Role::Border, &rule).text(Role::Accent, &tail).line();
        canvas.line(area, rows, &line);
    }
}

fn facts_of_flow(prose: &mut Prose, card: &ManyCard) {
    let Some(flow) = &card.flow else { return };
    prose.fact("flow", Role::Text, &format!("{} ({})", flow.name, flow.id));
    prose.fact("undo", Role::Text, &flow.undo);
    undoes(prose, card);
}

/// What it takes back, and of how many there is nothing to take back.
fn undoes(prose: &mut Prose, card: &ManyCard) {
    if let Some(undo) = &card.ask.undoes_run {
        match prose.is_dense() {
            true => prose.run_in("undoes:", Role::Text, &undo.words()),
            false => prose.fact("undoes", Role::Text, &undo.words()),
        }
    }
}

/// What has to be known before anything else: how many, the administrators among them, how far it reaches.
fn facts(prose: &mut Prose, card: &ManyCard, sum: &Sum, plans: &[&Plan]) {
    let is_plain = sum.left_out.is_empty() && sum.in_part == 0 && sum.insisted == 0;
    let role = if is_plain { Role::Text } else { Role::Warning };
    let undo = plans.first().map(|plan| plan.undo.as_str());
    if prose.is_dense() {
        // Who is left out, and why, stands right below.
        prose.say(role, &sum.brief());
    } else {
        prose.fact("users", role, &sum.words());
    }
    weighty(prose, plans);
    undoes(prose, card);
    if prose.is_dense() {
        if let Some(undo) = undo {
            // One row: it stands whole behind the users.
            let room = prose.columns().saturating_sub("undo: ".len());
            prose.run_in("undo:", Role::Text, &prose.shown(undo, room));
        }
        return;
    }
    if let Some(risk) = sum.risk {
        let raised = if sum.is_raised { ", one tier up for administrators" } else { "" };
        prose.fact("risk", card_text::risk_role(risk), &format!("{}{raised}: {}", risk.word(), asks(sum)));
    }
    if let Some(undo) = undo {
        let of_what = if sum.in_part > 0 { ", of what was sent" } else { "" };
        prose.fact("undo", Role::Text, &format!("{undo}; each by itself{of_what}"));
    }
}

/// Administrators and accounts that are no person's, before anything harmless, and how far it reaches altogether.
fn weighty(prose: &mut Prose, plans: &[&Plan]) {
    if plans.is_empty() {
        return;
    }
    let admins = who_administers(plans);
    let is_other = |line: &BlastLine| admins.as_ref().is_none_or(|admins| admins.name != line.name);
    let loud = reach(plans).into_iter().filter(|line| line.weight == Weight::Raises && is_other(line));
    let lines: Vec<BlastLine> = admins.clone().into_iter().chain(loud).collect();
    let reaches = reach_in_a_line(plans);
    // One row each: how many they are comes first, and all of it is said below once more.
    let room = |prose: &Prose, name: usize| prose.columns().saturating_sub(name);
    if prose.is_dense() {
        for line in lines {
            let name = format!("{}:", line.name);
            let words = prose.shown(&line.words, room(prose, name.len() + 1));
            prose.run_in(&name, card_text::weighed(line.weight), &words);
        }
        prose.run_in("reaches:", card_text::weighed(reaches.weight), &reaches.words);
        return;
    }
    for line in lines {
        let words = prose.shown(&line.words, room(prose, FACT));
        prose.fact(line.name, card_text::weighed(line.weight), &words);
    }
    prose.fact(reaches.name, card_text::weighed(reaches.weight), &reaches.words);
}

fn asks(sum: &Sum) -> String {
    match &sum.confirm {
        Some(ConfirmMany::Word(word)) => format!("`{word}` has to be typed"),
        Some(ConfirmMany::Count(_)) => "the number of those who are acted on has to be typed".to_owned(),
        None => "nothing can be sent".to_owned(),
    }
}

fn exception(prose: &mut Prose, stand: &Stand) {
    let Some((kind, why)) = &stand.left_out else { return };
    let (sign, role) = weight(*kind);
    prose.marked(sign, role, &format!("{}  {}", stand.whom(), words::left_out(*kind, why)));
}

/// What needs a look is loud; what is so already is not.
fn weight(kind: Exception) -> (&'static str, Role) {
    match kind {
        Exception::Refused | Exception::NotPlanned => ("! ", Role::Alarm),
        Exception::Doubted | Exception::Alone => ("! ", Role::Warning),
        Exception::SameAccount | Exception::NotLegal => ("- ", Role::Text),
        Exception::AlreadySo => ("- ", Role::Muted),
    }
}

fn row_line(theme: &Theme, row: &Row, columns: usize, is_dense: bool) -> Line<'static> {
    let login_columns = (columns / 2).min(44);
    let rest = columns.saturating_sub(login_columns + 4);
    let cells = |whom: &str, sign: &str, role| {
        Cells::new(theme).text(role, sign).left(Role::Text, whom, login_columns).gap(2)
    };
    match row {
        Row::Meant(login) => cells(&login.to_string(), "  ", Role::Muted).line(),
        Row::LeftOut(stand) => {
            let Some((kind, why)) = &stand.left_out else { return Line::default() };
            let (sign, role) = weight(*kind);
            cells(&stand.whom(), sign, role).left(role, &words::left_out(*kind, why), rest).line()
        }
        Row::ActedOn(stand, plan) => {
            let (role, state) = state(plan);
            let (sign, note_role, note) = note(stand, plan, is_dense);
            let state_columns = STATE.min(rest);
            cells(&stand.whom(), sign, note_role)
                .left(role, &state, state_columns)
                .left(note_role, &note, rest - state_columns)
                .line()
        }
    }
}

fn state(plan: &Plan) -> (Role, String) {
    match &plan.target {
        Target::CannotTell(_) => (Role::Warning, "cannot tell".to_owned()),
        Target::Read { .. } => (Role::Text, plan.target.fact(STATUS).unwrap_or(NOTHING).to_owned()),
    }
}

/// What happens to them, or what has to be known of them before.
fn note(stand: &Stand, plan: &Plan, is_dense: bool) -> (&'static str, Role, String) {
    let administrator = stand.is_administrator().then(|| {
        let words = plan.blast.as_ref().map(|blast| blast.administrator().words).unwrap_or_default();
        format!("administrator: {words}")
    });
    let role = if administrator.is_some() { Role::Alarm } else { Role::Warning };
    let insisted = stand.insisted_on().map(|why| format!("insisted: {why}"));
    let notes: Vec<String> = administrator.into_iter().chain(stand.missing()).chain(insisted).collect();
    match (notes.is_empty(), is_dense) {
        // Where room is short, what is the same for all of them stands in the first line alone.
        (true, true) => ("  ", Role::Text, String::new()),
        (true, false) => ("  ", Role::Text, plan.flow.word().to_owned()),
        (false, _) => ("! ", role, notes.join("; ")),
    }
}

/// How far it reaches, what it does not do, where to look afterwards, and the request.
fn after(prose: &mut Prose, plans: &[&Plan]) {
    if let Some(undo) = plans.first().map(|plan| &plan.undo).filter(|_| prose.is_dense()) {
        prose.fact("undo", Role::Text, undo);
    }
    prose.heading(Role::Heading, "What it reaches altogether");
    for line in reach(plans) {
        prose.fact(line.name, card_text::weighed(line.weight), &line.words);
    }
    told(prose, "What this cannot know", plans.iter().flat_map(|plan| &plan.cannot_know));
    told(prose, "Limits", plans.iter().flat_map(|plan| &plan.caveats));
    let Some(first) = plans.first() else { return };
    told(prose, "Audit: to expect in the System Log, once a user", first.flow.audit.iter());
    prose.heading(Role::Heading, "How it is sent");
    prose.fact("flow", Role::Text, &format!("{} ({})", first.flow.name, first.flow.id));
    prose.item(Role::Text, "each user by themselves, planned anew at their turn, below ten calls a second");
    prose.item(Role::Text, "it waits for you at the first end of a kind that may be wrong for everybody");
    if plans.len() > 1 {
        let whose = format!("the first of {}, {}", plans.len(), first.whom());
        prose.item(
            Role::Text,
            &format!(
                "below is the request of {whose}; the others' differ by the action's id and by whom it is on"
            ),
        );
    }
    first.parts().iter().for_each(|part| card_text::request(prose, &part.request));
}

/// Different ones, each once.
fn told<'a>(prose: &mut Prose, heading: &str, texts: impl Iterator<Item = &'a String>) {
    let mut different: Vec<&String> = Vec::new();
    let mut more = 0;
    for text in texts.filter(|text| !text.is_empty()) {
        match different.contains(&text) {
            true => {}
            false if different.len() < TOLD => different.push(text),
            false => more += 1,
        }
    }
    if different.is_empty() {
        return;
    }
    prose.heading(Role::Heading, heading);
    different.iter().for_each(|text| prose.item(Role::Text, text));
    if more > 0 {
        prose.item(Role::Muted, &format!("and {more} of single users"));
    }
}
