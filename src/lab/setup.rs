//! The configuration with which idtriage works against this lab, as `--config` takes it.
use super::secrets::{CII_CLIENT_SECRET, CII_HOOK_TOKEN, FLOW_TOKEN, OKTA_PRIVATE_KEY, OKTA_TOKEN};
use super::workflows::{FlowAuth, LabFlow};
use super::world::World;
use std::fmt::{self, Write as _};
use std::net::SocketAddr;
use std::path::Path;

/// Where the configured listener expects CII's webhooks.
pub const HOOK_PATH: &str = "/hooks/cii";
/// The header that the webhooks carry the secret in.
pub const HOOK_HEADER: &str = "x-api-client-token";

pub(super) fn config_toml(world: &World, secrets: &Path, listen: SocketAddr) -> String {
    let mut text = String::from(
        "# The idtriage lab: a simulated tenant on loopback. It ends with the process that serves it.\n",
    );
    // Writing to a String cannot fail.
    let _ = sections(&mut text, world, secrets, listen);
    for flow in &world.flows {
        let _ = section_of(&mut text, flow, secrets);
    }
    text
}

fn sections(text: &mut String, world: &World, secrets: &Path, listen: SocketAddr) -> fmt::Result {
    let at = &world.addresses;
    let file = |name: &str| secret(secrets, name);
    write!(
        text,
        "\n[listen]\naddress = {}\n\
         \n[[source]]\ntype = \"cii-webhook\"\npath = {}\nheader = {}\nsecret = {}\n\
         \n[cii]\ntoken_url = {}\napi_url = {}\nclient_id = {}\nclient_secret = {}\n\
         \n[okta]\norg_url = {}\napi_token = {}\nclient_id = {}\nprivate_key = {}\n",
        quoted(&listen.to_string()),
        quoted(HOOK_PATH),
        quoted(HOOK_HEADER),
        file(CII_HOOK_TOKEN),
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
