//! Which flows can be offered for a subject, and why the others cannot.

use crate::domain::flow::{PayloadShape, Product};
use crate::domain::plan::{Fit, FitTarget, PageOf, WebPage};
use crate::domain::subject::{ProviderAccount, Subject};
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
    let target = match flow.route {
        Route::Open => page(flow, pages).map(FitTarget::Page),
        Route::ApiEndpoint | Route::Okta => target(flow, subject),
    };
    Fit { flow: flow.clone(), is_suggested, target }
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

fn target(flow: &Flow, subject: &Subject) -> Result<FitTarget, String> {
    if let Some(reason) = flow.unrunnable() {
        return Err(reason);
    }
    let Some(product) = flow.product else { return Ok(router(flow, subject)) };
    let accounts = accounts_of(product, subject);
    match accounts.as_slice() {
        [account] => Ok(FitTarget::Account(account.clone())),
        [] if flow.takes_login => Ok(FitTarget::Login(subject.login.clone())),
        [] => Err(no_account(product, subject)),
        _ => Ok(FitTarget::Choose(accounts)),
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
    let is_of = |account: &&ProviderAccount| Product::parse(account.provider.raw()) == Some(product);
    subject.accounts.iter().filter(is_of).cloned().collect()
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
    let product = Product::parse(account.provider.raw());
    product.map_or_else(|| account.provider.to_string(), |product| product.ispm_name().to_owned())
}

/// What a flow would act on, or why it is refused, in words for a list.
pub fn words(fit: &Fit) -> String {
    let account = |account: &ProviderAccount| {
        format!("acts on {} account {} ({})", provider(account), account.user_id, account.login)
    };
    match &fit.target {
        Ok(FitTarget::Account(target) | FitTarget::Router(Some(target))) => account(target),
        Ok(FitTarget::Choose(accounts)) => format!("{} accounts: choose one", accounts.len()),
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
