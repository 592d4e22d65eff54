//! Whether the listener could listen as configured.

use super::{Checked, Verdict};
use crate::cli::failure::Failure;
use crate::config::Loaded;
use crate::config::meant::{Address, Config, Listen};
use crate::domain::counted::numbered;
use crate::domain::source::{SourceHealth, SourceState, SourcesReport};
use crate::domain::time::date;
use crate::source::ListenError;
use crate::source::tls::Tls;
use crate::source::unix::{self, Standing};
use jiff::Timestamp;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

const NAME: &str = "listener";
const STRANGER: &str = "end what listens there, or choose another `[listen] address`";
const ANOTHER: &str = "fine if another `idtriage` receives; else choose another `[listen] address`";

/// Whoever of ours receives.
pub(super) struct Holder {
    name: String,
    /// Why none of the sources that the listener serves is well, by their own report.
    failed: Option<String>,
}

impl Holder {
    /// By the name and the report of whoever receives.
    pub(super) fn of(name: &str, report: Option<&SourcesReport>, config: &Config) -> Holder {
        let is_served = |source: &&SourceHealth| {
            config.sources.iter().any(|known| known.name == source.name && known.webhook().is_some())
        };
        let served = report.iter().flat_map(|report| &report.sources).filter(is_served);
        let why = served.map(|source| match &source.state {
            SourceState::Failed { why } => Some(why.clone()),
            _ => None,
        });
        let failed: Option<Vec<String>> = why.collect();
        Holder { name: name.to_owned(), failed: failed.and_then(|why| why.into_iter().next()) }
    }
}

/// Address, certificate and key. Whoever receives holds the address.
pub(super) fn checked(loaded: &Loaded, holder: Option<&Holder>, now: Timestamp) -> Checked {
    let sources = loaded.config.sources.len();
    if sources == 0 {
        return Checked::new(NAME, Verdict::Note, "no source is configured: nothing will arrive")
            .hinted("a `[[source]]` in the configuration");
    }
    let listen = &loaded.config.listen;
    match secured(listen, now) {
        Ok(tls) => with_tls(address(listen, sources, holder), tls),
        Err(error) => failed(error),
    }
}

/// The certificate and its key, where the listener ends TLS.
struct Certificate {
    told: String,
    verdict: Verdict,
}

/// What is to be said of certificate and key: `Err` if they cannot be used at all.
fn secured(listen: &Listen, now: Timestamp) -> Result<Option<Certificate>, ListenError> {
    let Some(files) = &listen.tls else { return Ok(None) };
    let tls = Tls::load(files, now)?;
    let until = tls.ends().map(|ends| format!("TLS until {}", date(ends)));
    let (told, verdict) = match tls.warning(now) {
        None => (until.unwrap_or_else(|| "TLS".to_owned()), Verdict::Good),
        Some(warning) if tls.is_good(now) => (warning, Verdict::Note),
        // No sender takes it: nothing comes in, whoever has the address.
        Some(warning) => (warning, Verdict::Bad),
    };
    Ok(Some(Certificate { told, verdict }))
}

fn with_tls(checked: Checked, certificate: Option<Certificate>) -> Checked {
    let Some(certificate) = certificate else { return checked };
    let checked = Checked { told: format!("{}; {}", checked.told, certificate.told), ..checked };
    if certificate.verdict == Verdict::Good {
        return checked;
    }
    let hint = "renew the certificate: the listener takes the new files by itself";
    Checked { verdict: certificate.verdict, ..checked }.hinted(hint)
}

fn address(listen: &Listen, sources: usize, holder: Option<&Holder>) -> Checked {
    let address = &listen.address;
    let sources = numbered(sources, "source");
    let free = || Checked::new(NAME, Verdict::Good, format!("`{address}` is free, for {sources}"));
    match address {
        Address::Tcp(wanted) => of_port(*wanted, holder).unwrap_or_else(free),
        Address::Unix(path) => of_socket(path, holder).unwrap_or_else(free),
    }
}

fn of_port(address: SocketAddr, holder: Option<&Holder>) -> Option<Checked> {
    let error = TcpListener::bind(address).err()?;
    if let Some(holder) = holder.filter(|_| error.kind() == ErrorKind::AddrInUse) {
        return Some(in_use(format_args!("`{address}`"), holder));
    }
    let told = format!("`{address}` cannot be had: {error}");
    Some(Checked::new(NAME, Verdict::Note, told).hinted(ANOTHER))
}

/// Somebody listens there, and somebody of ours receives.
fn in_use(address: std::fmt::Arguments<'_>, holder: &Holder) -> Checked {
    let Holder { name, failed } = holder;
    match failed {
        None => Checked::new(NAME, Verdict::Good, format!("{address} is in use, and {name} receives")),
        // Somebody else has it: whoever of ours receives says that it cannot be had.
        Some(why) => {
            let told = format!("{address} is in use, and not by {name}, which receives: {why}");
            Checked::new(NAME, Verdict::Bad, told).hinted(STRANGER)
        }
    }
}

fn of_socket(path: &Path, holder: Option<&Holder>) -> Option<Checked> {
    match unix::examine(path) {
        Ok(Standing::Free) => None,
        Ok(Standing::Stale) => {
            let told = format!("`unix:{}` was left behind, and will be replaced", path.display());
            Some(Checked::new(NAME, Verdict::Good, told))
        }
        Ok(Standing::Taken) => {
            if let Some(holder) = holder {
                return Some(in_use(format_args!("`unix:{}`", path.display()), holder));
            }
            let told = format!("`unix:{}` cannot be had: another program listens there", path.display());
            Some(Checked::new(NAME, Verdict::Note, told).hinted(ANOTHER))
        }
        Err(error) => Some(failed(error)),
    }
}

fn failed(error: ListenError) -> Checked {
    Checked::failed(NAME, &Failure::failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_in_use_is_fine_where_somebody_of_ours_receives() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = Listen { address: Address::Tcp(taken.local_addr().unwrap()), tls: None };
        let holder = |failed: Option<&str>| Holder {
            name: "collect (pid 7 on jump)".to_owned(),
            failed: failed.map(str::to_owned),
        };
        let collect = address(&listen, 2, Some(&holder(None)));
        assert_eq!((collect.verdict, collect.hint), (Verdict::Good, None));
        assert!(
            collect.told.ends_with("is in use, and collect (pid 7 on jump) receives"),
            "{}",
            collect.told
        );
        let stranger = address(&listen, 2, Some(&holder(Some("address taken"))));
        assert_eq!((stranger.verdict, stranger.hint.as_deref()), (Verdict::Bad, Some(STRANGER)));
        assert!(stranger.told.ends_with("which receives: address taken"), "{}", stranger.told);
        let stranger = address(&listen, 2, None);
        assert_eq!((stranger.verdict, stranger.hint.as_deref()), (Verdict::Note, Some(ANOTHER)));
        drop(taken);
        assert!(address(&listen, 2, None).told.ends_with("is free, for 2 sources"));
    }
}
