//! A write that waits for its turn, and for the commit of its group.

use super::connect::Files;
use super::failure::not_writable;
use super::savepoint::Item;
use crate::store::StoreError;
use rusqlite::Connection;
use tokio::sync::oneshot;

/// A write, its result kept until the group is committed.
pub(super) trait Job: Send {
    /// Does the work.
    fn run(&mut self, db: &Connection) -> Item;
    /// Whether it only puts one element into the inbox: one statement, which SQLite undoes by itself, and nothing that
    /// anybody sees before it is expanded.
    fn is_append(&self) -> bool;
    /// What SQLite said, if the work failed by it.
    fn failure(&self) -> Option<&rusqlite::Error>;
    /// Tells the caller: the work's result, or why the commit failed.
    fn answer(self: Box<Self>, files: &Files, committed: Result<(), &str>);
}

/// SQL failures outside, refusals by the domain's rules inside.
pub(super) type Worked<T, E> = rusqlite::Result<Result<T, E>>;

/// One that answers whoever asked for it.
pub(super) struct Task<W, T, E> {
    work: Option<W>,
    is_append: bool,
    result: Option<Worked<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<W, T, E> Task<W, T, E> {
    pub(super) fn new(work: W, is_append: bool, reply: oneshot::Sender<Result<T, E>>) -> Task<W, T, E> {
        Task { work: Some(work), is_append, result: None, reply }
    }
}

impl<W, T, E> Job for Task<W, T, E>
where
    W: FnOnce(&Connection) -> Worked<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run(&mut self, db: &Connection) -> Item {
        self.result = self.work.take().map(|work| work(db));
        if matches!(self.result, Some(Ok(Ok(_)))) { Item::Keep } else { Item::Undo }
    }

    fn is_append(&self) -> bool {
        self.is_append
    }

    fn failure(&self) -> Option<&rusqlite::Error> {
        self.result.as_ref()?.as_ref().err()
    }

    fn answer(self: Box<Self>, files: &Files, committed: Result<(), &str>) {
        let answer = match (self.result, committed) {
            (Some(Ok(Err(refused))), _) => Err(refused),
            (Some(Err(error)), _) => Err(not_writable(&files.store, &error).into()),
            (_, Err(why)) => Err(StoreError::NotWritable(why.to_owned()).into()),
            (Some(Ok(done)), Ok(())) => done,
            (None, Ok(())) => Err(StoreError::Closed.into()),
        };
        // Whoever asked may have gone; what was committed stays.
        let _ = self.reply.send(answer);
    }
}
