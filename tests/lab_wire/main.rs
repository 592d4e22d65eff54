//! The lab over the wire: what clients of the real services would see, asked with plain HTTP.
mod cii;
mod common;
mod okta;
mod workflows;
