//! `import`: takes a file of events in, or lets them arrive once more.

use super::args;
use super::failure::{DONE, FAILED, Failure, MIXED};
use super::output::Output;
use crate::config::Local;
use crate::ingest::file::{Origin, Refusal, next_group};
use crate::ingest::import::{Ended, Import, Tally, Told};
use crate::source::clock::Clock;
use crate::source::pieces::Pieces;
use crate::source::{TYPES, type_named};
use crate::store::Store;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;

/// Refusals that are told one by one; with `--json` all are.
const REFUSALS_TOLD: u64 = 10;
/// How often it is told how far it is.
const TOLD_EVERY: SignedDuration = SignedDuration::from_secs(5);

/// What a file is read with.
pub(super) struct Around {
    /// Where to.
    pub(super) store: Arc<dyn Store>,
    /// The time.
    pub(super) clock: Arc<dyn Clock>,
    /// Becomes true when it is to end.
    pub(super) stop: watch::Receiver<bool>,
    /// Who receives into the store meanwhile, if somebody does.
    pub(super) receiver: Option<String>,
}

/// A file that can be read; `-` is standard input.
///
/// # Errors
/// If it cannot be opened.
pub(super) fn opened(path: &Path) -> Result<Box<dyn Read + Send>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    let file = File::open(path).and_then(|file| match file.metadata()?.is_dir() {
        true => Err(io::Error::from(io::ErrorKind::IsADirectory)),
        false => Ok(file),
    });
    let file = file.map_err(|cause| not_read(path, &cause))?;
    match encoding(&file) {
        Some((is, reads)) => {
            let path = path.display();
            Err(Failure::usage(format!("`{path}` is {is}\nhint: `{reads} '{path}' | idtriage import -`")))
        }
        None => Ok(Box::new(file)),
    }
}

/// What a file is that no JSON stands in as it is, and what makes it readable; by its first bytes, where it has
/// any that can be read twice.
fn encoding(file: &File) -> Option<(&'static str, &'static str)> {
    let mut first = [0; 4];
    file.read_at(&mut first, 0).ok()?;
    match first {
        [0x1f, 0x8b, ..] => Some(("compressed (gzip)", "gzip -dc")),
        [0x28, 0xb5, 0x2f, 0xfd] => Some(("compressed (zstd)", "zstd -dc")),
        [b'P', b'K', 3, 4] => Some(("compressed (zip)", "unzip -p")),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            Some(("UTF-16, and JSON is UTF-8", "iconv -f UTF-16 -t UTF-8"))
        }
        _ => None,
    }
}

fn not_read(path: &Path, cause: &io::Error) -> Failure {
    Failure::usage(format!("`{}` cannot be read: {cause}", path.display()))
}

/// Whose events a file holds: as said, else each tells by its content.
///
/// # Errors
/// If there is no such source and no such type.
pub(super) fn origin(said: Option<&str>, local: &Local) -> Result<Origin, Failure> {
    let reading = local.reading.clone().unwrap_or_default();
    let Some(name) = said else { return Ok(Origin::recognised(reading)) };
    let configured = local.sources.iter().find(|known| known.name.0 == name);
    if let Some(source) = configured
        && let Some(source_type) = type_named(&source.source_type)
    {
        return Ok(Origin::of_source(source.name.clone(), source_type, reading));
    }
    type_named(name).map(|known| Origin::of_type(known, reading)).ok_or_else(|| no_such(name, local))
}

fn no_such(name: &str, local: &Local) -> Failure {
    let sources = local.sources.iter().map(|source| source.name.0.as_str());
    let names = sources.chain(TYPES.iter().map(|known| known.name));
    let names: std::collections::BTreeSet<String> = names.map(|name| format!("`{name}`")).collect();
    let names: Vec<String> = names.into_iter().collect();
    Failure::usage(format!(
        "`--as {name}`: there is no such source and no such type\nhint: {}",
        names.join(", ")
    ))
}

/// Says what the file holds, and takes nothing in.
///
/// # Errors
/// If the file or the output fails.
pub(super) fn dry_run(what: &args::Import, origin: &Origin, out: &mut Output<'_>) -> Result<u8, Failure> {
    let mut pieces = Pieces::of(opened(&what.file)?);
    let (mut types, mut refusals) = (BTreeMap::<&str, u64>::new(), Refusals::default());
    while let Some(group) = next_group(&mut pieces, origin) {
        group.elements.iter().for_each(|element| *types.entry(element.source_type).or_default() += 1);
        group.refused.iter().try_for_each(|refusal| refusals.tell(refusal, out))?;
        if let Some(cause) = group.failed {
            return Err(not_read(&what.file, &cause));
        }
    }
    refusals.told(out)?;
    let recognised = types.values().sum();
    if out.is_json() {
        out.json(&json!({ "recognised": types, "refused": refusals.all, "complete": true }))?;
    } else {
        let types: Vec<String> = types.iter().map(|(name, times)| format!("{times} {name}")).collect();
        let types = if types.is_empty() { "nothing".to_owned() } else { types.join(", ") };
        out.text(&format!("would be taken in: {types}; refused: {}", refusals.all))?;
    }
    Ok(status(recognised, refusals.all))
}

/// Takes the file in.
///
/// # Errors
/// If the file, the store or the output fails; what was taken in until then is told before.
pub(super) async fn run(
    what: &args::Import,
    origin: Origin,
    around: Around,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let input = opened(&what.file)?;
    let Around { store, clock, stop, receiver } = around;
    let import = Import::new(store, clock.clone(), origin, stop);
    let import = if receiver.is_some() { import.giving_way() } else { import };
    let mut teller = Teller { refusals: Refusals::default(), told: clock.now(), clock, out };
    let mut tell = |told: Told<'_>| teller.tell(told);
    let (tally, ended) = match what.real_time {
        true => import.replay(input, what.speed, &mut tell).await,
        false => import.history(input, &mut tell).await,
    };
    if let Ended::NotTold(error) = ended {
        return Err(error.into());
    }
    teller.refusals.told(teller.out)?;
    sum(&tally, &ended, teller.out)?;
    conclude(what, &tally, ended, teller.out)
}

/// Tells what becomes of a file while it does.
struct Teller<'a, 'b> {
    refusals: Refusals,
    /// When it was last told how far it is.
    told: Timestamp,
    clock: Arc<dyn Clock>,
    out: &'a mut Output<'b>,
}

impl Teller<'_, '_> {
    fn tell(&mut self, told: Told<'_>) -> io::Result<()> {
        match told {
            Told::Refused(refusal) => self.refusals.tell(refusal, self.out),
            Told::SoFar(tally) => self.so_far(tally),
            Told::Waits { line, rest } => {
                self.out.note(&format!("line {line} is due in {} s", rest.as_secs()))
            }
        }
    }

    /// For whoever sits there.
    fn so_far(&mut self, tally: &Tally) -> io::Result<()> {
        let now = self.clock.now();
        if now.duration_since(self.told) < TOLD_EVERY || !io::stderr().is_terminal() {
            return Ok(());
        }
        self.told = now;
        self.out.note(&format!("{} read so far", tally.read()))
    }
}

/// What was refused: the first few are told, or all as JSON.
#[derive(Debug, Default)]
struct Refusals {
    all: u64,
}

impl Refusals {
    fn tell(&mut self, refusal: &Refusal, out: &mut Output<'_>) -> io::Result<()> {
        self.all += 1;
        let Refusal { line, why } = refusal;
        if out.is_json() {
            return out.json(&json!({ "line": line, "refused": why }));
        }
        if self.all > REFUSALS_TOLD {
            return Ok(());
        }
        out.note(&format!("line {line} is refused: {why}"))
    }

    /// How many more there were.
    fn told(&self, out: &mut Output<'_>) -> io::Result<()> {
        match self.all.checked_sub(REFUSALS_TOLD) {
            Some(more @ 1..) if !out.is_json() => {
                out.note(&format!("{more} more are refused: `--json` tells all"))
            }
            _ => Ok(()),
        }
    }
}

fn sum(tally: &Tally, ended: &Ended, out: &mut Output<'_>) -> io::Result<()> {
    let Tally { imported, refused } = tally;
    let is_complete = matches!(ended, Ended::Whole);
    if out.is_json() {
        return out.json(&json!({
            "new": imported.new,
            "repeated": imported.repeated,
            "dropped": imported.dropped,
            "set_aside": imported.set_aside,
            "refused": refused,
            "complete": is_complete,
        }));
    }
    let mut parts = vec![format!("{} new", imported.new), format!("{} repeated", imported.repeated)];
    if imported.dropped > 0 {
        parts.push(format!("{} dropped by rules and filters", imported.dropped));
    }
    if imported.set_aside > 0 {
        parts.push(format!("{} set aside (`idtriage doctor` says why)", imported.set_aside));
    }
    parts.push(format!("{refused} refused"));
    out.text(&parts.join(", "))
}

fn conclude(what: &args::Import, tally: &Tally, ended: Ended, out: &mut Output<'_>) -> Result<u8, Failure> {
    match ended {
        Ended::Whole => {
            let not_in = tally.refused + tally.imported.set_aside;
            Ok(status(tally.read() - not_in, not_in))
        }
        Ended::Stopped => {
            out.note(
                "stopped before the end: what was taken in stays, and importing it again only repeats it",
            )?;
            Ok(MIXED)
        }
        Ended::NotRead(cause) if tally.read() == 0 => Err(not_read(&what.file, &cause)),
        Ended::NotRead(cause) => Err(Failure::failed(format!(
            "`{}` could be read no further: {cause}\nhint: what was taken in stays; import it again",
            what.file.display()
        ))),
        Ended::NotKept(error) => Err(Failure::failed(format!(
            "{error}\nhint: what was taken in stays; import the file again, that only repeats it"
        ))),
        Ended::NotTold(error) => Err(error.into()),
    }
}

fn status(taken: u64, refused: u64) -> u8 {
    match (taken, refused) {
        (_, 0) => DONE,
        (0, _) => FAILED,
        _ => MIXED,
    }
}

#[cfg(test)]
mod tests {
    use super::super::output::{Form, tests::printed};
    use super::*;
    use crate::config::meant::{self, Reading};
    use crate::domain::SourceHealth;
    use rstest::rstest;

    fn local() -> Local {
        Local {
            path: "config.toml".into(),
            store: "sqlite:x".to_owned(),
            flows: Vec::new(),
            reading: Some(Reading::default()),
            sources: vec![SourceHealth::new("cii-emea".into(), "cii-webhook", "/hooks/cii")],
            keep: None,
            console: meant::Console::default(),
        }
    }

    #[rstest]
    #[case(None, "import")]
    #[case(Some("cii-webhook"), "import")]
    #[case(Some("cii-emea"), "cii-emea")]
    fn whose_events_they_are(#[case] said: Option<&str>, #[case] source: &str) {
        let origin = origin(said, &local()).unwrap();
        assert!(format!("{origin:?}").contains(&format!("SourceName(\"{source}\")")), "{origin:?}");
    }

    #[test]
    fn a_name_that_there_is_not_is_told_with_those_that_there_are() {
        let failure = origin(Some("nobody"), &local()).unwrap_err();
        assert_eq!(failure.status(), super::super::failure::USAGE);
        let words = failure.to_string();
        assert!(words.contains("`cii-emea`") && words.contains("`cii-webhook`"), "{words}");
    }

    #[rstest]
    #[case(3, 0, DONE)]
    #[case(0, 0, DONE)]
    #[case(3, 1, MIXED)]
    #[case(0, 1, FAILED)]
    fn the_status_says_whether_anything_was_refused(
        #[case] taken: u64,
        #[case] refused: u64,
        #[case] expected: u8,
    ) {
        assert_eq!(status(taken, refused), expected);
    }

    #[test]
    fn many_refusals_are_counted_and_the_first_told() {
        let refuse = async |out: &mut Output<'_>| {
            let mut refusals = Refusals::default();
            for line in 1..=REFUSALS_TOLD + 2 {
                refusals.tell(&Refusal { line, why: "no\u{1b}".to_owned() }, out).unwrap();
            }
            refusals.told(out).unwrap();
        };
        let ((), text) = printed(Form::Text, refuse);
        let lines: Vec<&str> = text.errors.lines().collect();
        assert_eq!(lines[0], "note: line 1 is refused: no<U+001B>");
        assert_eq!(lines.last(), Some(&"note: 2 more are refused: `--json` tells all"));
        let ((), json) = printed(Form::Json, refuse);
        assert_eq!(json.out.lines().count() as u64, REFUSALS_TOLD + 2);
        assert!(json.out.starts_with("{\"line\":1,\"refused\":\"no\\u001b\"}\n"), "{}", json.out);
    }
}
