//! How much may arrive at once.
//!
//! Everything is counted as it comes, not as it is announced: a caller that announces much and sends
//! nothing takes nothing from the others, and one that sends more than it announced is cut off. Where
//! something is full the answer is 503 with `Retry-After`, which every known sender repeats. Whatever
//! waits for the store holds its place and its bytes until the store has answered, whether or not its
//! sender still waits: so what memory has to hold is bounded, however long a disk hangs.

use super::refusal::{Cause, Refusal};
use super::signature::Unproven;
use super::unproven::{Share, UnprovenRoom};
use super::verify::{Proven, Signed};
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time;

/// The numbers.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    /// Bytes of one body.
    pub body: usize,
    /// Bytes of all bodies that are not answered yet.
    pub in_flight: usize,
    /// Bytes of all bodies that are read to see whether they are signed by whom they should be.
    pub unproven: usize,
    /// Requests with the right secret that are not answered yet.
    pub waiting: usize,
    /// Bodies that are read as JSON at once: each may take several times its size while it is.
    pub decoding: usize,
    /// How long a body may take to come.
    pub body_time: Duration,
    /// How long reading and committing may take together. CII's sender waits 5 s for its answer.
    pub handler_time: Duration,
    /// How long the answer to a wrong secret is held back.
    pub refusal_pause: Duration,
    /// How many such answers are held back at once, of one source.
    pub refusals_held: usize,
}

impl Default for Allowance {
    fn default() -> Self {
        Allowance {
            body: 8 * 1024 * 1024,
            in_flight: 64 * 1024 * 1024,
            unproven: 16 * 1024 * 1024,
            waiting: 512,
            decoding: 2,
            body_time: Duration::from_secs(10),
            handler_time: Duration::from_secs(4),
            refusal_pause: Duration::from_millis(500),
            refusals_held: 64,
        }
    }
}

/// The limits that all sources of a listener share.
#[derive(Debug)]
pub struct Limits {
    allowance: Allowance,
    in_flight: Arc<Semaphore>,
    unproven: UnprovenRoom,
    waiting: Arc<Semaphore>,
    decoding: Arc<Semaphore>,
}

/// A right to something that is limited; given back when dropped.
#[derive(Debug)]
pub struct Place(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

/// A body that has come whole, and the bytes in flight that it stands for.
#[derive(Debug, Default)]
pub struct Received {
    bytes: Vec<u8>,
    claim: Option<OwnedSemaphorePermit>,
}

impl Received {
    /// The bytes, and what must be held until they are committed.
    pub fn into_parts(self) -> (Vec<u8>, Option<Place>) {
        (self.bytes, self.claim.map(Place))
    }

    fn push(&mut self, data: &Bytes, claim: OwnedSemaphorePermit) {
        self.bytes.extend_from_slice(data);
        match &mut self.claim {
            Some(whole) => whole.merge(claim),
            None => self.claim = Some(claim),
        }
    }
}

impl Limits {
    /// Limits of these numbers.
    pub fn new(allowance: Allowance) -> Limits {
        Limits {
            allowance,
            in_flight: Arc::new(Semaphore::new(allowance.in_flight)),
            unproven: UnprovenRoom::new(allowance.unproven),
            waiting: Arc::new(Semaphore::new(allowance.waiting)),
            decoding: Arc::new(Semaphore::new(allowance.decoding)),
        }
    }

    /// How long reading and committing may take together, where the sender waits for so long.
    pub fn handler_time(&self, expected: Duration) -> Duration {
        self.allowance.handler_time.min(expected)
    }

    /// A place among the requests that wait for their answer, if there is one.
    pub fn place(&self) -> Result<Place, Refusal> {
        let permit = Arc::clone(&self.waiting).try_acquire_owned();
        permit.map(Place).map_err(|_| Refusal::busy("too many requests wait for the store"))
    }

    /// One of the few places where bodies are read as JSON; waits for it.
    pub async fn decoding_place(&self) -> Result<Place, Refusal> {
        let permit = Arc::clone(&self.decoding).acquire_owned().await;
        permit.map(Place).map_err(|_| Refusal::busy("the listener stops"))
    }

    /// Reads a body, as far as it may be read.
    pub async fn read(&self, request: Proven) -> Result<Received, Refusal> {
        self.check_head(request.headers())?;
        let received = self.in_time(self.collect(request.into_body())).await?;
        Ok(Received { bytes: without_mark(received.bytes), ..received })
    }

    /// Reads a body, as far as it may be read, and lets it through if its sender has signed it.
    pub async fn read_signed(&self, request: Signed) -> Result<Received, Refusal> {
        self.check_head(request.headers())?;
        let mut share = self.unproven.enter();
        let (body, unproven) = request.into_parts();
        let unproven = self.in_time(self.collect_unproven(body, unproven, &mut share)).await?;
        let bytes = unproven.prove()?;
        let claim = self.claim(0, bytes.len())?;
        Ok(Received { bytes: without_mark(bytes), claim: Some(claim) })
    }

    fn check_head(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if declared_length(headers).is_some_and(|length| length > self.allowance.body as u64) {
            return Err(self.too_large());
        }
        let codings = headers.get_all(header::CONTENT_ENCODING).iter();
        if codings.into_iter().any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            // Whatever it grows to would have to be bounded too, and no known sender compresses.
            let words = "the body is compressed or otherwise encoded: it is taken only as it is";
            return Err(Refusal::new(Cause::Compressed, words));
        }
        Ok(())
    }

    async fn in_time<T>(&self, body: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
        time::timeout(self.allowance.body_time, body).await.unwrap_or_else(|_| Err(self.too_slow()))
    }

    async fn collect(&self, mut body: Body) -> Result<Received, Refusal> {
        let mut received = Received::default();
        while let Some(data) = next_piece(&mut body).await? {
            let claim = self.claim(received.bytes.len(), data.len())?;
            received.push(&data, claim);
        }
        Ok(received)
    }

    async fn collect_unproven(
        &self,
        mut body: Body,
        mut unproven: Unproven,
        share: &mut Share,
    ) -> Result<Unproven, Refusal> {
        let crowded = || Refusal::busy("too many unproven bytes in flight");
        loop {
            let piece = tokio::select! {
                biased;
                () = share.told_to_leave() => return Err(crowded()),
                piece = next_piece(&mut body) => piece?,
            };
            let Some(data) = piece else { return Ok(unproven) };
            let permits = self.permits(unproven.len(), data.len())?;
            share.grow(permits).await.map_err(|_| crowded())?;
            unproven.push(&data);
        }
    }

    fn claim(&self, so_far: usize, more: usize) -> Result<OwnedSemaphorePermit, Refusal> {
        self.claimed(self.permits(so_far, more)?)
    }

    fn claimed(&self, permits: u32) -> Result<OwnedSemaphorePermit, Refusal> {
        let claim = Arc::clone(&self.in_flight).try_acquire_many_owned(permits);
        claim.map_err(|_| Refusal::busy("too many bytes in flight"))
    }

    /// What the elements of a body take beyond the bytes of the body itself, to be held as long as those.
    pub fn grown(&self, body: usize, elements: usize) -> Result<Place, Refusal> {
        let more = u32::try_from(elements.saturating_sub(body)).map_err(|_| self.too_large())?;
        self.claimed(more).map(Place)
    }

    /// What so many more bytes of one body cost, if it may have them.
    fn permits(&self, so_far: usize, more: usize) -> Result<u32, Refusal> {
        if more > self.allowance.body.saturating_sub(so_far) {
            return Err(self.too_large());
        }
        u32::try_from(more).map_err(|_| self.too_large())
    }

    fn too_large(&self) -> Refusal {
        let limit = self.allowance.body;
        Refusal::new(Cause::TooLarge, format!("the body is larger than {limit} bytes"))
    }

    fn too_slow(&self) -> Refusal {
        let seconds = self.allowance.body_time.as_secs();
        Refusal::new(Cause::TooSlow, format!("the body did not come within {seconds} s"))
    }
}

/// The next bytes of a body; `None` at its end.
async fn next_piece(body: &mut Body) -> Result<Option<Bytes>, Refusal> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::new(Cause::Cut, "the body ended early"))?;
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

/// A body without the byte order mark that some writers put in front of JSON. A signature was made over it.
fn without_mark(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    bytes
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// Holds back the answers to wrong secrets of one source, so that guessing is slow. Only a few are held
/// at once, far fewer than there may be connections: a flood of guesses must not keep out the caller
/// with the right secret, who never passes here.
#[derive(Debug)]
pub struct Pace {
    pause: Duration,
    held: Semaphore,
}

impl Pace {
    /// The pace of a source.
    pub fn new(allowance: &Allowance) -> Pace {
        Pace { pause: allowance.refusal_pause, held: Semaphore::new(allowance.refusals_held) }
    }

    /// Waits, if there is room to wait.
    pub async fn hold(&self) {
        if let Ok(_held) = self.held.try_acquire() {
            time::sleep(self.pause).await;
        }
    }
}
