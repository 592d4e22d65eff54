//! Completing a filter of the System Log: fields, operators, and the values that are known.
//!
//! The grammar is Okta's, and Okta alone judges a filter: here is only what may come next. `published` is
//! not offered, since Okta refuses it in a filter.

/// Fields that analysts filter by, with what they hold.
const FIELDS: &[(&str, &str)] = &[
    ("eventType", "what happened: user.session.start"),
    ("outcome.result", "SUCCESS, FAILURE, DENY, …"),
    ("outcome.reason", "why: INVALID_CREDENTIALS"),
    ("actor.id", "who did it, by Okta's id"),
    ("actor.alternateId", "who did it, by login"),
    ("actor.displayName", "who did it, by name"),
    ("actor.type", "User, SystemPrincipal, PublicClientApp"),
    ("target.id", "whom or what it was done to, by id"),
    ("target.alternateId", "the same by login or name"),
    ("target.displayName", "the same by name"),
    ("target.type", "User, AppInstance, UserGroup, Flow"),
    ("client.ipAddress", "from which address"),
    ("client.zone", "from which zone"),
    ("client.device", "Computer, Mobile"),
    ("client.userAgent.rawUserAgent", "by which program"),
    ("client.geographicalContext.country", "from which country"),
    ("client.geographicalContext.city", "from which city"),
    ("authenticationContext.externalSessionId", "in which session"),
    ("authenticationContext.rootSessionId", "from which session that came"),
    ("authenticationContext.credentialType", "with what kind of credential"),
    ("transaction.id", "in which request or job"),
    ("transaction.detail.requestApiTokenId", "with which API token"),
    ("securityContext.isProxy", "true or false"),
    ("securityContext.asOrg", "through whose network"),
    ("securityContext.asNumber", "through which network"),
    ("securityContext.isp", "through which provider"),
    ("securityContext.domain", "through which domain"),
    ("severity", "a log level: DEBUG, INFO, WARN, ERROR"),
    ("displayMessage", "what happened, in words"),
    ("legacyEventType", "what happened, by its old name"),
    ("debugContext.debugData.requestUri", "which path was asked; not with co"),
    ("debugContext.debugData.url", "which address was asked; not with co"),
    ("debugContext.debugData.risk", "what Okta thought of the risk"),
    ("request.ipChain.ip", "any address on the way"),
    ("uuid", "one record"),
];

const OPERATORS: &[(&str, &str)] = &[
    ("eq", "is"),
    ("ne", "is not"),
    ("sw", "starts with"),
    ("co", "contains"),
    ("ew", "ends with"),
    ("pr", "is there"),
    ("gt", "is after or above"),
    ("ge", "is at or above"),
    ("lt", "is before or below"),
    ("le", "is at or below"),
];

const JOINS: &[(&str, &str)] = &[("and", "both"), ("or", "either")];

const EVENT_TYPES: &[(&str, &str)] = &[
    ("user.session.start", "sign-in"),
    ("user.session.end", "sign-out"),
    ("user.session.clear", "sessions were ended"),
    ("user.session.expire", "a session ran out"),
    ("user.session.access_admin_app", "the Admin Console was opened"),
    ("user.session.context.change", "a session changed its place or device"),
    ("user.session.impersonation.initiate", "somebody began to act as another"),
    ("user.session.impersonation.grant", "acting as another was allowed"),
    ("user.session.impersonation.extend", "acting as another was prolonged"),
    ("user.session.impersonation.end", "acting as another ended"),
    ("user.session.impersonation.revoke", "acting as another was forbidden"),
    ("user.authentication.sso", "sign-in to an application"),
    ("user.authentication.auth_via_mfa", "a factor was asked for"),
    ("user.authentication.verify", "an identity was verified"),
    ("user.authentication.universal_logout", "signed out everywhere"),
    ("user.mfa.attempt_bypass", "somebody tried to get around MFA"),
    ("user.mfa.okta_verify.deny_push", "a push was denied"),
    ("user.mfa.factor.activate", "a factor was enrolled"),
    ("user.mfa.factor.deactivate", "a factor was removed"),
    ("user.mfa.factor.reset_all", "all factors were reset"),
    ("user.mfa.factor.suspend", "a factor was suspended"),
    ("user.account.lock", "an account was locked"),
    ("user.account.unlock", "an account was unlocked"),
    ("user.account.reset_password", "a password was reset"),
    ("user.account.update_password", "a password was changed"),
    ("user.account.update_profile", "a profile was changed"),
    ("user.account.privilege.grant", "somebody was made an administrator"),
    ("user.account.privilege.revoke", "an administrator's rights were taken"),
    ("user.account.report_suspicious_activity_by_enduser", "a user said that something is wrong"),
    ("user.lifecycle.create", "a user was made"),
    ("user.lifecycle.activate", "a user was activated"),
    ("user.lifecycle.deactivate", "a user was deactivated"),
    ("user.lifecycle.suspend", "a user was suspended"),
    ("user.lifecycle.unsuspend", "a user was unsuspended"),
    ("user.lifecycle.reactivate", "a user was reactivated"),
    ("user.lifecycle.delete.initiated", "a user is being deleted"),
    ("user.risk.change", "a user's risk changed"),
    ("user.risk.detect", "a risk was seen at a user"),
    ("policy.evaluate_sign_on", "a sign-on policy decided"),
    ("policy.entity_risk.action", "a risk policy acted"),
    ("policy.entity_risk.evaluate", "a risk policy decided"),
    ("policy.auth_reevaluate.enforce", "a session was judged anew"),
    ("policy.continuous_access.evaluate", "continuous access decided"),
    ("security.threat.detected", "a request from a bad address"),
    ("security.attack.start", "an attack began"),
    ("security.attack.end", "an attack ended"),
    ("security.password_spray.detected", "passwords are being sprayed"),
    ("security.breached_credential.detected", "a leaked password is in use"),
    ("security.session.detect_client_roaming", "a session moved to another client"),
    ("security.request.blocked", "a request was blocked"),
    ("application.user_membership.add", "a user was given an application"),
    ("application.user_membership.remove", "an application was taken from a user"),
    ("group.user_membership.add", "a user came into a group"),
    ("group.user_membership.remove", "a user left a group"),
    ("group.privilege.grant", "a group was made administrators"),
    ("system.api_token.create", "an API token was made"),
    ("system.api_token.revoke", "an API token was revoked"),
    ("system.org.rate_limit.warning", "a rate limit is near"),
    ("system.org.rate_limit.burst", "a rate limit's burst is in use"),
    ("system.org.rate_limit.violation", "a rate limit was passed"),
    ("core.concurrency.org.limit.violation", "too many requests at once"),
    ("workflows.user.delegatedflow.run", "a delegated flow was triggered"),
];

const RESULTS: &[(&str, &str)] = &[
    ("SUCCESS", "it succeeded"),
    ("FAILURE", "it failed"),
    ("DENY", "a policy blocked it: not FAILURE"),
    ("ALLOW", "a policy let it pass"),
    ("CHALLENGE", "a policy asked for more"),
    ("SKIPPED", "it was left out"),
    ("UNKNOWN", "Okta does not say"),
    ("RATE_LIMIT", "too many requests"),
    ("DEFERRED", "it was put off"),
    ("SCHEDULED", "it is to come"),
    ("ABANDONED", "it was given up"),
    ("UNANSWERED", "nobody answered"),
];

const LEVELS: &[(&str, &str)] =
    &[("DEBUG", "a log level"), ("INFO", "a log level"), ("WARN", "a log level"), ("ERROR", "a log level")];

const TYPES: &[(&str, &str)] = &[
    ("User", "a person"),
    ("AppInstance", "an application"),
    ("AppUser", "an account in an application"),
    ("UserGroup", "a group"),
    ("PublicClientApp", "a service"),
    ("SystemPrincipal", "Okta itself"),
    ("Flow", "a flow"),
];

const YES_NO: &[(&str, &str)] = &[("true", "yes"), ("false", "no")];

/// One way to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// What is put in: a field, an operator, a value.
    pub word: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// The text before the cursor, with it.
    pub before: String,
}

/// What may be written next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next<'a> {
    Field,
    Operator,
    Value(&'a str),
    Join,
}

/// How the text before a cursor may go on, the likeliest first.
pub fn completions(before: &str) -> Vec<Completion> {
    let (settled, typed, is_quoted) = cut(before);
    let words = words(settled);
    let next = next(&words);
    let known: &[(&'static str, &'static str)] = match next {
        _ if is_quoted => match words.as_slice() {
            [.., field, _] => values(field),
            _ => &[],
        },
        Next::Field => FIELDS,
        Next::Operator => OPERATORS,
        Next::Value(field) => values(field),
        Next::Join => JOINS,
    };
    let is_value = is_quoted || matches!(next, Next::Value(_));
    let put = |(word, meaning): &(&'static str, &'static str)| {
        let quoted = if is_value { format!("\"{word}\"") } else { (*word).to_owned() };
        Completion { word, meaning, before: format!("{settled}{quoted} ") }
    };
    let wanted = typed.trim_start_matches('"').to_ascii_lowercase();
    let begins = |(word, _): &&(&str, &str)| word.to_ascii_lowercase().starts_with(&wanted);
    let holds = |(word, _): &&(&str, &str)| word.to_ascii_lowercase().contains(&wanted);
    let first = known.iter().filter(begins);
    first.chain(known.iter().filter(|entry| holds(entry) && !begins(entry))).map(put).collect()
}

fn values(field: &str) -> &'static [(&'static str, &'static str)] {
    match field {
        "eventType" => EVENT_TYPES,
        "outcome.result" => RESULTS,
        "severity" => LEVELS,
        "actor.type" | "target.type" => TYPES,
        "securityContext.isProxy" => YES_NO,
        _ => &[],
    }
}

/// What stands, what is being typed, and whether that is within quotes.
fn cut(before: &str) -> (&str, &str, bool) {
    let (mut open, mut is_escaped) = (None, false);
    for (at, c) in before.char_indices() {
        match c {
            '"' if !is_escaped => open = if open.is_some() { None } else { Some(at) },
            '\\' if open.is_some() && !is_escaped => {
                is_escaped = true;
                continue;
            }
            _ => {}
        }
        is_escaped = false;
    }
    if let Some(at) = open {
        let (settled, typed) = before.split_at(at);
        return (settled, typed, true);
    }
    let at = before.rfind([' ', '(', '"', ')']).map_or(0, |at| at + 1);
    let (settled, typed) = before.split_at(at);
    (settled, typed, false)
}

/// The words of a text in which every quote is closed: a value is one word with its quotes.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' | ')' => 1,
            '"' => value_length(rest),
            _ => rest.find([' ', '(', ')', '"']).unwrap_or(rest.len()),
        };
        let (word, behind) = rest.split_at(length.max(1));
        words.push(word);
        rest = behind.trim_start();
    }
    words
}

fn value_length(quoted: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in quoted.char_indices().skip(1) {
        match c {
            '"' if !is_escaped => return at + 1,
            '\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    quoted.len()
}

fn next<'a>(words: &[&'a str]) -> Next<'a> {
    let Some((last, before)) = words.split_last() else { return Next::Field };
    let is = |word: &str| last.eq_ignore_ascii_case(word);
    if ["and", "or", "not", "("].iter().any(|word| is(word)) {
        return Next::Field;
    }
    if last.starts_with('"') || is(")") || is("pr") {
        return Next::Join;
    }
    let is_operator = OPERATORS.iter().any(|(operator, _)| is(operator));
    match before.last() {
        Some(field) if is_operator => Next::Value(field),
        _ => Next::Operator,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("", "eventType ")]
    #[case("out", "outcome.result ")]
    #[case("result", "outcome.result ")]
    #[case("ALTERNATE", "actor.alternateId ")]
    #[case("eventType ", "eventType eq ")]
    #[case("eventType s", "eventType sw ")]
    #[case("eventType eq ", "eventType eq \"user.session.start\" ")]
    #[case("eventType eq \"deny", "eventType eq \"user.mfa.okta_verify.deny_push\" ")]
    #[case("eventType eq deny", "eventType eq \"user.mfa.okta_verify.deny_push\" ")]
    #[case("eventType eq \"x\" ", "eventType eq \"x\" and ")]
    #[case("eventType eq \"x\" o", "eventType eq \"x\" or ")]
    #[case("uuid pr ", "uuid pr and ")]
    #[case("uuid pr and (outcome.result eq \"D", "uuid pr and (outcome.result eq \"DENY\" ")]
    #[case("not (seve", "not (severity ")]
    #[case("actor.id eq \"a \\\" b\" an", "actor.id eq \"a \\\" b\" and ")]
    fn the_likeliest_goes_on(#[case] before: &str, #[case] expected: &str) {
        assert_eq!(completions(before).first().map(|it| it.before.as_str()), Some(expected));
    }

    #[rstest]
    #[case("actor.id eq ")]
    #[case("actor.id eq \"00u")]
    #[case("zzz")]
    fn nothing_is_made_up(#[case] before: &str) {
        assert_eq!(completions(before), []);
    }

    #[test]
    fn what_okta_refuses_is_not_offered() {
        assert!(FIELDS.iter().all(|(field, _)| *field != "published" && !field.contains("changeDetails")));
    }

    proptest! {
        #[test]
        fn any_text_may_be_before_the_cursor(before in ".*") {
            for completion in completions(&before) {
                prop_assert!(completion.before.ends_with(' '));
            }
        }
    }
}
