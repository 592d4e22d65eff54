//! The form of a flow's inputs: what has to be said before there is a request to be shown.
//!
//! One field an input, in the declared order. What is typed is held to what `--input` takes, while it is typed;
//! nothing is read and nothing is sent. Enter on the last field opens the card with exactly these values, and
//! the card leads back here with them. A field that is left empty gives no value: then the finding fills the
//! input in, or its default does.

use super::card;
use super::effect::{Effect, RunAsk};
use super::flows::FlowList;
use super::msg::Motion;
use super::prompt;
use super::state::{Overlay, State};
use crate::domain::flow::{Input as Declared, InputType};
use crate::domain::payload::wanted::{self, Otherwise};
use crate::domain::profile::ProfileMap;
use crate::domain::{Flow, Untrusted};
use std::collections::BTreeMap;
use tui_input::{Input, InputRequest};

/// The form of a flow's inputs.
#[derive(Debug, Clone)]
pub struct Form {
    /// On whom, from where; its inputs are those of the card that it led to before.
    pub ask: RunAsk,
    /// The flow.
    pub flow: Flow,
    /// Its inputs.
    pub fields: Vec<Field>,
    /// Which field takes the keys.
    pub at: usize,
    /// The list that it was chosen from.
    list: Option<Box<FlowList>>,
}

/// One input.
#[derive(Debug, Clone)]
pub struct Field {
    /// As it is declared.
    pub declared: Declared,
    /// Where it gets its value if nobody gives it one.
    pub otherwise: Otherwise,
    /// What is typed.
    pub typed: Input,
    /// What is wrong with it.
    pub error: Option<String>,
}

/// What is wrong with a field that has to be filled in and is not.
const REQUIRED: &str = "has to be filled in";

impl Field {
    fn of(flow: &Flow, declared: &Declared, said: Option<&String>) -> Field {
        Field {
            otherwise: wanted::otherwise(flow, declared),
            typed: Input::new(said.cloned().unwrap_or_default()),
            error: None,
            declared: declared.clone(),
        }
    }

    /// Whether it can be filled in.
    pub fn is_open(&self) -> bool {
        self.otherwise.is_open()
    }

    fn is_toggle(&self) -> bool {
        self.declared.kind == InputType::Boolean
    }

    /// What it gives: nothing where nothing is typed.
    fn given(&self) -> Option<&str> {
        Some(self.typed.value()).filter(|text| self.is_open() && !text.trim().is_empty())
    }

    /// Its value, if it gives one.
    fn value(&self, flow: &Flow, map: &ProfileMap) -> Result<Option<String>, String> {
        match self.given() {
            Some(text) => wanted::value(flow, &self.declared, text, map).map(Some),
            None => Ok(None),
        }
    }

    /// A wrong value is said as it is typed; that nothing is there, only when the form is to be left.
    fn look(&mut self, flow: &Flow, map: &ProfileMap) {
        self.error = self.value(flow, map).err();
    }

    fn is_missing(&self) -> bool {
        self.otherwise == Otherwise::Required && self.given().is_none()
    }

    /// A switch takes one key; its letters are not typed.
    fn toggle(&mut self, request: InputRequest) {
        let next = match (request, self.typed.value()) {
            (InputRequest::InsertChar(' '), "true") => "false",
            (InputRequest::InsertChar(' '), _) => "true",
            (InputRequest::InsertChar(_), _) => return,
            (request, _) if is_deletion(request) => "",
            _ => return,
        };
        self.typed = Input::new(next.to_owned());
    }
}

fn is_deletion(request: InputRequest) -> bool {
    matches!(
        request,
        InputRequest::DeletePrevChar
            | InputRequest::DeleteNextChar
            | InputRequest::DeletePrevWord
            | InputRequest::DeleteNextWord
            | InputRequest::DeleteLine
            | InputRequest::DeleteFromStart
            | InputRequest::DeleteTillEnd
    )
}

impl Form {
    fn new(ask: RunAsk, flow: Flow, list: Option<Box<FlowList>>) -> Form {
        let field = |declared: &Declared| Field::of(&flow, declared, ask.inputs.get(&declared.name));
        let fields: Vec<Field> = flow.inputs.iter().map(field).collect();
        let at = fields.iter().position(Field::is_open).unwrap_or_default();
        Form { fields, at, ask, flow, list }
    }

    /// What was said of it afterwards is wrong, as far as one of its fields is named: that field says so, and takes the
    /// keys. Answers whether one is.
    pub(super) fn is_told(&mut self, why: &str) -> bool {
        let named = |field: &Field| Some(format!("`{}`", Untrusted::from(field.given()?)));
        let place = |field: &Field| why.find(&named(field)?);
        let Some((at, from)) =
            self.fields.iter().enumerate().find_map(|(at, field)| Some((at, place(field)?)))
        else {
            return false;
        };
        if let Some(field) = self.fields.get_mut(at) {
            field.error = why.get(from..).map(str::to_owned);
        }
        self.at = at;
        true
    }

    /// Whether the field that takes the keys is a switch.
    pub fn takes_switch(&self) -> bool {
        self.fields.get(self.at).is_some_and(|field| field.is_open() && field.is_toggle())
    }

    fn current(&mut self) -> Option<&mut Field> {
        self.fields.get_mut(self.at).filter(|field| field.is_open())
    }

    /// The next field in a direction that can be filled in; `None` at the end.
    fn beside(&self, motion: Motion) -> Option<usize> {
        let is_open = |at: &usize| self.fields.get(*at).is_some_and(Field::is_open);
        match motion {
            Motion::Up | Motion::HalfUp => (0..self.at).rev().find(is_open),
            Motion::Down | Motion::HalfDown => (self.at + 1..self.fields.len()).find(is_open),
            Motion::Top => (0..self.fields.len()).find(is_open),
            Motion::End => (0..self.fields.len()).rev().find(is_open),
        }
    }

    /// Looks at all of them; the first that will not do takes the keys.
    fn check(&mut self, map: &ProfileMap) -> Result<BTreeMap<String, String>, ()> {
        let mut values = BTreeMap::new();
        for field in &mut self.fields {
            match field.value(&self.flow, map) {
                Ok(Some(value)) => drop(values.insert(field.declared.name.clone(), value)),
                Ok(None) if field.is_missing() => field.error = Some(REQUIRED.to_owned()),
                Ok(None) => {}
                Err(why) => field.error = Some(why),
            }
        }
        match self.fields.iter().position(|field| field.error.is_some()) {
            Some(at) => {
                self.at = at;
                Err(())
            }
            None => Ok(values),
        }
    }
}

/// Opens the form of a flow, or its card where it asks for nothing.
pub fn open_or_card(state: &mut State, flow: &Flow, ask: RunAsk, list: Option<Box<FlowList>>) -> Vec<Effect> {
    if !wanted::asks(flow) {
        return card::open(state, ask);
    }
    state.overlay = Some(Overlay::Form(Box::new(Form::new(ask, flow.clone(), list))));
    Vec::new()
}

/// Whether a card leads to a form: its flow can be told something, and it undoes nothing, which would be another
/// thing with other values.
pub fn is_of(flows: &[Flow], ask: &RunAsk) -> bool {
    let flow = flows.iter().find(|flow| Some(&flow.id) == ask.flow.as_ref());
    ask.undoes.is_none() && flow.is_some_and(|flow| wanted::listens(flow) && !flow.creates())
}

/// The card leads back: to the form that it came from, or to one with what it was asked with.
pub fn asked(state: &mut State) -> Vec<Effect> {
    let now = state.now;
    let card = match &mut state.overlay {
        Some(Overlay::Card(card)) if card.takes_form(now) => card,
        _ => return Vec::new(),
    };
    let (ask, kept) = (card.ask.clone(), card.form.take());
    let flow = state.settings.flows.iter().find(|flow| Some(&flow.id) == ask.flow.as_ref()).cloned();
    let Some(form) = kept.or_else(|| Some(Box::new(Form::new(ask, flow?, None)))) else { return Vec::new() };
    state.overlay = Some(Overlay::Form(form));
    card::given_up(state)
}

fn form(state: &mut State) -> Option<(&mut Form, &ProfileMap)> {
    match &mut state.overlay {
        Some(Overlay::Form(form)) => Some((form.as_mut(), &state.settings.profile_map)),
        _ => None,
    }
}

/// The field was edited.
pub fn edited(state: &mut State, request: InputRequest) {
    let Some((form, map)) = form(state) else { return };
    let flow = form.flow.clone();
    let Some(field) = form.current() else { return };
    if field.is_toggle() {
        field.toggle(request);
    } else {
        field.typed.handle(request);
    }
    field.look(&flow, map);
}

/// A text was pasted into the field.
pub fn pasted(state: &mut State, text: &str) {
    let Some((form, map)) = form(state) else { return };
    let flow = form.flow.clone();
    let Some(field) = form.current().filter(|field| !field.is_toggle()) else { return };
    // What is copied as a line has its end with it: that is no part of a value.
    prompt::pasted(&mut field.typed, text.trim_end_matches(['\r', '\n']));
    field.look(&flow, map);
}

/// Another field takes the keys; behind the last one comes the first.
pub fn moved(state: &mut State, motion: Motion) {
    let Some((form, _)) = form(state) else { return };
    let around = if matches!(motion, Motion::Up | Motion::HalfUp) { Motion::End } else { Motion::Top };
    form.at = form.beside(motion).or_else(|| form.beside(around)).unwrap_or(form.at);
}

/// The field was left with enter: the next one takes the keys, or the card opens with these values.
pub fn submitted(state: &mut State) -> Vec<Effect> {
    let Some((form, map)) = form(state) else { return Vec::new() };
    if let Some(next) = form.beside(Motion::Down) {
        form.at = next;
        return Vec::new();
    }
    let Ok(inputs) = form.check(map) else { return Vec::new() };
    form.ask = RunAsk { inputs, insists: false, ..form.ask.clone() };
    let (ask, form) = (form.ask.clone(), Box::new(form.clone()));
    card::open_from(state, ask, form)
}

/// The form was left: back to the list that it was chosen from, if it was.
pub fn left(state: &mut State) -> bool {
    let Some((form, _)) = form(state) else { return false };
    let list = form.list.take();
    let is_back = list.is_some();
    state.overlay = list.map(Overlay::Flows);
    if !is_back {
        state.notice.say(state.now, "not sent");
    }
    true
}
