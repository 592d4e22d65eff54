//! The one registry of commands, and everything that reads it.
//!
//! A command is one record in [`registry`]: id, title, a sentence of help, its keys, where it can be
//! used and what it means as a [`Msg`](crate::app::Msg). Keys, palette, `:` prompt, help, footer and
//! the README's table are all made from that slice; there is no second list. What an argument means that is typed
//! behind a name is told by `arguments`.

mod arguments;
pub mod context;
pub mod footer;
pub mod keymap;
pub mod keys;
pub mod palette;
pub mod press;
pub mod reference;
pub mod registry;

pub use context::Context;
pub use footer::footer;
pub use keymap::Keymap;
pub use press::press;
pub use registry::{COMMANDS, Command};
