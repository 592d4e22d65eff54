//! A configuration that says nothing.

use idtriage::config::Config;
use idtriage::config::meant::{Address, Console, Guard, Listen, Net};

pub(crate) fn nothing() -> Config {
    Config {
        store: String::new(),
        keep: None,
        listen: Listen { address: Address::Tcp("127.0.0.1:0".parse().unwrap()), tls: None },
        net: Net::default(),
        sources: vec![],
        log_checks: Default::default(),
        rules: Default::default(),
        notify: vec![],
        cii: None,
        okta: None,
        profiles: Default::default(),
        flows: vec![],
        guard: Guard::default(),
        console: Console::default(),
    }
}
