//! Messages as CII sends them.

use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// A failed check of one login under an id of its own.
pub(crate) fn failed_check(id: &str, login: &str) -> Value {
    json!({
        "version": "0",
        "id": format!("envelope-{id}"),
        "detail-type": "FAILED_CHECK",
        "source": "11111111-2222-3333-4444-555555555555__66666666",
        "account": "000000000000",
        "time": "2024-07-24T14:25:28Z",
        "region": "us-east-2",
        "resources": [],
        "detail": {
            "id": id,
            "checkId": "no-mfa",
            "title": "No MFA Configured",
            "severity": "high",
            "published": "2024-07-24T14:25:28.589Z",
            "usersFailing": [login],
            "description": ["Users without MFA"],
            "recommendedActions": ["Enrol a factor"],
        }
    })
}

/// The messages that the decoder's own tests read, by name, in the order of their names: as they stand in
/// the files, since one holds text that no Rust string can.
pub(crate) fn fixtures() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payloads/cii-webhook");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), payload(&fs::read_to_string(path).unwrap()))).collect()
}

/// One of them.
pub(crate) fn fixture(name: &str) -> String {
    fixtures().into_iter().find(|(known, _)| known == name).unwrap().1
}

fn payload(case: &str) -> String {
    let case: HashMap<&str, &RawValue> = serde_json::from_str(case).unwrap();
    case["payload"].get().to_owned()
}
