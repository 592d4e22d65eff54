//! The form service and the alert manager, as a listener sees them come, and the configuration that maps what they say.
use crate::common::{client, options, until};
use crate::customer::Customer;
use axum::http::StatusCode;
use idtriage::lab::{HookAuth, Lab, LabListener, LabOptions, LabTargets, Sender};
use jsonwebtoken::{Algorithm, EncodingKey};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use std::path::Path;

async fn quick() -> Lab {
    Lab::start(LabOptions { speed: 500.0, ..options() }).await.unwrap()
}

/// The pointers that the lab's own configuration reads a source's events with.
fn map(lab: &Lab, name: &str) -> toml::Table {
    let config: toml::Table =
        lab.config_toml(Path::new("/secrets"), "127.0.0.1:1".parse().unwrap()).parse().unwrap();
    let sources = config["source"].as_array().unwrap();
    let source = sources.iter().find(|source| source.get("name").and_then(toml::Value::as_str) == Some(name));
    source.unwrap()["map"].as_table().unwrap().clone()
}

/// Every pointer of a map leads somewhere; `items` into the body, the others from there.
fn applies(map: &toml::Table, item: &Value) {
    for (part, place) in map.iter().filter(|(part, _)| *part != "items") {
        let place = place.as_str().unwrap();
        let found = !place.starts_with('/') || item.pointer(place).is_some_and(Value::is_string);
        assert!(found, "{part} = {place} leads nowhere in {item}");
    }
}

#[tokio::test]
async fn a_form_is_signed_and_of_the_shape_that_the_example_maps() {
    let (lab, customer) = (quick().await, Customer::start(|_| StatusCode::OK).await);
    let auth = HookAuth::Signature {
        header: "typeform-signature".to_owned(),
        key: SecretString::from("a key for signing"),
    };
    let form = Some(customer.listener("/hooks/form", auth));
    let telling = lab.tell(LabTargets { form, ..LabTargets::default() });
    until("two reports", || customer.posted().len() >= 2).await;
    telling.stop().await;
    for came in customer.posted() {
        let key = EncodingKey::from_secret(b"a key for signing");
        let signed = jsonwebtoken::crypto::sign(&came.raw, &key, Algorithm::HS256).unwrap();
        let signature = came.header("typeform-signature").unwrap().strip_prefix("sha256=").unwrap();
        assert_eq!(signature.len(), 44);
        assert_eq!(signature.trim_end_matches('=').replace('+', "-").replace('/', "_"), signed);
        applies(&map(&lab, "report-form"), &came.body);
        assert_eq!(came.body["event_type"], "form_response");
    }
}

#[tokio::test]
async fn alerts_come_several_at_once_behind_a_password() {
    let (lab, customer) = (quick().await, Customer::start(|_| StatusCode::OK).await);
    let auth = HookAuth::Basic { user: "alertmanager".to_owned(), password: SecretString::from("s3cret") };
    let alerts = Some(customer.listener("/hooks/alerts", auth));
    let telling = lab.tell(LabTargets { alerts, ..LabTargets::default() });
    until("alerts", || customer.posted().len() >= 3).await;
    telling.stop().await;
    assert!(customer.posted().iter().all(|came| came.header("authorization").unwrap().starts_with("Basic ")));
    let map = map(&lab, "alerts");
    let bodies = customer.bodies();
    let items = map["items"].as_str().unwrap();
    assert_eq!(bodies[0].pointer(items).unwrap().as_array().unwrap().len(), 2);
    for alert in bodies.iter().take(3).flat_map(|body| body.pointer(items).unwrap().as_array().unwrap()) {
        applies(&map, alert);
    }
    let link = bodies[0]["alerts"][0]["generatorURL"].as_str().unwrap();
    assert_eq!(client().get(link).send().await.unwrap().status(), 200);
}

fn secret(auth: &HookAuth) -> String {
    match auth {
        HookAuth::Key { value, .. } | HookAuth::Query { value, .. } => value.expose_secret().to_owned(),
        HookAuth::Basic { password, .. } => password.expose_secret().to_owned(),
        HookAuth::Signature { key, .. } => key.expose_secret().to_owned(),
        HookAuth::ClientCredentials { .. } => unreachable!("no target of the lab's own has one"),
    }
}

/// What the lab posts to is what its configuration listens for, with the same secret.
#[tokio::test]
async fn the_configuration_listens_where_the_senders_post() {
    let lab = quick().await;
    let folder = tempfile::tempdir().unwrap();
    let secrets = folder.path().join("secrets");
    lab.write_secret_files(&secrets).unwrap();
    let listen = "127.0.0.1:8790".parse().unwrap();
    let config: toml::Table = lab.config_toml(&secrets, listen).parse().unwrap();
    let targets = lab.targets(listen);
    let all: [Option<LabListener>; 6] =
        [targets.cii, targets.okta_hook, targets.ispm, targets.executions, targets.form, targets.alerts];
    let sources = config["source"].as_array().unwrap();
    let (polled, posted): (Vec<_>, Vec<_>) = sources.iter().partition(|source| source.get("path").is_none());
    assert_eq!((polled.len(), posted.len()), (1, all.len()));
    assert_eq!(polled[0]["type"].as_str(), Some("okta-system-log"));
    for target in all.into_iter().flatten() {
        let path = target.url.strip_prefix("http://127.0.0.1:8790").unwrap();
        let source = posted.iter().find(|source| source["path"].as_str() == Some(path)).unwrap();
        let file = source["secret"]["file"].as_str().unwrap();
        assert_eq!(std::fs::read_to_string(file).unwrap(), secret(&target.auth), "{path}");
        let named = match &target.auth {
            HookAuth::Key { header, .. } => source["header"].as_str() == Some(header),
            HookAuth::Basic { user, .. } => source["basic_user"].as_str() == Some(user),
            HookAuth::Signature { header, .. } => source["hmac_header"].as_str() == Some(header),
            _ => false,
        };
        assert!(named, "{path}");
    }
}

#[tokio::test]
async fn everybody_tells_and_says_who_it_was() {
    let (lab, customer) = (quick().await, Customer::start(|_| StatusCode::OK).await);
    let listen = customer.base.strip_prefix("http://").unwrap().parse().unwrap();
    let telling = lab.tell(lab.targets(listen));
    for sender in [Sender::Cii, Sender::OktaHook, Sender::Ispm, Sender::Form, Sender::Alerts] {
        let is_told = || telling.deliveries().iter().any(|delivery| delivery.sender == sender);
        until(format!("{sender:?}"), is_told).await;
    }
    assert!(telling.deliveries().iter().all(|delivery| delivery.status == Some(200)));
    telling.stop().await;
}
