//! Where a broken value ends, as well as anybody can tell.
//!
//! Nothing can be relied on any more. The rest of a value that began with a bracket is passed over until
//! its brackets are closed; anything else until the end of its line. In either case a line that looks
//! like the beginning of something new ends it: one that is indented no deeper than the line on which
//! the broken value began, and begins with nothing that would close or continue it. In JSON Lines that is
//! the very next line; in a list that was laid out for people it is the next element.

use super::grammar::Grammar;

/// Passing over a broken value.
#[derive(Debug)]
pub(super) struct Skip {
    way: Way,
    /// How deep the line was indented on which the value began.
    indent: u64,
    /// Whether a line ended on the way.
    has_next_line: bool,
}

#[derive(Debug)]
enum Way {
    /// Until the end of the line, or of the list's element.
    Token { is_in_list: bool },
    /// Until the brackets are closed.
    Brackets { depth: u64, text: InText },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InText {
    No,
    Yes,
    Escaped,
}

/// What a byte is to whoever passes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passed {
    /// Part of what is broken.
    Over,
    /// The last part of it.
    Last,
    /// Not part of it any more.
    Before,
}

impl Skip {
    /// Over the rest of a value that broke where the grammar stands.
    pub(super) fn over(grammar: &Grammar, indent: u64, is_in_list: bool) -> Skip {
        let way = match u64::try_from(grammar.depth()).unwrap_or(u64::MAX) {
            0 => Way::Token { is_in_list },
            depth => {
                let text = if grammar.is_in_text() { InText::Yes } else { InText::No };
                Way::Brackets { depth, text }
            }
        };
        Skip { way, indent, has_next_line: false }
    }

    /// Takes one byte. `leading` is how deep its line is indented, if it is the first of it.
    pub(super) fn step(&mut self, byte: u8, leading: Option<u64>) -> Passed {
        if self.has_next_line && leading.is_some_and(|indent| begins_anew(byte, indent, self.indent)) {
            return Passed::Before;
        }
        self.has_next_line |= byte == b'\n';
        match &mut self.way {
            Way::Token { .. } if byte == b'\n' => Passed::Last,
            Way::Token { is_in_list: true } if matches!(byte, b',' | b']') => Passed::Before,
            Way::Token { .. } => Passed::Over,
            Way::Brackets { depth, text } => brackets(depth, text, byte),
        }
    }
}

fn brackets(depth: &mut u64, text: &mut InText, byte: u8) -> Passed {
    match (*text, byte) {
        // No text goes on behind the end of its line.
        (_, b'\n') | (InText::Yes, b'"') => *text = InText::No,
        (InText::Yes, b'\\') => *text = InText::Escaped,
        (InText::Escaped, _) | (InText::No, b'"') => *text = InText::Yes,
        (InText::No, b'{' | b'[') => *depth = depth.saturating_add(1),
        (InText::No, b'}' | b']') => *depth = depth.saturating_sub(1),
        _ => {}
    }
    if *depth == 0 { Passed::Last } else { Passed::Over }
}

/// Whether the first byte of a line begins something new, behind a value that began on a line indented
/// by `broken`.
pub(super) fn begins_anew(byte: u8, indent: u64, broken: u64) -> bool {
    indent <= broken && !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'}' | b']' | b',' | b':')
}
