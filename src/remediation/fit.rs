//! Which flows can be offered for a subject, and why the others cannot.

use crate::domain::flow::{EntityKind, PayloadShape, Product};
use crate::domain::plan::{Fit, FitTarget, PageOf, WebPage};
use crate::domain::subject::{Entity, ProviderAccount, Subject};
use crate::domain::{Check, Flow, Route, Untrusted, link, preset};

/// The pages that sources name: what a flow of route `open` can lead to. No other address is made up.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pages {
    /// What the finding's event refers to.
    pub finding: Option<Untrusted>,
    /// What Cisco Identity Intelligence names as the person's page.
    pub person: Option<Untrusted>,
}

/// Every flow, in the configured order.
pub fn fits(flows: &[Flow], check: Option<&Check>, subject: &Subject, pages: &Pages) -> Vec<Fit> {
    flows.iter().map(|flow| fit(flow, check, subject, pages)).collect()
}

/// Whether one flow fits, and what it would act on or open.
pub fn fit(flow: &Flow, check: Option<&Check>, subject: &Subject, pages: &Pages) -> Fit {
    let is_suggested = check.is_some_and(|check| flow.is_suggested_for(&check.id, &check.title));
    let subject = &as_told(flow, subject);
    let target = match flow.route {
        Route::Open => page(flow, pages).map(FitTarget::Page),
        Route::ApiEndpoint | Route::Okta => target(flow, subject),
    };
    Fit { flow: flow.clone(), is_suggested, target }
}

/// The subject as a flow can know it. Where it is told a login alone, what an issue says of the account behind that
/// login counts for nothing: the flow acts on the one that has it.
pub(super) fn as_told(flow: &Flow, subject: &Subject) -> Subject {
    let mut subject = subject.clone();
    if !flow.is_told_id() {
        subject.accounts.clone_from(&subject.listed);
    }
    subject
}

/// The page of a flow that opens one: its own where one is configured, else the finding's, else the
/// person's.
///
/// # Errors
/// A sentence that says why there is none, and what mends it.
pub fn page(flow: &Flow, pages: &Pages) -> Result<WebPage, String> {
    let own = flow.url.as_deref().map(|url| (url, PageOf::Flow));
    let of_finding = || pages.finding.as_ref().map(|url| (url.raw(), PageOf::Finding));
    let of_person = || pages.person.as_ref().map(|url| (url.raw(), PageOf::Person));
    let (url, of) = own.or_else(of_finding).or_else(of_person).ok_or_else(|| no_page(flow))?;
    Ok(WebPage { url: link::check(url)?, of })
}

fn no_page(flow: &Flow) -> String {
    if flow.id.0 == preset::DELEGATED {
        return "no page to open; hint: in the Okta Admin Console, Workflow > Delegated Flows > Run"
            .to_owned();
    }
    "no page to open: neither finding nor person names one; hint: a `url` under `[[flow]]` lets it run"
        .to_owned()
}

/// What of an issue a flow is handed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handed {
    /// An account: the one that the issue is about, or one of the person's.
    Account,
    /// The issue as it came: what it is about is no account, and the flow takes such.
    Whole,
}

/// What a flow is handed of what the run is about.
///
/// # Errors
/// Why it takes no such issue: an OAuth grant is nobody's account, whatever its id looks like.
pub(super) fn handed(flow: &Flow, subject: &Subject) -> Result<Handed, String> {
    use EntityKind::{Account, OauthGrant, User};
    let Some(entity) = &subject.entity else {
        let is_none = flow.entity == Some(OauthGrant);
        let reason = format!("takes an issue about {}, and this is none", OauthGrant.one());
        return if is_none { Err(reason) } else { Ok(Handed::Account) };
    };
    let kind = entity.kind();
    match (flow.entity, kind) {
        (Some(wanted), _) if Some(wanted) != kind && (wanted, kind) != (Account, Some(User)) => {
            Err(format!("takes {}, not {}: that is what the issue is about", wanted.one(), entity.one()))
        }
        (_, Some(Account)) => Ok(Handed::Account),
        (_, Some(User)) if flow.product.is_some() => Ok(Handed::Account),
        (_, _) if flow.product.is_none_or(|product| entity.product() == Some(product)) => Ok(Handed::Whole),
        (_, _) => Err(format!(
            "of another product: the issue is about {} of {}",
            entity.one(),
            product(&entity.product)
        )),
    }
}

fn target(flow: &Flow, subject: &Subject) -> Result<FitTarget, String> {
    if let Some(reason) = flow.unrunnable() {
        return Err(reason);
    }
    if handed(flow, subject)? == Handed::Whole {
        return Ok(FitTarget::Router(None));
    }
    let Some(product) = flow.product else { return Ok(router(flow, subject)) };
    let accounts = accounts_of(product, subject);
    let anothers = subject.entity.as_ref().filter(|entity| is_anothers(entity, product));
    let is_named = |entity: &Entity| entity.accounts.iter().any(|named| named.product() == Some(product));
    let is_told_login = !flow.is_told_id() && subject.entity.as_ref().is_some_and(is_named);
    match (accounts.as_slice(), anothers) {
        ([account], _) => Ok(FitTarget::Account(account.clone())),
        ([], Some(entity)) => Err(anothers_account(entity, product, subject)),
        ([], None) if flow.takes_login || is_told_login => Ok(FitTarget::Login(subject.login.clone())),
        ([], None) => Err(no_account(product, subject)),
        // Whichever was chosen, the flow is not told.
        _ if !flow.is_told_id() => Ok(FitTarget::Login(subject.login.clone())),
        _ => Ok(FitTarget::Choose(accounts)),
    }
}

/// Whether an issue is about something that is no account of a product: then its login is none there either.
fn is_anothers(entity: &Entity, product: Product) -> bool {
    let is_account = entity.kind() == Some(EntityKind::Account);
    !is_account || (!entity.product.is_blank() && entity.product() != Some(product))
}

/// What has to be insisted on: the flow would act on another account than the issue is about, or on one of which
/// the issue does not say that it is the product's.
pub(super) fn doubt(flow: &Flow, subject: &Subject, account: Option<&ProviderAccount>) -> Option<String> {
    let entity = subject.entity.as_ref().filter(|entity| entity.kind() == Some(EntityKind::Account))?;
    let of = product(&entity.product);
    match (flow.product, account) {
        (Some(acts_on), _) if is_anothers(entity, acts_on) => {
            let acts_on = acts_on.ispm_name();
            Some(format!("the issue is about an account of {of}, and this acts on the person's in {acts_on}"))
        }
        (Some(_), _) if entity.product.is_blank() => {
            Some("the issue does not say of which product the account is".to_owned())
        }
        (None, Some(account)) if !entity.accounts.iter().any(|named| named.is_same(account)) => {
            Some(format!("the issue is about another account than {} {}", provider(account), account.user_id))
        }
        _ => None,
    }
}

/// A router acts on the id that it is given, so two accounts are a choice; a body without an id in it
/// leaves nothing to choose.
fn router(flow: &Flow, subject: &Subject) -> FitTarget {
    match (flow.payload, subject.accounts.as_slice()) {
        (PayloadShape::CiiEvent | PayloadShape::Fields, _) | (_, []) => FitTarget::Router(None),
        (_, [account]) => FitTarget::Router(Some(account.clone())),
        (_, accounts) => FitTarget::Choose(accounts.to_vec()),
    }
}

fn accounts_of(product: Product, subject: &Subject) -> Vec<ProviderAccount> {
    let is_of = |account: &&ProviderAccount| account.product() == Some(product);
    subject.accounts.iter().filter(is_of).cloned().collect()
}

/// Why an issue about something else leads to no account of a product.
fn anothers_account(entity: &Entity, wanted: Product, subject: &Subject) -> String {
    let about = match entity.kind() {
        Some(EntityKind::Account) => format!("one of {}", product(&entity.product)),
        _ => entity.one(),
    };
    let unread = match entity.unread {
        0 => String::new(),
        unread => format!(", and names {unread} without saying which they are"),
    };
    match &subject.accounts_unknown {
        Some(why) => format!("their accounts are not known yet: {why}; the issue is about {about}{unread}"),
        None => {
            let wanted = wanted.ispm_name();
            format!("no {wanted} account of theirs is known: the issue is about {about}{unread}")
        }
    }
}

fn no_account(product: Product, subject: &Subject) -> String {
    let wanted = product.ispm_name();
    if let Some(why) = &subject.accounts_unknown {
        return format!("the accounts are not known yet: {why}");
    }
    if subject.accounts.is_empty() {
        return format!("needs an account of {wanted}; no account of any product is known");
    }
    let mut known: Vec<String> = subject.accounts.iter().map(provider).collect();
    known.dedup();
    format!("needs an account of {wanted}; known are {}", known.join(", "))
}

/// The provider of an account by the name that flows use, else as it came.
pub fn provider(account: &ProviderAccount) -> String {
    product(&account.provider)
}

/// A product by the name that flows use, else as it came.
fn product(name: &Untrusted) -> String {
    Product::parse(name.raw()).map_or_else(|| name.to_string(), |product| product.ispm_name().to_owned())
}

/// What a flow would act on, or why it is refused, in words for a list.
pub fn words(fit: &Fit) -> String {
    let account = |account: &ProviderAccount| {
        format!("acts on {} account {} ({})", provider(account), account.user_id, account.login)
    };
    match &fit.target {
        Ok(FitTarget::Account(target) | FitTarget::Router(Some(target))) => account(target),
        Ok(FitTarget::Choose(accounts)) => format!("{} accounts: choose one", accounts.len()),
        Ok(FitTarget::Login(login)) if !fit.flow.is_told_id() => format!("is told the login {login} alone"),
        Ok(FitTarget::Login(login)) => format!("acts on the login {login}: no account id is known"),
        Ok(FitTarget::Page(page)) => format!("opens {}: {}", page.of.words(), page.url),
        Ok(FitTarget::Router(None)) => "is told the finding and decides itself what to act on".to_owned(),
        Err(reason) => reason.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Login;
    use crate::domain::operation::Operation;
    use rstest::rstest;

    fn runnable(id: &str) -> Flow {
        let url = Some("https://x.workflows.okta.com/api/flo/1/invoke".to_owned());
        Flow { route: Route::ApiEndpoint, url, ..preset::flow(id).unwrap() }
    }

    fn subject(providers: &[&str]) -> Subject {
        let account = |(n, provider): (usize, &&str)| ProviderAccount {
            provider: (*provider).into(),
            user_id: format!("id{n}").into(),
            login: Login::new("ann"),
        };
        let accounts = providers.iter().enumerate().map(account).collect();
        Subject { login: Login::new("ann"), accounts, ..Default::default() }
    }

    fn said(flow: &Flow, subject: &Subject) -> String {
        words(&fit(flow, None, subject, &Pages::default()))
    }

    #[rstest]
    #[case("suspend-okta-account", &["OKTA"], "acts on Okta account id0 (ann)")]
    #[case("suspend-okta-account", &["OKTA", "AZURE_AD", "okta"], "2 accounts: choose one")]
    #[case("suspend-okta-account", &["AZURE_AD"], "acts on the login ann: no account id is known")]
    #[case("okta-add-user-to-a-group", &["AZURE_AD", "SLACK"], "needs an account of Okta; known are AAD, SLACK")]
    #[case("deactivate-salesforce-user", &[], "needs an account of Salesforce.com; no account of any product is known")]
    #[case("ispm-event-hook", &[], "is told the finding and decides itself what to act on")]
    #[case("ispm-event-hook", &["OKTA"], "acts on Okta account id0 (ann)")]
    #[case("ispm-event-hook", &["OKTA", "AZURE_AD"], "2 accounts: choose one")]
    fn says_what_it_would_act_on(#[case] flow: &str, #[case] providers: &[&str], #[case] expected: &str) {
        assert_eq!(said(&runnable(flow), &subject(providers)), expected);
    }

    const PRODUCTS: [&str; 6] = ["Okta", "AAD", "Google Workspace", "Salesforce.com", "Slack", ""];

    /// An issue about an account of a product, of a person of whom CII knows some accounts.
    fn about(kind: &str, name: &str, known: &[&str]) -> Subject {
        let mut subject = subject(known);
        let own = ProviderAccount { provider: name.into(), user_id: "id-9".into(), login: Login::new("ann") };
        let is_account = EntityKind::parse(kind) == Some(EntityKind::Account);
        if is_account {
            let own_product = own.product();
            subject.accounts.retain(|other| own_product.is_none() || other.product() != own_product);
            subject.accounts.push(own.clone());
        }
        let accounts = if is_account { vec![own] } else { Vec::new() };
        subject.entity = Some(Entity { said: kind.into(), product: name.into(), accounts, unread: 0 });
        subject
    }

    #[test]
    fn every_preset_acts_only_on_an_account_of_its_product() {
        for (id, name) in preset::ids().flat_map(|id| PRODUCTS.map(|name| (id, name))) {
            let flow = runnable(id);
            let alone = about("Account", name, &[]);
            let said = fit(&flow, None, &alone, &Pages::default()).target;
            let doubts = doubt(&flow, &alone, alone.accounts.first());
            match (flow.product, Product::parse(name)) {
                (None, _) => assert!(matches!(said, Ok(FitTarget::Router(Some(_)))), "{id} {name}: {said:?}"),
                (Some(wanted), Some(of)) if wanted == of => {
                    assert!(matches!(said, Ok(FitTarget::Account(_))), "{id} {name}: {said:?}");
                    assert_eq!(doubts, None);
                }
                (Some(_), None) if name.is_empty() => {
                    assert_eq!(said.is_ok(), flow.takes_login, "{id}: {said:?}");
                    assert!(doubts.unwrap().contains("does not say of which product"));
                }
                (Some(wanted), _) => {
                    let why = said.unwrap_err();
                    let expected = format!(
                        "no {} account of theirs is known: the issue is about one of {name}",
                        wanted.ispm_name()
                    );
                    assert_eq!(why, expected, "{id}");
                    // An account there of the same person makes it possible, and is asked for again.
                    let known = about("Account", name, &[wanted.cii_provider()]);
                    let said = fit(&flow, None, &known, &Pages::default()).target;
                    assert!(
                        matches!(said, Ok(FitTarget::Account(account)) if account.user_id.raw() == "id0")
                    );
                    let doubt = doubt(&flow, &known, None).unwrap();
                    assert!(doubt.contains(&format!("about an account of {name}, and")), "{doubt}");
                }
            }
        }
    }

    #[rstest]
    #[case("suspend-okta-account", "OAuth Grant", &["OKTA"], "takes an Account, not an OAuth Grant: that is what the issue is about")]
    #[case("suspend-google-workspace-user", "OAuth Grant", &["G_SUITE"], "takes an Account, not an OAuth Grant: that is what the issue is about")]
    #[case("suspend-okta-account", "Service Principal", &["OKTA"], "takes an Account, not a `Service Principal`: that is what the issue is about")]
    #[case("ispm-event-hook", "OAuth Grant", &["OKTA"], "is told the finding and decides itself what to act on")]
    #[case("ispm-event-hook", "User", &["OKTA"], "is told the finding and decides itself what to act on")]
    #[case("ispm-event-hook", "Service Principal", &[], "is told the finding and decides itself what to act on")]
    #[case("suspend-okta-account", "User", &["OKTA"], "acts on Okta account id0 (ann)")]
    #[case("suspend-okta-account", "User", &["AZURE_AD"], "no Okta account of theirs is known: the issue is about a User")]
    #[case("suspend-okta-account", "account", &[], "acts on Okta account id-9 (ann)")]
    fn what_is_no_account_is_never_taken_for_one(
        #[case] flow: &str,
        #[case] kind: &str,
        #[case] known: &[&str],
        #[case] expected: &str,
    ) {
        assert_eq!(said(&runnable(flow), &about(kind, "Okta", known)), expected);
        // Neither by Okta's own operations, which take a login too.
        let suspend = Operation::Suspend.flow();
        let is_refused =
            |said: &str| said.contains("the issue is about") || said.contains("is what the issue");
        if flow == "suspend-okta-account" {
            let said = said(&suspend, &about(kind, "Okta", known));
            assert_eq!(is_refused(&said), is_refused(expected), "{said}");
        }
    }

    #[rstest]
    #[case(
        Some(EntityKind::OauthGrant),
        "OAuth Grant",
        "Okta",
        "is told the finding and decides itself what to act on"
    )]
    #[case(
        Some(EntityKind::OauthGrant),
        "OAuth Grant",
        "AAD",
        "of another product: the issue is about an OAuth Grant of AAD"
    )]
    #[case(
        Some(EntityKind::OauthGrant),
        "Account",
        "Okta",
        "takes an OAuth Grant, not an Account: that is what the issue is about"
    )]
    #[case(
        None,
        "OAuth Grant",
        "Google Workspace",
        "of another product: the issue is about an OAuth Grant of Google Workspace"
    )]
    #[case(
        Some(EntityKind::User),
        "Account",
        "Okta",
        "takes a User, not an Account: that is what the issue is about"
    )]
    fn a_flow_takes_what_it_says(
        #[case] entity: Option<EntityKind>,
        #[case] kind: &str,
        #[case] product: &str,
        #[case] expected: &str,
    ) {
        let flow = Flow { entity, ..runnable("suspend-okta-account") };
        assert_eq!(said(&flow, &about(kind, product, &["OKTA"])), expected);
    }

    #[test]
    fn without_an_issue_a_flow_for_grants_has_nothing_to_act_on() {
        let flow = Flow { entity: Some(EntityKind::OauthGrant), ..runnable("suspend-okta-account") };
        assert_eq!(said(&flow, &subject(&["OKTA"])), "takes an issue about an OAuth Grant, and this is none");
    }

    #[test]
    fn what_an_issue_names_and_does_not_tell_apart_is_said() {
        let mut person = about("User", "", &["AZURE_AD"]);
        person.entity.as_mut().unwrap().unread = 2;
        let why = said(&runnable("suspend-okta-account"), &person);
        assert!(why.ends_with("about a User, and names 2 without saying which they are"), "{why}");
        person.accounts_unknown = Some("timed out".into());
        let why = said(&runnable("suspend-okta-account"), &person);
        assert!(
            why.starts_with("their accounts are not known yet: timed out; the issue is about a User"),
            "{why}"
        );
    }

    #[test]
    fn a_router_is_not_handed_another_account_in_silence() {
        let subject = about("Account", "AAD", &["OKTA"]);
        let router = runnable("ispm-event-hook");
        let doubts: Vec<bool> = subject
            .accounts
            .iter()
            .map(|account| doubt(&router, &subject, Some(account)).is_some())
            .collect();
        assert_eq!(doubts, [true, false]);
    }

    #[test]
    fn unread_accounts_are_not_called_missing() {
        let subject = Subject { accounts_unknown: Some("timed out".into()), ..subject(&[]) };
        let said = said(&runnable("okta-add-user-to-a-group"), &subject);
        assert_eq!(said, "the accounts are not known yet: timed out");
    }

    #[test]
    fn what_cannot_be_sent_is_refused_with_the_reason() {
        let no_url = Flow { route: Route::ApiEndpoint, ..preset::flow("suspend-okta-account").unwrap() };
        assert!(said(&no_url, &subject(&["OKTA"])).contains("no `url`"));
        let open = preset::flow("suspend-okta-account").unwrap();
        assert!(said(&open, &subject(&["OKTA"])).contains("a `url` under `[[flow]]` lets it run"));
        let delegated = preset::flow(preset::DELEGATED).unwrap();
        assert!(said(&delegated, &subject(&["OKTA"])).contains("Workflow > Delegated Flows > Run"));
    }

    #[rstest]
    #[case(
        Some("https://wiki.example/1"),
        Some("https://ispm.example/i/1"),
        "opens the flow's page: https://wiki.example/1"
    )]
    #[case(None, Some("https://ispm.example/i/1"), "opens the finding's page: https://ispm.example/i/1")]
    #[case(
        None,
        Some("javascript:alert(1)"),
        "`javascript:alert(1)` is refused: only http and https links are opened"
    )]
    #[case(None, None, "opens the person's page: https://cii.example/u/1")]
    fn what_cannot_be_run_opens_the_nearest_page(
        #[case] own: Option<&str>,
        #[case] finding: Option<&str>,
        #[case] expected: &str,
    ) {
        let flow = Flow { url: own.map(str::to_owned), ..preset::flow(preset::DELEGATED).unwrap() };
        let pages =
            Pages { finding: finding.map(Untrusted::from), person: Some("https://cii.example/u/1".into()) };
        assert_eq!(words(&fit(&flow, None, &subject(&[]), &pages)), expected);
    }

    #[test]
    fn says_which_are_suggested() {
        let flows = [runnable("suspend-okta-account"), runnable("okta-add-user-to-a-group")];
        let check = Check { id: "no-mfa".into(), title: "No MFA Configured".into() };
        let fits = fits(&flows, Some(&check), &subject(&["OKTA"]), &Pages::default());
        let suggested: Vec<bool> = fits.iter().map(|fit| fit.is_suggested).collect();
        assert_eq!(suggested, [false, true]);
    }
}
