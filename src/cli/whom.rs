//! On whom a flow is run: who is named, who stands in a file, the users of an event or of an address. Each once.

use super::args::{Run, RunOn};
use super::failure::Failure;
use super::import::opened;
use crate::domain::bulk::MOST_USERS;
use crate::domain::query::{Query, Term, Test};
use crate::domain::{EventId, Finding, FindingId, FindingState, Login};
use crate::store::{FindingFilter, From, Store, UserQuery};
use crate::tenant::Directory;
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::net::IpAddr;
use std::path::Path;

/// Somebody on whom a flow is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Who.
    pub login: Login,
    /// From which finding.
    pub finding: Option<FindingId>,
}

/// Users of an event read at once.
const PAGE: usize = 1_000;
/// More findings are not looked through for whom they are of.
const MOST_FINDINGS: usize = 10 * MOST_USERS;
/// A login in a file is no longer than this.
const LONGEST_LINE: usize = 1_024;

/// Those who are named, each once, in a fixed order.
///
/// # Errors
/// An empty login, ids that differ in case alone, and a finding for several.
pub(super) fn named(what: &Run) -> Result<Vec<Target>, Failure> {
    let named = what.users.iter().map(|user| Target { login: Login::new(user), finding: what.finding });
    once(what, named.collect())
}

/// The same with everybody who is meant otherwise.
///
/// # Errors
/// As [`named`], and where they cannot be read.
pub(super) async fn all(
    what: &RunOn,
    store: &dyn Store,
    directory: &dyn Directory,
) -> Result<Vec<Target>, Failure> {
    let named = what.named();
    let mut found: Vec<Target> =
        named.users.iter().map(|user| Target { login: Login::new(user), finding: what.finding }).collect();
    if let Some(path) = &what.whom.users_from {
        found.extend(of_file(path)?);
    }
    if let Some(event) = what.whom.event {
        found.extend(of_event(event, store).await?);
    }
    if let Some(address) = what.whom.ip {
        found.extend(of_address(address, directory).await?);
    }
    if let Some(query) = &what.whom.filter {
        let closed = if what.whom.with_closed { Closed::Too } else { Closed::LeftOut };
        found.extend(of_filter(query, closed, store).await?);
    }
    once(&named, found)
}

fn once(what: &Run, found: Vec<Target>) -> Result<Vec<Target>, Failure> {
    if found.iter().any(|target| target.login.is_empty()) {
        return Err(Failure::usage("a login is empty"));
    }
    if let Some((one, other)) = ids_alike(&found) {
        return Err(Failure::usage(format!(
            "`{one}` and `{other}` are two ids that differ in case alone\nhint: name one of them at a time"
        )));
    }
    let mut seen = BTreeSet::new();
    let mut each: Vec<Target> =
        found.into_iter().filter(|target| seen.insert(target.login.folded().to_owned())).collect();
    each.sort_by(|one, other| one.login.cmp(&other.login));
    if what.finding.is_some() && each.len() > 1 {
        return Err(Failure::usage("`--finding` is of one user, and several are named"));
    }
    if what.account.is_some() && each.len() > 1 {
        return Err(Failure::usage("`--account` is of one user, and several are named"));
    }
    match each.len() {
        0 => Err(Failure::usage("nobody is meant\nhint: `--user LOGIN`")),
        users if users > MOST_USERS => {
            Err(Failure::usage(format!("{users} users are more than the {MOST_USERS} that a run may hold")))
        }
        _ => Ok(each),
    }
}

/// Two different ids of users that would be one login: ids differ in case, logins do not.
fn ids_alike(found: &[Target]) -> Option<(&str, &str)> {
    let is_id = |text: &str| text.starts_with("00u") && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let mut ids: Vec<&str> =
        found.iter().map(|target| target.login.raw().trim()).filter(|text| is_id(text)).collect();
    ids.sort_by_key(|id| id.to_ascii_lowercase());
    ids.dedup();
    ids.windows(2).find_map(|pair| match pair {
        [one, other] if one.eq_ignore_ascii_case(other) => Some((*one, *other)),
        _ => None,
    })
}

fn of_file(path: &Path) -> Result<Vec<Target>, Failure> {
    let shown = path.display();
    let mut found = Vec::new();
    for (number, line) in BufReader::new(opened(path)?).lines().enumerate() {
        let line = line.map_err(|error| Failure::usage(format!("`{shown}` cannot be read: {error}")))?;
        let text = line.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if text.len() > LONGEST_LINE || text.chars().any(char::is_control) {
            let number = number + 1;
            return Err(Failure::usage(format!(
                "`{shown}`, line {number}: that is no login\nhint: a login a line"
            )));
        }
        found.push(Target { login: Login::new(text), finding: None });
        if found.len() > MOST_USERS {
            // Nobody is left out in silence.
            return Err(Failure::usage(format!(
                "`{shown}` holds more than the {MOST_USERS} logins that a run may hold"
            )));
        }
    }
    Ok(found)
}

/// Whether closed findings count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closed {
    Too,
    LeftOut,
}

/// Page by page: all that match, newest first.
async fn of_filter(query: &str, closed: Closed, store: &dyn Store) -> Result<Vec<Target>, Failure> {
    let mut query = Query::parse(query)?;
    if closed == Closed::LeftOut {
        query.terms.push(Term { negated: true, test: Test::State(FindingState::Closed) });
    }
    let filter = FindingFilter { login: None, query };
    let (mut found, mut from) = (Vec::new(), From::Newest);
    loop {
        let page = store.findings(&filter, from, PAGE).await?;
        let target = |finding: Finding| Target { login: finding.login, finding: Some(finding.id) };
        found.extend(page.rows.into_iter().map(target));
        match page.next {
            Some(_) if found.len() > MOST_FINDINGS => {
                return Err(Failure::usage(format!(
                    "more than {MOST_FINDINGS} findings match: say more precisely which"
                )));
            }
            Some(next) => from = From::Before(next),
            None if found.is_empty() => {
                return Err(Failure::usage("no finding matches\nhint: `idtriage findings list QUERY`"));
            }
            None => return Ok(found),
        }
    }
}

async fn of_event(event: EventId, store: &dyn Store) -> Result<Vec<Target>, Failure> {
    let missing = || Failure::usage(format!("there is no event `{event}`\nhint: `idtriage events list`"));
    store.event(event).await?.ok_or_else(missing)?;
    let (mut found, mut from) = (Vec::new(), From::Newest);
    loop {
        let page = store.event_users(event, &UserQuery::default(), from, PAGE).await?;
        found.extend(
            page.rows
                .into_iter()
                .map(|user| Target { login: user.login, finding: user.finding.map(|finding| finding.id) }),
        );
        match page.next {
            // More are refused as too many.
            Some(next) if found.len() <= MOST_USERS => from = From::Before(next),
            _ => return Ok(found),
        }
    }
}

/// Nobody is left out in silence: where not all can be read, nobody is acted on.
async fn of_address(address: IpAddr, directory: &dyn Directory) -> Result<Vec<Target>, Failure> {
    let found = directory.users_of_address(&address.to_string()).await;
    if let Some(problem) = found.problems.first() {
        return Err(Failure::failed(format!("the users of `{address}` cannot be read: {}", problem.words())));
    }
    if found.is_cut {
        return Err(Failure::failed(format!("`{address}` has more users than are read: name them")));
    }
    Ok(found.users.into_iter().map(|user| Target { login: user.login, finding: None }).collect())
}

#[cfg(test)]
mod tests {
    use super::super::args;
    use super::super::fake::{FakeDirectory, FakeStore};
    use super::*;
    use clap::Parser as _;
    use rstest::rstest;

    fn targets(users: &[&str]) -> Vec<Target> {
        users.iter().map(|user| Target { login: Login::new(user), finding: None }).collect()
    }

    #[rstest]
    #[case(&["00uAbc", "00uabc"], true)]
    #[case(&["00uAbc", "00uAbd", "00uaBC"], true)]
    #[case(&["00uAbc", "00uAbc", " 00uAbc"], false)]
    #[case(&["Ann", "ann"], false)]
    #[case(&["00uann@x", "00uANN@x"], false)]
    fn ids_differ_in_case(#[case] users: &[&str], #[case] are_two: bool) {
        assert_eq!(ids_alike(&targets(users)).is_some(), are_two);
    }

    #[tokio::test]
    async fn a_filter_means_everybody_of_every_page() {
        let at = jiff::Timestamp::UNIX_EPOCH;
        // Newest first, and each user twice.
        let finding = |n: i64| Finding {
            id: FindingId(n),
            login: Login::new(&format!("user{}@x", n % 1_200)),
            check: crate::domain::Check::default(),
            severity: crate::domain::Severity::High,
            state: FindingState::Open,
            assignee: None,
            disposition: None,
            closed_at: None,
            first_seen: at,
            last_seen: at,
            times: 1,
            version: 1,
        };
        let findings = std::sync::Mutex::new((1..=2_400).rev().map(finding).collect());
        let store = FakeStore { findings, ..FakeStore::default() };
        let line = "idtriage run f --filter severity>=high --yes";
        let parsed = args::Arguments::try_parse_from(line.split(' ')).unwrap();
        let Some(args::Command::Run(run)) = parsed.command else { panic!("it is a run") };
        let targets = all(&run, &store, &FakeDirectory::default()).await.unwrap();
        assert_eq!(targets.len(), 1_200);
        assert!(targets.iter().all(|target| target.finding.is_some_and(|finding| finding.0 > 1_200)));
        let nobody = all(&run, &FakeStore::default(), &FakeDirectory::default()).await.unwrap_err();
        assert!(nobody.to_string().contains("no finding matches"), "{nobody}");
    }

    #[rstest]
    #[case("--filter severity=high --yes", true)]
    #[case("--filter severity=high --with-closed --yes", true)]
    #[case("--filter severity=high --test --yes", false)]
    #[case("--filter severity=high --user ann --yes", false)]
    #[case("--filter severity=high --finding 7 --yes", false)]
    #[case("--with-closed --yes", false)]
    fn a_filter_stands_alone(#[case] line: &str, #[case] is_taken: bool) {
        let line = format!("idtriage run f {line}");
        assert_eq!(args::Arguments::try_parse_from(line.split(' ')).is_ok(), is_taken);
    }

    #[test]
    fn a_file_holds_a_login_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users");
        std::fs::write(&path, "# who\nann@x\n\n bob@x \nANN@x\n").unwrap();
        let found = of_file(&path).unwrap();
        assert_eq!(found, targets(&["ann@x", "bob@x", "ANN@x"]));
        let too_many: String = (0..=MOST_USERS).map(|n| format!("user{n}@x\n")).collect();
        std::fs::write(&path, too_many).unwrap();
        let failure = of_file(&path).unwrap_err().to_string();
        assert!(failure.contains("holds more than the 100000 logins"), "{failure}");
        std::fs::write(&path, "ann@x\n\u{1b}[2J\n").unwrap();
        let failure = of_file(&path).unwrap_err().to_string();
        assert!(failure.contains("line 2") && !failure.contains('\u{1b}'), "{failure}");
    }
}
