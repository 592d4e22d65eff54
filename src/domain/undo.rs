//! What undoes an action: the inverse of its flow, on the very account that it was on.
//!
//! An undo is a run like any other: the same card, the same guards, an action of its own. It never takes an
//! outcome back; the journal has both, and the later one names the earlier.

pub mod many;

use super::action::{Said, Undone};
use super::flow::Input;
use super::operation::GROUP;
use super::payload::lint::Declared;
use super::{Action, ActionId, FindingId, Flow, FlowId, Login, Outcome, Route, Untrusted, time};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;
use url::Url;

/// What a run undoes, and on which account that was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undoes {
    /// The action.
    pub action: ActionId,
    /// What it did, in its own words.
    pub what: String,
    /// The id of the account that it was on, where one was known. No other may be meant.
    pub account: Option<String>,
    /// What the undoing does not bring back, where that is known.
    pub left: Option<&'static str>,
    /// When what it did was done at the latest, where that is known.
    pub ended: Option<Timestamp>,
    /// By what it was undone already when this was asked for.
    pub undone: Option<Undone>,
}

/// A flow of Workflows answers before it acts: what it does within that time, and nobody saw the end of, is its own.
const WORKS_ON: SignedDuration = SignedDuration::from_mins(10);

/// What is proven was looked at within that time of its intent.
const PROVEN_WITHIN: SignedDuration = SignedDuration::from_mins(2);

/// A run that undoes an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undo {
    /// The flow that is the inverse.
    pub flow: FlowId,
    /// On whom: the same login.
    pub login: Login,
    /// The finding that the action was run from.
    pub finding: Option<FindingId>,
    /// What it is told besides: the group, and inputs of its own that the action was given too.
    pub inputs: BTreeMap<String, String>,
    /// What it undoes.
    pub undoes: Undoes,
}

/// The run that undoes an action.
///
/// # Errors
/// A sentence that says why there is none.
pub fn of(action: &Action, flows: &[Flow]) -> Result<Undo, String> {
    may_have_changed(action)?;
    if action.is_test {
        return Err(
            "it was tried with the documented sample: nobody was meant, and nobody is undone".to_owned()
        );
    }
    let (flow, inverse) = inverse(&action.flow, flows)?;
    Ok(Undo {
        flow: inverse.id.clone(),
        login: action.login.clone(),
        finding: action.finding,
        inputs: inputs(action, inverse)?,
        undoes: Undoes {
            action: action.id,
            what: action.verb.clone(),
            account: action.target_id.clone(),
            left: left_by_undoing(flow),
            ended: ended(action, flow),
            undone: action.undone.clone(),
        },
    })
}

/// A flow, and the one that undoes it.
///
/// # Errors
/// A sentence that says why there is none.
pub fn inverse<'a>(id: &FlowId, flows: &'a [Flow]) -> Result<(&'a Flow, &'a Flow), String> {
    let find = |id: &FlowId| flows.iter().find(|flow| flow.id == *id);
    let flow = find(id)
        .ok_or_else(|| format!("flow `{id}` is not configured any more: what undoes it is not known"))?;
    let inverse = match &flow.inverse {
        Some(inverse) => {
            find(inverse).ok_or_else(|| format!("flow `{inverse}` is not configured any more"))?
        }
        None => return Err(format!("no flow undoes this: {}", in_words(flow))),
    };
    match inverse.unrunnable() {
        Some(why) => Err(format!("flow `{}` would undo it: {why}", inverse.id)),
        None => Ok((flow, inverse)),
    }
}

/// What undoes a flow, before anybody runs it: a configured inverse that can be run, else what the flow says.
pub fn words(flow: &Flow, flows: &[Flow]) -> String {
    let inverse = flow.inverse.as_ref().and_then(|id| flows.iter().find(|other| other.id == *id));
    match inverse.filter(|inverse| inverse.unrunnable().is_none()) {
        Some(inverse) => {
            let left = left_by_undoing(flow).map(|left| format!("; {left}")).unwrap_or_default();
            format!("flow `{}`: {}{left}", inverse.id, inverse.verb)
        }
        None if flow.undo.trim().is_empty() => "nothing that is known here".to_owned(),
        None => flow.undo.clone(),
    }
}

/// Of several actions, the first that something undoes; else why nothing undoes the first of them.
///
/// # Errors
/// A sentence that says why there is none.
pub fn of_any<'a>(actions: impl IntoIterator<Item = &'a Action>, flows: &[Flow]) -> Result<Undo, String> {
    let mut why = None;
    for action in actions {
        match of(action, flows) {
            Ok(undo) => return Ok(undo),
            Err(reason) => drop(why.get_or_insert(reason)),
        }
    }
    Err(why.unwrap_or_else(|| "nothing was run that could be undone".to_owned()))
}

/// What undoing a flow does not bring back, where its inverse says so of itself.
pub fn left_by_undoing(flow: &Flow) -> Option<&'static str> {
    flow.operation.and_then(super::operation::Operation::left_by_undoing)
}

fn ended(action: &Action, flow: &Flow) -> Option<Timestamp> {
    let receipt = action.receipt.as_ref()?;
    match (&receipt.ended, flow.route) {
        (Some(end), _) => Some(receipt.at.map_or(end.at, |at| at.max(end.at))),
        (None, Route::Okta) => receipt.at,
        (None, _) => receipt.at?.checked_add(WORKS_ON).ok(),
    }
}

fn may_have_changed(action: &Action) -> Result<(), String> {
    if let Some(word) = action.word().filter(|_| action.upheld() == Some(Said::NotChanged)) {
        return Err(format!("it is {word}: there is nothing to undo"));
    }
    match action.outcome {
        Outcome::Changed | Outcome::Accepted | Outcome::Unknown => Ok(()),
        Outcome::Pending => Err("it has not ended yet: what there is to undo is not known".to_owned()),
        other => Err(format!("it is {}: there is nothing to undo", other.word())),
    }
}

fn in_words(flow: &Flow) -> String {
    let words = flow.undo.trim();
    if words.is_empty() { "nothing that is known here does".to_owned() } else { words.to_owned() }
}

/// What the inverse is told. The group is the one in the address that was called: a name may be another's by now.
fn inputs(action: &Action, inverse: &Flow) -> Result<BTreeMap<String, String>, String> {
    if inverse.operation.is_some_and(super::operation::Operation::is_of_group) {
        let group = group_of(&action.request.url)
            .ok_or_else(|| "the request of it names no group: which one is meant is not known".to_owned())?;
        return Ok([(GROUP.to_owned(), group)].into());
    }
    let body: Value = serde_json::from_str(&action.request.body).unwrap_or_default();
    let said = |input: &Input| Some((input.name.clone(), plain(body.get(&input.name)?)?));
    // What a finding fills in is filled in anew: the id of the old run is not the new one's.
    let is_own = |input: &&Input| input.value.is_none() && Declared::of(input) != Declared::Field;
    Ok(inverse.inputs.iter().filter(is_own).filter_map(said).collect())
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// The group's id in an address of Okta's: `…/groups/{id}/users/{id}`.
pub fn group_of(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let mut parts = url.path_segments()?;
    parts.find(|part| *part == "groups")?;
    parts.next().filter(|id| !id.is_empty()).map(str::to_owned)
}

impl Undoes {
    /// Why what would be undone may be somebody else's by now: of the earlier actions one undid it already, or the
    /// status changed behind the end of it.
    pub fn anothers(&self, earlier: &[Action], status_changed: Option<Timestamp>) -> Vec<String> {
        let is_done = |action: &&Action| {
            action.undoes == Some(self.action) && action.had_effect() && action.undone.is_none()
        };
        let found = || {
            let action = earlier.iter().find(is_done)?;
            Some(Undone { by: action.id, standing: action.standing(), at: action.at })
        };
        let known = self.undone.clone().or_else(found);
        let undone = known.clone().map(|Undone { by, standing, at }| {
            let at = time::rfc3339_seconds(at);
            format!("action {by} undid it already ({standing}, {at}): what would be undone now may be somebody else's")
        });
        // That it changed by the undoing is said.
        let by_it = |undone: &Undone| {
            let is_proven = undone.standing == Outcome::Changed.word();
            undone.at.checked_add(if is_proven { PROVEN_WITHIN } else { WORKS_ON }).ok()
        };
        let since = known.as_ref().map_or(self.ended, |undone| by_it(undone).max(self.ended));
        let again = status_changed.filter(|at| since.is_some_and(|since| *at > since)).map(|at| {
            format!("its status changed again at {}: it may be somebody else's", time::rfc3339_seconds(at))
        });
        undone.into_iter().chain(again).collect()
    }

    /// Why a run on this account would not undo it, if so.
    pub fn another(&self, account: Option<&str>) -> Option<String> {
        let was = self.account.as_deref()?;
        let shown = |id: &str| Untrusted::from(id).to_string();
        match account {
            Some(now) if now == was => None,
            Some(now) => Some(format!(
                "it leads to account `{}` by now, and what is to be undone was done to `{}`",
                shown(now),
                shown(was)
            )),
            None => Some(format!(
                "which account it leads to is not known, and what is to be undone was done to `{}`",
                shown(was)
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::action::{AnalystWord, Evidence, Receipt, Said, ShownRequest};
    use crate::domain::flow::{InputType, PayloadShape};
    use crate::domain::operation::{self, CONTAIN, Operation};
    use crate::domain::{Actor, Risk, Route, preset};
    use jiff::Timestamp;
    use rstest::rstest;

    fn action(flow: FlowId, outcome: Outcome) -> Action {
        Action {
            id: ActionId(uuid::Uuid::from_u128(1)),
            step: None,
            is_test: false,
            undoes: None,
            undone: None,
            before: None,
            flow,
            verb: "did it".to_owned(),
            risk: Risk::Medium,
            login: Login::new("ann@example.com"),
            target_id: Some("00u1".to_owned()),
            account_login: None,
            finding: Some(FindingId(7)),
            evidence: Evidence::Acknowledged,
            outcome,
            request: ShownRequest {
                method: "PUT".to_owned(),
                url: "https://acme.okta.com/api/v1/groups/00gsales/users/00u1".to_owned(),
                headers: Vec::new(),
                body: r#"{"eventId":"old","team":"red","level":3,"list":[1]}"#.to_owned(),
            },
            receipt: None,
            reason: None,
            actor: Actor::default(),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    #[rstest]
    #[case(Operation::Suspend, Ok("okta-unsuspend"))]
    #[case(Operation::Unsuspend, Ok("okta-suspend"))]
    #[case(Operation::Deactivate, Ok("okta-activate"))]
    #[case(Operation::AddToGroup, Ok("okta-remove-from-group"))]
    #[case(Operation::RemoveFromGroup, Ok("okta-add-to-group"))]
    #[case(Operation::ResetPassword, Err("no flow undoes this: nothing undoes it: the user has to choose"))]
    #[case(Operation::ClearSessions, Err("no flow undoes this: nothing has to be undone"))]
    fn an_operation_is_undone_by_its_inverse_on_the_same_account(
        #[case] done: Operation,
        #[case] expected: Result<&str, &str>,
    ) {
        let undo = of(&action(done.flow_id(), Outcome::Changed), &operation::flows());
        match (undo, expected) {
            (Ok(undo), Ok(flow)) => {
                assert_eq!((undo.flow.0.as_str(), undo.login.raw()), (flow, "ann@example.com"));
                assert_eq!(undo.undoes.account.as_deref(), Some("00u1"));
                assert_eq!(undo.undoes.left.is_some(), done == Operation::Deactivate);
                let group = undo.inputs.get(GROUP).map(String::as_str);
                assert_eq!(group, done.is_of_group().then_some("00gsales"));
            }
            (Err(why), Err(phrase)) => assert!(why.contains(phrase), "{why}"),
            other => panic!("{other:?}"),
        }
    }

    #[rstest]
    #[case(Outcome::Changed, None)]
    #[case(Outcome::Accepted, None)]
    #[case(Outcome::Unknown, None)]
    #[case(Outcome::Pending, Some("has not ended"))]
    #[case(Outcome::NoChange, Some("nothing to undo"))]
    #[case(Outcome::Refused, Some("nothing to undo"))]
    #[case(Outcome::Failed, Some("nothing to undo"))]
    #[case(Outcome::NotLegal, Some("nothing to undo"))]
    fn only_what_may_have_changed_something_is_undone(#[case] outcome: Outcome, #[case] why: Option<&str>) {
        let undo = of(&action(Operation::Suspend.flow_id(), outcome), &operation::flows());
        assert_eq!(undo.as_ref().err().is_some(), why.is_some(), "{undo:?}");
        assert!(why.is_none_or(|why| undo.unwrap_err().contains(why)));
    }

    fn word(said: Said) -> AnalystWord {
        AnalystWord {
            said,
            actor: Actor::default(),
            at: Timestamp::UNIX_EPOCH,
            reason: "seen there".to_owned(),
        }
    }

    #[rstest]
    #[case(Said::Changed, None)]
    #[case(Said::NotChanged, Some("not changed, said by : there is nothing to undo"))]
    fn what_is_said_to_have_changed_nothing_is_not_undone(#[case] said: Said, #[case] why: Option<&str>) {
        for outcome in [Outcome::Unknown, Outcome::Accepted] {
            let action = action(Operation::Suspend.flow_id(), outcome).with_word(word(said));
            let refused = of(&action, &operation::flows()).err();
            assert_eq!(refused.is_some(), why.is_some(), "{refused:?}");
            assert!(why.is_none_or(|why| refused.unwrap().contains(why)));
        }
    }

    #[rstest]
    #[case(Said::Changed, true)]
    #[case(Said::NotChanged, false)]
    fn an_undoing_counts_by_what_is_said_of_it(#[case] said: Said, #[case] is_done: bool) {
        let done = action(Operation::Suspend.flow_id(), Outcome::Changed);
        let undoes = of(&done, &operation::flows()).unwrap().undoes;
        for outcome in [Outcome::Unknown, Outcome::Accepted] {
            let undoing = action(Operation::Unsuspend.flow_id(), outcome).with_word(word(said));
            let undoing = Action { undoes: Some(done.id), ..undoing };
            assert_eq!(!undoes.anothers(&[undoing], None).is_empty(), is_done);
        }
    }

    #[rstest]
    #[case::untouched(None, Outcome::Changed, Some(0), &[])]
    #[case::not_read(None, Outcome::Changed, None, &[])]
    #[case::undone_already(Some(1), Outcome::Changed, Some(0), &["undid it already (changed"])]
    #[case::perhaps(Some(1), Outcome::Accepted, Some(0), &["undid it already (accepted"])]
    #[case::without_effect(Some(1), Outcome::Refused, Some(0), &[])]
    #[case::another_was_undone(Some(9), Outcome::Changed, Some(0), &[])]
    #[case::changed_again(None, Outcome::Changed, Some(6), &["changed again at 1970-01-01T00:00:06Z"])]
    #[case::by_that(Some(1), Outcome::Changed, Some(6), &["undid it already"])]
    #[case::both(Some(1), Outcome::Changed, Some(700), &["undid it already", "may be somebody else's"])]
    fn what_may_be_somebody_elses_by_now_is_told(
        #[case] undid: Option<u128>,
        #[case] outcome: Outcome,
        #[case] changed: Option<i64>,
        #[case] expected: &[&str],
    ) {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let receipt = Receipt { at: Some(at(5)), ..Receipt::default() };
        let done =
            Action { receipt: Some(receipt), ..action(Operation::Suspend.flow_id(), Outcome::Changed) };
        let undoes = of(&done, &operation::flows()).unwrap().undoes;
        assert_eq!(undoes.ended, Some(at(5)));
        let undoes_of = undid.map(|id| ActionId(uuid::Uuid::from_u128(id)));
        let earlier = Action { undoes: undoes_of, ..action(Operation::Unsuspend.flow_id(), outcome) };
        let told = undoes.anothers(&[earlier], changed.map(at));
        assert_eq!(told.len(), expected.len(), "{told:?}");
        assert!(told.iter().zip(expected).all(|(told, phrase)| told.contains(phrase)), "{told:?}");
    }

    #[test]
    fn a_run_of_several_is_undone_by_the_first_step_that_can_be() {
        let steps = [Operation::ClearSessions, Operation::Suspend];
        let actions = steps.map(|step| action(step.flow_id(), Outcome::Accepted));
        assert_eq!(of_any(&actions, &operation::flows()).unwrap().flow.0, "okta-unsuspend");
        assert!(of_any(&actions[..1], &operation::flows()).unwrap_err().contains("signs in again"));
        assert!(of_any(&[], &operation::flows()).is_err());
        assert_eq!(CONTAIN.flow().inverse, Some(Operation::Unsuspend.flow_id()));
    }

    fn of_workflows(id: &str) -> Flow {
        let url = Some("https://x.workflows.okta.com/api/flo/1/invoke".to_owned());
        Flow {
            id: id.into(),
            route: Route::ApiEndpoint,
            url,
            ..preset::flow("suspend-okta-account").unwrap()
        }
    }

    #[test]
    fn a_configured_inverse_is_given_what_the_action_was_given_of_its_own_inputs() {
        let input = |name: &str, kind| Input::new(name, kind);
        let inputs = vec![
            input("eventId", InputType::Text),
            input("team", InputType::Text),
            input("level", InputType::Number),
            input("list", InputType::Text),
            input("missing", InputType::Text),
        ];
        let leave = Flow { inputs, payload: PayloadShape::Fields, ..of_workflows("leave") };
        let join = Flow { inverse: Some("leave".into()), ..of_workflows("join") };
        let undo = of(&action("join".into(), Outcome::Accepted), &[join.clone(), leave.clone()]).unwrap();
        let expected =
            [("level", "3"), ("team", "red")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(undo.inputs, expected.into());
        let nowhere = Flow { url: None, ..leave };
        let why = of(&action("join".into(), Outcome::Accepted), &[join.clone(), nowhere]).unwrap_err();
        assert!(why.contains("no `url` is configured"), "{why}");
        assert!(of(&action("join".into(), Outcome::Accepted), &[join]).unwrap_err().contains("`leave`"));
        assert!(of(&action("join".into(), Outcome::Accepted), &[]).unwrap_err().contains("`join`"));
    }

    #[rstest]
    #[case(Some("00u1"), Some("00u1"), false)]
    #[case(Some("00u1"), Some("00u2"), true)]
    #[case(Some("00u1"), None, true)]
    #[case(None, Some("00u2"), false)]
    fn no_other_account_may_be_meant(
        #[case] was: Option<&str>,
        #[case] now: Option<&str>,
        #[case] is_refused: bool,
    ) {
        let (action, what) = (ActionId(uuid::Uuid::nil()), String::new());
        let undoes =
            Undoes { action, what, account: was.map(str::to_owned), left: None, ended: None, undone: None };
        assert_eq!(undoes.another(now).is_some(), is_refused);
    }
}
