//! What a team decides about arriving events once and for all: severity, tags, dropping, telling.
//!
//! A rule is a condition in the filter's grammar and what follows. Rules are tried in their order, each
//! on what the ones before have made of the event. They are applied when an event is taken in, before
//! findings are opened, and never again: what is in the store does not change when a rule does.
//!
//! Dropping is the dangerous one. It is counted and shown by rule, an event is dropped only if the
//! condition holds for *each* of its users alone, and a test is never dropped.

use super::event::{DecodedEvent, SourceName};
use super::query::{Pattern, Query, Test};
use super::{EventKind, Login, Severity};
use std::collections::BTreeMap;

/// The tag in front of the name of whom a rule tells.
pub const NOTIFY: &str = "notify:";

/// What follows from a rule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Then {
    /// Its severity from now on.
    pub severity: Option<Severity>,
    /// What it is called from now on.
    pub tags: Vec<String>,
    /// Whom it is told to: names of `[[notify]]`.
    pub notify: Vec<String>,
    /// Whether it is counted and left out.
    pub drops: bool,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name, under which drops are counted.
    pub name: String,
    /// When it holds.
    pub when: Query,
    /// What follows.
    pub then: Then,
}

/// All rules, and the conditions of single sources.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    /// What a source has to bring to be taken in at all.
    pub filters: BTreeMap<SourceName, Query>,
    /// The rules, in their order.
    pub rules: Vec<Rule>,
}

/// What the rules make of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is taken in.
    Keep,
    /// It is counted under this name, and left out.
    Drop(String),
}

impl Rules {
    /// Applies the source's filter, then the rules, to an event that is taken in.
    pub fn apply(&self, source: &SourceName, event: &mut DecodedEvent) -> Verdict {
        let filter = self.filters.get(source);
        if event.kind != EventKind::Test && filter.is_some_and(|filter| !matches(filter, source, event)) {
            return Verdict::Drop(format!("filter of {source}"));
        }
        for rule in &self.rules {
            if rule.then.drops {
                if event.kind != EventKind::Test && holds_for_each_user(&rule.when, source, event) {
                    return Verdict::Drop(rule.name.clone());
                }
            } else if matches(&rule.when, source, event) {
                rule.then.change(event);
            }
        }
        Verdict::Keep
    }
}

impl Then {
    fn change(&self, event: &mut DecodedEvent) {
        if let Some(severity) = self.severity {
            event.severity = severity;
        }
        let notify = self.notify.iter().map(|name| format!("{NOTIFY}{name}"));
        for tag in self.tags.iter().cloned().chain(notify) {
            if !event.tags.contains(&tag) {
                event.tags.push(tag);
            }
        }
    }
}

/// What a rule asks of one user.
enum OfUser<'a> {
    /// That it is called so.
    Is(&'a Pattern),
    /// That these folded words stand in its login, since the event itself does not say them.
    Says(Vec<String>),
}

impl OfUser<'_> {
    fn holds(&self, user: &Login) -> bool {
        match self {
            OfUser::Is(pattern) => pattern.matches(user.raw()),
            OfUser::Says(words) => words.iter().all(|word| user.folded().contains(word)),
        }
    }
}

/// Whether a filter holds for the event with each of its users alone. What is not of a user is looked at once:
/// there may be very many of them, and very much text.
fn holds_for_each_user(query: &Query, source: &SourceName, event: &DecodedEvent) -> bool {
    if event.users.is_empty() {
        return matches(query, source, event);
    }
    let mut asked = Vec::new();
    for term in &query.terms {
        match &term.test {
            Test::User(pattern) => asked.push((term.negated, OfUser::Is(pattern))),
            Test::Words(words) => {
                let unsaid = folded(words).filter(|word| !says(word, event)).collect();
                asked.push((term.negated, OfUser::Says(unsaid)));
            }
            test if term.negated == holds(test, source, event) => return false,
            _ => {}
        }
    }
    event.users.iter().all(|user| asked.iter().all(|(negated, test)| *negated != test.holds(user)))
}

/// Whether a filter holds for an event that is not in the store yet. An event has no findings then, so
/// that `state:` never holds; the configuration refuses it in rules.
fn matches(query: &Query, source: &SourceName, event: &DecodedEvent) -> bool {
    query.terms.iter().all(|term| term.negated != holds(&term.test, source, event))
}

fn holds(test: &Test, source: &SourceName, event: &DecodedEvent) -> bool {
    match test {
        Test::Severity(comparison, than) => comparison.matching(*than).contains(&event.severity),
        Test::Check(pattern) => {
            pattern.matches(event.check.id.raw()) || pattern.matches(event.check.title.raw())
        }
        Test::User(pattern) => event.users.iter().any(|login| pattern.matches(login.raw())),
        Test::Source(pattern) => pattern.matches(&source.0),
        Test::Kind(kind) => event.kind == *kind,
        Test::State(_) => false,
        Test::Tag(pattern) => event.tags.iter().any(|tag| pattern.matches(tag)),
        Test::Quiet(is_quiet) => event.is_quiet() == *is_quiet,
        Test::Words(words) => folded(words)
            .all(|word| says(&word, event) || event.users.iter().any(|login| login.folded().contains(&word))),
    }
}

fn folded(words: &str) -> impl Iterator<Item = String> {
    words.split_whitespace().map(str::to_lowercase)
}

/// Whether a folded word stands in title, check or texts.
fn says(word: &str, event: &DecodedEvent) -> bool {
    let in_text = |text: &str| text.to_lowercase().contains(word);
    let texts = event.description.iter().chain(&event.recommended_actions);
    in_text(event.check.title.raw())
        || in_text(event.check.id.raw())
        || texts.into_iter().any(|text| in_text(text.raw()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Check, EventKey};
    use rstest::rstest;

    fn event(users: &[&str]) -> DecodedEvent {
        let mut event = DecodedEvent::new(EventKey::from("k".to_owned()), EventKind::FailedCheck);
        event.check = Check { id: "no-mfa".into(), title: "No MFA Configured".into() };
        event.severity = Severity::High;
        event.users = users.iter().map(|user| Login::new(user)).collect();
        event.description = vec!["Seen from Paris".into()];
        event.tags = vec!["old".to_owned()];
        event
    }

    #[rstest]
    fn each_user_alone_is_what_is_asked(
        #[values(
            "ann",
            "-ann",
            "paris ann",
            "paris",
            "-paris",
            "user:ann* paris",
            "-user:bob* seen",
            "user:*@x",
            "severity:high ann",
            "severity:low ann",
            "no-mfa x",
            "-severity:low -bob",
            "ann bob",
            "check:no-* ann@x"
        )]
        query: &str,
        #[values(&[], &["ann@x"], &["ann@x", "bob@x"], &["ann@x", "ann@y", "Annabel@x"])] users: &[&str],
    ) {
        let (query, source, event) = (Query::parse(query).unwrap(), "cii".into(), event(users));
        let alone = |user: &&str| {
            matches(&query, &source, &DecodedEvent { users: vec![Login::new(user)], ..event.clone() })
        };
        let expected =
            if users.is_empty() { matches(&query, &source, &event) } else { users.iter().all(alone) };
        assert_eq!(holds_for_each_user(&query, &source, &event), expected);
    }

    fn rules(rules: &[(&str, Then)]) -> Rules {
        let rule = |(when, then): &(&str, Then)| Rule {
            name: (*when).to_owned(),
            when: Query::parse(when).unwrap(),
            then: then.clone(),
        };
        Rules { rules: rules.iter().map(rule).collect(), ..Rules::default() }
    }

    fn drops() -> Then {
        Then { drops: true, ..Then::default() }
    }

    #[rstest]
    #[case("severity>=high", true)]
    #[case("severity<high", false)]
    #[case("check:no-* check:\"no mfa configured\"", true)]
    #[case("user:ann@x", true)]
    #[case("user:cleo@x", false)]
    #[case("-user:cleo@x source:cii", true)]
    #[case("kind:log", false)]
    #[case("quiet:no tag:old", true)]
    #[case("paris mfa BOB@", true)]
    #[case("paris london", false)]
    #[case("-state:open", true)]
    #[case("", true)]
    fn a_rule_holds_as_the_filter_does(#[case] when: &str, #[case] expected: bool) {
        let mut event = event(&["ann@x", "Bob@x"]);
        let tagged = Then { tags: vec!["t".to_owned()], ..Then::default() };
        assert_eq!(rules(&[(when, tagged)]).apply(&"cii".into(), &mut event), Verdict::Keep);
        assert_eq!(event.tags.contains(&"t".to_owned()), expected);
    }

    #[test]
    fn a_later_rule_sees_what_an_earlier_one_did() {
        let low = Then { severity: Some(Severity::Low), notify: vec!["slack".to_owned()], ..Then::default() };
        let mut event = event(&["ann@x"]);
        let verdict = rules(&[("severity>=high", low), ("severity:low tag:notify:slack", drops())])
            .apply(&"cii".into(), &mut event);
        assert_eq!(verdict, Verdict::Drop("severity:low tag:notify:slack".to_owned()));
    }

    #[rstest]
    #[case(&["ann@x"], true)]
    #[case(&["ann@x", "bob@x"], false)]
    #[case(&[], false)]
    fn who_is_not_meant_is_not_dropped_with_who_is(#[case] users: &[&str], #[case] is_dropped: bool) {
        let verdict = rules(&[("user:ann@x", drops())]).apply(&"cii".into(), &mut event(users));
        assert_eq!(verdict != Verdict::Keep, is_dropped);
    }

    #[test]
    fn a_test_is_never_dropped() {
        let mut event = event(&[]);
        event.kind = EventKind::Test;
        let mut rules = rules(&[("", drops())]);
        rules.filters.insert("cii".into(), Query::parse("severity:critical").unwrap());
        assert_eq!(rules.apply(&"cii".into(), &mut event), Verdict::Keep);
        event.kind = EventKind::FailedCheck;
        assert_eq!(rules.apply(&"cii".into(), &mut event), Verdict::Drop("filter of cii".to_owned()));
    }
}
