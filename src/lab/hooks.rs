//! What was registered at the lab: targets of CII's webhooks and Okta's event hooks. A test can read it whole.
use secrecy::SecretString;

/// A target of CII's webhooks.
#[derive(Debug, Clone)]
pub struct LabWebhook {
    pub id: String,
    /// As asked for, and something random behind it.
    pub name: String,
    /// `None` for a target that a Duo integration stands for.
    pub endpoint: Option<String>,
    pub header: String,
    pub secret: SecretString,
    pub checks: Vec<String>,
}

/// An event hook of the org.
#[derive(Debug, Clone)]
pub struct LabEventHook {
    pub id: String,
    pub name: String,
    pub uri: String,
    pub events: Vec<String>,
    /// The header of its `authScheme`; the value is never told again.
    pub header: String,
    pub secret: SecretString,
    pub is_active: bool,
    pub is_verified: bool,
}
