//! What stays to be known of a reading: where it began, what may be missing, what is lost.
//!
//! Notes are kept with the place, so that a restart does not forget them. There is room for a number of
//! them; those that had to go are still counted, for a gap is never silent.

use serde::{Deserialize, Serialize};

/// Notes kept.
const MOST: usize = 20;

/// Notes, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Notes {
    /// How many older ones are not kept any more.
    earlier: u64,
    texts: Vec<String>,
}

impl Notes {
    /// Adds one. The same once more is no news.
    pub fn add(&mut self, text: impl Into<String>) {
        let text = text.into();
        if self.texts.last() == Some(&text) {
            return;
        }
        self.texts.push(text);
        if self.texts.len() > MOST {
            // The first says where the reading began: that stays.
            self.texts.remove(1);
            self.earlier += 1;
        }
    }

    /// As they are shown, newest last.
    pub fn lines(&self) -> Vec<String> {
        let gone = (self.earlier > 0)
            .then(|| format!("{} more notes of gaps and changes stood here and are not kept", self.earlier));
        let mut lines = self.texts.clone();
        if let Some(gone) = gone {
            lines.insert(1.min(lines.len()), gone);
        }
        lines
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.earlier + self.texts.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_goes_uncounted() {
        let mut notes = Notes::default();
        (0..50).for_each(|n| notes.add(format!("gap {n}")));
        notes.add("gap 49");
        let lines = notes.lines();
        assert_eq!((notes.count(), lines.len()), (50, MOST + 1));
        assert_eq!((lines[0].as_str(), lines[MOST].as_str()), ("gap 0", "gap 49"));
        assert_eq!(lines[1], "30 more notes of gaps and changes stood here and are not kept");
        assert!(Notes::default().lines().is_empty());
    }
}
