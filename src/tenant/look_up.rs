//! Whom and what a text means in an org: one truth for the command line and the console.

use super::org::OktaOrg;
use crate::domain::Untrusted;
use crate::domain::dossier::Problem;
use crate::domain::look_up::{Assignment, LookUp, LookedUp, is_user, nobody, text_at};
use crate::domain::profile::{ProfileMap, attributes};
use serde_json::Value;

/// Okta names no more groups than these that begin alike, and has no further pages of them.
const MOST_BEGINNING: usize = 300;
/// Applications that a screen holds.
pub const MOST_APPS: usize = 1_000;

/// What looking for one user comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum FoundUser {
    /// This one, with what is legal now.
    One(Value),
    /// Those who may be meant, and why none of them is taken.
    Candidates(String, Vec<Value>),
    /// Nobody, or it cannot be told.
    Not(Problem),
}

/// Which group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupKey<'a> {
    /// The one of this id.
    Id(&'a str),
    /// The one of exactly this name.
    Name(&'a str),
}

/// What looking for one group comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum FoundGroup {
    /// This one.
    One(Value),
    /// Those that may be meant, and why none of them is taken.
    Candidates(String, Vec<Value>),
}

/// One user: by id or whole login first. Okta also takes a short login, which may be somebody else's. A mail
/// address may be several users', and then none is chosen.
pub async fn user(org: &dyn OktaOrg, key: &str) -> FoundUser {
    let problem = match org.user_of(key).await {
        Ok(details) if is_user(&details, key) => return FoundUser::One(details),
        Ok(other) => {
            let why = "Okta takes it for a short login: say all of it, or the id";
            return FoundUser::Candidates(why.to_owned(), vec![other]);
        }
        Err(problem) => problem,
    };
    if !problem.says_nobody() || !key.contains('@') {
        return FoundUser::Not(problem);
    }
    match org.users_of_email(key).await {
        Ok(users) => match users.as_slice() {
            [] => FoundUser::Not(problem),
            // A list may be stale and names no operations: the one is read by its id.
            [one] => match org.user_of(text_at(one, "/id")).await {
                Ok(details) => FoundUser::One(details),
                Err(problem) => FoundUser::Not(problem),
            },
            _ => {
                let why = format!("{} users have this mail address: choose one by its id", users.len());
                FoundUser::Candidates(why, users)
            }
        },
        Err(problem) => FoundUser::Not(problem),
    }
}

/// One group: by name only the one of exactly that name; those that only begin so are candidates.
///
/// # Errors
/// Whatever Okta answers instead, and where it names no more of those that begin alike.
pub async fn group(org: &dyn OktaOrg, key: GroupKey<'_>) -> Result<FoundGroup, Problem> {
    let name = match key {
        GroupKey::Id(id) => return org.group(id).await.map(FoundGroup::One),
        GroupKey::Name(name) => name,
    };
    let begin_so = org.groups_beginning(name).await?;
    let (mut exact, others): (Vec<_>, Vec<_>) =
        begin_so.into_iter().partition(|group| text_at(group, "/profile/name") == name);
    match exact.len() {
        1 if others.len() + 1 < MOST_BEGINNING => Ok(FoundGroup::One(exact.swap_remove(0))),
        1 => Err(beyond(name)),
        0 if others.len() >= MOST_BEGINNING => Err(beyond(name)),
        0 => Ok(FoundGroup::Candidates("no group has exactly this name".to_owned(), others)),
        _ => Ok(FoundGroup::Candidates("more than one group has this name".to_owned(), exact)),
    }
}

fn beyond(name: &str) -> Problem {
    let message = format!(
        "whether there is a group `{}` cannot be told: {MOST_BEGINNING} others begin like it, and Okta names no more",
        Untrusted::from(name)
    );
    Problem { hint: Some("look the group up by its id".to_owned()), ..Problem::whole(message) }
}

/// What the console asks an org; the IAM configuration is the store's, and is not asked here.
///
/// # Errors
/// Whatever Okta answers instead.
pub async fn look_up(org: &dyn OktaOrg, map: &ProfileMap, what: &LookUp) -> Result<LookedUp, Problem> {
    match what {
        LookUp::User(key) => match user(org, key).await {
            FoundUser::One(details) => Ok(LookedUp::User(details)),
            FoundUser::Candidates(why, users) => Ok(LookedUp::Users(why, users)),
            FoundUser::Not(problem) => Err(of_user(key, problem)),
        },
        LookUp::Apps(begins) => {
            // One more than is held: whether there are more.
            let mut apps = org.apps(begins.as_deref(), MOST_APPS + 1).await?;
            let has_more = apps.len() > MOST_APPS;
            apps.truncate(MOST_APPS);
            Ok(LookedUp::Apps { apps, has_more })
        }
        LookUp::AppsOfUser(key) => match user(org, key).await {
            FoundUser::One(details) => {
                let apps = org.apps_of_user(text_at(&details, "/id")).await?;
                Ok(LookedUp::AppsOfUser { user: details, apps })
            }
            FoundUser::Candidates(why, users) => Ok(LookedUp::Users(why, users)),
            FoundUser::Not(problem) => Err(of_user(key, problem)),
        },
        LookUp::Assignment { app, user } => assignment(org, app, user).await,
        LookUp::Group(key) => whole_group(org, key).await,
        LookUp::Fields => Ok(LookedUp::Fields(attributes(&org.user_schema().await?, map))),
        LookUp::Configuration | LookUp::ConfigurationChange(_) => {
            Err(Problem::whole("the IAM configuration is not the org's"))
        }
    }
}

/// That Okta knows nobody is said in words; its own are of "the resource".
fn of_user(key: &str, problem: Problem) -> Problem {
    if problem.says_nobody() { Problem { kind: problem.kind, ..nobody(key) } } else { problem }
}

async fn assignment(org: &dyn OktaOrg, app: &str, key: &str) -> Result<LookedUp, Problem> {
    let found = match user(org, key).await {
        FoundUser::One(details) => details,
        FoundUser::Candidates(why, users) => return Ok(LookedUp::Users(why, users)),
        FoundUser::Not(problem) if problem.says_nobody() => {
            return Ok(LookedUp::Assignment { user: Value::Null, stands: Assignment::NoSuchUser });
        }
        FoundUser::Not(problem) => return Err(problem),
    };
    let stands = org.assignment(app, text_at(&found, "/id")).await?;
    Ok(LookedUp::Assignment { user: found, stands })
}

/// By id where the text looks like one and is one, else by name: nobody has to say which it is.
async fn whole_group(org: &dyn OktaOrg, key: &str) -> Result<LookedUp, Problem> {
    let by_id = if may_be_group_id(key) { Some(group(org, GroupKey::Id(key)).await) } else { None };
    let found = match by_id {
        Some(Err(problem)) if !problem.says_nobody() => return Err(problem),
        Some(Ok(found)) => found,
        Some(Err(_)) | None => group(org, GroupKey::Name(key)).await?,
    };
    match found {
        FoundGroup::One(group) => {
            let members = org.members(text_at(&group, "/id")).await;
            Ok(LookedUp::Group { group, members })
        }
        FoundGroup::Candidates(why, groups) => Ok(LookedUp::Groups(why, groups)),
    }
}

fn may_be_group_id(key: &str) -> bool {
    key.len() == 20 && key.starts_with("00g") && key.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use rstest::rstest;
    use serde_json::json;

    const ID: &str = "00g1emaef0rMvPiS34h7";

    /// An org of two users with one mail address, and of groups of which one is called like an id.
    #[derive(Debug)]
    struct Org;

    fn nothing<T>() -> Result<T, Problem> {
        Err(Problem { kind: Some("E0000007".into()), ..Problem::whole("Not found") })
    }

    fn account(n: usize) -> Value {
        json!({"id": format!("00u{n}"), "profile": {"login": format!("user{n}@x"), "email": "shared@x"}})
    }

    fn group_of(id: &str, name: &str) -> Value {
        json!({"id": id, "profile": {"name": name}})
    }

    #[async_trait]
    impl OktaOrg for Org {
        async fn user_of(&self, key: &str) -> Result<Value, Problem> {
            match key {
                "00u1" | "user1" | "USER1@x" => Ok(account(1)),
                "throttled" => Err(Problem::whole("429")),
                _ => nothing(),
            }
        }

        async fn users_of_email(&self, email: &str) -> Result<Vec<Value>, Problem> {
            Ok(match email {
                "one@x" => vec![account(1)],
                "shared@x" => vec![account(1), account(2)],
                _ => Vec::new(),
            })
        }

        async fn apps(&self, _: Option<&str>, most: usize) -> Result<Vec<Value>, Problem> {
            Ok(vec![json!({}); most.min(MOST_APPS + 1)])
        }

        async fn apps_of_user(&self, _: &str) -> Result<Vec<Value>, Problem> {
            Ok(Vec::new())
        }

        async fn groups_of_user(&self, _: &str) -> Result<Vec<Value>, Problem> {
            nothing()
        }

        async fn factors_of_user(&self, _: &str) -> Result<Vec<Value>, Problem> {
            nothing()
        }

        async fn user_schema(&self) -> Result<Value, Problem> {
            Ok(json!({"definitions": {"base": {"properties": {"login": {"title": "Username"}}}}}))
        }

        async fn assignment(&self, _: &str, _: &str) -> Result<Assignment, Problem> {
            Ok(Assignment::NotAssigned)
        }

        async fn group(&self, id: &str) -> Result<Value, Problem> {
            if id == ID { Ok(group_of(ID, "Sales")) } else { nothing() }
        }

        async fn groups_beginning(&self, name: &str) -> Result<Vec<Value>, Problem> {
            let all = ["Sales", "Sales EMEA", "Twice", "Twice", "00gNamedLikeAnId0000"];
            let fitting = all.iter().filter(|known| known.starts_with(name));
            let many = (0..if name == "M" { MOST_BEGINNING } else { 0 }).map(|_| "Many");
            Ok(fitting.copied().chain(many).map(|name| group_of("g", name)).collect())
        }

        async fn members(&self, _: &str) -> Result<Vec<Value>, Problem> {
            Err(Problem::whole("no right"))
        }
    }

    #[rstest]
    #[case("00u1", "one")]
    #[case("USER1@x", "one")]
    #[case("one@x", "one")]
    #[case("user1", "1 may be meant")]
    #[case("shared@x", "2 may be meant")]
    #[case("nobody@x", "E0000007: Not found")]
    #[case("throttled", "429")]
    #[tokio::test]
    async fn nobody_is_guessed(#[case] key: &str, #[case] expected: &str) {
        let told = match user(&Org, key).await {
            FoundUser::One(details) => {
                assert_eq!(details, account(1));
                "one".to_owned()
            }
            FoundUser::Candidates(_, users) => format!("{} may be meant", users.len()),
            FoundUser::Not(problem) => problem.line(),
        };
        assert_eq!(told, expected);
    }

    #[rstest]
    #[case("Sales", "Sales")]
    #[case(ID, "Sales")]
    #[case("00gNamedLikeAnId0000", "00gNamedLikeAnId0000")]
    #[case("Sal", "no group has exactly this name 2")]
    #[case("Twice", "more than one group has this name 2")]
    #[case("Nowhere", "no group has exactly this name 0")]
    #[tokio::test]
    async fn a_group_is_meant_by_its_id_or_its_whole_name(#[case] key: &str, #[case] expected: &str) {
        let told = match look_up(&Org, &ProfileMap::default(), &LookUp::Group(key.to_owned())).await.unwrap()
        {
            LookedUp::Group { group, members } => {
                assert!(members.is_err(), "who cannot read members is told so, beside the group");
                text_at(&group, "/profile/name").to_owned()
            }
            LookedUp::Groups(why, groups) => format!("{why} {}", groups.len()),
            other => panic!("{other:?}"),
        };
        assert_eq!(told, expected);
    }

    #[tokio::test]
    async fn where_okta_names_no_more_of_those_that_begin_alike_it_cannot_be_told() {
        let problem = group(&Org, GroupKey::Name("M")).await.unwrap_err();
        assert!(problem.line().contains("cannot be told"), "{}", problem.line());
    }

    #[tokio::test]
    async fn as_many_applications_are_held_as_a_screen_is_for() {
        let LookedUp::Apps { apps, has_more } =
            look_up(&Org, &ProfileMap::default(), &LookUp::Apps(None)).await.unwrap()
        else {
            panic!("no applications")
        };
        assert_eq!((apps.len(), has_more), (MOST_APPS, true));
    }
}
