//! What the tests of the whole program share: a place to run it in, somebody who posts, a screen.
#![expect(dead_code, reason = "each test file uses its part of this")]

pub(crate) mod chat;
pub(crate) mod config;
pub(crate) mod payload;
pub(crate) mod place;
pub(crate) mod poster;
pub(crate) mod process;
pub(crate) mod screen;
pub(crate) mod sweep;
pub(crate) mod tenant;
pub(crate) mod wait;
