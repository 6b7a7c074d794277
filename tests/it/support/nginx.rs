//! A throw-away nginx that answers `ok`: the fast, well-behaved server that a load engine is measured against.

use std::fs;
use std::process::Command;

use rustix::process::{Signal, geteuid};

use super::throwaway::{Throwaway, free_port, needs};

/// A running nginx.
pub(crate) struct Nginx {
    port: u16,
    _server: Throwaway,
}

impl Nginx {
    /// `http://127.0.0.1:PORT/`.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }
}

/// Starts nginx, or says why the test is skipped.
pub(crate) fn nginx() -> Option<Nginx> {
    let binary = needs("nginx")?;
    for _ in 0..5 {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let conf = folder.path().join("nginx.conf");
        fs::write(&conf, configuration(port)).unwrap();
        let mut command = Command::new(&binary);
        command.arg("-p").arg(folder.path()).arg("-c").arg(conf).args(["-e", "stderr"]);
        if let Some(server) = Throwaway::start(command, folder, "start worker process", Signal::TERM) {
            return Some(Nginx { port, _server: server });
        }
    }
    panic!("nginx did not start on any of five ports")
}

fn configuration(port: u16) -> String {
    // Workers of a root master would run as a user who cannot read the temporary folder.
    let user = if geteuid().is_root() { "user root;" } else { "" };
    let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|name| format!("{name}_temp_path {name};"));
    format!(
        "{user} daemon off; worker_processes 1; pid nginx.pid; error_log stderr notice;
         events {{ worker_connections 4096; }}
         http {{
           access_log off; keepalive_requests 1000000; keepalive_timeout 60s; {}
           server {{
             listen 127.0.0.1:{port};
             location / {{ default_type text/plain; return 200 'ok'; }}
           }}
         }}",
        paths.concat()
    )
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn nginx_answers_ok_and_is_gone_when_dropped() {
        let Some(nginx) = nginx() else { return };
        assert!(nginx.url().starts_with("http://127.0.0.1:"));
        let mut stream = TcpStream::connect(("127.0.0.1", nginx.port)).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok"), "{answer}");
        let port = nginx.port;
        drop(nginx);
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    }
}
