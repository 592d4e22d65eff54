//! User 360: panes side by side where there is room, one under tabs where there is not.

use super::Scene;
use super::bar::bar;
use super::canvas::{Canvas, Cells};
use super::panel::{Focus, Panel};
use super::theme::{Role, Theme};
use super::words::{glyph, short};
use crate::app::dossiers::is_loading;
use crate::app::pane::{self, Body, Row, name_columns, pair_columns};
use crate::app::user::{Pane, UserScreen, panes};
use crate::app::waits;
use crate::domain::untrusted::width;
use crate::domain::{PartName, time};
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Corners, and the blanks around a panel's title and what stands beside it.
const ROUND_TITLE: usize = 9;

pub(super) fn draw(scene: &Scene, screen: &UserScreen, canvas: &mut Canvas) {
    let panes = panes(scene.state);
    let boxes = scene.size.user_panes(&panes, screen.pane);
    if boxes.len() == 1 {
        let area = scene.size.user_tabs();
        canvas.line(area, 0, &tabs(canvas.theme, &panes, screen, usize::from(area.width)));
    }
    for (pane, area) in boxes {
        draw_pane(scene, screen, pane, canvas, area);
    }
}

/// The tabs, in the longest wording that fits. The keys 1 to 8 choose a pane: the numbers are given up
/// last.
fn tabs(theme: &Theme, panes: &[Pane], screen: &UserScreen, columns: usize) -> Line<'static> {
    let wordings: [fn(usize, Pane) -> String; 4] = [
        |number, pane| format!(" {number} {} ", pane.title()),
        |number, pane| format!(" {number} {} ", pane.short()),
        |number, pane| format!("{number}{} ", pane.short()),
        |_, pane| format!("{} ", pane.short()),
    ];
    let lines = wordings.map(|word| tab_line(theme, panes, screen, word));
    let mut fitting = lines.iter().filter(|line| line.width() <= columns);
    fitting.next().or(lines.last()).cloned().unwrap_or_default()
}

fn tab_line(
    theme: &Theme,
    panes: &[Pane],
    screen: &UserScreen,
    word: fn(usize, Pane) -> String,
) -> Line<'static> {
    panes
        .iter()
        .fold(Cells::new(theme).gap(1), |cells, pane| {
            let number = Pane::ALL.iter().position(|other| other == pane).map_or(0, |at| at + 1);
            let role = if *pane == screen.pane { Role::Selected } else { Role::Muted };
            cells.text(role, &word(number, *pane))
        })
        .line()
}

fn draw_pane(scene: &Scene, screen: &UserScreen, pane: Pane, canvas: &mut Canvas, area: Rect) {
    let is_focused = pane == screen.pane;
    let rows = pane::rows(scene.state, screen, pane);
    let keys: Vec<String> = rows.iter().map(|row| row.key.clone()).collect();
    let height = usize::from(area.height.saturating_sub(2));
    let offset = if is_focused { screen.cursor.offset } else { 0 };
    let room = usize::from(area.width).saturating_sub(width(pane.title()) + ROUND_TITLE);
    let (role, age) = aside(scene, screen, pane, &rows, room);
    let age = canvas.theme.own(&age);
    let inner = Panel::new(pane.title(), Focus::here(is_focused))
        .aside(role, age)
        .scrolled(offset, height, rows.len())
        .draw(canvas, area);
    let selected = screen.cursor.index(&keys);
    for (line, (at, row)) in rows.iter().enumerate().skip(offset).take(height).enumerate() {
        canvas.line(inner, line, &row_line(canvas.theme, row, usize::from(inner.width)));
        if is_focused && at == selected {
            canvas.select(inner, line);
        }
    }
}

/// How old a pane's content is, or what is the matter with it.
fn aside(scene: &Scene, screen: &UserScreen, pane: Pane, rows: &[Row], room: usize) -> (Role, String) {
    let nothing = (Role::Muted, String::new());
    let Some(part) = pane::part_of(pane) else { return nothing };
    if let Some(wait) = waits::on_part(scene.state, &screen.login, part) {
        let zone = &scene.state.settings.zone;
        let long = wait.words(zone);
        return (Role::Warning, if width(&long) <= room { long } else { wait.brief(zone) });
    }
    if is_loading(scene.state, &screen.login, part) {
        return (Role::Accent, "reading…".to_owned());
    }
    let Some(dossier) = scene.state.dossiers.get(&screen.login) else { return nothing };
    let Some(at) = dossier.read_at(part) else { return nothing };
    let answer = match part {
        PartName::Cii => answer_of(dossier.cii.as_ref()),
        PartName::CiiDetails => answer_of(dossier.cii_details.as_ref()),
        PartName::Okta => answer_of(dossier.okta.as_ref()),
        PartName::OktaRoles => answer_of(dossier.okta_roles.as_ref()),
        PartName::OktaGroups => answer_of(dossier.okta_groups.as_ref()),
        PartName::OktaApps => answer_of(dossier.okta_apps.as_ref()),
        PartName::OktaFactors => answer_of(dossier.okta_factors.as_ref()),
        PartName::OktaActivity => answer_of(dossier.okta_activity.as_ref()),
    };
    let age = time::age(scene.state.now, at);
    let is_troubled = rows.iter().any(|row| matches!(row.body, Body::Problem(_)));
    match answer {
        Answer::Nobody => (Role::Muted, age),
        Answer::Nothing => (Role::Alarm, "failed".to_owned()),
        Answer::Data if is_troubled => (Role::Warning, format!("{age}, incomplete")),
        Answer::Data => (Role::Muted, age),
    }
}

/// What came of a reading.
enum Answer {
    Data,
    /// That nobody is known is an answer too.
    Nobody,
    Nothing,
}

fn answer_of<T>(part: Option<&crate::domain::Part<T>>) -> Answer {
    match part {
        Some(part) if part.is_of_nobody() => Answer::Nobody,
        Some(part) if part.data.is_some() => Answer::Data,
        _ => Answer::Nothing,
    }
}

fn row_line(theme: &Theme, row: &Row, columns: usize) -> Line<'static> {
    let cells = Cells::new(theme);
    let value = if row.target.is_some() { Role::Accent } else { Role::Text };
    match &row.body {
        Body::Fact(name, text) => {
            let names = name_columns(columns);
            cells.left(Role::Muted, name, names).left(value, text, columns.saturating_sub(names)).line()
        }
        Body::Item(text) => cells.own(Role::Muted, "· ").left(value, text, columns.saturating_sub(2)).line(),
        Body::Pair(text, aside) => pair(theme, (value, text), aside, columns),
        Body::PairGoesOn(text) => cells.gap(2).left(value, text, columns.saturating_sub(2)).line(),
        Body::Heading(text) => theme.line(Role::Heading, &theme.shown(text, columns)),
        Body::Bar(place, raw, share) => place_line(theme, place, raw, *share, columns),
        Body::Finding(severity, title, stands) => {
            let stands = theme.shown(stands, columns / 2);
            let left = columns.saturating_sub(width(&stands) + 9);
            let cells =
                cells.left(*severity, &theme.own(glyph(*severity)), 2).left(*severity, short(*severity), 5);
            cells.left(Role::Text, title, left).gap(2).text(Role::Muted, &stands).line()
        }
        Body::Problem(text) => {
            cells.text(Role::Alarm, "! ").left(Role::Alarm, text, columns.saturating_sub(2)).line()
        }
        Body::ProblemGoesOn(text) => cells.gap(2).left(Role::Alarm, text, columns.saturating_sub(2)).line(),
        Body::Differs(text) => {
            cells.text(Role::Warning, "! ").left(Role::Warning, text, columns.saturating_sub(2)).line()
        }
        Body::Quiet(text) => theme.line(Role::Muted, &theme.shown(&theme.own(text), columns)),
    }
}

/// A text, and what belongs to it at the right end.
fn pair(theme: &Theme, (role, text): (Role, &str), aside: &str, columns: usize) -> Line<'static> {
    let aside = theme.shown(aside, columns / 2);
    let left = pair_columns(&aside, columns);
    Cells::new(theme).left(role, text, left).gap(2).text(Role::Muted, &aside).line()
}

/// A place, its bar, and the raw number: its scale is not known, so the bar only compares.
fn place_line(theme: &Theme, place: &str, raw: &str, share: f64, columns: usize) -> Line<'static> {
    let raw = theme.shown(raw, 8);
    let bars = (columns / 3).min(24);
    let left = columns.saturating_sub(bars + 10);
    let bar = Span::styled(bar(theme.glyphs, share, bars), theme.style(Role::Accent));
    Cells::new(theme)
        .left(Role::Text, place, left)
        .gap(1)
        .cell(vec![bar], bars)
        .gap(1)
        .right(Role::Muted, &raw, 8)
        .line()
}
