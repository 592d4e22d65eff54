//! What the lab gets wrong, on the screen of the program.
use crate::support::place::Place;
use crate::support::screen::Screen;
use crate::support::tenant::Tenant;

#[test]
fn what_a_field_lacks_stands_in_the_pane_that_shows_it() {
    let tenant = Tenant::start();
    tenant.fault("partial@cii");
    let place = Place::with_lab(&tenant.lab);
    // Narrow: one pane at a time.
    let mut screen = Screen::start(&place, &[], 80, 24);
    screen.shows("1 source ok");
    screen.press(&format!(":user {}\r", tenant.login(3)));
    screen.shows("LocationUnavailable: the location of this sign-in");
    assert!(!screen.text().contains("of this address"), "{}", screen.text());
    screen.press("3");
    screen.shows("LocationUnavailable: the location of this address");
    // What came stands beside it: everybody has an address at home.
    screen.shows("2001:db8:");
}
