//! Texts from outside as lines of a width: escaped, wrapped, and told apart by what they are.

use crate::domain::Untrusted;
use crate::domain::untrusted::{visible_lines, width};
use unicode_segmentation::UnicodeSegmentation;

/// One line of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextLine {
    /// Nothing.
    Blank,
    /// A heading.
    Heading(String),
    /// A name and a value.
    Fact(String, String),
    /// A paragraph's line.
    Body(String),
    /// A list item's first line.
    Item(String),
}

impl TextLine {
    /// A fact on one line: what does not fit is cut where it is drawn.
    pub fn fact(name: &str, value: &str) -> TextLine {
        TextLine::Fact(name.to_owned(), value.to_owned())
    }
}

/// The columns of a fact's name.
pub const FACT_NAME: usize = 11;

/// Adds a heading and its paragraphs as a list; nothing where there are none.
pub fn section(lines: &mut Vec<TextLine>, heading: &str, texts: &[Untrusted], columns: usize) {
    if texts.is_empty() {
        return;
    }
    lines.push(TextLine::Blank);
    lines.push(TextLine::Heading(heading.to_owned()));
    for text in texts {
        let mut wrapped = wrap(text.raw(), columns.saturating_sub(2)).into_iter();
        lines.push(TextLine::Item(wrapped.next().unwrap_or_default()));
        lines.extend(wrapped.map(|line| TextLine::Body(format!("  {line}"))));
    }
}

/// A text from outside as lines of at most `columns`: escaped, broken at blanks where possible.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    for paragraph in visible_lines(text) {
        wrap_paragraph(&paragraph, columns, &mut lines);
    }
    lines
}

fn wrap_paragraph(paragraph: &str, columns: usize, lines: &mut Vec<String>) {
    let (mut line, before) = (String::new(), lines.len());
    for word in words(paragraph, columns) {
        let word = word.as_str();
        if width(&line) + width(word) > columns && !line.is_empty() {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
        }
        if width(word) > columns {
            break_word(word, columns, &mut line, lines);
        } else if !(line.is_empty() && word.trim().is_empty()) {
            line.push_str(word);
        }
    }
    // Blanks at the end of a full line are no line of their own.
    if lines.len() == before || !line.is_empty() {
        lines.push(line.trim_end().to_owned());
    }
}

/// The pieces that a line may break between: at blanks, and only what is wider than a line elsewhere.
fn words(paragraph: &str, columns: usize) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = Vec::new();
    for piece in paragraph.split_word_bounds() {
        if piece.trim().is_empty() {
            words.extend(pieces(&word, columns));
            words.push(piece.to_owned());
            word.clear();
        } else {
            word.push(piece);
        }
    }
    words.extend(pieces(&word, columns));
    words
}

/// A word whole where a line holds it, else in parts; what closes one stays with it.
fn pieces(parts: &[&str], columns: usize) -> Vec<String> {
    let whole = parts.concat();
    if width(&whole) <= columns {
        return vec![whole];
    }
    let mut pieces: Vec<String> = Vec::new();
    for part in parts {
        match pieces.last_mut().filter(|_| closes(part)) {
            Some(before) => before.push_str(part),
            None => pieces.push((*part).to_owned()),
        }
    }
    pieces
}

fn closes(word: &str) -> bool {
    word.chars().all(|c| matches!(c, ',' | '.' | ';' | ':' | '!' | '?' | ')' | ']' | '}' | '…'))
}

fn break_word(word: &str, columns: usize, line: &mut String, lines: &mut Vec<String>) {
    for grapheme in word.graphemes(true) {
        // Spacing marks make one grapheme as wide as its sender likes; a terminal cannot break it.
        let grapheme = if width(grapheme) > columns { "?" } else { grapheme };
        if width(line) + width(grapheme) > columns && !line.is_empty() {
            lines.push(std::mem::take(line));
        }
        line.push_str(grapheme);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn breaks_at_blanks() {
        assert_eq!(wrap("one two three", 8), vec!["one two", "three"]);
        assert_eq!(wrap("one two ", 7), vec!["one two"], "no line of blanks");
        assert_eq!(wrap("abcdefghij", 4), vec!["abcd", "efgh", "ij"]);
        assert_eq!(wrap("a\nb", 4), vec!["a", "b"]);
        assert_eq!(wrap("one two, three", 7), vec!["one", "two,", "three"], "no line begins with a comma");
        assert_eq!(
            wrap("terms are `state:open`", 14),
            vec!["terms are", "`state:open`"],
            "nor ends with a quote"
        );
        assert_eq!(wrap("GET http://x/ab/cd", 10), vec!["GET http:/", "/x/ab/cd"], "too wide for a line");
        assert_eq!(wrap("a \u{1b155}\u{cf3} b", 2), vec!["a", "?", "b"], "one grapheme of three columns");
    }

    proptest! {
        #[test]
        fn no_line_is_wider(text in any::<String>(), columns in 2usize..40) {
            prop_assert!(wrap(&text, columns).iter().all(|line| width(line) <= columns));
        }
    }
}
