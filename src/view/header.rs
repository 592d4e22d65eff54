//! The first line of every screen: who receives, how the sources are, how old the silence is.
//!
//! ```text
//!  DEMO  this console receives: stops when it closes         last event 2m │ 14 open │ 3 sources ok
//! ```
//!
//! On a narrow screen the least important is first said shorter, then left out. What is wrong goes
//! last, and is said by a word, not only by a colour.

use super::Scene;
use super::canvas::Canvas;
use super::theme::{Role, Theme};
use crate::app::State;
use crate::app::header::Receiver;
use crate::domain::untrusted::width;
use crate::domain::{SourceHealth, SourceState, time};
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

const BETWEEN: &str = " │ ";

/// Where a piece stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// One thing the header says, in ever fewer words; the last one may be nothing.
struct Piece {
    side: Side,
    role: Role,
    /// Pieces of a low weight are left out first; to be said shorter costs half.
    weight: u8,
    words: Vec<String>,
    /// How many of the longer wordings were given up.
    given_up: usize,
}

impl Piece {
    fn new(side: Side, role: Role, weight: u8, words: Vec<String>) -> Piece {
        Piece { side, role, weight, words, given_up: 0 }
    }

    fn said(&self) -> &str {
        self.words.get(self.given_up).map_or("", String::as_str)
    }

    /// What it costs to give up the words that are said now.
    fn cost(&self) -> u8 {
        let is_shortest = self.given_up + 1 == self.words.len();
        if is_shortest { self.weight } else { self.weight / 2 }
    }
}

pub(super) fn draw(scene: &Scene, canvas: &mut Canvas, area: Rect) {
    canvas.fill(area, Role::Header);
    let mut pieces = pieces(scene.state);
    let room = usize::from(area.width).saturating_sub(2);
    shorten(canvas.theme, &mut pieces, room);
    let inner = Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
    canvas.line(inner, 0, &side(canvas.theme, &pieces, Side::Left));
    canvas.right(inner, 0, &side(canvas.theme, &pieces, Side::Right));
}

/// Gives up words, the cheapest first, until the line fits.
fn shorten(theme: &Theme, pieces: &mut [Piece], room: usize) {
    while taken(theme, pieces) > room {
        let next =
            pieces.iter_mut().filter(|piece| !piece.said().is_empty()).min_by_key(|piece| piece.cost());
        match next {
            Some(piece) => piece.given_up += 1,
            None => return,
        }
    }
}

fn taken(theme: &Theme, pieces: &[Piece]) -> usize {
    let said = pieces.iter().map(Piece::said).filter(|words| !words.is_empty());
    let widths: Vec<usize> = said.map(|words| width(&theme.visible(words)) + width(BETWEEN)).collect();
    widths.iter().sum::<usize>().saturating_sub(width(BETWEEN))
}

fn side(theme: &Theme, pieces: &[Piece], side: Side) -> Line<'static> {
    let mut spans: Vec<Span> = Vec::new();
    for piece in pieces.iter().filter(|piece| piece.side == side && !piece.said().is_empty()) {
        if !spans.is_empty() {
            let is_badge = pieces.iter().any(|p| p.role == Role::Badge && spans.len() == 1 && p.side == side);
            spans.push(if is_badge { Span::raw("  ") } else { theme.own_span(Role::Border, BETWEEN) });
        }
        spans.push(theme.span(piece.role, piece.said()));
    }
    Line::from(spans)
}

fn pieces(state: &State) -> Vec<Piece> {
    let mut pieces = Vec::new();
    if let Some(badge) = &state.settings.badge {
        pieces.push(Piece::new(Side::Left, Role::Badge, 60, vec![format!(" {badge} ")]));
    }
    pieces.push(receiver(&state.header.receiver));
    pieces.extend(failed(state));
    if state.settings.is_read_only {
        pieces.push(Piece::new(Side::Left, Role::Warning, 50, one("read-only")));
    }
    pieces.extend(held(state));
    pieces.extend(running(state));
    pieces.extend(silence(state));
    pieces.extend(counts(state));
    pieces.extend(sources(state));
    pieces
}

fn one(words: &str) -> Vec<String> {
    vec![words.to_owned()]
}

fn receiver(receiver: &Receiver) -> Piece {
    let both = |long: String, short: &str| vec![long, short.to_owned()];
    match receiver {
        Receiver::Unknown => Piece::new(Side::Left, Role::Muted, 20, one("who receives is not known yet")),
        Receiver::ThisConsole => {
            let words = both("this console: stops when it closes".to_owned(), "this console");
            Piece::new(Side::Left, Role::Header, 40, words)
        }
        Receiver::Other(who) => {
            Piece::new(Side::Left, Role::Header, 40, both(format!("receiver: {who}"), "another receives"))
        }
        Receiver::Nobody(why) => {
            let words = both(format!("nobody receives: {why}"), "nobody receives");
            Piece::new(Side::Left, Role::Alarm, 80, words)
        }
    }
}

fn failed(state: &State) -> Option<Piece> {
    let (name, why) = state.header.failed()?;
    let words = vec![format!("{name} failed: {why}"), format!("{name} failed"), "a source failed".to_owned()];
    Some(Piece::new(Side::Left, Role::Alarm, 90, words))
}

/// On the feed itself the counter stands on the line below.
fn held(state: &State) -> Option<Piece> {
    let words = state.feed.held_words().filter(|_| !state.stack.is_empty())?;
    let short = words.split(',').next().unwrap_or_default().to_owned();
    Some(Piece::new(Side::Right, Role::Accent, 45, vec![short]))
}

fn running(state: &State) -> Option<Piece> {
    let n = state.running.len();
    (n > 0).then(|| Piece::new(Side::Right, Role::Accent, 70, vec![format!("{n} running")]))
}

fn silence(state: &State) -> Option<Piece> {
    let last = state.header.health.last_received?;
    let age = time::age(state.now, last);
    if state.header.is_too_silent(state.now) {
        let words = vec![format!("silent for {age}, longer than expected"), format!("silent for {age}")];
        return Some(Piece::new(Side::Right, Role::Alarm, 75, words));
    }
    let words = vec![format!("last event {age}"), format!("last {age}")];
    Some(Piece::new(Side::Right, Role::Header, 35, words))
}

fn counts(state: &State) -> Vec<Piece> {
    let health = &state.header.health;
    let mut pieces = Vec::new();
    if !health.problems.is_empty() {
        let words = vec![format!("{} not understood", health.problems.len())];
        pieces.push(Piece::new(Side::Right, Role::Warning, 55, words));
    }
    if health.pending > 0 {
        pieces.push(Piece::new(Side::Right, Role::Header, 25, vec![format!("{} pending", health.pending)]));
    }
    pieces.push(Piece::new(Side::Right, Role::Header, 30, vec![format!("{} open", health.open_findings)]));
    pieces
}

fn sources(state: &State) -> Option<Piece> {
    let sources = &state.header.sources;
    let refused: u64 = sources.iter().map(SourceHealth::refusals).sum();
    let ready = sources.iter().filter(|source| source.state == SourceState::Running).count();
    let total = match (ready, sources.len()) {
        (_, 0) => return None,
        (1, 1) => "1 source ok".to_owned(),
        (ready, all) if ready == all => format!("{all} sources ok"),
        (ready, all) => format!("{ready} of {all} sources ok"),
    };
    let words = if refused > 0 { vec![format!("{total}, {refused} refused"), total] } else { vec![total] };
    Some(Piece::new(Side::Right, Role::Header, 10, words))
}
