//! The documented sample records: what a flow is tried with.
//!
//! They are the vendors' own, as published, so that a flow meets just what it was built against. They name ids
//! that are nobody's here, as far as that can be found out; a flow that is live acts on whatever they name.

use super::{PayloadError, fields, ispm};
use crate::domain::flow::{Flow, PayloadShape};
use crate::domain::{Login, Untrusted};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The flat record of an on-demand issue: the 22 fields.
pub const FLAT: &str = r#"{
"eventId": "f73a7741-6980-4d44-b0bf-13a2fa7ac556",
"eventTimestamp": "2024-06-09T14:56:58Z",
"eventSource": "Okta ISPM",
"eventType": "issue.onDemand",
"issueId": "Alert_V32uL3CHijlQYHq-uqTkqWOXSJ8~",
"issueCategory": "Least Privilege",
"issueSeverity": "High",
"issueTitle": "Unused Admin Account",
"issueFullDescription": "Admin Accounts not logged in interactively for 91 days.",
"issueShortDescription": "Admin Accounts not logged in interactively for 91 days.",
"issueDetectedAt": "2024-06-18",
"issueSuggestedRemediation": "Assess the essentiality of listed accounts; disable or suspend as necessary.",
"issueRiskAndImpact": "Unused, unmonitored accounts attract threat actors for gaining initial access or elevated permissions.",
"issueLink": "https://{your-ISPM-url}/issues/Alert_V32uL3CHijlQYHq-uqTkqWOXSJ8~",
"entityId": "Account_Q1SMRm3vfzomaZwevHIoL9kVhWU~",
"entityIdInService": "00ktw0utvzPBXxny16x7",
"entityType": "Account",
"entityDisplayName": "john.smith@okta.com",
"entitySourceProductName": "Okta",
"entitySourceProductTenant": "example.okta.com",
"additionalDataTypes": "Admin, Super admin",
"additionalDataLastLogin": "03/28/2024"
}"#;

/// The nested record of a webhook: the documented account in its envelope, which is documented by its names; its
/// texts are those of the flat record.
pub const NESTED: &str = r#"{"id":"f73a7741-6980-4d44-b0bf-13a2fa7ac556","timestamp":"2024-06-09T14:56:58Z","source":"Okta ISPM",
"type":"issue.created","eventData":{"id":"Alert_V32uL3CHijlQYHq-uqTkqWOXSJ8~","category":"Least Privilege","severity":"High",
"title":"Unused Admin Account","fullDescription":"Admin Accounts not logged in interactively for 91 days.",
"shortDescription":"Admin Accounts not logged in interactively for 91 days.","detectedAt":"2024-06-18",
"suggestedRemediation":"Assess the essentiality of listed accounts; disable or suspend as necessary.",
"riskAndImpact":"Unused, unmonitored accounts attract threat actors for gaining initial access or elevated permissions.",
"affectedEntity":
{"id":"a1b2c3d4-e5f6-7890-abcd-ef1234567890","type":"Account","displayName":"Ali Lesch","identifierInService":"ali.lesch@example.com",
 "sourceProductName":"Okta","sourceProductTenant":"Example Corp","additionalData":{"username":"ali.lesch@example.com",
 "types":[{"type":"Admin","reasons":["Member of Org Admins group"]}],"lastLogin":"2025-05-04T18:22:00Z","unrotatedTokens":[{
 "type":"API Token","methodName":"ali_api_key","createdAt":"2025-05-05T09:03:03Z","lastUsed":"2025-05-05T10:06:46Z",
 "lastRotated":"2025-05-05T09:03:03Z","nextRotation":null,"expires":"2026-05-04T00:00:00Z"}]}}}}"#;

/// What Cisco Identity Intelligence posts to test a webhook.
pub const CII: &str = r#"{"version":"0","id":"abf0607d-3856-b397-5138-0131ec1b63d7","detail-type":"WebhookTest",
 "source":"11111111-2222-3333-4444-555555555555__66666666","account":"000000000000","time":"2023-08-08T13:27:22Z",
 "region":"us-east-2","resources":[],"detail":{"id":"11111111-2222-3333-4444-555555555555",
 "checkId":"oort-test-check-id","title":"OORT Failing Check Event Test","description":["description1","description2"],
 "recommendedActions":["action1","action2"],"severity":"critical",
 "usersFailing":["user1@example.com","user2@example.com"],"published":"2023-08-08T13:27:22.416Z"}}"#;

/// A body made of a documented sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The body.
    pub body: String,
    /// Who goes by it: the login of the record.
    pub login: Login,
    /// The id that a flow acts on, where the record names one.
    pub id: Option<Untrusted>,
    /// Everything in it by which a flow could find an account.
    pub names: Vec<&'static str>,
}

/// Who goes by the sample of a shape of body; `None` where there is no sample of it.
pub fn login(shape: PayloadShape) -> Option<&'static str> {
    match shape {
        PayloadShape::IspmFlat | PayloadShape::Fields => Some("john.smith@okta.com"),
        PayloadShape::IspmNested => Some("ali.lesch@example.com"),
        PayloadShape::CiiEvent => Some("user1@example.com"),
        PayloadShape::OktaProfile | PayloadShape::Nothing => None,
    }
}

/// The sample that a flow is tried with. Declared inputs that are fields of it are filled in from it; the flow's
/// own want a value, as always.
///
/// # Errors
/// As the body of a run; and [`PayloadError::NoSample`] for what is no flow of Workflows.
pub fn sample(flow: &Flow, extra: &BTreeMap<String, String>) -> Result<Sample, PayloadError> {
    fields::check_names(flow, extra)?;
    let login = login(flow.payload).ok_or_else(|| PayloadError::NoSample { flow: flow.id.clone() })?;
    let (body, id, names) = match flow.payload {
        PayloadShape::IspmNested => (NESTED.to_owned(), Some(login), vec![login]),
        PayloadShape::CiiEvent => (CII.to_owned(), None, vec![login, "user2@example.com"]),
        PayloadShape::Fields => (fields::of(flow, extra, &known(login))?, Some(ID), vec![ID, login]),
        _ => (FLAT.to_owned(), Some(ID), vec![ID, login]),
    };
    Ok(Sample { body, login: Login::new(login), id: id.map(Untrusted::from), names })
}

/// The id in the flat record.
const ID: &str = "00ktw0utvzPBXxny16x7";

fn known(login: &str) -> Map<String, Value> {
    let mut known = ispm::flat_fields(FLAT);
    known.insert("login".to_owned(), login.into());
    known
}

#[cfg(test)]
mod tests {
    use super::super::FIELDS;
    use super::*;
    use crate::domain::flow::{Input, InputType};
    use crate::domain::{operation::Operation, payload, preset};
    use rstest::rstest;

    fn with(shape: PayloadShape) -> Flow {
        Flow { payload: shape, ..preset::flow("suspend-okta-account").unwrap() }
    }

    fn of(flow: &Flow) -> Sample {
        sample(flow, &BTreeMap::new()).unwrap()
    }

    #[rstest]
    #[case(PayloadShape::IspmFlat, Some("00ktw0utvzPBXxny16x7"))]
    #[case(PayloadShape::IspmNested, Some("ali.lesch@example.com"))]
    fn a_sample_is_a_record_of_its_shape(#[case] shape: PayloadShape, #[case] id: Option<&str>) {
        let sample = of(&with(shape));
        let (login, entity) = payload::record_entity(&sample.body).unwrap();
        assert_eq!((&login, sample.id.as_ref().map(Untrusted::raw)), (&sample.login, id));
        assert_eq!(entity.accounts[0].user_id, sample.id.unwrap());
        assert!(sample.names.iter().all(|name| sample.body.contains(name)), "{:?}", sample.names);
    }

    #[test]
    fn the_flat_one_has_the_22_in_their_order() {
        let flat: Value = serde_json::from_str(FLAT).unwrap();
        let names: Vec<&str> = flat.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, FIELDS.map(|(name, _)| name));
    }

    #[test]
    fn that_of_cii_says_itself_that_it_is_a_test() {
        let sample = of(&with(PayloadShape::CiiEvent));
        let event: Value = serde_json::from_str(&sample.body).unwrap();
        assert_eq!(event["detail-type"], "WebhookTest");
        assert_eq!(event["detail"]["usersFailing"], serde_json::json!(sample.names));
        assert_eq!(sample.id, None);
    }

    #[test]
    fn declared_inputs_are_filled_in_from_it() {
        let input = |name: &str| Input::new(name, InputType::Text);
        let inputs = vec![input("login"), input("entityIdInService"), input("ticket")];
        let flow = Flow { inputs, ..with(PayloadShape::Fields) };
        let missing = sample(&flow, &BTreeMap::new()).unwrap_err();
        assert!(matches!(missing, PayloadError::Missing { input, .. } if input == "ticket"));
        let extra = [("ticket".to_owned(), "T1".to_owned())].into();
        let body = sample(&flow, &extra).unwrap().body;
        let expected =
            r#"{"login":"john.smith@okta.com","entityIdInService":"00ktw0utvzPBXxny16x7","ticket":"T1"}"#;
        assert_eq!(body, expected);
        let undeclared = sample(&with(PayloadShape::IspmFlat), &extra).unwrap_err();
        assert!(matches!(undeclared, PayloadError::Undeclared { .. }));
    }

    #[test]
    fn an_operation_of_oktas_own_has_none() {
        let none = sample(&Operation::Suspend.flow(), &BTreeMap::new()).unwrap_err();
        assert!(matches!(none, PayloadError::NoSample { .. }), "{none}");
    }
}
