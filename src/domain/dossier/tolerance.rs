//! What the wire is not sure of.

use crate::domain::Untrusted;
use serde::{Deserialize, Deserializer};

/// A list that may be null or absent; both are "none".
pub(super) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Option::<Vec<T>>::deserialize(deserializer)?.unwrap_or_default())
}

/// A list, one text, null or absent: versions of the documentation disagree.
pub(super) fn text_or_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Untrusted>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        List(Vec<Option<Untrusted>>),
        Text(Untrusted),
    }
    Ok(match Option::<Either>::deserialize(deserializer)? {
        Some(Either::List(texts)) => texts.into_iter().flatten().collect(),
        Some(Either::Text(text)) => vec![text],
        None => Vec::new(),
    })
}
