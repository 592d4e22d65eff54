//! HTTP: the one room that knows the HTTP library.
//!
//! Reads may be sent again; a request that acts is sent once, and only an answer which says that nothing
//! ran, a 429 or the wish for another proof, is followed by another try. What signs a request signs each
//! exchange ([`Signer`]). Redirects are never followed: the library would re-send a POST's
//! body and its secret to another host. What leaves carries secrets, so what comes back is masked
//! before it is kept ([`Http::receipt`]) or shown ([`Http::mask_first`]).

mod address;
mod client;
mod clock;
mod error;
mod gate;
mod held;
mod limits;
mod pace;
mod rate;
mod redact;
mod request;
mod seats;
mod signer;

pub use address::check;
pub use clock::Clock;
pub use error::{ConnectStep, HttpError};
pub use limits::{Allowance, Limits};
pub use pace::Bucket;
pub use rate::asked_pause;
pub use redact::{MASK, Redactor};
pub use request::{Answer, Flaw, HeaderText, Method, Request, USER_AGENT};
pub use signer::{Signer, Wish};

use super::Clearance;
use crate::config::meant::Net;
use crate::domain::action::{Receipt, Try};
use crate::domain::wait::Waits;
use client::{Clients, Purpose};
use gate::Pause;
use jiff::Timestamp;
use pace::{Leave, Pacer, Refused, Telling, Turn};
use rate::Rate;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use seats::Seat;
use secrecy::{ExposeSecret, SecretString};
use signer::Wishes;
use std::borrow::Cow;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use url::Url;

/// How a request that acts ended.
#[derive(Debug)]
pub enum ActEnd {
    /// An answer came, whatever its status, after these tries that were refused before anything ran.
    Answered(Answer, Vec<Try>),
    /// No byte left with the last try; those before it were refused.
    NotSent(HttpError, Vec<Try>),
    /// The wait after 429s ran out; this is the last of them.
    Throttled(Answer, Vec<Try>),
    /// A byte may have left and no answer came.
    Unknown(HttpError, Vec<Try>),
}

/// Sends requests.
#[derive(Debug)]
pub struct Http {
    clients: Clients,
    limits: Limits,
    pacer: Pacer,
    redactor: Redactor,
    clock: Clock,
}

impl Http {
    /// Ready to send; reads `[net] ca_file`.
    pub fn new(net: &Net, limits: Limits, clock: Clock, redactor: Redactor) -> Result<Http, HttpError> {
        let (clients, pacer) = (Clients::new(net, &limits)?, Pacer::new(&limits));
        Ok(Http { clients, limits, pacer, redactor, clock })
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The calls that are held back, now and from now on.
    pub fn held(&self) -> watch::Receiver<Waits> {
        self.pacer.held().watch()
    }

    /// Sends a request that reads, and again after a 429 as far as the wait is short, or once for another
    /// proof. A body that is not whole is an error.
    pub async fn read(&self, bucket: &Bucket, request: &Request) -> Result<Answer, HttpError> {
        self.read_each(bucket, &request.url, || Ok(Cow::Borrowed(request))).await
    }

    /// The same of a request that is made anew each time that it is sent, because what it holds is good
    /// for one time only.
    pub async fn read_anew<E: From<HttpError>>(
        &self,
        bucket: &Bucket,
        url: &Url,
        make: impl Fn() -> Result<Request, E>,
    ) -> Result<Answer, E> {
        self.read_each(bucket, url, || make().map(Cow::Owned)).await
    }

    async fn read_each<'a, E: From<HttpError>>(
        &self,
        bucket: &Bucket,
        url: &Url,
        make: impl Fn() -> Result<Cow<'a, Request>, E>,
    ) -> Result<Answer, E> {
        let patience = Patience::of(self.limits.read);
        let mut attempt = 0;
        let mut wishes = Wishes::default();
        loop {
            let leave = self.turn(bucket, patience.reading(), url).await?;
            // It may have waited: what it says of the time has to be of now.
            let request = match make() {
                Ok(request) => request,
                Err(error) => {
                    leave.stayed();
                    return Err(error);
                }
            };
            let (leave, answer) = self.exchange_at(leave, &request, Purpose::Read).await?;
            self.heed(leave, &answer, attempt);
            if wishes.grant(&request, &answer) {
                continue;
            }
            if answer.status != 429 {
                return Ok(whole(answer, &request)?);
            }
            attempt += 1;
        }
    }

    /// Sends a request for a page of a log, once, or twice for another proof. Whoever reads a log says what
    /// it waits for and until when, so nothing is waited out here: a closed bucket is [`HttpError::Throttled`] at once, and a 429
    /// comes back as it is.
    pub async fn page(&self, bucket: &Bucket, request: &Request) -> Result<Answer, HttpError> {
        let patience = Patience::of(self.limits.page);
        let mut wishes = Wishes::default();
        loop {
            let leave = self.turn(bucket, patience.reading(), &request.url).await?;
            let (leave, answer) = self.exchange_at(leave, request, Purpose::Page).await?;
            self.heed(leave, &answer, 0);
            if wishes.grant(request, &answer) {
                continue;
            }
            return if answer.status == 429 { Ok(answer) } else { whole(answer, request) };
        }
    }

    /// How long an answer asks to wait before the next request, by the other side's own clock, within our
    /// limits.
    pub fn asked_pause(&self, answer: &Answer) -> Option<Duration> {
        rate::asked_pause(answer).map(|asked| asked.min(self.limits.longest_pause))
    }

    /// How far the clock that was handed in goes in a span of real time.
    pub fn span(&self, real: Duration) -> Duration {
        Duration::try_from(self.clock.span(real)).unwrap_or_default()
    }

    /// Sends a request that acts, once; again only after an answer which says that nothing ran: a 429, or
    /// once the wish for another proof. Each try wants its clearance, at its turn.
    pub async fn act(&self, bucket: &Bucket, request: &Request, clearance: &dyn Clearance) -> ActEnd {
        let patience = Patience::of(self.limits.act);
        let mut tries = Vec::new();
        let mut refused: Option<Answer> = None;
        let mut wishes = Wishes::default();
        loop {
            let turn = patience.acting(self.limits.act_gap);
            let leave = match self.cleared_turn(bucket, turn, request, clearance).await {
                Ok(leave) => leave,
                Err(error) => return held_back(error, refused, tries),
            };
            let at = self.now();
            match self.exchange_at(leave, request, Purpose::Act).await {
                Ok((leave, answer)) => {
                    self.heed(leave, &answer, u32::try_from(tries.len()).unwrap_or(u32::MAX));
                    let is_wished = wishes.grant(request, &answer);
                    if answer.status != 429 && !is_wished {
                        return ActEnd::Answered(answer, tries);
                    }
                    tries.push(Try { at, status: answer.status });
                    refused = Some(answer);
                }
                Err(error) if error.may_have_left() => return ActEnd::Unknown(error, tries),
                Err(error) => return ActEnd::NotSent(error, tries),
            }
        }
    }

    /// What came back, masked and cut as it is kept. `also` is a secret that is not configured: the
    /// token that the request carried.
    pub fn receipt(&self, answer: &Answer, tries: Vec<Try>, also: Option<&SecretString>) -> Receipt {
        self.redactor.receipt(answer, tries, also)
    }

    /// Whether a text of the other side repeats a secret of ours.
    pub fn repeats_secret(&self, text: &str, also: Option<&SecretString>) -> bool {
        self.redactor.first(text, text.len(), also) != text
    }

    /// Where the secret of ours is configured whose value an analyst's words hold.
    pub fn secret_in(&self, words: &str) -> Option<&str> {
        self.redactor.place_in(words)
    }

    /// The first bytes of a text of the other side, without our secrets in it.
    pub fn mask_first(&self, text: &str, limit: usize) -> String {
        self.redactor.first(text, limit, None)
    }

    /// Waits until a request may leave.
    async fn turn<'a>(&'a self, bucket: &'a Bucket, turn: Turn, url: &Url) -> Result<Leave<'a>, HttpError> {
        let telling = Telling { from: self.limits.told_from, clock: &self.clock };
        let began = Instant::now();
        self.pacer.turn(bucket, turn, &telling).await.map_err(|refused| no_turn(refused, url, began))
    }

    /// The same, with its clearance. Neither waits for the other with something in its hands: the turn is given
    /// back while the clearance is asked for, which may take its time, and had again where the bucket has been
    /// closed, or the place been taken, meanwhile.
    async fn cleared_turn<'a>(
        &'a self,
        bucket: &'a Bucket,
        turn: Turn,
        request: &Request,
        clearance: &dyn Clearance,
    ) -> Result<Leave<'a>, HttpError> {
        let began = Instant::now();
        let _first =
            self.pacer.line(bucket, turn).await.map_err(|error| no_turn(error, &request.url, began))?;
        loop {
            self.turn(bucket, turn, &request.url).await?.stayed();
            clearance.clear().await.map_err(HttpError::NotCleared)?;
            if let Some(leave) = self.pacer.turn_now(bucket, turn) {
                return Ok(leave);
            }
        }
    }

    /// What an answer says of its bucket; after a 429, the `attempt`th from 0, it is closed.
    fn heed(&self, leave: Leave<'_>, answer: &Answer, attempt: u32) {
        let pause = |answer| pace::pause_after(answer, attempt, &self.limits, &self.clock);
        let pause: Option<Pause> = (answer.status == 429).then(|| pause(answer));
        leave.answered(Rate::of(answer, &self.clock), pause);
    }

    /// One exchange at its turn: what never left has used up nothing of the bucket.
    async fn exchange_at<'a>(
        &self,
        leave: Leave<'a>,
        request: &Request,
        purpose: Purpose,
    ) -> Result<(Leave<'a>, Answer), HttpError> {
        match self.exchange(request, purpose).await {
            Ok(answer) => Ok((leave, answer)),
            Err(error) => {
                if !error.may_have_left() {
                    leave.stayed();
                }
                Err(error)
            }
        }
    }

    /// One exchange, no repeat of any kind.
    async fn exchange(&self, request: &Request, purpose: Purpose) -> Result<Answer, HttpError> {
        let allowance = match purpose {
            Purpose::Read => self.limits.read,
            Purpose::Page => self.limits.page,
            Purpose::Act => self.limits.act,
        };
        let reach = address::reach(&request.url)?;
        let client = self.clients.get(reach, purpose)?;
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut sent = client.request(method, request.url.clone()).headers(self.headers(request)?);
        if let Some(body) = &request.body {
            sent = sent.body(body.expose_secret().to_owned());
        }
        let failed = |e| HttpError::of(e, &request.url, self.clients.via(reach), allowance.timeout);
        let response = sent.timeout(allowance.timeout).send().await.map_err(failed)?;
        Ok(self.answer(response, allowance).await)
    }

    /// The request's own headers, and those that prove this exchange.
    fn headers(&self, request: &Request) -> Result<HeaderMap, HttpError> {
        let signed = request.signer.as_ref().map(|signer| signer.sign(request, self.now()));
        let signed = signed.transpose().map_err(HttpError::Unsigned)?.unwrap_or_default();
        header_map(request.headers.iter().chain(&signed))
    }

    /// From here on the status is known, so a body that breaks off is a flaw, not an error.
    async fn answer(&self, response: reqwest::Response, allowance: Allowance) -> Answer {
        let status = response.status().as_u16();
        let headers = response.headers().iter().map(header_text).collect();
        let (body, flaw) = read_body(response, allowance.body).await;
        Answer { status, headers, body, flaw, at: self.now() }
    }
}

fn no_turn(refused: Refused, url: &Url, began: Instant) -> HttpError {
    let host = address::host(url);
    match refused {
        Refused::Closed(wait) => HttpError::Throttled { host, wait },
        Refused::Crowded => HttpError::Crowded { host, waited: began.elapsed() },
    }
}

/// Until when one call waits.
#[derive(Debug, Clone, Copy)]
struct Patience {
    deadline: Instant,
    seated_by: Instant,
}

impl Patience {
    /// Whoever has a seat has given it up when its time is over, so nobody waits longer for one.
    fn of(allowance: Allowance) -> Patience {
        let began = Instant::now();
        let seated_by = began + allowance.held.max(allowance.timeout);
        Patience { deadline: began + allowance.held, seated_by }
    }

    fn reading(self) -> Turn {
        let (deadline, seated_by) = (self.deadline, self.seated_by);
        Turn { seat: Seat::Read, gap: Duration::ZERO, deadline, seated_by }
    }

    fn acting(self, gap: Duration) -> Turn {
        Turn { seat: Seat::Act, gap, ..self.reading() }
    }
}

/// What a call is that may not wait any longer, or is not cleared any more: its last answer if it was sent
/// at all, throttled or refused for its proof.
fn held_back(error: HttpError, refused: Option<Answer>, mut tries: Vec<Try>) -> ActEnd {
    // The last try is the answer itself.
    tries.pop();
    match refused {
        Some(answer) if answer.status == 429 => ActEnd::Throttled(answer, tries),
        Some(answer) => ActEnd::Answered(answer, tries),
        None => ActEnd::NotSent(error, tries),
    }
}

fn whole(answer: Answer, request: &Request) -> Result<Answer, HttpError> {
    let host = address::host(&request.url);
    match answer.flaw {
        None => Ok(answer),
        Some(Flaw::TooLarge(limit)) => Err(HttpError::TooLarge { host, limit }),
        Some(Flaw::Broken(cause)) => Err(HttpError::Cut { host, cause }),
    }
}

fn header_map<'a>(headers: impl Iterator<Item = &'a (String, HeaderText)>) -> Result<HeaderMap, HttpError> {
    let mut map = HeaderMap::new();
    for (name, text) in headers {
        let failed = |_| HttpError::Header(name.clone());
        let value = match text {
            HeaderText::Plain(text) => HeaderValue::from_str(text).map_err(failed)?,
            HeaderText::Secret(secret) => secret_value(secret).map_err(failed)?,
        };
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| HttpError::Header(name.clone()))?;
        map.append(name, value);
    }
    Ok(map)
}

/// Marked sensitive, so that the library's own debug output masks it.
fn secret_value(secret: &SecretString) -> Result<HeaderValue, reqwest::header::InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(secret.expose_secret())?;
    value.set_sensitive(true);
    Ok(value)
}

fn header_text((name, value): (&HeaderName, &HeaderValue)) -> (String, String) {
    (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
}

async fn read_body(mut response: reqwest::Response, limit: usize) -> (Vec<u8>, Option<Flaw>) {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if chunk.len() > limit - body.len() => {
                body.extend(chunk.iter().take(limit - body.len()));
                return (body, Some(Flaw::TooLarge(limit)));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return (body, None),
            Err(error) => return (body, Some(Flaw::Broken(error::innermost(&error)))),
        }
    }
}
