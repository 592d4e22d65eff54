//! Reads the journal for the screen, with what its records are about, and writes it to a file.

use super::export::{ending, new_file};
use crate::app::journal::JournalSlice;
use crate::app::log::LogForm;
use crate::domain::bulk::BulkId;
use crate::domain::counted::numbered;
use crate::domain::journal::query::JournalQuery;
use crate::domain::journal::told::Told;
use crate::domain::journal::{Record, csv};
use crate::domain::page::{From, Page};
use crate::domain::untrusted::escape_json;
use crate::domain::{Action, ActionId};
use crate::store::{Store, StoreError};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Records that are held at once: an export is as long as the journal.
const AT_ONCE: usize = 1_000;

/// A page of records, and the actions and the runs on many that they are about, with the other steps of those.
pub(super) async fn slice(
    store: &dyn Store,
    query: &JournalQuery,
    now: Timestamp,
    from: From<i64>,
    limit: usize,
) -> Result<JournalSlice, StoreError> {
    let page = store.journal_page(query, now, from, limit).await?;
    let told: Vec<Told> = page.rows.iter().map(Told::of).collect();
    let actions = told.iter().filter_map(Told::action).collect();
    let runs = told.iter().filter_map(Told::bulk_id).collect();
    Ok(JournalSlice { page, ..standing(store, actions, runs).await? })
}

/// How actions and runs on many stand, with the other steps of the actions and what they undo.
pub(super) async fn standing(
    store: &dyn Store,
    mut wanted: BTreeSet<ActionId>,
    ids: BTreeSet<BulkId>,
) -> Result<JournalSlice, StoreError> {
    let (mut actions, mut absent) = (Vec::new(), Vec::new());
    let mut known = BTreeSet::new();
    while let Some(id) = wanted.pop_first() {
        if !known.insert(id) {
            continue;
        }
        match store.action(id).await? {
            Some(action) => {
                // What it undoes is undone now, or not any more.
                wanted.extend(steps(&action).chain(action.undoes));
                actions.push(action);
            }
            None => absent.push(id),
        }
    }
    let mut runs = Vec::new();
    for id in ids {
        runs.extend(store.bulk(id).await?);
    }
    Ok(JournalSlice { page: Page { rows: Vec::new(), next: None }, actions, runs, absent })
}

/// The actions of a run, of which this is one.
fn steps(action: &Action) -> impl Iterator<Item = ActionId> {
    action.step.into_iter().flat_map(|step| (1..=step.of).map(move |number| step.run.step(number)))
}

/// Writes every record that is asked for to a new file, oldest first, and says where.
pub(super) async fn export(
    store: &dyn Store,
    form: LogForm,
    query: &JournalQuery,
    now: Timestamp,
    folder: &Path,
) -> Result<String, String> {
    let written = |error: std::io::Error| {
        let folder = folder.display();
        format!(
            "the journal cannot be written to `{folder}`: {error}; hint: `idtriage journal export --output FILE` writes elsewhere"
        )
    };
    let (path, file) = new_file(folder, "journal", now, ending(form)).map_err(written)?;
    let mut file = BufWriter::new(file);
    if form == LogForm::Csv {
        file.write_all(csv::heading().as_bytes()).map_err(written)?;
    }
    let (mut after, mut count) = (i64::MIN, 0_u64);
    loop {
        let page = store.journal_page(query, now, From::After(after), AT_ONCE).await;
        let page = page.map_err(|error| error.to_string())?;
        // A page is newest first.
        for record in page.rows.iter().rev() {
            file.write_all(line(record, form).as_bytes()).map_err(written)?;
            count += 1;
        }
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    let file = file.into_inner().map_err(|error| written(error.into_error()))?;
    file.sync_all().map_err(written)?;
    Ok(format!("wrote {} of the journal to {}", numbered(count, "record"), path.display()))
}

fn line(record: &Record, form: LogForm) -> String {
    match form {
        LogForm::Csv => csv::row(record),
        LogForm::JsonLines => format!("{}\n", escape_json(&record.to_json().to_string())),
    }
}
