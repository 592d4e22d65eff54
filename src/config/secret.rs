//! Reading secrets from where they are kept, once, before the terminal is taken.
//!
//! A secret is never in the configuration, so that the file can be shown and shared. What this room
//! reads it hands on as [`SecretString`], and no error repeats a byte of it: a command's output and a
//! file's content are secrets even when they are wrong.

use super::said;
use nix::fcntl::OFlag;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, Uid};
use secrecy::SecretString;
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Larger than any token or key.
const LIMIT: u64 = 64 * 1024;
const COMMAND_TIME: Duration = Duration::from_secs(10);

/// What is wrong with a file that another user can take back at any time.
const NO_FILE: &str = "is not a plain file";
const OTHERS_FILE: &str = "belongs to another user";

/// Why a secret was not had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Not exactly one place is named.
    #[error("has to name one place where the secret is kept")]
    NoPlace,
    /// The variable is not set, is empty or is not text.
    #[error("variable `{0}` of the environment is not set, is empty or is not text")]
    Env(String),
    /// The file cannot be read.
    #[error("secret file `{path}` cannot be read: {cause}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why, in the system's words.
        cause: String,
    },
    /// The file is not a secret: others own it or can read it.
    #[error("secret file `{path}` {why}")]
    NotSecret {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The command did not give one.
    #[error("secret command `{program}` {why}")]
    Command {
        /// Its first word; the arguments may be telling.
        program: String,
        /// What happened.
        why: String,
    },
    /// There was nothing, or too much, or not text.
    #[error("the secret from {from} {why}")]
    Content {
        /// Where it came from.
        from: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl SecretError {
    /// What mends it, where we know.
    pub fn hint(&self) -> Option<String> {
        match self {
            SecretError::NoPlace => Some("one of `env`, `file`, `command`".to_owned()),
            SecretError::Env(name) => Some(format!("export `{name}` before the start")),
            SecretError::NotSecret { path, why } if *why == OTHERS_FILE => {
                Some(format!("a copy that is yours alone: `install -m 600 {} …`", path.display()))
            }
            SecretError::NotSecret { why, .. } if *why == NO_FILE => {
                Some("put the secret into a file of its own, mode 0600".to_owned())
            }
            SecretError::NotSecret { path, .. } => Some(format!("`chmod 600 {}`", path.display())),
            SecretError::Command { .. } => {
                Some("run the command yourself, without standard input".to_owned())
            }
            SecretError::File { .. } => {
                Some("put the secret there, in a file that only you can read: mode 0600".to_owned())
            }
            SecretError::Content { .. } => None,
        }
    }
}

/// Reads secrets. Each command runs once, however often it is named.
#[derive(Debug)]
pub struct Reader {
    folder: PathBuf,
    hidden: BTreeSet<String>,
    ran: HashMap<Vec<String>, Result<SecretString, SecretError>>,
    patience: Duration,
}

impl Reader {
    /// A reader that resolves relative paths against `folder` and hides the variables `hidden` from the
    /// commands that it runs.
    pub fn new(folder: &Path, hidden: BTreeSet<String>) -> Reader {
        Reader { folder: folder.to_owned(), hidden, ran: HashMap::new(), patience: COMMAND_TIME }
    }

    /// The secret.
    ///
    /// # Errors
    /// [`SecretError`], which never repeats what was read.
    pub fn read(&mut self, place: &said::Secret) -> Result<SecretString, SecretError> {
        match (&place.env, &place.file, &place.command) {
            (Some(name), None, None) => from_env(name),
            (None, Some(path), None) => read_file(&self.folder.join(path)),
            (None, None, Some(argv)) => self.command_output(argv),
            _ => Err(SecretError::NoPlace),
        }
    }

    fn command_output(&mut self, argv: &[String]) -> Result<SecretString, SecretError> {
        if let Some(known) = self.ran.get(argv) {
            return known.clone();
        }
        let secret = run(argv, &self.folder, &self.hidden, self.patience);
        self.ran.insert(argv.to_vec(), secret.clone());
        secret
    }
}

fn from_env(name: &str) -> Result<SecretString, SecretError> {
    match std::env::var(name) {
        Ok(value) if !value.trim().is_empty() => Ok(value.into()),
        _ => Err(SecretError::Env(name.to_owned())),
    }
}

/// A secret's file, which has to be ours and closed to others.
///
/// The checks are made on the opened file, so that nobody swaps it in between; not blocking, so that a
/// pipe in its place cannot hold up the start.
///
/// # Errors
/// [`SecretError`], which never repeats what was read.
pub fn read_file(path: &Path) -> Result<SecretString, SecretError> {
    let failed = |cause: io::Error| SecretError::File { path: path.to_owned(), cause: cause.to_string() };
    let file =
        File::options().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path).map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    let wrong = |why: &'static str| Err(SecretError::NotSecret { path: path.to_owned(), why });
    if !meta.is_file() {
        return wrong(NO_FILE);
    }
    if meta.uid() != Uid::current().as_raw() {
        return wrong(OTHERS_FILE);
    }
    if meta.mode() & 0o077 != 0 {
        return wrong("can be read or written by others");
    }
    let bytes = read_capped(file).map_err(failed)?;
    checked(bytes, format!("file `{}`", path.display()))
}

fn read_capped(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LIMIT + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A secret ends where its last line ends: editors and `echo` add a line feed.
fn checked(bytes: Vec<u8>, from: String) -> Result<SecretString, SecretError> {
    let wrong = |why| Err(SecretError::Content { from: from.clone(), why });
    if bytes.len() as u64 > LIMIT {
        return wrong("is longer than 64 KiB");
    }
    match String::from_utf8(bytes) {
        Ok(text) if text.trim().is_empty() => wrong("is empty"),
        Ok(text) => Ok(text.trim_end_matches(['\r', '\n']).to_owned().into()),
        Err(_) => wrong("is not text"),
    }
}

fn run(
    argv: &[String],
    folder: &Path,
    hidden: &BTreeSet<String>,
    patience: Duration,
) -> Result<SecretString, SecretError> {
    let Some((program, arguments)) = argv.split_first() else { return Err(SecretError::NoPlace) };
    let failed = |why: String| SecretError::Command { program: program.clone(), why };
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    // A group of its own, so that what takes too long is ended with everything that it started.
    command.process_group(0);
    for name in hidden {
        command.env_remove(name);
    }
    let child = command.spawn().map_err(|cause| failed(format!("cannot be run: {cause}")))?;
    let (status, output) = wait(child, patience).map_err(failed)?;
    // Who is cut off at the limit mostly fails for it: the limit is the cause to name.
    if !status.success() && output.len() as u64 <= LIMIT {
        return Err(failed(format!("failed: {status}")));
    }
    checked(output, format!("command `{program}`"))
}

fn wait(mut child: Child, patience: Duration) -> Result<(ExitStatus, Vec<u8>), String> {
    let group = Pid::from_raw(child.id().cast_signed());
    let (done, ended) = mpsc::channel();
    std::thread::spawn(move || {
        let output = child.stdout.take().map_or_else(|| Ok(Vec::new()), read_capped);
        let ended = output.and_then(|output| Ok((child.wait()?, output)));
        // Nobody listens any more only after the time ran out.
        let _ = done.send(ended);
    });
    match ended.recv_timeout(patience) {
        Ok(ended) => ended.map_err(|cause| format!("failed: {cause}")),
        Err(_) => {
            // It may have ended just now; then there is no group to kill, and that is as good.
            let _ = killpg(group, Signal::SIGKILL);
            Err(format!("did not end within {} s", patience.as_secs()))
        }
    }
}

/// The variables that secrets are kept in: they are removed from every child process.
pub fn variables<'a>(places: impl IntoIterator<Item = &'a said::Secret>) -> BTreeSet<String> {
    places.into_iter().filter_map(|place| place.env.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use secrecy::ExposeSecret;
    use std::os::unix::fs::PermissionsExt;

    fn reader(folder: &Path) -> Reader {
        Reader::new(folder, BTreeSet::from(["CARGO_MANIFEST_DIR".to_owned()]))
    }

    fn file(path: &str) -> said::Secret {
        said::Secret { file: Some(path.into()), ..Default::default() }
    }

    fn command(argv: &[&str]) -> said::Secret {
        let argv = argv.iter().map(|word| (*word).to_owned()).collect();
        said::Secret { command: Some(argv), ..Default::default() }
    }

    #[rstest]
    #[case(0o600, "s3cret\n", "")]
    #[case(0o400, "line one\nline two\n", "")]
    #[case(0o640, "s3cret", "can be read or written by others")]
    #[case(0o602, "s3cret", "can be read or written by others")]
    #[case(0o600, " \n", "is empty")]
    fn files_have_to_be_secret(#[case] mode: u32, #[case] content: &str, #[case] refused: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        match reader(folder.path()).read(&file("token")) {
            Ok(secret) => {
                assert_eq!((secret.expose_secret(), refused), (content.trim_end(), ""));
            }
            Err(error) => {
                let told = error.to_string();
                assert!(!refused.is_empty() && told.contains(refused), "{told}");
                assert!(!told.contains("s3cret"));
            }
        }
    }

    #[test]
    fn folders_and_missing_files_are_refused() {
        let place = tempfile::tempdir().unwrap();
        let mut reader = reader(place.path());
        let folder = reader.read(&file(".")).unwrap_err();
        assert!(folder.to_string().contains("is not a plain file"));
        assert!(!folder.hint().unwrap().contains("chmod"), "no mode makes a file of it");
        assert!(reader.read(&file("none")).unwrap_err().to_string().contains("cannot be read"));
    }

    #[test]
    fn commands_run_once_without_standard_input() {
        let folder = tempfile::tempdir().unwrap();
        let mut reader = reader(folder.path());
        let count = command(&["sh", "-c", "cat; echo x >> ran; echo s3cret"]);
        for _ in 0..2 {
            assert_eq!(reader.read(&count).unwrap().expose_secret(), "s3cret");
        }
        assert_eq!(std::fs::read_to_string(folder.path().join("ran")).unwrap(), "x\n");
    }

    #[test]
    fn commands_do_not_see_the_variables_of_other_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let seen = command(&["sh", "-c", "echo [$CARGO_MANIFEST_DIR]"]);
        assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
        assert_eq!(reader(folder.path()).read(&seen).unwrap().expose_secret(), "[]");
    }

    #[rstest]
    #[case(&["sh", "-c", "echo s3cret; echo s3cret >&2; exit 3"], "failed: exit status: 3")]
    #[case(&["sh", "-c", "true"], "is empty")]
    #[case(&["sh", "-c", "head -c 70000 /dev/zero"], "is longer than 64 KiB")]
    #[case(&["/nonexistent/program"], "cannot be run")]
    fn what_a_command_prints_is_never_repeated(#[case] argv: &[&str], #[case] refused: &str) {
        let folder = tempfile::tempdir().unwrap();
        let told = reader(folder.path()).read(&command(argv)).unwrap_err().to_string();
        assert!(told.contains(refused), "{told}");
        assert!(!told.contains("s3cret"));
    }

    #[test]
    fn what_takes_too_long_is_ended_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let mut reader = Reader { patience: Duration::from_millis(50), ..reader(folder.path()) };
        let told = reader.read(&command(&["sh", "-c", "sleep 600 & sleep 600"])).unwrap_err().to_string();
        assert!(told.contains("did not end within"), "{told}");
    }

    #[test]
    fn variables_are_collected_and_named_when_missing() {
        let place = said::Secret { env: Some("IDTRIAGE_TEST_NOT_SET".into()), ..Default::default() };
        assert_eq!(variables([&place]), BTreeSet::from(["IDTRIAGE_TEST_NOT_SET".to_owned()]));
        let error = reader(Path::new("/")).read(&place).unwrap_err();
        assert!(error.to_string().contains("`IDTRIAGE_TEST_NOT_SET`"));
        assert!(error.hint().unwrap().contains("export"));
    }
}
