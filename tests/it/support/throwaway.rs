//! A foreign server started for one test, in a folder of its own, stopped by its process id.

use std::env;
use std::io::{BufRead, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// The program `name`, from PATH or from where distributions hide servers. Without it the test is skipped with a word,
/// or fails where `SQUALL_REQUIRE=all` says that everything is there.
pub(crate) fn needs(name: &str) -> Option<PathBuf> {
    let found = folders().into_iter().map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        skip(name);
    }
    found
}

/// Says that a test is skipped for want of `what`; panics when everything is required.
pub(crate) fn skip(what: &str) {
    let line = skipped(what, env::var("SQUALL_REQUIRE").ok().as_deref());
    // Past the harness's capture: a skipped test must be seen although it passes.
    drop(writeln!(std::io::stderr().lock(), "{line}"));
}

fn skipped(what: &str, require: Option<&str>) -> String {
    assert!(require != Some("all"), "needs {what}, and SQUALL_REQUIRE=all");
    format!("skipped: needs {what}")
}

fn folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = env::var_os("PATH").iter().flat_map(env::split_paths).collect();
    folders.extend(["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from));
    let versions = Path::new("/usr/lib/postgresql").read_dir();
    folders.extend(versions.into_iter().flatten().flatten().map(|version| version.path().join("bin")));
    folders
}

/// A loopback port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// A running server that says on stderr when it is ready.
pub(super) struct Throwaway {
    child: Child,
    /// How it is asked to end.
    goodbye: Signal,
    /// Removed after the server has ended.
    _folder: TempDir,
}

impl Throwaway {
    /// Starts `command` and waits until its stderr says `ready`. None if it ends before, as it does when another
    /// process was faster to take the port.
    pub(super) fn start(mut command: Command, folder: TempDir, ready: &'static str, goodbye: Signal) -> Option<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        let (sender, lines) = mpsc::channel();
        // Reads on after the server is ready: a full pipe would stop it.
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                drop(sender.send(line));
            }
        });
        let server = Self { child, goodbye, _folder: folder };
        wait_for(&lines, ready).then_some(server)
    }
}

/// Whether `ready` was said before the stream ended. Half a minute is far beyond any healthy start.
fn wait_for(lines: &Receiver<String>, ready: &str) -> bool {
    while let Ok(line) = lines.recv_timeout(Duration::from_secs(30)) {
        if line.contains(ready) {
            return true;
        }
    }
    false
}

impl Drop for Throwaway {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.child), self.goodbye);
        for _ in 0..500 {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            thread::park_timeout(Duration::from_millis(10));
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn a_missing_program_skips_with_a_word() {
    assert_eq!(skipped("redis-server", None), "skipped: needs redis-server");
    assert!(needs("sh").is_some_and(|path| path.ends_with("sh")));
}

#[test]
#[should_panic(expected = "needs nginx, and SQUALL_REQUIRE=all")]
fn a_missing_program_fails_when_all_are_required() {
    skipped("nginx", Some("all"));
}

#[test]
fn a_server_that_ends_before_it_is_ready_is_none() {
    let mut command = Command::new("sh");
    command.args(["-c", "echo starting >&2; exit 1"]);
    assert!(Throwaway::start(command, tempfile::tempdir().unwrap(), "ready", Signal::TERM).is_none());
}
