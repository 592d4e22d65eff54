//! Where people sign in from. Every address is of a block set aside for documentation (RFC 5737, RFC 3849).
use fastrand::Rng;

/// An office, with the start of its addresses.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) city: &'static str,
    pub(crate) state: Option<&'static str>,
    /// ISO 3166-1 alpha-2.
    pub(crate) country: &'static str,
    pub(crate) lat: f64,
    pub(crate) lon: f64,
    prefix: &'static str,
}

const fn place(
    city: &'static str,
    state: Option<&'static str>,
    country: &'static str,
    at: (f64, f64),
    prefix: &'static str,
) -> Place {
    Place { city, state, country, lat: at.0, lon: at.1, prefix }
}

pub(crate) const PLACES: [Place; 8] = [
    place("Austin", Some("Texas"), "US", (30.27, -97.74), "192.0.2.1"),
    place("Toronto", Some("Ontario"), "CA", (43.65, -79.38), "192.0.2.2"),
    place("London", Some("England"), "GB", (51.51, -0.13), "198.51.100.1"),
    place("Berlin", Some("Berlin"), "DE", (52.52, 13.41), "198.51.100.2"),
    place("Lisbon", None, "PT", (38.72, -9.14), "198.51.100.3"),
    place("Singapore", None, "SG", (1.35, 103.82), "198.51.100.4"),
    place("Sydney", Some("New South Wales"), "AU", (-33.87, 151.21), "198.51.100.5"),
    place("São Paulo", Some("São Paulo"), "BR", (-23.55, -46.63), "198.51.100.6"),
];

/// Whence the flood comes.
pub(crate) const ATTACKER: &str = "203.0.113.66";
/// Whence the traveller signs in for the second time.
pub(crate) const FAR_AWAY: &str = "203.0.113.140";
/// Whence the dormant admin signs in.
pub(crate) const ANONYMISER: &str = "203.0.113.201";

const CHISINAU: Place = place("Chișinău", None, "MD", (47.01, 28.86), "203.0.113.");
const LAGOS: Place = place("Lagos", None, "NG", (6.45, 3.39), "203.0.113.");

/// One of an office's few outgoing addresses.
pub(crate) fn address(rng: &mut Rng, place: usize) -> String {
    let prefix = PLACES.get(place).map_or("192.0.2.9", |place| place.prefix);
    format!("{prefix}{}", rng.u8(..4))
}

pub(crate) fn home_address(rng: &mut Rng) -> String {
    format!("2001:db8:{:x}:{:x}::{:x}", rng.u16(1..), rng.u16(1..), rng.u16(1..))
}

/// The city of an office.
pub(crate) fn city(place: usize) -> &'static str {
    PLACES.get(place).map_or("Elsewhere", |place| place.city)
}

/// Where an address is; homes are where nobody knows.
pub(crate) fn locate(address: &str) -> Option<&'static Place> {
    match address {
        ATTACKER => Some(&CHISINAU),
        FAR_AWAY => Some(&LAGOS),
        ANONYMISER => None,
        _ => PLACES.iter().find(|place| address.starts_with(place.prefix)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_office_address_leads_back_to_its_office() {
        let mut rng = Rng::with_seed(1);
        for (index, place) in PLACES.iter().enumerate() {
            let found = locate(&address(&mut rng, index)).map(|place| place.city);
            assert_eq!(found, Some(place.city));
        }
    }

    #[test]
    fn the_attacker_is_in_no_office() {
        assert_eq!(locate(ATTACKER).map(|place| place.country), Some("MD"));
        assert!(locate(ANONYMISER).is_none());
    }
}
