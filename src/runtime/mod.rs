//! The one room that touches the terminal and runs the screen's tasks.

pub mod child;
pub mod clipboard;
pub mod opener;
pub mod terminal;
