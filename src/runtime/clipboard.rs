//! Handing a text to the analyst's clipboard, wherever that is.
//!
//! On a jump host the clipboard is on the other side of the terminal: OSC 52 asks the terminal to set
//! it. Stock tmux drops that sequence, but its own `load-buffer -w` passes it on. Whether the terminal
//! took it is never known, so nothing here ever says "copied": it says what was sent where.

use base64::Engine;
use std::process::Stdio;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// More than this is not sent: terminals cut it, and a cut link is worse than none.
const MOST: usize = 64 * 1024;
const BUFFER: &str = "idtriage";

/// What is to be written to the terminal, and what is said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handed {
    /// An escape sequence, if the way is the terminal.
    pub escape: Option<String>,
    /// What was sent where.
    pub said: String,
}

/// The way to the clipboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// OSC 52, to the terminal.
    Terminal,
    /// A tmux buffer.
    Tmux,
}

/// Which way it is here, from the environment.
pub fn way(variable: impl Fn(&str) -> Option<String>) -> Way {
    if variable("TMUX").is_some() { Way::Tmux } else { Way::Terminal }
}

/// Hands a text over. `shown` is the text as it may be printed.
///
/// # Errors
/// A sentence that says why not.
pub async fn hand(
    way: Way,
    text: &str,
    shown: &str,
    child: &super::child::Children,
) -> Result<Handed, String> {
    if text.len() > MOST {
        return Err(format!(
            "{} KiB are too much for a terminal's clipboard (at most 64)",
            text.len() / 1024
        ));
    }
    if way == Way::Tmux {
        tmux(text, child).await?;
        return Ok(Handed { escape: None, said: format!("sent to tmux for the clipboard: {shown}") });
    }
    let encoded = base64::engine::general_purpose::STANDARD.encode(text);
    let said = format!("sent to the terminal (OSC 52): {shown}");
    Ok(Handed { escape: Some(format!("\u{1b}]52;c;{encoded}\u{7}")), said })
}

async fn tmux(text: &str, child: &super::child::Children) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("tmux could not be asked: {error}");
    let mut command = child.command("tmux");
    command.args(["load-buffer", "-w", "-b", BUFFER, "-"]).stdin(Stdio::piped());
    let mut running = quiet(&mut command).spawn().map_err(failed)?;
    if let Some(mut input) = running.stdin.take() {
        input.write_all(text.as_bytes()).await.map_err(failed)?;
    }
    let status = running.wait().await.map_err(failed)?;
    let mut command = child.command("tmux");
    // The buffer has done its work; what was copied should not lie around in tmux.
    let _ = quiet(command.args(["delete-buffer", "-b", BUFFER]).stdin(Stdio::null())).status().await;
    if status.success() { Ok(()) } else { Err("tmux refused the text".to_owned()) }
}

fn quiet(command: &mut Command) -> &mut Command {
    command.stdout(Stdio::null()).stderr(Stdio::null())
}
