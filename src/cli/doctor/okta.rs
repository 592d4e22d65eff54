//! What the configuration lets be done to Okta's users, and why it knows no `max_fetch`.

use super::{Checked, Verdict};
use crate::config::Config;
use crate::config::meant::{OktaAllow, Way};
use crate::config::reference::NO_MAX_FETCH;

/// What is switched off is meant so, and is said: somebody looks here for why a change is refused.
pub(super) fn checked(config: &Config) -> Vec<Checked> {
    let writes = config.okta.as_ref().map(|_| writes(config));
    let polls = config.sources.iter().any(|source| matches!(source.way, Way::SystemLog(_)));
    let max_fetch = polls.then(|| Checked::new("max_fetch", Verdict::Good, NO_MAX_FETCH));
    writes.into_iter().chain(max_fetch).collect()
}

fn writes(config: &Config) -> Checked {
    let missing = match config.profiles.create_if_missing {
        true => "`iam-update-user` of somebody who is not there makes the account",
        false => "nobody is made who is not there, unless that is asked for",
    };
    let off = switched_off(&config.guard.okta);
    if off.is_empty() {
        return Checked::new("okta writes", Verdict::Good, format!("all are allowed; {missing}"));
    }
    let told = format!("switched off: {}; {missing}", off.join(", "));
    Checked::new("okta writes", Verdict::Note, told).hinted("`[okta.allow]`")
}

fn switched_off(allow: &OktaAllow) -> Vec<&'static str> {
    let OktaAllow { create, update, enable, disable } = *allow;
    let switches = [("create", create), ("update", update), ("enable", enable), ("disable", disable)];
    switches.into_iter().filter(|(_, is_on)| !is_on).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_off_is_named() {
        assert!(switched_off(&OktaAllow::default()).is_empty());
        let allow = OktaAllow { create: false, disable: false, ..OktaAllow::default() };
        assert_eq!(switched_off(&allow), ["create", "disable"]);
    }
}
