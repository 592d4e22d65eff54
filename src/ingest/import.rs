//! Taking a file of events in: at full speed as history, or at the pace of its own times.
//!
//! A history's elements keep the time at which they were published as that of their arrival (now, where
//! they carry none, or one that is yet to come): an imported month is no burst of today, and retention
//! finds it as old as it is. Their place in the feed is that of the import, in the order of the file.
//! What was taken in stays, wherever it ends: importing the same file again only repeats it.

use super::file::{Ahead, Element, Group, MOST_BYTES, MOST_ELEMENTS, Origin, Refusal};
use crate::source::Clock;
use crate::store::{Imported, Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Shorter waits of a replay are not told: they are over before they are read.
const TOLD_FROM: SignedDuration = SignedDuration::from_secs(2);

/// What has become of a file so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// What became of the elements.
    pub imported: Imported,
    /// What was refused.
    pub refused: u64,
}

impl Tally {
    /// Everything that was read, refused or not.
    pub fn read(&self) -> u64 {
        let Imported { new, repeated, dropped, set_aside } = self.imported;
        new + repeated + dropped + set_aside + self.refused
    }

    fn add(&mut self, more: Imported) {
        self.imported.new += more.new;
        self.imported.repeated += more.repeated;
        self.imported.dropped += more.dropped;
        self.imported.set_aside += more.set_aside;
    }
}

/// How it ended.
#[derive(Debug)]
pub enum Ended {
    /// The file is over.
    Whole,
    /// It was told to.
    Stopped,
    /// The file could be read no further.
    NotRead(io::Error),
    /// The store took no more.
    NotKept(StoreError),
    /// Nobody could be told.
    NotTold(io::Error),
}

/// What is told on the way.
#[derive(Debug)]
pub enum Told<'a> {
    /// Something was refused.
    Refused(&'a Refusal),
    /// So much is done.
    SoFar(&'a Tally),
    /// The next element is due later.
    Waits {
        /// Its line.
        line: u64,
        /// For so long.
        rest: SignedDuration,
    },
}

/// Hears what is told.
pub type Tell<'a> = dyn FnMut(Told<'_>) -> io::Result<()> + 'a;

/// What takes a file in.
#[derive(Debug)]
pub struct Import {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    origin: Origin,
    stop: watch::Receiver<bool>,
    tally: Tally,
    pause: Duration,
}

/// Between two commits beside another process that receives: SQLite gives the next turn to whoever asks first.
const TURN: Duration = Duration::from_millis(50);

impl Import {
    /// Into this store, by this clock, until it is told to stop.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        origin: Origin,
        stop: watch::Receiver<bool>,
    ) -> Import {
        Import { store, clock, origin, stop, tally: Tally::default(), pause: Duration::ZERO }
    }

    /// The same beside another process that receives: it gets its turn between any two commits.
    #[must_use]
    pub fn giving_way(self) -> Import {
        Import { pause: TURN, ..self }
    }

    /// Takes a history in, as fast as the store takes it.
    pub async fn history(mut self, input: impl Read + Send + 'static, tell: &mut Tell<'_>) -> (Tally, Ended) {
        let mut ahead = Ahead::start(input, self.origin.clone());
        let ended = loop {
            let group = match self.next(&mut ahead, tell).await {
                Ok(group) => group,
                Err(ended) => break ended,
            };
            if let Err(ended) = self.take_in(group.elements, published).await {
                break ended;
            }
            if let Err(ended) = self.told(group.failed, tell) {
                break ended;
            }
        };
        (self.tally, ended)
    }

    /// Commits elements, so many at once, each as arrived at its time. One piece of a file may hold very many.
    async fn take_in(&mut self, elements: Vec<Element>, arrived: Arrived) -> Result<(), Ended> {
        let now = self.clock.now();
        let mut rest = elements.into_iter().peekable();
        while rest.peek().is_some() {
            let (mut items, mut bytes) = (Vec::new(), 0);
            while items.len() < MOST_ELEMENTS
                && bytes < MOST_BYTES
                && let Some(element) = rest.next()
            {
                bytes += element.raw.len();
                let received = arrived(&element, now);
                items.push(Origin::item(element, received));
            }
            let imported = self.store.import(items).await.map_err(Ended::NotKept)?;
            self.tally.add(imported);
            tokio::time::sleep(self.pause).await;
        }
        Ok(())
    }

    /// Lets a file arrive once more, each element as long after the first as it was published after it,
    /// divided by a speed. Those whose time is over, or that have none, come at once.
    pub async fn replay(
        mut self,
        input: impl Read + Send + 'static,
        speed: f64,
        tell: &mut Tell<'_>,
    ) -> (Tally, Ended) {
        let mut ahead = Ahead::start(input, self.origin.clone());
        let mut pace = Pace { speed, first: None };
        let ended = loop {
            let group = match self.next(&mut ahead, tell).await {
                Ok(group) => group,
                Err(ended) => break ended,
            };
            let Group { elements, failed, .. } = group;
            if let Err(ended) = self.arrive(elements, &mut pace, tell).await {
                break ended;
            }
            if let Err(ended) = self.told(failed, tell) {
                break ended;
            }
        };
        (self.tally, ended)
    }

    /// The next group, its refusals told.
    async fn next(&mut self, ahead: &mut Ahead, tell: &mut Tell<'_>) -> Result<Group, Ended> {
        let group = tokio::select! {
            biased;
            () = stopped(&mut self.stop) => return Err(Ended::Stopped),
            group = ahead.next() => group.ok_or(Ended::Whole)?,
        };
        for refusal in &group.refused {
            self.tally.refused += 1;
            tell(Told::Refused(refusal)).map_err(Ended::NotTold)?;
        }
        Ok(group)
    }

    /// Tells how far it is, unless the file can be read no further.
    fn told(&self, failed: Option<io::Error>, tell: &mut Tell<'_>) -> Result<(), Ended> {
        match failed {
            Some(error) => Err(Ended::NotRead(error)),
            None => tell(Told::SoFar(&self.tally)).map_err(Ended::NotTold),
        }
    }

    /// Elements in their time: those that are due together are committed together.
    async fn arrive(
        &mut self,
        elements: Vec<Element>,
        pace: &mut Pace,
        tell: &mut Tell<'_>,
    ) -> Result<(), Ended> {
        let mut due = Vec::new();
        for element in elements {
            let at = pace.due(element.published, self.clock.now());
            if at > self.clock.now() {
                self.take_in(std::mem::take(&mut due), just_now).await?;
                self.wait(element.line, at, tell).await?;
            }
            due.push(element);
        }
        self.take_in(due, just_now).await
    }

    async fn wait(&mut self, line: u64, at: Timestamp, tell: &mut Tell<'_>) -> Result<(), Ended> {
        let rest = at.duration_since(self.clock.now());
        if rest >= TOLD_FROM {
            tell(Told::Waits { line, rest }).map_err(Ended::NotTold)?;
        }
        tokio::select! {
            biased;
            () = stopped(&mut self.stop) => Err(Ended::Stopped),
            () = tokio::time::sleep(self.clock.until(at)) => Ok(()),
        }
    }
}

/// When an element arrives, as the time is now.
type Arrived = fn(&Element, Timestamp) -> Timestamp;

/// When it was published, unless that is yet to come.
fn published(element: &Element, now: Timestamp) -> Timestamp {
    element.published.filter(|published| *published <= now).unwrap_or(now)
}

fn just_now(_: &Element, now: Timestamp) -> Timestamp {
    now
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        // Nobody is left who could say so.
        std::future::pending().await
    }
}

/// When elements are due.
#[derive(Debug)]
struct Pace {
    speed: f64,
    /// When the first one was published, and when it arrived.
    first: Option<(Timestamp, Timestamp)>,
}

impl Pace {
    fn due(&mut self, published: Option<Timestamp>, now: Timestamp) -> Timestamp {
        let Some(published) = published else { return now };
        let (first, began) = *self.first.get_or_insert((published, now));
        let seconds = published.duration_since(first).as_secs_f64() / self.speed;
        if seconds <= 0.0 {
            return now;
        }
        let span = SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::MAX);
        began.saturating_add(span).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::meant::Reading;
    use crate::domain::{Event, Query};
    use crate::ingest::decoder;
    use crate::store::files::throw_away_folder;
    use crate::store::{self, From, OpenOptions};
    use std::sync::Mutex;
    use tempfile::TempDir;

    /// A clock that goes on by what is waited for, at once.
    #[derive(Debug)]
    struct Jumping(Mutex<Timestamp>);

    impl Clock for Jumping {
        fn now(&self) -> Timestamp {
            *self.0.lock().unwrap()
        }

        fn until(&self, at: Timestamp) -> Duration {
            *self.0.lock().unwrap() = at;
            Duration::ZERO
        }
    }

    struct Scene {
        store: Arc<dyn Store>,
        stop: watch::Sender<bool>,
        _folder: TempDir,
    }

    impl Scene {
        fn new() -> Scene {
            let folder = throw_away_folder("import-").unwrap();
            let url = format!("sqlite:{}", folder.path().join("idtriage.db").display());
            let store = store::open(&url, decoder(Reading::default()), OpenOptions::default()).unwrap();
            Scene { store, stop: watch::channel(false).0, _folder: folder }
        }

        fn import(&self) -> Import {
            let clock = Arc::new(Jumping(Mutex::new("2026-01-01T00:00:00Z".parse().unwrap())));
            let origin = Origin::recognised(Reading::default());
            Import::new(self.store.clone(), clock, origin, self.stop.subscribe())
        }

        /// Oldest first.
        async fn events(&self) -> Vec<Event> {
            self.store.drained().await.unwrap();
            let page = self.store.events(&Query::default(), From::Newest, 1_000).await.unwrap();
            page.rows.into_iter().rev().collect()
        }
    }

    fn line(id: &str, published: &str) -> String {
        format!(r#"{{"detail":{{"id":"{id}","checkId":"c","login":"a@x","published":"{published}"}}}}"#)
    }

    fn no_news(_: Told<'_>) -> io::Result<()> {
        Ok(())
    }

    #[tokio::test]
    async fn a_history_keeps_its_times_and_its_order() {
        let scene = Scene::new();
        let lines = [
            line("new", "2025-06-01T00:00:00Z"),
            line("old", "2024-06-01T00:00:00Z"),
            line("to-come", "2027-06-01T00:00:00Z"),
            line("none", ""),
            line("new", "2025-06-01T00:00:00Z"),
        ];
        let input = io::Cursor::new(lines.join("\n"));
        let (tally, ended) = scene.import().history(input, &mut no_news).await;
        assert!(matches!(ended, Ended::Whole), "{ended:?}");
        assert_eq!(tally.imported, Imported { new: 4, repeated: 1, ..Imported::default() });
        let events = scene.events().await;
        let seen: Vec<(String, String)> = events
            .iter()
            .map(|e| (e.source_event_id.clone().unwrap().to_string(), e.received.to_string()))
            .collect();
        let expected = [
            ("new", "2025-06-01T00:00:00Z"),
            ("old", "2024-06-01T00:00:00Z"),
            ("to-come", "2026-01-01T00:00:00Z"),
            ("none", "2026-01-01T00:00:00Z"),
        ];
        assert_eq!(seen, expected.map(|(id, at)| (id.to_owned(), at.to_owned())));
        assert!(events.iter().all(|event| event.source.0 == "import"));
    }

    #[tokio::test]
    async fn a_replay_waits_as_long_as_lay_between() {
        let scene = Scene::new();
        let lines = [
            line("1", "2024-06-01T00:00:00Z"),
            line("2", "2024-06-01T00:01:00Z"),
            line("late", "2024-05-01T00:00:00Z"),
            line("3", "2024-06-01T00:02:00Z"),
        ];
        let mut waits = Vec::new();
        let mut tell = |told: Told<'_>| {
            if let Told::Waits { line, rest } = told {
                waits.push((line, rest.as_secs()));
            }
            Ok(())
        };
        let input = io::Cursor::new(lines.join("\n"));
        let (tally, ended) = scene.import().replay(input, 2.0, &mut tell).await;
        assert!(matches!(ended, Ended::Whole), "{ended:?}");
        assert_eq!((tally.imported.new, waits), (4, vec![(2, 30), (4, 30)]));
        let received: Vec<String> =
            scene.events().await.iter().map(|event| event.received.to_string()).collect();
        let expected =
            ["2026-01-01T00:00:00Z", "2026-01-01T00:00:30Z", "2026-01-01T00:00:30Z", "2026-01-01T00:01:00Z"];
        assert_eq!(received, expected);
    }

    #[tokio::test]
    async fn it_stops_between_groups_and_what_was_taken_in_stays() {
        let scene = Scene::new();
        let lines: Vec<String> = (0..1_200).map(|n| line(&n.to_string(), "2024-06-01T00:00:00Z")).collect();
        let mut tell = |told: Told<'_>| {
            if let Told::SoFar(_) = told {
                scene.stop.send_replace(true);
            }
            Ok(())
        };
        let input = io::Cursor::new(lines.join("\n"));
        let (tally, ended) = scene.import().history(input, &mut tell).await;
        assert!(matches!(ended, Ended::Stopped), "{ended:?}");
        assert!(tally.read() > 0 && tally.read() < 1_200, "{tally:?}");
        assert_eq!(scene.events().await.len() as u64, tally.imported.new);
    }

    #[tokio::test]
    async fn a_pipe_that_says_nothing_can_be_left() {
        /// Says one thing, then nothing until nobody listens any more.
        struct Silent(bool, std::sync::mpsc::Receiver<()>);
        impl Read for Silent {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                if std::mem::replace(&mut self.0, true) {
                    let _ = self.1.recv();
                    return Ok(0);
                }
                let line = line("1", "2024-06-01T00:00:00Z");
                buffer[..line.len()].copy_from_slice(line.as_bytes());
                Ok(line.len())
            }
        }
        let scene = Scene::new();
        let (speaks, silence) = std::sync::mpsc::channel();
        let mut tell = |told: Told<'_>| {
            if let Told::SoFar(tally) = told {
                assert_eq!(tally.imported.new, 1, "what has come is taken in before more comes");
                scene.stop.send_replace(true);
            }
            Ok(())
        };
        let (_, ended) = scene.import().history(Silent(false, silence), &mut tell).await;
        assert!(matches!(ended, Ended::Stopped), "{ended:?}");
        drop(speaks);
    }

    #[tokio::test]
    async fn what_ends_it_is_told_with_what_was_done() {
        let scene = Scene::new();
        let import = scene.import();
        scene.store.close().await.unwrap();
        let input = io::Cursor::new(format!("no json\n{}", line("1", "")));
        let (tally, ended) = import.history(input, &mut no_news).await;
        assert!(matches!(ended, Ended::NotKept(StoreError::Closed)), "{ended:?}");
        assert_eq!(tally, Tally { refused: 1, ..Tally::default() });
    }

    #[test]
    fn no_speed_and_no_time_breaks_the_pace() {
        let now = Timestamp::UNIX_EPOCH;
        for speed in [f64::MIN_POSITIVE, 1.0, f64::MAX] {
            let mut pace = Pace { speed, first: None };
            assert_eq!(pace.due(Some(Timestamp::MIN), now), now);
            assert!(pace.due(Some(Timestamp::MAX), now) >= now);
            let mut pace = Pace { speed, first: None };
            pace.due(Some(Timestamp::MAX), now);
            assert!(pace.due(Some(Timestamp::MIN), now) <= now);
        }
    }
}
