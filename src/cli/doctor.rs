//! `doctor`: what works as configured, and what mends the rest.
//!
//! That the configuration was read means that modes, owners and secrets are as they have to be: every
//! problem with them stops the start, with all of them named.

pub(super) mod calls;
mod listener;
mod okta;

use super::connect;
use super::failure::{DONE, FAILED, Failure};
use super::output::Output;
use super::store::{size, span};
use crate::command::Keymap;
use crate::config::Loaded;
use crate::domain::counted::numbered;
use crate::domain::time;
use crate::store::{Store, StoreError, StoreHealth, files, sqlite_path};
use std::path::Path;
use std::time::Duration;

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It works.
    Good,
    /// It may be meant so.
    Note,
    /// It does not work.
    Bad,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Verdict::Good => "ok",
            Verdict::Note => "note",
            Verdict::Bad => "bad",
        }
    }
}

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What: `store`.
    pub name: String,
    /// How it stands.
    pub verdict: Verdict,
    /// In words.
    pub told: String,
    /// What mends it.
    pub hint: Option<String>,
    /// The same by column, where it is a row of a table, which is drawn instead of the words.
    pub cells: Vec<(&'static str, String)>,
}

impl Checked {
    /// Something that was checked, without a hint.
    pub fn new(name: &str, verdict: Verdict, told: impl Into<String>) -> Checked {
        Checked { name: name.to_owned(), verdict, told: told.into(), hint: None, cells: Vec::new() }
    }

    /// Something that failed; what the failure hints at goes where hints stand.
    pub fn failed(name: &str, failure: &Failure) -> Checked {
        let told = failure.to_string();
        let told = told.strip_prefix("error: ").unwrap_or(&told);
        match told.split_once("\nhint: ") {
            Some((told, hint)) => Checked::new(name, Verdict::Bad, told).hinted(hint),
            None => Checked::new(name, Verdict::Bad, told),
        }
    }

    /// With what mends it.
    pub fn hinted(self, hint: impl Into<String>) -> Checked {
        Checked { hint: Some(hint.into()), ..self }
    }
}

/// Everything that can be checked on this machine, where `holder` receives, if anybody does.
pub async fn local_checks(
    loaded: &Loaded,
    store: Result<&dyn Store, &Failure>,
    holder: Option<&str>,
) -> Vec<Checked> {
    let path = loaded.path.display();
    let read = format!("`{path}` is ours alone to write, and every secret that it names was read");
    let mut checked = vec![Checked::new("configuration", Verdict::Good, read)];
    checked.push(match store {
        Ok(store) => store_health(store.health().await),
        Err(failure) => Checked::failed("store", failure),
    });
    if let Ok(store) = store {
        checked.push(keeping(loaded.config.keep, store).await);
    }
    checked.extend(
        sqlite_path(&loaded.config.store).ok().and_then(|file| files::room(Path::new(&file))).map(disk),
    );
    let report = match (store, holder) {
        (Ok(store), Some(_)) => store.reported().await.ok().flatten(),
        _ => None,
    };
    let receiver = holder.map(|name| listener::Holder::of(name, report.as_ref(), &loaded.config));
    checked.push(listener::checked(loaded, receiver.as_ref(), connect::now()));
    checked.push(flows(loaded));
    checked.extend(okta::checked(&loaded.config));
    checked.push(console(loaded));
    checked
}

/// Keys and theme: what is wrong with keys stops the console, what is wrong with a theme costs a colour.
fn console(loaded: &Loaded) -> Checked {
    let settings = &loaded.config.console;
    if let Err(problems) = Keymap::new(&settings.keys) {
        return Checked::new("console", Verdict::Bad, problems.join("; ")).hinted("`[console] keys`");
    }
    let (_, warnings) = super::console::theme(settings, loaded.path.parent());
    if warnings.is_empty() {
        return Checked::new("console", Verdict::Good, format!("keys and theme `{}`", settings.theme));
    }
    Checked::new("console", Verdict::Note, warnings.join("; ")).hinted("`[console] theme`")
}

fn store_health(health: Result<StoreHealth, StoreError>) -> Checked {
    let health = match health {
        Ok(health) => health,
        Err(error) => return Checked::failed("store", &error.into()),
    };
    let told = format!(
        "{}, {}, {} not expanded yet, {}",
        numbered(health.events, "event"),
        numbered(health.open_findings, "open finding"),
        health.pending,
        size(health.bytes),
    );
    match health.problems.first() {
        Some(problem) => {
            Checked::new("store", Verdict::Note, format!("{told}; last problem: {}", problem.line()))
        }
        None => Checked::new("store", Verdict::Good, told),
    }
}

/// Below this nothing may fit any more at any moment: the store's journal alone grows by some MiB before it is
/// folded in.
const NO_ROOM: u64 = 64 << 20;
/// Below this it is worth a word.
const LITTLE_ROOM: u64 = 1 << 30;

/// Whether there is room for what arrives: on a full disk every sender is turned away.
fn disk(room: u64) -> Checked {
    let told = format!("{} can still be written where the store is", size(room));
    let hint = "make room, or set `[store] keep` and run `idtriage store prune`";
    match room {
        ..NO_ROOM => Checked::new("disk", Verdict::Bad, told).hinted(hint),
        NO_ROOM..LITTLE_ROOM => Checked::new("disk", Verdict::Note, told).hinted(hint),
        _ => Checked::new("disk", Verdict::Good, told),
    }
}

/// Why the store takes nothing now, if that shows: what waits in its inbox is to be written, too.
pub async fn writing(store: &dyn Store) -> Option<Checked> {
    let failed = store.drained().await.err()?;
    Some(Checked::failed("store", &failed.into()))
}

/// What goes and what stays, and what was never let in.
async fn keeping(keep: Option<Duration>, store: &dyn Store) -> Checked {
    let (status, dropped) = match (store.status().await, store.dropped().await) {
        (Ok(status), Ok(dropped)) => (status, dropped),
        (Err(error), _) | (_, Err(error)) => return Checked::failed("keeping", &error.into()),
    };
    let raws = size(status.raw_bytes);
    let kept = match (keep, status.oldest_raw) {
        (None, _) => format!("{raws} of raw texts, for ever: there is no `[store] keep`"),
        (Some(keep), None) => format!("raw texts for {}; there are none", span(keep)),
        (Some(keep), Some(oldest)) => {
            format!("{raws} of raw texts for {}, the oldest of {}", span(keep), time::rfc3339_seconds(oldest))
        }
    };
    let times: u64 = dropped.iter().map(|one| one.times).sum();
    let told = match dropped.len() {
        0 => kept,
        n => {
            let (times, rules) = (numbered(times, "arrival"), numbered(n, "rule"));
            format!("{kept}; {times} left out by {rules}, filters among them: `idtriage store status`")
        }
    };
    Checked::new("keeping", Verdict::Good, told)
}

fn flows(loaded: &Loaded) -> Checked {
    let flows = &loaded.config.flows;
    let runnable = flows.iter().filter(|flow| flow.flow.unrunnable().is_none()).count();
    let told = format!("{runnable} of {} can be run", flows.len());
    if runnable > 0 {
        return Checked::new("flows", Verdict::Good, told);
    }
    Checked::new("flows", Verdict::Note, told).hinted("a `[[flow]]` with a `url` in the configuration")
}

/// Prints what was checked; one bad thing makes the whole fail.
///
/// # Errors
/// If the output is closed.
pub fn print(checked: &[Checked], out: &mut Output<'_>) -> Result<u8, Failure> {
    for check in checked {
        if out.is_json() {
            out.json(&as_json(check))?;
            continue;
        }
        let told = if check.cells.is_empty() { format!(" {}", check.told) } else { row(check, checked) };
        out.text(&format!("{:<4}  {}:{told}", check.verdict.word(), check.name))?;
        if let Some(hint) = &check.hint {
            out.text(&format!("      hint: {hint}"))?;
        }
    }
    let is_bad = checked.iter().any(|check| check.verdict == Verdict::Bad);
    Ok(if is_bad { FAILED } else { DONE })
}

/// The cells of a row, as wide as those of the other rows; the last is as long as it is.
fn row(check: &Checked, all: &[Checked]) -> String {
    let rows = || all.iter().filter(|check| !check.cells.is_empty());
    let wide = |text: fn(&Checked, usize) -> usize, at: usize| rows().map(|row| text(row, at)).max();
    let name = wide(|row, _| row.name.chars().count(), 0).unwrap_or_default();
    let mut out = " ".repeat(name - check.name.chars().count());
    for (at, (column, text)) in check.cells.iter().enumerate() {
        let cell = |row: &Checked, at: usize| row.cells.get(at).map_or(0, |(_, text)| text.chars().count());
        let width = if at + 1 < check.cells.len() { wide(cell, at).unwrap_or_default() } else { 0 };
        out.push_str(&format!("  {column} {text:<width$}"));
    }
    out
}

fn as_json(check: &Checked) -> serde_json::Value {
    let mut row = serde_json::json!({
        "check": check.name,
        "verdict": check.verdict.word(),
        "told": check.told,
        "hint": check.hint,
    });
    for (name, text) in &check.cells {
        row[*name] = text.as_str().into();
    }
    row
}

#[cfg(test)]
mod tests {
    use super::super::fake::FakeStore;
    use super::super::output::{Form, tests::printed};
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, Verdict::Bad)]
    #[case(100 << 20, Verdict::Note)]
    #[case(10 << 30, Verdict::Good)]
    fn a_disk_that_is_almost_full_is_said(#[case] room: u64, #[case] expected: Verdict) {
        assert_eq!(disk(room).verdict, expected);
    }

    #[tokio::test]
    async fn a_store_that_takes_nothing_is_bad() {
        assert_eq!(writing(&FakeStore::default()).await, None);
        let full = FakeStore { is_full: true, ..FakeStore::default() };
        assert_eq!(writing(&full).await.unwrap().verdict, Verdict::Bad);
    }

    #[test]
    fn one_bad_thing_fails_the_whole() {
        let good = Checked::new("store", Verdict::Good, "3 events");
        let bad = Checked::new("cii token", Verdict::Bad, "401\u{1b}").hinted("look at `client_secret`");
        let (status, text) = printed(Form::Text, async |out| print(&[good.clone(), bad], out).unwrap());
        assert_eq!(status, FAILED);
        assert_eq!(
            text.out,
            "ok    store: 3 events\nbad   cii token: 401<U+001B>\n      hint: look at `client_secret`\n"
        );
        let (status, text) = printed(Form::Json, async |out| print(&[good], out).unwrap());
        assert_eq!(
            (status, text.out.as_str()),
            (DONE, "{\"check\":\"store\",\"verdict\":\"ok\",\"told\":\"3 events\",\"hint\":null}\n")
        );
    }
}
