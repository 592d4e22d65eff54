//! How the calls of an API stand, found out by calling them.

use super::Untrusted;

/// How one call stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallProbe {
    /// The call: `GET /api/v1/logs`, or what would be changed.
    pub call: &'static str,
    /// The scope that it needs.
    pub needs: &'static str,
    /// What we have: the scopes of the token, or whose rights it has.
    pub has: String,
    /// Whether it works.
    pub works: Works,
    /// What mends it, where we know.
    pub hint: Option<String>,
    /// Whether the configuration cannot do without it.
    pub is_needed: bool,
}

/// Whether a call works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Works {
    /// It does.
    Yes,
    /// It does not, because of this.
    No(String),
    /// Nobody can say, because of this.
    CannotTell(String),
}

impl CallProbe {
    /// Whether something that the configuration cannot do without is known not to work.
    pub fn is_bad(&self) -> bool {
        self.is_needed && matches!(self.works, Works::No(_))
    }

    /// Why it does not work and what mends it, in a line; `None` where it does, or where nobody can say.
    pub fn complaint(&self) -> Option<String> {
        let Works::No(why) = &self.works else { return None };
        let hint = self.hint.as_ref().map(|hint| format!("; hint: {hint}")).unwrap_or_default();
        Some(format!("{} does not work: {}{hint}", self.call, Untrusted::from(why.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Works::Yes, true, false, None)]
    #[case(Works::CannotTell("503".to_owned()), true, false, None)]
    #[case(Works::No("no role".to_owned()), true, true, Some("GET /x does not work: no role; hint: ask"))]
    #[case(Works::No("no role".to_owned()), false, false, Some("GET /x does not work: no role; hint: ask"))]
    fn what_does_not_work_is_said(
        #[case] works: Works,
        #[case] is_needed: bool,
        #[case] is_bad: bool,
        #[case] complaint: Option<&str>,
    ) {
        let hint = Some("ask".to_owned());
        let probe = CallProbe { call: "GET /x", needs: "s", has: "s".to_owned(), works, hint, is_needed };
        assert_eq!((probe.is_bad(), probe.complaint().as_deref()), (is_bad, complaint));
    }
}
