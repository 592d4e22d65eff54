//! Links from outside, checked before anything is done with them.

use super::untrusted;
use url::Url;

/// A link from outside: parsed, to be printed anew from what was understood. Userinfo and every scheme
/// but http and https are refused.
///
/// # Errors
/// A sentence that says why it is refused.
pub fn check(text: &str) -> Result<Url, String> {
    let shown = untrusted::visible(text.trim());
    let url = Url::parse(text.trim()).map_err(|error| format!("`{shown}` is not a link: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("`{shown}` is refused: only http and https links are opened"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("`{shown}` is refused: it holds a user name or a password"));
    }
    if url.host_str().is_none() {
        return Err(format!("`{shown}` is refused: it names no host"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("https://dashboard.example.com/u/1", true)]
    #[case("http://localhost:1/x", true)]
    #[case("javascript:alert(1)", false)]
    #[case("https://user@example.com/", false)]
    #[case("file:///etc/passwd", false)]
    #[case("not a link", false)]
    fn only_plain_web_links_pass(#[case] text: &str, #[case] passes: bool) {
        assert_eq!(check(text).is_ok(), passes);
    }
}
