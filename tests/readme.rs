//! Holds the README to the program: its tables, its command lines, its links and the files it names.
//!
//! `IDTRIAGE_UPDATE_README=1 cargo test --test readme` rewrites the tables.
#![expect(clippy::panic, reason = "helpers of tests outside of test functions")]

#[path = "readme/xsoar.rs"]
mod xsoar;

use clap::Parser;
use idtriage::cli::args::Arguments;
use std::fs;
use std::path::{Path, PathBuf};

const UPDATE: &str = "IDTRIAGE_UPDATE_README";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn path() -> PathBuf {
    root().join("README.md")
}

/// The README with what its markers enclose made anew.
fn with_tables(readme: &str) -> String {
    let tables = [
        ("keys", idtriage::command::reference::table()),
        ("configuration", idtriage::config::reference::table()),
    ];
    let tables = tables.into_iter().chain(xsoar::tables());
    tables.fold(readme.to_owned(), |readme, (name, table)| replaced(&readme, name, &table))
}

fn replaced(readme: &str, name: &str, table: &str) -> String {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let Some((before, rest)) = readme.split_once(&begin) else {
        panic!("README.md: the marker `<!-- {name} -->` is gone: put it back on a line of its own");
    };
    let Some((_, after)) = rest.split_once(&end) else {
        panic!("README.md: the marker `{end}` is gone: put it back behind the table");
    };
    format!("{before}{begin}\n{table}\n{end}{after}")
}

/// Updating and checking are one test, so that a check never reads a file that is being written.
#[test]
fn the_tables_are_those_of_the_code() {
    let readme = fs::read_to_string(path()).unwrap();
    let wanted = with_tables(&readme);
    if std::env::var_os(UPDATE).is_some() {
        return fs::write(path(), wanted).unwrap();
    }
    let differing = readme.lines().zip(wanted.lines()).enumerate().find(|(_, (has, wants))| has != wants);
    if let Some((at, (has, wants))) = differing {
        panic!(
            "README.md:{}: has\n{has}\nwants\n{wants}\n{UPDATE}=1 cargo test --test readme mends it",
            at + 1
        );
    }
    assert_eq!(readme.len(), wanted.len(), "README.md: {UPDATE}=1 cargo test --test readme mends it");
}

/// Each line of a shell block that calls the program.
fn command_lines(readme: &str) -> Vec<(usize, String)> {
    let mut is_shell = false;
    let mut lines = Vec::new();
    for (at, line) in readme.lines().enumerate() {
        if line.starts_with("```") {
            is_shell = line == "```sh";
        } else if is_shell && line.trim_start().starts_with("idtriage") {
            let line = line.split(" #").next().unwrap_or_default().trim();
            lines.push((at + 1, line.to_owned()));
        }
    }
    lines
}

/// The words of a command line; quotes hold words together.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, part) in line.split(['\'', '"']).enumerate() {
        match at % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

#[test]
fn the_command_lines_are_understood() {
    let readme = fs::read_to_string(path()).unwrap();
    let lines = command_lines(&readme);
    assert!(lines.len() >= 10, "README.md: where have the command lines gone?");
    for (at, line) in lines {
        let parsed = Arguments::try_parse_from(words(&line));
        assert!(parsed.is_ok(), "README.md:{at}: `{line}`: {}", parsed.unwrap_err());
    }
}

/// Links of the form `](path)`, and paths in backticks that begin with a folder of the project.
fn named_paths(line: &str) -> Vec<String> {
    let linked = line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(to, _)| to);
    let linked = linked.filter(|to| !to.contains("://") && !to.starts_with('#'));
    let quoted = line.split('`').skip(1).step_by(2);
    let quoted =
        quoted.filter(|text| ["src/", "tests/", "themes/", ".ci/"].iter().any(|f| text.starts_with(f)));
    linked.chain(quoted).filter(|path| !path.contains(['*', ' ', '<'])).map(str::to_owned).collect()
}

#[test]
fn the_files_that_it_names_exist() {
    let readme = fs::read_to_string(path()).unwrap();
    for (at, line) in readme.lines().enumerate() {
        for named in named_paths(line) {
            assert!(root().join(&named).exists(), "README.md:{}: `{named}` is not there any more", at + 1);
        }
    }
}
