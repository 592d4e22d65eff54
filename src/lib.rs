//! `idtriage`: triage of failing identity checks in a terminal.
//!
//! The crate is a row of rooms. Dependencies go one way, and `tests/architecture.rs` holds them to it:
//!
//! ```text
//! domain ◀ app ◀ command ◀ view ◀ runtime ◀ cli ◀ main
//! domain ◀ config ◀ tenant ◀ source ◀ ingest ◀ runtime
//! store under ingest · remediation and notify over tenant and store · lab beside, for demo and tests
//! ```
//!
//! | room | what it holds |
//! |---|---|
//! | [`domain`] | the words of the field as types, and the rules between them; pure |
//! | [`app`] | `State` × `Msg` → `State` + `Effect`s; pure |
//! | [`command`] | the one registry of commands: keys, palette, prompt, help, footer, README table |
//! | [`view`] | `&State` × `&Theme` → a screen; pure |
//! | [`config`] | what the configuration says, and what it means |
//! | [`source`] | where events come from: the listener and one file a source |
//! | [`ingest`] | decoded events → inbox; the answer to the source waits for that commit |
//! | [`store`] | where events, findings, actions and the journal are kept |
//! | [`tenant`] | the remote systems: HTTP, CII, Okta, Workflows |
//! | [`remediation`] | card, guard, runner, evidence |
//! | [`notify`] | who is told of new events: Slack, any webhook, the bell |
//! | [`runtime`] | the event loop, the effects, the terminal |
//! | [`lab`] | the simulated tenant that `demo`, the tests and training use |
//! | [`cli`] | the subcommands |
#![forbid(unsafe_code)]

pub mod app;
pub mod cli;
pub mod command;
pub mod config;
pub mod domain;
pub mod ingest;
pub mod lab;
pub mod notify;
pub mod remediation;
pub mod runtime;
pub mod source;
pub mod store;
pub mod tenant;
pub mod view;
