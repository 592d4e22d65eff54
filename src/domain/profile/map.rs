//! What the fields of a profile are called besides their names at Okta.

use std::collections::BTreeMap;

/// XSOAR's outgoing mapper: its names, and Okta's. The names that differ in nothing but their case are there
/// in lower case, as XSOAR writes its own.
pub const SHIPPED: [(&str, &str); 18] = [
    ("username", "login"),
    ("givenname", "firstName"),
    ("surname", "lastName"),
    ("email", "email"),
    ("employeeid", "employeeNumber"),
    ("displayname", "displayName"),
    ("title", "title"),
    ("department", "department"),
    ("costcenter", "costCenter"),
    ("organization", "organization"),
    ("city", "city"),
    ("state", "state"),
    ("zipcode", "zipCode"),
    ("streetaddress", "streetAddress"),
    ("mobilephone", "mobilePhone"),
    ("managername", "manager"),
    ("employeetype", "userType"),
    ("login", "login"),
];

/// What is wrong with an entry of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MapProblem {
    /// The name cannot be one.
    Name(String),
    /// The name says whom a profile means, and is no field.
    Reserved(String),
    /// What this name means cannot be a field of Okta's.
    Field(String, String),
}

/// Names → fields of an Okta profile. A name that is not in it is Okta's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileMap(BTreeMap<String, String>);

impl Default for ProfileMap {
    fn default() -> ProfileMap {
        ProfileMap::shipped()
    }
}

impl ProfileMap {
    /// No table: every name is Okta's own.
    pub fn none() -> ProfileMap {
        ProfileMap(BTreeMap::new())
    }

    /// The shipped table.
    pub fn shipped() -> ProfileMap {
        ProfileMap(SHIPPED.iter().map(|(name, field)| ((*name).to_owned(), (*field).to_owned())).collect())
    }

    /// The shipped table with own entries: they go before it.
    ///
    /// # Errors
    /// Every entry that cannot be one.
    pub fn with(own: BTreeMap<String, String>) -> Result<ProfileMap, Vec<MapProblem>> {
        let problems: Vec<MapProblem> = own.iter().filter_map(|(name, field)| problem(name, field)).collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut map = ProfileMap::shipped();
        map.0.extend(own);
        Ok(map)
    }

    /// What a name means at Okta.
    pub fn field<'a>(&'a self, name: &'a str) -> &'a str {
        self.0.get(name).map_or(name, String::as_str)
    }

    /// The names that mean a field, beside its own.
    pub fn names_of<'a>(&'a self, field: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(name, means)| *means == field && *name != field)
            .map(|(name, _)| name.as_str())
    }
}

fn problem(name: &str, field: &str) -> Option<MapProblem> {
    if super::NOT_FIELDS.contains(&name) {
        return Some(MapProblem::Reserved(name.to_owned()));
    }
    if super::check_name(name).is_err() {
        return Some(MapProblem::Name(name.to_owned()));
    }
    let is_field = super::check_name(field).is_ok() && !super::NOT_FIELDS.contains(&field);
    (!is_field).then(|| MapProblem::Field(name.to_owned(), field.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        entries.iter().map(|(name, field)| ((*name).to_owned(), (*field).to_owned())).collect()
    }

    #[test]
    fn own_entries_go_first_and_the_rest_stays() {
        let map = ProfileMap::with(own(&[("surname", "familyName"), ("badge", "badgeNumber")])).unwrap();
        assert_eq!(
            ["surname", "badge", "givenname", "nickName"].map(|name| map.field(name)),
            ["familyName", "badgeNumber", "firstName", "nickName"]
        );
        assert_eq!(map.names_of("firstName").collect::<Vec<_>>(), ["givenname"]);
        assert_eq!(map.names_of("login").collect::<Vec<_>>(), ["username"], "its own name is no other name");
    }

    #[test]
    fn what_can_be_no_entry_is_told() {
        let problems =
            ProfileMap::with(own(&[("id", "x"), ("a b", "x"), ("y", ""), ("z", "id")])).unwrap_err();
        let expected = [
            MapProblem::Name("a b".to_owned()),
            MapProblem::Reserved("id".to_owned()),
            MapProblem::Field("y".to_owned(), String::new()),
            MapProblem::Field("z".to_owned(), "id".to_owned()),
        ];
        assert_eq!(problems, expected);
    }
}
