//! The line that says what just happened, or else what is under way.

use super::Scene;
use super::canvas::Canvas;
use super::theme::{Role, Theme};
use super::words::stage;
use ratatui::layout::Rect;

pub(super) fn draw(scene: &Scene, canvas: &mut Canvas, area: Rect) {
    canvas.fill(area, Role::Text);
    let inner = Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
    let Some((role, text)) = said(scene, canvas.theme) else { return };
    canvas.line(inner, 0, &canvas.theme.line(role, &canvas.theme.shown(&text, usize::from(inner.width))));
}

fn said(scene: &Scene, theme: &Theme) -> Option<(Role, String)> {
    let state = scene.state;
    match state.notice.shown(state.now) {
        Some(Ok(text)) => Some((Role::Good, text.clone())),
        Some(Err(text)) => Some((Role::Alarm, format!("! {text}"))),
        None => {
            let run = state.running.last()?;
            Some((Role::Muted, format!("{}: {}", run.what, theme.own(&stage(run.stage.as_ref())))))
        }
    }
}
