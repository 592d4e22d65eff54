//! What stands against a run, what has to be insisted on, and what nobody can know before it is sent.

use super::Desk;
use super::about::Person;
use super::fit::{self, Handed};
use super::guard::{self, Mode, Precedent};
use super::others;
use super::sight::{Aim, Reading};
use super::subject::{Names, is_one};
use super::target;
use crate::domain::flow::{EntityKind, Product, ProvenBy};
use crate::domain::operation::Whom;
use crate::domain::plan::{Refusal, Target};
use crate::domain::subject::{Entity, ProviderAccount};
use crate::domain::{Action, Flow, Login, Route, Untrusted};
use serde_json::Value;

/// Why it will not be sent at all, if so.
pub(super) fn refusal(
    desk: &Desk,
    flow: &Flow,
    earlier: &[Action],
    (names, untold): (&Names, Option<&str>),
    (reading, aim): (&Reading, &Aim),
) -> Option<Refusal> {
    let general = |why: Option<String>| why.map(|why| Refusal::from(why).general());
    let own = |why: Option<String>| why.map(Refusal::from);
    let by_guard = guard::refusal(&desk.guard, desk.mode, names);
    let by_guard = if desk.mode == Mode::ReadOnly { general(by_guard) } else { own(by_guard) };
    by_guard
        .or_else(|| general(guard::untold(&desk.guard, names)))
        .or_else(|| own(guard::untold_whom(&desk.guard, untold)))
        .or_else(|| general(guard::switched_off(&desk.guard, flow)))
        .or_else(|| own(guard::still_open(earlier)))
        .or_else(|| own(reading.missing.clone()))
        .or_else(|| target::forbids(reading, flow, aim))
}

/// What the analyst has to insist on.
pub(super) fn needs_again(
    precedent: Option<Precedent>,
    doubts: impl IntoIterator<Item = String>,
) -> Option<String> {
    let before = precedent.map(|precedent| precedent.why);
    let texts: Vec<String> = before.into_iter().chain(doubts).collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

/// Several of them in one text.
pub(super) fn joined(doubts: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    let texts: Vec<String> = doubts.into_iter().flatten().collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

/// That the issue names one account of a product, and Cisco Identity Intelligence lists another for the same login.
/// Which of them is right nobody can say from here.
pub(super) fn contradicted(
    person: &Person,
    account: Option<&ProviderAccount>,
    reading: &Reading,
) -> Option<String> {
    let (account, entity) = (account?, person.subject.entity.as_ref()?);
    entity.accounts.iter().find(|named| named.is_same(account))?;
    let product = account.product()?;
    let read = reading.user.as_ref().map(|user| &user.id);
    let listed = || person.subject.listed.iter().filter(|listed| listed.product() == Some(product));
    let is_it = |listed: &ProviderAccount| is_one(listed, account) || read == Some(&listed.user_id);
    if listed().next().is_none() || listed().any(is_it) {
        return None;
    }
    let ids: Vec<String> = listed().take(NAMED).map(|listed| format!("`{}`", listed.user_id)).collect();
    Some(format!(
        "the issue names the {} account `{}`, and for `{}` Cisco Identity Intelligence lists {}",
        product.ispm_name(),
        account.user_id,
        person.subject.login,
        ids.join(", ")
    ))
}

/// What stands against a flow that is told a login alone, where something else says which account that is.
#[derive(Debug, Default)]
pub(super) struct ToldLogin {
    /// That the login is another account's: nothing is sent.
    pub(super) another: Option<String>,
    /// That nobody could say.
    pub(super) unsure: Option<String>,
}

/// Holds the account that has the login against the one that an issue names, and against the directory's.
pub(super) fn told_login(
    flow: &Flow,
    person: &Person,
    account: Option<&ProviderAccount>,
    reading: &Reading,
) -> ToldLogin {
    if flow.is_told_id() {
        return ToldLogin::default();
    }
    let Person { subject, .. } = person;
    let read = reading.user.as_ref().map(|user| ProviderAccount {
        provider: Product::Okta.cii_provider().into(),
        user_id: user.id.clone(),
        login: user.profile_text("login").map(|login| Login::new(login.raw())).unwrap_or_default(),
    });
    // What was read goes before what the directory lists.
    let has_login = |product: Option<Product>| -> Vec<&ProviderAccount> {
        let read: Vec<_> = read.iter().filter(|read| read.product() == product).collect();
        let listed = subject.listed.iter().filter(|listed| listed.product() == product);
        if read.is_empty() { listed.collect() } else { read }
    };
    // A person's accounts are several, and the login is the person's.
    let is_account = |entity: &&Entity| entity.kind() == Some(EntityKind::Account);
    let named = subject.entity.iter().filter(is_account).flat_map(|entity| &entity.accounts);
    let of_flow = |it: &&ProviderAccount| flow.product.is_none_or(|product| it.product() == Some(product));
    let claimed: Vec<(&ProviderAccount, &str)> = named
        .filter(of_flow)
        .map(|named| (named, "the issue names"))
        .chain(account.map(|listed| (listed, "Cisco Identity Intelligence lists")))
        .collect();
    let mut told = ToldLogin::default();
    for (claimed, by) in claimed {
        let (login, having) = (&subject.login, has_login(claimed.product()));
        let which = format!("{} account `{}`", fit::provider(claimed), claimed.user_id);
        if having.is_empty() {
            told.unsure = Some(format!(
                "the flow is told the login `{login}` alone, and whether that is the {which} which {by} cannot be told"
            ));
        } else if !having.iter().any(|has| is_one(has, claimed)) {
            let ids: Vec<String> =
                having.iter().take(NAMED).map(|has| format!("`{}`", has.user_id)).collect();
            told.another = Some(format!(
                "the flow is told the login `{login}` alone, which is {}, and {by} the {which}",
                ids.join(", ")
            ));
        }
    }
    told
}

/// That the account which would be acted on goes by a login that nothing else knows for this person. An
/// id comes from a record or a directory that may be wrong; the login that Okta shows is what the analyst
/// can compare.
pub(super) fn stranger(person: &Person, reading: &Reading) -> Option<String> {
    let (shown, login) = (strange_login(person, reading)?, &person.subject.login);
    Some(format!("in Okta this account is `{shown}`, not a login known of `{login}`"))
}

/// That login, if it is so.
pub(super) fn strange_login(person: &Person, reading: &Reading) -> Option<Untrusted> {
    let user = reading.user.as_ref()?;
    let shown = user.profile_text("login")?;
    // Who is asked for by the id is the one who was asked for.
    let is_known = others::own_names(person).has(shown.raw()) || user.id.raw() == person.subject.login.raw();
    (!is_known).then_some(shown)
}

/// A list of protected logins blocks nobody, but what it was not held against is said.
pub(super) fn unchecked_aliases(desk: &Desk, names: &Names) -> Option<String> {
    guard::cannot_check_aliases(&desk.guard, names).then(|| {
        "whether another login of this person is protected: their linked logins cannot be read".into()
    })
}

/// Who else has the mail address of an account that is to be made.
#[derive(Debug, Default)]
pub(super) struct SharedMail {
    /// Those who have it: it has to be insisted on.
    pub(super) others: Option<String>,
    /// That nobody could say.
    pub(super) unknown: Option<String>,
}

/// Looks for accounts with the same mail address: they may be the person who was meant.
pub(super) async fn shared_mail(desk: &Desk, aim: &Aim) -> SharedMail {
    let Aim::Exists(fields) = aim else { return SharedMail::default() };
    let mail = fields.get("email").and_then(Value::as_str);
    let (Some(mail), Some(org)) = (mail, &desk.org) else { return SharedMail::default() };
    match org.users_of_email(mail).await {
        Err(problem) => {
            let unknown = format!("whether another account has this mail address: {}", problem.line());
            SharedMail { unknown: Some(unknown), others: None }
        }
        Ok(users) if users.is_empty() => SharedMail::default(),
        Ok(users) => {
            let login =
                |user: &Value| user.pointer("/profile/login").and_then(Value::as_str).map(Untrusted::from);
            let logins: Vec<String> =
                users.iter().filter_map(login).take(NAMED).map(|login| format!("`{login}`")).collect();
            let others = match users.len() {
                1 => format!("another account has this mail address: {}", logins.join(", ")),
                n => format!("{n} other accounts have this mail address: {}", logins.join(", ")),
            };
            SharedMail { others: Some(others), unknown: None }
        }
    }
}

/// So many accounts of one mail address are named.
const NAMED: usize = 5;

/// What nobody can know before it is sent.
pub(super) fn cannot_know(
    flow: &Flow,
    (account, handed): (Option<&ProviderAccount>, Handed),
    (target, whom): (&Target, Whom),
    aim: &Aim,
) -> Vec<String> {
    let mut unknown = Vec::new();
    match (account, flow.product) {
        _ if handed == Handed::Whole => {
            unknown.push("what the flow acts on: it is handed the issue as it came".to_owned());
        }
        // What is acted on is the id that was read, whoever named it.
        (None, Some(_)) if flow.route == Route::Okta => {}
        (None, Some(product)) => unknown.push(format!(
            "which {} account the login belongs to: no id is known, so the flow is given the login",
            product.ispm_name()
        )),
        (None, None) => unknown.push("what the flow acts on: no account id is known to tell it".to_owned()),
        (Some(_), None) => unknown.push("which of its branches the flow takes, if any".to_owned()),
        (Some(_), Some(_)) => {}
    }
    if flow.caveats.is_empty() {
        unknown.push("whether the flow checks the id's product".to_owned());
    }
    // An operation of Okta's own has ended when it is answered; what it changes may settle later.
    if !flow.is_final && flow.operation.is_none() {
        unknown.push("when the run ends: it may answer earlier".to_owned());
    }
    unknown.push(effect(target, whom, aim).to_owned());
    if matches!(flow.proven_by, Some(ProvenBy::Suspended | ProvenBy::Deactivated)) {
        unknown.push("whether sessions inside applications end".to_owned());
    }
    unknown
}

fn effect(target: &Target, whom: Whom, aim: &Aim) -> &'static str {
    match target {
        _ if !aim.is_provable() => "whether it works: nothing that is re-read here proves it",
        _ if whom == Whom::Made => "whether it works, until the account is re-read",
        Target::CannotTell(_) => "whether it works: the account cannot be re-read",
        Target::Read { .. } if target::was_so(target, aim) => {
            "whether it works: the account is in that state already, so that a re-read proves nothing"
        }
        Target::Read { .. } => "whether it works, until the account is re-read",
    }
}
