//! What somebody's administrator roles let them do with delegated flows, by the calls that are documented for it
//! (contracts/workflows-ispm.md, section 2.4).

use crate::domain::access::Preview;
use async_trait::async_trait;
use std::fmt;

/// Reads what roles allow. It never fails: what cannot be read stands in the preview as unknown.
#[async_trait]
pub trait AccessPreview: Send + Sync + fmt::Debug {
    /// Of whoever made our credential; `None` behind an application, which is nobody.
    async fn of_owner(&self) -> Option<Preview>;

    /// Of somebody, by their whole login.
    async fn of_login(&self, login: &str) -> Preview;

    /// Of whoever sits here: the analyst whom the configuration names, where that is a login; else whoever made our
    /// credential. Delegated flows are run in Okta's console, by the person who is signed in there.
    async fn of_whoever_acts(&self, analyst: Option<&str>) -> Preview {
        if let Some(login) = analyst.filter(|name| name.contains('@')) {
            return self.of_login(login).await;
        }
        let nobody = "who sits here is not known at Okta; hint: `[console] analyst`, as the login there";
        self.of_owner().await.unwrap_or_else(|| Preview::unknown(nobody))
    }
}
