//! Each invalid configuration gives back the phrase that its first line names, and never a secret.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests outside of test functions")]

use idtriage::config::load::{Folders, load};
use std::path::{Path, PathBuf};

/// Stands wherever a secret does in the corpus.
const SECRET: &str = "hunter2";

fn corpus() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs/invalid");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect()
}

/// A checkout may be group-writable: the copy is not.
fn told(file: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("config.toml");
    std::fs::write(&copy, std::fs::read(file).unwrap()).unwrap();
    std::fs::set_permissions(&copy, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let folders = Folders { config: folder.path().into(), state: folder.path().into() };
    load(&copy, Some(&folders)).err().unwrap_or_else(|| panic!("{} is accepted", file.display())).to_string()
}

#[test]
fn every_invalid_configuration_is_told_in_its_words() {
    let corpus = corpus();
    assert!(corpus.len() > 50);
    let mut wrong = Vec::new();
    for file in corpus {
        let text = std::fs::read_to_string(&file).unwrap();
        let phrase = text.lines().next().unwrap().trim_start_matches("# ");
        let told = told(&file);
        if !told.contains(phrase) || told.contains(SECRET) {
            wrong.push(format!("{}: wanted `{phrase}`, got:\n{told}\n", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_problems_come_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("many.toml");
    std::fs::write(&file, "[console]\ncolour = 1\ntime = 'mars'\n[cii]\n[[flow]]\npreset = 'x'\n[[rule]]\n")
        .unwrap();
    let told = told(&file);
    for place in [
        "[console] colour",
        "[console] time",
        "[cii] api_url",
        "[cii] client_secret",
        "[[flow]] #1 preset",
        "[[rule]] #1 when",
    ] {
        assert!(told.contains(place), "{place} is not in:\n{told}");
    }
}
