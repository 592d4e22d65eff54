//! What a client of Okta may send (contracts/okta.md, sections 1 to 6): method, path, parameters, headers, body.
//!
//! The lab holds every request of this program's to it, whichever test or demo it comes from, and answers
//! nothing to one that is outside: whoever adds a call adds its row. Requests of others are let through, for
//! tests that knock at the lab with wrong ones.
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};

/// What stands in the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    /// Nothing, and a length of 0 where something is changed.
    Nothing,
    /// A JSON object.
    Object,
    /// A form, the token endpoint's.
    Form,
}

/// One call: `{}` in its path stands for an id, a login or the name of an operation.
#[derive(Debug)]
struct Call {
    method: Method,
    path: &'static str,
    /// The parameters that it may have; `name=` with the values that there are, where those are few.
    parameters: &'static [&'static str],
    body: Body,
}

const fn read(path: &'static str, parameters: &'static [&'static str]) -> Call {
    Call { method: Method::GET, path, parameters, body: Body::Nothing }
}

const fn change(method: Method, path: &'static str, parameters: &'static [&'static str], body: Body) -> Call {
    Call { method, path, parameters, body }
}

const SEND_EMAIL: &[&str] = &["sendEmail=true", "sendEmail=false"];

/// Every call that this program makes. `after` is the server's: it comes back as it was given.
const CALLS: &[Call] = &[
    change(Method::POST, "/oauth2/v1/token", &[], Body::Form),
    read("/api/v1/users", &["search", "filter", "limit", "after"]),
    read("/api/v1/users/{}", &[]),
    read("/api/v1/users/{}/groups", &["limit", "after"]),
    read("/api/v1/users/{}/factors", &[]),
    change(Method::POST, "/api/v1/users", &["activate=false"], Body::Object),
    change(Method::POST, "/api/v1/users/{}", &[], Body::Object),
    change(Method::POST, "/api/v1/users/{}/lifecycle/activate", SEND_EMAIL, Body::Nothing),
    change(Method::POST, "/api/v1/users/{}/lifecycle/reactivate", SEND_EMAIL, Body::Nothing),
    change(Method::POST, "/api/v1/users/{}/lifecycle/deactivate", SEND_EMAIL, Body::Nothing),
    change(Method::POST, "/api/v1/users/{}/lifecycle/reset_password", SEND_EMAIL, Body::Nothing),
    change(Method::POST, "/api/v1/users/{}/lifecycle/suspend", &[], Body::Nothing),
    change(Method::POST, "/api/v1/users/{}/lifecycle/unsuspend", &[], Body::Nothing),
    change(Method::POST, "/api/v1/users/{}/lifecycle/unlock", &[], Body::Nothing),
    change(Method::POST, "/api/v1/users/{}/lifecycle/expire_password", &[], Body::Nothing),
    change(Method::POST, "/api/v1/users/{}/lifecycle/reset_factors", &[], Body::Nothing),
    change(Method::DELETE, "/api/v1/users/{}/sessions", &["oauthTokens=true"], Body::Nothing),
    read("/api/v1/apps", &["q", "filter", "limit", "after"]),
    read("/api/v1/apps/{}/users/{}", &[]),
    read("/api/v1/groups", &["q", "filter", "search", "limit", "after"]),
    read("/api/v1/groups/{}", &[]),
    read("/api/v1/groups/{}/users", &["limit", "after"]),
    change(Method::PUT, "/api/v1/groups/{}/users/{}", &[], Body::Nothing),
    change(Method::DELETE, "/api/v1/groups/{}/users/{}", &[], Body::Nothing),
    read(
        "/api/v1/logs",
        &["since", "until", "filter", "q", "limit", "after", "sortOrder=ASCENDING", "sortOrder=DESCENDING"],
    ),
    read("/api/v1/meta/schemas/user/default", &[]),
    read("/api/v1/eventHooks", &["limit", "after"]),
    read("/api/v1/eventHooks/{}", &[]),
    change(Method::POST, "/api/v1/eventHooks", &[], Body::Object),
    change(Method::POST, "/api/v1/eventHooks/{}/lifecycle/verify", &[], Body::Nothing),
];

/// What is wrong with a request of this program's, if anything is.
pub(super) fn breach(parts: &Parts, body: &[u8]) -> Option<String> {
    let ours = text(&parts.headers, "user-agent").is_some_and(|agent| agent.starts_with("idtriage/"));
    let path = parts.uri.path();
    let is_oktas = path.starts_with("/api/v1/") || path.starts_with("/oauth2/");
    if !ours || !is_oktas {
        return None;
    }
    let of_path: Vec<&Call> = CALLS.iter().filter(|call| matches(call.path, path)).collect();
    let Some(call) = of_path.iter().find(|call| call.method == parts.method) else {
        return Some(format!("{} {path} is no call of the contract", parts.method));
    };
    let why = of_parameters(call, parts.uri.query().unwrap_or_default())
        .or_else(|| of_headers(call, &parts.headers))
        .or_else(|| of_body(call, &parts.headers, body))?;
    Some(format!("{} {path}: {why}", parts.method))
}

fn matches(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut found) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            (Some("{}"), Some(segment)) if !segment.is_empty() => {}
            (Some(wanted), Some(found)) if wanted == found => {}
            _ => return false,
        }
    }
}

fn of_parameters(call: &Call, query: &str) -> Option<String> {
    let is_known = |pair: &str| {
        let name = pair.split('=').next().unwrap_or_default();
        call.parameters.iter().any(|known| *known == pair || *known == name)
    };
    let mut pairs = query.split('&').filter(|pair| !pair.is_empty());
    let unknown = pairs.find(|pair| !is_known(pair))?;
    Some(format!("the parameter `{}` is not one of {:?}", unknown.split('=').next()?, call.parameters))
}

fn of_headers(call: &Call, headers: &HeaderMap) -> Option<String> {
    let wanted =
        if call.body == Body::Form { "application/x-www-form-urlencoded" } else { "application/json" };
    let has = |name: &str, value: &str| text(headers, name).is_some_and(|text| text.starts_with(value));
    if !has("accept", "application/json") {
        return Some("`Accept: application/json` is missing".to_owned());
    }
    if !has("content-type", wanted) {
        return Some(format!("`Content-Type: {wanted}` is missing"));
    }
    if call.body == Body::Form {
        return None;
    }
    match text(headers, "authorization").and_then(|text| text.split_once(' ')).map(|(scheme, _)| scheme) {
        Some("SSWS" | "Bearer") => None,
        Some("DPoP") if headers.contains_key("dpop") => None,
        Some("DPoP") => Some("a bound token comes without its proof".to_owned()),
        _ => Some("`Authorization` is missing, or of another scheme than SSWS, Bearer, DPoP".to_owned()),
    }
}

fn of_body(call: &Call, headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let is_object = || serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(body).is_ok();
    match call.body {
        Body::Nothing if !body.is_empty() => Some("it has a body".to_owned()),
        Body::Nothing if call.method != Method::GET && text(headers, "content-length") != Some("0") => {
            Some("`Content-Length: 0` is missing".to_owned())
        }
        Body::Object if !is_object() => Some("its body is no JSON object".to_owned()),
        Body::Form if body.is_empty() => Some("its form is empty".to_owned()),
        Body::Nothing | Body::Object | Body::Form => None,
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;
    use rstest::rstest;

    const SOUND: &[(&str, &str)] = &[
        ("user-agent", "idtriage/1"),
        ("accept", "application/json"),
        ("content-type", "application/json"),
        ("authorization", "SSWS secret"),
    ];

    fn told(method: &str, uri: &str, headers: &[(&str, &str)], body: &str) -> Option<String> {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        breach(&request.body(()).unwrap().into_parts().0, body.as_bytes())
    }

    #[rstest]
    #[case("GET", "/api/v1/users/ann@x", "", None)]
    #[case("GET", "/api/v1/users?limit=2&after=abc", "", None)]
    #[case("PUT", "/api/v1/users/00u1", "{}", Some("no call of the contract"))]
    #[case("DELETE", "/api/v1/users/00u1", "", Some("no call of the contract"))]
    #[case("GET", "/api/v1/users//groups", "", Some("no call of the contract"))]
    #[case("POST", "/api/v1/users/00u1/lifecycle/delete", "", Some("no call of the contract"))]
    #[case("GET", "/api/v1/users?q=ann", "", Some("parameter `q`"))]
    #[case("GET", "/api/v1/logs?sortOrder=ascending", "", Some("parameter `sortOrder`"))]
    #[case("POST", "/api/v1/users?activate=true", "{}", Some("parameter `activate`"))]
    #[case("GET", "/api/v1/groups/00g1", "{}", Some("it has a body"))]
    #[case("POST", "/api/v1/users/00u1/lifecycle/suspend", "", Some("`Content-Length: 0`"))]
    #[case("POST", "/api/v1/users/00u1", "[]", Some("no JSON object"))]
    fn what_is_outside_is_named(
        #[case] method: &str,
        #[case] uri: &str,
        #[case] body: &str,
        #[case] wrong: Option<&str>,
    ) {
        let said = told(method, uri, SOUND, body);
        assert_eq!(said.is_some(), wrong.is_some(), "{said:?}");
        assert!(wrong.is_none_or(|wrong| said.unwrap().contains(wrong)));
    }

    #[rstest]
    #[case("accept", "text/html", Some("`Accept"))]
    #[case("content-type", "text/plain", Some("`Content-Type"))]
    #[case("authorization", "Basic secret", Some("another scheme"))]
    #[case("authorization", "DPoP secret", Some("without its proof"))]
    #[case("user-agent", "curl/8", None)]
    fn headers_are_held_to_it(#[case] name: &str, #[case] value: &str, #[case] wrong: Option<&str>) {
        let headers: Vec<(&str, &str)> =
            SOUND.iter().map(|(known, sound)| (*known, if *known == name { value } else { sound })).collect();
        let said = told("GET", "/api/v1/groups/00g1", &headers, "");
        assert_eq!(said.is_some(), wrong.is_some(), "{said:?}");
        assert!(wrong.is_none_or(|wrong| said.unwrap().contains(wrong)));
    }
}
