//! `Link` headers (RFC 8288): how Okta says where a list goes on.
//!
//! Several links come as several headers or as one, joined by commas, in any order; an address may hold
//! commas itself, so that a header cannot simply be split at them.

use crate::tenant::http::Answer;

/// Where the first link of a relation leads, as it stands there.
pub(super) fn target<'a>(answer: &'a Answer, relation: &str) -> Option<&'a str> {
    answer.every_header("link").find_map(|links| in_header(links, relation))
}

fn in_header<'a>(links: &'a str, relation: &str) -> Option<&'a str> {
    let mut rest = links;
    loop {
        let (address, behind) = rest.split_once('<')?.1.split_once('>')?;
        let (parameters, others) = behind.split_at(end_of_link(behind));
        if is_of(parameters, relation) {
            return Some(address);
        }
        rest = others;
    }
}

/// Up to the next comma that is not in quotes.
fn end_of_link(parameters: &str) -> usize {
    let mut is_quoted = false;
    let end = parameters.find(|c| {
        is_quoted ^= c == '"';
        c == ',' && !is_quoted
    });
    end.unwrap_or(parameters.len())
}

/// A link may be of several relations, separated by spaces.
fn is_of(parameters: &str, relation: &str) -> bool {
    let mut pairs = parameters.split(';').filter_map(|parameter| parameter.split_once('='));
    pairs.any(|(name, value)| {
        let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
        name.trim().eq_ignore_ascii_case("rel") && relations.any(|found| found.eq_ignore_ascii_case(relation))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use proptest::prelude::*;
    use rstest::rstest;

    fn next(headers: &[&str]) -> Option<String> {
        let headers = headers.iter().map(|value| ("link".to_owned(), (*value).to_owned())).collect();
        let answer = Answer { status: 200, headers, body: Vec::new(), flaw: None, at: Timestamp::UNIX_EPOCH };
        target(&answer, "next").map(str::to_owned)
    }

    #[rstest]
    #[case(&[r#"<https://o/a>; rel="next""#, r#"<https://o/b>; rel="self""#], Some("https://o/a"))]
    #[case(&[r#"<https://o/b>; rel="self""#, r#"<https://o/a>; rel="next""#], Some("https://o/a"))]
    #[case(&[r#"<https://o/b>; rel="self", <https://o/a?x=1,2>; rel="next""#], Some("https://o/a?x=1,2"))]
    #[case(&[r#"<https://o/a>;rel=next,<https://o/b>;rel=self"#], Some("https://o/a"))]
    #[case(&[r#"<https://o/b>; title="a, <b>"; rel="self", <https://o/a>; REL="Last Next""#], Some("https://o/a"))]
    #[case(&[r#"<https://o/b>; rel="self""#], None)]
    #[case(&[r#"<https://o/b>; rel="nextish""#], None)]
    #[case(&["nonsense", "<", "<a", "<a>", ""], None)]
    #[case(&[], None)]
    fn finds_the_next_page(#[case] headers: &[&str], #[case] expected: Option<&str>) {
        assert_eq!(next(headers).as_deref(), expected);
    }

    proptest! {
        #[test]
        fn nothing_in_a_header_stops_it(text in "[<>;,=\" a-z]{0,40}") {
            next(&[&text]);
        }
    }
}
