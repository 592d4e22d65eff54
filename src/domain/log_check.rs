//! Which log records are findings: event type and result → check, severity, subject.
//!
//! Okta's System Log holds everything that happens in an org; what of it somebody has to look at is
//! decided by this table. It is the same for event hooks, the System Log and imported files, since the
//! same record may come by any of them and is the same event. Rows of the configuration
//! (`[[log_check]]`) go before the shipped ones, and the first row that fits decides.

use super::{Severity, query::Pattern};

/// Whose finding it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogSubject {
    /// The targets of type `User`; where there is none, the actor if it is a user.
    TargetOrActor,
    /// The targets of type `User` alone.
    Target,
    /// The actor, if it is a user.
    Actor,
}

impl LogSubject {
    /// Every one, with its word in the configuration.
    pub const WORDS: [(&str, LogSubject); 3] = [
        ("target-or-actor", LogSubject::TargetOrActor),
        ("target", LogSubject::Target),
        ("actor", LogSubject::Actor),
    ];

    /// The one of a word.
    pub fn parse(word: &str) -> Option<LogSubject> {
        LogSubject::WORDS.iter().find(|(known, _)| *known == word).map(|(_, subject)| *subject)
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        LogSubject::WORDS.iter().find(|(_, known)| *known == self).map_or("", |(word, _)| word)
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogSeverity {
    /// Always this.
    Fixed(Severity),
    /// What the record's own risk says: HIGH, MEDIUM or LOW.
    OfRisk,
}

impl LogSeverity {
    /// The one of a word: a severity, or `risk`.
    pub fn parse(word: &str) -> Option<LogSeverity> {
        if word == "risk" { Some(LogSeverity::OfRisk) } else { Severity::parse(word).map(LogSeverity::Fixed) }
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            LogSeverity::Fixed(severity) => severity.word(),
            LogSeverity::OfRisk => "risk",
        }
    }
}

/// Whether a row opens findings, or says that there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opens {
    /// Its users get findings.
    Findings,
    /// It is only a record.
    Nothing,
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogCheck {
    /// The event types; `*` stands for anything.
    pub event: Pattern,
    /// The results, upper case; empty means any.
    pub results: Vec<String>,
    /// The check's id.
    pub check: String,
    /// Its title.
    pub title: String,
    /// How bad it is.
    pub severity: LogSeverity,
    /// Whose finding it is.
    pub subject: LogSubject,
    /// Whether there are findings at all.
    pub opens: Opens,
}

impl LogCheck {
    fn fits(&self, event_type: &str, result: &str) -> bool {
        let is_result = |known: &String| known.eq_ignore_ascii_case(result);
        (self.results.is_empty() || self.results.iter().any(is_result)) && self.event.matches(event_type)
    }
}

/// The table: the first row that fits decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogChecks(Vec<LogCheck>);

impl Default for LogChecks {
    fn default() -> Self {
        LogChecks::with(Vec::new())
    }
}

impl LogChecks {
    /// The shipped rows behind those of a configuration.
    pub fn with(mut configured: Vec<LogCheck>) -> LogChecks {
        configured.extend(SHIPPED.iter().map(Shipped::row));
        LogChecks(configured)
    }

    /// The row that decides about a record.
    pub fn find(&self, event_type: &str, result: &str) -> Option<&LogCheck> {
        self.0.iter().find(|row| row.fits(event_type, result))
    }

    /// Every row, in the order in which they are tried.
    pub fn rows(&self) -> &[LogCheck] {
        &self.0
    }
}

/// A shipped row, in the table's own columns.
struct Shipped(&'static str, &'static [&'static str], &'static str, &'static str, LogSeverity, LogSubject);

impl Shipped {
    fn row(&self) -> LogCheck {
        let Shipped(event, results, check, title, severity, subject) = *self;
        LogCheck {
            event: Pattern(event.to_owned()),
            results: results.iter().map(|result| (*result).to_owned()).collect(),
            check: check.to_owned(),
            title: title.to_owned(),
            severity,
            subject,
            opens: Opens::Findings,
        }
    }
}

const ANY: &[&str] = &[];
/// A sign-on that a policy blocks is a DENY, not a FAILURE.
const NOT_LET_IN: &[&str] = &["FAILURE", "DENY"];
const DONE: &[&str] = &["SUCCESS", "ALLOW"];
const CRITICAL: LogSeverity = LogSeverity::Fixed(Severity::Critical);
const HIGH: LogSeverity = LogSeverity::Fixed(Severity::High);
const MEDIUM: LogSeverity = LogSeverity::Fixed(Severity::Medium);
const LOW: LogSeverity = LogSeverity::Fixed(Severity::Low);
const INFO: LogSeverity = LogSeverity::Fixed(Severity::Info);
const WHO: LogSubject = LogSubject::TargetOrActor;
const ACTOR: LogSubject = LogSubject::Actor;

/// The types are those of contracts/okta.md, section 6; what each is worth is our own judgement.
#[rustfmt::skip]
const SHIPPED: &[Shipped] = &[
    Shipped("security.breached_credential.detected", ANY, "okta:breached-credential", "Breached Credential Detected", CRITICAL, WHO),
    Shipped("security.threat.detected", ANY, "okta:threat-detected", "Threat Detected", HIGH, WHO),
    Shipped("security.password_spray.detected", ANY, "okta:password-spray", "Password Spray Detected", HIGH, WHO),
    Shipped("security.attack.start", ANY, "okta:attack-started", "Attack on the Org Started", HIGH, WHO),
    Shipped("security.session.detect_client_roaming", ANY, "okta:session-roaming", "Session Moved to Another Client", HIGH, WHO),
    Shipped("user.account.report_suspicious_activity_by_enduser", ANY, "okta:suspicious-activity-reported", "Suspicious Activity Reported by End User", HIGH, WHO),
    Shipped("user.risk.detect", ANY, "okta:risk-detected", "User Risk Detected", LogSeverity::OfRisk, WHO),
    Shipped("user.risk.change", ANY, "okta:risk-changed", "User Risk Changed", LogSeverity::OfRisk, WHO),
    Shipped("policy.entity_risk.action", ANY, "okta:risk-policy-acted", "Risk Policy Acted on User", HIGH, WHO),
    Shipped("policy.auth_reevaluate.fail", ANY, "okta:reauthentication-failed", "Session Failed Its Policy Later", HIGH, WHO),
    Shipped("user.mfa.okta_verify.deny_push", ANY, "okta:push-denied", "Push Denied by the User", HIGH, WHO),
    Shipped("user.mfa.attempt_bypass", ANY, "okta:mfa-bypass", "Attempt to Bypass MFA", HIGH, WHO),
    Shipped("user.mfa.factor.reset_all", DONE, "okta:factors-reset", "All Factors Reset", MEDIUM, WHO),
    Shipped("user.mfa.factor.deactivate", DONE, "okta:factor-removed", "Factor Removed", MEDIUM, WHO),
    Shipped("user.mfa.factor.suspend", DONE, "okta:factor-suspended", "Factor Suspended", LOW, WHO),
    Shipped("user.session.impersonation.*", ANY, "okta:impersonation", "Impersonation by Support or Administrator", HIGH, WHO),
    Shipped("user.account.privilege.grant", DONE, "okta:admin-role-granted", "Admin Role Assigned to User", HIGH, WHO),
    Shipped("group.privilege.grant", DONE, "okta:admin-role-granted-to-group", "Admin Role Assigned to Group", HIGH, ACTOR),
    Shipped("system.api_token.create", DONE, "okta:api-token-created", "API Token Created", HIGH, ACTOR),
    Shipped("user.account.lock", ANY, "okta:account-locked", "Account Locked", MEDIUM, WHO),
    Shipped("user.session.access_admin_app", NOT_LET_IN, "okta:admin-console-denied", "Admin Console Denied", MEDIUM, ACTOR),
    Shipped("event_hook.delivery", NOT_LET_IN, "okta:hook-not-delivered", "Event Hook Not Delivered", HIGH, ACTOR),
    Shipped("user.session.context.change", ANY, "okta:session-context-changed", "Session Context Changed", MEDIUM, WHO),
    Shipped("user.session.start", NOT_LET_IN, "okta:sign-in-failed", "Sign-in Failed or Denied", LOW, WHO),
    Shipped("user.authentication.auth_via_mfa", NOT_LET_IN, "okta:mfa-failed", "MFA Failed or Denied", LOW, WHO),
    Shipped("policy.evaluate_sign_on", NOT_LET_IN, "okta:sign-on-denied", "Sign-on Denied by Policy", LOW, WHO),
    Shipped("application.user_membership.add", DONE, "okta:app-assigned", "Application Assigned", INFO, WHO),
    Shipped("application.user_membership.remove", DONE, "okta:app-unassigned", "Application Unassigned", INFO, WHO),
    Shipped("user.account.update_profile", DONE, "okta:profile-updated", "Profile Updated", INFO, WHO),
];

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("user.session.start", "DENY", Some("okta:sign-in-failed"))]
    #[case("user.session.start", "failure", Some("okta:sign-in-failed"))]
    #[case("user.session.start", "SUCCESS", None)]
    #[case("user.authentication.sso", "SUCCESS", None)]
    #[case("policy.entity_risk.evaluate", "ALLOW", None)]
    #[case("event_hook.delivery", "FAILURE", Some("okta:hook-not-delivered"))]
    #[case("policy.entity_risk.action", "SUCCESS", Some("okta:risk-policy-acted"))]
    #[case("user.session.start", "SOMETHING_NEW", None)]
    #[case("user.session.impersonation.initiate", "SUCCESS", Some("okta:impersonation"))]
    #[case("USER.RISK.CHANGE", "", Some("okta:risk-changed"))]
    #[case("user.from.the.future", "SUCCESS", None)]
    fn the_shipped_table_decides(#[case] event: &str, #[case] result: &str, #[case] check: Option<&str>) {
        let checks = LogChecks::default();
        assert_eq!(checks.find(event, result).map(|row| row.check.as_str()), check);
    }

    #[test]
    fn a_configured_row_goes_before_the_shipped_ones() {
        let off = LogCheck { opens: Opens::Nothing, ..Shipped("user.*", ANY, "x", "X", LOW, WHO).row() };
        let checks = LogChecks::with(vec![off.clone()]);
        assert_eq!(checks.find("user.session.start", "DENY"), Some(&off));
        assert_eq!(
            checks.find("system.api_token.create", "SUCCESS").map(|row| row.opens),
            Some(Opens::Findings)
        );
    }

    #[test]
    fn words_round_trip() {
        assert!(
            LogSubject::WORDS
                .iter()
                .all(|(word, subject)| LogSubject::parse(word) == Some(*subject) && subject.word() == *word)
        );
        assert_eq!(LogSeverity::parse("risk").map(LogSeverity::word), Some("risk"));
        assert_eq!(LogSeverity::parse("moderate").map(LogSeverity::word), Some("medium"));
        assert_eq!(LogSeverity::parse("terrible"), None);
    }
}
