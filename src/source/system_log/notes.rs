//! What stays to be known of a reading: where it began, what may be missing, what is lost.
//!
//! Notes are kept with the place, so that a restart does not forget them. There is room for a number of
//! them; those that had to go are still counted, for a gap is never silent.

use crate::domain::SourceNote;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Notes kept.
const MOST: usize = 20;

/// Notes, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Notes {
    /// How many older ones are not kept any more.
    earlier: u64,
    notes: Vec<SourceNote>,
}

impl Notes {
    /// Adds a mere fact.
    pub fn fact(&mut self, text: impl Into<String>) {
        self.add(SourceNote::fact(text));
    }

    /// Adds that something may be missing, or is.
    pub fn warning(&mut self, text: impl Into<String>, at: Timestamp) {
        self.add(SourceNote::gap(text, at));
    }

    /// The same once more is no news.
    fn add(&mut self, note: SourceNote) {
        if self.notes.last().is_some_and(|last| last.text == note.text) {
            return;
        }
        self.notes.push(note);
        if self.notes.len() > MOST {
            // The first says where the reading began: that stays.
            self.notes.remove(1);
            self.earlier += 1;
        }
    }

    /// As they are shown, newest last.
    pub fn shown(&self) -> Vec<SourceNote> {
        let gone = (self.earlier > 0)
            .then(|| format!("{} more notes of gaps and changes stood here and are not kept", self.earlier));
        let mut shown = self.notes.clone();
        if let Some(gone) = gone {
            shown.insert(1.min(shown.len()), SourceNote::fact(gone));
        }
        shown
    }

    /// How many there were.
    #[cfg(test)]
    pub(super) fn count(&self) -> u64 {
        self.earlier + self.notes.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_goes_uncounted() {
        let mut notes = Notes::default();
        notes.fact("reading began");
        (1..50).for_each(|n| notes.warning(format!("gap {n}"), Timestamp::UNIX_EPOCH));
        notes.warning("gap 49", Timestamp::MAX);
        let shown = notes.shown();
        assert_eq!((notes.count(), shown.len()), (50, MOST + 1));
        assert_eq!((shown[0].text.as_str(), shown[MOST].text.as_str()), ("reading began", "gap 49"));
        assert_eq!(shown[1].text, "30 more notes of gaps and changes stood here and are not kept");
        assert!(!shown[0].is_warning() && shown[MOST].warned_at == Some(Timestamp::UNIX_EPOCH));
        assert!(Notes::default().shown().is_empty());
    }
}
