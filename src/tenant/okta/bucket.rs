//! Which calls Okta limits together: an exact match of its table, else the longest prefix
//! (contracts/okta.md, section 7).
//!
//! The table tells buckets apart by method and path, so this does too: two calls of one bucket share a gate,
//! whatever they are for. Where the table does not say, as of what is below a user, a call has a gate of its
//! own: two gates of one bucket each learn what is left of it from the answers, while one gate of two buckets
//! would take what is left of the one for what is left of the other.

use crate::tenant::http::{Bucket, Method, Request};

/// The bucket of a call.
pub(super) fn of(request: &Request) -> Bucket {
    Bucket::okta(name(request.method, request.url.path()))
}

fn name(method: Method, path: &str) -> &'static str {
    let Some(below) = path.strip_prefix("/api/v1/") else {
        return if path == "/oauth2/v1/token" { "token" } else { "other" };
    };
    let mut segments = below.split('/').filter(|segment| !segment.is_empty());
    let (area, below) = (segments.next().unwrap_or_default(), segments.count());
    match (area, below) {
        ("logs", _) => "logs",
        ("users", 0) => "users",
        ("users", 1) if method == Method::Get => "users/{id}",
        ("users", _) if method == Method::Get => "users/{id}/*",
        ("users", _) => "users/{id} changed",
        ("groups", 0) => "groups",
        ("groups", _) => "groups/{id}",
        ("apps", 1) => "apps/{id}",
        ("apps", _) => "apps",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Method::Get, "/api/v1/logs", "logs")]
    #[case(Method::Get, "/api/v1/users", "users")]
    #[case(Method::Post, "/api/v1/users", "users")]
    #[case(Method::Get, "/api/v1/users/00u1", "users/{id}")]
    #[case(Method::Get, "/api/v1/users/00u1/groups", "users/{id}/*")]
    #[case(Method::Get, "/api/v1/users/00u1/factors", "users/{id}/*")]
    #[case(Method::Post, "/api/v1/users/00u1", "users/{id} changed")]
    #[case(Method::Post, "/api/v1/users/00u1/lifecycle/suspend", "users/{id} changed")]
    #[case(Method::Delete, "/api/v1/users/00u1/sessions", "users/{id} changed")]
    #[case(Method::Get, "/api/v1/groups", "groups")]
    #[case(Method::Get, "/api/v1/groups/00g1", "groups/{id}")]
    #[case(Method::Put, "/api/v1/groups/00g1/users/00u1", "groups/{id}")]
    #[case(Method::Get, "/api/v1/apps", "apps")]
    #[case(Method::Get, "/api/v1/apps/0oa1", "apps/{id}")]
    #[case(Method::Get, "/api/v1/apps/0oa1/users/00u1", "apps")]
    #[case(Method::Get, "/api/v1/eventHooks", "other")]
    #[case(Method::Get, "/api/v1/meta/schemas/user/default", "other")]
    #[case(Method::Post, "/oauth2/v1/token", "token")]
    fn calls_of_one_bucket_share_a_gate(#[case] method: Method, #[case] path: &str, #[case] bucket: &str) {
        assert_eq!(name(method, path), bucket);
    }
}
