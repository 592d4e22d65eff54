//! Protected names that stand in a text, whatever else it says.
//!
//! [`super::words`] makes out whom a text may name; this looks for those who must not be named at all. Both text and
//! names are folded (compatibility forms, case, what takes no room), and the text is read as it stands and with what
//! it encodes: `%40`, `\u0040`, `&#64;`.

use super::words;
use crate::domain::query::Pattern;
use icu_normalizer::ComposingNormalizerBorrowed;
use std::borrow::Cow;

/// A text that is encoded more often is doubted elsewhere.
const ROUNDS: usize = 3;
/// So many readings of a text are enough.
const READINGS: usize = 12;

/// A protected name, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// It stands there.
    Surely {
        /// What is protected.
        entry: &'a str,
        /// What stands there.
        found: String,
    },
    /// A word stands there that it may mean: `adm*` is any word that begins so.
    Perhaps {
        /// What is protected.
        entry: &'a str,
        /// What stands there.
        found: String,
    },
}

/// The first of the names that stands in a text, a sure one before all that may be.
pub(super) fn found<'a>(entries: impl Iterator<Item = &'a str>, text: &str) -> Option<Found<'a>> {
    let readings = readings(text);
    let mut perhaps = None;
    for entry in entries {
        let pattern = Pattern(folded(entry.trim()));
        let found = match pattern.literal() {
            Some(literal) => holds(&readings, &literal).then_some(Found::Surely { entry, found: literal }),
            None => matched(&readings, &pattern, entry),
        };
        match found {
            Some(Found::Surely { .. }) => return found,
            found => perhaps = perhaps.or(found),
        }
    }
    perhaps
}

/// In the one form that all have which mean the same: `＠` is `@`.
pub(super) fn composed(text: &str) -> Cow<'_, str> {
    ComposingNormalizerBorrowed::new_nfkc().normalize(text)
}

fn folded(text: &str) -> String {
    let seen: String = text.chars().filter(|c| !takes_no_room(*c)).collect();
    composed(&composed(&seen).to_lowercase()).into_owned()
}

fn takes_no_room(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A text as it stands and as whoever decodes it reads it, folded.
fn readings(text: &str) -> Vec<String> {
    let (mut all, mut newest) = (vec![text.to_owned()], vec![text.to_owned()]);
    for _ in 0..ROUNDS {
        let decoded = newest.iter().flat_map(|text| [words::decoded(text).into_owned(), unescaped(text)]);
        let decoded: Vec<String> = decoded.filter(|text| !all.contains(text)).collect();
        all.extend(decoded.iter().cloned());
        newest = decoded;
        if all.len() >= READINGS {
            break;
        }
    }
    let mut folded: Vec<String> = all.iter().map(|text| self::folded(text)).collect();
    folded.sort();
    folded.dedup();
    folded
}

/// With the escapes of JSON and the entities of HTML read.
fn unescaped(text: &str) -> String {
    let mut read = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '&']) {
        let (before, tail) = rest.split_at(at);
        read.push_str(before);
        match escape(tail).or_else(|| entity(tail)) {
            Some((meant, behind)) => {
                read.push_str(&meant);
                rest = behind;
            }
            None => {
                let (kept, behind) = tail.split_at(1);
                read.push_str(kept);
                rest = behind;
            }
        }
    }
    read.push_str(rest);
    read
}

/// What a text begins with, where that is an escape, and what is behind it.
fn escape(text: &str) -> Option<(String, &str)> {
    let behind = text.strip_prefix('\\')?;
    if behind.starts_with('u') {
        return utf16(text);
    }
    let escaped = behind.chars().next().filter(|c| "\"\\/bfnrt".contains(*c))?;
    let meant = if escaped.is_alphabetic() { ' ' } else { escaped };
    behind.get(1..).map(|behind| (meant.to_string(), behind))
}

/// As many `\u0040` as stand there: a character may be made of two.
fn utf16(text: &str) -> Option<(String, &str)> {
    let (mut units, mut rest) = (Vec::new(), text);
    while let Some((unit, behind)) = unit(rest) {
        units.push(unit);
        rest = behind;
    }
    (!units.is_empty()).then(|| (String::from_utf16_lossy(&units), rest))
}

fn unit(text: &str) -> Option<(u16, &str)> {
    let (digits, behind) = text.strip_prefix("\\u")?.split_at_checked(4)?;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let unit = is_hex.then(|| u16::from_str_radix(digits, 16).ok()).flatten()?;
    Some((unit, behind))
}

/// The same for an entity.
fn entity(text: &str) -> Option<(String, &str)> {
    let (name, behind) = text.strip_prefix('&')?.split_once(';')?;
    let number = name.strip_prefix('#').and_then(|number| match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => number.parse().ok(),
    });
    let named = match name {
        "commat" => Some('@'),
        "period" => Some('.'),
        "dollar" => Some('$'),
        "lowbar" => Some('_'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "nbsp" => Some(' '),
        _ => None,
    };
    let meant = number.and_then(char::from_u32).or(named)?;
    Some((meant.to_string(), behind))
}

/// Whether one of the readings holds it at the borders of a word.
fn holds(readings: &[String], literal: &str) -> bool {
    let stands = |text: &String| {
        text.match_indices(literal).any(|(at, _)| {
            let (before, behind) = (text.get(..at), text.get(at + literal.len()..));
            let (first, last) = (literal.chars().next(), literal.chars().next_back());
            !goes_on(first, before.unwrap_or_default().chars().rev())
                && !goes_on(last, behind.unwrap_or_default().chars())
        })
    };
    !literal.is_empty() && readings.iter().any(stands)
}

/// Whether a word goes on: a stop at its end is none of it, one within is.
fn goes_on(edge: Option<char>, mut around: impl Iterator<Item = char>) -> bool {
    let next = around.find(|c| !JOINS.contains(*c));
    // Where words stand without gaps between them, one of another script is another word.
    let is_other_script = |c: char| c >= WITHOUT_GAPS && edge.is_some_and(|edge| edge < WITHOUT_GAPS);
    next.is_some_and(|c| c.is_alphanumeric() && !is_other_script(c))
}

/// What joins the parts of a login.
const JOINS: &str = "._-@";
/// The scripts from here on are written without gaps, for the most part.
const WITHOUT_GAPS: char = '\u{2e80}';

/// The word that a name with stars in it matches. One of letters alone may match any word of a sentence.
fn matched<'a>(readings: &[String], pattern: &Pattern, entry: &'a str) -> Option<Found<'a>> {
    let pieces = pattern.pieces();
    if pieces.iter().all(String::is_empty) {
        return None;
    }
    let is_login = pieces.iter().any(|piece| piece.chars().any(|c| !c.is_alphabetic()));
    let is_around = |c: char| !c.is_alphanumeric() && !"._-@+$".contains(c);
    let words = readings.iter().flat_map(|text| text.split(is_around));
    let mut words = words.map(|word| word.trim_matches(['.', '-', '_']));
    let found = words.find(|word| !word.is_empty() && pattern.matches(word))?.to_owned();
    Some(match is_login {
        true => Found::Surely { entry, found },
        false => Found::Perhaps { entry, found },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const PROTECTED: [&str; 6] =
        ["svc-backup$", "priya.rossi@meridian.example", "040898799817282579199", "ceo", "svc-night*", "adm*"];

    fn told(text: &str) -> String {
        match found(PROTECTED.into_iter(), text) {
            Some(Found::Surely { entry, .. }) => entry.to_owned(),
            Some(Found::Perhaps { entry, found }) => format!("{entry}? {found}"),
            None => String::new(),
        }
    }

    #[rstest]
    #[case("svc-backup$", "svc-backup$")]
    #[case("svc-backup$,bob", "svc-backup$")]
    #[case("ceo,cfo", "ceo")]
    #[case("cfo ceo", "ceo")]
    #[case(r#"["ceo","x"]"#, "ceo")]
    #[case("MERIDIAN\\ceo", "ceo")]
    #[case("MERIDIAN/CEO", "ceo")]
    #[case("040898799817282579199", "040898799817282579199")]
    #[case("priya.rossi＠meridian.example", "priya.rossi@meridian.example")]
    #[case("ｃｅｏ", "ceo")]
    #[case("ce\u{200b}o", "ceo")]
    #[case("tell the CEO.", "ceo")]
    #[case("a+ceo", "ceo")]
    #[case("让ceo下线", "ceo")]
    #[case("u=priya%2Erossi%40meridian.example", "priya.rossi@meridian.example")]
    #[case("u=priya.rossi%2540meridian.example", "priya.rossi@meridian.example")]
    #[case(r"priya.rossi\u0040meridian.example", "priya.rossi@meridian.example")]
    #[case(r"\ud835\udc1c\u0065o", "ceo")]
    #[case("priya.rossi&#64;meridian.example", "priya.rossi@meridian.example")]
    #[case("priya&#x2e;rossi&commat;meridian.example", "priya.rossi@meridian.example")]
    #[case(r#"{"a":"x\nceo"}"#, "ceo")]
    #[case::with_a_star("and svc-nightly too", "svc-night*")]
    #[case::a_star_of_letters("for the admin there", "adm*? admin")]
    #[case::a_longer_word("oceo.example", "")]
    #[case::another("ceos", "")]
    #[case::of_several_parts("ceo-office", "")]
    #[case::an_address("ceo@meridian.example", "")]
    #[case::a_domain("x@ceo.example", "")]
    #[case::without_the_sign("svc-backup", "")]
    #[case::a_longer_number("1040898799817282579199", "")]
    #[case::a_longer_address("priya.rossi@meridian.example.org", "")]
    #[case::another_address("a.priya.rossi@meridian.example", "")]
    #[case::nothing("", "")]
    fn what_is_protected_is_found_at_the_borders_of_words(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(told(text), expected);
    }

    #[test]
    fn a_star_alone_is_no_name() {
        assert_eq!(found(["*", "", "**"].into_iter(), "anybody"), None);
    }

    proptest! {
        #[test]
        fn any_login_is_found_behind_any_separator(
            login in "[a-zA-Z][a-z0-9]{0,8}([._-][a-z0-9]{1,6}){0,2}(@[a-z]{1,8}\\.example|\\$)?",
            before in "([a-z ]{0,10}[ ,;:|/\\\\'\"()<>=&#?!{}+\n\t\\[\\]])?",
            behind in "([ ,;:|/\\\\'\"()<>=#?!{}+\n\t\\[\\]][a-z ]{0,10}|[.]? )?",
        ) {
            let text = format!("{before}{login}{behind}");
            let is_sure = |text: &str| matches!(found([login.as_str()].into_iter(), text), Some(Found::Surely { .. }));
            prop_assert!(is_sure(&text), "{text}");
            prop_assert!(is_sure(&text.to_uppercase()), "{text}");
            let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            prop_assert!(is_sure(&encoded), "{encoded}");
        }

        #[test]
        fn nothing_panics(entry in any::<String>(), text in "(\\\\u[0-9a-f]{0,4}|&#?[x0-9a-f]{0,9};?|\\PC){0,30}") {
            let _ = found([entry.as_str(), "*a*"].into_iter(), &text);
        }
    }
}
