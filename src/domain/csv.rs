//! CSV (RFC 4180) that no spreadsheet runs.
//!
//! A cell that begins like a formula is one to a spreadsheet, and whoever can put a name into a log could
//! have the analyst's machine run it. Such a cell gets a `'` before it, which spreadsheets take for "text".

use super::untrusted::visible;

/// What a spreadsheet may take for the beginning of a formula, or skips before one; the wide forms too.
const BEGINS_A_FORMULA: &[char] =
    &['=', '+', '-', '@', '\t', '\r', '\n', '\u{FF1D}', '\u{FF0B}', '\u{FF0D}', '\u{FF20}'];

/// A line of cells, with its line end.
pub fn line<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let cells: Vec<String> = cells.into_iter().map(cell).collect();
    format!("{}\r\n", cells.join(","))
}

/// Where a spreadsheet parts cells by `;`, what stands behind one is a cell of its own, in quotes or not.
const OTHER_SEPARATOR: char = ';';

/// One cell. What could move a terminal or hide itself stands there by its name, also in a file: somebody
/// will look at it with `less`.
pub fn cell(text: &str) -> String {
    let shown = visible(text);
    let is_formula = |part: &str| part.trim_start().starts_with(BEGINS_A_FORMULA);
    // The text itself may begin like one by a character that is shown by its name.
    let hidden = text.starts_with(BEGINS_A_FORMULA) && !is_formula(&shown);
    let guarded = |part: &str| if is_formula(part) { format!("'{part}") } else { part.to_owned() };
    let parts: Vec<String> = shown.split(OTHER_SEPARATOR).map(guarded).collect();
    let harmless = format!("{}{}", if hidden { "'" } else { "" }, parts.join(";"));
    match harmless.contains([',', '"', '\'', OTHER_SEPARATOR]) {
        true => format!("\"{}\"", harmless.replace('"', "\"\"")),
        false => harmless,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("ann@example.com", "ann@example.com")]
    #[case("", "")]
    #[case("a, b", "\"a, b\"")]
    #[case("say \"no\"", "\"say \"\"no\"\"\"")]
    #[case("=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\"")]
    #[case("+1 555", "\"'+1 555\"")]
    #[case("-2+3", "\"'-2+3\"")]
    #[case("@SUM(A1)", "\"'@SUM(A1)\"")]
    #[case("\t=1", "\"' =1\"")]
    #[case("\r=1", "\"'<U+000D>=1\"")]
    #[case("  =1", "\"'  =1\"")]
    #[case("\u{FF1D}1", "\"'\u{FF1D}1\"")]
    #[case("x;=1", "\"x;'=1\"")]
    #[case("x; +1;y", "\"x;' +1;y\"")]
    #[case("a\nb", "a␊b")]
    #[case("a\u{1b}[2J", "a<U+001B>[2J")]
    fn a_cell_is_harmless(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(cell(text), expected);
    }

    #[test]
    fn a_line_ends_as_the_format_wants() {
        assert_eq!(line(["a", "=1"]), "a,\"'=1\"\r\n");
    }

    proptest! {
        #[test]
        fn no_cell_begins_like_a_formula_or_breaks_out(text in any::<String>()) {
            let cell = cell(&text);
            let inner = cell.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(&cell);
            prop_assert!(!inner.trim_start().starts_with(BEGINS_A_FORMULA));
            prop_assert!(inner.split(';').all(|part| !part.trim_start().starts_with(BEGINS_A_FORMULA)));
            prop_assert!(!inner.replace("\"\"", "").contains('"'));
            prop_assert!(!cell.contains(['\r', '\n']));
            prop_assert!(cell.starts_with('"') || !cell.contains(','));
        }
    }
}
