//! What a meaning looks like.
//!
//! A theme is a TOML file that gives each [`Role`] a style in words: `alarm = "bold red"`,
//! `badge = "black on yellow"`. It may inherit another. Whatever is wrong with a file is a warning
//! and costs that one line: a console that does not start because of a colour helps nobody.

use super::glyph::Glyphs;
use crate::domain::{FindingState, Outcome, Severity};
use ratatui::style::{Color, Modifier, Style};
use std::path::Path;
use toml::{Table, Value};

/// What a piece of text means, and so what it looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Plain text.
    Text,
    /// What is there but rarely read.
    Muted,
    /// A heading or the name of where one is.
    Heading,
    /// What stands out without being a warning.
    Accent,
    /// The selected row.
    Selected,
    /// A border.
    Border,
    /// The border of what has the keys.
    BorderFocus,
    /// The first line.
    Header,
    /// A badge: `DEMO`, `test`, what is held.
    Badge,
    /// Something is wrong.
    Alarm,
    /// Something needs a look.
    Warning,
    /// Something is as it should be.
    Good,
    /// A key to press.
    Key,
    /// A field that is typed into.
    Field,
    /// What was, where it changed.
    DiffOld,
    /// What is, where it changed.
    DiffNew,
    /// Severity critical.
    Critical,
    /// Severity high.
    High,
    /// Severity medium.
    Medium,
    /// Severity low.
    Low,
    /// Severity info.
    Info,
    /// Severity unknown.
    Unknown,
    /// Findings that nobody has.
    Open,
    /// Findings that somebody works on.
    Claimed,
    /// Findings put off.
    Snoozed,
    /// Findings that are done.
    Closed,
}

/// Every role with its name in a theme's file, in the order of the enum.
const ROLES: [(Role, &str); 26] = [
    (Role::Text, "text"),
    (Role::Muted, "muted"),
    (Role::Heading, "heading"),
    (Role::Accent, "accent"),
    (Role::Selected, "selected"),
    (Role::Border, "border"),
    (Role::BorderFocus, "border_focus"),
    (Role::Header, "header"),
    (Role::Badge, "badge"),
    (Role::Alarm, "alarm"),
    (Role::Warning, "warning"),
    (Role::Good, "good"),
    (Role::Key, "key"),
    (Role::Field, "field"),
    (Role::DiffOld, "diff_old"),
    (Role::DiffNew, "diff_new"),
    (Role::Critical, "severity.critical"),
    (Role::High, "severity.high"),
    (Role::Medium, "severity.medium"),
    (Role::Low, "severity.low"),
    (Role::Info, "severity.info"),
    (Role::Unknown, "severity.unknown"),
    (Role::Open, "state.open"),
    (Role::Claimed, "state.claimed"),
    (Role::Snoozed, "state.snoozed"),
    (Role::Closed, "state.closed"),
];

impl Role {
    /// Every role.
    pub fn all() -> impl Iterator<Item = Role> {
        ROLES.into_iter().map(|(role, _)| role)
    }

    /// Its name in a theme's file.
    pub fn name(self) -> &'static str {
        ROLES.into_iter().find(|(role, _)| *role == self).map_or("", |(_, name)| name)
    }

    fn of_name(name: &str) -> Option<Role> {
        ROLES.into_iter().find(|(_, known)| *known == name).map(|(role, _)| role)
    }
}

impl From<Severity> for Role {
    fn from(severity: Severity) -> Role {
        match severity {
            Severity::Critical => Role::Critical,
            Severity::High => Role::High,
            Severity::Medium => Role::Medium,
            Severity::Low => Role::Low,
            Severity::Info => Role::Info,
            Severity::Unknown => Role::Unknown,
        }
    }
}

impl From<FindingState> for Role {
    fn from(state: FindingState) -> Role {
        match state {
            FindingState::Open => Role::Open,
            FindingState::Claimed => Role::Claimed,
            FindingState::Snoozed => Role::Snoozed,
            FindingState::Closed => Role::Closed,
        }
    }
}

impl From<Outcome> for Role {
    fn from(outcome: Outcome) -> Role {
        match outcome {
            Outcome::Pending => Role::Muted,
            Outcome::Accepted => Role::Accent,
            Outcome::Changed | Outcome::NoChange => Role::Good,
            Outcome::NotLegal | Outcome::NotSent | Outcome::Refused => Role::Warning,
            Outcome::Failed | Outcome::Unknown => Role::Alarm,
        }
    }
}

const EMBEDDED: [(&str, &str); 4] = [
    ("ansi", include_str!("../../themes/ansi.toml")),
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("mono", include_str!("../../themes/mono.toml")),
];
/// A theme's file is a page of text; more than this is something else.
const LARGEST: u64 = 64 * 1024;

/// The text of a theme that comes with the program.
pub fn embedded(name: &str) -> Option<&'static str> {
    EMBEDDED.into_iter().find(|(known, _)| *known == name).map(|(_, text)| text)
}

/// The names of the themes that come with the program.
pub fn names() -> impl Iterator<Item = &'static str> {
    EMBEDDED.into_iter().map(|(name, _)| name)
}

/// A style for every role, and the signs to draw with.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    styles: [Style; ROLES.len()],
    /// The signs.
    pub(super) glyphs: Glyphs,
}

impl Default for Theme {
    /// `ansi`, as it comes with the program.
    fn default() -> Theme {
        Theme::parse("ansi", |_| None).0
    }
}

impl Theme {
    /// Reads a theme: `NAME.toml` of `folder` if it is there, else the one that comes with the program.
    /// The second part is what was wrong, for a notice.
    pub fn load(name: &str, folder: Option<&Path>) -> (Theme, Vec<String>) {
        let mut unread = Vec::new();
        let (theme, mut warnings) = Theme::parse(name, |name| {
            read(folder?, name).unwrap_or_else(|error| {
                unread.push(error);
                None
            })
        });
        warnings.splice(0..0, unread);
        (theme, warnings)
    }

    /// Builds a theme from texts: `lookup` gives the text of a name and goes before those that come
    /// with the program. A theme that inherits its own name inherits the program's.
    pub fn parse(name: &str, lookup: impl FnMut(&str) -> Option<String>) -> (Theme, Vec<String>) {
        let mut warnings = Vec::new();
        let chain = chain(name, lookup, &mut warnings);
        let mut theme = Theme { styles: [Style::new(); ROLES.len()], glyphs: Glyphs::default() };
        theme.take("ansi", &base(), "", &mut Vec::new());
        for (name, table) in chain.iter().rev() {
            theme.take(name, table, "", &mut warnings);
        }
        (theme, warnings)
    }

    /// The style of a role.
    pub fn style(&self, role: impl Into<Role>) -> Style {
        self.styles.get(role.into() as usize).copied().unwrap_or_default()
    }

    /// For `NO_COLOR`: weight, underline and reverse stay; a background becomes reverse, so that a
    /// badge or a selected row can still be seen.
    pub fn without_colour(&self) -> Theme {
        Theme { styles: self.styles.map(colourless), ..*self }
    }

    /// The same with other signs.
    #[must_use]
    pub fn drawn_with(self, glyphs: Glyphs) -> Theme {
        Theme { glyphs, ..self }
    }

    fn take(&mut self, theme: &str, table: &Table, prefix: &str, warnings: &mut Vec<String>) {
        for (key, value) in table {
            let name = format!("{prefix}{key}");
            match value {
                _ if name == "inherits" => {}
                Value::Table(inner) => self.take(theme, inner, &format!("{name}."), warnings),
                Value::String(words) => {
                    self.put(&name, words)
                        .unwrap_or_else(|why| warnings.push(format!("theme `{theme}`: {why}")));
                }
                _ => warnings.push(format!("theme `{theme}`: `{name}` is not a text")),
            }
        }
    }

    fn put(&mut self, name: &str, words: &str) -> Result<(), String> {
        let role = Role::of_name(name).ok_or_else(|| format!("there is no role `{name}`"))?;
        let style = style(words).map_err(|word| format!("`{word}` in `{name}` is no colour and no style"))?;
        if let Some(slot) = self.styles.get_mut(role as usize) {
            *slot = style;
        }
        Ok(())
    }
}

/// A theme and what it inherits, itself first.
fn chain(
    name: &str,
    mut lookup: impl FnMut(&str) -> Option<String>,
    warnings: &mut Vec<String>,
) -> Vec<(String, Table)> {
    let mut chain: Vec<(String, Table)> = Vec::new();
    let mut next = Some(name.to_owned());
    while let Some(name) = next {
        let is_own = chain.last().is_some_and(|(child, _)| *child == name);
        if !is_own && chain.iter().any(|(seen, _)| *seen == name) {
            warnings.push(format!("theme `{name}` inherits itself"));
            break;
        }
        let text = if is_own { None } else { lookup(&name) };
        let Some(text) = text.or_else(|| embedded(&name).map(str::to_owned)) else {
            warnings.push(format!("there is no theme `{name}`; hint: ansi, dark, light, mono"));
            break;
        };
        let table = table(&name, &text, warnings);
        next = table.get("inherits").and_then(Value::as_str).map(str::to_owned);
        chain.push((name, table));
    }
    chain
}

fn base() -> Table {
    embedded("ansi").and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn table(name: &str, text: &str, warnings: &mut Vec<String>) -> Table {
    text.parse().unwrap_or_else(|error: toml::de::Error| {
        warnings.push(format!("theme `{name}` is not TOML: {}", error.message()));
        Table::new()
    })
}

/// A style in words: `bold red on black`. The error is the word that is not understood.
fn style(words: &str) -> Result<Style, String> {
    let mut style = Style::new();
    let mut words = words.split_whitespace();
    while let Some(word) = words.next() {
        style = match word {
            "bold" => style.bold(),
            "dim" => style.dim(),
            "italic" => style.italic(),
            "underlined" => style.underlined(),
            "reverse" => style.reversed(),
            "on" => style.bg(colour(words.next().unwrap_or("on"))?),
            word => style.fg(colour(word)?),
        };
    }
    Ok(style)
}

fn colour(word: &str) -> Result<Color, String> {
    word.parse().map_err(|_| word.to_owned())
}

fn colourless(style: Style) -> Style {
    let plain = Style { fg: None, bg: None, underline_color: None, ..style };
    if style.bg.is_some() { plain.add_modifier(Modifier::REVERSED) } else { plain }
}

/// The file of a name in a folder; `None` where there is none.
fn read(folder: &Path, name: &str) -> Result<Option<String>, String> {
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !is_plain || name.is_empty() {
        return Ok(None);
    }
    let path = folder.join(format!("{name}.toml"));
    let failed = |error: std::io::Error| format!("theme file `{}`: {error}", path.display());
    match std::fs::metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
        Ok(about) if about.len() > LARGEST => Err(format!("theme file `{}` is too large", path.display())),
        Ok(_) => std::fs::read_to_string(&path).map(Some).map_err(failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn of(text: &'static str) -> (Theme, Vec<String>) {
        Theme::parse("mine", |name| (name == "mine").then(|| text.to_owned()))
    }

    #[test]
    fn every_theme_resolves_every_role() {
        for name in names() {
            let (_, warnings) = Theme::parse(name, |_| None);
            assert_eq!(warnings, Vec::<String>::new(), "{name}");
            let said: Table = embedded(name).unwrap().parse().unwrap();
            for role in Role::all() {
                let mut at = Some(&Value::Table(said.clone())).cloned();
                for step in role.name().split('.') {
                    at = at.and_then(|value| value.get(step).cloned());
                }
                assert!(at.is_some(), "{name} leaves out `{}`", role.name());
            }
        }
    }

    #[test]
    fn roles_stand_in_their_order() {
        assert!(ROLES.iter().enumerate().all(|(at, (role, _))| *role as usize == at));
    }

    #[test]
    fn what_is_wrong_costs_one_line() {
        let (theme, warnings) = of("alarm = \"bold sparkling\"\nodd = \"red\"\ngood = 7\nmuted = \"italic\"");
        assert_eq!(theme.style(Role::Muted), Style::new().italic());
        assert_eq!(theme.style(Role::Alarm), Theme::default().style(Role::Alarm));
        assert_eq!(warnings.len(), 3, "{warnings:?}");
        assert!(of("not toml").1.first().unwrap().starts_with("theme `mine` is not TOML"));
    }

    #[test]
    fn inheritance_ends() {
        let two = |name: &str| match name {
            "a" => Some("inherits = \"b\"\nmuted = \"red\"".to_owned()),
            "b" => Some("inherits = \"a\"\nmuted = \"blue\"".to_owned()),
            "ansi" => Some("inherits = \"ansi\"\nmuted = \"blue\"".to_owned()),
            _ => None,
        };
        let (theme, warnings) = Theme::parse("a", two);
        assert_eq!(warnings, vec!["theme `a` inherits itself".to_owned()]);
        assert_eq!(theme.style(Role::Muted).fg, Some(Color::Red));
        let (theme, warnings) = Theme::parse("ansi", two);
        assert_eq!((theme.style(Role::Muted).fg, warnings.len()), (Some(Color::Blue), 0));
    }

    #[test]
    fn files_go_before_the_programs_own() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("mono.toml"), "inherits = \"mono\"\nalarm = \"reverse\"").unwrap();
        let (theme, warnings) = Theme::load("mono", Some(folder.path()));
        assert_eq!((theme.style(Role::Alarm), warnings.len()), (Style::new().reversed(), 0));
        let (theme, warnings) = Theme::load("../mono", Some(folder.path()));
        assert_eq!((theme, warnings.len()), (Theme::default(), 1));
    }

    /// How bright a colour is to the eye, as WCAG 2 reckons it; `None` for one that is not of 24 bits.
    fn luminance(colour: Color) -> Option<f64> {
        let Color::Rgb(red, green, blue) = colour else { return None };
        let linear = |part: u8| match f64::from(part) / 255.0 {
            part if part <= 0.03928 => part / 12.92,
            part => ((part + 0.055) / 1.055).powf(2.4),
        };
        Some(0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue))
    }

    fn contrast(one: Color, other: Color) -> f64 {
        let (one, other) = (luminance(one).unwrap(), luminance(other).unwrap());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// On the backgrounds that such terminals have, and on the bar of the selection.
    #[rstest]
    #[case("light", &["#ffffff", "#f6f8fa", "#fdf6e3", "#eeeeee"])]
    #[case("dark", &["#000000", "#16181d", "#1e1e1e", "#282c34"])]
    fn every_text_is_readable(#[case] name: &str, #[case] backgrounds: &[&str]) {
        let theme = Theme::parse(name, |_| None).0;
        let bar = theme.style(Role::Selected).bg.unwrap();
        let below: Vec<Color> =
            backgrounds.iter().map(|colour| colour.parse().unwrap()).chain([bar]).collect();
        for role in Role::all().filter(|role| *role != Role::Selected) {
            let style = theme.style(role);
            // A line is seen where a letter is not yet read.
            let least = if role == Role::Border { 2.2 } else { 4.5 };
            let on: &[Color] = style.bg.as_ref().map_or(&below, std::slice::from_ref);
            for background in on {
                let found = contrast(style.fg.unwrap(), *background);
                assert!(found >= least, "{name}: `{}` on {background} has {found:.2}", role.name());
            }
        }
    }

    #[test]
    fn without_colour_the_selection_still_shows() {
        for name in names() {
            let theme = Theme::parse(name, |_| None).0.without_colour();
            assert!(theme.style(Role::Selected).add_modifier.contains(Modifier::REVERSED), "{name}");
            assert!(Role::all().all(|role| theme.style(role).fg.is_none() && theme.style(role).bg.is_none()));
        }
    }
}
