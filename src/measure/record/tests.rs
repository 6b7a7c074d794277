//! A record says what was recorded, however it was cut.

use std::sync::Arc;

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
        frames.push(recorder.frame(Tick::from_secs(second + 1), Health { cpu_us: second, stall_us: 0, waited_us: 1 }));
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
    let mut want = std::collections::BTreeMap::new();
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
fn consecutive_loads_write_one_record_that_can_be_read_between_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("relay.sqr");
    let mut relay = RecordWriter::create(&path, &head()).unwrap().relay();
    let all = frames();
    let mut want = std::collections::BTreeMap::new();
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
