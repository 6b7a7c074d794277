//! The balancer's decisions: which backend gets a request, and which backends get none for now.
//!
//! ```text
//! eligible = weight > 0, in service, healthy by its own address, not ejected
//! eligible ─► smooth weighted round robin        none ─► the backup        no backup ─► everyone in service
//! ```
//! Smooth weighted round robin: each turn every eligible backend gains its weight, the highest is taken and pays the sum
//! of the weights; a backend of weight 2 beside two of weight 1 is taken every other time, never twice in a row.
//! A backend whose connections fail five times in a row is ejected for ten seconds.
//!
//! Pure: the time is an argument. Called by the gateway (requests, probes) and the admin address (service).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::base::clock::Tick;

/// Every backend's name, in the order of everything that is kept per backend. The last is the backup.
pub(in crate::staging) const NAMES: [&str; 3] = ["a", "b", "dr"];
/// The backup's place in it.
pub(in crate::staging) const DR: usize = 2;

/// Failures of a connection in a row after which a backend is ejected.
const EJECT_AFTER: u32 = 5;
/// How long it is ejected.
const EJECTED_FOR: Duration = Duration::from_secs(10);
/// Probes that must agree before a backend's health changes.
const AGREEING: u32 = 2;
/// The number of the configuration a shop starts with.
const FIRST: u32 = 17;

/// A share for each backend; 0 gives it nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::staging) struct Weights {
    pub(in crate::staging) a: u32,
    pub(in crate::staging) b: u32,
    #[serde(default)]
    pub(in crate::staging) dr: u32,
}

/// A numbered configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::staging) struct Config {
    /// 17 at the start; every change takes the next, a revert goes back.
    pub(in crate::staging) number: u32,
    pub(in crate::staging) weights: Weights,
    /// What a probe asks each backend for.
    pub(in crate::staging) health_path: String,
    /// Where requests go when no backend is eligible.
    pub(in crate::staging) backup: bool,
    /// True: a request without side effects that failed on one backend is sent to another, once.
    pub(in crate::staging) retry: bool,
}

impl Config {
    /// Half to `a`, half to `b`, no backup; `health_path` is asked for.
    pub(in crate::staging) fn even(health_path: &str) -> Self {
        let weights = Weights { a: 1, b: 1, dr: 0 };
        Self { number: FIRST, weights, health_path: health_path.to_owned(), backup: false, retry: true }
    }

    fn weight(&self, backend: usize) -> u32 {
        [self.weights.a, self.weights.b, self.weights.dr].get(backend).copied().unwrap_or(0)
    }
}

/// Body of `PUT /admin/lb/config`: what is absent stays.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::staging) struct ConfigChange {
    weights: Option<Weights>,
    health_path: Option<String>,
    backup: Option<bool>,
    retry: Option<bool>,
}

impl ConfigChange {
    /// The configuration after `before`, numbered `number`; the first mistake in words.
    pub(in crate::staging) fn after(self, before: &Config, number: u32) -> Result<Config, String> {
        let config = Config {
            number,
            weights: self.weights.unwrap_or(before.weights),
            health_path: self.health_path.unwrap_or_else(|| before.health_path.clone()),
            backup: self.backup.unwrap_or(before.backup),
            retry: self.retry.unwrap_or(before.retry),
        };
        if (0..NAMES.len()).all(|n| config.weight(n) == 0) {
            return Err("every weight is 0: nobody would get a request".to_owned());
        }
        if (0..NAMES.len()).any(|n| config.weight(n) > 1_000) {
            return Err("a weight is 0 to 1000".to_owned());
        }
        if !config.health_path.starts_with('/') {
            return Err(format!("`health_path` begins with /, not {:?}", config.health_path));
        }
        Ok(config)
    }
}

/// What a person decided about a backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::staging) enum Service {
    /// It gets its share.
    #[default]
    In,
    /// It gets nothing new; what runs there ends there.
    Drain,
    /// It gets nothing.
    Out,
}

impl Service {
    /// Its word in addresses and states.
    pub(in crate::staging) fn word(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Drain => "drain",
            Self::Out => "out",
        }
    }

    /// From the word of `POST /admin/lb/backends/{n}/{word}`.
    pub(in crate::staging) fn of(word: &str) -> Option<Self> {
        [Self::In, Self::Drain, Self::Out].into_iter().find(|service| service.word() == word)
    }
}

/// What the balancer knows of one backend.
#[derive(Clone, Copy, Debug, Default)]
struct Peer {
    service: Service,
    /// Where it stands in the turn.
    current: i64,
    /// Failed connections in a row.
    failures: u32,
    ejected_until: Tick,
    sick: bool,
    /// Probes in a row that say otherwise than `sick`.
    disagreeing: u32,
}

/// The balancer.
#[derive(Debug)]
pub(in crate::staging) struct Balancer {
    config: Config,
    peers: [Peer; NAMES.len()],
}

impl Balancer {
    pub(in crate::staging) fn new(config: Config) -> Self {
        Self { config, peers: [Peer::default(); NAMES.len()] }
    }

    /// The configuration in force.
    pub(in crate::staging) fn config(&self) -> &Config {
        &self.config
    }

    /// Puts a configuration into force; what is known of the backends stays known.
    pub(in crate::staging) fn configure(&mut self, config: Config) {
        for peer in &mut self.peers {
            peer.current = 0;
        }
        self.config = config;
    }

    /// A person's word about backend `n`.
    pub(in crate::staging) fn serve(&mut self, n: usize, service: Service) {
        if let Some(peer) = self.peers.get_mut(n) {
            peer.service = service;
        }
    }

    /// Who gets the next request; never `not`, unless there is nobody else at all.
    pub(in crate::staging) fn pick(&mut self, not: Option<usize>, now: Tick) -> Option<usize> {
        let eligible: Vec<usize> =
            (0..NAMES.len()).filter(|n| Some(*n) != not && self.config.weight(*n) > 0 && self.fit(*n, now)).collect();
        if let Some(taken) = self.turn(&eligible) {
            return Some(taken);
        }
        if self.config.backup && not != Some(DR) && self.fit(DR, now) {
            return Some(DR);
        }
        // Better a sick backend than none: its own answer tells more than a refusal here.
        let weighted = (0..NAMES.len()).filter(|n| self.config.weight(*n) > 0);
        let serving: Vec<usize> = weighted.filter(|n| self.peers[*n].service == Service::In).collect();
        let others: Vec<usize> = serving.iter().copied().filter(|n| Some(*n) != not).collect();
        self.turn(if others.is_empty() { &serving } else { &others })
    }

    fn turn(&mut self, among: &[usize]) -> Option<usize> {
        let mut sum = 0;
        for n in among {
            let weight = i64::from(self.config.weight(*n));
            self.peers[*n].current += weight;
            sum += weight;
        }
        // The first of equals, so that equal weights go around in order.
        let taken = among.iter().copied().rev().max_by_key(|n| self.peers[*n].current)?;
        self.peers[taken].current -= sum;
        Some(taken)
    }

    fn fit(&self, n: usize, now: Tick) -> bool {
        let peer = &self.peers[n];
        peer.service == Service::In && !peer.sick && peer.ejected_until <= now
    }

    /// The connection to backend `n` did its work, or did not. True when that ejects it.
    pub(in crate::staging) fn connected(&mut self, n: usize, well: Result<(), ()>, now: Tick) -> bool {
        let peer = &mut self.peers[n];
        if well.is_ok() {
            peer.failures = 0;
            return false;
        }
        peer.failures += 1;
        let ejected = peer.failures >= EJECT_AFTER && peer.ejected_until <= now;
        if ejected {
            peer.failures = 0;
            peer.ejected_until = now + EJECTED_FOR;
        }
        ejected
    }

    /// A probe of backend `n` found it well or not. `Some` when that changes its health: true for well.
    pub(in crate::staging) fn probed(&mut self, n: usize, well: Result<(), ()>) -> Option<bool> {
        let peer = &mut self.peers[n];
        if well.is_err() == peer.sick {
            peer.disagreeing = 0;
            return None;
        }
        peer.disagreeing += 1;
        if peer.disagreeing < AGREEING {
            return None;
        }
        peer.disagreeing = 0;
        peer.sick = well.is_err();
        Some(!peer.sick)
    }

    /// For `GET /admin/state`.
    pub(in crate::staging) fn state(&self, now: Tick) -> Value {
        let backends = NAMES.iter().zip(&self.peers).map(|(name, peer)| {
            let ejected = peer.ejected_until.since(now).as_secs_f64();
            let data = json!({"service": peer.service.word(), "healthy": !peer.sick, "ejected_for_s": ejected});
            ((*name).to_owned(), data)
        });
        json!({"config": self.config, "backends": backends.collect::<serde_json::Map<_, _>>()})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Tick = Tick::from_secs(1);

    fn with(weights: Weights) -> Balancer {
        Balancer::new(Config { weights, ..Config::even("/healthz") })
    }

    fn names(balancer: &mut Balancer, n: usize, now: Tick) -> String {
        (0..n).map(|_| balancer.pick(None, now).map_or("-", |n| ["a", "b", "d"][n])).collect()
    }

    #[test]
    fn shares_follow_the_weights_and_are_spread_smoothly() {
        assert_eq!(names(&mut with(Weights { a: 1, b: 1, dr: 0 }), 6, NOW), "ababab");
        assert_eq!(names(&mut with(Weights { a: 2, b: 1, dr: 1 }), 8, NOW), "abdaabda");
        assert_eq!(names(&mut with(Weights { a: 1, b: 0, dr: 0 }), 4, NOW), "aaaa", "everything on a");
    }

    #[test]
    fn a_backend_whose_connections_fail_is_ejected_for_a_while() {
        let mut balancer = with(Weights { a: 1, b: 1, dr: 0 });
        let ejected: Vec<bool> = (0..5).map(|_| balancer.connected(1, Err(()), NOW)).collect();
        assert_eq!(ejected, [false, false, false, false, true]);
        assert_eq!(names(&mut balancer, 4, NOW), "aaaa");
        assert!(names(&mut balancer, 4, Tick::from_secs(11)).contains('b'));
        for _ in 0..4 {
            balancer.connected(1, Err(()), NOW);
        }
        balancer.connected(1, Ok(()), NOW);
        assert!(!balancer.connected(1, Err(()), Tick::from_secs(30)), "only failures in a row count");
    }

    #[test]
    fn a_sick_backend_gets_nothing_until_two_probes_find_it_well() {
        let mut balancer = with(Weights { a: 1, b: 1, dr: 0 });
        assert_eq!((balancer.probed(0, Err(())), balancer.probed(0, Err(()))), (None, Some(false)));
        assert_eq!(names(&mut balancer, 3, NOW), "bbb");
        assert_eq!(
            (balancer.probed(0, Ok(())), balancer.probed(0, Err(())), balancer.probed(0, Ok(()))),
            (None, None, None)
        );
        assert_eq!(balancer.probed(0, Ok(())), Some(true));
        assert!(names(&mut balancer, 2, NOW).contains('a'));
    }

    #[test]
    fn when_nobody_is_fit_the_backup_serves_and_without_one_everybody_does() {
        let mut balancer = with(Weights { a: 1, b: 1, dr: 0 });
        for backend in [0, 1] {
            balancer.probed(backend, Err(()));
            balancer.probed(backend, Err(()));
        }
        assert_eq!(names(&mut balancer, 4, NOW).matches('a').count(), 2);
        balancer.configure(Config { backup: true, ..balancer.config().clone() });
        assert_eq!(names(&mut balancer, 4, NOW), "dddd");
        balancer.serve(0, Service::Out);
        balancer.serve(1, Service::Drain);
        balancer.serve(DR, Service::Out);
        assert_eq!(balancer.pick(None, NOW), None, "nobody is in service");
    }

    #[test]
    fn a_second_try_goes_to_another_backend() {
        let mut balancer = with(Weights { a: 1, b: 1, dr: 0 });
        assert!((0..10).all(|_| balancer.pick(Some(0), NOW) == Some(1)));
        let mut alone = with(Weights { a: 1, b: 0, dr: 0 });
        assert_eq!(alone.pick(Some(0), NOW), Some(0), "there is nobody else");
    }

    #[test]
    fn a_change_keeps_what_it_does_not_name_and_mistakes_are_named() {
        let before = Config::even("/readyz");
        let change = |text: &str| serde_json::from_str::<ConfigChange>(text).unwrap().after(&before, 18);
        let after = change(r#"{"weights":{"a":1,"b":0},"health_path":"/healthz"}"#).unwrap();
        assert_eq!((after.number, after.weight(1), after.retry), (18, 0, true));
        assert!(change(r#"{"weights":{"a":0,"b":0}}"#).unwrap_err().contains("every weight is 0"));
        assert!(change(r#"{"health_path":"x"}"#).is_err());
        assert!(change(r#"{"weights":{"a":2000,"b":0}}"#).is_err());
    }
}
