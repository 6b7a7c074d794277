//! What a framer makes of bytes, however they are split.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Kinds and bytes of the parts of `text`, fed in pieces that end at `cuts`; neighbouring parts of one kind are one.
fn read(side: Side, text: &[u8], cuts: &[usize], to: Option<&str>) -> Vec<(char, Vec<u8>)> {
    let mut framer = Framer::new(side);
    let mut found: Vec<(char, Vec<u8>)> = Vec::new();
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).chain([0, text.len()]).collect();
    cuts.sort_unstable();
    for pair in cuts.windows(2) {
        let mut input = Bytes::copy_from_slice(&text[pair[0]..pair[1]]);
        while let Some(part) = framer.next(&mut input, to) {
            let (kind, bytes) = match part {
                Part::Head(head) => ('h', head.bytes),
                Part::Body(bytes) => ('b', bytes),
                Part::Frame(bytes) => ('f', bytes),
                Part::End => ('e', Bytes::new()),
                Part::Raw(bytes) => ('r', bytes),
            };
            match found.last_mut() {
                Some((last, all)) if *last == kind && "bfr".contains(kind) => all.extend_from_slice(&bytes),
                _ => found.push((kind, bytes.to_vec())),
            }
        }
        assert!(input.is_empty(), "everything is taken");
    }
    if let Some(rest) = framer.finish() {
        found.push(('?', rest.to_vec()));
    }
    found
}

fn kinds(side: Side, text: &str, to: Option<&str>) -> String {
    read(side, text.as_bytes(), &[], to).into_iter().map(|(kind, _)| kind).collect()
}

#[test]
fn the_length_of_a_request_is_counted_chunked_or_nothing() {
    let rows = [
        ("GET / HTTP/1.1\r\nhost: a\r\n\r\n", "he"),
        ("GET / HTTP/1.1\n\n", "he"),
        ("\r\nGET / HTTP/1.0\r\n\r\n", "he"),
        ("POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabcGET / HTTP/1.1\r\n\r\n", "hbehe"),
        ("POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n", "he"),
        ("POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "hbe"),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nt: 1\r\n\r\n", "hfbfe"),
        ("CONNECT a:1 HTTP/1.1\r\n\r\n\x16\x03", "hr"),
        ("GET / HTTP/1.1\r\nhost", "?"),
    ];
    for (text, shape) in rows {
        assert_eq!(kinds(Side::Requests, text, None), shape, "{text:?}");
    }
}

#[test]
fn what_is_ambiguous_or_another_protocol_is_bytes() {
    let rows = [
        "POST / HTTP/1.1\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\nabc",
        "POST / HTTP/1.1\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc",
        "POST / HTTP/1.1\r\ncontent-length: +3\r\n\r\nabc",
        "POST / HTTP/1.1\r\ncontent-length: 99999999999999999999\r\n\r\nabc",
        "POST / HTTP/1.1\r\ntransfer-encoding: gzip, chunked\r\n\r\nabc",
        "POST / HTTP/1.1\r\nhost: a\r\n folded\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length : 3\r\n\r\nabc",
        "GET / HTTP/2.0\r\n\r\n",
        "GET  / HTTP/1.1\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01",
    ];
    for text in rows {
        assert_eq!(kinds(Side::Requests, text, None), "r", "{text:?}");
    }
    for text in ["SSH-2.0-x\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 20\r\n\r\n"] {
        assert_eq!(kinds(Side::Responses, text, Some("GET")), "r", "{text:?}");
    }
    assert_eq!(kinds(Side::Requests, "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n", None), "hr");
    assert_eq!(kinds(Side::Requests, &format!("GET / HTTP/1.1\r\na: {}", "x".repeat(HEAD_MOST)), None), "r");
}

#[test]
fn a_response_has_content_by_its_status_its_request_and_its_fields() {
    let rows = [
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab", "GET", "hbe"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n", "HEAD", "he"),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", "POST", "hehe"),
        ("HTTP/1.1 304 Not Modified\r\ncontent-length: 2\r\n\r\n", "GET", "he"),
        ("HTTP/1.1 200 OK\r\n\r\nuntil the end", "GET", "hb"),
        ("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n\x00", "GET", "hr"),
        ("HTTP/1.1 200 OK\r\n\r\n\x16", "CONNECT", "hr"),
        ("HTTP/1.1 200\r\ntransfer-encoding: Chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", "GET", "hfbfe"),
    ];
    for (text, to, shape) in rows {
        assert_eq!(kinds(Side::Responses, text, Some(to)), shape, "{text:?}");
    }
}

#[test]
fn the_words_of_a_head_are_found_in_its_bytes() {
    let text = "GET http://shop:80/orders/7?a=1 HTTP/1.1\r\nHost: shop\r\nX-A: 1\r\nx-a:  2 \r\nConnection: Keep-Alive, Close\r\n\r\n";
    let mut input = Bytes::copy_from_slice(text.as_bytes());
    let Some(Part::Head(head)) = Framer::new(Side::Requests).next(&mut input, None) else { panic!("a head") };
    assert_eq!((head.method(), head.path(), head.target()), ("GET", "/orders/7", "http://shop:80/orders/7?a=1"));
    assert_eq!(head.values("X-A").collect::<Vec<_>>(), ["1", "2"]);
    assert!(!head.keeps_alive() && head.lists("connection", "keep-alive"));
    let edits = [Edit::Set("x-a".into(), "3".into()), Edit::Remove("host".into())];
    let edited = head.edited(&edits);
    let expected = "GET http://shop:80/orders/7?a=1 HTTP/1.1\r\nConnection: Keep-Alive, Close\r\nx-a: 3\r\n\r\n";
    assert_eq!(edited, expected);
}

#[test]
fn content_may_pass_unread_but_for_its_last_byte() {
    let mut framer = Framer::new(Side::Requests);
    let mut input = Bytes::from_static(b"POST / HTTP/1.1\r\ncontent-length: 10\r\n\r\nab");
    while framer.next(&mut input, None).is_some() {}
    assert_eq!(framer.unread(), 7);
    framer.passed(7);
    let mut last = Bytes::from_static(b"j");
    assert_eq!(framer.next(&mut last, None), Some(Part::Body(Bytes::from_static(b"j"))));
    assert_eq!(framer.next(&mut last, None), Some(Part::End));
    assert!(framer.is_between());
}

/// Requests and responses, whole and broken.
fn conversations() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n".to_vec()),
        Just(b"POST /b HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello".to_vec()),
        Just(
            b"PUT /c HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nA;x\r\n0123456789\r\n0\r\n\r\n"
                .to_vec()
        ),
        Just(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()),
        Just(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc".to_vec()),
        Just(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nt: v\r\n\r\n".to_vec()),
        vec(any::<u8>(), 0..20),
    ];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_split_of_the_bytes_gives_the_same_messages(text in conversations(), cuts in vec(any::<usize>(), 0..12)) {
        for side in [Side::Requests, Side::Responses] {
            let whole = read(side, &text, &[], Some("GET"));
            prop_assert_eq!(&read(side, &text, &cuts, Some("GET")), &whole);
            prop_assert_eq!(whole.into_iter().flat_map(|(_, bytes)| bytes).collect::<Vec<_>>(), text.clone());
        }
    }

    #[test]
    fn random_bytes_come_out_as_they_went_in(text in vec(any::<u8>(), 0..300), cuts in vec(any::<usize>(), 0..12)) {
        for side in [Side::Requests, Side::Responses] {
            let found = read(side, &text, &cuts, None);
            prop_assert_eq!(found.into_iter().flat_map(|(_, bytes)| bytes).collect::<Vec<_>>(), text.clone());
        }
    }
}
