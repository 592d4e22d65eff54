//! Who goes by a name, and what was found out of it a moment ago.
//!
//! A run on many asks after the same names for each of them, planning and again before it sends. So an answer is kept
//! for a few seconds, and who asks while the question is out waits for its answer.

use super::super::about::Person;
use super::super::subject::{Asked, Names};
use super::super::{Desk, guard, protection};
use crate::domain::dossier::{OktaUser, Part};
use crate::domain::{Login, PartName, Untrusted};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OnceCell;

/// For so long an answer stands: what is protected may change, and what is sent was looked at just now.
const STANDS: SignedDuration = SignedDuration::from_secs(5);

/// What was found out a moment ago, for all who run something from one desk.
#[derive(Debug, Default)]
pub struct Looked {
    people: Answers<Known>,
    short: Answers<Result<Vec<Login>, String>>,
}

/// The answers to what was asked.
#[derive(Debug)]
struct Answers<T>(Mutex<Kept<T>>);

/// The answer to each question, there or on its way, and since when.
type Kept<T> = HashMap<String, (Timestamp, Arc<OnceCell<Arc<T>>>)>;

impl<T> Default for Answers<T> {
    fn default() -> Answers<T> {
        Answers(Mutex::default())
    }
}

impl<T> Answers<T> {
    /// The answer to a question that is asked now, unless it was a moment ago. One that is none is not kept.
    async fn once(
        &self,
        now: Timestamp,
        question: &str,
        is_answer: impl FnOnce(&T) -> bool,
        ask: impl Future<Output = T>,
    ) -> Arc<T> {
        let cell = self.cell(now, question);
        let answer = cell.get_or_init(async || Arc::new(ask.await)).await.clone();
        if !is_answer(&answer) {
            let mut kept = self.kept();
            if kept.get(question).is_some_and(|(_, other)| Arc::ptr_eq(other, &cell)) {
                kept.remove(question);
            }
        }
        answer
    }

    fn cell(&self, now: Timestamp, question: &str) -> Arc<OnceCell<Arc<T>>> {
        let mut kept = self.kept();
        // By a clock that was set back, an answer may be of any age.
        kept.retain(|_, (since, _)| *since <= now && now.duration_since(*since) < STANDS);
        kept.entry(question.to_owned()).or_insert_with(|| (now, Arc::default())).1.clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is known of a name.
#[derive(Debug)]
pub(super) enum Known {
    /// Every name of whoever goes by it.
    Is(Box<Names>),
    /// Whom the card is about.
    Own,
    /// Nobody goes by it, and who says so: `Okta knows`.
    Nobody(&'static str),
    /// Why it cannot be told who it is.
    Untold(String),
}

/// Asks Okta and Cisco Identity Intelligence after somebody, unless somebody just did.
pub(super) async fn asked(desk: &Desk, text: &str) -> Arc<Known> {
    // What a read that failed left open is asked anew.
    let is_told = |known: &Known| match known {
        Known::Is(names) => guard::untold(&desk.guard, names).is_none(),
        Known::Own | Known::Nobody(_) => true,
        Known::Untold(_) => false,
    };
    desk.looked.people.once(desk.now(), text, is_told, ask(desk, text)).await
}

async fn ask(desk: &Desk, text: &str) -> Known {
    let shown = Untrusted::from(text);
    let user = match okta_user(desk, text).await {
        Ok(user) => user,
        Err(why) => return Known::Untold(format!("who `{shown}` is: {why}")),
    };
    let login = user.as_ref().and_then(|user| user.profile_text("login"));
    let login = Login::new(login.as_ref().map_or(text, Untrusted::raw));
    let person = Person::load(desk, &login, None).await;
    let is_listed = person.subject.cii_id.is_some() || !person.subject.listed.is_empty();
    if user.is_none() && !is_listed {
        return nobody(desk, &person, &shown);
    }
    let groups = protection::okta_groups(desk, (user.as_ref(), None), &person.subject, &[]).await;
    let cii = if person.details.is_some() { Asked::Yes } else { Asked::No };
    let mut names = Names::of(&person.subject, person.details.as_ref(), user.as_ref());
    names.add(text);
    Known::Is(Box::new(names.with_okta_groups(groups, cii)))
}

/// That nobody goes by a name, by the word of whoever was asked.
fn nobody(desk: &Desk, person: &Person, shown: &Untrusted) -> Known {
    let unread = person.details.as_ref().filter(|part| !part.is_of_nobody());
    if let Some(problem) = unread.and_then(|part: &Part<_>| part.problems.first()) {
        return Known::Untold(format!("who `{shown}` is: {}", problem.line()));
    }
    match (desk.directory.parts().contains(&PartName::Okta), person.details.is_some()) {
        (true, true) => Known::Nobody("Okta and Cisco Identity Intelligence know"),
        (true, false) => Known::Nobody("Okta knows"),
        (false, true) => Known::Nobody("Cisco Identity Intelligence knows"),
        (false, false) => Known::Untold(format!("who `{shown}` is: nobody can be asked")),
    }
}

/// Asks whether somebody goes by what may be a login without its domain. Of several none is taken.
pub(super) async fn asked_perhaps(desk: &Desk, text: &str, names: &Names) -> Arc<Known> {
    let known = desk.looked.short.once(desk.now(), text, Result::is_ok, known_by(desk, text)).await;
    let logins = match &*known {
        Ok(logins) => logins,
        Err(why) => return Arc::new(Known::Untold(why.clone())),
    };
    let known = match logins.as_slice() {
        [] => Known::Nobody("nobody knows"),
        [login] if names.has(login.raw()) => Known::Own,
        [login] => return asked(desk, login.raw()).await,
        several => {
            let several = several.iter().map(|login| format!("`{login}`"));
            Known::Untold(format!("it may be {}", several.collect::<Vec<_>>().join(" or ")))
        }
    };
    Arc::new(known)
}

/// The logins of those whom a text may be short for: at Okta, and among those who were seen here.
async fn known_by(desk: &Desk, text: &str) -> Result<Vec<Login>, String> {
    let user = okta_user(desk, text).await?;
    let at_okta = user.map(|user| Login::new(user.profile_text("login").unwrap_or(user.id.clone()).raw()));
    let begins = Login::new(&format!("{text}@"));
    let seen = match text.contains('@') {
        true => Vec::new(),
        false => desk.store.logins_beside(&begins, NAMED).await.map_err(|why| why.to_string())?,
    };
    let is_short_for = |login: &Login| login.folded().starts_with(begins.folded());
    let mut logins: Vec<Login> = at_okta.into_iter().chain(seen.into_iter().filter(is_short_for)).collect();
    logins.sort_by(|one, other| one.folded().cmp(other.folded()));
    logins.dedup();
    Ok(logins)
}

/// So many whom a text may be short for are named.
const NAMED: usize = 3;

/// Who goes by a name at Okta; `None` where nobody does, or there is no Okta to be asked.
async fn okta_user(desk: &Desk, text: &str) -> Result<Option<OktaUser>, String> {
    if !desk.directory.parts().contains(&PartName::Okta) {
        return Ok(None);
    }
    let part = desk.directory.okta_user(text).await;
    let is_nobody = part.is_of_nobody();
    let why = part.problems.first().map(|problem| problem.line());
    match part.data {
        Some(user) => Ok(Some(user)),
        None if is_nobody => Ok(None),
        None => Err(why.unwrap_or_else(|| "Okta answered nothing".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    #[tokio::test]
    async fn a_question_is_asked_once_for_all_who_ask_within_a_few_seconds() {
        let (answers, asked) = (Answers::default(), AtomicUsize::new(0));
        let at = |seconds: i64| Timestamp::from_second(seconds).unwrap();
        let ask = |seconds, question, is_answer: bool| {
            let ask = async {
                tokio::task::yield_now().await;
                asked.fetch_add(1, SeqCst)
            };
            answers.once(at(seconds), question, move |_| is_answer, ask)
        };
        let all: Vec<usize> =
            join_all((0..9).map(|_| ask(10, "bob", true))).await.iter().map(|n| **n).collect();
        assert_eq!(all, [0; 9]);
        assert_eq!(*ask(14, "bob", true).await, 0);
        assert_eq!(*ask(14, "eve", true).await, 1);
        assert_eq!(*ask(15, "bob", true).await, 2, "it is old by now");
        assert_eq!(*ask(9, "bob", true).await, 3, "the clock was set back");
        assert_eq!((*ask(10, "ann", false).await, *ask(10, "ann", true).await), (4, 5), "no answer is kept");
    }
}
