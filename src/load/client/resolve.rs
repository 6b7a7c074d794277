//! The addresses of one origin: pinned at the start, or looked up again from time to time, each new one under the guard.
//!
//! A name that leads elsewhere meanwhile, to an address that nobody vouches for, stops the run. Not here: the first look-up
//! (the caller pins), connecting (`connect`), the rules (`plan::guard`).

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use tokio::net::lookup_host;

use super::failure::{Failure, within};
use crate::base::clock::Tick;
use crate::base::stop::{Stop, StopReason};
use crate::load::pace::Limits;
use crate::measure::outcome::Kind;
use crate::plan::load::{Client, Origin};

type Found = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>>>>;

/// Who knows the addresses of a name.
pub type Lookup = fn(String, u16) -> Found;

/// The system's resolver.
pub fn system(host: String, port: u16) -> Found {
    Box::pin(async move {
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(lookup_host((bare, port)).await?.collect())
    })
}

/// The addresses of one origin.
pub struct Addresses {
    origin: Origin,
    now: RefCell<Vec<SocketAddr>>,
    /// How old an answer may be, and how long a look-up may take; `None`: the first answer holds.
    every: Option<(Duration, Duration)>,
    looked: Cell<Option<Tick>>,
    stop: Stop,
    lookup: Lookup,
}

impl fmt::Debug for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Addresses").field("host", &self.origin.host).field("now", &self.now).finish_non_exhaustive()
    }
}

impl Addresses {
    /// Those of `origin`, which `client` looks up as `lookup` does; an address that nobody vouches for requests `stop`.
    pub fn new(origin: &Origin, client: &Client, (stop, lookup): (&Stop, Lookup)) -> Self {
        // Where the author says where to connect, there is no name to look up.
        let every = client.wires.dns.filter(|_| origin.via.is_none());
        Self {
            now: RefCell::new(origin.pinned.clone()),
            every: every.map(|every| (every, client.timeouts.resolve)),
            looked: Cell::new(None),
            stop: stop.clone(),
            lookup,
            origin: origin.clone(),
        }
    }

    /// All of them, as they are known now; a connection is about to be opened.
    pub async fn all(&self, limits: &mut Limits<'_>) -> Result<Vec<SocketAddr>, Failure> {
        let Some((every, most)) = self.every else { return Ok(self.now.borrow().clone()) };
        let now = limits.now();
        // The first answer is as old as the first use of it, give or take the start.
        let looked = self.looked.get().unwrap_or(now);
        self.looked.set(Some(looked));
        if now - looked < every {
            return Ok(self.now.borrow().clone());
        }
        limits.begin(most);
        let looking = (self.lookup)(self.origin.host.clone(), self.origin.port);
        let found = within(looking, limits, Kind::ResolveTimeout).await.map_err(Failure::early)?;
        let mut found = found.map_err(|_| Failure::early(Kind::Resolve))?;
        found.dedup();
        if found.is_empty() {
            return Err(Failure::early(Kind::Resolve));
        }
        for address in &found {
            self.vouch(*address)?;
        }
        self.looked.set(Some(now));
        self.now.borrow_mut().clone_from(&found);
        Ok(found)
    }

    fn vouch(&self, address: SocketAddr) -> Result<(), Failure> {
        let Err(refusal) = self.origin.vouches(address) else { return Ok(()) };
        self.stop.request(StopReason::Aborted(format!("the name changed its address: {refusal}")));
        Err(Failure::early(Kind::NotAllowed))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::Arc;

    use jiff::civil::date;

    use super::*;
    use crate::base::clock::Clock;
    use crate::load::pace::Pace;
    use crate::plan::check::{Files, targets};
    use crate::plan::guard::Guard;

    const LIST: &str = r#"(allow: [(host: "shop.test", ports: [80], owner: "me"), (net: "10.20.0.0/16", ports: [80], owner: "me")],
        never: ["10.20.9.0/24"])"#;

    fn pinned() -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], 80))
    }

    fn origin() -> Origin {
        let mut files = Files::held([("squall.targets.ron".to_owned(), LIST)]);
        let (allow, _) = targets(&mut files, "squall.targets.ron", date(2026, 11, 20)).unwrap();
        let guard = Guard::new(Some(allow), &[]).unwrap();
        Origin { guard: Some(Arc::new(guard)), ..Origin::clear("shop.test", 80, vec![pinned()]) }
    }

    fn answer(addresses: &[[u8; 4]]) -> Found {
        let found = addresses.iter().map(|address| SocketAddr::from((*address, 80))).collect();
        Box::pin(std::future::ready(Ok(found)))
    }

    /// What a connection 31 s after the first one is opened to, and why the run stopped.
    fn later(lookup: Lookup) -> (Result<Vec<SocketAddr>, Kind>, Option<StopReason>) {
        let (clock, hand) = Clock::manual();
        let (pace, cut, stop) = (Pace::new(clock.clone()), Cell::new(Tick::MAX), Stop::new());
        let mut client = Client::default();
        client.wires.dns = Some(Duration::from_secs(30));
        let addresses = Addresses::new(&origin(), &client, (&stop, lookup));
        let ask = || {
            let mut limits = Limits::new(&pace, (clock.now(), Tick::MAX), &cut);
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(addresses.all(&mut limits)).map_err(|failure| failure.kind)
        };
        assert_eq!(ask(), Ok(vec![pinned()]));
        hand.advance(Duration::from_secs(29));
        assert_eq!(ask(), Ok(vec![pinned()]), "the first answer holds for its time");
        hand.advance(Duration::from_secs(2));
        (ask(), stop.reason())
    }

    #[test]
    fn an_address_that_is_vouched_for_is_followed() {
        let (found, stopped) = later(|_, _| answer(&[[10, 20, 3, 4], [192, 0, 2, 1]]));
        assert_eq!(found.unwrap()[0], SocketAddr::from(([10, 20, 3, 4], 80)));
        assert_eq!(stopped, None);
    }

    #[test]
    fn an_address_that_nobody_vouches_for_stops_the_run_by_name() {
        // A host entry vouches for the addresses its name had at the start, and for no others.
        for (address, lookup) in [
            ("192.0.2.2", (|_, _| answer(&[[192, 0, 2, 2]])) as Lookup),
            ("10.20.9.7", |_, _| answer(&[[10, 20, 3, 4], [10, 20, 9, 7]])),
        ] {
            let (found, stopped) = later(lookup);
            assert_eq!(found, Err(Kind::NotAllowed));
            let Some(StopReason::Aborted(why)) = stopped else { panic!("{stopped:?}") };
            assert!(why.contains(address), "{why}");
        }
    }

    #[test]
    fn a_name_without_an_address_is_a_failure_of_its_request() {
        let (found, stopped) = later(|_, _| answer(&[]));
        assert_eq!((found, stopped), (Err(Kind::Resolve), None));
        let refused: Lookup = |_, _| Box::pin(std::future::ready(Err(io::ErrorKind::NotFound.into())));
        assert_eq!(later(refused).0, Err(Kind::Resolve));
    }
}
