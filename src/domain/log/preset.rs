//! Questions that analysts ask again and again.

use super::{LogAsk, Moment, Thread};

/// A ready question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogPreset {
    /// Sign-ins that did not succeed: a wrong password is a FAILURE, what a policy blocks is a DENY.
    FailedSignIns,
    /// Who was made an administrator, got a token or may act as another.
    AdminChanges,
    /// Pushes that were denied and factors that were refused.
    MfaDenials,
    /// What one API token did.
    OneToken,
    /// Delegated flows that were triggered.
    DelegatedFlows,
}

const DAY: i64 = 24;

const FAILED_SIGN_INS: &str = "(eventType eq \"user.session.start\" or eventType eq \"policy.evaluate_sign_on\") \
    and (outcome.result eq \"FAILURE\" or outcome.result eq \"DENY\")";
const ADMIN_CHANGES: &str = "eventType sw \"user.account.privilege.\" or eventType eq \"group.privilege.grant\" \
    or eventType sw \"system.api_token.\" or eventType sw \"user.session.impersonation.\"";
const MFA_DENIALS: &str = "eventType eq \"user.mfa.okta_verify.deny_push\" or eventType eq \"user.mfa.attempt_bypass\" \
    or (eventType eq \"user.authentication.auth_via_mfa\" and (outcome.result eq \"FAILURE\" or outcome.result eq \"DENY\"))";
const DELEGATED_FLOWS: &str = "eventType eq \"workflows.user.delegatedflow.run\"";

impl LogPreset {
    /// Every one, in the order of their numbers on the screen.
    pub const ALL: [LogPreset; 5] = [
        LogPreset::FailedSignIns,
        LogPreset::AdminChanges,
        LogPreset::MfaDenials,
        LogPreset::OneToken,
        LogPreset::DelegatedFlows,
    ];

    /// The name, as it is typed.
    pub fn name(self) -> &'static str {
        match self {
            LogPreset::FailedSignIns => "failed-sign-ins",
            LogPreset::AdminChanges => "admin-changes",
            LogPreset::MfaDenials => "mfa-denials",
            LogPreset::OneToken => "token",
            LogPreset::DelegatedFlows => "delegated-flows",
        }
    }

    /// In a few words.
    pub fn title(self) -> &'static str {
        match self {
            LogPreset::FailedSignIns => "failed sign-ins in the past 24 h",
            LogPreset::AdminChanges => "administrator rights, API tokens and impersonation, past 7 d",
            LogPreset::MfaDenials => "MFA denials in the past 24 h",
            LogPreset::OneToken => "what one API token did in the past 7 d",
            LogPreset::DelegatedFlows => "delegated flows triggered in the past 7 d",
        }
    }

    /// Since when it looks.
    pub fn since(self) -> Moment {
        match self {
            LogPreset::FailedSignIns | LogPreset::MfaDenials => Moment::hours_ago(DAY),
            LogPreset::AdminChanges | LogPreset::OneToken | LogPreset::DelegatedFlows => {
                Moment::hours_ago(7 * DAY)
            }
        }
    }

    /// Its filter; the one about a token wants the token's id.
    ///
    /// # Errors
    /// If the id is missing, or none is wanted.
    pub fn filter(self, token: Option<&str>) -> Result<String, String> {
        let filter = match (self, token) {
            (LogPreset::OneToken, Some(id)) => return Ok(Thread::Token.filter(id)),
            (LogPreset::OneToken, None) => {
                return Err("preset `token` wants the token's id: `token=00T…`".to_owned());
            }
            (preset, Some(_)) => return Err(format!("preset `{}` takes no value", preset.name())),
            (LogPreset::FailedSignIns, None) => FAILED_SIGN_INS,
            (LogPreset::AdminChanges, None) => ADMIN_CHANGES,
            (LogPreset::MfaDenials, None) => MFA_DENIALS,
            (LogPreset::DelegatedFlows, None) => DELEGATED_FLOWS,
        };
        Ok(filter.to_owned())
    }

    /// The preset of a name, and what stands behind its `=`.
    pub fn named(text: &str) -> Option<(LogPreset, Option<&str>)> {
        let (name, value) = match text.trim().split_once('=') {
            Some((name, value)) => (name, Some(value.trim()).filter(|value| !value.is_empty())),
            None => (text.trim(), None),
        };
        let preset = LogPreset::ALL.into_iter().find(|preset| preset.name() == name.trim())?;
        Some((preset, value))
    }

    /// The question of a preset as it is typed: `failed-sign-ins`, `token=00T…`.
    ///
    /// # Errors
    /// If there is no such preset, with those that there are.
    pub fn ask(text: &str) -> Result<LogAsk, String> {
        let Some((preset, value)) = LogPreset::named(text) else {
            let names = LogPreset::ALL.map(LogPreset::name).join(", ");
            return Err(format!("there is no preset `{}`: there are {names}", text.trim()));
        };
        Ok(LogAsk { since: preset.since(), ..LogAsk::default() }.with_filter(preset.filter(value)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn names_are_read_back() {
        for preset in LogPreset::ALL {
            assert_eq!(LogPreset::named(preset.name()), Some((preset, None)));
        }
        assert_eq!(LogPreset::named("token= 00T1 "), Some((LogPreset::OneToken, Some("00T1"))));
    }

    #[test]
    fn failed_sign_ins_are_what_failed_and_what_was_denied() {
        let filter = LogPreset::FailedSignIns.filter(None).unwrap();
        assert!(filter.contains("\"FAILURE\"") && filter.contains("\"DENY\""), "{filter}");
        assert_eq!(LogPreset::ask("failed-sign-ins").unwrap().since, Moment::hours_ago(24));
    }

    #[test]
    fn a_token_is_quoted() {
        let ask = LogPreset::ask("token=00T\"1").unwrap();
        assert_eq!(ask.filter, r#"transaction.detail.requestApiTokenId eq "00T\"1""#);
    }

    #[rstest]
    #[case("token", "wants the token's id")]
    #[case("token=", "wants the token's id")]
    #[case("mfa-denials=x", "takes no value")]
    #[case("tokens", "there are failed-sign-ins, admin-changes")]
    fn what_is_missing_or_too_much_is_said(#[case] text: &str, #[case] said: &str) {
        let error = LogPreset::ask(text).unwrap_err();
        assert!(error.contains(said), "{error}");
    }
}
