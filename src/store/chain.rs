//! Whether the journal that a store keeps holds.

use super::{Store, StoreError};
pub use crate::domain::journal::Verdict;
use crate::domain::journal::{Broken, Damage, Head, Record, Verifier};

/// Records read at once: a long journal need not be in memory.
const AT_ONCE: usize = 1_000;

/// Goes through the whole journal; `kept` is a head that was noted elsewhere.
///
/// # Errors
/// What the store says of itself, not of a record.
pub async fn verify(store: &dyn Store, kept: Option<Head>) -> Result<Verdict, StoreError> {
    let mut verifier = Verifier::new(kept);
    let mut after = 0;
    loop {
        let (records, unreadable) = read(store, after).await?;
        let broken = records.iter().find_map(|record| verifier.next(record).err()).or(unreadable);
        if broken.is_some() {
            return Ok(verdict(&verifier, broken));
        }
        match records.last() {
            Some(last) => after = last.seq,
            None => break,
        }
    }
    let so_far = verdict(&verifier, None);
    let broken = match verifier.finish().err() {
        // What the records are found by is theirs alone to say.
        None => store.journal_unfound().await?.map(Broken::Unfound),
        broken => broken,
    };
    Ok(Verdict { broken, ..so_far })
}

fn verdict(verifier: &Verifier, broken: Option<Broken>) -> Verdict {
    Verdict { head: verifier.head().cloned(), broken }
}

/// The records behind a place. Where the file itself cannot be read there, those before that, and which one cannot.
async fn read(store: &dyn Store, after: u64) -> Result<(Vec<Record>, Option<Broken>), StoreError> {
    match store.journal(after, AT_ONCE).await {
        Ok(records) => return Ok((records, None)),
        // One of them: which it is, is looked for one by one.
        Err(StoreError::Read(_)) => {}
        Err(error) => return Err(error),
    }
    let mut records: Vec<Record> = Vec::new();
    while records.len() < AT_ONCE {
        let last = records.last().map_or(after, |record| record.seq);
        match store.journal(last, 1).await {
            Ok(mut one) if !one.is_empty() => records.append(&mut one),
            Ok(_) => break,
            Err(StoreError::Read(why)) => {
                let damage = Damage { column: "row", why: format!("cannot be read: {why}") };
                return Ok((records, Some(Broken::Damaged(last.saturating_add(1), damage))));
            }
            Err(error) => return Err(error),
        }
    }
    Ok((records, None))
}
