//! What a profile holds in one org: the base and the custom attributes of its schema.

use super::ProfileMap;
use serde_json::Value;

/// One attribute of a profile.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attribute {
    /// Okta's name for it.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// `string`, `boolean`, …
    pub kind: String,
    /// `base` or `custom`.
    pub from: &'static str,
    /// Whether an account cannot be without it.
    pub is_required: bool,
    /// What it may be called here besides.
    pub names: Vec<String>,
}

/// The attributes of a schema, base ones first, as far as it has them; what is of another shape has no title
/// and no type.
pub fn attributes(schema: &Value, map: &ProfileMap) -> Vec<Attribute> {
    let of = |from: &'static str| {
        let definition = &schema["definitions"][from];
        let required = definition["required"].as_array();
        let is_listed = move |name: &str| required.is_some_and(|list| list.iter().any(|one| one == name));
        let properties = definition["properties"].as_object().into_iter().flatten();
        properties.map(move |(name, property)| Attribute {
            name: name.clone(),
            title: property["title"].as_str().unwrap_or_default().to_owned(),
            kind: property["type"].as_str().unwrap_or_default().to_owned(),
            from,
            is_required: property["required"] == true || is_listed(name),
            names: map.names_of(name).map(str::to_owned).collect(),
        })
    };
    of("base").chain(of("custom")).collect()
}
