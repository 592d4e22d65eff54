//! Texts as parts of an address.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but RFC 3986's unreserved characters is encoded, a space as `%20`: `+` is a space to some only.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The same with `@`, which logins hold. A URL parser would drop tabs and line feeds in silence, and another
/// user would be meant.
const SEGMENT: &AsciiSet = &VALUE.remove(b'@');

/// A text as the value of a parameter.
pub(super) fn value(text: &str) -> String {
    utf8_percent_encode(text, VALUE).to_string()
}

/// A text as one segment of a path.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// Whether a text may be an id of Okta's: letters and digits. Anything else would be another path.
pub(super) fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 100 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("00u1AbC", true)]
    #[case("", false)]
    #[case("me/../00u1", false)]
    #[case("ann@example.com", false)]
    fn only_an_id_becomes_part_of_the_path(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(is_id(text), expected);
    }
}
