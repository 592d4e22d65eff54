//! Logins by how they begin: what somebody may have meant who typed one that nobody has.
//!
//! Those that begin most alike stand next to it in the index, so a few rows above and below it are
//! enough, however many logins there are.

use crate::domain::Login;
use rusqlite::{Connection, Result};

/// From a login on, each as it first came with a finding.
const ABOVE: &str = "SELECT coalesce((SELECT f.shown FROM findings f INDEXED BY findings_login \
    WHERE f.login = l.id LIMIT 1), l.folded) FROM logins l WHERE l.folded >= ?1 ORDER BY l.folded LIMIT ?2";
const BELOW: &str = "SELECT coalesce((SELECT f.shown FROM findings f INDEXED BY findings_login \
    WHERE f.login = l.id LIMIT 1), l.folded) FROM logins l WHERE l.folded < ?1 ORDER BY l.folded DESC LIMIT ?2";

/// The logins next to one, at most so many of either side; itself among them where it is known.
pub(super) fn beside(db: &Connection, login: &Login, of_a_side: usize) -> Result<Vec<Login>> {
    let mut found = Vec::new();
    for side in [ABOVE, BELOW] {
        let mut statement = db.prepare_cached(side)?;
        let rows = statement.query_map((login.folded(), super::rows::sized(of_a_side)), |row| {
            Ok(Login::new(&row.get::<_, String>(0)?))
        })?;
        for row in rows {
            found.push(row?);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::migrate::STORE;

    #[test]
    fn neither_side_sorts_or_scans() {
        let mut db = Connection::open_in_memory().unwrap();
        STORE.migrate(&mut db).unwrap();
        for side in [ABOVE, BELOW] {
            let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {side}")).unwrap();
            let steps = statement.raw_query().mapped(|row| row.get::<_, String>("detail"));
            let steps: Vec<String> = steps.collect::<Result<_>>().unwrap();
            let is_bounded = |step: &String| !step.starts_with("SCAN") && !step.contains("TEMP B-TREE");
            assert!(steps.iter().all(is_bounded), "{steps:#?}");
            assert!(
                steps.iter().any(|step| step.contains("logins") || step.contains("SEARCH l")),
                "{steps:#?}"
            );
        }
    }
}
