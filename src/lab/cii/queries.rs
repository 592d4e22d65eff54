//! The root fields: what each looks up, and how JSON becomes objects that the engine can walk.
use super::people;
use crate::lab::clock::millis;
use crate::lab::faults::{FaultKind, Part};
use crate::lab::hooks::LabWebhook;
use crate::lab::population::Person;
use crate::lab::secrets::token;
use crate::lab::world::{World, lock};
use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonMap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

/// How many items a page has unless asked, and at most.
struct PageSizes {
    usual: i64,
    largest: usize,
}

/// Versions of the documentation disagree (contracts/cii.md, section 2): these, or those of [`FaultKind::PageSizes`].
const PAGES: PageSizes = PageSizes { usual: 100, largest: 500 };
const OTHER_PAGES: PageSizes = PageSizes { usual: 50, largest: 1000 };

/// `Query` or `Mutation`.
pub(super) struct Root<'a> {
    world: &'a World,
    kind: &'static str,
    drifted: bool,
}

impl<'a> Root<'a> {
    pub(super) fn query(world: &'a World, drifted: bool) -> Self {
        Self { world, kind: "Query", drifted }
    }

    pub(super) fn mutation(world: &'a World) -> Self {
        Self { world, kind: "Mutation", drifted: false }
    }

    fn look_up(&self, field: &str, arguments: &JsonMap) -> Result<Value, FieldError> {
        let world = self.world;
        match field {
            "ping" => Ok(Value::Bool(true)),
            "getEndUserState" => Ok(people::state(world, self.person(arguments)?, self.drifted)),
            "getEndUser" => Ok(people::details(world, self.person(arguments)?, self.drifted)),
            "getEndUsersByIp" => self.by_address(arguments),
            "listEndUsers" => self.list(arguments),
            "getTotalCheckFailingCounts" => Ok(self.counts()),
            "listAdminLogins" => self.admins(arguments),
            "getIntegrationsStatus" => Ok(self.integrations()),
            "registerWebhookWithApiKey" | "registerWebhookWithDuoSecurityClient" => self.register(arguments),
            "unregisterWebhook" => self.unregister(arguments),
            _ => Err(error("NotImplemented", &format!("`{field}` has no resolver"))),
        }
    }

    fn person(&self, arguments: &JsonMap) -> Result<&'a Person, FieldError> {
        let login = text(arguments, "login").unwrap_or_default();
        self.world.population.find(&login).ok_or_else(|| error("NotFound", "no user with this login"))
    }

    fn by_address(&self, arguments: &JsonMap) -> Result<Value, FieldError> {
        let address = text(arguments, "ipAddress").unwrap_or_default();
        if address.parse::<std::net::IpAddr>().is_err() {
            return Err(error("BadRequest", "ipAddress is not an IP address"));
        }
        let seen: Vec<&Person> = self
            .world
            .population
            .people
            .iter()
            .filter(|person| person.addresses.contains(&address))
            .collect();
        self.page(&seen, arguments, |person| people::reference(self.world, person))
    }

    fn list(&self, arguments: &JsonMap) -> Result<Value, FieldError> {
        let mut everybody: Vec<&Person> = self.world.population.people.iter().collect();
        everybody.sort_by_key(|person| person.name().to_lowercase());
        self.page(&everybody, arguments, |person| people::listed(self.world, person, self.drifted))
    }

    fn admins(&self, arguments: &JsonMap) -> Result<Value, FieldError> {
        let admins: Vec<&Person> =
            self.world.population.people.iter().filter(|person| person.admin).collect();
        self.page(&admins, arguments, people::admin)
    }

    /// One page and the token of the next, absent (null in the engine's terms) on the last.
    fn page(
        &self,
        all: &[&Person],
        arguments: &JsonMap,
        show: impl Fn(&Person) -> Value,
    ) -> Result<Value, FieldError> {
        let others = self.world.faults.active(FaultKind::PageSizes, Part::Cii);
        let sizes = if others { OTHER_PAGES } else { PAGES };
        let size = arguments.get("pageSize").and_then(|size| size.as_i64()).unwrap_or(sizes.usual);
        let size = usize::try_from(size).unwrap_or(1).clamp(1, sizes.largest);
        let from = match text(arguments, "pageToken") {
            Some(token) => offset(&token).ok_or_else(|| error("BadRequest", "pageToken is not valid"))?,
            None => 0,
        };
        let items: Vec<Value> = all.iter().skip(from).take(size).map(|person| show(person)).collect();
        let end = from + size;
        // An unstable order shows as one user on two pages. It needs pages of two to get anywhere.
        let repeated = size > 1 && self.world.faults.active(FaultKind::RepeatedUsers, Part::Cii);
        let next = (end < all.len()).then(|| page_token(end - usize::from(repeated)));
        Ok(json!({"items": items, "pageToken": next}))
    }

    fn counts(&self) -> Value {
        let total: usize = lock(&self.world.failing).values().map(Vec::len).sum();
        let today = self.world.clock.now();
        let day = |ago: i64| (today - SignedDuration::from_hours(24 * ago)).strftime("%Y-%m-%d").to_string();
        (0..7).map(|ago| json!({"day": day(ago), "total": total.saturating_sub(usize::try_from(ago * 9).unwrap_or(0))})).collect()
    }

    fn integrations(&self) -> Value {
        let collected = |minutes| millis(self.world.clock.now() - SignedDuration::from_mins(minutes));
        json!([
            {"integrationId": "okta-1", "integrationName": "Okta", "status": "SUCCESS", "date": collected(12)},
            {"integrationId": "entra-1", "integrationName": "Microsoft Entra ID", "status": "SUCCESS", "date": collected(41)},
            {"integrationId": "duo-1", "integrationName": "Duo", "status": "PARTIAL_SUCCESS", "date": collected(55)},
            {"integrationId": "hris-1", "integrationName": "Workday", "status": "FAILURE", "date": collected(1500),
             "error": "The API client's secret has expired"},
        ])
    }

    fn register(&self, arguments: &JsonMap) -> Result<Value, FieldError> {
        let input = arguments.get("input").and_then(|input| input.as_object());
        let checks = input.and_then(|input| input.get("checkIds")).and_then(|checks| checks.as_array());
        let checks = checks.ok_or_else(|| error("BadRequest", "checkIds is missing"))?;
        let checks = checks.iter().filter_map(|check| check.as_str().map(str::to_owned)).collect();
        let said = |name: &str| input.and_then(|input| input.get(name)?.as_str().map(str::to_owned));
        let id = token("wh-", 12);
        lock(&self.world.webhooks).push(LabWebhook {
            id: id.clone(),
            name: format!("{}-{}", said("name").unwrap_or_default(), token("", 4)),
            endpoint: said("endpoint"),
            header: said("apiKeyName").unwrap_or_default(),
            secret: said("apiKey").unwrap_or_default().into(),
            checks,
        });
        Ok(Value::String(id))
    }

    fn unregister(&self, arguments: &JsonMap) -> Result<Value, FieldError> {
        let id = text(arguments, "id").unwrap_or_default();
        let mut webhooks = lock(&self.world.webhooks);
        let before = webhooks.len();
        webhooks.retain(|webhook| webhook.id != id);
        if webhooks.len() < before {
            return Ok(Value::Bool(true));
        }
        match self.world.faults.active(FaultKind::UnregisterFalse, Part::Cii) {
            true => Ok(Value::Bool(false)),
            false => Err(error("NotFound", "no webhook with this id")),
        }
    }
}

impl ObjectValue for Root<'_> {
    fn type_name(&self) -> &str {
        self.kind
    }

    fn resolve_field<'b>(&'b self, info: &'b ResolveInfo<'b>) -> Result<ResolvedValue<'b>, FieldError> {
        let value = self.look_up(info.field_name(), info.arguments())?;
        Ok(resolved(self.world, info.field_definition().ty.inner_named_type().as_str(), value))
    }
}

/// An object of the API, already as JSON.
struct Node<'a> {
    world: &'a World,
    kind: String,
    fields: Map<String, Value>,
}

impl Node<'_> {
    /// Why a field fails while the rest of its object is there.
    fn failure(&self, field: &str) -> Option<FieldError> {
        let what = match (self.kind.as_str(), field) {
            ("IpAddressInfo", "location") => "this address",
            ("PublicUserSignInInfo", "location") => "this sign-in",
            _ => return None,
        };
        let strikes = self.world.faults.active(FaultKind::Partial, Part::Cii);
        strikes.then(|| error("LocationUnavailable", &format!("the location of {what} cannot be looked up")))
    }
}

impl ObjectValue for Node<'_> {
    fn type_name(&self) -> &str {
        &self.kind
    }

    /// A field that the JSON lacks is null: absent and null are one thing in GraphQL.
    fn resolve_field<'b>(&'b self, info: &'b ResolveInfo<'b>) -> Result<ResolvedValue<'b>, FieldError> {
        if let Some(failure) = self.failure(info.field_name()) {
            return Err(failure);
        }
        let value = self.fields.get(info.field_name()).cloned().unwrap_or_default();
        Ok(resolved(self.world, info.field_definition().ty.inner_named_type().as_str(), value))
    }
}

fn resolved<'a>(world: &'a World, kind: &str, value: Value) -> ResolvedValue<'a> {
    match value {
        Value::Object(fields) => ResolvedValue::object(Node { world, kind: kind.to_owned(), fields }),
        Value::Array(items) => {
            let kind = kind.to_owned();
            ResolvedValue::list(items.into_iter().map(move |item| resolved(world, &kind, item)))
        }
        leaf => ResolvedValue::leaf(leaf),
    }
}

fn text(arguments: &JsonMap, name: &str) -> Option<String> {
    arguments.get(name).and_then(|value| value.as_str()).map(str::to_owned)
}

/// The error's type travels in front of its message: the engine's errors have no other place for it.
fn error(kind: &str, message: &str) -> FieldError {
    FieldError { message: format!("{kind}: {message}") }
}

fn page_token(offset: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("lab:{offset}"))
}

fn offset(token: &str) -> Option<usize> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    std::str::from_utf8(&bytes).ok()?.strip_prefix("lab:")?.parse().ok()
}

/// A moment as the API prints it, if there is one.
pub(super) fn moment(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| Value::String(millis(at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_tokens_are_opaque_and_come_back() {
        assert_eq!(offset(&page_token(250)), Some(250));
        assert_eq!(offset("250"), None);
        assert_eq!(offset(&URL_SAFE_NO_PAD.encode("lab:-1")), None);
    }
}
