//! What the configuration says, and what it means.
//!
//! Two steps, apart: [`said`] is the TOML as written, [`meant`] is what the program works with after
//! everything was checked. Between them stand [`shape`], which finds what does not belong into the file
//! at all, and [`mean`], which makes the one of the other. Both note every problem and go on, so that
//! one start names them all. Secrets are named in the first and read in the second, by [`secret`],
//! once, before the terminal is taken.
//!
//! [`mod@reference`] lists every setting once: the shape check, the commented [`template`] and the README's
//! table all follow it.

pub mod actor;
pub mod load;
pub mod mean;
pub mod meant;
pub mod problem;
pub mod reference;
pub mod said;
pub mod secret;
mod shape;
pub mod template;

pub use load::{Loaded, Local};
pub use meant::Config;
pub use problem::{ConfigError, Problem};
