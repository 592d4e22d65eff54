//! The bodies that flows are sent.
