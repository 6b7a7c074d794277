//! A record says what was recorded, however it was cut.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::base::clock::Tick;
use crate::measure::interval::Health;
use crate::measure::outcome::{Class, Kind, Outcome};
use crate::measure::recorder::{Frame, Recorder};
use crate::measure::sample::{JourneyId, Sample, StepId};

fn head() -> Head {
    Head { schema: SCHEMA, name: "t".into(), steps: vec!["a".into(), "b".into()], ..Head::default() }
}

fn frames() -> Vec<Frame> {
    let mut recorder = Recorder::new(0, 2, Arc::new(vec!["status".into()]));
    let mut frames = Vec::new();
    for second in 0..25_u64 {
        for n in 0..20_u64 {
            let due = Tick::from_millis(second * 1000 + n * 50);
            let bad = n % 7 == 3;
            recorder.sample(&Sample {
                step: StepId(u16::try_from(n % 2).unwrap()),
                due,
                sent: due + std::time::Duration::from_micros(n),
                done: due + std::time::Duration::from_micros(700 + n * 311),
                outcome: if bad { Outcome::Refused(Kind::Status(503)) } else { Outcome::Answered },
                class: if bad { Class::Error } else { Class::Ok },
                bytes_out: 10,
                bytes_in: 100,
            });
        }
        recorder.journey(JourneyId(0), Tick::from_secs(second), |travel| travel.planned += 20);
        frames.push(recorder.frame(
            Tick::from_secs(second + 1),
            Health { cpu_us: second, stall_us: 0, waited_us: 1, ..Health::default() },
        ));
    }
    frames
}

fn written(name: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    let mut writer = RecordWriter::create(&path, &head()).unwrap();
    for frame in frames() {
        writer.frames(vec![frame]).unwrap();
    }
    writer.finish(&[], &Done { planned: 500, ..Done::default() }).unwrap();
    (dir, path)
}

#[test]
fn what_was_recorded_is_read_back() {
    let (_dir, path) = written("whole.sqr");
    let record = read(&path).unwrap();
    let mut want = BTreeMap::new();
    for part in frames().iter().flat_map(|frame| &frame.parts) {
        want.entry(part.second).or_insert_with(|| Interval::at(part.second)).merge(part);
    }
    assert_eq!(record.seconds, want.into_values().collect::<Vec<_>>());
    assert_eq!(record.done.unwrap().planned, 500);
    assert_eq!(record.seconds.iter().map(|s| s.travel().planned).sum::<u64>(), 500);
}

#[test]
fn a_record_cut_anywhere_is_read_up_to_the_cut() {
    let (dir, path) = written("whole.sqr");
    let bytes = std::fs::read(&path).unwrap();
    let cut = dir.path().join("cut.sqr");
    for end in (0..bytes.len()).step_by(97) {
        std::fs::write(&cut, &bytes[..end]).unwrap();
        if let Ok(record) = read(&cut) {
            assert!(record.done.is_none() && record.seconds.len() <= 26);
        }
    }
}

#[test]
fn a_flipped_byte_is_never_taken_for_data() {
    let (dir, path) = written("whole.sqr");
    let bytes = std::fs::read(&path).unwrap();
    let whole = read(&path).unwrap();
    let flipped = dir.path().join("flipped.sqr");
    for at in (8..bytes.len()).step_by(61) {
        let mut bytes = bytes.clone();
        bytes[at] ^= 0x40;
        std::fs::write(&flipped, &bytes).unwrap();
        match read(&flipped) {
            Ok(record) => assert!(record == whole || record.damaged > 0 || record.done.is_none(), "byte {at}"),
            Err(error) => assert!(matches!(error, RecordError::Foreign { .. }), "byte {at}: {error}"),
        }
    }
}

#[test]
fn foreign_and_newer_files_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqr");
    for (bytes, says) in [
        (&b""[..], "empty file"),
        (b"hello world", "wrong magic"),
        (b"\x89SQR\n\x1a\n", "copied as text"),
        (b"\x89SQR\r\n\x1a\n", "head is missing"),
    ] {
        std::fs::write(&path, bytes).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains(says));
    }
    RecordWriter::create(&path, &Head { schema: 2, ..head() }).unwrap();
    assert!(read(&path).unwrap_err().to_string().contains("schema 2, this squall reads 1: upgrade"));
}

#[test]
fn a_second_load_adds_up_with_the_first_and_needs_its_own_end() {
    let (_dir, path) = written("twice.sqr");
    let once = read(&path).unwrap();
    let mut writer = RecordWriter::resume(&path, 1).unwrap();
    for frame in frames() {
        writer.frames(vec![frame]).unwrap();
    }
    drop(writer);
    assert_eq!(read(&path).unwrap().done, None, "killed in its second load");
    let mut writer = RecordWriter::resume(&path, 2).unwrap();
    for frame in frames() {
        writer.frames(vec![frame]).unwrap();
    }
    writer.finish(&[], &Done { planned: 7, reason: "stopped".into(), ..Done::default() }).unwrap();
    let twice = read(&path).unwrap();
    let done = twice.done.unwrap();
    assert_eq!((done.planned, done.reason.as_str()), (507, "stopped"));
    let arrivals = |record: &[Interval]| record.iter().map(|one| one.travel().planned).sum::<u64>();
    assert!(arrivals(&twice.seconds) > 2 * arrivals(&once.seconds));
}

/// The frames of worker 0 and worker 1 of two, as `shard` of two of one run, its chunks in the order of `order`.
fn half(path: &std::path::Path, shard: u32, order: &[usize]) {
    let mut writer = RecordWriter::create(path, &Head { shard: (shard, 2), ..head() }).unwrap();
    let mine: Vec<Frame> = frames().into_iter().filter(|frame| frame.seq % 2 == shard).collect();
    for at in order {
        writer.frames(vec![mine[at % mine.len()].clone()]).unwrap();
    }
    let planned = if shard == 0 { 260 } else { 240 };
    writer.finish(&[], &Done { planned, duration_us: 9, ..Done::default() }).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn two_halves_in_any_order_with_duplicates_are_the_whole(
        order in Just((0..13_usize).collect::<Vec<_>>()).prop_shuffle(),
        again in prop::collection::vec(0..13_usize, 0..6),
        turn in any::<bool>(),
    ) {
        let (_dir, whole) = written("whole.sqr");
        let dir = tempfile::tempdir().unwrap();
        let mut paths = vec![dir.path().join("0.sqr"), dir.path().join("1.sqr")];
        let order: Vec<usize> = order.into_iter().chain(again).collect();
        half(&paths[0], 0, &order);
        half(&paths[1], 1, &order);
        if turn {
            paths.reverse();
        }
        paths.push(paths[0].clone());
        let (merged, whole) = (merge(&paths).unwrap(), read(&whole).unwrap());
        prop_assert_eq!(merged.done.map(|done| (done.planned, done.duration_us)), Some((500, 9)));
        prop_assert_eq!(merged.seconds.len(), whole.seconds.len());
        for (ours, theirs) in merged.seconds.iter().zip(&whole.seconds) {
            prop_assert_eq!((&ours.steps, &ours.journeys, &ours.flow), (&theirs.steps, &theirs.journeys, &theirs.flow));
        }
    }
}

#[test]
fn what_does_not_belong_together_is_refused_by_its_field() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b] = ["a.sqr", "b.sqr"].map(|name| dir.path().join(name));
    half(&a, 0, &[0, 1]);
    let both = [a.clone(), b.clone()];
    for (field, other) in [
        ("plan_hash", Head { plan_hash: "other".into(), ..head() }),
        ("seed", Head { seed: 7, ..head() }),
        ("grid_ms", Head { grid_ms: 500, ..head() }),
        ("shard", Head { shard: (1, 3), ..head() }),
    ] {
        RecordWriter::create(&b, &Head { shard: if field == "shard" { (1, 3) } else { (1, 2) }, ..other }).unwrap();
        let said = merge(&both).unwrap_err().to_string();
        assert!(said.starts_with(field) && said.contains("b.sqr"), "{said}");
    }
    half(&b, 1, &[0]);
    std::fs::copy(&b, dir.path().join("c.sqr")).unwrap();
    assert_eq!(merge(std::slice::from_ref(&a)).unwrap().done, None, "a missing shard leaves the whole without an end");
    assert!(merge(&both).unwrap().done.is_some());
    let mut writer = RecordWriter::create(&b, &Head { shard: (0, 2), ..head() }).unwrap();
    let forged = Frame { seq: frames()[0].seq, ..frames()[5].clone() };
    writer.frames(vec![forged]).unwrap();
    writer.finish(&[], &Done::default()).unwrap();
    let said = merge(&both).unwrap_err().to_string();
    assert!(said.contains("a.sqr") && said.contains("b.sqr") && said.contains("different bytes"), "{said}");
}

#[test]
fn consecutive_loads_write_one_record_that_can_be_read_between_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("relay.sqr");
    let mut relay = RecordWriter::create(&path, &head()).unwrap().relay();
    let all = frames();
    let mut want = BTreeMap::new();
    for part in all.iter().flat_map(|frame| &frame.parts) {
        want.entry(part.second).or_insert_with(|| Interval::at(part.second)).merge(part);
    }
    let want: Vec<_> = want.into_values().collect();
    for (n, some) in all.chunks(9).enumerate() {
        let mut leg = relay.leg().unwrap();
        for (seq, frame) in some.iter().enumerate() {
            // Every load counts its frames from 0 again.
            leg.frames(vec![Frame { seq: u32::try_from(seq).unwrap(), ..frame.clone() }]).unwrap();
        }
        let slow = |n: usize| Exemplar { response_us: 10 + n as u64, due_us: n as u64, ..Exemplar::default() };
        let slowest: Vec<_> = (0..15).map(|one| slow(one + 15 * n)).collect();
        let done = Done { planned: 100, frames: vec![9], reason: "finished".into(), ..Done::default() };
        leg.finish(&slowest, &done).unwrap();
        let so_far = read(&path).unwrap();
        assert!(so_far.done.is_none() && so_far.seconds.len() > 8 * n && so_far.damaged == 0);
    }
    relay.finish(25_000_000, "interrupted").unwrap();
    let record = read(&path).unwrap();
    assert_eq!(record.seconds, want);
    let done = record.done.unwrap();
    assert_eq!(
        (done.planned, done.frames, done.reason.as_str(), done.duration_us),
        (300, vec![27], "interrupted", 25_000_000)
    );
    let slow: Vec<u64> = record.exemplars.iter().map(|one| one.response_us).collect();
    assert_eq!(slow, (35..55).rev().collect::<Vec<_>>());
}
