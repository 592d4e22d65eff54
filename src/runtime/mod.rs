//! The one room that touches the terminal and runs the screen's tasks.

pub mod apart;
pub mod child;
pub mod clipboard;
pub mod console;
mod dry_run;
pub mod effects;
mod export;
pub mod headless;
mod journal;
pub mod keeping;
mod later;
pub mod many;
pub mod opener;
pub mod picture;
pub mod receiver;
mod report;
pub mod services;
pub mod session;
mod supervisor;
pub mod systemd;
pub mod terminal;
pub mod texts;
