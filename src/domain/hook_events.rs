//! Which of the log records that are findings an event hook can bring.
//!
//! Okta pushes only some of its event types. Which ones it does not is documented for those below
//! (contracts/okta.md, section 8); of the others Okta itself says so when a hook is made.

use super::log_check::{LogCheck, LogChecks, Opens};

/// An event hook is told of this many types at most.
pub const MOST_EVENTS: usize = 300;

/// Never pushed; `*` stands for anything behind it. They have to be polled.
const NOT_PUSHED: [&str; 7] = [
    "workflows.*",
    "policy.entity_risk.action",
    "policy.entity_risk.evaluate",
    "policy.auth_reevaluate.action",
    "policy.auth_reevaluate.enforce",
    "security.threat.detected",
    "event_hook.*",
];

/// What a row with a `*` stands for, as far as the contract names it.
const BEHIND_PATTERNS: [&str; 5] = [
    "user.session.impersonation.initiate",
    "user.session.impersonation.grant",
    "user.session.impersonation.extend",
    "user.session.impersonation.end",
    "user.session.impersonation.revoke",
];

/// What a hook asks for if nobody names its types.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HookEvents {
    /// The types that open findings, each once, in the order of the table.
    pub types: Vec<String>,
    /// The rows that no hook brings: never pushed, or a pattern without a name that is known.
    pub left_out: Vec<String>,
}

/// Whether Okta pushes a type, as far as that is documented.
pub fn is_pushed(event_type: &str) -> bool {
    let is_it = |known: &str| match known.strip_suffix('*') {
        Some(start) => event_type.starts_with(start),
        None => event_type == known,
    };
    !NOT_PUSHED.iter().any(|known| is_it(known))
}

/// The types of a table that open findings and can be pushed.
pub fn of(checks: &LogChecks) -> HookEvents {
    let mut found = HookEvents::default();
    for row in checks.rows().iter().filter(|row| row.opens == Opens::Findings) {
        let named = named(row);
        let wanted: Vec<&String> = named.iter().filter(|name| opens_findings(checks, row, name)).collect();
        let pushed: Vec<&String> = wanted.iter().copied().filter(|name| is_pushed(name)).collect();
        let is_lost = if named.is_empty() { true } else { pushed.len() < wanted.len() };
        if is_lost && !found.left_out.contains(&row.event.0) {
            found.left_out.push(row.event.0.clone());
        }
        for name in pushed {
            if !found.types.contains(name) {
                found.types.push(name.clone());
            }
        }
    }
    found
}

/// The types that a row is about, as far as they have names.
fn named(row: &LogCheck) -> Vec<String> {
    match row.event.literal() {
        Some(name) => vec![name],
        None => {
            let behind = BEHIND_PATTERNS.iter().filter(|name| row.event.matches(name));
            behind.map(|name| (*name).to_owned()).collect()
        }
    }
}

/// Whether a row decides about a type at all: one before it may say that there are no findings.
fn opens_findings(checks: &LogChecks, row: &LogCheck, name: &str) -> bool {
    let any = [String::new()];
    let results = if row.results.is_empty() { any.as_slice() } else { row.results.as_slice() };
    let opens = |result: &String| checks.find(name, result).is_some_and(|row| row.opens == Opens::Findings);
    results.iter().any(opens)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Severity;
    use crate::domain::log_check::{LogSeverity, LogSubject};
    use crate::domain::query::Pattern;
    use rstest::rstest;

    fn row(event: &str, opens: Opens) -> LogCheck {
        LogCheck {
            event: Pattern(event.into()),
            results: Vec::new(),
            check: "own".into(),
            title: "Own".into(),
            severity: LogSeverity::Fixed(Severity::Low),
            subject: LogSubject::Actor,
            opens,
        }
    }

    #[rstest]
    #[case("user.risk.detect", true)]
    #[case("policy.auth_reevaluate.fail", true)]
    #[case("policy.auth_reevaluate.enforce", false)]
    #[case("security.threat.detected", false)]
    #[case("workflows.user.table.view", false)]
    #[case("event_hook.delivery", false)]
    #[case("security.threat.detected.later", true)]
    fn what_is_never_pushed_is_known(#[case] name: &str, #[case] expected: bool) {
        assert_eq!(is_pushed(name), expected);
    }

    #[test]
    fn the_shipped_table_gives_one_hook_its_types() {
        let events = of(&LogChecks::default());
        let never = ["security.threat.detected", "policy.entity_risk.action", "event_hook.delivery"];
        assert_eq!(events.left_out, never);
        assert_eq!(events.types.first().map(String::as_str), Some("security.breached_credential.detected"));
        assert!(events.types.contains(&"user.session.impersonation.initiate".to_owned()));
        assert!(events.types.iter().all(|name| is_pushed(name) && !name.contains('*')));
        // One row stands for five.
        assert_eq!(events.types.len(), LogChecks::default().rows().len() - never.len() - 1 + 5);
        assert!(events.types.len() <= MOST_EVENTS);
    }

    #[test]
    fn the_rows_of_a_configuration_are_heeded() {
        let own = vec![
            row("user.session.*", Opens::Nothing),
            row("zone.update", Opens::Findings),
            row("device.*", Opens::Findings),
        ];
        let events = of(&LogChecks::with(own));
        assert_eq!(events.types.first().map(String::as_str), Some("zone.update"));
        assert!(!events.types.iter().any(|name| name.starts_with("user.session.")), "{:?}", events.types);
        let never = ["security.threat.detected", "policy.entity_risk.action", "event_hook.delivery"];
        assert_eq!(events.left_out, [&["device.*"], never.as_slice()].concat());
    }
}
