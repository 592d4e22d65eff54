//! What is typed finds flows, and the one that is meant stands first: a flow that is called by its name is never
//! behind one that only has the words somewhere.

use crate::domain::Flow;
use crate::domain::flow::Product;

/// How well a flow is what was typed, the best first.
pub(super) type Rank = u8;

/// What was typed, or a name, without what makes no difference.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// What is behind the product that a name begins with: `suspend` of `Okta: suspend`.
fn behind_product(name: &str) -> &str {
    name.split_once(": ").or_else(|| name.split_once(" - ")).map_or(name, |(_, rest)| rest)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// Ranks flows by one text.
pub(super) struct Sought {
    text: String,
}

impl Sought {
    pub(super) fn new(typed: &str) -> Sought {
        Sought { text: plain(typed) }
    }

    /// `None` where it is not found. Name or id; the name without the product in front; the beginning of one of these; words of the name or id;
    /// beginnings of such words; parts of them; the verb; whatever else it is found by.
    pub(super) fn rank(&self, flow: &Flow) -> Option<Rank> {
        let (name, id, verb) = (plain(&flow.name), plain(&flow.id.0), plain(&flow.verb));
        let product = flow.product.map(Product::ispm_name).unwrap_or_default().to_lowercase();
        let text = self.text.as_str();
        let has = |told: &str| text.split(' ').all(|word| told.contains(word));
        if !has(&format!("{name} {id} {verb} {product}")) {
            return None;
        }
        let called = format!("{name} {id}");
        let all = |is_it: fn(&str, &str) -> bool| {
            words(text).all(|word| words(&called).any(|known| is_it(known, word)))
        };
        let short = behind_product(&name);
        Some(match text {
            _ if name == text || id == text => 0,
            _ if short == text => 1,
            _ if [name.as_str(), short, id.as_str()].iter().any(|begins| begins.starts_with(text)) => 2,
            _ if all(|known, word| known == word) => 3,
            _ if all(|known, word| known.starts_with(word)) => 4,
            _ if has(&called) => 5,
            _ if has(&verb) => 6,
            _ => 7,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::preset;
    use rstest::rstest;

    #[rstest]
    #[case::the_name("suspend okta account", Some(0))]
    #[case::blanks_and_case("  Suspend  OKTA account ", Some(0))]
    #[case::the_id("suspend-okta-account", Some(0))]
    #[case::its_beginning("suspend ok", Some(2))]
    #[case::words("account suspend", Some(3))]
    #[case::beginnings("acc sus", Some(4))]
    #[case::parts("count spend", Some(5))]
    #[case::nothing_of_it("revoke", None)]
    fn the_name_counts_more_than_what_only_has_the_words(#[case] typed: &str, #[case] rank: Option<Rank>) {
        let flow = preset::flow("suspend-okta-account").unwrap();
        assert_eq!(Sought::new(typed).rank(&flow), rank);
    }
}
