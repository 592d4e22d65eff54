//! What Okta itself thinks of the one who acts: risk and behaviours, wherever a LogEvent has them.

use super::pairs::{Pairs, pairs, value};
use crate::source::loose::{self, Object};

/// A record's risk, and how the user behaved beside what is usual.
#[derive(Debug, Default)]
pub(super) struct Risk {
    /// Its word: HIGH, MEDIUM, LOW.
    pub(super) level: Option<String>,
    /// What it was before.
    pub(super) previous: Option<String>,
    /// Why, in Okta's words.
    pub(super) reasons: Option<String>,
    /// What found it.
    pub(super) detection: Option<String>,
    /// Behaviours and their results.
    pub(super) behaviours: Pairs,
}

impl Risk {
    /// The security context says it; older records have a text among their debug data.
    pub(super) fn of(log: &Object<'_>) -> Risk {
        let security = log.object("securityContext").unwrap_or_default();
        let debug =
            log.object("debugContext").and_then(|debug| debug.object("debugData")).unwrap_or_default();
        let risks = [security.get("risk"), debug.get("risk")].map(|risk| risk.map(pairs).unwrap_or_default());
        let said = |key: &str| risks.iter().find_map(|risk| value(risk, key)).map(loose::line);
        let mut behaviours = behaviours(&security);
        if behaviours.is_empty() {
            behaviours = debug.get("behaviors").map(pairs).unwrap_or_default();
        }
        Risk {
            level: said("level"),
            previous: said("previousLevel"),
            reasons: said("reasons"),
            detection: said("detectionName"),
            behaviours,
        }
    }
}

/// The behaviours that are told; the contract knows of no more than a handful.
const MOST: usize = 20;

/// They are objects; a text is a name.
fn behaviours(security: &Object<'_>) -> Pairs {
    let items = security.items("userBehaviors").into_iter();
    let behaviour = |item| match loose::object(item) {
        Some(object) => Some((object.text("name")?, object.text("result").unwrap_or_default())),
        None => Some((loose::text(item)?, String::new())),
    };
    items.filter_map(behaviour).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn risk(log: &Value) -> Risk {
        Risk::of(&Object::parse(&log.to_string()).unwrap())
    }

    #[test]
    fn the_security_context_goes_before_the_debug_data() {
        let risk = risk(&json!({
            "securityContext": {
                "risk": { "level": "HIGH", "previousLevel": "LOW", "reasons": ["A", "B"], "detectionName": "Session Hijack" },
                "userBehaviors": [{ "id": "1", "name": "New Device", "result": "POSITIVE" }, "New IP", null],
            },
            "debugContext": { "debugData": { "risk": "{level=LOW}", "behaviors": "{Velocity=POSITIVE}" } },
        }));
        assert_eq!((risk.level.as_deref(), risk.previous.as_deref()), (Some("HIGH"), Some("LOW")));
        assert_eq!(
            (risk.reasons.as_deref(), risk.detection.as_deref()),
            (Some("A, B"), Some("Session Hijack"))
        );
        let expected =
            [("New Device", "POSITIVE"), ("New IP", "")].map(|(n, r)| (n.to_owned(), r.to_owned()));
        assert_eq!(risk.behaviours, expected);
    }

    #[test]
    fn the_debug_data_say_what_the_security_context_does_not() {
        let risk = risk(&json!({
            "securityContext": { "risk": null },
            "debugContext": { "debugData": {
                "risk": "{level=MEDIUM, reasons=Anomalous Device, New IP}",
                "behaviors": "{New Device=POSITIVE, New IP=NEGATIVE}",
            } },
        }));
        assert_eq!(risk.level.as_deref(), Some("MEDIUM"));
        assert_eq!(risk.reasons.as_deref(), Some("Anomalous Device, New IP"));
        assert_eq!(risk.behaviours.len(), 2);
    }
}
