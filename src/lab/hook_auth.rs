//! How a sender shows a listener who is posting: the three ways of CII (contracts/cii.md, section 4), and those of the
//! others. Most show a static secret; one signs what it sends.
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, RequestBuilder, header::CONTENT_TYPE};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use url::Url;

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
    /// A query parameter whose name the customer chooses.
    Query {
        name: String,
        value: SecretString,
    },
    /// The HMAC-SHA256 of the body in a header, as `sha256=` and base64.
    Signature {
        header: String,
        key: SecretString,
    },
}

impl HookAuth {
    /// A POST of JSON with what it takes to be let in; `None` if no token is had or the URL is none.
    pub(super) async fn post(&self, client: &Client, url: &str, body: Vec<u8>) -> Option<RequestBuilder> {
        let request = client.post(self.address(url)?).header(CONTENT_TYPE, "application/json");
        let request = match self {
            HookAuth::Key { header, value } => request.header(header, value.expose_secret()),
            HookAuth::Basic { user, password } => request.basic_auth(user, Some(password.expose_secret())),
            HookAuth::ClientCredentials { token_url, client_id, client_secret } => {
                let fields = [
                    ("grant_type", "client_credentials"),
                    ("client_id", client_id),
                    ("client_secret", client_secret.expose_secret()),
                ];
                let token = token(client.post(token_url).form(&fields)).await?;
                request.bearer_auth(token.expose_secret())
            }
            HookAuth::Query { .. } => request,
            HookAuth::Signature { header, key } => {
                let signature = hmac_sha256(key.expose_secret().as_bytes(), &body);
                request.header(header, format!("sha256={}", STANDARD.encode(signature)))
            }
        };
        Some(request.body(body))
    }

    fn address(&self, url: &str) -> Option<Url> {
        let mut url = Url::parse(url).ok()?;
        if let HookAuth::Query { name, value } = self {
            url.query_pairs_mut().append_pair(name, value.expose_secret());
        }
        Some(url)
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

/// The bytes of a block of SHA-256.
const BLOCK: usize = 64;

/// RFC 2104, written out: the program checks signatures with a library, and a double that signed with the same one would
/// share its mistakes.
fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let digest = Sha256::digest(key);
    let key = if key.len() > BLOCK { digest.as_slice() } else { key };
    let padded = |pad: u8| -> Vec<u8> {
        key.iter().copied().chain(std::iter::repeat(0)).take(BLOCK).map(|byte| byte ^ pad).collect()
    };
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// The cases 1, 2 and 6 of RFC 4231.
    #[rstest]
    #[case(&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")]
    #[case(
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )]
    #[case(
        &[0xaa; 131],
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    )]
    fn signs_as_the_rfc_does(#[case] key: &[u8], #[case] message: &[u8], #[case] expected: &str) {
        let signature = hmac_sha256(key, message);
        let hex: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, expected);
    }
}
