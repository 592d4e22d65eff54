//! Problems in words: what failed, for what, and what mends it.

use super::http::{Answer, Http, HttpError};
use crate::domain::Untrusted;
use crate::domain::dossier::Problem;
use crate::domain::untrusted::fit;

/// Words of the other side are cut to this many columns.
const WORDS: usize = 400;

/// More bytes than these never fit in that many columns, however wide the script.
const LONGEST_WORDS: usize = 16 * WORDS;

/// A problem of the whole part, with what mends it.
pub(super) fn with_hint(message: impl Into<Untrusted>, hint: &str) -> Problem {
    Problem { hint: Some(hint.to_owned()), ..Problem::whole(message) }
}

impl From<HttpError> for Problem {
    fn from(error: HttpError) -> Problem {
        Problem { hint: error.hint().map(str::to_owned), ..Problem::whole(error.to_string()) }
    }
}

/// The other side's own words, masked and short.
pub(super) fn words(http: &Http, text: &str) -> String {
    fit(&http.mask_first(text, LONGEST_WORDS), WORDS).into_owned()
}

/// An answer that is not what was asked for, and whose body says nothing that is known: a proxy's page,
/// a redirect, a load balancer's error.
pub(super) fn unexpected(what: &str, answer: &Answer) -> Problem {
    let status = answer.status;
    if let Some(target) = answer.header("location").filter(|_| (300..400).contains(&status)) {
        let host = url::Url::parse(target).ok().and_then(|url| url.host_str().map(str::to_owned));
        let host = host.unwrap_or_else(|| "another path".to_owned());
        let message = format!("{what} answered {status}: a redirect to `{host}`, which is never followed");
        return with_hint(message, "configure the address that it redirects to, if that is trusted");
    }
    let kind = fit(answer.header("content-type").unwrap_or("no content type"), 60);
    let message =
        format!("{what} answered {status} with {} bytes of {kind}, not with JSON", answer.body.len());
    match status {
        500.. => with_hint(message, "the other side is in trouble; ask again later"),
        _ => with_hint(message, "check the configured address; a proxy may have answered instead"),
    }
}

/// A problem and what mends it, on one line.
pub(super) fn line(problem: &Problem) -> String {
    match &problem.hint {
        Some(hint) => format!("{}; hint: {hint}", problem.line()),
        None => problem.line(),
    }
}
