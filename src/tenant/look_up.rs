//! Whom and what a text means in an org: one truth for the command line and the console.

use super::org::OktaOrg;
use crate::domain::Untrusted;
use crate::domain::dossier::Problem;
use crate::domain::look_up::{Assignment, LookUp, LookedUp, nobody, text_at};
use crate::domain::profile::{ProfileMap, attributes};
use crate::domain::user_key::{By, UserKey};
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
    /// Okta knows nobody who is meant by it.
    Nobody,
    /// It cannot be told.
    Unread(Problem),
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

/// One user, by the name that the key says. What a person types is an id or a whole login first: only where
/// Okta knows neither, it is a mail address. Okta also takes a short login, which may be somebody else's. A
/// mail address may be several users', and then none is chosen.
pub async fn user(org: &dyn OktaOrg, key: &UserKey) -> FoundUser {
    if key.by() == By::Email {
        return of_email(org, key.text()).await;
    }
    let problem = match org.user_of(key.text()).await {
        Ok(details) if key.is(&details) => return FoundUser::One(details),
        Ok(other) => return FoundUser::Candidates(not_by(key.by()).to_owned(), vec![other]),
        Err(problem) => problem,
    };
    // Okta's address of a user holds no slash; a mail address may.
    let may_be_mail = key.by() == By::Any && key.text().contains('@');
    let found = match may_be_mail && (problem.says_nobody() || key.text().contains('/')) {
        true => of_email(org, key.text()).await,
        false => FoundUser::Nobody,
    };
    match found {
        FoundUser::Nobody if !problem.says_nobody() => FoundUser::Unread(problem),
        found => found,
    }
}

/// Why an account that Okta knows by a text is not the one that is meant by it.
fn not_by(by: By) -> &'static str {
    match by {
        By::Id => "Okta knows no user of this id, and takes it for a login",
        By::Login | By::Email | By::Any => "Okta takes it for a short login or an id: say the whole login",
    }
}

async fn of_email(org: &dyn OktaOrg, email: &str) -> FoundUser {
    let users = match org.users_of_email(email).await {
        Ok(users) => users,
        Err(problem) => return FoundUser::Unread(problem),
    };
    let one = match users.as_slice() {
        [] => return FoundUser::Nobody,
        [one] => text_at(one, "/id"),
        _ => {
            let why = format!("{} users have this mail address: choose one by its id", users.len());
            return FoundUser::Candidates(why, users);
        }
    };
    // A list may be stale and names no operations: the one is read by its id.
    match org.user_of(one).await {
        Ok(details) if UserKey::new(By::Email, email).is(&details) => FoundUser::One(details),
        Ok(details) => {
            let why = "Okta lists it under this mail address, and it has another by now";
            FoundUser::Candidates(why.to_owned(), vec![details])
        }
        Err(problem) if problem.says_nobody() => FoundUser::Nobody,
        Err(problem) => FoundUser::Unread(problem),
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
        LookUp::User(key) => match user(org, &UserKey::any(key)).await {
            FoundUser::One(details) => Ok(LookedUp::User(details)),
            FoundUser::Candidates(why, users) => Ok(LookedUp::Users(why, users)),
            FoundUser::Nobody => Err(nobody(key)),
            FoundUser::Unread(problem) => Err(problem),
        },
        LookUp::Apps(begins) => {
            // One more than is held: whether there are more.
            let mut apps = org.apps(begins.as_deref(), MOST_APPS + 1).await?;
            let has_more = apps.len() > MOST_APPS;
            apps.truncate(MOST_APPS);
            Ok(LookedUp::Apps { apps, has_more })
        }
        LookUp::AppsOfUser(key) => match user(org, &UserKey::any(key)).await {
            FoundUser::One(details) => {
                let apps = org.apps_of_user(text_at(&details, "/id")).await?;
                Ok(LookedUp::AppsOfUser { user: details, apps })
            }
            FoundUser::Candidates(why, users) => Ok(LookedUp::Users(why, users)),
            FoundUser::Nobody => Err(nobody(key)),
            FoundUser::Unread(problem) => Err(problem),
        },
        LookUp::Assignment { app, user } => assignment(org, app, user).await,
        LookUp::Group(key) => whole_group(org, key).await,
        LookUp::Fields => Ok(LookedUp::Fields(attributes(&org.user_schema().await?, map))),
        LookUp::Configuration | LookUp::ConfigurationChange(_) => {
            Err(Problem::whole("the IAM configuration is not the org's"))
        }
    }
}

async fn assignment(org: &dyn OktaOrg, app: &str, key: &str) -> Result<LookedUp, Problem> {
    let found = match user(org, &UserKey::any(key)).await {
        FoundUser::One(details) => details,
        FoundUser::Candidates(why, users) => return Ok(LookedUp::Users(why, users)),
        FoundUser::Nobody => {
            return Ok(LookedUp::Assignment { user: Value::Null, stands: Assignment::NoSuchUser });
        }
        FoundUser::Unread(problem) => return Err(problem),
    };
    let stands = org.assignment(app, text_at(&found, "/id")).await?;
    Ok(LookedUp::Assignment { user: found, stands })
}

/// The group that a text means: by id where it looks like one and is one, else by its whole name. Nobody has to
/// say which it is.
///
/// # Errors
/// As [`group`].
pub async fn group_meant(org: &dyn OktaOrg, key: &str) -> Result<FoundGroup, Problem> {
    if may_be_group_id(key) {
        match group(org, GroupKey::Id(key)).await {
            Err(problem) if problem.says_nobody() => {}
            found => return found,
        }
    }
    group(org, GroupKey::Name(key)).await
}

async fn whole_group(org: &dyn OktaOrg, key: &str) -> Result<LookedUp, Problem> {
    match group_meant(org, key).await? {
        FoundGroup::One(group) => {
            let members = org.members(text_at(&group, "/id")).await;
            Ok(LookedUp::Group { group, members })
        }
        FoundGroup::Candidates(why, groups) => Ok(LookedUp::Groups(why, groups)),
    }
}

/// How long its ids are Okta promises nowhere; all that were seen begin so.
fn may_be_group_id(key: &str) -> bool {
    key.starts_with("00g") && key.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use rstest::rstest;
    use serde_json::json;

    const ID: &str = "00g1emaef0rMvPiS34h7";

    /// An org of users whose logins and mail addresses cross, and of groups of which one is called like an id.
    #[derive(Debug)]
    struct Org;

    fn nothing<T>() -> Result<T, Problem> {
        Err(Problem { kind: Some("E0000007".into()), ..Problem::whole("Not found") })
    }

    /// Id, login, mail address. The last one's is another by now than the lists say.
    const ACCOUNTS: [[&str; 3]; 6] = [
        ["00u1", "user1@x", "shared@x"],
        ["00u2", "user2@x", "shared@x"],
        ["00u3", "user3@x", "one@x"],
        ["00u4", "ann@x", "other@x"],
        ["00u5", "bob@x", "ann@x"],
        ["00u6", "user6@x", "new@x"],
    ];

    fn account([id, login, email]: [&str; 3]) -> Value {
        json!({"id": id, "profile": {"login": login, "email": email}})
    }

    fn group_of(id: &str, name: &str) -> Value {
        json!({"id": id, "profile": {"name": name}})
    }

    #[async_trait]
    impl OktaOrg for Org {
        async fn user_of(&self, key: &str) -> Result<Value, Problem> {
            let is_named = |[id, login, _]: &&[&str; 3]| {
                *id == key || login.eq_ignore_ascii_case(key) || login.split('@').next() == Some(key)
            };
            match key {
                "throttled" | "throttled@x" => Err(Problem::whole("429")),
                key if key.contains('/') => Err(Problem::whole("holds a `/`")),
                _ => ACCOUNTS.iter().find(is_named).map_or_else(nothing, |found| Ok(account(*found))),
            }
        }

        async fn users_of_email(&self, email: &str) -> Result<Vec<Value>, Problem> {
            let listed = match email {
                "throttled@y" => return Err(Problem::whole("429")),
                "stale@x" => "new@x",
                "gone@x" => return Ok(vec![account(["00u7", "user7@x", "gone@x"])]),
                "a/b@x" => "one@x",
                email => email,
            };
            let has_it = |[_, _, mail]: &&[&str; 3]| mail.eq_ignore_ascii_case(listed);
            Ok(ACCOUNTS.iter().filter(has_it).map(|found| account(*found)).collect())
        }

        async fn apps(&self, _: Option<&str>, most: usize) -> Result<Vec<Value>, Problem> {
            Ok(vec![json!({}); most.min(MOST_APPS + 1)])
        }

        async fn apps_of_user(&self, _: &str) -> Result<Vec<Value>, Problem> {
            Ok(Vec::new())
        }

        async fn roles_of_user(&self, _: &str) -> Result<Vec<Value>, Problem> {
            nothing()
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
    #[case(By::Any, "00u1", "00u1")]
    #[case(By::Any, "USER1@x", "00u1")]
    #[case(By::Any, " user1@x ", "00u1")]
    #[case(By::Any, "one@x", "00u3")]
    #[case(By::Any, "user1", "Okta takes it for a short login or an id: 00u1")]
    #[case(By::Any, "shared@x", "2 users have this mail address: 00u1 00u2")]
    #[case(By::Any, "nobody@x", "nobody")]
    #[case(By::Any, "nobody/at@x", "holds a `/`")]
    #[case(By::Any, "throttled", "429")]
    // Ann's login is Bob's mail address.
    #[case(By::Any, "ann@x", "00u4")]
    #[case(By::Login, "ann@x", "00u4")]
    #[case(By::Email, "ann@x", "00u5")]
    #[case(By::Id, "ann@x", "Okta knows no user of this id: 00u4")]
    #[case(By::Id, "00u4", "00u4")]
    #[case(By::Id, "one@x", "nobody")]
    #[case(By::Login, "one@x", "nobody")]
    #[case(By::Login, "00u4", "Okta takes it for a short login or an id: 00u4")]
    #[case(By::Login, "throttled@x", "429")]
    #[case(By::Email, "bob@x", "nobody")]
    #[case(By::Email, "OTHER@x", "00u4")]
    #[case(By::Email, "shared@x", "2 users have this mail address: 00u1 00u2")]
    #[case(By::Email, "stale@x", "Okta lists it under this mail address: 00u6")]
    #[case(By::Email, "gone@x", "nobody")]
    #[case(By::Email, "throttled@y", "429")]
    #[tokio::test]
    async fn nobody_is_guessed(#[case] by: By, #[case] key: &str, #[case] expected: &str) {
        let ids = |users: &[Value]| {
            users.iter().map(|user| text_at(user, "/id").to_owned()).collect::<Vec<_>>().join(" ")
        };
        let told = match user(&Org, &UserKey::new(by, key)).await {
            FoundUser::One(details) => ids(&[details]),
            FoundUser::Candidates(why, users) => {
                format!("{}: {}", why.split([':', ',']).next().unwrap(), ids(&users))
            }
            FoundUser::Nobody => "nobody".to_owned(),
            FoundUser::Unread(problem) => problem.line(),
        };
        assert_eq!(told, expected);
    }

    #[tokio::test]
    async fn a_mail_address_may_hold_what_the_address_of_a_user_does_not() {
        // The list has it under this address, the account under another: it was looked for.
        let found = user(&Org, &UserKey::any("a/b@x")).await;
        assert!(matches!(found, FoundUser::Candidates(..)), "{found:?}");
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
