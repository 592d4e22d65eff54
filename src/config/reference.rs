//! Every setting once: where it stands, what it takes, what it is without being said, and a sentence.
//!
//! The shape check walks this slice, the README's table is printed from it, and tests hold the
//! commented template and the structs of [`super::said`] to it.

/// What a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// `true` or `false`.
    Switch,
    /// A list of texts.
    Texts,
    /// Where a secret is kept, never the secret.
    Secret,
    /// How a flow is called: `"oauth"`, `"none"` or a table with a client token.
    Auth,
    /// A list of tables, the declared inputs of a flow.
    Inputs,
    /// A table from command ids to a key or a list of keys.
    Keys,
    /// A whole number.
    Number,
    /// A table from the parts of an event to where they stand.
    Map,
    /// What follows from a rule.
    Then,
    /// A table of what may be done to users.
    Allow,
    /// A table from names to fields of a profile.
    Names,
    /// Which types of records are ends of an execution.
    Ends,
}

impl Kind {
    /// In the reader's words.
    pub fn words(self) -> &'static str {
        match self {
            Kind::Text => "a text",
            Kind::Switch => "true or false",
            Kind::Texts => "a list of texts",
            Kind::Secret => "a secret",
            Kind::Auth => "`{ client_token = secret }`, `\"oauth\"` or `\"none\"`",
            Kind::Inputs => "a list of `{ name, type, value, default, description }`",
            Kind::Keys => "a table from command ids to keys",
            Kind::Number => "a whole number",
            Kind::Map => "a table of JSON pointers and texts",
            Kind::Then => "a table of `severity`, `tag`, `notify` or `drop = true`",
            Kind::Allow => "a table of `create`, `update`, `enable`, `disable`, each true or false",
            Kind::Names => "a table from names to profile fields",
            Kind::Ends => "a table of `completed` and `failed`, each a list of texts",
        }
    }
}

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The heading that it stands under: `[cii]`, `[[source]]`.
    pub table: &'static str,
    /// Its key.
    pub key: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What it is when it is not said; empty where it has to be said or there is nothing then.
    pub default: &'static str,
    /// What it does.
    pub sentence: &'static str,
}

const fn setting(
    table: &'static str,
    key: &'static str,
    kind: Kind,
    default: &'static str,
    sentence: &'static str,
) -> Setting {
    Setting { table, key, kind, default, sentence }
}

/// Every setting, in the order of the template.
pub const SETTINGS: &[Setting] = &[
    setting(
        "[store]",
        "url",
        Kind::Text,
        "$XDG_STATE_HOME/idtriage/idtriage.db",
        "Where events, findings, actions and the journal are kept: `sqlite:/path/to/file.db`.",
    ),
    setting(
        "[store]",
        "keep",
        Kind::Text,
        "for ever",
        "How long raw events and records without a finding are kept: `90d`. Findings, actions and digests stay.",
    ),
    setting(
        "[listen]",
        "address",
        Kind::Text,
        "127.0.0.1:8790",
        "Where webhooks are received: loopback, or `unix:PATH`, behind a reverse proxy; any address with TLS.",
    ),
    setting(
        "[listen]",
        "tls_cert",
        Kind::Text,
        "",
        "A certificate chain, PEM: the listener ends TLS itself.",
    ),
    setting("[listen]", "tls_key", Kind::Text, "", "Its private key, PEM, in a file that only you can read."),
    setting("[net]", "proxy", Kind::Text, "", "A proxy for everything but loopback."),
    setting("[net]", "ca_file", Kind::Text, "", "A private certificate authority, PEM."),
    setting(
        "[[source]]",
        "type",
        Kind::Text,
        "",
        "What it is: `cii-webhook`, `okta-event-hook`, `okta-system-log`, `ispm-webhook`, `okta-execution-log`, `generic-webhook`.",
    ),
    setting("[[source]]", "name", Kind::Text, "the type", "What the source is called on the screen."),
    setting("[[source]]", "path", Kind::Text, "", "The path that it posts to."),
    setting("[[source]]", "header", Kind::Text, "", "The request header that carries the secret."),
    setting(
        "[[source]]",
        "query",
        Kind::Text,
        "",
        "Instead: the query parameter that carries it. Never logged here, but by proxies.",
    ),
    setting(
        "[[source]]",
        "basic_user",
        Kind::Text,
        "",
        "Instead: the user of HTTP Basic; the secret is the password.",
    ),
    setting(
        "[[source]]",
        "hmac_header",
        Kind::Text,
        "",
        "Instead: the header with an HMAC-SHA256 of the body, hex or base64; the secret is the key.",
    ),
    setting(
        "[[source]]",
        "secret",
        Kind::Secret,
        "",
        "What the caller has to show. Required where it posts.",
    ),
    setting(
        "[[source]]",
        "filter",
        Kind::Text,
        "everything",
        "Which events are taken in: a filter as `/` takes it; for `okta-system-log`, one in Okta's grammar.",
    ),
    setting(
        "[[source]]",
        "applications",
        Kind::Texts,
        "",
        "`okta-system-log`: instead of `filter`, applications whose assignments, and all profile changes, are asked for.",
    ),
    setting(
        "[[source]]",
        "first_fetch",
        Kind::Text,
        "24h",
        "`okta-system-log`: how far back the first request goes: `12 hours`, `7 days`.",
    ),
    setting(
        "[[source]]",
        "interval",
        Kind::Text,
        "30s",
        "`okta-system-log`: the rest after everything was read.",
    ),
    setting(
        "[[source]]",
        "canary",
        Kind::Text,
        "",
        "How long it may be silent before the header says so: `1h`.",
    ),
    setting(
        "[[source]]",
        "map",
        Kind::Map,
        "",
        "`generic-webhook`: where `check`, `title`, `severity`, `users`, `published`, `link`, `id`, `description` stand; `items` is a list of events.",
    ),
    setting(
        "[[source]]",
        "ended",
        Kind::Ends,
        "",
        "`okta-execution-log`: which `event_type` is the end of a run, `completed` or `failed`. No list is documented: look at what arrives. Without it no record raises an action.",
    ),
    setting("[cii]", "token_url", Kind::Text, "", "Where Cisco Identity Intelligence issues tokens."),
    setting("[cii]", "api_url", Kind::Text, "", "Its GraphQL endpoint."),
    setting("[cii]", "client_id", Kind::Text, "", "The API client's id."),
    setting("[cii]", "client_secret", Kind::Secret, "", "The API client's secret."),
    setting("[cii]", "audience", Kind::Text, "", "Only for API clients that need one."),
    setting("[okta]", "org_url", Kind::Text, "", "The org: `https://example.okta.com`, not its admin host."),
    setting("[okta]", "api_token", Kind::Secret, "", "An API token (SSWS), used where no service app is."),
    setting("[okta]", "client_id", Kind::Text, "", "A service application's client id."),
    setting("[okta]", "private_key", Kind::Secret, "", "Its private key, RSA or EC on P-256: PEM or JWK."),
    setting(
        "[okta]",
        "key_id",
        Kind::Text,
        "the JWK's `kid`",
        "The key's id, where the application has several.",
    ),
    setting(
        "[okta]",
        "dpop",
        Kind::Switch,
        "false",
        "Whether each call proves that it comes from whoever holds the token (DPoP), as the application may require.",
    ),
    setting(
        "[okta]",
        "allow",
        Kind::Allow,
        "all true",
        "What may be done to users by Okta's own calls, from the console too: `create` an account, `update` a profile, `enable` (activate, reactivate), `disable` (deactivate). Suspending and all else is not asked here.",
    ),
    setting(
        "[okta]",
        "create_if_missing",
        Kind::Switch,
        "false",
        "Whether `iam-update-user` of somebody who is not there makes the account.",
    ),
    setting(
        "[okta]",
        "map",
        Kind::Names,
        "XSOAR's outgoing mapper",
        "Names of profile fields beside Okta's own: `surname = \"lastName\"`. Entries go before the shipped ones.",
    ),
    setting(
        "[[flow]]",
        "preset",
        Kind::Text,
        "",
        "One of the nine ISPM templates; gives all but `url` and `auth`.",
    ),
    setting("[[flow]]", "id", Kind::Text, "the preset", "The flow's id: lower case, digits and hyphens."),
    setting("[[flow]]", "name", Kind::Text, "the preset's, else the id", "What people call it."),
    setting("[[flow]]", "route", Kind::Text, "api-endpoint", "`api-endpoint`, or `open` for a page to open."),
    setting("[[flow]]", "url", Kind::Text, "", "The flow's invoke URL, without any token in it."),
    setting(
        "[[flow]]",
        "auth",
        Kind::Auth,
        "",
        "How the flow is called. Required beside a `url` of an endpoint.",
    ),
    setting(
        "[[flow]]",
        "payload",
        Kind::Text,
        "ispm-flat",
        "The body: `ispm-flat`, `ispm-nested`, `cii-event` or `fields`.",
    ),
    setting(
        "[[flow]]",
        "entity",
        Kind::Text,
        "the preset's, else Account",
        "What an ISPM issue has to be about: `Account`, `User`, `OAuth Grant`, or `any`.",
    ),
    setting(
        "[[flow]]",
        "product",
        Kind::Text,
        "",
        "Whose account it acts on: `okta`, `aad`, `google-workspace`, `salesforce`; none for a router.",
    ),
    setting("[[flow]]", "tenant", Kind::Text, "", "The tenant's name that goes into the payload."),
    setting(
        "[[flow]]",
        "risk",
        Kind::Text,
        "the preset's, else high",
        "What its confirmation asks for: `low` a key, `medium` a word, `high` the login; never less than a preset's.",
    ),
    setting(
        "[[flow]]",
        "verb",
        Kind::Text,
        "the preset's, else `run` and the name",
        "What it does, in plain words.",
    ),
    setting(
        "[[flow]]",
        "takes_login",
        Kind::Switch,
        "the preset's, else false",
        "Whether the flow takes a login where no id is known.",
    ),
    setting(
        "[[flow]]",
        "inputs",
        Kind::Inputs,
        "",
        "The declared inputs of the `fields` payload: `value` fixes one, `default` is what it is without an answer.",
    ),
    setting(
        "[[flow]]",
        "suggested_for",
        Kind::Texts,
        "the preset's",
        "Checks, by id or title, for which it is offered first; `*` stands for anything.",
    ),
    setting("[[flow]]", "inverse", Kind::Text, "", "The id of the flow that undoes it."),
    setting("[[flow]]", "undo", Kind::Text, "the preset's", "What undoes it, in words."),
    setting(
        "[[flow]]",
        "final",
        Kind::Switch,
        "false",
        "Whether the flow answers only when it has ended, so that a 2xx means finished.",
    ),
    setting(
        "[[flow]]",
        "proven_by",
        Kind::Text,
        "the preset's",
        "The Okta state that proves it: `suspended`, `deactivated`, `active`, `password-reset`.",
    ),
    setting(
        "[[flow]]",
        "audit",
        Kind::Texts,
        "the preset's",
        "The events that the System Log is expected to hold of it.",
    ),
    setting(
        "[[log_check]]",
        "event",
        Kind::Text,
        "",
        "Event types of the System Log; `*` stands for anything.",
    ),
    setting("[[log_check]]", "result", Kind::Texts, "any", "Results: `FAILURE`, `DENY`."),
    setting("[[log_check]]", "check", Kind::Text, "", "The id of the check that a finding is of."),
    setting("[[log_check]]", "title", Kind::Text, "the id", "Its title."),
    setting(
        "[[log_check]]",
        "severity",
        Kind::Text,
        "medium",
        "`critical` to `info`, or `risk` for the one that the record itself says.",
    ),
    setting(
        "[[log_check]]",
        "subject",
        Kind::Text,
        "target-or-actor",
        "Whose finding it is: `target-or-actor`, `target`, `actor`.",
    ),
    setting(
        "[[log_check]]",
        "finding",
        Kind::Switch,
        "true",
        "Whether there is a finding at all; `false` switches a shipped row off.",
    ),
    setting("[[rule]]", "name", Kind::Text, "its number", "Under which drops are counted."),
    setting("[[rule]]", "when", Kind::Text, "", "A filter as `/` takes it, without `state:`."),
    setting(
        "[[rule]]",
        "then",
        Kind::Then,
        "",
        "What follows; dropped events are counted and shown by rule.",
    ),
    setting(
        "[[notify]]",
        "type",
        Kind::Text,
        "",
        "`slack`, `webhook`, or `bell` for the terminals of open consoles.",
    ),
    setting("[[notify]]", "name", Kind::Text, "the type", "What rules call it."),
    setting("[[notify]]", "when", Kind::Text, "rules alone", "Which new events it is told of."),
    setting("[[notify]]", "url", Kind::Secret, "", "Where to; such URLs are secrets."),
    setting("[[notify]]", "header", Kind::Text, "", "`webhook`: a header with a secret."),
    setting("[[notify]]", "secret", Kind::Secret, "", "`webhook`: what that header carries."),
    setting(
        "[[notify]]",
        "burst",
        Kind::Number,
        "5",
        "More new events than this at once become one summary.",
    ),
    setting(
        "[guard]",
        "protected",
        Kind::Texts,
        "",
        "Who may be no flow's target: logins, ids, `group:NAME`, `classification:NAME`; `*` stands for anything.",
    ),
    setting(
        "[guard]",
        "require_reason_from",
        Kind::Text,
        "",
        "The risk from which on a reason is asked for: `low`, `medium`, `high`.",
    ),
    setting("[guard]", "bulk_limit", Kind::Number, "50", "So many users are acted on by one run at most."),
    setting(
        "[console]",
        "analyst",
        Kind::Text,
        "",
        "Your name, as you assert it; the uid's name stands beside it.",
    ),
    setting("[console]", "theme", Kind::Text, "ansi", "The theme's name."),
    setting(
        "[console]",
        "prefetch",
        Kind::Switch,
        "true",
        "Whether a dossier is read while its row rests selected.",
    ),
    setting("[console]", "link_hosts", Kind::Texts, "", "Hosts whose links open without being shown first."),
    setting(
        "[console]",
        "open",
        Kind::Text,
        "auto",
        "How links open: `auto` on a desktop or with `$BROWSER`, `always`, `never`.",
    ),
    setting(
        "[console]",
        "canary",
        Kind::Text,
        "",
        "How long the feed may be silent before the header says so: `1h`.",
    ),
    setting(
        "[console]",
        "time",
        Kind::Text,
        "utc",
        "The zone of times on the screen: `utc`, with `Z`, or `local`, with the offset; whose days `since:yesterday` means too. JSON stays UTC.",
    ),
    setting(
        "[console]",
        "borders",
        Kind::Text,
        "unicode",
        "The signs of the console's own frame: `unicode`, or `ascii` where a terminal has no others.",
    ),
    setting("[console]", "keys", Kind::Keys, "", "Keys that differ from the defaults, by command id."),
];

/// Tables and settings of later versions: refused by name, since a setting that is silently without
/// effect is worse than none.
pub const LATER: &[(&str, &str)] = &[("[console]", "columns"), ("[console]", "privacy")];

/// What somebody looks for who knows the settings of XSOAR's Okta integrations, and where it is here: heading,
/// key, hint. They are no settings, and are refused with these words.
pub const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("[okta]", "url", "`org_url`"),
    ("[okta]", "apitoken", "`api_token = { env = \"NAME\" }`"),
    ("[okta]", "insecure", "a private authority is `[net] ca_file`; certificates are always checked"),
    ("[okta]", "proxy", "`[net] proxy`"),
    ("[okta]", "create-user-enabled", "`[okta.allow] create`"),
    ("[okta]", "update-user-enabled", "`[okta.allow] update`"),
    ("[okta]", "enable-user-enabled", "`[okta.allow] enable`"),
    ("[okta]", "disable-user-enabled", "`[okta.allow] disable`"),
    ("[okta]", "create-if-not-exists", "`create_if_missing`"),
    ("[okta]", "mapper-out", "`[okta.map]`"),
    ("[okta]", "mapper-in", "nothing is mapped on its way in: what Okta answers is shown as it came"),
    ("[okta]", "max_fetch", NO_MAX_FETCH),
    ("[[source]]", "max_fetch", NO_MAX_FETCH),
    ("[okta]", "isFetch", FETCHES),
    ("[okta]", "incidentFetchInterval", "`interval` of a `[[source]]` of type `okta-system-log`"),
    ("[[source]]", "incidentFetchInterval", "`interval`"),
    ("[okta]", "first_fetch", "`first_fetch` of a `[[source]]` of type `okta-system-log`"),
    ("[okta]", "fetch_query_filter", "`filter` of a `[[source]]` of type `okta-system-log`"),
    ("[[source]]", "fetch_query_filter", "`filter`"),
    ("[okta]", "auto_generate_query_filter", APPLICATIONS),
    ("[[source]]", "auto_generate_query_filter", APPLICATIONS),
];

/// Why there is no limit on the events that are fetched: contract of XSOAR's integration, defect 1.
pub const NO_MAX_FETCH: &str = "there is none, and none is needed: events and the place in the log are committed \
                                together, so that none is left out between two requests; lists on a screen have \
                                pages, and drop nothing";
const FETCHES: &str = "a `[[source]]` of type `okta-system-log` is fetched, and without one nothing is";
const APPLICATIONS: &str =
    "`applications` of a `[[source]]` of type `okta-system-log`, and `idtriage okta config set`";

/// The settings under a heading.
pub fn under(table: &str) -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(move |setting| setting.table == table)
}

/// The headings, each once, in order.
pub fn headings() -> Vec<&'static str> {
    let mut headings: Vec<&str> = SETTINGS.iter().map(|setting| setting.table).collect();
    headings.dedup();
    headings
}

/// The README's table of settings, in Markdown.
pub fn table() -> String {
    let mut out = String::from("| setting | takes | default | does |\n|---|---|---|---|\n");
    for setting in SETTINGS {
        // A default of one word is a value, several are a description.
        let is_value = !setting.default.is_empty() && !setting.default.contains(' ');
        let default = if is_value { format!("`{}`", setting.default) } else { setting.default.to_owned() };
        out.push_str(&format!(
            "| `{} {}` | {} | {default} | {} |\n",
            setting.table,
            setting.key,
            setting.kind.words(),
            setting.sentence,
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_stands_once_and_has_a_sentence() {
        let mut seen = std::collections::BTreeSet::new();
        for setting in SETTINGS {
            assert!(seen.insert((setting.table, setting.key)), "{setting:?} stands twice");
            assert!(setting.sentence.ends_with('.'), "{setting:?} has no sentence");
        }
        assert!(LATER.iter().all(|later| !seen.contains(later)));
        assert!(ELSEWHERE.iter().all(|(table, key, _)| !seen.contains(&(*table, *key))));
        assert_eq!(headings().len(), 12);
    }

    #[test]
    fn the_table_has_a_row_a_setting() {
        assert_eq!(table().lines().count(), SETTINGS.len() + 2);
    }
}
