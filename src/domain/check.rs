//! What was tested.

use super::Untrusted;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A check's id as the source spells it, `no-mfa`. Opaque: never derived from a title, except where a
/// source has none (ISPM), and then marked by its prefix.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CheckId(Untrusted);

impl CheckId {
    /// The id as it came.
    pub fn raw(&self) -> &str {
        self.0.raw()
    }
}

impl From<&str> for CheckId {
    fn from(id: &str) -> Self {
        CheckId(id.into())
    }
}

impl From<String> for CheckId {
    fn from(id: String) -> Self {
        CheckId(id.into())
    }
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A check: its id and its title.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Check {
    /// The id, opaque.
    pub id: CheckId,
    /// The title as the source words it.
    pub title: Untrusted,
}

impl Check {
    /// The title, or the id where a source sent none.
    pub fn name(&self) -> String {
        if self.title.is_blank() { self.id.to_string() } else { self.title.to_string() }
    }

    /// Posture or threat, by the vendor's published lists of titles.
    pub fn kind(&self) -> CheckKind {
        CheckKind::of_title(self.title.raw())
    }
}

/// The vendor's two families of checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckKind {
    /// Hygiene: a state that should not be.
    Posture,
    /// Risky behaviour: something happened.
    Threat,
    /// Not on the published lists.
    #[default]
    Unknown,
}

impl CheckKind {
    /// The word on the screen and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            CheckKind::Posture => "posture",
            CheckKind::Threat => "threat",
            CheckKind::Unknown => "unknown",
        }
    }

    /// Looks a title up; ids beyond two are not published, titles are.
    pub fn of_title(title: &str) -> CheckKind {
        let known = |list: &[&str]| list.iter().any(|known| known.eq_ignore_ascii_case(title.trim()));
        if known(POSTURE) {
            CheckKind::Posture
        } else if known(THREAT) {
            CheckKind::Threat
        } else {
            CheckKind::Unknown
        }
    }
}

const POSTURE: &[&str] = &[
    "Access from Denied Territories",
    "Allow/Block Email Logins",
    "Application Login Bypasses SSO",
    "Applications with Expired Secret",
    "HRIS Discrepancies",
    "Identity Intelligence Client Secret Expiring Soon",
    "Inactive Account Probing",
    "Inactive Guest Users",
    "Inactive Users",
    "Missing Value in Mandatory Field",
    "Never Logged In",
    "No MFA Configured",
    "No Strong MFA Configured",
    "Okta Long Running Sessions",
    "Okta Session Length Policy Compliance",
    "Personal VPN Usage",
    "Provider User Type Missing",
    "Rate Limit Alert",
    "Role Assigned to Azure Cloud Only Account",
    "Salesforce Direct Login Settings",
    "Shared Mailbox Sign In Enabled",
    "Slack User Inconsistencies",
    "Telecom MFA Limit Reached",
    "Unmanaged Devices Access",
    "Unused Application for a User",
    "Upcoming App Key Expiration",
    "User Authorized to Bypass MFA",
    "User Has Directly Assigned Application",
    "User in IDP but not in HRIS",
    "User Password Expiration Failure",
    "User Stuck in Non-functional State",
    "Users Sharing Authenticators",
    "Weak MFA Was Used To Successfully Sign In",
];

const THREAT: &[&str] = &[
    "A Bypass Code Was Used To Successfully Sign In",
    "Access From Dormant Account",
    "Accounts With Unusually High Activity",
    "Active Account Under Heavy Attack",
    "Activity From Untrustworthy ISP",
    "Admin Impersonation in Okta",
    "Admin Role Assigned to User",
    "Authenticator Registration Anomalies",
    "Code Exfiltration By Guest Account",
    "Compromised Session",
    "Google Drive File with Excessive Sharing Permissions",
    "Impossible Travel",
    "IP Threat Detected",
    "Login to Admin Console",
    "MFA Flood",
    "Microsoft Entra ID Admin Activity Anomaly",
    "New Country for Tenant",
    "New IDP Created",
    "Okta Admin Activity Anomaly",
    "Rare Browser Activity",
    "Registered Location Mismatch",
    "Risky Parallel Sessions",
    "Service Account Successful Sign In",
    "Shared Mailbox Successful Sign In",
    "Sign In Threat Detected",
    "Sign-in from Recently Created IdP",
    "Successful Access from a Previously Only Failing IP",
    "Super Admin Login to Google",
    "Suspicious Activity Reported by End User",
    "Unusual Repo Access",
    "User IP in Blocked State",
    "User Lock Out Risk Detected",
    "User Trust Level Alert",
    "Users With Defined Email Forward Rules",
    "Users With New Email Forward Rules",
    "Weak MFA Manually Activated and Utilized",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_follow_the_published_titles() {
        assert_eq!(POSTURE.len(), 33);
        assert_eq!(CheckKind::of_title("no mfa configured"), CheckKind::Posture);
        assert_eq!(CheckKind::of_title("MFA Flood"), CheckKind::Threat);
        assert_eq!(CheckKind::of_title("Something new"), CheckKind::Unknown);
    }
}
