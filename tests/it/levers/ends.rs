//! Every way a drill may end early: all acts are off within two seconds, documents are written, and the exit code says which it was.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use squall::base::clock::Clock;

use super::night::{FLAG, Night, SLOW, active, begun, end_keeper, keeper_pid, lines, open, until};
use crate::support::program::Running;
use crate::support::quiet::alone;
use crate::support::target::TOKEN;
use crate::support::throwaway::needs;

const SOON: Duration = Duration::from_secs(60);

/// How it is ended.
#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    AbortFile,
    Interrupt,
    Terminate,
    Condition,
    KeeperKilled,
    Killed,
}

impl How {
    fn file(self, night: &Night) -> String {
        let file = night.all(60);
        if self != Self::Condition {
            return file;
        }
        file.replace(
            "expectations:",
            r#"abort: [(when: Fired("ship"), hold: "2s", because: "enough was seen")],
  expectations:"#,
        )
    }

    fn begin(self, running: &Running, run: &Path) {
        match self {
            Self::AbortFile => fs::write(run.join("abort"), "").unwrap(),
            Self::Interrupt => running.signal(Signal::INT),
            Self::Terminate => running.signal(Signal::TERM),
            Self::Killed => running.signal(Signal::KILL),
            Self::KeeperKilled => kill_process(Pid::from_raw(keeper_pid(run).unwrap()).unwrap(), Signal::KILL).unwrap(),
            Self::Condition => {
                // From here on the two seconds count: the condition has held for so long.
                until(SOON, || {
                    lines(&run.join("journal.jsonl")).into_iter().find(|line| line["data"]["name"] == "aborting")
                });
            }
        }
    }

    fn code(self) -> Option<i32> {
        match self {
            Self::AbortFile | Self::Condition => Some(6),
            Self::Interrupt => Some(130),
            Self::Terminate => Some(143),
            Self::KeeperKilled => Some(4),
            Self::Killed => None,
        }
    }
}

fn is_off(night: &Night, run: &Path) -> bool {
    night.state() == 'S' && !night.target.flag() && active(run).is_none_or(|faults| faults.is_empty())
}

fn ends(how: How) {
    let in_force = |night: &Night, run: &Path| {
        night.state() == 'T' && night.target.flag() && active(run) == Some(vec!["slow".to_owned()])
    };
    let (night, running, run) = begun(|night| how.file(night), in_force);
    let clock = Clock::start();
    how.begin(&running, &run);
    let begun = clock.now();
    until(SOON, || is_off(&night, &run).then_some(()));
    let took = clock.now() - begun;
    println!("{how:?}: all acts off after {:.3} s", took.as_secs_f64());
    assert!(took < Duration::from_secs(2), "{how:?}: {took:?}");
    if how == How::KeeperKilled {
        until(Duration::from_secs(2), || night.path_is_up().then_some(()));
        println!("{how:?}: the path is up again after {:.3} s", (clock.now() - begun).as_secs_f64());
    }
    let ran = running.ends();
    // Where the machine was too busy to believe the generator, 5 stands before 4 and 6.
    let is_spoilt = ran.code() == Some(5) && matches!(how.code(), Some(4 | 6));
    assert!(ran.code() == how.code() || is_spoilt, "{how:?}: {:?}\n{}{}", ran.code(), ran.stdout(), ran.stderr());
    if how == How::Killed {
        assert!(night.path_is_up(), "the path stays up");
        let again = || Night::prepared(&how.file(&night)).args(["recover", run.to_str().unwrap()]).run().exits(0);
        again().says("`ship` is healed").says("has healed what it held, and ended");
        assert!(!night.path_is_up(), "the keeper is gone");
        let changes = night.target.changes();
        again();
        assert_eq!(night.target.changes(), changes, "nothing done");
    } else {
        for file in ["index.html", "result.json", "postmortem.md", "journal.jsonl"] {
            assert!(run.join(file).is_file(), "{how:?}: {file}");
        }
    }
    assert!(open(&run).is_empty(), "{how:?}: {:?}", open(&run));
    let journal = lines(&run.join("journal.jsonl"));
    let place = |act: &str| journal.iter().position(|line| line["kind"] == "verified" && line["data"]["id"] == act);
    assert!(place("slow") < place("ship") || how != How::Killed, "faults first, then levers, the latest first");
    end_keeper(&run);
}

#[test]
#[ignore = "six drills at once: their two seconds need a machine of their own"]
fn long_whatever_ends_a_drill_early_everything_is_undone_within_two_seconds() {
    let _lock = alone();
    let all = [How::AbortFile, How::Interrupt, How::Terminate, How::Condition, How::KeeperKilled, How::Killed];
    let runs: Vec<_> = all.into_iter().map(|how| thread::spawn(move || ends(how))).collect();
    for run in runs {
        run.join().unwrap();
    }
}

#[test]
#[ignore = "half a minute, and a terminal of its own"]
fn full_two_x_on_the_terminal_abort() {
    let Some(script) = needs("script") else { return };
    let _lock = alone();
    let night = Night::begin();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("small_night.ron"), night.file(&[SLOW, FLAG], 60)).unwrap();
    fs::write(folder.path().join("small.ron"), Night::SCENARIO).unwrap();
    let line = format!(
        "{} drill small_night.ron --out {}",
        env!("CARGO_BIN_EXE_squall"),
        folder.path().join("reports").display()
    );
    let mut child = Command::new(script)
        .args(["-qec", &line, "/dev/null"])
        .current_dir(folder.path())
        .env("SMALL_TOKEN", TOKEN)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    until(SOON, || night.target.flag().then_some(()));
    let clock = Clock::start();
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), b"x x\n").unwrap();
    until(SOON, || (!night.target.flag()).then_some(()));
    println!("off after {:.3} s", clock.now().secs_f64());
    assert!(clock.now().secs_f64() < 2.0);
    assert_eq!(child.wait().unwrap().code(), Some(6));
}
