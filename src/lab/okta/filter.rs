//! The filter grammar of `filter` and `search` (contracts/okta.md, section 1): attribute, operator, JSON string; `and`,
//! `or`, `not`, parentheses. Attribute names are case-sensitive, operators are not.
use serde_json::Value;

const LONGEST: usize = 8 * 1024;
const DEEPEST: usize = 16;

/// Whether values are told apart by case: `filter` on users does, `search` does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Sensitive,
    Ignored,
}

/// A filter that can be asked about a JSON object.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    Present(String),
    Test { attribute: String, operator: Operator, value: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    Unequal,
    Contains,
    StartsWith,
    EndsWith,
    Greater,
    AtLeast,
    Less,
    AtMost,
}

/// Where a filter stops making sense: the offset in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadFilter(pub(super) usize);

impl Filter {
    pub(super) fn parse(text: &str) -> Result<Self, BadFilter> {
        if text.len() > LONGEST {
            return Err(BadFilter(LONGEST));
        }
        let mut parser = Parser { text, at: 0, depth: 0 };
        let filter = parser.any()?;
        parser.skip_space();
        if parser.at == text.len() { Ok(filter) } else { Err(BadFilter(parser.at)) }
    }

    pub(super) fn matches(&self, object: &Value, case: Case) -> bool {
        match self {
            Filter::All(parts) => parts.iter().all(|part| part.matches(object, case)),
            Filter::Any(parts) => parts.iter().any(|part| part.matches(object, case)),
            Filter::Not(inner) => !inner.matches(object, case),
            Filter::Present(attribute) => !values(object, attribute).is_empty(),
            Filter::Test { attribute, operator, value } => {
                values(object, attribute).iter().any(|found| operator.holds(found, value, case))
            }
        }
    }
}

impl Filter {
    /// Whether every test in it is one that is allowed.
    pub(super) fn is_of(&self, allowed: &impl Fn(&str, Option<Operator>) -> bool) -> bool {
        match self {
            Filter::All(parts) | Filter::Any(parts) => parts.iter().all(|part| part.is_of(allowed)),
            Filter::Not(inner) => inner.is_of(allowed),
            Filter::Present(attribute) => allowed(attribute, None),
            Filter::Test { attribute, operator, .. } => allowed(attribute, Some(*operator)),
        }
    }

    /// Whether an attribute is searched for a part of it.
    pub(super) fn looks_into(&self, attribute: &str) -> bool {
        match self {
            Filter::All(parts) | Filter::Any(parts) => parts.iter().any(|part| part.looks_into(attribute)),
            Filter::Not(inner) => inner.looks_into(attribute),
            Filter::Present(_) => false,
            Filter::Test { attribute: found, operator, .. } => {
                found == attribute && *operator == Operator::Contains
            }
        }
    }
}

impl Operator {
    fn parse(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "eq" => Operator::Equal,
            "ne" => Operator::Unequal,
            "co" => Operator::Contains,
            "sw" => Operator::StartsWith,
            "ew" => Operator::EndsWith,
            "gt" => Operator::Greater,
            "ge" => Operator::AtLeast,
            "lt" => Operator::Less,
            "le" => Operator::AtMost,
            _ => return None,
        })
    }

    fn holds(self, found: &str, wanted: &str, case: Case) -> bool {
        let fold = |text: &str| if case == Case::Ignored { text.to_lowercase() } else { text.to_owned() };
        let (found, wanted) = (fold(found), fold(wanted));
        match self {
            Operator::Equal => found == wanted,
            Operator::Unequal => found != wanted,
            Operator::Contains => found.contains(&wanted),
            Operator::StartsWith => found.starts_with(&wanted),
            Operator::EndsWith => found.ends_with(&wanted),
            Operator::Greater => found > wanted,
            Operator::AtLeast => found >= wanted,
            Operator::Less => found < wanted,
            Operator::AtMost => found <= wanted,
        }
    }
}

/// The values of a dotted attribute; lists contribute each of their items.
fn values(object: &Value, attribute: &str) -> Vec<String> {
    let mut found = vec![object];
    for step in attribute.split('.') {
        found = found
            .into_iter()
            .flat_map(|value| value.as_array().map_or_else(|| vec![value], |items| items.iter().collect()))
            .filter_map(|value| value.get(step))
            .collect();
    }
    let text = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    found.into_iter().filter_map(text).collect()
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<Filter, BadFilter> {
        let mut parts = vec![self.all()?];
        while self.word("or") {
            parts.push(self.all()?);
        }
        Ok(Filter::Any(parts))
    }

    fn all(&mut self) -> Result<Filter, BadFilter> {
        let mut parts = vec![self.one()?];
        while self.word("and") {
            parts.push(self.one()?);
        }
        Ok(Filter::All(parts))
    }

    fn one(&mut self) -> Result<Filter, BadFilter> {
        if self.word("not") {
            return Ok(Filter::Not(Box::new(self.group()?)));
        }
        self.skip_space();
        if self.rest().starts_with('(') { self.group() } else { self.test() }
    }

    fn group(&mut self) -> Result<Filter, BadFilter> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(BadFilter(self.at));
        }
        self.mark('(')?;
        let inner = self.any()?;
        self.mark(')')?;
        self.depth -= 1;
        Ok(inner)
    }

    fn test(&mut self) -> Result<Filter, BadFilter> {
        let attribute = self.name()?;
        if self.word("pr") {
            return Ok(Filter::Present(attribute));
        }
        let at = self.at;
        let operator = Operator::parse(&self.name()?).ok_or(BadFilter(at))?;
        Ok(Filter::Test { attribute, operator, value: self.string()? })
    }

    fn name(&mut self) -> Result<String, BadFilter> {
        self.skip_space();
        let name: String =
            self.rest().chars().take_while(|c| c.is_alphanumeric() || ".-_".contains(*c)).collect();
        if name.is_empty() {
            return Err(BadFilter(self.at));
        }
        self.at += name.len();
        Ok(name)
    }

    /// A JSON string, or a bare `true`, `false` or number.
    fn string(&mut self) -> Result<String, BadFilter> {
        self.skip_space();
        if !self.rest().starts_with('"') {
            let at = self.at;
            let bare = self.name()?;
            let is_literal = matches!(bare.as_str(), "true" | "false") || bare.parse::<f64>().is_ok();
            return if is_literal { Ok(bare) } else { Err(BadFilter(at)) };
        }
        let mut stream = serde_json::Deserializer::from_str(self.rest()).into_iter::<String>();
        let value = stream.next().and_then(Result::ok).ok_or(BadFilter(self.at))?;
        self.at += stream.byte_offset();
        Ok(value)
    }

    /// Takes a whole word in any case, if it is next.
    fn word(&mut self, word: &str) -> bool {
        self.skip_space();
        let head = self.rest().get(..word.len()).unwrap_or_default();
        let tail = self.rest().get(word.len()..).and_then(|rest| rest.chars().next());
        let next = head.eq_ignore_ascii_case(word)
            && !tail.is_some_and(|c| c.is_alphanumeric() || ".-_".contains(c));
        if next {
            self.at += word.len();
        }
        next
    }

    fn mark(&mut self, mark: char) -> Result<(), BadFilter> {
        self.skip_space();
        if !self.rest().starts_with(mark) {
            return Err(BadFilter(self.at));
        }
        self.at += mark.len_utf8();
        Ok(())
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(r#"status eq "ACTIVE""#, true)]
    #[case(r#"status eq "active""#, false)]
    #[case(r#"profile.login EQ "o\"brien\\x""#, true)]
    #[case(r#"target.id eq "B" and not (status eq "STAGED")"#, true)]
    #[case(r#"status eq "X" or target.id sw "A""#, true)]
    #[case(r#"profile.phone pr"#, false)]
    #[case(r#"(status ne "X") and (profile.login pr)"#, true)]
    fn decides(#[case] text: &str, #[case] expected: bool) {
        let object = json!({"status": "ACTIVE", "profile": {"login": "o\"brien\\x"}, "target": [{"id": "A1"}, {"id": "B"}]});
        assert_eq!(Filter::parse(text).unwrap().matches(&object, Case::Sensitive), expected);
    }

    #[rstest]
    #[case("")]
    #[case("status")]
    #[case("status eq")]
    #[case(r#"status eq "open"#)]
    #[case(r#"status is "ACTIVE""#)]
    #[case(r#"(status eq "A""#)]
    #[case(r#"status eq "A" status eq "B""#)]
    #[case("status eq ACTIVE")]
    #[case("eventType eq user.session.start")]
    fn refuses(#[case] text: &str) {
        assert!(Filter::parse(text).is_err());
    }

    #[test]
    fn depth_and_length_are_bounded() {
        assert!(Filter::parse(&"(".repeat(5000)).is_err());
        assert!(Filter::parse(&"a".repeat(LONGEST + 1)).is_err());
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in ".{0,80}") {
            let _ = Filter::parse(&text);
        }
    }
}
