//! Looking into an org's System Log: what is asked, how that is written, and what a record says.
//!
//! A look is a bounded query: it has a beginning and an end, is ordered by `published`, and may miss
//! what Okta stores late. Whoever needs every record polls instead, which a source does.

mod ask;
pub mod beside;
pub mod csv;
mod grammar;
mod moment;
mod preset;
mod record;

pub use ask::{LogAsk, LogOrder, LogQuery, MAY_MISS, RETENTION_DAYS, both, literal, of_person};
pub use grammar::{Completion, completions};
pub use moment::Moment;
pub use preset::LogPreset;
pub use record::{LogRecord, Party, Thread};
