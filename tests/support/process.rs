//! The program as a process, its two streams in files.

use super::wait;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// How a command ended and what it printed.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None` if a signal ended it.
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) errors: String,
}

impl Ended {
    /// Standard output, every line of which has to be JSON.
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.out.lines().map(read).collect()
    }

    /// The same, if it ended with this status.
    #[track_caller]
    pub(crate) fn expect(self, status: i32) -> Ended {
        assert_eq!(self.status, Some(status), "{}\n{}", self.out, self.errors);
        self
    }
}

/// A running program; dropping it kills it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    out: PathBuf,
    errors: PathBuf,
}

impl Process {
    /// Starts a command with its streams in the files `NAME.out` and `NAME.err`.
    pub(crate) fn start(command: &mut Command, name: &Path) -> Process {
        let (out, errors) = (name.with_extension("out"), name.with_extension("err"));
        let stream = |path: &Path| Stdio::from(File::create(path).unwrap());
        let command = command.stdin(Stdio::null()).stdout(stream(&out)).stderr(stream(&errors));
        Process { child: command.spawn().unwrap(), out, errors }
    }

    /// The file that holds its standard output.
    pub(crate) fn out(&self) -> &Path {
        &self.out
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended yet.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap());
        kill(pid, signal).unwrap();
    }

    /// Ends it as a power cut would, and waits until it is gone.
    pub(crate) fn cut(&mut self) {
        self.signal(Signal::SIGKILL);
        self.child.wait().unwrap();
    }

    /// What stands on standard error so far.
    pub(crate) fn errors(&self) -> String {
        fs::read_to_string(&self.errors).unwrap()
    }

    /// Waits until standard error says this.
    pub(crate) fn says(&self, words: &str) {
        wait::answer_or(
            format!("`{words}`"),
            || self.errors(),
            || self.errors().contains(words).then_some(()),
        );
    }

    /// Waits for its end.
    pub(crate) fn ended(self) -> Ended {
        self.ended_by(None)
    }

    /// What became of it while it is told so again and again.
    pub(crate) fn ended_by(mut self, signal: impl Into<Option<Signal>>) -> Ended {
        let signal = signal.into();
        let status = wait::answer("the end of a process", || {
            if let Some(signal) = signal {
                self.signal(signal);
            }
            self.child.try_wait().unwrap()
        });
        let read = |path: &Path| String::from_utf8(fs::read(path).unwrap()).unwrap();
        Ended { status: status.code(), out: read(&self.out), errors: read(&self.errors) }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Mostly it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
