//! The file of a Unix socket: nobody else's from the first moment on, and gone with the listener.
//!
//! Three steps make it. `bind` makes the file, with whatever mode the umask leaves; `chmod` makes it
//! 0600; and only then `listen` lets anybody connect: before it, a connect is refused by the kernel
//! whatever the mode. So there is no moment in which another user gets in, and the process's umask,
//! which all its threads share, is left alone. What others could do is to put a socket of their own in
//! its place, so a folder that they can write is refused.
//!
//! A process that was killed leaves the file behind, and nobody answers there. Looking whether anybody
//! does, removing the file and binding anew is done under a lock on the folder: otherwise two processes
//! that start at once could each take the other's new socket for such a leftover.

use super::listener::ListenError;
use crate::config::meant::Address;
use std::fs::{self, File, Metadata, Permissions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use tokio::net::{UnixListener, UnixSocket};

const MODE: u32 = 0o600;
const OTHERS_WRITE: u32 = 0o022;
const STICKY: u32 = 0o1000;
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// What stands where a socket is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Free,
    /// A socket that nobody answers at any more.
    Stale,
    /// A socket that somebody answers at.
    Taken,
}

/// The file of a socket that is listened on; removed when dropped.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    /// Device and number: another file in its place is not ours to remove.
    id: (u64, u64),
}

/// Listens on a socket that only this user can connect to.
///
/// # Errors
/// If somebody answers there, if the folder or what stands there is not ours, or if the system refuses.
pub(super) fn listen(path: &Path) -> Result<(UnixListener, SocketFile), ListenError> {
    let folder = checked_folder(path)?;
    match folder.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(ListenError::AddressTaken(address(path))),
        Err(TryLockError::Error(error)) => return Err(failed(path, error)),
    }
    match standing(path)? {
        Standing::Taken => return Err(ListenError::AddressTaken(address(path))),
        Standing::Stale => fs::remove_file(path).map_err(|error| failed(path, error))?,
        Standing::Free => {}
    }
    bind(path).map_err(|error| failed(path, error))
}

fn bind(path: &Path) -> io::Result<(UnixListener, SocketFile)> {
    let socket = UnixSocket::new_stream()?;
    socket.bind(path)?;
    // From here on the file is there, and goes whatever comes.
    let file = SocketFile { path: path.to_owned(), id: id(&fs::symlink_metadata(path)?) };
    fs::set_permissions(path, Permissions::from_mode(MODE))?;
    Ok((socket.listen(BACKLOG)?, file))
}

/// What stands where a socket is to be, and whether it could be made there.
///
/// # Errors
/// If the folder can be written by others or is missing, or if what stands there is no socket of ours.
pub fn examine(path: &Path) -> Result<Standing, ListenError> {
    checked_folder(path)?;
    standing(path)
}

fn standing(path: &Path) -> Result<Standing, ListenError> {
    let meta = match fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Standing::Free),
        Err(error) => return Err(failed(path, error)),
    };
    if !meta.file_type().is_socket() {
        return Err(refused(path, "what stands there is no socket", "remove it, or set another `address`"));
    }
    match UnixStream::connect(path) {
        Ok(_) => Ok(Standing::Taken),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(Standing::Stale),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Standing::Free),
        Err(error) => Err(failed(path, error)),
    }
}

/// The folder, opened, if nobody else can put anything into our file's place there.
fn checked_folder(path: &Path) -> Result<File, ListenError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let opened = File::open(folder).map_err(|error| failed(path, error))?;
    let meta = opened.metadata().map_err(|error| failed(path, error))?;
    let is_ours = [0, nix::unistd::Uid::effective().as_raw()].contains(&meta.uid());
    let is_shared = meta.mode() & OTHERS_WRITE != 0 && meta.mode() & STICKY == 0;
    if is_shared || !is_ours {
        let hint = "a folder of yours that only you can write: `unix:/run/user/UID/idtriage.sock`";
        return Err(refused(path, "others can write its folder", hint));
    }
    Ok(opened)
}

fn id(meta: &Metadata) -> (u64, u64) {
    (meta.dev(), meta.ino())
}

fn address(path: &Path) -> Address {
    Address::Unix(path.to_owned())
}

fn failed(path: &Path, error: io::Error) -> ListenError {
    match error.kind() {
        ErrorKind::AddrInUse => ListenError::AddressTaken(address(path)),
        _ => ListenError::Bind { addr: address(path), error },
    }
}

fn refused(path: &Path, why: &'static str, hint: &'static str) -> ListenError {
    ListenError::Socket { path: path.to_owned(), why, hint }
}

impl Drop for SocketFile {
    /// Under the same lock as it was made: whoever sets up meanwhile takes it for the leftover that it is, and
    /// nothing of theirs is removed.
    fn drop(&mut self) {
        let Ok(folder) = checked_folder(&self.path) else { return };
        if folder.try_lock().is_ok()
            && fs::symlink_metadata(&self.path).is_ok_and(|meta| id(&meta) == self.id)
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(%error, path = %self.path.display(), "the socket's file cannot be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::os::unix::net::UnixListener as PlainListener;
    use tempfile::TempDir;

    fn folder(mode: u32) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
        folder
    }

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o777
    }

    #[tokio::test]
    async fn a_socket_is_ours_alone_and_goes_with_the_listener() {
        let folder = folder(0o755);
        let path = folder.path().join("s.sock");
        let (listener, file) = listen(&path).unwrap();
        assert_eq!((mode(&path), examine(&path).unwrap()), (MODE, Standing::Taken));
        assert!(matches!(listen(&path), Err(ListenError::AddressTaken(Address::Unix(_)))));
        drop((listener, file));
        assert_eq!(examine(&path).unwrap(), Standing::Free);
    }

    #[tokio::test]
    async fn what_a_killed_process_left_is_replaced() {
        let folder = folder(0o700);
        let path = folder.path().join("s.sock");
        drop(PlainListener::bind(&path).unwrap());
        assert_eq!(examine(&path).unwrap(), Standing::Stale);
        let _listening = listen(&path).unwrap();
        assert_eq!(examine(&path).unwrap(), Standing::Taken);
    }

    #[tokio::test]
    async fn another_file_in_its_place_is_not_removed() {
        let folder = folder(0o700);
        let path = folder.path().join("s.sock");
        let listening = listen(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, "mine").unwrap();
        drop(listening);
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
        let told = listen(&path).unwrap_err().to_string();
        assert!(told.contains("is no socket") && told.contains("\nhint: "), "{told}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }

    #[tokio::test]
    async fn who_sets_up_at_the_same_time_is_not_taken_for_a_leftover() {
        let folder = folder(0o700);
        let path = folder.path().join("s.sock");
        drop(PlainListener::bind(&path).unwrap());
        let other = File::open(folder.path()).unwrap();
        other.lock().unwrap();
        assert!(matches!(listen(&path), Err(ListenError::AddressTaken(_))));
        assert!(path.exists());
        other.unlock().unwrap();
        listen(&path).unwrap();
    }

    #[rstest]
    #[case(0o777, "others can write its folder")]
    #[case(0o770, "others can write its folder")]
    #[case(0o1777, "")]
    #[case(0o700, "")]
    #[tokio::test]
    async fn a_folder_that_others_can_write_is_refused(#[case] mode: u32, #[case] refused: &str) {
        let folder = folder(mode);
        let path = folder.path().join("s.sock");
        match listen(&path) {
            Ok(_) => assert_eq!(refused, ""),
            Err(error) => assert!(!refused.is_empty() && error.to_string().contains(refused), "{error}"),
        }
    }

    #[tokio::test]
    async fn a_missing_folder_and_a_name_that_is_too_long_are_told() {
        let folder = folder(0o700);
        for name in ["none/s.sock".to_owned(), "x".repeat(200)] {
            let error = listen(&folder.path().join(name)).unwrap_err();
            assert!(matches!(error, ListenError::Bind { .. }), "{error}");
        }
    }
}
