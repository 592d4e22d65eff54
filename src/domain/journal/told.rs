//! What a record says: in words, and by the few values that it is searched by.

use super::{Record, RecordKind};
use crate::domain::action::{AnalystWord, Said};
use crate::domain::bulk::{BulkId, BulkState};
use crate::domain::{ActionId, Actor, Login, NOTHING, Outcome, counted};
use serde::Deserialize;
use serde_json::Value;

/// What a record says.
#[derive(Debug, Clone)]
pub struct Told {
    kind: RecordKind,
    content: Option<Value>,
    damage: Option<String>,
}

/// A name and a value that a record is found by at once, however long the journal is.
pub type Term = (&'static str, String);

impl Told {
    /// Reads a record. What is no JSON says nothing.
    pub fn of(record: &Record) -> Told {
        let content = record.content.as_deref();
        Told {
            kind: record.kind,
            content: content.map(|text| serde_json::from_str(text).unwrap_or_default()),
            damage: record.damage.as_ref().map(ToString::to_string),
        }
    }

    /// Whether it says anything.
    pub fn is_readable(&self) -> bool {
        self.damage.is_none() && self.content.as_ref().is_some_and(Value::is_object)
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.content.as_ref()?.get(key)
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.value(key)?.as_str().filter(|text| !text.is_empty())
    }

    fn word(&self, key: &str) -> Option<String> {
        self.value(key).and_then(word)
    }

    /// Whom it is about.
    pub fn login(&self) -> Option<Login> {
        self.text("login").map(Login::new)
    }

    /// The names of whom it is about: of the subject, and of the account that was acted on, its id too.
    pub fn of_whom(&self) -> Vec<Login> {
        let named = ["login", "account_login", "target"].into_iter().filter_map(|key| self.text(key));
        named.map(Login::new).collect()
    }

    /// Which flow.
    pub fn flow(&self) -> Option<&str> {
        self.text("flow")
    }

    /// How an action ended, as far as this record knows.
    pub fn outcome(&self) -> Option<Outcome> {
        self.text("outcome").and_then(Outcome::parse)
    }

    /// How much of it is proven, in its own word.
    pub fn evidence(&self) -> Option<&str> {
        self.text("evidence")
    }

    /// What somebody says of how an action ended.
    pub fn said(&self) -> Option<Said> {
        self.text("said").and_then(Said::parse)
    }

    /// How an action ended, for people: the outcome, or by whose word it is another.
    pub fn standing(&self) -> Option<String> {
        let said = self.said().map(|said| said.by(self.actor().unwrap_or_default().name()));
        said.or_else(|| self.outcome().map(|outcome| outcome.word().to_owned()))
    }

    /// Which action it is a record of.
    pub fn action(&self) -> Option<ActionId> {
        self.text("action").and_then(|id| id.parse().ok())
    }

    /// Which run on many.
    pub fn bulk(&self) -> Option<&str> {
        self.text("bulk")
    }

    /// The same as an id, where it is one.
    pub fn bulk_id(&self) -> Option<BulkId> {
        self.bulk()?.parse().ok()
    }

    /// What it is a record of, by the term that all records of that have: an action, or a run on many.
    pub fn about(&self) -> Option<Term> {
        let action = self.action().map(|id| ("action", id.to_string()));
        action.or_else(|| self.bulk().map(|id| ("bulk", id.to_lowercase())))
    }

    /// The receipt, where it has one.
    pub fn receipt(&self) -> Option<crate::domain::Receipt> {
        serde_json::from_value(self.value("receipt")?.clone()).ok()
    }

    /// Who acted.
    pub fn actor(&self) -> Option<Actor> {
        serde_json::from_value(self.value("actor")?.clone()).ok()
    }

    /// The names of whoever did it: of the uid, of the analyst that it asserts, of the source whose event did.
    pub fn names(&self) -> Vec<String> {
        let actor = self.actor();
        let names = actor.into_iter().flat_map(|actor| [Some(actor.user), actor.analyst]).flatten();
        names.chain(self.text("source").map(str::to_owned)).collect()
    }

    /// Who acted, or the source whose event changed a finding.
    pub fn who(&self) -> String {
        match self.actor() {
            Some(actor) => actor.signed(),
            None => self.text("source").unwrap_or(NOTHING).to_owned(),
        }
    }

    /// The same for a column.
    pub fn who_briefly(&self) -> Option<String> {
        let named = self.actor().map(|actor| actor.brief()).filter(|name| !name.is_empty());
        named.or_else(|| self.text("source").map(str::to_owned))
    }

    /// How many users a run on many is on.
    pub fn users(&self) -> Option<u64> {
        self.value("users")?.as_u64()
    }

    /// What was done, without whom it was done to.
    pub fn deed(&self) -> String {
        self.parts().join(" · ")
    }

    /// What was done to whom, on one line.
    pub fn what(&self) -> String {
        let mut parts = self.parts();
        if let Some(whom) = self.whom().filter(|_| self.damage.is_none()) {
            parts.insert(parts.len().min(1), whom);
        }
        parts.join(" · ")
    }

    /// Whom it was done to, by the account's own login first, where that is another one.
    pub fn whom(&self) -> Option<String> {
        let account = self.account_login();
        self.login().map(|login| crate::domain::plan::whom(account.as_ref(), &login))
    }

    /// The login of the account that was acted on, where that is another one than the subject's.
    pub fn account_login(&self) -> Option<Login> {
        self.text("account_login").map(Login::new)
    }

    /// The parts of [`Told::deed`], for whoever joins them otherwise.
    pub fn parts(&self) -> Vec<String> {
        if let Some(damage) = &self.damage {
            return vec![format!("damaged: {damage}")];
        }
        if self.content.is_none() {
            return vec!["its content is gone".to_owned()];
        }
        let words: Vec<String> = match self.kind {
            RecordKind::Setting => self.set(),
            RecordKind::Triage => self.change(),
            RecordKind::Said => self.word_given(),
            RecordKind::Bulk => self.run_on_many(),
            _ => self.run(),
        };
        if words.is_empty() { vec![self.raw()] } else { words }
    }

    fn raw(&self) -> String {
        self.content.as_ref().map(Value::to_string).unwrap_or_default()
    }

    fn run(&self) -> Vec<String> {
        let step = self.text("step").map(|step| format!("step {step}"));
        let test =
            self.value("test").filter(|test| **test == true).map(|_| "a test, with the documented sample");
        let undoes = self.text("undoes").map(|id| format!("undoes {id}"));
        let known = ["flow", "evidence", "outcome"].into_iter().filter_map(|key| self.word(key));
        let contradicts = self.value("contradicts").and_then(|word| AnalystWord::deserialize(word).ok());
        let contradicts = contradicts.map(|word| format!("a re-read contradicts: {word}"));
        known.chain(contradicts).chain(step).chain(undoes).chain(test.map(str::to_owned)).collect()
    }

    /// Somebody's word: of which flow, what it says and is worth, why, and whose word it takes the place of.
    fn word_given(&self) -> Vec<String> {
        let before = self.value("instead_of").and_then(|before| AnalystWord::deserialize(before).ok());
        let instead = before.map(|before| format!("instead of: {before}"));
        let flow = self.word("flow");
        let worth = [self.standing(), self.word("basis"), self.word("reason")];
        flow.into_iter().chain(worth.into_iter().flatten()).chain(instead).collect()
    }

    /// A triage change: what, in which words, of which check.
    fn change(&self) -> Vec<String> {
        let change = self.value("change");
        let change_word = |change: &Value| match change.get("change") {
            Some(name) => word(name),
            // What an event did is kept under its name.
            None => change.as_object()?.keys().next().cloned(),
        };
        let named = change.and_then(change_word);
        let inner = change.map(|change| match named.as_deref().and_then(|name| change.get(name)) {
            Some(inner @ Value::Object(_)) => inner,
            _ => change,
        });
        let said = |key: &str| inner.and_then(|inner| inner.get(key)).and_then(word);
        let said: Vec<String> = ["disposition", "reason", "text"].into_iter().filter_map(said).collect();
        named.into_iter().chain(said).chain(self.word("check_id")).collect()
    }

    /// A setting and its value, of which only the end is told where it is that of a request.
    fn set(&self) -> Vec<String> {
        let value = self.word("value").unwrap_or_default();
        let told = match serde_json::from_str::<Value>(&value) {
            Ok(Value::Object(object)) => {
                ["outcome", "id"].iter().filter_map(|key| word(object.get(*key)?)).collect()
            }
            _ => vec![value],
        };
        self.word("setting").into_iter().chain(told).filter(|word| !word.is_empty()).collect()
    }

    /// What runs on how many, where it stands and why, and how many ended how.
    fn run_on_many(&self) -> Vec<String> {
        let Some(flow) = self.flow() else { return Vec::new() };
        let on = self.users().map(|count| {
            let users = counted::users(usize::try_from(count).unwrap_or(usize::MAX));
            format!(" on {users}")
        });
        let run = format!("run of `{flow}`{}", on.unwrap_or_default());
        let stands = match (self.text("state"), self.text("why")) {
            (Some(state), Some(why)) => Some(format!("{state} because {why}")),
            (Some(state), None) => Some(state.to_owned()),
            (None, why) => why.map(str::to_owned),
        };
        [Some(run), stands, self.counts()].into_iter().flatten().collect()
    }

    /// Where a run on many stood then.
    pub fn run_state(&self) -> Option<BulkState> {
        self.bulk().and(self.text("state")).and_then(BulkState::parse)
    }

    /// How many ended how: `3 changed, 1 failed`; records of earlier versions count by name.
    fn counts(&self) -> Option<String> {
        if let Some(words) = self.text("counts") {
            return Some(words.to_owned());
        }
        let counts = self.value("counts")?.as_object()?;
        let one = |(name, n): (&String, &Value)| n.as_u64().filter(|n| *n > 0).map(|n| format!("{n} {name}"));
        let told: Vec<String> = counts.iter().filter_map(one).collect();
        (!told.is_empty()).then(|| told.join(", "))
    }

    /// The values that it is found by at once, folded.
    pub fn terms(&self) -> Vec<Term> {
        let mut terms: Vec<Term> = vec![("kind", self.kind.word().to_owned())];
        terms.extend(self.of_whom().into_iter().map(|login| ("user", login.folded().to_owned())));
        terms.extend(self.flow().map(|flow| ("flow", flow.to_lowercase())));
        terms.extend(self.outcome().map(|outcome| ("outcome", outcome.word().to_owned())));
        terms.extend(self.said().map(|said| ("said", said.word().to_owned())));
        terms.extend(self.names().into_iter().map(|name| ("by", name.to_lowercase())));
        terms.extend(self.text("action").map(|id| ("action", id.to_lowercase())));
        terms.extend(self.bulk().map(|id| ("bulk", id.to_lowercase())));
        terms
    }
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use rstest::rstest;
    use serde_json::json;

    fn told(kind: RecordKind, content: Value) -> Told {
        Told::of(&Record::after(None, Timestamp::UNIX_EPOCH, kind, content.to_string()))
    }

    #[rstest]
    #[case(RecordKind::Intended, json!({"flow": "f", "login": "Ann", "step": "1 of 2", "test": true}),
        "f · Ann · step 1 of 2 · a test, with the documented sample")]
    #[case(RecordKind::Settled, json!({"flow": "f", "login": "ann", "outcome": "changed", "evidence": "verified"}),
        "f · ann · verified · changed")]
    #[case(RecordKind::Said, json!({"flow": "f", "login": "ann", "outcome": "unknown", "evidence": "sent",
        "said": "not-changed", "reason": "asked them", "basis": "not proved", "actor": {"user": "root", "host": "h"}}),
        "f · ann · not changed, said by root · not proved · asked them")]
    #[case(RecordKind::Said, json!({"flow": "f", "login": "ann", "said": "changed",
        "actor": {"user": "root", "analyst": "Bo", "host": "h"},
        "instead_of": {"said": "not-changed", "actor": {"user": "eve", "host": "h"}, "at": "2026-05-01T12:00:00.000Z",
        "reason": "x"}}), "f · ann · changed, said by Bo · instead of: not changed, said by eve")]
    #[case(RecordKind::Triage, json!({"login": "ann", "check_id": "no-mfa",
        "change": {"change": "close", "disposition": "undetermined", "reason": "gone"}}),
        "close · ann · undetermined · gone · no-mfa")]
    #[case(RecordKind::Triage, json!({"login": "ann", "check_id": "no-mfa", "source": "cii",
        "change": {"reopen": {"reason": "came again"}}}), "reopen · ann · came again · no-mfa")]
    #[case(RecordKind::Bulk, json!({"bulk": "b", "flow": "f", "users": 3, "state": "running",
        "counts": {"changed": 2, "failed": 0}}), "run of `f` on 3 users · running · 2 changed")]
    #[case(RecordKind::Bulk, json!({"bulk": "b", "flow": "f", "users": 1, "state": "running"}),
        "run of `f` on 1 user · running")]
    #[case(RecordKind::Bulk, json!({"bulk": "b", "flow": "f", "state": "paused", "why": "`ann` is refused",
        "counts": "1 refused, 2 queued"}), "run of `f` · paused because `ann` is refused · 1 refused, 2 queued")]
    #[case(RecordKind::Bulk, json!({"bulk": "b", "flow": "f", "state": "done", "why": null, "counts": "3 changed"}),
        "run of `f` · done · 3 changed")]
    #[case(RecordKind::Setting, json!({"setting": "x", "value": "{\"outcome\":\"changed\",\"id\":\"9\"}"}),
        "x · changed · 9")]
    #[case(RecordKind::Setting, json!({"setting": "x", "value": "on"}), "x · on")]
    #[case(RecordKind::Intended, json!({"other": 1}), "{\"other\":1}")]
    fn a_record_says_what_was_done(#[case] kind: RecordKind, #[case] content: Value, #[case] said: &str) {
        assert_eq!(told(kind, content).what(), said);
    }

    #[test]
    fn it_is_found_by_its_values() {
        let told = told(
            RecordKind::Settled,
            json!({"flow": "F", "login": "ANN", "outcome": "changed", "action": "A-1",
                "actor": {"user": "root", "analyst": "Bo", "host": "h"}}),
        );
        let terms: Vec<String> =
            told.terms().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            terms,
            ["kind=settled", "user=ann", "flow=f", "outcome=changed", "by=root", "by=bo", "action=a-1"]
        );
    }

    #[test]
    fn it_is_found_by_every_name_of_whom_it_was_on() {
        let content = json!({"flow": "f", "login": "Ruth", "account_login": "Olga", "target": "00uSID"});
        let record = Record::after(None, Timestamp::UNIX_EPOCH, RecordKind::Intended, content.to_string());
        let told = Told::of(&record);
        let users = told.terms().into_iter().filter(|(name, _)| *name == "user").map(|(_, value)| value);
        assert_eq!(users.collect::<Vec<_>>(), ["ruth", "olga", "00usid"]);
        assert_eq!(told.what(), "f · Olga (Ruth)");
        let finds = |text: &str| {
            crate::domain::journal::query::JournalQuery::parse(text).unwrap().matches(&record, Timestamp::MAX)
        };
        assert!(finds("user:olga") && finds("user:ruth") && finds("user:00uSID") && !finds("user:bob"));
    }
}
