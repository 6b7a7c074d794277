//! Rules before real servers: `squall proxy` between a client and nginx, and between a client and redis-server.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use squall::base::clock::Clock;

use crate::support::nginx::nginx;
use crate::support::program::{Running, Squall};
use crate::support::redis::{converse, redis, say};

/// A proxy with its API.
struct Proxy {
    running: Running,
    api: u16,
    listen: u16,
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

impl Proxy {
    /// One called `p` before `upstream`, that speaks `speaks`, with `faults`.
    fn start(upstream: SocketAddr, speaks: &str, faults: &str) -> Self {
        let (api, listen) = (free_port(), free_port());
        let file = format!(
            r#"Proxy(proxies: [(name: "p", listen: "127.0.0.1:{listen}", upstream: "{upstream}", speaks: {speaks},
                faults: [{faults}])])"#
        );
        let squall = Squall::new().file("p.ron", &file).env("RUST_LOG", "trace");
        let api_at = format!("127.0.0.1:{api}");
        let running =
            squall.args(["proxy", "--api", &api_at, "--config", "p.ron"]).within(Duration::from_secs(120)).start();
        for _ in 0..2_000_000 {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, api)).is_ok() {
                return Self { running, api, listen };
            }
            std::thread::yield_now();
        }
        running.signal(Signal::TERM);
        panic!("the API never came up\n{}", running.ends().stderr());
    }

    fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.listen).into()
    }

    fn ask(&self, method: &str, path: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.api)).unwrap();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// The fault's statistics, whose counts must add up.
    fn stats(&self, fault: &str) -> Value {
        let answer = self.ask("GET", &format!("/squall/v1/faults/{fault}/stats"));
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        let stats: Value = serde_json::from_str(body).unwrap();
        let untouched: u64 = stats["untouched"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
        assert_eq!(stats["considered"].as_u64(), Some(stats["touched"].as_u64().unwrap() + untouched), "{stats}");
        stats
    }

    fn count(&self, fault: &str, what: &str) -> u64 {
        self.stats(fault)[what].as_u64().unwrap()
    }

    /// Everything that it printed or would print of its work.
    fn end(self) -> String {
        let told = ["/metrics", "/squall/v1/state", "/squall/v1/stats", "/proxies"].map(|path| self.ask("GET", path));
        self.running.signal(Signal::INT);
        let ran = self.running.ends().exits(130);
        [told.concat(), ran.stdout(), ran.stderr()].concat()
    }
}

/// Everything that `address` sends for `bytes`, to the end of the connection.
fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(bytes).unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).ok();
    String::from_utf8_lossy(&all).into_owned()
}

/// Without the line that differs from second to second.
fn undated(text: &str) -> String {
    text.split("\r\n").filter(|line| !line.starts_with("Date:")).collect::<Vec<_>>().join("\r\n")
}

fn get(path: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: shop\r\n{more}\r\n")
}

const LAST: &str = "Connection: close\r\n";

#[test]
fn http_passes_unchanged_through_rules_that_are_declared_and_not_hit() {
    let Some(nginx) = nginx() else { return };
    let upstream: SocketAddr = nginx.url().trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    let faults = r#"
        (name: "a", inject: Http(only: (methods: ["DELETE"]), act: Abort(status: 503))),
        (name: "b", inject: Http(only: (status: "5xx"), act: Truncate(after: "1B"))),
        (name: "c", inject: Http(only: (route: "/nowhere/{id}"), act: Delay(time: Fixed("9s")))),
        (name: "d", inject: Http(only: (opt_in: "x-squall-fault"), act: Drop(after: "0B", close: Rst))),"#;
    let proxy = Proxy::start(upstream, "Http(tls: Refuse)", faults);
    let post = "POST /x HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\nhello";
    let chunked = "POST /y HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let head = "HEAD / HTTP/1.1\r\nHost: shop\r\n\r\n";
    let waits = "POST /z HTTP/1.1\r\nHost: shop\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok";
    let all = [&get("/", "").repeat(200), post, head, chunked, waits, &get("/last", LAST)].concat();
    let direct = undated(&exchange(upstream, all.as_bytes()));
    assert!(direct.matches("HTTP/1.1 200").count() == 205, "{direct}");
    assert_eq!(undated(&exchange(proxy.address(), all.as_bytes())), direct);
    let h2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    assert_eq!(undated(&exchange(proxy.address(), h2.as_bytes())), undated(&exchange(upstream, h2.as_bytes())));
    assert_eq!(proxy.stats("a")["untouched"]["unparsed"], 1, "HTTP/2 is bytes");
    for fault in ["a", "b", "c", "d"] {
        assert_eq!((proxy.count(fault, "touched"), proxy.count(fault, "considered")), (0, 1), "{fault}");
    }
    proxy.end();
}

#[test]
fn http_rules_act_on_nginx_as_they_say() {
    let Some(nginx) = nginx() else { return };
    let upstream: SocketAddr = nginx.url().trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    let on = |kind: &str| format!(r#"only: (headers: {{"x-kind": "{kind}"}})"#);
    let faults = format!(
        r#"(name: "some", inject: Http({}, act: Abort(status: 503, headers: {{"retry-after": "1"}}, body: "busy")), share: "25%"),
        (name: "lost", inject: Http({}, act: Abort(status: 502, reach: Server))),
        (name: "slow", inject: Http({}, act: Delay(time: Fixed("60ms"), hold: Request))),
        (name: "late", inject: Http({}, act: Delay(time: Fixed("60ms"), hold: Body("1B")))),
        (name: "short", inject: Http({}, act: Truncate(after: "1B"))),
        (name: "torn", inject: Http({}, act: Drop(after: "1B", close: Rst))),
        (name: "other", inject: Http({}, act: Rewrite(request: [Set("x-a", "b")], response: [Set("x-b", "c"), Remove("server")])))"#,
        on("some"),
        on("lost"),
        on("slow"),
        on("late"),
        on("short"),
        on("torn"),
        on("other")
    );
    let proxy = Proxy::start(upstream, "Http(tls: Refuse)", &faults);
    let mut busy = 0;
    for _ in 0..20 {
        let pipeline = get("/", "x-kind: some\r\n").repeat(100) + &get("/last", LAST);
        let answers = exchange(proxy.address(), pipeline.as_bytes());
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 101, "every request has its answer");
        busy += answers.matches("HTTP/1.1 503").count();
        assert_eq!(answers.matches("HTTP/1.1 503").count(), answers.matches("\r\n\r\nbusy").count());
    }
    // 2000 draws of 25 %: 500, and 3.29 standard deviations of 19.4.
    assert!((437..=563).contains(&busy), "{busy}");
    let some = proxy.stats("some");
    assert_eq!((some["considered"].as_u64(), some["touched"].as_u64()), (Some(2_000), Some(busy as u64)));
    let one = |kind: &str| exchange(proxy.address(), get("/", &format!("x-kind: {kind}\r\n{LAST}")).as_bytes());
    assert!(one("lost").starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{}", one("lost"));
    assert!(one("short").contains("content-length: 1\r\n") && one("short").ends_with("\r\n\r\no"));
    assert!(one("torn").ends_with("\r\n\r\no") || one("torn").is_empty(), "a reset may overtake what was sent");
    assert!(one("other").contains("\r\nx-b: c\r\n") && !one("other").contains("Server:"));
    let clock = Clock::start();
    for kind in ["slow", "late"] {
        let asked = clock.now();
        assert!(one(kind).ends_with("ok"));
        let took = clock.now().since(asked);
        assert!(took >= Duration::from_millis(60), "{kind}: {took:?}");
        assert_eq!(proxy.stats(kind)["drawn"]["count"], 1);
    }
    // Live: taken out, the rule is gone from living connections.
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    stream.write_all(get("/", "x-kind: lost\r\n").as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 502");
    assert!(proxy.ask("DELETE", "/squall/v1/faults/lost").starts_with("HTTP/1.1 200"));
    stream.write_all(get("/", &format!("x-kind: lost\r\n{LAST}")).as_bytes()).unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("HTTP/1.1 200"), "{rest}");
    proxy.end();
}

/// Commands of every shape, for either version of the protocol.
fn commands(hello: &str) -> Vec<u8> {
    let lines: &[&[&str]] = &[
        &["FLUSHALL"],
        &["SET", "a", "1"],
        &["GET", "a"],
        &["GET", "nobody"],
        &["INCR", "a"],
        &["HSET", "h", "x", "1", "y", "2"],
        &["HGETALL", "h"],
        &["RPUSH", "l", "a", "b", "c"],
        &["LRANGE", "l", "0", "-1"],
        &["SADD", "s", "only"],
        &["SMEMBERS", "s"],
        &["ZADD", "z", "1.5", "a"],
        &["ZRANGE", "z", "0", "-1", "WITHSCORES"],
        &["MGET", "a", "nobody", "h"],
        &["NOSUCHCOMMAND", "x"],
        &["LPUSH", "a", "wrong type"],
        &["MULTI"],
        &["SET", "t", "1"],
        &["GET", "t"],
        &["EXEC"],
        &["MULTI"],
        &["SET", "t"],
        &["EXEC"],
        &["EVAL", "return {1, {2, 'three'}, false}", "0"],
        &["OBJECT", "ENCODING", "a"],
    ];
    let big = "x".repeat(200_000);
    let mut all = if hello == "3" { say(&["HELLO", "3"]) } else { Vec::new() };
    for line in lines {
        all.extend(say(line));
    }
    all.extend(say(&["SET", "big", &big]));
    all.extend(say(&["GET", "big"]));
    all.extend_from_slice(b"PING\r\n\r\nset inline 1\r\n*0\r\n");
    all
}

/// Without the number of the connection.
fn without_id(text: &str) -> String {
    let Some((before, rest)) = text.split_once("$2\r\nid\r\n:") else { return text.to_owned() };
    format!("{before}{}", rest.split_once("\r\n").unwrap().1)
}

#[test]
fn redis_passes_unchanged_through_rules_that_are_declared_and_not_hit() {
    let Some(redis) = redis() else { return };
    let faults = r#"
        (name: "a", inject: Redis(only: (keys: "zzz*"), act: Error(Oom))),
        (name: "b", inject: Redis(only: (commands: ["XADD"]), act: Delay(time: Fixed("9s")))),
        (name: "c", inject: Redis(only: (keys: "zzz*"), act: Miss)),
        (name: "d", inject: Redis(only: (keys: "zzz*"), act: Flush(Masked))),
        (name: "e", inject: Redis(act: Cap(limit: 1000))),
        (name: "f", inject: Redis(only: (nth: (n: 1000000)), act: Drop(after: "1B", close: Fin))),"#;
    let proxy = Proxy::start(redis.address(), "Redis(tls: Refuse)", faults);
    for hello in ["2", "3"] {
        let direct = without_id(&converse(redis.address(), &commands(hello)));
        assert!(direct.contains("EXECABORT") && direct.contains("three"), "{}", direct.len());
        assert_eq!(without_id(&converse(proxy.address(), &commands(hello))), direct, "RESP{hello}");
    }
    for fault in ["a", "b", "c", "d", "e", "f"] {
        assert_eq!(proxy.count(fault, "considered"), 0, "{fault}");
    }
    proxy.end();
}

#[test]
fn redis_rules_act_on_a_real_server_as_they_say() {
    let Some(redis) = redis() else { return };
    let faults = r#"
        (name: "oom", inject: Redis(only: (commands: ["SET"], keys: "full:*"), act: Error(Oom))),
        (name: "miss", inject: Redis(only: (keys: "gone:*"), act: Miss), share: "50%"),
        (name: "flush", inject: Redis(only: (keys: "flushed:*"), act: Flush(Masked))),
        (name: "torn", inject: Redis(only: (keys: "torn:*"), act: Drop(after: "3B", close: Fin))),
        (name: "slow", inject: Redis(only: (keys: "slow:*"), act: Delay(time: Fixed("60ms")))),
        (name: "text", inject: Redis(only: (commands: ["HGET"]), act: Error(Text("ERR no such luck")))),"#;
    for key in ["gone:1", "flushed:1", "flushed:2", "torn:1", "slow:1", "h"] {
        converse(
            redis.address(),
            &if key == "h" { say(&["HSET", key, "a", "1"]) } else { say(&["SET", key, "there"]) },
        );
    }
    let proxy = Proxy::start(redis.address(), "Redis(tls: Refuse)", faults);
    for hello in [&[][..], &["HELLO", "3"]] {
        let talk = |commands: &[&[&str]]| {
            let first = if hello.is_empty() { vec![] } else { say(hello) };
            let all: Vec<u8> = commands.iter().flat_map(|one| say(one)).collect();
            let text = converse(proxy.address(), &[first, all].concat());
            text.split_once("$7\r\nmodules\r\n*0\r\n").map_or(text.clone(), |(_, rest)| rest.to_owned())
        };
        let oom = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
        let pipeline = talk(&[&["SET", "a", "1"], &["SET", "full:1", "x"], &["GET", "a"], &["SET", "full:2", "x"]]);
        assert_eq!(pipeline, format!("+OK\r\n{oom}$1\r\n1\r\n{oom}"));
        let multi = talk(&[&["MULTI"], &["SET", "a", "2"], &["SET", "full:1", "x"], &["EXEC"], &["GET", "a"]]);
        assert!(multi.starts_with(&format!("+OK\r\n+QUEUED\r\n{oom}-EXECABORT ")), "{multi}");
        assert!(multi.ends_with("$1\r\n1\r\n"), "nothing of the transaction was done: {multi}");
        let null = if hello.is_empty() { "$-1\r\n" } else { "_\r\n" };
        let lost = talk(&[&["GET", "gone:1"][..]; 400]);
        let misses = lost.matches(null).count();
        // 400 draws of 50 %: 200, and 3.29 standard deviations of 10.
        assert!((167..=233).contains(&misses) && lost.matches("there").count() == 400 - misses, "{misses}");
        assert_eq!(talk(&[&["HGET", "h", "a"]]), "-ERR no such luck\r\n");
        assert_eq!(talk(&[&["GET", "slow:1"]]), "$5\r\nthere\r\n");
    }
    let flushed = |key: &str| converse(proxy.address(), &say(&["GET", key]));
    assert_eq!(flushed("flushed:1"), "$-1\r\n");
    assert_eq!(converse(proxy.address(), &say(&["SET", "flushed:1", "new"])), "+OK\r\n");
    assert_eq!((flushed("flushed:1"), flushed("flushed:2")), ("$3\r\nnew\r\n".into(), "$-1\r\n".into()));
    assert_eq!(exchange(proxy.address(), &say(&["GET", "torn:1"])), "$5\r");
    assert_eq!((proxy.count("torn", "cut"), proxy.count("oom", "touched"), proxy.count("slow", "touched")), (1, 6, 2));
    assert_eq!(proxy.count("miss", "considered"), 800);
    proxy.end();
}

#[test]
fn a_cap_on_connections_refuses_exactly_those_above_it() {
    let Some(redis) = redis() else { return };
    let proxy =
        Proxy::start(redis.address(), "Redis(tls: Refuse)", r#"(name: "cap", inject: Redis(act: Cap(limit: 20)))"#);
    let streams: Vec<TcpStream> = (0..50).map(|_| TcpStream::connect(proxy.address()).unwrap()).collect();
    let mut refused = 0;
    for mut stream in &streams {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // A refused connection may be gone before it is written to.
        drop(stream.write_all(b"PING\r\n"));
        let mut first = [0; 5];
        stream.read_exact(&mut first).unwrap();
        refused += usize::from(&first == b"-ERR ");
    }
    assert_eq!(refused, 30);
    assert_eq!(proxy.count("cap", "touched"), 30);
    proxy.end();
}

#[test]
fn planted_secrets_of_requests_and_commands_are_in_no_artefact() {
    const SECRET: &str = "hunter2-correct-horse";
    let (Some(nginx), Some(redis)) = (nginx(), redis()) else { return };
    let upstream: SocketAddr = nginx.url().trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    let faults = r#"(name: "slow", inject: Http(act: Delay(time: Fixed("1ms")))),
        (name: "other", inject: Http(act: Rewrite(response: [Remove("server")])))"#;
    let proxy = Proxy::start(upstream, "Http(tls: Refuse)", faults);
    let head = format!("Authorization: Bearer {SECRET}\r\nCookie: s={SECRET}\r\nContent-Length: {}\r\n", SECRET.len());
    let request = format!("POST /{SECRET}?q={SECRET} HTTP/1.1\r\nHost: shop\r\n{head}{LAST}\r\n{SECRET}");
    assert!(exchange(proxy.address(), request.as_bytes()).contains("200 OK"));
    exchange(proxy.address(), format!("{SECRET}\x01\r\n\r\n").as_bytes());
    assert!(!proxy.end().contains(SECRET));
    let faults = r#"(name: "slow", inject: Redis(act: Delay(time: Fixed("1ms")))),
        (name: "miss", inject: Redis(act: Miss), share: "50%"), (name: "flush", inject: Redis(act: Flush(Masked)))"#;
    let proxy = Proxy::start(redis.address(), "Redis(tls: Refuse)", faults);
    let all = [say(&["SET", SECRET, SECRET]), say(&["GET", SECRET]), say(&["AUTH", SECRET])].concat();
    converse(proxy.address(), &all);
    assert!(!proxy.end().contains(SECRET));
}
