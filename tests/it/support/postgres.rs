//! A throw-away PostgreSQL on loopback, trusting everybody, with its data in a temporary folder.

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Signal, geteuid};

use super::throwaway::{Throwaway, free_port, needs, skip};

/// A running PostgreSQL with the empty database `postgres`.
pub(crate) struct Postgres {
    port: u16,
    _server: Throwaway,
}

impl Postgres {
    /// Where it listens.
    pub(crate) fn address(&self) -> std::net::SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// `postgres://postgres@127.0.0.1:PORT/postgres`.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

/// Starts PostgreSQL, or says why the test is skipped. It refuses to run as root, so root hands it to user `postgres`.
pub(crate) fn postgres() -> Option<Postgres> {
    let (initdb, postgres) = (needs("initdb")?, needs("postgres")?);
    let account = if geteuid().is_root() { Some(account()?) } else { None };
    for _ in 0..3 {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        if let Some((uid, gid)) = account {
            chown(folder.path(), Some(uid), Some(gid)).unwrap();
        }
        let data = folder.path().join("data");
        initialise(as_account(&initdb, account), folder.path(), &data);
        let mut command = as_account(&postgres, account);
        command
            .current_dir(folder.path())
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(folder.path())
            .arg("-p")
            .arg(port.to_string());
        for setting in ["listen_addresses=127.0.0.1", "fsync=off", "max_connections=200", "log_min_messages=log"] {
            command.arg("-c").arg(setting);
        }
        // SIGINT is its fast shutdown: sessions are ended, not waited for.
        if let Some(server) = Throwaway::start(command, folder, "ready to accept connections", Signal::INT) {
            return Some(Postgres { port, _server: server });
        }
    }
    panic!("PostgreSQL did not start on any of three ports")
}

fn initialise(mut initdb: Command, folder: &Path, data: &Path) {
    let settings = ["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync", "-D"];
    let output = initdb.current_dir(folder).args(settings).arg(data).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
}

/// User and group number of `postgres`; skips the test where a root shell has no such user.
fn account() -> Option<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let numbers = users.lines().find_map(|line| {
        let mut parts = line.strip_prefix("postgres:")?.split(':').skip(1);
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    });
    if numbers.is_none() {
        skip("a user named postgres");
    }
    numbers
}

/// `setpriv` replaces itself by the program, so the child's process id is the server's.
fn as_account(program: &Path, account: Option<(u32, u32)>) -> Command {
    let Some((uid, gid)) = account else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command.arg(format!("--reuid={uid}")).arg(format!("--regid={gid}")).args(["--clear-groups", "--"]).arg(program);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_answers_a_query() {
        let Some(postgres) = postgres() else { return };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let one: i32 = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&postgres.url(), tokio_postgres::NoTls).await.unwrap();
            let connection = tokio::spawn(connection);
            let one = client.query_one("select 1", &[]).await.unwrap().get(0);
            drop(client);
            connection.await.unwrap().unwrap();
            one
        });
        assert_eq!(one, 1);
    }
}
