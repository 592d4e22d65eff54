//! The GraphQL texts. A test holds each to the published schema.
//!
//! Each has a smaller one of fields that every version of the documentation has: it is sent once, when
//! the tenant's schema does not know a field of the first. `lastSignInLocation` is deprecated and never
//! asked for.

/// One operation, in two sizes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Query {
    /// The root field.
    pub(super) root: &'static str,
    /// All that is shown.
    pub(super) full: &'static str,
    /// What every version has; `None` where nothing can be left out.
    pub(super) smaller: Option<&'static str>,
}

/// Addresses, locations, applications, factors.
pub(super) const END_USER_STATE: Query = Query {
    root: "getEndUserState",
    full: "\
query EndUserState($login: String!) {
  getEndUserState(login: $login) {
    id displayName login employeeId status userTypeClassification managerLogin
    ipAddresses { ipAddress location { city state country } }
    phoneNumber unusedApplications usedApplications usedFactors referenceUrl
    registeredLocationDetails { city state country }
    workingLocationDetails { location { city state country } userLocationPrevalence }
  }
}",
    smaller: Some(
        "\
query EndUserState($login: String!) {
  getEndUserState(login: $login) {
    id displayName login status managerLogin
    ipAddresses { ipAddress location { city state country } }
    unusedApplications usedApplications usedFactors
  }
}",
    ),
};

/// Details over all providers, and each provider's own record.
pub(super) const END_USER: Query = Query {
    root: "getEndUser",
    full: "\
query EndUser($login: String!) {
  getEndUser(login: $login) {
    endUserDetails {
      id displayName login status emails company department title userTypeClassification employeeIds
      linkedEndUserLogins groupNames phoneNumbers managerLogin
      devices { deviceId displayName os lastSeen deviceType provider }
      mfaEnabled
      lastSignIn { timestamp result reason ipAddress location { city state country } }
      lastActive firstCreatedDate failingChecks referenceUrl
    }
    providerEndUserDetails {
      userId provider displayName login email status mfaEnabled
      lastSignIn { timestamp result reason ipAddress location { city state country } }
      creationDate
    }
  }
}",
    smaller: Some(
        "\
query EndUser($login: String!) {
  getEndUser(login: $login) {
    endUserDetails { id displayName login status emails failingChecks referenceUrl }
    providerEndUserDetails { userId provider login status }
  }
}",
    ),
};

/// The users of an address, a page at a time.
pub(super) const END_USERS_BY_IP: Query = Query {
    root: "getEndUsersByIp",
    full: "\
query EndUsersByIp($ipAddress: String!, $pageSize: Int, $pageToken: String) {
  getEndUsersByIp(ipAddress: $ipAddress, pageSize: $pageSize, pageToken: $pageToken) {
    items { id displayName login referenceUrl }
    pageToken
  }
}",
    smaller: Some(
        "\
query EndUsersByIp($ipAddress: String!, $pageSize: Int, $pageToken: String) {
  getEndUsersByIp(ipAddress: $ipAddress, pageSize: $pageSize, pageToken: $pageToken) {
    items { id login }
    pageToken
  }
}",
    ),
};

/// A target of webhooks and the checks that it is told of.
pub(super) const REGISTER_WEBHOOK: Query = Query {
    root: "registerWebhookWithApiKey",
    full: "\
mutation RegisterWebhook($input: RegisterWebhookWithApiKey!) {
  registerWebhookWithApiKey(input: $input)
}",
    smaller: None,
};

/// The end of a target.
pub(super) const UNREGISTER_WEBHOOK: Query = Query {
    root: "unregisterWebhook",
    full: "mutation UnregisterWebhook($id: ID!) { unregisterWebhook(id: $id) }",
    smaller: None,
};

/// Whether the token is good and the service answers.
pub(super) const PING: Query = Query { root: "ping", full: "query Ping { ping }", smaller: None };

#[cfg(test)]
mod tests {
    use super::*;
    use apollo_compiler::{ExecutableDocument, Schema};

    const SCHEMA: &str = include_str!("../../../tests/contracts/cii.graphql");

    #[test]
    fn every_query_is_valid_against_the_published_schema() {
        let schema = Schema::parse_and_validate(SCHEMA, "cii.graphql").unwrap();
        let mutations = [REGISTER_WEBHOOK, UNREGISTER_WEBHOOK];
        for query in [END_USER_STATE, END_USER, END_USERS_BY_IP, PING].into_iter().chain(mutations) {
            for text in std::iter::once(query.full).chain(query.smaller) {
                let checked = ExecutableDocument::parse_and_validate(&schema, text, query.root);
                assert!(checked.is_ok(), "{}: {}", query.root, checked.unwrap_err().errors);
                assert!(text.contains(query.root) && !text.contains("lastSignInLocation"));
            }
        }
    }
}
