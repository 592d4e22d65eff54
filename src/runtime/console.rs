//! The event loop: keys first, then what happened, then a frame, and only where something changed.

use super::effects::{Effects, Heard};
use super::services::Services;
use super::terminal::Screen;
use super::terminal::frame::mark_covered;
use super::terminal::signals::Signalled;
use crate::app::{self, Effect, Msg, State, layout::Size};
use crate::command::{Keymap, keys::Key, press};
use crate::source::clock::Clock;
use crate::store::Still;
use crate::view::{self, Theme};
use crossterm::event::Event;
use futures_util::{Stream, StreamExt};
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

/// The least time between frames that keys ask for.
const KEY_FRAME: Duration = Duration::from_millis(16);
/// A frame that takes longer to write than this is on a line that holds us up.
const SLOW_WRITE: Duration = Duration::from_millis(50);
/// The least time between frames that arrivals ask for.
const ARRIVAL_FRAME: Duration = Duration::from_millis(125);
/// Messages taken in before keys are looked at again.
const AT_ONCE: usize = 64;

/// What is around the loop's screen: a terminal that can stop the process, or whoever waits for what
/// the screen shows.
pub trait Surroundings {
    /// Puts the process in the background, and comes back with it.
    ///
    /// # Errors
    /// If the terminal cannot be given back or taken again.
    fn suspend(&mut self) -> io::Result<()>;

    /// Told whenever the screen shows the state as it is; a break ends the loop.
    fn drawn(&mut self, state: &State) -> ControlFlow<()> {
        let _ = state;
        ControlFlow::Continue(())
    }
}

/// Why the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The analyst quit.
    Quit,
    /// A signal, or the terminal went away.
    Stopped,
    /// The screen showed what its surroundings waited for.
    Seen,
}

/// The console.
#[derive(Debug)]
pub struct Console<W: Write> {
    state: State,
    keymap: Keymap,
    theme: Theme,
    screen: Screen<W>,
    effects: Effects,
    heard: UnboundedReceiver<Heard>,
    sender: UnboundedSender<Heard>,
    clock: Arc<dyn Clock>,
    wants_frame: Option<Instant>,
    last_frame: Instant,
    ended: Option<Ended>,
    /// Whether it goes to the background as soon as nothing is in the middle of a write.
    suspends: bool,
    still: Option<Still>,
}

impl<W: Write> Console<W> {
    /// A console on a screen.
    pub fn new(
        state: State,
        keymap: Keymap,
        theme: Theme,
        screen: Screen<W>,
        services: Services,
    ) -> Console<W> {
        let (sender, heard) = unbounded_channel();
        let clock = services.clock.clone();
        let now = Instant::now();
        Console {
            state,
            keymap,
            theme,
            screen,
            effects: Effects::new(services, sender.clone()),
            heard,
            sender,
            clock,
            wants_frame: Some(now),
            last_frame: now.checked_sub(ARRIVAL_FRAME).unwrap_or(now),
            ended: None,
            suspends: false,
            still: None,
        }
    }

    /// Where others tell the loop what happened.
    pub fn sender(&self) -> UnboundedSender<Heard> {
        self.sender.clone()
    }

    /// The screen, for tests and pictures.
    pub fn screen(&self) -> &Screen<W> {
        &self.screen
    }

    /// Runs until the analyst quits, a signal comes or the terminal goes away.
    ///
    /// # Errors
    /// If the terminal cannot be written.
    pub async fn run(
        &mut self,
        mut input: impl Stream<Item = io::Result<Event>> + Unpin,
        mut signals: impl Stream<Item = Signalled> + Unpin,
        surroundings: &mut impl Surroundings,
    ) -> io::Result<Ended> {
        self.tick();
        for effect in app::update::start(&mut self.state) {
            self.perform(effect);
        }
        self.draw()?;
        loop {
            self.step(&mut input, &mut signals).await?;
            if let Some(still) = self.still.take() {
                surroundings.suspend()?;
                drop(still);
                self.suspends = false;
                self.redraw()?;
            }
            if let Some(ended) = self.ended {
                return Ok(ended);
            }
            if self.wants_frame.is_none() && surroundings.drawn(&self.state).is_break() {
                return Ok(Ended::Seen);
            }
        }
    }

    /// One turn: keys before everything, a frame only when nothing else is ready.
    async fn step(
        &mut self,
        input: &mut (impl Stream<Item = io::Result<Event>> + Unpin),
        signals: &mut (impl Stream<Item = Signalled> + Unpin),
    ) -> io::Result<()> {
        let (frame, tick) = (self.wants_frame, self.next_tick());
        tokio::select! {
            biased;
            event = input.next() => self.happened(event),
            Some(signalled) = signals.next() => self.signalled(signalled)?,
            Some(heard) = self.heard.recv() => self.hear(heard)?,
            () = at(frame), if frame.is_some() => self.draw()?,
            () = at(tick), if tick.is_some() => self.ticked(),
        }
        Ok(())
    }

    fn next_tick(&self) -> Option<Instant> {
        Some(Instant::now() + self.clock.until(self.state.next_tick()?))
    }

    fn ticked(&mut self) {
        self.tick();
        self.want_frame(ARRIVAL_FRAME);
    }

    fn tick(&mut self) {
        let now = self.clock.now();
        self.apply(Msg::Ticked(now));
    }

    fn want_frame(&mut self, pace: Duration) {
        let due = (self.last_frame + pace).max(Instant::now());
        self.wants_frame = Some(self.wants_frame.map_or(due, |before| before.min(due)));
    }

    fn happened(&mut self, event: Option<io::Result<Event>>) {
        self.want_frame(KEY_FRAME);
        self.tick();
        match event {
            Some(Ok(Event::Key(key))) => {
                let msg = Key::pressed(key).and_then(|key| press(&self.state, &self.keymap, key));
                msg.into_iter().for_each(|msg| self.apply(msg));
            }
            Some(Ok(Event::Paste(text))) => self.apply(Msg::Pasted(text)),
            Some(Ok(Event::Resize(columns, rows))) => self.apply(Msg::Resized(Size { columns, rows })),
            // The mouse is the terminal's own, to select text with: nothing of it is asked for.
            Some(Ok(Event::Mouse(_) | Event::FocusGained | Event::FocusLost)) => {}
            Some(Err(_)) | None => self.ended = Some(Ended::Stopped),
        }
    }

    fn signalled(&mut self, signalled: Signalled) -> io::Result<()> {
        match signalled {
            Signalled::Stop | Signalled::Interrupted | Signalled::HungUp => self.ended = Some(Ended::Stopped),
            Signalled::Continued => self.redraw()?,
        }
        Ok(())
    }

    /// What happened, in the order in which it did; after a few, keys are looked at first.
    fn hear(&mut self, first: Heard) -> io::Result<()> {
        self.take(first)?;
        for _ in 1..AT_ONCE {
            match self.heard.try_recv() {
                Ok(heard) => self.take(heard)?,
                Err(_) => break,
            }
        }
        Ok(())
    }

    fn take(&mut self, heard: Heard) -> io::Result<()> {
        match heard {
            Heard::Msg(msg) => {
                self.want_frame(pace(&msg));
                // What happened has a time too: a card that is prepared now must not look old.
                self.tick();
                self.apply(msg);
                Ok(())
            }
            Heard::Aside(bytes) => self.screen.backend_mut().write_aside(bytes.as_bytes()),
            Heard::Still(still) => {
                self.still = Some(still);
                Ok(())
            }
        }
    }

    fn apply(&mut self, msg: Msg) {
        for effect in app::update(&mut self.state, msg) {
            self.perform(effect);
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Quit => self.ended = Some(Ended::Quit),
            Effect::Suspend if self.suspends => {}
            Effect::Suspend => {
                self.suspends = true;
                self.effects.hold_still();
            }
            // A screen that cannot be cleared cannot be drawn either; that error is the one told.
            Effect::Redraw => drop(self.redraw()),
            effect => self.effects.perform(effect),
        }
    }

    fn redraw(&mut self) -> io::Result<()> {
        let size = self.screen.size()?;
        self.state.size = Size { columns: size.width, rows: size.height };
        self.screen.clear()?;
        self.want_frame(KEY_FRAME);
        Ok(())
    }

    fn draw(&mut self) -> io::Result<()> {
        self.tick();
        self.wants_frame = None;
        let began = Instant::now();
        self.last_frame = began;
        let (state, keymap, theme) = (&self.state, &self.keymap, &self.theme);
        let texts = super::texts::of(state, keymap);
        let mut extent = state.extent;
        self.screen.draw(|frame| {
            extent = view::render(state, &texts, theme, frame);
            mark_covered(frame.buffer_mut());
        })?;
        if began.elapsed() > SLOW_WRITE {
            // What is asked counts as shown when the line has taken it, not when it was handed over.
            self.tick();
        }
        self.apply(Msg::Drawn(extent));
        Ok(())
    }
}

/// An answer belongs to the key that asked; what arrives by itself can wait.
fn pace(msg: &Msg) -> Duration {
    match msg {
        Msg::Answered(..) | Msg::RunProgressed(..) => KEY_FRAME,
        _ => ARRIVAL_FRAME,
    }
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
