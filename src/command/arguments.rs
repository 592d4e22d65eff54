//! What the arguments of commands mean, as they are typed in the `:` prompt: the message, or what is wrong.

use crate::app::Msg;
use crate::app::msg::OperationAsk;
use crate::domain::iam_configuration;
use crate::domain::journal::query::JournalQuery;
use crate::domain::log::{LogAsk, LogPreset, Moment};
use crate::domain::look_up::LookUp as Asked;
use crate::domain::operation::{GROUP, LINK, Operation};
use crate::domain::profile;
use crate::domain::query::UserQuery;
use crate::domain::{FlowId, Login, Query};

/// An id has no blanks; a login may.
pub(super) fn assignment_asked(text: &str) -> Result<Msg, String> {
    let (app, user) = text.split_once(' ').unwrap_or((text, ""));
    if app.is_empty() {
        return Err("`okta-assignment` wants an application's id, and a login: `:okta-assignment 0oa… ann@example.com`".to_owned());
    }
    Ok(Msg::LookUpAsked(Asked::Assignment { app: app.to_owned(), user: user.trim().to_owned() }))
}

pub(super) fn group_asked(text: &str) -> Result<Msg, String> {
    if text.is_empty() {
        return Err("`okta-group` wants a group's whole name, or its id: `:okta-group Sales EMEA`".to_owned());
    }
    Ok(Msg::LookUpAsked(Asked::Group(text.to_owned())))
}

pub(super) fn with_fields(flow: FlowId, name: &str, text: &str) -> Result<Msg, String> {
    let fields =
        profile::pairs(text).map_err(|error| format!("`{name}`: {error}; hint: {}", error.hint()))?;
    Ok(Msg::OperationAsked(OperationAsk { flow: Some(flow), fields, ..OperationAsk::default() }))
}

/// The same, and the one-time link is not mailed, but shown to who asks for it.
pub(super) fn with_fields_for_link(flow: FlowId, name: &str, text: &str) -> Result<Msg, String> {
    match with_fields(flow, name, text)? {
        Msg::OperationAsked(ask) => {
            let inputs = [(LINK.to_owned(), true.to_string())].into();
            Ok(Msg::OperationAsked(OperationAsk { inputs, ..ask }))
        }
        other => Ok(other),
    }
}

pub(super) fn configuration_said(text: &str) -> Result<Msg, String> {
    let said = iam_configuration::entries(text)
        .map_err(|why| format!("{why}; hint: `[{{\"ApplicationID\":\"0oa…\",\"Name\":\"…\"}}]`"))?;
    Ok(Msg::LookUpAsked(Asked::ConfigurationChange(said)))
}

/// Without a login it is whom the cursor names.
pub(super) fn on_somebody(flow: FlowId, text: &str) -> Result<Msg, String> {
    let login = Some(Login::new(text)).filter(|login| !login.is_empty());
    Ok(Msg::OperationAsked(OperationAsk { flow: Some(flow), login, ..OperationAsk::default() }))
}

pub(super) fn asked(operation: Operation, text: &str) -> Result<Msg, String> {
    on_somebody(operation.flow_id(), text)
}

/// The one-time link is not mailed, but shown to who asks for it.
pub(super) fn asked_for_link(operation: Operation, text: &str) -> Result<Msg, String> {
    let login = Some(Login::new(text)).filter(|login| !login.is_empty());
    let inputs = [(LINK.to_owned(), true.to_string())].into();
    Ok(Msg::OperationAsked(OperationAsk {
        flow: Some(operation.flow_id()),
        login,
        inputs,
        ..OperationAsk::default()
    }))
}

/// A group's name may have spaces in it, so that nothing else stands beside it: it is on whom the cursor
/// names.
pub(super) fn in_group(operation: Operation, name: &str, text: &str) -> Result<Msg, String> {
    let group = text.trim();
    if group.is_empty() {
        return Err(format!("`{name}` wants a group, by its id or its whole name: `:{name} NAME`"));
    }
    let inputs = [(GROUP.to_owned(), group.to_owned())].into();
    Ok(Msg::OperationAsked(OperationAsk {
        flow: Some(operation.flow_id()),
        inputs,
        ..OperationAsk::default()
    }))
}

pub(super) fn user_named(text: &str) -> Result<Msg, String> {
    let login = Login::new(text);
    if login.is_empty() {
        Err("`user` wants a login: `:user ann@example.com`".to_owned())
    } else {
        Ok(Msg::UserNamed(login))
    }
}

pub(super) fn address_named(text: &str) -> Result<Msg, String> {
    let address: std::net::IpAddr =
        text.trim().parse().map_err(|_| format!("`{}` is not an IP address", text.trim()))?;
    Ok(Msg::AddressNamed(address.to_string()))
}

pub(super) fn filtered(text: &str) -> Result<Msg, String> {
    Query::parse(text).map(Msg::Filtered).map_err(|error| format!("{error}; {}", error.hint()))
}

pub(super) fn users_filtered(text: &str) -> Result<Msg, String> {
    UserQuery::parse(text).map(Msg::UsersFiltered)
}

pub(super) fn records_filtered(text: &str) -> Result<Msg, String> {
    JournalQuery::parse(text).map(Msg::JournalFiltered)
}

/// A preset by its name, or a filter; nothing is everything of the past day.
pub(super) fn logs_asked(text: &str) -> Result<Msg, String> {
    let ask = match LogPreset::named(text) {
        Some(_) => LogPreset::ask(text)?,
        None => LogAsk::default().with_filter(text),
    };
    Ok(Msg::LogAsked(Box::new(ask)))
}

pub(super) fn since_given(text: &str) -> Result<Msg, String> {
    Moment::parse(text).map(Msg::LogSinceGiven)
}

pub(super) fn until_given(text: &str) -> Result<Msg, String> {
    Moment::parse(text).map(Msg::LogUntilGiven)
}
