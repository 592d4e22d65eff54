//! Which records are asked for.

use crate::config::meant::LogFilter;
use crate::domain::log::literal;
use crate::source::loose::{self, Object};
use serde_json::value::RawValue;
use std::collections::BTreeSet;

/// The store's setting with the IAM configuration: a list of objects, each with an `ApplicationID`.
pub const IAM_CONFIGURATION: &str = "iam-configuration";

/// The filter of a source, in Okta's grammar; `None` asks for everything.
///
/// # Errors
/// [`NoApplication`] where it is to be made from applications and there is none: asking for everything
/// instead is not what was meant.
pub fn of(filter: &LogFilter, iam_configuration: Option<&str>) -> Result<Option<String>, NoApplication> {
    match filter {
        LogFilter::Everything => Ok(None),
        LogFilter::Said(text) => Ok(Some(text.clone())),
        LogFilter::OfApplications(ids) => {
            let known = iam_configuration.map(applications).unwrap_or_default();
            of_applications(ids.iter().cloned().chain(known)).map(Some).ok_or(NoApplication)
        }
    }
}

/// Nothing to make a filter from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "no application is configured: neither the source's `applications` nor the IAM configuration in the store names one\nhint: `applications = [\"0oa…\"]`, or leave it out for every record"
)]
pub struct NoApplication;

/// The records about who may use applications, and about changed profiles. The latter have no application
/// among their targets, so they are an alternative of their own. The order of the ids changes nothing.
pub fn of_applications(ids: impl IntoIterator<Item = String>) -> Option<String> {
    let ids: BTreeSet<String> = ids.into_iter().collect();
    let targets: Vec<String> = ids.iter().map(|id| format!("target.id eq {}", literal(id))).collect();
    (!targets.is_empty()).then(|| {
        format!(
            "((eventType eq \"application.user_membership.add\" or eventType eq \
             \"application.user_membership.remove\") and ({})) or eventType eq \"user.account.update_profile\"",
            targets.join(" or ")
        )
    })
}

/// The applications of an IAM configuration, in its own list or under `IAMConfiguration`. What is of
/// another shape names none.
pub fn applications(iam_configuration: &str) -> Vec<String> {
    let list = Object::parse(iam_configuration).ok().map(|object| object.items("IAMConfiguration"));
    let list: Vec<&RawValue> =
        list.or_else(|| serde_json::from_str(iam_configuration).ok()).unwrap_or_default();
    list.into_iter().filter_map(|entry| loose::object(entry)?.text("ApplicationID")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const OF_A_AND_B: &str = "((eventType eq \"application.user_membership.add\" or eventType eq \
        \"application.user_membership.remove\") and (target.id eq \"0oaA\" or target.id eq \"0oaB\")) or \
        eventType eq \"user.account.update_profile\"";

    #[rstest]
    #[case(&["0oaA", "0oaB"], None, Some(OF_A_AND_B))]
    #[case(&["0oaB", "0oaA", "0oaB"], None, Some(OF_A_AND_B))]
    #[case(&["0oaA"], Some(r#"[{"ApplicationID":"0oaB","Name":"b","Logo":null}]"#), Some(OF_A_AND_B))]
    #[case(&[], Some(r#"[{"ApplicationID":"0oaB"},{"ApplicationID":"0oaA"},{"Name":"c"},7]"#), Some(OF_A_AND_B))]
    #[case(&[], Some(r#"{"IAMConfiguration":[{"ApplicationID":"0oaA"},{"ApplicationID":"0oaB"}]}"#), Some(OF_A_AND_B))]
    #[case(&["0oaA", "0oaB"], Some("no JSON"), Some(OF_A_AND_B))]
    #[case(&[], None, None)]
    #[case(&[], Some("[]"), None)]
    #[case(&[], Some("{}"), None)]
    #[case(&[], Some("null"), None)]
    fn a_filter_is_made_from_applications(
        #[case] ids: &[&str],
        #[case] iam: Option<&str>,
        #[case] expected: Option<&str>,
    ) {
        let ids = LogFilter::OfApplications(ids.iter().map(|id| (*id).to_owned()).collect());
        let made = of(&ids, iam);
        assert_eq!(made.ok().flatten().as_deref(), expected);
    }

    #[test]
    fn ids_are_texts_of_the_grammar() {
        let made = of_applications(["a\"b\\c".to_owned()]).unwrap();
        assert!(made.contains(r#"(target.id eq "a\"b\\c")"#), "{made}");
        assert!(!made.contains(" co "), "{made}");
    }

    #[test]
    fn what_is_said_is_asked_and_nothing_said_is_everything() {
        let said = LogFilter::Said("eventType sw \"user\"".to_owned());
        assert_eq!(of(&said, Some("[]")), Ok(Some("eventType sw \"user\"".to_owned())));
        assert_eq!(of(&LogFilter::Everything, Some(r#"[{"ApplicationID":"0oaB"}]"#)), Ok(None));
        let error = of(&LogFilter::OfApplications(Vec::new()), None).unwrap_err();
        assert!(error.to_string().contains("\nhint: "), "{error}");
    }
}
