//! The built program, run in a folder of its own under a time limit.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use squall::base::clock::{Clock, Tick};
use tempfile::TempDir;

/// A command line of squall in the making.
pub(crate) struct Squall {
    command: Command,
    folder: Rc<TempDir>,
    limit: Duration,
}

impl Squall {
    /// The built binary, in an empty folder, for at most a minute.
    pub(crate) fn new() -> Self {
        Self::program(env!("CARGO_BIN_EXE_squall"))
    }

    /// Another program in the same harness.
    pub(crate) fn program(path: &str) -> Self {
        let folder = Rc::new(tempfile::tempdir().unwrap());
        let mut command = Command::new(path);
        command.current_dir(folder.path()).env("NO_COLOR", "1").env_remove("RUST_LOG");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { command, folder, limit: Duration::from_secs(60) }
    }

    /// A line for the shell, in the same harness.
    pub(crate) fn shell(line: &str) -> Self {
        Self::program("sh").args(["-c", line])
    }

    /// Runs in another folder, which stays when it is gone.
    pub(crate) fn inside(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Appends arguments.
    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    /// Writes a file into the folder; name it by its bare name in the arguments.
    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        fs::write(self.folder.path().join(name), text).unwrap();
        self
    }

    /// Sets a variable of the environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// The run is killed, and the test fails, after `limit`.
    pub(crate) fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Starts the program and returns at once. Its files go to `reports` in the folder.
    pub(crate) fn start(mut self) -> Running {
        let args: Vec<_> = self.command.get_args().map(OsStr::to_owned).collect();
        let is_command = args.first().is_some_and(|first| !first.to_string_lossy().starts_with('-'));
        if is_command && !args.iter().any(|arg| arg == "--out") {
            self.command.arg("--out").arg(self.folder.path().join("reports"));
        }
        let child = self.command.spawn().unwrap();
        let pid = Pid::from_child(&child);
        Running { child: Some(child), pid, folder: self.folder, limit: self.limit, clock: Clock::start() }
    }

    /// Runs to the end.
    pub(crate) fn run(self) -> Ran {
        self.start().ends()
    }
}

/// A program on its way.
pub(crate) struct Running {
    /// None once its end is awaited.
    child: Option<Child>,
    pid: Pid,
    folder: Rc<TempDir>,
    limit: Duration,
    clock: Clock,
}

impl Running {
    /// Sends a signal: `Signal::INT` as Ctrl-C does, `Signal::KILL` as the kernel does.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).unwrap();
    }

    /// Where it runs.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Waits for the end; at the time limit kills the program and fails the test with what it had said.
    pub(crate) fn ends(mut self) -> Ran {
        let child = self.child.take().unwrap();
        // Reading both pipes to their end needs a thread of its own; the channel closes when the program has ended.
        let (sender, receiver) = mpsc::channel();
        let reader = thread::spawn(move || {
            let output = child.wait_with_output().unwrap();
            let _ = sender.send(());
            output
        });
        let in_time = receiver.recv_timeout(self.limit).is_ok();
        if !in_time {
            let _ = kill_process(self.pid, Signal::KILL);
        }
        let ran = Ran {
            output: reader.join().unwrap(),
            took: self.clock.now().since(Tick::ZERO),
            folder: Rc::clone(&self.folder),
        };
        assert!(in_time, "still running after {:?}\n{}", self.limit, ran.transcript());
        ran
    }
}

/// A test that fails half-way leaves no program behind.
impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// A finished run.
pub(crate) struct Ran {
    output: Output,
    took: Duration,
    folder: Rc<TempDir>,
}

impl Ran {
    /// The exit code; none when a signal ended it.
    pub(crate) fn code(&self) -> Option<i32> {
        self.output.status.code()
    }

    /// Demands an exit code.
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.output.status.code(), Some(code), "{}\n{}", self.output.status, self.transcript());
        self
    }

    /// Demands a text on stdout or stderr.
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stdout().contains(text) || self.stderr().contains(text), "no `{text}` in\n{}", self.transcript());
        self
    }

    /// Results.
    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }

    /// Progress and complaints.
    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    /// Wall time from start to end.
    pub(crate) fn took(&self) -> Duration {
        self.took
    }

    /// The folder it ran in.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The one run's folder below `reports`.
    pub(crate) fn report(&self) -> PathBuf {
        let entries = fs::read_dir(self.folder().join("reports"))
            .unwrap_or_else(|error| panic!("{error}\n{}", self.transcript()));
        let folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
        let [only] = folders.as_slice() else { panic!("not one run in {folders:?}\n{}", self.transcript()) };
        only.clone()
    }

    /// A file of the run's folder as JSON.
    pub(crate) fn json(&self, name: &str) -> serde_json::Value {
        let path = self.report().join(name);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}\n{text}", path.display()));
        if name == "result.json" {
            sums_hold(&value);
        }
        value
    }

    fn transcript(&self) -> String {
        format!("--- stdout\n{}\n--- stderr\n{}", self.stdout(), self.stderr())
    }
}

/// What must hold of every result, whatever happened in the run: no arrival is lost, and every one that began has an end.
fn sums_hold(result: &serde_json::Value) {
    // A drill and a run whose record was cut off have no end to count.
    let Some(arrivals) = result.get("arrivals") else { return };
    let count = |name: &str| arrivals[name].as_u64().unwrap();
    let (planned, started) = (count("planned"), count("started"));
    assert_eq!(planned, started + count("shed") + count("not_started"), "{arrivals:#}");
    let ended = ["completed", "failed", "unfinished", "staged"].map(count).iter().sum::<u64>();
    assert_eq!(started, ended, "{arrivals:#}");
}

#[test]
fn the_built_program_runs() {
    Squall::new().args(["--version"]).run().exits(0);
}

#[test]
fn a_run_is_judged_by_its_code_and_its_words() {
    let ran = Squall::program("sh")
        .file("a.txt", "storm")
        .env("WIND", "gale")
        .args(["-c", "cat a.txt; echo $WIND >&2; exit 3"])
        .run();
    let ran = ran.exits(3).says("storm").says("gale");
    assert_eq!(ran.stdout(), "storm");
    assert!(ran.took() < Duration::from_secs(30));
}

#[test]
#[should_panic(expected = "still running after 200ms")]
fn a_run_beyond_its_limit_is_killed_and_fails() {
    drop(Squall::program("sh").args(["-c", "exec sleep 60"]).within(Duration::from_millis(200)).run());
}

#[test]
#[should_panic(expected = "no `calm` in")]
fn a_missing_word_fails() {
    drop(Squall::program("echo").args(["storm"]).run().says("calm"));
}

#[test]
fn a_command_writes_below_its_own_folder() {
    let script = "#!/bin/sh\nmkdir -p $3/shop-1 && echo '{\"verdict\":\"pass\"}' > $3/shop-1/result.json";
    let ran = Squall::program("sh").file("squall.sh", script).args(["squall.sh", "run"]).run().exits(0);
    assert_eq!(ran.json("result.json")["verdict"], "pass");
    assert!(ran.report().starts_with(ran.folder()));
}

#[test]
fn a_signal_reaches_the_program() {
    let running = Squall::program("sh").args(["-c", "exec sleep 60"]).start();
    assert!(running.folder().is_dir());
    running.signal(Signal::KILL);
    assert_eq!(running.ends().output.status.code(), None);
}
