//! Chains of toxics against the rules of a byte stream: order kept, nothing lost or added, nothing after an end.

use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::base::ratio::Ratio;
use crate::base::seed::Seed;
use crate::fault::draws::Draws;
use crate::fault::parcel::Way;
use crate::fault::toxic::build;
use crate::plan::fault::{Data, Draw, Silence, Time, Toxic as Kind};

const BUFFER: usize = 1 << 20;

fn ms(n: u64) -> Tick {
    Tick::from_millis(n)
}

fn data(text: &'static str) -> Signal {
    Signal::Data(Bytes::from_static(text.as_bytes()))
}

fn stage(id: u64, kind: &Kind) -> Stage {
    let draws = Draws::new(Seed(1), format!("f{id}").into(), 1, 1);
    Stage::new(FaultId(id), build(kind, Way::Down, draws), None)
}

fn latency(time: u64, jitter: u64) -> Kind {
    Kind::Latency {
        time: Time::Fixed(Duration::from_millis(time)),
        jitter: Duration::from_millis(jitter),
        draw: Draw::Parcel,
    }
}

fn chain(kinds: &[Kind]) -> Chain {
    let mut chain = Chain::default();
    for (id, kind) in (1..).zip(kinds) {
        chain.add(stage(id, kind), Arming::Opened(Tick::ZERO));
    }
    chain
}

/// Everything that leaves, each piece at its instant.
fn drain(chain: &mut Chain) -> Vec<(u64, Piece)> {
    let mut left = Vec::new();
    while let Some(due) = chain.head_due() {
        let piece = chain.head(due).unwrap().clone();
        chain.advance(piece.bytes(), due);
        left.push((due.millis(), piece));
    }
    left
}

/// Swallows nothing, cuts in order after a number of parcels.
#[derive(Debug)]
struct CutAfter(u32);

impl Toxic for CutAfter {
    fn pass(&mut self, parcel: Parcel, out: &mut Outbox) {
        let due = parcel.due;
        out.send(due, parcel.signal);
        self.0 = self.0.saturating_sub(1);
        if self.0 == 0 {
            out.cut(due, Close::Rst);
        }
    }
}

#[test]
fn delays_count_from_arrival_and_several_add_up() {
    let mut chain = chain(&[latency(200, 0), latency(100, 0)]);
    chain.arrive(ms(0), data("a"));
    chain.arrive(ms(100), data("b"));
    chain.arrive(ms(100), Signal::Fin);
    let left = drain(&mut chain);
    assert_eq!(left, [(300, Piece::Pass(data("a"))), (400, Piece::Pass(data("b"))), (400, Piece::Pass(Signal::Fin))]);
}

#[test]
fn a_removed_delay_is_taken_back_from_what_is_queued_but_not_before_now() {
    let mut chain = chain(&[latency(200, 0), latency(1000, 0)]);
    chain.arrive(ms(0), data("a"));
    chain.arrive(ms(100), data("b"));
    assert!(!chain.remove(&[FaultId(2)], ms(250)));
    // "a" would have been due at 200, "b" still waits for the delay that stays.
    chain.arrive(ms(260), data("c"));
    let left: Vec<u64> = drain(&mut chain).into_iter().map(|(due, _)| due).collect();
    assert_eq!(left, [250, 300, 460]);
}

#[test]
fn what_waited_only_behind_a_held_piece_leaves_with_it() {
    let mut chain = chain(&[latency(500, 0)]);
    chain.arrive(ms(0), data("held"));
    chain.remove(&[FaultId(1)], ms(10));
    chain.add(stage(2, &latency(300, 0)), Arming::Injected { at: ms(10), opened: Tick::ZERO });
    chain.arrive(ms(20), data("later"));
    chain.remove(&[FaultId(2)], ms(30));
    let left: Vec<u64> = drain(&mut chain).into_iter().map(|(due, _)| due).collect();
    assert_eq!(left, [10, 30]);
}

#[test]
fn an_alarm_delays_nothing_and_drops_what_is_queued_when_it_rings() {
    let reset = Kind::ResetPeer { after: Duration::from_secs(10), data: Data::Pass, grace: Duration::ZERO };
    let mut chain = chain(&[reset, latency(20, 0)]);
    chain.arrive(ms(0), data("a"));
    assert_eq!(chain.head_due(), Some(ms(20)));
    chain.arrive(ms(9_990), data("b"));
    assert_eq!((chain.ring(ms(9_999), Tick::ZERO), chain.alarm_due(Tick::ZERO)), (None, Some(ms(10_000))));
    assert_eq!(chain.ring(ms(10_000), Tick::ZERO), Some(Close::Rst));
    assert_eq!(chain.head_due(), None);
    chain.arrive(ms(10_001), data("c"));
    assert_eq!(chain.head_due(), None, "nothing follows a cut");
}

#[test]
fn a_removed_fault_rings_no_alarm() {
    let mut chain = chain(&[Kind::Timeout { after: Duration::from_millis(300) }]);
    assert_eq!(chain.alarm_due(Tick::ZERO), Some(ms(300)));
    assert!(!chain.remove(&[FaultId(1)], ms(100)), "nothing was swallowed");
    assert_eq!(chain.ring(ms(400), Tick::ZERO), None);
}

#[test]
fn a_fault_that_swallowed_says_so_when_it_goes() {
    for signal in [data("lost"), Signal::Fin] {
        let mut chain = chain(&[Kind::Timeout { after: Duration::ZERO }]);
        chain.arrive(ms(1), signal);
        assert_eq!(chain.head_due(), None);
        assert!(chain.remove(&[FaultId(1)], ms(2)));
    }
}

#[test]
fn a_cut_waits_for_what_was_sent_before_it() {
    let mut chain = Chain::default();
    chain.add(Stage::new(FaultId(1), Box::new(CutAfter(2)), None), Arming::Opened(Tick::ZERO));
    chain.add(stage(2, &latency(50, 0)), Arming::Opened(Tick::ZERO));
    for _ in 0..4 {
        chain.arrive(ms(5), data("x"));
    }
    let left = drain(&mut chain);
    assert_eq!(left, [(55, Piece::Pass(data("x"))), (55, Piece::Pass(data("x"))), (55, Piece::Cut(Close::Rst))]);
}

#[test]
fn without_toxics_one_read_waits_and_with_toxics_the_buffer_bounds() {
    let mut plain = Chain::default();
    assert!(plain.is_clear());
    assert_eq!(plain.room(10), 10);
    plain.arrive(ms(0), data("x"));
    assert_eq!((plain.is_clear(), plain.room(10)), (false, 0));
    let mut slow = chain(&[latency(50, 0)]);
    slow.arrive(ms(0), data("four"));
    assert_eq!((slow.room(10), slow.room(3)), (6, 0));
}

#[derive(Clone, Debug)]
enum Deed {
    Wait(u64),
    Arrive(usize),
    Add(Kind),
    Update(u64, Kind),
    Remove(u64),
    Write(usize),
}

/// Every kind that loses and adds nothing.
fn lossless() -> impl Strategy<Value = Kind> {
    let pause = Duration::from_millis;
    prop_oneof![
        (0_u64..200, 0_u64..200).prop_map(|(time, jitter)| latency(time, jitter.min(time))),
        (0_u64..3_000).prop_map(|rate| Kind::Bandwidth { rate: rate.saturating_sub(500) }),
        (1_u64..20, 0_u64..20, 0_u64..9).prop_map(move |(size, variation, time)| {
            Kind::Slicer { size, variation: variation.min(size), pause: pause(time) }
        }),
        (0_u64..200).prop_map(move |time| Kind::SlowClose { delay: pause(time) }),
        (0.0..0.9_f64).prop_map(move |p| Kind::Loss {
            rate: Ratio::new(p),
            correlation: Ratio::new(p),
            rtt: pause(20),
            rto: pause(70),
        }),
        Just(Kind::Blackhole { how: Silence::Stall }),
        Just(Kind::Noop),
    ]
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        (0_u64..60).prop_map(Deed::Wait),
        (1_usize..40).prop_map(Deed::Arrive),
        lossless().prop_map(Deed::Add),
        (1_u64..9, lossless()).prop_map(|(id, to)| Deed::Update(id, to)),
        (1_u64..9).prop_map(Deed::Remove),
        (1_usize..64).prop_map(Deed::Write),
    ]
}

/// A chain with what went in and what came out.
#[derive(Default)]
struct Run {
    chain: Chain,
    now: u64,
    added: u64,
    given: Vec<u8>,
    taken: Vec<u8>,
}

impl Run {
    fn carry_out(&mut self, deed: &Deed) {
        match *deed {
            Deed::Wait(by) => self.now += by,
            Deed::Arrive(size) => {
                let from = self.given.len();
                let bytes: Vec<u8> = (from..from + size).map(|n| u8::try_from(n % 251).unwrap()).collect();
                self.given.extend(&bytes);
                self.chain.arrive(ms(self.now), Signal::Data(bytes.into()));
            }
            Deed::Add(ref kind) => {
                self.added += 1;
                let arming = Arming::Injected { at: ms(self.now), opened: Tick::ZERO };
                self.chain.add(stage(self.added, kind), arming);
            }
            Deed::Update(id, ref to) => self.chain.retune(FaultId(id), to, ms(self.now)),
            Deed::Remove(id) => assert!(!self.chain.remove(&[FaultId(id)], ms(self.now))),
            Deed::Write(most) => self.write(most),
        }
    }

    /// Nothing waits for a fault to go any more.
    fn heal(&mut self) {
        for id in 1..=self.added {
            self.chain.remove(&[FaultId(id)], ms(self.now));
        }
    }

    /// As the pump does: what is due, in pieces of any size.
    fn write(&mut self, most: usize) {
        if let Some(Piece::Pass(Signal::Data(bytes))) = self.chain.head(ms(self.now)) {
            let some = bytes.slice(..most.min(bytes.len()));
            self.taken.extend(&some);
            self.chain.advance(some.len(), ms(self.now));
        }
    }
}

proptest! {
    #[test]
    fn lossless_chains_keep_order_and_every_byte_under_live_changes(
        deeds in prop::collection::vec(deed(), 1..80),
        heals in any::<bool>(),
    ) {
        let mut run = Run::default();
        for deed in &deeds {
            run.carry_out(deed);
            prop_assert!(run.given.starts_with(&run.taken));
        }
        run.chain.arrive(ms(run.now), Signal::Fin);
        run.chain.arrive(ms(run.now), Signal::Data(Bytes::from_static(b"after the end")));
        if heals {
            run.heal();
        }
        let mut left = drain(&mut run.chain);
        prop_assert!(left.windows(2).all(|pair| pair[0].0 <= pair[1].0), "due instants never fall");
        // A stall keeps the rest, and the end, until it heals.
        run.heal();
        left.extend(drain(&mut run.chain));
        for (nth, (_, piece)) in left.iter().enumerate() {
            match piece {
                Piece::Pass(Signal::Data(bytes)) => run.taken.extend(bytes),
                piece => prop_assert!(nth + 1 == left.len() && *piece == Piece::Pass(Signal::Fin)),
            }
        }
        prop_assert_eq!(left.last().map(|(_, piece)| piece.clone()), Some(Piece::Pass(Signal::Fin)));
        prop_assert_eq!(run.taken, run.given);
        prop_assert_eq!(run.chain.room(BUFFER), BUFFER);
    }

    #[test]
    fn removing_every_fault_makes_everything_due_at_once(
        deeds in prop::collection::vec(deed(), 1..60),
    ) {
        let mut run = Run::default();
        for deed in &deeds {
            run.carry_out(deed);
        }
        run.heal();
        prop_assert!(drain(&mut run.chain).iter().all(|(due, _)| *due <= run.now));
    }

    #[test]
    fn nothing_follows_a_cut(parcels in 1_u32..20, after in 1_u32..20, delay in 0_u64..50) {
        let mut chain = Chain::default();
        chain.add(stage(1, &latency(delay, delay)), Arming::Opened(Tick::ZERO));
        chain.add(Stage::new(FaultId(2), Box::new(CutAfter(after)), None), Arming::Opened(Tick::ZERO));
        chain.add(stage(3, &latency(delay, delay)), Arming::Opened(Tick::ZERO));
        for at in 0..parcels {
            chain.arrive(ms(u64::from(at)), data("x"));
        }
        let left = drain(&mut chain);
        let cuts = left.iter().filter(|(_, piece)| *piece == Piece::Cut(Close::Rst)).count();
        let whole = parcels.min(after);
        prop_assert_eq!(cuts, usize::from(parcels >= after));
        prop_assert_eq!(left.len(), usize::try_from(whole).unwrap() + cuts);
        prop_assert!(cuts == 0 || left.last().unwrap().1 == Piece::Cut(Close::Rst));
    }
}
