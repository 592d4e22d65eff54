//! The program on a pseudo-terminal, its screen read as a terminal would show it.
//!
//! The program does not lead the terminal's session, a shell does: with its leader a terminal is hung
//! up and its modes are reset, and what the program left behind could not be seen any more.

use super::place::Place;
use super::wait;
use nix::fcntl::OFlag;
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::LocalFlags;
use nix::unistd::Pid;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Runs the program, then says how it ended and stays, so that the terminal can be looked at.
const SHELL: &str = r#"sh -c 'echo $$ > "$0"; exec "$@"' "$@"; echo "ended with $?"; read -r _"#;

/// How often a full terminal has to refuse more: the kernel moves what it holds a little later.
const REFUSALS: usize = 20;

/// Whether the terminal is read.
#[derive(Debug, Default)]
struct Reading {
    is_paused: AtomicBool,
    is_held: AtomicBool,
}

impl Reading {
    /// Comes back when the terminal is to be read.
    fn wait(&self) {
        while self.is_paused.load(Ordering::SeqCst) {
            self.is_held.store(true, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Holds a terminal full: nobody reads it until this is dropped.
pub(crate) struct Clogged(Arc<Reading>);

impl Drop for Clogged {
    fn drop(&mut self) {
        self.0.is_paused.store(false, Ordering::SeqCst);
    }
}

/// A terminal with the program on it.
pub(crate) struct Screen {
    terminal: Arc<Mutex<vt100::Parser>>,
    /// Every byte that the terminal got.
    bytes: Arc<Mutex<Vec<u8>>>,
    reading: Arc<Reading>,
    master: Box<dyn MasterPty + Send>,
    // Held, so that the terminal stays when the program has ended.
    _slave: Box<dyn SlavePty + Send>,
    keys: Box<dyn Write + Send>,
    shell: Box<dyn Child + Send + Sync>,
    pid_file: PathBuf,
}

impl Screen {
    /// Starts the program on a terminal of this size.
    pub(crate) fn start(place: &Place, words: &[&str], columns: u16, rows: u16) -> Screen {
        Screen::start_other(place, Path::new(env!("CARGO_BIN_EXE_idtriage")), words, (columns, rows))
    }

    /// Starts any program on a terminal of this size.
    pub(crate) fn start_other(
        place: &Place,
        program: &Path,
        words: &[&str],
        (columns, rows): (u16, u16),
    ) -> Screen {
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        let pid_file = place.path("screen.pid");
        let mut command = CommandBuilder::new("sh");
        command.args(["-c", SHELL, "sh"]);
        command.arg(&pid_file);
        command.arg(program);
        command.args(words);
        command.env_clear();
        place.environment().into_iter().for_each(|(name, value)| command.env(name, value));
        command.cwd(place.path(""));
        let shell = pair.slave.spawn_command(command).unwrap();
        let parser = vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 0);
        let terminal = Arc::new(Mutex::new(parser));
        let reading = Arc::<Reading>::default();
        let bytes = Arc::<Mutex<Vec<u8>>>::default();
        show(pair.master.try_clone_reader().unwrap(), terminal.clone(), bytes.clone(), reading.clone());
        let keys = pair.master.take_writer().unwrap();
        Screen { terminal, bytes, reading, master: pair.master, _slave: pair.slave, keys, shell, pid_file }
    }

    pub(crate) fn text(&self) -> String {
        self.terminal.lock().unwrap().screen().contents()
    }

    /// How often these bytes were written to it.
    pub(crate) fn times_written(&self, bytes: &[u8]) -> usize {
        self.bytes.lock().unwrap().windows(bytes.len()).filter(|window| *window == bytes).count()
    }

    pub(crate) fn rows(&self) -> Vec<String> {
        self.text().lines().map(str::to_owned).collect()
    }

    /// The rows that stand on a ground of their own, or reversed, as what is selected does.
    pub(crate) fn lit_rows(&self) -> Vec<String> {
        let parser = self.terminal.lock().unwrap();
        let screen = parser.screen();
        let is_lit = |row: &u16| {
            let cell = screen.cell(*row, 1);
            cell.is_some_and(|cell| cell.inverse() || cell.bgcolor() != vt100::Color::Default)
        };
        let (rows, columns) = screen.size();
        let lit = (0..rows.get()).filter(is_lit);
        lit.map(|row| screen.contents_between(row, 0, row, columns.get())).collect()
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits until the screen is as it should be.
    pub(crate) fn until(&self, what: &str, is_so: impl Fn(&str) -> bool) {
        wait::answer_or(what, || self.text(), || is_so(&self.text()).then_some(()));
    }

    pub(crate) fn shows(&self, words: &str) {
        self.until(&format!("`{words}` on the screen"), |text| text.contains(words));
    }

    pub(crate) fn shows_no(&self, words: &str) {
        self.until(&format!("no `{words}` on the screen"), |text| !text.contains(words));
    }

    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        let (y, x) = (rows.try_into().unwrap(), columns.try_into().unwrap());
        self.terminal.lock().unwrap().screen_mut().set_size(y, x);
        self.master.resize(size(columns, rows)).unwrap();
    }

    /// Forgets what is shown: what comes after is what the program draws anew.
    pub(crate) fn wipe(&self) {
        self.terminal.lock().unwrap().process(b"\x1b[2J");
    }

    /// The terminal as another process would open it, without waiting for what is written to it.
    pub(crate) fn opened(&self) -> File {
        let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        let mut options = File::options();
        options.read(true).write(true).custom_flags(flags.bits());
        options.open(self.master.tty_name().unwrap()).unwrap()
    }

    /// Reads the terminal no more and fills it, as a connection does that died half: whoever writes to it
    /// is held up.
    pub(crate) fn clog(&self) -> Clogged {
        self.reading.is_paused.store(true, Ordering::SeqCst);
        let clogged = Clogged(self.reading.clone());
        let mut terminal = self.opened();
        wait::until("nobody to read", || {
            // Its reader takes something once more before it sees that it should not; a full terminal has
            // that already.
            let _ = terminal.write(&[0]);
            self.reading.is_held.load(Ordering::SeqCst)
        });
        let mut refusals = 0;
        wait::until("a full terminal", || {
            // Where it has no room for much, it may still have some for little.
            while [1024, 1].iter().any(|size| terminal.write(&vec![0; *size]).is_ok()) {
                refusals = 0;
            }
            refusals += 1;
            refusals == REFUSALS
        });
        clogged
    }

    /// Whether the program is gone.
    pub(crate) fn has_ended(&self) -> bool {
        !Path::new(&format!("/proc/{}", self.pid())).exists()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).unwrap();
    }

    /// The letter of the process's state: `T` when it is stopped.
    pub(crate) fn state(&self) -> char {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        let (_, behind_name) = stat.rsplit_once(") ").unwrap();
        behind_name.chars().next().unwrap()
    }

    /// Whether the terminal is as a shell wants it: no alternate screen, a cursor, no bracketed paste,
    /// no mouse, lines and echo.
    pub(crate) fn is_given_back(&self) -> bool {
        let is_plain = {
            let parser = self.terminal.lock().unwrap();
            let screen = parser.screen();
            let has_mouse = screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None;
            !(screen.alternate_screen() || screen.hide_cursor() || screen.bracketed_paste() || has_mouse)
        };
        is_plain && self.is_cooked()
    }

    /// Whether the terminal is as the program wants it.
    pub(crate) fn is_taken(&self) -> bool {
        let parser = self.terminal.lock().unwrap();
        let screen = parser.screen();
        screen.alternate_screen() && screen.bracketed_paste() && !self.is_cooked()
    }

    /// Whether it takes lines and echoes them, whatever is on its screen.
    pub(crate) fn is_cooked(&self) -> bool {
        let modes = self.master.get_termios().unwrap().local_flags.bits();
        let cooked = (LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG).bits();
        modes & cooked == cooked
    }

    fn pid(&self) -> i32 {
        wait::answer("the program's process id", || {
            fs::read_to_string(&self.pid_file).ok().and_then(|text| text.trim().parse().ok())
        })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // The program first: the shell's end alone would leave it a moment to go on.
        if let Some(pid) = fs::read_to_string(&self.pid_file).ok().and_then(|text| text.trim().parse().ok()) {
            let ours = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            if ours.contains("idtriage") {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
        }
        let _ = self.shell.kill();
        let _ = self.shell.wait();
        // For whoever looks for secrets in everything that was written.
        let bytes = self.bytes.lock().unwrap();
        let shown = [&bytes[..], self.text().as_bytes()].concat();
        let file = self.pid_file.with_file_name(format!("screen-{}.bytes", bytes.len()));
        let _ = fs::write(file, shown);
    }
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn show(
    mut bytes: Box<dyn Read + Send>,
    terminal: Arc<Mutex<vt100::Parser>>,
    written: Arc<Mutex<Vec<u8>>>,
    reading: Arc<Reading>,
) {
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(read @ 1..) = bytes.read(&mut buffer) {
            reading.wait();
            written.lock().unwrap().extend_from_slice(&buffer[..read]);
            terminal.lock().unwrap().process(&buffer[..read]);
        }
    });
}
