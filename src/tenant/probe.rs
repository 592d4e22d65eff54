//! What `doctor` tries: every credential, by the cheapest call that proves it.

use super::cii::Cii;
use super::okta::Okta;
use super::workflows::Workflows;
use crate::domain::dossier::Problem;
use futures_util::future::join3;

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// What: `cii token`.
    pub name: String,
    /// What it brought, or what went wrong, in words.
    pub result: Result<String, String>,
    /// What mends it, where we know.
    pub hint: Option<String>,
}

/// Clocks that differ by more than this are pointed out: assertions and times of events suffer.
const SKEW: i64 = 60;

/// Tries everything, the tenants side by side: a dead one costs its own time-outs, not the sum.
pub(super) async fn all(cii: Option<&Cii>, okta: Option<&Okta>, workflows: &Workflows) -> Vec<Probe> {
    let (cii, okta, flows) = join3(of_cii(cii), of_okta(okta), of_workflows(workflows)).await;
    cii.into_iter().chain(okta).chain(flows).collect()
}

async fn of_cii(cii: Option<&Cii>) -> Vec<Probe> {
    let Some(cii) = cii else { return Vec::new() };
    let token = Probe::of("cii token", cii.check_token().await.map(|()| "a token was issued".to_owned()));
    if token.result.is_err() {
        return vec![token];
    }
    vec![token, Probe::answered("cii ping", cii.ping().await)]
}

async fn of_okta(okta: Option<&Okta>) -> Vec<Probe> {
    match okta {
        Some(okta) => vec![Probe::answered("okta users", okta.check().await)],
        None => Vec::new(),
    }
}

async fn of_workflows(workflows: &Workflows) -> Vec<Probe> {
    let token = workflows.check_token().await;
    let token = token.map(|had| Probe::of("workflows token", had.map(|()| "a token was issued".to_owned())));
    let flows = workflows.unusable().into_iter().map(|(id, why)| Probe {
        name: format!("flow {id}"),
        result: Err(why),
        hint: None,
    });
    token.into_iter().chain(flows).collect()
}

impl Probe {
    fn of(name: &str, result: Result<String, Problem>) -> Probe {
        let hint = result.as_ref().err().and_then(|problem| problem.hint.clone());
        Probe { name: name.to_owned(), result: result.map_err(|problem| problem.line()), hint }
    }

    fn answered(name: &str, clock_ahead: Result<Option<i64>, Problem>) -> Probe {
        let skew = clock_ahead.as_ref().ok().copied().flatten().filter(|ahead| ahead.abs() > SKEW);
        let words = match skew {
            Some(ahead) => format!("answered; its clock is {ahead} s ahead of ours"),
            None => "answered".to_owned(),
        };
        let mut probe = Probe::of(name, clock_ahead.map(|_| words));
        if skew.is_some() {
            probe.hint = Some("set this machine's clock".to_owned());
        }
        probe
    }
}
