//! The bell: what arrives while a console is open, in a few words, and not too often.
//!
//! It remembers nothing: who was not there did not hear it. What it says is decided here; how a terminal is
//! made to ring is `runtime/terminal`'s business.

use super::gather::{self, Waiting};
use super::mark::Mark;
use super::message::name;
use crate::domain::Event;
use crate::domain::untrusted::fit;
use crate::store::{Store, StoreError};
use jiff::Timestamp;
use std::ops::ControlFlow;
use std::time::Duration;
use tokio::time::sleep;

/// Columns of a check's name, and of a login.
const NAME: usize = 60;
const LOGIN: usize = 40;

/// How often the bell rings.
#[derive(Debug, Clone, Copy)]
pub struct Rests {
    /// How long it gathers what arrives together.
    pub gather: Duration,
    /// How long it is silent after it rang.
    pub silence: Duration,
}

impl Default for Rests {
    fn default() -> Self {
        Rests { gather: Duration::from_millis(300), silence: Duration::from_secs(3) }
    }
}

/// Rings for what arrives from now on and is told to one of these, until nobody listens any more.
pub async fn listen(
    store: &dyn Store,
    names: &[String],
    now: impl Fn() -> Timestamp,
    rests: Rests,
    mut ring: impl FnMut(String) -> ControlFlow<()>,
) {
    let mut changes = store.watch();
    let mut mark = None;
    while !names.is_empty() {
        changes.borrow_and_update();
        match look(store, names, &mut mark, now()).await {
            Ok(None) => {}
            Ok(Some(words)) => match ring(words) {
                // What arrived meanwhile is looked at after the silence.
                ControlFlow::Continue(()) => {
                    sleep(rests.silence).await;
                    continue;
                }
                ControlFlow::Break(()) => return,
            },
            Err(error) => tracing::warn!(%error, "the store cannot be asked what to ring for"),
        }
        if changes.changed().await.is_err() {
            return;
        }
        sleep(rests.gather).await;
    }
}

/// What to ring for. The first look is where it begins.
async fn look(
    store: &dyn Store,
    names: &[String],
    mark: &mut Option<Mark>,
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    let Some(mark) = mark else {
        *mark = Some(Mark::at(gather::newest(store).await?, now));
        return Ok(None);
    };
    let waiting = gather::waiting(store, names, mark, 1).await?;
    (mark.event, mark.caught_up) = (waiting.up_to.0, now);
    Ok(words(&waiting))
}

/// A few words; one event is named, several are counted.
fn words(waiting: &Waiting) -> Option<String> {
    match waiting.few.as_slice() {
        [] => None,
        [only] => Some(format!("idtriage: {} {}{}", only.severity, fit(&name(only), NAME), users(only))),
        _ => {
            let sum = &waiting.sum;
            Some(format!("idtriage: {} new events: {}", sum.total, sum.severities()))
        }
    }
}

fn users(event: &Event) -> String {
    let Some(login) = event.first_users.first() else { return String::new() };
    let more = event.user_count.saturating_sub(1);
    let more = if more > 0 { format!(" +{more}") } else { String::new() };
    format!(": {}{more}", fit(&login.to_string(), LOGIN))
}

#[cfg(test)]
mod tests {
    use super::super::message::tests::{event, sum};
    use super::*;
    use crate::domain::{EventId, Login, Severity};

    fn said(events: &[Event]) -> Option<String> {
        let few = events.iter().take(2).cloned().collect();
        let waiting = Waiting { few, sum: sum(events), late: 3, up_to: EventId(9) };
        words(&waiting)
    }

    #[test]
    fn one_is_named_and_several_are_counted() {
        assert_eq!(said(&[]), None);
        let mut one = event(1, Severity::Critical, "Impossible\u{7} Travel");
        one.user_count = 3;
        let expected = "idtriage: critical Impossible<U+0007> Travel: ann@example.com +2";
        assert_eq!(said(&[one.clone()]).as_deref(), Some(expected));
        let two = [one, event(2, Severity::High, "x"), event(3, Severity::High, "x")];
        assert_eq!(said(&two).as_deref(), Some("idtriage: 3 new events: 1 critical, 2 high"));
    }

    #[test]
    fn it_stays_short_whatever_arrives() {
        let mut long = event(1, Severity::High, &"x\u{202e}".repeat(10_000));
        long.first_users = vec![Login::new(&"y".repeat(10_000))];
        assert!(said(&[long]).unwrap().len() < 200);
    }
}
