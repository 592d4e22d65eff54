//! The screen of one event with very many users, without a runtime or a terminal.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "app_support/mod.rs"]
#[expect(dead_code, reason = "shared with the tests of the state machine, which use all of it")]
mod app;

use app::Desk;
use idtriage::app::event::EventScreen;
use idtriage::app::msg::Motion;
use idtriage::app::{Answer, Effect, Msg, RequestId, Screen};
use idtriage::domain::event::{Detail, EventDetail};
use idtriage::domain::page::{EventUser, From, Page};
use idtriage::domain::query::UserQuery;
use idtriage::domain::time::Zone;
use idtriage::domain::{Event, Login};
use serde_json::json;

/// An open event, and the list of its users that it is answered from.
struct Crowd {
    desk: Desk,
    users: usize,
    /// Which users match the filter in force.
    matches: fn(usize) -> bool,
    /// How many users a search looks at before it says "more".
    breath: usize,
    /// Effects not answered yet.
    asked: Vec<Effect>,
    pages: usize,
    /// About how many users it was asked what the message says.
    said: Vec<usize>,
}

impl Crowd {
    fn of(users: usize) -> Crowd {
        let mut desk = Desk::settled(1);
        desk.stand();
        let asked = desk.send(Msg::Opened);
        let (matches, breath): (fn(usize) -> bool, usize) = (|_| true, usize::MAX);
        let mut crowd = Crowd { desk, users, matches, breath, asked, pages: 0, said: Vec::new() };
        crowd.answer_all();
        crowd
    }

    fn send(&mut self, msg: Msg) {
        let effects = self.desk.send(msg);
        for effect in &effects {
            if let Effect::Cancel(request) = effect {
                self.asked.retain(|asked| app::request_of(asked) != Some(*request));
            }
        }
        self.asked.extend(effects);
    }

    fn moved(&mut self, motion: Motion) {
        self.send(Msg::CursorMoved(motion));
        self.answer_all();
    }

    fn filtered(&mut self, text: &str, matches: fn(usize) -> bool) {
        self.matches = matches;
        self.send(Msg::UsersFiltered(UserQuery::parse(text).unwrap()));
        self.answer_all();
    }

    fn answer_all(&mut self) {
        while !self.asked.is_empty() {
            let effect = self.asked.remove(0);
            if let Some((request, answer)) = self.answer(effect) {
                self.send(Msg::Answered(request, answer));
            }
            assert!(self.pages < 1_000, "it asks for ever");
        }
    }

    fn answer(&mut self, effect: Effect) -> Option<(RequestId, Answer)> {
        match effect {
            Effect::LoadEvent { request, .. } => {
                Some((request, Answer::Event(Ok(Some(Box::new(detail(self.users)))))))
            }
            Effect::LoadEventUsers { request, from, limit, .. } => {
                self.pages += 1;
                Some((request, Answer::EventUsers(Ok(self.page(from, limit)))))
            }
            Effect::LoadSaid { request, logins, .. } => {
                self.said.push(logins.len());
                let detail = |login: &Login| Detail { key: "about".into(), value: json!(login.raw()) };
                let said = logins.iter().map(|login| (login.clone(), vec![detail(login)]));
                Some((request, Answer::Said(Ok(said.collect()))))
            }
            _ => None,
        }
    }

    fn page(&self, from: From<usize>, limit: usize) -> Page<EventUser> {
        let walk: Box<dyn Iterator<Item = usize>> = match from {
            From::Newest => Box::new(0..self.users),
            From::Before(at) => Box::new(at + 1..self.users),
            From::After(at) => Box::new((0..at).rev()),
            From::Oldest => Box::new((0..self.users).rev()),
        };
        let (mut rows, mut next) = (Vec::new(), None);
        let mut last = None;
        for (looked, at) in walk.enumerate() {
            if rows.len() == limit || looked == self.breath {
                next = last;
                break;
            }
            rows.extend((self.matches)(at).then(|| user(at)));
            last = Some(at);
        }
        if matches!(from, From::After(_) | From::Oldest) {
            rows.reverse();
        }
        Page { rows, next }
    }

    fn screen(&self) -> &EventScreen {
        match self.desk.state.stack.last() {
            Some(Screen::Event(screen)) => screen,
            other => panic!("{other:?}"),
        }
    }

    fn selected(&self) -> usize {
        self.screen().selected().unwrap().position
    }

    fn held(&self) -> usize {
        self.screen().users.rows.len()
    }
}

fn user(position: usize) -> EventUser {
    EventUser { position, login: Login::new(&format!("user{position}@example.com")), finding: None }
}

fn detail(users: usize) -> EventDetail {
    EventDetail {
        event: Event { user_count: users as u64, ..app::event(1) },
        description: Vec::new(),
        recommended_actions: Vec::new(),
        reference_url: None,
        raw: None,
    }
}

#[test]
fn either_end_of_fifty_thousand_users_is_one_page_away() {
    let mut crowd = Crowd::of(50_000);
    assert_eq!((crowd.selected(), crowd.held(), crowd.pages), (0, 200, 1));
    crowd.moved(Motion::End);
    assert_eq!((crowd.selected(), crowd.held(), crowd.pages), (49_999, 200, 2));
    crowd.moved(Motion::Up);
    assert_eq!(crowd.selected(), 49_998);
    crowd.moved(Motion::Top);
    assert_eq!((crowd.selected(), crowd.pages), (0, 3));
}

#[test]
fn what_is_held_is_bounded_whichever_way_one_goes() {
    let mut crowd = Crowd::of(5_000);
    for (motion, step) in [(Motion::Down, 1), (Motion::HalfDown, 17)] {
        for _ in 0..(2_500 / step) {
            crowd.moved(motion);
            assert!(crowd.held() <= 1_000);
        }
    }
    let far = crowd.selected();
    assert!(far > 4_900, "{far}");
    for expected in (far - 2_000..far).rev() {
        crowd.moved(Motion::Up);
        assert_eq!(crowd.selected(), expected);
        assert!(crowd.held() <= 1_000);
    }
}

#[test]
fn whoever_goes_on_by_hand_is_not_carried_off() {
    let mut crowd = Crowd::of(50_000);
    crowd.send(Msg::CursorMoved(Motion::End));
    crowd.moved(Motion::Down);
    assert_eq!(crowd.selected(), 1);
}

#[test]
fn a_filter_looks_on_until_the_screen_is_full_and_goes_with_escape() {
    let mut crowd = Crowd::of(50_000);
    crowd.moved(Motion::End);
    crowd.breath = 5_000;
    crowd.filtered("user:*77@*", |at| at % 1_000 == 77);
    assert_eq!((crowd.selected(), crowd.held()), (77, 50), "all that match");
    crowd.moved(Motion::End);
    assert_eq!(crowd.selected(), 49_077);
    crowd.matches = |_| true;
    crowd.send(Msg::WentBack);
    crowd.answer_all();
    assert!(crowd.screen().query.is_empty());
    assert_eq!((crowd.selected(), crowd.held()), (0, 200));
    crowd.send(Msg::WentBack);
    assert!(crowd.desk.state.stack.is_empty());
}

#[test]
fn news_of_the_store_are_read_for_the_users_that_are_held() {
    let mut crowd = Crowd::of(50_000);
    crowd.moved(Motion::End);
    crowd.send(Msg::StoreChanged(Default::default()));
    let is_again = |effect: &Effect| {
        matches!(effect, Effect::LoadEventUsers { from: From::Before(49_799), limit: 200, .. })
    };
    assert!(crowd.asked.iter().any(is_again), "{:?}", crowd.asked);
    let users = |crowd: &Crowd| {
        crowd.asked.iter().filter(|effect| matches!(effect, Effect::LoadEventUsers { .. })).count()
    };
    crowd.send(Msg::StoreChanged(Default::default()));
    assert_eq!(users(&crowd), 1, "one reading at a time");
    let pages = crowd.pages;
    crowd.answer_all();
    assert_eq!(crowd.pages, pages + 2, "what was said meanwhile is read afterwards");
    assert_eq!(crowd.selected(), 49_999);
}

#[test]
fn whoever_begins_to_match_above_the_first_comes_in_too() {
    let mut crowd = Crowd::of(500);
    crowd.filtered("state:claimed", |at| at == 5);
    assert_eq!((crowd.selected(), crowd.held()), (5, 1));
    crowd.matches = |at| at == 5 || at == 2;
    crowd.send(Msg::StoreChanged(Default::default()));
    crowd.answer_all();
    assert_eq!(crowd.held(), 2);
}

#[test]
fn what_the_message_says_is_read_for_those_around_the_cursor() {
    let mut crowd = Crowd::of(50_000);
    assert_eq!(crowd.said, [200]);
    let login = |at: usize| Login::new(&format!("user{at}@example.com"));
    let said = |crowd: &Crowd, at| crowd.screen().said.texts(&login(at)).first().map(ToString::to_string);
    assert_eq!(said(&crowd, 0).as_deref(), Some("about: user0@example.com"));
    crowd.moved(Motion::Down);
    assert_eq!(crowd.said.len(), 1, "it is known");
    crowd.moved(Motion::End);
    assert_eq!(crowd.said, [200, 101]);
    assert_eq!(said(&crowd, 49_999).as_deref(), Some("about: user49999@example.com"));
    let lines = crowd.screen().lines(60, &Zone::Utc);
    assert!(format!("{lines:?}").contains("Said of user49999@example.com"));
}
