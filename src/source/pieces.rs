//! The JSON values of a file, one by one, each with the line on which it begins.
//!
//! One document, a list, JSON Lines, values one behind the other: all are read alike. A list is not a
//! value here but a row of values, also inside of another list, so that a list of any length is read in
//! bounded memory; commas between values are blanks. A value is checked byte by byte while it is read:
//! what is broken is known at its first wrong byte, and not when the file has ended without a bracket.
//!
//! What is broken is told with its line, and reading goes on behind it ([`skip`]). A broken value may have
//! swallowed good ones: a line that was cut off in an object takes the next lines for that object's. So
//! the lines behind its first one are read again where one of them looks like a beginning. How much is
//! read again is limited in proportion to what was read, or a file of nothing but beginnings would be
//! read a million times.

mod grammar;
mod skip;

use grammar::{Grammar, Step, plain_text};
use skip::{Passed, Skip, begins_anew};
use std::io::{self, Read};
use std::sync::Arc;
use thiserror::Error;

/// The bytes of the largest value: what a source may post, too.
pub const LARGEST: usize = 8 << 20;
/// The bytes read at once.
const CHUNK: usize = 64 << 10;
/// How many bytes may be read again for each byte that was read, and how many in any case.
const AGAIN_FOR_EACH: u64 = 4;
const AGAIN_ANYHOW: u64 = 16 << 20;

/// One thing that stands in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// The value, as it stands there, or why there is none.
    pub found: Result<Arc<str>, Broken>,
}

/// Why something in a file is no value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Broken {
    /// It stops being JSON here.
    #[error("it is not JSON (line {line}, column {column})")]
    NotJson {
        /// The line, from 1.
        line: u64,
        /// The column in bytes, from 1.
        column: u64,
    },
    /// JSON is UTF-8.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// It has more bytes than are read.
    #[error("it is larger than {} MiB", LARGEST >> 20)]
    TooLarge,
    /// It has more brackets open at once than are kept.
    #[error("it is nested too deep to be read")]
    TooDeep,
    /// The file is over before it is.
    #[error("the file ends in the middle of it")]
    CutOff,
    /// The file is over before its list is.
    #[error("the list that begins here has no end")]
    EndlessList,
    /// A bracket that closes nothing.
    #[error("a list ends here that never began")]
    NoList,
}

/// Where in the file a byte stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    line: u64,
    /// Where its line begins, in bytes from the file's beginning.
    line_start: u64,
    /// The blanks before the first other byte of its line.
    indent: u64,
    /// Whether there was no other byte on its line yet.
    is_leading: bool,
}

impl Place {
    const fn line_at(line: u64, line_start: u64) -> Place {
        Place { line, line_start, indent: 0, is_leading: true }
    }

    /// Passes a byte that stands at `position`.
    fn pass(&mut self, position: u64, byte: u8) {
        match byte {
            b'\n' => *self = Place::line_at(self.line + 1, position + 1),
            b' ' | b'\t' | b'\r' if self.is_leading => self.indent += 1,
            _ => self.is_leading = false,
        }
    }

    fn leading(&self) -> Option<u64> {
        self.is_leading.then_some(self.indent)
    }
}

/// What is being read.
#[derive(Debug, Default)]
enum Doing {
    /// Blanks, commas and the brackets of lists.
    #[default]
    Between,
    /// A value.
    Inside(Value),
    /// The rest of something broken.
    Skipping(Skip),
}

/// A value on its way.
#[derive(Debug)]
struct Value {
    grammar: Grammar,
    /// Where it begins, in bytes from the file's beginning.
    start: u64,
    began: Place,
    /// Its bytes are not kept any more, and it has been told.
    is_too_large: bool,
}

/// The lists that are open around a value.
#[derive(Debug, Default)]
struct Lists {
    open: u64,
    /// Where the outermost one begins.
    line: u64,
}

/// The values of whatever can be read.
#[derive(Debug)]
pub struct Pieces<R> {
    source: R,
    buffer: Vec<u8>,
    /// Where the buffer begins, in bytes from the file's beginning.
    base: u64,
    /// The next byte, in the buffer.
    at: usize,
    place: Place,
    doing: Doing,
    lists: Lists,
    /// The furthest that was read, and how much of it was read again.
    furthest: u64,
    again: u64,
    is_over: bool,
}

impl<R: Read> Pieces<R> {
    /// The values of a file.
    pub fn of(source: R) -> Pieces<R> {
        Pieces {
            source,
            buffer: Vec::new(),
            base: 0,
            at: 0,
            place: Place::line_at(1, 0),
            doing: Doing::Between,
            lists: Lists::default(),
            furthest: 0,
            again: 0,
            is_over: false,
        }
    }

    /// The next one, if nothing has to be read for it: whoever reads a pipe waits for no more than he
    /// has to.
    pub fn ready(&mut self) -> Option<Piece> {
        while self.at < self.buffer.len() {
            let piece = match std::mem::take(&mut self.doing) {
                Doing::Between => self.between(),
                Doing::Inside(value) => self.inside(value),
                Doing::Skipping(skip) => self.skip(skip),
            };
            if piece.is_some() {
                return piece;
            }
        }
        None
    }

    fn here(&self) -> u64 {
        self.base + self.at as u64
    }

    fn pass(&mut self, byte: u8) {
        self.place.pass(self.here(), byte);
        self.at += 1;
    }

    fn between(&mut self) -> Option<Piece> {
        while let Some(&byte) = self.buffer.get(self.at) {
            match byte {
                b'[' if self.lists.open == 0 => self.lists = Lists { open: 1, line: self.place.line },
                b'[' => self.lists.open += 1,
                b']' if self.lists.open > 0 => self.lists.open -= 1,
                b']' => {
                    let line = self.place.line;
                    self.pass(byte);
                    return Some(Piece { line, found: Err(Broken::NoList) });
                }
                // The last three are a byte order mark.
                b' ' | b'\t' | b'\r' | b'\n' | b',' | 0xef | 0xbb | 0xbf => {}
                _ => {
                    let (start, began) = (self.here(), self.place);
                    self.doing =
                        Doing::Inside(Value { grammar: Grammar::new(), start, began, is_too_large: false });
                    return None;
                }
            }
            self.pass(byte);
        }
        None
    }

    fn inside(&mut self, mut value: Value) -> Option<Piece> {
        loop {
            if value.grammar.is_in_plain_text() {
                self.at += plain_text(self.buffer.get(self.at..self.end(&value)).unwrap_or_default());
            }
            if !value.is_too_large && self.here() - value.start >= LARGEST as u64 {
                let line = value.began.line;
                self.doing = Doing::Inside(Value { is_too_large: true, ..value });
                return Some(Piece { line, found: Err(Broken::TooLarge) });
            }
            let Some(&byte) = self.buffer.get(self.at) else {
                self.doing = Doing::Inside(value);
                return None;
            };
            match value.grammar.step(byte) {
                Step::More => self.pass(byte),
                Step::Last => {
                    self.pass(byte);
                    return self.whole(&value);
                }
                Step::Behind => return self.whole(&value),
                Step::Wrong => {
                    let column = self.here() - self.place.line_start + 1;
                    return self.broke(&value, Broken::NotJson { line: self.place.line, column });
                }
                Step::TooDeep => return self.pass_over(&value, Broken::TooDeep),
            }
        }
    }

    /// How far a value may go in the buffer.
    fn end(&self, value: &Value) -> usize {
        if value.is_too_large {
            return self.buffer.len();
        }
        let largest = value.start.saturating_sub(self.base) as usize + LARGEST;
        self.buffer.len().min(largest)
    }

    fn whole(&self, value: &Value) -> Option<Piece> {
        let bytes = self.seen(value)?.get(..(self.here() - value.start) as usize)?;
        let found = std::str::from_utf8(bytes).map(Arc::from).map_err(|_| Broken::NotUtf8);
        Some(Piece { line: value.began.line, found })
    }

    /// A value's bytes and what was read behind it, unless they are not kept any more.
    fn seen(&self, value: &Value) -> Option<&[u8]> {
        let start = (value.start.checked_sub(self.base)?) as usize;
        self.buffer.get(start..).filter(|_| !value.is_too_large)
    }

    /// Tells what is broken, unless it has been told, and goes on behind it.
    fn broke(&mut self, value: &Value, why: Broken) -> Option<Piece> {
        self.furthest = self.furthest.max(self.here());
        match self.next_beginning(value).filter(|place| self.may_go_back(place.line_start)) {
            Some(place) => {
                self.again += self.here() - place.line_start;
                self.at = (place.line_start - self.base) as usize;
                self.place = place;
            }
            None => return self.pass_over(value, why),
        }
        told(value, why)
    }

    /// Tells what is broken, unless it has been told, and passes over the rest of it.
    fn pass_over(&mut self, value: &Value, why: Broken) -> Option<Piece> {
        let is_in_list = self.lists.open > 0;
        self.doing = Doing::Skipping(Skip::over(&value.grammar, value.began.indent, is_in_list));
        told(value, why)
    }

    fn may_go_back(&self, to: u64) -> bool {
        let most = self.furthest.saturating_mul(AGAIN_FOR_EACH).saturating_add(AGAIN_ANYHOW);
        self.again + (self.here() - to) <= most
    }

    /// The first line behind the one on which a value began, and not behind the byte that broke it, that
    /// begins something new.
    fn next_beginning(&self, value: &Value) -> Option<Place> {
        let seen = self.seen(value)?;
        let seen = seen.get(..=(self.here() - value.start) as usize).unwrap_or(seen);
        let mut place = value.began;
        for (at, _) in seen.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
            place = Place::line_at(place.line + 1, value.start + at as u64 + 1);
            let line = seen.get(at + 1..)?;
            let indent = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r')).count();
            if begins_anew(*line.get(indent)?, indent as u64, value.began.indent) {
                return Some(place);
            }
        }
        None
    }

    fn skip(&mut self, mut skip: Skip) -> Option<Piece> {
        while let Some(&byte) = self.buffer.get(self.at) {
            match skip.step(byte, self.place.leading()) {
                Passed::Over => self.pass(byte),
                Passed::Last => {
                    self.pass(byte);
                    return None;
                }
                Passed::Before => return None,
            }
        }
        self.doing = Doing::Skipping(skip);
        None
    }

    /// Reads more; what is not needed any more makes room.
    fn fill(&mut self) -> io::Result<()> {
        let needed = match &self.doing {
            Doing::Inside(value) if !value.is_too_large => (value.start - self.base) as usize,
            _ => self.at,
        };
        self.buffer.drain(..needed);
        self.base += needed as u64;
        self.at -= needed;
        let end = self.buffer.len();
        self.buffer.resize(end + CHUNK, 0);
        let read = loop {
            match self.source.read(self.buffer.get_mut(end..).unwrap_or_default()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.buffer.truncate(end + read.as_ref().map_or(0, |read| *read));
        self.is_over = read? == 0;
        Ok(())
    }

    /// What is left when the file is over.
    fn at_the_end(&mut self) -> Option<Piece> {
        match std::mem::take(&mut self.doing) {
            Doing::Inside(value) if value.grammar.may_end() => self.whole(&value),
            Doing::Inside(value) => self.broke(&value, Broken::CutOff),
            Doing::Between | Doing::Skipping(_) => None,
        }
    }

    fn endless_list(&mut self) -> Option<Piece> {
        let Lists { open, line } = std::mem::take(&mut self.lists);
        (open > 0).then_some(Piece { line, found: Err(Broken::EndlessList) })
    }
}

fn told(value: &Value, why: Broken) -> Option<Piece> {
    (!value.is_too_large).then_some(Piece { line: value.began.line, found: Err(why) })
}

impl<R: Read> Iterator for Pieces<R> {
    type Item = io::Result<Piece>;

    fn next(&mut self) -> Option<io::Result<Piece>> {
        loop {
            if let Some(piece) = self.ready() {
                return Some(Ok(piece));
            }
            if self.is_over {
                let was_inside = matches!(self.doing, Doing::Inside(_));
                match self.at_the_end() {
                    Some(piece) => return Some(Ok(piece)),
                    // What was too large has been told, and there may be more behind its first line.
                    None if was_inside => continue,
                    None => return self.endless_list().map(Ok),
                }
            }
            if let Err(error) = self.fill() {
                // Nobody knows what is missing: nothing more is told of what was begun.
                (self.is_over, self.doing, self.lists) = (true, Doing::Between, Lists::default());
                return Some(Err(error));
            }
        }
    }
}

#[cfg(test)]
mod tests;
