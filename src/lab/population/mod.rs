//! The people of the simulated tenant: made from the seed alone, so the same seed gives the same people and ids.
//!
//! Most are ordinary employees (`grow`). A fixed cast of odd ones (`odd`) is always among them, because those are what
//! breaks clients: logins that are no e-mail address, names with escape sequences, statuses that disagree.
mod grow;
pub(crate) mod names;
mod odd;
mod person;
pub(crate) mod places;

pub(crate) use grow::uuid;
pub(crate) use person::{Device, Person, Status};

use fastrand::Rng;
use jiff::Timestamp;
use std::collections::HashMap;

/// The mail domain of the tenant; `.example` belongs to nobody (RFC 2606).
const DOMAIN: &str = "meridian.example";
/// Fewest people with whom the story still works.
const FEWEST: usize = 60;
/// Most people the lab makes: it holds them all in memory.
const MOST: usize = 50_000;

/// Everybody, with those who have a part in the story.
#[derive(Debug)]
pub(crate) struct Population {
    pub(crate) people: Vec<Person>,
    by_login: HashMap<String, usize>,
    /// The department under attack: indexes into `people`.
    pub(crate) flooded: Vec<usize>,
    /// Who is seen in two countries within minutes: one of `flooded`.
    pub(crate) traveller: usize,
    /// The Okta admin who has not signed in for months.
    pub(crate) dormant: usize,
}

impl Population {
    /// The people of a seed, as they are at `now`. `users` is brought into what the story and the memory bear.
    pub(crate) fn grow(seed: u64, users: usize, now: Timestamp) -> Self {
        let mut rng = Rng::with_seed(seed);
        let odd = odd::people(&mut rng, now);
        let ordinary = users.clamp(FEWEST, MOST).saturating_sub(odd.len());
        let mut people = grow::ordinary_people(&mut rng, ordinary, now);
        grow::appoint_managers(&mut people);
        let dormant = grow::appoint_dormant_admin(&mut people, now);
        let flooded = grow::expose_department(&mut people, "Finance");
        people.extend(odd);
        let by_login = people.iter().enumerate().map(|(index, p)| (p.login.to_lowercase(), index)).collect();
        let traveller = flooded.get(2).or(flooded.first()).copied().unwrap_or_default();
        Self { people, by_login, flooded, traveller, dormant }
    }

    /// By login, ignoring case.
    pub(crate) fn find(&self, login: &str) -> Option<&Person> {
        self.by_login.get(&login.to_lowercase()).and_then(|index| self.people.get(*index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn grown(seed: u64) -> Population {
        Population::grow(seed, 300, "2026-05-01T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn same_seed_same_people() {
        let shown = |population: &Population| format!("{:?}", population.people);
        assert_eq!(shown(&grown(7)), shown(&grown(7)));
        assert_ne!(shown(&grown(7)), shown(&grown(8)));
    }

    #[test]
    fn ids_and_logins_are_unique() {
        let population = grown(1);
        let ids: HashSet<&str> = population.people.iter().map(|p| p.okta_id.as_str()).collect();
        assert_eq!(ids.len(), population.people.len());
        assert_eq!(population.by_login.len(), population.people.len());
        assert_eq!(population.people.len(), 300);
    }

    #[test]
    fn the_cast_of_the_story_is_there_for_every_seed() {
        for seed in 0..50 {
            let population = Population::grow(seed, 0, Timestamp::UNIX_EPOCH);
            assert!(population.flooded.contains(&population.traveller), "seed {seed}");
            let dormant = &population.people[population.dormant];
            assert!(dormant.admin && dormant.status == Status::Active, "seed {seed}");
            assert!(!population.flooded.contains(&population.dormant));
        }
    }

    #[test]
    fn every_status_occurs() {
        let seen: HashSet<Status> = grown(3).people.iter().map(|p| p.status).collect();
        assert_eq!(seen.len(), Status::ALL.len());
    }

    #[test]
    fn finds_by_login_without_case() {
        assert!(grown(3).find("HRMS.ServiceUser").is_some());
    }
}
