//! What an action undoes stands on what it undid, from the moment that it had an effect.

use super::rows::{self, to_json};
use super::{actions, bulks};
use crate::domain::action::Undone;
use crate::domain::{Action, ActionId};
use rusqlite::{Connection, Result};

/// An undoing may be undone, and that again. Nobody does so as often: a store that leads on for ever was written by
/// somebody else.
const DEEPEST: usize = 64;

/// How an action stands was written: what it undoes follows, and what that had undone.
pub(super) fn follow(db: &Connection, action: &Action) -> Result<()> {
    let mut next = action.undoes;
    for _ in 0..DEEPEST {
        let Some(undoes) = next else { break };
        let Some(undone) = actions::by_id(db, undoes)? else { break };
        let by = newest_in_force(db, undoes)?;
        if by == undone.undone {
            break;
        }
        db.prepare_cached("UPDATE actions SET undone = ?2 WHERE id = ?1")?
            .execute((undoes.to_string(), by.as_ref().map(to_json).transpose()?))?;
        bulks::undone(db, undoes)?;
        next = undone.undoes;
    }
    Ok(())
}

/// The same of every action that undoes one, for a store of an older version.
pub(super) fn follow_all(db: &Connection) -> Result<()> {
    let undoing: Vec<Action> = db
        .prepare("SELECT * FROM actions WHERE undoes IS NOT NULL ORDER BY seq")?
        .query_map([], rows::action)?
        .collect::<Result<_>>()?;
    undoing.iter().try_for_each(|action| follow(db, action))
}

const UNDOING: &str = "SELECT * FROM actions INDEXED BY actions_undoes WHERE undoes = ?1 ORDER BY seq DESC";

fn newest_in_force(db: &Connection, undoes: ActionId) -> Result<Option<Undone>> {
    let mut statement = db.prepare_cached(UNDOING)?;
    let mut undoing = statement.query_map([undoes.to_string()], rows::action)?;
    undoing.find_map(|action| action.map(|action| Undone::by(&action)).transpose()).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As an older version left them: what undid the first was undone, and that again.
    #[test]
    fn what_an_older_version_kept_says_by_what_it_is_undone() {
        let mut db = Connection::open_in_memory().unwrap();
        crate::store::sqlite::migrate::STORE.migrate(&mut db).unwrap();
        let id = |n: u128| ActionId(uuid::Uuid::from_u128(n));
        for (n, undoes) in [(1, None), (2, Some(1)), (3, Some(2)), (4, Some(3))] {
            let request = r#"{"method":"POST","url":"https://a/invoke","headers":[],"body":""}"#;
            let actor = r#"{"user":"ops","host":"jump"}"#;
            db.execute(
                "INSERT INTO actions (id, flow, login, shown, verb, risk, evidence, outcome, request, actor, at, \
                 owner, lease_until, undoes) \
                 VALUES (?1, 'f', 'ann', 'ann', 'do', 'low', 'verified', 'changed', ?2, ?3, ?4, 'o', 0, ?5)",
                (id(n).to_string(), request, actor, 1_000, undoes.map(|n| id(n).to_string())),
            )
            .unwrap();
        }
        follow_all(&db).unwrap();
        let by = |n| actions::by_id(&db, id(n)).unwrap().unwrap().undone.map(|undone| undone.by);
        assert_eq!([1, 2, 3, 4].map(by), [Some(id(2)), None, Some(id(4)), None]);
    }

    #[test]
    fn what_undoes_is_found_by_what_it_undoes() {
        let mut db = Connection::open_in_memory().unwrap();
        crate::store::sqlite::migrate::STORE.migrate(&mut db).unwrap();
        let plan: String =
            db.query_row(&format!("EXPLAIN QUERY PLAN {UNDOING}"), ["x"], |row| row.get("detail")).unwrap();
        assert!(plan.contains("INDEX actions_undoes (undoes=?)"), "{plan}");
    }
}
