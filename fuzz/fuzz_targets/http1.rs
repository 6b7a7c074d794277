//! `cargo fuzz run http1`: whatever comes, in whatever pieces, comes out as it went in.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use squall::wire::http1::{Framer, Part, Side};

fuzz_target!(|data: &[u8]| {
    let Some((&cut, text)) = data.split_first() else { return };
    for side in [Side::Requests, Side::Responses] {
        let (mut framer, mut out) = (Framer::new(side), Vec::new());
        for piece in text.chunks(usize::from(cut) + 1) {
            let mut input = Bytes::copy_from_slice(piece);
            while let Some(part) = framer.next(&mut input, Some("GET")) {
                match part {
                    Part::Head(head) => out.extend_from_slice(&head.bytes),
                    Part::Body(bytes) | Part::Frame(bytes) | Part::Raw(bytes) => out.extend_from_slice(&bytes),
                    Part::End => {}
                }
            }
        }
        out.extend(framer.finish().unwrap_or_default());
        assert_eq!(out, text);
    }
});
