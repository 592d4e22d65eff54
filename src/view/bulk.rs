//! Runs on many: the list of them, and one with what became of each user.
//!
//! ```text
//!  suspend the Okta account · by kim at 10:02Z · confirmed by phone
//!  paused  ▰▰▰▰▱▱▱▱  12 of 40 done · 1 refused, 11 changed, 28 queued
//!  ! `bob@example.com` is refused (answered 403): …
//!  what to do: …
//!
//!  user                          ended                      at     why
//!  ann@example.com               changed (verified)         10:03Z
//! ```

use super::canvas::{Canvas, Cells};
use super::field;
use super::panel::{Focus, Panel};
use super::prose::Prose;
use super::theme::{Role, Theme};
use super::words;
use super::{BulkKeys, Scene};
use crate::app::bulk::{self, Asking, BulkScreen, BulksScreen, Question, Which};
use crate::domain::bulk::{BulkEnd, BulkRun, BulkState, BulkUser};
use crate::domain::many::ConfirmMany;
use crate::domain::time::Zone;
use crate::domain::untrusted::{Untrusted, width};
use crate::domain::{Evidence, Outcome};
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

const STATE: usize = 11;
const COUNTS: usize = 12;
/// From this width on there is room for more words.
const ROOMY: u16 = 78;
/// The cells of the bar.
const BAR: usize = 20;

pub(super) fn draw_list(scene: &Scene, screen: &BulksScreen, canvas: &mut Canvas, area: Rect) {
    canvas.line(area, 0, &list_heading(scene, canvas.theme, screen, usize::from(area.width)));
    let below = Rect { y: area.y + 1.min(area.height), height: area.height.saturating_sub(1), ..area };
    let selected = screen.selected().map(|run| run.id);
    let visible = screen.runs.iter().skip(screen.cursor.offset).take(usize::from(below.height));
    for (row, run) in visible.enumerate() {
        canvas.line(below, row, &list_line(scene, canvas.theme, run, usize::from(below.width)));
        if Some(run.id) == selected {
            canvas.select(below, row);
        }
    }
}

fn list_heading(scene: &Scene, theme: &Theme, screen: &BulksScreen, columns: usize) -> Line<'static> {
    if let Some(error) = &screen.error {
        return theme.line(Role::Alarm, &format!(" ! {error}"));
    }
    match (screen.is_loaded, screen.runs.is_empty()) {
        (false, _) => theme.own_line(Role::Muted, " reading…"),
        (true, true) => theme.line(Role::Muted, " no run on many yet: mark users in an event, run a flow"),
        (true, false) => {
            let (verb, ended) = list_widths(scene, columns);
            let cells = Cells::new(theme).gap(1).left(Role::Muted, "when", when(scene)).gap(1);
            let cells = cells.left(Role::Muted, "state", STATE).gap(1).left(Role::Muted, "what", verb).gap(1);
            cells.left(Role::Muted, "done", COUNTS).gap(1).left(Role::Muted, "ended", ended).line()
        }
    }
}

fn when(scene: &Scene) -> usize {
    scene.state.settings.zone.minutes_columns()
}

/// What it does and how it ended share what is left; on a narrow screen only the first is there.
fn list_widths(scene: &Scene, columns: usize) -> (usize, usize) {
    let rest = columns.saturating_sub(when(scene) + STATE + COUNTS + 5);
    if rest < 50 { (rest, 0) } else { (rest / 2, rest - rest / 2 - 1) }
}

fn list_line(scene: &Scene, theme: &Theme, run: &BulkRun, columns: usize) -> Line<'static> {
    let (verb, ended) = list_widths(scene, columns);
    let at = scene.state.settings.zone.minutes(run.at);
    let cells = Cells::new(theme).gap(1).left(Role::Muted, &at, when(scene)).gap(1);
    let (role, word) = state(scene, run);
    let cells = cells.left(role, word, STATE).gap(1);
    let cells = cells.left(Role::Text, &run.verb, verb).gap(1);
    let (done, acting) = run.progress();
    let done = format!("{done} of {acting}");
    cells.left(Role::Text, &done, COUNTS).gap(1).left(Role::Muted, &run.acted_on_words(), ended).line()
}

/// Where it stands, in a word: of what is over, that it is undone before that it was done.
pub(super) fn state(scene: &Scene, run: &BulkRun) -> (Role, &'static str) {
    let role = match run.state {
        BulkState::Running if bulk::is_interrupted(scene.state, run) => return (Role::Alarm, "interrupted"),
        BulkState::Running => match bulk::told(scene.state, run.id) {
            Some(to) => return (Role::Warning, bulk::turning_word(to)),
            None => words::run_state_role(run.state),
        },
        state => words::run_state_role(state),
    };
    match run.undone_word() {
        Some(word) => (Role::Warning, word),
        None => (role, run.state.word()),
    }
}

pub(super) fn draw(scene: &Scene, screen: &BulkScreen, canvas: &mut Canvas) {
    let rows = bulk::fact_rows(scene.state, screen, scene.size.columns);
    let (facts, users, about) = scene.size.bulk_parts(rows);
    draw_facts(scene, screen, canvas, facts);
    draw_users(scene, screen, canvas, users);
    draw_about(scene, screen, canvas, about);
}

fn draw_facts(scene: &Scene, screen: &BulkScreen, canvas: &mut Canvas, area: Rect) {
    let theme = canvas.theme;
    let inner = Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
    let Some(run) = &screen.run else {
        let line = match &screen.error {
            Some(error) => theme.line(Role::Alarm, &format!("! {error}")),
            None => theme.own_line(Role::Muted, "reading…"),
        };
        return canvas.line(inner, 0, &line);
    };
    let columns = usize::from(inner.width);
    canvas.line(inner, 0, &Cells::new(theme).left(Role::Heading, &what(scene, run), columns).line());
    canvas.line(inner, 1, &stands(scene, theme, run, columns));
    let (role, hint) = hint(scene, run);
    let role = if screen.error.is_some() { Role::Alarm } else { role };
    let mut prose = Prose::new(theme, columns);
    let why = bulk::reason(scene.state, screen);
    if !why.is_empty() {
        prose.say(role, &why);
    }
    // What can be done stands whole, whatever of the reason does.
    let room = usize::from(inner.height.saturating_sub(2)).saturating_sub(usize::from(!hint.is_empty()));
    let mut lines = within(theme, role, prose.lines(), room, columns);
    if !hint.is_empty() {
        lines.push(Cells::new(theme).left(Role::Text, &hint, columns).line());
    }
    for (row, line) in lines.iter().enumerate() {
        canvas.line(inner, row + 2, line);
    }
}

/// As many lines as there is room for; what is left out is seen to be.
fn within(
    theme: &Theme,
    role: Role,
    mut lines: Vec<Line<'static>>,
    room: usize,
    columns: usize,
) -> Vec<Line<'static>> {
    if lines.len() > room && room > 0 {
        let rest: Vec<String> = lines.split_off(room - 1).iter().map(ToString::to_string).collect();
        lines.push(theme.line(role, &theme.shown(&rest.join(" "), columns)));
    }
    lines.truncate(room);
    lines
}

fn what(scene: &Scene, run: &BulkRun) -> String {
    let reason =
        run.reason.as_deref().map(|reason| format!(" · {}", Untrusted::from(reason))).unwrap_or_default();
    let at = scene.state.settings.zone.minutes(run.at);
    format!("{} · by {} at {at}{reason}", words::capitalised(&run.verb), run.actor.signed())
}

/// `paused  ▰▰▱▱  12 of 40 done: 1 refused, 11 changed, 28 queued; 2 left out`.
fn stands(scene: &Scene, theme: &Theme, run: &BulkRun, columns: usize) -> Line<'static> {
    let (done, total) = run.progress();
    let (role, word) = state(scene, run);
    let cells = Cells::new(theme).text(role, word).gap(2);
    let cells = match columns + 2 >= usize::from(ROOMY) {
        true => bar(theme, cells, done, total).gap(2),
        false => cells,
    };
    let left_out = run.left_out_words().map(|words| format!("; {words}")).unwrap_or_default();
    let words = format!("{done} of {total} done: {}{left_out}", run.acted_on_words());
    let taken = width(word) + if columns + 2 >= usize::from(ROOMY) { BAR + 4 } else { 2 };
    cells.left(Role::Text, &words, columns.saturating_sub(taken)).line()
}

fn bar<'a>(theme: &Theme, cells: Cells<'a>, done: usize, total: usize) -> Cells<'a> {
    let full = done.saturating_mul(BAR).checked_div(total).unwrap_or(BAR).min(BAR);
    let (full_sign, empty_sign) = (theme.own("●"), theme.own("·"));
    cells.text(Role::Accent, &full_sign.repeat(full)).text(Role::Muted, &empty_sign.repeat(BAR - full))
}

/// What can be done about it, in the role of how it stands.
fn hint(scene: &Scene, run: &BulkRun) -> (Role, String) {
    let BulkKeys { resume, stop, .. } = &scene.help.bulk_keys;
    match run.state {
        BulkState::Running if bulk::is_interrupted(scene.state, run) => {
            (Role::Alarm, format!("{resume} goes on with it: nobody is acted on twice"))
        }
        BulkState::Running => driven(scene, run),
        BulkState::Paused if bulk::is_begun_anew(scene.state, run.id) => {
            (Role::Muted, "it is about to go on".to_owned())
        }
        BulkState::Paused if bulk::is_ours(scene.state, run.id) => {
            (Role::Muted, "it waits as soon as those on their way have landed".to_owned())
        }
        BulkState::Paused if run.why.is_some() => {
            let says = if scene.size.columns >= ROOMY { "may be so for everybody: " } else { "" };
            (Role::Warning, format!("{says}mend it, then {resume} goes on; {stop} stops it for good"))
        }
        BulkState::Paused => (Role::Warning, format!("it waits: {resume} goes on, {stop} stops it for good")),
        BulkState::Stopped => (Role::Muted, "nobody more is acted on".to_owned()),
        BulkState::Done => (Role::Muted, String::new()),
    }
}

/// Who drives it, or what it was told to be and is not yet.
fn driven(scene: &Scene, run: &BulkRun) -> (Role, String) {
    let BulkKeys { pause, stop, .. } = &scene.help.bulk_keys;
    if let Some(to) = bulk::told(scene.state, run.id) {
        return (Role::Warning, bulk::turning(run, to));
    }
    let ours = bulk::is_ours(scene.state, run.id);
    let by = if ours { "driven by this console" } else { "driven by another process" };
    (Role::Muted, format!("{by}: {pause} has it wait, {stop} stops it"))
}

fn draw_users(scene: &Scene, screen: &BulkScreen, canvas: &mut Canvas, area: Rect) {
    let theme = canvas.theme;
    let columns = usize::from(area.width);
    canvas.line(area, 0, &heading(scene, theme, screen, columns));
    let below = Rect { y: area.y + 1.min(area.height), height: area.height.saturating_sub(1), ..area };
    if screen.users.is_empty() {
        return canvas.line(below, 0, &theme.own_line(Role::Muted, &nobody(scene, screen)));
    }
    let selected = screen.at();
    let visible = screen.users.iter().enumerate().skip(screen.cursor.offset);
    for (row, (at, user)) in visible.take(usize::from(below.height)).enumerate() {
        canvas.line(below, row, &line(scene, theme, (screen.run.as_ref(), user), columns));
        if at == selected {
            canvas.select(below, row);
        }
    }
}

fn nobody(scene: &Scene, screen: &BulkScreen) -> String {
    let which = &scene.help.bulk_keys.which;
    match (screen.is_loaded, screen.which) {
        (false, _) => " reading…".to_owned(),
        (true, Which::All) => " nobody is in it".to_owned(),
        (true, Which::Exceptions) => {
            let so_far =
                if screen.run.as_ref().is_some_and(|run| run.state.is_over()) { "" } else { " so far" };
            format!(" no exception{so_far}; {which} shows others")
        }
        (true, Which::Queued) => format!(" nobody waits; {which} shows others"),
    }
}

fn heading(scene: &Scene, theme: &Theme, screen: &BulkScreen, columns: usize) -> Line<'static> {
    let Widths { login, ended, at, why } = Widths::of(scene, columns);
    let shown = if screen.which == Which::All {
        "user".to_owned()
    } else {
        format!("user: {}", screen.which.words())
    };
    let cells = Cells::new(theme).gap(1).left(Role::Muted, &shown, login).gap(1);
    let cells = cells.left(Role::Muted, "ended", ended).gap(1).left(Role::Muted, "at", at).gap(1);
    cells.left(Role::Muted, "why", why).line()
}

struct Widths {
    login: usize,
    ended: usize,
    at: usize,
    why: usize,
}

impl Widths {
    fn of(scene: &Scene, columns: usize) -> Widths {
        let at = if columns + 2 >= usize::from(ROOMY) { when(scene) } else { 0 };
        let ended = if columns >= 100 { 30 } else { 24 };
        let left = columns.saturating_sub(at + ended + 5);
        let login = if columns >= 100 { left.min(36) } else { left };
        Widths { login, ended, at, why: left - login }
    }
}

fn line(
    scene: &Scene,
    theme: &Theme,
    (run, user): (Option<&BulkRun>, &BulkUser),
    columns: usize,
) -> Line<'static> {
    let Widths { login, ended, at, why } = Widths::of(scene, columns);
    let cells = Cells::new(theme).gap(1).left(Role::Text, &user.login.to_string(), login).gap(1);
    let Some(end) = &user.end else { return cells.left(Role::Muted, waits(run), ended).line() };
    let said = Untrusted::from(end.why.as_deref().unwrap_or_default()).to_string();
    let time = scene.state.settings.zone.minutes(end.at);
    // Nothing was ever to be sent for them: that is no end of anything.
    let cells = match run.is_some_and(|run| run.leaves_out(user)) {
        true => cells.left(Role::Muted, "left out", ended),
        false => cells.left(role(end), &brief(end, ended), ended),
    };
    let cells = cells.gap(1).left(Role::Muted, &time, at).gap(1);
    cells.left(Role::Muted, &said, why).line()
}

/// How somebody stands whose end nobody has told: of a run that is over they are acted on no more.
fn waits(run: Option<&BulkRun>) -> &'static str {
    run.map_or("queued", BulkRun::waiting)
}

/// What is undone by now does not read as what stands.
fn role(end: &BulkEnd) -> Role {
    if end.undone.is_some() { Role::Muted } else { end.outcome.into() }
}

/// How it ended, and what that rests on: the status where it is no success, else what is proven; and first that it is
/// undone by now.
fn brief(end: &BulkEnd, columns: usize) -> String {
    let word = end.outcome.word();
    if let Some(undone) = &end.undone {
        let long = format!("{undone}, was {word}");
        return if width(&long) <= columns { long } else { undone.to_string() };
    }
    if end.outcome == Outcome::Pending {
        let is_waiting = end.evidence == Some(Evidence::Intended);
        return if is_waiting { "waits for its turn".to_owned() } else { "on its way".to_owned() };
    }
    let is_well = matches!(end.outcome, Outcome::Changed | Outcome::Accepted | Outcome::NoChange);
    match (end.status.filter(|_| !is_well), end.evidence) {
        (Some(status), _) => format!("{word} (answered {status})"),
        (None, Some(evidence)) => format!("{word} ({})", evidence.word()),
        (None, None) => word.to_owned(),
    }
}

/// What the row of the selected user has no room for.
fn draw_about(scene: &Scene, screen: &BulkScreen, canvas: &mut Canvas, area: Rect) {
    let Some(user) = screen.selected() else { return };
    let (theme, columns) = (canvas.theme, usize::from(area.width.saturating_sub(2)));
    let inner = Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
    let mut prose = Prose::new(theme, columns);
    let room = Widths::of(scene, usize::from(area.width)).login;
    prose.say(
        Role::Text,
        &about(
            &scene.state.settings.zone,
            (screen.run.as_ref(), user),
            width(&theme.visible(&user.login.to_string())) <= room,
        ),
    );
    canvas.lines(inner, &within(theme, Role::Text, prose.lines(), usize::from(area.height), columns));
}

/// How it ended and why; whom it is about only where the row has no room for the whole login.
fn about(zone: &Zone, (run, user): (Option<&BulkRun>, &BulkUser), is_named: bool) -> String {
    let login = if is_named { String::new() } else { format!("{}: ", user.login) };
    match &user.end {
        None => format!("{login}{}: nothing was sent", waits(run)),
        Some(end) => {
            let why = end.why.as_deref().map(|why| format!(": {}", Untrusted::from(why))).unwrap_or_default();
            let action = end.action.map(|action| format!("; action {action}")).unwrap_or_default();
            let undoes = user.undoes.map(|undone| format!("; it undoes action {undone}")).unwrap_or_default();
            let undone = end.undone.as_ref().map(|undone| {
                let by = undone.in_full(&zone.seconds(undone.at));
                format!("; undone {by}")
            });
            format!("{login}{}{why}{action}{undoes}{}", BulkEnd::words(end), undone.unwrap_or_default())
        }
    }
}

/// Really go on, or stop?
pub(super) fn draw_question(scene: &Scene, question: &Question, canvas: &mut Canvas) -> Option<Position> {
    let columns = scene.size.columns.min(72);
    let mut prose = Prose::new(canvas.theme, usize::from(columns.saturating_sub(4)));
    prose.say(Role::Text, &question.words);
    if let Some(error) = &question.error {
        prose.say(Role::Alarm, error);
    }
    let lines = prose.lines();
    let field = u16::from(question.confirm.is_some());
    let rows = u16::try_from(lines.len() + 4).unwrap_or(u16::MAX).saturating_add(field);
    let (title, yes) = match question.asking {
        Asking::Resume => ("Go on?", " goes on"),
        Asking::Stop => ("Stop?", " stops it"),
    };
    let inner = Panel::new(title, Focus::Here).draw(canvas, scene.size.overlay(columns, rows));
    let text = inner.height.saturating_sub(1);
    canvas.lines(Rect { height: text.saturating_sub(field), ..inner }, &lines);
    if let Some(confirm) = &question.confirm {
        let takes = question.takes_text(scene.state.now);
        let area = Rect { y: inner.y + text.saturating_sub(1), height: text.min(1), ..inner };
        let at = field::draw(canvas, area, &question.typed);
        let cells = Cells::new(canvas.theme);
        let cells = match (takes, confirm) {
            (false, _) => cells.own(Role::Muted, "arming…"),
            (true, ConfirmMany::Word(word)) => {
                cells.text(Role::Text, "type ").text(Role::Key, word).text(Role::Text, " and enter")
            }
            (true, ConfirmMany::Count(_)) => cells.text(Role::Text, "type how many wait and enter"),
        };
        let keys =
            cells.own(Role::Muted, " · ").text(Role::Key, "esc").text(Role::Muted, " leaves it (default)");
        let last = Rect { y: inner.y + text, height: inner.height - text, ..inner };
        canvas.line(last, 0, &keys.line());
        return at.filter(|_| takes);
    }
    let keys = Cells::new(canvas.theme).text(Role::Key, "y").text(Role::Text, yes).own(Role::Muted, " · ");
    let keys = keys.text(Role::Key, "n/esc").text(Role::Muted, " leaves it (default)").line();
    canvas.line(Rect { y: inner.y + text, height: inner.height - text, ..inner }, 0, &keys);
    None
}
