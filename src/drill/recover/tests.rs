//! Recovery against a small system over real sockets: a flag, a token, and a part of it that may refuse.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::super::lever::http::loopback_only;
use super::*;
use crate::base::clock::Clock;
use crate::base::secret::Secret;
use crate::measure::journal::{self, UndoProbe};

/// A flag behind `PUT /flag` and `GET /state`, wanting the token `t0ken`.
struct System {
    address: std::net::SocketAddr,
    on: Arc<Mutex<bool>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl System {
    async fn start(heals: Heals) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (on, asked) = (Arc::new(Mutex::new(true)), Arc::new(Mutex::new(Vec::new())));
        let (flag, log) = (Arc::clone(&on), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut text = vec![0; 4096];
                let n = stream.read(&mut text).await.unwrap();
                let text = String::from_utf8_lossy(&text[..n]).into_owned();
                let line = text.lines().next().unwrap_or_default().to_owned();
                let (status, body) = answer(&text, heals, &flag);
                log.lock().unwrap().push(line);
                let answer =
                    format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { address, on, asked }
    }

    fn intent(&self) -> Event {
        let undo = Undo::Http {
            method: "PUT".into(),
            url: format!("http://{}/flag", self.address),
            body: r#"{"on":false}"#.into(),
            token_env: "SHOP_TOKEN".into(),
            verify: Some(UndoProbe {
                url: format!("http://{}/state", self.address),
                at: "$.on".into(),
                is_not: "true".into(),
                token_env: "SHOP_TOKEN".into(),
            }),
            timeout_ms: 0,
        };
        Event::Intent { id: "ship".into(), what: "PUT /flag".into(), undo, lease_ms: 15_000 }
    }

    fn puts(&self) -> usize {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().filter(|line| line.starts_with("PUT")).count()
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Heals {
    Yes,
    Refuses,
    Pretends,
}

fn answer(text: &str, heals: Heals, flag: &Mutex<bool>) -> (u16, String) {
    if !text.contains("Bearer t0ken") {
        return (401, "{}".to_owned());
    }
    if text.starts_with("PUT /flag") {
        if heals == Heals::Yes {
            *flag.lock().unwrap() = false;
        }
        return (if heals == Heals::Refuses { 503 } else { 200 }, "{}".to_owned());
    }
    (200, format!(r#"{{"on":{}}}"#, flag.lock().unwrap()))
}

fn env() -> RecoverEnv {
    let variable = |name: &str| (name == "SHOP_TOKEN").then(|| Secret::new("t0ken"));
    let mut env = RecoverEnv::new(Clock::start(), Arc::new(loopback_only), Arc::new(variable));
    env.read_back = Duration::from_millis(150);
    env
}

/// A journal of a drill that was killed after `events`.
fn killed(dir: &Path, events: Vec<Event>) -> PathBuf {
    let path = dir.join("journal.jsonl");
    let mut journal = Journal::create(&path, &Clock::start()).unwrap();
    for event in events {
        journal.append(Source::Controller, "", event).unwrap();
    }
    path
}

#[tokio::test]
async fn an_open_intent_is_set_back_read_back_and_closed_for_good() {
    let (dir, system) = (tempfile::tempdir().unwrap(), System::start(Heals::Yes).await);
    let dead =
        Event::Intent { id: "slow".into(), what: "latency".into(), undo: Undo::DiesWithProcess, lease_ms: 15_000 };
    let path = killed(dir.path(), vec![system.intent(), dead]);
    let recovered = recover(&path, &env()).await.unwrap();
    assert_eq!(recovered.exit_code(), 0, "{recovered:?}");
    let names: Vec<&str> = recovered.healed.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(names, ["slow", "ship"], "in reverse order");
    assert!(!*system.on.lock().unwrap());
    let lines = journal::read(&path).unwrap().lines;
    assert_eq!(lines.len(), 8);
    assert!(matches!(&lines[7].event, Event::Verified { id } if id == "ship"));
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("t0ken"), "no secret in the journal");
    let again = recover(&path, &env()).await.unwrap();
    let earlier = Recovered { earlier: vec!["ship".into(), "slow".into()], ..Recovered::default() };
    assert_eq!((again, system.puts()), (earlier, 1), "running it again changes nothing");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn what_the_system_undid_by_itself_is_said() {
    let (dir, system) = (tempfile::tempdir().unwrap(), System::start(Heals::Yes).await);
    *system.on.lock().unwrap() = false;
    let path = killed(dir.path(), vec![system.intent()]);
    let recovered = recover(&path, &env()).await.unwrap();
    assert!(recovered.healed[0].1.contains("by itself"), "{recovered:?}");
}

#[tokio::test]
async fn what_cannot_be_healed_or_read_back_stays_open_and_is_seven() {
    for (heals, why) in [(Heals::Refuses, "refused with 503"), (Heals::Pretends, "not read back")] {
        let (dir, system) = (tempfile::tempdir().unwrap(), System::start(heals).await);
        let path = killed(dir.path(), vec![system.intent()]);
        let recovered = recover(&path, &env()).await.unwrap();
        assert_eq!(recovered.exit_code(), 7);
        assert!(recovered.failed[0].1.contains(why), "{recovered:?}");
        assert_eq!(open(&journal::read(&path).unwrap()).len(), 1, "it stays open");
    }
}

#[tokio::test]
async fn without_its_token_or_off_loopback_nothing_is_sent() {
    let (dir, system) = (tempfile::tempdir().unwrap(), System::start(Heals::Yes).await);
    let path = killed(dir.path(), vec![system.intent()]);
    let blind = RecoverEnv { variable: Arc::new(|_| None), ..env() };
    let recovered = recover(&path, &blind).await.unwrap();
    assert!(recovered.failed[0].1.contains("SHOP_TOKEN is not set"), "{recovered:?}");
    let fenced = RecoverEnv { vouch: Arc::new(|host, _| Err(format!("`{host}` may not"))), ..env() };
    let recovered = recover(&path, &fenced).await.unwrap();
    assert!(recovered.failed[0].1.contains("may not"), "{recovered:?}");
    assert_eq!(system.asked.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn users_who_were_not_back_stay_an_open_item() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.jsonl");
    let mut journal = Journal::create(&path, &Clock::start()).unwrap();
    journal.append(Source::Controller, "", Event::Phase { name: "cleanup".into() }).unwrap();
    let failed = Event::HealFailed { id: TRAFFIC.into(), reason: "60 % bad".into() };
    journal.append(Source::Measured, "", failed).unwrap();
    drop(journal);
    for _ in 0..2 {
        let recovered = recover(&path, &env()).await.unwrap();
        assert_eq!(
            (recovered.failed.clone(), recovered.exit_code()),
            (vec![(TRAFFIC.to_owned(), "60 % bad".to_owned())], 7)
        );
    }
}
