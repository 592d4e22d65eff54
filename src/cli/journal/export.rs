//! `journal export`: every record that is asked for, oldest first, a line each.

use super::super::failure::{DONE, Failure};
use super::super::output::Output;
use super::super::{args, connect};
use super::asked;
use crate::domain::counted::numbered;
use crate::domain::journal::{Record, csv};
use crate::domain::untrusted::escape_json;
use crate::store::{From, Store};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Records held at once: an export is as long as the journal.
const AT_ONCE: usize = 1_000;

/// Writes them to standard output, or to a new file that nobody else can read.
///
/// # Errors
/// What cannot be read or written.
pub(super) async fn run(
    what: &args::JournalExport,
    store: &dyn Store,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let mut lines = match what.output.as_deref().filter(|path| *path != Path::new("-")) {
        None => Lines::Printed(out),
        Some(path) => Lines::File(BufWriter::new(new_file(path)?), path, out),
    };
    if what.csv {
        lines.write(&csv::heading())?;
    }
    let query = asked(&what.query)?.within(what.since, what.until);
    let (now, mut after, mut count) = (connect::now(), i64::MIN, 0_u64);
    loop {
        let page = store.journal_page(&query, now, From::After(after), AT_ONCE).await?;
        // A page is newest first.
        for record in page.rows.iter().rev() {
            lines.write(&line(record, what.csv))?;
            count += 1;
        }
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    lines.end(count)?;
    Ok(DONE)
}

fn line(record: &Record, is_csv: bool) -> String {
    if is_csv { csv::row(record) } else { format!("{}\n", escape_json(&record.to_json().to_string())) }
}

/// What is there already is never written over.
fn new_file(path: &Path) -> Result<File, Failure> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| broken(path, &error))
}

fn broken(path: &Path, error: &io::Error) -> Failure {
    let hint = match error.kind() {
        io::ErrorKind::AlreadyExists => "name a file that is not there yet",
        _ => "name another file with `--output`, or leave it out and redirect",
    };
    Failure::failed(format!("`{}` cannot be written: {error}\nhint: {hint}", path.display()))
}

/// Where the lines go.
enum Lines<'a, 'b> {
    Printed(&'a mut Output<'b>),
    File(BufWriter<File>, &'a Path, &'a mut Output<'b>),
}

impl Lines<'_, '_> {
    fn write(&mut self, lines: &str) -> Result<(), Failure> {
        match self {
            Lines::Printed(out) => Ok(out.lines(lines)?),
            Lines::File(file, path, _) => {
                file.write_all(lines.as_bytes()).map_err(|error| broken(path, &error))
            }
        }
    }

    fn end(self, count: u64) -> Result<(), Failure> {
        let Lines::File(file, path, out) = self else { return Ok(()) };
        let file = file.into_inner().map_err(io::IntoInnerError::into_error);
        file.and_then(|file| file.sync_all()).map_err(|error| broken(path, &error))?;
        Ok(out.note(&format!("wrote {} to {}", numbered(count, "record"), path.display()))?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::fake::FakeStore;
    use super::super::super::output::{Form, tests::printed};
    use super::*;
    use crate::domain::journal::RecordKind;
    use jiff::Timestamp;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    fn store(n: i64) -> FakeStore {
        let mut journal: Vec<Record> = Vec::new();
        for i in 1..=n {
            let content = format!(r#"{{"flow":"f{i}","login":"=ann","n":"\u202e"}}"#);
            let head = journal.last().map(Record::head);
            let at = Timestamp::from_second(i).unwrap();
            journal.push(Record::after(head.as_ref(), at, RecordKind::Intended, content));
        }
        FakeStore { journal, ..Default::default() }
    }

    fn wanted(query: &str) -> args::JournalExport {
        let query = query.split_whitespace().map(str::to_owned).collect();
        args::JournalExport { query, since: None, until: None, csv: false, output: None }
    }

    fn lines(what: &args::JournalExport, n: i64) -> (Vec<String>, String) {
        let (_, text) = printed(Form::Text, async |out| run(what, &store(n), out).await.unwrap());
        (text.out.lines().map(str::to_owned).collect(), text.errors)
    }

    #[test]
    fn every_page_is_written_oldest_first() {
        let (lines, errors) = lines(&wanted(""), 2_500);
        let seq = |line: &String| serde_json::from_str::<serde_json::Value>(line).unwrap()["seq"].clone();
        let seqs: Vec<_> = lines.iter().map(seq).collect();
        let expected: Vec<_> = (1..=2_500).map(|n| serde_json::Value::from(n.to_string())).collect();
        assert_eq!((seqs, errors), (expected, String::new()));
        assert!(lines[0].contains(r#""n":"\u202e""#), "{}", lines[0]);
    }

    #[test]
    fn a_span_and_a_filter_narrow_it() {
        let since = Some("1970-01-01T00:00:03Z".parse().map(crate::domain::log::Moment::At).unwrap());
        let until = Some("1970-01-01T00:00:06Z".parse().map(crate::domain::log::Moment::At).unwrap());
        let (all, _) = lines(&args::JournalExport { since, until, ..wanted("") }, 9);
        assert_eq!(all.len(), 3);
        let (one, _) = lines(&args::JournalExport { since, until, ..wanted("flow:f4") }, 9);
        assert_eq!(one.len(), 1);
    }

    #[test]
    fn csv_runs_nothing_in_a_spreadsheet() {
        let (lines, _) = lines(&args::JournalExport { csv: true, ..wanted("") }, 1);
        assert!(lines[0].starts_with("seq,at,kind,"), "{lines:?}");
        assert!(lines[1].starts_with("1,1970-01-01T00:00:01.000Z,intended,,\"'=ann\",f1,"), "{lines:?}");
    }

    #[test]
    fn a_file_is_new_and_nobody_elses() {
        let room = tempfile::tempdir().unwrap();
        let path: PathBuf = room.path().join("journal.jsonl");
        let what = args::JournalExport { output: Some(path.clone()), ..wanted("") };
        let (printed_lines, said) = lines(&what, 2);
        assert!(printed_lines.is_empty() && said.contains("wrote 2 records to"), "{said}");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 2);
        let (again, _) = printed(Form::Text, async |out| run(&what, &store(2), out).await);
        assert!(again.unwrap_err().to_string().contains("name a file that is not there yet"));
    }
}
