//! An account as a command line names it, where somebody has several: `OKTA/00u1`.

use super::Untrusted;
use super::subject::{Login, ProviderAccount};
use std::fmt;
use std::str::FromStr;

/// Which of somebody's accounts is meant: `PRODUCT/ID`, the product by any of its names, or the id alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountName(String);

impl AccountName {
    /// The name of an account.
    pub fn of(account: &ProviderAccount) -> AccountName {
        AccountName(format!("{}/{}", account.provider.raw(), account.user_id.raw()))
    }

    /// Whether it names this account. Ids differ in case, products do not.
    pub fn is_of(&self, account: &ProviderAccount) -> bool {
        let named = |(product, id): (&str, &str)| {
            let named =
                ProviderAccount { provider: product.into(), user_id: id.into(), login: Login::default() };
            named.is_same(account)
        };
        // What is shown of it can be typed, also where something in it is only shown escaped.
        let shown = AccountName::of(account).to_string();
        self.0 == account.user_id.raw() || self.0.split_once('/').is_some_and(named) || self.0 == shown
    }

    /// The option that names it, as a shell takes it: `--account OKTA/00u1`.
    pub fn option(&self) -> String {
        let shown = self.to_string();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/@._:+,=-".contains(c);
        if shown.chars().all(is_plain) {
            return format!("--account {shown}");
        }
        format!("--account '{}'", shown.replace('\'', r"'\''"))
    }
}

impl FromStr for AccountName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<AccountName, Self::Err> {
        let text = text.trim();
        match text.split_once('/') {
            Some((product, id)) if product.trim().is_empty() || id.trim().is_empty() => {
                Err("an account looks like `OKTA/00u1`, or is its id alone")
            }
            None if text.is_empty() => Err("an account looks like `OKTA/00u1`, or is its id alone"),
            _ => Ok(AccountName(text.to_owned())),
        }
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Untrusted::from(self.0.as_str()), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn account(provider: &str, id: &str) -> ProviderAccount {
        ProviderAccount { provider: provider.into(), user_id: id.into(), login: Login::new("ann") }
    }

    #[rstest]
    #[case("OKTA/00u1", true)]
    #[case("okta/00u1", true)]
    #[case(" 00u1 ", true)]
    #[case::ids_differ_in_case("OKTA/00U1", false)]
    #[case::another_product("AZURE_AD/00u1", false)]
    #[case("OKTA/00u2", false)]
    #[case("OKTA", false)]
    fn an_account_is_named_by_product_and_id(#[case] name: &str, #[case] is_it: bool) {
        let name: AccountName = name.parse().unwrap();
        assert_eq!(name.is_of(&account("OKTA", "00u1")), is_it);
    }

    #[rstest]
    #[case("AAD/1", "AZURE_AD", "1")]
    #[case::unheard_of("slack/1", "SLACK", "1")]
    #[case::slashes("OKTA/a/b", "OKTA", "a/b")]
    #[case::slashes_alone("a/b", "OKTA", "a/b")]
    fn a_product_goes_by_each_of_its_names(#[case] name: &str, #[case] provider: &str, #[case] id: &str) {
        assert!(name.parse::<AccountName>().unwrap().is_of(&account(provider, id)));
    }

    #[rstest]
    #[case("")]
    #[case("/00u1")]
    #[case("OKTA/ ")]
    fn half_a_name_is_none(#[case] text: &str) {
        assert!(text.parse::<AccountName>().is_err());
    }

    #[rstest]
    #[case("OKTA", "00u1", "--account OKTA/00u1")]
    #[case("Google Workspace", "1", "--account 'Google Workspace/1'")]
    #[case("OKTA", "a'b", r"--account 'OKTA/a'\''b'")]
    #[case("OKTA", "a\u{202e}b", "--account 'OKTA/a<U+202E>b'")]
    fn what_is_said_names_it_again(#[case] provider: &str, #[case] id: &str, #[case] option: &str) {
        let account = account(provider, id);
        assert_eq!(AccountName::of(&account).option(), option);
        let typed = option.trim_start_matches("--account ").trim_matches('\'').replace(r"'\''", "'");
        assert!(typed.parse::<AccountName>().unwrap().is_of(&account), "{typed}");
    }
}
