//! The line that says what just happened, or else what is under way.
//!
//! What does not fit on it goes on above it, over the end of what the screen shows: a path or a hint is of no use cut.

use super::Scene;
use super::canvas::Canvas;
use super::prose::Prose;
use super::theme::{Role, Theme};
use super::words::stage;
use crate::app::Overlay;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// The most rows of what just happened.
const MOST: u16 = 4;
/// The most rows of it over the end of a list.
const OVER: u16 = 3;

pub(super) fn draw(scene: &Scene, canvas: &mut Canvas, area: Rect) {
    canvas.fill(area, Role::Text);
    let columns = usize::from(area.width.saturating_sub(2));
    let Some((role, text)) = said(scene) else {
        if let Some(text) = under_way(scene, canvas.theme) {
            let line = canvas.theme.line(Role::Muted, &canvas.theme.shown(&text, columns));
            canvas.line(inner(area), 0, &line);
        }
        return;
    };
    let most = MOST.min(scene.size.rows / 3).max(1);
    let (lines, area) = laid_out(canvas.theme, (role, &text), area, most);
    canvas.fill(area, Role::Text);
    canvas.lines(inner(area), &lines);
}

/// All the rows that are taken by what just happened, or by the line alone.
pub(super) fn rows(scene: &Scene, theme: &Theme, area: Rect) -> Rect {
    let most = MOST.min(scene.size.rows / 3).max(1);
    said(scene).map_or(area, |(role, text)| laid_out(theme, (role, &text), area, most).1)
}

/// The lines of a notice, which end on its line, and where they stand.
fn laid_out(theme: &Theme, (role, text): (Role, &str), area: Rect, most: u16) -> (Vec<Line<'static>>, Rect) {
    let mut prose = Prose::new(theme, usize::from(area.width.saturating_sub(2)));
    prose.say(role, text);
    let lines = prose.lines();
    let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(most);
    (lines, Rect { y: (area.y + 1).saturating_sub(rows), height: rows, ..area })
}

/// Where something lies over the line: a list of flows can spare its last rows, a card cannot, nor is its border a
/// place for words. What happened to a card takes the first line of the screen.
pub(super) fn draw_over(scene: &Scene, canvas: &mut Canvas, (header, area): (Rect, Rect)) {
    let Some((role, text)) = said(scene).filter(|_| scene.state.help.is_none()) else { return };
    match scene.state.overlay {
        Some(Overlay::Flows(_)) => {
            let (lines, area) = laid_out(canvas.theme, (role, &text), area, OVER);
            canvas.fill(area, Role::Text);
            canvas.lines(inner(area), &lines);
        }
        Some(Overlay::Card(_) | Overlay::Many(_) | Overlay::Link(_)) => {
            canvas.fill(header, Role::Text);
            let text = canvas.theme.shown(&text, usize::from(inner(header).width));
            canvas.line(inner(header), 0, &canvas.theme.line(role, &text));
        }
        _ => {}
    }
}

fn inner(area: Rect) -> Rect {
    Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area }
}

fn said(scene: &Scene) -> Option<(Role, String)> {
    Some(match scene.state.notice.shown(scene.state.now)? {
        Ok(text) => (Role::Good, text.clone()),
        Err(text) => (Role::Alarm, format!("! {text}")),
    })
}

fn under_way(scene: &Scene, theme: &Theme) -> Option<String> {
    let run = scene.state.running.last()?;
    Some(format!("{}: {}", run.what, theme.own(&stage(run.stage.as_ref()))))
}
