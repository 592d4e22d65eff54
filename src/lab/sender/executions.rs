//! Okta Workflows' Execution Log Streaming: one POST a record, in the order in which flows start and end, mostly. How many
//! records a request holds, the time limit and the repeats are undocumented: one, ten seconds, and two more tries.
//!
//! Every fourth run's start comes after its end, and every fifth end comes twice.
use super::post::{Manners, Parcel, Post, failed};
use super::{LabListener, Sender};
use crate::lab::faults::{FaultKind, Part};
use crate::lab::workflows::{Rank, Stage, Told};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

static MANNERS: Manners = Manners {
    sender: Sender::Executions,
    patience: Duration::from_secs(10),
    tries: 3,
    pause: Duration::from_secs(2),
    again: failed,
};

/// Streams what is heard, until nothing can be heard any more.
pub(super) async fn stream(post: Arc<Post>, to: LabListener, mut heard: Receiver<Told>) {
    let mut order = Order::default();
    loop {
        let told = match heard.recv().await {
            Ok(told) => told,
            // The stream has a cap: what came meanwhile is not streamed.
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        for told in order.of(&post, told) {
            let parcel = Parcel::now(&told.execution, told.record);
            post.deliver(&to, &MANNERS, parcel).await;
        }
    }
}

/// Which record is streamed when.
#[derive(Debug, Default)]
struct Order {
    starts: usize,
    ends: usize,
    /// Starts that wait for their end, by execution.
    held: HashMap<String, Told>,
}

impl Order {
    /// What is streamed now that a record has come.
    fn of(&mut self, post: &Post, told: Told) -> Vec<Told> {
        let faults = &post.world.faults;
        let is_unordered = faults.active(FaultKind::ExecutionsUnordered, Part::Workflows);
        let is_lost =
            || told.rank == Rank::Root && faults.take(FaultKind::ExecutionWithoutEnd, Part::Workflows);
        match told.stage {
            Stage::Started => {
                self.starts += 1;
                if !is_unordered && !self.starts.is_multiple_of(4) {
                    return vec![told];
                }
                self.held.insert(told.execution.clone(), told);
                Vec::new()
            }
            Stage::Completed | Stage::Failed => {
                self.ends += 1;
                let start = self.held.remove(&told.execution);
                let times = match is_lost() {
                    true => 0,
                    false if is_unordered || self.ends.is_multiple_of(5) => 2,
                    false => 1,
                };
                let again = start.clone().filter(|_| is_unordered);
                std::iter::repeat_n(told, times).chain(start).chain(again).collect()
            }
        }
    }
}
