//! Opening a page and copying a text, on a jump host too.
//!
//! A URL comes from outside. It is parsed and printed anew before anything is done with it; userinfo
//! and every scheme but http and https are refused. A known host opens directly on a desktop; any
//! other, and every link where nothing can be spawned, is shown on a card first.

use super::effect::Effect;
use super::state::{Overlay, Screen, State};
use crate::domain::link::check;
use crate::domain::{Untrusted, untrusted};
use url::Url;

/// A link that is looked at before it is opened.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkCard {
    /// The link, parsed and printed anew.
    pub url: Url,
    /// The host in full, as it is shown.
    pub host: String,
    /// What is odd about it, in words.
    pub warnings: Vec<String>,
    /// Whether the host is one of the configured ones.
    pub is_known: bool,
    /// Whether its QR code is shown.
    pub shows_qr: bool,
}

impl LinkCard {
    fn new(url: Url, known_hosts: &[String]) -> LinkCard {
        let host = url.host_str().unwrap_or_default().to_owned();
        let is_known = known_hosts.iter().any(|known| known.eq_ignore_ascii_case(&host));
        let mut warnings = Vec::new();
        if host.split('.').any(|label| label.starts_with("xn--")) {
            warnings.push("the host is written in punycode: it may look like another one".to_owned());
        }
        if url.scheme() == "http" {
            warnings.push("the link is not encrypted".to_owned());
        }
        if !is_known {
            warnings.push("the host is not among the configured ones".to_owned());
        }
        LinkCard { url, host, warnings, is_known, shows_qr: false }
    }
}

/// The page behind what is selected was asked for.
pub fn asked(state: &mut State) -> Vec<Effect> {
    let Some(text) = reference(state) else {
        state.notice.fail(state.now, "there is no reference URL here");
        return Vec::new();
    };
    match check(text.raw()) {
        Err(why) => {
            state.notice.fail(state.now, why);
            Vec::new()
        }
        Ok(url) => offer(state, url),
    }
}

/// Opens a page, or shows its link first.
pub fn offer(state: &mut State, url: Url) -> Vec<Effect> {
    let card = LinkCard::new(url, &state.settings.link_hosts);
    if card.is_known && state.settings.is_desktop {
        return vec![Effect::OpenLink(card.url)];
    }
    state.overlay = Some(Overlay::Link(Box::new(card)));
    Vec::new()
}

/// The page that the screen's subject names.
fn reference(state: &State) -> Option<Untrusted> {
    let of_person = |login| state.dossiers.get(login).and_then(|d| d.reference_url()).cloned();
    match state.stack.last() {
        Some(Screen::Event(event)) => {
            let own = event.detail.as_ref().and_then(|detail| detail.reference_url.clone());
            own.or_else(|| event.selected().and_then(|user| of_person(&user.login)))
        }
        Some(Screen::User(user)) => of_person(&user.login),
        Some(Screen::Address(address)) => {
            let selected = address.selected()?;
            let users = address.users.as_ref()?;
            users.users.iter().find(|user| user.login == selected).and_then(|user| user.reference_url.clone())
        }
        Some(
            Screen::Raw(_) | Screen::Journal(_) | Screen::Health(_) | Screen::Log(_) | Screen::LookUp(_),
        ) => None,
        None => super::triage::selected(state).login.as_ref().and_then(of_person),
    }
}

/// The card was told to send its link.
pub fn sent(state: &mut State) -> Vec<Effect> {
    match state.overlay.take() {
        Some(Overlay::Link(card)) if state.settings.is_desktop => vec![Effect::OpenLink(card.url)],
        Some(Overlay::Link(card)) => vec![Effect::CopyText(card.url.to_string())],
        overlay => {
            state.overlay = overlay;
            Vec::new()
        }
    }
}

/// A copy was asked for: the link on the card, else the name of what is selected.
pub fn copy_asked(state: &mut State) -> Vec<Effect> {
    if let Some(Overlay::Link(card)) = &state.overlay {
        return vec![Effect::CopyText(card.url.to_string())];
    }
    match named(state) {
        // A line break in a login would run what follows it where it is pasted into a shell.
        Some(text) if !matches!(state.stack.last(), Some(Screen::Raw(_))) => {
            vec![Effect::CopyText(untrusted::visible(&text).into_owned())]
        }
        Some(text) => vec![Effect::CopyText(text)],
        None => {
            state.notice.fail(state.now, "there is nothing here to copy");
            Vec::new()
        }
    }
}

fn named(state: &State) -> Option<String> {
    match state.stack.last() {
        Some(Screen::User(user)) => match super::user::selected_target(state) {
            Some(super::pane::Target::Address(address)) => Some(address),
            Some(super::pane::Target::Person(login)) => Some(login.raw().to_owned()),
            _ => Some(user.login.raw().to_owned()),
        },
        Some(Screen::Address(address)) => address.selected().map(|login| login.raw().to_owned()),
        Some(Screen::Raw(raw)) => Some(raw.lines.join("\n")),
        Some(Screen::Journal(journal)) => journal.named(),
        Some(Screen::Health(_)) => None,
        Some(Screen::Log(screen)) => super::log::named(screen),
        Some(Screen::LookUp(screen)) => screen.named(),
        Some(Screen::Event(event)) => event.selected().map(|user| user.login.raw().to_owned()),
        None => {
            let event = state.feed.selected()?;
            let one = event.first_users.first().filter(|_| event.user_count == 1);
            Some(one.map_or_else(|| event.id.to_string(), |login| login.raw().to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_and_disguised_hosts_are_pointed_out() {
        let card = LinkCard::new(check("https://exаmple.com/").unwrap(), &["example.com".to_owned()]);
        assert!(!card.is_known);
        assert_eq!(card.warnings.len(), 2);
    }
}
