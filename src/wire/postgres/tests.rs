//! Startup packets, frames at any split, and the FIFO of replies.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use super::frame::{Broken, Frame, Framer, KEPT};
use super::startup::{Opening, take};
use super::track::{Heard, Reply, Track};
use super::{read, write};
use crate::base::seed::Seed;

fn opening(bytes: &[u8]) -> Option<Opening> {
    take(&mut BytesMut::from(bytes))
}

fn whole(tag: u8, body: &[u8]) -> Frame {
    let mut bytes = vec![tag];
    bytes.extend(u32::try_from(body.len() + 4).unwrap().to_be_bytes());
    bytes.extend(body);
    Frame::Whole(bytes.into())
}

#[test]
fn a_first_packet_says_what_it_asks_for() {
    assert_eq!(opening(&[0, 0, 0, 8, 4, 210, 22, 47]), Some(Opening::Ssl));
    assert_eq!(opening(&[0, 0, 0, 8, 4, 210, 22, 48]), Some(Opening::Gssenc));
    assert_eq!(opening(&[0x16, 3, 1]), Some(Opening::DirectTls));
    assert_eq!(opening(&[0, 0, 0, 8, 4, 210]), None);
    assert_eq!(opening(b"GET / HTTP/1.1\r\n"), Some(Opening::Unknown));
    let long = [&[0, 0, 0, 24, 4, 210, 22, 46, 0, 0, 0, 7][..], &[9; 12]].concat();
    let Some(Opening::Cancel { key, raw }) = opening(&long) else { panic!() };
    assert_eq!((key.len(), raw.len()), (16, 24));
}

#[test]
fn the_parameters_of_a_startup_are_read_and_the_database_defaults_to_the_user() {
    let raw = write::startup(&[("user", "ann"), ("application_name", "shop")]);
    let Some(Opening::Startup { who, raw: kept }) = opening(&raw) else { panic!() };
    assert_eq!((&*who.user, &*who.database, &*who.application, who.replication), ("ann", "ann", "shop", false));
    assert_eq!(kept, raw);
    let raw = write::startup(&[("user", "ann"), ("database", "x"), ("replication", "database")]);
    assert!(matches!(opening(&raw), Some(Opening::Startup { who, .. }) if who.replication && who.database == "x"));
}

fn frames(framer: &mut Framer) -> Result<Vec<Frame>, Broken> {
    let mut all = Vec::new();
    while let Some(frame) = framer.next_frame()? {
        all.push(frame);
    }
    Ok(all)
}

#[test]
fn a_long_message_passes_in_parts_and_a_short_one_whole() {
    let mut framer = Framer::default();
    let long = whole(b'd', &vec![7; KEPT + 10]);
    let (first, second) = long.bytes().split_at(100);
    framer.feed(first);
    assert!(matches!(frames(&mut framer).unwrap().as_slice(), [Frame::Head(head)] if head.len() == 100));
    framer.feed(second);
    framer.feed(whole(b'c', &[]).bytes());
    let all = frames(&mut framer).unwrap();
    assert!(matches!(all.as_slice(), [Frame::Tail(_), Frame::Whole(_)]), "{all:?}");
    assert!(framer.is_between());
}

#[test]
fn what_is_no_message_breaks_and_keeps_its_bytes() {
    let mut framer = Framer::default();
    framer.feed(b"\x00\x01");
    assert_eq!(frames(&mut framer), Err(Broken { rest: Bytes::from_static(b"\x00\x01") }));
    framer.feed(b"Q\xff\xff\xff\xff");
    assert!(frames(&mut framer).is_err());
    framer.feed(b"Q\x00\x00\x00\x03");
    assert!(frames(&mut framer).is_err());
}

fn track(asked: &str) -> Track<usize> {
    let mut track = Track::default();
    for (at, tag) in asked.bytes().enumerate() {
        if let Some(reply) = Reply::to(tag) {
            track.expect(reply, at);
        }
    }
    track
}

fn hear(track: &mut Track<usize>, said: &str) -> Vec<Heard<usize>> {
    let body = |tag| if tag == b'Z' { &b"I"[..] } else { b"" };
    said.bytes().map(|tag| track.hear(&whole(tag, body(tag)))).collect()
}

#[test]
fn every_reply_finds_its_slot() {
    let mut all = track("QPBDDESQ");
    assert!(!hear(&mut all, "TDDCZ12tTnDDsZTCZ").contains(&Heard::Lost));
    assert!(all.is_idle());
    assert_eq!(hear(&mut all, "Z"), [Heard::Lost]);
    assert_eq!(hear(&mut all, "NASE"), [Heard::Aside, Heard::Aside, Heard::Aside, Heard::Aside]);
}

#[test]
fn an_error_skips_to_sync_and_also_what_is_sent_later() {
    let mut all = track("PBEPBESPBES");
    let heard = hear(&mut all, "12E");
    assert!(matches!(&heard[2], Heard::Failed(slots) if slots.len() == 4), "{heard:?}");
    assert!(!hear(&mut all, "Z12CZ").contains(&Heard::Lost) && all.is_idle());
    let mut all = track("PB");
    hear(&mut all, "E");
    assert!(all.is_empty() && all.is_skipping() && all.is_settled());
    all.expect(Reply::Query, 0);
    assert!(all.is_empty(), "a query is skipped, too");
    all.expect(Reply::Sync, 0);
    assert!(!hear(&mut all, "Z").contains(&Heard::Lost) && all.is_idle());
}

#[test]
fn copying_in_takes_no_sync_until_it_ends() {
    let mut all = track("ES");
    hear(&mut all, "G");
    all.expect(Reply::Sync, 9);
    all.copied();
    all.expect(Reply::Sync, 9);
    assert!(!hear(&mut all, "CZ").contains(&Heard::Lost) && all.is_idle());
    let mut all = track("Q");
    assert!(!hear(&mut all, "HddcCZ").contains(&Heard::Lost) && all.is_idle());
}

#[test]
fn fields_are_read_and_messages_written_alike() {
    let error = write::error("FATAL", "53300", "no");
    assert_eq!(read::sqlstate(error.get(5..).unwrap()), Some("53300"));
    assert_eq!(read::severity(error.get(5..).unwrap()), Some("FATAL"));
    assert_eq!(read::query(b"select 1\0"), Some("select 1"));
    assert_eq!(read::query(b"select 1"), None);
    assert_eq!(read::parse(b"a\0select\0\0\0"), Some((&b"a"[..], "select")));
    assert_eq!(read::first_column(b"\0\x01\0\0\0\x02ab"), Some(&b"ab"[..]));
    assert_eq!(read::first_column(b"\0\x01\xff\xff\xff\xff"), None);
    let raise = write::raise("40P01", "it's $squall$");
    assert!(raise.contains("'it''s $ squall$'"), "{raise}");
}

proptest! {
    #[test]
    fn any_split_gives_the_same_messages(
        bodies in prop::collection::vec((prop::sample::select(b"QPBDESHXdcT1Z".to_vec()), prop::collection::vec(any::<u8>(), 0..40)), 1..20),
        cuts in prop::collection::vec(1_usize..30, 1..60),
    ) {
        let messages: Vec<Frame> = bodies.iter().map(|(tag, body)| whole(*tag, body)).collect();
        let stream: Vec<u8> = messages.iter().flat_map(|frame| frame.bytes().to_vec()).collect();
        let (mut framer, mut got, mut rest) = (Framer::default(), Vec::new(), &stream[..]);
        for cut in cuts.iter().cycle() {
            let (now, later) = rest.split_at((*cut).min(rest.len()));
            framer.feed(now);
            got.extend(frames(&mut framer).unwrap());
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(got, messages);
    }

    #[test]
    fn random_bytes_never_panic_and_come_out_as_they_went_in(stream in prop::collection::vec(any::<u8>(), 0..400), cut in 1_usize..50) {
        let mut framer = Framer::default();
        let (mut out, mut broken) = (Vec::new(), false);
        for part in stream.chunks(cut) {
            if broken {
                out.extend_from_slice(part);
                continue;
            }
            framer.feed(part);
            loop {
                match framer.next_frame() {
                    Ok(Some(frame)) => out.extend_from_slice(frame.bytes()),
                    Ok(None) => break,
                    Err(Broken { rest }) => {
                        out.extend_from_slice(&rest);
                        broken = true;
                        break;
                    }
                }
            }
        }
        if !broken {
            out.extend_from_slice(&framer.rest());
        }
        prop_assert_eq!(out, stream.clone());
        let mut opening = BytesMut::from(&stream[..]);
        take(&mut opening);
        prop_assert!(read::query(&stream).is_none_or(|text| text.len() < stream.len()));
        prop_assert!(read::parse(&stream).is_none_or(|(name, text)| name.len() + text.len() + 2 <= stream.len()));
        prop_assert!(read::sqlstate(&stream).is_none_or(|code| code.len() <= stream.len()));
        prop_assert!(read::first_column(&stream).is_none_or(|column| column.len() <= stream.len()));
    }
}

/// A million messages of either side, most of them legal, some torn: never a panic, never a slot too many.
#[test]
#[ignore = "a minute of random messages"]
fn full_a_million_random_messages_are_followed_without_a_panic() {
    let mut stream = Seed(3).stream("postgres messages");
    let (mut track, mut framer, mut asked) = (Track::<u64>::default(), Framer::default(), 0_u64);
    let sides = [b"QPBDECSHFdcfX".as_slice(), b"RSKZTDCEN123tnsIGHdcAV"];
    while asked < 1_000_000 {
        asked += 1;
        let from_client = stream.below(2) == 0;
        let tags = sides[usize::from(!from_client)];
        let tag = tags[usize::try_from(stream.below(tags.len() as u64)).unwrap()];
        let body: Vec<u8> = (0..stream.below(24)).map(|_| u8::try_from(stream.below(128)).unwrap()).collect();
        let frame = if tag == b'Z' { whole(tag, b"I") } else { whole(tag, &body) };
        let mut bytes = frame.bytes().to_vec();
        if stream.below(1_000) == 0 {
            let place = usize::try_from(stream.below(bytes.len() as u64)).unwrap();
            bytes[place] ^= 0x55;
        }
        framer.feed(&bytes);
        loop {
            match framer.next_frame() {
                Ok(Some(frame)) if from_client => {
                    if let Some(reply) = frame.tag().and_then(Reply::to) {
                        track.expect(reply, asked);
                    }
                }
                Ok(Some(frame)) => {
                    if track.hear(&frame) == Heard::Lost {
                        track = Track::default();
                    }
                }
                Ok(None) => break,
                Err(_) => {
                    framer = Framer::default();
                    track = Track::default();
                    break;
                }
            }
        }
        assert!(track.slots().count() <= usize::try_from(asked).unwrap());
    }
}
