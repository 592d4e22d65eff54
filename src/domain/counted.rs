//! How many there are of something, in words.

use std::fmt;

/// `no group`, `1 group`, `2 groups`: of a noun whose plural ends in `s`.
pub fn counted(count: usize, noun: &str) -> String {
    match count {
        0 => format!("no {noun}"),
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    }
}

/// `0 users`, `1 user`, `2 users`.
pub fn users(count: usize) -> String {
    numbered(count, "user")
}

/// The same of another noun: `0 lines`, `1 line`, `2 lines`.
pub fn numbered<N: PartialEq + From<u8> + fmt::Display>(count: N, noun: &str) -> String {
    let plural = if count == N::from(1) { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, "0 users", "no app")]
    #[case(1, "1 user", "1 app")]
    #[case(2, "2 users", "2 apps")]
    fn one_is_not_many(#[case] count: usize, #[case] users_words: &str, #[case] apps: &str) {
        assert_eq!((users(count).as_str(), counted(count, "app").as_str()), (users_words, apps));
    }
}
