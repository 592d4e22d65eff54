//! Inputs of a flow's own that name somebody: what becomes of them nobody can know from here.
//!
//! A flow may act on whom it is told besides. So, where anybody is protected, whoever an input names is asked after
//! in Okta and Cisco Identity Intelligence as the finding's person is, and who cannot be found there counts as
//! protected.

use super::about::Person;
use super::card::Ask;
use super::guard::{self, Mode};
use super::subject::{Asked, Names};
use super::{Desk, blast, protection};
use crate::domain::dossier::OktaUser;
use crate::domain::flow::InputType;
use crate::domain::{Flow, Login, PartName, Route, Untrusted};
use std::collections::BTreeMap;

/// How an id of a user begins at Okta, and how long it is.
const OKTA_ID: (&str, usize) = ("00u", 20);
/// An input whose name ends in one of these words is somebody's name, whatever it looks like.
const PERSON: [&str; 11] =
    ["user", "users", "login", "logins", "email", "emails", "mail", "upn", "username", "userid", "userids"];
/// So is one whose name ends in these, behind one of those.
const OF_PERSON: [&str; 3] = ["id", "ids", "name"];

/// What was given to a flow of Workflows and names somebody who is not known as whom the card is about: input and
/// name.
fn others<'a>(
    flow: &'a Flow,
    inputs: &'a BTreeMap<String, String>,
    names: &Names,
) -> Vec<(&'a str, &'a str)> {
    if flow.route != Route::ApiEndpoint {
        return Vec::new();
    }
    let kind = |name: &str| flow.inputs.iter().find(|input| input.name == name).map(|input| input.kind);
    let named = inputs.iter().flat_map(|(name, text)| {
        let people = match kind(name) {
            Some(InputType::Text | InputType::Number) if is_person(name) => people(text),
            Some(InputType::Text) => addresses(text),
            _ => Vec::new(),
        };
        people.into_iter().map(|text| (name.as_str(), text))
    });
    named.filter(|(_, text)| !names.has(text)).collect()
}

/// Whether an input of this name says who is meant: `userId`, `manager_email`, `id`.
fn is_person(name: &str) -> bool {
    let words = words(name);
    let mut backwards = words.iter().rev().map(String::as_str);
    let (last, before) = (backwards.next().unwrap_or_default(), backwards.next());
    PERSON.contains(&last)
        || (OF_PERSON.contains(&last) && before.is_some_and(|before| PERSON.contains(&before)))
        || (matches!(last, "id" | "ids") && before.is_none())
}

/// The words of a name, folded: at gaps, and where a capital begins one.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && was_lower) {
            words.push(String::new());
        }
        was_lower = c.is_lowercase() || c.is_numeric();
        if let (true, Some(word)) = (c.is_alphanumeric(), words.last_mut()) {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Everybody in what says who is meant. An address counts for the words around it.
fn people(text: &str) -> Vec<&str> {
    let pieces = text.split([',', ';', '\n']).map(str::trim).filter(|piece| !piece.is_empty());
    let people = pieces.flat_map(|piece| match addresses(piece) {
        found if found.is_empty() => vec![piece],
        found => found,
    });
    people.collect()
}

/// What in a text looks like somebody: an address, or an id of Okta's.
fn addresses(text: &str) -> Vec<&str> {
    let is_around = |c: char| c.is_whitespace() || ",;:()<>[]\"'`".contains(c);
    let looks_like = |word: &&str| {
        let (begins, length) = OKTA_ID;
        let is_address = word.split_once('@').is_some_and(|(of, at)| !of.is_empty() && !at.is_empty());
        is_address || (word.starts_with(begins) && word.len() == length)
    };
    text.split(is_around).map(|word| word.trim_matches('.')).filter(looks_like).collect()
}

/// Why nothing is sent: an input names somebody who is protected, or may be.
pub(super) async fn refusal(
    desk: &Desk,
    flow: &Flow,
    inputs: &BTreeMap<String, String>,
    names: &Names,
) -> Option<String> {
    if let Some(why) = refusal_by_name(desk, flow, inputs, names) {
        return Some(why);
    }
    let others = others(flow, inputs, names);
    if desk.guard.protected.is_empty() {
        return None;
    }
    if others.len() > blast::MOST_NAMED {
        let why = format!("the inputs name {}, more than are looked up", others.len());
        return guard::untold_whom(&desk.guard, Some(&why));
    }
    for (input, text) in others {
        let why = match found(desk, text).await {
            Ok(theirs) => guard::refusal(&desk.guard, Mode::Acting, &theirs)
                .or_else(|| guard::untold(&desk.guard, &theirs)),
            Err(why) => guard::untold_whom(&desk.guard, Some(&why)),
        };
        if let Some(why) = why {
            return Some(of_input(input, text, &why));
        }
    }
    None
}

/// The same by the very names that were given: for a trial, which finds by itself that they are nobody's.
pub(super) fn refusal_by_name(
    desk: &Desk,
    flow: &Flow,
    inputs: &BTreeMap<String, String>,
    names: &Names,
) -> Option<String> {
    others(flow, inputs, names).into_iter().find_map(|(input, text)| {
        let why = guard::refusal(&desk.guard, Mode::Acting, &Names::of_login(&Login::new(text)))?;
        Some(of_input(input, text, &why))
    })
}

fn of_input(input: &str, text: &str, why: &str) -> String {
    format!("input `{}` names `{}`: {why}", Untrusted::from(input), Untrusted::from(text))
}

/// Every name of somebody, from Okta and Cisco Identity Intelligence.
///
/// # Errors
/// Why it cannot be told who it is.
async fn found(desk: &Desk, text: &str) -> Result<Names, String> {
    let shown = Untrusted::from(text);
    let user = okta_user(desk, text).await.map_err(|why| format!("who `{shown}` is: {why}"))?;
    let login = user.as_ref().and_then(|user| user.profile_text("login"));
    let login = Login::new(login.as_ref().map_or(text, Untrusted::raw));
    let person = Person::load(desk, &login, None).await;
    let is_listed = person.subject.cii_id.is_some() || !person.subject.listed.is_empty();
    if user.is_none() && !is_listed {
        return Err(format!("who `{shown}` is: nobody of that name is known"));
    }
    let groups = protection::okta_groups(desk, (user.as_ref(), None), &person.subject, &[]).await;
    let cii = if person.details.is_some() { Asked::Yes } else { Asked::No };
    let mut names = Names::of(&person.subject, person.details.as_ref(), user.as_ref());
    names.add(text);
    Ok(names.with_okta_groups(groups, cii))
}

/// Who goes by a name at Okta; `None` where nobody does, or there is no Okta to be asked.
async fn okta_user(desk: &Desk, text: &str) -> Result<Option<OktaUser>, String> {
    if !desk.directory.parts().contains(&PartName::Okta) {
        return Ok(None);
    }
    let part = desk.directory.okta_user(text).await;
    let is_nobody = part.is_of_nobody();
    let why = part.problems.first().map(|problem| problem.line());
    match part.data {
        Some(user) => Ok(Some(user)),
        None if is_nobody => Ok(None),
        None => Err(why.unwrap_or_else(|| "Okta answered nothing".to_owned())),
    }
}

/// What nobody can know: whether a flow acts on whom an input names.
pub(super) fn cannot_know(flow: &Flow, ask: &Ask, names: &Names) -> Vec<String> {
    let other = |(input, text): (&str, &str)| {
        let (input, text) = (Untrusted::from(input), Untrusted::from(text));
        format!(
            "whether the flow acts on `{text}` too, whom input `{input}` names: not known as `{}`",
            ask.login
        )
    };
    others(flow, &ask.inputs, names).into_iter().map(other).collect()
}

/// Whom the inputs of a trial name: a live flow may act on them.
pub(super) fn named(flow: &Flow, inputs: &BTreeMap<String, String>, names: &Names) -> Vec<String> {
    others(flow, inputs, names).into_iter().map(|(_, text)| text.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::flow::{Input, PayloadShape};
    use crate::domain::preset;
    use rstest::rstest;

    #[rstest]
    #[case("note", "bob@x", &["bob@x"])]
    #[case("note", " 00u1234567890abcdefg ", &["00u1234567890abcdefg"])]
    #[case("note", "as (bob@x, eve@y) said.", &["bob@x", "eve@y"])]
    #[case("note", "00u1", &[])]
    #[case("note", "ANN@x", &[])]
    #[case("note", "a ticket, @all", &[])]
    #[case("userId", "00u1", &["00u1"])]
    #[case("login", "bob; Eve Low", &["bob", "Eve Low"])]
    #[case("manager_email", "Bob <bob@x>", &["bob@x"])]
    #[case("targetUserName", "bob", &["bob"])]
    #[case("id", "bob", &["bob"])]
    #[case("ID", "bob", &["bob"])]
    #[case("userUPN", "bob", &["bob"])]
    #[case("ticketId", "INC-1", &[])]
    #[case("emailBody", "hello", &[])]
    #[case("user", "ann@x", &[])]
    fn what_names_somebody_else_is_seen(#[case] input: &str, #[case] text: &str, #[case] expected: &[&str]) {
        let inputs = vec![Input::new(input, InputType::Text)];
        let preset = preset::flow("suspend-okta-account").unwrap();
        let flow = Flow { route: Route::ApiEndpoint, payload: PayloadShape::Fields, inputs, ..preset };
        let given = [(input.to_owned(), text.to_owned())].into();
        assert_eq!(named(&flow, &given, &Names::of_login(&Login::new("ann@x"))), expected);
    }
}
