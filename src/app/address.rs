//! The users of an address, and on to each.

use super::effect::Effect;
use super::list::Cursor;
use super::marks::Marks;
use super::msg::Motion;
use super::state::{Awaited, Screen, State};
use crate::domain::Login;
use crate::domain::dossier::AddressUsers;
use jiff::Timestamp;

/// The screen of one address.
#[derive(Debug, Clone, PartialEq)]
pub struct AddressScreen {
    /// Which.
    pub address: String,
    /// Who was seen there; `None` while it is read.
    pub users: Option<AddressUsers>,
    /// When that was read.
    pub at: Option<Timestamp>,
    /// The selected user.
    pub cursor: Cursor<Login>,
    /// The users who are marked.
    pub marks: Marks,
}

impl AddressScreen {
    /// The users' logins.
    pub fn logins(&self) -> Vec<Login> {
        self.users.iter().flat_map(|users| &users.users).map(|user| user.login.clone()).collect()
    }

    /// The selected user.
    pub fn selected(&self) -> Option<Login> {
        let logins = self.logins();
        logins.get(self.cursor.index(&logins)).cloned()
    }
}

/// Opens an address.
pub fn open(state: &mut State, address: String) -> Vec<Effect> {
    state.stack.push(Screen::Address(Box::new(AddressScreen {
        address: address.clone(),
        users: None,
        at: None,
        cursor: Cursor::default(),
        marks: Marks::default(),
    })));
    load(state, address)
}

/// Reads an address's users.
pub fn load(state: &mut State, address: String) -> Vec<Effect> {
    let request = state.flights.open(Awaited::Address(address.clone()));
    vec![Effect::LoadAddress { request, address }]
}

/// The users came.
pub fn loaded(state: &mut State, address: &str, users: AddressUsers) {
    let now = state.now;
    for screen in &mut state.stack {
        match screen {
            Screen::Address(screen) if screen.address == address => {
                screen.users = Some(users.clone());
                screen.at = Some(now);
            }
            _ => {}
        }
    }
}

/// The cursor was moved.
pub fn moved(state: &mut State, motion: Motion) {
    let height = state.size.list_rows();
    state.rest_since = state.now;
    if let Some(Screen::Address(screen)) = state.stack.last_mut() {
        let logins = screen.logins();
        screen.cursor.go(motion, &logins, height);
    }
}
