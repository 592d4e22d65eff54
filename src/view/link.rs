//! A link that is looked at before it goes anywhere: its host in full, what is odd about it, and a QR
//! code for the phone beside the keyboard, where it fits whole.

use super::Scene;
use super::canvas::{Canvas, Cells};
use super::glyph::Glyphs;
use super::panel::{Focus, Panel};
use super::prose::Prose;
use super::theme::{Role, Theme};
use crate::app::link::LinkCard;
use qrcode::QrCode;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use tui_qrcode::QrCodeWidget;

pub(super) fn draw(scene: &Scene, card: &LinkCard, canvas: &mut Canvas) {
    let room = scene.size.overlay(88, scene.size.rows.saturating_sub(2));
    let qr = qr(canvas.theme, card, room);
    let columns = usize::from(room.width.saturating_sub(4));
    let mut lines = lines(canvas.theme, card, columns);
    if card.shows_qr && qr.is_none() {
        lines.push(canvas.theme.line(Role::Warning, no_qr(canvas.theme)));
    }
    let code = qr.as_ref().map_or(0, |(_, area)| area.height);
    let text = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let area = scene.size.overlay(room.width, text.saturating_add(code).saturating_add(2).min(room.height));
    let inner = Panel::new("Link", Focus::Here).draw(canvas, area);
    let keys = 1.min(inner.height);
    let body = Rect { height: inner.height - keys, ..inner };
    match qr {
        // The code only helps whole: the text gives way.
        Some((widget, size)) => {
            let text = body.height.saturating_sub(size.height);
            canvas.lines(Rect { height: text, ..body }, &lines);
            let code =
                Rect { y: body.y + text, height: size.height.min(body.height), width: size.width, ..body };
            canvas.widget(widget.style(canvas.theme.qr()), code);
        }
        None => canvas.lines(body, &lines),
    }
    let hints = hints(canvas.theme, scene, usize::from(inner.width));
    canvas.line(Rect { y: inner.y + body.height, height: keys, ..inner }, 0, &hints);
}

fn lines(theme: &Theme, card: &LinkCard, columns: usize) -> Vec<Line<'static>> {
    let mut prose = Prose::new(theme, columns);
    prose.fact("host", if card.is_known { Role::Good } else { Role::Heading }, &card.host);
    for warning in &card.warnings {
        prose.marked("! ", Role::Warning, warning);
    }
    prose.blank();
    prose.say(Role::Accent, card.url.as_str());
    prose.lines()
}

/// The keys, in the longest words that fit: a way out that is cut off is none.
fn hints(theme: &Theme, scene: &Scene, columns: usize) -> Line<'static> {
    let is_desktop = scene.state.settings.is_desktop;
    let long = if is_desktop { " opens it" } else { " sends it to the clipboard" };
    let short = if is_desktop { " opens it" } else { " copies it" };
    let wordings = [(long, " leaves (default)"), (short, " leaves (default)")];
    let mut lines = wordings.map(|(sends, leaves)| hint(theme, scene, sends, leaves)).into_iter();
    let shortest = hint(theme, scene, short, " leaves");
    lines.find(|line| line.width() <= columns).unwrap_or(shortest)
}

fn hint(theme: &Theme, scene: &Scene, sends: &str, leaves: &str) -> Line<'static> {
    Cells::new(theme)
        .text(Role::Key, "y")
        .text(Role::Text, sends)
        .own(Role::Muted, " · ")
        .text(Role::Key, &scene.help.qr_key)
        .text(Role::Text, " QR code")
        .own(Role::Muted, " · ")
        .text(Role::Key, "esc")
        .text(Role::Muted, leaves)
        .line()
}

/// Why a code that was asked for is not there.
fn no_qr(theme: &Theme) -> &'static str {
    match theme.glyphs {
        Glyphs::Unicode => "the QR code does not fit on this screen",
        Glyphs::Ascii => "a QR code is drawn in blocks, and `[console] borders` is ascii",
    }
}

/// The code and its size, if it was asked for and fits between the borders above the keys.
fn qr(theme: &Theme, card: &LinkCard, room: Rect) -> Option<(QrCodeWidget, Rect)> {
    let can_show = card.shows_qr && theme.glyphs == Glyphs::Unicode;
    let code = QrCode::new(card.url.as_str()).ok().filter(|_| can_show)?;
    let widget = QrCodeWidget::new(code);
    let size = widget.size(room);
    let fits = size.width + 4 <= room.width && size.height + 3 <= room.height;
    fits.then_some((widget, Rect { width: size.width, height: size.height, ..Rect::ZERO }))
}

impl Theme {
    /// Codes are read dark on light; without colours they are left to the terminal.
    fn qr(&self) -> Style {
        let has_colour = Role::all().any(|role| self.style(role).fg.is_some());
        if has_colour { Style::new().black().on_white() } else { Style::new() }
    }
}
