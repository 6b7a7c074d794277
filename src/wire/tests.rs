//! Seeded storms of broken messages against every reader: nothing panics, and everything comes out as it went in.

use bytes::Bytes;

use super::{http1, redis};
use crate::base::seed::{Seed, Stream};

/// Reads pieces and gives back what came out of them.
trait Reader {
    fn read(&mut self, piece: Bytes) -> Vec<u8>;
    fn rest(&mut self) -> Vec<u8>;
}

impl Reader for http1::Framer {
    fn read(&mut self, mut piece: Bytes) -> Vec<u8> {
        let mut out = Vec::new();
        while let Some(part) = self.next(&mut piece, Some("GET")) {
            match part {
                http1::Part::Head(head) => {
                    let edited = head.edited(&[http1::Edit::Set("x".into(), "y".into())]);
                    assert!(edited.ends_with(b"x: y\r\n\r\n"));
                    out.extend_from_slice(&head.bytes);
                }
                http1::Part::Body(bytes) | http1::Part::Frame(bytes) | http1::Part::Raw(bytes) => {
                    out.extend_from_slice(&bytes);
                }
                http1::Part::End => {}
            }
        }
        out
    }

    fn rest(&mut self) -> Vec<u8> {
        self.finish().unwrap_or_default().to_vec()
    }
}

impl Reader for redis::Commands {
    fn read(&mut self, mut piece: Bytes) -> Vec<u8> {
        let mut out = Vec::new();
        while let Some(part) = self.next(&mut piece) {
            match part {
                redis::CommandPart::Command(one) => {
                    let (_, at) = redis::keys(&one.args);
                    assert!(at.iter().all(|at| *at < one.args.len()), "keys are arguments");
                    out.extend_from_slice(&one.bytes);
                }
                redis::CommandPart::Rest(bytes)
                | redis::CommandPart::Nothing(bytes)
                | redis::CommandPart::Raw(bytes) => out.extend_from_slice(&bytes),
                redis::CommandPart::End => {}
            }
        }
        out
    }

    fn rest(&mut self) -> Vec<u8> {
        self.finish().unwrap_or_default().to_vec()
    }
}

impl Reader for redis::Replies {
    fn read(&mut self, mut piece: Bytes) -> Vec<u8> {
        let mut out = Vec::new();
        while let Some(part) = self.next(&mut piece) {
            if let redis::ReplyPart::Bytes(bytes) | redis::ReplyPart::Raw(bytes) = part {
                out.extend_from_slice(&bytes);
            }
        }
        out
    }

    fn rest(&mut self) -> Vec<u8> {
        self.finish().unwrap_or_default().to_vec()
    }
}

const MESSAGES: [&str; 12] = [
    "GET /a HTTP/1.1\r\nhost: x\r\n\r\n",
    "POST /b HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello",
    "PUT /c HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nt: v\r\n\r\n",
    "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$5\r\nhello\r\n",
    "*4\r\n$4\r\nEVAL\r\n$1\r\nx\r\n$1\r\n1\r\n$1\r\nk\r\n",
    "get a\r\n\r\n*0\r\n",
    "$5\r\nhello\r\n*2\r\n:1\r\n*1\r\n$-1\r\n",
    "%1\r\n+a\r\n_\r\n>2\r\n+x\r\n,1.5\r\n|1\r\n+a\r\n+b\r\n#t\r\n",
    "-ERR no\r\n+OK\r\n",
];

fn below(stream: &mut Stream, n: usize) -> usize {
    usize::try_from(stream.below(n as u64)).unwrap()
}

/// A few messages with a few bytes changed, put in or left out.
fn broken(stream: &mut Stream) -> Vec<u8> {
    let mut text = Vec::new();
    for _ in 0..=stream.below(3) {
        text.extend_from_slice(MESSAGES[below(stream, MESSAGES.len())].as_bytes());
    }
    for _ in 0..stream.below(4) {
        let at = below(stream, text.len().max(1)).min(text.len());
        match stream.below(4) {
            0 if at < text.len() => text[at] = stream.bits().to_le_bytes()[0],
            1 => text.insert(at, b"\r\n:$*%0-9"[below(stream, 9)]),
            2 if at < text.len() => drop(text.remove(at)),
            _ => text.truncate(text.len().min(at.max(1))),
        }
    }
    text
}

fn storm(messages: u64) {
    let mut stream = Seed(7).stream("wire/storm");
    for n in 0..messages {
        let text = broken(&mut stream);
        let piece = 1 + below(&mut stream, text.len().max(1));
        let readers: [Box<dyn Reader>; 4] = [
            Box::new(http1::Framer::new(http1::Side::Requests)),
            Box::new(http1::Framer::new(http1::Side::Responses)),
            Box::<redis::Commands>::default(),
            Box::<redis::Replies>::default(),
        ];
        for mut reader in readers {
            let mut out: Vec<u8> =
                text.chunks(piece).flat_map(|piece| reader.read(Bytes::copy_from_slice(piece))).collect();
            out.extend(reader.rest());
            assert_eq!(out, text, "message {n} in pieces of {piece}");
        }
    }
}

#[test]
fn ten_thousand_broken_messages_come_out_as_they_went_in() {
    storm(10_000);
}

#[test]
#[ignore = "a minute"]
fn full_a_million_broken_messages_come_out_as_they_went_in() {
    storm(1_000_000);
}
