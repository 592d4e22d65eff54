//! Where a command's words go: tables or JSON Lines to standard output, remarks to standard error.

use super::table::Table;
use crate::domain::untrusted::{escape_json, one_line, visible, visible_lines, width};
use serde_json::Value;
use std::fmt;
use std::io::{self, Write};

/// What standard output holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// JSON Lines, and nothing else.
    Json,
}

/// The two streams of a command.
pub struct Output<'a> {
    form: Form,
    out: &'a mut dyn Write,
    errors: &'a mut dyn Write,
}

impl fmt::Debug for Output<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("form", &self.form).finish_non_exhaustive()
    }
}

impl<'a> Output<'a> {
    /// An output of this form.
    pub fn new(form: Form, out: &'a mut dyn Write, errors: &'a mut dyn Write) -> Output<'a> {
        Output { form, out, errors }
    }

    /// Whether JSON Lines are wanted.
    pub fn is_json(&self) -> bool {
        self.form == Form::Json
    }

    /// One line of JSON.
    pub fn json(&mut self, value: &Value) -> io::Result<()> {
        self.json_text(&value.to_string())
    }

    /// One line of JSON that is text already, without line feeds.
    pub fn json_text(&mut self, json: &str) -> io::Result<()> {
        writeln!(self.out, "{}", escape_json(json))
    }

    /// A table.
    pub fn table(&mut self, table: &Table) -> io::Result<()> {
        table.print(self.out)
    }

    /// Some text; line feeds break lines, everything else dangerous is visible.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        for line in visible_lines(text) {
            writeln!(self.out, "{line}")?;
        }
        Ok(())
    }

    /// Lines that are harmless and have their line ends already.
    pub fn lines(&mut self, lines: &str) -> io::Result<()> {
        self.out.write_all(lines.as_bytes())
    }

    /// Names and values under each other; those without a value are left out.
    pub fn facts(&mut self, facts: &[(&str, String)]) -> io::Result<()> {
        let known = || facts.iter().filter(|(_, value)| !value.is_empty());
        let widest = known().map(|(name, _)| width(name)).max().unwrap_or(0);
        for (name, value) in known() {
            let blanks = " ".repeat(widest - width(name));
            writeln!(self.out, "{}{blanks}  {}", visible(name), visible(value))?;
        }
        Ok(())
    }

    /// A remark that belongs to the answer and not into it.
    pub fn note(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.errors, "note: {}", visible(text))
    }

    /// Something went wrong with one of several; the command goes on.
    pub fn error(&mut self, failure: &super::Failure) -> io::Result<()> {
        writeln!(self.errors, "{failure}")
    }
}

/// An object's JSON with one more key whose value is JSON text as it came: reading and writing it
/// again would round its numbers and drop its double keys.
pub fn with_raw(object: &serde_json::Map<String, Value>, key: &str, raw: Option<&str>) -> String {
    let mut json = Value::Object(object.clone()).to_string();
    json.truncate(json.len() - 1);
    if !object.is_empty() {
        json.push(',');
    }
    json.push_str(&Value::from(key).to_string());
    json.push(':');
    json.push_str(&raw.map_or_else(|| "null".to_owned(), one_line));
    json.push('}');
    json
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a command prints to standard output and to standard error, in one form.
    pub(crate) struct Printed {
        pub(crate) out: String,
        pub(crate) errors: String,
    }

    /// Runs something that prints.
    pub(crate) fn printed<T>(form: Form, print: impl AsyncFnOnce(&mut Output<'_>) -> T) -> (T, Printed) {
        let (mut out, mut errors) = (Vec::new(), Vec::new());
        let answer = {
            let mut output = Output::new(form, &mut out, &mut errors);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(print(&mut output))
        };
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (answer, Printed { out: text(out), errors: text(errors) })
    }

    #[test]
    fn json_is_one_harmless_line() {
        let (_, printed) = printed(Form::Json, async |out| {
            out.json(&serde_json::json!({"title": "a\u{202e}b\n"})).unwrap();
        });
        assert_eq!(printed.out, "{\"title\":\"a\\u202eb\\n\"}\n");
    }

    #[test]
    fn raw_json_keeps_its_digits_and_its_double_keys() {
        let object = serde_json::json!({"id": "1"});
        let raw = "{\n  \"n\": 12345678901234567890123, \"a\": \"x \\\" y\",\r\n \"a\": [1 , 2]\n}";
        let json = with_raw(object.as_object().unwrap(), "raw", Some(raw));
        assert_eq!(json, r#"{"id":"1","raw":{"n":12345678901234567890123,"a":"x \" y","a":[1,2]}}"#);
    }

    #[test]
    fn facts_without_a_value_are_left_out() {
        let (_, printed) = printed(Form::Text, async |out| {
            out.facts(&[("id", "7".into()), ("assignee", String::new()), ("state", "open".into())]).unwrap();
        });
        assert_eq!(printed.out, "id     7\nstate  open\n");
    }

    proptest! {
        #[test]
        fn one_line_means_the_same(text in any::<String>(), number in any::<i32>()) {
            let value = serde_json::json!({ "text": text, "list": [number, null, { "k": text }] });
            let line = one_line(&serde_json::to_string_pretty(&value).unwrap());
            prop_assert!(!line.contains('\n'));
            prop_assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), value);
        }

        #[test]
        fn anything_becomes_json(text in any::<String>()) {
            prop_assert!(serde_json::from_str::<Value>(&one_line(&text)).is_ok());
        }
    }
}
