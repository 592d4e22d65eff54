//! The `:` prompt: what a line means, and which commands it may still become.

use super::context::Context;
use super::keymap::Keymap;
use super::press::FILTER;
use super::registry::{Act, COMMANDS, Command, find};
use crate::app::Msg;
use crate::app::prompt::Prompt;
use frizbee::{Config, Matcher};

/// One line of the palette.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaletteLine {
    /// The name, with its argument: `user LOGIN`.
    pub name: String,
    /// Its keys.
    pub keys: String,
    /// A few words.
    pub title: &'static str,
    /// Whether enter runs it.
    pub is_selected: bool,
    /// Whether it does something on the screen below.
    pub is_usable: bool,
}

/// The commands that a line may become, the best first; the empty line lists all. Those that do nothing
/// on the screen below come after the others, except for the one whose name is typed in full.
pub fn candidates(text: &str, screen: Context) -> Vec<&'static Command> {
    let word = text.split_whitespace().next().unwrap_or_default();
    let mut found = matching(text);
    found.sort_by_key(|command| (command.name != word && command.id != word, !is_usable(command, screen)));
    found
}

fn is_usable(command: &Command, screen: Context) -> bool {
    command.contexts.contains(&screen)
}

fn matching(text: &str) -> Vec<&'static Command> {
    let word = text.split_whitespace().next().unwrap_or_default();
    let named: Vec<&Command> = COMMANDS.iter().filter(|command| !command.name.contains('.')).collect();
    if word.is_empty() {
        return named;
    }
    if let (Some(exact), true) = (find(word), text.contains(' ')) {
        return vec![exact];
    }
    let spelt: Vec<String> =
        named.iter().map(|command| format!("{} {}", command.name, command.title)).collect();
    let mut matches = Matcher::new(text.trim(), &Config::default()).match_list(&spelt);
    matches
        .sort_by_key(|found| (std::cmp::Reverse(found.exact), std::cmp::Reverse(found.score), found.index));
    let mut found: Vec<&'static Command> =
        matches.iter().filter_map(|found| named.get(found.index as usize).copied()).collect();
    if let Some(exact) = find(word).filter(|exact| found.iter().all(|command| command.id != exact.id)) {
        found.push(exact);
    }
    found
}

/// What a line means when enter is pressed: an exact name with its argument, else the selected one.
///
/// # Errors
/// A sentence that says what was not understood.
pub fn meant(text: &str, choice: usize, screen: Context) -> Result<Msg, String> {
    let (name, argument) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    if let Some(command) = find(name).filter(|_| choice == 0) {
        return here(command, argument, screen);
    }
    let all = candidates(text, screen);
    match all.get(choice.min(all.len().saturating_sub(1))) {
        Some(command) => here(command, "", screen),
        None => Err(format!("there is no command `{}`; hint: an empty line lists them", name)),
    }
}

/// A filter is typed for the screen below alone.
fn here(command: &Command, argument: &str, screen: Context) -> Result<Msg, String> {
    if command.id == FILTER && !is_usable(command, screen) {
        return Err(not_here(screen));
    }
    meant_as(command.name, argument)
}

/// That a screen has no filter.
pub(super) fn not_here(screen: Context) -> String {
    format!("nothing is filtered here ({}); hint: `:where` filters the feed from any screen", screen.word())
}

/// What a command means with an argument.
///
/// # Errors
/// A sentence that says what is wrong with the argument.
pub fn meant_as(name: &str, argument: &str) -> Result<Msg, String> {
    match find(name).map(|command| command.act) {
        Some(Act::Msg(msg)) => Ok(msg()),
        Some(Act::Argument { parse, .. }) => parse(argument.trim()),
        None => Err(format!("there is no command `{name}`")),
    }
}

/// The line with the selected command's name in it.
pub fn completion(text: &str, choice: usize, screen: Context) -> Option<String> {
    let all = candidates(text, screen);
    let command = all.get(choice.min(all.len().saturating_sub(1)))?;
    let argument = text.trim_start().split_once(' ').map(|(_, argument)| argument).unwrap_or_default();
    match command.act {
        Act::Msg(_) => Some(command.name.to_owned()),
        Act::Argument { .. } => Some(format!("{} {argument}", command.name)),
    }
}

/// The palette under a prompt.
pub fn lines(prompt: &Prompt, keymap: &Keymap, screen: Context) -> Vec<PaletteLine> {
    let all = candidates(prompt.input.value(), screen);
    let choice = prompt.choice.min(all.len().saturating_sub(1));
    let line = |(at, command): (usize, &&Command)| PaletteLine {
        name: spelt(command),
        keys: keymap.keys(command.id).join(" "),
        title: command.title,
        is_selected: at == choice,
        is_usable: is_usable(command, screen),
    };
    all.iter().enumerate().map(line).collect()
}

fn spelt(command: &Command) -> String {
    match command.act {
        Act::Msg(_) => command.name.to_owned(),
        Act::Argument { name, .. } => format!("{} {name}", command.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::msg::OperationAsk;
    use crate::domain::Login;
    use crate::domain::operation::Operation;

    #[test]
    fn a_line_means_its_command() {
        let suspended = |login| {
            let flow = Some(Operation::Suspend.flow_id());
            Ok(Msg::OperationAsked(OperationAsk { flow, login, ..OperationAsk::default() }))
        };
        let added = OperationAsk {
            flow: Some(Operation::AddToGroup.flow_id()),
            login: None,
            inputs: [("group".to_owned(), "Sales EMEA".to_owned())].into(),
            fields: Vec::new(),
        };
        assert_eq!(meant("add-to-group Sales EMEA", 0, Context::Feed), Ok(Msg::OperationAsked(added)));
        assert!(meant("add-to-group", 0, Context::Feed).unwrap_err().contains("`:add-to-group NAME`"));
        assert_eq!(meant("suspend Ann@x", 0, Context::Feed), suspended(Some(Login::new("ann@x"))));
        assert_eq!(meant("suspend", 0, Context::Feed), suspended(None));
        assert_eq!(meant("user Ann@x", 0, Context::Feed), Ok(Msg::UserNamed(Login::new("ann@x"))));
        assert_eq!(meant("journal", 0, Context::Feed), Ok(Msg::JournalAsked));
        assert_eq!(meant("ip 10.0.0.1", 0, Context::Feed), Ok(Msg::AddressNamed("10.0.0.1".into())));
        assert!(meant("ip here", 0, Context::Feed).unwrap_err().contains("`here` is not an IP address"));
        assert!(meant("user", 0, Context::Feed).is_err());
        assert!(meant("where severity>bad", 0, Context::Feed).unwrap_err().contains("hint:"));
    }

    #[test]
    fn a_few_letters_find_it() {
        assert_eq!(candidates("jour", Context::Feed)[0].name, "journal");
        assert_eq!(completion("us", 0, Context::Feed).unwrap(), "user ");
        assert_eq!(meant("jrnl", 0, Context::Feed), Ok(Msg::JournalAsked));
    }

    #[test]
    fn a_filter_is_typed_where_there_is_one() {
        assert_eq!(meant("filter", 0, Context::Journal), Ok(Msg::FilterAsked));
        for screen in [Context::User, Context::Address, Context::Raw, Context::Health, Context::LookUp] {
            let why = meant("filter", 0, screen).unwrap_err();
            assert!(why.starts_with("nothing is filtered here") && why.contains(screen.word()), "{why}");
        }
    }

    #[test]
    fn what_does_something_here_comes_first() {
        let all = candidates("", Context::Journal);
        let usable = all.iter().take_while(|command| is_usable(command, Context::Journal)).count();
        assert!(usable > 0 && all.iter().skip(usable).all(|command| !is_usable(command, Context::Journal)));
        assert_eq!(candidates("claim", Context::Journal)[0].name, "claim");
    }
}
