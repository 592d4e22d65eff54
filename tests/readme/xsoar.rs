//! What Cortex XSOAR's Okta IAM integration has, and what of it is where here: its commands with their
//! arguments, its settings, and its defects with the tests that show each mended.
//!
//! Each row is proven before it is printed: a command line parses, a command of the prompt is registered, a
//! setting is in the reference, and a test is there and is run.
#![expect(clippy::panic, reason = "helpers of tests outside of test functions")]

use clap::Parser;
use idtriage::cli::args::Arguments;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// An argument of a command of XSOAR's.
pub(crate) struct Argument {
    /// As XSOAR spells it.
    name: &'static str,
    /// Something that it takes.
    sample: &'static str,
    /// What stands for it in the command line of ours.
    ours: &'static str,
    /// What is to be known of that.
    words: &'static str,
    is_required: bool,
}

impl Argument {
    const fn but(self, words: &'static str) -> Argument {
        Argument { words, ..self }
    }
}

const fn required(name: &'static str, sample: &'static str, ours: &'static str) -> Argument {
    Argument { name, sample, ours, words: "", is_required: true }
}

const fn optional(name: &'static str, sample: &'static str, ours: &'static str) -> Argument {
    Argument { is_required: false, ..required(name, sample, ours) }
}

/// A command of XSOAR's.
pub(crate) struct Command {
    name: &'static str,
    arguments: &'static [Argument],
    /// The command lines that do the same, without the program's name.
    ours: &'static [&'static str],
    /// The commands of the prompt that do the same.
    prompt: &'static [&'static str],
}

const PROFILE: &str = r#"{"email":"ann@example.com","surname":"Test","givenname":"Ann"}"#;

const COMMANDS: &[Command] = &[
    Command {
        name: "iam-get-user",
        arguments: &[required("user-profile", PROFILE, "LOGIN")],
        ours: &["okta user get LOGIN"],
        prompt: &["okta-user"],
    },
    Command {
        name: "iam-create-user",
        arguments: &[
            required("user-profile", PROFILE, "--profile")
                .but("with a login in it, and only for who is not there: XSOAR's name changes who is"),
            optional("allow-enable", "true", ""),
        ],
        ours: &["okta user create --profile JSON --activate"],
        prompt: &["create-user", "create-and-activate"],
    },
    Command {
        name: "iam-update-user",
        arguments: &[
            required("user-profile", PROFILE, "--profile")
                .but("the fields to change; LOGIN says whose. Only XSOAR's name heeds `create_if_missing`"),
            optional("allow-enable", "true", ""),
        ],
        ours: &["okta user update LOGIN --profile JSON"],
        prompt: &["update-user"],
    },
    Command {
        name: "iam-disable-user",
        arguments: &[required("user-profile", PROFILE, "LOGIN")],
        ours: &["okta user disable LOGIN"],
        prompt: &["deactivate"],
    },
    Command {
        name: "iam-enable-user",
        arguments: &[required("user-profile", PROFILE, "LOGIN")],
        ours: &["okta user enable LOGIN"],
        prompt: &["activate"],
    },
    Command { name: "get-mapping-fields", arguments: &[], ours: &["okta fields"], prompt: &["okta-fields"] },
    Command {
        name: "okta-get-app-user-assignment",
        arguments: &[
            required("user_id", "00u1example", "--user"),
            required("application_id", "0oa1example", "--app"),
        ],
        ours: &["okta app assignment --user LOGIN --app ID"],
        prompt: &["okta-assignment"],
    },
    Command {
        name: "okta-iam-list-applications",
        arguments: &[
            optional("query", "Sales", "--q"),
            optional("page", "1", "--page"),
            optional("limit", "50", "--limit"),
        ],
        ours: &["okta app list --q TEXT --page 0 --limit 50", "okta app list --all"],
        prompt: &["okta-apps"],
    },
    Command {
        name: "okta-iam-list-user-applications",
        arguments: &[required("user_id", "00u1example", "LOGIN")],
        ours: &["okta user apps LOGIN"],
        prompt: &["okta-user-apps"],
    },
    Command {
        name: "okta-iam-get-configuration",
        arguments: &[],
        ours: &["okta config get"],
        prompt: &["okta-config"],
    },
    Command {
        name: "okta-iam-set-configuration",
        arguments: &[required("configuration", r#"[{"ApplicationID":"0oa1example"}]"#, "--configuration")],
        ours: &["okta config set --configuration JSON --yes"],
        prompt: &["okta-config-set", "okta-config-keep"],
    },
    Command {
        name: "iam-get-group",
        arguments: &[
            required("scim", r#"{"displayName":"Sales"}"#, "--name"),
            optional("includeMembers", "true", "--members"),
        ],
        ours: &["okta group get --name NAME --members", "okta group get --id ID --members"],
        prompt: &["okta-group"],
    },
    Command {
        name: "okta-get-logs",
        arguments: &[
            optional("filter", r#"eventType eq "user.session.start""#, "--filter"),
            optional("since", "2017-05-03T16:22:18Z", "--since"),
            optional("until", "2017-05-04T16:22:18Z", "--until"),
            optional("sortOrder", "DESCENDING", "--sort-order"),
            optional("limit", "1000", "--limit"),
        ],
        ours: &["okta logs --filter FILTER --since 2h --until now --sort-order descending --limit 100"],
        prompt: &["logs"],
    },
];

/// What the integration does wrong, and what is done here instead.
pub(crate) struct Defect {
    number: &'static str,
    there: &'static str,
    here: &'static str,
    /// The tests that show it.
    tests: &'static [&'static str],
}

const fn defect(
    number: &'static str,
    there: &'static str,
    here: &'static str,
    tests: &'static [&'static str],
) -> Defect {
    Defect { number, there, here, tests }
}

const DEFECTS: &[Defect] = &[
    defect(
        "1",
        "more events than `max_fetch` are lost",
        "events and the place read up to are one commit: of 600, 600 are there",
        &[
            "of_six_hundred_records_xsoar_delivers_three_hundred_and_we_store_all",
            "a_commit_that_fails_moves_neither_the_events_nor_the_cursor",
        ],
    ),
    defect(
        "2",
        "windows with an end miss late events, and repeat at their edges",
        "polling without an end; what has a uuid is stored once",
        &[
            "a_polling_has_no_end_and_is_ascending",
            "a_hundred_thousand_records_are_there_once_whatever_goes_wrong",
        ],
    ),
    defect(
        "3",
        "the next page is asked for with parameters appended",
        "its address is used as Okta gave it",
        &["records_come_as_they_were_written_and_the_next_address_is_used_as_it_stands"],
    ),
    defect(
        "4",
        "local time is called UTC",
        "UTC everywhere; a clock that is off is pointed out and moves nothing",
        &["clocks_that_are_apart_are_pointed_out_and_change_no_place"],
    ),
    defect(
        "5",
        "the automatic filter leaves changed profiles out and compares ids with `co`",
        "it has them, uses `eq`, is shown before it is used; another filter is another reading",
        &[
            "a_filter_is_made_from_applications",
            "doctor_shows_the_filter_before_it_is_used_and_says_what_is_refused",
            "other_terms_are_another_reading",
        ],
    ),
    defect(
        "6",
        "`sortOrder` is ignored",
        "order and limit hold over all pages; that a look with an end may miss late ones is said",
        &[
            "either_order_is_honoured_over_all_pages",
            "a_limit_holds_over_pages",
            "okta_logs_prints_records_as_json_as_csv_and_as_a_table",
        ],
    ),
    defect(
        "7",
        "a group of more than one page fails; outputs are not as documented",
        "all pages of members, under the documented names; one HTTP client for all calls",
        &[
            "every_member_is_listed_over_all_pages_under_the_documented_names",
            "outputs_have_the_names_that_are_documented",
            "libraries_stay_in_their_places",
        ],
    ),
    defect(
        "8",
        "a user's applications stop at one page; an empty logo list crashes the list, which begins anew for each page",
        "all pages; any form of links is read; `--all` reads each page once (a page's number means nothing to Okta)",
        &["applications_are_listed_over_all_pages_whatever_their_logo_is"],
    ),
    defect(
        "9",
        "whoever is not deactivated is called active",
        "the status as it is, and whether it can sign in: yes, no or unknown",
        &["a_user_is_told_with_the_real_status_under_xsoars_names", "only_who_is_active_can_sign_in"],
    ),
    defect(
        "10",
        "any `E0000007` is \"already disabled\"",
        "a read tells what is not there: user, application, assignment, or nothing to do",
        &["a_404_is_told_apart_where_it_is_oktas_own", "an_assignment_has_three_answers_and_not_two"],
    ),
    defect(
        "11",
        "the activation link is dropped, and a user without a password is called active",
        "mailed or handed over once, kept nowhere; the status is read again",
        &[
            "made_and_activated_are_two_actions_and_the_link_is_shown_once",
            "a_link_is_handed_on_and_kept_nowhere",
        ],
    ),
    defect(
        "12",
        "creating somebody who is deactivated activates them",
        "that is an action of its own, with its own confirmation",
        &[
            "who_is_deactivated_is_neither_changed_nor_activated_by_the_way",
            "a_deactivated_account_comes_back_only_by_its_own_operation",
        ],
    ),
    defect(
        "13",
        "there is no other answer than deactivating",
        "every lifecycle operation and the end of sessions; what destroys wants the login typed",
        &[
            "each_operation_is_its_documented_request",
            "what_destroys_wants_the_login_typed",
            "containing_runs_the_second_unless_the_first_was_refused",
        ],
    ),
    defect(
        "14",
        "a mail address of two users is nobody's, and one more is created",
        "both are named, and none is taken",
        &[
            "several_users_of_one_mail_address_are_candidates_and_none_is_chosen",
            "several_of_one_mail_address_are_listed_and_none_is_touched",
            "who_cannot_be_looked_for_is_not_made",
        ],
    ),
    defect(
        "15",
        "no request id, no waits by the headers, no trail",
        "codes are text; waits are as the headers say; the request id is in every receipt, and the journal is a chain of hashes",
        &[
            "a_reset_is_compared_with_the_servers_own_date",
            "an_okta_error_keeps_its_code_and_request_id",
            "an_operation_is_sent_once_by_id_and_verified_by_a_reread",
            "the_journal_is_verified_against_a_head_that_was_kept",
        ],
    ),
    defect(
        "16",
        "setting the configuration overwrites everything, unchecked",
        "checked, laid over what is there, and shown before it is kept",
        &[
            "the_iam_configuration_is_checked_laid_over_and_shown_before_it_is_kept",
            "what_is_set_is_checked",
            "who_set_the_iam_configuration_at_once_lose_nothing_of_each_other",
        ],
    ),
    defect(
        "17",
        "what is looked up is put into a filter as it is, and by its case",
        "as the name that it is: an id, a login, a mail address, in any case; quotes break nothing",
        &[
            "a_text_with_quotes_is_looked_up_as_it_is",
            "a_login_is_one_segment",
            "nobody_is_guessed",
            "a_mail_address_that_is_anothers_login_means_whose_mail_address_it_is",
        ],
    ),
    defect(
        "18",
        "a group that only begins so is taken",
        "the exact name alone; others are offered",
        &["a_group_is_the_one_of_exactly_that_name"],
    ),
    defect(
        "19",
        "updating somebody who is deactivated activates them and drops the change",
        "refused, with the action named that would activate them",
        &[
            "a_deactivated_account_is_not_updated",
            "who_is_deactivated_is_neither_changed_nor_activated_by_the_way",
        ],
    ),
    defect(
        "20",
        "what is returned is the user from before",
        "read again after every write, until it is proven; both states are told",
        &[
            "an_operation_is_sent_once_by_id_and_verified_by_a_reread",
            "an_update_sends_what_is_named_by_post_shows_it_before_and_is_no_change_the_second_time",
            "on_its_way_is_not_there",
            "xsoars_commands_make_change_disable_and_enable",
        ],
    ),
    defect(
        "21",
        "a wrong application is \"not assigned\"",
        "three answers",
        &["an_assignment_has_three_answers_and_not_two", "a_missing_assignment_has_three_answers"],
    ),
    defect(
        "22",
        "what was skipped is a success",
        "changed, no change, not legal, refused, failed or unknown",
        &[
            "okta_says_by_its_code_what_came_of_it",
            "each_end_is_shown_as_what_is_proven",
            "a_lost_reply_is_no_failure_and_nothing_is_made_twice",
            "what_changed_nothing_is_no_success",
        ],
    ),
    defect(
        "23",
        "events whose login is no known mail address are dropped in silence",
        "every record is kept and counted, whoever it names",
        &["records_are_kept_whoever_they_name"],
    ),
    defect(
        "24",
        "a 429 stops the playbook",
        "waited out and gone on; what acts is sent again after a 429 alone",
        &[
            "a_short_429_is_waited_out_and_the_search_goes_on",
            "a_429_is_followed_by_another_try_that_the_receipt_tells",
            "a_request_that_acts_is_sent_once",
        ],
    ),
    defect(
        "25",
        "API tokens alone; no DPoP",
        "API token, private key, DPoP",
        &["an_application_reads_with_a_token_of_its_own_scope", "a_bound_token_reads_polls_and_acts"],
    ),
    defect(
        "26",
        "nothing from before the first run; limits that contradict each other",
        "where reading begins is said and shown",
        &[
            "the_start_is_chosen_and_shown",
            "a_reading_begins_where_it_was_first_started_however_long_okta_is_away",
        ],
    ),
    defect(
        "27",
        "the profile is read by names that Okta does not use",
        "`profile.login` and the rest where Okta nests it",
        &["outputs_have_the_names_that_are_documented", "a_namesake_is_pointed_out"],
    ),
    defect(
        "28",
        "the test tries one call",
        "`doctor` tries each call that the configuration needs, one by one",
        &[
            "every_call_is_tried_and_nothing_is_changed",
            "a_role_that_is_missing_shows_although_the_scope_is_there",
        ],
    ),
    defect(
        "E1",
        "an empty page forgets the place, and the last events come again",
        "it keeps the place",
        &["idle_times_end_where_they_began", "an_empty_page_keeps_the_place_and_is_committed_only_for_news"],
    ),
    defect(
        "E2",
        "repeats are known within one instant only",
        "by uuid, for as long as the digests are kept",
        &["nothing_is_lost", "a_hundred_thousand_records_are_there_once_whatever_goes_wrong"],
    ),
    defect(
        "E3",
        "a new start reads much again",
        "it goes on at the place; where that is gone, an overlap and a visible gap",
        &[
            "a_poll_that_was_stopped_goes_on_where_it_was",
            "a_place_that_aged_out_is_a_gap_that_stays_to_be_seen",
        ],
    ),
    defect(
        "E4",
        "the place is saved before the events are sent on",
        "stored first, or neither",
        &["nothing_moves_without_its_commit", "a_process_that_is_cut_again_and_again_reads_each_record_once"],
    ),
];

/// A setting of the integration.
pub(crate) struct Parameter {
    names: &'static [&'static str],
    /// Settings of ours, as the reference writes them.
    settings: &'static [&'static str],
    /// What there is to know of it.
    words: &'static str,
}

const fn parameter(
    names: &'static [&'static str],
    settings: &'static [&'static str],
    words: &'static str,
) -> Parameter {
    Parameter { names, settings, words }
}

const PARAMETERS: &[Parameter] = &[
    parameter(&["url"], &["[okta] org_url"], ""),
    parameter(
        &["apitoken"],
        &["[okta] api_token", "[okta] client_id", "[okta] private_key", "[okta] dpop"],
        "a token, or a service application with a key",
    ),
    parameter(
        &["insecure", "proxy"],
        &["[net] ca_file", "[net] proxy"],
        "there is no \"insecure\": a private authority is named",
    ),
    parameter(
        &["create-user-enabled", "update-user-enabled", "enable-user-enabled", "disable-user-enabled"],
        &["[okta] allow"],
        "a switch each; what is off is refused with the reason, in the console too",
    ),
    parameter(&["create-if-not-exists"], &["[okta] create_if_missing"], "off unless it is switched on"),
    parameter(
        &["mapper-out"],
        &["[okta] map"],
        "XSOAR's names are there from the start; own ones go before them",
    ),
    parameter(&["mapper-in"], &[], "none: what Okta answers is shown as it came"),
    parameter(
        &["max_fetch"],
        &[],
        "none: no limit of a display drops an event (defect 1); `idtriage doctor` says so too",
    ),
    parameter(
        &["isFetch", "incidentFetchInterval", "incidentType"],
        &["[[source]] type", "[[source]] interval"],
        "a source of type `okta-system-log`; what is a finding is `idtriage sources checks`",
    ),
    parameter(
        &["auto_generate_query_filter"],
        &["[[source]] applications"],
        "with those of the IAM configuration; `idtriage doctor` and `:okta-config` show the filter",
    ),
    parameter(&["fetch_query_filter"], &["[[source]] filter"], ""),
    parameter(&["first_fetch"], &["[[source]] first_fetch"], "said and shown"),
];

/// The tables, by the names of their markers.
pub(crate) fn tables() -> [(&'static str, String); 3] {
    [("xsoar-commands", commands()), ("xsoar-settings", settings()), ("xsoar-defects", defects())]
}

fn commands() -> String {
    let mut table = String::from(
        "XSOAR's names and arguments work behind `idtriage okta` as they are: \
         `idtriage okta iam-get-user --user-profile '{\"email\":\"ann@example.com\"}'`. What a row says of its \
         arguments is what stands for each in the command of ours. What changes something wants `--yes`, or \
         `--dry-run`.\n\n\
         | XSOAR | its arguments here | command line | prompt |\n|---|---|---|---|\n",
    );
    for command in COMMANDS {
        let arguments: Vec<String> = command.arguments.iter().map(argument).collect();
        let ours = joined(command.ours.iter().map(|line| format!("`idtriage {line}`")));
        let prompt = joined(command.prompt.iter().map(|name| format!("`:{name}`")));
        table += &format!("| `{}` | {} | {ours} | {prompt} |\n", command.name, arguments.join("<br>"));
    }
    table
}

fn argument(argument: &Argument) -> String {
    match (argument.ours, argument.words) {
        ("", _) => format!("`{}`: taken, and re-activates nobody", argument.name),
        (ours, "") => format!("`{}` → `{ours}`", argument.name),
        (ours, words) => format!("`{}` → `{ours}`: {words}", argument.name),
    }
}

fn joined(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<String>>().join("<br>")
}

fn settings() -> String {
    let mut table = String::from("| XSOAR's setting | here |\n|---|---|\n");
    for parameter in PARAMETERS {
        let names = parameter.names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let ours = parameter.settings.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let words = match (ours.is_empty(), parameter.words) {
            (true, words) => words.to_owned(),
            (false, "") => ours,
            (false, words) => format!("{ours}: {words}"),
        };
        table += &format!("| {names} | {words} |\n");
    }
    table
}

fn defects() -> String {
    let mut table = String::from(
        "Found in the code of the integration (1 to 28) and of the Okta Event Collector (E1 to E4).\n\n\
         | | there | here | shown by |\n|---|---|---|---|\n",
    );
    for defect in DEFECTS {
        let tests = joined(defect.tests.iter().map(|test| format!("`{test}`")));
        table += &format!("| {} | {} | {} | {tests} |\n", defect.number, defect.there, defect.here);
    }
    table
}

fn parses<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<(), String> {
    let words = ["idtriage", "okta"].into_iter().chain(words);
    Arguments::try_parse_from(words).map(|_| ()).map_err(|error| error.to_string())
}

/// A command of XSOAR's with its arguments, without those left out.
fn alias<'a>(command: &'a Command, left_out: Option<&str>) -> Vec<String> {
    let said = command.arguments.iter().filter(|argument| left_out != Some(argument.name));
    let said = said.flat_map(|it: &'a Argument| [format!("--{}", it.name), it.sample.to_owned()]);
    std::iter::once(command.name.to_owned()).chain(said).collect()
}

fn alias_parses(command: &Command, left_out: Option<&str>) -> Result<(), String> {
    parses(alias(command, left_out).iter().map(String::as_str))
}

#[test]
fn every_command_of_xsoar_is_understood_as_it_spells_it() {
    for command in COMMANDS {
        let name = command.name;
        alias_parses(command, None).unwrap_or_else(|why| panic!("{name}: {why}"));
        for argument in command.arguments {
            let without = alias_parses(command, Some(argument.name));
            assert_eq!(
                without.is_err(),
                argument.is_required,
                "{name} without {}: {without:?}",
                argument.name
            );
        }
    }
}

#[test]
fn every_command_of_ours_is_there() {
    for command in COMMANDS {
        assert!(!command.ours.is_empty(), "{}", command.name);
        for line in command.ours {
            let words = line.strip_prefix("okta ").unwrap_or(line).split(' ');
            parses(words).unwrap_or_else(|why| panic!("`{line}`: {why}"));
        }
        let said = |ours: &str| ours.is_empty() || command.ours.iter().any(|line| line.contains(ours));
        let lost = command.arguments.iter().find(|argument| !said(argument.ours));
        assert!(lost.is_none(), "{}: `{}` is in no command line", command.name, lost.unwrap().ours);
    }
    for name in COMMANDS.iter().flat_map(|command| command.prompt) {
        let is_there = idtriage::command::COMMANDS.iter().any(|command| command.name == *name);
        assert!(is_there, "`:{name}` is not there");
    }
}

#[test]
fn every_setting_that_is_named_is_in_the_reference() {
    let reference = idtriage::config::reference::table();
    for setting in PARAMETERS.iter().flat_map(|parameter| parameter.settings) {
        assert!(reference.contains(&format!("`{setting}`")), "`{setting}` is no setting");
    }
}

/// Every function of the sources and tests that is run as a test, with the files that it is in.
fn tests_of_the_project() -> BTreeMap<String, BTreeSet<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    ["src", "tests"].iter().for_each(|folder| walk(&root.join(folder), &mut files));
    let mut tests = BTreeMap::new();
    for (path, text) in files {
        for name in tests_of(&text) {
            tests.entry(name).or_insert_with(BTreeSet::new).insert(path.clone());
        }
    }
    tests
}

fn walk(folder: &Path, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap_or_else(|error| panic!("{error}")).path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text =
                fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            files.push((path.display().to_string(), text));
        }
    }
}

/// The tests of a file: functions behind an attribute that makes them one, and behind none that has them
/// left out.
fn tests_of(text: &str) -> Vec<String> {
    let (mut names, mut is_test, mut is_ignored) = (Vec::new(), false, false);
    for line in text.lines().map(str::trim) {
        let attribute = line.strip_prefix("#[").map(|rest| rest.trim_end_matches(']'));
        match attribute {
            Some(attribute) if attribute.starts_with("ignore") => is_ignored = true,
            // A feature that nobody switches on leaves it out.
            Some(attribute) if attribute.starts_with("cfg(feature") => is_ignored = true,
            Some("test" | "rstest") => is_test = true,
            Some(attribute) if attribute.starts_with("tokio::test") => is_test = true,
            Some(_) => {}
            None if line.starts_with("//") => {}
            None => {
                let function = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
                let name = function.and_then(|rest| rest.split(['(', '<']).next());
                names.extend(name.filter(|_| is_test && !is_ignored).map(str::to_owned));
                (is_test, is_ignored) = (false, false);
            }
        }
    }
    names
}

#[test]
fn every_defect_has_tests_that_are_run() {
    let numbers: Vec<String> =
        (1..=28).map(|n| n.to_string()).chain((1..=4).map(|n| format!("E{n}"))).collect();
    let said: Vec<&str> = DEFECTS.iter().map(|defect| defect.number).collect();
    assert_eq!(said, numbers);
    let tests = tests_of_the_project();
    for defect in DEFECTS {
        assert!(!defect.tests.is_empty(), "{}: nothing shows it", defect.number);
        for test in defect.tests {
            let files = tests.get(*test).map_or(0, BTreeSet::len);
            assert_eq!(files, 1, "{}: files that hold a test `{test}` that is run", defect.number);
        }
    }
}

#[test]
fn what_is_left_out_or_no_test_shows_nothing() {
    let text = "#[test]\nfn a() {}\n\n#[test]\n#[ignore = \"slow\"]\nfn b() {}\n\nfn c() {}\n\n\
        #[rstest]\n#[case(1)]\n// why\nasync fn d(#[case] n: u8) {}\n#[tokio::test(flavor = \"x\")]\nasync fn e() {}\n";
    assert_eq!(tests_of(text), ["a", "d", "e"]);
}
