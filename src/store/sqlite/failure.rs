//! What a failure of SQLite means: to the store's callers, and to the writer.

use crate::store::StoreError;
use rusqlite::{Error, ErrorCode};
use std::path::Path;

/// A write that failed, in words, with the file it was for.
pub(super) fn not_writable(path: &Path, error: &Error) -> StoreError {
    StoreError::NotWritable(not_writable_words(path, error))
}

/// The words of [`not_writable`], for an error that several callers are told.
pub(super) fn not_writable_words(path: &Path, error: &Error) -> String {
    // The cause first: the path may be longer than a line.
    format!("{} (`{}`)", words(error), path.display())
}

/// A read that failed.
pub(super) fn not_readable(path: &Path, error: &Error) -> StoreError {
    StoreError::Read(format!("{} (`{}`)", words(error), path.display()))
}

/// Whether the file or the machine failed rather than the item being written: then the item is kept
/// for later, it is not the culprit.
pub(super) fn is_of_the_machine(error: &Error) -> bool {
    use ErrorCode::{
        CannotOpen, DatabaseBusy, DatabaseCorrupt, DatabaseLocked, DiskFull, FileLockingProtocolFailed,
        NotADatabase, OperationInterrupted, OutOfMemory, PermissionDenied, ReadOnly, SystemIoFailure,
    };
    matches!(
        error.sqlite_error_code(),
        Some(
            CannotOpen
                | DatabaseBusy
                | DatabaseCorrupt
                | DatabaseLocked
                | DiskFull
                | FileLockingProtocolFailed
                | NotADatabase
                | OperationInterrupted
                | OutOfMemory
                | PermissionDenied
                | ReadOnly
                | SystemIoFailure
        )
    )
}

fn words(error: &Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk is full".to_owned(),
        Some(ErrorCode::ReadOnly) => "it is read-only".to_owned(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "it is locked by another process".to_owned()
        }
        _ => error.to_string(),
    }
}
