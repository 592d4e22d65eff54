//! Fixed windows of calls, as Okta and Workflows count them. Windows last a span of lab time, so they scale with it.
use jiff::Timestamp;
use std::collections::{HashMap, VecDeque};
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

/// Reads of one user a minute.
pub(crate) const USER_READS: u32 = 1000;

/// The bucket of a call to the Okta API: the published figures of a Workforce org, of which one token gets half. They
/// name the read of one user and nothing below it: what is there is counted apart, as all other calls are.
pub(crate) fn okta_bucket(method: &str, path: &str) -> (&'static str, Rate) {
    let per_minute = |calls| Rate { calls, window: 60 };
    match path.strip_prefix("/api/v1/").unwrap_or_default() {
        rest if rest.starts_with("logs") => ("logs", per_minute(LOG_CALLS)),
        rest if rest.starts_with("users/") && method != "GET" => ("user changes", per_minute(600)),
        rest if rest.starts_with("users/") && rest.matches('/').count() > 1 => {
            ("user parts", per_minute(600))
        }
        rest if rest.starts_with("users/") => ("user", per_minute(USER_READS)),
        rest if rest.starts_with("users") => ("users", per_minute(300)),
        rest if rest.starts_with("groups/") => ("group", per_minute(500)),
        rest if rest.starts_with("groups") => ("groups", per_minute(250)),
        rest if rest.starts_with("apps/") && rest.matches('/').count() == 1 => ("app", per_minute(250)),
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

/// A window of calls, and what became of those that came in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateWindow {
    /// Which calls it is of.
    pub bucket: String,
    /// Calls that are answered within it.
    pub limit: u32,
    /// Calls that were.
    pub served: u32,
    /// Calls that were refused: those behind the first came between a 429 and its reset.
    pub refused: u32,
}

/// Windows by key, the one that is open last.
#[derive(Debug, Default)]
pub(crate) struct Limits(Mutex<HashMap<String, Window>>, Mutex<VecDeque<RateWindow>>);

/// Windows that are remembered after their end.
const REMEMBERED: usize = 1_000;

#[derive(Debug, Clone, Copy)]
struct Window {
    ends_ms: i64,
    limit: u32,
    used: u32,
    refused: u32,
}

impl Window {
    fn told(&self, key: &str) -> RateWindow {
        RateWindow { bucket: key.to_owned(), limit: self.limit, served: self.used, refused: self.refused }
    }
}

impl Limits {
    /// The windows so far, oldest first, those that are open last.
    pub(crate) fn windows(&self) -> Vec<RateWindow> {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        ended.iter().cloned().chain(open.iter().map(|(key, window)| window.told(key))).collect()
    }

    fn remember(&self, window: RateWindow) {
        let mut ended = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        if ended.len() == REMEMBERED {
            ended.pop_front();
        }
        ended.push_back(window);
    }

    /// Counts one call.
    pub(crate) fn count(&self, key: &str, rate: Rate, now: Timestamp) -> Verdict {
        let now_ms = now.as_millisecond();
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ends_ms = now_ms + rate.window * 1000;
        let fresh = Window { ends_ms, limit: rate.calls, used: 0, refused: 0 };
        let window = windows.entry(key.to_owned()).or_insert(fresh);
        if window.ends_ms <= now_ms {
            self.remember(window.told(key));
            *window = fresh;
        }
        let allowed = window.used < rate.calls;
        window.used += u32::from(allowed);
        window.refused += u32::from(!allowed);
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
    use rstest::rstest;

    #[rstest]
    #[case("GET", "/api/v1/users", "users")]
    #[case("GET", "/api/v1/users/00u1", "user")]
    #[case("GET", "/api/v1/users/00u1/groups", "user parts")]
    #[case("POST", "/api/v1/users/00u1/lifecycle/suspend", "user changes")]
    #[case("GET", "/api/v1/groups/00g1/users", "group")]
    #[case("GET", "/api/v1/apps/0oa1", "app")]
    #[case("GET", "/api/v1/apps/0oa1/users/00u1", "apps")]
    #[case("GET", "/api/v1/eventHooks", "other")]
    fn calls_are_counted_by_method_and_path(#[case] method: &str, #[case] path: &str, #[case] bucket: &str) {
        assert_eq!(okta_bucket(method, path).0, bucket);
    }

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
