//! Damage to JSON that knows where the members are: what is left still looks like a message, so that it
//! gets past the first look of a decoder.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

/// JSON as text in a tree: it may hold what no reader of JSON would give back.
#[derive(Debug, Clone)]
pub(crate) enum Tree {
    /// Any text, mostly a scalar.
    Leaf(String),
    /// A list.
    List(Vec<Tree>),
    /// An object; names are quoted already, and may stand there twice.
    Object(Vec<(String, Tree)>),
}

/// What is done to a node.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// Something else stands there.
    Replace(String),
    /// One of its children is missing.
    Drop(Index),
    /// One of its children stands there again.
    Double(Index),
    /// One of its children stands there very often.
    Multiply(Index, usize),
    /// One of its members has another name.
    Rename(Index, String),
    /// It stands inside brackets, a member, or a text that holds JSON.
    Nest(Nest),
}

/// What a node is put into.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Nest {
    List,
    Member,
    Text,
    Deep,
}

/// What is done to the text at last.
#[derive(Debug, Clone)]
pub(crate) enum Cut {
    Nothing,
    /// It ends early.
    Truncate(Index),
    /// A byte is another.
    Byte(Index, u8),
    /// It stands there twice, one behind the other.
    Twice,
}

impl Tree {
    pub(crate) fn of(json: &str) -> Tree {
        serde_json::from_str(json).map_or_else(|_| Tree::Leaf(json.to_owned()), Tree::of_value)
    }

    fn of_value(value: Value) -> Tree {
        match value {
            Value::Array(items) => Tree::List(items.into_iter().map(Tree::of_value).collect()),
            Value::Object(members) => {
                let member = |(name, value)| (Value::String(name).to_string(), Tree::of_value(value));
                Tree::Object(members.into_iter().map(member).collect())
            }
            scalar => Tree::Leaf(scalar.to_string()),
        }
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Tree::Leaf(text) => text.clone(),
            Tree::List(items) => format!("[{}]", joined(items.iter().map(Tree::text))),
            Tree::Object(members) => {
                format!(
                    "{{{}}}",
                    joined(members.iter().map(|(name, value)| format!("{name}:{}", value.text())))
                )
            }
        }
    }

    fn nodes(&self) -> usize {
        let children: usize = match self {
            Tree::Leaf(_) => 0,
            Tree::List(items) => items.iter().map(Tree::nodes).sum(),
            Tree::Object(members) => members.iter().map(|(_, value)| value.nodes()).sum(),
        };
        1 + children
    }

    /// The node of a place, counted from the root down.
    fn node(&mut self, place: &mut usize) -> Option<&mut Tree> {
        if *place == 0 {
            return Some(self);
        }
        *place -= 1;
        match self {
            Tree::Leaf(_) => None,
            Tree::List(items) => items.iter_mut().find_map(|item| item.node(place)),
            Tree::Object(members) => members.iter_mut().find_map(|(_, value)| value.node(place)),
        }
    }

    pub(crate) fn change(&mut self, at: &Index, change: &Change) {
        let mut place = at.index(self.nodes());
        if let Some(node) = self.node(&mut place) {
            node.changed(change);
        }
    }

    fn changed(&mut self, change: &Change) {
        match (change, &mut *self) {
            (Change::Replace(text), _) => *self = Tree::Leaf(text.clone()),
            (Change::Nest(nest), _) => self.nest(*nest),
            (Change::Drop(which), Tree::List(items)) if !items.is_empty() => {
                items.remove(which.index(items.len()));
            }
            (Change::Drop(which), Tree::Object(members)) if !members.is_empty() => {
                members.remove(which.index(members.len()));
            }
            (Change::Double(which), Tree::List(items)) if !items.is_empty() => multiply(items, which, 1),
            (Change::Double(which), Tree::Object(members)) if !members.is_empty() => {
                multiply(members, which, 1)
            }
            (Change::Multiply(which, times), Tree::List(items)) if !items.is_empty() => {
                multiply(items, which, *times);
            }
            (Change::Multiply(which, times), Tree::Object(members)) if !members.is_empty() => {
                multiply(members, which, *times);
            }
            (Change::Rename(which, name), Tree::Object(members)) if !members.is_empty() => {
                let n = which.index(members.len());
                members[n].0 = name.clone();
            }
            _ => {}
        }
    }

    fn nest(&mut self, nest: Nest) {
        let inner = std::mem::replace(self, Tree::Leaf("null".to_owned()));
        *self = match nest {
            Nest::List => Tree::List(vec![inner]),
            Nest::Member => Tree::Object(vec![("\"value\"".to_owned(), inner)]),
            Nest::Text => Tree::Leaf(Value::String(inner.text()).to_string()),
            Nest::Deep => Tree::Leaf(format!("{}{}{}", "[".repeat(3_000), inner.text(), "]".repeat(3_000))),
        };
    }
}

fn multiply<T: Clone>(children: &mut Vec<T>, which: &Index, times: usize) {
    let n = which.index(children.len());
    let copies = vec![children[n].clone(); times];
    children.splice(n..n, copies);
}

fn joined(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<_>>().join(",")
}

impl Cut {
    pub(crate) fn apply(&self, text: String) -> String {
        match self {
            Cut::Nothing => text,
            Cut::Twice => format!("{text}\n{text}"),
            Cut::Truncate(at) => {
                String::from_utf8_lossy(&text.as_bytes()[..at.index(text.len() + 1)]).into_owned()
            }
            Cut::Byte(at, byte) => {
                let mut bytes = text.into_bytes();
                if !bytes.is_empty() {
                    let n = at.index(bytes.len());
                    bytes[n] = *byte;
                }
                String::from_utf8_lossy(&bytes).into_owned()
            }
        }
    }
}

/// Texts that a reader may stumble over, as JSON.
const ODD: &[&str] = &[
    "null",
    "true",
    "0",
    "-0.0",
    "1e999999",
    "123456789012345678901234567890",
    "\"\"",
    "\" \"",
    "\"null\"",
    "\"@\"",
    "\"User\"",
    "\"\\ud800\"",
    "\"\\udc00\\ud83d x\"",
    "\"a\\u0000\\u001b[2J\\u202eb\\u200b\"",
    "\"{level=HIGH, reasons=a, b=c\"",
    "\"{=,=,,}\"",
    "\"{\\\"level\\\":{\\\"x\\\":1}}\"",
    "\"[[[[[[[[\"",
    "\"9999-99-99T99:99:99Z\"",
    "\"-009999-01-01T00:00:00Z\"",
    "\"issue.created\"",
    "\"com.okta.event_hook\"",
    "\"WebhookTest\"",
    "[]",
    "{}",
    "[null]",
    "[[],{}]",
    "{\"\":{}}",
    "",
    "nul",
];

/// Names that mean something somewhere.
const NAMES: &[&str] = &[
    "id",
    "uuid",
    "type",
    "eventType",
    "data",
    "events",
    "detail",
    "detail-type",
    "checkId",
    "usersFailing",
    "loginDetails",
    "login",
    "actor",
    "target",
    "alternateId",
    "displayName",
    "outcome",
    "client",
    "securityContext",
    "debugContext",
    "debugData",
    "risk",
    "userBehaviors",
    "changeDetails",
    "eventData",
    "affectedEntity",
    "additionalData",
    "activeAccounts",
    "issueTitle",
    "issueId",
    "entityId",
    "entityIdInService",
    "execution_id",
    "event_type",
    "user_email",
    "timestamp",
    "alerts",
    "labels",
    "published",
];

pub(crate) fn any_scalar() -> impl Strategy<Value = String> {
    let long = (0usize..20_000, select(vec!["x", "é", "\\ud800", "\\u202e", ", ", "=a, "]))
        .prop_map(|(n, unit)| format!("\"{}\"", unit.repeat(n / unit.len())));
    prop_oneof![
        6 => select(ODD).prop_map(str::to_owned),
        2 => any::<String>().prop_map(|text| Value::String(text).to_string()),
        1 => any::<f64>().prop_map(|number| number.to_string()),
        1 => long,
    ]
}

pub(crate) fn any_name() -> impl Strategy<Value = String> {
    let known = select(NAMES).prop_map(|name| format!("\"{name}\""));
    prop_oneof![6 => known, 1 => any::<String>().prop_map(|name| Value::String(name).to_string()), 1 => Just("\"\\udfff\"".to_owned())]
}

pub(crate) fn any_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => any_scalar().prop_map(Change::Replace),
        3 => any::<Index>().prop_map(Change::Drop),
        2 => any::<Index>().prop_map(Change::Double),
        1 => (any::<Index>(), 2usize..50).prop_map(|(which, times)| Change::Multiply(which, times)),
        3 => (any::<Index>(), any_name()).prop_map(|(which, name)| Change::Rename(which, name)),
        2 => select(vec![Nest::List, Nest::Member, Nest::Text]).prop_map(Change::Nest),
        1 => Just(Change::Nest(Nest::Deep)),
    ]
}

pub(crate) fn any_cut() -> impl Strategy<Value = Cut> {
    prop_oneof![
        8 => Just(Cut::Nothing),
        1 => any::<Index>().prop_map(Cut::Truncate),
        1 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Cut::Byte(at, byte)),
        1 => Just(Cut::Twice),
    ]
}

/// Any JSON, mostly of names that mean something.
pub(crate) fn any_json() -> impl Strategy<Value = Tree> {
    any_scalar().prop_map(Tree::Leaf).prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..6).prop_map(Tree::List),
            3 => prop::collection::vec((any_name(), inner), 0..6).prop_map(Tree::Object),
        ]
    })
}
