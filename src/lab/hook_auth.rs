//! How CII shows a listener who is posting: the three ways of contracts/cii.md, section 4. The secret is all there is;
//! nothing is signed.
use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

/// What a webhook target is configured with.
#[derive(Debug, Clone)]
pub enum HookAuth {
    /// A header whose name the customer chooses.
    Key {
        header: String,
        value: SecretString,
    },
    Basic {
        user: String,
        password: SecretString,
    },
    /// A Bearer token that the customer's token endpoint issues. What CII sends to it is undocumented: the lab sends the
    /// form of RFC 6749, section 4.4, and asks anew for every webhook.
    ClientCredentials {
        token_url: String,
        client_id: String,
        client_secret: SecretString,
    },
}

impl HookAuth {
    /// The request with what it takes to be let in; `None` if no token is had.
    pub(super) async fn give(&self, client: &Client, request: RequestBuilder) -> Option<RequestBuilder> {
        match self {
            HookAuth::Key { header, value } => Some(request.header(header, value.expose_secret())),
            HookAuth::Basic { user, password } => {
                Some(request.basic_auth(user, Some(password.expose_secret())))
            }
            HookAuth::ClientCredentials { token_url, client_id, client_secret } => {
                let fields = [
                    ("grant_type", "client_credentials"),
                    ("client_id", client_id),
                    ("client_secret", client_secret.expose_secret()),
                ];
                let token = token(client.post(token_url).form(&fields)).await?;
                Some(request.bearer_auth(token.expose_secret()))
            }
        }
    }
}

#[derive(Deserialize)]
struct Issued {
    access_token: SecretString,
}

async fn token(request: RequestBuilder) -> Option<SecretString> {
    let response = request.send().await.ok()?.error_for_status().ok()?;
    response.json::<Issued>().await.ok().map(|issued| issued.access_token)
}
