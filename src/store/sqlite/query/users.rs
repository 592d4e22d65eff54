//! The plan of a query over the users of one event.

use super::{Keep, Plan, Walk, glob};
use crate::domain::EventId;
use crate::domain::query::UserTest;
use crate::store::UserQuery;
use rusqlite::types::Value;

/// One walk along the event's users in its own order; every test row by row. An event has as many users
/// as fit into one message, and a search stops for breath as every other does.
pub(in crate::store::sqlite) fn plan(event: EventId, query: &UserQuery) -> Plan {
    let mut keep = Keep::default();
    for (term, test) in query.tests() {
        let condition = condition(&mut keep, test);
        keep.and_term(term, condition);
    }
    let keys = vec![[Value::Null, Value::Integer(event.0)]];
    let walk = Walk { from: "event_users u", condition: "u.event = ?2", id: "u.position", keys };
    // Users have no severity of their own.
    keep.plan(walk, "0")
}

const LOGIN: &str = "(SELECT folded FROM logins WHERE id = u.login)";

fn condition(keep: &mut Keep, test: UserTest<'_>) -> String {
    match test {
        UserTest::Login(pattern) => format!("{LOGIN} GLOB {}", keep.arg(glob(pattern))),
        UserTest::State(state) => format!(
            "EXISTS (SELECT 1 FROM findings f WHERE f.id = u.finding AND f.state = {})",
            keep.arg(state.word().to_owned())
        ),
        UserTest::Words(words) => {
            let contains = |word: &str| format!("instr({LOGIN}, {}) > 0", keep.arg(word.to_lowercase()));
            let words: Vec<String> = words.split_whitespace().map(contains).collect();
            if words.is_empty() { "1".to_owned() } else { words.join(" AND ") }
        }
    }
}
