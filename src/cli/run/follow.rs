//! Follows a run on many to its end: what signals ask for, what becomes of each, and how the run stands.

use super::{Asked, IMPATIENT, Stop, note};
use crate::cli::failure::{Failure, combined};
use crate::cli::output::Output;
use crate::domain::Outcome;
use crate::domain::bulk::BulkRun;
use crate::remediation::{BulkTold, Wish};
use async_trait::async_trait;
use std::pin::pin;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;

/// Tells how it ended for somebody.
#[async_trait(?Send)]
pub(crate) trait TellEnd {
    /// Tells it, and answers the exit status that it counts as.
    async fn told(&mut self, told: &BulkTold, stop: &mut Stop, out: &mut Output<'_>) -> u8;
}

/// Follows a run. A signal pauses it, impatience ends the wait: what became known by then is told all the same.
///
/// # Errors
/// If the run broke off, or nobody waits for it any more.
pub(crate) async fn follow(
    running: impl Future<Output = Result<BulkRun, Failure>>,
    wishes: watch::Sender<Wish>,
    mut ends: UnboundedReceiver<BulkTold>,
    teller: &mut dyn TellEnd,
    stop: &mut Stop,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let mut running = pin!(running);
    let mut statuses = Vec::new();
    let mut is_pausing = false;
    let ended = loop {
        tokio::select! {
            biased;
            // A signal is heard first: telling an end may read Okta.
            () = stop.asked(if is_pausing { Asked::EndNow } else { Asked::End }) => {
                if is_pausing {
                    break Err(nobody_waits());
                }
                is_pausing = true;
                wishes.send_replace(Wish::Pause);
                // Nobody may be reading any more.
                let _ = out.note(&format!("stopping: waiting for those on their way; {IMPATIENT}"));
            }
            Some(end) = ends.recv() => statuses.push(teller.told(&end, stop, out).await),
            ended = &mut running => break ended,
        }
    };
    while let Ok(end) = ends.try_recv() {
        statuses.push(teller.told(&end, stop, out).await);
    }
    let run = ended?;
    let _ = note(&run, out);
    // Those who still wait were not acted on: that is no success.
    let rest = (run.counts.queued > 0).then(|| Outcome::Refused.exit_status());
    Ok(combined(statuses.into_iter().chain(rest)))
}

/// Somebody would not even wait for receipts.
fn nobody_waits() -> Failure {
    Failure::unknown(
        "those on their way were not waited for: what became of them is unknown\n\
         hint: `idtriage bulk list` shows the run, and `idtriage bulk resume` acts on nobody twice",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::{Form, tests::printed};
    use crate::domain::Login;
    use crate::domain::bulk::BulkUser;
    use std::future::pending;
    use tokio::sync::mpsc::unbounded_channel;

    struct Told(Vec<u32>);

    #[async_trait(?Send)]
    impl TellEnd for Told {
        async fn told(&mut self, told: &BulkTold, _: &mut Stop, _: &mut Output<'_>) -> u8 {
            self.0.push(told.user.position);
            0
        }
    }

    #[test]
    fn what_became_known_is_told_also_to_who_waits_no_more() {
        let (asks, mut stop) = Stop::new();
        asks.send_replace(Asked::EndNow);
        let (told, ends) = unbounded_channel();
        for position in 0..3 {
            let login = Login::new("ann");
            let user = BulkUser {
                position,
                login,
                target_id: None,
                account_login: None,
                finding: None,
                made_of: Default::default(),
                doubts: Vec::new(),
                undoes: None,
                end: None,
            };
            told.send(BulkTold { user, run: None }).unwrap();
        }
        let (wishes, wish) = watch::channel(Wish::GoOn);
        let mut teller = Told(Vec::new());
        let (failure, _) = printed(Form::Text, async |out| {
            follow(pending(), wishes, ends, &mut teller, &mut stop, out).await.unwrap_err()
        });
        assert!(failure.to_string().contains("were not waited for"), "{failure}");
        assert_eq!((teller.0, *wish.borrow()), (vec![0, 1, 2], Wish::Pause));
    }
}
