//! How fields are said: one a pair on a command line, or all in one JSON object.

use super::ProfileError;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use std::fmt;

/// A field as somebody said it.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// Its name: Okta's, or one of the table.
    pub name: String,
    /// Its value.
    pub value: Value,
}

/// `field=text`, `field=` for an empty text, `field:=JSON` for a number, true, false, null or a list. What
/// follows the first `=` is the value, whatever it holds.
///
/// # Errors
/// If it is neither.
pub fn pair(text: &str) -> Result<Said, ProfileError> {
    let (name, value) = text.split_once('=').ok_or_else(|| ProfileError::NotAPair(text.to_owned()))?;
    let (name, value) = match name.strip_suffix(':') {
        Some(name) => {
            let value = serde_json::from_str(value).map_err(|_| ProfileError::NotJson(name.to_owned()))?;
            (name, value)
        }
        None => (name, Value::from(value)),
    };
    if name.is_empty() {
        return Err(ProfileError::NotAPair(text.to_owned()));
    }
    Ok(Said { name: name.to_owned(), value })
}

/// Pairs in one line, `;` between them: `title=Head of Sales; department=Sales`. A value that holds a `;` is
/// for a command line, where each pair stands by itself.
///
/// # Errors
/// The first that is no pair, and a line without any.
pub fn pairs(line: &str) -> Result<Vec<Said>, ProfileError> {
    let pairs = line.split(';').map(str::trim).filter(|text| !text.is_empty()).map(pair);
    let said: Vec<Said> = pairs.collect::<Result<_, _>>()?;
    if said.is_empty() { Err(ProfileError::NotAPair(line.trim().to_owned())) } else { Ok(said) }
}

/// The fields of a JSON object, in the order in which they stand there; a name that stands there twice is
/// there twice.
///
/// # Errors
/// If it is no JSON object.
pub fn object(text: &str) -> Result<Vec<Said>, ProfileError> {
    serde_json::from_str::<Pairs>(text).map(|pairs| pairs.0).map_err(|_| ProfileError::NotAnObject)
}

/// A map would keep the last of two, in silence.
struct Pairs(Vec<Said>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Pairs, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some((name, value)) = map.next_entry()? {
                    pairs.push(Said { name, value });
                }
                Ok(Pairs(pairs))
            }
        }
        from.deserialize_map(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case("title=Head of Sales", "title", json!("Head of Sales"))]
    #[case("title=", "title", json!(""))]
    #[case("title=true", "title", json!("true"))]
    #[case("url=https://x/?a=b", "url", json!("https://x/?a=b"))]
    #[case("on:=true", "on", json!(true))]
    #[case("n:=7", "n", json!(7))]
    #[case("title:=null", "title", Value::Null)]
    #[case(r#"tags:=["a","b"]"#, "tags", json!(["a", "b"]))]
    fn a_pair_is_a_text_or_typed(#[case] text: &str, #[case] name: &str, #[case] value: Value) {
        assert_eq!(pair(text).unwrap(), Said { name: name.to_owned(), value });
    }

    #[rstest]
    #[case("title")]
    #[case("=x")]
    #[case(":=1")]
    #[case("n:=seven")]
    #[case("")]
    fn no_pair_is_refused(#[case] text: &str) {
        assert!(pair(text).is_err());
    }
}
