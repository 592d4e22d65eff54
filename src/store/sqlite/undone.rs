//! What an action undoes stands on what it undid, from the moment that it had an effect.
//!
//! It is derived from the undoing, and costs that nothing: what cannot be read any more is left as it is.

use super::rows::{self, to_json};
use super::{actions, bulks};
use crate::domain::action::Undone;
use crate::domain::{Action, ActionId};
use rusqlite::{Connection, Error, Result};

/// An undoing may be undone, and that again. Nobody does so as often: a store that leads on for ever was written by
/// somebody else.
const DEEPEST: usize = 64;

/// How an action stands was written: what it undoes follows, and what that had undone.
pub(super) fn follow(db: &Connection, action: &Action) -> Result<()> {
    let mut next = action.undoes;
    for _ in 0..DEEPEST {
        let Some(undoes) = next else { break };
        let Some(undone) = readable(actions::by_id(db, undoes))?.flatten() else { break };
        let by = newest_in_force(db, undoes)?;
        if by == undone.undone {
            break;
        }
        db.prepare_cached("UPDATE actions SET undone = ?2 WHERE id = ?1")?
            .execute((undoes.to_string(), by.as_ref().map(to_json).transpose()?))?;
        readable(bulks::undone(db, undoes))?;
        next = undone.undoes;
    }
    Ok(())
}

/// Nothing of a row that somebody damaged.
fn readable<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Err(Error::FromSqlConversionFailure(..) | Error::InvalidColumnType(..)) => Ok(None),
        read => read.map(Some),
    }
}

const UNDOING: &str = "SELECT * FROM actions INDEXED BY actions_undoes WHERE undoes = ?1 ORDER BY seq DESC";

fn newest_in_force(db: &Connection, undoes: ActionId) -> Result<Option<Undone>> {
    let mut statement = db.prepare_cached(UNDOING)?;
    for action in statement.query_map([undoes.to_string()], rows::action)? {
        if let Some(undone) = readable(action)?.as_ref().and_then(Undone::by) {
            return Ok(Some(undone));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> Connection {
        let mut db = Connection::open_in_memory().unwrap();
        crate::store::sqlite::migrate::STORE.migrate(&mut db).unwrap();
        db
    }

    fn id(n: u128) -> ActionId {
        ActionId(uuid::Uuid::from_u128(n))
    }

    fn keep(db: &Connection, (n, undoes): (u128, Option<u128>), outcome: &str, receipt: Option<&str>) {
        let request = r#"{"method":"POST","url":"https://a/invoke","headers":[],"body":""}"#;
        let actor = r#"{"user":"ops","host":"jump"}"#;
        db.execute(
            "INSERT INTO actions (id, flow, login, shown, verb, risk, evidence, outcome, receipt, request, actor, at, \
             owner, lease_until, undoes) \
             VALUES (?1, 'f', 'ann', 'ann', 'do', 'low', 'verified', ?2, ?3, ?4, ?5, 1700000000123456, 'o', 0, ?6)",
            (id(n).to_string(), outcome, receipt, request, actor, undoes.map(|n| id(n).to_string())),
        )
        .unwrap();
    }

    fn by(db: &Connection, n: u128) -> Option<ActionId> {
        actions::by_id(db, id(n)).unwrap().unwrap().undone.map(|undone| undone.by)
    }

    /// As an older version left them.
    #[test]
    fn what_an_older_version_kept_says_by_what_it_is_undone() {
        let mut db = store();
        let said = r#"{"headers":[],"body":"","word":{"said":"not-changed","actor":{},"at":"1970-01-01T00:00:00.000Z","reason":"x"}}"#;
        keep(&db, (1, None), "changed", None);
        keep(&db, (2, Some(1)), "accepted", None);
        keep(&db, (3, Some(1)), "refused", None);
        keep(&db, (4, None), "changed", None);
        keep(&db, (5, Some(4)), "changed", None);
        keep(&db, (6, Some(5)), "changed", None);
        keep(&db, (7, None), "changed", None);
        keep(&db, (8, Some(7)), "accepted", Some(said));
        db.execute_batch(
            "DROP INDEX actions_undoes; DROP INDEX bulk_users_undone; ALTER TABLE bulk_users DROP COLUMN undone; \
             ALTER TABLE actions DROP COLUMN undone; PRAGMA user_version = 15",
        )
        .unwrap();
        crate::store::sqlite::migrate::STORE.migrate(&mut db).unwrap();
        assert_eq!([1, 4, 5, 7].map(|n| by(&db, n)), [Some(id(2)), None, Some(id(6)), None]);
        let undone = actions::by_id(&db, id(1)).unwrap().unwrap().undone.unwrap();
        assert_eq!((undone.standing.as_str(), undone.at.as_millisecond()), ("accepted", 1_700_000_000_123));
    }

    #[test]
    fn a_row_that_somebody_damaged_keeps_no_receipt_out() {
        let db = store();
        for action in [(1, None), (2, Some(1)), (3, Some(1))] {
            keep(&db, action, "changed", None);
        }
        let undoing = |n| actions::by_id(&db, id(n)).unwrap().unwrap();
        let (second, third) = (undoing(2), undoing(3));
        db.execute("UPDATE actions SET risk = 'none at all' WHERE id = ?1", [id(3).to_string()]).unwrap();
        follow(&db, &second).unwrap();
        assert_eq!(by(&db, 1), Some(id(2)), "the other one is left out");
        db.execute("UPDATE actions SET risk = 'none at all' WHERE id = ?1", [id(1).to_string()]).unwrap();
        follow(&db, &third).unwrap();
    }

    #[test]
    fn what_undoes_is_found_by_what_it_undoes() {
        let db = store();
        let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {UNDOING}")).unwrap();
        let steps = statement.query_map(["x"], |row| row.get::<_, String>("detail")).unwrap();
        let plan: Vec<String> = steps.collect::<Result<_>>().unwrap();
        assert_eq!(plan, ["SEARCH actions USING INDEX actions_undoes (undoes=?)"]);
    }
}
