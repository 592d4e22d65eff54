//! The servers that are compared: one listener, and behind it somebody who keeps what comes.

use super::support::place::HOOK_SECRET;
use async_trait::async_trait;
use idtriage::config::meant::{Address, Listen, Proof, Reading, Source, Webhook};
use idtriage::ingest::{Ingest, decoder};
use idtriage::source::{Accept, Arrival, Listener, NotAccepted, SystemClock};
use idtriage::store::sqlite::SqliteStore;
use idtriage::store::{OpenOptions, Store};
use rusqlite::Connection;
use std::fs::File;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use tokio::runtime::Runtime;
use tokio::sync::{oneshot, watch};

/// As many as the store's writer commits together.
pub(crate) const GROUP: usize = 1_024;

/// A listener that is served until this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) listen: SocketAddr,
    _stop: watch::Sender<bool>,
}

impl Server {
    /// The same source, secret, limits and clock for everybody.
    pub(crate) fn start(runtime: &Runtime, accept: Arc<dyn Accept>) -> Server {
        let proof = Proof::Header { name: "x-api-client-token".into(), secret: HOOK_SECRET.into() };
        let source = Source::posted("cii", "cii-webhook", Webhook::new("/hooks/cii", proof));
        let listen = Listen { address: Address::Tcp((Ipv4Addr::LOCALHOST, 0).into()), tls: None };
        let binding = Listener::bind(&listen, std::slice::from_ref(&source), accept, Arc::new(SystemClock));
        let listener = runtime.block_on(binding).unwrap();
        let listen = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        runtime.spawn(listener.serve(stopped));
        Server { listen, _stop: stop }
    }

    /// Ours, as `collect` has it.
    pub(crate) fn ours(runtime: &Runtime, store: &Arc<SqliteStore>) -> Server {
        Server::start(runtime, Arc::new(Ingest::new(store.clone(), Arc::new(SystemClock))))
    }
}

pub(crate) fn open_store(folder: &Path) -> Arc<SqliteStore> {
    let file = folder.join("idtriage.db");
    SqliteStore::open(&file, decoder(Reading::default()), OpenOptions::default()).unwrap()
}

/// Ends a store's threads before its folder goes.
pub(crate) fn close_store(runtime: &Runtime, store: &Arc<SqliteStore>) {
    runtime.block_on(store.close()).unwrap();
}

/// Keeps nothing: what the listener alone costs.
#[derive(Debug)]
pub(crate) struct Nothing;

#[async_trait]
impl Accept for Nothing {
    async fn accept(&self, _: Vec<Arrival>) -> Result<(), NotAccepted> {
        Ok(())
    }
}

/// Puts raw elements on the disk, and returns when they are there.
pub(crate) trait Keep: Send + 'static {
    fn keep(&mut self, raws: &[Arc<str>]);
}

/// Somebody who waits until an element is kept.
type Waiting = (Arc<str>, oneshot::Sender<()>);

/// Hands elements to a thread that keeps up to so many of those that wait together.
#[derive(Debug)]
pub(crate) struct Queue(Sender<Waiting>);

impl Queue {
    pub(crate) fn of(most: usize, keep: impl Keep) -> Queue {
        let (sender, queue) = channel();
        thread::spawn(move || keep_all(&queue, most, keep));
        Queue(sender)
    }
}

fn keep_all(queue: &Receiver<Waiting>, most: usize, mut keep: impl Keep) {
    while let Ok(first) = queue.recv() {
        let more = queue.try_iter().take(most - 1);
        let (raws, replies): (Vec<_>, Vec<_>) = std::iter::once(first).chain(more).unzip();
        keep.keep(&raws);
        for reply in replies {
            let _ = reply.send(());
        }
    }
}

#[async_trait]
impl Accept for Queue {
    async fn accept(&self, arrivals: Vec<Arrival>) -> Result<(), NotAccepted> {
        for arrival in arrivals {
            let (reply, kept) = oneshot::channel();
            self.0.send((arrival.raw, reply)).unwrap();
            kept.await.unwrap();
        }
        Ok(())
    }
}

/// Appends lines to a file and flushes it to the disk.
#[derive(Debug)]
pub(crate) struct Appending(File);

impl Appending {
    pub(crate) fn to(file: &Path) -> Appending {
        Appending(File::options().create(true).append(true).open(file).unwrap())
    }
}

impl Keep for Appending {
    fn keep(&mut self, raws: &[Arc<str>]) {
        let mut lines = String::new();
        for raw in raws {
            lines.push_str(raw);
            lines.push('\n');
        }
        self.0.write_all(lines.as_bytes()).unwrap();
        self.0.sync_data().unwrap();
    }
}

/// A table like the inbox, by a connection tuned like the store's writer, with a commit for each call. It
/// only keeps what comes: reading it into events would be on top.
#[derive(Debug)]
pub(crate) struct Committing(Connection);

impl Committing {
    pub(crate) fn to(file: &Path) -> Committing {
        let db = Connection::open(file).unwrap();
        db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).unwrap();
        db.pragma_update(None, "synchronous", "FULL").unwrap();
        db.pragma_update_and_check(None, "journal_size_limit", 64 << 20, |_| Ok(())).unwrap();
        db.execute_batch(
            "CREATE TABLE inbox (id INTEGER PRIMARY KEY AUTOINCREMENT, raw TEXT NOT NULL) STRICT",
        )
        .unwrap();
        Committing(db)
    }
}

impl Keep for Committing {
    fn keep(&mut self, raws: &[Arc<str>]) {
        let tx = self.0.transaction().unwrap();
        for raw in raws {
            tx.prepare_cached("INSERT INTO inbox (raw) VALUES (?1)").unwrap().execute([&**raw]).unwrap();
        }
        tx.commit().unwrap();
    }
}
