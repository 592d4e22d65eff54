//! The pages that links lead to: a person behind every `referenceUrl`, a placeholder behind everything else. They say
//! plainly that they are the lab's.
use super::population::Person;
use super::world::{World, lock};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::get;
use std::fmt::Write as _;
use std::sync::Arc;

pub(crate) fn router() -> Router<Arc<World>> {
    Router::new().route("/pages/users/{id}", get(user)).route("/pages/{*rest}", get(other))
}

async fn user(State(world): State<Arc<World>>, Path(id): Path<String>) -> (StatusCode, Html<String>) {
    match world.population.people.iter().find(|person| person.cii_id == id) {
        Some(person) => (StatusCode::OK, Html(page(person.name(), &facts(&world, person)))),
        None => (StatusCode::NOT_FOUND, Html(page("No such user", ""))),
    }
}

async fn other(Path(rest): Path<String>) -> Html<String> {
    Html(page("A page of the simulated tenant", &format!("<p>{}</p>", escape(&rest))))
}

fn facts(world: &World, person: &Person) -> String {
    let failing = lock(&world.failing).get(&person.login).map(|checks| checks.join(", ")).unwrap_or_default();
    let rows = [
        ("Login", person.login.as_str()),
        ("E-mail", &person.email),
        ("Department", person.department.unwrap_or("")),
        ("Status", person.status_in_cii()),
        ("Trust level", person.trust.unwrap_or("")),
        ("Failing checks", &failing),
    ];
    let mut table = String::from("<table>");
    for (name, value) in rows {
        // Writing to a String cannot fail.
        let _ = write!(table, "<tr><th>{name}</th><td>{}</td></tr>", escape(value));
    }
    table + "</table>"
}

fn page(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\
         <body><h1>{title}</h1>{body}<p><small>idtriage lab: a simulated tenant. Nothing here is real.</small></p></body></html>"
    )
}

/// Names here are hostile on purpose.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            control if control.is_control() => escaped.push('\u{fffd}'),
            plain => escaped.push(plain),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_controls_are_harmless() {
        assert_eq!(escape("<b a='1'>\u{1b}&\""), "&lt;b a=&#39;1&#39;&gt;\u{fffd}&amp;&quot;");
    }
}
