//! The bell of a terminal, and its desktop's notifications.

use crate::domain::untrusted::is_printable;

/// Terminals that show a sequence that they do not know, or say nothing.
const PLAIN: [&str; 2] = ["linux", "dumb"];

/// The bytes that ring the bell and, where the terminal does that, show words beside it (OSC 9). Neither
/// moves the cursor nor touches the screen. The words come from outside: no byte of theirs ends the
/// sequence, whoever escaped them or did not.
pub fn ring(words: &str, term: Option<&str>) -> String {
    if term.is_none_or(|term| PLAIN.contains(&term)) {
        return "\u{7}".to_owned();
    }
    let words: String = words.chars().filter(|c| is_printable(*c)).collect();
    format!("\u{7}\u{1b}]9;{words}\u{1b}\\")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_rings_and_shows_where_that_can_be_shown() {
        assert_eq!(ring("idtriage: x", Some("xterm-256color")), "\u{7}\u{1b}]9;idtriage: x\u{1b}\\");
        assert_eq!(ring("idtriage: x", Some("linux")), "\u{7}");
        assert_eq!(ring("idtriage: x", None), "\u{7}");
    }

    proptest! {
        #[test]
        fn the_screen_stays_as_it_is(words in any::<String>()) {
            let mut terminal = vt100::Parser::new(4u16.try_into().unwrap(), 20u16.try_into().unwrap(), 0);
            terminal.process(b"\x1b[2;3Hab");
            let before = terminal.screen().state_formatted();
            terminal.process(ring(&words, Some("xterm")).as_bytes());
            prop_assert_eq!(terminal.screen().state_formatted(), before);
        }
    }
}
