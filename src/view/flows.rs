//! The flows that fit: numbered, suggested ones first, those that cannot run quiet and with the reason.

use super::Scene;
use super::canvas::{Canvas, Cells};
use super::card_text::risk_role;
use super::panel::{Focus, Panel};
use super::prose::Prose;
use super::theme::{Role, Theme};
use crate::app::flows::FlowList;
use crate::domain::plan::{Fit, FitTarget};
use crate::domain::subject::ProviderAccount;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// The rows below the list: a rule, and two that say more about the selected flow.
const ABOUT: usize = 3;

pub(super) fn draw(scene: &Scene, list: &FlowList, canvas: &mut Canvas) {
    let count = list.choice.as_ref().map_or_else(|| list.ids().len(), |(_, accounts)| accounts.len());
    let rows = count.max(1).min(scene.size.overlay_list_rows());
    let area = scene.size.overlay(96, u16::try_from(rows + ABOUT + 2).unwrap_or(u16::MAX));
    let aside =
        if list.choice.is_some() { "a number chooses the account" } else { "a number or enter chooses" };
    let inner = Panel::new(format!("Remediate {}", list.ask.login), Focus::Here)
        .aside(Role::Muted, aside)
        .scrolled(list.cursor.offset.min(count), rows, count)
        .draw(canvas, area);
    match (&list.choice, &list.fits, &list.error) {
        (_, _, Some(error)) => canvas.line(inner, 0, &canvas.theme.line(Role::Alarm, &format!("! {error}"))),
        (Some((_, accounts)), ..) => draw_accounts(canvas, inner, accounts),
        (None, None, None) => {
            canvas.line(inner, 0, &canvas.theme.own_line(Role::Muted, "finding out which flows fit…"));
        }
        (None, Some(fits), None) => draw_fits(canvas, inner, list, fits),
    }
}

fn draw_fits(canvas: &mut Canvas, area: Rect, list: &FlowList, fits: &[Fit]) {
    let theme = canvas.theme;
    if fits.is_empty() {
        let words = "no flow is configured; hint: `idtriage init` writes an example";
        return canvas.line(area, 0, &theme.line(Role::Muted, words));
    }
    let rows = usize::from(area.height).saturating_sub(ABOUT);
    let columns = usize::from(area.width);
    let selected = list.cursor.index(&list.ids());
    for (row, (at, fit)) in fits.iter().enumerate().skip(list.cursor.offset).take(rows).enumerate() {
        canvas.line(area, row, &fit_line(theme, at, fit, columns));
        if at == selected {
            canvas.select(area, row);
        }
    }
    let below =
        Rect { y: area.y + area.height.min(rows as u16), height: area.height.min(ABOUT as u16), ..area };
    if let Some(fit) = fits.get(selected) {
        canvas.lines(below, &about(theme, fit, columns));
    }
}

fn fit_line(theme: &Theme, at: usize, fit: &Fit, columns: usize) -> Line<'static> {
    let number = if at < 9 { (at + 1).to_string() } else { String::new() };
    let name = (columns * 9 / 20).min(42);
    let rest = columns.saturating_sub(name + 13);
    let cells = Cells::new(theme);
    match &fit.target {
        Err(why) => {
            let cells = cells.left(Role::Muted, &number, 2).left(Role::Muted, &fit.flow.name, name).gap(2);
            cells.left(Role::Muted, why, columns.saturating_sub(name + 4)).line()
        }
        Ok(target) => {
            let cells = cells.left(Role::Key, &number, 2).left(Role::Text, &fit.flow.name, name).gap(2);
            let cells = tier(cells, fit, target).gap(1);
            if fit.is_suggested {
                let rest = rest.saturating_sub(12);
                return cells
                    .left(Role::Muted, &acts_on(target), rest)
                    .gap(1)
                    .right(Role::Good, "suggested", 11)
                    .line();
            }
            cells.left(Role::Muted, &acts_on(target), rest).line()
        }
    }
}

/// What a key leads to: a confirmation of its risk, or a page that asks for none.
fn tier<'a>(cells: Cells<'a>, fit: &Fit, target: &FitTarget) -> Cells<'a> {
    match target {
        FitTarget::Page(_) => cells.left(Role::Accent, "opens", 8),
        _ => cells.left(risk_role(fit.flow.risk), fit.flow.risk.word(), 8),
    }
}

fn acts_on(target: &FitTarget) -> String {
    match target {
        FitTarget::Account(account) => format!("{} {}", account.provider, account.user_id),
        FitTarget::Choose(accounts) => format!("{} accounts to choose from", accounts.len()),
        FitTarget::Login(login) => format!("by login {login}"),
        FitTarget::Router(Some(account)) => {
            format!("a router, about {} {}", account.provider, account.user_id)
        }
        FitTarget::Router(None) => "a router: it decides itself".to_owned(),
        FitTarget::Page(page) => format!("{}: {}", page.url.host_str().unwrap_or_default(), page.of.words()),
    }
}

/// More about the selected flow: what it does and what undoes it, which page it opens, or why it cannot
/// run.
fn about(theme: &Theme, fit: &Fit, columns: usize) -> Vec<Line<'static>> {
    let mut prose = Prose::new(theme, columns);
    prose.line(theme.own_line(Role::Border, &"─".repeat(columns)));
    match &fit.target {
        Err(why) => prose.say(Role::Warning, &format!("cannot run: {why}")),
        Ok(FitTarget::Page(page)) => {
            prose.say(Role::Text, &format!("Opens {}: nothing is sent from here", page.of.words()));
            prose.say(Role::Muted, page.url.as_str());
        }
        Ok(_) => {
            prose.say(Role::Text, &super::words::capitalised(&fit.flow.verb));
            prose.say(Role::Muted, &format!("undo: {}", fit.flow.undo));
        }
    }
    let lines = prose.lines();
    if lines.len() > ABOUT { about_in_brief(theme, fit, columns) } else { lines }
}

/// Where the rows are too narrow for one of each, the name above has said what it does.
fn about_in_brief(theme: &Theme, fit: &Fit, columns: usize) -> Vec<Line<'static>> {
    let mut prose = Prose::new(theme, columns);
    prose.line(theme.own_line(Role::Border, &"─".repeat(columns)));
    match &fit.target {
        Err(why) => prose.say(Role::Warning, why),
        Ok(FitTarget::Page(page)) => prose.say(Role::Muted, page.url.as_str()),
        Ok(_) => prose.say(Role::Muted, &format!("undo: {}", fit.flow.undo)),
    }
    prose.lines()
}

fn draw_accounts(canvas: &mut Canvas, area: Rect, accounts: &[ProviderAccount]) {
    for (row, account) in accounts.iter().take(usize::from(area.height)).enumerate() {
        let cells = Cells::new(canvas.theme).left(Role::Key, &(row + 1).to_string(), 3);
        let id = format!("{} {}", account.provider, account.user_id);
        let columns = usize::from(area.width).saturating_sub(5) / 2;
        let line = cells.left(Role::Text, &id, columns).gap(2).left(
            Role::Muted,
            &account.login.to_string(),
            columns,
        );
        canvas.line(area, row, &line.line());
    }
}
