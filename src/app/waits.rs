//! Who is waited for: told by the pacer, shown beside whatever it holds up.

use super::state::State;
use crate::domain::{Login, PartName, Remote, Wait};

/// The wait that holds up one of these systems the longest.
pub fn on<'a>(state: &'a State, remotes: &[Remote]) -> Option<&'a Wait> {
    state.waits.iter().filter(|wait| remotes.contains(&wait.remote)).max_by_key(|wait| wait.until)
}

/// The wait that holds up a part of a dossier that is being read.
pub fn on_part<'a>(state: &'a State, login: &Login, part: PartName) -> Option<&'a Wait> {
    let is_read = super::dossiers::is_loading(state, login, part);
    on(state, &[Remote::of_part(part)]).filter(|_| is_read)
}
