//! The users of an address.

use super::Scene;
use super::canvas::{Canvas, Cells};
use super::event::mark_sign;
use super::theme::{Role, Theme};
use crate::app::address::AddressScreen;
use crate::app::waits;
use crate::domain::Remote;
use crate::domain::dossier::{AddressUsers, EndUserRef};
use ratatui::layout::Rect;
use ratatui::text::Line;

pub(super) fn draw(scene: &Scene, screen: &AddressScreen, canvas: &mut Canvas, area: Rect) {
    let Some(users) = &screen.users else {
        return canvas.line(area, 0, &reading(scene, canvas.theme));
    };
    canvas.line(area, 0, &heading(canvas.theme, users));
    let below = Rect { y: area.y + 1.min(area.height), height: area.height.saturating_sub(1), ..area };
    let selected = screen.cursor.index(&screen.logins());
    let visible = users.users.iter().enumerate().skip(screen.cursor.offset);
    for (row, (at, user)) in visible.take(usize::from(below.height)).enumerate() {
        canvas.line(below, row, &line(canvas.theme, user, usize::from(below.width)));
        if screen.marks.has(&user.login) {
            canvas.line(below, row, &mark_sign(canvas.theme, true));
        }
        if at == selected {
            canvas.select(below, row);
        }
    }
}

fn reading(scene: &Scene, theme: &Theme) -> Line<'static> {
    match waits::on(scene.state, &[Remote::Cii]) {
        Some(wait) => theme.line(Role::Warning, &format!(" {}", wait.words(&scene.state.settings.zone))),
        None => theme.own_line(Role::Muted, " reading…"),
    }
}

/// How many, whether that is all, and what stopped the reading.
fn heading(theme: &Theme, users: &AddressUsers) -> Line<'static> {
    if let Some(problem) = users.problems.first() {
        let hint = problem.hint.as_deref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        return theme.line(Role::Alarm, &format!(" ! {}{hint}", problem.line()));
    }
    let words = match (users.users.len(), users.is_cut) {
        (0, _) => "nobody was seen from this address".to_owned(),
        (1, false) => "1 user was seen from this address".to_owned(),
        (n, false) => format!("{n} users were seen from this address"),
        (n, true) => format!("the first {n} users seen from this address; there are more"),
    };
    theme.line(Role::Muted, &format!(" {words}"))
}

fn line(theme: &Theme, user: &EndUserRef, columns: usize) -> Line<'static> {
    let login = (columns / 2).min(48);
    let name = user.display_name.as_ref().map(ToString::to_string).unwrap_or_default();
    let cells = Cells::new(theme).gap(1).left(Role::Text, &user.login.to_string(), login).gap(2);
    cells.left(Role::Muted, &name, columns.saturating_sub(login + 4)).line()
}
