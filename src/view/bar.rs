//! A bar for a share.

use super::glyph::Glyphs;

/// The parts of a cell, fullest first: eighths.
const BLOCKS: [char; 8] = ['█', '▉', '▊', '▋', '▌', '▍', '▎', '▏'];
/// The parts of a cell, fullest first: halves.
const SIGNS: [char; 2] = ['#', '-'];

fn parts(glyphs: Glyphs) -> &'static [char] {
    match glyphs {
        Glyphs::Unicode => &BLOCKS,
        Glyphs::Ascii => &SIGNS,
    }
}

/// A bar of a share in 0..=1 within some columns, filled up with blanks. What is not nothing is seen.
pub(super) fn bar(glyphs: Glyphs, share: f64, columns: usize) -> String {
    let parts = parts(glyphs);
    let of_cell = parts.len();
    let all = columns.saturating_mul(of_cell);
    let least = usize::from(share > 0.0);
    // The cast saturates: what is not a number is 0.
    let taken = ((share.clamp(0.0, 1.0) * all as f64).round() as usize).max(least).min(all);
    let mut bar: String = parts.iter().take(1).cycle().take(taken / of_cell).collect();
    if taken % of_cell > 0 {
        bar.extend(parts.get(of_cell - taken % of_cell));
    }
    let rest = columns.saturating_sub(bar.chars().count());
    bar + &" ".repeat(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_has_its_columns() {
        assert_eq!(bar(Glyphs::Unicode, 1.0, 4), "████");
        assert_eq!(bar(Glyphs::Unicode, 0.5, 4), "██  ");
        assert_eq!(bar(Glyphs::Unicode, 0.001, 4), "▏   ");
        assert_eq!(bar(Glyphs::Unicode, 0.0, 2), "  ");
        assert_eq!(bar(Glyphs::Unicode, f64::NAN, 2), "  ");
        assert_eq!(bar(Glyphs::Unicode, 0.7, 0), "");
        assert_eq!(bar(Glyphs::Ascii, 0.6, 4), "##- ");
        assert_eq!(bar(Glyphs::Ascii, 0.001, 4), "-   ");
    }
}
