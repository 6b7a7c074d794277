//! Processes, programs and foreign proxies, without a drill around them.

use std::process::{Child, Command as StdCommand, Stdio};

use tokio::net::TcpStream;

use super::*;
use crate::drill::lever::undo;
use crate::fault::api::{Api, Gate};
use crate::measure::journal::{PinnedProcess, UndoCommand};
use crate::plan::lever::{Command, Pick, Process, ProcessDeed, Signal, Toxiproxy};

fn env() -> UndoEnv {
    let variable = |name: &str| (name == "GIVEN").then(|| Secret::new("s3cret-word"));
    UndoEnv {
        read_back: millis(1_000),
        ..UndoEnv::new(Clock::start(), Arc::new(http::loopback_only), Arc::new(variable))
    }
}

/// A process of the test's own, ended when it is dropped.
struct Sleeper(Child);

impl Sleeper {
    fn start(seconds: &str) -> Self {
        Self(StdCommand::new("sleep").arg(seconds).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
    }

    fn state(&self) -> String {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap();
        stat.rsplit_once(") ").unwrap().1.chars().take(1).collect()
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn pause(pid: u32) -> Process {
    Process { pick: Pick::Pid(pid), does: ProcessDeed::Pause, start: Vec::new() }
}

#[tokio::test]
async fn a_process_is_paused_resumed_and_seen_to_run() {
    let (sleeper, env) = (Sleeper::start("300"), env());
    let lever = pause(sleeper.0.id());
    let picked = process::pick(&lever, None).unwrap();
    assert_eq!(process::apply(&lever, &picked, &env.clock).await.unwrap(), 1);
    assert_eq!(sleeper.state(), "T");
    let undo = Undo::Process(picked);
    assert!(undo::seen(&undo, Duration::ZERO, &env).await.unwrap_err().contains("still stopped"));
    for _ in 0..2 {
        assert!(undo::run(&undo, &env).await.unwrap().contains("was resumed"));
        undo::seen(&undo, millis(500), &env).await.unwrap();
        assert_ne!(sleeper.state(), "T", "it runs or sleeps");
    }
}

#[tokio::test]
async fn a_number_that_was_given_away_again_is_never_signalled_and_that_is_said() {
    let (sleeper, env) = (Sleeper::start("300"), env());
    let lever = pause(sleeper.0.id());
    let mut picked = process::pick(&lever, None).unwrap();
    process::apply(&lever, &picked, &env.clock).await.unwrap();
    // As the journal has it when another process has got the number since.
    picked.pinned = vec![PinnedProcess { started: picked.pinned[0].started - 1, ..picked.pinned[0] }];
    let undo = Undo::Process(picked.clone());
    let words = undo::run(&undo, &env).await.unwrap();
    assert!(words.contains("belongs to another process now, which was not signalled"), "{words}");
    undo::seen(&undo, Duration::ZERO, &env).await.unwrap();
    assert_eq!(sleeper.state(), "T", "nobody touched it");
    picked.boot = "another boot".to_owned();
    assert!(undo::run(&Undo::Process(picked), &env).await.unwrap().contains("has ended since"));
    assert_eq!(sleeper.state(), "T");
}

#[tokio::test]
async fn what_was_killed_is_started_once_however_often_it_is_undone() {
    let env = env();
    let seconds = format!("{}", 200_000 + std::process::id());
    let sleeper = Sleeper::start(&seconds);
    let exe = std::fs::read_link(format!("/proc/{}/exe", sleeper.0.id())).unwrap().display().to_string();
    let pick = Pick::Command { exe: exe.clone(), args_contain: seconds.clone(), expect: 1 };
    let start = vec![exe, seconds];
    let lever = Process { pick, does: ProcessDeed::Kill(Signal::Kill), start };
    let picked = process::pick(&lever, None).unwrap();
    let wrong = Process {
        pick: Pick::Command { exe: "/nowhere".into(), args_contain: String::new(), expect: 1 },
        ..lever.clone()
    };
    assert!(process::pick(&wrong, None).unwrap_err().to_string().contains("0 processes run /nowhere"));
    assert_eq!(process::apply(&lever, &picked, &env.clock).await.unwrap(), 1);
    let undo = Undo::Process(picked.clone());
    assert!(undo::seen(&undo, Duration::ZERO, &env).await.unwrap_err().contains("0 of 1"));
    assert_eq!(undo::run(&undo, &env).await.unwrap(), "started 1 times");
    assert_eq!(undo::run(&undo, &env).await.unwrap(), "running already");
    undo::seen(&undo, millis(500), &env).await.unwrap();
    // Ended by the lever itself, which pins what it finds.
    let found = process::pick(&lever, None).unwrap();
    assert_ne!(found.pinned, picked.pinned);
    process::apply(&lever, &found, &env.clock).await.unwrap();
}

#[test]
fn squall_its_ancestors_its_keeper_and_the_dead_are_never_touched() {
    let own = std::process::id();
    let parent = process::look(own).unwrap();
    let said = |pid, keeper| process::pick(&pause(pid), keeper).unwrap_err().to_string();
    assert!(said(own, None).contains("squall itself"));
    assert!(said(1, None).contains("first process"));
    assert!(said(4_194_303, None).contains("no such process"));
    let sleeper = Sleeper::start("300");
    assert!(said(sleeper.0.id(), Some(sleeper.0.id())).contains("keeper"));
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", parent.pid)).unwrap();
    let above: u32 = stat.rsplit_once(") ").unwrap().1.split(' ').nth(1).unwrap().parse().unwrap();
    if above > 1 {
        assert!(said(above, None).contains("started by it"), "{}", said(above, None));
    }
    let absent = Process { pick: Pick::PidFile("/nowhere/x.pid".into()), does: ProcessDeed::Pause, start: Vec::new() };
    assert!(process::pick(&absent, None).unwrap_err().to_string().contains("/nowhere/x.pid"));
}

fn written(argv: &[&str], variables: &[(&str, &str)], timeout: Duration) -> UndoCommand {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let argv = argv.iter().map(|word| (*word).to_owned()).collect();
    command::written(&Command { argv, env: variables.iter().map(own).collect(), timeout })
}

#[tokio::test]
async fn a_program_has_only_what_it_is_given_and_its_output_is_cut_and_redacted() {
    let env = env();
    let five = Duration::from_secs(5);
    let output = command::run(&written(&["env"], &[("A", "1"), ("B", "$GIVEN")], five), &[], &env).await.unwrap();
    assert_eq!(output, "A=1\nB=***\n");
    let wrong =
        command::run(&written(&["cat", "/nowhere/at/all"], &[], five), &[], &env).await.unwrap_err().to_string();
    assert!(wrong.starts_with("cat: exit status: 1") && wrong.contains("/nowhere/at/all"), "{wrong}");
    let missing = command::run(&written(&["no-such-program"], &[], five), &[], &env).await.unwrap_err().to_string();
    assert!(missing.contains("there is no such program"), "{missing}");
    let unset = command::run(&written(&["env"], &[("B", "$NOT_SET")], five), &[], &env).await.unwrap_err().to_string();
    assert!(unset.contains("NOT_SET is not set"), "{unset}");
    let long = command::run(&written(&["seq", "100000"], &[], five), &[], &env).await.unwrap();
    assert_eq!(long.len(), 64 << 10);
    let since = env.clock.now();
    let late = command::run(&written(&["sleep", "30"], &[], millis(200)), &[], &env).await.unwrap_err().to_string();
    assert!(late.contains("longer than 0.2 s") && env.clock.now() - since < Duration::from_secs(5), "{late}");
}

#[tokio::test]
async fn a_foreign_toxic_is_added_seen_removed_and_seen_to_be_gone() {
    let env = env();
    let proxies = Proxies::start(env.clock.clone(), Seed(1)).unwrap();
    let api = Arc::new(Api::new(proxies.clone(), Gate::default(), None));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    api.add("my/db", ("", "127.0.0.1:9"), (Speaks::default(), Vec::new())).await.unwrap();
    tokio::spawn(api.serve(listener));
    let lever = Toxiproxy {
        url: url.clone(),
        proxy: "my/db".into(),
        name: "latency_downstream".into(),
        toxic: r#"{"type":"latency","attributes":{"latency":20}}"#.into(),
    };
    let undo = Undo::Toxiproxy { url, proxy: "my/db".into(), toxic: lever.name.clone() };
    assert_eq!(toxiproxy::apply(&lever, &env).await.unwrap(), 1);
    assert!(undo::seen(&undo, Duration::ZERO, &env).await.unwrap_err().contains("still there"));
    assert!(undo::run(&undo, &env).await.unwrap().contains("was removed"));
    undo::seen(&undo, Duration::ZERO, &env).await.unwrap();
    assert!(undo::run(&undo, &env).await.unwrap().contains("was gone already"));
    proxies.shutdown().await;
}

/// Answers nothing but changes until the first change; keeps the first lines of what it was asked.
async fn answer_or_hang(mut stream: TcpStream, hangs: Arc<Log<bool>>, log: Arc<Log<Vec<String>>>) {
    let mut bytes = vec![0; 4096];
    let n = stream.read(&mut bytes).await.unwrap();
    let text = String::from_utf8_lossy(&bytes[..n]).into_owned();
    log.lock().unwrap().push(text.lines().next().unwrap_or_default().to_owned());
    if text.starts_with("POST") {
        *hangs.lock().unwrap() = false;
    }
    let is_hung = *hangs.lock().unwrap();
    if is_hung {
        // Held open, unanswered, until the client leaves.
        drop(stream.read(&mut bytes).await);
        return;
    }
    stream.write_all(b"HTTP/1.1 204 X\r\nConnection: close\r\n\r\n").await.unwrap();
}

#[tokio::test]
async fn a_foreign_server_that_hangs_while_it_removes_a_toxic_has_its_proxy_switched_off_and_on() {
    let hung = Arc::new(Log::new(true));
    let state = Arc::clone(&hung);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Log::new(Vec::new()));
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer_or_hang(stream, Arc::clone(&state), Arc::clone(&log)));
        }
    });
    let undo = Undo::Toxiproxy { url, proxy: "db".into(), toxic: "t".into() };
    let words = undo::run(&undo, &env()).await.unwrap();
    assert!(words.contains("switched off and on"), "{words}");
    let asked = asked.lock().unwrap();
    let starts: Vec<&str> = asked.iter().map(|line| line.split(" HTTP").next().unwrap()).collect();
    assert_eq!(
        starts,
        ["DELETE /proxies/db/toxics/t", "POST /proxies/db", "POST /proxies/db", "DELETE /proxies/db/toxics/t"]
    );
}
