//! Who receives: one process a store, by an advisory lock on `<store>.receiver`.
//!
//! The kernel drops the lock with the process, however that ends, so that another can take over at
//! once. The file's text says who holds it; it is for people, the lock alone decides.

use super::StoreError;
use super::files::{beside, open_private, read_private};
use std::fmt;
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Longer than any text that we write: the file is not read further.
const LONGEST_TEXT: u64 = 512;

/// Who takes the lock, for the others to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The process.
    pub pid: u32,
    /// The host it runs on.
    pub host: String,
    /// What it is: `console` or `collect`.
    pub what: String,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (pid {} on {})", self.what, self.pid, self.host)
    }
}

/// The right to receive, held until it is dropped.
#[derive(Debug)]
pub struct ReceiverLock {
    file: File,
}

impl ReceiverLock {
    /// Takes the lock of the store at `path`, or `None` while another holds it.
    ///
    /// # Errors
    /// [`StoreError::Open`] if the lock's file cannot be opened or is not ours alone,
    /// [`StoreError::NotWritable`] if it cannot be locked or written.
    pub fn try_take(path: &Path, who: &Who) -> Result<Option<ReceiverLock>, StoreError> {
        let lock = lock_path(path);
        let failed =
            |error: std::io::Error| StoreError::NotWritable(format!("`{}`: {error}", lock.display()));
        let mut file = open_private(&lock)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        sign(&mut file, who).map_err(failed)?;
        Ok(Some(ReceiverLock { file }))
    }
}

impl Drop for ReceiverLock {
    fn drop(&mut self) {
        // Closing the file gives the lock back; an old text must not be taken for a holder's.
        let _ = self.file.set_len(0);
    }
}

/// Who receives for the store at `path`, if anybody does.
pub fn holder(path: &Path) -> Option<String> {
    let mut file = read_private(&lock_path(path)).ok()?;
    // Shared, so that two who only look do not see each other.
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => read_text(&mut file),
        _ => None,
    }
}

/// Who receives for the store of a URL, if anybody does.
pub fn of(url: &str) -> Option<String> {
    holder(Path::new(super::sqlite_path(url).ok()?))
}

fn lock_path(path: &Path) -> PathBuf {
    beside(path, ".receiver")
}

fn sign(file: &mut File, who: &Who) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    write!(file, "{who}")
}

fn read_text(file: &mut File) -> Option<String> {
    let mut text = String::new();
    file.take(LONGEST_TEXT).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn who(what: &str) -> Who {
        Who { pid: 7, host: "jump".into(), what: what.into() }
    }

    #[test]
    fn one_holds_it_and_the_others_see_who() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("store.db");
        assert_eq!(holder(&path), None);
        let held = ReceiverLock::try_take(&path, &who("collect")).unwrap();
        assert!(held.is_some());
        assert!(ReceiverLock::try_take(&path, &who("console")).unwrap().is_none());
        assert_eq!(holder(&path).as_deref(), Some("collect (pid 7 on jump)"));
        drop(held);
        assert_eq!(holder(&path), None);
        assert!(ReceiverLock::try_take(&path, &who("console")).unwrap().is_some());
    }

    #[test]
    fn a_link_and_a_file_of_others_are_refused() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("store.db");
        let victim = room.path().join("victim");
        fs::write(&victim, "precious").unwrap();
        symlink(&victim, lock_path(&path)).unwrap();
        let error = ReceiverLock::try_take(&path, &who("collect")).unwrap_err().to_string();
        assert!(error.contains("it is a symbolic link"), "{error}");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
        fs::remove_file(lock_path(&path)).unwrap();
        fs::write(lock_path(&path), "").unwrap();
        fs::set_permissions(lock_path(&path), Permissions::from_mode(0o666)).unwrap();
        let error = ReceiverLock::try_take(&path, &who("collect")).unwrap_err().to_string();
        assert!(error.contains("others can read or write it\nhint: `chmod 600"), "{error}");
    }
}
