//! `init`: writes the commented configuration.

use super::failure::{DONE, Failure};
use super::output::Output;
use crate::config::template::TEMPLATE;
use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Writes the template where nothing is yet; the file and its folder are for their owner only.
///
/// # Errors
/// If there is a file already, or it cannot be written.
pub(super) fn run(path: &Path, out: &mut Output<'_>) -> Result<u8, Failure> {
    write(path).map_err(|error| failure(path, &error))?;
    if out.is_json() {
        out.json(&serde_json::json!({ "config": path.display().to_string() }))?;
    } else {
        out.text(&format!(
            "wrote `{}`: uncomment what you have, then run `idtriage doctor`",
            path.display()
        ))?;
    }
    Ok(DONE)
}

fn write(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(TEMPLATE.as_bytes())?;
    file.sync_all()
}

fn failure(path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Failure::usage(format!("`{path}` is there already\nhint: say another with `--config PATH`"))
        }
        _ => Failure::failed(format!(
            "`{path}` cannot be written: {error}\nhint: say one in a folder that you may write with `--config PATH`"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::output::{Form, tests::printed};
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn writes_once_for_the_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/config.toml");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let (first, text) = printed(Form::Text, async |out| run(&path, out));
        assert_eq!((first.unwrap(), mode(&path), mode(path.parent().unwrap())), (DONE, 0o600, 0o700));
        assert!(text.out.contains("idtriage doctor"));
        let (second, _) = printed(Form::Text, async |out| run(&path, out));
        assert!(second.unwrap_err().to_string().contains("is there already"));
    }
}
