//! Who posts: as fast as answers come, or at a pace that does not wait for answers.

use super::support::payload::failed_check;
use super::support::place::HOOK_SECRET;
use super::support::poster::Poster;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Connections that are kept open.
pub(crate) const SENDERS: usize = 64;
/// What stands for an event's own parts in the text of a message.
const ID: &str = "ID-OF-THE-EVENT";
const LOGIN: &str = "LOGIN-OF-THE-EVENT";
const USERS: usize = 20_000;

/// Messages as CII sends them, each a new event of one of many users; made cheaply, since whoever posts
/// shares the cores with whoever answers.
#[derive(Debug)]
pub(crate) struct Messages {
    text: String,
    next: AtomicUsize,
}

impl Messages {
    pub(crate) fn new() -> Messages {
        Messages { text: failed_check(ID, LOGIN).to_string(), next: AtomicUsize::new(0) }
    }

    /// The next event's id and text.
    pub(crate) fn next(&self) -> (String, String) {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        let id = format!("e-{n}");
        // A step that has nothing in common with the number of users: they come by in no order.
        let login = format!("user-{}@example.com", n * 7_919 % USERS);
        let text = self.text.replace(ID, &id).replace(LOGIN, &login);
        (id, text)
    }
}

/// Acknowledged messages a second, every connection posting its next one as soon as the last is answered.
pub(crate) fn rate(listen: SocketAddr, messages: &Messages, lasts: Duration) -> f64 {
    let mut posters: Vec<Poster> = (0..SENDERS).map(|_| connected(listen)).collect();
    let began = Instant::now();
    let acknowledged: usize = thread::scope(|scope| {
        let send = |poster: &mut Poster| {
            let mut acknowledged = 0;
            while began.elapsed() < lasts {
                acknowledged += usize::from(poster.post(&messages.next().1).unwrap() == 200);
            }
            acknowledged
        };
        let senders: Vec<_> = posters.iter_mut().map(|poster| scope.spawn(move || send(poster))).collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).sum()
    });
    acknowledged as f64 / began.elapsed().as_secs_f64()
}

/// A message that was acknowledged.
#[derive(Debug)]
pub(crate) struct Acknowledged {
    pub(crate) id: String,
    pub(crate) at: Instant,
    /// Since the moment at which it was to be posted, whether or not somebody was free to.
    pub(crate) took: Duration,
}

/// Posts so many messages a second, whether or not the last ones are answered.
pub(crate) fn paced(
    listen: SocketAddr,
    messages: &Messages,
    per_second: usize,
    count: usize,
) -> Vec<Acknowledged> {
    let mut posters: Vec<Poster> = (0..SENDERS).map(|_| connected(listen)).collect();
    let (began, next) = (Instant::now(), AtomicUsize::new(0));
    let next_due = || {
        let n = next.fetch_add(1, Ordering::Relaxed);
        (n < count).then(|| began + Duration::from_secs(1) * n as u32 / per_second as u32)
    };
    thread::scope(|scope| {
        let send = |poster: &mut Poster| {
            let mut acknowledged = Vec::new();
            while let Some(due) = next_due() {
                let (id, text) = messages.next();
                thread::sleep(due.saturating_duration_since(Instant::now()));
                let status = poster.post(&text).unwrap();
                let at = Instant::now();
                assert_eq!(status, 200, "a message was refused");
                acknowledged.push(Acknowledged { id, at, took: at - due });
            }
            acknowledged
        };
        let senders: Vec<_> = posters.iter_mut().map(|poster| scope.spawn(move || send(poster))).collect();
        senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect()
    })
}

pub(crate) fn connected(listen: SocketAddr) -> Poster {
    Poster::connect(listen, HOOK_SECRET).unwrap()
}
