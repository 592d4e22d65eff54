//! Fields of an Okta profile as somebody says them: what they are called at Okta, and whether their values
//! can be sent.
//!
//! Names go through a table ([`ProfileMap`]): XSOAR's outgoing mapper is shipped, own entries go before it, and
//! what stands in neither is Okta's own name. What comes out is a [`Profile`], whose text is one JSON
//! object of Okta's field → value, its fields in order, so that the same profile is the same text.

mod map;
mod said;
mod schema;
mod whom;

pub use map::{MapProblem, ProfileMap, SHIPPED};
pub use said::{Said, object, pair, pairs};
pub use schema::{Attribute, attributes};
pub use whom::{When, Whom};

use super::user_key::is_same;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use thiserror::Error;

/// More fields than these are not sent at once.
pub const MOST_FIELDS: usize = 100;
/// A text of a field may have so many bytes.
pub const MOST_TEXT: usize = 10_000;
/// A list of a field may hold so many values.
pub const MOST_VALUES: usize = 100;
/// Above this a number that is written with a point may have lost digits on its way here.
const MOST_EXACT: f64 = 9_007_199_254_740_991.0;

/// Names that a user profile may hold without their being fields: whom it means.
const NOT_FIELDS: [&str; 2] = ["id", OLD];
/// Under which name XSOAR keeps what a profile held before a change.
const OLD: &str = "olduserdata";

/// Fields of one profile, by Okta's names. There may be none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Profile(BTreeMap<String, Value>);

/// What is wrong with fields that somebody said.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProfileError {
    /// It is not `field=value`.
    #[error("`{0}` is not a field and a value")]
    NotAPair(String),
    /// What follows `:=` is not JSON.
    #[error("the value of `{0}` is not JSON")]
    NotJson(String),
    /// It is not a JSON object.
    #[error("it is not a JSON object")]
    NotAnObject,
    /// No field can be called that.
    #[error("`{0}` cannot be the name of a field")]
    Name(String),
    /// It says whom a user profile means.
    #[error("`{0}` says whom a profile means, and is no field of it")]
    NotAField(String),
    /// It says whom a user profile means, and is not what says that.
    #[error("`{0}` says whom the profile means, and is no {1}")]
    OfWhom(String, &'static str),
    /// The value cannot be sent.
    #[error("the value of `{name}` cannot be sent: {why}")]
    Value {
        /// The name as it was said.
        name: String,
        /// Why.
        why: &'static str,
    },
    /// Two names mean one field, and say different things.
    #[error("`{first}` and `{second}` both mean `{field}`, with different values")]
    Twice {
        /// The name that was said first.
        first: String,
        /// The other.
        second: String,
        /// The field at Okta.
        field: String,
    },
    /// More fields than are sent at once.
    #[error("{0} fields are more than the {MOST_FIELDS} that are sent at once")]
    TooMany(usize),
}

impl ProfileError {
    /// What mends it.
    pub fn hint(&self) -> &'static str {
        match self {
            ProfileError::NotAPair(_) => {
                "`field=text`, `field=` for an empty text, `field:=JSON` for anything else"
            }
            ProfileError::NotJson(_) => "`field:=true`, `field:=7`, `field:=null`, `field:='[\"a\",\"b\"]'`",
            ProfileError::NotAnObject => "`{\"title\":\"Head of Sales\"}`",
            ProfileError::Name(_) => {
                "letters, digits, `_`, `-` and `.`; `idtriage okta fields` lists what there is"
            }
            ProfileError::NotAField(_) => "leave it out: whom it is about is said by login or id",
            ProfileError::OfWhom(..) => {
                "`\"id\":\"00u…\"`, `\"login\":\"ann@example.com\"`; what is not known is left out"
            }
            ProfileError::Value { .. } => "a text, a number, true, false, null, or a list of these",
            ProfileError::Twice { .. } => "say the field once; `[okta.map]` says which names mean it",
            ProfileError::TooMany(_) => "say fewer at once",
        }
    }
}

impl Profile {
    /// The fields of XSOAR's user profile: there `id` and `olduserdata` say whom it is about.
    ///
    /// # Errors
    /// As [`Profile::of`].
    pub fn of_user_profile(map: &ProfileMap, said: &[Said]) -> Result<Profile, ProfileError> {
        let fields = said.iter().filter(|said| !NOT_FIELDS.contains(&said.name.as_str()));
        Profile::of(map, &fields.cloned().collect::<Vec<_>>())
    }

    /// The fields of what was said, under Okta's names.
    ///
    /// # Errors
    /// The first that cannot be sent, and two that contradict each other.
    pub fn of(map: &ProfileMap, said: &[Said]) -> Result<Profile, ProfileError> {
        let mut fields: BTreeMap<String, (&str, &Value)> = BTreeMap::new();
        for Said { name, value } in said {
            if NOT_FIELDS.contains(&name.as_str()) {
                return Err(ProfileError::NotAField(name.clone()));
            }
            check_name(name)?;
            check_value(value).map_err(|why| ProfileError::Value { name: name.clone(), why })?;
            let field = map.field(name);
            if matches!(field, "login" | "email") && value.as_str().is_some_and(|text| text.trim() != text) {
                let why = "there are blanks around it";
                return Err(ProfileError::Value { name: name.clone(), why });
            }
            match fields.get(field) {
                Some((first, other)) if *other != value => {
                    let (first, second) = ((*first).to_owned(), name.clone());
                    return Err(ProfileError::Twice { first, second, field: field.to_owned() });
                }
                Some(_) => {}
                None => drop(fields.insert(field.to_owned(), (name, value))),
            }
        }
        if fields.len() > MOST_FIELDS {
            return Err(ProfileError::TooMany(fields.len()));
        }
        Ok(Profile(fields.into_iter().map(|(field, (_, value))| (field, value.clone())).collect()))
    }

    /// Whether it holds no field.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A field's text; `None` where it is not there, is blank or no text.
    pub fn text_of(&self, field: &str) -> Option<&str> {
        self.0.get(field)?.as_str().map(str::trim).filter(|text| !text.is_empty())
    }

    /// The same, with a text in a field that it does not hold.
    #[must_use]
    pub fn or(mut self, field: &str, text: &str) -> Profile {
        self.0.entry(field.to_owned()).or_insert_with(|| text.into());
        self
    }

    /// Without the login and the mail address where they are what they are already, in whatever case: they said
    /// whom the profile is about, and to send them back would be a change of what is mastered elsewhere. If
    /// there is nothing else, they stay as they are known: that nothing changes is for others to say.
    #[must_use]
    pub fn without_known(self, login: &str, email: &str) -> Profile {
        let known = BTreeMap::from([("login", login), ("email", email)]);
        let known_of = |field: &str, value: &Value| {
            let known = known.get(field)?;
            value.as_str().is_some_and(|said| is_same(said, known)).then_some(*known)
        };
        let (as_known, others): (BTreeMap<_, _>, BTreeMap<_, _>) =
            self.0.into_iter().partition(|(field, value)| known_of(field, value).is_some());
        if !others.is_empty() {
            return Profile(others);
        }
        let spelt = |field: &String| known.get(field.as_str()).map_or(Value::Null, |text| (*text).into());
        Profile(as_known.into_keys().map(|field| (field.clone(), spelt(&field))).collect())
    }

    /// As one JSON object, its fields in order: the same profile is the same text.
    pub fn json(&self) -> String {
        let fields: Map<String, Value> =
            self.0.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        Value::Object(fields).to_string()
    }
}

fn check_name(name: &str) -> Result<(), ProfileError> {
    // Okta keeps no characters of four bytes.
    let is_sound = |c: char| c.is_alphanumeric() && c.len_utf8() < 4 || matches!(c, '_' | '-' | '.');
    let is_name = !name.is_empty() && name.len() <= 256 && name.chars().all(is_sound);
    is_name.then_some(()).ok_or_else(|| ProfileError::Name(name.to_owned()))
}

fn check_value(value: &Value) -> Result<(), &'static str> {
    match value {
        Value::Array(list) if list.len() > MOST_VALUES => Err("the list is too long"),
        Value::Array(list) => list.iter().try_for_each(|value| match value {
            Value::Array(_) => Err("a list in a list"),
            value => check_value(value),
        }),
        Value::Object(_) => Err("a profile holds no objects"),
        Value::String(text) => check_text(text),
        Value::Number(number) => {
            let is_exact =
                !number.is_f64() || number.as_f64().is_some_and(|number| number.abs() <= MOST_EXACT);
            is_exact.then_some(()).ok_or("the number is too large to be kept exactly")
        }
        Value::Null | Value::Bool(_) => Ok(()),
    }
}

/// Okta's text is limited to characters of three bytes; a control character is nobody's name.
fn check_text(text: &str) -> Result<(), &'static str> {
    if text.len() > MOST_TEXT {
        return Err("the text is too long");
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        return Err("it holds a control character");
    }
    if text.chars().any(|c| c.len_utf8() > 3) {
        return Err("it holds a character of four bytes, an emoji for one, which Okta does not keep");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    fn of(text: &str) -> Result<Profile, ProfileError> {
        Profile::of_user_profile(&ProfileMap::shipped(), &object(text)?)
    }

    #[rstest]
    #[case(r#"{"givenname":"Ann","surname":"Lee"}"#, r#"{"firstName":"Ann","lastName":"Lee"}"#)]
    #[case(r#"{"username":"a@x","id":"00u1","olduserdata":{"email":"b@x"}}"#, r#"{"login":"a@x"}"#)]
    #[case(r#"{"zip":"1","zipcode":"07"}"#, r#"{"zip":"1","zipCode":"07"}"#)]
    #[case(
        r#"{"title":"","tags":["a",true,7,null],"x":null}"#,
        r#"{"tags":["a",true,7,null],"title":"","x":null}"#
    )]
    #[case(r#"{"surname":"Lee","lastName":"Lee"}"#, r#"{"lastName":"Lee"}"#)]
    #[case("{}", "{}")]
    fn what_is_said_is_under_oktas_names(#[case] said: &str, #[case] expected: &str) {
        assert_eq!(of(said).unwrap().json(), expected);
    }

    #[rstest]
    #[case(r#"{"surname":"Lee","lastName":"Li"}"#, "`surname` and `lastName` both mean `lastName`")]
    #[case(r#"{"title":"a","title":"b"}"#, "`title` and `title` both mean `title`")]
    #[case(r#"{"title":{"a":1}}"#, "no objects")]
    #[case(r#"{"tags":[["a"]]}"#, "a list in a list")]
    #[case(r#"{"n":12345678901234567890123}"#, "too large")]
    #[case(r#"{"title":"\u001b[2J"}"#, "control character")]
    #[case(r#"{"title":"\ud83d\ude00"}"#, "four bytes")]
    #[case(r#"{"a b":"c"}"#, "`a b` cannot be the name")]
    #[case(r#"{"":"c"}"#, "cannot be the name")]
    #[case(r#"{"\ud802\udc08":"c"}"#, "cannot be the name")]
    #[case(r#"{"username":"ann@x "}"#, "blanks around it")]
    #[case(r#"{"email":" a@x"}"#, "blanks around it")]
    #[case("[]", "not a JSON object")]
    #[case("title=x", "not a JSON object")]
    fn what_cannot_be_sent_is_refused(#[case] said: &str, #[case] phrase: &str) {
        let error = of(said).unwrap_err();
        assert!(error.to_string().contains(phrase), "{error}");
        assert!(!error.hint().is_empty());
    }

    #[test]
    fn whom_a_profile_means_is_no_field_of_it() {
        for name in ["id", "olduserdata"] {
            let said = Said { name: name.to_owned(), value: "00u1".into() };
            let error = Profile::of(&ProfileMap::shipped(), &[said]).unwrap_err();
            assert_eq!(error, ProfileError::NotAField(name.to_owned()));
        }
    }

    #[rstest]
    #[case(r#"{"login":"Ann@X","email":"a@x","title":"t"}"#, r#"{"title":"t"}"#)]
    #[case(r#"{"login":"ann@x","email":"new@x"}"#, r#"{"email":"new@x"}"#)]
    #[case(r#"{"login":"ann@x"}"#, r#"{"login":"ann@x"}"#)]
    #[case(r#"{"email":"A@X"}"#, r#"{"email":"a@x"}"#)]
    #[case(r#"{"login":null,"email":"a@x"}"#, r#"{"login":null}"#)]
    fn what_said_whom_is_not_sent_back(#[case] said: &str, #[case] expected: &str) {
        assert_eq!(of(said).unwrap().without_known("ann@x", "a@x").json(), expected);
    }

    #[test]
    fn sizes_have_bounds() {
        let text = |length: usize| json!({"title": "x".repeat(length)}).to_string();
        assert!(of(&text(MOST_TEXT)).is_ok() && of(&text(MOST_TEXT + 1)).is_err());
        let list = |length: usize| json!({"tags": vec![1; length]}).to_string();
        assert!(of(&list(MOST_VALUES)).is_ok() && of(&list(MOST_VALUES + 1)).is_err());
        let fields = |count: usize| {
            let fields: Map<String, Value> = (0..count).map(|at| (format!("f{at}"), at.into())).collect();
            Value::Object(fields).to_string()
        };
        assert!(of(&fields(MOST_FIELDS)).is_ok());
        assert_eq!(of(&fields(MOST_FIELDS + 1)), Err(ProfileError::TooMany(MOST_FIELDS + 1)));
    }

    fn value() -> impl Strategy<Value = Value> {
        let plain = prop_oneof![
            any::<String>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<i32>().prop_map(|number| Value::from(f64::from(number) / 4.0)),
            any::<bool>().prop_map(Value::from),
            Just(Value::Null),
        ];
        prop_oneof![plain.clone(), proptest::collection::vec(plain, 0..4).prop_map(Value::from)]
    }

    fn name() -> impl Strategy<Value = String> {
        prop_oneof![8 => "[a-zA-Z][a-zA-Z0-9_]{0,6}", 1 => any::<String>()]
    }

    proptest! {
        /// Whatever is said, what comes out can be sent, and says the same once more.
        #[test]
        fn what_comes_out_can_be_sent(fields in proptest::collection::vec((name(), value()), 0..6)) {
            let said: Vec<Said> = fields.into_iter().map(|(name, value)| Said { name, value }).collect();
            let Ok(profile) = Profile::of(&ProfileMap::shipped(), &said) else { return Ok(()) };
            let json = profile.json();
            prop_assert!(json.chars().all(|c| !c.is_control() && c.len_utf8() < 4));
            let again = Profile::of(&ProfileMap::shipped(), &object(&json).unwrap()).unwrap();
            prop_assert_eq!(again.json(), json);
        }

        /// The order in which fields are said makes no difference.
        #[test]
        fn order_makes_no_difference(texts in proptest::collection::vec("[a-z]{0,5}", 2..6)) {
            let said = |names: Vec<usize>| -> Vec<Said> {
                names.into_iter().map(|at| Said { name: format!("f{at}"), value: texts[at].clone().into() }).collect()
            };
            let there = Profile::of(&ProfileMap::shipped(), &said((0..texts.len()).collect())).unwrap();
            let back = Profile::of(&ProfileMap::shipped(), &said((0..texts.len()).rev().collect())).unwrap();
            prop_assert_eq!(there.json(), back.json());
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = (pair(&text), object(&text));
        }
    }
}
