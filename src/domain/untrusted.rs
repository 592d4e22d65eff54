//! Text from outside, and the only ways to print it.
//!
//! A check's title, a device's name or an error message may hold escape sequences, bidi overrides or
//! zero-width characters, and ratatui lets some of them through to the terminal. So such text is
//! [`Untrusted`] from the wire to the screen, and what prints it is [`visible`]: every character that
//! could move the cursor, change the reading order or hide itself stands there by its name,
//! `<U+202E>`. Nothing is dropped: the analyst sees that somebody tried.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Text from outside. Its `Display` is [`visible`]; the raw text is for comparing and sending on.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Untrusted(String);

impl Untrusted {
    /// The text as it came: for keys, comparisons and payloads, never for a terminal.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it but white space.
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }

    /// On one line, every dangerous character by its name.
    pub fn visible(&self) -> Cow<'_, str> {
        visible(&self.0)
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Untrusted(text)
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Untrusted(text.to_owned())
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.visible())
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.visible())
    }
}

/// Whether a character may reach a terminal as it is.
pub fn is_printable(c: char) -> bool {
    !(c.is_control() || is_reordering(c) || is_invisible(c))
}

fn is_reordering(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Zero-width, line-separating and tag characters. The joiners U+200C and U+200D have honest uses in
/// some scripts; in a login or a check's title they are more often a disguise, so they are shown too.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200D}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2065}' | '\u{206A}'..='\u{206F}'
        | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
        | '\u{E0000}'..='\u{E0FFF}')
}

/// The text on one line, with every character that is not printable by its name.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_printable) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        push_visible(&mut out, c);
    }
    Cow::Owned(out)
}

fn push_visible(out: &mut String, c: char) {
    match c {
        '\n' => out.push('␊'),
        '\t' => out.push(' '),
        c if is_printable(c) => out.push(c),
        c => out.push_str(&format!("<U+{:04X}>", u32::from(c))),
    }
}

/// The text as lines: line feeds break, everything else is [`visible`].
pub fn visible_lines(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    text.split('\n').map(|line| visible(line.strip_suffix('\r').unwrap_or(line)))
}

/// The columns that a text takes in a terminal. Ambiguous widths are narrow.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// The text cut to `columns`, by grapheme, with `…` where something was cut off.
pub fn fit(text: &str, columns: usize) -> Cow<'_, str> {
    fit_marked(text, columns, '…')
}

/// The most bytes that a column may take: a letter can carry any number of accents, which take no column and
/// would fill a slow line. The longest emoji take 35 in two columns.
const BYTES_A_COLUMN: usize = 24;

/// As [`fit`], with a mark of one's own where something was cut off; it takes one column.
pub fn fit_marked(text: &str, columns: usize, mark: char) -> Cow<'_, str> {
    let most = columns.saturating_mul(BYTES_A_COLUMN);
    if text.len() <= most && width(text) <= columns {
        return Cow::Borrowed(text);
    }
    if columns == 0 {
        return Cow::Borrowed("");
    }
    let mut out = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        let next = width(grapheme);
        if used + next > columns - 1 || out.len() + grapheme.len() > most {
            break;
        }
        out.push_str(grapheme);
        used += next;
    }
    out.push(mark);
    Cow::Owned(out)
}

/// JSON text in which control, bidi and zero-width characters stand as `\uXXXX`, so that a terminal
/// that shows it is not moved either. The input has to be JSON already.
pub fn escape_json(json: &str) -> Cow<'_, str> {
    if json.chars().all(is_printable) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    let mut units = [0; 2];
    for c in json.chars() {
        if is_printable(c) {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    Cow::Owned(out)
}

/// JSON text on one line; what is not JSON after all becomes a JSON text.
pub fn one_line(raw: &str) -> String {
    if serde_json::from_str::<serde::de::IgnoredAny>(raw).is_err() {
        return serde_json::Value::from(raw).to_string();
    }
    let mut is_quoted = false;
    let mut is_escaped = false;
    let keep = |c: &char| {
        let is_text = is_quoted;
        match *c {
            '"' if !is_escaped => is_quoted = !is_quoted,
            '\\' if is_quoted && !is_escaped => {
                is_escaped = true;
                return true;
            }
            _ => {}
        }
        is_escaped = false;
        is_text || !c.is_ascii_whitespace()
    };
    raw.chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn accents_without_end_are_cut() {
        let heaped = format!("a{}b", "\u{301}".repeat(100_000));
        assert!(is_printable('\u{301}') && width(&heaped) == 2);
        assert_eq!(fit(&heaped, 10), "…");
        assert_eq!(fit("é\u{301}👩‍👩‍👧‍👦x", 10), "é\u{301}👩‍👩‍👧‍👦x");
        assert!(fit(&"e\u{301}\u{302}".repeat(500), 80).len() <= 80 * BYTES_A_COLUMN + 3);
    }

    #[test]
    fn names_what_could_move_or_hide() {
        assert_eq!(visible("a\u{1b}[2Jb"), "a<U+001B>[2Jb");
        assert_eq!(visible("admin\u{202e}nimda"), "admin<U+202E>nimda");
        assert_eq!(visible("a\u{200b}b\u{9b}31m"), "a<U+200B>b<U+009B>31m");
        assert_eq!(visible("Zoë Åström"), "Zoë Åström");
    }

    #[test]
    fn cuts_by_grapheme_width() {
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(fit("日本語", 4), "日…");
        assert_eq!(fit("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
        assert_eq!(fit("abc", 3), "abc");
        assert_eq!(fit("abc", 0), "");
    }

    proptest! {
        #[test]
        fn no_control_byte_survives(text in any::<String>()) {
            prop_assert!(visible(&text).chars().all(is_printable));
        }

        #[test]
        fn nothing_is_wider_than_asked(text in any::<String>(), columns in 0usize..40) {
            let shown = visible(&text).into_owned();
            prop_assert!(width(&fit(&shown, columns)) <= columns);
        }

        #[test]
        fn escaped_json_means_the_same(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            let escaped = escape_json(&json);
            prop_assert!(escaped.chars().all(is_printable));
            prop_assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
        }
    }
}
