//! The org's accounts and what becomes of them: the one part of the lab that clients change.
use super::error::OktaError;
use super::lifecycle::Operation;
use crate::lab::clock::millis;
use crate::lab::population::{Person, Population, Status};
use crate::lab::secrets::{id, token};
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};

/// A group whose members an application decides on.
pub(super) const IMPORTED: &str = "Workday All Staff";

/// How many GETs still show the old status of an account that is being activated.
const SETTLING: u8 = 2;

/// An enrolled factor of an account.
#[derive(Debug, Clone)]
pub(crate) struct Enrolment {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) provider: String,
}

/// An administrator role of an account.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) id: String,
    pub(crate) kind: &'static str,
    pub(crate) label: &'static str,
    /// `USER` or `GROUP`.
    pub(crate) by: &'static str,
}

/// One account.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) status: Status,
    pub(crate) profile: Map<String, Value>,
    pub(crate) factors: Vec<Enrolment>,
    pub(crate) roles: Vec<Role>,
    pub(crate) groups: Vec<String>,
    pub(crate) apps: Vec<&'static str>,
    created: Timestamp,
    /// When its status changed.
    changed: Timestamp,
    /// When anything of it changed.
    updated: Timestamp,
    last_login: Option<Timestamp>,
    password_changed: Option<Timestamp>,
    /// GETs until an activation shows.
    settling: u8,
    before: Status,
}

impl Account {
    fn of(person: &Person) -> Self {
        Self {
            id: person.okta_id.clone(),
            status: person.status,
            profile: profile(person),
            factors: person
                .factors
                .iter()
                .enumerate()
                .map(|(n, factor)| enrolment(person, n, factor.kind, factor.provider))
                .collect(),
            roles: roles(person),
            groups: person.groups.clone(),
            apps: [person.used_apps.as_slice(), person.unused_apps.as_slice()].concat(),
            created: person.created,
            changed: person.created,
            updated: person.created,
            last_login: person.last_sign_in.filter(|_| person.status != Status::Staged),
            password_changed: Some(person.created),
            settling: 0,
            before: person.status,
        }
    }

    pub(crate) fn login(&self) -> &str {
        self.profile.get("login").and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn name(&self) -> String {
        let part = |key| self.profile.get(key).and_then(Value::as_str).unwrap_or_default();
        format!("{} {}", part("firstName"), part("lastName"))
    }

    fn allows(&self, operation: Operation) -> bool {
        let enrolled = operation != Operation::ResetFactors || !self.factors.is_empty();
        enrolled && operation.apply(self.status).is_ok()
    }

    /// As a single GET shows it: with links to what is legal now. Null properties are left out.
    pub(crate) fn single(&self, org: &str) -> Value {
        let mut user = self.listed(org);
        let base = self.href(org);
        let mut links = json!({"self": {"href": base}, "schema": {"href": format!("{org}/api/v1/meta/schemas/user/default")}});
        for operation in Operation::ALL.into_iter().filter(|operation| self.allows(*operation)) {
            if let Some(name) = operation.link() {
                links[name] =
                    json!({"href": format!("{base}/lifecycle/{}", operation.path()), "method": "POST"});
            }
        }
        user["_links"] = links;
        user
    }

    /// As collections show it: with `self` only.
    pub(crate) fn listed(&self, org: &str) -> Value {
        let shown = if self.settling > 0 { self.before } else { self.status };
        let mut user = json!({
            "id": self.id, "status": shown.as_str(), "created": millis(self.created),
            "statusChanged": millis(self.changed), "lastUpdated": millis(self.updated),
            "type": {"id": "otylab000000000001d7"}, "profile": self.profile,
            "credentials": {"provider": {"type": "OKTA", "name": "OKTA"}},
            "_links": {"self": {"href": self.href(org)}},
        });
        if self.settling > 0 {
            user["transitioningToStatus"] = json!(self.status.as_str());
        }
        for (name, at) in [("lastLogin", self.last_login), ("passwordChanged", self.password_changed)] {
            if let Some(at) = at {
                user[name] = json!(millis(at));
            }
        }
        user
    }

    /// Whether a search, which is behind the truth by a while, knows what it is now.
    pub(super) fn is_indexed(&self, now: Timestamp, behind: SignedDuration) -> bool {
        self.updated <= now - behind
    }

    /// Where an operation leads: an activated account without a password is not done yet.
    fn after(&self, operation: Operation) -> Result<Status, OktaError> {
        match operation.apply(self.status)? {
            Status::Active if operation == Operation::Activate && self.password_changed.is_none() => {
                Ok(Status::Provisioned)
            }
            next => Ok(next),
        }
    }

    fn href(&self, org: &str) -> String {
        format!("{org}/api/v1/users/{}", self.id)
    }
}

fn profile(person: &Person) -> Map<String, Value> {
    let fields = [
        ("login", Some(person.login.as_str())),
        ("email", Some(&person.email)),
        ("firstName", Some(&person.first)),
        ("lastName", Some(&person.last)),
        ("displayName", person.display.as_deref()),
        ("title", person.title.as_deref()),
        ("department", person.department),
        ("manager", person.manager.as_deref()),
        ("mobilePhone", person.phone.as_deref()),
        ("employeeNumber", person.employee_ids.first().map(String::as_str)),
        ("organization", Some("Meridian")),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))).collect()
}

fn enrolment(person: &Person, index: usize, kind: &str, provider: &str) -> Enrolment {
    let tail = person.okta_id.get(3..).unwrap_or_default();
    Enrolment { id: format!("f{index}k{tail}"), kind: kind.into(), provider: provider.into() }
}

/// A super administrator has the role themselves; who else is one has it by a group, with a custom role beside.
fn roles(person: &Person) -> Vec<Role> {
    if !person.admin {
        return Vec::new();
    }
    let tail = person.okta_id.get(3..).unwrap_or_default();
    let role = |place: u8, kind, label, by| Role { id: format!("ra{place}{tail}"), kind, label, by };
    if person.groups.iter().any(|group| group == "Super Admins") {
        return vec![role(1, "SUPER_ADMIN", "Super Administrator", "USER")];
    }
    vec![
        role(1, "APP_ADMIN", "Application Administrator", "GROUP"),
        role(2, "CUSTOM", "Help desk of employees", "USER"),
    ]
}

/// Whom the one-time secret of an operation goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recipient {
    /// The user, by mail.
    User,
    /// The caller, in the reply.
    Caller,
}

/// All accounts, by id; logins lead to ids.
#[derive(Debug)]
pub(crate) struct Directory {
    accounts: BTreeMap<String, Account>,
    by_login: HashMap<String, String>,
    /// Groups that exist: name to id.
    pub(crate) groups: BTreeMap<String, String>,
    org: String,
}

impl Directory {
    pub(crate) fn of(population: &Population, org: &str) -> Self {
        let accounts: Vec<Account> = population.people.iter().map(Account::of).collect();
        let names = accounts.iter().flat_map(|account| account.groups.iter().cloned());
        let names = names.chain([IMPORTED.to_owned()]);
        let groups = names.map(|name| (name.clone(), group_id(&name))).collect();
        let by_login = accounts.iter().map(|a| (a.login().to_lowercase(), a.id.clone())).collect();
        let accounts = accounts.into_iter().map(|account| (account.id.clone(), account)).collect();
        Self { accounts, by_login, groups, org: org.to_owned() }
    }

    pub(crate) fn org(&self) -> &str {
        &self.org
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    /// By id, by login in any case, or by a short login that only one account has.
    pub(crate) fn find(&self, key: &str) -> Result<&Account, OktaError> {
        let id = self.id_of(key).ok_or_else(|| OktaError::not_found(key, "User"))?;
        self.accounts.get(&id).ok_or_else(|| OktaError::not_found(key, "User"))
    }

    pub(crate) fn find_mut(&mut self, key: &str) -> Result<&mut Account, OktaError> {
        let id = self.id_of(key).ok_or_else(|| OktaError::not_found(key, "User"))?;
        self.accounts.get_mut(&id).ok_or_else(|| OktaError::not_found(key, "User"))
    }

    fn id_of(&self, key: &str) -> Option<String> {
        if self.accounts.contains_key(key) {
            return Some(key.to_owned());
        }
        let key = key.to_lowercase();
        if let Some(id) = self.by_login.get(&key) {
            return Some(id.clone());
        }
        let short = format!("{key}@");
        let mut hits = self.by_login.iter().filter(|(login, _)| login.starts_with(&short));
        let (_, only) = hits.next()?;
        hits.next().is_none().then(|| only.clone())
    }

    /// A single GET; each one brings an activation nearer to its end.
    pub(crate) fn look(&mut self, key: &str) -> Result<Value, OktaError> {
        let org = self.org.clone();
        let account = self.find_mut(key)?;
        let seen = account.single(&org);
        account.settling = account.settling.saturating_sub(1);
        Ok(seen)
    }

    /// Runs a lifecycle operation and returns the body of its reply.
    pub(crate) fn operate(
        &mut self,
        key: &str,
        operation: Operation,
        recipient: Recipient,
        now: Timestamp,
    ) -> Result<Value, OktaError> {
        let org = self.org.clone();
        let account = self.find_mut(key)?;
        let next = account.after(operation)?;
        account.before = account.status;
        account.status = next;
        // Whatever was still settling is overtaken; an activation sets it anew.
        account.settling = 0;
        (account.changed, account.updated) = (now, now);
        Ok(effects(account, operation, recipient, &org))
    }

    /// Changes a profile: absent fields stay, null removes.
    pub(crate) fn update(
        &mut self,
        key: &str,
        changes: Map<String, Value>,
        now: Timestamp,
    ) -> Result<Value, OktaError> {
        let account = self.find(key)?;
        let (id, before) = (account.id.clone(), account.login().to_lowercase());
        if account.status == Status::Deprovisioned {
            return Err(OktaError::not_found(key, "User"));
        }
        if account.settling > 0 {
            let summary = "Cannot update this user because they are still being activated.";
            return Err(OktaError::new(StatusCode::CONFLICT, "E0000112", summary));
        }
        let after = match changes.get("login") {
            Some(login) => login.as_str().unwrap_or_default().to_lowercase(),
            None => before.clone(),
        };
        if after != before {
            self.is_free(&after)?;
            self.by_login.remove(&before);
            self.by_login.insert(after, id.clone());
        }
        let account = self.find_mut(&id)?;
        account.updated = now;
        merge(&mut account.profile, changes);
        self.look(&id)
    }

    fn is_free(&self, login: &str) -> Result<(), OktaError> {
        if login.is_empty() {
            return Err(OktaError::validation("login").because("login: The field cannot be left blank"));
        }
        if self.by_login.contains_key(login) {
            let cause = "login: An object with this field already exists in the current organization";
            return Err(OktaError::validation("login").because(cause));
        }
        Ok(())
    }

    /// Adds an account; a login is unique whatever its case.
    pub(crate) fn add(
        &mut self,
        profile: Map<String, Value>,
        status: Status,
        password_changed: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Value, OktaError> {
        let login = profile.get("login").and_then(Value::as_str).unwrap_or_default().to_lowercase();
        self.is_free(&login)?;
        let account = Account {
            id: id("00u"),
            status,
            profile,
            factors: Vec::new(),
            roles: Vec::new(),
            groups: vec!["Everyone".into()],
            apps: Vec::new(),
            created: now,
            changed: now,
            updated: now,
            last_login: None,
            password_changed,
            settling: 0,
            before: status,
        };
        let body = account.single(&self.org);
        self.by_login.insert(login, account.id.clone());
        self.accounts.insert(account.id.clone(), account);
        Ok(body)
    }

    /// Forgets an account for good.
    pub(crate) fn erase(&mut self, id: &str) {
        if let Some(account) = self.accounts.remove(id) {
            self.by_login.remove(&account.login().to_lowercase());
        }
    }
}

fn merge(profile: &mut Map<String, Value>, changes: Map<String, Value>) {
    for (name, value) in changes {
        if value.is_null() {
            profile.remove(&name);
        } else {
            profile.insert(name, value);
        }
    }
}

fn effects(account: &mut Account, operation: Operation, recipient: Recipient, org: &str) -> Value {
    let link = |what: &str, token: &str| json!(format!("{org}/{what}/{token}"));
    match operation {
        Operation::Activate | Operation::Reactivate => {
            if operation == Operation::Activate {
                account.settling = SETTLING;
            }
            let secret = token("", 15);
            match recipient {
                Recipient::User => json!({}),
                Recipient::Caller => {
                    json!({"activationUrl": link("welcome", &secret), "activationToken": secret})
                }
            }
        }
        Operation::ResetPassword => match recipient {
            Recipient::User => json!({}),
            Recipient::Caller => json!({"resetPasswordUrl": link("reset_password", &token("", 15))}),
        },
        Operation::ExpirePassword => account.single(org),
        Operation::ExpirePasswordWithTempPassword => json!({"tempPassword": token("Tmp1", 9)}),
        Operation::ResetFactors => {
            account.factors.clear();
            json!({})
        }
        _ => json!({}),
    }
}

/// Stable for a name, so that runs can be compared.
fn group_id(name: &str) -> String {
    let digest = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, name.as_bytes()).simple().to_string();
    format!("00g{}", digest.get(..17).unwrap_or_default())
}
