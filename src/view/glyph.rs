//! Our own signs, and what stands for them where only ASCII is to be drawn.
//!
//! The source writes every sign of ours once, in Unicode. Where `[console] borders = "ascii"` says so,
//! what is ours passes through [`Glyphs::own`] before it is measured. Text from outside never does:
//! replacing its characters would make two logins look alike that are not.

use ratatui::symbols::border;
use std::borrow::Cow;

/// With which signs the console draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Glyphs {
    /// Lines, blocks and shapes.
    #[default]
    Unicode,
    /// Nothing outside ASCII.
    Ascii,
}

/// What stands for our signs, longer ones first: a dot between two things is a stroke, one before a
/// thing is a hyphen.
const STAND_INS: [(&str, &str); 17] = [
    (" · ", " | "),
    ("↑↓", "up/down"),
    ("·", "-"),
    ("…", "..."),
    ("–", "-"),
    ("×", "x"),
    ("↑", "up"),
    ("↓", "down"),
    ("›", ">"),
    ("→", ">"),
    ("│", "|"),
    ("─", "-"),
    ("•", "*"),
    ("◆", "#"),
    ("▲", "^"),
    ("●", "*"),
    ("○", "o"),
];

const PLAIN: border::Set = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};
/// Told apart from [`PLAIN`] without a colour.
const FOCUSED: border::Set = border::Set { horizontal_top: "=", horizontal_bottom: "=", ..PLAIN };

impl Glyphs {
    /// A text of our own in these signs.
    pub(super) fn own(self, text: &str) -> Cow<'_, str> {
        if self == Glyphs::Unicode || text.is_ascii() {
            return Cow::Borrowed(text);
        }
        let replaced = |text: String, (sign, plain): (&str, &str)| text.replace(sign, plain);
        Cow::Owned(STAND_INS.into_iter().fold(text.to_owned(), replaced))
    }

    /// What ends a text that was cut.
    pub(super) fn cut(self) -> char {
        match self {
            Glyphs::Unicode => '…',
            Glyphs::Ascii => '~',
        }
    }

    /// The line feed of a text that stands on one line.
    pub(super) fn line_feed(self) -> &'static str {
        match self {
            Glyphs::Unicode => "␊",
            Glyphs::Ascii => "<LF>",
        }
    }

    /// The border of a box.
    pub(super) fn border(self) -> border::Set<'static> {
        if self == Glyphs::Unicode { border::PLAIN } else { PLAIN }
    }

    /// The border of the box that has the keys.
    pub(super) fn focused_border(self) -> border::Set<'static> {
        if self == Glyphs::Unicode { border::THICK } else { FOCUSED }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("2 open · 1 claimed", "2 open | 1 claimed")]
    #[case("· an item", "- an item")]
    #[case("reading…", "reading...")]
    #[case("↑ 3 · ↓ 12 more", "up 3 | down 12 more")]
    #[case("↑↓", "up/down")]
    #[case("◆ ▲ ● ○ ×3 (•) 1–9 › │ ─", "# ^ * o x3 (*) 1-9 > | -")]
    fn signs_have_stand_ins(#[case] ours: &str, #[case] plain: &str) {
        assert_eq!(Glyphs::Ascii.own(ours), plain);
        assert_eq!(Glyphs::Unicode.own(ours), ours);
    }
}
