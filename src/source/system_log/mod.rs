//! Okta's System Log, polled (contracts/okta.md, section 6).
//!
//! A polling request has no end and is answered in the order in which records were persisted; its `next`
//! is followed for ever and used as it stands. What makes the reading lose nothing and repeat nothing:
//!
//! - the records of a page and the place behind it are one commit ([`Advance`](super::Advance)), and a
//!   place is moved to only when that commit is made;
//! - what comes twice (a page read again, an overlap) is told by its `uuid` when it is expanded, so that
//!   reading again is always harmless;
//! - whatever may have been lost all the same is a note that stays with the place: a place that Okta does
//!   not take any more, an outage longer than Okta keeps its log.
//!
//! | part | what it is |
//! |---|---|
//! | [`filter`] | which records are asked for; the filter that is made from applications |
//! | [`notes`] | what stays to be known of a reading |
//! | [`place`] | where a reading stands, and how it moves; what is kept |
//! | [`reader`] | what is to be done about a page or a trouble; pure |
//! | [`poll`] | asks, commits, rests: the source that runs |
//! | [`mod@probe`] | what `doctor` tries |
//!
//! A page of a thousand records can be large. One above the HTTP room's cap is asked for again in smaller
//! pages. A place belongs to one limit, so that this begins a new reading at the overlap, with a note.

pub mod filter;
pub mod notes;
pub mod place;
pub mod poll;
pub mod probe;
pub mod reader;

#[cfg(test)]
mod tests;

pub use poll::SystemLogPoll;
pub use probe::probe;
pub use reader::Pace;
