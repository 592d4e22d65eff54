//! Inputs of a flow's own that name somebody else than the card is about.

use super::*;
use crate::domain::flow::{Input, InputType};
use crate::remediation::tests::others::bob;
use jiff::SignedDuration;

const FLOW: &str = "suspend-okta-account";

/// The suspension with an input of its own, given this.
async fn given(lab: &Lab, name: &str, text: &str) -> Plan {
    given_as(lab, Input::new(name, InputType::Text), text).await
}

async fn given_as(lab: &Lab, input: Input, text: &str) -> Plan {
    let flow = lab.desk.flow(&FLOW.into()).unwrap().clone();
    let name = input.name.clone();
    let inputs = vec![Input::new("login", InputType::Text), input];
    let flow = Flow { payload: PayloadShape::Fields, inputs, ..flow };
    let desk = Desk { flows: [flow].into(), ..(*lab.desk).clone() };
    let inputs = [(name, text.to_owned())].into();
    prepare(&desk, Ask { inputs, ..ask(1) }).await.unwrap()
}

#[rstest]
#[case::by_the_login_behind_an_id("bob@okta.example", "`bob@okta.example`")]
#[case::by_another_login("bob-adm", "`bob-adm`")]
#[case::by_the_class("classification:executive", "`classification:executive`")]
#[case::by_a_group("group:sales", "`group:sales`")]
#[tokio::test]
async fn whom_an_own_input_names_is_protected(#[case] entry: &str, #[case] phrase: &str) {
    for (name, text, called) in [
        ("userId", "00ubob", "00ubob"),
        ("targetUser", "bobby", "bobby"),
        ("note", "for (00u4567890bobabcdefg)", "00u4567890bobabcdefg"),
    ] {
        let guard = Guard { protected: vec![entry.to_owned()], ..Guard::default() };
        let lab = Setup { guard, others: [(called, bob())].into(), ..Setup::default() }.lab();
        *lab.groups.is_member.lock().unwrap() = true;
        *lab.groups.only.lock().unwrap() = Some(called);
        let why = given(&lab, name, text).await.refusal.map(|refusal| refusal.why).unwrap_or_default();
        assert!(why.contains(phrase) && why.contains(&format!("input `{name}`")), "{name} {text}: {why}");
    }
}

/// A guard that protects these.
fn protecting(entries: &[&str]) -> Guard {
    Guard { protected: entries.iter().map(|entry| (*entry).to_owned()).collect(), ..Guard::default() }
}

/// Why it is refused, and what has to be insisted on.
fn against(plan: &Plan) -> (String, String) {
    let refusal = plan.refusal.as_ref().map(|refusal| refusal.why.clone()).unwrap_or_default();
    (refusal, plan.needs_again.clone().unwrap_or_default())
}

#[rstest]
#[case::an_address(
    "note",
    "for eve@outside, please",
    "names `eve@outside`: Okta and Cisco Identity Intelligence know no such person"
)]
#[case::an_encoded_one(
    "note",
    "https://a/?u=eve%40outside",
    "names `eve@outside`: Okta and Cisco Identity Intelligence know no such"
)]
#[case::a_name("user", "mallory", "names `mallory`: Okta and Cisco")]
#[case::encoded_twice("note", "eve%2540outside", "is encoded more than once")]
#[tokio::test]
async fn somebody_whom_nobody_knows_is_insisted_on_where_anybody_is_protected(
    #[case] name: &str,
    #[case] text: &str,
    #[case] phrase: &str,
) {
    for (protected, is_doubted) in [(&["root2"][..], true), (&[], false)] {
        let others = [("eve@outside", Somebody::Nobody), ("mallory", Somebody::Nobody)].into();
        let lab = Setup { guard: protecting(protected), others, ..Setup::ends([answered(200)]) }.lab();
        let plan = given(&lab, name, text).await;
        let (refusal, again) = against(&plan);
        assert_eq!((refusal.as_str(), again.contains(phrase)), ("", is_doubted), "{again}");
        assert!(again.is_empty() || again.contains("cannot be told"), "{again}");
        let names = |plan: &Plan| plan.cannot_know.iter().any(|line| line.contains("acts on `"));
        assert!(names(&plan) || text.contains("%25"), "{:?}", plan.cannot_know);
    }
}

#[rstest]
#[case::okta_cannot_be_read(Somebody::Unread, "who `mallory` is: 429")]
#[case::protected_by_name(Somebody::Nobody, "")]
#[tokio::test]
async fn who_is_protected_or_cannot_be_read_is_refused_whatever_is_insisted_on(
    #[case] other: Somebody,
    #[case] phrase: &str,
) {
    let protected = if phrase.is_empty() { "mall*" } else { "root2" };
    let others = [("mallory", other)].into();
    let lab = Setup { guard: protecting(&[protected]), others, ..Setup::default() }.lab();
    let plan = given(&lab, "user", "mallory").await;
    let (refusal, again) = against(&plan);
    assert!(refusal.contains(phrase) && refusal.contains("`guard.protected`"), "{refusal}");
    assert_eq!(again, "");
}

#[rstest]
#[case::short("account", "bob", "")]
#[case::in_a_sentence("note", "tell bob.low about it", "")]
#[case::in_a_url("page", "https://x.example/users/bob/edit", "")]
#[case::an_id_in_a_url("page", "https://x-admin.okta.com/view/00u4567890bobabcdefg?tab=1", "")]
#[case::encoded("note", "u%3Dbob%40okta.example", "")]
#[case::as_a_value("note", "login=bob&n=1", "")]
#[case::nobody_of_it("note", "see notes.txt of v1", "nothing")]
#[tokio::test]
async fn a_protected_person_is_seen_in_any_form(
    #[case] name: &str,
    #[case] text: &str,
    #[case] nothing: &str,
) {
    let called = ["bob", "bob.low", "00u4567890bobabcdefg", "bob@okta.example"];
    let others: BTreeMap<&str, Somebody> =
        called.into_iter().map(|name| (name, bob())).chain([("notes.txt", Somebody::Nobody)]).collect();
    // An entry that none of the names is, but the person behind them is.
    let lab = Setup { guard: protecting(&["bob-adm"]), others, ..Setup::default() }.lab();
    let plan = given(&lab, name, text).await;
    let (refusal, again) = against(&plan);
    assert_eq!(refusal.contains("`bob-adm`"), nothing.is_empty(), "{refusal}");
    assert_eq!(again, "");
}

#[rstest]
#[case::exactly_one(&["bob@okta.example"], "protected", "")]
#[case::of_two_none_is_taken(&["bob@okta.example", "bob@y"], "", "it may be `bob@okta.example` or `bob@y`")]
#[case::nobody(&["bobby@x"], "", "")]
#[tokio::test]
async fn a_login_without_its_domain_is_whom_it_is_the_only_one_of(
    #[case] seen: &[&str],
    #[case] refused: &str,
    #[case] doubted: &str,
) {
    let memory = Memory { logins: seen.iter().map(|login| Login::new(login)).collect(), ..Memory::default() };
    let others = [("bob", Somebody::Nobody), ("bob@okta.example", bob())].into();
    let lab = Setup { memory, guard: protecting(&["bob-adm"]), others, ..Setup::default() }.lab();
    let (refusal, again) = against(&given(&lab, "account", "bob").await);
    assert_eq!(
        (refusal.is_empty(), again.is_empty()),
        (refused.is_empty(), doubted.is_empty()),
        "{refusal}{again}"
    );
    assert!(refusal.contains(refused) && again.contains(doubted), "{refusal}{again}");
}

#[tokio::test]
async fn what_a_protected_login_may_be_short_for_is_a_doubt_where_nobody_knows_it() {
    let others = [("breakglass", Somebody::Nobody), ("red", Somebody::Nobody)].into();
    let guard = protecting(&["breakglass@corp.example"]);
    let lab = Setup { guard, others, ..Setup::default() }.lab();
    let (refusal, again) = against(&given(&lab, "account", "breakglass").await);
    assert!(refusal.is_empty() && again.contains("holds `breakglass@corp.example`"), "{refusal}{again}");
    assert_eq!(against(&given(&lab, "colour", "red").await), Default::default());
}

/// The name of whom the card is about, in another form, is nobody else's.
#[tokio::test]
async fn who_the_card_is_about_is_nobody_else() {
    let lab = Setup { guard: protecting(&["root2"]), ..Setup::default() }.lab();
    for text in ["ann", "ANN", "ann@okta.example", "ann%40okta.example", "https://x/?id=00u1"] {
        let plan = given(&lab, "note", text).await;
        assert_eq!(against(&plan), Default::default(), "{text}");
        assert!(
            plan.cannot_know.iter().all(|line| !line.contains("names")),
            "{text}: {:?}",
            plan.cannot_know
        );
    }
}

#[tokio::test]
async fn so_many_are_looked_up_and_of_more_it_is_said() {
    let names: Vec<String> = (0..30).map(|n| format!("u{n}@outside")).collect();
    let known: Vec<&'static str> = names.iter().map(|name| &*name.clone().leak()).collect();
    let others = known.iter().map(|name| (*name, Somebody::Nobody)).collect();
    let lab = Setup { guard: protecting(&["root2"]), others, ..Setup::default() }.lab();
    let (refusal, again) = against(&given(&lab, "note", &names.join(" ")).await);
    assert!(refusal.is_empty() && again.contains("hold 30 names"), "{refusal}{again}");
    let reads = lab.memory.trace.lock().unwrap().iter().filter(|what| **what == "read").count();
    assert!(reads < 30, "{reads}");
    // Whoever is protected by the very name is found among all of them.
    let lab = Setup { guard: protecting(&["u29@outside"]), ..Setup::default() }.lab();
    assert!(against(&given(&lab, "note", &names.join(" ")).await).0.contains("u29@outside"));
}

/// Whatever else an input says, and whatever it is declared to be.
#[rstest]
#[case("targets", InputType::Text, "svc-backup$", "svc-backup$")]
#[case("targets", InputType::Text, "svc-backup$,bob", "svc-backup$")]
#[case("targets", InputType::Text, "ceo,cfo", "ceo")]
#[case("targets", InputType::Text, "ceo cfo", "ceo")]
#[case("targets", InputType::Text, r#"["ceo","x"]"#, "ceo")]
#[case("targets", InputType::Text, "MERIDIAN\\ceo", "ceo")]
#[case("googleAccount", InputType::Text, "040898799817282579199", "040898799817282579199")]
#[case("googleAccount", InputType::Number, "140898799817282579199", "140898799817282579199")]
#[case("targets", InputType::Text, "priya.rossi＠meridian.example", "priya.rossi@meridian.example")]
#[case("targets", InputType::Text, "see oceo.example and ceos", "")]
#[tokio::test]
async fn what_is_protected_by_its_very_name_is_refused_wherever_it_stands(
    #[case] name: &str,
    #[case] kind: InputType,
    #[case] text: &str,
    #[case] entry: &str,
) {
    let protected = [
        "svc-backup$",
        "priya.rossi@meridian.example",
        "040898799817282579199",
        "140898799817282579199",
        "ceo",
    ];
    let others = [("oceo.example", Somebody::Nobody)].into();
    let lab = Setup { guard: protecting(&protected), others, ..Setup::default() }.lab();
    let plan = given_as(&lab, Input::new(name, kind), text).await;
    let (refusal, _) = against(&plan);
    assert_eq!(refusal.is_empty(), entry.is_empty(), "{refusal}");
    assert!(entry.is_empty() || refusal.contains(&format!("`guard.protected` holds `{entry}`")), "{refusal}");
}

#[tokio::test]
async fn a_word_that_stars_of_letters_may_mean_is_insisted_on() {
    let lab = Setup { guard: protecting(&["mall*"]), ..Setup::default() }.lab();
    let (refusal, again) = against(&given(&lab, "note", "the shopping mall closed").await);
    assert!(refusal.is_empty() && again.contains("holds `mall*`, which may be them"), "{refusal}{again}");
}

/// A run on many is told the same for each of them, on the card and again before it sends.
#[tokio::test]
async fn a_name_is_asked_after_once_for_all_within_a_few_seconds() {
    let names: Vec<String> = (0..9).map(|n| format!("u{n}@outside")).collect();
    let known: Vec<&'static str> = names.iter().map(|name| &*name.clone().leak()).collect();
    let others = known.into_iter().chain(["u9@outside"]).map(|name| (name, Somebody::Nobody)).collect();
    let lab = Setup { guard: protecting(&["root2"]), others, ..Setup::default() }.lab();
    let reads = || lab.memory.trace.lock().unwrap().iter().filter(|what| **what == "read").count();
    let counted = async |note: &str| {
        let before = reads();
        let (refusal, again) = against(&given(&lab, "note", note).await);
        assert!(refusal.is_empty(), "{refusal}");
        (reads() - before, again)
    };
    let (own, _) = counted("").await;
    let (first, told) = counted(&names.join(" ")).await;
    assert_eq!(first, own + names.len());
    assert!(names.iter().all(|name| told.contains(name.as_str())), "{told}");
    assert_eq!(counted(&names.join(" ")).await, (own, told.clone()));
    assert_eq!(counted(&format!("{} ann@okta.example u9@outside", names.join(" "))).await.0, own + 1);
    *lab.now.lock().unwrap() += SignedDuration::from_secs(5);
    assert_eq!(counted(&names.join(" ")).await, (first, told), "by then it is asked anew");
}
