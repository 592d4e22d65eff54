//! The journal: what is asked for and how the chain stands, below it a row a record, and the selected one whole.
//!
//! ```text
//!  / user:ann* since:7d                                            chain holds to 1204
//!  when         whom               what                    outcome            by
//!  05-01 11:58Z ann@example.com    suspend Okta account    changed, verified  kim (Bo)
//!  05-01 11:40Z ann@example.com    claim · no-mfa          triage             kim (Bo)
//! ```
//!
//! An action is one row, which says how it stands; every record of it is shown where records are asked for. The rows
//! stand in the order of their newest records; `when` says when the action was intended.

mod detail;

use super::Scene;
use super::canvas::{Canvas, Cells};
use super::panel::{Focus, Panel};
use super::theme::{Role, Theme};
use super::words;
use crate::app::journal::{Chain, JournalScreen};
use crate::app::list::Extent;
use crate::domain::journal::query::Rows;
use crate::domain::journal::told::Told;
use crate::domain::journal::{Record, RecordKind};
use crate::domain::time::{self, Zone};
use crate::domain::untrusted::width;
use crate::domain::{Action, Evidence, NOTHING, Outcome};
use jiff::Timestamp;
use ratatui::layout::Rect;
use ratatui::text::Line;
use std::collections::BTreeSet;

/// The columns of an outcome, and those of one with what is proven of it.
const OUTCOME: usize = 9;
const PROVEN: usize = 18;
/// The least columns of a login.
const LOGIN: usize = 15;
/// The least and the most columns of who did it.
const BY: (usize, usize) = (4, 10);
/// From this width on there is room for who did it: below it the selected row alone says so.
const WITH_BY: usize = 64;
/// From this width on there is room for what is proven.
const ROOMY: usize = 76;

pub(super) fn draw(scene: &Scene, screen: &JournalScreen, canvas: &mut Canvas) {
    let (list, detail) = scene.size.journal_parts();
    draw_list(scene, screen, canvas, list);
    if let Some(record) = screen.selected() {
        draw_record(scene, screen, record, canvas, detail);
    }
}

/// The selected record; `tab` gives it the keys, to be read to its end.
fn draw_record(scene: &Scene, screen: &JournalScreen, record: &Record, canvas: &mut Canvas, area: Rect) {
    let height = usize::from(area.height.saturating_sub(2));
    let columns = usize::from(area.width.saturating_sub(4));
    let lines = detail::whole(scene, canvas.theme, screen, record, columns);
    let offset = screen.scroll.offset.min(lines.len().saturating_sub(height));
    canvas.extent = Extent { lines: lines.len(), height };
    let title = format!("Record {}", record.seq);
    let panel = Panel::new(&title, Focus::here(screen.reads_record));
    let inner = panel.scrolled(offset, height, lines.len()).draw(canvas, area);
    canvas.lines(inner, lines.iter().skip(offset));
}

fn draw_list(scene: &Scene, screen: &JournalScreen, canvas: &mut Canvas, area: Rect) {
    let (theme, zone) = (canvas.theme, &scene.state.settings.zone);
    let columns = usize::from(area.width);
    canvas.line(area, 0, &asked(scene, theme, screen, columns));
    let rows = read(screen);
    let widths = Widths::of(scene, screen, &rows, columns);
    canvas.line(area, 1, &heading(zone, theme, screen, &widths));
    let part = |from: u16| Rect {
        y: area.y + from.min(area.height),
        height: area.height.saturating_sub(from),
        ..area
    };
    let below = part(2);
    let selected = screen.at();
    let visible = rows.iter().enumerate().skip(screen.cursor.offset).take(usize::from(below.height));
    for (row, (at, read)) in visible.enumerate() {
        canvas.line(below, row, &line(scene, theme, (screen, read), &widths));
        if at == selected {
            canvas.select(below, row);
        }
    }
    if screen.records.is_loaded && screen.is_searching(usize::from(below.height)) {
        let row = screen.records.rows.len().saturating_sub(screen.cursor.offset);
        canvas.line(below, row, &theme.own_line(Role::Muted, &searching(screen)));
    }
}

/// A record that is held, read once a frame.
struct Read<'a> {
    record: &'a Record,
    told: Told,
    /// Whether a newer row is about the same action too.
    is_told: bool,
}

fn read(screen: &JournalScreen) -> Vec<Read<'_>> {
    let mut seen = BTreeSet::new();
    let one = |record| {
        let told = Told::of(record);
        let is_told = told.about().is_some_and(|about| !seen.insert(about));
        Read { record, told, is_told }
    };
    screen.records.rows.iter().map(one).collect()
}

/// A search goes on by itself: how far it came.
fn searching(screen: &JournalScreen) -> String {
    let down_to = screen.records.below.map(|place| format!(" below record {place}")).unwrap_or_default();
    format!(" looking further{down_to}…")
}

/// What is asked for, and beside it how the chain stands.
fn asked(scene: &Scene, theme: &Theme, screen: &JournalScreen, columns: usize) -> Line<'static> {
    let (role, chain) = chain(scene, screen, columns);
    let chain = theme.own(&chain);
    let room = columns.saturating_sub(width(&chain) + 5);
    let cells = Cells::new(theme).gap(1).text(Role::Key, "/").gap(1);
    let cells = match screen.query.is_empty() {
        true => cells.left(Role::Muted, "everything", room),
        false => cells.left(Role::Accent, &theme.shown(&screen.query.to_string(), room), room),
    };
    cells.gap(1).text(role, &chain).line()
}

/// How the chain stands, the longer on the wider screens.
fn chain(scene: &Scene, screen: &JournalScreen, columns: usize) -> (Role, String) {
    let is_wide = columns >= 64;
    match &screen.chain {
        Chain::Unchecked if is_wide => (Role::Muted, format!("chain not checked: {}", scene.help.check_key)),
        Chain::Unchecked => (Role::Muted, format!("chain: {}", scene.help.check_key)),
        Chain::Checking => (Role::Muted, "checking the chain…".to_owned()),
        Chain::Failed(_) => (Role::Alarm, "chain not readable".to_owned()),
        Chain::Checked(verdict, at) => match (&verdict.broken, &verdict.head) {
            (Some(_), _) => (Role::Alarm, "CHAIN BROKEN".to_owned()),
            (None, None) => (Role::Muted, "empty".to_owned()),
            (None, Some(head)) if is_wide => {
                let age = time::ago(scene.state.now, *at);
                (Role::Good, format!("chain holds to {}, checked {age}", head.seq))
            }
            (None, Some(head)) => (Role::Good, format!("holds to {}", head.seq)),
        },
    }
}

fn heading(zone: &Zone, theme: &Theme, screen: &JournalScreen, widths: &Widths) -> Line<'static> {
    let alarm = |text: &str| theme.line(Role::Alarm, &format!(" ! {}", text.replace('\n', "; ")));
    if let Some(error) = &screen.error {
        return alarm(error);
    }
    match &screen.chain {
        Chain::Failed(why) => return alarm(why),
        Chain::Checked(verdict, _) => {
            if let Some(broken) = &verdict.broken {
                return alarm(&broken.to_string());
            }
        }
        Chain::Unchecked | Chain::Checking => {}
    }
    let is_filtered = !screen.query.is_empty();
    match (screen.records.is_loaded, screen.records.rows.is_empty() && screen.records.below.is_none()) {
        (false, _) => theme.own_line(Role::Muted, " reading…"),
        (true, true) if is_filtered => theme.line(Role::Muted, " no record fits"),
        (true, true) => theme.line(Role::Muted, " nothing was run or changed from here yet"),
        (true, false) => {
            let Widths { whom, what, how, by } = *widths;
            let cells = Cells::new(theme).gap(1).left(Role::Muted, "when", zone.minutes_columns()).gap(1);
            let cells = cells.left(Role::Muted, "whom", whom).gap(1).left(Role::Muted, "what", what).gap(1);
            let cells = cells.left(Role::Muted, "outcome", how);
            if by == 0 { cells.line() } else { cells.gap(1).left(Role::Muted, "by", by).line() }
        }
    }
}

/// The columns of a row: whom it was on, what was done, how it ended, and by whom; 0 is not shown.
struct Widths {
    whom: usize,
    what: usize,
    how: usize,
    by: usize,
}

impl Widths {
    /// What those who are held do not need of theirs is left to what happened.
    fn of(scene: &Scene, screen: &JournalScreen, rows: &[Read], columns: usize) -> Widths {
        let widest = |words: &dyn Fn(&Read) -> String| rows.iter().map(|read| width(&words(read))).max();
        let most = if columns >= ROOMY { PROVEN } else { OUTCOME };
        let how = widest(&|read| how(scene, screen, read, most).1).unwrap_or(0).clamp(OUTCOME, most);
        let by = match columns >= WITH_BY {
            true => widest(&|read| by(screen, read)).unwrap_or(0).clamp(BY.0, BY.1),
            false => 0,
        };
        let taken = scene.state.settings.zone.minutes_columns() + how + by + usize::from(by > 0) + 5;
        let rest = columns.saturating_sub(taken);
        let whom = widest(&|read| whom(screen, read)).unwrap_or(0).max(LOGIN).min(rest / 2);
        Widths { whom, what: rest - whom, how, by }
    }
}

/// Whom it was on, by the account first; of a run on many how many, of what is about nobody nothing.
fn whom(screen: &JournalScreen, Read { record, told, .. }: &Read) -> String {
    let of_run = || screen.run_of_row(record).and_then(|run| u64::try_from(run.counts.total()).ok());
    let many = || of_run().or_else(|| told.bulk().and(told.users())).map(users);
    told.whom().or_else(many).unwrap_or_else(|| NOTHING.to_owned())
}

fn users(count: u64) -> String {
    if count == 1 { "1 user".to_owned() } else { format!("{} users", words::number(count)) }
}

/// Who did it: of a row of an action or of a run on many whoever ran it, of a record whoever wrote it, if it says so.
fn by(screen: &JournalScreen, Read { record, told, .. }: &Read) -> String {
    let of_run = || screen.run_of_row(record).map(|run| run.actor.brief());
    let runner = || screen.action_of(record).map(|action| action.actor.brief()).or_else(of_run);
    let writer = || told.who_briefly();
    let who = match screen.query.rows() {
        Rows::Actions => runner().or_else(writer),
        Rows::Records => writer().or_else(runner),
    };
    who.unwrap_or_else(|| NOTHING.to_owned())
}

/// How it ended: an action's row as it stands now, a record as far as it knows. What somebody says of it is never cut
/// short to what is proven.
fn how(
    scene: &Scene,
    screen: &JournalScreen,
    Read { record, told, .. }: &Read,
    columns: usize,
) -> (Role, String) {
    if record.damage.is_some() {
        return (Role::Alarm, "damaged".to_owned());
    }
    if let Some(run) = screen.run_of_row(record) {
        let (role, word) = super::bulk::state(scene, run);
        return (role, word.to_owned());
    }
    let action = told.action().filter(|_| screen.query.rows() == Rows::Actions);
    let action = action.and_then(|id| screen.actions.get(&id));
    if let Some(undone) = action.and_then(|action| action.undone.as_ref()) {
        return (Role::Muted, undone.to_string());
    }
    let said = action.map_or_else(|| told.said(), Action::said);
    if let Some(said) = said {
        let said = format!("said: {}", said.shown());
        return match action.and_then(Action::contradicted) {
            Some(_) => (Role::Warning, contradicted(&said, columns)),
            None => (Role::Text, said),
        };
    }
    let stands = action.map(|action| (action.outcome, Some(action.evidence.word())));
    match stands.or_else(|| told.outcome().map(|outcome| (outcome, told.evidence()))) {
        Some((outcome, evidence)) => (outcome.into(), ended(outcome, evidence, columns)),
        None => match told.run_state() {
            Some(state) => (words::run_state_role(state), state.word().to_owned()),
            None => (Role::Muted, record.kind.word().to_owned()),
        },
    }
}

/// A word that a look contradicts never stands without that.
fn contradicted(said: &str, columns: usize) -> String {
    let long = format!("{said}, disputed");
    if width(&long) <= columns { long } else { "disputed".to_owned() }
}

fn line(
    scene: &Scene,
    theme: &Theme,
    (screen, read): (&JournalScreen, &Read),
    widths: &Widths,
) -> Line<'static> {
    let zone = &scene.state.settings.zone;
    let Read { record, told, is_told } = read;
    let at = zone.minutes(when(screen, record));
    // What a newer row tells of the same action too is quieter: each action stands out once.
    let text = if *is_told { Role::Muted } else { Role::Text };
    let role = if record.damage.is_some() { Role::Alarm } else { text };
    let (ended_role, ended) = how(scene, screen, read, widths.how);
    let cells = Cells::new(theme).gap(1).left(Role::Muted, &at, zone.minutes_columns()).gap(1);
    let cells = cells.left(text, &whom(screen, read), widths.whom).gap(1);
    let cells = cells.left(role, &deed(theme, screen, record, told), widths.what).gap(1);
    let cells = cells.left(ended_role, &ended, widths.how);
    match widths.by {
        0 => cells.line(),
        columns => cells.gap(1).left(Role::Muted, &by(screen, read), columns).line(),
    }
}

/// When it was done: an action when it was intended, however late it was looked at again, a run on many when it was
/// confirmed; a record when it was made.
fn when(screen: &JournalScreen, record: &Record) -> Timestamp {
    if let Some(run) = screen.run_of_row(record) {
        return run.at;
    }
    let action = screen.action_of(record).filter(|_| screen.query.rows() == Rows::Actions);
    action.filter(|_| record.damage.is_none()).map_or(record.at, |action| action.at)
}

/// How it ended, and where there is room what is proven of it: that it was answered goes without saying.
fn ended(outcome: Outcome, evidence: Option<&str>, columns: usize) -> String {
    let answered = Evidence::Acknowledged.word();
    let long = evidence.filter(|word| *word != answered).map(|word| format!("{}, {word}", outcome.word()));
    long.filter(|long| width(long) <= columns).unwrap_or_else(|| outcome.word().to_owned())
}

/// What was done, in the words of its flow where it is known: without articles, for there is little room.
fn deed(theme: &Theme, screen: &JournalScreen, record: &Record, told: &Told) -> String {
    if let Some(run) = screen.run_of_row(record) {
        return run.verb.replace(" the ", " ");
    }
    let Some(action) = screen.action_of(record).filter(|_| record.damage.is_none()) else {
        return said(theme, told);
    };
    let verb = action.verb.replace(" the ", " ");
    let verb = action.step.map_or(verb.clone(), |step| format!("{step}: {verb}"));
    match record.kind {
        RecordKind::Expired => format!("{verb} (its lease ran out)"),
        RecordKind::Said => {
            let by = told.actor().unwrap_or_default();
            let said = told.said().map(|said| said.by(by.name())).unwrap_or_default();
            format!("{verb} ({said})")
        }
        _ => verb,
    }
}

/// What a record says, joined by what the terminal can show.
fn said(theme: &Theme, told: &Told) -> String {
    told.parts().join(&theme.own(" · "))
}
