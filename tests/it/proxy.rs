//! `squall proxy` from outside: a published client, unmodified, and a file of proxies.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::program::{Running, Squall};
use crate::support::throwaway::{needs, skip};

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// `squall proxy` with its API up.
fn proxy(port: u16, squall: Squall, more: &[&str]) -> Running {
    let api = format!("127.0.0.1:{port}");
    let running = squall.args(["proxy", "--api", &api]).args(more).within(Duration::from_secs(60)).start();
    for _ in 0..2_000_000 {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return running;
        }
        std::thread::yield_now();
    }
    running.signal(Signal::TERM);
    panic!("the API never came up\n{}", running.ends().stderr());
}

fn ask(port: u16, method: &str, path: &str) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Python with the client in a folder of its own, or a word why not.
fn python_with_client(folder: &Path) -> Option<std::path::PathBuf> {
    let python = needs("python3")?;
    let made = Command::new(python).args(["-m", "venv"]).arg(folder).output().unwrap();
    let binary = folder.join("bin/python");
    let install = |binary: &Path| {
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "toxiproxy-python==0.1.1"];
        Command::new(binary).args(pip).output().is_ok_and(|output| output.status.success())
    };
    if made.status.success() && install(&binary) {
        return Some(binary);
    }
    skip("toxiproxy-python from PyPI");
    None
}

#[test]
fn the_published_python_client_works_unmodified() {
    let folder = tempfile::tempdir().unwrap();
    let Some(python) = python_with_client(folder.path()) else { return };
    let port = free_port();
    let running = proxy(port, Squall::new(), &[]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/toxiproxy_python.py");
    let output = Command::new(python).arg(script).arg(port.to_string()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    running.signal(Signal::INT);
    running.ends().exits(130);
}

#[test]
#[ignore = "builds a crate with a hundred dependencies, OpenSSL among them"]
fn full_the_published_rust_client_works_unmodified() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let running = proxy(port, Squall::new(), &[]);
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/toxiproxy_rust/Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--manifest-path", manifest, "--target-dir"])
        .arg(folder.path())
        .args(["--", &port.to_string()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    running.signal(Signal::INT);
    running.ends().exits(130);
}

#[test]
fn faults_of_a_file_are_in_force_from_the_first_connection() {
    let upstream = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let (port, listen) = (free_port(), free_port());
    let file = format!(
        r#"Proxy(proxies: [(name: "db", listen: "127.0.0.1:{listen}", upstream: "{}",
            faults: [(name: "short", inject: LimitData(bytes: "3B"))])])"#,
        upstream.local_addr().unwrap()
    );
    let running = proxy(port, Squall::new().file("db.ron", &file), &["--config", "db.ron"]);
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, listen)).unwrap();
    let (mut server, _) = upstream.accept().unwrap();
    server.write_all(b"answer").unwrap();
    let mut got = Vec::new();
    client.read_to_end(&mut got).unwrap();
    assert_eq!(got, b"ans");
    assert!(ask(port, "GET", "/squall/v1/state").contains(r#""name":"short""#));
    assert!(ask(port, "POST", "/reset").starts_with("HTTP/1.1 204"));
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, listen)).unwrap();
    let (mut server, _) = upstream.accept().unwrap();
    server.write_all(b"answer").unwrap();
    drop(server);
    got.clear();
    client.read_to_end(&mut got).unwrap();
    assert_eq!(got, b"answer");
    running.signal(Signal::TERM);
    running.ends().exits(143);
}

#[test]
fn an_api_off_loopback_needs_a_token_and_a_wrong_file_opens_nothing() {
    Squall::new().args(["proxy", "--api", "0.0.0.0:0"]).run().exits(2).says("--token-file");
    let file = r#"Proxy(proxies: [(name: "db", upstream: "nowhere")])"#;
    let wrong = Squall::new().file("db.ron", file).args(["proxy", "--api", "127.0.0.1:0", "--config", "db.ron"]);
    wrong.run().exits(2).says("`nowhere` is no address");
}
