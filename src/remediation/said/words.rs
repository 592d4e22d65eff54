//! What in an input of a flow's own looks like somebody.
//!
//! The text is what an analyst or a finding wrote: a login alone, a sentence, a URL, JSON. It is taken apart at the
//! characters that no login has, as it stands and with its `%40` decoded once. What it names without a doubt, an
//! address, an id of Okta's, the value of what says who is meant, is told apart from what only may be a login.

use super::literal;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// How an id of a user begins at Okta, and how long it is.
const OKTA_ID: (&str, usize) = ("00u", 20);
/// An input whose name ends in one of these words is somebody's name, whatever it looks like.
const PERSON: [&str; 11] =
    ["user", "users", "login", "logins", "email", "emails", "mail", "upn", "username", "userid", "userids"];
/// So is one whose name ends in these, behind one of those.
const OF_PERSON: [&str; 3] = ["id", "ids", "name"];
/// A number of so many digits is an id, of Google's for one, and no amount.
const ID_DIGITS: usize = 15;
/// A login of more characters is none.
const LONGEST: usize = 100;

/// How surely a text names somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// It does, whoever that is.
    Named,
    /// It does if somebody goes by it.
    Perhaps,
}

/// Somebody, or what may be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// The name.
    pub(super) text: String,
    /// How surely it is one.
    pub(super) weight: Weight,
    /// The longer one that it would be a part of, where that is somebody's: `o'brien@x`.
    pub(super) within: Option<String>,
}

/// Whether an input of this name says who is meant: `userId`, `manager_email`, `id`.
pub(super) fn is_person(name: &str) -> bool {
    let words = words(name);
    let mut backwards = words.iter().rev().map(String::as_str);
    let (last, before) = (backwards.next().unwrap_or_default(), backwards.next());
    PERSON.contains(&last)
        || (OF_PERSON.contains(&last) && before.is_some_and(|before| PERSON.contains(&before)))
        || (matches!(last, "id" | "ids") && before.is_none())
}

/// The words of a name, folded: at gaps, and where a capital begins one.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && was_lower) {
            words.push(String::new());
        }
        was_lower = c.is_lowercase() || c.is_numeric();
        if let (true, Some(word)) = (c.is_alphanumeric(), words.last_mut()) {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Everybody in an input of this name, those who are named without a doubt first; nobody twice.
pub(super) fn tokens(name: &str, text: &str) -> Vec<Token> {
    let decoded = literal::composed(&decoded(text)).into_owned();
    let mut found = match is_person(name) {
        true => people(&decoded),
        false => within(&decoded),
    };
    found.extend(listed(&decoded));
    if decoded != text {
        // Whoever reads it as it stands is told this.
        found.extend(within(text).into_iter().map(|token| Token { weight: Weight::Perhaps, ..token }));
    }
    found.sort_by_key(|token| token.weight);
    let mut seen = BTreeMap::new();
    found.retain(|token| seen.insert(token.text.to_lowercase(), ()).is_none());
    found
}

/// Whether what is left after decoding is encoded still: what it names to whom cannot be told.
pub(super) fn is_encoded_twice(text: &str) -> bool {
    let once = decoded(text);
    once != text && decoded(&once) != once
}

/// With its `%40` decoded, once.
pub(super) fn decoded(text: &str) -> Cow<'_, str> {
    let digit = |at: usize| text.as_bytes().get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.as_bytes().get(at) {
        let pair = (*byte == b'%').then(|| digit(at + 1).zip(digit(at + 2))).flatten();
        match pair.and_then(|(high, low)| u8::try_from(high * 16 + low).ok()) {
            Some(meant) => {
                bytes.push(meant);
                at += 3;
            }
            None => {
                bytes.push(*byte);
                at += 1;
            }
        }
    }
    if bytes == text.as_bytes() {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// Everybody in what says who is meant. An address counts for the words around it.
fn people(text: &str) -> Vec<Token> {
    let pieces = text.split([',', ';', '\n']).map(str::trim).filter(|piece| !piece.is_empty());
    let people = pieces.flat_map(|piece| {
        let found = within(piece);
        if found.iter().any(|token| token.weight == Weight::Named) { found } else { vec![named(piece)] }
    });
    people.collect()
}

fn named(text: &str) -> Token {
    Token { text: text.to_owned(), weight: Weight::Named, within: None }
}

/// Everybody in any text.
fn within(text: &str) -> Vec<Token> {
    let is_around = |c: char| c.is_whitespace() || c.is_control() || ",;()<>[]".contains(c);
    let alone = text.trim();
    text.split(is_around).flat_map(|word| of_word(word, alone)).collect()
}

/// Whom a list may name: the whole text, or what stands in brackets, where each of it may be a login.
fn listed(text: &str) -> Vec<Token> {
    let bracketed = text.split('[').skip(1).filter_map(|behind| behind.split_once(']')).map(|(list, _)| list);
    std::iter::once(text).chain(bracketed).filter_map(logins_of).flatten().collect()
}

fn logins_of(list: &str) -> Option<Vec<Token>> {
    let elements =
        list.split([',', ';', '|', '\n']).map(|one| one.trim().trim_matches(|c| "[]\"'`".contains(c)).trim());
    let logins = elements.filter(|one| !one.is_empty()).map(|one| {
        let login = of_domain(one).unwrap_or(one);
        may_be_login(login).then(|| Token { weight: Weight::Perhaps, ..named(login) })
    });
    logins.collect()
}

/// The login behind the name of its domain, as Windows writes it, and some write that.
fn of_domain(text: &str) -> Option<&str> {
    let (domain, login) = text.split_once(['\\', '/'])?;
    is_login(domain).then_some(login)
}

fn may_be_login(text: &str) -> bool {
    let is_name = text.chars().count() > 1 && is_login(text) && text.chars().any(char::is_alphabetic);
    is_name || is_long_number(text)
}

/// Characters that a login of a person does not have, but for a few that are told apart by asking.
fn is_between(c: char) -> bool {
    "/=&?#:'\"`{}|\\!".contains(c)
}

/// Those of them that an address may have all the same.
const OF_ADDRESSES: &str = "'/!#{}|`";

/// Everybody in one word; `alone` is the whole text, where that is one word.
fn of_word(word: &str, alone: &str) -> Vec<Token> {
    let word = word.trim_matches('.');
    let is_whole_address = is_address(word)
        && word.chars().filter(|c| is_between(*c)).all(|c| OF_ADDRESSES.contains(c))
        && word.contains(is_between);
    let whole = is_whole_address.then(|| word.to_owned());
    let mut found: Vec<Token> =
        whole.iter().map(|whole| Token { weight: Weight::Perhaps, ..named(whole) }).collect();
    let mut before = "";
    for (between, piece) in split(word) {
        let is_told = |by: &[char]| between.contains(by) && is_person(before);
        let weight = if is_address(piece) || is_okta_id(piece) || is_told(&['=', ':']) {
            Some(Weight::Named)
        } else if is_shaped(piece) && !between.contains("//")
            || is_told(&['/'])
            || is_lone(piece, alone)
            || is_long_number(piece)
            || (between == "\\" && may_be_login(piece))
        {
            Some(Weight::Perhaps)
        } else {
            None
        };
        found.extend(weight.map(|weight| Token { weight, within: whole.clone(), ..named(piece) }));
        before = piece;
    }
    found
}

/// The pieces of a word, each with what stands before it.
fn split(word: &str) -> Vec<(&str, &str)> {
    let (mut found, mut rest) = (Vec::new(), word);
    while let Some(start) = rest.find(|c| !is_between(c)) {
        let (between, tail) = rest.split_at(start);
        let (piece, behind) = tail.split_at(tail.find(is_between).unwrap_or(tail.len()));
        let piece = piece.trim_matches('.');
        if !piece.is_empty() {
            found.push((between, piece));
        }
        rest = behind;
    }
    found
}

fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(of, at)| !of.is_empty() && !at.is_empty())
}

fn is_okta_id(text: &str) -> bool {
    text.starts_with(OKTA_ID.0) && text.len() == OKTA_ID.1
}

/// A login without its domain has this form: `olga.wong`.
fn is_shaped(text: &str) -> bool {
    let has_letter = |part: &str| part.chars().any(char::is_alphabetic);
    let mut parts = text.split(['.', '_']);
    let first = parts.next().unwrap_or_default();
    let last = text.rsplit(['.', '_']).next().unwrap_or_default();
    first != text
        && is_login(text)
        && first.starts_with(char::is_alphabetic)
        && has_letter(last)
        && parts.all(|part| !part.is_empty())
}

/// Whether it is all that the text says, and may be a login.
fn is_lone(piece: &str, alone: &str) -> bool {
    piece == alone && may_be_login(piece)
}

fn is_long_number(text: &str) -> bool {
    text.len() >= ID_DIGITS && text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a number is long enough for an id.
pub(super) fn is_id_number(text: &str) -> bool {
    is_long_number(text.trim())
}

/// The login of a service or a computer ends in `$`.
fn is_login(text: &str) -> bool {
    let text = text.strip_suffix('$').unwrap_or(text);
    text.chars().count() <= LONGEST && text.chars().all(|c| c.is_alphanumeric() || "._-+".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const ID: &str = "00u1234567890abcdefg";

    /// Those who are named, and behind a bar those who perhaps are.
    fn told(name: &str, text: &str) -> String {
        let of = |weight: Weight| {
            let tokens = tokens(name, text).into_iter().filter(|token| token.weight == weight);
            tokens.map(|token| token.text).collect::<Vec<_>>().join(" ")
        };
        match (of(Weight::Named), of(Weight::Perhaps)) {
            (named, perhaps) if perhaps.is_empty() => named,
            (named, perhaps) => format!("{named} | {perhaps}").trim_start().to_owned(),
        }
    }

    #[rstest]
    #[case("bob@x", "bob@x")]
    #[case(" 00u1234567890abcdefg ", ID)]
    #[case("as (bob@x, eve@y) said.", "bob@x eve@y")]
    #[case("a ticket, @all", "")]
    #[case("it was seen in Paris", "")]
    #[case("hello, see INC-17 and v1.2 of 2026-05-01T12:00:00.000Z", "")]
    #[case::a_login_without_its_domain("olga.wong", "| olga.wong")]
    #[case::another("owong", "| owong")]
    #[case::within_a_sentence("for olga.wong, please", "| olga.wong")]
    #[case::as_a_value("account=olga.wong&x=1", "| olga.wong")]
    #[case::encoded("olga.wong%40example.com", "olga.wong@example.com")]
    #[case::encoded_in_a_url("https://a/x?u=olga.wong%40example.com#top", "olga.wong@example.com")]
    #[case::an_id_in_a_url("https://x-admin.okta.com/admin/profile/view/00u1234567890abcdefg#tab", ID)]
    #[case::a_login_in_a_url("https://x.example/users/owong/edit", "| owong")]
    #[case::as_a_value_of_who_is_meant("https://x.example/?login=owong&n=1", "owong")]
    #[case::in_json(r#"{"login":"owong","n":1}"#, "owong")]
    #[case::an_address_by_its_scheme("mailto:bob@x?subject=a", "bob@x")]
    #[case::an_apostrophe("o'brien@x", "brien@x | o'brien@x")]
    #[case::quoted("'bob@x'", "bob@x | 'bob@x'")]
    #[case::twice("bob@x BOB@X", "bob@x")]
    #[case::a_host_is_nobody("https://acme.okta.com/", "")]
    #[case::no_encoding("100%zz and 5%", "")]
    #[case::of_a_service("svc-backup$", "| svc-backup$")]
    #[case::listed("svc-backup$,bob", "| svc-backup$ bob")]
    #[case::listed_otherwise("ceo; cfo", "| ceo cfo")]
    #[case::a_list_of_json(r#"["ceo","cfo"]"#, "| ceo cfo")]
    #[case::within_json(r#"{"to":["ceo","cfo"]}"#, "| ceo cfo")]
    #[case::of_a_domain("MERIDIAN\\ceo", "| ceo")]
    #[case::of_a_domain_in_a_sentence("see MERIDIAN\\ceo there", "| ceo")]
    #[case::of_a_domain_by_a_slash("MERIDIAN/ceo", "| ceo")]
    #[case::a_long_number("040898799817282579199", "| 040898799817282579199")]
    #[case::a_short_number("20260501", "")]
    #[case::full_width("priya.rossi＠meridian.example", "priya.rossi@meridian.example")]
    #[case::alternatives("see it and/or w/o", "")]
    fn somebody_is_found_in_any_text(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(told("note", text), expected);
    }

    #[rstest]
    #[case("userId", "00u1", "00u1")]
    #[case("login", "bob; Eve Low", "bob Eve Low")]
    #[case("manager_email", "Bob <bob@x>", "bob@x")]
    #[case("targetUserName", "bob", "bob")]
    #[case("id", "bob", "bob")]
    #[case("userUPN", "bob%40x", "bob@x")]
    #[case("user", "https://x/users/00u1234567890abcdefg", ID)]
    #[case("ticketId", "INC-1", "| INC-1")]
    #[case("emailBody", "hello there", "")]
    fn what_says_who_is_meant_names_somebody_whatever_it_looks_like(
        #[case] name: &str,
        #[case] text: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(told(name, text), expected);
    }

    #[rstest]
    #[case("bob%40x", false)]
    #[case("bob%2540x", true)]
    #[case("100%25 of them", false)]
    #[case("bob@x", false)]
    fn what_is_encoded_twice_is_told(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(is_encoded_twice(text), expected);
    }

    #[test]
    fn a_part_knows_what_it_is_a_part_of() {
        let of = |text: &str| tokens("note", text).into_iter().find(|token| token.weight == Weight::Named);
        assert_eq!(of("o'brien@x").unwrap().within.as_deref(), Some("o'brien@x"));
        assert_eq!(of("login=bob@x").unwrap().within, None);
    }

    proptest! {
        #[test]
        fn whoever_is_named_is_found_wherever_they_stand(around in "[ ,;:()<>/=&?#\"]{0,3}", text in "\\PC{0,20}") {
            let said = format!("{text} {around}bob@example.com{around} {text}");
            prop_assert!(tokens("note", &said).iter().any(|token| token.text == "bob@example.com"), "{said}");
        }

        #[test]
        fn an_encoded_address_is_found(login in "[a-z]{1,8}@[a-z]{1,8}") {
            let encoded: String = login.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let is_named = |token: &Token| token.text == login && token.weight == Weight::Named;
            prop_assert!(tokens("note", &encoded).iter().any(is_named));
        }

        #[test]
        fn nothing_panics(name in any::<String>(), text in any::<String>()) {
            let _ = (tokens(&name, &text), is_encoded_twice(&text));
        }
    }
}
