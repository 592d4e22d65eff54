//! What services without a protocol of their own say: a form that people fill in, and an alert manager.
use crate::lab::population::uuid;
use fastrand::Rng;

/// A form that somebody filled in.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub(crate) id: String,
    pub(crate) token: String,
    pub(crate) email: String,
    pub(crate) text: &'static str,
}

impl Report {
    pub(super) fn new(rng: &mut Rng, email: &str, text: &'static str) -> Self {
        Self { id: uuid(rng), token: uuid(rng).replace('-', ""), email: email.to_owned(), text }
    }
}

/// What an alert is about: name, severity, summary, description.
pub(super) type Alarm = (&'static str, &'static str, &'static str, &'static str);

/// One alert that fires.
#[derive(Debug, Clone)]
pub(crate) struct Alert {
    pub(crate) name: &'static str,
    pub(crate) severity: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) description: &'static str,
    /// Whom it is about; some are about nobody, and then the label is missing.
    pub(crate) user: Option<String>,
    /// 16 hex digits out of the labels.
    pub(crate) fingerprint: String,
}

impl Alert {
    pub(super) fn new(rng: &mut Rng, alarm: Alarm, user: Option<&str>) -> Self {
        let (name, severity, summary, description) = alarm;
        let fingerprint = format!("{:016x}", rng.u64(..));
        Self { name, severity, summary, description, user: user.map(str::to_owned), fingerprint }
    }
}
