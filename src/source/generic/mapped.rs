//! The parts of an element, looked up where a mapping says, and what was not found there.

use crate::config::meant::Place;
use crate::domain::time;
use crate::source::{loose, pointer};
use jiff::Timestamp;
use serde_json::value::RawValue;
use std::fmt;

/// A part that does not stand where the mapping says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missed {
    part: &'static str,
    pointer: String,
    found: &'static str,
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Missed { part, pointer, found } = self;
        write!(f, "`{pointer}` ({part}) found {found}")
    }
}

/// An element to look things up in. What was missed on the way is noted.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    /// Where pointers go first.
    item: &'a RawValue,
    /// And where they go else.
    body: &'a RawValue,
    missed: Vec<Missed>,
}

impl<'a> Parts<'a> {
    /// Of an element's JSON: of its item, where it holds a list of them.
    pub(super) fn of(body: &'a RawValue, items: Option<&str>) -> Result<Parts<'a>, Missed> {
        let Some(pointer) = items else { return Ok(Parts { item: body, body, missed: Vec::new() }) };
        let missed = |found| Missed { part: "items", pointer: pointer.to_owned(), found };
        let list = pointer::find(body, pointer).ok_or_else(|| missed("nothing"))?;
        match (loose::shape(list.get()), loose::items(list).first().copied()) {
            ("an object" | "a list", Some(item)) => Ok(Parts { item, body, missed: Vec::new() }),
            ("a list", None) => Err(missed("an empty list")),
            (found, _) => Err(missed(found)),
        }
    }

    /// A part that is one text: a number or a truth value is one as it is spelt.
    pub(super) fn text(&mut self, part: &'static str, place: Option<&Place>) -> Option<String> {
        self.read(part, place, text)
    }

    /// A part that is a list of texts, or one.
    pub(super) fn texts(&mut self, part: &'static str, place: Option<&Place>) -> Vec<String> {
        self.read(part, place, texts).unwrap_or_default()
    }

    /// A part that is an instant.
    pub(super) fn time(&mut self, part: &'static str, place: Option<&Place>) -> Option<Timestamp> {
        self.read(part, place, |value| time::parse(&text(value)?))
    }

    /// What was missed since it was taken last.
    pub(super) fn take_missed(&mut self) -> Vec<Missed> {
        std::mem::take(&mut self.missed)
    }

    fn read<T: Said>(
        &mut self,
        part: &'static str,
        place: Option<&Place>,
        read: impl Fn(&RawValue) -> Option<T>,
    ) -> Option<T> {
        let pointer = match place? {
            Place::Always(text) => return T::always(text),
            Place::Pointer(pointer) => pointer,
        };
        let in_item = pointer::find(self.item, pointer);
        let in_body = || pointer::find(self.body, pointer);
        let value = in_item.filter(|value| value.get() != "null").or_else(in_body).or(in_item);
        let read = value.and_then(read);
        if read.is_none() {
            let found = value.map_or("nothing", |value| T::found(value));
            self.missed.push(Missed { part, pointer: pointer.clone(), found });
        }
        read
    }
}

/// What a part is read as.
trait Said: Sized {
    /// The part that is the same in every event.
    fn always(text: &str) -> Option<Self>;

    /// In words, what stands there instead of one.
    fn found(value: &RawValue) -> &'static str;
}

impl Said for String {
    fn always(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn found(value: &RawValue) -> &'static str {
        if value.get().starts_with('"') { "a blank text" } else { loose::shape(value.get()) }
    }
}

impl Said for Vec<String> {
    fn always(text: &str) -> Option<Vec<String>> {
        Some(vec![text.to_owned()])
    }

    fn found(value: &RawValue) -> &'static str {
        if value.get().starts_with('[') { "a list without a text in it" } else { String::found(value) }
    }
}

impl Said for Timestamp {
    fn always(text: &str) -> Option<Timestamp> {
        time::parse(text)
    }

    fn found(value: &RawValue) -> &'static str {
        if text(value).is_some() { "what is no time" } else { String::found(value) }
    }
}

fn text(value: &RawValue) -> Option<String> {
    let is_truth = matches!(value.get(), "true" | "false");
    if is_truth { Some(value.get().to_owned()) } else { loose::text(value) }
}

fn texts(value: &RawValue) -> Option<Vec<String>> {
    let texts: Vec<String> = loose::items(value).into_iter().filter_map(text).collect();
    (!texts.is_empty()).then_some(texts)
}
