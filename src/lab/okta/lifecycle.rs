//! The state machine of contracts/okta.md 4.1: which operation is legal from which status, where it leads, and the code
//! that a wrong one is answered with.
use super::error::OktaError;
use crate::lab::population::Status;
use axum::http::StatusCode;

/// An operation under `/lifecycle/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Activate,
    Reactivate,
    Deactivate,
    Suspend,
    Unsuspend,
    Unlock,
    ExpirePassword,
    ExpirePasswordWithTempPassword,
    ResetPassword,
    ResetFactors,
}

impl Operation {
    pub(crate) const ALL: [Operation; 10] = [
        Operation::Activate,
        Operation::Reactivate,
        Operation::Deactivate,
        Operation::Suspend,
        Operation::Unsuspend,
        Operation::Unlock,
        Operation::ExpirePassword,
        Operation::ExpirePasswordWithTempPassword,
        Operation::ResetPassword,
        Operation::ResetFactors,
    ];

    /// Its last path segment.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Operation::Activate => "activate",
            Operation::Reactivate => "reactivate",
            Operation::Deactivate => "deactivate",
            Operation::Suspend => "suspend",
            Operation::Unsuspend => "unsuspend",
            Operation::Unlock => "unlock",
            Operation::ExpirePassword => "expire_password",
            Operation::ExpirePasswordWithTempPassword => "expire_password_with_temp_password",
            Operation::ResetPassword => "reset_password",
            Operation::ResetFactors => "reset_factors",
        }
    }

    /// Its name in `_links`; the temporary password has none of its own.
    pub(crate) fn link(self) -> Option<&'static str> {
        Some(match self {
            Operation::ExpirePassword => "expirePassword",
            Operation::ExpirePasswordWithTempPassword => return None,
            Operation::ResetPassword => "resetPassword",
            Operation::ResetFactors => "resetFactors",
            other => other.path(),
        })
    }

    /// The event type in the System Log.
    pub(crate) fn event_type(self) -> &'static str {
        match self {
            Operation::Activate => "user.lifecycle.activate",
            Operation::Reactivate => "user.lifecycle.reactivate",
            Operation::Deactivate => "user.lifecycle.deactivate",
            Operation::Suspend => "user.lifecycle.suspend",
            Operation::Unsuspend => "user.lifecycle.unsuspend",
            Operation::Unlock => "user.account.unlock",
            Operation::ExpirePassword | Operation::ExpirePasswordWithTempPassword => {
                "user.account.expire_password"
            }
            Operation::ResetPassword => "user.account.reset_password",
            Operation::ResetFactors => "user.mfa.factor.reset_all",
        }
    }

    pub(crate) fn parse(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.path() == path)
    }

    /// The status it leads to, or why not. Where the contract leaves the legal statuses open, those are taken in which
    /// the account has a password that anybody could use.
    pub(crate) fn apply(self, from: Status) -> Result<Status, OktaError> {
        use Status::*;
        match (self, from) {
            (Operation::Activate, Staged | Deprovisioned) => Ok(Active),
            (Operation::Reactivate, Provisioned | Recovery) => Ok(Provisioned),
            (Operation::Suspend, Active) => Ok(Suspended),
            (Operation::Unsuspend, Suspended) | (Operation::Unlock, LockedOut) => Ok(Active),
            (Operation::Activate | Operation::Suspend | Operation::Unsuspend | Operation::Reactivate, _) => {
                Err(self.refusal(from))
            }
            (_, Deprovisioned) => Err(OktaError::not_found("user", "User")),
            (Operation::Deactivate, _) => Ok(Deprovisioned),
            (
                Operation::ExpirePassword | Operation::ExpirePasswordWithTempPassword,
                Active | PasswordExpired,
            ) => Ok(PasswordExpired),
            (Operation::ResetPassword, Active | PasswordExpired | LockedOut | Recovery | Provisioned) => {
                Ok(Recovery)
            }
            (Operation::ResetFactors, Active | PasswordExpired | LockedOut | Recovery | Suspended) => {
                Ok(from)
            }
            _ => Err(self.refusal(from)),
        }
    }

    fn refusal(self, from: Status) -> OktaError {
        let forbidden = |code, summary: &str| OktaError::new(StatusCode::FORBIDDEN, code, summary);
        let cause = |text: &str| {
            let summary = format!("Api validation failed: {}", self.path());
            OktaError::new(StatusCode::BAD_REQUEST, "E0000001", summary).because(text)
        };
        match self {
            Operation::Activate if matches!(from, Status::Active) => {
                forbidden("E0000016", "Activation failed because the user is already active")
            }
            Operation::Suspend => cause("Cannot suspend a user that is not active"),
            Operation::Unsuspend => cause("Cannot unsuspend a user that is not suspended"),
            Operation::Unlock => forbidden("E0000032", "Unlock is not allowed for this user."),
            Operation::ResetPassword => forbidden("E0000017", "Reset password failed"),
            _ => forbidden("E0000038", "This operation is not allowed in the user's current status."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("suspend", Status::Active, Ok(Status::Suspended))]
    #[case("suspend", Status::Suspended, Err((400, "E0000001")))]
    #[case("suspend", Status::Provisioned, Err((400, "E0000001")))]
    #[case("suspend", Status::Deprovisioned, Err((400, "E0000001")))]
    #[case("unsuspend", Status::Suspended, Ok(Status::Active))]
    #[case("unsuspend", Status::Active, Err((400, "E0000001")))]
    #[case("activate", Status::Staged, Ok(Status::Active))]
    #[case("activate", Status::Deprovisioned, Ok(Status::Active))]
    #[case("activate", Status::Active, Err((403, "E0000016")))]
    #[case("reactivate", Status::Provisioned, Ok(Status::Provisioned))]
    #[case("reactivate", Status::Active, Err((403, "E0000038")))]
    #[case("deactivate", Status::Active, Ok(Status::Deprovisioned))]
    #[case("deactivate", Status::Suspended, Ok(Status::Deprovisioned))]
    #[case("deactivate", Status::Deprovisioned, Err((404, "E0000007")))]
    #[case("unlock", Status::LockedOut, Ok(Status::Active))]
    #[case("unlock", Status::Active, Err((403, "E0000032")))]
    #[case("expire_password", Status::Active, Ok(Status::PasswordExpired))]
    #[case("expire_password", Status::Suspended, Err((403, "E0000038")))]
    #[case("reset_password", Status::Active, Ok(Status::Recovery))]
    #[case("reset_password", Status::Suspended, Err((403, "E0000017")))]
    #[case("reset_factors", Status::Suspended, Ok(Status::Suspended))]
    #[case("reset_factors", Status::Staged, Err((403, "E0000038")))]
    fn table(#[case] operation: &str, #[case] from: Status, #[case] expected: Result<Status, (u16, &str)>) {
        let found = Operation::parse(operation).unwrap().apply(from);
        assert_eq!(found.map_err(|error| (error.status.as_u16(), error.code)), expected);
    }
}
