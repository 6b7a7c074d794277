//! What the readers make of bytes, however they are split.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn pieces(text: &[u8], cuts: &[usize]) -> Vec<Bytes> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).chain([0, text.len()]).collect();
    cuts.sort_unstable();
    cuts.windows(2).map(|pair| Bytes::copy_from_slice(&text[pair[0]..pair[1]])).collect()
}

fn put(found: &mut Vec<(String, Vec<u8>)>, kind: String, bytes: &[u8]) {
    match found.last_mut() {
        Some((last, all)) if *last == kind && !bytes.is_empty() => all.extend_from_slice(bytes),
        _ => found.push((kind, bytes.to_vec())),
    }
}

fn commands(text: &[u8], cuts: &[usize]) -> Vec<(String, Vec<u8>)> {
    let (mut reader, mut found) = (Commands::default(), Vec::new());
    for mut input in pieces(text, cuts) {
        while let Some(part) = reader.next(&mut input) {
            match part {
                CommandPart::Command(one) => {
                    let args: Vec<_> = one.args.iter().map(|arg| String::from_utf8_lossy(arg).into_owned()).collect();
                    found.push((args.join(","), one.bytes.to_vec()));
                }
                CommandPart::Rest(bytes) => put(&mut found, "rest".into(), &bytes),
                CommandPart::End => found.push(("end".into(), vec![])),
                CommandPart::Nothing(bytes) => found.push(("nothing".into(), bytes.to_vec())),
                CommandPart::Raw(bytes) => put(&mut found, "raw".into(), &bytes),
            }
        }
        assert!(input.is_empty());
    }
    if let Some(rest) = reader.finish() {
        found.push(("begun".into(), rest.to_vec()));
    }
    found
}

fn replies(text: &[u8], cuts: &[usize]) -> Vec<(String, Vec<u8>)> {
    let (mut reader, mut found) = (Replies::default(), Vec::new());
    for mut input in pieces(text, cuts) {
        while let Some(part) = reader.next(&mut input) {
            match part {
                ReplyPart::Begin(kind) => found.push((format!("{kind:?}"), vec![])),
                ReplyPart::Bytes(bytes) => put(&mut found, "bytes".into(), &bytes),
                ReplyPart::End => found.push(("end".into(), vec![])),
                ReplyPart::Raw(bytes) => put(&mut found, "raw".into(), &bytes),
            }
        }
        assert!(input.is_empty());
    }
    if let Some(rest) = reader.finish() {
        put(&mut found, "bytes".into(), &rest);
    }
    found
}

fn words(found: &[(String, Vec<u8>)]) -> String {
    found.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn commands_are_arrays_of_strings_or_lines() {
    let text = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\nset b  1\r\n\r\n*0\r\n*-1\r\n*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGE";
    assert_eq!(words(&commands(text, &[])), "GET,a set,b,1 nothing nothing nothing PING begun");
    for text in
        ["\x16\x03\x01", "*x\r\n", "*1\r\nGET\r\n", "*1\r\n$-1\r\n", "*2\r\n$1\r\nabc\r\n", "*1\r\n$999999999999\r\n"]
    {
        assert_eq!(words(&commands(text.as_bytes(), &[])), "raw", "{text:?}");
    }
}

#[test]
fn a_long_command_comes_in_parts() {
    let long = "x".repeat(100_000);
    let text = format!("*4\r\n$3\r\nSET\r\n$1\r\na\r\n$100000\r\n{long}\r\n$2\r\nNX\r\n*1\r\n$4\r\nPING\r\n");
    let found = commands(text.as_bytes(), &[70_000, 100_030, 100_031]);
    assert_eq!(words(&found), "SET,a rest end PING");
    assert_eq!(found.concat_bytes(), text.as_bytes());
}

trait Joined {
    fn concat_bytes(&self) -> Vec<u8>;
}

impl Joined for Vec<(String, Vec<u8>)> {
    fn concat_bytes(&self) -> Vec<u8> {
        self.iter().flat_map(|(_, bytes)| bytes.clone()).collect()
    }
}

#[test]
fn a_reply_is_whole_with_its_last_value_and_a_push_is_none() {
    let whole = "Reply bytes end";
    let rows = [
        ("+OK\r\n", whole),
        ("-ERR no\r\n", "Error bytes end"),
        ("$5\r\nhello\r\n", whole),
        ("$-1\r\n", whole),
        ("$0\r\n\r\n", whole),
        ("*-1\r\n", whole),
        ("*0\r\n", whole),
        ("*2\r\n$1\r\na\r\n*2\r\n:1\r\n:2\r\n", whole),
        ("%1\r\n+a\r\n~1\r\n#t\r\n", whole),
        ("_\r\n", whole),
        (",1.5\r\n", whole),
        ("(123\r\n", whole),
        ("=7\r\ntxt:abc\r\n", whole),
        ("!5\r\nERR x\r\n", "Error bytes end"),
        ("|1\r\n+ttl\r\n:3\r\n$1\r\na\r\n", whole),
        ("*2\r\n|1\r\n+ttl\r\n:3\r\n:1\r\n:2\r\n", whole),
        (">2\r\n+invalidate\r\n*1\r\n$1\r\na\r\n+OK\r\n", "Push bytes end Reply bytes end"),
        ("*2\r\n:1\r\n", "Reply bytes"),
    ];
    for (text, shape) in rows {
        assert_eq!(words(&replies(text.as_bytes(), &[])), shape, "{text:?}");
    }
    for text in ["$?\r\n", "HTTP/1.1 200 OK\r\n", "*x\r\n", ":1\n"] {
        assert_eq!(words(&replies(text.as_bytes(), &[])), "Reply raw", "{text:?}");
    }
}

#[test]
fn keys_are_where_the_command_has_them() {
    let rows = [
        ("get a", Access::Read, vec![1]),
        ("MGET a b c", Access::Read, vec![1, 2, 3]),
        ("zunion 2 a b weights 1 2", Access::Read, vec![2, 3]),
        ("set a 1", Access::Write, vec![1]),
        ("mset a 1 b 2", Access::Write, vec![1, 3]),
        ("rename a b", Access::Write, vec![1, 2]),
        ("eval script 2 a b c", Access::Write, vec![3, 4]),
        ("eval script 99999999999 a", Access::Write, vec![3]),
        ("ping", Access::None, vec![]),
        ("get", Access::Read, vec![]),
        ("bitop and dest a b", Access::Write, vec![2]),
    ];
    for (text, access, at) in rows {
        assert_eq!(keys(&text.split(' ').collect::<Vec<_>>()), (access, at), "{text}");
    }
    for (text, expected) in [
        ("subscribe a", true),
        ("client reply off", true),
        ("client reply on", false),
        ("client id", false),
        ("xread block 0 streams a 0", true),
        ("xread streams a 0", false),
        ("blpop a 0", true),
        ("get subscribe", false),
    ] {
        assert_eq!(turns_to_bytes(&text.split(' ').collect::<Vec<_>>()), expected, "{text}");
    }
}

fn conversations() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n".to_vec()),
        Just(b"PING\r\n".to_vec()),
        Just(b"+OK\r\n$3\r\nabc\r\n".to_vec()),
        Just(b"*2\r\n*1\r\n$-1\r\n%1\r\n+a\r\n:1\r\n".to_vec()),
        Just(b">1\r\n+x\r\n|1\r\n+a\r\n+b\r\n_\r\n".to_vec()),
        Just(b"*1\r\n$0\r\n\r\n*0\r\n\r\n".to_vec()),
        vec(any::<u8>(), 0..16),
    ];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_split_of_the_bytes_gives_the_same_messages(text in conversations(), cuts in vec(any::<usize>(), 0..12)) {
        let whole = commands(&text, &[]);
        prop_assert_eq!(&commands(&text, &cuts), &whole);
        prop_assert_eq!(&whole.concat_bytes(), &text);
        let whole = replies(&text, &[]);
        prop_assert_eq!(&replies(&text, &cuts), &whole);
        prop_assert_eq!(&whole.concat_bytes(), &text);
    }
}
