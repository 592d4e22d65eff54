//! What every request to the Okta org is held to: method, path, parameters, headers, body (contracts/okta.md,
//! sections 1 to 6 and 8; contracts/workflows-ispm.md, section 2.4). Whatever is not in the table is no call that is documented.
use super::recorder::Recorded;
use std::sync::{Mutex, PoisonError};

/// Violations kept: one is enough to fail.
const KEPT: usize = 20;

/// Whom the lab expects to call the Okta org.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callers {
    /// idtriage, whose every request keeps to the contract. A lab of a build for tests is not dropped in peace
    /// otherwise.
    Idtriage,
    /// Anybody: the lab is what is looked at, not its clients.
    Anybody,
}

/// What is sent with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sends {
    Nothing,
    Json,
    Form,
}

/// A call that is documented.
struct Call {
    method: &'static str,
    /// `{id}` is an id, `{name}` an id or a login, `{label}` an id or a label, other segments are themselves.
    path: &'static str,
    parameters: &'static [&'static str],
    sends: Sends,
}

const fn call(
    method: &'static str,
    path: &'static str,
    parameters: &'static [&'static str],
    sends: Sends,
) -> Call {
    Call { method, path, parameters, sends }
}

const PAGED: &[&str] = &["limit", "after"];

#[rustfmt::skip]
const CALLS: &[Call] = &[
    call("POST", "/oauth2/v1/token", &[], Sends::Form),
    call("GET", "/api/v1/users", &["search", "filter", "q", "fields", "limit", "after"], Sends::Nothing),
    call("POST", "/api/v1/users", &["activate", "provider", "nextLogin"], Sends::Json),
    call("GET", "/api/v1/users/{name}", &["expand"], Sends::Nothing),
    call("POST", "/api/v1/users/{id}", &[], Sends::Json),
    call("GET", "/api/v1/users/{id}/roles", &[], Sends::Nothing),
    call("GET", "/api/v1/iam/roles/{label}/permissions", &[], Sends::Nothing),
    call("GET", "/api/v1/iam/resource-sets/{label}/resources", PAGED, Sends::Nothing),
    call("GET", "/api/v1/users/{name}/groups", PAGED, Sends::Nothing),
    call("GET", "/api/v1/users/{name}/appLinks", &[], Sends::Nothing),
    call("GET", "/api/v1/users/{id}/factors", &[], Sends::Nothing),
    call("DELETE", "/api/v1/users/{id}/factors/{id}", &[], Sends::Nothing),
    call("DELETE", "/api/v1/users/{id}/sessions", &["oauthTokens", "forgetDevices"], Sends::Nothing),
    call("POST", "/api/v1/users/{id}/lifecycle/activate", &["sendEmail"], Sends::Nothing),
    call("POST", "/api/v1/users/{id}/lifecycle/reactivate", &["sendEmail"], Sends::Nothing),
    call("POST", "/api/v1/users/{id}/lifecycle/deactivate", &["sendEmail"], Sends::Nothing),
    call("POST", "/api/v1/users/{id}/lifecycle/suspend", &[], Sends::Nothing),
    call("POST", "/api/v1/users/{id}/lifecycle/unsuspend", &[], Sends::Nothing),
    call("POST", "/api/v1/users/{id}/lifecycle/unlock", &[], Sends::Nothing),
    call("POST", "/api/v1/users/{id}/lifecycle/expire_password", &[], Sends::Nothing),
    call("POST", "/api/v1/users/{id}/lifecycle/reset_password", &["sendEmail", "revokeSessions"], Sends::Nothing),
    call("POST", "/api/v1/users/{id}/lifecycle/reset_factors", &[], Sends::Nothing),
    call("GET", "/api/v1/groups", &["q", "filter", "search", "limit", "after", "expand"], Sends::Nothing),
    call("GET", "/api/v1/groups/{id}", &[], Sends::Nothing),
    call("GET", "/api/v1/groups/{id}/users", PAGED, Sends::Nothing),
    call("PUT", "/api/v1/groups/{id}/users/{id}", &[], Sends::Nothing),
    call("DELETE", "/api/v1/groups/{id}/users/{id}", &[], Sends::Nothing),
    call("GET", "/api/v1/apps", &["q", "filter", "limit", "after", "expand"], Sends::Nothing),
    call("GET", "/api/v1/apps/{id}/users/{id}", &[], Sends::Nothing),
    call("GET", "/api/v1/logs", &["since", "until", "after", "filter", "q", "limit", "sortOrder"], Sends::Nothing),
    call("GET", "/api/v1/meta/schemas/user/{id}", &[], Sends::Nothing),
    call("GET", "/api/v1/eventHooks", PAGED, Sends::Nothing),
    call("POST", "/api/v1/eventHooks", &[], Sends::Json),
    call("GET", "/api/v1/eventHooks/{id}", &[], Sends::Nothing),
    call("POST", "/api/v1/eventHooks/{id}/lifecycle/verify", &[], Sends::Nothing),
];

/// What may stand as a parameter's value, where only some texts may.
const VALUES: &[(&str, &[&str])] = &[
    ("activate", &["true", "false"]),
    ("sendEmail", &["true", "false"]),
    ("oauthTokens", &["true", "false"]),
    ("forgetDevices", &["true", "false"]),
    ("revokeSessions", &["true", "false"]),
    ("sortOrder", &["ASCENDING", "DESCENDING"]),
];

/// Parameters that a call may not do without.
const REQUIRED: &[(&str, &str)] =
    &[("/api/v1/users/{id}/lifecycle/reset_password", "sendEmail"), ("/api/v1/apps", "limit")];

/// Parameters of a call that do not go together: what is looked for by `q` has no pages.
const APART: &[(&str, &str, &str)] = &[
    ("/api/v1/users", "search", "filter"),
    ("/api/v1/users", "q", "after"),
    ("/api/v1/groups", "search", "filter"),
    ("/api/v1/groups", "q", "after"),
    ("/api/v1/logs", "since", "after"),
];

/// What was asked that may not be.
#[derive(Debug, Default)]
pub(crate) struct Violations(Mutex<Vec<String>>);

impl Violations {
    /// Holds a request to the contract. `authorization` is the scheme of its credential, and `shows_secret` tells
    /// whether a text holds one.
    pub(crate) fn check(
        &self,
        request: &Recorded,
        (scheme, body): (&str, &[u8]),
        shows_secret: impl Fn(&str) -> bool,
    ) {
        let wrong = wrong(request, scheme, body).or_else(|| {
            let url = format!("{}?{}", request.path, request.query);
            shows_secret(&url).then(|| "its address shows a secret".to_owned())
        });
        if let Some(wrong) = wrong {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() < KEPT {
                kept.push(format!("{} {}: {wrong}", request.method, request.path));
            }
        }
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What is wrong with a request, if anything is.
fn wrong(request: &Recorded, scheme: &str, body: &[u8]) -> Option<String> {
    let is_it = |call: &&Call| call.method == request.method && leads_to(call.path, &request.path);
    let Some(call) = CALLS.iter().find(is_it) else { return Some("no such call is documented".to_owned()) };
    of_query(call, &request.query)
        .or_else(|| of_headers(call, request, body))
        .or_else(|| of_credential(call, request, scheme))
}

fn leads_to(pattern: &str, path: &str) -> bool {
    let (wanted, found): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    let is_id = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    wanted.len() == found.len()
        && wanted.iter().zip(found).all(|(wanted, found)| match *wanted {
            "{id}" => is_id(found),
            "{label}" => is_id(&found.replace('_', "0")),
            "{name}" => !found.is_empty(),
            same => same == found,
        })
}

fn of_query(call: &Call, query: &str) -> Option<String> {
    let mut seen: Vec<(String, String)> = Vec::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if !call.parameters.contains(&name.as_ref()) || seen.iter().any(|(known, _)| *known == name) {
            return Some(format!("the parameter `{name}` is not documented, or comes twice"));
        }
        let allowed = VALUES.iter().find(|(known, _)| *known == name);
        let is_sound = allowed.is_none_or(|(_, values)| values.contains(&value.as_ref()))
            && (name != "limit" || value.parse().is_ok_and(|limit| (1..=most(call.path)).contains(&limit)));
        if !is_sound || value.is_empty() {
            return Some(format!("`{value}` is no value of the parameter `{name}`"));
        }
        seen.push((name.into_owned(), value.into_owned()));
    }
    of_parameters(call, &seen)
}

/// What is wrong with parameters that are sound each by itself.
fn of_parameters(call: &Call, seen: &[(String, String)]) -> Option<String> {
    let value = |name: &str| seen.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let has = |name: &str| value(name).is_some();
    if let Some((_, name)) = REQUIRED.iter().find(|(path, name)| *path == call.path && !has(name)) {
        return Some(format!("the parameter `{name}` is required"));
    }
    let are_both = |(path, one, other): &&(&str, &str, &str)| *path == call.path && has(one) && has(other);
    if let Some((_, one, other)) = APART.iter().find(are_both) {
        return Some(format!("the parameters `{one}` and `{other}` do not go together"));
    }
    let is_polling = call.path == "/api/v1/logs" && !has("until");
    (is_polling && value("sortOrder") == Some("DESCENDING"))
        .then(|| "without `until` the log is polled, which goes up only".to_owned())
}

/// The largest page of a list.
fn most(path: &str) -> u32 {
    match path {
        "/api/v1/logs" => 1_000,
        "/api/v1/groups" => 10_000,
        "/api/v1/iam/resource-sets/{label}/resources" => 100,
        "/api/v1/groups/{id}/users" => 1_000,
        _ => 200,
    }
}

fn of_headers(call: &Call, request: &Recorded, body: &[u8]) -> Option<String> {
    let header = |name: &str| request.header(name).unwrap_or_default();
    let kind =
        if call.sends == Sends::Form { "application/x-www-form-urlencoded" } else { "application/json" };
    let is_empty = call.sends == Sends::Nothing;
    if header("accept") != "application/json" {
        return Some(format!("it accepts `{}`", header("accept")));
    }
    if !header("user-agent").starts_with("idtriage/") {
        return Some(format!("it calls itself `{}`", header("user-agent")));
    }
    if header("content-type") != kind {
        return Some(format!("its content type is `{}`", header("content-type")));
    }
    if is_empty != body.is_empty() {
        return Some(format!("its body has {} bytes", body.len()));
    }
    // Without one it is taken to send nothing, but of a POST or a PUT that has to be said.
    let is_said = request.header("content-length").is_some() || matches!(call.method, "POST" | "PUT");
    (is_said && header("content-length") != body.len().to_string())
        .then(|| format!("its content length is `{}`", header("content-length")))
}

fn of_credential(call: &Call, request: &Recorded, scheme: &str) -> Option<String> {
    let has_proof = request.header("dpop").is_some();
    let is_sound = match (call.sends, scheme) {
        // The credential is the assertion in the form.
        (Sends::Form, scheme) => scheme.is_empty(),
        (_, "DPoP") => has_proof,
        (_, scheme) => matches!(scheme, "SSWS" | "Bearer") && !has_proof,
    };
    (!is_sound).then(|| format!("its authorization is by `{scheme}`, with a proof: {has_proof}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const JSON: (&str, &str) = ("content-type", "application/json");
    const USUAL: [(&str, &str); 4] =
        [("accept", "application/json"), ("user-agent", "idtriage/1"), JSON, ("content-length", "0")];

    fn request(method: &str, address: &str, headers: &[(&str, &str)]) -> Recorded {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        Recorded {
            at: jiff::Timestamp::UNIX_EPOCH,
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            body: String::new(),
            status: 0,
        }
    }

    #[rstest]
    #[case("GET", "/api/v1/users/ann@example.com", None)]
    #[case("GET", "/api/v1/users?search=x&limit=200", None)]
    #[case("PUT", "/api/v1/groups/00g1/users/00u1", None)]
    #[case("DELETE", "/api/v1/users/00u1/sessions?oauthTokens=true", None)]
    #[case("POST", "/api/v1/users/00u1/lifecycle/reset_password?sendEmail=false", None)]
    #[case("POST", "/api/v1/users/00u1/lifecycle/reset_password", Some("`sendEmail` is required"))]
    #[case("POST", "/api/v1/users/00u1/lifecycle/suspend?sendEmail=false", Some("`sendEmail` is not"))]
    #[case("POST", "/api/v1/users/00u1/lifecycle/activate?sendEmail=no", Some("`no` is no value"))]
    #[case("DELETE", "/api/v1/users/ann@example.com/sessions", Some("no such call"))]
    #[case("PUT", "/api/v1/users/00u1", Some("no such call"))]
    #[case("POST", "/api/v1/users/00u1", Some("its body has 0 bytes"))]
    #[case("GET", "/api/v1/logs?limit=1001", Some("`1001` is no value"))]
    #[case("GET", "/api/v1/logs?limit=1&limit=2", Some("comes twice"))]
    #[case("GET", "/api/v1/logs?limit=0", Some("`0` is no value"))]
    #[case("GET", "/api/v1/logs?since=a&sortOrder=ASCENDING&limit=1000", None)]
    #[case("GET", "/api/v1/logs?since=a&until=b&sortOrder=DESCENDING", None)]
    #[case("GET", "/api/v1/logs?since=a&sortOrder=DESCENDING", Some("without `until`"))]
    #[case("GET", "/api/v1/logs?since=a&after=b", Some("`since` and `after` do not go together"))]
    #[case("GET", "/api/v1/apps?q=a", Some("`limit` is required"))]
    #[case("GET", "/api/v1/apps?q=a&limit=200", None)]
    #[case("GET", "/api/v1/groups?q=a", None)]
    #[case("GET", "/api/v1/groups?q=a&after=b", Some("`q` and `after` do not go together"))]
    #[case("GET", "/api/v1/groups?filter=a&search=b", Some("`search` and `filter` do not go together"))]
    #[case("GET", "/api/v1/users?filter=a&search=b", Some("`search` and `filter` do not go together"))]
    #[case("GET", "/api/v1/users?q=a&after=b", Some("`q` and `after` do not go together"))]
    #[case("GET", "/api/v1/iam/roles/WORKFLOWS_ADMIN/permissions", None)]
    #[case("GET", "/api/v1/iam/roles/cr0/x/permissions", Some("no such call"))]
    #[case("GET", "/api/v1/iam/resource-sets/iam1/resources?limit=100&after=x", None)]
    #[case("GET", "/api/v1/iam/resource-sets/iam1/resources?limit=101", Some("`101` is no value"))]
    #[case("GET", "/api/v1/iam/resource-sets", Some("no such call"))]
    #[case("GET", "/api/v1/everything", Some("no such call"))]
    fn a_call_is_as_documented_or_wrong(
        #[case] method: &str,
        #[case] address: &str,
        #[case] expected: Option<&str>,
    ) {
        let found = wrong(&request(method, address, &USUAL), "SSWS", b"");
        assert_eq!(found.is_some(), expected.is_some(), "{found:?}");
        assert!(found.unwrap_or_default().contains(expected.unwrap_or_default()));
    }

    #[rstest]
    #[case(0, "SSWS", b"", "it accepts ``")]
    #[case(1, "SSWS", b"", "it calls itself ``")]
    #[case(2, "SSWS", b"", "its content type is ``")]
    #[case(3, "SSWS", b"", "its content length is ``")]
    #[case(9, "Basic", b"", "its authorization is by `Basic`")]
    #[case(9, "DPoP", b"", "with a proof: false")]
    #[case(9, "SSWS", b"{}", "its body has 2 bytes")]
    fn what_is_missing_is_wrong(
        #[case] without: usize,
        #[case] scheme: &str,
        #[case] body: &[u8],
        #[case] expected: &str,
    ) {
        let headers = USUAL.into_iter().enumerate().filter(|(n, _)| *n != without).map(|(_, header)| header);
        let headers: Vec<_> = headers.collect();
        let request = request("POST", "/api/v1/users/00u1/lifecycle/suspend", &headers);
        assert!(wrong(&request, scheme, body).unwrap().contains(expected));
    }

    #[rstest]
    #[case(&[("content-length", "0")], None)]
    #[case(&[], None)]
    #[case(&[("content-length", "2")], Some("its content length is `2`"))]
    fn a_delete_sends_nothing(#[case] length: &[(&str, &str)], #[case] expected: Option<&str>) {
        let headers = [&USUAL[..3], length].concat();
        let request = request("DELETE", "/api/v1/users/00u1/sessions?oauthTokens=true", &headers);
        assert_eq!(wrong(&request, "SSWS", b"").as_deref(), expected);
    }

    #[test]
    fn a_secret_in_an_address_is_wrong() {
        let violations = Violations::default();
        let asked = request("GET", "/api/v1/users?q=s3cret", &USUAL);
        violations.check(&asked, ("SSWS", b""), |url| url.contains("s3cret"));
        assert_eq!(violations.all(), ["GET /api/v1/users: its address shows a secret"]);
    }
}
