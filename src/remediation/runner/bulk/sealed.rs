//! Whether a run is still what was confirmed: the flow as it is configured, the limit, and the people, held against
//! what the journal has of it.

use super::{BulkError, Runner};
use crate::domain::Flow;
use crate::domain::bulk::{BulkId, BulkRun, BulkUser, Seal};
use crate::domain::journal::{Head, Record, Verifier};
use crate::remediation::bulk::{flow_digest, over_limit};
use crate::store::{StoreError, Users};

/// Users read at once.
const PAGE: usize = 1_000;

impl Runner {
    /// Whether a run may be taken up again: it is not over, and what would be done is what was confirmed. Ask it
    /// before a run is called running again.
    ///
    /// # Errors
    /// [`BulkError`] says why not; [`BulkError::NotAsConfirmed`] where those who are left have to be planned anew.
    pub async fn drivable(&self, id: BulkId) -> Result<(), BulkError> {
        self.as_confirmed(id).await.map(drop)
    }

    /// A run and its flow, both as they were confirmed.
    pub(super) async fn as_confirmed(&self, id: BulkId) -> Result<(BulkRun, Flow), BulkError> {
        let run = self.desk.store.bulk(id).await?.ok_or(BulkError::Missing(id))?;
        if run.state.is_over() {
            return Err(BulkError::Not(id, run.state));
        }
        let flow =
            self.desk.flow(&run.flow).cloned().ok_or_else(|| BulkError::NoSuchFlow(run.flow.clone()))?;
        match self.differs(&run, &flow).await? {
            Some(why) => Err(BulkError::NotAsConfirmed(id, why)),
            None => Ok((run, flow)),
        }
    }

    /// What is not as it was confirmed, if anything.
    async fn differs(&self, run: &BulkRun, flow: &Flow) -> Result<Option<String>, StoreError> {
        let Some(seal) = &run.seal else {
            return Ok(Some("what was confirmed was not kept with it".to_owned()));
        };
        let record = self.desk.store.bulk_record(run.id).await?;
        if !record.is_some_and(|record| has(&record, run.id, seal)) {
            return Ok(Some("it is not what the journal has of it".to_owned()));
        }
        if let Some(why) = over_limit(&self.desk.guard, seal.acting) {
            return Ok(Some(why));
        }
        if flow_digest(&self.desk, flow, run) != seal.flow {
            return Ok(Some(format!("flow `{}` is configured otherwise by now", flow.id)));
        }
        let are_they = self.are_the_people(run.id, seal).await?;
        Ok((!are_they).then(|| "its users are not those who were confirmed".to_owned()))
    }

    async fn are_the_people(&self, id: BulkId, seal: &Seal) -> Result<bool, StoreError> {
        let (mut acting, mut from) = (Vec::<BulkUser>::new(), 0);
        loop {
            let page = self.desk.store.bulk_users(id, Users::All, from, PAGE).await?;
            let Some(last) = page.last() else { break };
            from = last.position.saturating_add(1);
            for user in page {
                match usize::try_from(user.position) {
                    Ok(position) if position < seal.acting => acting.push(user),
                    // Who was left out waits for nothing.
                    _ if user.end.is_none() => return Ok(false),
                    _ => {}
                }
            }
        }
        Ok(acting.len() == seal.acting && Seal::people(&acting) == seal.people)
    }
}

/// Whether a record is of this run and of what was confirmed for it, and is whole.
fn has(record: &Record, id: BulkId, seal: &Seal) -> bool {
    let Some(content) = record.content.as_deref().filter(|_| is_whole(record)) else { return false };
    let content: serde_json::Value = serde_json::from_str(content).unwrap_or_default();
    let confirmed = content.get("confirmed").cloned().unwrap_or_default();
    let is_of_run = content.get("bulk").and_then(|bulk| bulk.as_str()) == Some(id.to_string().as_str());
    is_of_run && serde_json::from_value::<Seal>(confirmed).is_ok_and(|confirmed| confirmed == *seal)
}

/// Whether a record is what was chained behind the one before it.
fn is_whole(record: &Record) -> bool {
    let before = Head { seq: record.seq.saturating_sub(1), hash: record.previous.clone() };
    Verifier::behind(before).next(record).is_ok()
}
