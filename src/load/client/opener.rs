//! Opens connections to the origins of a plan: address, TLS, protocol, at no more than the rate that is allowed.
//!
//! Not here: who may use them (`pool`, `client`).

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use hyper::http::uri::{Authority, Scheme as HttpScheme};

use super::answer::Keep;
use super::connect::Peer;
use super::failure::{Failure, within};
use super::h1::{Exchange, Line, Prepared, Terms};
use super::h2::{Place, Tube};
use super::lane::Lane;
use super::line::Stream;
use super::link::{Age, Link};
use super::pool::Speaks;
use super::staged::{Staged, Valve};
use super::tls::{self, Connector};
use crate::base::clock::Tick;
use crate::base::shard::Shard;
use crate::load::pace::{Limits, Passed};
use crate::load::step::Script;
use crate::measure::outcome::Kind;
use crate::plan::load::{Client, Origin, Scheme, Timeouts};
use crate::plan::wires::{Life, Version};

/// Opens connections to every origin.
#[derive(Debug)]
pub struct Opener {
    peers: Vec<(Peer, Option<Place>, Scheme)>,
    connector: Option<Connector>,
    version: Version,
    timeouts: Timeouts,
    streams: usize,
    life: Life,
    /// Least time between two new connections, and when the next may be opened.
    apart: Option<Duration>,
    next: Cell<Tick>,
    /// Connections opened since the last look.
    opened: Cell<u64>,
}

impl Opener {
    /// For clients of `script` that behave so; a shard has its part of the rate.
    pub fn new(script: &Script, client: &Client, shard: Shard) -> Self {
        let wires = &client.wires;
        let peer = |origin: &Origin| (Peer::new(origin, client, &script.stop), place(origin), origin.scheme);
        let apart = wires.life.open_rate.filter(|rate| *rate > 0.0);
        Self {
            peers: script.plan.origins.iter().map(peer).collect(),
            connector: script.connector.clone(),
            version: wires.http,
            timeouts: client.timeouts,
            streams: wires.life.streams,
            life: wires.life,
            apart: apart.and_then(|rate| Duration::try_from_secs_f64(f64::from(shard.of) / rate).ok()),
            next: Cell::new(Tick::ZERO),
            opened: Cell::new(0),
        }
    }

    /// Limits of time.
    pub fn timeouts(&self) -> &Timeouts {
        &self.timeouts
    }

    /// Connections opened since the last look.
    pub fn take_opened(&self) -> u64 {
        self.opened.take()
    }

    /// What is known of an origin's protocol before the first connection.
    pub fn speaks(&self, origin: usize) -> Speaks {
        let secure = self.peers.get(origin).is_some_and(|(_, _, scheme)| *scheme == Scheme::Https);
        match self.version {
            Version::Http2 | Version::Http2Prior => Speaks::Two,
            Version::Auto if secure => Speaks::Unknown,
            Version::Auto | Version::Http1 => Speaks::One,
        }
    }

    /// Opens a connection to `origin`.
    pub async fn open(&self, origin: usize, limits: &mut Limits<'_>) -> Result<Link, Failure> {
        let (stream, second) = self.stream(origin, limits, None).await?;
        self.speak(origin, (stream, second), limits).await
    }

    /// Opens one behind `valve`, with a window so wide; `None`: the system's.
    pub async fn open_staged(
        &self,
        origin: usize,
        limits: &mut Limits<'_>,
        (valve, window): (&Rc<Valve>, Option<u32>),
    ) -> Result<Link, Failure> {
        let (stream, second) = self.stream(origin, limits, window).await?;
        let stream = Stream::Staged(Box::new(Staged::new(stream, valve)));
        self.speak(origin, (stream, second), limits).await
    }

    /// A stream to `origin` with TLS agreed on, and whether HTTP/2 is spoken on it.
    async fn stream(
        &self,
        origin: usize,
        limits: &mut Limits<'_>,
        window: Option<u32>,
    ) -> Result<(Stream, bool), Failure> {
        let (peer, _, scheme) = self.peers.get(origin).ok_or(Failure::early(Kind::Resolve))?;
        self.wait_for_slot(limits).await?;
        let plain = peer.open(limits, limits.timeouts.connect, window).await?;
        self.opened.set(self.opened.get() + 1);
        let prior = self.version == Version::Http2Prior;
        Ok(match self.connector.as_ref().filter(|_| *scheme == Scheme::Https) {
            None => (Stream::Plain(plain), prior),
            Some(connector) => {
                limits.begin(limits.timeouts.tls);
                let greeted = within(connector.greet(origin, plain), limits, Kind::TlsTimeout).await;
                let stream = greeted.map_err(Failure::early)?.map_err(|error| Failure::early(tls::kind(&error)))?;
                let agreed = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                if self.version == Version::Http2 && !agreed {
                    return Err(Failure::early(Kind::Protocol));
                }
                (Stream::Tls(Box::new(stream)), agreed || prior)
            }
        })
    }

    /// Begins to speak HTTP on `stream`.
    async fn speak(
        &self,
        origin: usize,
        (stream, second): (Stream, bool),
        limits: &mut Limits<'_>,
    ) -> Result<Link, Failure> {
        let place = self.peers.get(origin).and_then(|(_, place, _)| place.as_ref());
        if let Some(place) = place.filter(|_| second) {
            let terms = (self.streams, limits.timeouts.tls);
            return Tube::begin(stream, place.clone(), limits, terms).await.map(Link::Two);
        }
        let line = Line::begin(stream).await.ok_or(Failure::early(Kind::Protocol))?;
        Ok(Link::One(Box::new(line), Age::born(limits.now())))
    }

    /// Waits until a new connection may be opened.
    async fn wait_for_slot(&self, limits: &mut Limits<'_>) -> Result<(), Failure> {
        let Some(apart) = self.apart else { return Ok(()) };
        let now = limits.now();
        let slot = self.next.get().max(now);
        self.next.set(slot + apart);
        limits.begin(limits.timeouts.wait);
        let mut alarm = limits.pace().alarm();
        poll_fn(|cx| {
            if alarm.rings(slot, cx) {
                return Poll::Ready(Ok(()));
            }
            let kind = match limits.passed(cx) {
                Some(Passed::Cut) => Kind::Unfinished,
                Some(Passed::Total) => Kind::TimeoutTotal,
                Some(Passed::Phase) => Kind::PoolTimeout,
                None => return Poll::Pending,
            };
            Poll::Ready(Err(Failure::early(kind)))
        })
        .await
    }
}

/// The lane of hyper, in either protocol.
impl Lane for Opener {
    type Line = Link;

    async fn begin(&self, origin: usize, limits: &mut Limits<'_>) -> Result<Link, Failure> {
        self.open(origin, limits).await
    }

    async fn exchange(
        &self,
        link: &mut Link,
        (request, keep): (Prepared, Keep),
        limits: &mut Limits<'_>,
    ) -> (Exchange, (u64, u64)) {
        link.age().serve(limits.seen());
        let terms = Terms::of(limits.timeouts, keep);
        link.exchange(request, limits, terms).await
    }

    fn is_usable(&self, link: &mut Link, now: Tick) -> bool {
        link.is_free() && !link.age().is_spent(&self.life, now)
    }
}

/// What HTTP/2 calls the origin; `None` when its host cannot stand there.
fn place(origin: &Origin) -> Option<Place> {
    let scheme = if origin.scheme == Scheme::Https { HttpScheme::HTTPS } else { HttpScheme::HTTP };
    Authority::try_from(origin.authority()).ok().map(|authority| Place { scheme, authority })
}
