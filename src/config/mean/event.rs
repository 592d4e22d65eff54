//! What becomes of events: which log records are findings, what rules make of them, who is told.

use super::Check;
use crate::config::meant::{Channel, Notify};
use crate::config::problem::At;
use crate::config::said;
use crate::domain::log_check::{LogCheck, LogSeverity, LogSubject, Opens};
use crate::domain::query::{Pattern, Query, Test};
use crate::domain::rule::{Rule, Then};
use crate::domain::{LogChecks, Severity};
use std::collections::BTreeSet;

const LOG_CHECK: &str = "[[log_check]]";
const RULE: &str = "[[rule]]";
const NOTIFY: &str = "[[notify]]";
const SEVERITIES: &str = "`critical`, `high`, `medium`, `low`, `info`";
const BURST: usize = 5;

impl Check<'_, '_> {
    pub(super) fn log_checks(&mut self, said: Vec<said::LogCheck>) -> LogChecks {
        let rows = said.into_iter().enumerate();
        LogChecks::with(
            rows.filter_map(|(index, row)| self.log_check(row, &At::element(LOG_CHECK, index))).collect(),
        )
    }

    fn log_check(&mut self, said: said::LogCheck, at: &At) -> Option<LogCheck> {
        let event =
            self.required(said.event, at.key("event"), "an event type: `user.session.start`, `user.mfa.*`")?;
        let opens = if said.finding == Some(false) { Opens::Nothing } else { Opens::Findings };
        let results =
            said.result.unwrap_or_default().iter().map(|result| result.to_ascii_uppercase()).collect();
        let severity = said.severity.unwrap_or_else(|| "medium".to_owned());
        let severity =
            self.word(&severity, at.key("severity"), LogSeverity::parse, &format!("{SEVERITIES} or `risk`"));
        let subject = said.subject.unwrap_or_else(|| LogSubject::TargetOrActor.word().to_owned());
        let subject = self.word(
            &subject,
            at.key("subject"),
            LogSubject::parse,
            "`target-or-actor`, `target` or `actor`",
        );
        let check = said.check.or_else(|| (opens == Opens::Nothing).then(|| format!("okta:{event}")));
        let check =
            self.required(check, at.key("check"), "the check that a finding is of: `okta:sign-in-failed`");
        let title = said.title.filter(|title| !title.trim().is_empty()).or_else(|| check.clone());
        Some(LogCheck {
            event: Pattern(event),
            results,
            check: check?,
            title: title?,
            severity: severity?,
            subject: subject?,
            opens,
        })
    }

    /// `notify` are the names that rules may use.
    pub(super) fn rules(&mut self, said: Vec<said::Rule>, notify: &[Notify]) -> Vec<Rule> {
        let mut names = BTreeSet::new();
        let mut rules = Vec::new();
        for (index, rule) in said.into_iter().enumerate() {
            let at = At::element(RULE, index);
            let name = rule.name.clone().unwrap_or_else(|| format!("rule {}", index + 1));
            if !names.insert(name.clone()) {
                let what = format!("`{name}` is another rule's name already");
                self.problems.hinted(at.key("name"), what, "drops are counted by name: each stands once");
            }
            rules.extend(self.rule(rule, name, &at, notify));
        }
        rules
    }

    fn rule(&mut self, said: said::Rule, name: String, at: &At, notify: &[Notify]) -> Option<Rule> {
        let when = self.required(said.when, at.key("when"), "a filter: `check:unused-*`");
        let when = when.and_then(|text| self.event_query(&text, at.key("when")));
        let Some(then) = said.then else {
            self.problems.missing(at.key("then"), "`then = { severity = \"low\", tag = \"hygiene\" }`");
            return None;
        };
        let then = self.then(then, &at.key("then"), notify);
        Some(Rule { name, when: when?, then: then? })
    }

    fn then(&mut self, said: said::Then, at: &At, notify: &[Notify]) -> Option<Then> {
        let severity =
            said.severity.map(|word| self.word(&word, at.inner("severity"), Severity::parse, SEVERITIES));
        let tag = said.tag.map(|tag| self.tag(tag, at.inner("tag")));
        let told = said.notify.map(|name| self.notified(name, at.inner("notify"), notify));
        let drops = said.drop == Some(true);
        let changes = severity.is_some() || tag.is_some() || told.is_some();
        if drops == changes {
            let what = if drops { "drops what it also changes or tells" } else { "changes nothing" };
            self.problems.hinted(at.clone(), what, "`drop = true` alone, or `severity`, `tag`, `notify`");
            return None;
        }
        Some(Then {
            severity: severity.map_or(Some(None), |severity| severity.map(Some))?,
            tags: tag.map_or(Some(None), |tag| tag.map(Some))?.into_iter().collect(),
            notify: told.map_or(Some(None), |told| told.map(Some))?.into_iter().collect(),
            drops,
        })
    }

    fn tag(&mut self, tag: String, at: At) -> Option<String> {
        if is_plain(&tag) {
            return Some(tag);
        }
        self.problems.hinted(
            at,
            format!("`{tag}` is not a tag"),
            "up to 32 letters, digits, `-`, `_` and `.`",
        );
        None
    }

    fn notified(&mut self, name: String, at: At, notify: &[Notify]) -> Option<String> {
        if notify.iter().any(|known| known.name == name) {
            return Some(name);
        }
        let names: Vec<String> = notify.iter().map(|known| format!("`{}`", known.name)).collect();
        let hint =
            if names.is_empty() { "a `[[notify]]` with that name".to_owned() } else { names.join(", ") };
        self.problems.hinted(at, format!("there is no `[[notify]]` of the name `{name}`"), &hint);
        None
    }

    pub(super) fn notify(&mut self, said: Vec<said::Notify>) -> Vec<Notify> {
        let mut all: Vec<Notify> = Vec::new();
        for (index, notify) in said.into_iter().enumerate() {
            let at = At::element(NOTIFY, index);
            let Some(notify) = self.notifier(notify, &at) else { continue };
            if all.iter().any(|known| known.name == notify.name) {
                let what = format!("`{}` is another one's name already", notify.name);
                self.problems.hinted(at.key("name"), what, "give each its own `name`");
            }
            all.push(notify);
        }
        all
    }

    fn notifier(&mut self, said: said::Notify, at: &At) -> Option<Notify> {
        const TYPES: &str = "`slack`, `webhook` or `bell`";
        let kind = self.required(said.kind.clone(), at.key("type"), TYPES)?;
        let name = said.name.clone().unwrap_or_else(|| kind.clone());
        if !is_plain(&name) {
            let hint = "up to 32 letters, digits, `-`, `_` and `.`: rules use it";
            self.problems.hinted(at.key("name"), format!("`{name}` is not a name"), hint);
        }
        let when = said.when.as_ref().map(|text| self.event_query(text, at.key("when")));
        let burst = said.burst.map_or(BURST, |burst| burst as usize);
        if burst == 0 {
            self.problems.hinted(at.key("burst"), "is 0", "1 or more events are told one by one");
        }
        let channel = self.channel(&kind, &said, at);
        Some(Notify { name, when: when.map_or(Some(None), |when| when.map(Some))?, burst, channel: channel? })
    }

    fn channel(&mut self, kind: &str, said: &said::Notify, at: &At) -> Option<Channel> {
        const URL: &str = "`url = { file = \"slack.url\" }`: such URLs are secrets";
        match kind {
            "slack" => {
                self.no_header(said, at);
                Some(Channel::Slack { url: self.secret(said.url.as_ref(), at.key("url"), URL)? })
            }
            "webhook" => {
                let url = self.secret(said.url.as_ref(), at.key("url"), URL);
                let header = match (&said.header, &said.secret) {
                    (None, None) => None,
                    (Some(name), secret) => {
                        self.token(name, at.key("header"), "header")?;
                        let hint = "what the header carries: `secret = { env = \"NAME\" }`";
                        let secret = self.secret(secret.as_ref(), at.key("secret"), hint)?;
                        Some((name.to_ascii_lowercase(), secret))
                    }
                    (None, Some(_)) => {
                        self.problems.missing(at.key("header"), "the header that carries the secret");
                        None
                    }
                };
                Some(Channel::Webhook { url: url?, header })
            }
            "bell" => {
                self.no_header(said, at);
                if said.url.is_some() {
                    self.problems.hinted(at.key("url"), "a bell has none", "take it out");
                }
                Some(Channel::Bell)
            }
            _ => {
                let what = format!("`{kind}` is not a way to tell somebody");
                self.problems.hinted(at.key("type"), what, "`slack`, `webhook` or `bell`");
                None
            }
        }
    }

    fn no_header(&mut self, said: &said::Notify, at: &At) {
        if said.header.is_some() || said.secret.is_some() {
            self.problems.hinted(at.key("header"), "only a `webhook` has one", "take it and `secret` out");
        }
    }

    /// A filter of arriving events: they have no findings yet, so that their state cannot be asked.
    pub(super) fn event_query(&mut self, text: &str, at: At) -> Option<Query> {
        let query = match Query::parse(text) {
            Ok(query) => query,
            Err(error) => {
                let hint = error.hint().trim_start_matches("hint: ");
                self.problems.hinted(at, format!("`{text}`: {error}"), hint);
                return None;
            }
        };
        if query.terms.iter().any(|term| matches!(term.test, Test::State(_))) {
            let hint = "ask for check, severity, user, source, kind, tag or words";
            self.problems.hinted(at, "`state:` holds for no event that is just arriving", hint);
            return None;
        }
        Some(query)
    }
}

fn is_plain(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && name.len() <= 32 && name.chars().all(is_plain)
}
