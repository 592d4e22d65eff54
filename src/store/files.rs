//! Whose files these are: folder 0700, files 0600, one uid, no network file system.
//!
//! The store holds names, raw events and what was done to whom. So its files are made with their final
//! mode *before* SQLite opens them (the `-wal` and `-shm` beside them take the same mode), and what is
//! already there is used only if it belongs to us and nobody else can read it. A network file system
//! is refused, since its locks do not hold what SQLite's log and the receiver's lock rely on.

use super::StoreError;
use nix::fcntl::OFlag;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const PRIVATE_FOLDER: u32 = 0o700;
const PRIVATE_FILE: u32 = 0o600;
const OTHERS: u32 = 0o077;
const OTHERS_WRITE: u32 = 0o022;
const STICKY: u32 = 0o1000;

/// Makes a folder for files that are thrown away with it: nobody else's, whatever the umask lets through.
///
/// # Errors
/// If there is no place for temporary files.
pub fn throw_away_folder(prefix: &str) -> io::Result<TempDir> {
    tempfile::Builder::new().prefix(prefix).permissions(Permissions::from_mode(PRIVATE_FOLDER)).tempdir()
}

/// Makes the folder and the file if they are missing and checks them, and what SQLite keeps beside the
/// file. Returns the path with its folder resolved.
///
/// # Errors
/// [`StoreError::Open`] with what is wrong and what mends it.
pub fn prepare(path: &Path) -> Result<PathBuf, StoreError> {
    let folder = folder_of(path)?;
    let name =
        path.file_name().ok_or_else(|| refused(path, "it names no file", "give the path of a file"))?;
    let path = folder.join(name);
    create(&path).map_err(|error| failed(&path, &error))?;
    for file in [path.clone(), beside(&path, "-wal"), beside(&path, "-shm")] {
        check_private(&file)?;
    }
    Ok(path)
}

/// Opens a file of ours for reading and writing, made with mode 0600 if it is missing. What is there
/// already has to be ours alone, and no link to elsewhere.
///
/// # Errors
/// [`StoreError::Open`] with what is wrong and what mends it.
pub(super) fn open_private(path: &Path) -> Result<File, StoreError> {
    open_ours(OpenOptions::new().write(true).create(true).truncate(false).mode(PRIVATE_FILE), path)
}

/// Opens a file of ours for reading, under the same conditions.
///
/// # Errors
/// [`StoreError::Open`], also if there is none.
pub(super) fn read_private(path: &Path) -> Result<File, StoreError> {
    open_ours(&mut OpenOptions::new(), path)
}

/// The opened file is checked, not its path: nobody can put another there in between. A pipe in its
/// place must not hold up the opening.
fn open_ours(options: &mut OpenOptions, path: &Path) -> Result<File, StoreError> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let opened = options.read(true).custom_flags(flags.bits()).open(path);
    let file = opened.map_err(|error| not_opened(path, &error))?;
    let meta = file.metadata().map_err(|error| failed(path, &error))?;
    check_ours(path, &meta)?;
    Ok(file)
}

fn not_opened(path: &Path, error: &io::Error) -> StoreError {
    let is_link = fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink());
    if is_link { refused(path, "it is a symbolic link", "remove the link") } else { failed(path, error) }
}

/// The path of a file that stands beside the store: `<store><suffix>`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The sizes of some files, together; a missing one is empty.
pub(super) fn bytes(paths: &[PathBuf]) -> u64 {
    paths.iter().filter_map(|path| fs::metadata(path).ok()).map(|meta| meta.len()).sum()
}

/// The bytes that can still be written where a file is; `None` where the system does not say.
pub fn room(path: &Path) -> Option<u64> {
    let room = nix::sys::statvfs::statvfs(path.parent()?).ok()?;
    Some(room.blocks_available().saturating_mul(room.fragment_size()))
}

/// The size of each of some files that are there, by name.
pub(super) fn sizes(paths: &[PathBuf]) -> Vec<(String, u64)> {
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let size = |path: &PathBuf| Some((name(path), fs::metadata(path).ok()?.len()));
    paths.iter().filter_map(size).collect()
}

fn folder_of(path: &Path) -> Result<PathBuf, StoreError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let made = DirBuilder::new().recursive(true).mode(PRIVATE_FOLDER).create(folder);
    let folder = made.and_then(|()| folder.canonicalize()).map_err(|error| failed(path, &error))?;
    check_folder(&folder)?;
    Ok(folder)
}

fn check_folder(folder: &Path) -> Result<(), StoreError> {
    let meta = fs::metadata(folder).map_err(|error| failed(folder, &error))?;
    if meta.mode() & OTHERS_WRITE != 0 && meta.mode() & STICKY == 0 {
        let hint = format!("`chmod go-w '{}'`, or another folder", folder.display());
        return Err(refused(folder, "others can write its folder", &hint));
    }
    match network_file_system(folder) {
        Some(kind) => Err(refused(
            folder,
            &format!("it is on a network file system ({kind})"),
            "a SQLite store needs a local disk: `--store sqlite:/path/on/this/host.db`",
        )),
        None => Ok(()),
    }
}

fn create(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(PRIVATE_FILE).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn check_private(path: &Path) -> Result<(), StoreError> {
    let meta = match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        meta => meta.map_err(|error| failed(path, &error))?,
    };
    check_ours(path, &meta)
}

fn check_ours(path: &Path, meta: &Metadata) -> Result<(), StoreError> {
    let me = nix::unistd::geteuid().as_raw();
    if !meta.is_file() {
        return Err(refused(path, "it is not a regular file", "give the path of a file"));
    }
    if meta.uid() != me {
        let why = format!("it belongs to uid {}, and this is uid {me}", meta.uid());
        return Err(refused(path, &why, "a SQLite store belongs to one uid: use one of your own"));
    }
    if meta.mode() & OTHERS != 0 {
        let hint = format!("`chmod 600 '{}'`", path.display());
        return Err(refused(path, "others can read or write it", &hint));
    }
    Ok(())
}

fn refused(path: &Path, why: &str, hint: &str) -> StoreError {
    StoreError::Open { path: path.display().to_string(), why: why.to_owned(), hint: hint.to_owned() }
}

fn failed(path: &Path, error: &io::Error) -> StoreError {
    refused(path, &error.to_string(), "check that the folder exists and that you may write it")
}

/// The kind of network file system that a folder is on.
#[cfg(target_os = "linux")]
fn network_file_system(folder: &Path) -> Option<String> {
    use nix::sys::statfs::{FUSE_SUPER_MAGIC, NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, statfs};
    const CIFS: u32 = 0xFF53_4D42;
    const SMB2: u32 = 0xFE53_4D42;

    let kind = statfs(folder).ok()?.filesystem_type();
    match kind {
        NFS_SUPER_MAGIC => Some("nfs".to_owned()),
        SMB_SUPER_MAGIC => Some("smb".to_owned()),
        FUSE_SUPER_MAGIC => remote_fuse(folder, &fs::read_to_string("/proc/self/mountinfo").ok()?),
        // The magic is 32 bits wide; the type that holds it differs between machines.
        kind if [CIFS, SMB2].contains(&(kind.0 as u32)) => Some("cifs".to_owned()),
        _ => None,
    }
}

/// Only Linux says it by a number; elsewhere the locks are trusted.
#[cfg(not(target_os = "linux"))]
fn network_file_system(_: &Path) -> Option<String> {
    None
}

/// FUSE is one magic for local and remote ones: the mount table tells `fuse.sshfs` from the others.
#[cfg(target_os = "linux")]
fn remote_fuse(folder: &Path, mounts: &str) -> Option<String> {
    const REMOTE: [&str; 5] = ["fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.glusterfs", "fuse.ceph-fuse"];
    let mounted = |line: &str| {
        let (mount, rest) = line.split_once(" - ")?;
        let point = mount.split(' ').nth(4)?;
        let kind = rest.split(' ').next()?;
        folder.starts_with(point).then(|| (point.len(), kind.to_owned()))
    };
    let (_, kind) = mounts.lines().filter_map(mounted).max_by_key(|(length, _)| *length)?;
    REMOTE.contains(&kind.as_str()).then_some(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn makes_a_private_folder_and_a_private_file() {
        let room = throw_away_folder("store-").unwrap();
        let path = prepare(&room.path().join("state/idtriage/store.db")).unwrap();
        assert_eq!((mode(path.parent().unwrap()), mode(&path)), (0o700, 0o600));
        assert_eq!(prepare(&path).unwrap(), path, "what is there is used");
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let room = throw_away_folder("store-").unwrap();
        let path = room.path().join("store.db");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let error = prepare(&path).unwrap_err().to_string();
        assert!(error.contains("others can read or write it\nhint: `chmod 600"), "{error}");
    }

    #[test]
    fn a_log_that_others_can_read_is_refused_too() {
        let room = throw_away_folder("store-").unwrap();
        let path = prepare(&room.path().join("store.db")).unwrap();
        fs::write(beside(&path, "-wal"), "").unwrap();
        fs::set_permissions(beside(&path, "-wal"), Permissions::from_mode(0o644)).unwrap();
        assert!(prepare(&path).is_err());
    }

    #[test]
    fn a_folder_that_others_can_write_is_refused() {
        let room = throw_away_folder("store-").unwrap();
        fs::set_permissions(room.path(), Permissions::from_mode(0o777)).unwrap();
        let error = prepare(&room.path().join("store.db")).unwrap_err().to_string();
        assert!(error.contains("others can write its folder"), "{error}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_mount_table_tells_remote_fuse_from_local() {
        let mounts = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
                      90 22 0:50 / /mnt/far rw shared:1 - fuse.sshfs ann@far: rw\n\
                      91 22 0:51 / /mnt/near rw - fuse.gocryptfs near rw";
        let remote = |folder: &str| remote_fuse(Path::new(folder), mounts);
        assert_eq!(remote("/mnt/far/state").as_deref(), Some("fuse.sshfs"));
        assert_eq!(remote("/mnt/near"), None);
        assert_eq!(remote("/home/ann"), None);
    }
}
