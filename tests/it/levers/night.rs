//! A drill against the small target: its file, its scenario, its processes, and what can be seen of it from outside.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use squall::base::clock::{Clock, Tick};

use crate::support::program::{Running, Squall};
use crate::support::target::{TOKEN, Target};

/// Lease of every act, s.
pub(super) const LEASE: u64 = 5;

/// A free port that was free a moment ago.
pub(super) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// The target, a proxy before it, and a process to be paused.
pub(super) struct Night {
    pub(super) target: Target,
    pub(super) front: u16,
    pub(super) sleeper: Child,
}

impl Drop for Night {
    fn drop(&mut self) {
        drop(self.sleeper.kill());
        drop(self.sleeper.wait());
    }
}

pub(super) const SLOW: &str = r#"(name: "slow", when: At("0s"), does: Technical(
      apply: Fault(on: "front", inject: Latency(time: Fixed("5ms"))),
      lease: "5s", owner: Controller, proof: Touched(at_least: 1, within: "5s")))"#;
pub(super) const FLAG: &str = r##"(name: "ship", when: At("0s"), does: Technical(
      apply: Http(method: "PUT", path: "/admin/flag", json: r#"{"on":true}"#),
      revert: Http(method: "PUT", path: "/admin/flag", json: r#"{"on":false}"#),
      lease: "5s", owner: Controller, proof: Probe(get: "/admin/state", at: "$.flag", is: "true", within: "5s")))"##;

impl Night {
    pub(super) fn begin() -> Self {
        let sleeper = Command::new("sleep").arg("1000").stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        Self { target: Target::start(), front: free_port(), sleeper }
    }

    /// The act that pauses the process.
    pub(super) fn pause(&self) -> String {
        format!(
            r#"(name: "frozen", when: At("0s"), does: Technical(apply: Process(pick: Pid({}), does: Pause),
      lease: "5s", owner: Controller, proof: Touched(at_least: 1, within: "5s")))"#,
            self.sleeper.id()
        )
    }

    /// The drill with these acts, at most `at_most` s long.
    pub(super) fn file(&self, acts: &[&str], at_most: u32) -> String {
        let (target, front) = (self.target.address(), self.front);
        format!(
            r#"Drill(
  version: 1, about: (title: "Small night", briefing: "You are on call."),
  system: Remote(base: "http://127.0.0.1:{front}", admin: "http://{target}", token_env: "SMALL_TOKEN", handshake: "/agree",
    proxies: [(name: "front", listen: "127.0.0.1:{front}", upstream: "{target}")]),
  load: (scenario: "small.ron", rate: "20/s"), run: (at_most: "{at_most}s | {at_most}s"),
  slo: (good: (status: "2xx", within: "500ms"), objective: "99%"),
  phases: (baseline: "20s | 20s", recovery_hold: "10s | 10s"),
  acts: [{}],
  expectations: [(name: "no_harm", check: Count(measure: HarmfulActions, target: 0, limit: 1), weight: 1)],
)"#,
            acts.join(",\n    ")
        )
    }

    /// All three acts at once.
    pub(super) fn all(&self, at_most: u32) -> String {
        self.file(&[SLOW, &self.pause(), FLAG], at_most)
    }

    /// Starts the drill of `file`.
    pub(super) fn drill(&self, file: &str) -> Running {
        self.prepared(file).args(["drill", "small_night.ron"]).within(Duration::from_secs(150)).start()
    }

    /// Twenty looks a second.
    pub(super) const SCENARIO: &str = r#"(name: "small", target: (base: "http://127.0.0.1:8080"),
  load: [Open(name: "all", rate: [Hold(rate: "20/s", for: "10s")], mix: {"look": 1})],
  journeys: {"look": (steps: [Http(name: "home", url: "/", check: [Status("200")])])})"#;

    pub(super) fn prepared(&self, file: &str) -> Squall {
        self.outfitted(Squall::new(), file)
    }

    /// The same for another program, which starts squall itself.
    pub(super) fn prepared_as(&self, program: &str, file: &str) -> Squall {
        self.outfitted(Squall::program(program), file)
    }

    fn outfitted(&self, squall: Squall, file: &str) -> Squall {
        squall.file("small_night.ron", file).file("small.ron", Self::SCENARIO).env("SMALL_TOKEN", TOKEN)
    }

    /// One letter: `S` sleeps, `T` is stopped.
    pub(super) fn state(&self) -> char {
        state_of(self.sleeper.id())
    }

    /// A request through the proxy is answered.
    pub(super) fn path_is_up(&self) -> bool {
        ask(SocketAddr::from(([127, 0, 0, 1], self.front)), "GET", "/", None)
            .is_some_and(|text| text.contains("\"ok\""))
    }
}

pub(super) fn state_of(pid: u32) -> char {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').and_then(|(_, rest)| rest.trim().chars().next()).unwrap_or('-')
}

/// One request; the whole answer, or none within two seconds.
pub(super) fn ask(to: SocketAddr, method: &str, path: &str, token: Option<&str>) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&to, Duration::from_secs(2)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    let bearer = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\n{bearer}Content-Length: 0\r\nConnection: close\r\n\r\n"
    )
    .ok()?;
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => answer.extend_from_slice(&buffer[..n]),
            Err(_) => return None,
        }
        let text = String::from_utf8_lossy(&answer);
        let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            length.is_some_and(|length: usize| body.len() >= length)
        });
        if whole {
            break;
        }
    }
    Some(String::from_utf8_lossy(&answer).into_owned())
}

/// The folder of the one run of `running`, once it is there.
pub(super) fn folder(running: &Running) -> Option<PathBuf> {
    fs::read_dir(running.folder().join("reports"))
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.join("journal.jsonl").is_file())
}

/// Whole lines of a journal.
pub(super) fn lines(path: &std::path::Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Acts that were begun and not read back as healed, by the run's journal and the keeper's.
pub(super) fn open(folder: &std::path::Path) -> Vec<String> {
    let mut begun: Vec<String> = Vec::new();
    let mut journal = lines(&folder.join("journal.jsonl"));
    journal.extend(lines(&folder.join("keeper.jsonl")));
    for line in &journal {
        let id = line["data"]["id"].as_str().unwrap_or_default().to_owned();
        match line["kind"].as_str() {
            Some("intent") if !begun.contains(&id) => begun.push(id),
            Some("verified") => begun.retain(|one| *one != id),
            _ => {}
        }
    }
    begun
}

/// Names of the faults in force, from the keeper's API; `None` when nobody answers.
pub(super) fn active(folder: &std::path::Path) -> Option<Vec<String>> {
    let place: Value = serde_json::from_str(&fs::read_to_string(folder.join("keeper.json")).ok()?).ok()?;
    let token = fs::read_to_string(folder.join("keeper.token")).ok()?;
    let api = place["api"].as_str()?.strip_prefix("http://")?.parse().ok()?;
    let answer = ask(api, "GET", "/squall/v1/state", Some(&token))?;
    let state: Value = serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()?;
    Some(state["faults"].as_array()?.iter().filter_map(|one| one["name"].as_str().map(str::to_owned)).collect())
}

/// Process of the keeper of a run.
pub(super) fn keeper_pid(folder: &std::path::Path) -> Option<i32> {
    let place: Value = serde_json::from_str(&fs::read_to_string(folder.join("keeper.json")).ok()?).ok()?;
    i32::try_from(place["process"]["pid"].as_i64()?).ok()
}

/// Ends the keeper of a run, if there is one: what a test leaves behind is its own to clear.
pub(super) fn end_keeper(folder: &std::path::Path) {
    use rustix::process::{Pid, Signal, kill_process};
    let Some(pid) = keeper_pid(folder) else { return };
    let is_squall = fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.contains("--keeper"));
    if let Some(pid) = Pid::from_raw(pid).filter(|_| is_squall) {
        let _ = kill_process(pid, Signal::TERM);
    }
}

/// Waits, without sleeping, until `seen` gives something; at most `limit`.
pub(super) fn until<T>(limit: Duration, mut seen: impl FnMut() -> Option<T>) -> T {
    let clock = Clock::start();
    loop {
        if let Some(found) = seen() {
            return found;
        }
        assert!(clock.now() - Tick::ZERO < limit, "nothing seen within {limit:?}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}
