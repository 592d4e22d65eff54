//! The one writer: a thread that commits everything queued in one transaction.
//!
//! A commit costs a flush to the disk, whatever is in it. So the writer takes all jobs that are queued,
//! gives each a savepoint, commits once and answers all of them: the more callers there are, the fewer
//! flushes each one waits for. Between two groups it expands a slice of the inbox, so an append never
//! waits for more than a slice; and the more writes wait, the shorter it is for what it expands, since
//! a sender that gets no answer gives up, and what is acknowledged loses nothing by being shown a little
//! later. When nothing is queued it looks for other processes' commits.
//!
//! Every transaction is `BEGIN IMMEDIATE`: what is read in it cannot be changed by another process
//! before it is written.

use super::connect::Files;
use super::expand::{Expander, Left};
use super::failure::{is_of_the_machine, not_writable, not_writable_words};
use super::inbox;
use super::job::{Job, Task, Worked};
use super::pace::Pace;
use super::savepoint::{savepoint, whole};
use super::watch::Watcher;
use crate::store::{Access, Expansion, StoreError};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError};
use std::time::{Duration, Instant};
use tokio::sync::{RwLock, oneshot};

/// Jobs in one transaction: enough that flushes do not limit, few enough that the first is not kept.
const GROUP: usize = 1_024;
/// Among many who write the queue is empty for a moment behind each commit: until they write again a slice would only
/// keep them waiting. Longer than an answer takes to become the next request, and nothing to whoever watches.
const BREATH: Duration = Duration::from_millis(1);
/// After a slice failed for the machine's sake.
const RETRY: Duration = Duration::from_secs(1);
/// How many looks an inbox row may stand still before we take over from whoever left it.
const STILL: u32 = 4;

/// What whoever would write is told where nothing may be written.
const FROZEN: &str = "the store was opened for reading only";
/// What is told where the inbox is left to others.
const LEFT: &str = "what arrives is left to a process that knows the configuration";

/// What the writer is asked.
enum Message {
    Job(Box<dyn Job>),
    Drained(oneshot::Sender<Result<(), StoreError>>),
    Close(oneshot::Sender<()>),
}

/// Hands writes to the writer. When it is dropped, the writer ends.
#[derive(Debug)]
pub(super) struct WriterHandle {
    messages: Sender<Message>,
    transactions: Arc<AtomicU64>,
}

impl WriterHandle {
    /// Queues a write and waits until it is on the disk.
    pub(super) async fn write<T, E>(
        &self,
        work: impl FnOnce(&Connection) -> Worked<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.queued(work, false).await
    }

    /// The same for one element that goes into the inbox by one statement.
    pub(super) async fn append(
        &self,
        work: impl FnOnce(&Connection) -> Worked<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        self.queued(work, true).await
    }

    async fn queued<T, E>(
        &self,
        work: impl FnOnce(&Connection) -> Worked<T, E> + Send + 'static,
        is_append: bool,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let task = Task::new(work, is_append, reply);
        self.messages.send(Message::Job(Box::new(task))).map_err(|_| StoreError::Closed)?;
        answer.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    /// Waits until everything that is in the inbox now is expanded.
    pub(super) async fn drained(&self) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.messages.send(Message::Drained(reply)).map_err(|_| StoreError::Closed)?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Stops the writer after what is queued. Stopping twice is fine.
    pub(super) async fn close(&self) {
        let (reply, answer) = oneshot::channel();
        if self.messages.send(Message::Close(reply)).is_ok() {
            let _ = answer.await;
        }
    }

    /// How many transactions were committed.
    pub(super) fn transactions(&self) -> u64 {
        self.transactions.load(Ordering::Relaxed)
    }
}

/// What the writer is made of.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) files: Files,
    pub(super) db: Connection,
    pub(super) expander: Expander,
    pub(super) watcher: Watcher,
    /// Wakes the writer of the free text.
    pub(super) search: SyncSender<()>,
    /// What each transaction passes.
    pub(super) gate: Arc<RwLock<()>>,
    pub(super) poll: Duration,
    pub(super) expansion: Expansion,
}

/// Starts the writer's thread.
pub(super) fn start(parts: Parts) -> std::io::Result<WriterHandle> {
    let (messages, queue) = mpsc::channel();
    let transactions = Arc::new(AtomicU64::new(0));
    // What a crash left is expanded first.
    let has_work = parts.expansion == Expansion::Expands;
    let writer = Writer {
        parts,
        queue,
        transactions: transactions.clone(),
        waiting: Vec::new(),
        has_work,
        pace: Pace::default(),
        not_before: None,
        still: (None, 0),
        is_crowded: false,
    };
    std::thread::Builder::new().name("store-writer".to_owned()).spawn(move || writer.run())?;
    Ok(WriterHandle { messages, transactions })
}

/// Somebody who waits until the inbox is expanded up to a place.
type Waiter = (i64, oneshot::Sender<Result<(), StoreError>>);

struct Writer {
    parts: Parts,
    queue: Receiver<Message>,
    transactions: Arc<AtomicU64>,
    waiting: Vec<Waiter>,
    /// Whether the inbox may hold something to expand.
    has_work: bool,
    pace: Pace,
    /// No slice before this: the last one failed.
    not_before: Option<Instant>,
    /// The inbox's oldest row at the last looks, and how often it was the same.
    still: (Option<(i64, i64)>, u32),
    /// Whether several wrote in the last turn.
    is_crowded: bool,
}

/// What came out of the queue at once.
#[derive(Default)]
struct Gathered {
    jobs: Vec<Box<dyn Job>>,
    drained: Vec<oneshot::Sender<Result<(), StoreError>>>,
    close: Option<oneshot::Sender<()>>,
    is_over: bool,
}

impl Writer {
    fn run(mut self) {
        loop {
            let gathered = self.gather();
            self.is_crowded = gathered.jobs.len() > 1;
            let most = self.turn(gathered.jobs.len());
            self.commit(gathered.jobs);
            self.wait_for_drain(gathered.drained);
            if gathered.is_over {
                return self.end(gathered.close);
            }
            self.expand(most);
            self.answer_drained();
            self.look_around();
        }
    }

    /// Everything that is queued; waits for the first message only if there is nothing else to do.
    fn gather(&self) -> Gathered {
        let mut gathered = Gathered::default();
        if let Some(longest) = self.patience() {
            match self.queue.recv_timeout(longest) {
                Ok(message) => gathered.add(message),
                Err(RecvTimeoutError::Timeout) => return gathered,
                Err(RecvTimeoutError::Disconnected) => gathered.is_over = true,
            }
        }
        while !gathered.is_over && gathered.jobs.len() < GROUP {
            match self.queue.try_recv() {
                Ok(message) => gathered.add(message),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => gathered.is_over = true,
            }
        }
        gathered
    }

    /// How long it is waited for a first message, if it is.
    fn patience(&self) -> Option<Duration> {
        match self.may_expand() {
            false => Some(self.parts.poll),
            true => (self.is_crowded && self.waiting.is_empty()).then_some(BREATH),
        }
    }

    fn is_frozen(&self) -> bool {
        self.parts.files.access == Access::Read
    }

    fn expands(&self) -> bool {
        self.parts.expansion == Expansion::Expands
    }

    /// The inbox may hold something to expand.
    fn look_for_work(&mut self) {
        self.has_work = self.expands();
    }

    fn may_expand(&self) -> bool {
        self.has_work && self.not_before.is_none_or(|at| Instant::now() >= at)
    }

    /// Commits a group and answers each of its callers.
    fn commit(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        if jobs.is_empty() {
            return;
        }
        if self.is_frozen() {
            jobs.into_iter().for_each(|job| job.answer(&self.parts.files, Err(FROZEN)));
            return;
        }
        let done = in_transaction(&mut self.parts.db, &self.parts.gate, |db| {
            jobs.iter_mut().try_for_each(|job| match job.is_append() {
                true => whole(db, job.run(db)),
                false => savepoint(db, || job.run(db)),
            })
        });
        // A full disk takes the whole transaction, savepoints too: the work's own error is the cause.
        let cause = |error: rusqlite::Error| {
            let mut failures = jobs.iter().filter_map(|job| job.failure());
            let own = failures.find(|failure| is_of_the_machine(failure));
            not_writable_words(&self.parts.files.store, own.unwrap_or(&error))
        };
        let committed = done.map_err(cause);
        let is_seen = jobs.iter().any(|job| !job.is_append());
        for job in jobs {
            job.answer(&self.parts.files, committed.as_ref().copied().map_err(String::as_str));
        }
        if committed.is_ok() {
            self.look_for_work();
            self.transactions.fetch_add(1, Ordering::Relaxed);
            if is_seen || !self.expands() {
                self.tell();
            }
        }
    }

    /// How much may be expanded behind so many writes. Somebody who waits for just that goes first.
    fn turn(&mut self, writes: usize) -> usize {
        let most = self.pace.after(writes, Instant::now());
        if self.waiting.is_empty() { most } else { usize::MAX }
    }

    /// Expands one slice, of up to so many elements.
    fn expand(&mut self, most: usize) {
        if most == 0 || !self.may_expand() {
            return;
        }
        let expander = &mut self.parts.expander;
        let was_empty = inbox::oldest(&self.parts.db).is_ok_and(|oldest| oldest.is_none());
        if was_empty {
            self.has_work = false;
            self.pace.is_through();
            return;
        }
        match in_transaction(&mut self.parts.db, &self.parts.gate, |db| expander.step(db, most)) {
            Ok(left) => {
                self.has_work = left == Left::More;
                self.not_before = None;
                self.transactions.fetch_add(1, Ordering::Relaxed);
                self.tell();
            }
            Err(error) => self.slice_failed(&error),
        }
    }

    fn slice_failed(&mut self, error: &rusqlite::Error) {
        self.parts.expander.rolled_back();
        self.not_before = Some(Instant::now() + RETRY);
        let why = not_writable_words(&self.parts.files.store, error);
        tracing::warn!(%why, "the inbox could not be expanded");
        for (_, reply) in self.waiting.drain(..) {
            let _ = reply.send(Err(StoreError::NotWritable(why.clone())));
        }
    }

    /// After a commit that shows: tells who watches, wakes the free text.
    fn tell(&mut self) {
        self.parts.watcher.committed(&self.parts.db);
        let _ = self.parts.search.try_send(());
    }

    fn wait_for_drain(&mut self, replies: Vec<oneshot::Sender<Result<(), StoreError>>>) {
        if replies.is_empty() {
            return;
        }
        if !self.expands() {
            let why = if self.is_frozen() { FROZEN } else { LEFT };
            let refused = || Err(StoreError::NotWritable(why.to_owned()));
            replies.into_iter().for_each(|reply| drop(reply.send(refused())));
            return;
        }
        // Another process may have put something in.
        self.look_for_work();
        match inbox::newest(&self.parts.db) {
            Ok(newest) => {
                let place = newest.unwrap_or_default();
                self.waiting.extend(replies.into_iter().map(|reply| (place, reply)));
            }
            Err(error) => {
                for reply in replies {
                    let _ = reply.send(Err(not_writable(&self.parts.files.store, &error)));
                }
            }
        }
    }

    fn answer_drained(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let Ok(oldest) = inbox::oldest(&self.parts.db) else { return };
        let is_done = |place: i64| oldest.is_none_or(|(oldest, _)| oldest > place);
        let (done, waiting) = self.waiting.drain(..).partition(|(place, _)| is_done(*place));
        self.waiting = waiting;
        let done: Vec<Waiter> = done;
        for (_, reply) in done {
            let _ = reply.send(Ok(()));
        }
    }

    /// Looks for other processes' commits, and for rows that one of them left in the inbox.
    fn look_around(&mut self) {
        if !self.parts.watcher.is_due(self.parts.poll) {
            return;
        }
        if self.parts.watcher.look(&self.parts.db) {
            let _ = self.parts.search.try_send(());
        }
        let oldest = inbox::oldest(&self.parts.db).unwrap_or_default();
        let times = if oldest.is_some() && oldest == self.still.0 { self.still.1 + 1 } else { 0 };
        self.still = (oldest, times);
        self.has_work |= times >= STILL && self.expands();
    }

    fn end(self, close: Option<oneshot::Sender<()>>) {
        // The file is closed before whoever closes it is told.
        drop(self.parts);
        for (_, reply) in self.waiting {
            let _ = reply.send(Err(StoreError::Closed));
        }
        if let Some(reply) = close {
            let _ = reply.send(());
        }
    }
}

impl Gathered {
    fn add(&mut self, message: Message) {
        match message {
            Message::Job(job) => self.jobs.push(job),
            Message::Drained(reply) => self.drained.push(reply),
            Message::Close(reply) => {
                self.close = Some(reply);
                self.is_over = true;
            }
        }
    }
}

fn in_transaction<T>(
    db: &mut Connection,
    gate: &RwLock<()>,
    work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let _passed = gate.blocking_read();
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = work(&tx)?;
    tx.commit()?;
    Ok(done)
}
