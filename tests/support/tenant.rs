//! A lab in the test's own process, so that the test can ask it what it was asked.

use idtriage::lab::{Fault, Lab, LabOptions};
use std::future::Future;
use tokio::runtime::Runtime;

/// A lab and the runtime that serves it; the test itself stays plain code.
#[derive(Debug)]
pub(crate) struct Tenant {
    runtime: Runtime,
    pub(crate) lab: Lab,
}

impl Tenant {
    /// A lab of 100 people. Its story lies around now, as the programs' clocks see it.
    pub(crate) fn start() -> Tenant {
        Tenant::at_speed(1.0)
    }

    /// One whose time runs faster, so that its story is told sooner.
    pub(crate) fn at_speed(speed: f64) -> Tenant {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let options = LabOptions { seed: 7, users: 100, speed, ..LabOptions::at(jiff::Timestamp::now()) };
        let lab = runtime.block_on(Lab::start(options)).unwrap();
        Tenant { runtime, lab }
    }

    pub(crate) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Makes something go wrong, in the words of `--fault`.
    pub(crate) fn fault(&self, words: &str) {
        self.lab.faults().set(words.parse::<Fault>().unwrap());
    }

    /// Somebody who has an account that can be acted on.
    pub(crate) fn login(&self, n: usize) -> String {
        self.lab.user_logins()[n].clone()
    }
}
