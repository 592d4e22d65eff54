//! What a plan says of the body that it leads to: the same each time, and another where what it holds is another.

use super::*;
use crate::domain::flow::{Input, InputType};

fn details(id: &str, signed_in: &str) -> serde_json::Value {
    json!({"endUserDetails": {"id": id, "login": "ann", "lastSignIn": {"timestamp": signed_in}},
        "providerEndUserDetails": [{"userId": "00u1", "provider": "OKTA", "login": "ann"}]})
}

/// The plan of a router of this payload, by the action of a number, so many seconds later.
async fn planned(payload: PayloadShape, details: serde_json::Value, (n, later): (u128, i64)) -> Plan {
    let mut lab = Setup { details, ..Setup::default() }.lab();
    *lab.now.lock().unwrap() += SignedDuration::from_secs(later);
    let named = ["eventId", "eventTimestamp", "entityId", "additionalDataLastLogin"];
    let inputs = named.map(|name| Input::new(name, InputType::Text)).into();
    let router = Flow { payload, inputs, ..lab.desk.flow(&"ispm-event-hook".into()).unwrap().clone() };
    Arc::get_mut(&mut lab.desk).unwrap().flows = [router].into();
    prepare(&lab.desk, Ask { flow: "ispm-event-hook".into(), ..ask(n) }).await.unwrap()
}

/// The action's id, the time and the last sign-in are others each time; who it is about is not.
#[rstest]
#[case(PayloadShape::IspmFlat, true)]
#[case(PayloadShape::IspmNested, true)]
#[case(PayloadShape::CiiEvent, false)]
#[case(PayloadShape::Fields, true)]
#[tokio::test]
async fn a_body_is_the_same_whenever_and_by_whichever_action_it_is_made(
    #[case] payload: PayloadShape,
    #[case] names_the_person: bool,
) {
    let first = planned(payload, details("c1", "2026-01-01T00:00:00Z"), (1, 0)).await;
    let again = planned(payload, details("c1", "2026-02-02T00:00:00Z"), (2, 7_200)).await;
    assert_ne!(first.request.body, again.request.body);
    assert!(first.made_of.body.is_some());
    assert_eq!(first.made_of, again.made_of);
    let other = planned(payload, details("c2", "2026-01-01T00:00:00Z"), (1, 0)).await;
    assert_eq!(other.made_of != first.made_of, names_the_person);
}
