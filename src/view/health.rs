//! Sources and store: what somebody has to know who trusts the silence. What needs somebody comes first,
//! and the whole is one text that scrolls.

use super::Scene;
use super::canvas::{Canvas, Cells};
use super::prose::Prose;
use super::theme::{Role, Theme};
use super::words::{number, role_of, size, sources_ok};
use crate::app::State;
use crate::app::header::Receiver;
use crate::app::health::{HealthScreen, Kept, by_need};
use crate::app::layout::WIDE;
use crate::app::list::Extent;
use crate::domain::call_probe::{CallProbe, Works};
use crate::domain::page::{NotifierHealth, StoreStatus};
use crate::domain::untrusted::width;
use crate::domain::{SourceHealth, SourceState, time};
use jiff::SignedDuration;
use ratatui::layout::Rect;
use ratatui::text::Line;
use std::collections::{BTreeMap, HashSet};

/// The sections, the most important first. A new one is a function and its line here.
const SECTIONS: [fn(&Health, &mut Prose); 6] =
    [who_receives, sources, notifiers, okta_calls, left_out, store];

/// From fewer rows on, no line stays empty.
const DENSE: u16 = 20;
/// The columns in front of what belongs to a source.
const INDENT: &str = "   ";
/// The most columns of a source's name.
const NAME: usize = 24;

/// What is drawn from.
struct Health<'a> {
    state: &'a State,
    screen: &'a HealthScreen,
    theme: &'a Theme,
    columns: usize,
}

/// Lays everything out, and shows as much of it as there is room for.
///
/// ```text
/// receives    collect (pid 4711 on jump)
/// last event  2m ago
///
/// Sources: 1 of 3 sources ok
/// ◆ okta-log  failed                          last 3h ago      on a wide screen a row a source:
///    okta-system-log · acme.okta.com · 1,204 accepted          ◆ okta-log  failed  3h ago  1,204 accepted …
///    the token has expired                                     what is to be said of it stands below
///    tried again at 03:12:07Z
///    · possible gap: …
/// ● cii       running                         last 2m ago
///    cii-webhook · /hooks/cii · 120 accepted · 2 refused
///    refused: 2 wrong or missing secret
///
/// Notifiers
/// ◆ night  not told for 2h
///    answered 503; nothing is lost, it is tried again
///
/// Left out by rules and filters
///   1,204× rule `noise`, last 2m ago
///
/// Store
/// size        812 MiB: idtriage.db 700 MiB · idtriage-search.db 112 MiB
/// events      1,204,331 · 1,100,000 of them records without a finding
/// ```
pub(super) fn draw(scene: &Scene, screen: &HealthScreen, canvas: &mut Canvas, area: Rect) {
    let inner = Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
    let health =
        Health { state: scene.state, screen, theme: canvas.theme, columns: usize::from(inner.width) };
    let lines = health.lines(area.height);
    let height = usize::from(inner.height);
    let offset = screen.scroll.offset.min(lines.len().saturating_sub(height));
    canvas.extent = Extent { lines: lines.len(), height };
    canvas.lines(inner, lines.iter().skip(offset));
}

impl Health<'_> {
    fn lines(&self, rows: u16) -> Vec<Line<'static>> {
        let prose = Prose::new(self.theme, self.columns);
        let mut prose = if rows < DENSE { prose.dense() } else { prose };
        SECTIONS.iter().for_each(|section| section(self, &mut prose));
        prose.lines()
    }

    fn ago(&self, then: jiff::Timestamp) -> String {
        time::ago(self.state.now, then)
    }

    /// Several things on one line.
    fn joined(&self, parts: &[String]) -> String {
        parts.join(&self.theme.own(" · "))
    }

    /// How long something may be silent or is kept, behind what is said of it.
    fn expected(&self, limit: Option<SignedDuration>) -> String {
        limit.map(|limit| format!(" ({})", time::span(limit))).unwrap_or_default()
    }
}

fn who_receives(health: &Health, prose: &mut Prose) {
    let header = &health.state.header;
    let (role, words) = match &header.receiver {
        Receiver::Unknown => (Role::Muted, "not known yet".to_owned()),
        Receiver::ThisConsole => (Role::Text, "this console, as long as it is open".to_owned()),
        Receiver::Other(who) => (Role::Text, who.clone()),
        Receiver::Nobody(why) => (Role::Alarm, format!("nobody: {why}")),
    };
    prose.fact("receives", role, &words);
    let last = header.health.last_received;
    let words = last.map_or_else(|| "none yet".to_owned(), |at| health.ago(at));
    if header.is_too_silent(health.state.now) {
        let expected = health.expected(header.canary);
        return prose.fact("last event", Role::Alarm, &format!("{words}, longer than expected{expected}"));
    }
    prose.fact("last event", Role::Text, &words);
}

fn sources(health: &Health, prose: &mut Prose) {
    let (header, now) = (&health.state.header, health.state.now);
    if header.sources.is_empty() {
        return prose.heading(Role::Heading, "Sources: nothing is known of any");
    }
    match header.last_word(now) {
        Some(at) => {
            let heading = format!("Sources, as they were said to be {}", health.ago(at));
            prose.heading(Role::Warning, &heading);
        }
        None => {
            let since = header.sources.iter().filter_map(|source| source.since).min();
            let counted = since.map(|since| format!("counted since {}", health.ago(since)));
            let said = [Some(sources_ok(&header.sources, now)), counted].into_iter().flatten();
            let said = health.joined(&said.collect::<Vec<_>>());
            prose.heading(Role::Heading, &format!("Sources: {said}"));
        }
    }
    let sources = by_need(&header.sources, now);
    let widths = Widths::of(health, &sources);
    let mut gaps = HashSet::new();
    for source in sources {
        if health.columns + 2 >= usize::from(WIDE) {
            prose.line(wide_row(health, source, &widths));
        } else {
            prose.line(row(health, source, &widths));
            // One that is well needs no more than a line: what comes below has its turn.
            if !source.is_well(now) || source.refusals() > 0 {
                prose.marked(INDENT, Role::Muted, &place(health, source, &widths));
            }
        }
        details(health, source, &mut gaps, prose);
    }
}

/// Which calls of the org work. Those that nobody needs here are said last and quietly.
fn okta_calls(health: &Health, prose: &mut Prose) {
    let Some(calls) = health.state.calls.as_ref().filter(|calls| !calls.is_empty()) else { return };
    let tried: Vec<&CallProbe> = calls.iter().filter(|call| is_tried(call)).collect();
    let work = tried.iter().filter(|call| call.works == Works::Yes).count();
    prose.heading(Role::Heading, &format!("Okta: {work} of {} calls work", tried.len()));
    let mut others: Vec<&CallProbe> = tried.into_iter().filter(|call| call.works != Works::Yes).collect();
    others.sort_by_key(|call| !call.is_bad());
    for call in others {
        let (role, words) = match (&call.works, call.complaint()) {
            (_, Some(complaint)) if call.is_bad() => (Role::Alarm, complaint),
            (_, Some(complaint)) => (Role::Text, format!("{complaint} (nothing here needs it)")),
            (Works::CannotTell(why), _) => (Role::Warning, format!("{}: cannot tell: {why}", call.call)),
            (Works::Yes | Works::No(_), None) => continue,
        };
        prose.item(role, &words);
    }
}

/// What would change something is not called to find out.
fn is_tried(call: &CallProbe) -> bool {
    call.call.starts_with("GET ")
}

/// The columns that all sources share.
struct Widths {
    name: usize,
    state: usize,
    last: usize,
    accepted: usize,
    refused: usize,
}

impl Widths {
    fn of(health: &Health, sources: &[&SourceHealth]) -> Widths {
        let widest = |words: &dyn Fn(&SourceHealth) -> String| {
            sources.iter().map(|source| width(&health.theme.visible(&words(source)))).max().unwrap_or(0)
        };
        Widths {
            name: widest(&|source| source.name.to_string()).min(NAME),
            state: widest(&|source| stand(health, source).2),
            last: widest(&|source| last(health, source)),
            accepted: widest(&accepted),
            refused: widest(&refused),
        }
    }
}

impl Widths {
    /// Whether a row of a narrow screen takes what was accepted, too.
    fn leaves_room_for_counts(&self, columns: usize) -> bool {
        self.name + self.state + self.last + self.accepted + 8 <= columns
    }
}

fn accepted(source: &SourceHealth) -> String {
    format!("{} accepted", number(source.accepted))
}

fn refused(source: &SourceHealth) -> String {
    let times = source.refusals();
    if times > 0 { format!("{} refused", number(times)) } else { String::new() }
}

/// A state's sign, told apart by shape, and the words beside the name.
fn stand(health: &Health, source: &SourceHealth) -> (&'static str, Role, String) {
    let role = role_of(&source.state);
    match &source.state {
        SourceState::Failed { .. } => ("◆", role, "failed".to_owned()),
        SourceState::Waiting { until, .. } => {
            ("▲", role, format!("waiting till {}", health.state.settings.zone.time_of_day(*until)))
        }
        _ if source.overdue(health.state.now).is_some() => ("▲", Role::Alarm, "silent".to_owned()),
        SourceState::Running if source.refusing().is_some() => ("▲", Role::Warning, "refusing".to_owned()),
        SourceState::Running => ("●", role, "running".to_owned()),
        state @ (SourceState::Starting | SourceState::Stopped) => ("○", role, state.word().to_owned()),
    }
}

fn last(health: &Health, source: &SourceHealth) -> String {
    let now = health.state.now;
    source
        .last_accepted
        .map_or_else(|| "no event yet".to_owned(), |at| format!("last {}", time::age(now, at)))
}

fn row(health: &Health, source: &SourceHealth, widths: &Widths) -> Line<'static> {
    let (sign, role, words) = stand(health, source);
    let mut last = last(health, source);
    if widths.leaves_room_for_counts(health.columns) {
        last = format!("{last}  {:>taken$}", accepted(source), taken = widths.accepted);
    }
    let room = health.columns.saturating_sub(width(&last) + widths.name + 6);
    let cells = Cells::new(health.theme).own(role, sign).gap(1).left(Role::Text, &source.name.0, widths.name);
    cells.gap(2).left(role, &words, room).gap(2).text(Role::Muted, &last).line()
}

/// What it is: type, place, and the counts that its row has no room for.
fn place(health: &Health, source: &SourceHealth, widths: &Widths) -> String {
    let is_counted = widths.leaves_room_for_counts(health.columns);
    let accepted = if is_counted { String::new() } else { accepted(source) };
    let parts = [source.source_type.clone(), source.place.clone(), accepted, refused(source)];
    health.joined(&parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>())
}

fn wide_row(health: &Health, source: &SourceHealth, widths: &Widths) -> Line<'static> {
    let (sign, role, words) = stand(health, source);
    let Widths { name, state, last: age, accepted: taken, refused: not_taken } = *widths;
    let cells = Cells::new(health.theme).own(role, sign).gap(1).left(Role::Text, &source.name.0, name);
    let cells = cells.gap(2).left(role, &words, state).gap(2).left(Role::Muted, &last(health, source), age);
    let cells = cells.gap(2).right(Role::Text, &accepted(source), taken);
    let cells = match not_taken {
        0 => cells,
        not_taken => cells.gap(2).right(Role::Warning, &refused(source), not_taken),
    };
    let what = format!("{}  {}", source.source_type, source.place);
    cells.gap(3).text(Role::Muted, &what).line()
}

/// What has to be said of a source: why, since when, what was refused, and what stays to be known. Where nobody
/// received, all sources have the same `gaps`.
fn details<'a>(health: &Health, source: &'a SourceHealth, gaps: &mut HashSet<&'a str>, prose: &mut Prose) {
    if let Some(why) = source.state.why() {
        prose.marked(INDENT, Role::Text, why);
    }
    if let Some(at) = source.again {
        let at = health.state.settings.zone.time_of_day(at);
        prose.marked(INDENT, Role::Text, &format!("tried again at {at}"));
    }
    if let Some(since) = source.overdue(health.state.now) {
        let age = time::age(health.state.now, since);
        let limit = source.canary_seconds.and_then(|seconds| i64::try_from(seconds).ok());
        let expected = health.expected(limit.map(SignedDuration::from_secs));
        prose.marked(INDENT, Role::Alarm, &format!("silent for {age}, longer than expected{expected}"));
    }
    if let Some(unaccepted) = source.refusing() {
        let (causes, last) = (causes(health, &unaccepted.causes), health.ago(unaccepted.last));
        let words = format!(
            "nothing accepted for {}, but refused: {causes}, last {last}",
            time::age(health.state.now, unaccepted.first)
        );
        prose.marked(INDENT, Role::Warning, &words);
    } else if !source.refused.is_empty() {
        prose.marked(INDENT, Role::Warning, &format!("refused: {}", causes(health, &source.refused)));
    }
    for note in &source.notes {
        let role = if note.is_warning() { Role::Warning } else { Role::Muted };
        let is_told = note.is_gap && !gaps.insert(&note.text);
        let words = if is_told { "the same gap as above" } else { &note.text };
        prose.marked(&health.theme.own("   · "), role, words);
    }
}

/// Who is told of events, those first who cannot be.
fn notifiers(health: &Health, prose: &mut Prose) {
    let Some(Kept { notifiers, .. }) = health.screen.kept.as_deref() else { return };
    if notifiers.is_empty() {
        return;
    }
    prose.heading(Role::Heading, "Notifiers");
    let mut sorted: Vec<&NotifierHealth> = notifiers.iter().collect();
    sorted.sort_by_key(|notifier| notifier.failing.is_none());
    let names = notifiers.iter().map(|notifier| width(&health.theme.visible(&notifier.name)));
    let name = names.max().unwrap_or(0).min(NAME);
    for notifier in sorted {
        let (sign, role, words) = match (&notifier.failing, notifier.told) {
            (Some((since, _)), _) => {
                ("◆", Role::Alarm, format!("not told for {}", time::age(health.state.now, *since)))
            }
            (None, Some(at)) => ("●", Role::Good, format!("last told {}", health.ago(at))),
            (None, None) => ("○", Role::Muted, "nothing told yet".to_owned()),
        };
        let cells = Cells::new(health.theme).own(role, sign).gap(1).left(Role::Text, &notifier.name, name);
        prose.line(cells.gap(2).text(role, &words).line());
        if let Some((_, why)) = &notifier.failing {
            prose.marked(INDENT, Role::Text, &format!("{why}; nothing is lost, it is tried again"));
        }
        if let Some(at) = notifier.lost {
            let what = format!(
                "how far it had told could not be read: what arrived before {} may not have been told",
                health.ago(at)
            );
            prose.marked(INDENT, Role::Warning, &what);
        }
    }
}

fn causes(health: &Health, causes: &BTreeMap<String, u64>) -> String {
    let causes = causes.iter().map(|(cause, times)| format!("{} {cause}", number(*times)));
    health.joined(&causes.collect::<Vec<_>>())
}

fn left_out(health: &Health, prose: &mut Prose) {
    let Some(Kept { dropped, .. }) = health.screen.kept.as_deref() else { return };
    if dropped.is_empty() {
        return;
    }
    prose.heading(Role::Heading, "Left out by rules and filters");
    let numbers: Vec<String> = dropped.iter().map(|dropped| number(dropped.times)).collect();
    let widest = numbers.iter().map(|number| number.len()).max().unwrap_or(0).max(6);
    for (dropped, times) in dropped.iter().zip(numbers) {
        let sign = health.theme.own(&format!("{times:>widest$}× "));
        prose.marked(&sign, Role::Text, &format!("{}, last {}", dropped.reason, health.ago(dropped.last)));
    }
}

fn store(health: &Health, prose: &mut Prose) {
    prose.heading(Role::Heading, "Store");
    if let Some(error) = &health.screen.error {
        prose.say(Role::Alarm, &format!("! {error}"));
    }
    match health.screen.kept.as_deref() {
        Some(kept) => holds(health, &kept.status, prose),
        None if health.screen.error.is_none() => prose.say_own(Role::Muted, "reading…"),
        None => {}
    }
}

fn holds(health: &Health, status: &StoreStatus, prose: &mut Prose) {
    let header = &health.state.header;
    let mut fact = |name: &str, role: Role, parts: &[String]| {
        prose.fact(name, role, &health.joined(parts));
    };
    fact("size", Role::Text, &[files(health, status)]);
    let quiet = format!("{} of them records without a finding", number(status.quiet));
    let quiet = (status.quiet > 0).then_some(quiet);
    fact("events", Role::Text, &[vec![number(status.events)], quiet.into_iter().collect()].concat());
    // The two were counted at two moments.
    let (open, all) = (header.health.open_findings, status.findings);
    fact("findings", Role::Text, &[format!("{} open of {}", number(open), number(all.max(open)))]);
    fact("journal", Role::Text, &[counted(status.records, "record"), counted(status.actions, "action")]);
    fact("raw texts", Role::Text, &raws(health, status));
    if status.pending > 0 {
        fact("inbox", Role::Warning, &[format!("{} to be expanded", number(status.pending))]);
    }
    if status.set_aside > 0 {
        let last = header.health.problems.first().map(|problem| format!("last: {}", problem.line()));
        let count = format!("{} could not be understood", number(status.set_aside));
        fact("set aside", Role::Warning, &[vec![count], last.into_iter().collect()].concat());
    }
}

fn counted(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", number(n), if n == 1 { "" } else { "s" })
}

fn files(health: &Health, status: &StoreStatus) -> String {
    let total: u64 = status.files.iter().map(|(_, bytes)| bytes).sum();
    let files = status.files.iter().filter(|(_, bytes)| *bytes > 0);
    let files: Vec<String> = files.map(|(name, bytes)| format!("{name} {}", size(*bytes))).collect();
    format!("{}: {}", size(total), health.joined(&files))
}

fn raws(health: &Health, status: &StoreStatus) -> Vec<String> {
    let mut parts = vec![number(status.raws), size(status.raw_bytes)];
    parts.extend(status.oldest_raw.map(|at| format!("the oldest arrived {}", health.ago(at))));
    let kept = health.state.header.keep.map(|keep| format!("kept for {}", time::span(keep)));
    parts.push(kept.unwrap_or_else(|| "kept for ever".to_owned()));
    parts
}
