//! A lab, and tenants that are configured for it.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use idtriage::config::Config;
use idtriage::config::load::{Folders, load};
use idtriage::config::meant::ServiceApp;
use idtriage::lab::{Lab, LabOptions};
use idtriage::tenant::http::{Allowance, Clock, Limits};
use idtriage::tenant::{
    Clearance, LogStart, NewEventHook, OktaChange, Registered, Registrar, Registration, SecretHeader, Tenants,
};
use jiff::{SignedDuration, Timestamp};
use p256::pkcs8::DecodePrivateKey as _;
use secrecy::ExposeSecret as _;
use std::time::Duration;

pub(crate) const TOKEN: &str = "/oauth2/v1/token";

/// Its tokens are bound to a key.
pub(crate) const PROOFS: fn(&mut ServiceApp) = |app| app.dpop = true;

/// A lab of a few people that goes as fast as we do.
pub(crate) async fn lab(faults: &[&str]) -> Lab {
    let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    Lab::start(LabOptions { users: 20, faults, ..LabOptions::at(Timestamp::now()) }).await.unwrap()
}

/// The lab's own configuration, its service application changed.
pub(crate) fn config(lab: &Lab, change: impl FnOnce(&mut ServiceApp)) -> Config {
    let folder = tempfile::tempdir().unwrap();
    let secrets = folder.path().join("secrets");
    lab.write_secret_files(&secrets).unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, lab.config_toml(&secrets, "127.0.0.1:0".parse().unwrap())).unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let folders = Folders { config: folder.path().into(), state: folder.path().into() };
    let mut config = load(&file, Some(&folders)).unwrap().config;
    change(config.okta.as_mut().unwrap().service_app.as_mut().unwrap());
    config
}

/// The same key in Okta's other form.
pub(crate) fn as_jwk(app: &mut ServiceApp) {
    let key = p256::SecretKey::from_pkcs8_pem(app.private_key.expose_secret()).unwrap();
    let d = URL_SAFE_NO_PAD.encode(key.to_bytes());
    app.private_key = format!(r#"{{"kty": "EC", "crv": "P-256", "kid": "k1", "d": "{d}"}}"#).into();
}

/// Waits are tiny; time-outs are long, since the machine may be busy.
fn limits() -> Limits {
    let allowance =
        Allowance { timeout: Duration::from_secs(20), body: 4 << 20, held: Duration::from_secs(20) };
    Limits {
        read: allowance,
        page: allowance,
        act: allowance,
        connect: Duration::from_secs(10),
        act_gap: Duration::ZERO,
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(2),
        jitter: Duration::ZERO,
        told_from: Duration::from_secs(1),
        at_once: 5,
    }
}

pub(crate) fn tenants(config: &Config, clock: Clock) -> Tenants {
    Tenants::with_limits(config, clock, limits()).unwrap()
}

/// Everything may leave.
pub(crate) struct Cleared;

#[async_trait]
impl Clearance for Cleared {
    async fn clear(&self) -> Result<(), String> {
        Ok(())
    }
}

/// The one change that this program makes to an org so far.
pub(crate) async fn create_hook(tenants: &Tenants) -> Registered {
    let hook = NewEventHook {
        name: "soc".into(),
        uri: "https://hooks.example.com/hooks/okta".parse().unwrap(),
        header: SecretHeader { name: "x-key".into(), value: "s3cret-of-the-hook".into() },
        events: vec!["user.risk.detect".into()],
    };
    tenants.register(&Registration::Okta(OktaChange::Create(hook)), &Cleared).await
}

pub(crate) fn log_start() -> LogStart {
    LogStart { since: Timestamp::now() - SignedDuration::from_hours(1), filter: None, limit: 5 }
}

/// What the lab answered on a path, in order.
pub(crate) fn statuses(lab: &Lab, path: &str) -> Vec<u16> {
    let requests = lab.recorder().requests().into_iter().filter(|request| request.path == path);
    requests.map(|request| request.status).collect()
}
