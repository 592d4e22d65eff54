//! What is kept of an answer: an allow-list of headers, and a body without secrets.
//!
//! Three kinds of secret may come back: one of ours that the other side echoes, the token that the
//! request carried, and one-time links and passwords that Okta makes. The last are known by their
//! field names, wherever they stand: in JSON, in JSON inside a text, in a form or in markup. A flow may name
//! them as it likes, so links are known by their addresses too.

use super::request::{Answer, Flaw};
use crate::config::Config;
use crate::config::meant::{Channel, Notify, Proof, Source};
use crate::domain::action::{Receipt, Try};
use crate::domain::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// What stands where a secret was.
pub const MASK: &str = "[secret]";

/// Fields whose value is a one-time secret, in lower case.
const SECRET_FIELDS: [&str; 5] =
    ["activationurl", "activationtoken", "temppassword", "resetpasswordurl", "recoverytoken"];

/// What stands before the token in the address of a one-time link, and what has to stand behind that, in lower case.
const LINKS: [(&str, &str); 10] = [
    ("/welcome/", ""),
    ("/activate/", ""),
    ("/reset_password/", ""),
    ("/reset-password/", ""),
    ("/signin/register/", ""),
    ("/signin/unlock/", ""),
    ("/verify/recovery/", ""),
    ("/email/verify/", ""),
    ("/verify_primary_email/", ""),
    ("/tokens/", "/verify"),
];

/// How a slash may be written within an address that stands in another text.
const SLASHES: [&str; 6] = ["/", "\\/", "\\u002f", "%2f", "&#x2f;", "&#47;"];

/// Parameters of an address that open an account once, in lower case; what may stand before and behind them.
const PARAMETERS: [&str; 5] = ["token", "statetoken", "sessiontoken", "onetimetoken", "otp"];
const BEFORE: [&str; 6] = ["?", "&", ";", "%3f", "%26", "\\u0026"];
const EQUALS: [&str; 2] = ["=", "%3d"];

const KEPT_BODY: usize = 16 << 10;
const KEPT_HEADER: usize = 1 << 10;
const KEPT_HEADERS: usize = 32;

/// Shorter secrets are not looked for: masking every `a` would hide the answer and nothing else.
const SHORTEST: usize = 4;

/// A shorter secret may stand in an analyst's words by chance.
const SHORTEST_IN_WORDS: usize = 8;

/// A configured secret, and where it is configured: `[okta] api_token`.
#[derive(Debug)]
struct Known {
    place: String,
    secret: SecretString,
}

impl Known {
    fn at(place: impl Into<String>, secret: &SecretString) -> Known {
        Known { place: place.into(), secret: secret.clone() }
    }
}

/// Knows every configured secret.
#[derive(Debug, Default)]
pub struct Redactor {
    secrets: Vec<Known>,
}

impl Redactor {
    /// Every secret of a configuration.
    pub fn of(config: &Config) -> Redactor {
        let cii = config.cii.iter().map(|cii| Known::at("[cii] client_secret", &cii.client_secret));
        let okta = config.okta.iter().flat_map(|okta| {
            let token = okta.api_token.iter().map(|token| Known::at("[okta] api_token", token));
            token.chain(okta.service_app.iter().map(|app| Known::at("[okta] private_key", &app.private_key)))
        });
        let flows = config.flows.iter().filter_map(|flow| {
            let place = || format!("[[flows]] {} client_token", flow.flow.id);
            flow.client_token.as_ref().map(|token| Known::at(place(), token))
        });
        let sources = config.sources.iter().flat_map(|source| {
            let at = |secret: &SecretString| Known::at(format!("[[sources]] {}", source.name), secret);
            source_secret(source).map(at).into_iter().chain(encoded_secret(source).as_ref().map(at))
        });
        let notify = config.notify.iter().flat_map(|notify| {
            let place = format!("[[notify]] {}", notify.name);
            notify_secrets(notify).into_iter().map(move |secret| Known::at(place.clone(), secret))
        });
        Redactor { secrets: cii.chain(okta).chain(flows).chain(sources).chain(notify).collect() }
    }

    /// Where the secret is configured whose value an analyst's words hold.
    pub fn place_in(&self, words: &str) -> Option<&str> {
        let is_in = |known: &&Known| {
            let secret = known.secret.expose_secret().trim();
            secret.len() >= SHORTEST_IN_WORDS && words.contains(secret)
        };
        self.secrets.iter().find(is_in).map(|known| known.place.as_str())
    }

    fn secrets(&self) -> impl Iterator<Item = &SecretString> {
        self.secrets.iter().map(|known| &known.secret)
    }

    /// A text without our secrets and without one-time secrets.
    pub(super) fn mask(&self, text: &str, also: Option<&SecretString>) -> String {
        let known = self.secrets().chain(also);
        let masked = known.fold(text.to_owned(), |text, secret| without(text, secret.expose_secret()));
        mask_links(&mask_fields(&masked))
    }

    /// The first bytes of a text, masked. Little more than what is kept is looked at: an answer may have
    /// megabytes.
    pub(super) fn first(&self, text: &str, limit: usize, also: Option<&SecretString>) -> String {
        let secrets = self.secrets().chain(also);
        // As JSON may write it: six bytes for one.
        let longest = secrets.map(|secret| 6 * secret.expose_secret().len()).max().unwrap_or_default();
        let start = cut(text, limit.saturating_add(longest));
        // By structure first: behind it the text is only searched for what a parser does not see.
        let masked = self.mask(&mask_json(start), also);
        // A secret that the cut went through is not recognized: it stands within the last bytes.
        let unsure = if start.len() < text.len() { longest } else { 0 };
        cut(&masked, limit.min(masked.len().saturating_sub(unsure))).to_owned()
    }

    /// What is kept of an answer.
    pub(super) fn receipt(&self, answer: &Answer, tries: Vec<Try>, also: Option<&SecretString>) -> Receipt {
        Receipt {
            status: Some(answer.status),
            headers: self.kept_headers(answer, also),
            body: self.first(&answer.text(), KEPT_BODY, also),
            body_sha256: Some(digest::of_bytes(&answer.body)),
            at: Some(answer.at),
            error: answer.flaw.as_ref().map(flaw_words),
            tries,
            ..Receipt::default()
        }
    }

    fn kept_headers(&self, answer: &Answer, also: Option<&SecretString>) -> Vec<(String, String)> {
        let kept = answer.headers.iter().filter(|(name, _)| is_kept(name)).take(KEPT_HEADERS);
        kept.map(|(name, value)| (name.clone(), self.first(value, KEPT_HEADER, also))).collect()
    }
}

fn source_secret(source: &Source) -> Option<&SecretString> {
    match &source.webhook()?.proof {
        Proof::Header { secret, .. }
        | Proof::Basic { secret, .. }
        | Proof::Query { secret, .. }
        | Proof::Hmac { secret, .. } => Some(secret),
    }
}

/// The same as HTTP Basic shows it.
fn encoded_secret(source: &Source) -> Option<SecretString> {
    match &source.webhook()?.proof {
        Proof::Basic { user, secret } => {
            Some(STANDARD.encode(format!("{user}:{}", secret.expose_secret())).into())
        }
        _ => None,
    }
}

/// The URLs that somebody is told by are secrets as well.
fn notify_secrets(notify: &Notify) -> Vec<&SecretString> {
    match &notify.channel {
        Channel::Slack { url } => vec![url],
        Channel::Webhook { url, header } => {
            std::iter::once(url).chain(header.iter().map(|(_, secret)| secret)).collect()
        }
        Channel::Bell => Vec::new(),
    }
}

fn flaw_words(flaw: &Flaw) -> String {
    match flaw {
        Flaw::TooLarge(limit) => {
            format!("the body is larger than {limit} bytes; the digest is of what was read")
        }
        Flaw::Broken(cause) => format!("the body broke off ({cause}); the digest is of what was read"),
    }
}

/// The allow-list of headers.
fn is_kept(name: &str) -> bool {
    matches!(name, "content-type" | "date" | "retry-after")
        || name.contains("request-id")
        || name.contains("execution")
        || name.starts_with("x-rate-limit-")
}

/// The text without a secret, as it is and as JSON would write it.
fn without(text: String, secret: &str) -> String {
    if secret.len() < SHORTEST {
        return text;
    }
    let text = text.replace(secret, MASK);
    let quoted = serde_json::to_string(secret).unwrap_or_default();
    let escaped = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match escaped.filter(|escaped| *escaped != secret) {
        Some(escaped) => text.replace(escaped, MASK),
        None => text,
    }
}

/// JSON with every secret field's value masked, whatever its type; other text as it is. What holds no
/// such field stays byte for byte.
fn mask_json(text: &str) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(text) else { return text.to_owned() };
    if mask_value(&mut value) { value.to_string() } else { text.to_owned() }
}

/// Whether anything was masked.
fn mask_value(value: &mut Value) -> bool {
    let mut changed = false;
    match value {
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                let name = name.to_ascii_lowercase();
                // An account has an empty one, where it has one.
                let is_password = name == "password" && *value != serde_json::json!({});
                let is_secret = is_password || SECRET_FIELDS.contains(&name.as_str());
                changed |= if is_secret { replace(value) } else { mask_value(value) };
            }
        }
        Value::Array(items) => {
            for item in items {
                changed |= mask_value(item);
            }
        }
        _ => {}
    }
    changed
}

fn replace(value: &mut Value) -> bool {
    let changes = !value.is_null() && value.as_str() != Some(MASK);
    if changes {
        *value = Value::from(MASK);
    }
    changes
}

/// The text with the value behind every secret field's name masked: `"name": "value"`,
/// `\"name\":\"value\"`, `name=value`, `<name>value<`.
fn mask_fields(text: &str) -> String {
    // ASCII lower case keeps every byte where it is, so the offsets are good for both.
    let lower = text.to_ascii_lowercase();
    let mut fields = FieldNames::of(&lower);
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    while let Some(name_end) = fields.end_of_next(done) {
        let rest = text.get(name_end..).unwrap_or_default();
        let (before, length) = value_after(rest).unwrap_or((0, 0));
        out.push_str(text.get(done..name_end + before).unwrap_or_default());
        if length > 0 {
            out.push_str(MASK);
        }
        done = name_end + before + length;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

/// The text with the token of every one-time link masked, `/welcome/TOKEN`, whoever names it how.
fn mask_links(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let links = LINKS.iter().flat_map(|(before, behind)| {
        SLASHES.iter().map(|slash| (before.replace('/', slash), behind.replace('/', slash)))
    });
    let written =
        |name| BEFORE.iter().flat_map(move |before| EQUALS.map(|equals| format!("{before}{name}{equals}")));
    let parameters = PARAMETERS.iter().flat_map(written).map(|before| (before, String::new()));
    let found = links.chain(parameters).flat_map(|(before, behind)| {
        let starts = lower.match_indices(&before).map(|(at, it)| (at + it.len(), behind.clone()));
        starts.collect::<Vec<_>>()
    });
    let tokens = found.filter_map(|(start, behind)| {
        let rest = lower.get(start..)?;
        let length =
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.~%".contains(c))).unwrap_or(rest.len());
        // A percent sign is part of a token, and may begin what has to stand behind it.
        let (token, then) = rest.split_at_checked(length)?;
        let is_followed = then.starts_with(&behind) || token.contains(&behind);
        (length > 0 && is_followed).then_some(start..start + length)
    });
    let mut tokens: Vec<_> = tokens.collect();
    tokens.sort_by_key(|token| token.start);
    let (mut out, mut done) = (String::with_capacity(text.len()), 0);
    for token in tokens.into_iter() {
        // Two of them may overlap: `/welcome/reset_password/TOKEN`.
        let start = token.start.max(done);
        if start < token.end {
            out.push_str(text.get(done..start).unwrap_or_default());
            out.push_str(MASK);
            done = token.end;
        }
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

/// The secret fields' names in a text, one after another. Where each stands next is remembered, so that
/// the text is gone through once for each name, however often the others stand in it.
struct FieldNames<'a> {
    lower: &'a str,
    next: [Option<usize>; SECRET_FIELDS.len()],
}

impl FieldNames<'_> {
    fn of(lower: &str) -> FieldNames<'_> {
        FieldNames { lower, next: SECRET_FIELDS.map(|name| lower.find(name)) }
    }

    /// Where the first name from here on ends. Places only go up.
    fn end_of_next(&mut self, from: usize) -> Option<usize> {
        let rest = self.lower.get(from..)?;
        for (name, next) in SECRET_FIELDS.iter().zip(&mut self.next) {
            if next.is_some_and(|at| at < from) {
                *next = rest.find(name).map(|at| from + at);
            }
        }
        let ends = SECRET_FIELDS.iter().zip(self.next).filter_map(|(name, at)| Some((at?, at? + name.len())));
        ends.min().map(|(_, end)| end)
    }
}

/// Behind a field's name: how many bytes to skip to the value's first, and how long it is.
fn value_after(rest: &str) -> Option<(usize, usize)> {
    let open = rest.trim_start_matches(['\\', '"', '\'']).trim_start();
    let value = open.strip_prefix([':', '=', '>'])?.trim_start();
    let quote = value.trim_start_matches('\\');
    let slashes = value.len() - quote.len();
    let (inner, length) = match quote.chars().next() {
        Some(mark @ ('"' | '\'')) => {
            let inner = quote.get(1..)?;
            (inner, quoted_length(inner, mark, slashes))
        }
        _ => (value, bare_length(value)),
    };
    Some((rest.len() - inner.len(), length))
}

/// Up to the closing quote; all of it where none closes. Each level of JSON inside JSON doubles the
/// backslashes, so the closing quote is known by their number.
fn quoted_length(inner: &str, mark: char, slashes: usize) -> usize {
    let closes = |at: &usize| {
        let before = inner.get(..*at).unwrap_or_default();
        let found = before.len() - before.trim_end_matches('\\').len();
        found % (2 * (slashes + 1)) == slashes
    };
    let marks = inner.match_indices(mark).map(|(at, _)| at);
    marks.into_iter().find(closes).map_or(inner.len(), |at| at - slashes)
}

/// Up to what ends a value without quotes; all of it where the value is a list or an object.
fn bare_length(value: &str) -> usize {
    match value.chars().next() {
        Some('[' | '{') if !value.starts_with(MASK) => value.len(),
        _ if value.starts_with("null") => 0,
        _ => value.find(|c: char| c.is_whitespace() || "&<,}]\"".contains(c)).unwrap_or(value.len()),
    }
}

/// The first bytes of a text, at a character's boundary.
fn cut(text: &str, limit: usize) -> &str {
    let boundary = (0..=limit.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text.get(..boundary.unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use proptest::prelude::*;
    use rstest::rstest;

    fn redactor(secret: &str) -> Redactor {
        Redactor { secrets: vec![Known::at("[x]", &secret.into())] }
    }

    fn receipt(body: &str) -> Receipt {
        let headers = vec![
            ("set-cookie".to_owned(), "sid=1".to_owned()),
            ("x-okta-request-id".to_owned(), "r1".to_owned()),
            ("x-flow-execution".to_owned(), "hunter2!".to_owned()),
        ];
        let at = Timestamp::UNIX_EPOCH;
        let answer = Answer { status: 200, headers, body: body.into(), flaw: None, at };
        redactor("hunter2!").receipt(&answer, Vec::new(), Some(&"tokentoken".into()))
    }

    #[rstest]
    #[case(r#"{"tempPassword":"a\"b", "x":1}"#, r#"{"tempPassword":"[secret]","x":1}"#)]
    #[case(r#"{"a":{"RecoveryToken" : "abc"}}"#, r#"{"a":{"RecoveryToken":"[secret]"}}"#)]
    #[case(r#"{"t":"{\"activationUrl\":\"https://x/y\"}"}"#, r#"{"t":"{\"activationUrl\":\"[secret]\"}"}"#)]
    #[case("activationToken=abc&x=1", "activationToken=[secret]&x=1")]
    #[case("<tempPassword>abc</tempPassword>", "<tempPassword>[secret]</tempPassword>")]
    #[case(r#"{"recoveryToken":"cut of"#, r#"{"recoveryToken":"[secret]"#)]
    #[case(r#"{"recoveryToken":["abc", {"d":"e"}]}"#, r#"{"recoveryToken":"[secret]"}"#)]
    #[case(
        r#"{"echo":"hunter2!","auth":"Bearer tokentoken"}"#,
        r#"{"echo":"[secret]","auth":"Bearer [secret]"}"#
    )]
    #[case(r#"{"t":"{\"tempPassword\":\"a\\\"b\"}"}"#, r#"{"t":"{\"tempPassword\":\"[secret]\"}"}"#)]
    #[case(r#"{"recoveryToken":null}"#, r#"{"recoveryToken":null}"#)]
    #[case("a tempPassword was set", "a tempPassword was set")]
    #[case(
        r#"{"link":"https://x.okta.com/welcome/Abc-1_2","note":"see https://x/reset_password/T0k?x=1"}"#,
        r#"{"link":"https://x.okta.com/welcome/[secret]","note":"see https://x/reset_password/[secret]?x=1"}"#
    )]
    #[case(r#"{"l":"https:\/\/x\/tokens\/T0k\/verify"}"#, r#"{"l":"https:\/\/x\/tokens\/[secret]\/verify"}"#)]
    #[case(
        "GET /tokens/list, POST /lifecycle/reset_password?sendEmail",
        "GET /tokens/list, POST /lifecycle/reset_password?sendEmail"
    )]
    #[case(
        "<a href='https://x/Signin/Reset-Password/ab.c'>",
        "<a href='https://x/Signin/Reset-Password/[secret]'>"
    )]
    #[case("https://x/welcome/reset_password/T", "https://x/welcome/[secret]/[secret]")]
    #[case("?u=https%3A%2F%2Facme%2Fwelcome%2FT0K&x=1", "?u=https%3A%2F%2Facme%2Fwelcome%2F[secret]&x=1")]
    #[case("a &#x2F;tokens&#x2F;T0K&#x2F;verify b", "a &#x2F;tokens&#x2F;[secret]&#x2F;verify b")]
    #[case("https://x/signin/verify?a=1&token=T0K&b=2", "https://x/signin/verify?a=1&token=[secret]&b=2")]
    #[case(
        "https://x/login/sessionCookieRedirect?token=T0K",
        "https://x/login/sessionCookieRedirect?token=[secret]"
    )]
    #[case("the token: expired, otp=wrong", "the token: expired, otp=wrong")]
    #[case(r#"{"password":{"value":"hunter3"}}"#, r#"{"password":"[secret]"}"#)]
    #[case(r#"{"credentials":{"password":{}}}"#, r#"{"credentials":{"password":{}}}"#)]
    #[case("{ \"plain\" :  1 }", "{ \"plain\" :  1 }")]
    fn bodies_are_masked(#[case] body: &str, #[case] kept: &str) {
        assert_eq!(receipt(body).body, kept);
    }

    #[test]
    fn a_password_is_known_as_basic_shows_it() {
        let proof = Proof::Basic { user: "ann".into(), secret: "hunter2".into() };
        let webhook = crate::config::meant::Webhook::new("/hooks/x", proof);
        let source = Source::posted(crate::domain::event::SourceName("x".into()), "okta-event-hook", webhook);
        let encoded = encoded_secret(&source).unwrap();
        assert_eq!(encoded.expose_secret(), "YW5uOmh1bnRlcjI=");
        let redactor = Redactor { secrets: vec![Known::at("[x]", &encoded)] };
        assert_eq!(redactor.mask("Basic YW5uOmh1bnRlcjI=", None), "Basic [secret]");
    }

    #[rstest]
    #[case("hunter2!", "it is hunter2!, they say", Some("[x]"))]
    #[case("hunter2!", "it is Hunter2!", None)]
    #[case::too_short_to_tell("changed", "it changed", None)]
    fn a_secret_in_somebodys_words_is_told_by_its_place(
        #[case] secret: &str,
        #[case] words: &str,
        #[case] place: Option<&str>,
    ) {
        assert_eq!(redactor(secret).place_in(words), place);
    }

    #[test]
    fn headers_are_an_allow_list_and_masked() {
        let expected = [("x-okta-request-id", "r1"), ("x-flow-execution", MASK)];
        assert_eq!(receipt("").headers, expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
    }

    #[test]
    fn a_large_body_is_cut_and_its_digest_is_of_all() {
        let body = "é".repeat(20_000);
        let kept = receipt(&body);
        assert_eq!(kept.body.len(), KEPT_BODY);
        assert_eq!(kept.body_sha256, Some(digest::of_bytes(body.as_bytes())));
    }

    #[test]
    fn a_megabyte_of_field_names_is_gone_through_once() {
        let hostile = "temppassword ".repeat((1 << 20) / 13);
        assert_eq!(mask_fields(&hostile), hostile);
        assert_eq!(receipt(&hostile).body.len(), KEPT_BODY);
    }

    #[test]
    fn no_part_of_a_secret_is_kept_where_the_body_is_cut() {
        for before in 0..80 {
            // What is masked is shorter than it was, so that the cut moves into what is kept.
            let body = format!("{}{}", "x".repeat(before), "hunter2!tokentoken ".repeat(2_000));
            let kept = receipt(&body).body;
            assert!(!kept.contains("hunt") && !kept.contains("toke"), "{before}");
            assert!(kept.len() <= KEPT_BODY);
        }
    }

    #[test]
    fn a_secret_is_found_as_json_writes_it() {
        let masked = redactor("line\nand \"quote\"").mask(r#"{"e":"line\nand \"quote\""}"#, None);
        assert_eq!(masked, r#"{"e":"[secret]"}"#);
    }

    proptest! {
        #[test]
        fn no_secret_survives(before in ".{0,20}", after in ".{0,20}", field in 0usize..5, value in "[a-zA-Z0-9/:]{6,20}") {
            prop_assume!(!before.contains(&value) && !after.contains(&value));
            let body = serde_json::json!({ "a": before, SECRET_FIELDS[field]: value, "b": [after] }).to_string();
            prop_assert!(!receipt(&body).body.contains(&value));
            let nested = serde_json::json!({ "inner": body }).to_string();
            prop_assert!(!receipt(&nested).body.contains(&value));
        }
    }
}
