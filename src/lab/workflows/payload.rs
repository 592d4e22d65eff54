//! What a flow reads out of its input: the flat record, the nested one, or a CII envelope.
use serde_json::Value;

/// The inputs that the flows of the lab use.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Payload {
    pub(super) event_id: String,
    /// The load-bearing input: `entityIdInService`; of a nested issue the template reads `idInService`.
    pub(super) entity: String,
    pub(super) product: String,
    pub(super) title: String,
    /// Users of a CII event.
    pub(super) users: Vec<String>,
}

impl Payload {
    /// Anything that is missing or of another type is empty: a flow's cards do not complain either.
    pub(super) fn read(body: &Value) -> Self {
        let nested = &body["eventData"]["affectedEntity"];
        let detail = &body["detail"];
        Self {
            event_id: first(&[&body["eventId"], &detail["id"], &body["id"]]),
            entity: first(&[
                &body["entityIdInService"],
                &nested["idInService"],
                &nested["identifierInService"],
            ]),
            product: first(&[&body["entitySourceProductName"], &nested["sourceProductName"]]),
            title: first(&[&body["issueTitle"], &body["eventData"]["title"], &detail["title"]]),
            users: users(detail),
        }
    }
}

fn first(candidates: &[&Value]) -> String {
    candidates.iter().find_map(|value| value.as_str()).unwrap_or_default().to_owned()
}

fn users(detail: &Value) -> Vec<String> {
    let listed = detail["usersFailing"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let one = detail["login"].as_str().into_iter();
    let mut users: Vec<String> = listed.chain(one).map(str::to_owned).collect();
    users.sort();
    users.dedup();
    users
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_the_three_shapes() {
        let flat = json!({"eventId": "e", "entityIdInService": "00u1", "entitySourceProductName": "Okta", "issueTitle": "t"});
        assert_eq!(Payload::read(&flat).entity, "00u1");
        let nested =
            json!({"id": "n", "eventData": {"title": "t", "affectedEntity": {"idInService": "00u2"}}});
        assert_eq!(Payload::read(&nested).entity, "00u2");
        let both = json!({"eventData": {"affectedEntity": {"identifierInService": "a", "idInService": "b"}}});
        assert_eq!(Payload::read(&both).entity, "b", "as the template does");
        let cii = json!({"id": "x", "detail": {"id": "d", "usersFailing": ["b", "a"], "login": "a"}});
        assert_eq!(Payload::read(&cii).users, ["a", "b"]);
        assert_eq!(Payload::read(&cii).event_id, "d");
        assert_eq!(Payload::read(&json!([1])), Payload::default());
    }
}
