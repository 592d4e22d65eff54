//! What a run on somebody reaches besides the one state that it changes: the blast radius.
//!
//! None of it is what is confirmed. A group more or an application less is no other run, so it stands in no
//! digest and disarms no card; and each part says by itself that it cannot be told.

use super::Untrusted;
use serde_json::{Value, json};

/// What is known, or why it is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known<T> {
    /// This.
    Is(T),
    /// Nobody can say, because of this.
    CannotTell(String),
}

impl<T> Known<T> {
    /// What is known, if it is.
    pub fn as_ref(&self) -> Option<&T> {
        match self {
            Known::Is(value) => Some(value),
            Known::CannotTell(_) => None,
        }
    }
}

impl<T> From<Result<T, String>> for Known<T> {
    fn from(told: Result<T, String>) -> Known<T> {
        told.map_or_else(Known::CannotTell, Known::Is)
    }
}

/// How far a run reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blast {
    /// The administrator roles that the account has, those that are active.
    pub roles: Known<Vec<Untrusted>>,
    /// What else says that it is an administrator's: what an issue calls the account.
    pub called: Vec<Untrusted>,
    /// The groups that it is in.
    pub groups: Known<Vec<Untrusted>>,
    /// The applications that are assigned to it.
    pub apps: Known<Vec<Untrusted>>,
    /// The other findings of this person that nobody has closed.
    pub findings: Known<usize>,
    /// Whether a person is behind it, in the words of who classifies.
    pub class: Known<Untrusted>,
}

/// A line of it: a name, what is known in words, and whether it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlastLine {
    /// What it is about.
    pub name: &'static str,
    /// What is known, ready to be shown.
    pub words: String,
    /// How loud it is.
    pub weight: Weight,
}

/// How loud a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// It raises the risk.
    Raises,
    /// It is known.
    Known,
    /// Nobody can say.
    Unknown,
}

/// So many of a list are named.
const NAMED: usize = 5;

/// Why nobody knows of sessions.
const NO_SESSIONS: &str = "cannot tell: no call lists them";

impl Blast {
    /// Whether it is known to be an administrator's account. That nobody can say does not make it one.
    pub fn is_of_administrator(&self) -> bool {
        self.roles.as_ref().is_some_and(|roles| !roles.is_empty()) || self.called.iter().any(is_admin)
    }

    /// What is known, line by line, in the order of the card.
    pub fn lines(&self) -> Vec<BlastLine> {
        let weight = |is_known: bool| if is_known { Weight::Known } else { Weight::Unknown };
        let (groups, apps) = (self.groups.as_ref().is_some(), self.apps.as_ref().is_some());
        let line = |name, words, weight| BlastLine { name, words, weight };
        let findings = self.findings.as_ref();
        vec![
            self.administrator(),
            line("class", text(&self.class, ToString::to_string), weight(self.class.as_ref().is_some())),
            line("groups", listed(&self.groups), weight(groups)),
            line("apps", listed(&self.apps), weight(apps)),
            line("sessions", NO_SESSIONS.to_owned(), Weight::Unknown),
            line("findings", text(&self.findings, |&open| others(open)), weight(findings.is_some())),
        ]
    }

    fn administrator(&self) -> BlastLine {
        let called =
            self.called.iter().filter(|word| is_admin(word)).map(|word| format!("`{word}` by its issue"));
        let roles = match &self.roles {
            Known::Is(roles) if roles.is_empty() => "no role that is active".to_owned(),
            Known::Is(roles) => joined(roles),
            Known::CannotTell(why) => format!("cannot tell: {why}"),
        };
        let is_first = self.roles.as_ref().is_some_and(|roles| !roles.is_empty());
        let mut words: Vec<String> = called.collect();
        words.insert(if is_first { 0 } else { words.len() }, roles);
        let weight = match (self.is_of_administrator(), &self.roles) {
            (true, _) => Weight::Raises,
            (false, Known::Is(_)) => Weight::Known,
            (false, Known::CannotTell(_)) => Weight::Unknown,
        };
        BlastLine { name: "admin", words: words.join("; "), weight }
    }

    /// The same for programs: what is not known is null, and says why beside.
    pub fn to_json(&self) -> Value {
        json!({
            "administrator": self.is_of_administrator(),
            "roles": told(&self.roles),
            "called": self.called,
            "groups": told(&self.groups),
            "apps": told(&self.apps),
            "sessions": {"value": null, "cannot_tell": "no call lists them"},
            "open_findings": told(&self.findings),
            "class": told(&self.class),
        })
    }
}

/// Whether what an issue calls an account names an administrator: `Admin`, `Super admin`.
fn is_admin(word: &Untrusted) -> bool {
    let is_it = |word: &str| word.eq_ignore_ascii_case("admin") || word.eq_ignore_ascii_case("administrator");
    word.raw().split(|c: char| !c.is_alphanumeric()).any(is_it)
}

fn told<T: serde::Serialize>(known: &Known<T>) -> Value {
    match known {
        Known::Is(value) => json!({"value": value, "cannot_tell": null}),
        Known::CannotTell(why) => json!({"value": null, "cannot_tell": why}),
    }
}

fn text<T>(known: &Known<T>, words: impl Fn(&T) -> String) -> String {
    match known {
        Known::Is(value) => words(value),
        Known::CannotTell(why) => format!("cannot tell: {why}"),
    }
}

fn listed(known: &Known<Vec<Untrusted>>) -> String {
    text(known, |names| match names.len() {
        0 => "none".to_owned(),
        count => format!("{count}: {}", joined(names)),
    })
}

fn joined(names: &[Untrusted]) -> String {
    let mut words: Vec<String> = names.iter().take(NAMED).map(ToString::to_string).collect();
    if let Some(more) = names.len().checked_sub(NAMED).filter(|more| *more > 0) {
        words.push(format!("and {more} more"));
    }
    words.join(", ")
}

fn others(open: usize) -> String {
    match open {
        0 => "no other that is open".to_owned(),
        FINDINGS_COUNTED.. => format!("{FINDINGS_COUNTED} others that are open, or more"),
        1 => "1 other that is open".to_owned(),
        open => format!("{open} others that are open"),
    }
}

/// More open findings than these are not counted.
pub const FINDINGS_COUNTED: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn blast(roles: Result<&[&str], &str>, called: &[&str]) -> Blast {
        let texts = |texts: &[&str]| texts.iter().map(|text| Untrusted::from(*text)).collect::<Vec<_>>();
        Blast {
            roles: roles.map(texts).map_err(str::to_owned).into(),
            called: texts(called),
            groups: Known::Is(texts(&["a", "b", "c", "d", "e", "f"])),
            apps: Known::Is(Vec::new()),
            findings: Known::Is(1),
            class: Known::CannotTell("not read".to_owned()),
        }
    }

    #[rstest]
    #[case::by_a_role(Ok(&["Super Administrator"][..]), &[], true, "Super Administrator")]
    #[case::none(Ok(&[][..]), &[], false, "no role that is active")]
    #[case::unknown_is_neither(Err("403"), &[], false, "cannot tell: 403")]
    #[case::by_its_issue(Err("403"), &["Super admin"], true, "`Super admin` by its issue; cannot tell: 403")]
    #[case::both(Ok(&["App"][..]), &["Admin"], true, "App; `Admin` by its issue")]
    #[case::something_else(Ok(&[][..]), &["Administrative assistant", "Human"], false, "no role that is active")]
    fn an_administrator_is_known_by_a_role_or_by_the_issue(
        #[case] roles: Result<&[&str], &str>,
        #[case] called: &[&str],
        #[case] is_admin: bool,
        #[case] words: &str,
    ) {
        let blast = blast(roles, called);
        let first = blast.lines().remove(0);
        assert_eq!((blast.is_of_administrator(), first.words.as_str()), (is_admin, words));
        assert_eq!(first.weight == Weight::Raises, is_admin);
        assert_eq!(blast.to_json()["administrator"], is_admin);
    }

    #[test]
    fn what_cannot_be_told_says_so_and_long_lists_are_counted() {
        let lines = blast(Ok(&[]), &[]).lines();
        let words = |name: &str| lines.iter().find(|line| line.name == name).map(|line| line.words.as_str());
        assert_eq!(words("class"), Some("cannot tell: not read"));
        assert_eq!(words("groups"), Some("6: a, b, c, d, e, and 1 more"));
        assert_eq!(words("apps"), Some("none"));
        assert_eq!(words("sessions"), Some("cannot tell: no call lists them"));
        assert_eq!(words("findings"), Some("1 other that is open"));
    }
}
