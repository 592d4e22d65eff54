//! The checks of the simulated tenant: names and kinds of contracts/cii.md section 5, in the form that CII sends them.

/// One check and what its events say.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) severity: &'static str,
    pub(crate) topic: &'static str,
    pub(crate) description: &'static [&'static str],
    pub(crate) actions: &'static [&'static str],
}

const POSTURE: &str = "posture";
const THREAT: &str = "threat";

const fn check(
    id: &'static str,
    title: &'static str,
    (severity, topic): (&'static str, &'static str),
    description: &'static [&'static str],
    actions: &'static [&'static str],
) -> Check {
    Check { id, title, severity, topic, description, actions }
}

/// The one of an id.
pub(crate) fn find(id: &str) -> Option<&'static Check> {
    CHECKS.iter().find(|check| check.id == id)
}

/// Those that may happen to anybody on an ordinary day.
pub(crate) fn ordinary() -> impl Iterator<Item = &'static Check> {
    CHECKS.iter().filter(|check| !CAST.contains(&check.id))
}

/// Kept for the incident, so that the flood does not drown among its likes.
const CAST: [&str; 4] =
    ["mfa-flood", "impossible-travel", "access-from-dormant-account", "okta-admin-activity-anomaly"];

const REVIEW: &str = "Review the user's recent activity with the user or their manager";
const REVOKE: &str = "End the user's sessions and reset their factors if the activity is not recognised";
const SUSPEND: &str = "Suspend the account if it is no longer needed";

#[rustfmt::skip]
pub(crate) const CHECKS: &[Check] = &[
    check("no-mfa", "No MFA Configured", ("critical", POSTURE),
        &["The user has no second factor in any identity provider.", "An account without MFA can be taken over with a password alone."],
        &["Enrol the user in a phishing-resistant factor", "Enforce MFA by policy for the user's groups"]),
    check("no-strong-mfa", "No Strong MFA Configured", ("high", POSTURE),
        &["The user has only factors that can be phished or intercepted."], &["Enrol a security key or platform authenticator"]),
    check("weak-mfa-used", "Weak MFA Was Used To Successfully Sign In", ("medium", POSTURE),
        &["A sign-in within the last {{numberOfDays}} days was completed with SMS or a voice call."], &["Move the user to a stronger factor"]),
    check("inactive-users", "Inactive Users", ("medium", POSTURE),
        &["The user has not signed in for {{numberOfDays}} days."], &[SUSPEND, "Confirm with the manager that the user still works here"]),
    check("inactive-guest-users", "Inactive Guest Users", ("low", POSTURE),
        &["The guest has not signed in for {{numberOfDays}} days."], &["Remove the guest from the tenant"]),
    check("inactive-account-probing", "Inactive Account Probing", ("high", POSTURE),
        &["Sign-ins were attempted on an account that is not in use."], &[SUSPEND, "Block the address from which the attempts came"]),
    check("never-logged-in", "Never Logged In", ("low", POSTURE),
        &["The account was created more than {{numberOfDays}} days ago and has never been used."], &[SUSPEND]),
    check("hris-discrepancies", "HRIS Discrepancies", ("medium", POSTURE),
        &["The identity provider and the HR system disagree on the status of the user."], &["Correct the record that is wrong", SUSPEND]),
    check("user-in-idp-not-in-hris", "User in IDP but not in HRIS", ("high", POSTURE),
        &["The user has an active account but no record in the HR system."], &["Find the owner of the account", SUSPEND]),
    check("personal-vpn-usage", "Personal VPN Usage", ("low", POSTURE),
        &["The user signed in through a consumer VPN."], &["Remind the user of the acceptable use policy"]),
    check("unmanaged-devices-access", "Unmanaged Devices Access", ("medium", POSTURE),
        &["A sensitive application was opened from a device that is not managed."], &["Require device assurance for the application"]),
    check("unused-application", "Unused Application for a User", ("info", POSTURE),
        &["The user has not used an assigned application for {{numberOfDays}} days."], &["Remove the assignment to save a licence"]),
    check("okta-long-running-sessions", "Okta Long Running Sessions", ("medium", POSTURE),
        &["A session of the user has lasted longer than the policy allows."], &["End the user's sessions"]),
    check("user-password-expiration-failure", "User Password Expiration Failure", ("low", POSTURE),
        &["The user's password is older than {{numberOfDays}} days."], &["Expire the password at the next sign-in"]),
    check("user-stuck", "User Stuck in Non-functional State", ("low", POSTURE),
        &["The account has been in a transitional state for {{numberOfDays}} days."], &["Finish or withdraw the activation"]),
    check("users-sharing-authenticators", "Users Sharing Authenticators", ("high", POSTURE),
        &["One authenticator is enrolled for several users."], &["Reset the factor of every user but its owner", REVIEW]),
    check("user-bypass-mfa", "User Authorized to Bypass MFA", ("critical", POSTURE),
        &["A policy lets the user sign in without a second factor."], &["Remove the user from the exempt group"]),
    check("app-login-bypasses-sso", "Application Login Bypasses SSO", ("high", POSTURE),
        &["The user signed in to an application with a local password."], &["Disable local sign-in for the application"]),
    check("directly-assigned-app", "User Has Directly Assigned Application", ("info", POSTURE),
        &["An application is assigned to the user and not through a group."], &["Assign the application through a group"]),
    check("missing-mandatory-field", "Missing Value in Mandatory Field", ("info", POSTURE),
        &["A field that your policy makes mandatory is empty."], &["Fill the field in the source of truth"]),
    check("shared-mailbox-sign-in-enabled", "Shared Mailbox Sign In Enabled", ("medium", POSTURE),
        &["A shared mailbox can be signed in to directly."], &["Block sign-in for the mailbox"]),
    check("denied-territories", "Access from Denied Territories", ("high", POSTURE),
        &["The user signed in from a country that your policy denies."], &[REVIEW, REVOKE]),
    check("unusually-high-activity", "Accounts With Unusually High Activity", ("moderate", THREAT),
        &["The account signed in more than 1,000 times in one day."], &["Find the automation behind the account", "Rotate its credentials"]),
    check("account-under-attack", "Active Account Under Heavy Attack", ("high", THREAT),
        &["Many failed sign-ins from many addresses within {{numberOfHours}} hours."], &["Make sure that MFA is enforced for the account", REVIEW]),
    check("untrustworthy-isp", "Activity From Untrustworthy ISP", ("medium", THREAT),
        &["The user was active from a provider known for abuse."], &[REVIEW]),
    check("admin-role-assigned", "Admin Role Assigned to User", ("high", THREAT),
        &["An administrator role was assigned outside of the usual process."], &["Confirm the assignment with who made it", "Remove the role"]),
    check("authenticator-registration-anomalies", "Authenticator Registration Anomalies", ("high", THREAT),
        &["An authenticator was registered from a place the user was never seen in."], &["Remove the new authenticator", REVOKE]),
    check("compromised-session", "Compromised Session", ("critical", THREAT),
        &["One session was used from two clients that cannot both be the user's."], &["End all sessions of the user at once", "Reset password and factors"]),
    check("ip-threat-detected", "IP Threat Detected", ("high", THREAT),
        &["The user was active from an address on a threat list."], &["Block the address", REVIEW]),
    check("admin-console-login", "Login to Admin Console", ("medium", THREAT),
        &["The user signed in to the administration console."], &["Confirm that the access was intended"]),
    check("new-country-for-tenant", "New Country for Tenant", ("medium", THREAT),
        &["Nobody of your organisation was ever active in this country."], &[REVIEW]),
    check("rare-browser-activity", "Rare Browser Activity", ("low", THREAT),
        &["The user was active with a browser that is rare in your organisation."], &[REVIEW]),
    check("registered-location-mismatch", "Registered Location Mismatch", ("low", THREAT),
        &["The user mostly works from elsewhere than the registered location."], &["Ask the user to update the registered location"]),
    check("risky-parallel-sessions", "Risky Parallel Sessions", ("high", THREAT),
        &["Two sessions of the user run at the same time from different networks."], &[REVOKE]),
    check("service-account-sign-in", "Service Account Successful Sign In", ("medium", THREAT),
        &["A service account signed in interactively."], &["Find who used the account", "Rotate its credentials"]),
    check("sign-in-threat-detected", "Sign In Threat Detected", ("high", THREAT),
        &["The identity provider marked a sign-in of the user as a threat."], &[REVIEW, REVOKE]),
    check("failing-ip-success", "Successful Access from a Previously Only Failing IP", ("critical", THREAT),
        &["An address from which every sign-in had failed has now succeeded."], &["Treat the account as compromised until the user has confirmed the sign-in", REVOKE]),
    check("suspicious-activity-reported", "Suspicious Activity Reported by End User", ("high", THREAT),
        &["The user reported an activity that was not theirs."], &["Call the user", REVOKE]),
    check("unusual-repo-access", "Unusual Repo Access", ("medium", THREAT),
        &["The user cloned repositories they never touched before."], &[REVIEW]),
    check("user-lock-out-risk", "User Lock Out Risk Detected", ("low", THREAT),
        &["Failed attempts are about to lock the user out."], &["Find the client with the outdated password"]),
    check("user-trust-level-alert", "User Trust Level Alert", ("critical", THREAT),
        &["The trust level of the user fell to Untrusted."], &["Reset password and factors", "Move the user to a quarantine group"]),
    check("new-email-forward-rules", "Users With New Email Forward Rules", ("moderate", THREAT),
        &["A rule now forwards the user's mail outside of the organisation."], &["Remove the rule", REVIEW]),
    check("mfa-flood", "MFA Flood", ("critical", THREAT),
        &["The user received more than {{numberOfPushes}} push notifications within {{numberOfMinutes}} minutes.", "Attackers who know a password send prompts until one is accepted."],
        &["Call the user: do not ask by mail", "End the user's sessions", "Reset the password and the factors", "Block the address from which the prompts came"]),
    check("impossible-travel", "Impossible Travel", ("critical", THREAT),
        &["Two sign-ins from places that are too far apart for the time between them."], &["End the user's sessions", "Reset the password", REVIEW]),
    check("access-from-dormant-account", "Access From Dormant Account", ("critical", THREAT),
        &["The account signed in after {{numberOfDays}} days without activity."], &["Suspend the account until its owner has been reached", REVIEW]),
    check("okta-admin-activity-anomaly", "Okta Admin Activity Anomaly", ("critical", THREAT),
        &["An administrator did what neither they nor their peers ever do."], &["Suspend the administrator", "Review the changes made in the session", "Rotate API tokens created in it"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_are_unique_and_the_cast_exists() {
        let ids: HashSet<&str> = CHECKS.iter().map(|check| check.id).collect();
        assert_eq!(ids.len(), CHECKS.len());
        assert!(CAST.iter().all(|id| find(id).is_some()));
    }

    #[test]
    fn all_severities_occur() {
        let seen: HashSet<&str> = ordinary().map(|check| check.severity).collect();
        for severity in ["critical", "high", "medium", "moderate", "low", "info"] {
            assert!(seen.contains(severity), "{severity}");
        }
    }
}
