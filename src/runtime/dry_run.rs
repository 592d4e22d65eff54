//! Writes a dry run to a file that nobody else can read.

use super::export::new_file;
use crate::domain::FlowId;
use jiff::Timestamp;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes the lines of a dry run to a new file of a folder, and says where.
pub(super) fn write(
    folder: &Path,
    flow: &FlowId,
    lines: &[String],
    now: Timestamp,
) -> Result<String, String> {
    let written = new_file(folder, &format!("dry-run-{flow}"), now, "jsonl")
        .and_then(|(path, file)| fill(file, lines).map(|()| path));
    match written {
        Ok(path) => Ok(format!("the dry run is in {}", path.display())),
        Err(error) => {
            let folder = folder.display();
            Err(format!(
                "the dry run cannot be written to `{folder}`: {error}; hint: `idtriage run … --dry-run --json > FILE` writes elsewhere"
            ))
        }
    }
}

fn fill(file: File, lines: &[String]) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    for line in lines {
        writeln!(out, "{line}")?;
    }
    out.into_inner()?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_is_new_nobody_elses_and_holds_the_lines() {
        let room = tempfile::tempdir().unwrap();
        let folder = room.path().join("exports");
        let now = "2026-05-01T12:00:00Z".parse().unwrap();
        let said = write(&folder, &"okta-suspend".into(), &["{}".to_owned(), "[1]".to_owned()], now).unwrap();
        let path = folder.join("dry-run-okta-suspend-20260501T120000Z.jsonl");
        assert_eq!(said, format!("the dry run is in {}", path.display()));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{}\n[1]\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = write(&folder, &"okta-suspend".into(), &[], now).unwrap();
        assert!(again.ends_with("-2.jsonl"), "{again}");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_told_with_what_mends_it() {
        let room = tempfile::tempdir().unwrap();
        let blocked = room.path().join("file");
        std::fs::write(&blocked, "").unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let error = write(&blocked.join("exports"), &"x".into(), &[], now).unwrap_err();
        assert!(error.contains("cannot be written to") && error.contains("hint: "), "{error}");
    }
}
