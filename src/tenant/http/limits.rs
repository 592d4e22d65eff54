//! How long is waited and how much is read.

use std::time::Duration;

/// What one exchange may take.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    /// From the connect to the last byte of the answer.
    pub timeout: Duration,
    /// The bytes of the answer's body that are kept; the rest is not read.
    pub body: usize,
    /// How long the pacer may hold one call back, all its waits together.
    pub held: Duration,
}

/// Every limit, so that tests can make the waits tiny.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For reads. The time-out is a little above the 30 s after which the other side gives up itself.
    pub read: Allowance,
    /// For pages of a log: a thousand records are a large body; and whoever reads a log tells by himself
    /// that he waits, so that no call is held back for long.
    pub page: Allowance,
    /// For requests that act. A synchronous flow is cut after 60 s by Workflows.
    pub act: Allowance,
    /// For DNS, connect and TLS.
    pub connect: Duration,
    /// The least time between two acting requests of one flow: Workflows answers 429 above ten a second, and these
    /// are 9.7.
    pub act_gap: Duration,
    /// The first pause after a 429 that names none; it doubles with each further one.
    pub first_pause: Duration,
    /// The longest single pause, whatever the other side asks for.
    pub longest_pause: Duration,
    /// Behind a reset of Okta's a call leaves up to this much later, by chance: others wait for the same one.
    pub jitter: Duration,
    /// Shorter waits are not told: they are over before they are read.
    pub told_from: Duration,
    /// Requests on their way to Okta at once. Its limit on them is for the whole org: we take a handful.
    pub at_once: usize,
}

impl Limits {
    /// Those of a command: nobody waits at a screen, so a read is held for the longest pause, and a little
    /// for what it was refused with.
    pub fn of_commands() -> Limits {
        let usual = Limits::default();
        let held = usual.longest_pause + Duration::from_secs(5);
        Limits { read: Allowance { held, ..usual.read }, ..usual }
    }
}

/// Those of the console: whoever waits at a screen wants to be told before long.
impl Default for Limits {
    fn default() -> Self {
        Limits {
            read: Allowance {
                timeout: Duration::from_secs(35),
                body: 8 << 20,
                held: Duration::from_secs(20),
            },
            page: Allowance {
                timeout: Duration::from_secs(35),
                body: 32 << 20,
                held: Duration::from_secs(1),
            },
            act: Allowance { timeout: Duration::from_secs(60), body: 1 << 20, held: Duration::from_secs(65) },
            connect: Duration::from_secs(10),
            act_gap: Duration::from_millis(103),
            first_pause: Duration::from_millis(500),
            // A window of a minute, and what its figures in whole seconds add.
            longest_pause: Duration::from_secs(65),
            jitter: Duration::from_millis(250),
            told_from: Duration::from_secs(1),
            at_once: 5,
        }
    }
}
