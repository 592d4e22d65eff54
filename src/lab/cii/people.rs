//! The same person in the five shapes that the API shows.
use super::queries::moment;
use crate::lab::population::{Device, Person, places};
use crate::lab::world::{World, lock};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// List items carry at most so many groups.
const GROUPS: usize = 10;

/// `EndUserState`: the summary.
pub(super) fn state(world: &World, person: &Person, drifted: bool) -> Value {
    let employee_id = match (drifted, person.employee_ids.first()) {
        (true, first) => json!(first),
        (false, None) => Value::Null,
        (false, Some(_)) => json!(person.employee_ids),
    };
    json!({
        "id": person.cii_id, "displayName": person.name(), "login": person.login, "employeeId": employee_id,
        "status": status(person, drifted), "userTypeClassification": person.class, "managerLogin": person.manager,
        "ipAddresses": person.addresses.iter().map(|address| address_info(address)).collect::<Vec<_>>(),
        "phoneNumber": person.phone, "unusedApplications": some(&person.unused_apps),
        "usedApplications": some(&person.used_apps), "usedFactors": used_factors(person),
        "referenceUrl": reference_url(world, person), "registeredLocationDetails": registered(person),
        "workingLocationDetails": working(person),
    })
}

/// `EndUserRef`: what `getEndUsersByIp` tells.
pub(super) fn reference(world: &World, person: &Person) -> Value {
    json!({
        "id": person.cii_id, "displayName": person.name(), "login": person.login,
        "referenceUrl": reference_url(world, person),
    })
}

/// `AdminLogin`.
pub(super) fn admin(person: &Person) -> Value {
    json!({"login": person.login, "displayName": person.display, "lastSignIn": last_sign_in(person)})
}

/// `PublicEndUser`: the only shape with a trust level, and with a name that may be missing.
pub(super) fn listed(world: &World, person: &Person, drifted: bool) -> Value {
    let mut listed = common(world, person, drifted);
    let shown: Vec<&String> = person.groups.iter().take(GROUPS).collect();
    listed["displayName"] = json!(person.display);
    listed["groupNames"] = json!(shown);
    listed["hasMoreGroups"] = json!(person.groups.len() > GROUPS);
    listed["providers"] = json!(person.providers);
    listed["endUserTrustScore"] = trust(person, drifted);
    listed
}

/// `GetEndUserOutput`: the details and one record a provider.
pub(super) fn details(world: &World, person: &Person, drifted: bool) -> Value {
    let mut details = common(world, person, drifted);
    details["displayName"] = json!(person.name());
    details["groupNames"] = json!(person.groups);
    details["userIds"] = json!([person.okta_id]);
    let providers: Vec<Value> = person.providers.iter().map(|name| provider(person, name)).collect();
    json!({"endUserDetails": details, "providerEndUserDetails": providers})
}

/// What `PublicEndUser` and `PublicEndUserDetails` share.
fn common(world: &World, person: &Person, drifted: bool) -> Value {
    let failing = lock(&world.failing).get(&person.login).cloned();
    json!({
        "id": person.cii_id, "login": person.login, "status": status(person, drifted), "emails": [person.email],
        "company": "Meridian", "department": person.department, "title": person.title,
        "userTypeClassification": person.class, "employeeIds": some(&person.employee_ids),
        "linkedEndUserLogins": some(&person.linked), "linkedAccounts": some(&person.linked),
        "phoneNumbers": person.phone.as_ref().map(|phone| [phone]), "managerLogin": person.manager,
        "devices": some(&person.devices.iter().map(|d| device(person, d)).collect::<Vec<_>>()),
        "mfaEnabled": person.has_mfa(), "lastSignIn": last_sign_in(person), "lastActive": moment(person.last_sign_in),
        "firstCreatedDate": moment(Some(person.created)), "failingChecks": failing,
        "referenceUrl": reference_url(world, person),
    })
}

fn provider(person: &Person, name: &str) -> Value {
    let agrees = name == "OKTA" || person.cii_status.is_none();
    json!({
        "userId": provider_id(person, name), "provider": name, "firstName": person.first, "lastName": person.last,
        "displayName": person.display, "login": person.login, "email": person.email,
        "status": if agrees { person.status.as_str() } else { "DISABLED" },
        "company": "Meridian", "department": person.department, "title": person.title,
        "userTypeClassification": person.class, "employeeId": person.employee_ids.first(),
        "managerLogin": person.manager, "mfaEnabled": (name != "HRIS").then(|| person.has_mfa()),
        "lastSignIn": if name == "HRIS" { Value::Null } else { last_sign_in(person) },
        "creationDate": moment(Some(person.created)), "lastUpdated": moment(person.last_sign_in),
    })
}

/// Every provider has ids of its own form.
fn provider_id(person: &Person, name: &str) -> String {
    let digits: String = person.cii_id.chars().filter(char::is_ascii_hexdigit).collect();
    match name {
        "OKTA" => person.okta_id.clone(),
        "AZURE_AD" => uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, person.cii_id.as_bytes()).to_string(),
        "G_SUITE" => digits.chars().map(|digit| char::from(b'0' + digit as u8 % 10)).take(21).collect(),
        "SALESFORCE" => format!("005{}", digits.get(..15).unwrap_or_default()),
        "DUO" => format!("DU{}", digits.get(..18).unwrap_or_default().to_uppercase()),
        _ => person.employee_ids.first().cloned().unwrap_or(digits),
    }
}

fn status(person: &Person, drifted: bool) -> &'static str {
    let odd_one =
        drifted && person.okta_id.len().is_multiple_of(2) && person.cii_id.starts_with(['0', '1', '2', '3']);
    if odd_one { "PENDING_REVIEW" } else { person.status_in_cii() }
}

fn trust(person: &Person, drifted: bool) -> Value {
    let Some(level) = person.trust else { return Value::Null };
    let level = if drifted && level == "QUESTIONABLE" { "UNDER_WATCH" } else { level };
    let risky = matches!(level, "QUESTIONABLE" | "UNTRUSTED" | "UNDER_WATCH");
    let (severity, weight) = if risky { (80, "HIGH_RISK") } else { (10, "NO_RISK") };
    json!({
        "levelOfTrust": level,
        "scoreExplainabilitySummary": {
            "riskyActivityCounts": {
                "total": if risky { 14 } else { 1 },
                "levelOfTrust": [{"value": level, "count": if risky { 12 } else { 1 }}],
            },
            "combinedScoreExplainability": [
                {"groupId": "ACCOUNT_LOGIN_BEHAVIOR", "severity": severity, "weight": weight,
                 "details": [{"featureId": "failed_sign_ins", "details": [{"key": "count", "value": severity.to_string()}]}]},
                {"groupId": "SECOND_FACTOR", "severity": if person.has_mfa() { 0 } else { 60 },
                 "weight": if person.has_mfa() { "NO_RISK" } else { "MEDIUM_RISK" }},
                {"groupId": "NETWORK", "severity": null, "weight": "LOW_RISK", "details": []},
            ],
        },
    })
}

fn device(person: &Person, device: &Device) -> Value {
    json!({
        "deviceId": device.id, "displayName": device.name, "os": device.os, "deviceType": device.kind,
        "lastSeen": moment(person.last_sign_in),
        "provider": if device.kind == "AUTHENTICATION" && person.providers.contains(&"DUO") { "DUO" } else { "OKTA" },
    })
}

fn last_sign_in(person: &Person) -> Value {
    let Some(at) = person.last_sign_in else { return Value::Null };
    let address = person.addresses.first();
    json!({
        "timestamp": moment(Some(at + SignedDuration::from_millis(417))), "result": "SUCCESS", "ipAddress": address,
        "location": address.map(|address| location(address)),
    })
}

fn address_info(address: &str) -> Value {
    json!({"ipAddress": address, "location": location(address)})
}

fn location(address: &str) -> Value {
    match places::locate(address) {
        Some(place) => json!({"city": place.city, "state": place.state, "country": place.country}),
        None => Value::Null,
    }
}

fn registered(person: &Person) -> Value {
    let place = places::PLACES.get(person.place);
    json!(place.map(|place| json!({"city": place.city, "state": place.state, "country": place.country})))
}

fn working(person: &Person) -> Value {
    json!([{"location": registered(person), "userLocationPrevalence": 0.87}])
}

/// Distinct labels of the factors, null for nobody's.
fn used_factors(person: &Person) -> Value {
    json!(some(&person.factors.iter().map(|factor| factor.label).collect::<Vec<_>>()))
}

/// An empty list is sometimes null in replies; here it always is, to remind clients.
fn some<T>(list: &[T]) -> Option<&[T]> {
    (!list.is_empty()).then_some(list)
}

fn reference_url(world: &World, person: &Person) -> String {
    format!("{}/users/{}", world.addresses.pages_url, person.cii_id)
}
