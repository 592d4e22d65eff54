//! Fixed windows of calls, as Okta and Workflows count them. Windows last a span of lab time, so they scale with it.
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How often something may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) calls: u32,
    /// Seconds of lab time.
    pub(crate) window: i64,
}

/// Calls a second of one flow (workflows-ispm.md, section 1).
pub(crate) const FLOW: Rate = Rate { calls: 10, window: 1 };

/// Calls a minute of the System Log.
pub(crate) const LOG_CALLS: u32 = 60;

/// The bucket of a call to the Okta API: the published figures of a Workforce org, of which one token gets half.
pub(crate) fn okta_bucket(method: &str, path: &str) -> (&'static str, Rate) {
    let per_minute = |calls| Rate { calls, window: 60 };
    match path.strip_prefix("/api/v1/").unwrap_or_default() {
        rest if rest.starts_with("logs") => ("logs", per_minute(LOG_CALLS)),
        rest if rest.starts_with("users/") && method == "GET" => ("user", per_minute(1000)),
        rest if rest.starts_with("users") => ("users", per_minute(300)),
        rest if rest.starts_with("groups") => ("groups", per_minute(250)),
        rest if rest.starts_with("apps") => ("apps", per_minute(50)),
        _ => ("other", per_minute(600)),
    }
}

/// What a window answers, in the terms of the rate headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) allowed: bool,
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    /// When the window ends: seconds since 1970.
    pub(crate) reset: i64,
}

/// Open windows by key.
#[derive(Debug, Default)]
pub(crate) struct Limits(Mutex<HashMap<String, Window>>);

#[derive(Debug, Clone, Copy)]
struct Window {
    ends_ms: i64,
    used: u32,
}

impl Limits {
    /// Counts one call.
    pub(crate) fn count(&self, key: &str, rate: Rate, now: Timestamp) -> Verdict {
        let now_ms = now.as_millisecond();
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = Window { ends_ms: now_ms + rate.window * 1000, used: 0 };
        let window = windows.entry(key.to_owned()).or_insert(fresh);
        if window.ends_ms <= now_ms {
            *window = fresh;
        }
        let allowed = window.used < rate.calls;
        window.used += u32::from(allowed);
        Verdict {
            allowed,
            limit: rate.calls,
            remaining: rate.calls - window.used,
            reset: window.ends_ms.div_euclid(1000) + i64::from(window.ends_ms.rem_euclid(1000) > 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).unwrap()
    }

    #[test]
    fn refuses_the_eleventh_call_of_a_second() {
        let limits = Limits::default();
        let allowed: Vec<bool> = (0..11).map(|i| limits.count("flow", FLOW, at(i)).allowed).collect();
        assert_eq!(allowed.iter().filter(|ok| **ok).count(), 10);
        assert_eq!(allowed.last(), Some(&false));
        assert!(limits.count("flow", FLOW, at(1000)).allowed);
        assert!(limits.count("another", FLOW, at(20)).allowed);
    }

    #[test]
    fn reset_is_never_before_the_window_ends() {
        let verdict = Limits::default().count("k", FLOW, at(1));
        assert_eq!((verdict.reset, verdict.remaining, verdict.limit), (2, 9, 10));
    }
}
