//! JSON's grammar, a byte at a time: where a value ends, and the first byte at which it is none.
//!
//! Nothing is kept but the brackets that are open, so that a value of any size can be passed over, and
//! nothing recurses, so that no depth of brackets can exhaust a stack.

/// Far deeper than anything can be read that is looked into.
const DEEPEST: usize = 1 << 20;

/// What a byte did to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It belongs to the value, which goes on.
    More,
    /// It belongs to the value and ends it.
    Last,
    /// The value ended before it.
    Behind,
    /// No JSON value has it here.
    Wrong,
    /// It would open one more bracket than are kept.
    TooDeep,
}

/// What is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Object,
    List,
}

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Value,
    /// Right behind `[`.
    ValueOrEnd,
    /// Right behind `{`.
    KeyOrEnd,
    /// Behind a comma of an object.
    Key,
    Colon,
    CommaOrEnd,
    Text(Role),
    Escape(Role),
    /// So many hexadecimal digits.
    Hex(Role, u8),
    Number(Number),
    /// The rest of `true`, `false` or `null`.
    Word(&'static [u8]),
}

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Key,
    Value,
}

/// How far a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    Minus,
    Zero,
    Digits,
    Point,
    Fraction,
    Exponent,
    ExponentSign,
    ExponentDigits,
}

/// One value, as far as it was read.
#[derive(Debug)]
pub(super) struct Grammar {
    open: Vec<Open>,
    next: Next,
}

impl Grammar {
    /// Before the first byte of a value.
    pub(super) fn new() -> Grammar {
        Grammar { open: Vec::new(), next: Next::Value }
    }

    /// Whether the next byte is one of a text, and not of an escape in it.
    pub(super) fn is_in_plain_text(&self) -> bool {
        matches!(self.next, Next::Text(_))
    }

    /// Whether the next byte stands between the quotes of a text.
    pub(super) fn is_in_text(&self) -> bool {
        matches!(self.next, Next::Text(_) | Next::Escape(_) | Next::Hex(..))
    }

    /// How many brackets are open.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Takes one byte in.
    pub(super) fn step(&mut self, byte: u8) -> Step {
        match self.next {
            Next::Text(role) => self.text(role, byte),
            Next::Escape(role) => self.escape(role, byte),
            Next::Hex(role, left) => self.hex(role, left, byte),
            Next::Number(number) => self.number(number, byte),
            Next::Word(rest) => self.word(rest, byte),
            _ if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') => Step::More,
            Next::Value => self.value(byte),
            Next::ValueOrEnd if byte == b']' => self.close(Open::List),
            Next::ValueOrEnd => self.value(byte),
            Next::KeyOrEnd if byte == b'}' => self.close(Open::Object),
            Next::KeyOrEnd | Next::Key if byte == b'"' => self.go_on(Next::Text(Role::Key)),
            Next::Colon if byte == b':' => self.go_on(Next::Value),
            Next::CommaOrEnd => self.comma_or_end(byte),
            Next::KeyOrEnd | Next::Key | Next::Colon => Step::Wrong,
        }
    }

    /// Whether it is a value if nothing more comes: a number shows its end by nothing else.
    pub(super) fn may_end(&self) -> bool {
        let is_whole = matches!(
            self.next,
            Next::Number(Number::Zero | Number::Digits | Number::Fraction | Number::ExponentDigits)
        );
        is_whole && self.open.is_empty()
    }

    fn go_on(&mut self, next: Next) -> Step {
        self.next = next;
        Step::More
    }

    fn value(&mut self, byte: u8) -> Step {
        match byte {
            b'{' => self.begin(Open::Object, Next::KeyOrEnd),
            b'[' => self.begin(Open::List, Next::ValueOrEnd),
            b'"' => self.go_on(Next::Text(Role::Value)),
            b'-' => self.go_on(Next::Number(Number::Minus)),
            b'0' => self.go_on(Next::Number(Number::Zero)),
            b'1'..=b'9' => self.go_on(Next::Number(Number::Digits)),
            b't' => self.go_on(Next::Word(b"rue")),
            b'f' => self.go_on(Next::Word(b"alse")),
            b'n' => self.go_on(Next::Word(b"ull")),
            _ => Step::Wrong,
        }
    }

    fn begin(&mut self, open: Open, next: Next) -> Step {
        // The rest of what is too large is read as well: its brackets must not fill the memory.
        if self.open.len() >= DEEPEST {
            return Step::TooDeep;
        }
        self.open.push(open);
        self.go_on(next)
    }

    fn close(&mut self, open: Open) -> Step {
        if self.open.pop() == Some(open) { self.end() } else { Step::Wrong }
    }

    /// A value is over: the whole one, or one inside of it.
    fn end(&mut self) -> Step {
        self.next = Next::CommaOrEnd;
        if self.open.is_empty() { Step::Last } else { Step::More }
    }

    fn comma_or_end(&mut self, byte: u8) -> Step {
        match (byte, self.open.last()) {
            (b',', Some(Open::Object)) => self.go_on(Next::Key),
            (b',', Some(Open::List)) => self.go_on(Next::Value),
            (b'}', _) => self.close(Open::Object),
            (b']', _) => self.close(Open::List),
            _ => Step::Wrong,
        }
    }

    fn text(&mut self, role: Role, byte: u8) -> Step {
        match (byte, role) {
            (b'"', Role::Key) => self.go_on(Next::Colon),
            (b'"', Role::Value) => self.end(),
            (b'\\', _) => self.go_on(Next::Escape(role)),
            (0..=0x1f, _) => Step::Wrong,
            _ => Step::More,
        }
    }

    fn escape(&mut self, role: Role, byte: u8) -> Step {
        match byte {
            b'u' => self.go_on(Next::Hex(role, 4)),
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.go_on(Next::Text(role)),
            _ => Step::Wrong,
        }
    }

    fn hex(&mut self, role: Role, left: u8, byte: u8) -> Step {
        match (byte.is_ascii_hexdigit(), left) {
            (false, _) => Step::Wrong,
            (true, 0 | 1) => self.go_on(Next::Text(role)),
            (true, left) => self.go_on(Next::Hex(role, left - 1)),
        }
    }

    fn word(&mut self, rest: &'static [u8], byte: u8) -> Step {
        match rest.split_first() {
            Some((first, [])) if *first == byte => self.end(),
            Some((first, rest)) if *first == byte => self.go_on(Next::Word(rest)),
            _ => Step::Wrong,
        }
    }

    fn number(&mut self, number: Number, byte: u8) -> Step {
        let next = match (number, byte) {
            (Number::Minus, b'0') => Number::Zero,
            (Number::Minus, b'1'..=b'9') | (Number::Digits, b'0'..=b'9') => Number::Digits,
            (Number::Zero | Number::Digits, b'.') => Number::Point,
            (Number::Point | Number::Fraction, b'0'..=b'9') => Number::Fraction,
            (Number::Zero | Number::Digits | Number::Fraction, b'e' | b'E') => Number::Exponent,
            (Number::Exponent, b'+' | b'-') => Number::ExponentSign,
            (Number::Exponent | Number::ExponentSign | Number::ExponentDigits, b'0'..=b'9') => {
                Number::ExponentDigits
            }
            _ => return self.behind_number(number, byte),
        };
        self.go_on(Next::Number(next))
    }

    /// A byte that is no part of the number: it belongs to what the number stands in, if anything.
    fn behind_number(&mut self, number: Number, byte: u8) -> Step {
        let is_whole =
            matches!(number, Number::Zero | Number::Digits | Number::Fraction | Number::ExponentDigits);
        let may_follow =
            matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b']' | b'}' | b'{' | b'[' | b'"');
        match (is_whole && may_follow, self.open.is_empty()) {
            (false, _) => Step::Wrong,
            (true, true) => Step::Behind,
            (true, false) => {
                self.next = Next::CommaOrEnd;
                self.step(byte)
            }
        }
    }
}

/// How many bytes from here on are nothing but text.
pub(super) fn plain_text(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    /// Whether the whole text is one value.
    fn is_value(text: &str) -> bool {
        let mut grammar = Grammar::new();
        let bytes = text.trim_end_matches([' ', '\t', '\r', '\n']).as_bytes();
        for (at, byte) in bytes.iter().enumerate() {
            match grammar.step(*byte) {
                Step::More => {}
                Step::Last => return at + 1 == bytes.len(),
                Step::Behind | Step::Wrong | Step::TooDeep => return false,
            }
        }
        grammar.may_end()
    }

    fn agrees(text: &str) -> Result<(), TestCaseError> {
        prop_assert_eq!(is_value(text), serde_json::from_str::<IgnoredAny>(text).is_ok(), "{}", text);
        Ok(())
    }

    proptest! {
        #[test]
        fn what_it_takes_is_json(text in "[\\[\\]{},:\" \\\\nutrefals0-9.eE+-]{0,12}") {
            agrees(&text)?;
        }

        #[test]
        fn one_wrong_byte_is_found(
            depth in 0usize..4,
            number in any::<f64>(),
            text in any::<String>(),
            at in any::<prop::sample::Index>(),
            with in "[\\[\\]{},:\"x0-9 -]",
        ) {
            let mut value = serde_json::json!({ "a": [text, number, null, true, false, -1, 1e30], "b": {}, "c": [] });
            for _ in 0..depth {
                value = serde_json::json!([{ "k": value }]);
            }
            let json = value.to_string();
            agrees(&json)?;
            let chars: Vec<char> = json.chars().collect();
            let at = at.index(chars.len());
            agrees(&chars[..at].iter().chain(with.chars().collect::<Vec<_>>().iter()).chain(&chars[at + 1..]).collect::<String>())?;
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let mut grammar = Grammar::new();
        for _ in 0..DEEPEST {
            assert_eq!(grammar.step(b'['), Step::More);
        }
        assert_eq!(grammar.step(b'['), Step::TooDeep);
        assert_eq!(grammar.depth(), DEEPEST, "nor does it fill the memory");
    }
}
