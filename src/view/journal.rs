//! The journal: what is asked for and how the chain stands, below it a row a record, and the selected one whole.
//!
//! ```text
//!  / user:ann* since:7d                                        chain holds to 1204
//!  when         what                    whom                     outcome
//!  05-01 11:58Z suspend Okta account    ann@example.com          changed, verified
//!  05-01 11:58Z suspend Okta account    ann@example.com          intended
//!  05-01 11:40Z claim · no-mfa          ann@example.com          triage
//! ```

mod detail;

use super::Scene;
use super::canvas::{Canvas, Cells};
use super::panel::{Focus, Panel};
use super::theme::{Role, Theme};
use crate::app::journal::{Chain, JournalScreen};
use crate::app::list::Extent;
use crate::domain::journal::told::Told;
use crate::domain::journal::{Record, RecordKind};
use crate::domain::time::{self, Zone};
use crate::domain::untrusted::{visible, width};
use crate::domain::{ActionId, Evidence, Outcome};
use ratatui::layout::Rect;
use ratatui::text::Line;
use std::collections::BTreeSet;

/// The columns of an outcome, and those of one with what is proven of it.
const OUTCOME: usize = 9;
const PROVEN: usize = 18;
/// The least columns of a login.
const LOGIN: usize = 15;
/// From this width on there is room for what is proven.
const ROOMY: usize = 70;

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
    canvas.line(area, 1, &heading(zone, theme, screen, columns));
    let part = |from: u16| Rect {
        y: area.y + from.min(area.height),
        height: area.height.saturating_sub(from),
        ..area
    };
    let below = part(2);
    let selected = screen.at();
    let widths = Widths::of(zone, screen, columns);
    let mut told: BTreeSet<ActionId> = BTreeSet::new();
    let rows = screen.records.rows.iter().enumerate().map(|(at, record)| {
        let action = Told::of(record).action();
        (at, record, action.is_some_and(|action| !told.insert(action)))
    });
    let rows = rows.skip(screen.cursor.offset).take(usize::from(below.height));
    for (row, (at, record, is_told)) in rows.enumerate() {
        canvas.line(below, row, &line(zone, theme, screen, (record, is_told), &widths));
        if at == selected {
            canvas.select(below, row);
        }
    }
    if screen.records.is_loaded && screen.is_searching(usize::from(below.height)) {
        let row = screen.records.rows.len().saturating_sub(screen.cursor.offset);
        canvas.line(below, row, &theme.own_line(Role::Muted, &searching(screen)));
    }
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

fn heading(zone: &Zone, theme: &Theme, screen: &JournalScreen, columns: usize) -> Line<'static> {
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
            let Widths { what, whom, how } = Widths::of(zone, screen, columns);
            let cells = Cells::new(theme).gap(1).left(Role::Muted, "when", zone.minutes_columns()).gap(1);
            let cells = cells.left(Role::Muted, "what", what).gap(1).left(Role::Muted, "whom", whom).gap(1);
            cells.left(Role::Muted, "outcome", how).line()
        }
    }
}

/// The columns of a row: what happened to whom, then how it ended.
struct Widths {
    what: usize,
    whom: usize,
    how: usize,
}

impl Widths {
    /// What those who are held do not need of theirs is left to what happened.
    fn of(zone: &Zone, screen: &JournalScreen, columns: usize) -> Widths {
        let how = if columns >= ROOMY { PROVEN } else { OUTCOME };
        let rest = columns.saturating_sub(zone.minutes_columns() + how + 5);
        let logins = screen.records.rows.iter().filter_map(|record| Told::of(record).whom());
        let whom = logins.map(|login| width(&login)).max().unwrap_or(0);
        let whom = whom.max(LOGIN).min(rest * 11 / 20);
        Widths { what: rest - whom, whom, how }
    }
}

fn line(
    zone: &Zone,
    theme: &Theme,
    screen: &JournalScreen,
    (record, is_told): (&Record, bool),
    widths: &Widths,
) -> Line<'static> {
    let Widths { what, whom, how } = *widths;
    let told = Told::of(record);
    let at = zone.minutes(record.at);
    // What a newer row tells of the same action too is quieter: each action stands out once.
    let text = if is_told { Role::Muted } else { Role::Text };
    let role = if record.damage.is_some() { Role::Alarm } else { text };
    let about = told.whom().unwrap_or_else(|| told.who());
    let cells = Cells::new(theme).gap(1).left(Role::Muted, &at, zone.minutes_columns()).gap(1);
    let cells = cells.left(role, &deed(theme, screen, record, &told), what).gap(1);
    let cells = cells.left(text, &about, whom).gap(1);
    match (&record.damage, told.outcome()) {
        (Some(_), _) => cells.left(Role::Alarm, "damaged", how),
        // Cut short it must not read like what is proven.
        (None, _) if told.said().is_some() => cells.left(text, &format!("said: {}", said_of(&told)), how),
        (None, Some(outcome)) => cells.left(outcome, &ended(outcome, &told, how), how),
        (None, None) => cells.left(Role::Muted, record.kind.word(), how),
    }
    .line()
}

/// How it ended, and where there is room what is proven of it: that it was answered goes without saying.
fn ended(outcome: Outcome, told: &Told, columns: usize) -> String {
    let answered = Evidence::Acknowledged.word();
    match told.evidence().filter(|word| columns >= PROVEN && *word != answered) {
        Some(evidence) => format!("{}, {evidence}", outcome.word()),
        None => outcome.word().to_owned(),
    }
}

/// What somebody says of an action, without by whom.
fn said_of(told: &Told) -> String {
    told.said().map(|said| said.word().replace('-', " ")).unwrap_or_default()
}

/// What was done, in the words of its flow where it is known: without articles, for there is little room.
fn deed(theme: &Theme, screen: &JournalScreen, record: &Record, told: &Told) -> String {
    let Some(action) = screen.action_of(record).filter(|_| record.damage.is_none()) else {
        return said(theme, told);
    };
    let verb = action.verb.replace(" the ", " ");
    let verb = action.step.map_or(verb.clone(), |step| format!("{step}: {verb}"));
    match record.kind {
        RecordKind::Expired => format!("{verb} (its lease ran out)"),
        RecordKind::Said => {
            let by = told.actor().unwrap_or_default();
            format!("{verb} ({}, said by {})", said_of(told), visible(by.name()))
        }
        _ => verb,
    }
}

/// What a record says, joined by what the terminal can show.
fn said(theme: &Theme, told: &Told) -> String {
    told.parts().join(&theme.own(" · "))
}
