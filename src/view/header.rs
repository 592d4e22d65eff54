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
use super::words;
use crate::app::State;
use crate::app::header::Receiver;
use crate::domain::untrusted::width;
use crate::domain::{SourceHealth, time};
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

const BETWEEN: &str = " │ ";
/// Why a source failed stands on the health screen too: here it is not worth another thing's place.
const WHY: u8 = 8;
/// What the age of the last event weighs: it tells a silence.
const AGE: u8 = 35;

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
    /// Pieces of a low weight are left out first.
    weight: u8,
    /// What it costs to give up the longest words: mostly half of that.
    longest: u8,
    words: Vec<String>,
    /// How many of the longer wordings were given up.
    given_up: usize,
}

impl Piece {
    fn new(side: Side, role: Role, weight: u8, mut words: Vec<String>) -> Piece {
        // Words that save nothing say nothing: a short name is better than "a source".
        words.dedup_by(|next, before| width(next) >= width(before));
        Piece { side, role, weight, longest: weight / 2, words, given_up: 0 }
    }

    /// Its longest words are worth only so much, however much it is worth that it is said at all.
    fn at_length(self, longest: u8) -> Piece {
        Piece { longest, ..self }
    }

    fn said(&self) -> &str {
        self.words.get(self.given_up).map_or("", String::as_str)
    }

    /// What it costs to give up the words that are said now.
    fn cost(&self) -> u8 {
        match self.words.len().saturating_sub(self.given_up) {
            1 => self.weight,
            _ if self.given_up == 0 => self.longest,
            _ => self.weight / 2,
        }
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
    let mut given_up = Vec::new();
    while taken(theme, pieces) > room {
        let said = pieces.iter().enumerate().filter(|(_, piece)| !piece.said().is_empty());
        match said.min_by_key(|(_, piece)| piece.cost()).map(|(at, _)| at) {
            Some(at) => {
                given_up.push((pieces[at].cost(), at));
                pieces[at].given_up += 1;
            }
            None => break,
        }
    }
    // Where long words were given up last, what was left out before them may have room again.
    given_up.sort_by_key(|(cost, _)| std::cmp::Reverse(*cost));
    for (_, at) in given_up {
        let piece = &mut pieces[at];
        if piece.said().is_empty() && piece.weight >= AGE {
            piece.given_up -= 1;
            if taken(theme, pieces) > room {
                pieces[at].given_up += 1;
            }
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
    pieces.extend(
        failed(state).or_else(|| silent_source(state)).or_else(|| refusing(state)).or_else(|| warned(state)),
    );
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
            let why = why.lines().next().unwrap_or_default();
            let words = both(format!("nobody receives: {why}"), "nobody receives");
            Piece::new(Side::Left, Role::Alarm, 80, words)
        }
    }
}

/// What an old word says of a source is on the health screen, with its age.
fn failed(state: &State) -> Option<Piece> {
    if state.header.last_word(state.now).is_some() {
        return None;
    }
    let (name, why) = state.header.failed().next()?;
    // What mends it stands on the health screen.
    let why = why.lines().next().unwrap_or_default();
    let words = match state.header.failed().count() {
        1 => vec![format!("{name} failed: {why}"), format!("{name} failed"), "a source failed".to_owned()],
        n => vec![format!("{n} sources failed; {name}: {why}"), format!("{n} sources failed")],
    };
    Some(Piece::new(Side::Left, Role::Alarm, 90, words).at_length(WHY))
}

/// A source that refuses what is sent to it.
fn refusing(state: &State) -> Option<Piece> {
    let mut refusing = state.header.sources.iter().filter(|source| source.refusing().is_some());
    let first = refusing.next()?;
    let words = match refusing.count() {
        0 => vec![format!("{} {}", first.name, first.refuses()), format!("{} refuses", first.name)],
        more => vec![format!("{} sources refuse what comes", more + 1), format!("{} refuse", more + 1)],
    };
    Some(Piece::new(Side::Left, Role::Warning, 78, words))
}

/// As many acknowledged and not yet in the feed are more than a moment's.
const MANY_PENDING: u64 = 5_000;

/// A source that is silent for longer than expected, where the whole feed is not.
fn silent_source(state: &State) -> Option<Piece> {
    let (header, now) = (&state.header, state.now);
    if header.is_too_silent(now) || header.last_word(now).is_some() {
        return None;
    }
    let (name, since) = header.silent(now).next()?;
    let words = match header.silent(now).count() {
        1 => {
            let silent = format!("{name} silent for {}", time::age(now, since));
            vec![format!("{silent}, longer than expected"), silent, "a source is silent".to_owned()]
        }
        n => vec![format!("{n} sources silent, longer than expected"), format!("{n} sources silent")],
    };
    Some(Piece::new(Side::Left, Role::Alarm, 85, words))
}

/// A source that brings what there is and may have missed something.
fn warned(state: &State) -> Option<Piece> {
    let (header, now) = (&state.header, state.now);
    if header.last_word(now).is_some() {
        return None;
    }
    let (name, note) = header.warned(now).next()?;
    let words = match header.warned(now).count() {
        1 => vec![format!("{name}: {}", note.text), format!("{name} warns"), "a source warns".to_owned()],
        n => vec![format!("{n} sources warn; {name}: {}", note.text), format!("{n} sources warn")],
    };
    Some(Piece::new(Side::Left, Role::Warning, 75, words).at_length(WHY))
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
    let age = time::age(state.now, state.header.silent_since()?);
    if state.header.is_too_silent(state.now) {
        let words = vec![format!("silent for {age}, longer than expected"), format!("silent for {age}")];
        return Some(Piece::new(Side::Right, Role::Alarm, 75, words));
    }
    state.header.health.last_received?;
    let words = vec![format!("last event {age}"), format!("last {age}")];
    Some(Piece::new(Side::Right, Role::Header, AGE, words))
}

fn counts(state: &State) -> Vec<Piece> {
    let health = &state.header.health;
    let mut pieces = Vec::new();
    if !health.problems.is_empty() {
        let words = vec![format!("{} not understood", health.problems.len())];
        pieces.push(Piece::new(Side::Right, Role::Warning, 55, words));
    }
    if health.pending > 0 {
        let (role, priority) =
            if health.pending < MANY_PENDING { (Role::Header, 25) } else { (Role::Warning, 65) };
        let pending = words::number(health.pending);
        let words = vec![format!("{pending} in the inbox"), format!("{pending} inbox")];
        pieces.push(Piece::new(Side::Right, role, priority, words));
    }
    pieces.push(Piece::new(Side::Right, Role::Header, 30, vec![format!("{} open", health.open_findings)]));
    pieces
}

fn sources(state: &State) -> Option<Piece> {
    let sources = &state.header.sources;
    if sources.is_empty() {
        return None;
    }
    if let Some(at) = state.header.last_word(state.now) {
        let ago = time::ago(state.now, at);
        let words = vec![format!("last word of the sources {ago}"), format!("last word {ago}")];
        return Some(Piece::new(Side::Right, Role::Warning, 50, words));
    }
    let refused: u64 = sources.iter().map(SourceHealth::refusals).sum();
    let total = words::sources_ok(sources, state.now);
    let words = if refused > 0 { vec![format!("{total}, {refused} refused"), total] } else { vec![total] };
    Some(Piece::new(Side::Right, Role::Header, 10, words))
}
