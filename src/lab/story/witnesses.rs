//! What everybody else saw of the incident: Okta's own records, pushed and polled, ISPM, an alert manager, and the people
//! themselves through a form. CII tells of it too (`incident`); here stand only times between those.
use super::issue::{self, Entity, Flaw, Form, IdName, Issue};
use super::notice::{Alarm, Alert, Report};
use super::record::{Kind, Party, Record};
use super::{Beat, News};
use crate::lab::population::{Population, places, uuid};
use fastrand::Rng;
use std::time::Duration;

const DENIED: Kind = ("user.mfa.okta_verify.deny_push", "User rejected Okta push verify");
const REPORTED: Kind =
    ("user.account.report_suspicious_activity_by_enduser", "User report suspicious activity");
const MFA: Kind = ("user.authentication.auth_via_mfa", "Authentication of user via MFA");
const SIGN_IN: Kind = ("user.session.start", "User login to Okta");
const CONTEXT: Kind = ("user.session.context.change", "User session context changed");
const REEVALUATED: Kind =
    ("policy.auth_reevaluate.fail", "Auth policy re-evaluation has resulted in failure");
const ENROLLED: Kind =
    ("user.mfa.factor.activate", "Activate factor or authenticator enrollment method for user");
const ADMIN_APP: Kind = ("user.session.access_admin_app", "User accessing Okta admin app");
const GRANTED: Kind = ("user.account.privilege.grant", "Grant user privilege");
const TOKEN: Kind = ("system.api_token.create", "Create API token");

const PROMPTS: Alarm = (
    "PushPromptRate",
    "high",
    "Push prompts far above normal",
    "More than 20 push prompts for one account within ten minutes.",
);
const VPN: Alarm = (
    "VpnNewCountry",
    "high",
    "VPN session from a new country",
    "The account opened a VPN session from a country it was never seen in.",
);
const PRIVILEGED: Alarm = (
    "PrivilegedSession",
    "critical",
    "Privileged session from an anonymiser",
    "An administrator's session comes from an anonymising network.",
);

/// The script, in no order.
pub(super) fn script(rng: &mut Rng, population: &Population) -> Vec<Beat> {
    let mut scene = Scene { rng, population, beats: Vec::new() };
    scene.flood();
    scene.travel();
    scene.awakening();
    scene.aftermath();
    scene.beats
}

struct Scene<'a> {
    rng: &'a mut Rng,
    population: &'a Population,
    beats: Vec<Beat>,
}

impl Scene<'_> {
    fn at(&mut self, seconds: f64, news: News) {
        let lag = Duration::from_millis(self.rng.u64(200..2500));
        self.beats.push(Beat { at: Duration::from_secs_f64(seconds), lag, news });
    }

    /// Records of one moment: those that a hook wants go out in one call.
    fn log(&mut self, seconds: f64, records: Vec<Record>) {
        let envelope = uuid(self.rng);
        self.at(seconds, News::Records(records, envelope));
    }

    fn record(&mut self, kind: Kind, actor: Party) -> Record {
        Record::new(self.rng, kind, actor)
    }

    /// The n-th victim of the flood; a small department is gone through again.
    fn victim(&self, n: usize) -> usize {
        let flooded = &self.population.flooded;
        flooded.get(n % flooded.len().max(1)).copied().unwrap_or_default()
    }

    /// An administrator who has no other part, if there is one.
    fn another_admin(&self) -> usize {
        let dormant = self.population.dormant;
        let mut people = self.population.people.iter().enumerate();
        people.find(|(index, person)| person.admin && *index != dormant).map_or(dormant, |(index, _)| index)
    }

    fn login(&self, index: usize) -> &str {
        self.population.people.get(index).map_or("", |person| person.login.as_str())
    }

    fn report(&mut self, seconds: f64, index: usize, text: &'static str) {
        let login = self.login(index).to_owned();
        let report = Report::new(self.rng, &login, text);
        self.at(seconds, News::Report(report));
    }

    fn alert(&mut self, seconds: f64, alarm: Alarm, people: &[usize]) {
        let alerts = people.iter().map(|index| {
            let login = self.population.people.get(*index).map(|person| person.login.as_str());
            Alert::new(self.rng, alarm, login)
        });
        let alerts = alerts.collect();
        self.at(seconds, News::Alerts(alerts));
    }

    fn issue(&mut self, seconds: f64, issue: Issue) {
        self.at(seconds, News::Issue(issue));
    }

    /// Victims say no, on the phone and to whoever asks them.
    fn flood(&mut self) {
        self.denials(5.5, &[0, 3]);
        let reporter = self.victim(1);
        self.suspicion(13.5, reporter);
        let (fourth, sixth) = (self.victim(4), self.victim(6));
        self.alert(19.5, PROMPTS, &[fourth, sixth]);
        self.denials(26.0, &[5, 2, 7]);
        self.report(33.5, reporter, "My phone asks me again and again to approve a sign-in. It is not me.");
        self.suspicion(39.5, fourth);
        let admin = self.another_admin();
        let form = Form::Nested("issue.created", IdName::Id);
        let issue = Issue::new(self.rng, &issue::NO_MFA_ADMIN, Entity::User(admin), form);
        self.issue(45.5, issue);
        self.denials(50.0, &[8, 6]);
        self.report(56.5, sixth, "Who is signing in as me? I get prompts although I am in a meeting.");
    }

    fn denials(&mut self, seconds: f64, victims: &[usize]) {
        let denied = |scene: &mut Self, n: &usize| {
            let victim = Party::Person(scene.victim(*n));
            let factor = Party::Thing("AuthenticatorEnrollment", "Okta Verify");
            // Nothing says that the user stands first.
            scene
                .record(DENIED, victim.clone())
                .upon([factor, victim])
                .from(places::ATTACKER)
                .ended("FAILURE", "USER_REJECTED_OKTA_VERIFY_PUSH")
                .risky()
        };
        let records = victims.iter().map(|n| denied(self, n)).collect();
        self.log(seconds, records);
    }

    fn suspicion(&mut self, seconds: f64, victim: usize) {
        let who = Party::Person(victim);
        let record = self
            .record(REPORTED, who.clone())
            .upon([who])
            .from(places::ATTACKER)
            .noting("suspiciousActivityEventType", "user.authentication.auth_via_mfa");
        self.log(seconds, vec![record]);
    }

    /// One of them says yes. The sign-in itself is quiet: only the log has it.
    fn travel(&mut self) {
        let traveller = self.population.traveller;
        let who = Party::Person(traveller);
        let session = format!("idx{}", uuid(self.rng));
        let yes = self.record(MFA, who.clone()).from(places::ATTACKER).in_session(&session);
        let sign_in = self.record(SIGN_IN, who.clone()).from(places::ATTACKER).in_session(&session);
        self.log(60.5, vec![yes, sign_in]);
        let moved = self.record(CONTEXT, who.clone()).from(places::FAR_AWAY).in_session(&session).risky();
        self.log(72.0, vec![moved]);
        let failed = self
            .record(REEVALUATED, Party::Org)
            .upon([Party::App("Salesforce"), who.clone()])
            .in_session(&session)
            .ended("FAILURE", "Session no longer meets the policy")
            .risky();
        let moved = self.record(CONTEXT, who.clone()).from(places::FAR_AWAY).in_session(&session).risky();
        self.log(79.0, vec![failed, moved]);
        self.alert(93.0, VPN, &[traveller]);
        let phone = Party::Thing("AuthenticatorEnrollment", "Google Authenticator");
        let enrolled = self.record(ENROLLED, who.clone()).upon([phone, who]).from(places::FAR_AWAY);
        self.log(103.0, vec![enrolled.in_session(&session)]);
        self.report(118.0, traveller, "I pressed yes once to make it stop. Was that wrong?");
    }

    /// The admin account that nobody used wakes up, and gives the traveller what it has.
    fn awakening(&mut self) {
        let (dormant, traveller) = (self.population.dormant, self.population.traveller);
        let who = Party::Person(dormant);
        let session = format!("idx{}", uuid(self.rng));
        let console = Party::App("Okta Admin Console");
        let sign_in = self.record(SIGN_IN, who.clone()).from(places::ANONYMISER).in_session(&session);
        self.log(163.0, vec![sign_in]);
        let opened = self.record(ADMIN_APP, who.clone()).upon([console]).from(places::ANONYMISER);
        self.log(176.0, vec![opened.in_session(&session)]);
        let form = Form::Nested("issue.created", IdName::Identifier);
        let unused = Issue::new(self.rng, &issue::UNUSED_ADMIN, Entity::Account(dormant), form);
        let updated = unused.again(self.rng, Form::Nested("issue.updated", IdName::Identifier));
        self.issue(186.0, unused);
        self.alert(190.0, PRIVILEGED, &[dormant]);
        let grant = |scene: &mut Self, to: usize| {
            let role = Party::Thing("ROLE", "Super Administrator");
            let record = scene.record(GRANTED, who.clone()).upon([role, Party::Person(to)]);
            record.from(places::ANONYMISER).noting("privilegeGranted", "Super administrator")
        };
        let granted = vec![grant(self, traveller), grant(self, dormant)];
        self.log(197.0, granted.into_iter().map(|record| record.in_session(&session)).collect());
        // No hook is subscribed to this one: only the log brings it.
        let token = self.record(TOKEN, who.clone()).upon([Party::Thing("Token", "backup-job")]);
        self.log(222.0, vec![token.from(places::ANONYMISER).in_session(&session)]);
        self.issue(390.0, updated);
    }

    /// The other forms of an issue.
    fn aftermath(&mut self) {
        let admin = Entity::Account(self.population.dormant);
        let form = Form::Nested("issue.created", IdName::Id);
        let grant = Entity::Grant("Meeting Notes Agent", "Google Workspace");
        let grant = Issue::new(self.rng, &issue::BROAD_GRANT, grant, form);
        self.issue(270.0, grant);
        for (seconds, product, flaw) in
            [(330.0, "AAD", Flaw::None), (450.0, "Okta", Flaw::NoId), (520.0, "AAD", Flaw::Misspelt)]
        {
            let issue = Issue::new(self.rng, &issue::UNUSED_GLOBAL_ADMIN, admin, Form::Flat(flaw));
            self.issue(seconds, issue.in_product(product));
        }
    }
}
