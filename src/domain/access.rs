//! Whether what a flow needs may be done, as far as that can be known before it is tried.
//!
//! Two things are looked at. Our own credential: how its calls stood when they were tried, so that an operation
//! whose token is not issued is not offered. And who runs a delegated flow, in Okta's own console: what their
//! administrator roles let them do, by the calls that are documented for it (contracts/workflows-ispm.md, section
//! 2.4). Reading those takes more rights than whoever runs a flow has, so that a refusal is "cannot tell", and
//! never "no"; and what is found is a preview, not a promise.

use super::call_probe::{CallProbe, Works};
use super::dossier::OktaRole;
use super::flow::FlowAuth;
use super::operation::Operation;
use super::{Flow, Route, Untrusted};
use serde_json::Value;
use std::collections::BTreeSet;

/// What is tried of changing a user: whether a token is issued for it.
pub const CHANGE_USER: &str = "change a user";
/// The same of changing who is in a group.
pub const CHANGE_GROUP: &str = "change a group's members";
/// The same of invoking a flow by OAuth.
pub const INVOKE_FLOW: &str = "invoke a flow";

/// Whether something may be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// As far as is known it may.
    Likely(String),
    /// As far as is known it may not.
    Unlikely(String),
    /// It may not, because of this.
    No(String),
    /// Nobody can say, because of this.
    CannotTell(String),
}

impl Access {
    /// The words on the screen.
    pub fn words(&self) -> String {
        format!("{}: {}", self.verdict(), self.why())
    }

    /// The verdict alone.
    pub fn verdict(&self) -> &'static str {
        match self {
            Access::Likely(_) => "likely",
            Access::Unlikely(_) => "unlikely",
            Access::No(_) => "no",
            Access::CannotTell(_) => "cannot tell",
        }
    }

    /// What it rests on.
    pub fn why(&self) -> &str {
        match self {
            Access::Likely(why) | Access::Unlikely(why) | Access::No(why) | Access::CannotTell(why) => why,
        }
    }

    /// For a program.
    pub fn to_json(&self) -> Value {
        serde_json::json!({ "verdict": self.verdict(), "why": self.why() })
    }
}

/// What our own credential may do of a flow that is about to be run. Never nothing: where nothing of it can be tried
/// without calling it, nobody can tell.
pub fn before_a_call(flow: &Flow, calls: &[CallProbe]) -> Access {
    let untold = match (flow.route, flow.auth) {
        (Route::Okta, _) => "no Okta org is configured",
        (Route::Open, _) => "it is run by hand in Okta's console",
        (Route::ApiEndpoint, FlowAuth::ClientToken) => "its client token is tried at the call only",
        (Route::ApiEndpoint, FlowAuth::Oauth) => "no service application is configured",
        (Route::ApiEndpoint, FlowAuth::None) => {
            return Access::Likely("the flow asks for no credential".to_owned());
        }
    };
    of_credential(flow, calls).unwrap_or_else(|| Access::CannotTell(untold.to_owned()))
}

/// What our own credential may do of a flow, by how its calls stood when they were tried; `None` where nothing of it
/// was tried.
pub fn of_credential(flow: &Flow, calls: &[CallProbe]) -> Option<Access> {
    let tried: Vec<&CallProbe> =
        needed(flow).iter().filter_map(|call| calls.iter().find(|probe| probe.call == *call)).collect();
    let of = |probe: &CallProbe| match &probe.works {
        Works::Yes => Access::Likely(format!("our credential has `{}`", probe.has)),
        Works::No(why) => {
            let hint = probe.hint.as_ref().map(|hint| format!("; hint: {hint}")).unwrap_or_default();
            Access::No(format!(
                "our credential gets no `{}`: {}{hint}",
                probe.needs,
                Untrusted::from(why.as_str())
            ))
        }
        Works::CannotTell(why) => Access::CannotTell(Untrusted::from(why.as_str()).to_string()),
    };
    // What cannot be done stops it, whatever else can.
    let all: Vec<Access> = tried.into_iter().map(of).collect();
    let worst = |access: &&Access| matches!(access, Access::No(_));
    all.iter().find(worst).or(all.first()).cloned()
}

/// What of our own calls a flow needs.
pub fn needed(flow: &Flow) -> Vec<&'static str> {
    let of = |operation: Operation| if operation.is_of_group() { CHANGE_GROUP } else { CHANGE_USER };
    match flow.route {
        Route::Okta => {
            let steps = flow.steps.iter().filter_map(Operation::of_flow);
            let all: BTreeSet<&str> = flow.operation.into_iter().chain(steps).map(of).collect();
            all.into_iter().collect()
        }
        Route::ApiEndpoint if flow.auth == FlowAuth::Oauth => vec![INVOKE_FLOW],
        Route::ApiEndpoint | Route::Open => Vec::new(),
    }
}

/// What a role lets one do with delegated flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum May {
    /// Nothing.
    Nothing,
    /// See them.
    View,
    /// See and run them.
    Run,
}

/// The labels of permissions that mean the same: setting an old one makes Okta name both.
const RUN: [&str; 2] = ["okta.workflows.invoke", "okta.workflows.flows.invoke"];
const VIEW: [&str; 2] = ["okta.workflows.read", "okta.workflows.flows.read"];

/// What permissions come to, by their labels.
pub fn may(labels: &[&str]) -> May {
    let has = |any: [&str; 2]| labels.iter().any(|label| any.contains(label));
    match (has(RUN), has(VIEW)) {
        (true, _) => May::Run,
        (false, true) => May::View,
        (false, false) => May::Nothing,
    }
}

/// Which delegated flows a resource set holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flows {
    /// All of them.
    All,
    /// Those of these ids: no call names them.
    Some(BTreeSet<Untrusted>),
}

/// The delegated flows among the resources of a set, by their ORNs: `orn:okta:workflow:ORG:flows` are all,
/// `…:flows:ID` is one.
pub fn flows<'a>(orns: impl Iterator<Item = &'a str>) -> Flows {
    let mut some = BTreeSet::new();
    for orn in orns {
        match orn.split(':').collect::<Vec<_>>().as_slice() {
            ["orn", _, "workflow", _, "flows"] => return Flows::All,
            ["orn", _, "workflow", _, "flows", id] if !id.is_empty() => {
                some.insert(Untrusted::from(*id));
            }
            _ => {}
        }
    }
    Flows::Some(some)
}

/// What one role lets somebody run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// What people call the role.
    pub role: Untrusted,
    /// What it lets them do.
    pub may: May,
    /// With which flows.
    pub flows: Flows,
}

/// What somebody's administrator roles let them do with delegated flows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preview {
    /// Whose roles these are, where that is known.
    pub whose: Option<Untrusted>,
    /// How many roles are active.
    pub roles: usize,
    /// Whether one of them is the super administrator's.
    pub is_super: bool,
    /// What the custom ones among them allow.
    pub grants: Vec<Grant>,
    /// What could not be told, and why: then "no" is never said.
    pub untold: Vec<String>,
}

/// The standard role of those who build flows. It has no rights in the Admin Console, where delegated flows are run, so
/// that nothing follows from it.
const BUILDS: &str = "WORKFLOWS_ADMIN";

/// A role that is to be looked into: its own id, and that of what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomRole {
    /// What people call it.
    pub title: Untrusted,
    /// Its id.
    pub role: String,
    /// The id of its resource set.
    pub set: String,
}

impl Preview {
    /// Nothing is known, because of this.
    pub fn unknown(why: impl Into<String>) -> Preview {
        Preview { untold: vec![why.into()], ..Preview::default() }
    }

    /// What roles say by themselves, and those that have to be looked into.
    pub fn of(whose: Untrusted, roles: &[OktaRole]) -> (Preview, Vec<CustomRole>) {
        let active: Vec<&OktaRole> = roles.iter().filter(|role| role.is_active()).collect();
        let is = |role: &&OktaRole, kind: &str| role.kind.raw() == kind;
        let mut preview = Preview { whose: Some(whose), roles: active.len(), ..Preview::default() };
        preview.is_super = active.iter().any(|role| is(role, "SUPER_ADMIN"));
        if active.iter().any(|role| is(role, BUILDS)) {
            preview
                .untold
                .push(format!("whether the role {BUILDS} lets one run delegated flows is not documented"));
        }
        let mut custom = Vec::new();
        for role in active.iter().filter(|role| is(role, "CUSTOM")) {
            let (id, set) = (role.role.raw(), role.resource_set.raw());
            if id.is_empty() || set.is_empty() {
                preview
                    .untold
                    .push(format!("of the role `{}` Okta does not say what it is about", role.title()));
            } else {
                let (role, set) = (id.to_owned(), set.to_owned());
                custom.push(CustomRole { title: active_title(&active, &role), role, set });
            }
        }
        (preview, custom)
    }

    /// A role was looked into: its permissions, and the resources of its set where those matter.
    pub fn learn(&mut self, role: &CustomRole, permissions: &[Value], resources: &[Value]) {
        let labels: Vec<&str> = permissions.iter().filter_map(|it| it.get("label")?.as_str()).collect();
        let orns = resources.iter().map(|it| it.get("orn").and_then(Value::as_str));
        if orns.clone().any(|orn| orn.is_none()) {
            self.untold.push(format!("a resource of the role `{}` came without its ORN", role.title));
        }
        let grant = Grant { role: role.title.clone(), may: may(&labels), flows: flows(orns.flatten()) };
        self.grants.push(grant);
    }

    /// Whether they may run a delegated flow.
    pub fn access(&self) -> Access {
        let whose = self.whose.as_ref().map_or_else(|| "nobody".to_owned(), Untrusted::to_string);
        if self.is_super {
            return Access::Likely(format!("{whose} is a super administrator"));
        }
        let runs = |grant: &&Grant| grant.may == May::Run && grant.flows != Flows::Some(BTreeSet::new());
        if let Some(grant) = self.grants.iter().find(runs) {
            return Access::Likely(format!(
                "the role `{}` lets {whose} run {}",
                grant.role,
                grant.flows.words()
            ));
        }
        if !self.untold.is_empty() {
            return Access::CannotTell(self.untold.join("; "));
        }
        let sees = self.grants.iter().any(|grant| grant.may != May::Nothing);
        Access::Unlikely(match (self.roles, sees) {
            (0, _) => format!("{whose} has no administrator role"),
            (n, true) => format!("none of the {n} roles of {whose} lets them run a flow that it holds"),
            (n, false) => format!("none of the {n} roles of {whose} is about delegated flows"),
        })
    }
}

fn active_title(active: &[&OktaRole], id: &str) -> Untrusted {
    active.iter().find(|role| role.role.raw() == id).map_or_else(|| id.into(), |role| role.title().clone())
}

impl Flows {
    fn words(&self) -> String {
        match self {
            Flows::All => "all delegated flows".to_owned(),
            Flows::Some(ids) => {
                let named: Vec<String> = ids.iter().take(3).map(Untrusted::to_string).collect();
                let more = if ids.len() > named.len() { ", …" } else { "" };
                format!("{} of them, by id {}{more}: no call names them", ids.len(), named.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(&[], May::Nothing)]
    #[case(&["okta.users.read"], May::Nothing)]
    #[case::old(&["okta.workflows.invoke"], May::Run)]
    #[case::new(&["okta.workflows.flows.invoke"], May::Run)]
    #[case::both(&["okta.workflows.invoke", "okta.workflows.flows.invoke"], May::Run)]
    #[case::old(&["okta.workflows.read"], May::View)]
    #[case::new(&["okta.workflows.flows.read", "okta.workflows.read"], May::View)]
    #[case::scope(&["okta.workflows.invoke.manage"], May::Nothing)]
    fn aliases_of_a_permission_are_one(#[case] labels: &[&str], #[case] expected: May) {
        assert_eq!(may(labels), expected);
    }

    #[rstest]
    #[case(&["orn:okta:workflow:00o1:flows:572749", "orn:okta:directory:00o1:users"], &["572749"])]
    #[case(&["orn:oktapreview:workflow:00o1:flows:1", "orn:okta:workflow:00o1:flows:2"], &["1", "2"])]
    #[case(&["orn:okta:workflow:00o1:tables:7", "flows", ""], &[])]
    fn an_orn_names_a_flow(#[case] orns: &[&str], #[case] expected: &[&str]) {
        let expected = expected.iter().map(|id| Untrusted::from(*id)).collect();
        assert_eq!(flows(orns.iter().copied()), Flows::Some(expected));
    }

    #[test]
    fn a_bare_orn_is_all_flows() {
        assert_eq!(
            flows(["orn:okta:workflow:00o1:flows:1", "orn:okta:workflow:00o1:flows"].into_iter()),
            Flows::All
        );
    }

    fn preview(roles: Value, learned: &[(Value, Value)]) -> Preview {
        let roles: Vec<OktaRole> = serde_json::from_value(roles).unwrap();
        let (mut preview, custom) = Preview::of("ann".into(), &roles);
        for (role, (permissions, resources)) in custom.iter().zip(learned) {
            preview.learn(role, permissions.as_array().unwrap(), resources.as_array().unwrap());
        }
        preview
    }

    fn custom() -> Value {
        json!([{"type": "CUSTOM", "label": "Runs flows", "role": "cr1", "resource-set": "iam1", "status": "ACTIVE"}])
    }

    #[rstest]
    #[case(json!([]), &[], "unlikely: ann has no administrator role")]
    #[case(json!([{"type": "SUPER_ADMIN"}]), &[], "likely: ann is a super administrator")]
    #[case(json!([{"type": "SUPER_ADMIN", "status": "INACTIVE"}]), &[], "unlikely: ann has no administrator role")]
    #[case(json!([{"type": "APP_ADMIN"}]), &[], "unlikely: none of the 1 roles of ann is about delegated flows")]
    #[case(json!([{"type": "WORKFLOWS_ADMIN"}]), &[], "cannot tell: whether the role WORKFLOWS_ADMIN")]
    #[case(json!([{"type": "CUSTOM", "label": "x"}]), &[], "cannot tell: of the role `x`")]
    #[case(custom(), &[(json!([{"label": "okta.workflows.invoke"}]), json!([{"orn": "orn:okta:workflow:o:flows"}]))],
        "likely: the role `Runs flows` lets ann run all delegated flows")]
    #[case(custom(), &[(json!([{"label": "okta.workflows.flows.invoke"}]), json!([{"orn": "orn:okta:workflow:o:flows:7"}]))],
        "likely: the role `Runs flows` lets ann run 1 of them, by id 7: no call names them")]
    #[case(custom(), &[(json!([{"label": "okta.workflows.invoke"}]), json!([{"orn": "orn:okta:directory:o:users"}]))],
        "unlikely: none of the 1 roles of ann lets them run a flow that it holds")]
    #[case(custom(), &[(json!([{"label": "okta.workflows.read"}]), json!([{"orn": "orn:okta:workflow:o:flows"}]))],
        "unlikely: none of the 1 roles of ann lets them run a flow that it holds")]
    #[case(custom(), &[(json!([{"label": "okta.workflows.invoke"}]), json!([{"id": "ire1"}]))],
        "cannot tell: a resource of the role `Runs flows` came without its ORN")]
    fn what_roles_come_to(#[case] roles: Value, #[case] learned: &[(Value, Value)], #[case] expected: &str) {
        let words = preview(roles, learned).access().words();
        assert!(words.starts_with(expected), "{words}");
    }

    #[test]
    fn what_could_not_be_read_is_never_a_no() {
        let mut preview = preview(json!([{"type": "APP_ADMIN"}]), &[]);
        preview.untold.push("Okta answered 403".to_owned());
        assert_eq!(preview.access(), Access::CannotTell("Okta answered 403".to_owned()));
        // What is known stays known beside it.
        preview.is_super = true;
        assert!(matches!(preview.access(), Access::Likely(_)));
    }

    fn probe(call: &'static str, works: Works) -> CallProbe {
        CallProbe { call, needs: "okta.users.manage", has: "x".into(), works, hint: None, is_needed: false }
    }

    #[rstest]
    #[case(Operation::Suspend.flow(), "no: our credential gets no `okta.users.manage`: invalid_scope")]
    #[case(crate::domain::operation::CONTAIN.flow(), "no: our credential gets no")]
    #[case(Operation::AddToGroup.flow(), "cannot tell: it shows at the call only")]
    fn a_token_that_is_not_issued_is_a_no(#[case] flow: Flow, #[case] expected: &str) {
        let calls = [
            probe(CHANGE_USER, Works::No("invalid_scope".into())),
            probe(CHANGE_GROUP, Works::CannotTell("it shows at the call only".into())),
        ];
        let words = of_credential(&flow, &calls).unwrap().words();
        assert!(words.starts_with(expected), "{words}");
        assert_eq!(of_credential(&flow, &[]), None, "what was not tried is not said");
    }

    #[rstest]
    #[case(Operation::Suspend.flow(), FlowAuth::None, "cannot tell: no Okta org is configured")]
    #[case(crate::domain::preset::flow("suspend-okta-account").unwrap(), FlowAuth::None, "likely: the flow asks for no")]
    #[case(crate::domain::preset::flow("suspend-okta-account").unwrap(), FlowAuth::ClientToken, "cannot tell: its client token")]
    #[case(crate::domain::preset::flow("suspend-okta-account").unwrap(), FlowAuth::Oauth, "cannot tell: no service application")]
    fn what_was_not_tried_nobody_can_tell(
        #[case] flow: Flow,
        #[case] auth: FlowAuth,
        #[case] expected: &str,
    ) {
        let route = if flow.operation.is_some() { Route::Okta } else { Route::ApiEndpoint };
        let access = before_a_call(&Flow { route, auth, ..flow }, &[]);
        assert!(access.words().starts_with(expected), "{}", access.words());
        let json = access.to_json();
        assert_eq!(
            format!("{}: {}", json["verdict"].as_str().unwrap(), json["why"].as_str().unwrap()),
            access.words()
        );
    }

    #[test]
    fn a_flow_by_oauth_needs_the_token_for_flows() {
        let flow = Flow { auth: FlowAuth::Oauth, route: Route::ApiEndpoint, ..Operation::Suspend.flow() };
        let calls = [probe(INVOKE_FLOW, Works::No("invalid_scope".into()))];
        assert!(matches!(of_credential(&flow, &calls), Some(Access::No(_))));
        let by_token = Flow { auth: FlowAuth::ClientToken, ..flow };
        assert_eq!(of_credential(&by_token, &calls), None);
    }
}
