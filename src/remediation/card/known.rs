//! Everything that is read for a plan, and which account it is on.

use super::{Ask, PlanError, word};
use crate::domain::account_name::AccountName;
use crate::domain::action::ShownRequest;
use crate::domain::blast::Blast;
use crate::domain::flow::PayloadShape;
use crate::domain::operation::{GROUP, LINK, Operation, Particulars};
use crate::domain::payload::{self, Inputs, PayloadError};
use crate::domain::plan::{AccountDoubt, Confirm, FitTarget, MadeOf};
use crate::domain::subject::{ProviderAccount, Subject};
use crate::domain::{ActionId, Check, Flow, Login, Risk, Route, Untrusted, digest};
use crate::remediation::about::{About, Person};
use crate::remediation::blast::{self, Depth};
use crate::remediation::fit::{Handed, Pages};
use crate::remediation::others::{Others, Seen};
use crate::remediation::sight::{self, Aim, Reading};
use crate::remediation::{Desk, doubts, fit, group, others};
use jiff::Timestamp;

/// Everything that was read for a plan.
pub(in crate::remediation) struct Known {
    pub(super) about: About,
    pub(super) person: Person,
    pub(super) account: Option<ProviderAccount>,
    pub(in crate::remediation) particulars: Particulars,
    pub(in crate::remediation) reading: Reading,
    pub(super) others: Others,
    pub(super) blast: Option<Blast>,
}

impl Known {
    pub(super) async fn load(desk: &Desk, flow: &Flow, ask: &Ask) -> Result<Known, PlanError> {
        let about = About::load(desk, &ask.login, ask.finding, ask.event).await?;
        let person = match flow.creates() {
            true => Person::nobody(&ask.login),
            false => {
                let person = Person::load(desk, &ask.login, about.ispm_record()).await;
                Person { subject: fit::as_told(flow, &person.subject), ..person }
            }
        };
        let account = match (flow.creates(), &ask.account) {
            // Who is made has none yet.
            (true, Some(named)) => return Err(not_that(flow, named, Vec::new())),
            (true, None) => None,
            (false, _) => {
                choose(flow, about.check(), &person.subject, ask).map_err(|error| unread(error, &person))?
            }
        };
        let particulars = particulars(desk, flow, ask).await?;
        let (reading, others) = (Reading::not_yet(), Others::default());
        Ok(Known { about, person, account, particulars, reading, others, blast: None })
    }

    /// Looks at the account that is acted on. A flow that is told a login alone acts on the one that goes by it at
    /// Okta; where none does, it may know the person by it as the directory does.
    pub(super) async fn look(&self, desk: &Desk, flow: &Flow, ask: &Ask, aim: &Aim) -> Reading {
        let account = self.account.as_ref();
        if !flow.is_told_id() {
            let reading = sight::read(desk, flow, (None, &ask.login), aim).await;
            if account.is_none() || reading.missing.is_none() {
                return reading;
            }
        }
        sight::read(desk, flow, (account, &ask.login), aim).await
    }

    /// Sees how far it reaches, once the target is read. Who is not there yet has nothing.
    pub(in crate::remediation) async fn look_around(
        &mut self,
        desk: &Desk,
        flow: &Flow,
        (ask, body): (&Ask, &str),
        depth: Depth,
    ) {
        if flow.creates() {
            return;
        }
        let (about, person, account) = (&self.about, &self.person, self.account.as_ref());
        let (handed, record, reading) = (self.handed(flow), about.ispm_record(), &self.reading);
        let seen = Seen { handed, record, body, person, account, reading };
        self.others = others::read(desk, &seen).await;
        let (user, others) = (reading.user.as_ref(), &self.others);
        let whose = blast::Whose { flow, about, person, account, user, others };
        self.blast = blast::read(desk, ask, whose, depth).await;
    }

    /// What a run is confirmed by: where it asks for the login, for that of the account.
    pub(in crate::remediation) fn confirm(&self, flow: &Flow, ask: &Ask) -> Confirm {
        let login = self.others.login();
        Confirm::of(self.risk(flow), login.as_ref().unwrap_or(&ask.login), word(flow))
    }

    /// The risk of a flow on this person.
    pub(in crate::remediation) fn risk(&self, flow: &Flow) -> Risk {
        let is_raised = self.blast.as_ref().is_some_and(Blast::is_of_administrator);
        if is_raised { flow.risk.raised() } else { flow.risk }
    }

    /// The account that was chosen, if one is known.
    pub(in crate::remediation) fn account(&self) -> Option<&ProviderAccount> {
        self.account.as_ref()
    }

    /// What does not fit is refused before.
    pub(super) fn handed(&self, flow: &Flow) -> Handed {
        fit::handed(flow, &self.person.subject).unwrap_or(Handed::Account)
    }

    /// Why it may be another's account.
    pub(super) fn account_doubt(
        &self,
        flow: &Flow,
        ask: &Ask,
        unsure: Option<String>,
    ) -> Option<AccountDoubt> {
        let Known { person, account, reading, others, .. } = self;
        let why = doubts::joined([
            fit::doubt(flow, &person.subject, account.as_ref()),
            doubts::contradicted(person, account.as_ref(), reading),
            doubts::stranger(person, reading),
            others.doubt(&ask.login),
            unsure,
        ])?;
        let shown = || reading.user.as_ref()?.profile_text("login").map(|login| Login::new(login.raw()));
        Some(AccountDoubt { why, login: others.login().or_else(shown) })
    }

    pub(in crate::remediation) fn body(
        &self,
        desk: &Desk,
        flow: &Flow,
        ask: &Ask,
    ) -> Result<String, PayloadError> {
        payload::body(flow, &self.about.inputs(desk, ask, &self.person, self.account.as_ref()))
    }

    /// What decides what is sent, the same each time it is planned of the same.
    pub(super) fn made_of(
        &self,
        desk: &Desk,
        flow: &Flow,
        (ask, request): (&Ask, &ShownRequest),
    ) -> Result<MadeOf, PayloadError> {
        let event = self.about.event();
        if flow.payload == PayloadShape::Nothing {
            // All that is said is in the address: whom, which group, who gets the link.
            let said = [request.method.as_bytes(), request.url.as_bytes()];
            return Ok(MadeOf { event, body: Some(digest::of_parts(said)) });
        }
        // Who is watched signs in meanwhile: that is no other thing to do to them.
        let subject = Subject { last_login: None, ..self.person.subject.clone() };
        let inputs = Inputs {
            action: ActionId(uuid::Uuid::nil()),
            now: Timestamp::UNIX_EPOCH,
            subject: &subject,
            ..self.about.inputs(desk, ask, &self.person, self.account.as_ref())
        };
        let body = payload::body(flow, &inputs)?;
        Ok(MadeOf { event, body: Some(digest::of_bytes(body.as_bytes())) })
    }
}

/// What an operation is told besides: the group has to be found, and who gets a link has to be said rightly.
async fn particulars(desk: &Desk, flow: &Flow, ask: &Ask) -> Result<Particulars, PlanError> {
    let delivery = Particulars::delivery_asked(&ask.inputs).map_err(|said| PayloadError::WrongType {
        input: LINK.to_owned(),
        flow: flow.id.clone(),
        wanted: "`true` or `false`",
        value: Untrusted::from(said).to_string(),
    })?;
    let mut particulars = Particulars { delivery, ..Particulars::default() };
    if flow.operation.is_some_and(Operation::is_of_group) {
        let missing = || PayloadError::Missing { input: GROUP.to_owned(), flow: flow.id.clone() };
        let asked = Particulars::group_asked(&ask.inputs).ok_or_else(missing)?;
        let found = group::find(desk, asked).await;
        // The group is the same for everybody.
        let (flow, login) = (flow.id.clone(), ask.login.clone());
        let group = found.map_err(|reason| PlanError::Unread { flow, login, reason })?;
        particulars.group = Some(group);
    }
    Ok(particulars)
}

/// The account that is acted on; `None` where the login is, or where the flow decides.
fn choose(
    flow: &Flow,
    check: Option<&Check>,
    subject: &Subject,
    ask: &Ask,
) -> Result<Option<ProviderAccount>, PlanError> {
    let only_opens = || PlanError::OnlyOpens(flow.id.clone());
    let possible = match fit::fit(flow, check, subject, &Pages::default()).target {
        Ok(FitTarget::Page(_)) => return Err(only_opens()),
        Err(_) if flow.route == Route::Open => return Err(only_opens()),
        Ok(FitTarget::Account(account) | FitTarget::Router(Some(account))) => vec![account],
        Ok(FitTarget::Choose(accounts)) => accounts,
        Ok(FitTarget::Login(_) | FitTarget::Router(None)) => Vec::new(),
        Err(reason) => return Err(does_not_fit(flow, &subject.login, reason)),
    };
    // Where there are several, what is undone was done to one of them.
    let was = ask.undoes.as_ref().and_then(|undoes| undoes.account.as_deref());
    let of_undone = || possible.iter().find(|account| Some(account.user_id.raw()) == was);
    let among = match &ask.account {
        Some(named) => {
            let meant: Vec<_> = possible.iter().filter(|account| named.is_of(account)).cloned().collect();
            if meant.is_empty() {
                return Err(not_that(flow, named, possible));
            }
            meant
        }
        None => of_undone().map_or(possible.clone(), |account| vec![account.clone()]),
    };
    match among.as_slice() {
        [] => Ok(None),
        [first, others @ ..] if others.iter().all(|other| other.is_same(first)) => Ok(Some(first.clone())),
        _ => Err(PlanError::Choose { flow: flow.id.clone(), login: subject.login.clone(), accounts: among }),
    }
}

fn not_that(flow: &Flow, named: &AccountName, accounts: Vec<ProviderAccount>) -> PlanError {
    PlanError::NotThatAccount { flow: flow.id.clone(), account: named.clone(), accounts }
}

/// What does not fit may fit once the accounts can be read.
fn unread(error: PlanError, person: &Person) -> PlanError {
    let problems = person.details.iter().flat_map(|part| &part.problems);
    let failed = problems.filter(|problem| !problem.says_nobody()).count() > 0;
    match error {
        PlanError::DoesNotFit { flow, login, reason }
            if failed && person.subject.accounts_unknown.is_some() =>
        {
            PlanError::Unread { flow, login, reason }
        }
        error => error,
    }
}

pub(super) fn does_not_fit(flow: &Flow, login: &Login, reason: String) -> PlanError {
    PlanError::DoesNotFit { flow: flow.id.clone(), login: login.clone(), reason }
}
