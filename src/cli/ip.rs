//! `ip ADDRESS`: the users seen on an address.

use super::failure::{DONE, FAILED, Failure};
use super::output::Output;
use super::table::{Table, column};
use crate::domain::Untrusted;
use crate::domain::dossier::AddressUsers;
use crate::tenant::Directory;
use std::net::IpAddr;

/// Reads all pages and prints the users; what stopped the paging is told beside them.
///
/// # Errors
/// If the output is closed.
pub(super) async fn run(
    address: IpAddr,
    directory: &dyn Directory,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let found = directory.users_of_address(&address.to_string()).await;
    if out.is_json() {
        for user in &found.users {
            out.json(&serde_json::to_value(user).unwrap_or_default())?;
        }
    } else {
        out.table(&table(&found))?;
    }
    for problem in &found.problems {
        out.error(&Failure::failed(format!("the users of `{address}`: {}", problem.words())))?;
    }
    if found.is_cut {
        out.note(&format!("more than {} users: the rest was not read", found.users.len()))?;
    }
    if found.users.is_empty() && found.problems.is_empty() {
        out.note(&format!("nobody was seen on `{address}`"))?;
    }
    Ok(if found.problems.is_empty() { DONE } else { FAILED })
}

fn table(found: &AddressUsers) -> Table {
    let mut table = Table::of(&[column("LOGIN", 60), column("NAME", 40), column("ID", 40)]);
    for user in &found.users {
        let name = user.display_name.as_ref().map(Untrusted::to_string).unwrap_or_default();
        table.row([user.login.to_string(), name, user.id.to_string()]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::fake::FakeDirectory;
    use super::super::output::{Form, tests::printed};
    use super::*;
    use crate::domain::dossier::{EndUserRef, Problem};

    #[test]
    fn users_that_came_are_printed_although_paging_stopped() {
        let user = EndUserRef {
            id: "u1".into(),
            display_name: None,
            login: crate::domain::Login::new("ann"),
            reference_url: None,
        };
        let users =
            AddressUsers { users: vec![user], problems: vec![Problem::whole("timed out")], is_cut: false };
        let directory = FakeDirectory { users, ..Default::default() };
        let address = "192.0.2.7".parse().unwrap();
        let (status, text) = printed(Form::Json, async |out| run(address, &directory, out).await.unwrap());
        assert_eq!(status, FAILED);
        assert!(text.out.starts_with(r#"{"id":"u1","displayName":null,"login":"ann""#), "{}", text.out);
        assert_eq!(text.errors, "error: the users of `192.0.2.7`: timed out\n");
    }
}
