//! The tenant and the time, as a test wants them.

use async_trait::async_trait;
use idtriage::domain::action::{Receipt, ShownRequest};
use idtriage::domain::dossier::{AddressUsers, EndUserRef, LoadedPart, OktaUser, Part, Problem};
use idtriage::domain::plan::Order;
use idtriage::domain::{Login, PartName};
use idtriage::source::Clock;
use idtriage::tenant::{CallEnd, Called, Clearance, Directory, FlowCaller};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;

/// A clock that a test moves.
#[derive(Debug)]
pub(crate) struct TestClock(Mutex<Timestamp>);

impl Default for TestClock {
    fn default() -> Self {
        TestClock(Mutex::new(Timestamp::from_second(1_700_000_000).unwrap()))
    }
}

impl TestClock {
    pub(crate) fn advance(&self, by: SignedDuration) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    /// It moves only when told: then the loop is told too.
    fn until(&self, _: Timestamp) -> Duration {
        Duration::from_secs(3_600)
    }
}

/// Everybody has one Okta account, and was seen on one address.
#[derive(Debug)]
pub(crate) struct Town {
    clock: Arc<TestClock>,
    /// Of everybody who has none of their own.
    status: Mutex<&'static str>,
    /// By the account's id.
    statuses: Mutex<HashMap<String, &'static str>>,
    is_dead: AtomicBool,
}

impl Town {
    pub(crate) fn new(clock: Arc<TestClock>) -> Town {
        let (status, statuses) = (Mutex::new("ACTIVE"), Mutex::default());
        Town { clock, status, statuses, is_dead: AtomicBool::new(false) }
    }

    /// Every Okta account has this status from now on.
    pub(crate) fn turn(&self, status: &'static str) {
        self.statuses.lock().unwrap().clear();
        *self.status.lock().unwrap() = status;
    }

    /// This account has this status from now on.
    pub(crate) fn turn_one(&self, id: &str, status: &'static str) {
        self.statuses.lock().unwrap().insert(id.to_owned(), status);
    }

    /// Everything is answered again.
    pub(crate) fn live(&self) {
        self.is_dead.store(false, Ordering::SeqCst);
    }

    /// Nothing is answered any more.
    pub(crate) fn die(&self) {
        self.is_dead.store(true, Ordering::SeqCst);
    }

    async fn answer(&self) {
        if self.is_dead.load(Ordering::SeqCst) {
            std::future::pending().await
        }
    }

    fn okta(&self, login: &str) -> Part<OktaUser> {
        let id = id_of(login);
        let own = self.statuses.lock().unwrap().get(&id).copied();
        let status = own.unwrap_or(*self.status.lock().unwrap());
        let links = match status {
            "ACTIVE" => json!({"self": {}, "suspend": {}}),
            "SUSPENDED" => json!({"self": {}, "unsuspend": {}}),
            _ => json!({"self": {}}),
        };
        let profile = json!({"login": login});
        part(self, json!({"id": id, "status": status, "_links": links, "profile": profile}))
    }
}

/// The id of the account of a login, or an id itself.
pub(crate) fn id_of(login: &str) -> String {
    match login.split('@').next().unwrap_or_default() {
        "ann" => "00u1".to_owned(),
        id if id.starts_with("00u") => id.to_owned(),
        // A second name of the same account.
        name => format!("00u{}", name.trim_end_matches(".admin")),
    }
}

fn part<T: serde::de::DeserializeOwned>(town: &Town, data: Value) -> Part<T> {
    Part::whole(town.clock.now(), serde_json::from_value(data).unwrap())
}

#[async_trait]
impl Directory for Town {
    fn parts(&self) -> Vec<PartName> {
        PartName::ALL.into_iter().filter(|part| part.is_read_ahead()).collect()
    }

    async fn part(&self, name: PartName, login: &Login) -> LoadedPart {
        self.answer().await;
        let login = login.raw();
        let state = || {
            json!({"login": login, "displayName": "A Person", "status": "ACTIVE",
            "ipAddresses": [{"ipAddress": "203.0.113.7"}]})
        };
        let account = json!({"userId": id_of(login), "provider": "OKTA", "login": login});
        let details = || {
            json!({"endUserDetails": {"id": "c1", "login": login},
            "providerEndUserDetails": [account]})
        };
        match name {
            PartName::Cii => LoadedPart::Cii(Box::new(part(self, state()))),
            PartName::CiiDetails => LoadedPart::CiiDetails(Box::new(part(self, details()))),
            PartName::Okta => LoadedPart::Okta(Box::new(self.okta(login))),
            other => LoadedPart::failed(other, jiff::Timestamp::UNIX_EPOCH, Problem::whole("not read here")),
        }
    }

    async fn users_of_address(&self, _: &str) -> AddressUsers {
        self.answer().await;
        let user = |login: &str| EndUserRef {
            id: "c1".into(),
            display_name: None,
            login: Login::new(login),
            reference_url: None,
        };
        let users = vec![user("eve@example.com"), user("fred@example.com")];
        AddressUsers { users, ..AddressUsers::default() }
    }

    async fn okta_user(&self, login: &str) -> Part<OktaUser> {
        self.answer().await;
        self.okta(login)
    }
}

/// Remembers what was sent; a sent flow suspends, or ends that, where the test says so.
#[derive(Debug, Default)]
pub(crate) struct Caller {
    sent: Mutex<Vec<ShownRequest>>,
    suspends: Mutex<Option<Arc<Town>>>,
    status: Mutex<Option<u16>>,
    gate: Mutex<Option<Arc<Semaphore>>>,
}

impl Caller {
    pub(crate) fn sent(&self) -> usize {
        self.sent.lock().unwrap().len()
    }

    /// The bodies of what was sent.
    pub(crate) fn bodies(&self) -> Vec<String> {
        self.sent.lock().unwrap().iter().map(|shown| shown.body.clone()).collect()
    }

    /// Everything is answered with this status from now on; with `None` as it should be.
    pub(crate) fn answers(&self, status: Option<u16>) {
        *self.status.lock().unwrap() = status;
    }

    /// So many requests are answered from now on, the others wait until there are more.
    pub(crate) fn answers_only(&self, how_many: usize) -> Arc<Semaphore> {
        let gate = Arc::new(Semaphore::new(how_many));
        *self.gate.lock().unwrap() = Some(gate.clone());
        gate
    }

    /// The flow works: who is acted on is suspended afterwards.
    pub(crate) fn works_on(&self, town: &Arc<Town>) {
        *self.suspends.lock().unwrap() = Some(town.clone());
    }
}

#[async_trait]
impl FlowCaller for Caller {
    fn shown(&self, order: &Order) -> Result<ShownRequest, String> {
        let headers = vec![("x-idtriage-action".to_owned(), order.action.clone())];
        let url = format!("https://acme.workflows.okta.com/{}", order.flow);
        Ok(ShownRequest { method: "POST".into(), url, headers, body: order.body.clone() })
    }

    async fn call(&self, order: &Order, shown: &ShownRequest, clearance: &dyn Clearance) -> Called {
        if let Err(why) = clearance.clear().await {
            return CallEnd::HeldBack(why).into();
        }
        self.sent.lock().unwrap().push(shown.clone());
        let gate = self.gate.lock().unwrap().clone();
        if let Some(gate) = gate {
            gate.acquire().await.unwrap().forget();
        }
        let status = self.status.lock().unwrap().unwrap_or(200);
        if let Some(town) = self.suspends.lock().unwrap().as_ref().filter(|_| status == 200) {
            let becomes = if order.flow.0 == "unsuspend" { "ACTIVE" } else { "SUSPENDED" };
            match &order.target {
                Some(id) => town.turn_one(id, becomes),
                None => town.turn(becomes),
            }
        }
        CallEnd::Answered(Receipt { status: Some(status), ..Receipt::default() }).into()
    }
}
