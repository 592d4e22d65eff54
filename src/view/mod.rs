//! `&State` × `&Theme` → a screen. Pure: nothing is remembered between two frames.
//!
//! One file a screen ([`feed`], [`event`], [`user`], [`address`], [`journal`], [`health`],
//! [`log`], [`look_up`], [`bulk`], [`raw`]) and one a
//! piece that lies on or over them. Where things stand is decided in [`crate::app::layout`], so that
//! update and view agree on what is visible; here is only what they look like.
//!
//! Text reaches the buffer through [`Theme::span`] alone, which prints every character that
//! could move a cursor or hide itself by its name; what is our own goes through [`Theme::own`] before,
//! so that a terminal that has only ASCII shows it too. Only what is visible is laid out.

mod address;
mod bar;
mod bulk;
mod canvas;
mod card;
mod card_end;
mod card_text;
mod crumbs;
mod dialog;
mod dry_run;
mod event;
mod feed;
mod field;
mod flows;
mod footer;
mod form;
pub mod glyph;
mod header;
mod health;
mod help;
mod journal;
mod link;
mod log;
mod look_up;
mod many;
mod notice;
mod palette;
mod panel;
pub mod picture;
mod prompt;
mod prose;
mod quit;
mod raw;
pub mod theme;
mod user;
mod words;

pub use glyph::Glyphs;
pub use theme::{Role, Theme};

use crate::app::layout::Size;
use crate::app::list::Extent;
use crate::app::{Overlay, Screen, State};
use canvas::Canvas;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};

/// What the command registry has to say on the screen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HelpTexts {
    /// The keys that matter here and what they do, the most important first.
    pub footer: Vec<(String, String)>,
    /// The lines of the help.
    pub help: Vec<HelpLine>,
    /// What completes the line in the prompt, best first.
    pub palette: Vec<PaletteLine>,
    /// The ready questions of the System Log, each with its key.
    pub questions: Vec<(String, String)>,
    /// The key that insists on a card whose action was tried before.
    pub insist_key: String,
    /// The keys that show a card's dry run.
    pub dry_run_keys: CardKeys,
    /// The keys that lead from a card to its flow's inputs.
    pub form_keys: CardKeys,
    /// The key that undoes an action.
    pub undo_key: String,
    /// The key that looks at an action's target again.
    pub look_key: String,
    /// The key that checks the journal's chain.
    pub check_key: String,
    /// The keys that have a run on many wait, go on with it, stop it, and show others of its users.
    pub bulk_keys: BulkKeys,
    /// The key that shows and hides the QR code of a link.
    pub qr_key: String,
}

/// What can be done about a run on many, by which keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BulkKeys {
    /// Has it wait.
    pub pause: String,
    /// Goes on with it.
    pub resume: String,
    /// Stops it for good.
    pub stop: String,
    /// Shows others of its users.
    pub which: String,
}

/// The keys of one command on a card.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CardKeys {
    /// Where single keys are taken.
    pub plain: String,
    /// Where letters are typed; empty where no key is left by a field.
    pub beside_field: String,
}

/// A line of the help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HelpLine {
    /// The name of a group.
    Heading(String),
    /// The keys of a command and what it does.
    Command {
        /// The keys.
        keys: String,
        /// What it does.
        title: String,
    },
    /// A sentence.
    Text(String),
}

/// An entry of the palette.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaletteLine {
    /// As it is typed.
    pub name: String,
    /// The keys that do the same.
    pub keys: String,
    /// What it does.
    pub title: String,
    /// Whether enter takes it.
    pub is_selected: bool,
    /// Whether it does something on the screen below.
    pub is_usable: bool,
}

/// Everything that is drawn from.
struct Scene<'a> {
    state: &'a State,
    help: &'a HelpTexts,
    /// The frame's size: right after a resize the state's may be another.
    size: Size,
}

/// Draws the whole screen, and puts the cursor where text is typed. Answers how long the overlay's text
/// turned out to be, for update to scroll by: only here it is laid out.
pub fn render(state: &State, help: &HelpTexts, theme: &Theme, frame: &mut Frame) -> Extent {
    let area = frame.area();
    let scene = Scene { state, help, size: Size { columns: area.width, rows: area.height } };
    let mut canvas = Canvas::new(frame.buffer_mut(), theme);
    let cursor = draw(&scene, &mut canvas);
    let extent = canvas.extent;
    if let Some(position) = cursor.filter(|position| area.contains(*position)) {
        frame.set_cursor_position(position);
    }
    extent
}

fn draw(scene: &Scene, canvas: &mut Canvas) -> Option<Position> {
    let areas = scene.size.areas();
    canvas.fill(scene.size.area(), Role::Text);
    body(scene, canvas, areas.body);
    footer::draw(scene, canvas, areas.footer);
    notice::draw(scene, canvas, areas.notice);
    crumbs::draw(scene, canvas, areas.crumbs);
    header::draw(scene, canvas, areas.header);
    let rows = notice::rows(scene, canvas.theme, areas.notice);
    let said = canvas.signs(rows);
    let cursor = overlay(scene, canvas);
    if canvas.signs(rows) != said {
        notice::draw_over(scene, canvas, (areas.header, areas.notice));
    }
    cursor
}

fn body(scene: &Scene, canvas: &mut Canvas, area: Rect) {
    match scene.state.stack.last() {
        None => feed::draw(scene, canvas, area),
        Some(Screen::Event(screen)) => event::draw(scene, screen, canvas),
        Some(Screen::User(screen)) => user::draw(scene, screen, canvas),
        Some(Screen::Address(screen)) => address::draw(scene, screen, canvas, area),
        Some(Screen::Raw(screen)) => raw::draw(screen, canvas, area),
        Some(Screen::Journal(screen)) => journal::draw(scene, screen, canvas),
        Some(Screen::Health(screen)) => health::draw(scene, screen, canvas, area),
        Some(Screen::Log(screen)) => log::draw(scene, screen, canvas, area),
        Some(Screen::LookUp(screen)) => look_up::draw(scene, screen, canvas, area),
        Some(Screen::Bulks(screen)) => bulk::draw_list(scene, screen, canvas, area),
        Some(Screen::Bulk(screen)) => bulk::draw(scene, screen, canvas),
    }
}

fn overlay(scene: &Scene, canvas: &mut Canvas) -> Option<Position> {
    if let Some(scroll) = &scene.state.help {
        help::draw(scene, scroll.offset, canvas);
        return None;
    }
    match scene.state.overlay.as_ref()? {
        Overlay::Help(scroll) => help::draw(scene, scroll.offset, canvas),
        Overlay::Prompt(prompt) => return prompt::draw(scene, prompt, canvas),
        Overlay::Flows(list) => return flows::draw(scene, list, canvas),
        Overlay::Card(card) => match &card.dry_run {
            Some(dry_run) => dry_run::draw(scene, dry_run, canvas),
            None => return card::draw(scene, card, canvas),
        },
        Overlay::Form(form) => return form::draw(scene, form, canvas),
        Overlay::Many(card) => match &card.dry_run {
            Some(dry_run) => dry_run::draw(scene, dry_run, canvas),
            None => return many::draw(scene, card, canvas),
        },
        Overlay::Ask(question) => return bulk::draw_question(scene, question, canvas),
        Overlay::Dialog(dialog) => return dialog::draw(scene, dialog, canvas),
        Overlay::Link(card) => link::draw(scene, card, canvas),
        Overlay::Quit(question) => quit::draw(scene, &question.why, canvas),
    }
    None
}
