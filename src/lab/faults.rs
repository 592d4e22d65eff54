//! What the lab can be told to do wrong: `--fault name[@part][=value]`, or [`Faults::set`] while it runs.
//!
//! For the faults that spoil a reply, the value is how many requests they spoil before they end; without one they stay.
//! A fault that only some systems can have is refused for the others: it would do nothing, and nobody would notice.
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// One of the remote systems that the lab stands in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The token endpoints of CII and of the Okta org.
    Token,
    Cii,
    Okta,
    Workflows,
    Pages,
}

impl Part {
    const ALL: [Part; 5] = [Part::Token, Part::Cii, Part::Okta, Part::Workflows, Part::Pages];

    /// Which system a path belongs to.
    pub(crate) fn of(path: &str) -> Self {
        match path {
            "/cii/oauth/token" | "/oauth2/v1/token" => Part::Token,
            _ if path.starts_with("/cii/") => Part::Cii,
            _ if path.starts_with("/api/flo/") => Part::Workflows,
            _ if path.starts_with("/pages/") => Part::Pages,
            _ => Part::Okta,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Part::Token => "token",
            Part::Cii => "cii",
            Part::Okta => "okta",
            Part::Workflows => "workflows",
            Part::Pages => "pages",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == text)
    }
}

/// Everything that can go wrong, one name each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// Every reply waits (value in milliseconds of lab time).
    Latency,
    /// 401: the credential is not accepted.
    Unauthorized,
    /// 403: it is, but not for this.
    Forbidden,
    /// 429 of a bucket: a real reset. CII sends `Retry-After` with it.
    RateLimit,
    /// 429 of concurrency: `Limit` and `Remaining` 0, a reset that is only a suggestion. CII sends no `Retry-After`.
    Concurrency,
    /// 500, with JSON from Okta and a page of HTML from the others.
    ServerError,
    /// 502 with a page of HTML.
    BadGateway,
    /// 503.
    Unavailable,
    /// The connection is cut before the request has any effect.
    Drop,
    /// The request takes effect, then the connection is cut: the reply is lost.
    ReplyLost,
    /// The same, of what changes something in the Okta org and of nothing else.
    ChangeLost,
    /// The body ends in the middle.
    Truncated,
    /// CII's schema differs from the published one: fields gone, one of another type, new enum values.
    SchemaDrift,
    /// Some webhooks come long after their `published`, after newer ones.
    LateEvents,
    /// The tokens for a system live only a moment (value in milliseconds of lab time).
    ShortTokens,
    /// The org's OAuth app demands DPoP.
    DpopRequired,
    /// Calls to the org want a nonce in their proofs, as only its token endpoint does otherwise.
    CallNonce,
    /// No role of the org's OAuth app covers the System Log; the scope is granted all the same.
    NoLogRole,
    /// The org's OAuth app was not granted the scopes of event hooks.
    NoHookScope,
    /// The service app was not granted `okta.roles.read`.
    NoRolesScope,
    /// Nobody who calls may see administrator roles.
    NoRolesRole,
    /// CII cannot locate addresses: those fields fail, the rest of the data is there.
    Partial,
    /// CII errors carry `message` only.
    BareErrors,
    /// `errorInfo` of CII's errors is an object.
    ErrorInfo,
    /// `errorInfo` of CII's errors is a list.
    ErrorInfoList,
    /// CII's pages have the other sizes that its documentation gives: 50 unless asked, at most 1,000.
    PageSizes,
    /// CII answers false, and no error, to the end of a webhook that it does not know.
    UnregisterFalse,
    /// Okta's `errorCauses` is an object.
    ObjectCauses,
    /// Okta's errors name one cause more than they have.
    ManyCauses,
    /// 429 of a bucket whose reset is no number.
    BareLimit,
    /// Another system masters the profiles of the org's users: they are not updated.
    MasteredElsewhere,
    /// A search does not find who was made or changed a moment ago (value in milliseconds of lab time).
    LateSearch,
    /// The pages of the org's lists hold no more than this (value: how many; 3 without one).
    SmallPages,
    /// The policy for whoever asks shows one factor of a user at most.
    TrimmedFactors,
    /// Two pages of CII users share one.
    RepeatedUsers,
    /// A cursor of the System Log is not taken any more.
    ExpiredCursor,
    /// A polling page of the System Log is empty although there is more.
    EmptyPages,
    /// A polling page repeats the last records of the one before it.
    RepeatedRecords,
    /// A polling page names no next one.
    MissingNext,
    /// A bounded page names a next one although it is the last.
    BoundedNext,
    /// The next page is at another host.
    ForeignNext,
    /// All `Link`s come in one header.
    LinksJoined,
    /// `self` comes before `next`.
    LinksSelfFirst,
    /// The connection is cut in the middle of the body.
    CutBody,
    /// Flows are switched off.
    FlowOff,
    /// Every call of the event hook comes again, every second time under another `eventId`.
    HookDuplicates,
    /// The events of a call stand newest first, and every third call comes after newer ones.
    HookDisorder,
    /// A run's start is streamed after its end, and both twice.
    ExecutionsUnordered,
    /// Runs of flows whose end is never streamed (value: how many).
    ExecutionWithoutEnd,
}

impl FaultKind {
    /// The systems that can have it.
    fn parts(self) -> &'static [Part] {
        match self {
            FaultKind::SchemaDrift
            | FaultKind::LateEvents
            | FaultKind::Partial
            | FaultKind::BareErrors
            | FaultKind::ErrorInfo
            | FaultKind::ErrorInfoList
            | FaultKind::PageSizes
            | FaultKind::UnregisterFalse
            | FaultKind::RepeatedUsers => &[Part::Cii],
            FaultKind::DpopRequired
            | FaultKind::CallNonce
            | FaultKind::NoLogRole
            | FaultKind::NoHookScope
            | FaultKind::NoRolesScope
            | FaultKind::NoRolesRole
            | FaultKind::ObjectCauses
            | FaultKind::ManyCauses
            | FaultKind::BareLimit
            | FaultKind::MasteredElsewhere
            | FaultKind::LateSearch
            | FaultKind::SmallPages
            | FaultKind::TrimmedFactors
            | FaultKind::ExpiredCursor
            | FaultKind::EmptyPages
            | FaultKind::RepeatedRecords
            | FaultKind::MissingNext
            | FaultKind::BoundedNext
            | FaultKind::ForeignNext
            | FaultKind::LinksJoined
            | FaultKind::LinksSelfFirst
            | FaultKind::HookDuplicates
            | FaultKind::ChangeLost
            | FaultKind::HookDisorder => &[Part::Okta],
            FaultKind::FlowOff | FaultKind::ExecutionsUnordered | FaultKind::ExecutionWithoutEnd => {
                &[Part::Workflows]
            }
            FaultKind::ShortTokens => &[Part::Cii, Part::Okta],
            _ => &Part::ALL,
        }
    }
}

const NAMES: &[(&str, FaultKind)] = &[
    ("latency", FaultKind::Latency),
    ("401", FaultKind::Unauthorized),
    ("403", FaultKind::Forbidden),
    ("429", FaultKind::RateLimit),
    ("429-concurrency", FaultKind::Concurrency),
    ("5xx", FaultKind::ServerError),
    ("500", FaultKind::ServerError),
    ("502", FaultKind::BadGateway),
    ("503", FaultKind::Unavailable),
    ("drop", FaultKind::Drop),
    ("reply-lost", FaultKind::ReplyLost),
    ("change-lost", FaultKind::ChangeLost),
    ("truncated", FaultKind::Truncated),
    ("schema-drift", FaultKind::SchemaDrift),
    ("late-events", FaultKind::LateEvents),
    ("short-tokens", FaultKind::ShortTokens),
    ("dpop-required", FaultKind::DpopRequired),
    ("call-nonce", FaultKind::CallNonce),
    ("no-log-role", FaultKind::NoLogRole),
    ("no-hook-scope", FaultKind::NoHookScope),
    ("no-roles-scope", FaultKind::NoRolesScope),
    ("no-roles-role", FaultKind::NoRolesRole),
    ("partial", FaultKind::Partial),
    ("bare-errors", FaultKind::BareErrors),
    ("error-info", FaultKind::ErrorInfo),
    ("error-info-list", FaultKind::ErrorInfoList),
    ("page-sizes", FaultKind::PageSizes),
    ("unregister-false", FaultKind::UnregisterFalse),
    ("object-causes", FaultKind::ObjectCauses),
    ("many-causes", FaultKind::ManyCauses),
    ("429-bare", FaultKind::BareLimit),
    ("mastered-elsewhere", FaultKind::MasteredElsewhere),
    ("late-search", FaultKind::LateSearch),
    ("small-pages", FaultKind::SmallPages),
    ("trimmed-factors", FaultKind::TrimmedFactors),
    ("repeated-users", FaultKind::RepeatedUsers),
    ("expired-cursor", FaultKind::ExpiredCursor),
    ("empty-pages", FaultKind::EmptyPages),
    ("repeated-records", FaultKind::RepeatedRecords),
    ("missing-next", FaultKind::MissingNext),
    ("bounded-next", FaultKind::BoundedNext),
    ("foreign-next", FaultKind::ForeignNext),
    ("links-joined", FaultKind::LinksJoined),
    ("links-self-first", FaultKind::LinksSelfFirst),
    ("cut-body", FaultKind::CutBody),
    ("flow-off", FaultKind::FlowOff),
    ("hook-duplicates", FaultKind::HookDuplicates),
    ("hook-disorder", FaultKind::HookDisorder),
    ("executions-unordered", FaultKind::ExecutionsUnordered),
    ("execution-without-end", FaultKind::ExecutionWithoutEnd),
];

/// A fault, where it strikes and how much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub kind: FaultKind,
    /// `None`: every system but the token endpoints and the pages.
    pub part: Option<Part>,
    pub value: Option<u64>,
}

impl Fault {
    /// A fault on every system, until cleared.
    pub fn lasting(kind: FaultKind) -> Self {
        Self { kind, part: None, value: None }
    }

    /// Names that [`Fault::from_str`] takes.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    fn strikes(&self, kind: FaultKind, part: Part) -> bool {
        self.kind == kind
            && self.value != Some(0)
            && match self.part {
                Some(wanted) => wanted == part,
                None => !matches!(part, Part::Token | Part::Pages),
            }
    }
}

/// A `--fault` that means nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FaultError {
    #[error("unknown fault `{0}`\nhint: one of {names}", names = Fault::names().collect::<Vec<_>>().join(", "))]
    Name(String),
    #[error("unknown system `{0}` in a fault\nhint: one of {names}", names = names(&Part::ALL))]
    Part(String),
    #[error("`{system}` cannot have the fault `{fault}`\nhint: leave the system out, or say one of {names}", names = names(able))]
    Misplaced { fault: String, system: &'static str, able: &'static [Part] },
    #[error("the value `{0}` of a fault is not a whole number")]
    Value(String),
}

fn names(parts: &[Part]) -> String {
    parts.iter().map(|part| part.name()).collect::<Vec<_>>().join(", ")
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let (head, value) = match text.split_once('=') {
            Some((head, value)) => (head, Some(number(value)?)),
            None => (text, None),
        };
        let (name, part) = match head.split_once('@') {
            Some((name, part)) => {
                (name, Some(Part::parse(part).ok_or_else(|| FaultError::Part(part.into()))?))
            }
            None => (head, None),
        };
        let known = NAMES.iter().find(|(known, _)| *known == name);
        let (_, kind) = *known.ok_or_else(|| FaultError::Name(name.into()))?;
        let able = kind.parts();
        match part.filter(|part| !able.contains(part)) {
            Some(part) => Err(FaultError::Misplaced { fault: name.into(), system: part.name(), able }),
            None => Ok(Self { kind, part, value }),
        }
    }
}

/// `500`, `500ms` and `2s` alike; a bare number is counted in the fault's own unit.
fn number(text: &str) -> Result<u64, FaultError> {
    let parsed = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => number.parse().ok(),
        (None, Some(number)) => number.parse::<u64>().ok().and_then(|seconds| seconds.checked_mul(1000)),
        (None, None) => text.parse().ok(),
    };
    parsed.ok_or_else(|| FaultError::Value(text.into()))
}

/// The faults in force; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Vec<Fault>>>);

impl Faults {
    pub(crate) fn new(faults: Vec<Fault>) -> Self {
        Self(Arc::new(Mutex::new(faults)))
    }

    /// Switches a fault on, in place of one of the same kind and system.
    pub fn set(&self, fault: Fault) {
        self.with(|faults| {
            faults.retain(|held| (held.kind, held.part) != (fault.kind, fault.part));
            faults.push(fault);
        });
    }

    /// Switches a kind off.
    pub fn clear(&self, kind: FaultKind) {
        self.with(|faults| faults.retain(|held| held.kind != kind));
    }

    /// Switches everything off.
    pub fn clear_all(&self) {
        self.with(Vec::clear);
    }

    /// Whether a kind is in force, without using it up.
    pub(crate) fn active(&self, kind: FaultKind, part: Part) -> bool {
        self.with(|faults| faults.iter().any(|fault| fault.strikes(kind, part)))
    }

    /// The value of a fault in force, `default` if it has none.
    pub(crate) fn value(&self, kind: FaultKind, part: Part, default: u64) -> Option<u64> {
        self.with(|faults| {
            faults.iter().find(|fault| fault.strikes(kind, part)).map(|fault| fault.value.unwrap_or(default))
        })
    }

    /// Whether this request is to be spoiled so; counts a limited fault down.
    pub(crate) fn take(&self, kind: FaultKind, part: Part) -> bool {
        self.with(|faults| {
            let Some(fault) = faults.iter_mut().find(|fault| fault.strikes(kind, part)) else { return false };
            fault.value = fault.value.map(|left| left.saturating_sub(1));
            true
        })
    }

    /// How long every reply is held back.
    pub(crate) fn latency(&self, part: Part) -> Option<Duration> {
        self.value(FaultKind::Latency, part, 1000).map(Duration::from_millis)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Vec<Fault>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("401", FaultKind::Unauthorized, None, None)]
    #[case("429@okta=3", FaultKind::RateLimit, Some(Part::Okta), Some(3))]
    #[case("latency=250ms", FaultKind::Latency, None, Some(250))]
    #[case("latency@cii=2s", FaultKind::Latency, Some(Part::Cii), Some(2000))]
    #[case("5xx", FaultKind::ServerError, None, None)]
    fn reads_a_fault(
        #[case] text: &str,
        #[case] kind: FaultKind,
        #[case] part: Option<Part>,
        #[case] value: Option<u64>,
    ) {
        assert_eq!(text.parse(), Ok(Fault { kind, part, value }));
    }

    #[rstest]
    #[case("nonsense", "unknown fault `nonsense`")]
    #[case("401@moon", "unknown system `moon`")]
    #[case("401=many", "the value `many`")]
    #[case("short-tokens@token", "`token` cannot have the fault `short-tokens`")]
    #[case("dpop-required@token", "`token` cannot have the fault `dpop-required`")]
    #[case("schema-drift@okta", "`okta` cannot have the fault `schema-drift`")]
    #[case("hook-disorder@cii", "`cii` cannot have the fault `hook-disorder`")]
    #[case("execution-without-end@okta", "`okta` cannot have the fault `execution-without-end`")]
    #[case("object-causes@workflows", "`workflows` cannot have the fault `object-causes`")]
    fn refuses_what_it_does_not_know(#[case] text: &str, #[case] phrase: &str) {
        let error = text.parse::<Fault>().unwrap_err();
        assert!(error.to_string().starts_with(phrase), "{error}");
    }

    #[test]
    fn a_limited_fault_ends() {
        let faults = Faults::new(vec!["401@okta=2".parse().unwrap()]);
        let struck: Vec<bool> = (0..3).map(|_| faults.take(FaultKind::Unauthorized, Part::Okta)).collect();
        assert_eq!(struck, [true, true, false]);
        assert!(!faults.take(FaultKind::Unauthorized, Part::Cii));
    }

    #[test]
    fn token_endpoints_fail_only_when_named() {
        let faults = Faults::new(vec![Fault::lasting(FaultKind::Forbidden)]);
        assert!(!faults.active(FaultKind::Forbidden, Part::Token));
        faults.set("403@token".parse().unwrap());
        assert!(faults.active(FaultKind::Forbidden, Part::Token));
        faults.clear(FaultKind::Forbidden);
        assert!(!faults.active(FaultKind::Forbidden, Part::Okta));
    }
}
