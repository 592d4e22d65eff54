//! The flows: numbered, suggested ones first, those that cannot run quiet and with the reason.

use super::Scene;
use super::canvas::{Canvas, Cells};
use super::card_text::risk_role;
use super::field;
use super::panel::{Focus, Panel};
use super::prose::Prose;
use super::theme::{Role, Theme};
use super::words;
use crate::app::flows::{self, FlowList, Offer};
use crate::app::waits;
use crate::domain::access::Access;
use crate::domain::plan::FitTarget;
use crate::domain::subject::ProviderAccount;
use crate::domain::undo;
use crate::domain::untrusted::width;
use crate::domain::{Flow, Remote, Route};
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

/// The rows below the list: a rule, and three that say more about the selected flow.
const ABOUT: usize = 4;
/// From this width on there is room for how a flow is chosen beside whom it is for.
const ROOMY: u16 = 100;
/// Before what is typed.
const FIND: &str = "find ";
/// Beside a flow whose accounts are not known yet.
const FINDING_OUT: &str = "fits? finding out…";

pub(super) fn draw(scene: &Scene, list: &FlowList, canvas: &mut Canvas) -> Option<Position> {
    let count = list.choice.as_ref().map_or_else(|| list.ids().len(), |(_, accounts)| accounts.len());
    // Where something is typed the box stays as large as it was.
    let all = if list.choice.is_some() { count } else { list.offers.len() };
    let visible = list.rows(scene.size);
    let rows = all.max(1).min(visible);
    let field = usize::from(list.takes_text());
    let area = scene.size.overlay(96, u16::try_from(rows + field + ABOUT + 2).unwrap_or(u16::MAX));
    let aside = match (&list.choice, list.takes_text(), list.takes_number()) {
        (Some(_), ..) => "a number chooses the account",
        (None, false, _) => "a number or enter chooses",
        // Whom it is about goes before how it is chosen.
        (None, true, true) if scene.size.columns < ROOMY => "",
        (None, true, true) => "a number or enter chooses, letters find",
        (None, true, false) => "enter chooses",
    };
    let whom = match list.ask.many.len() {
        0 => list.ask.login.to_string(),
        users => format!("{users} users"),
    };
    let inner = Panel::new(format!("Remediate {whom}"), Focus::Here)
        .aside(Role::Muted, aside)
        .scrolled(list.cursor.offset.min(count), rows, count)
        .draw(canvas, area);
    match &list.choice {
        Some((_, accounts)) => {
            draw_accounts(canvas, inner, accounts);
            None
        }
        None => draw_finder(scene, canvas, inner, list),
    }
}

/// What is typed, where something is or can be, above what it finds.
fn draw_finder(scene: &Scene, canvas: &mut Canvas, area: Rect, list: &FlowList) -> Option<Position> {
    let Some(finder) = list.finder.as_ref() else {
        draw_offers(scene, canvas, area, list);
        return None;
    };
    let below = Rect { y: area.y + 1.min(area.height), height: area.height.saturating_sub(1), ..area };
    draw_offers(scene, canvas, below, list);
    canvas.line(area, 0, &canvas.theme.line(Role::Muted, FIND));
    let label = u16::try_from(width(FIND)).unwrap_or(0).min(area.width);
    let row = Rect { x: area.x + label, width: area.width - label, height: 1.min(area.height), ..area };
    field::draw(canvas, row, &finder.input)
}

fn draw_offers(scene: &Scene, canvas: &mut Canvas, area: Rect, list: &FlowList) {
    let theme = canvas.theme;
    if list.offers.is_empty() {
        let words = "no flow is configured; hint: `idtriage init` writes an example";
        return canvas.line(area, 0, &theme.line(Role::Muted, words));
    }
    let rows = usize::from(area.height).saturating_sub(ABOUT);
    let columns = usize::from(area.width);
    let selected = list.cursor.index(&list.ids());
    let shown = list.shown();
    for (row, (at, (number, offer))) in
        shown.iter().enumerate().skip(list.cursor.offset).take(rows).enumerate()
    {
        canvas.line(area, row, &offer_line((scene, theme), *number, (list, offer), columns));
        if at == selected {
            canvas.select(area, row);
        }
    }
    let below =
        Rect { y: area.y + area.height.min(rows as u16), height: area.height.min(ABOUT as u16), ..area };
    match shown.get(selected) {
        Some((_, offer)) => canvas.lines(below, &about(scene, theme, (list, offer), columns)),
        None => {
            let words = format!("no flow has `{}` in its name, id, verb or product", list.typed().trim());
            canvas.line(area, 0, &theme.line(Role::Muted, &theme.shown(&words, columns)));
        }
    }
}

fn offer_line(
    (scene, theme): (&Scene, &Theme),
    at: usize,
    (list, offer): (&FlowList, &Offer),
    columns: usize,
) -> Line<'static> {
    // Where numbers are typed none chooses.
    let is_numbered = at < flows::NUMBERED && list.takes_number();
    let number = if is_numbered { (at + 1).to_string() } else { String::new() };
    let name = (columns * 9 / 20).min(42);
    let cells = Cells::new(theme);
    let no_access = flows::no_access(scene.state, &offer.flow).map(Err);
    let acts_on = match no_access.as_ref().or(offer.target.as_ref()) {
        Some(Err(why)) => {
            let cells = cells.left(Role::Muted, &number, 2).left(Role::Muted, &offer.flow.name, name).gap(2);
            return cells.left(Role::Muted, why, columns.saturating_sub(name + 4)).line();
        }
        Some(Ok(target)) => acts_on(target),
        None if list.is_for_many() => on_each(&offer.flow),
        None => theme.own(FINDING_OUT),
    };
    let is_open = offer.target.is_some() || list.is_for_many();
    let rest = columns.saturating_sub(name + 13);
    let key = if is_open { Role::Key } else { Role::Muted };
    let cells = cells.left(key, &number, 2).left(Role::Text, &offer.flow.name, name).gap(2);
    let cells = tier(cells, &offer.flow).gap(1);
    if offer.is_suggested {
        let cells = cells.left(Role::Muted, &acts_on, rest.saturating_sub(12)).gap(1);
        return cells.right(Role::Good, "suggested", 11).line();
    }
    cells.left(Role::Muted, &acts_on, rest).line()
}

/// What a key leads to: a confirmation of its risk, or a page that asks for none.
fn tier<'a>(cells: Cells<'a>, flow: &Flow) -> Cells<'a> {
    match flow.route {
        Route::Open => cells.left(Role::Accent, "opens", 8),
        Route::ApiEndpoint | Route::Okta => cells.left(risk_role(flow.risk), flow.risk.word(), 8),
    }
}

/// What a flow acts on of each of many: who has none is told on the card.
fn on_each(flow: &Flow) -> String {
    match flow.product {
        Some(product) => format!("{} accounts", product.ispm_name()),
        None => "a router: it decides itself".to_owned(),
    }
}

fn acts_on(target: &FitTarget) -> String {
    match target {
        FitTarget::Account(account) => account.shown(),
        FitTarget::Choose(accounts) => format!("{} accounts to choose from", accounts.len()),
        FitTarget::Login(login) => format!("by login {login}"),
        FitTarget::Router(Some(account)) => {
            format!("a router, about {}", account.shown())
        }
        FitTarget::Router(None) => "a router: it decides itself".to_owned(),
        FitTarget::Page(page) => format!("{}: {}", page.url.host_str().unwrap_or_default(), page.of.words()),
    }
}

/// More about the selected flow: what it does and what undoes it, which page it opens, why it cannot run,
/// or for whom it is waited to know; and whether it may be done, as far as that is known.
fn about(
    scene: &Scene,
    theme: &Theme,
    (list, offer): (&FlowList, &Offer),
    columns: usize,
) -> Vec<Line<'static>> {
    let access = flows::access(scene.state, &offer.flow);
    let mut prose = Prose::new(theme, columns);
    prose.line(theme.own_line(Role::Border, &"─".repeat(columns)));
    let does = super::words::capitalised(&offer.flow.verb);
    match (&access, &offer.target) {
        (Some(Access::No(why)), _) | (_, Some(Err(why))) => {
            prose.say(Role::Warning, &format!("cannot run: {why}"));
        }
        (_, Some(Ok(FitTarget::Page(page)))) => {
            prose.say(Role::Text, &format!("Opens {}: nothing is sent from here", page.of.words()));
            prose.say(Role::Muted, page.url.as_str());
        }
        (_, Some(Ok(_))) => does_and_undo(scene, &mut prose, &does, &offer.flow),
        (_, None) if list.is_for_many() => does_and_undo(scene, &mut prose, &does, &offer.flow),
        (_, None) => {
            prose.say(Role::Text, &theme.shown(&does, columns));
            match waits::on(scene.state, &[Remote::Cii]) {
                Some(wait) => prose.say(Role::Warning, &wait.words(&scene.state.settings.zone)),
                None => prose.say(Role::Muted, &theme.own("which accounts this person has is being read…")),
            }
        }
    }
    if let Some((role, words)) = said_of(access.as_ref()) {
        prose.say(role, &words);
    }
    let lines = prose.lines();
    if lines.len() > ABOUT {
        about_in_brief(scene, theme, (list, offer), access.as_ref(), columns)
    } else {
        lines
    }
}

fn does_and_undo(scene: &Scene, prose: &mut Prose, does: &str, flow: &Flow) {
    prose.say(Role::Text, does);
    prose.say(Role::Muted, &undo(scene, flow));
}

/// Where the rows are too narrow for one of each, the name above has said what it does. Whether it may be done keeps
/// its row.
fn about_in_brief(
    scene: &Scene,
    theme: &Theme,
    (list, offer): (&FlowList, &Offer),
    access: Option<&Access>,
    columns: usize,
) -> Vec<Line<'static>> {
    let mut prose = Prose::new(theme, columns);
    match (access, &offer.target) {
        (Some(Access::No(why)), _) | (_, Some(Err(why))) => prose.say(Role::Warning, why),
        (_, Some(Ok(FitTarget::Page(page)))) => prose.say(Role::Muted, page.url.as_str()),
        (_, Some(Ok(_))) => prose.say(Role::Muted, &undo(scene, &offer.flow)),
        (_, None) if list.is_for_many() => prose.say(Role::Muted, &undo(scene, &offer.flow)),
        (_, None) => prose.say(Role::Muted, &theme.own(FINDING_OUT)),
    }
    let last = said_of(access).map(|(role, words)| theme.line(role, &theme.shown(&words, columns)));
    let said = prose.lines().into_iter().take(ABOUT - 1 - usize::from(last.is_some()));
    let rule = theme.own_line(Role::Border, &"─".repeat(columns));
    std::iter::once(rule).chain(said).chain(last).collect()
}

/// As the card says it.
fn undo(scene: &Scene, flow: &Flow) -> String {
    format!("undo: {}", undo::words(flow, &scene.state.settings.flows))
}

/// A preview, as far as it can be known before it is tried. That it cannot be done is said before.
fn said_of(access: Option<&Access>) -> Option<(Role, String)> {
    let access = access?;
    let is_said = matches!(access, Access::No(_));
    (!is_said).then(|| (words::access_role(access), format!("access, {}", access.words())))
}

fn draw_accounts(canvas: &mut Canvas, area: Rect, accounts: &[ProviderAccount]) {
    for (row, account) in accounts.iter().take(usize::from(area.height)).enumerate() {
        let cells = Cells::new(canvas.theme).left(Role::Key, &(row + 1).to_string(), 3);
        let id = account.shown();
        let columns = usize::from(area.width).saturating_sub(5) / 2;
        let line = cells.left(Role::Text, &id, columns).gap(2).left(
            Role::Muted,
            &account.login.to_string(),
            columns,
        );
        canvas.line(area, row, &line.line());
    }
}
