//! Looking things up in an org, against the lab.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/config.rs"]
mod config;

use idtriage::config::Config;
use idtriage::config::meant::Okta;
use idtriage::lab::{Lab, LabOptions};
use idtriage::tenant::Tenants;
use idtriage::tenant::http::Clock;
use rstest::rstest;
use std::collections::BTreeSet;

#[rstest]
#[case("Shared.Box@meridian.example", "", 2)]
#[case("shared.box@MERIDIAN.example", "", 2)]
#[case("Shared.Box@meridian.example", "late-search@okta=1000000000000", 2)]
#[case("nobody@meridian.example", "", 0)]
#[tokio::test]
async fn everybody_of_a_mail_address_is_found_once_whatever_its_case(
    #[case] asked: &str,
    #[case] fault: &str,
    #[case] count: usize,
) {
    let lab = Lab::start(LabOptions::at(jiff::Timestamp::now())).await.unwrap();
    let logins = lab.user_logins();
    lab.share_mail("Shared.Box@meridian.example", &[&logins[0], &logins[1]]);
    if !fault.is_empty() {
        lab.faults().set(fault.parse().unwrap());
    }
    let okta = Okta {
        org_url: lab.addresses().okta_org_url.parse().unwrap(),
        api_token: Some(lab.secrets().okta_token.clone()),
        service_app: None,
    };
    let config = Config { okta: Some(okta), ..config::nothing() };
    let org = Tenants::build(&config, Clock::system()).unwrap().okta_org().unwrap();
    let users = org.users_of_email(asked).await.unwrap();
    let ids: BTreeSet<String> = users.iter().map(|user| user["id"].to_string()).collect();
    assert_eq!((users.len(), ids.len()), (count, count), "{users:?}");
}
