//! Kept counts: they move with what they count, in the same transaction, and are never counted anew.

use super::rows::{signed, sized, unsigned};
use crate::domain::counts::StateCounts;
use crate::domain::event::IMPORT;
use crate::domain::{DecodedEvent, Finding, FindingState, Severity};
use crate::store::InboxItem;
use rusqlite::{Connection, Result};
use std::collections::BTreeMap;

/// How the counts of findings by severity and state move, gathered for one item and written once.
#[derive(Debug, Default)]
pub(super) struct Tally {
    moves: BTreeMap<(u8, FindingState), i64>,
}

impl Tally {
    /// A finding is new.
    pub(super) fn opened(&mut self, severity: Severity, state: FindingState) {
        self.add(severity, state, 1);
    }

    /// A finding went from one severity and state to another.
    pub(super) fn moved(&mut self, before: &Finding, after: &Finding) {
        self.add(before.severity, before.state, -1);
        self.add(after.severity, after.state, 1);
    }

    fn add(&mut self, severity: Severity, state: FindingState, n: i64) {
        *self.moves.entry((severity.rank(), state)).or_default() += n;
    }

    /// Writes the moves.
    pub(super) fn write(self, db: &Connection) -> Result<()> {
        let mut upsert = db.prepare_cached(
            "INSERT INTO finding_counts (severity, state, n) VALUES (?1, ?2, ?3) \
             ON CONFLICT (severity, state) DO UPDATE SET n = n + excluded.n",
        )?;
        for ((severity, state), n) in self.moves.into_iter().filter(|(_, n)| *n != 0) {
            upsert.execute((severity, state.word(), n))?;
        }
        Ok(())
    }
}

/// Adds to the state counts of one event.
pub(super) fn add_to_event(db: &Connection, event: i64, counts: &StateCounts) -> Result<()> {
    if *counts == StateCounts::default() {
        return Ok(());
    }
    db.prepare_cached(
        "UPDATE events SET open = open + ?2, claimed = claimed + ?3, snoozed = snoozed + ?4, \
         closed = closed + ?5 WHERE id = ?1",
    )?
    .execute((
        event,
        signed(counts.open),
        signed(counts.claimed),
        signed(counts.snoozed),
        signed(counts.closed),
    ))?;
    Ok(())
}

/// Moves one finding from a state to another in the counts of every event that it counted.
pub(super) fn shift_events(db: &Connection, before: &Finding, after: &Finding) -> Result<()> {
    if before.state == after.state {
        return Ok(());
    }
    // The columns are named as the states are, and both names are ours.
    let (from, to) = (before.state.word(), after.state.word());
    db.prepare_cached(&format!(
        "UPDATE events SET {from} = {from} - 1, {to} = {to} + 1 \
         WHERE id IN (SELECT event FROM finding_events WHERE finding = ?1)"
    ))?
    .execute([before.id.0])?;
    Ok(())
}

/// A new event arrived. One that a file brought says nothing of how the sources are.
pub(super) fn event_arrived(db: &Connection, item: &InboxItem, event: &DecodedEvent) -> Result<()> {
    db.prepare_cached(
        "UPDATE event_totals SET events = events + 1, quiet = quiet + ?2, raws = raws + 1, \
         raw_bytes = raw_bytes + ?3, last_received = max(ifnull(?1, last_received), ifnull(last_received, ?1))",
    )?
    .execute((came(item), event.is_quiet(), sized(item.raw.len())))?;
    Ok(())
}

/// An event arrived again.
pub(super) fn event_seen(db: &Connection, item: &InboxItem) -> Result<()> {
    db.prepare_cached(
        "UPDATE event_totals SET last_received = max(ifnull(?1, last_received), ifnull(last_received, ?1))",
    )?
    .execute([came(item)])?;
    Ok(())
}

/// When a source brought it, if one did.
fn came(item: &InboxItem) -> Option<i64> {
    (item.source.0 != IMPORT).then(|| item.received.as_microsecond())
}

/// How many findings there are that are not closed. The table has one row a severity and state.
pub(super) fn not_closed(db: &Connection) -> Result<u64> {
    db.prepare_cached("SELECT ifnull(sum(n), 0) FROM finding_counts WHERE state <> ?1")?
        .query_row([FindingState::Closed.word()], |row| row.get(0))
        .map(unsigned)
}
