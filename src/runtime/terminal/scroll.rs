//! Finds the rows of a screen that only moved up or down.

use ratatui::buffer::{Buffer, Cell};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Rows that moved: within `first..=last`, by `by` rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    /// The first row of the region.
    pub first: u16,
    /// The last row of the region.
    pub last: u16,
    /// By how many rows.
    pub by: u16,
    /// Whether the content moves up.
    pub up: bool,
}

/// A shift is worth its escape sequences from this many rows on.
const WORTH: usize = 3;
/// Farther shifts are redrawn: they are rare, and looking for them is work in every frame.
const FARTHEST: usize = 24;

/// The best shift between two screens of one size, if any is worth it.
pub fn find(old: &Buffer, new: &Buffer) -> Option<Shift> {
    if old.area != new.area || old.area.width == 0 {
        return None;
    }
    let (old, new) = (hashes(old), hashes(new));
    let changed = old.iter().zip(&new).filter(|(a, b)| a != b).count();
    if changed < WORTH {
        return None;
    }
    let candidates =
        (1..FARTHEST.min(old.len())).flat_map(|by| [best(&old, &new, by, true), best(&old, &new, by, false)]);
    let (gain, shift) = candidates.flatten().max_by_key(|(gain, _)| *gain)?;
    (gain >= WORTH).then_some(shift)
}

fn hashes(buffer: &Buffer) -> Vec<u64> {
    let width = usize::from(buffer.area.width);
    buffer.content.chunks(width).map(hash_row).collect()
}

fn hash_row(row: &[Cell]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for cell in row {
        (cell.symbol(), cell.fg, cell.bg, cell.modifier).hash(&mut hasher);
    }
    hasher.finish()
}

/// The longest run of rows that equal the old ones `by` rows away, and how many redraws it saves.
fn best(old: &[u64], new: &[u64], by: usize, up: bool) -> Option<(usize, Shift)> {
    let matches = |y: usize| {
        let from = if up { y.checked_add(by) } else { y.checked_sub(by) };
        from.and_then(|from| old.get(from)) == new.get(y)
    };
    let (mut best, mut start) = (None, None);
    for y in 0..=new.len() {
        if y < new.len() && matches(y) {
            start.get_or_insert(y);
            continue;
        }
        if let Some(first) = start.take() {
            let saved = (first..y).filter(|y| old.get(*y) != new.get(*y)).count();
            if best.as_ref().is_none_or(|(most, _)| saved > *most) {
                best = Some((saved, region(first, y - 1, by, up)?));
            }
        }
    }
    best
}

/// The region that has to scroll: the rows that arrive, and the ones that they leave.
fn region(first: usize, last: usize, by: usize, up: bool) -> Option<Shift> {
    let (first, last) = if up { (first, last + by) } else { (first - by, last) };
    Some(Shift {
        first: u16::try_from(first).ok()?,
        last: u16::try_from(last).ok()?,
        by: u16::try_from(by).ok()?,
        up,
    })
}

/// Does to a copy of the screen what the terminal does: moves the rows, blanks those left behind.
pub fn apply(screen: &mut Buffer, shift: Shift) {
    let width = usize::from(screen.area.width);
    let (first, last) = (usize::from(shift.first) * width, (usize::from(shift.last) + 1) * width);
    let by = usize::from(shift.by) * width;
    let Some(region) = screen.content.get_mut(first..last) else { return };
    if by > region.len() {
        return;
    }
    if shift.up {
        region.rotate_left(by);
        region.iter_mut().rev().take(by).for_each(Cell::reset);
    } else {
        region.rotate_right(by);
        region.iter_mut().take(by).for_each(Cell::reset);
    }
}
