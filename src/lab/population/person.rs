//! One person, and all that the identity systems know about them.
use jiff::Timestamp;

/// A status of an Okta account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Status {
    Staged,
    Provisioned,
    Active,
    Recovery,
    LockedOut,
    PasswordExpired,
    Suspended,
    Deprovisioned,
}

impl Status {
    pub(crate) const ALL: [Status; 8] = [
        Status::Staged,
        Status::Provisioned,
        Status::Active,
        Status::Recovery,
        Status::LockedOut,
        Status::PasswordExpired,
        Status::Suspended,
        Status::Deprovisioned,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Status::Staged => "STAGED",
            Status::Provisioned => "PROVISIONED",
            Status::Active => "ACTIVE",
            Status::Recovery => "RECOVERY",
            Status::LockedOut => "LOCKED_OUT",
            Status::PasswordExpired => "PASSWORD_EXPIRED",
            Status::Suspended => "SUSPENDED",
            Status::Deprovisioned => "DEPROVISIONED",
        }
    }
}

/// An enrolled factor: Okta's type, provider and vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Factor {
    pub(crate) kind: &'static str,
    pub(crate) provider: &'static str,
    pub(crate) label: &'static str,
}

/// A device seen with a person.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) os: &'static str,
    pub(crate) kind: &'static str,
}

/// One person (or service account) and all that the identity systems know.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) login: String,
    pub(crate) email: String,
    pub(crate) first: String,
    pub(crate) last: String,
    /// `None` shows in `listEndUsers` only: everywhere else the schema demands a name.
    pub(crate) display: Option<String>,
    pub(crate) okta_id: String,
    pub(crate) cii_id: String,
    pub(crate) department: Option<&'static str>,
    pub(crate) title: Option<String>,
    pub(crate) manager: Option<String>,
    pub(crate) place: usize,
    /// Empty, one or several.
    pub(crate) employee_ids: Vec<String>,
    pub(crate) phone: Option<String>,
    pub(crate) status: Status,
    /// CII's own status where it differs from Okta's.
    pub(crate) cii_status: Option<&'static str>,
    pub(crate) class: &'static str,
    /// CII's names of the systems that hold an account.
    pub(crate) providers: Vec<&'static str>,
    pub(crate) groups: Vec<String>,
    pub(crate) factors: Vec<Factor>,
    pub(crate) used_apps: Vec<&'static str>,
    pub(crate) unused_apps: Vec<&'static str>,
    pub(crate) addresses: Vec<String>,
    pub(crate) devices: Vec<Device>,
    pub(crate) linked: Vec<String>,
    pub(crate) trust: Option<&'static str>,
    pub(crate) admin: bool,
    pub(crate) created: Timestamp,
    pub(crate) last_sign_in: Option<Timestamp>,
}

impl Person {
    pub(crate) fn name(&self) -> &str {
        self.display.as_deref().unwrap_or(&self.login)
    }

    pub(crate) fn has_mfa(&self) -> bool {
        !self.factors.is_empty()
    }

    pub(crate) fn status_in_cii(&self) -> &'static str {
        self.cii_status.unwrap_or_else(|| self.status.as_str())
    }
}
