//! One connection played by hand: what passes is byte-identical, and nothing that a peer sends can end the speaker.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::fault::decide::Unit;
use crate::fault::parcel::Piece;
use crate::fault::rule::stand::active;
use crate::fault::snapshot::Snapshot;
use crate::plan::fault::rule::postgres::{Moment, Only, Postgres as Rules};
use crate::wire::postgres::write;

/// A connection, with rules on a table that nobody names.
struct Play {
    speaker: Postgres,
    docket: Docket,
}

impl Play {
    fn new(acts: &[Act]) -> Self {
        let only = || Only { tables: vec!["nobody".into()], ..Only::default() };
        let rule = |act: &Act| Rule::Postgres(Box::new(Rules { only: only(), act: act.clone() }));
        let all = acts.iter().zip(1..).map(|(act, id)| active(id, rule(act), 1.0));
        let mut docket = Docket::new(Unit::default());
        docket.sync(&all.fold(Snapshot::default(), |all, one| all.with(one)));
        Self { speaker: Postgres::new(Tls::Refuse, Arc::default(), Arc::default()), docket }
    }

    /// What leaves for the server and for the client when `bytes` come this way.
    fn hear(&mut self, way: Way, bytes: &[u8]) -> [Vec<u8>; 2] {
        let mut post = Post::new(Tick::from_secs(1));
        let signal = Signal::Data(Bytes::copy_from_slice(bytes));
        self.speaker.hear(Heard::From(way, signal), &mut self.docket, &mut post);
        let mut out = [Vec::new(), Vec::new()];
        for (way, transit) in post.out {
            if let Piece::Pass(Signal::Data(data)) = transit.piece {
                out[usize::from(way == Way::Down)].extend_from_slice(&data);
            }
        }
        out
    }

    /// Past the login.
    fn live(acts: &[Act]) -> Self {
        let mut play = Self::new(acts);
        play.hear(Way::Up, &write::startup(&[("user", "ann")]));
        play.hear(Way::Down, b"R\0\0\0\x08\0\0\0\0");
        play.hear(Way::Down, &write::ready(b'I'));
        assert_eq!(play.speaker.stage, Stage::Live);
        play
    }
}

#[test]
fn tls_is_refused_by_a_letter_and_a_cancel_for_nobody_passes() {
    let mut play = Play::new(&[]);
    assert_eq!(play.hear(Way::Up, &[0, 0, 0, 8, 4, 210, 22, 47]), [vec![], b"N".to_vec()]);
    assert_eq!(play.hear(Way::Up, &[0, 0, 0, 8, 4, 210, 22, 48]), [vec![], b"N".to_vec()]);
    let startup = write::startup(&[("user", "ann")]);
    assert_eq!(play.hear(Way::Up, &startup), [startup.to_vec(), vec![]]);
    let cancel = [0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 0, 7, 0, 0, 0, 9];
    assert_eq!(Play::new(&[]).hear(Way::Up, &cancel), [cancel.to_vec(), vec![]]);
}

#[test]
fn a_handshake_without_a_question_and_replication_pass_as_bytes() {
    for first in [&[0x16, 3, 1, 0, 5][..], &write::startup(&[("user", "a"), ("replication", "true")])] {
        let mut play = Play::new(&[Act::ReadOnly]);
        assert_eq!(play.hear(Way::Up, first), [first.to_vec(), vec![]]);
        assert_eq!((play.speaker.stage, play.speaker.unread(Way::Down)), (Stage::Blind, u64::MAX));
    }
}

#[test]
fn what_is_prepared_waits_for_what_makes_the_server_answer() {
    let kill = Act::Kill { how: Death::Rst, moment: Moment::Statement };
    let mut play = Play::live(&[kill]);
    let (parse, sync) = (b"P\0\0\0\x10\0select 1\0\0\0", write::sync());
    assert_eq!(play.hear(Way::Up, parse).concat(), b"");
    assert_eq!(play.hear(Way::Up, &sync), [[&parse[..], &sync].concat(), vec![]]);
}

proptest! {
    #[test]
    fn random_bytes_of_both_peers_pass_identically(
        turns in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 1..60)), 1..30),
    ) {
        let mut play = Play::live(&[Act::ReadOnly]);
        // Once nothing can be followed any more; whatever was legal before passed all the same.
        let (mut sent, mut came) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        for (up, bytes) in turns {
            let way = if up { Way::Up } else { Way::Down };
            sent[usize::from(!up)].extend_from_slice(&bytes);
            let out = play.hear(way, &bytes);
            came[0].extend_from_slice(&out[0]);
            came[1].extend_from_slice(&out[1]);
        }
        let probed = came[0].windows(9).any(|window| window == b"pg_catalo");
        for (came, sent) in came.iter().zip(&sent) {
            prop_assert!(probed || sent.starts_with(came), "{sent:?} came as {came:?}");
        }
        if play.speaker.stage == Stage::Blind {
            prop_assert!(probed || came == sent);
        }
    }
}
