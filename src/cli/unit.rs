//! `collect --print-unit`: a systemd *user* unit that receives while nobody sits there.
//!
//! The command line in it is this one: the program where it really is, with `--config`, `--store` and
//! `--log` as they were given. systemd has rules of its own for quoting (systemd.syntax(7),
//! systemd.service(5)): a backslash and a quote are escaped, `%` begins a specifier and `$` a variable,
//! except for the variable in the program's own path.

use super::args::Global;
use super::failure::{DONE, Failure};
use super::output::Output;
use super::session::Session;
use std::path::{Path, PathBuf};

/// What stands around the command line. The hardening is what works for a user's manager without any
/// privilege; `MemoryDenyWriteExecute` is left out, since a password manager that a secret's `command`
/// runs may need it.
const BEFORE: &str = r#"# A systemd user unit: idtriage receives and stores while no console is open.
#
#   mkdir -p ~/.config/systemd/user
#   idtriage collect --print-unit > ~/.config/systemd/user/idtriage.service
#   systemctl --user daemon-reload
#   systemctl --user enable --now idtriage.service
#   loginctl enable-linger           # so that it also runs while you are not logged in
#
#   systemctl --user status idtriage        # how it is, in a line
#   journalctl --user -u idtriage           # what it said
#
# Variables that your shell sets are not there. Where the configuration takes a secret from one
# (`{ env = "NAME" }`), use `{ file = … }` instead, or an EnvironmentFile= of mode 0600.

[Unit]
Description=idtriage: receives identity events

[Service]
Type=notify
NotifyAccess=main
"#;
const AFTER: &str = "
# A new version may have to bring a large store to its form first: killed, it would begin anew for ever.
TimeoutStartSec=infinity
# The program says that it is alive as long as its store answers.
WatchdogSec=60
Restart=on-failure
RestartSec=5
# A wrong configuration is not mended by another start.
RestartPreventExitStatus=2
# Requests in flight are answered and pages are committed before it ends.
TimeoutStopSec=30
UMask=0077
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=default.target
";

/// Prints the unit.
///
/// # Errors
/// If the program does not know where it is, or a path cannot stand in a unit.
pub(super) fn run(session: &Session<'_>, global: &Global, out: &mut Output<'_>) -> Result<u8, Failure> {
    session.may_change("receiving")?;
    let program = std::env::current_exe()
        .map_err(|cause| Failure::failed(format!("where this program is cannot be found out: {cause}")))?;
    let unit = unit(&program, &arguments(session, global)?)?;
    if out.is_json() {
        out.json(&serde_json::json!({ "unit": unit }))?;
    } else {
        out.text(unit.trim_end())?;
    }
    Ok(DONE)
}

/// The flags as they were given, independent of the folder that the service runs in.
fn arguments(session: &Session<'_>, global: &Global) -> Result<Vec<String>, Failure> {
    let mut arguments = Vec::new();
    for (flag, path) in [("--config", &global.config), ("--log", &global.log)] {
        if let Some(path) = path {
            arguments.extend([flag.to_owned(), text(&absolute(path)?)?]);
        }
    }
    if let Some(url) = session.said_store()? {
        arguments.extend(["--store".to_owned(), url]);
    }
    arguments.push("collect".to_owned());
    Ok(arguments)
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path)
        .map_err(|cause| Failure::failed(format!("`{}` is no path: {cause}", path.display())))
}

/// systemd reads units as UTF-8 and leaves out what is not.
fn text(path: &Path) -> Result<String, Failure> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| Failure::failed(format!("`{}` is not UTF-8: a unit cannot name it", path.display())))
}

fn unit(program: &Path, arguments: &[String]) -> Result<String, Failure> {
    let words = arguments.iter().map(|argument| quoted(&argument.replace('$', "$$")));
    let line: Vec<String> = std::iter::once(quoted(&text(program)?)).chain(words).collect();
    Ok(format!("{BEFORE}ExecStart={}{AFTER}", line.join(" ")))
}

/// A word as it stands in a unit; quoted only where it has to be.
fn quoted(word: &str) -> String {
    let word = word.replace('%', "%%");
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+=:@%,~$".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word;
    }
    let escaped: String = word.chars().map(escaped).collect();
    format!("\"{escaped}\"")
}

fn escaped(c: char) -> String {
    match c {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        c if c.is_ascii_control() => format!("\\x{:02x}", u32::from(c)),
        c => c.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("/usr/bin/idtriage", "/usr/bin/idtriage")]
    #[case("/home/ann b/100%/x", "\"/home/ann b/100%%/x\"")]
    #[case("/opt/100%/x", "/opt/100%%/x")]
    #[case("/a\"b\\c;d'e", "\"/a\\\"b\\\\c;d'e\"")]
    #[case("/a\nb\tc", "\"/a\\x0ab\\x09c\"")]
    #[case("", "\"\"")]
    fn words_are_quoted_as_systemd_reads_them(#[case] word: &str, #[case] in_unit: &str) {
        assert_eq!(quoted(word), in_unit);
    }

    #[test]
    fn the_command_line_is_whole_and_a_dollar_is_only_escaped_where_it_would_be_a_variable() {
        let arguments = ["--config".to_owned(), "/c $HOME/config.toml".to_owned(), "collect".to_owned()];
        let unit = unit(Path::new("/opt/a$b/idtriage"), &arguments).unwrap();
        let line = "ExecStart=/opt/a$b/idtriage --config \"/c $$HOME/config.toml\" collect";
        assert!(unit.lines().any(|it| it == line), "{unit}");
        for setting in ["Type=notify", "WatchdogSec=60", "Restart=on-failure", "WantedBy=default.target"] {
            assert!(unit.lines().any(|line| line == setting), "{setting}\n{unit}");
        }
    }

    #[test]
    fn a_path_that_no_unit_can_name_is_refused() {
        use std::os::unix::ffi::OsStrExt as _;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"/opt/\xff/idtriage"));
        assert!(unit(path, &[]).unwrap_err().to_string().contains("is not UTF-8"));
    }
}
