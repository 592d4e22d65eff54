//! Which key means which command where: the defaults, and what the configuration changes.

use super::context::Context;
use super::keys::Key;
use super::registry::{COMMANDS, Command, find};
use std::collections::{BTreeMap, HashMap};

/// Which key means which command where.
#[derive(Debug, Clone)]
pub struct Keymap {
    bound: HashMap<(Context, Key), &'static Command>,
    shown: HashMap<&'static str, Vec<Key>>,
}

impl Keymap {
    /// The default keys with the configured ones in their place.
    ///
    /// # Errors
    /// Every bad binding at once: unknown commands, unknown keys, clashes.
    pub fn new(configured: &BTreeMap<String, Vec<String>>) -> Result<Keymap, Vec<String>> {
        let mut problems: Vec<String> = configured
            .keys()
            .filter(|id| !COMMANDS.iter().any(|command| command.id == id.as_str()))
            .map(|id| format!("`console.keys.{id}`: there is no such command; hint: `?` lists them"))
            .collect();
        let mut keymap = Keymap { bound: HashMap::new(), shown: HashMap::new() };
        for command in COMMANDS {
            let spelt = match configured.get(command.id) {
                Some(keys) => keys.iter().map(String::as_str).collect(),
                None => command.keys.to_vec(),
            };
            for text in spelt {
                match Key::parse(text) {
                    Ok(key) => keymap.bind(command, key, &mut problems),
                    Err(why) => problems.push(format!("`console.keys.{}`: {why}", command.id)),
                }
            }
        }
        if problems.is_empty() { Ok(keymap) } else { Err(problems) }
    }

    fn bind(&mut self, command: &'static Command, key: Key, problems: &mut Vec<String>) {
        for context in command.contexts {
            if let Some(other) = self.bound.insert((*context, key), command) {
                problems.push(format!(
                    "`console.keys.{}`: `{key}` is `{}` on the screen {} already",
                    command.id,
                    other.id,
                    context.word()
                ));
            }
        }
        self.shown.entry(command.id).or_default().push(key);
    }

    /// The command of a key.
    pub fn command(&self, context: Context, key: Key) -> Option<&'static Command> {
        self.bound.get(&(context, key)).copied()
    }

    /// Whether a key is one of a command's, wherever that can be used.
    pub fn is_of(&self, id: &str, key: Key) -> bool {
        self.keys_of(id).any(|other| *other == key)
    }

    /// The keys of a command, as they are spelt on the screen.
    pub fn keys(&self, id: &str) -> Vec<String> {
        self.keys_of(id).map(Key::to_string).collect()
    }

    /// Those of them that a text field leaves alone.
    pub fn keys_beside_field(&self, id: &str) -> Vec<String> {
        self.keys_of(id).filter(|key| key.is_left_by_field()).map(Key::to_string).collect()
    }

    fn keys_of(&self, id: &str) -> impl Iterator<Item = &Key> {
        find(id).and_then(|command| self.shown.get(command.id)).into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_bind_without_a_clash() {
        Keymap::new(&BTreeMap::new()).unwrap();
    }

    #[test]
    fn all_bad_bindings_are_told_at_once() {
        let configured = BTreeMap::from([
            ("no.such".to_owned(), vec!["x".to_owned()]),
            ("finding.claim".to_owned(), vec!["hyper-q".to_owned()]),
            ("finding.note".to_owned(), vec!["x".to_owned()]),
        ]);
        let problems = Keymap::new(&configured).unwrap_err();
        assert_eq!(problems.len(), 5, "{problems:#?}");
    }

    #[test]
    fn a_configured_key_takes_the_place_of_the_default() {
        let configured = BTreeMap::from([("finding.note".to_owned(), vec!["m".to_owned()])]);
        let keymap = Keymap::new(&configured).unwrap();
        assert_eq!(keymap.keys("finding.note"), vec!["m"]);
        assert!(keymap.command(Context::Feed, Key::parse("n").unwrap()).is_none());
    }
}
