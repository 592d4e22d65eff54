//! What stands in a file of events: each value is recognised, and split into the elements that are
//! events of their own, as the body of a request would be.

use crate::config::meant::Reading;
use crate::domain::event::{IMPORT, SourceName};
use crate::source::pieces::{Piece, Pieces};
use crate::source::{Meaning, SourceType, generic, loose, recognise};
use crate::store::InboxItem;
use jiff::Timestamp;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Elements, and bytes of them, that are committed together: whoever receives waits for no more.
pub(super) const MOST_ELEMENTS: usize = 500;
pub(super) const MOST_BYTES: usize = 1 << 20;
/// Groups that are read ahead.
const AHEAD: usize = 4;

/// Whose the elements of a file are, and how they are read.
#[derive(Debug, Clone)]
pub struct Origin {
    source: SourceName,
    /// `None` where each is recognised by its content.
    source_type: Option<&'static SourceType>,
    reading: Reading,
}

/// One element of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// The line on which the value begins that it stands in, from 1.
    pub line: u64,
    /// Whose it is: the import's own, or the configured source's whose mapping it needs.
    pub source: SourceName,
    /// The type that it is of.
    pub source_type: &'static str,
    /// When it was published, as it says itself.
    pub published: Option<Timestamp>,
    /// The raw JSON, whole.
    pub raw: Arc<str>,
}

/// Something in a file that is not taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// Why.
    pub why: String,
}

impl Origin {
    /// Each element tells by its content what it is.
    pub fn recognised(reading: Reading) -> Origin {
        Origin { source: IMPORT.into(), source_type: None, reading }
    }

    /// All are of this type.
    pub fn of_type(source_type: &'static SourceType, reading: Reading) -> Origin {
        Origin { source_type: Some(source_type), ..Origin::recognised(reading) }
    }

    /// All are a configured source's, and are kept as its own: only so is its mapping found again.
    pub fn of_source(source: SourceName, source_type: &'static SourceType, reading: Reading) -> Origin {
        Origin { source, source_type: Some(source_type), reading }
    }

    /// The elements of one thing that stands in a file.
    ///
    /// # Errors
    /// Why there are none.
    pub fn elements(&self, piece: Piece) -> Result<Vec<Element>, Refusal> {
        let line = piece.line;
        // What breaks a decoder in here must not be taken for the end of the file.
        let split = catch_unwind(AssertUnwindSafe(|| self.split(piece)));
        let split = split.unwrap_or_else(|_| Err("the program broke on it".to_owned()));
        split.map_err(|why| Refusal { line, why })
    }

    fn split(&self, Piece { line, found }: Piece) -> Result<Vec<Element>, String> {
        let body = found.map_err(|broken| broken.to_string())?;
        let (source, known) = match self.source_type.or_else(|| recognise(&body)) {
            Some(known) => (&self.source, known),
            None => (self.mapped(&body)?, &generic::WEBHOOK),
        };
        let meaning = Meaning::of(&self.reading, source);
        let elements = (known.elements)(body, &meaning).map_err(|unreadable| unreadable.to_string())?;
        let element = |raw: Arc<str>| {
            let published = (known.decode)(&raw, &meaning).published;
            Element { line, source: source.clone(), source_type: known.name, published, raw }
        };
        Ok(elements.into_iter().map(element).collect())
    }

    /// The configured source whose mapping applies to what no type of source recognises, if it is one alone.
    fn mapped(&self, body: &Arc<str>) -> Result<&SourceName, String> {
        let applies = |name: &&SourceName| generic::applies(body, &Meaning::of(&self.reading, name));
        let names: Vec<&SourceName> = self.reading.mappings.keys().filter(applies).collect();
        match names.as_slice() {
            [] => Err(unknown(body)),
            [name] => Ok(name),
            several => {
                let names: Vec<String> = several.iter().map(|name| format!("`{name}`")).collect();
                Err(format!("the mappings of {} apply to it; `--as NAME` says whose it is", names.join(", ")))
            }
        }
    }

    /// An element as the inbox takes it.
    pub(super) fn item(element: Element, received: Timestamp) -> InboxItem {
        let Element { source, source_type, raw, .. } = element;
        InboxItem { source, source_type: source_type.to_owned(), received, raw }
    }
}

fn unknown(body: &str) -> String {
    match loose::shape(body) {
        "an object" => "it is nothing that a known source sends; `--as NAME` says what it is".to_owned(),
        shape => format!("it is {shape}, not an object"),
    }
}

/// What is read of a file at once, and taken in together.
#[derive(Debug, Default)]
pub struct Group {
    /// What can be taken in, in the order of the file.
    pub elements: Vec<Element>,
    /// What cannot.
    pub refused: Vec<Refusal>,
    /// Why the file could be read no further.
    pub failed: Option<io::Error>,
    bytes: usize,
}

impl Group {
    fn add(&mut self, read: Result<Vec<Element>, Refusal>) {
        match read {
            Ok(elements) => {
                self.bytes += elements.iter().map(|element| element.raw.len()).sum::<usize>();
                self.elements.extend(elements);
            }
            Err(refusal) => self.refused.push(refusal),
        }
    }

    fn join(&mut self, other: Group) {
        self.bytes += other.bytes;
        self.elements.extend(other.elements);
        self.refused.extend(other.refused);
        self.failed = other.failed;
    }

    fn has_room(&self) -> bool {
        self.elements.len() < MOST_ELEMENTS && self.bytes < MOST_BYTES && self.failed.is_none()
    }
}

/// The next group that a file holds, without waiting for more than its first value.
pub fn next_group<R: Read>(pieces: &mut Pieces<R>, origin: &Origin) -> Option<Group> {
    let mut group = Group::default();
    match pieces.next()? {
        Ok(piece) => group.add(origin.elements(piece)),
        Err(error) => group.failed = Some(error),
    }
    while group.has_room() {
        let Some(piece) = pieces.ready() else { break };
        group.add(origin.elements(piece));
    }
    Some(group)
}

/// A file that is read a little ahead, on a thread where it may take its time.
#[derive(Debug)]
pub(super) struct Ahead(mpsc::Receiver<Group>);

impl Ahead {
    pub(super) fn start(input: impl Read + Send + 'static, origin: Origin) -> Ahead {
        let (groups, read) = mpsc::channel(AHEAD);
        tokio::task::spawn_blocking(move || {
            let mut pieces = Pieces::of(input);
            while let Some(group) = next_group(&mut pieces, &origin) {
                if groups.blocking_send(group).is_err() {
                    return;
                }
            }
        });
        Ahead(read)
    }

    /// What was read, as far as it is taken in together.
    pub(super) async fn next(&mut self) -> Option<Group> {
        let mut group = self.0.recv().await?;
        while group.has_room() {
            let Ok(more) = self.0.try_recv() else { break };
            group.join(more);
        }
        Some(group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::meant::{Mapping, Place};
    use crate::source::pieces::Broken;
    use crate::source::{cii, type_named};
    use rstest::rstest;

    fn piece(text: &str) -> Piece {
        Piece { line: 7, found: Ok(text.into()) }
    }

    #[test]
    fn what_is_recognised_is_an_element_with_its_time() {
        let raw = r#"{"detail":{"checkId":"no-mfa","published":"2024-07-24T14:25:28.589Z"}}"#;
        let elements = Origin::recognised(Reading::default()).elements(piece(raw)).unwrap();
        let published = "2024-07-24T14:25:28.589Z".parse().ok();
        let source = IMPORT.into();
        let expected = Element { line: 7, source, source_type: "cii-webhook", published, raw: raw.into() };
        assert_eq!(elements, [expected]);
    }

    fn mapping(parts: &[(&str, &str)]) -> Mapping {
        let mut mapping = Mapping::default();
        for (part, place) in parts {
            *mapping.part(part).unwrap() = Some(Place::of(place));
        }
        mapping
    }

    /// What `events export` writes of a generic webhook can be imported where its mapping is configured.
    #[test]
    fn what_one_mapping_applies_to_is_of_its_source() {
        let form = mapping(&[("check", "reported"), ("title", "Reported"), ("users", "/who")]);
        let of_items = mapping(&[("check", "/name"), ("title", "/name"), ("users", "/who")]);
        let alerts = Mapping { items: Some("/alerts".to_owned()), ..of_items };
        let anything = mapping(&[("check", "always"), ("title", "Always")]);
        let mappings = [("form", form.clone()), ("alerts", alerts), ("anything", anything)];
        let mappings = mappings.into_iter().map(|(name, mapping)| (name.into(), mapping)).collect();
        let mut reading = Reading { mappings, ..Reading::default() };
        let whose = |reading: &Reading, body: &str| {
            let elements = Origin::recognised(reading.clone()).elements(piece(body));
            elements.map(|all| {
                all.iter().map(|one| (one.source.to_string(), one.source_type)).collect::<Vec<_>>()
            })
        };
        let of = |name: &str| (name.to_owned(), "generic-webhook");
        assert_eq!(whose(&reading, r#"{"who":"a@x"}"#).unwrap(), [of("form")]);
        let two = r#"{"alerts":[{"name":"n","who":"a@x"},{"name":"n"}]}"#;
        assert_eq!(whose(&reading, two).unwrap(), [of("alerts"), of("alerts")]);
        let refused = whose(&reading, r#"{"alerts":[{"name":"n"}]}"#).unwrap_err();
        assert!(refused.why.starts_with("it is nothing that a known source sends"), "{}", refused.why);
        reading.mappings.insert("second".into(), form);
        let refused = whose(&reading, r#"{"who":"a@x"}"#).unwrap_err();
        let why = "the mappings of `form`, `second` apply to it; `--as NAME` says whose it is";
        assert_eq!(refused.why, why);
    }

    #[rstest]
    #[case("{\"detail\":7}", "it is nothing that a known source sends; `--as NAME` says what it is")]
    #[case("12", "it is a number, not an object")]
    #[case("\"x\"", "it is a text, not an object")]
    fn what_is_not_is_refused_with_its_line(#[case] text: &str, #[case] why: &str) {
        let refusal = Origin::recognised(Reading::default()).elements(piece(text)).unwrap_err();
        assert_eq!(refusal, Refusal { line: 7, why: why.to_owned() });
    }

    #[test]
    fn what_it_is_said_to_be_it_has_to_be() {
        let origin = Origin::of_type(type_named("cii-webhook").unwrap(), Reading::default());
        let refusal = origin.elements(piece("{\"detail\":7}")).unwrap_err();
        assert_eq!(refusal.why, "`detail` is a number, not an object");
        let broken = Piece { line: 3, found: Err(Broken::CutOff) };
        let refusal = origin.elements(broken).unwrap_err();
        assert_eq!((refusal.line, refusal.why.as_str()), (3, "the file ends in the middle of it"));
    }

    #[test]
    fn what_breaks_a_decoder_is_refused() {
        static BREAKS: SourceType = SourceType { decode: |_, _| panic!("a bug"), ..cii::WEBHOOK };
        let refusal = Origin::of_type(&BREAKS, Reading::default()).elements(piece("{\"detail\":{}}"));
        assert_eq!(refusal.unwrap_err().why, "the program broke on it");
    }

    #[test]
    fn a_group_is_bounded() {
        let origin = Origin::recognised(Reading::default());
        let small = "{\"detail\":{}}\n".repeat(MOST_ELEMENTS * 2 + 1);
        let mut pieces = Pieces::of(small.as_bytes());
        let mut sizes = Vec::new();
        while let Some(group) = next_group(&mut pieces, &origin) {
            sizes.push(group.elements.len());
        }
        assert_eq!(sizes.iter().sum::<usize>(), MOST_ELEMENTS * 2 + 1);
        assert!(sizes.iter().all(|size| *size <= MOST_ELEMENTS), "{sizes:?}");
        let large = format!("{{\"detail\":{{\"pad\":\"{}\"}}}}", "x".repeat(MOST_BYTES));
        let text = [large.as_str(), &large].join("\n");
        let group = next_group(&mut Pieces::of(text.as_bytes()), &origin).unwrap();
        assert_eq!(group.elements.len(), 1);
    }
}
