//! The payloads of the contracts: every file of `tests/payloads/<type>` holds one, why it is here, and
//! what it must become.
//!
//! | member | what it is |
//! |---|---|
//! | `about` | why it is here |
//! | `payload` or `text` | the body: JSON as it stands there, or a text where it is not one JSON value |
//! | `mapping` | for `generic-webhook`: a mapping, or the name of a source of the configuration's template |
//! | `recognised` | `false` where its type cannot be known by its content |
//! | `expected` | fields of the event it becomes, or a list of them where it falls into several elements |

use idtriage::config::meant::{Mapping, Place, Reading};
use idtriage::config::template::TEMPLATE;
use idtriage::domain::event::{DecodedEvent, SourceName};
use idtriage::source::{Meaning, SourceType, TYPES, Unreadable};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A body, and what it must become.
pub(crate) struct Fixture {
    pub(crate) path: PathBuf,
    pub(crate) about: String,
    pub(crate) source_type: &'static SourceType,
    pub(crate) body: String,
    pub(crate) is_recognised: bool,
    pub(crate) expected: Vec<Map<String, Value>>,
    pub(crate) reading: Reading,
    pub(crate) source: SourceName,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    about: String,
    payload: Option<Box<RawValue>>,
    text: Option<String>,
    mapping: Option<Value>,
    recognised: Option<bool>,
    expected: Value,
}

impl Fixture {
    fn read(path: &Path, source_type: &'static SourceType) -> Fixture {
        let text = fs::read_to_string(path).unwrap();
        let file: File =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let source = SourceName::from("fixture");
        let mapping = file.mapping.map(|mapping| (source.clone(), mapping_of(&mapping)));
        let objects = match file.expected {
            Value::Array(several) => several,
            one => vec![one],
        };
        Fixture {
            path: path.to_owned(),
            about: file.about,
            source_type,
            body: file.payload.map(|payload| payload.get().to_owned()).or(file.text).unwrap(),
            is_recognised: file.recognised.unwrap_or(true),
            expected: objects.iter().map(|object| object.as_object().unwrap().clone()).collect(),
            reading: Reading { mappings: mapping.into_iter().collect(), ..Reading::default() },
            source,
        }
    }

    /// How its elements are read.
    pub(crate) fn meaning(&self) -> Meaning<'_> {
        Meaning::of(&self.reading, &self.source)
    }

    pub(crate) fn elements(&self) -> Result<Vec<Arc<str>>, Unreadable> {
        (self.source_type.elements)(self.body.as_str().into(), &self.meaning())
    }

    pub(crate) fn decode(&self, element: &str) -> DecodedEvent {
        (self.source_type.decode)(element, &self.meaning())
    }
}

/// The folder of every type.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payloads")
}

/// All of them, by type and name.
pub(crate) fn fixtures() -> Vec<Fixture> {
    TYPES.iter().flat_map(of_type).collect()
}

fn of_type(source_type: &'static SourceType) -> Vec<Fixture> {
    let folder = folder().join(source_type.name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| Fixture::read(path, source_type)).collect()
}

/// A mapping as the configuration has it, or the one of a source of the template.
fn mapping_of(said: &Value) -> Mapping {
    match said {
        Value::String(name) => mapping_of(&of_template(name)),
        places => places.as_object().unwrap().iter().fold(Mapping::default(), with_place),
    }
}

fn of_template(name: &str) -> Value {
    let is_named = |line: &&str| *line == format!("#name = \"{name}\"");
    let after = TEMPLATE.lines().skip_while(|line| !is_named(line));
    let line = after.take_while(|line| !line.is_empty()).find_map(|line| line.strip_prefix("#map = "));
    let line = line.unwrap_or_else(|| panic!("the template has no source `{name}` with a mapping"));
    let table: toml::Table = toml::from_str(&format!("map = {line}")).unwrap();
    serde_json::to_value(&table["map"]).unwrap()
}

fn with_place(mut mapping: Mapping, (part, text): (&String, &Value)) -> Mapping {
    let text = text.as_str().unwrap();
    match mapping.part(part) {
        Some(part) => *part = Some(Place::of(text)),
        None if part == "items" => mapping.items = Some(text.to_owned()),
        None => panic!("`{part}` is no part of a mapping"),
    }
    mapping
}
