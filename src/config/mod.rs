//! What the configuration says, and what it means.
//!
//! Two steps, apart: [`said`] is the TOML as written (unknown keys refused), [`meant`] is what the
//! program works with after everything was checked. Secrets are named in the first and read in the
//! second, by [`secret`], once, before the terminal is taken.

pub mod meant;

pub use meant::Config;
