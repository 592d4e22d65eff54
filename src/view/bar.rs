//! A bar for a share.

/// The eighths of a cell, fullest first.
const EIGHTHS: [char; 8] = ['█', '▉', '▊', '▋', '▌', '▍', '▎', '▏'];

/// A bar of a share in 0..=1 within some columns, filled up with blanks. What is not nothing is seen.
pub(super) fn bar(share: f64, columns: usize) -> String {
    let all = columns.saturating_mul(8);
    let least = usize::from(share > 0.0);
    // The cast saturates: what is not a number is 0.
    let eighths = ((share.clamp(0.0, 1.0) * all as f64).round() as usize).max(least).min(all);
    let mut bar = "█".repeat(eighths / 8);
    if eighths % 8 > 0 {
        bar.extend(EIGHTHS.get(8 - eighths % 8));
    }
    let rest = columns.saturating_sub(bar.chars().count());
    bar + &" ".repeat(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_has_its_columns() {
        assert_eq!(bar(1.0, 4), "████");
        assert_eq!(bar(0.5, 4), "██  ");
        assert_eq!(bar(0.001, 4), "▏   ");
        assert_eq!(bar(0.0, 2), "  ");
        assert_eq!(bar(f64::NAN, 2), "  ");
        assert_eq!(bar(0.7, 0), "");
    }
}
