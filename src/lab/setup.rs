//! The configuration with which idtriage works against this lab, as `--config` takes it, and the targets that the lab
//! posts to when it is used. Both are written from one table: they cannot come to differ.
use super::hook_auth::HookAuth;
use super::secrets::{
    ALERTS_PASSWORD, CII_CLIENT_SECRET, CII_HOOK_TOKEN, EXECUTION_LOG_TOKEN, FLOW_TOKEN, FORM_KEY,
    ISPM_SECRET, LabSecrets, OKTA_HOOK_SECRET, OKTA_PRIVATE_KEY, OKTA_TOKEN,
};
use super::sender::{LabListener, LabTargets, Sender};
use super::workflows::{FlowAuth, LabFlow};
use super::world::World;
use secrecy::SecretString;
use std::fmt::{self, Write as _};
use std::net::SocketAddr;
use std::path::Path;

/// One source that is posted to.
struct Posted {
    sender: Sender,
    source_type: &'static str,
    /// `None`: it goes by its type.
    name: Option<&'static str>,
    path: &'static str,
    proof: Proof,
    secret: (fn(&LabSecrets) -> &SecretString, &'static str),
    /// Where the parts of an event stand, for a type without a shape of its own.
    map: Option<&'static str>,
}

/// How its sender shows the secret.
enum Proof {
    Header(&'static str),
    Basic(&'static str),
    Signature(&'static str),
}

impl Proof {
    fn setting(&self) -> (&'static str, &'static str) {
        match self {
            Proof::Header(name) => ("header", name),
            Proof::Basic(user) => ("basic_user", user),
            Proof::Signature(header) => ("hmac_header", header),
        }
    }

    fn auth(&self, secret: SecretString) -> HookAuth {
        match *self {
            Proof::Header(header) => HookAuth::Key { header: header.to_owned(), value: secret },
            Proof::Basic(user) => HookAuth::Basic { user: user.to_owned(), password: secret },
            Proof::Signature(header) => HookAuth::Signature { header: header.to_owned(), key: secret },
        }
    }
}

/// Names, paths and maps are those of the configuration's template.
const POSTED: [Posted; 6] = [
    Posted {
        sender: Sender::Cii,
        source_type: "cii-webhook",
        name: None,
        path: "/hooks/cii",
        proof: Proof::Header("x-api-client-token"),
        secret: (|secrets| &secrets.cii_hook_token, CII_HOOK_TOKEN),
        map: None,
    },
    Posted {
        sender: Sender::OktaHook,
        source_type: "okta-event-hook",
        name: None,
        path: "/hooks/okta",
        proof: Proof::Header("authorization"),
        secret: (|secrets| &secrets.okta_hook_secret, OKTA_HOOK_SECRET),
        map: None,
    },
    Posted {
        sender: Sender::Ispm,
        source_type: "ispm-webhook",
        name: None,
        path: "/hooks/ispm",
        proof: Proof::Header("x-ispm-secret"),
        secret: (|secrets| &secrets.ispm_secret, ISPM_SECRET),
        map: None,
    },
    Posted {
        sender: Sender::Executions,
        source_type: "okta-execution-log",
        name: None,
        path: "/hooks/executions",
        proof: Proof::Header("x-log-token"),
        secret: (|secrets| &secrets.execution_log_token, EXECUTION_LOG_TOKEN),
        map: None,
    },
    Posted {
        sender: Sender::Form,
        source_type: "generic-webhook",
        name: Some("report-form"),
        path: "/hooks/form",
        proof: Proof::Signature("typeform-signature"),
        secret: (|secrets| &secrets.form_key, FORM_KEY),
        map: Some(
            r#"{ check = "reported-by-user", title = "Reported by a User", severity = "medium", users = "/form_response/answers/0/email", description = "/form_response/answers/1/text", published = "/form_response/submitted_at", id = "/event_id" }"#,
        ),
    },
    Posted {
        sender: Sender::Alerts,
        source_type: "generic-webhook",
        name: Some("alerts"),
        path: "/hooks/alerts",
        proof: Proof::Basic("alertmanager"),
        secret: (|secrets| &secrets.alerts_password, ALERTS_PASSWORD),
        map: Some(
            r#"{ items = "/alerts", check = "/labels/alertname", title = "/annotations/summary", severity = "/labels/severity", users = "/labels/user", description = "/annotations/description", published = "/startsAt", link = "/generatorURL", id = "/fingerprint" }"#,
        ),
    },
];

/// What the double calls the end of a run, unless it is told otherwise.
const ENDED: &str = r#"ended = { completed = ["FLOW_COMPLETE"], failed = ["FLOW_FAIL"] }"#;

/// The System Log is asked often, so that a demo need not wait for it, and from two hours before the story.
const SYSTEM_LOG: &str =
    "\n[[source]]\ntype = \"okta-system-log\"\nfirst_fetch = \"2h\"\ninterval = \"5s\"\n";

/// Keeping, and a rule that shows what rules do and changes nothing that anybody could miss.
const RULES: &str = "\n[store]\nkeep = \"90d\"\n\
     \n# What nobody has to hurry for is marked, so that `tag:hygiene` finds it and `-tag:hygiene` leaves it out.\n\
     [[rule]]\nname = \"hygiene\"\nwhen = \"check:inactive-*\"\nthen = { tag = \"hygiene\" }\n";

pub(super) fn config_toml(world: &World, secrets: &Path, listen: SocketAddr) -> String {
    let mut text = String::from(
        "# The idtriage lab: a simulated tenant on loopback. It ends with the process that serves it.\n",
    );
    // Writing to a String cannot fail.
    let _ = write!(text, "\n[listen]\naddress = {}\n", quoted(&listen.to_string()));
    for posted in &POSTED {
        let _ = source(&mut text, posted, secrets);
    }
    text.push_str(SYSTEM_LOG);
    text.push_str(RULES);
    let _ = tenants(&mut text, world, secrets);
    for flow in &world.flows {
        let _ = section_of(&mut text, flow, secrets);
    }
    text
}

/// Where each sender posts if idtriage listens there with the configuration.
pub(super) fn targets(world: &World, listen: SocketAddr) -> LabTargets {
    let target = |sender: Sender| {
        let posted = POSTED.iter().find(|posted| posted.sender == sender)?;
        let secret = (posted.secret.0)(&world.secrets).clone();
        Some(LabListener { url: format!("http://{listen}{}", posted.path), auth: posted.proof.auth(secret) })
    };
    LabTargets {
        cii: target(Sender::Cii),
        okta_hook: target(Sender::OktaHook),
        ispm: target(Sender::Ispm),
        executions: target(Sender::Executions),
        form: target(Sender::Form),
        alerts: target(Sender::Alerts),
    }
}

fn source(text: &mut String, posted: &Posted, secrets: &Path) -> fmt::Result {
    writeln!(text, "\n[[source]]\ntype = {}", quoted(posted.source_type))?;
    if let Some(name) = posted.name {
        writeln!(text, "name = {}", quoted(name))?;
    }
    let (setting, value) = posted.proof.setting();
    writeln!(text, "path = {}\n{setting} = {}", quoted(posted.path), quoted(value))?;
    writeln!(text, "secret = {}", secret(secrets, posted.secret.1))?;
    posted.map.map_or(Ok(()), |map| writeln!(text, "map = {map}"))?;
    if posted.sender == Sender::Executions { writeln!(text, "{ENDED}") } else { Ok(()) }
}

fn tenants(text: &mut String, world: &World, secrets: &Path) -> fmt::Result {
    let at = &world.addresses;
    let file = |name: &str| secret(secrets, name);
    write!(
        text,
        "\n[cii]\ntoken_url = {}\napi_url = {}\nclient_id = {}\nclient_secret = {}\n\
         \n[okta]\norg_url = {}\napi_token = {}\nclient_id = {}\nprivate_key = {}\n",
        quoted(&at.cii_token_url),
        quoted(&at.cii_api_url),
        quoted(&world.secrets.cii_client_id),
        file(CII_CLIENT_SECRET),
        quoted(&at.okta_org_url),
        file(OKTA_TOKEN),
        quoted(&world.secrets.okta_client_id),
        file(OKTA_PRIVATE_KEY),
    )
}

fn section_of(text: &mut String, flow: &LabFlow, secrets: &Path) -> fmt::Result {
    writeln!(text, "\n# {}\n[[flow]]", flow.does)?;
    if flow.preset {
        writeln!(text, "preset = {}", quoted(flow.id))?;
    } else {
        writeln!(text, "id = {}\nname = {}\nroute = \"api-endpoint\"", quoted(flow.id), quoted(flow.name))?;
        writeln!(text, "payload = {}\nproduct = {}", quoted(flow.payload), quoted(flow.product))?;
        writeln!(text, "risk = {}\ntakes_login = true\nverb = {}", quoted(flow.risk), quoted(flow.verb))?;
        if let Some(state) = flow.proven_by {
            writeln!(text, "proven_by = {}", quoted(state))?;
        }
    }
    if let Some(inverse) = flow.inverse {
        writeln!(text, "inverse = {}", quoted(inverse))?;
    }
    if flow.is_final {
        writeln!(text, "final = true")?;
    }
    writeln!(text, "url = {}", quoted(&flow.url))?;
    match flow.auth {
        FlowAuth::ClientToken => {
            writeln!(text, "auth = {{ client_token = {} }}", secret(secrets, FLOW_TOKEN))
        }
        FlowAuth::OAuth => writeln!(text, "auth = \"oauth\""),
        FlowAuth::Public => writeln!(text, "auth = \"none\""),
    }
}

fn secret(folder: &Path, name: &str) -> String {
    format!("{{ file = {} }}", quoted(&folder.join(name).to_string_lossy()))
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
