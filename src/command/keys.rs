//! Keys as they are pressed and spelt; the one place beside the terminal that knows crossterm.

use crate::app::msg::Motion;
use crokey::KeyCombination;
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::fmt;
use tui_input::InputRequest;

/// A pressed key, spelt one way only: `G`, `ctrl-d`, `enter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(KeyCombination);

impl Key {
    /// The key of a terminal event; releases are none.
    pub fn pressed(event: KeyEvent) -> Option<Key> {
        let code = event.code;
        // Terminals disagree on whether shift-tab carries the shift.
        let modifiers =
            event.modifiers | if code == KeyCode::BackTab { KeyModifiers::SHIFT } else { KeyModifiers::NONE };
        let key = KeyCombination::from(KeyEvent::new(code, modifiers)).normalized();
        (event.kind != KeyEventKind::Release).then_some(Key(key))
    }

    /// A key as the configuration spells it.
    ///
    /// # Errors
    /// A sentence with the spelling.
    pub fn parse(text: &str) -> Result<Key, String> {
        let mut chars = text.chars();
        if let (Some(c), None) = (chars.next(), chars.next()) {
            return Ok(Key::of_char(c));
        }
        crokey::parse(text).map(|key| Key(key.normalized())).map_err(|_| {
            format!("`{text}` is not a key; hint: keys are spelt like `g`, `G`, `ctrl-d`, `enter`, `f5`")
        })
    }

    fn of_char(c: char) -> Key {
        let modifiers = if c.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE };
        Key(KeyCombination::from(KeyEvent::new(KeyCode::Char(c), modifiers)).normalized())
    }

    /// Whether the key types a character, or moves where one would be typed.
    pub fn is_letter(self) -> bool {
        matches!(self.edit(), Some(InputRequest::InsertChar(_) | InputRequest::GoToPrevChar))
    }

    /// Whether a text field has no use for it.
    pub fn is_left_by_field(self) -> bool {
        matches!(self.of_field(), FieldKey::Other | FieldKey::Back) && self.edit().is_none()
    }

    /// What the key does to a text field.
    pub fn edit(self) -> Option<InputRequest> {
        let event: KeyEvent = self.0.into();
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        let alt = event.modifiers.contains(KeyModifiers::ALT);
        match (event.code, control, alt) {
            (KeyCode::Char(c), false, false) => Some(InputRequest::InsertChar(c)),
            (KeyCode::Backspace, false, false) | (KeyCode::Char('h'), true, _) => {
                Some(InputRequest::DeletePrevChar)
            }
            (KeyCode::Delete, _, _) => Some(InputRequest::DeleteNextChar),
            (KeyCode::Left, false, _) => Some(InputRequest::GoToPrevChar),
            (KeyCode::Right, false, _) => Some(InputRequest::GoToNextChar),
            (KeyCode::Left, true, _) | (KeyCode::Char('b'), _, true) => Some(InputRequest::GoToPrevWord),
            (KeyCode::Right, true, _) | (KeyCode::Char('f'), _, true) => Some(InputRequest::GoToNextWord),
            (KeyCode::Home, _, _) | (KeyCode::Char('a'), true, _) => Some(InputRequest::GoToStart),
            (KeyCode::End, _, _) | (KeyCode::Char('e'), true, _) => Some(InputRequest::GoToEnd),
            (KeyCode::Char('w'), true, _) | (KeyCode::Backspace, _, true) => {
                Some(InputRequest::DeletePrevWord)
            }
            (KeyCode::Char('u'), true, _) => Some(InputRequest::DeleteFromStart),
            (KeyCode::Char('k'), true, _) => Some(InputRequest::DeleteTillEnd),
            _ => None,
        }
    }

    /// How the key pages a text that lies above a field.
    pub fn page(self) -> Option<Motion> {
        let event: KeyEvent = self.0.into();
        match (event.code, event.modifiers.contains(KeyModifiers::CONTROL)) {
            (KeyCode::PageDown, _) | (KeyCode::Char('d'), true) => Some(Motion::HalfDown),
            (KeyCode::PageUp, _) | (KeyCode::Char('u'), true) => Some(Motion::HalfUp),
            _ => None,
        }
    }

    /// The keys that a text field does not take for itself.
    pub fn of_field(self) -> FieldKey {
        let event: KeyEvent = self.0.into();
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        match event.code {
            KeyCode::Enter => FieldKey::Submit,
            KeyCode::Esc => FieldKey::Leave,
            KeyCode::Char('c' | 'g') if control => FieldKey::Leave,
            KeyCode::Tab => FieldKey::Complete,
            KeyCode::BackTab => FieldKey::Back,
            KeyCode::Down => FieldKey::Next,
            KeyCode::Up => FieldKey::Previous,
            KeyCode::Char('n') if control => FieldKey::Next,
            KeyCode::Char('p') if control => FieldKey::Previous,
            _ => FieldKey::Other,
        }
    }
}

/// What a key means to a text field, beside editing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKey {
    /// Enter.
    Submit,
    /// Escape.
    Leave,
    /// Tab.
    Complete,
    /// Shift-tab.
    Back,
    /// Down.
    Next,
    /// Up.
    Previous,
    /// Anything else.
    Other,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = crokey::KeyCombinationFormat::default().with_lowercase_modifiers().with_implicit_shift();
        let text = format.to_string(self.0);
        if text.chars().count() == 1 { f.write_str(&text) } else { f.write_str(&text.to_lowercase()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("g", KeyCode::Char('g'), KeyModifiers::NONE)]
    #[case("G", KeyCode::Char('G'), KeyModifiers::SHIFT)]
    #[case("G", KeyCode::Char('G'), KeyModifiers::NONE)]
    #[case("/", KeyCode::Char('/'), KeyModifiers::NONE)]
    #[case(":", KeyCode::Char(':'), KeyModifiers::NONE)]
    #[case("?", KeyCode::Char('?'), KeyModifiers::NONE)]
    #[case("ctrl-d", KeyCode::Char('d'), KeyModifiers::CONTROL)]
    #[case("enter", KeyCode::Enter, KeyModifiers::NONE)]
    #[case("backtab", KeyCode::BackTab, KeyModifiers::NONE)]
    #[case("backtab", KeyCode::BackTab, KeyModifiers::SHIFT)]
    fn what_is_spelt_is_what_is_pressed(
        #[case] text: &str,
        #[case] code: KeyCode,
        #[case] modifiers: KeyModifiers,
    ) {
        let pressed = Key::pressed(KeyEvent::new(code, modifiers)).unwrap();
        assert_eq!(Key::parse(text).unwrap(), pressed);
    }

    #[rstest]
    #[case("pagedown", Some(Motion::HalfDown))]
    #[case("ctrl-d", Some(Motion::HalfDown))]
    #[case("pageup", Some(Motion::HalfUp))]
    #[case("ctrl-u", Some(Motion::HalfUp))]
    #[case("d", None)]
    fn a_card_is_paged(#[case] text: &str, #[case] motion: Option<Motion>) {
        assert_eq!(Key::parse(text).unwrap().page(), motion);
    }

    #[test]
    fn an_upper_case_letter_is_typed_as_such() {
        let key = Key::pressed(KeyEvent::new(KeyCode::Char('A'), KeyModifiers::SHIFT)).unwrap();
        assert_eq!(key.edit(), Some(InputRequest::InsertChar('A')));
    }
}
