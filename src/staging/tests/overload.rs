//! The shop under load behind a slow database: what the flag does to realistic carts and to those of a test environment.
//!
//! Ignored: minutes of wall time. `cargo test --release --lib staging::tests::overload -- --ignored --nocapture`.
//! `SQUALL_TEST_DATABASE` names a real PostgreSQL to use instead of the embedded one.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use std::{env, fs, mem, thread};

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::base::clock::{Tick, process_cpu_nanos};
use crate::base::seed::Seed;
use crate::base::timer::Timer;
use crate::staging::settings::Behind;

/// What the way back from the database takes.
const DISTANCE: Duration = Duration::from_millis(4);

/// Carries bytes to `to` at once and back after [`DISTANCE`].
async fn distance(listener: TcpListener, to: SocketAddr, clock: Clock) {
    loop {
        let (near, _) = listener.accept().await.unwrap();
        let far = TcpStream::connect(to).await.unwrap();
        near.set_nodelay(true).unwrap();
        far.set_nodelay(true).unwrap();
        let ((mut near_in, mut near_out), (mut far_in, mut far_out)) = (near.into_split(), far.into_split());
        tokio::spawn(async move {
            drop(tokio::io::copy(&mut near_in, &mut far_out).await);
            drop(far_out.shutdown().await);
        });
        let clock = clock.clone();
        tokio::spawn(async move {
            let mut timer = Timer::new(&clock).unwrap();
            let mut line: VecDeque<(Tick, Vec<u8>)> = VecDeque::new();
            let mut chunk = vec![0; 64 << 10];
            loop {
                let due = line.front().map_or(Tick::MAX, |(due, _)| *due);
                tokio::select! {
                    () = timer.until(due), if due != Tick::MAX => {
                        let Some((_, bytes)) = line.pop_front() else { return };
                        if near_out.write_all(&bytes).await.is_err() { return }
                    }
                    read = far_in.read(&mut chunk) => match read {
                        Ok(n) if n > 0 => line.push_back((clock.now() + DISTANCE, chunk[..n].to_vec())),
                        _ => return,
                    },
                }
            }
        });
    }
}

#[derive(Clone, Copy, Default)]
struct Heard {
    n: u32,
    errors: u32,
    slow: u32,
}

type Heardbook = (Vec<Heard>, Vec<(u32, u64)>);

#[derive(Clone)]
struct Crowd {
    to: SocketAddr,
    clock: Clock,
    idle: Arc<Mutex<Vec<SendRequest<Full<Bytes>>>>>,
    /// Per second, and every request's second and microseconds.
    heard: Arc<Mutex<Heardbook>>,
}

impl Crowd {
    async fn exchange(&self, line: &str, user: &str) -> bool {
        let kept = self.idle.lock().unwrap().pop().filter(|sender| !sender.is_closed());
        let mut sender = if let Some(sender) = kept {
            sender
        } else {
            let stream = TcpStream::connect(self.to).await.unwrap();
            let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            sender
        };
        let (method, path) = line.split_once(' ').unwrap();
        let request = Request::builder().method(method).uri(path).header("host", "shop").header("x-user", user);
        let body = if path.ends_with("items") { r#"{"product":301}"# } else { r#"{"city":"Ulm"}"# };
        let body = if method == "GET" { "" } else { body };
        let Ok(answer) = sender.send_request(request.body(Full::new(Bytes::from(body))).unwrap()).await else {
            return false;
        };
        let good = answer.status().is_success();
        if answer.into_body().collect().await.is_ok() {
            self.idle.lock().unwrap().push(sender);
        }
        good
    }

    /// One step of a journey; once more after 150 ms when it failed.
    async fn step(self, line: String, user: String) {
        let mut timer = Timer::new(&self.clock).unwrap();
        for attempt in 0..2 {
            let due = self.clock.now();
            let answered = tokio::select! {
                good = self.exchange(&line, &user) => good,
                () = timer.until(due + Duration::from_secs(2)) => false,
            };
            let took = self.clock.now().since(due);
            {
                let mut heard = self.heard.lock().unwrap();
                let second = due.second() as usize;
                if heard.0.len() <= second {
                    heard.0.resize(second + 1, Heard::default());
                }
                let row = &mut heard.0[second];
                row.n += 1;
                row.errors += u32::from(!answered);
                row.slow += u32::from(answered && took > Duration::from_millis(500));
                heard.1.push((due.second(), u64::try_from(took.as_micros()).unwrap()));
            }
            if answered || attempt == 1 {
                return;
            }
            timer.until(self.clock.now() + Duration::from_millis(150)).await;
        }
    }

    /// `rate` journeys per second until `end`.
    async fn run(self, rate: u64, end: Tick) {
        let mut stream = Seed(3).stream("crowd");
        let mut timer = Timer::new(&self.clock).unwrap();
        let start = self.clock.now();
        for n in 0.. {
            let due = start + Duration::from_nanos(n * 1_000_000_000 / rate);
            if due >= end {
                return;
            }
            timer.until(due).await;
            let user = format!("t{}-{}", stream.below(5) + 1, stream.below(200) + 1);
            let page = format!("GET /p/{}", stream.below(1_000) + 1);
            let steps: Vec<String> = match stream.below(100) {
                0..50 => vec![page],
                50..75 => vec!["GET /api/me".into()],
                75..90 => vec!["POST /api/cart/items".into(), "GET /api/cart".into()],
                90..97 => vec!["POST /api/checkout".into()],
                _ => vec!["PUT /api/profile".into(), "GET /api/profile".into()],
            };
            let crowd = self.clone();
            tokio::spawn(async move {
                for step in steps {
                    crowd.clone().step(step, user.clone()).await;
                }
            });
        }
    }
}

/// Seconds of the course: the flag goes on, is switched off without a push, and the load ends.
const COURSE: (u64, u64, u64) = (20, 50, 90);

/// A proxy of [`DISTANCE`] in front of `to`, on a thread of its own.
fn far_away(to: SocketAddr, clock: Clock) -> SocketAddr {
    let (ready, near) = mpsc::channel();
    thread::spawn(move || {
        runtime().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            ready.send(listener.local_addr().unwrap()).unwrap();
            distance(listener, to, clock).await;
        });
    });
    near.recv().unwrap()
}

/// Switches the flag on and off at its seconds, and prints every second.
async fn watch(shop: &Shop, crowd: &Crowd) {
    let (on, off, end) = COURSE;
    let mut timer = Timer::new(&crowd.clock).unwrap();
    let mut cpu = process_cpu_nanos();
    for second in 1..=end {
        timer.until(Tick::from_secs(second)).await;
        if second == on {
            let body = r#"{"enabled":true,"push":true}"#;
            assert_eq!(admin(shop, "PUT /admin/flags/smart_cart", &[], body).await.1["serving"], true);
        }
        if second == off {
            admin(shop, "PUT /admin/flags/smart_cart", &[], r#"{"enabled":false}"#).await;
        }
        let (_, state) = admin(shop, "GET /admin/state", &[], "").await;
        let (_, truth) = admin(shop, "GET /admin/truth", &[], "").await;
        let row = crowd.heard.lock().unwrap().0.get(usize::try_from(second).unwrap() - 1).copied().unwrap_or_default();
        let used = process_cpu_nanos() - cpu;
        cpu += used;
        println!(
            "{second:3} n {:3} errors {:3} slow {:3} | in flight {:3} queries {:6} cache {} alert {} serving {} cpu {:.0} %",
            row.n,
            row.errors,
            row.slow,
            state["in_flight"]["now"],
            truth["queries"],
            truth["cache"],
            state["alert"]["open"],
            state["flags"]["smart_cart"]["serving"],
            used as f64 / 1e7
        );
    }
}

/// Runs the course; gives per second of it what the crowd heard, and the 95th percentile of a span in milliseconds.
fn course(data: Data) -> (Vec<Heard>, impl Fn(u32, u32) -> f64) {
    let embedded = Embedded::start().unwrap();
    let database = env::var("SQUALL_TEST_DATABASE").unwrap_or_else(|_| embedded.url());
    let address: SocketAddr = database.rsplit('@').next().unwrap().split('/').next().unwrap().parse().unwrap();
    let clock = Clock::start();
    let through = database.replace(&address.to_string(), &far_away(address, clock.clone()).to_string());
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("account.jsonl");
    let crowd = runtime().block_on(async {
        let begun = clock.now();
        let settings = Settings::new(clock.clone(), through, Secret::new(TOKEN));
        let behind = Behind { direct: Some(database), ..settings.behind };
        let settings = Settings { data, behind, log: Some(log.clone()), ..settings };
        let shop = Shop::start(settings).await.unwrap();
        println!("{data:?}: started in {:.2} s", clock.now().since(begun).as_secs_f64());
        let crowd = Crowd { to: shop.gateway(), clock: Clock::start(), idle: Arc::default(), heard: Arc::default() };
        let load = tokio::spawn(crowd.clone().run(100, Tick::from_secs(COURSE.2)));
        watch(&shop, &crowd).await;
        load.await.unwrap();
        shop.stop().await;
        crowd
    });
    let (rows, samples) = mem::take(&mut *crowd.heard.lock().unwrap());
    let account: u64 = fs::read_to_string(&log)
        .unwrap()
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).unwrap()["n"].as_u64())
        .sum();
    assert_eq!(account, samples.len() as u64, "the shop counted what the crowd sent");
    let p95 = move |from: u32, to: u32| {
        let mut took: Vec<u64> =
            samples.iter().filter(|(second, _)| (from..to).contains(second)).map(|(_, took)| *took).collect();
        took.sort_unstable();
        took[took.len() * 95 / 100] as f64 / 1e3
    };
    (rows, p95)
}

fn sum(rows: &[Heard]) -> (u32, u32, u32) {
    rows.iter().fold((0, 0, 0), |(n, errors, slow), row| (n + row.n, errors + row.errors, slow + row.slow))
}

#[test]
#[ignore = "a minute and a half of load"]
fn realistic_carts_break_the_shop_until_the_flag_is_switched_off() {
    let (rows, p95) = course(Data::Realistic);
    println!("baseline p95 {:.1} ms, flag on p95 {:.0} ms", p95(5, 20), p95(30, 50));
    assert!(p95(5, 20) < 40.0);
    let (n, errors, slow) = sum(&rows[30..50]);
    println!("flag on: {n} requests, {errors} failed, {slow} slow");
    assert!(f64::from(errors) / f64::from(n) > 0.3);
    assert!(f64::from(errors + slow) / f64::from(n) > 0.8);
    let (n, errors, slow) = sum(&rows[80..90]);
    println!("afterwards: {n} requests, {errors} failed, {slow} slow");
    assert!(f64::from(errors + slow) / f64::from(n) < 0.01);
}

#[test]
#[ignore = "a minute and a half of load"]
fn carts_of_a_test_environment_only_become_a_little_slower() {
    let (rows, p95) = course(Data::TestLike);
    println!("baseline p95 {:.1} ms, flag on p95 {:.1} ms", p95(5, 20), p95(30, 50));
    let (n, errors, slow) = sum(&rows[5..90]);
    assert!(n > 8_000 && errors == 0 && slow == 0, "{n} requests, {errors} failed, {slow} slow");
    assert!(p95(30, 50) < 100.0);
}
