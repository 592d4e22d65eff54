//! Somebody who is told: a webhook on loopback, as Slack's or anybody's, that answers as a test wants it.

use super::wait;
use serde_json::Value;
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// How one request is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    /// 200, as Slack says it.
    Taken,
    /// This status with this body.
    Status(u16, &'static str),
    /// 429, and how many seconds are asked for.
    Throttled(u64),
    /// It is taken, and the connection ends without an answer.
    Lost,
    /// No answer until [`Chat::let_go`]; then it is taken.
    Held,
}

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
    pub(crate) reply: Reply,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether whoever sent it was told that it came.
    pub(crate) fn is_answered(&self) -> bool {
        matches!(self.reply, Reply::Taken | Reply::Held)
    }

    /// The source's own ids of the events in it.
    pub(crate) fn ids(&self) -> Vec<String> {
        let events = self.body["events"].as_array().cloned().unwrap_or_default();
        events.iter().map(|event| event["source_event_id"].as_str().unwrap().to_owned()).collect()
    }
}

#[derive(Debug, Default)]
struct State {
    replies: VecDeque<Reply>,
    always: Option<Reply>,
    requests: Vec<Request>,
    is_let_go: bool,
}

/// A webhook that hears.
#[derive(Debug, Clone)]
pub(crate) struct Chat {
    address: SocketAddr,
    state: Arc<(Mutex<State>, Condvar)>,
}

/// What stands in its address and must stand nowhere else.
pub(crate) const TOKEN: &str = "T0000-B0000-xoxs3cr3t";

impl Chat {
    pub(crate) fn start() -> Chat {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let chat = Chat { address: listener.local_addr().unwrap(), state: Arc::default() };
        let hearing = chat.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let hearing = hearing.clone();
                // A client that went away is its own affair.
                thread::spawn(move || drop(hearing.converse(stream)));
            }
        });
        chat
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/services/{TOKEN}", self.address)
    }

    /// Answers the next requests like this, one after the other; those after them are taken.
    pub(crate) fn answer(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state.0.lock().unwrap().replies.extend(replies);
    }

    /// Answers everything like this from now on; `None` takes it.
    pub(crate) fn always(&self, reply: Option<Reply>) {
        self.state.0.lock().unwrap().always = reply;
    }

    /// Answers what is held, now and from now on.
    pub(crate) fn let_go(&self) {
        self.state.0.lock().unwrap().is_let_go = true;
        self.state.1.notify_all();
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state.0.lock().unwrap().requests.clone()
    }

    /// Waits until so many requests came, and answers them all.
    pub(crate) fn heard(&self, count: usize) -> Vec<Request> {
        let seen = || format!("{:#?}", self.requests());
        wait::answer_or(format!("{count} request(s)"), seen, || {
            let requests = self.requests();
            (requests.len() >= count).then_some(requests)
        })
    }

    /// The ids of the events in all requests that were answered well, in their order.
    pub(crate) fn told(&self) -> Vec<String> {
        self.requests().iter().filter(|request| request.is_answered()).flat_map(Request::ids).collect()
    }

    fn converse(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        let Some(request) = read(&mut stream)? else { return Ok(()) };
        let reply = self.reply(request);
        let (status, more, body) = match reply {
            Reply::Taken | Reply::Held => (200, String::new(), "ok"),
            Reply::Status(status, body) => (status, String::new(), body),
            Reply::Throttled(seconds) => (429, format!("retry-after: {seconds}\r\n"), "rate_limited"),
            Reply::Lost => return Ok(()),
        };
        let length = body.len();
        write!(
            stream.get_mut(),
            "HTTP/1.1 {status} X\r\n{more}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
    }

    /// Remembers a request and chooses its answer.
    fn reply(&self, mut request: Request) -> Reply {
        let (state, changed) = &*self.state;
        let mut state = state.lock().unwrap();
        let reply = state.replies.pop_front().or_else(|| state.always.clone()).unwrap_or(Reply::Taken);
        request.reply = reply.clone();
        state.requests.push(request);
        while reply == Reply::Held && !state.is_let_go {
            state = changed.wait(state).unwrap();
        }
        reply
    }
}

fn read(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<Request>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let path = lines[0].split(' ').nth(1).unwrap().to_owned();
    let header = |line: &String| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_ascii_lowercase(), value.trim().to_owned())
    };
    let headers: Vec<(String, String)> = lines[1..].iter().map(header).collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").unwrap().1.parse().unwrap();
    let mut body = String::new();
    stream.take(length).read_to_string(&mut body)?;
    let body = serde_json::from_str(&body).unwrap();
    Ok(Some(Request { path, headers, body, reply: Reply::Taken }))
}
