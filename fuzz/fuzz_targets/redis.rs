//! `cargo fuzz run redis`: whatever comes, in whatever pieces, comes out as it went in.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use squall::wire::redis::{CommandPart, Commands, Replies, ReplyPart, keys, turns_to_bytes};

fuzz_target!(|data: &[u8]| {
    let Some((&cut, text)) = data.split_first() else { return };
    let (mut commands, mut replies) = (Commands::default(), Replies::default());
    let (mut asked, mut answered) = (Vec::new(), Vec::new());
    for piece in text.chunks(usize::from(cut) + 1) {
        let mut input = Bytes::copy_from_slice(piece);
        while let Some(part) = commands.next(&mut input) {
            match part {
                CommandPart::Command(one) => {
                    keys(&one.args);
                    turns_to_bytes(&one.args);
                    asked.extend_from_slice(&one.bytes);
                }
                CommandPart::Rest(bytes) | CommandPart::Nothing(bytes) | CommandPart::Raw(bytes) => {
                    asked.extend_from_slice(&bytes);
                }
                CommandPart::End => {}
            }
        }
        let mut input = Bytes::copy_from_slice(piece);
        while let Some(part) = replies.next(&mut input) {
            if let ReplyPart::Bytes(bytes) | ReplyPart::Raw(bytes) = part {
                answered.extend_from_slice(&bytes);
            }
        }
    }
    asked.extend(commands.finish().unwrap_or_default());
    answered.extend(replies.finish().unwrap_or_default());
    assert_eq!((asked, answered), (text.to_vec(), text.to_vec()));
});
