//! The embedded store: one SQLite file, one writer, readers that cannot write, free text beside it.
//!
//! What is decided where:
//!
//! | file | decides |
//! |---|---|
//! | `connect`, `migrate` | how the files are opened and brought up to date |
//! | `writer`, `pace` | what is committed together, and when how much of the inbox is expanded |
//! | `inbox`, `expand`, `events`, `findings`, `tally` | how an element becomes an event and findings |
//! | `actions`, `undone`, `journal` | what is recorded before and after a request that acts |
//! | `bulks` | one flow on many people: who waits, who drives |
//! | `cursors`, `drops` | how far sources have read, and what rules left out |
//! | `retention` | what goes once it is old, and what the store holds |
//! | `read`, `query` | how lists are read without depending on how much is stored |
//! | `search` | the words of events |
//! | `watch` | how a screen learns of new arrivals |

mod actions;
mod bulks;
mod connect;
mod cursors;
mod drops;
mod events;
mod expand;
mod failure;
mod findings;
mod inbox;
mod job;
mod journal;
mod logins;
mod migrate;
mod pace;
mod query;
mod read;
mod retention;
mod rows;
mod savepoint;
mod search;
mod tally;
mod undone;
mod watch;
mod writer;

use self::connect::Files;
use self::expand::Expander;
use self::findings::Asked;
use self::query::scan::{Start, find};
use self::read::{Lane, Readers};
use self::watch::Watcher;
use self::writer::{Parts, WriterHandle};
use super::{
    ActionFilter, Basis, BulkStore, ChangeError, Counted, Cursor, Decode, Dropped, EventUser, FindingFilter,
    From, Held, Imported, InboxItem, IntendError, Kept, Lease, OpenOptions, Page, Pruned, Replaced, Sequence,
    Still, Store, StoreError, StoreHealth, StoreStatus, UserQuery, Users,
};
use crate::domain::action::{AnalystWord, Settlement};
use crate::domain::bulk::{BulkEnd, BulkId, BulkRun, BulkState, BulkUser, EndKind};
use crate::domain::event::EventDetail;
use crate::domain::finding::HistoryEntry;
use crate::domain::journal::query::JournalQuery;
use crate::domain::journal::{Head, Record, RecordKind};
use crate::domain::page::Listed;
use crate::domain::{
    Action, ActionId, Actor, Change, Event, EventId, Finding, FindingId, Login, Outcome, Query, Severity,
    SourcesReport,
};
use crate::store::{Access, Expansion, WordError};
use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use tokio::sync::RwLock;

/// Totals are counted up to here; a header says "1,000+" above it.
const COUNTED: usize = 1_000;

/// A store in a SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    files: Files,
    decode: Arc<dyn Decode>,
    /// How many users of a large event are expanded in one commit.
    slice: usize,
    writer: WriterHandle,
    /// What each transaction passes.
    gate: Arc<RwLock<()>>,
    readers: Readers,
    sequence: tokio::sync::watch::Receiver<Sequence>,
}

impl SqliteStore {
    /// Opens the store in a file, made if it is missing, and begins to expand what waits in it.
    ///
    /// # Errors
    /// [`StoreError::Open`] if the file cannot be used as it is: it is another program's, a newer
    /// version's, somebody else's, readable by others, or on a network file system.
    pub fn open(
        path: &Path,
        decode: Arc<dyn Decode>,
        options: OpenOptions,
    ) -> Result<Arc<SqliteStore>, StoreError> {
        let files = Files::prepare(path, &options)?;
        let db = files.writer()?;
        let (sender, sequence) = tokio::sync::watch::channel(Sequence::default());
        let sender = Arc::new(sender);
        let watcher =
            Watcher::new(&db, sender.clone()).map_err(|error| failure::not_readable(&files.store, &error))?;
        let (waker, wake) = sync_channel(1);
        let gate = Arc::<RwLock<()>>::default();
        if files.access == Access::Write {
            give_identity(&db).map_err(|error| failure::not_writable(&files.store, &error))?;
            let search = files.search_writer()?;
            search::start(&files, search, sender, (wake, gate.clone()))
                .map_err(|error| no_thread(&files, &error))?;
        }
        let expander = Expander::new(decode.clone(), options.slice);
        // Whoever may not write expands nothing either.
        let expansion = match options.access {
            Access::Read => Expansion::Leaves,
            Access::Write => options.expansion,
        };
        let parts = Parts {
            files: files.clone(),
            db,
            expander,
            watcher,
            search: waker,
            gate: gate.clone(),
            poll: options.poll,
            expansion,
        };
        let writer = writer::start(parts).map_err(|error| no_thread(&files, &error))?;
        let readers = Readers::new(files.clone());
        Ok(Arc::new(SqliteStore { files, decode, slice: options.slice, writer, gate, readers, sequence }))
    }

    /// How many transactions its writer has committed: a group of writes is one.
    pub fn transactions(&self) -> u64 {
        self.writer.transactions()
    }
}

#[cfg(test)]
impl SqliteStore {
    /// As on a disk that is full: the file grows no more.
    pub(crate) async fn fill_up(&self) {
        self.limit_pages(1).await;
    }

    /// As after somebody made room.
    pub(crate) async fn make_room(&self) {
        self.limit_pages(u32::MAX - 1).await;
    }

    /// SQLite holds a file to no fewer pages than it has.
    async fn limit_pages(&self, pages: u32) {
        let limited = self.writer.write(move |db| {
            db.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).map(Ok::<(), StoreError>)
        });
        limited.await.unwrap();
    }
}

/// The name that the free text remembers: the file of another store is told from its own. (A copy or an
/// older state of the same store has the same name: there the last event's id tells.)
fn give_identity(db: &Connection) -> rusqlite::Result<()> {
    if db.prepare("SELECT 1 FROM meta WHERE name = 'identity'")?.exists([])? {
        return Ok(());
    }
    let identity = uuid::Uuid::new_v4().to_string();
    db.execute("INSERT OR IGNORE INTO meta (name, value) VALUES ('identity', ?1)", [identity])?;
    Ok(())
}

fn no_thread(files: &Files, error: &std::io::Error) -> StoreError {
    StoreError::Open {
        path: files.store.display().to_string(),
        why: error.to_string(),
        hint: "try again, or use another file".to_owned(),
    }
}

/// Settings share a table with what the store keeps of itself.
fn setting_name(name: &str) -> String {
    format!("setting:{name}")
}

/// A query with words may take long; without, a page is short.
fn lane_of(query: &Query) -> Lane {
    if query::uses_words(query) { Lane::Long } else { Lane::Pages }
}

#[async_trait]
impl Store for SqliteStore {
    async fn append(&self, items: Vec<InboxItem>) -> Result<(), StoreError> {
        let is_one = items.len() == 1;
        let work = move |db: &Connection| inbox::append(db, &items).map(Ok);
        if is_one { self.writer.append(work).await } else { self.writer.write(work).await }
    }

    async fn advance(&self, items: Vec<InboxItem>, cursor: &Cursor) -> Result<(), StoreError> {
        let cursor = cursor.clone();
        let work = move |db: &Connection| {
            inbox::append(db, &items)?;
            cursors::set(db, &cursor).map(Ok)
        };
        self.writer.write(work).await
    }

    async fn cursor(&self, name: &str) -> Result<Option<String>, StoreError> {
        let name = name.to_owned();
        self.readers.read(Lane::Pages, move |db| cursors::value(db, &name)).await
    }

    async fn import(&self, items: Vec<InboxItem>) -> Result<Imported, StoreError> {
        let mut expander = Expander::new(self.decode.clone(), self.slice);
        self.writer.write(move |db| expander.import(db, items).map(Ok)).await
    }

    async fn report(&self, report: &SourcesReport) -> Result<(), StoreError> {
        let report = report.clone();
        self.writer.write(move |db| cursors::report(db, &report).map(Ok)).await
    }

    async fn reported(&self) -> Result<Option<SourcesReport>, StoreError> {
        self.readers.read(Lane::Pages, cursors::reported).await
    }

    async fn dropped(&self) -> Result<Vec<Dropped>, StoreError> {
        self.readers.read(Lane::Pages, drops::all).await
    }

    async fn executions(&self, ids: &[String]) -> Result<Vec<(String, Event)>, StoreError> {
        let ids = ids.to_vec();
        self.readers.read(Lane::Pages, move |db| events::of_executions(db, &ids)).await
    }

    async fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        let name = setting_name(name);
        self.readers.read(Lane::Pages, move |db| cursors::meta(db, &name)).await
    }

    async fn set_setting(
        &self,
        name: &str,
        value: &str,
        actor: &Actor,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let (name, value) = (name.to_owned(), value.to_owned());
        let content = serde_json::json!({ "setting": name, "value": value, "actor": actor });
        let work = move |db: &Connection| {
            cursors::set_meta(db, &setting_name(&name), &value)?;
            journal::append(db, at, RecordKind::Setting, &content).map(Ok)
        };
        self.writer.write(work).await
    }

    async fn replace_setting(
        &self,
        name: &str,
        seen: Option<&str>,
        value: &str,
        actor: &Actor,
        at: Timestamp,
    ) -> Result<Replaced, StoreError> {
        let content = serde_json::json!({ "setting": name, "value": value, "actor": actor });
        let (name, value, seen) = (setting_name(name), value.to_owned(), seen.map(str::to_owned));
        let work = move |db: &Connection| {
            if cursors::meta(db, &name)? != seen {
                return Ok(Ok(Replaced::Meanwhile));
            }
            cursors::set_meta(db, &name, &value)?;
            journal::append(db, at, RecordKind::Setting, &content).map(|()| Ok(Replaced::Done))
        };
        self.writer.write(work).await
    }

    async fn status(&self) -> Result<StoreStatus, StoreError> {
        let files = super::files::sizes(&self.files.all());
        self.readers.read(Lane::Long, move |db| retention::status(db, files)).await
    }

    async fn prune(&self, before: Timestamp, most: usize) -> Result<Pruned, StoreError> {
        // The writer does not see the free text's file: what that has followed is read before.
        let indexed = self.readers.read(Lane::Pages, search::erased).await?;
        self.writer.write(move |db| retention::prune(db, before, most, indexed).map(Ok)).await
    }

    async fn prunable(&self, before: Timestamp) -> Result<Pruned, StoreError> {
        self.readers.read(Lane::Long, move |db| retention::prunable(db, before)).await
    }

    async fn drained(&self) -> Result<(), StoreError> {
        self.writer.drained().await
    }

    fn watch(&self) -> tokio::sync::watch::Receiver<Sequence> {
        self.sequence.clone()
    }

    async fn events(
        &self,
        query: &Query,
        from: From<EventId>,
        limit: usize,
    ) -> Result<Page<Event>, StoreError> {
        let (lane, query) = (lane_of(query), query.clone());
        let start = Start::of(from, |id| id.0);
        let read = move |db: &Connection| {
            let found = find(db, &query::events::plan(db, &query)?, start, limit)?;
            page(found, EventId, |id| rows::event_by_id(db, id))
        };
        self.readers.read(lane, read).await
    }

    async fn count_events(&self, query: &Query, above: Option<EventId>) -> Result<Counted, StoreError> {
        let query = query.clone();
        let start = Start::of(above.map_or(From::Newest, From::After), |id: EventId| id.0);
        let read = move |db: &Connection| {
            let found = find(db, &query::events::plan(db, &query)?, start, COUNTED)?;
            let critical = found.hits.iter().filter(|hit| hit.severity == Severity::Critical).count();
            let (total, critical) = (found.hits.len() as u64, critical as u64);
            Ok(Counted { total, critical, is_capped: found.next.is_some() })
        };
        self.readers.read(Lane::Long, read).await
    }

    async fn event(&self, id: EventId) -> Result<Option<EventDetail>, StoreError> {
        self.readers.read(Lane::Pages, move |db| events::detail(db, id)).await
    }

    async fn event_users(
        &self,
        id: EventId,
        query: &UserQuery,
        from: From<usize>,
        limit: usize,
    ) -> Result<Page<EventUser>, StoreError> {
        // Without a filter a page is read by its key; with one, all the event's users may be looked at.
        let lane = if query.is_empty() { Lane::Pages } else { Lane::Long };
        let (plan, start) = (query::users::plan(id, query), Start::of_users(from));
        let read = move |db: &Connection| {
            let found = find(db, &plan, start, limit)?;
            page(found, rows::position, |at| events::user(db, id, rows::position(at)))
        };
        self.readers.read(lane, read).await
    }

    async fn findings(
        &self,
        filter: &FindingFilter,
        from: From<FindingId>,
        limit: usize,
    ) -> Result<Page<Finding>, StoreError> {
        let (lane, filter) = (lane_of(&filter.query), filter.clone());
        let start = Start::of(from, |id| id.0);
        let read = move |db: &Connection| {
            let found = find(db, &query::findings::plan(db, &filter)?, start, limit)?;
            page(found, FindingId, |id| rows::finding_by_id(db, id))
        };
        self.readers.read(lane, read).await
    }

    async fn logins_beside(&self, login: &Login, of_a_side: usize) -> Result<Vec<Login>, StoreError> {
        let login = login.clone();
        self.readers.read(Lane::Pages, move |db| logins::beside(db, &login, of_a_side)).await
    }

    async fn finding(&self, id: FindingId) -> Result<Option<Finding>, StoreError> {
        self.readers.read(Lane::Pages, move |db| rows::finding_by_id(db, id.0)).await
    }

    async fn history(&self, id: FindingId) -> Result<Vec<HistoryEntry>, StoreError> {
        self.readers.read(Lane::Pages, move |db| findings::history(db, id)).await
    }

    async fn change(
        &self,
        id: FindingId,
        seen: Option<u64>,
        change: &Change,
        actor: &Actor,
        at: Timestamp,
    ) -> Result<Finding, ChangeError> {
        let asked = Asked { id, seen, change: change.clone(), actor: actor.clone(), at };
        self.writer.write(move |db| findings::change(db, &asked)).await
    }

    async fn intend(&self, action: &Action, lease: &Lease, basis: &Basis) -> Result<(), IntendError> {
        let (action, lease) = (action.clone(), lease.clone());
        let basis = basis.clone();
        self.writer.write(move |db| actions::intend(db, &action, &lease, &basis)).await
    }

    async fn renew(&self, id: ActionId, lease: &Lease) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.writer.write(move |db| actions::renew(db, id, &lease)).await
    }

    async fn sending(&self, id: ActionId, lease: &Lease) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.writer.write(move |db| actions::sending(db, id, &lease)).await
    }

    async fn settle(
        &self,
        id: ActionId,
        settlement: &Settlement,
        at: Timestamp,
    ) -> Result<Action, StoreError> {
        let settlement = settlement.clone();
        self.writer.write(move |db| actions::settle(db, id, &settlement, at)).await
    }

    async fn give_word(
        &self,
        id: ActionId,
        word: &AnalystWord,
        seen: Option<&AnalystWord>,
    ) -> Result<Action, WordError> {
        let (word, seen) = (word.clone(), seen.cloned());
        self.writer.write(move |db| actions::give_word(db, id, &word, seen.as_ref())).await
    }

    async fn expire_leases(&self, now: Timestamp) -> Result<Vec<(ActionId, Outcome)>, StoreError> {
        self.writer.write(move |db| actions::expire(db, now).map(Ok)).await
    }

    async fn take_looks(&self, now: Timestamp, most: usize) -> Result<Vec<ActionId>, StoreError> {
        self.writer.write(move |db| actions::take_looks(db, now, most).map(Ok)).await
    }

    async fn action(&self, id: ActionId) -> Result<Option<Action>, StoreError> {
        self.readers.read(Lane::Pages, move |db| actions::by_id(db, id)).await
    }

    async fn actions(
        &self,
        filter: &ActionFilter,
        before: Option<ActionId>,
        limit: usize,
    ) -> Result<Page<Action>, StoreError> {
        let filter = filter.clone();
        self.readers.read(Lane::Pages, move |db| actions::page(db, &filter, before, limit)).await
    }

    async fn journal(&self, after: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        self.readers.read(Lane::Pages, move |db| journal::page(db, after, limit)).await
    }

    async fn journal_page(
        &self,
        query: &JournalQuery,
        now: Timestamp,
        from: From<i64>,
        limit: usize,
    ) -> Result<Page<Record>, StoreError> {
        // What has to be told record by record may look at thousands of them.
        let lane = if query.is_looked_up() { Lane::Pages } else { Lane::Long };
        let query = query.clone();
        self.readers.read(lane, move |db| journal::search(db, &query, now, from, limit)).await
    }

    async fn journal_unfound(&self) -> Result<Option<u64>, StoreError> {
        self.readers.read(Lane::Pages, journal::unfound).await
    }

    async fn journal_head(&self) -> Result<Option<Head>, StoreError> {
        self.readers.read(Lane::Pages, journal::head).await
    }

    async fn health(&self) -> Result<StoreHealth, StoreError> {
        let bytes = super::files::bytes(&self.files.all());
        self.readers.read(Lane::Pages, move |db| health(db, bytes)).await
    }

    async fn still(&self) -> Still {
        Still::holding(self.gate.clone().write_owned().await)
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.readers.close();
        self.writer.close().await;
        Ok(())
    }
}

#[async_trait]
impl BulkStore for SqliteStore {
    async fn queue(&self, run: &BulkRun, users: &[BulkUser]) -> Result<(), StoreError> {
        let (run, users) = (run.clone(), users.to_vec());
        self.writer.write(move |db| bulks::queue(db, &run, &users).map(Ok)).await
    }

    async fn hold(&self, id: BulkId, lease: &Lease, now: Timestamp) -> Result<Held, StoreError> {
        let lease = lease.clone();
        self.writer.write(move |db| bulks::hold(db, id, &lease, now).map(Ok)).await
    }

    async fn turn(
        &self,
        id: BulkId,
        to: BulkState,
        why: Option<&str>,
        actor: &Actor,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let (why, actor) = (why.map(str::to_owned), actor.clone());
        let work = move |db: &Connection| bulks::turn(db, id, (to, why.as_deref()), &actor, at).map(Ok);
        self.writer.write(work).await
    }

    async fn leave(
        &self,
        id: BulkId,
        owner: &str,
        (to, why): (BulkState, Option<&str>),
        actor: &Actor,
        at: Timestamp,
    ) -> Result<Held, StoreError> {
        let (owner, why, actor) = (owner.to_owned(), why.map(str::to_owned), actor.clone());
        let work =
            move |db: &Connection| bulks::leave(db, id, &owner, (to, why.as_deref()), &actor, at).map(Ok);
        self.writer.write(work).await
    }

    async fn held(&self, id: BulkId, owner: &str) -> Result<Held, StoreError> {
        let owner = owner.to_owned();
        self.readers.read(Lane::Pages, move |db| bulks::held(db, id, &owner)).await
    }

    async fn user_ended(
        &self,
        id: BulkId,
        position: u32,
        end: &BulkEnd,
        owner: &str,
    ) -> Result<Kept, StoreError> {
        let (end, owner) = (end.clone(), owner.to_owned());
        self.writer.write(move |db| bulks::user_ended(db, id, position, &end, &owner).map(Ok)).await
    }

    async fn saw(&self, id: BulkId, kind: EndKind) -> Result<(), StoreError> {
        self.writer.write(move |db| bulks::saw(db, id, kind).map(Ok)).await
    }

    async fn bulk(&self, id: BulkId) -> Result<Option<BulkRun>, StoreError> {
        self.readers.read(Lane::Pages, move |db| bulks::by_id(db, id)).await
    }

    async fn bulks(&self, before: Option<BulkId>, limit: usize) -> Result<Page<BulkRun>, StoreError> {
        self.readers.read(Lane::Pages, move |db| bulks::page(db, before, limit)).await
    }

    async fn bulk_users(
        &self,
        id: BulkId,
        which: Users,
        from: u32,
        limit: usize,
    ) -> Result<Vec<BulkUser>, StoreError> {
        self.readers.read(Lane::Pages, move |db| bulks::users(db, id, which, from, limit)).await
    }

    async fn bulk_kinds(&self, id: BulkId) -> Result<Vec<EndKind>, StoreError> {
        self.readers.read(Lane::Pages, move |db| bulks::kinds(db, id)).await
    }

    async fn bulk_record(&self, id: BulkId) -> Result<Option<Record>, StoreError> {
        self.readers.read(Lane::Pages, move |db| bulks::sealed(db, id)).await
    }
}

/// The rows of what was found.
fn page<T: Listed>(
    found: query::scan::Found,
    key: impl Fn(i64) -> T::Key,
    row: impl Fn(i64) -> rusqlite::Result<Option<T>>,
) -> rusqlite::Result<Page<T>> {
    let rows = found.hits.into_iter().filter_map(|hit| row(hit.id).transpose());
    Ok(Page { rows: rows.collect::<rusqlite::Result<_>>()?, next: found.next.map(key) })
}

fn health(db: &Connection, bytes: u64) -> rusqlite::Result<StoreHealth> {
    let open_findings = tally::not_closed(db)?;
    let totals = |row: &rusqlite::Row<'_>| {
        Ok((
            rows::count(row, "events")?,
            rows::count(row, "quiet")?,
            rows::instant_option(row, "last_received")?,
        ))
    };
    let totals = db.prepare_cached("SELECT * FROM event_totals")?.query_row([], totals).optional()?;
    let (events, quiet, last_received) = totals.unwrap_or_default();
    let (pending, problems) = (inbox::pending(db)?, inbox::problems(db)?);
    Ok(StoreHealth { events, quiet, open_findings, pending, last_received, problems, bytes })
}
