//! How many webhooks are acknowledged beside servers that do less, and how soon what was acknowledged is
//! seen: numbers and goals, no verdict.
//!
//! `cargo bench --bench ingest` fills one store with 10⁶ events (or with `IDTRIAGE_BENCH_EVENTS`), starts
//! one listener a server in this process, and posts to them in turns over loopback. Every ratio is of two
//! servers in the same round, so that what the machine does meanwhile is done to both.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a bench that cannot go on has nothing to print")]

#[path = "ingest/arrivals.rs"]
mod arrivals;
#[path = "ingest/senders.rs"]
mod senders;
#[path = "ingest/servers.rs"]
mod servers;
#[path = "../support/mod.rs"]
mod support;
#[path = "ingest/told.rs"]
mod told;

use arrivals::{in_the_feed, in_the_search, until_found};
use idtriage::store::files::throw_away_folder;
use idtriage::store::sqlite::SqliteStore;
use idtriage::store::{InboxItem, Store};
use senders::{Messages, SENDERS, paced, rate};
use servers::{Appending, Committing, GROUP, Keep, Nothing, Queue, Server, close_store, open_store};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use told::{Goal, Rounds, at, say_ratio, say_times};

/// Events of the store that is not empty, where the environment says nothing else.
const EVENTS: usize = 1_000_000;
/// Imported in one transaction.
const BATCH: usize = 5_000;
/// Rounds as fast as answers come, and how long a server has its turn.
const FAST_ROUNDS: usize = 7;
const FAST_TURN: Duration = Duration::from_millis(1_500);
/// Rounds at a pace, and how many messages a server is posted in its turn.
const PACED_ROUNDS: usize = 5;
const PER_SECOND: usize = 500;
const PACED_COUNT: usize = 1_500;
/// Messages during which feed and search are watched.
const WATCHED_COUNT: usize = 4_000;

const SERVERS: [&str; 6] = [
    "listener that keeps nothing",
    "append and flush, whatever waits together",
    "append and flush, one a request",
    "one transaction a request",
    "ours, empty store",
    "ours, filled store",
];
const BARE: usize = 0;
const TOGETHER: usize = 1;
const EACH: usize = 2;
const TRANSACTION: usize = 3;
const EMPTY: usize = 4;
const FILLED: usize = 5;

/// What is measured, and where.
struct Bench {
    runtime: Runtime,
    folder: tempfile::TempDir,
    messages: Messages,
    filled: Arc<SqliteStore>,
    /// Those that stay: all but the one on an empty store, in the order of [`SERVERS`].
    servers: Vec<Server>,
}

fn main() {
    let bench = Bench::new();
    let rates = bench.fast();
    for (ours, store) in [(EMPTY, "an empty store"), (FILLED, "the filled store")] {
        let beside = |other: usize| Rounds::ratio(&rates[ours], &rates[other]);
        for (other, goal) in [(BARE, 0.5), (TOGETHER, 0.8), (EACH, 0.8), (TRANSACTION, 5.0)] {
            let what = format!("on {store}, beside {}", SERVERS[other]);
            say_ratio(&what, &beside(other), Goal::AtLeast(goal));
        }
    }
    let ceiling = Rounds::ratio(&rates[BARE], &rates[TRANSACTION]);
    println!("{:<62} {}", "the most there can be beside one transaction a request", ceiling.told(2));
    bench.paced();
    bench.watched();
    close_store(&bench.runtime, &bench.filled);
}

impl Bench {
    fn new() -> Bench {
        let runtime = Runtime::new().unwrap();
        let folder = throw_away_folder("idtriage-bench-").unwrap();
        let messages = Messages::new();
        say_flush(folder.path());
        let filled = open_store(&made(folder.path(), "filled"));
        fill(&runtime, &filled, &messages);
        let at = |name: &str| folder.path().join(name);
        let queue = |most, keep| Arc::new(Queue::of(most, keep));
        let servers = vec![
            Server::start(&runtime, Arc::new(Nothing)),
            Server::start(&runtime, queue(GROUP, Appending::to(&at("together")))),
            Server::start(&runtime, queue(1, Appending::to(&at("each")))),
            Server::start(&runtime, Arc::new(Queue::of(1, Committing::to(&at("transaction.db"))))),
            Server::ours(&runtime, &filled),
        ];
        Bench { runtime, folder, messages, filled, servers }
    }

    /// Runs something on one of the servers; the empty store is a new one each time. What was posted to
    /// ours is expanded and searchable before the next one has its turn.
    fn turn<T>(&self, server: usize, work: impl FnOnce(&Server) -> T) -> T {
        match server {
            EMPTY => self.on_empty(|_, server| work(server)),
            FILLED => {
                let done = work(&self.servers[EMPTY]);
                settle(&self.runtime, &self.filled, &self.messages);
                done
            }
            other => work(&self.servers[other]),
        }
    }

    fn on_empty<T>(&self, work: impl FnOnce(&Arc<SqliteStore>, &Server) -> T) -> T {
        let folder = tempfile::tempdir_in(self.folder.path()).unwrap();
        let store = open_store(folder.path());
        let done = work(&store, &Server::ours(&self.runtime, &store));
        settle(&self.runtime, &store, &self.messages);
        close_store(&self.runtime, &store);
        done
    }

    /// Acknowledged a second, by server and round.
    fn fast(&self) -> Vec<Vec<f64>> {
        let one = |server: usize| self.turn(server, |server| rate(server.listen, &self.messages, FAST_TURN));
        // Files that grow and connections that are new are nobody's merit: not counted.
        for server in 0..SERVERS.len() {
            one(server);
        }
        let mut rates = vec![Vec::new(); SERVERS.len()];
        for _ in 0..FAST_ROUNDS {
            rates.iter_mut().enumerate().for_each(|(server, rates)| rates.push(one(server)));
        }
        println!(
            "\nacknowledged a second, {SENDERS} connections, median of {FAST_ROUNDS} turns of {FAST_TURN:?}"
        );
        for (name, rates) in SERVERS.iter().zip(&rates) {
            println!("{name:<62} {}", rates.iter().copied().collect::<Rounds>().told(0));
        }
        println!("ratios round by round");
        rates
    }

    /// The 99th part of the latencies at a pace, by server and round.
    fn paced(&self) {
        let compared = [TOGETHER, EACH, EMPTY, FILLED];
        let one = |server: usize| {
            let took = |server: &Server| paced(server.listen, &self.messages, PER_SECOND, PACED_COUNT);
            let mut times: Vec<Duration> =
                self.turn(server, took).into_iter().map(|message| message.took).collect();
            times.sort_unstable();
            at(&times, 99)
        };
        let mut p99s = vec![Vec::new(); SERVERS.len()];
        for _ in 0..PACED_ROUNDS {
            compared.iter().for_each(|server| p99s[*server].push(one(*server)));
        }
        println!("\np99 in ms at {PER_SECOND} a second, median of {PACED_ROUNDS} turns of {PACED_COUNT}");
        for server in compared {
            println!("{:<62} {}", SERVERS[server], p99s[server].iter().copied().collect::<Rounds>().told(2));
        }
        println!("ratios round by round");
        for (ours, store) in [(EMPTY, "an empty store"), (FILLED, "the filled store")] {
            for other in [TOGETHER, EACH] {
                let what = format!("on {store}, beside {}", SERVERS[other]);
                say_ratio(&what, &Rounds::ratio(&p99s[ours], &p99s[other]), Goal::AtMost(3.0));
            }
        }
    }

    /// From the 2xx to what an analyst sees.
    fn watched(&self) {
        println!("\nfrom the 2xx, at {PER_SECOND} a second");
        let watch = |name: &str, store: &Arc<SqliteStore>, server: &Server| {
            let pace = (PER_SECOND, WATCHED_COUNT);
            let feed = in_the_feed(&self.runtime, store, server.listen, &self.messages, pace);
            say_times(&format!("to the feed, {name} store"), feed, 100.0);
            let search = in_the_search(&self.runtime, store, server.listen, &self.messages, pace);
            say_times(&format!("to the search, {name} store"), search, 1_000.0);
        };
        self.on_empty(|store, server| watch("empty", store, server));
        watch("filled", &self.filled, &self.servers[EMPTY]);
    }
}

fn made(folder: &Path, name: &str) -> std::path::PathBuf {
    let folder = folder.join(name);
    std::fs::create_dir(&folder).unwrap();
    folder
}

/// What the disk makes of a flush, on which half of the goals hang.
fn say_flush(folder: &Path) {
    let mut file = Appending::to(&folder.join("flush"));
    let line: Arc<str> = "x".repeat(800).into();
    let mut times: Vec<Duration> = (0..500)
        .map(|_| {
            let began = Instant::now();
            file.keep(std::slice::from_ref(&line));
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    println!("a line appended and flushed  median {:.2} ms, p99 {:.2} ms", at(&times, 50), at(&times, 99));
}

/// Puts in what the environment says, or 10⁶ events.
fn fill(runtime: &Runtime, store: &Arc<SqliteStore>, messages: &Messages) {
    let events = std::env::var("IDTRIAGE_BENCH_EVENTS").map_or(EVENTS, |events| events.parse().unwrap());
    let began = Instant::now();
    for from in (0..events).step_by(BATCH) {
        let items = (from..events.min(from + BATCH)).map(|_| InboxItem {
            source: "cii".into(),
            source_type: "cii-webhook".to_owned(),
            received: jiff::Timestamp::now(),
            raw: messages.next().1.into(),
        });
        runtime.block_on(store.import(items.collect())).unwrap();
    }
    let stored = began.elapsed().as_secs_f64();
    settle(runtime, store, messages);
    let all = began.elapsed().as_secs_f64();
    println!(
        "filled store                 {events} events, stored in {stored:.0} s, searchable in {all:.0} s"
    );
}

/// Waits until everything in a store is expanded and searchable.
fn settle(runtime: &Runtime, store: &Arc<SqliteStore>, messages: &Messages) {
    let (id, text) = messages.next();
    let text = text.replace("Users without MFA", &format!("settled-{id}"));
    let item = InboxItem {
        source: "cii".into(),
        source_type: "cii-webhook".to_owned(),
        received: jiff::Timestamp::now(),
        raw: text.into(),
    };
    runtime.block_on(store.append(vec![item])).unwrap();
    runtime.block_on(store.drained()).unwrap();
    until_found(runtime, store, &format!("\"settled-{id}\""));
}
