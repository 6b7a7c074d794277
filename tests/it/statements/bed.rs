//! A real PostgreSQL behind a proxy that reads its protocol, and the rules to put on it.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use squall::base::clock::{Clock, Tick};
use squall::base::ratio::Ratio;
use squall::base::seed::Seed;
use squall::fault::{Proxies, ProxySpec};
use squall::plan::fault::rule::postgres::{Act, Only, Postgres as Statements};
use squall::plan::fault::rule::{Hold, Place, Protocol, Rule, Speaks, Tls};
use squall::plan::fault::{Envelope, Fault, Per, Side, Time};
use squall::wire::sql::Verb;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, NoTls};

use crate::support::postgres::{Postgres, postgres};

/// Everything of one test.
pub(super) struct Bed {
    pub(super) server: Postgres,
    pub(super) proxies: Proxies,
    pub(super) listen: SocketAddr,
    pub(super) runtime: Runtime,
}

/// A server, a proxy before it, and a runtime; `None` where there is no server.
pub(super) fn bed() -> Option<Bed> {
    let server = postgres()?;
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let proxies = Proxies::start_with(Clock::start(), Seed(7), NonZeroUsize::new(2).unwrap()).unwrap();
    let spec = ProxySpec {
        name: "db".into(),
        listen: "127.0.0.1:0".parse().unwrap(),
        upstream: server.address(),
        dial_timeout: Duration::from_secs(5),
        buffer: 1 << 20,
        base: Vec::new(),
        speaks: Speaks { protocol: Protocol::Postgres, tls: Tls::Refuse },
    };
    let listen = runtime.block_on(proxies.add(spec)).unwrap();
    Some(Bed { server, proxies, listen, runtime })
}

/// A connection string for `address`.
pub(super) fn url(address: SocketAddr, user: &str) -> String {
    format!("host=127.0.0.1 port={} user={user} dbname=postgres", address.port())
}

/// A connection of `user`, driven by a task.
pub(super) async fn connect_as(address: SocketAddr, user: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(&url(address, user), NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// A connection of the superuser.
pub(super) async fn connect(address: SocketAddr) -> Client {
    connect_as(address, "postgres").await.unwrap()
}

impl Bed {
    /// Puts a rule in force until the proxies end.
    pub(super) fn put(&self, name: &str, only: Only, act: Act) {
        self.put_on(name, only, act, 1.0);
    }

    /// The same on a share of what matches.
    pub(super) fn put_on(&self, name: &str, only: Only, act: Act, share: f64) {
        self.runtime.block_on(self.proxies.put(fault(name, only, act, share), None)).unwrap();
    }

    /// Takes it out.
    pub(super) fn heal(&self, name: &str) {
        assert!(self.runtime.block_on(self.proxies.heal(name)).unwrap().verified);
    }

    /// Runs a script without the proxy.
    pub(super) fn direct(&self, sql: &str) {
        self.runtime.block_on(async { connect(self.server.address()).await.batch_execute(sql).await.unwrap() });
    }
}

/// A rule as a fault on the proxy.
pub(super) fn fault(name: &str, only: Only, act: Act, share: f64) -> Fault {
    let rule = Rule::Postgres(Box::new(Statements { only, act }));
    let share = Ratio::new(share);
    let side = Side::Both;
    let envelope = Box::new(Envelope { per: Per::Message, ..Envelope::default() });
    Fault { envelope, name: name.into(), on: "db".into(), inject: rule.into(), side, share, lasts: None }
}

/// Statements of these verbs.
pub(super) fn verbs(verbs: &[Verb]) -> Only {
    Only { verbs: verbs.to_vec(), ..Only::default() }
}

/// An error raised by the server.
pub(super) fn error(sqlstate: &str) -> Act {
    Act::Error { sqlstate: sqlstate.into(), message: "it was to be".into() }
}

/// A hold of `millis`.
pub(super) fn delay(millis: u64, place: Place) -> Act {
    Act::Delay(Hold { time: Time::Fixed(Duration::from_millis(millis)), place })
}

/// The SQLSTATE of a failure; `lost` when the connection broke.
pub(super) fn code(error: &tokio_postgres::Error) -> String {
    error.code().map_or_else(|| "lost".to_owned(), |code| code.code().to_owned())
}

/// Measures from its making.
pub(super) struct Watch(Clock, Tick);

impl Watch {
    pub(super) fn start() -> Self {
        let clock = Clock::start();
        let now = clock.now();
        Self(clock, now)
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.0.now().since(self.1)
    }
}
