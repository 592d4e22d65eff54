//! What signs a request at its turn.

use super::request::{Answer, HeaderText, Request};
use jiff::Timestamp;
use std::fmt;

/// Signs each exchange by itself. A proof of possession is good for one exchange, so a request that is
/// sent again, after a 429 for one, carries another one.
pub trait Signer: Send + Sync + fmt::Debug {
    /// The headers that prove an exchange that begins now; the error says why there are none.
    fn sign(&self, request: &Request, now: Timestamp) -> Result<Vec<(String, HeaderText)>, String>;

    /// Takes note of what an answer says of proofs.
    fn heard(&self, request: &Request, answer: &Answer) -> Wish;
}

/// What an answer asks of whoever signed its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Nothing: the answer is the answer.
    Nothing,
    /// The same request with another proof. Nothing ran.
    Again,
}

/// What answers asked for while one request was sent: one of them may have its wish.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    granted: bool,
}

impl Wishes {
    /// Whether the request is to be sent again for its proof.
    pub(super) fn grant(&mut self, request: &Request, answer: &Answer) -> bool {
        let wish = request.signer.as_ref().map(|signer| signer.heard(request, answer));
        wish == Some(Wish::Again) && !std::mem::replace(&mut self.granted, true)
    }
}
