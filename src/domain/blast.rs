//! What a run on somebody reaches besides the one state that it changes: the blast radius.
//!
//! None of it is what is confirmed. A group more or an application less is no other run, so it stands in no
//! digest and disarms no card; and each part says by itself that it cannot be told. Only that somebody turns
//! out to be an administrator is looked at again before a send, because it decides what is asked.

use super::Untrusted;
use super::counted::counted;
use super::untrusted::fit;
use serde_json::{Value, json};

/// What is known, or why it is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told<T> {
    /// This.
    Is(T),
    /// Nobody can say, because of this.
    CannotTell(String),
}

impl<T> Told<T> {
    /// What is known, if it is.
    pub fn known(&self) -> Option<&T> {
        match self {
            Told::Is(value) => Some(value),
            Told::CannotTell(_) => None,
        }
    }
}

/// The administrator roles of somebody's Okta accounts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roles {
    /// Those that were read and are active. One is enough to be an administrator.
    pub held: Vec<Untrusted>,
    /// Why there may be others: "none" is said only without this.
    pub untold: Option<String>,
}

/// How far a run reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blast {
    /// The ids of the Okta accounts that this is about.
    pub accounts: Vec<String>,
    /// The product whose account is acted on, where that is not Okta: its roles, groups and applications are
    /// not read here.
    pub elsewhere: Option<String>,
    /// The administrator roles.
    pub roles: Roles,
    /// The words by which an open issue says that it is an administrator's account.
    pub called: Vec<Untrusted>,
    /// The groups in Okta.
    pub groups: Told<Vec<Untrusted>>,
    /// The applications that are assigned in Okta.
    pub apps: Told<Vec<Untrusted>>,
    /// The other findings of this login that nobody has closed.
    pub findings: Told<usize>,
    /// Whether a person is behind it, in the words of who classifies.
    pub class: Told<Untrusted>,
}

/// A line of it.
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
/// A name is cut behind so many columns.
const LONGEST: usize = 60;
/// More open findings than these are not counted.
pub const FINDINGS_COUNTED: usize = 20;
/// That no role makes an administrator of anyone, for a line.
pub(super) const NO_ROLE: &str = "no admin role";
/// Why nobody knows of sessions.
const NO_SESSIONS: &str = "no call lists them";

impl Blast {
    /// Whether it is known to be an administrator's account. That nobody can say does not make it one.
    pub fn is_of_administrator(&self) -> bool {
        !self.roles.held.is_empty() || !self.called.is_empty()
    }

    /// Whether it is an administrator's account; `None` where nobody can say.
    pub fn administers(&self) -> Option<bool> {
        let is_told = self.roles.untold.is_none() && self.elsewhere.is_none();
        (self.is_of_administrator() || is_told).then(|| self.is_of_administrator())
    }

    /// Whether it is an administrator's account, and by what.
    pub fn administrator(&self) -> BlastLine {
        let weight = match self.administers() {
            Some(true) => Weight::Raises,
            Some(false) => Weight::Known,
            None => Weight::Unknown,
        };
        let mut words = Vec::new();
        if !self.roles.held.is_empty() {
            words.push(joined(&self.roles.held));
        }
        if !self.called.is_empty() {
            words.push(format!("by an open issue: {}", joined(&self.called)));
        }
        if let Some(product) = self.elsewhere.as_ref().filter(|_| words.is_empty()) {
            words.push(format!("cannot tell: roles in {product} are not read here"));
        }
        match &self.roles.untold {
            Some(why) if words.is_empty() => words.push(format!("cannot tell: {why}")),
            None if words.is_empty() => words.push("no role that is active".to_owned()),
            Some(_) | None => {}
        }
        BlastLine { name: "admin", words: words.join("; "), weight }
    }

    /// What else is known, line by line, in the order of the card.
    pub fn others(&self) -> Vec<BlastLine> {
        let place = if self.elsewhere.is_some() { "in Okta, " } else { "" };
        let listed = |names: &Vec<Untrusted>| match names.len() {
            0 => format!("{place}none"),
            count => format!("{place}{count}: {}", joined(names)),
        };
        vec![
            line("class", &self.class, short),
            line("groups", &self.groups, listed),
            line("apps", &self.apps, listed),
            line("findings", &self.findings, |open| others(*open)),
            line("sessions", &Told::CannotTell(NO_SESSIONS.to_owned()), String::clone),
        ]
    }

    /// All of it in a line. Of somebody who is an administrator, or may be one, the line that stands above says so.
    pub fn brief(&self) -> BlastLine {
        let mut brief = Brief { is_in_okta: self.elsewhere.is_some(), ..Brief::default() };
        if self.administers() == Some(false) {
            brief.known.push(NO_ROLE.to_owned());
        }
        match self.class.known() {
            Some(class) => brief.known.push(short(class)),
            None => brief.unknown.push("class".to_owned()),
        }
        for (name, noun, told) in [("groups", "group", &self.groups), ("apps", "app", &self.apps)] {
            match told.known() {
                Some(names) => brief.known.push(counted(names.len(), noun)),
                None => brief.untold.push(name.to_owned()),
            }
        }
        match self.findings.known() {
            Some(open) if *open >= FINDINGS_COUNTED => {
                brief.known.push(format!("{FINDINGS_COUNTED}+ other findings"));
            }
            Some(open) => brief.known.push(counted(*open, "other finding")),
            None => brief.unknown.push("findings".to_owned()),
        }
        brief.line()
    }

    /// The same for programs: what is not known is null, and says why beside.
    pub fn to_json(&self) -> Value {
        json!({
            "administrator": self.administers(),
            "roles": {"value": self.roles.held, "cannot_tell": self.roles.untold},
            "called": self.called,
            "acts_elsewhere": self.elsewhere,
            "okta_accounts": self.accounts,
            "groups": told(&self.groups),
            "apps": told(&self.apps),
            "sessions": {"value": null, "cannot_tell": NO_SESSIONS},
            "open_findings": told(&self.findings),
            "class": told(&self.class),
        })
    }
}

/// How far a run reaches, of one or of many, for a single line.
#[derive(Debug, Default)]
pub(super) struct Brief {
    /// What could have been told, and was not.
    pub(super) untold: Vec<String>,
    /// What is known.
    pub(super) known: Vec<String>,
    /// What cannot be told and is less than the rest of it.
    pub(super) unknown: Vec<String>,
    /// Whether what is known is so in Okta, while another product's account is acted on.
    pub(super) is_in_okta: bool,
}

impl Brief {
    /// First what could have been told and was not, then what is known, last what nobody can say of anyone.
    pub(super) fn line(self) -> BlastLine {
        let Brief { untold, known, mut unknown, is_in_okta } = self;
        // That nobody can list sessions is so for everybody.
        let weight = if untold.is_empty() && unknown.is_empty() { Weight::Known } else { Weight::Unknown };
        unknown.push("sessions".to_owned());
        let place = if is_in_okta { " (in Okta)" } else { "" };
        let mut words = Vec::new();
        if !untold.is_empty() {
            words.push(format!("cannot tell: {}", untold.join(", ")));
        }
        if !known.is_empty() {
            words.push(format!("{}{place}", known.join(", ")));
        }
        words.push(format!("{} unknown", unknown.join(", ")));
        BlastLine { name: "reaches", words: words.join("; "), weight }
    }
}

/// Whether a word that an issue uses names an administrator: `Admin`, `Super admins`, `SuperAdmin`, not
/// `Administrative`.
pub fn names_administrator(text: &Untrusted) -> bool {
    let is_it = |word: &str| {
        let word = word.to_ascii_lowercase();
        ["admin", "admins", "administrator", "administrators"].iter().any(|end| word.ends_with(end))
    };
    text.raw().split(|c: char| !c.is_alphanumeric()).any(is_it)
}

fn line<T>(name: &'static str, told: &Told<T>, words: impl Fn(&T) -> String) -> BlastLine {
    match told {
        Told::Is(value) => BlastLine { name, words: words(value), weight: Weight::Known },
        Told::CannotTell(why) => {
            BlastLine { name, words: format!("cannot tell: {why}"), weight: Weight::Unknown }
        }
    }
}

fn told<T: serde::Serialize>(told: &Told<T>) -> Value {
    match told {
        Told::Is(value) => json!({"value": value, "cannot_tell": null}),
        Told::CannotTell(why) => json!({"value": null, "cannot_tell": why}),
    }
}

/// A name for a list: cut, and told apart from the words around it.
fn short(name: &Untrusted) -> String {
    fit(&name.to_string(), LONGEST).into_owned()
}

fn joined(names: &[Untrusted]) -> String {
    let mut words: Vec<String> = names.iter().take(NAMED).map(short).collect();
    if let Some(more) = names.len().checked_sub(NAMED).filter(|more| *more > 0) {
        words.push(format!("and {more} more"));
    }
    words.join(", ")
}

fn others(open: usize) -> String {
    match open {
        0 => "no other that is open".to_owned(),
        1 => "1 other that is open".to_owned(),
        open if open >= FINDINGS_COUNTED => format!("{FINDINGS_COUNTED} others that are open, or more"),
        open => format!("{open} others that are open"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn texts(texts: &[&str]) -> Vec<Untrusted> {
        texts.iter().map(|text| Untrusted::from(*text)).collect()
    }

    fn blast(held: &[&str], untold: Option<&str>) -> Blast {
        Blast {
            accounts: vec!["00u1".to_owned()],
            elsewhere: None,
            roles: Roles { held: texts(held), untold: untold.map(str::to_owned) },
            called: Vec::new(),
            groups: Told::Is(texts(&["a", "b", "c", "d", "e", "f"])),
            apps: Told::Is(Vec::new()),
            findings: Told::Is(1),
            class: Told::CannotTell("not read".to_owned()),
        }
    }

    #[rstest]
    #[case::by_a_role(&["Super Administrator"], None, Some(true), "Super Administrator")]
    #[case::none(&[], None, Some(false), "no role that is active")]
    #[case::unknown_is_neither(&[], Some("403"), None, "cannot tell: 403")]
    #[case::one_is_enough(&["App"], Some("cut"), Some(true), "App")]
    fn who_may_not_be_looked_at_is_neither(
        #[case] held: &[&str],
        #[case] untold: Option<&str>,
        #[case] administers: Option<bool>,
        #[case] words: &str,
    ) {
        let blast = blast(held, untold);
        let line = blast.administrator();
        assert_eq!((blast.administers(), line.words.as_str()), (administers, words));
        assert_eq!(line.weight == Weight::Raises, administers == Some(true));
        assert_eq!(blast.to_json()["administrator"], json!(administers));
    }

    #[test]
    fn a_line_says_what_is_known_before_what_nobody_can_say() {
        let line = blast(&[], None).brief();
        assert_eq!(line.words, "no admin role, 6 groups, no app, 1 other finding; class, sessions unknown");
        assert_eq!(line.weight, Weight::Unknown);
        let all = Blast { class: Told::Is("INTERNAL".into()), ..blast(&["Super Administrator"], None) };
        assert_eq!(all.brief().words, "INTERNAL, 6 groups, no app, 1 other finding; sessions unknown");
        assert_eq!(all.brief().weight, Weight::Known, "nobody can list sessions: that is so for everybody");
        let cannot_tell = || "403".to_owned();
        let groups = Told::CannotTell(cannot_tell());
        let one = Blast { groups: groups.clone(), ..all };
        let known = "INTERNAL, no app, 1 other finding";
        assert_eq!(one.brief().words, format!("cannot tell: groups; {known}; sessions unknown"));
        assert_eq!(one.brief().weight, Weight::Unknown);
        let apps = Told::CannotTell(cannot_tell());
        let (findings, untold) = (Told::CannotTell(cannot_tell()), Some("403"));
        let nothing =
            Blast { groups, apps, findings, elsewhere: Some("AAD".to_owned()), ..blast(&[], untold) };
        assert_eq!(nothing.brief().words, "cannot tell: groups, apps; class, findings, sessions unknown");
    }

    #[test]
    fn what_is_acted_on_elsewhere_is_not_told_by_okta() {
        let aad = |held: &[&str]| Blast { elsewhere: Some("AAD".to_owned()), ..blast(held, None) };
        assert_eq!(aad(&[]).administers(), None);
        assert_eq!(aad(&[]).administrator().words, "cannot tell: roles in AAD are not read here");
        assert_eq!(aad(&["App"]).administers(), Some(true), "an administrator in Okta is one anyhow");
        assert!(aad(&[]).others()[1].words.starts_with("in Okta, 6: a"));
    }

    #[test]
    fn an_issue_may_call_it_an_administrators() {
        let called = Blast { called: texts(&["Super admin"]), ..blast(&[], Some("403")) };
        assert_eq!((called.administers(), called.is_of_administrator()), (Some(true), true));
        assert_eq!(called.administrator().words, "by an open issue: Super admin");
    }

    #[rstest]
    #[case("Admin", true)]
    #[case("Super admin", true)]
    #[case("Org Admins", true)]
    #[case("SuperAdmin", true)]
    #[case("Unused Global Admin Account", true)]
    #[case("Privileged role administrators", true)]
    #[case("Administrative assistant", false)]
    #[case("Administration", false)]
    #[case("Human", false)]
    #[case("", false)]
    fn the_words_of_issues(#[case] word: &str, #[case] is_admin: bool) {
        assert_eq!(names_administrator(&word.into()), is_admin, "{word}");
    }

    #[test]
    fn what_cannot_be_told_says_so_and_long_lists_and_names_end() {
        let lines = blast(&[], None).others();
        let words: Vec<&str> = lines.iter().map(|line| line.words.as_str()).collect();
        assert_eq!(
            words,
            [
                "cannot tell: not read",
                "6: a, b, c, d, e, and 1 more",
                "none",
                "1 other that is open",
                "cannot tell: no call lists them"
            ]
        );
        let long = "x".repeat(10_000);
        assert!(blast(&[long.as_str(); 9], None).administrator().words.len() < 500);
    }
}
