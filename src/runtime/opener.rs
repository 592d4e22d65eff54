//! Opening a page: on a desktop in the browser, over SSH only where the analyst configured it.

use super::child::Children;
use crate::config::meant::OpenLinks;
use std::process::Stdio;
use url::Url;

/// Where links can open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A browser can be started here.
    Desktop,
    /// Nothing is spawned: the link is shown.
    Remote,
}

/// Where we are, from the environment and the configuration.
pub fn place(choice: OpenLinks, variable: impl Fn(&str) -> Option<String>) -> Place {
    let has = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
    let is_desktop = !has("SSH_CONNECTION") && (has("DISPLAY") || has("WAYLAND_DISPLAY"));
    match choice {
        OpenLinks::Always => Place::Desktop,
        OpenLinks::Never => Place::Remote,
        OpenLinks::Auto if is_desktop || has("BROWSER") => Place::Desktop,
        OpenLinks::Auto => Place::Remote,
    }
}

/// Starts a browser, detached and silent. The URL has been parsed and printed anew by whoever asks.
///
/// # Errors
/// A sentence that says why no browser was started.
pub fn open(url: &Url, children: &Children) -> Result<String, String> {
    let mut last = "no way to open a page is known here".to_owned();
    for mut command in open::commands(url.as_str()) {
        children.clean(&mut command);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match command.spawn() {
            Ok(mut child) => {
                // Reaped when it ends, so that no zombie stays while the console runs for days.
                std::thread::spawn(move || child.wait());
                return Ok(format!("handed to the browser: {url}"));
            }
            Err(error) => last = format!("`{url}` could not be opened: {error}"),
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(&[("DISPLAY", ":0")], OpenLinks::Auto, Place::Desktop)]
    #[case(&[("DISPLAY", ":0"), ("SSH_CONNECTION", "1 2 3 4")], OpenLinks::Auto, Place::Remote)]
    #[case(&[("SSH_CONNECTION", "1 2 3 4"), ("BROWSER", "w3m")], OpenLinks::Auto, Place::Desktop)]
    #[case(&[], OpenLinks::Auto, Place::Remote)]
    #[case(&[("DISPLAY", ":0")], OpenLinks::Never, Place::Remote)]
    fn a_browser_is_started_only_where_one_can_be_seen(
        #[case] variables: &[(&str, &str)],
        #[case] choice: OpenLinks,
        #[case] expected: Place,
    ) {
        let variable = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        assert_eq!(place(choice, variable), expected);
    }
}
