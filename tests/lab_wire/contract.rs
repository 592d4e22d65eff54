//! The contract that every test's requests to the Okta org are held to, without a word of the test's own.
use crate::common::{client, okta, options};
use idtriage::lab::{Callers, Lab, LabOptions};
use std::panic::{AssertUnwindSafe, catch_unwind};

async fn strict() -> Lab {
    Lab::start(LabOptions { callers: Callers::Idtriage, ..options() }).await.unwrap()
}

#[tokio::test]
async fn a_lab_that_was_asked_wrongly_is_not_dropped_in_peace() {
    let lab = strict().await;
    okta(&lab, "GET", "/api/v1/users?limit=1").await;
    assert_eq!(lab.violations(), ["GET /api/v1/users: it accepts `*/*`"]);
    let panic = catch_unwind(AssertUnwindSafe(|| drop(lab))).unwrap_err();
    let said = panic.downcast_ref::<String>().unwrap();
    assert!(said.contains("GET /api/v1/users: it accepts `*/*`"), "{said}");
}

#[tokio::test]
async fn a_lab_that_was_asked_as_documented_is() {
    let lab = strict().await;
    let url = format!("{}/api/v1/users/00u1", lab.addresses().okta_org_url);
    let request =
        client().get(url).header("authorization", "SSWS wrong").header("accept", "application/json");
    let request = request.header("user-agent", "idtriage/1").header("content-type", "application/json");
    request.send().await.unwrap();
    assert_eq!(lab.violations(), Vec::<String>::new());
    drop(lab);
}
