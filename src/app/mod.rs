//! What the console is showing, and how that changes: `State` × `Msg` → `State` + `Effect`s.
//!
//! [`update::update`] is pure: it changes the state and returns what is to be done as data. Nothing in
//! this room waits, draws, reads a clock or knows a key. One file a screen; [`layout`] is the
//! arithmetic of who stands where, shared with the view so that both agree on what is visible.

pub mod address;
pub mod after;
pub mod bulk;
pub mod card;
pub mod dossiers;
pub mod dry_run;
pub mod effect;
pub mod event;
pub mod feed;
pub mod flows;
pub mod form;
pub mod header;
pub mod health;
pub mod journal;
pub mod layout;
pub mod link;
pub mod list;
pub mod log;
pub mod look_up;
pub mod many;
pub mod marks;
pub mod msg;
pub mod notice;
pub mod pane;
pub mod prompt;
pub mod raw;
pub mod said;
pub mod state;
pub mod text;
pub mod triage;
pub mod update;
pub mod user;
pub mod waits;
pub mod window;

pub use effect::{Effect, RequestId};
pub use msg::{Answer, Msg};
pub use state::{Overlay, Screen, State};
pub use update::update;
