//! Every kind against the table of what it must do: instants, sizes, ends, and what an update keeps.

use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::base::ratio::Ratio;
use crate::base::seed::Seed;
use crate::fault::parcel::{Piece, Signal};
use crate::plan::fault::{Corruption, Existing, Moment, Origin, Outage, Silence, Time};

/// Parameters, arming, and the alarms that follow.
type Outcome = (Outage, Existing, Arming, &'static [(u64, Close)]);

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn at(n: u64) -> Tick {
    Tick::from_millis(n)
}

fn draws(connection: u64) -> Draws {
    Draws::new(Seed(1), "act".into(), 7, connection)
}

fn toxic(kind: &Kind) -> Box<dyn Toxic> {
    build(kind, Way::Down, draws(1))
}

fn bytes(n: usize) -> Signal {
    Signal::Data(Bytes::from(vec![7; n]))
}

/// What leaves, in milliseconds and bytes; an end has none.
fn pass(toxic: &mut dyn Toxic, due: u64, signal: Signal) -> Vec<(u64, usize)> {
    let mut out = Outbox::default();
    toxic.pass(Parcel { due: at(due), signal }, &mut out);
    out.sent.iter().map(|(due, piece)| (due.millis(), piece.bytes())).collect()
}

fn alarms(toxic: &mut dyn Toxic, arming: Arming) -> Vec<(u64, Close)> {
    let mut out = Outbox::default();
    toxic.open(arming, &mut out);
    out.alarms.iter().map(|ring| (ring.at.millis(), ring.how)).collect()
}

#[test]
fn two_hundred_thousand_bytes_take_two_seconds_at_a_hundred_kilobytes_per_second() {
    let mut slow = toxic(&Kind::Bandwidth { rate: 100_000 });
    let first = pass(&mut *slow, 0, bytes(32_768));
    assert_eq!(first, [(100, 10_000), (200, 10_000), (300, 10_000), (327, 2_768)]);
    let last = (0..5).map(|_| pass(&mut *slow, 0, bytes(32_768))).last().unwrap();
    assert_eq!(pass(&mut *slow, 0, bytes(200_000 - 6 * 32_768)), [(2_000, 3_392)], "after {last:?}");
    assert_eq!(pass(&mut *slow, 5_000, bytes(1_000)), [(5_010, 1_000)], "an idle line starts at once");
}

#[test]
fn a_rate_of_nothing_holds_until_the_toxic_goes() {
    let mut still = toxic(&Kind::Bandwidth { rate: 0 });
    let never = Tick::MAX.millis();
    assert_eq!(pass(&mut *still, 5, bytes(10)), [(never, 10)]);
    assert_eq!(pass(&mut *still, 5, Signal::Fin), [(never, 0)]);
}

#[test]
fn pieces_have_the_stated_size_and_are_a_pause_apart() {
    let mut exact = toxic(&Kind::Slicer { size: 10, variation: 0, pause: ms(5) });
    assert_eq!(pass(&mut *exact, 100, bytes(25)), [(100, 10), (105, 10), (110, 5)]);
    assert_eq!(pass(&mut *exact, 101, bytes(4)), [(115, 4)]);
    let mut varied = toxic(&Kind::Slicer { size: 10, variation: 4, pause: Duration::ZERO });
    let pieces = pass(&mut *varied, 0, bytes(300_000));
    let sizes: Vec<usize> = pieces.iter().map(|(_, size)| *size).collect();
    assert!(sizes.iter().rev().skip(1).all(|size| (6..=14).contains(size)));
    assert!([6, 14].iter().all(|edge| sizes.contains(edge)), "both ends occur");
    let mean = 300_000.0 / sizes.len() as f64;
    assert!((mean - 10.0).abs() < 0.1, "{mean}");
    let mut least = toxic(&Kind::Slicer { size: 1, variation: 1, pause: Duration::ZERO });
    assert!(pass(&mut *least, 0, bytes(100)).iter().all(|(_, size)| (1..=2).contains(size)));
}

#[test]
fn only_the_end_is_late_under_a_slow_close() {
    let mut slow = toxic(&Kind::SlowClose { delay: ms(700) });
    let rows = [(bytes(9), (20, 9)), (Signal::Rst, (20, 0)), (Signal::Fin, (720, 0))];
    for (signal, left) in rows {
        assert_eq!(pass(&mut *slow, 20, signal), [left]);
    }
}

#[test]
fn a_blackhole_keeps_or_discards_everything_and_a_noop_nothing() {
    let rows: [(Kind, &[(u64, usize)]); 3] = [
        (Kind::Blackhole { how: Silence::Stall }, &[(Tick::MAX.millis(), 9)]),
        (Kind::Blackhole { how: Silence::Swallow }, &[]),
        (Kind::Noop, &[(20, 9)]),
    ];
    for (kind, left) in rows {
        assert_eq!(pass(&mut *toxic(&kind), 20, bytes(9)), left, "{kind:?}");
    }
}

#[test]
fn exactly_the_limit_passes_and_an_update_keeps_the_count() {
    let limit = |bytes, close| Kind::LimitData { bytes, close };
    for (limited, parcels, passed) in [(10, vec![4, 4, 4], 10), (8, vec![4, 4], 8), (0, vec![1], 0), (5, vec![4], 4)] {
        let mut toxic = toxic(&limit(limited, Ending::Rst));
        let mut out = Outbox::default();
        for size in &parcels {
            toxic.pass(Parcel { due: at(1), signal: bytes(*size) }, &mut out);
        }
        let left: usize = out.sent.iter().map(|(_, piece)| piece.bytes()).sum();
        let cut = out.sent.last().unwrap().1 == Piece::Cut(Close::Rst);
        assert_eq!((left, cut), (passed, parcels.iter().sum::<usize>() as u64 >= limited), "limit {limited}");
    }
    let mut toxic = toxic(&limit(100, Ending::Fin));
    pass(&mut *toxic, 0, bytes(60));
    let mut queue = Queue { now: at(1), held: vec![] };
    toxic.retune(&limit(70, Ending::Fin), &mut queue, &mut Outbox::default());
    assert_eq!(pass(&mut *toxic, 2, bytes(60)), [(2, 10), (2, 0)]);
}

fn corrupted(how: Corruption, skip: u64, reads: usize) -> Vec<u8> {
    let mut toxic = toxic(&Kind::Corrupt { one_in: 100, how, skip });
    let mut left = Vec::new();
    for read in vec![7_u8; 100_000].chunks(reads) {
        let mut out = Outbox::default();
        toxic.pass(Parcel { due: at(0), signal: Signal::Data(Bytes::copy_from_slice(read)) }, &mut out);
        for (_, piece) in out.sent {
            if let Piece::Pass(Signal::Data(bytes)) = piece {
                left.extend(bytes);
            }
        }
    }
    left
}

#[test]
fn corruption_is_a_function_of_the_offset_and_never_of_the_reads() {
    for how in [Corruption::Flip, Corruption::Replace, Corruption::Insert(3), Corruption::Remove(3)] {
        let whole = corrupted(how, 500, 100_000);
        assert!(whole == corrupted(how, 500, 977) && whole == corrupted(how, 500, 1), "{how:?}");
        assert!(whole[..500].iter().all(|byte| *byte == 7), "{how:?}: what is skipped is left alone");
        // 995 places are expected; 200 is more than six standard deviations.
        let struck = match how {
            Corruption::Flip | Corruption::Replace => whole.iter().filter(|byte| **byte != 7).count(),
            Corruption::Insert(_) => (whole.len() - 100_000) / 3,
            Corruption::Remove(_) => (100_000 - whole.len()) / 3,
        };
        assert!((795..1_195).contains(&struck), "{how:?}: {struck}");
    }
    let flipped = corrupted(Corruption::Flip, 0, 4_096);
    assert!(flipped.iter().all(|byte| (byte ^ 7).count_ones() <= 1));
}

#[test]
fn down_acts_on_new_connections_and_on_living_ones_when_told() {
    let opened = Arming::Opened(at(100));
    let injected = Arming::Injected { at: at(100), opened: at(1) };
    let rows: [Outcome; 7] = [
        (Outage::Reset, Existing::Keep, opened, &[(100, Close::Rst)]),
        (Outage::Refuse, Existing::Keep, opened, &[(100, Close::Rst)]),
        (Outage::Close, Existing::Keep, opened, &[(100, Close::Fin)]),
        (Outage::Hang, Existing::Close, opened, &[]),
        (Outage::Reset, Existing::Keep, injected, &[]),
        (Outage::Hang, Existing::Keep, injected, &[]),
        (Outage::Refuse, Existing::Close, injected, &[(100, Close::Fin)]),
    ];
    for (how, existing, arming, rings) in rows {
        let mut toxic = toxic(&Kind::Down { how, existing });
        assert_eq!(alarms(&mut *toxic, arming), rings, "{how:?} {existing:?} {arming:?}");
        let silent = how == Outage::Hang && arming == opened;
        assert_eq!(pass(&mut *toxic, 101, bytes(1)).is_empty(), silent);
    }
}

#[test]
fn a_lifetime_counts_from_its_origin_and_never_ends_in_the_past() {
    let life = |from| Kind::MaxLifetime { after: Time::Fixed(ms(50)), from, close: Ending::Rst, at: Moment::Now };
    let opened = Arming::Opened(at(10));
    let injected = |at_| Arming::Injected { at: at(at_), opened: at(10) };
    let rows = [
        (Origin::Opened, opened, 60),
        (Origin::Opened, injected(30), 60),
        (Origin::Opened, injected(200), 200),
        (Origin::Injected, injected(200), 250),
        (Origin::Injected, opened, 60),
    ];
    for (from, arming, rings) in rows {
        let mut toxic = build(&life(from), Way::Up, draws(1));
        assert_eq!(alarms(&mut *toxic, arming), [(rings, Close::Rst)], "{from:?} {arming:?}");
        assert_eq!(pass(&mut *toxic, 201, bytes(3)), [(201, 3)]);
    }
}

fn lossy(rate: f64, correlation: f64) -> Box<dyn Toxic> {
    let (rate, correlation) = (Ratio::new(rate), Ratio::new(correlation));
    toxic(&Kind::Loss { rate, correlation, rtt: ms(60), rto: ms(200) })
}

#[test]
fn a_lost_segment_waits_a_round_trip_or_a_timeout_and_none_is_missing() {
    assert_eq!(pass(&mut *lossy(0.0, 0.0), 0, bytes(3_000)), [(0, 1_448), (0, 1_448), (0, 104)]);
    let mut rare = lossy(0.1, 0.0);
    let (mut lost, mut segments) = (0, 0);
    for _ in 0..2_000 {
        let left = pass(&mut *rare, 0, bytes(10 * 1_448));
        assert_eq!(left.iter().map(|(_, size)| *size).sum::<usize>(), 14_480);
        for (nth, (wait, _)) in left.iter().enumerate() {
            segments += 1;
            lost += u32::from(*wait > 0);
            // Three more follow the first seven: 60 ms, then 400 and 800 when the repetition is lost, too.
            let first = if nth < 7 { 60 } else { 200 };
            assert!([0, first, first + 400, first + 1_200].contains(wait) || *wait > 2_000, "{nth}: {wait}");
        }
    }
    // 2 000 of 20 000 are expected, with a standard deviation of 42.
    assert!((1_850..2_150).contains(&lost), "{lost} of {segments}");
    let waits = |toxic: &mut dyn Toxic| (0..5_000).filter(|_| pass(toxic, 0, bytes(9))[0].0 > 0).count();
    assert!(waits(&mut *lossy(0.1, 0.5)) > waits(&mut *lossy(0.1, 0.0)) + 200, "losses come in bursts");
}

#[test]
fn an_updated_hold_is_kept_but_not_beyond_the_new_maximum() {
    let held = |time| Held { came: at(0), bytes: 100, time };
    let rows: [(Kind, Kind, Vec<Duration>, Vec<Duration>); 6] = [
        (Kind::latency(ms(900)), Kind::latency(ms(100)), vec![ms(900), ms(50)], vec![ms(100), ms(50)]),
        (Kind::latency(ms(10)), Kind::latency(ms(900)), vec![ms(10)], vec![ms(10)]),
        (Kind::SlowClose { delay: ms(700) }, Kind::SlowClose { delay: ms(70) }, vec![ms(700)], vec![ms(70)]),
        // From 10 ms on, 100 bytes take 100 ms.
        (Kind::Bandwidth { rate: 0 }, Kind::Bandwidth { rate: 1_000 }, vec![Duration::MAX; 2], vec![ms(110), ms(210)]),
        (Kind::Bandwidth { rate: 9 }, Kind::Bandwidth { rate: 0 }, vec![ms(7)], vec![Duration::MAX]),
        (Kind::Noop, Kind::Noop, vec![], vec![]),
    ];
    for (old, new, before, after) in rows {
        let mut queue = Queue { now: at(10), held: before.into_iter().map(held).collect() };
        toxic(&old).retune(&new, &mut queue, &mut Outbox::default());
        assert_eq!(queue.held, after.into_iter().map(held).collect::<Vec<_>>(), "{old:?} to {new:?}");
    }
}

#[test]
fn updated_timeouts_and_resets_count_from_their_arming() {
    let reset = |after| Kind::ResetPeer { after: ms(after), data: Data::Swallow, grace: ms(50) };
    let timeout = |after| Kind::Timeout { after: ms(after) };
    for (old, new, want) in [
        (timeout(300), timeout(900), vec![(at(905), Close::Fin)]),
        (timeout(300), timeout(0), vec![]),
        (reset(300), reset(400), vec![(at(405), Close::Rst)]),
    ] {
        let mut toxic = build(&old, Way::Up, draws(1));
        toxic.open(Arming::Opened(at(5)), &mut Outbox::default());
        let mut out = Outbox::default();
        toxic.retune(&new, &mut Queue { now: at(50), held: vec![] }, &mut out);
        let set: Vec<(Tick, Close)> = out.alarms.iter().map(|ring| (ring.at, ring.how)).collect();
        assert_eq!(set, want, "{old:?} to {new:?}");
    }
}
