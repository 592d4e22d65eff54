//! Writes records of the System Log, or the users of a run on many, to a file that nobody else can read.

use crate::app::log::LogForm;
use crate::domain::bulk::{BulkRun, BulkUser};
use crate::domain::bulk_export;
use crate::domain::counted::numbered;
use crate::domain::log::{LogRecord, csv};
use crate::domain::untrusted::{escape_json, one_line};
use jiff::Timestamp;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why nothing is written without a home.
pub(super) const NO_HOME: &str = "there is no home directory to write to; hint: set `XDG_STATE_HOME`";

/// Files of one second, before somebody presses the key once more.
const MOST_OF_A_SECOND: u32 = 100;

/// What is written, and when.
#[derive(Debug)]
pub(super) struct Export {
    pub(super) form: LogForm,
    pub(super) records: Vec<Arc<str>>,
    pub(super) has_more: bool,
    pub(super) now: Timestamp,
}

impl Export {
    /// Writes to a new file of a folder, and says where.
    pub(super) fn write(&self, folder: &Path) -> Result<String, String> {
        let ending = ending(self.form);
        let written = new_file(folder, "okta-log", self.now, ending).and_then(|(path, file)| {
            self.fill(file)?;
            Ok(path)
        });
        let path = written.map_err(|error| {
            let folder = folder.display();
            format!("the records cannot be written to `{folder}`: {error}; hint: `idtriage okta logs --csv > FILE` writes elsewhere")
        })?;
        let more = if self.has_more { "; there may be more: `idtriage okta logs` writes all" } else { "" };
        Ok(format!("wrote {} to {}{more}", numbered(self.records.len(), "record"), path.display()))
    }

    fn fill(&self, file: File) -> io::Result<()> {
        let mut out = BufWriter::new(file);
        if self.form == LogForm::Csv {
            out.write_all(csv::heading().as_bytes())?;
        }
        for raw in &self.records {
            match self.form {
                LogForm::Csv => out.write_all(csv::row(&LogRecord::of(raw.clone())).as_bytes())?,
                LogForm::JsonLines => writeln!(out, "{}", escape_json(&one_line(raw)))?,
            }
        }
        out.into_inner()?.sync_all()
    }
}

/// Writes users of a run on many to a new file of a folder, and says where: as CSV, or as JSON Lines of which the first
/// is the run.
pub(super) fn bulk(
    run: &BulkRun,
    users: &[BulkUser],
    form: LogForm,
    now: Timestamp,
    folder: &Path,
) -> Result<String, String> {
    let fill = |(path, file): (PathBuf, File)| {
        let mut out = BufWriter::new(file);
        match form {
            LogForm::Csv => {
                out.write_all(bulk_export::csv_heading().as_bytes())?;
                for user in users {
                    out.write_all(bulk_export::csv_row(run, user).as_bytes())?;
                }
            }
            LogForm::JsonLines => {
                let run_line = bulk_export::run_json(run, now);
                let lines = users.iter().map(|user| bulk_export::user_json(run.id, user));
                for line in std::iter::once(run_line).chain(lines) {
                    writeln!(out, "{}", escape_json(&line.to_string()))?;
                }
            }
        }
        out.into_inner()?.sync_all()?;
        Ok(path)
    };
    let written = new_file(folder, "bulk", now, ending(form)).and_then(fill);
    let path = written.map_err(|error| {
        let (folder, id) = (folder.display(), run.id);
        format!("the run cannot be written to `{folder}`: {error}; hint: `idtriage bulk show {id} --json > FILE` writes elsewhere")
    })?;
    let noun = if users.len() == 1 { "user is" } else { "users are" };
    Ok(format!("{} {noun} in {}", users.len(), path.display()))
}

/// The ending of a file's name.
pub(super) fn ending(form: LogForm) -> &'static str {
    match form {
        LogForm::Csv => "csv",
        LogForm::JsonLines => "jsonl",
    }
}

/// A new file of a folder, named for what is in it and for now. What is there already is never written over.
pub(super) fn new_file(
    folder: &Path,
    what: &str,
    now: Timestamp,
    ending: &str,
) -> io::Result<(PathBuf, File)> {
    make_folder(folder)?;
    let at = now.strftime("%Y%m%dT%H%M%SZ");
    for n in 1..=MOST_OF_A_SECOND {
        let number = if n == 1 { String::new() } else { format!("-{n}") };
        let path = folder.join(format!("{what}-{at}{number}.{ending}"));
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            opened => return opened.map(|file| (path, file)),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn export(form: LogForm) -> Export {
        let records =
            ["{\n \"uuid\": \"1\", \"actor\": {\"alternateId\": \"=a\u{202e}\"}}", r#"{"uuid":"2"}"#];
        let now = "2026-05-01T12:00:00Z".parse().unwrap();
        Export { form, records: records.map(Into::into).to_vec(), has_more: false, now }
    }

    #[test]
    fn a_file_is_new_and_nobody_elses() {
        let room = tempfile::tempdir().unwrap();
        let folder = room.path().join("state/exports");
        let said = export(LogForm::Csv).write(&folder).unwrap();
        let path = folder.join("okta-log-20260501T120000Z.csv");
        assert_eq!(said, format!("wrote 2 records to {}", path.display()));
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&path)), (0o700, 0o600));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("published,eventType,") && text.contains("\"'=a<U+202E>\""), "{text}");
        assert!(export(LogForm::Csv).write(&folder).unwrap().ends_with("okta-log-20260501T120000Z-2.csv"));
    }

    #[test]
    fn json_lines_are_the_records_as_they_came_a_line_each() {
        let room = tempfile::tempdir().unwrap();
        let more = Export { has_more: true, ..export(LogForm::JsonLines) };
        let said = more.write(room.path()).unwrap();
        assert!(said.contains("; there may be more: `idtriage okta logs` writes all"), "{said}");
        let text = std::fs::read_to_string(room.path().join("okta-log-20260501T120000Z.jsonl")).unwrap();
        assert_eq!(text, "{\"uuid\":\"1\",\"actor\":{\"alternateId\":\"=a\\u202e\"}}\n{\"uuid\":\"2\"}\n");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_told_with_what_mends_it() {
        let room = tempfile::tempdir().unwrap();
        let blocked = room.path().join("file");
        std::fs::write(&blocked, "").unwrap();
        let error = export(LogForm::Csv).write(&blocked.join("exports")).unwrap_err();
        assert!(error.contains("cannot be written to") && error.contains("hint: "), "{error}");
    }
}
