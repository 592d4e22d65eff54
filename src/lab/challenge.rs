//! Okta's verification of a hook: a challenge that the address has to send back within three seconds, and one retry.
use super::secrets::token;
use reqwest::Client;
use serde_json::Value;
use std::time::Duration;

const HEADER: &str = "x-okta-verification-challenge";
const PATIENCE: Duration = Duration::from_secs(3);
/// The challenge and its one retry.
const TRIES: usize = 2;

/// Whether an address answers. Nothing says that the secret comes with the challenge, so it does not.
pub(super) async fn is_answered(client: &Client, url: &str) -> bool {
    for _ in 0..TRIES {
        let challenge = token("", 32);
        if answer(client, url, &challenge).await.is_some_and(|answer| answer == challenge) {
            return true;
        }
    }
    false
}

async fn answer(client: &Client, url: &str, challenge: &str) -> Option<String> {
    let request = client.get(url).header(HEADER, challenge).timeout(PATIENCE);
    let response = request.send().await.ok().filter(|response| response.status() == 200)?;
    let answer: Value = response.json().await.ok()?;
    answer["verification"].as_str().map(str::to_owned)
}
