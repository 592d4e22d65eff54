//! Inbox → events, users, findings, kept counts: in slices that are short enough to wait for.
//!
//! A slice is one transaction. Small elements go first; a large one is begun with them (its row is in
//! the feed at once) and its users follow, a slice at a time, when nothing fresh waits. What is not yet
//! expanded stands in the inbox with how far it is, so that a crash, or another process doing the same,
//! costs nothing: the row is read again inside the transaction.
//!
//! Each element has a savepoint. One that cannot be expanded is put aside whole and shown in health;
//! it never fails its neighbours. If the machine fails instead (a full disk), the slice is given up and
//! tried again later.

use super::drops;
use super::events::{self, Named};
use super::failure::is_of_the_machine;
use super::findings::{self, Sighting};
use super::inbox::{self, Waiting};
use super::savepoint::{Item, savepoint};
use super::tally::{self, Tally};
use crate::domain::counts::StateCounts;
use crate::domain::{DecodedEvent, EventKind};
use crate::store::{Decode, Decoded, Imported, InboxItem};
use rusqlite::{Connection, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Each so-manieth go is a large element's, whatever fresh ones wait.
const TURN_OF_LARGE: usize = 8;

/// Whether there is more to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// The inbox is empty.
    Nothing,
    /// There may be more.
    More,
}

/// A large element, decoded once and kept while it is sliced. One at a time: memory stays bounded.
#[derive(Debug)]
struct Large {
    id: i64,
    item: InboxItem,
    event: DecodedEvent,
}

/// Expands the inbox, slice by slice.
#[derive(Debug)]
pub(super) struct Expander {
    decode: Arc<dyn Decode>,
    slice: usize,
    large: Option<Large>,
    /// Goes so far.
    goes: usize,
}

/// What an element became.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Became {
    /// A new event, with this many of its users.
    New(usize),
    /// One more delivery of a known one.
    Repeat,
    /// Nothing: it was left out and counted.
    Dropped,
    /// Nothing: it was put aside.
    SetAside,
}

impl Became {
    fn users(self) -> usize {
        match self {
            Became::New(users) => users,
            Became::Repeat | Became::Dropped | Became::SetAside => 0,
        }
    }
}

/// Why an element was not expanded.
enum Trouble {
    /// It is its own fault.
    Bad(String),
    /// SQLite refused.
    Sql(rusqlite::Error),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Trouble::Sql(error)
    }
}

impl Expander {
    pub(super) fn new(decode: Arc<dyn Decode>, slice: usize) -> Expander {
        Expander { decode, slice: slice.max(1), large: None, goes: 0 }
    }

    /// Expands one slice inside the caller's transaction: that many elements and users together, and no more
    /// than `most` elements. The first users of a large one are not fewer for that: whoever is told of it is
    /// told of them.
    pub(super) fn step(&mut self, db: &Connection, most: usize) -> Result<Left> {
        self.goes += 1;
        // Where fresh ones never end, those that are begun would never be.
        if self.goes.is_multiple_of(TURN_OF_LARGE) && inbox::oldest_begun(db)?.is_some() {
            return self.slice_of_large(db, self.slice);
        }
        let mut budget = self.slice;
        for _ in 0..most {
            if budget == 0 {
                break;
            }
            let Some(waiting) = inbox::oldest_fresh(db)? else { return self.slice_of_large(db, budget) };
            let users = self.begin(db, waiting, budget)?;
            budget = budget.saturating_sub(1 + users);
        }
        Ok(Left::More)
    }

    /// Forgets what is in memory: a slice was rolled back.
    pub(super) fn rolled_back(&mut self) {
        self.large = None;
    }

    /// Puts elements in and expands each at once, inside the caller's transaction. Of a large one only the first
    /// slice: the rest follows as that of any other does.
    pub(super) fn import(&mut self, db: &Connection, items: Vec<InboxItem>) -> Result<Imported> {
        let mut imported = Imported::default();
        for item in items {
            inbox::append(db, std::slice::from_ref(&item))?;
            let waiting = Waiting { id: db.last_insert_rowid(), item };
            *match self.enter(db, &waiting, self.slice)?.0 {
                Became::New(_) => &mut imported.new,
                Became::Repeat => &mut imported.repeated,
                Became::Dropped => &mut imported.dropped,
                Became::SetAside => &mut imported.set_aside,
            } += 1;
        }
        Ok(imported)
    }

    /// Begins an element, and ends it if it is small. Returns how many users it took.
    fn begin(&mut self, db: &Connection, waiting: Waiting, budget: usize) -> Result<usize> {
        let (became, event) = self.enter(db, &waiting, budget)?;
        let used = became.users();
        let is_large = event.as_ref().is_some_and(|event| used < event.users.len() && used > 0);
        if let (true, None, Some(event)) = (is_large, &self.large, event) {
            self.large = Some(Large { id: waiting.id, item: waiting.item, event });
        }
        Ok(used)
    }

    /// Takes an element in, and says what it became and, if that is an event, which.
    fn enter(
        &self,
        db: &Connection,
        waiting: &Waiting,
        budget: usize,
    ) -> Result<(Became, Option<DecodedEvent>)> {
        let Waiting { id, item } = waiting;
        let mut entered = (Became::SetAside, None);
        self.guarded(db, *id, |expander| {
            entered = match expander.decoded(item)? {
                Decoded::Event(event) => (enter(db, *id, item, &event, budget)?, Some(*event)),
                Decoded::Dropped(reason) => {
                    drops::count_one(db, &reason, item.received)?;
                    inbox::remove(db, *id)?;
                    (Became::Dropped, None)
                }
            };
            Ok(())
        })?;
        Ok(entered)
    }

    /// The next slice of a large element.
    fn slice_of_large(&mut self, db: &Connection, budget: usize) -> Result<Left> {
        let Some(large) = self.next_large(db)? else { return Ok(Left::Nothing) };
        let mut is_done = false;
        self.guarded(db, large.id, |_| {
            is_done = follow(db, &large, budget)?;
            Ok(())
        })?;
        if !is_done {
            self.large = Some(large);
        }
        Ok(Left::More)
    }

    /// The large element in memory if it is still there, else the next one in the inbox.
    fn next_large(&mut self, db: &Connection) -> Result<Option<Large>> {
        if let Some(large) = self.large.take()
            && inbox::progress(db, large.id)?.is_some()
        {
            return Ok(Some(large));
        }
        while let Some(id) = inbox::oldest_begun(db)? {
            let Some(Waiting { id, item }) = inbox::at(db, id)? else { return Ok(None) };
            let event = match self.begun(&item) {
                Ok(event) => as_it_was_begun(db, id, event)?,
                Err(trouble) => Err(trouble),
            };
            match event {
                Ok(event) => return Ok(Some(Large { id, item, event })),
                Err(trouble) => give_up(db, id, trouble)?,
            }
        }
        Ok(None)
    }

    /// Runs the work of one element in a savepoint; puts the element aside if it is at fault.
    fn guarded(
        &self,
        db: &Connection,
        id: i64,
        work: impl FnOnce(&Expander) -> std::result::Result<(), Trouble>,
    ) -> Result<()> {
        let mut trouble = None;
        let kept = savepoint(db, || match work(self) {
            Ok(()) => Item::Keep,
            Err(error) => {
                trouble = Some(error);
                Item::Undo
            }
        });
        match (trouble, kept) {
            (None, kept) => kept,
            (Some(trouble), Ok(())) => give_up(db, id, trouble),
            // A full disk takes the whole transaction, savepoints too: the first error is the cause.
            (Some(Trouble::Sql(error)), Err(_)) | (Some(Trouble::Bad(_)), Err(error)) => Err(error),
        }
    }

    fn decoded(&self, item: &InboxItem) -> std::result::Result<Decoded, Trouble> {
        unbroken(item, || self.decode.decode(item))
    }

    fn begun(&self, item: &InboxItem) -> std::result::Result<DecodedEvent, Trouble> {
        unbroken(item, || self.decode.decode_begun(item))
    }
}

/// A decoder is meant never to fail; if one panics, its element is at fault and not the writer.
fn unbroken<T>(item: &InboxItem, decode: impl FnOnce() -> T) -> std::result::Result<T, Trouble> {
    catch_unwind(AssertUnwindSafe(decode))
        .map_err(|_| Trouble::Bad(format!("the decoder of `{}` broke on it", item.source_type)))
}

/// The rest of a large element whose event is there, as its first users were taken in: what it is called
/// and how bad it is was decided with them, whatever the rules and the tables say by now. Where it names
/// other users by now, nobody can say which of them are missing: it is put aside whole.
fn as_it_was_begun(
    db: &Connection,
    id: i64,
    mut event: DecodedEvent,
) -> Result<std::result::Result<DecodedEvent, Trouble>> {
    let Some((written, _)) = inbox::progress(db, id)? else { return Ok(Ok(event)) };
    let Some(row) = super::rows::event_by_id(db, written)? else { return Ok(Ok(event)) };
    if row.user_count != event.users.len() as u64 || !event.users.starts_with(&row.first_users) {
        let why = format!(
            "only some of its {} users are expanded: it names {} others by now",
            row.user_count,
            event.users.len()
        );
        return Ok(Err(Trouble::Bad(why)));
    }
    event.opens_findings = match row.kind {
        EventKind::Log | EventKind::Execution => row.findings.total() > 0,
        kind if kind == event.kind => event.opens_findings,
        kind => kind.opens_findings(),
    };
    (event.kind, event.check, event.severity, event.published) =
        (row.kind, row.check, row.severity, row.published);
    Ok(Ok(event))
}

fn give_up(db: &Connection, id: i64, trouble: Trouble) -> Result<()> {
    match trouble {
        Trouble::Sql(error) if is_of_the_machine(&error) => Err(error),
        Trouble::Sql(error) => inbox::set_aside(db, id, &error.to_string()),
        Trouble::Bad(why) => inbox::set_aside(db, id, &why),
    }
}

/// Writes an event and its first users, or counts a repeat.
fn enter(db: &Connection, id: i64, item: &InboxItem, event: &DecodedEvent, budget: usize) -> Result<Became> {
    let key = event.key.as_str();
    if let Some(known) = events::of_key(db, key)? {
        events::came_again(db, known, item)?;
        inbox::remove(db, id)?;
        return Ok(Became::Repeat);
    }
    if events::is_digest(db, key)? {
        tally::event_seen(db, item)?;
        inbox::remove(db, id)?;
        return Ok(Became::Repeat);
    }
    let written = events::insert(db, item, event)?;
    expand_users(db, written, item, event, 0, budget)?;
    advance(db, id, written, event, budget)?;
    Ok(Became::New(budget.min(event.users.len())))
}

/// The next users of a large element. Returns whether it is done.
fn follow(db: &Connection, large: &Large, budget: usize) -> Result<bool> {
    let Some((event, from)) = inbox::progress(db, large.id)? else { return Ok(true) };
    expand_users(db, event, &large.item, &large.event, from, budget)?;
    advance(db, large.id, event, &large.event, from.saturating_add(budget))
}

/// Notes how many users are done, or takes the element out after the last. Returns whether it is done.
fn advance(db: &Connection, id: i64, event: i64, decoded: &DecodedEvent, done: usize) -> Result<bool> {
    let is_done = done >= decoded.users.len();
    if is_done {
        inbox::remove(db, id)?
    } else {
        inbox::set_progress(db, id, event, done)?
    }
    Ok(is_done)
}

fn expand_users(
    db: &Connection,
    event: i64,
    item: &InboxItem,
    decoded: &DecodedEvent,
    from: usize,
    n: usize,
) -> Result<()> {
    let check = (&decoded.check, events::check_ref(db, &decoded.check)?);
    let (mut tally, mut counts) = (Tally::default(), StateCounts::default());
    for (position, shown) in decoded.users.iter().enumerate().skip(from).take(n) {
        let login = events::login_ref(db, shown)?;
        let mut finding = None;
        if decoded.opens_findings && !shown.is_empty() {
            // What says that it comes from the future would decide until then: it counts from its arrival.
            let at = decoded.published.map_or(item.received, |published| published.min(item.received));
            let severity = decoded.severity;
            let (source, received) = (&item.source.0, item.received);
            let seen = findings::see(
                db,
                &Sighting { event, login, shown, check, severity, at, received, source },
                &mut tally,
            )?;
            finding = Some(seen.id);
            if let Some(state) = seen.counted {
                counts.add(state, 1);
            }
        }
        let severity = decoded.severity.rank();
        events::insert_user(db, &Named { event, position, severity, login: login.0, shown, finding })?;
    }
    tally::add_to_event(db, event, &counts)?;
    tally.write(db)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::SourceName;
    use crate::domain::{EventKey, Login, Severity};
    use crate::store::sqlite::migrate::STORE;

    /// The raw text is `id users`: that many users fail.
    #[derive(Debug)]
    struct Counting;

    impl Decode for Counting {
        fn decode(&self, item: &InboxItem) -> Decoded {
            match item.raw.strip_prefix("drop ") {
                Some(reason) => Decoded::Dropped(reason.to_owned()),
                None => Decoded::Event(Box::new(self.decode_begun(item))),
            }
        }

        fn decode_begun(&self, item: &InboxItem) -> DecodedEvent {
            let (id, users) = item.raw.split_once(' ').unwrap();
            let mut event = DecodedEvent::new(EventKey::from(id.to_owned()), EventKind::FailedCheck);
            event.severity = Severity::High;
            event.users = (0..users.parse().unwrap()).map(|n| Login::new(&format!("user{n}"))).collect();
            event
        }
    }

    /// The same elements after the rules and the tables were changed: other severities, another check, no
    /// findings, and everything is left out.
    #[derive(Debug)]
    struct Changed;

    impl Decode for Changed {
        fn decode(&self, _: &InboxItem) -> Decoded {
            Decoded::Dropped("all".to_owned())
        }

        fn decode_begun(&self, item: &InboxItem) -> DecodedEvent {
            let mut event = Counting.decode_begun(item);
            event.kind = EventKind::Log;
            event.severity = Severity::Low;
            event.check.id = "another".into();
            event.opens_findings = false;
            event
        }
    }

    #[test]
    fn what_is_begun_ends_as_it_began_whatever_changed_meanwhile() {
        let db = store(&["large 35", "small 1"]);
        expander().step(&db, usize::MAX).unwrap();
        let mut changed = Expander::new(Arc::new(Changed), 10);
        while changed.step(&db, usize::MAX).unwrap() == Left::More {}
        assert_eq!((open(&db), inbox::pending(&db).unwrap()), (vec![35], 0));
        assert_eq!(drops::all(&db).unwrap()[0].times, 1, "what was not begun is left out");
        let one = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(one("SELECT count(DISTINCT severity || check_ref) FROM findings"), 1);
        assert_eq!(one("SELECT count(*) FROM event_logins WHERE severity = 4"), 35);
    }

    fn store(raw: &[&str]) -> Connection {
        let mut db = Connection::open_in_memory().unwrap();
        STORE.migrate(&mut db).unwrap();
        inbox::append(&db, &raw.iter().map(|raw| item(raw)).collect::<Vec<_>>()).unwrap();
        db
    }

    fn item(raw: &str) -> InboxItem {
        InboxItem {
            source: SourceName("s".to_owned()),
            source_type: "t".to_owned(),
            received: jiff::Timestamp::UNIX_EPOCH,
            raw: raw.into(),
        }
    }

    fn expander() -> Expander {
        Expander::new(Arc::new(Counting), 10)
    }

    /// How many findings are open in each event.
    fn open(db: &Connection) -> Vec<i64> {
        let mut statement = db.prepare("SELECT open FROM events ORDER BY id").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_>>().unwrap()
    }

    /// The same elements after a mapping was changed: other users.
    #[derive(Debug)]
    struct Otherwise;

    impl Decode for Otherwise {
        fn decode(&self, item: &InboxItem) -> Decoded {
            Decoded::Event(Box::new(self.decode_begun(item)))
        }

        fn decode_begun(&self, item: &InboxItem) -> DecodedEvent {
            let mut event = Counting.decode_begun(item);
            event.users.insert(0, Login::new("actor"));
            event
        }
    }

    #[test]
    fn what_names_others_by_now_is_put_aside_and_nobody_goes_in_silence() {
        let db = store(&["large 35", "small 1"]);
        expander().step(&db, usize::MAX).unwrap();
        let mut changed = Expander::new(Arc::new(Otherwise), 10);
        while changed.step(&db, usize::MAX).unwrap() == Left::More {}
        assert_eq!((open(&db), inbox::pending(&db).unwrap()), (vec![10, 2], 0));
        let problems = inbox::problems(&db).unwrap();
        assert!(problems[0].line().contains("only some of its 35 users"), "{}", problems[0].line());
    }

    #[test]
    fn a_large_element_ends_though_fresh_ones_never_do() {
        let db = store(&["large 35"]);
        let mut expander = expander();
        for go in 0..8 * TURN_OF_LARGE {
            let item = item(&format!("fresh{go} 1"));
            inbox::append(&db, &[item.clone(), item]).unwrap();
            expander.step(&db, 1).unwrap();
        }
        assert_eq!(open(&db)[0], 35);
        assert!(inbox::pending(&db).unwrap() > 0, "they never ended");
    }

    #[test]
    fn few_elements_are_few_and_have_all_their_first_users() {
        let db = store(&["a 1", "large 35", "b 1", "c 1"]);
        let mut expander = expander();
        assert_eq!(expander.step(&db, 2).unwrap(), Left::More);
        assert_eq!(open(&db), [1, 8], "two of them, within a slice");
        expander.step(&db, 1).unwrap();
        assert_eq!(open(&db), [1, 8, 1]);
        while expander.step(&db, 1).unwrap() == Left::More {}
        assert_eq!((open(&db), inbox::pending(&db).unwrap()), (vec![1, 35, 1, 1], 0));
    }

    #[test]
    fn small_elements_go_before_the_slices_of_large_ones() {
        let db = store(&["large 35", "a 1", "b 1"]);
        let mut expander = expander();
        assert_eq!(expander.step(&db, usize::MAX).unwrap(), Left::More);
        assert_eq!(open(&db), [10], "the large one is begun");
        expander.step(&db, usize::MAX).unwrap();
        assert_eq!(open(&db), [16, 1, 1], "the small ones, then what is left of the slice");
        while expander.step(&db, usize::MAX).unwrap() == Left::More {}
        assert_eq!(open(&db), [35, 1, 1]);
        assert_eq!(inbox::pending(&db).unwrap(), 0);
    }

    #[test]
    fn an_import_says_what_became_of_each_element() {
        let db = store(&[]);
        db.execute("INSERT INTO digests VALUES ('gone')", []).unwrap();
        let items = ["a 35", "a 35", "drop noise", "bad", "gone 1", "b 0", "drop noise"].map(item);
        let imported = expander().import(&db, items.to_vec()).unwrap();
        assert_eq!(imported, Imported { new: 2, repeated: 2, dropped: 2, set_aside: 1 });
        assert_eq!(
            (open(&db), inbox::pending(&db).unwrap()),
            (vec![10, 0], 1),
            "no commit is longer than a slice"
        );
        let mut rest = expander();
        while rest.step(&db, usize::MAX).unwrap() == Left::More {}
        assert_eq!((open(&db), inbox::pending(&db).unwrap()), (vec![35, 0], 0));
        let drops = drops::all(&db).unwrap();
        assert_eq!((drops[0].reason.as_str(), drops[0].times), ("noise", 2));
    }

    #[test]
    fn another_expander_goes_on_where_one_stopped() {
        let db = store(&["large 35", "large 35", "other 25"]);
        let (mut one, mut two) = (expander(), expander());
        one.step(&db, usize::MAX).unwrap();
        for _ in 0..10 {
            two.step(&db, usize::MAX).unwrap();
            one.step(&db, usize::MAX).unwrap();
        }
        assert_eq!(open(&db), [35, 25]);
        let times: i64 = db.query_row("SELECT times FROM events WHERE id = 1", [], |row| row.get(0)).unwrap();
        assert_eq!(times, 2);
        let counted: i64 = db.query_row("SELECT sum(times) FROM findings", [], |row| row.get(0)).unwrap();
        assert_eq!(counted, 60);
    }

    /// The raw text is `id severity published`.
    #[derive(Debug)]
    struct Dated;

    impl Decode for Dated {
        fn decode(&self, item: &InboxItem) -> Decoded {
            Decoded::Event(Box::new(self.decode_begun(item)))
        }

        fn decode_begun(&self, item: &InboxItem) -> DecodedEvent {
            let parts: Vec<&str> = item.raw.split(' ').collect();
            let mut event = DecodedEvent::new(EventKey::from(parts[0].to_owned()), EventKind::FailedCheck);
            event.severity = if parts[1] == "low" { Severity::Low } else { Severity::Critical };
            event.published = Some(second(parts[2].parse().unwrap()));
            event.check.id = "no-mfa".into();
            event.check.title = parts[0].into();
            event.users = vec![Login::new("ann")];
            event
        }
    }

    fn second(second: i64) -> jiff::Timestamp {
        jiff::Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn what_says_it_comes_from_the_future_decides_for_no_longer_than_now() {
        let db = store(&[]);
        let mut expander = Expander::new(Arc::new(Dated), 10);
        let mut take = |received: i64, raw: &str| {
            let received = second(received);
            let source = SourceName("s".to_owned());
            let item = InboxItem { source, source_type: "t".to_owned(), received, raw: raw.into() };
            assert_eq!(expander.import(&db, vec![item]).unwrap().new, 1);
        };
        let finding = || super::super::rows::finding_by_id(&db, 1).unwrap().unwrap();
        take(100, "future low 9000");
        assert_eq!(finding().last_seen, second(100));
        take(200, "next critical 150");
        assert_eq!((finding().severity, finding().check.title.raw()), (Severity::Critical, "next"));
        db.execute(
            "UPDATE findings SET state = 'closed', closed_at = 300000000, disposition = 'true-positive'",
            [],
        )
        .unwrap();
        take(250, "future-again low 9000");
        assert_eq!(finding().state, crate::domain::FindingState::Closed);
        let first: i64 =
            db.query_row("SELECT published FROM events WHERE id = 1", [], |row| row.get(0)).unwrap();
        assert_eq!(first, second(9_000).as_microsecond(), "the event keeps what it says");
    }

    #[test]
    fn a_bad_element_is_put_aside_and_its_neighbours_are_not() {
        let db = store(&["good 1", "bad", "better 1"]);
        let mut expander = expander();
        while expander.step(&db, usize::MAX).unwrap() == Left::More {}
        assert_eq!(open(&db), [1, 1]);
        assert_eq!(inbox::problems(&db).unwrap().len(), 1);
        assert_eq!(inbox::pending(&db).unwrap(), 0);
    }
}
