//! The log: only where `--log` says, never to the terminal.

use super::failure::Failure;
use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Mutex;
use tracing_subscriber::EnvFilter;

/// The variable that says what is logged, in the form of tracing's filters.
const FILTER: &str = "IDTRIAGE_LOG";

/// Starts the log. It names users, so others may not read it.
///
/// # Errors
/// If the file cannot be written or others can read it.
pub(super) fn start(path: &Path) -> Result<(), Failure> {
    let file = open(path).map_err(|cause| {
        Failure::usage(format!(
            "the log `{}` cannot be written: {cause}\nhint: say another `--log`",
            path.display()
        ))
    })?;
    let filter = EnvFilter::try_from_env(FILTER).unwrap_or_else(|_| EnvFilter::new("info"));
    let log =
        tracing_subscriber::fmt().with_writer(Mutex::new(file)).with_ansi(false).with_env_filter(filter);
    // A second start in one process, as in tests, keeps the first log.
    let _ = log.try_init();
    Ok(())
}

fn open(path: &Path) -> io::Result<File> {
    let file = File::options().append(true).create(true).mode(0o600).open(path)?;
    let meta = file.metadata()?;
    if meta.is_file() && meta.mode() & 0o077 != 0 {
        return Err(io::Error::other("others can read it"));
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_log_is_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let made = open(&path).unwrap();
        assert_eq!(made.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(open(&path).unwrap_err().to_string().contains("others can read it"));
    }
}
