//! The commented configuration that `init` writes.

/// As it is written: everything commented out, so that it is a working configuration of defaults.
pub const TEMPLATE: &str = include_str!("template.toml");

/// The template with every setting uncommented: a comment is prose when a blank follows its `#`.
#[cfg(test)]
pub(crate) fn uncommented() -> String {
    let settings = TEMPLATE.lines().map(|line| match line.strip_prefix('#') {
        // The elements of a list are indented settings.
        Some(setting) if setting.starts_with("  {") => setting,
        Some(setting) if !setting.is_empty() && !setting.starts_with(' ') => setting,
        _ => "",
    });
    settings.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::mean::{Surroundings, mean};
    use crate::config::problem::{Problem, Problems};
    use crate::config::reference::SETTINGS;
    use crate::config::{Config, shape};
    use std::path::Path;

    fn meant(text: &str) -> Result<Config, Vec<Problem>> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), "").unwrap();
        let mut problems = Problems::default();
        let said = shape::said(text.parse().unwrap(), &mut problems);
        let around =
            Surroundings { folder: folder.path(), default_store: Some(Path::new("/state/idtriage.db")) };
        mean(said, around, problems, &mut |_| Ok("secret".to_owned().into()))
    }

    #[test]
    fn as_written_it_means_the_defaults() {
        let config = meant(TEMPLATE).unwrap();
        assert_eq!(config.store, "sqlite:/state/idtriage.db");
        assert_eq!((config.sources.len(), config.flows.len()), (0, 9));
    }

    #[test]
    fn uncommented_it_means_everything() {
        let config = meant(&uncommented()).unwrap_or_else(|problems| panic!("{problems:#?}"));
        assert_eq!((config.sources.len(), config.flows.len()), (10, 26));
        assert_eq!((config.rules.rules.len(), config.notify.len()), (3, 3));
        assert!(config.cii.is_some() && config.okta.is_some_and(|okta| okta.service_app.is_some()));
        assert_eq!(
            config.guard.protected,
            ["break-glass@example.com", "group:admins", "classification:executive"]
        );
    }

    #[test]
    fn it_mentions_every_setting_under_its_heading() {
        let text = uncommented();
        for setting in SETTINGS {
            let sections =
                text.split("\n[").filter(|section| format!("[{section}").starts_with(setting.table));
            let key = format!("{} = ", setting.key);
            let is_mentioned = sections.flat_map(str::lines).any(|line| line.starts_with(&key));
            assert!(is_mentioned, "{} {}", setting.table, setting.key);
        }
    }
}
