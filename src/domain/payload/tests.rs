use super::*;
use crate::domain::event::{Event, EventId, EventKind};
use crate::domain::flow::{EntityKind, Input, InputType, Product};
use crate::domain::{FindingId, FindingState, Login, preset};
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

const FLAT: &str = r#"{"eventId":"f73a7741-6980-4d44-b0bf-13a2fa7ac556","eventTimestamp":"2024-06-09T14:56:58Z","eventSource":"Okta ISPM","eventType":"issue.onDemand","issueId":"Alert_V32uL3CHijlQYHq-uqTkqWOXSJ8~","issueCategory":"Least Privilege","issueSeverity":"High","issueTitle":"Unused Admin Account","issueFullDescription":"Admin Accounts not logged in interactively for 91 days.","issueShortDescription":"Admin Accounts not logged in interactively for 91 days.","issueDetectedAt":"2024-06-18","issueSuggestedRemediation":"Assess the essentiality of listed accounts; disable or suspend as necessary.","issueRiskAndImpact":"Unused, unmonitored accounts attract threat actors for gaining initial access or elevated permissions.","issueLink":"https://{your-ISPM-url}/issues/Alert_V32uL3CHijlQYHq-uqTkqWOXSJ8~","entityId":"Account_Q1SMRm3vfzomaZwevHIoL9kVhWU~","entityIdInService":"00ktw0utvzPBXxny16x7","entityType":"Account","entityDisplayName":"john.smith@okta.com","entitySourceProductName":"Okta","entitySourceProductTenant":"example.okta.com","additionalDataTypes":"Admin, Super admin","additionalDataLastLogin":"03/28/2024"}"#;

const NESTED: &str = r#"{"id":"e1","timestamp":"2025-06-09T14:56:58Z","source":"Okta ISPM","type":"issue.created","eventData":{"id":"i1","category":"Least Privilege","severity":"High","title":"Unused Admin Account","fullDescription":"long","shortDescription":"short","detectedAt":"2025-06-01T00:00:00Z","suggestedRemediation":"suspend","affectedEntity":{"id":"a1b2","type":"Account","displayName":"Ali Lesch","identifierInService":"ali.lesch@example.com","sourceProductName":"Okta","sourceProductTenant":"Example Corp","additionalData":{"username":"ali.lesch@example.com","types":[{"type":"Admin","reasons":["x"]}],"lastLogin":"2025-05-04T18:22:00Z"}}}}"#;

const CII: &str = r#"{"version":"0","id":"env","detail-type":"FAILED_CHECK","source":"t__1","time":"2024-07-24T14:25:28Z","detail":{"id":"d1","checkId":"no-mfa","title":"No MFA Configured","severity":"critical","published":"2024-07-24T14:25:28.589Z","usersFailing":["test@example.com","Ann@Example.com","hrms.serviceuser"],"description":["..."],"recommendedActions":["..."],"loginDetails":[{"login":"test@example.com","details":[{"key":"k","value":"theirs"}]},{"login":"ann@example.com","details":[{"key":"k","value":"mine"}]}],"affected":{"people":["hrms.serviceuser",{"login":"TEST@example.com","x":1}]}}}"#;

fn at() -> Timestamp {
    "2026-02-03T04:05:06Z".parse().unwrap()
}

fn suspend() -> Flow {
    Flow { tenant: "example.okta.com".into(), ..preset::flow("suspend-okta-account").unwrap() }
}

fn router() -> Flow {
    preset::flow("ispm-event-hook").unwrap()
}

fn subject(login: &str) -> Subject {
    Subject {
        login: Login::new(login),
        cii_id: Some("cii-1".into()),
        last_login: Some("2024-03-28T10:00:00Z".parse().unwrap()),
        ..Default::default()
    }
}

fn account(id: &str) -> ProviderAccount {
    ProviderAccount { provider: "OKTA".into(), user_id: id.into(), login: Login::new("ann@example.com") }
}

fn finding() -> Finding {
    Finding {
        id: FindingId(7),
        login: Login::new("ann@example.com"),
        check: Check { id: "no-mfa".into(), title: "No MFA Configured".into() },
        severity: Severity::High,
        state: FindingState::Open,
        assignee: None,
        disposition: None,
        closed_at: None,
        first_seen: at(),
        last_seen: at(),
        times: 1,
        version: 1,
    }
}

fn event(raw: Option<&str>) -> EventDetail {
    EventDetail {
        event: Event {
            id: EventId(3),
            kind: if [None, Some(CII)].contains(&raw) { EventKind::FailedCheck } else { EventKind::Issue },
            source: "cii-webhook".into(),
            source_event_id: Some("d1".into()),
            check: finding().check,
            severity: Severity::Unknown,
            severity_raw: "weird".into(),
            user_count: 1,
            first_users: vec![],
            times: 1,
            published: Some("2024-07-24T14:25:28Z".parse().unwrap()),
            received: at(),
            findings: Default::default(),
            tags: Vec::new(),
        },
        description: vec!["one".into(), "two".into()],
        recommended_actions: vec!["enrol".into(), "ask".into()],
        reference_url: Some("https://cii.example/1".into()),
        raw: raw.map(str::to_owned),
    }
}

struct Case {
    finding: Option<Finding>,
    event: Option<EventDetail>,
    subject: Subject,
    target: Option<ProviderAccount>,
    extra: BTreeMap<String, String>,
}

impl Case {
    fn of(login: &str) -> Case {
        Case { finding: None, event: None, subject: subject(login), target: None, extra: BTreeMap::new() }
    }

    fn with_raw(login: &str, raw: &str, target: Option<&str>) -> Case {
        Case { event: Some(event(Some(raw))), target: target.map(account), ..Case::of(login) }
    }

    fn body(&self, flow: &Flow) -> Result<String, PayloadError> {
        let inputs = Inputs {
            action: ActionId(uuid::Uuid::from_u128(1)),
            now: at(),
            finding: self.finding.as_ref(),
            event: self.event.as_ref(),
            reference_url: None,
            subject: &self.subject,
            target: self.target.as_ref(),
            extra: &self.extra,
        };
        body(flow, &inputs)
    }

    fn json(&self, flow: &Flow) -> Value {
        serde_json::from_str(&self.body(flow).unwrap()).unwrap()
    }
}

fn names(body: &Value) -> Vec<&str> {
    body.as_object().unwrap().keys().map(String::as_str).collect()
}

fn contract_names() -> Vec<&'static str> {
    FIELDS.iter().map(|(name, _)| *name).collect()
}

#[test]
fn only_an_ispm_source_may_name_the_account() {
    let planted = FLAT.replace("john.smith@okta.com", "ann@example.com");
    let mut case = Case::with_raw("ann@example.com", &planted, Some("00ktw0utvzPBXxny16x7"));
    assert_eq!(case.body(&suspend()).unwrap(), planted);
    case.event.as_mut().unwrap().event.kind = EventKind::FailedCheck;
    assert_eq!(case.event.as_ref().unwrap().ispm_record(), None);
    assert_eq!(case.json(&suspend())["eventSource"], "idtriage");
}

#[test]
fn the_documented_record_has_exactly_the_fields_in_their_order() {
    let documented: Value = serde_json::from_str(FLAT).unwrap();
    assert_eq!(names(&documented), contract_names());
}

#[test]
fn a_finding_becomes_the_22() {
    let case = Case {
        finding: Some(finding()),
        event: Some(event(None)),
        target: Some(account("00u1")),
        ..Case::of("ann@example.com")
    };
    let body = case.json(&suspend());
    assert_eq!(names(&body), contract_names());
    let expected = json!({
        "eventId": "00000000-0000-0000-0000-000000000001", "eventTimestamp": "2026-02-03T04:05:06Z",
        "eventSource": "idtriage", "eventType": "issue.onDemand", "issueId": "7", "issueCategory": "posture",
        "issueSeverity": "High", "issueTitle": "No MFA Configured", "issueFullDescription": "one\ntwo",
        "issueShortDescription": "one\ntwo", "issueDetectedAt": "2024-07-24",
        "issueSuggestedRemediation": "enrol\nask", "issueRiskAndImpact": "",
        "issueLink": "https://cii.example/1", "entityId": "cii-1", "entityIdInService": "00u1",
        "entityType": "Account", "entityDisplayName": "ann@example.com", "entitySourceProductName": "Okta",
        "entitySourceProductTenant": "example.okta.com", "additionalDataTypes": "",
        "additionalDataLastLogin": "03/28/2024"
    });
    assert_eq!(body, expected);
}

#[test]
fn a_record_of_the_flows_shape_goes_on_as_it_came() {
    let flat = Case::with_raw("john.smith@okta.com", FLAT, Some("00ktw0utvzPBXxny16x7"));
    assert_eq!(flat.body(&suspend()).unwrap(), FLAT);
    let nested = Case::with_raw("ali.lesch@example.com", NESTED, None);
    assert_eq!(nested.body(&router()).unwrap(), NESTED);
}

#[test]
fn a_record_of_another_account_or_login_never_goes_on() {
    let other_account = Case::with_raw("john.smith@okta.com", FLAT, Some("00u2"));
    assert_eq!(other_account.json(&suspend())["entityIdInService"], "00u2");
    let other_login = Case::with_raw("ann@example.com", FLAT, Some("00ktw0utvzPBXxny16x7"));
    assert_eq!(other_login.json(&suspend())["entityDisplayName"], "ann@example.com");
    let entra = Flow { product: Some(Product::Aad), ..suspend() };
    let other_product = Case::with_raw("john.smith@okta.com", FLAT, Some("00ktw0utvzPBXxny16x7"));
    assert_eq!(other_product.json(&entra)["entitySourceProductName"], "AAD");
}

#[test]
fn the_other_shape_is_mapped() {
    let nested = Case::with_raw("ali.lesch@example.com", NESTED, Some("ali.lesch@example.com"));
    let flat = nested.json(&suspend());
    assert_eq!(names(&flat), contract_names());
    for (name, value) in [
        ("eventId", "e1"),
        ("issueDetectedAt", "2025-06-01"),
        ("issueRiskAndImpact", ""),
        ("issueLink", ""),
        ("entityIdInService", "ali.lesch@example.com"),
        ("additionalDataTypes", "Admin"),
        ("additionalDataLastLogin", "05/04/2025"),
    ] {
        assert_eq!(flat[name], value, "{name}");
    }
    let mapped = Case::with_raw("john.smith@okta.com", FLAT, None).json(&router());
    let entity = &mapped["eventData"]["affectedEntity"];
    assert_eq!(entity["idInService"], "00ktw0utvzPBXxny16x7");
    assert_eq!(entity["identifierInService"], entity["idInService"]);
    assert_eq!(entity["additionalData"]["types"], json!([{"type": "Admin"}, {"type": "Super admin"}]));
    assert_eq!(entity["additionalData"]["lastLogin"], "2024-03-28T00:00:00Z");
}

#[test]
fn without_an_id_the_login_goes_only_where_the_card_takes_one() {
    assert_eq!(Case::of("ann").json(&suspend())["entityIdInService"], "ann");
    let strict = Flow { takes_login: false, ..suspend() };
    assert!(matches!(Case::of("ann").body(&strict), Err(PayloadError::NoTarget { .. })));
    let nested = Case::of("ann").json(&router());
    assert_eq!(nested["eventData"]["affectedEntity"]["identifierInService"], "");
}

#[test]
fn an_unheard_of_severity_keeps_its_word() {
    let case = Case { event: Some(event(None)), ..Case::of("ann") };
    assert_eq!(case.json(&suspend())["issueSeverity"], "Weird");
}

#[test]
fn the_cii_envelope_names_this_login_alone() {
    let flow = Flow { payload: PayloadShape::CiiEvent, ..router() };
    let text = Case::with_raw("ann@example.com", CII, None).body(&flow).unwrap();
    assert!(
        !text.to_lowercase().contains("test@") && !text.contains("hrms") && !text.contains("theirs"),
        "{text}"
    );
    let body: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(body["detail"]["usersFailing"], json!(["ann@example.com"]));
    assert_eq!(body["detail"]["loginDetails"][0]["details"][0]["value"], "mine");
    assert_eq!((&body["id"], &body["detail"]["checkId"]), (&json!("env"), &json!("no-mfa")));
}

#[test]
fn what_is_said_of_another_single_user_does_not_go_on() {
    let raw = r#"{"detail":{"checkId":"c","login":"bob","userTrustLevel":"LOW","explainabilityDetails":[{"key":"userTitle","value":"CEO"}],"loginDetails":{"odd":"bob"}}}"#;
    let flow = Flow { payload: PayloadShape::CiiEvent, ..router() };
    let text = Case::with_raw("ann", raw, None).body(&flow).unwrap();
    assert!(!text.contains("bob") && !text.contains("CEO") && !text.contains("LOW"), "{text}");
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["detail"]["login"], "ann");
}

#[rstest]
#[case(None)]
#[case(Some("not json"))]
#[case(Some(FLAT))]
fn without_a_cii_event_the_envelope_is_made(#[case] raw: Option<&str>) {
    let flow = Flow { payload: PayloadShape::CiiEvent, ..router() };
    let case = Case { finding: Some(finding()), event: Some(event(raw)), ..Case::of("ann") };
    let body = case.json(&flow);
    assert_eq!(body["detail"]["usersFailing"], json!(["ann"]));
    assert_eq!(body["detail"]["checkId"], "no-mfa");
    assert_eq!(body["detail"]["published"], "2024-07-24T14:25:28.000Z");
}

fn declared(name: &str, kind: InputType, value: Option<&str>) -> Input {
    Input { value: value.map(str::to_owned), ..Input::new(name, kind) }
}

fn fields(inputs: Vec<Input>) -> Flow {
    Flow { payload: PayloadShape::Fields, inputs, ..router() }
}

#[test]
fn declared_inputs_are_typed_and_filled() {
    let flow = fields(vec![
        declared("login", InputType::Text, None),
        declared("days", InputType::Number, None),
        declared("notify", InputType::Boolean, Some("false")),
        declared("until", InputType::DateTime, None),
        declared("issueTitle", InputType::Text, None),
    ]);
    let extra = [("days", " 30 "), ("until", "2026-01-31T09:00:00+01:00")];
    let extra = extra.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let case = Case { finding: Some(finding()), extra, ..Case::of("ann") };
    let expected = r#"{"login":"ann","days":30,"notify":false,"until":"2026-01-31T08:00:00.000Z","issueTitle":"No MFA Configured"}"#;
    assert_eq!(case.body(&flow).unwrap(), expected);
}

#[rstest]
#[case(InputType::Number, "many", "wants a number, not `many`")]
#[case(InputType::Number, "1e999", "wants a number")]
#[case(InputType::Boolean, "yes", "wants `true` or `false`")]
#[case(
    InputType::DateTime,
    "tomorrow\u{1b}",
    "RFC 3339 time such as `2026-01-31T09:00:00Z`, not `tomorrow<U+001B>`"
)]
fn a_wrong_value_names_its_input(#[case] kind: InputType, #[case] value: &str, #[case] phrase: &str) {
    let extra = [("x".to_owned(), value.to_owned())].into();
    let error = Case { extra, ..Case::of("ann") }.body(&fields(vec![declared("x", kind, None)])).unwrap_err();
    assert!(error.to_string().contains("input `x`") && error.to_string().contains(phrase), "{error}");
}

#[test]
fn missing_undeclared_and_fixed_inputs_are_errors() {
    let flow = fields(vec![declared("x", InputType::Text, None), declared("y", InputType::Text, Some("1"))]);
    let with = |name: &str| Case { extra: [(name.to_owned(), "v".to_owned())].into(), ..Case::of("ann") };
    assert!(matches!(Case::of("ann").body(&flow), Err(PayloadError::Missing { input, .. }) if input == "x"));
    assert!(matches!(with("y").body(&flow), Err(PayloadError::Fixed { .. })));
    assert!(matches!(with("z").body(&flow), Err(PayloadError::Undeclared { .. })));
    assert!(matches!(with("z").body(&suspend()), Err(PayloadError::Undeclared { .. })));
}

/// Who is acted on is whom the card, the guard and the journal speak of, whatever is said of it elsewhere.
#[rstest]
#[case("login", "ann")]
#[case("entityIdInService", "00u1")]
#[case("entityDisplayName", "ann")]
fn nobody_says_who_is_meant_beside_the_card(#[case] name: &str, #[case] known: &str) {
    let given = |flow: &Flow| {
        let extra = [(name.to_owned(), "00u-somebody-else".to_owned())].into();
        Case { extra, target: Some(account("00u1")), ..Case::of("ann") }.body(flow)
    };
    let flow = fields(vec![declared(name, InputType::Text, None)]);
    assert!(matches!(given(&flow), Err(PayloadError::Whom { input, .. }) if input == name));
    // Nor does a configuration: one that was made by hand is not asked.
    let fixed = fields(vec![declared(name, InputType::Text, Some("00u-somebody-else"))]);
    let body = Case { target: Some(account("00u1")), ..Case::of("ann") }.json(&fixed);
    assert_eq!(body[name], known);
}

#[test]
fn a_record_names_its_account() {
    let (login, flat) = record_entity(FLAT).unwrap();
    let account = &flat.accounts[0];
    assert_eq!((account.user_id.raw(), login.raw()), ("00ktw0utvzPBXxny16x7", "john.smith@okta.com"));
    assert_eq!(record_entity(NESTED).unwrap().1.accounts[0].provider.raw(), "Okta");
    assert_eq!(record_entity(CII), None);
    assert_eq!(record_entity("{"), None);
}

const GRANT: &str = r#"{"id":"e6","type":"issue.created","eventData":{"id":"i6","title":"Overprivileged Agent","affectedEntity":{"id":"e3","type":"OAuth Grant","displayName":"Agent to Drive","identifierInService":"grant-1","sourceProductName":"Google Workspace","additionalData":{"clientApp":{"displayName":"Agent"},"resourceApp":"Drive"}}}}"#;

#[test]
fn what_is_no_account_goes_only_where_it_is_taken() {
    let grant = Case::with_raw("grant-1", GRANT, None);
    assert_eq!(grant.body(&router()).unwrap(), GRANT, "a router takes any issue, as it came");
    let google = preset::flow("suspend-google-workspace-user").unwrap();
    assert!(matches!(grant.body(&google), Err(PayloadError::NoTarget { .. })));
    // Not even where an account of that very id was chosen.
    let chosen = ProviderAccount { provider: "G_SUITE".into(), ..account("grant-1") };
    let body = Case { target: Some(chosen), ..grant }.json(&google);
    assert_eq!((&body["entityType"], &body["eventSource"]), (&json!("Account"), &json!("idtriage")));
    let takes = Flow {
        entity: Some(EntityKind::OauthGrant),
        payload: PayloadShape::IspmNested,
        ..preset::flow("suspend-google-workspace-user").unwrap()
    };
    assert_eq!(Case::with_raw("grant-1", GRANT, None).body(&takes).unwrap(), GRANT);
    let of_okta = Flow { product: Some(Product::Okta), ..takes };
    assert!(Case::with_raw("grant-1", GRANT, None).body(&of_okta).is_err(), "another product's grant");
}

/// What the card shows is what every reader of the body finds, by whichever name it reads the account.
#[rstest]
#[case::one_name(json!({"identifierInService": "00u1"}), json!({}), true)]
#[case::the_other_name(json!({"idInService": "00u1"}), json!({}), true)]
#[case::both_say_the_same(json!({"identifierInService": "00u1", "idInService": "00u1"}), json!({}), true)]
#[case::they_differ(json!({"identifierInService": "00u1", "idInService": "00u2"}), json!({}), false)]
#[case::the_templates_is_empty(json!({"identifierInService": "00u1", "idInService": ""}), json!({}), false)]
#[case::the_templates_is_no_text(json!({"identifierInService": "00u1", "idInService": ["00u2"]}), json!({}), false)]
#[case::the_flat_field_beside_it_differs(json!({"idInService": "00u1"}), json!({"entityIdInService": "00u2"}), false)]
#[case::the_flat_field_beside_it_agrees(json!({"idInService": "00u1"}), json!({"entityIdInService": "00u1"}), true)]
#[case::another_product_beside_it(json!({"idInService": "00u1"}), json!({"entitySourceProductName": "AAD"}), false)]
fn a_nested_issue_goes_on_as_it_came_only_if_all_its_names_are_of_one_account(
    #[case] ids: Value,
    #[case] beside: Value,
    #[case] as_it_came: bool,
) {
    let mut issue: Value = serde_json::from_str(NESTED).unwrap();
    let entity = issue["eventData"]["affectedEntity"].as_object_mut().unwrap();
    entity.remove("identifierInService");
    entity.extend(ids.as_object().unwrap().clone());
    issue.as_object_mut().unwrap().extend(beside.as_object().unwrap().clone());
    let raw = issue.to_string();
    let shown = &record_entity(&raw).unwrap().1.accounts[0];
    assert_eq!((shown.user_id.raw(), shown.provider.raw()), ("00u1", "Okta"));
    let body = Case::with_raw("ali.lesch@example.com", &raw, Some("00u1")).body(&router()).unwrap();
    assert_eq!(body == raw, as_it_came, "{body}");
    assert!(!body.contains("00u2") && !body.contains("AAD"), "{body}");
    // Nothing else of it is another, and no name is added.
    let said: Value = serde_json::from_str(&body).unwrap();
    let entity = &said["eventData"]["affectedEntity"];
    for name in ids.as_object().unwrap().keys() {
        assert_eq!(entity[name], "00u1", "{name}");
    }
    assert_eq!(
        (&said["id"], &entity["additionalData"]),
        (&json!("e1"), &issue["eventData"]["affectedEntity"]["additionalData"])
    );
}

#[test]
fn the_same_id_in_another_product_is_another_account() {
    let entra = ProviderAccount { provider: "AZURE_AD".into(), ..account("ali.lesch@example.com") };
    let case = Case { target: Some(entra), ..Case::with_raw("ali.lesch@example.com", NESTED, None) };
    let body = case.json(&router());
    let entity = &body["eventData"]["affectedEntity"];
    assert_eq!((&body["source"], &entity["sourceProductName"]), (&json!("idtriage"), &json!("AAD")));
}

proptest! {
    #[test]
    fn always_the_22_and_all_text(
        login in any::<String>(), id in any::<Option<String>>(), raw in any::<Option<String>>(),
        title in any::<String>(), has_finding in any::<bool>(), texts in proptest::collection::vec(any::<String>(), 0..3),
    ) {
        let mut detail = event(raw.as_deref());
        detail.event.check.title = title.into();
        detail.description = texts.into_iter().map(Untrusted::from).collect();
        let case = Case {
            finding: has_finding.then(finding),
            event: Some(detail),
            target: id.as_deref().map(account),
            ..Case::of(&login)
        };
        let body = case.json(&suspend());
        prop_assert_eq!(names(&body), contract_names());
        prop_assert!(body.as_object().unwrap().values().all(Value::is_string));
    }

    #[test]
    fn any_json_as_an_event_is_survived(raw in "[\\[\\]{}\":,a-z0-9]{0,60}") {
        for shape in [PayloadShape::IspmFlat, PayloadShape::IspmNested, PayloadShape::CiiEvent] {
            let flow = Flow { payload: shape, ..router() };
            let text = Case::with_raw("ann", &raw, None).body(&flow).unwrap();
            prop_assert!(serde_json::from_str::<Value>(&text).unwrap().is_object());
        }
    }
}
