//! Somebody who posts webhooks: plain HTTP/1.1 on one connection that is kept open.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longer than any time-out of the listener.
const ANSWER_TIME: Duration = Duration::from_secs(20);

/// A connection to a listener.
#[derive(Debug)]
pub(crate) struct Poster {
    stream: BufReader<TcpStream>,
    secret: String,
}

impl Poster {
    pub(crate) fn connect(listen: SocketAddr, secret: &str) -> io::Result<Poster> {
        let stream = TcpStream::connect(listen)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_TIME))?;
        Ok(Poster { stream: BufReader::new(stream), secret: secret.to_owned() })
    }

    /// Posts one body and answers the status.
    pub(crate) fn post(&mut self, body: &str) -> io::Result<u16> {
        Ok(self.ask(body)?.0)
    }

    /// Posts one body and answers the status and the words.
    pub(crate) fn ask(&mut self, body: &str) -> io::Result<(u16, String)> {
        let head = format!(
            "POST /hooks/cii HTTP/1.1\r\nhost: listener\r\ncontent-type: application/json\r\n\
             x-api-client-token: {}\r\ncontent-length: {}\r\n\r\n",
            self.secret,
            body.len()
        );
        self.stream.get_mut().write_all(&[head.as_bytes(), body.as_bytes()].concat())?;
        self.answer()
    }

    fn answer(&mut self) -> io::Result<(u16, String)> {
        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|status| status.parse().ok());
        let mut length = 0;
        loop {
            let line = self.line()?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        let mut words = String::new();
        self.stream.by_ref().take(length).read_to_string(&mut words)?;
        Ok((status.ok_or_else(|| io::Error::other("no status"))?, words))
    }

    /// A line without its end. The end of the stream is an error: an answer was cut.
    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end().to_owned()),
        }
    }
}

/// Posts one body on a connection of its own.
pub(crate) fn post(listen: SocketAddr, secret: &str, body: &str) -> u16 {
    Poster::connect(listen, secret).unwrap().post(body).unwrap()
}
