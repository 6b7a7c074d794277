//! Everything that people can set in the shop, and the leases on it, moved together; every move says what to write down.
//!
//! A change may come with a lease: then the value before it is kept, and set back when nobody renews the lease. What a
//! setting does is not here: flags, releases, limiter, cache, guardrail and balancer read it. Pure: the time is an
//! argument. Called by the admin address (changes, renewals), the caretaker (time), gateway and backends (reading).

use std::time::Duration;

use serde_json::{Value, json};

use super::cache::Mode;
use super::dial::Dial;
use super::flags::{Look, SMART_CART, Setting, View};
use super::gateway::balance::Config;
use super::guardrail::Guardrail;
use super::leases::{Closed, Lease, Leases, Terms};
use super::limiter::Limits;
use super::releases::{Rolling, Rollout};
use crate::base::clock::Tick;

/// Names of the two backends that flags and releases reach, in the order of everything that is kept for them.
pub(super) const BACKENDS: [&str; 2] = ["a", "b"];

/// Something that happened: name and data of a line of the log.
pub(super) type Happened = (&'static str, Value);

/// A thing that can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    Flag,
    Release,
    Balance,
    Limits,
    Cache,
    Guardrail,
    Writes,
}

/// What it is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Flag(Setting),
    Release(Rollout),
    Balance(Config),
    Limits(Limits),
    Cache(Mode),
    Guardrail(Guardrail),
    Writes(Writes),
}

/// Whether customers may change anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Writes {
    /// As always.
    #[default]
    Open,
    /// What would change something is refused with 503.
    Refused,
}

impl Wanted {
    fn topic(&self) -> Topic {
        match self {
            Self::Flag(_) => Topic::Flag,
            Self::Release(_) => Topic::Release,
            Self::Balance(_) => Topic::Balance,
            Self::Limits(_) => Topic::Limits,
            Self::Cache(_) => Topic::Cache,
            Self::Guardrail(_) => Topic::Guardrail,
            Self::Writes(_) => Topic::Writes,
        }
    }
}

/// How a change is carried out.
#[derive(Clone, Debug)]
pub(super) struct Order {
    /// When the backends look at a flag.
    pub(super) look: Look,
    /// The lease asked for.
    pub(super) terms: Option<Terms>,
}

/// Who made a change, in the log.
#[derive(Clone, Copy)]
enum By {
    Admin,
    Lease,
}

/// What a shop's switchboard begins with.
#[derive(Debug)]
pub(super) struct Start {
    /// How often `a` and `b` look at the flags.
    pub(super) polls: (Duration, Duration),
    /// How long a deployment takes per backend.
    pub(super) deploy_step: Duration,
    pub(super) balance: Config,
    pub(super) cache: Mode,
}

#[derive(Debug)]
pub(super) struct Switchboard {
    flag: Dial<Setting>,
    views: [View; 2],
    release: Dial<Rollout>,
    rolling: Rolling<2>,
    balance: Dial<Config>,
    /// The configurations there were before, for going back.
    history: Vec<Config>,
    limits: Dial<Limits>,
    cache: Dial<Mode>,
    guardrail: Dial<Guardrail>,
    writes: Dial<Writes>,
    leases: Leases<Topic, Wanted>,
}

impl Switchboard {
    /// Flags off, the good release, no limits.
    pub(super) fn new(start: Start, now: Tick) -> Self {
        let Start { polls, deploy_step, balance, cache } = start;
        Self {
            flag: Dial::at(Setting::OFF),
            views: [View::new(polls.0, now), View::new(polls.1, now)],
            release: Dial::at(Rollout::default()),
            rolling: Rolling::new(deploy_step),
            balance: Dial::at(balance),
            history: Vec::new(),
            limits: Dial::default(),
            cache: Dial::at(cache),
            guardrail: Dial::default(),
            writes: Dial::default(),
            leases: Leases::default(),
        }
    }

    /// The flag as asked for.
    pub(super) fn flag(&self) -> Setting {
        self.flag.wanted
    }

    /// What backend `n` acts on; the backup acts on no flag.
    pub(super) fn serving(&self, backend: usize) -> Setting {
        self.views.get(backend).map_or(Setting::OFF, |view| view.serving)
    }

    /// True while some backend acts on the flag.
    pub(super) fn is_serving(&self) -> bool {
        self.views.iter().any(|view| view.serving.acts())
    }

    /// The roll-out as asked for.
    pub(super) fn release(&self) -> Rollout {
        self.release.wanted
    }

    /// The roll-out on each backend.
    pub(super) fn rolling(&self) -> &Rolling<2> {
        &self.rolling
    }

    /// The balancer's configuration.
    pub(super) fn balance(&self) -> &Config {
        &self.balance.wanted
    }

    /// The number of the next configuration.
    pub(super) fn next_config(&self) -> u32 {
        self.history.iter().map(|config| config.number).max().unwrap_or(0).max(self.balance.wanted.number) + 1
    }

    /// The configuration before the one in force.
    pub(super) fn config_before(&self) -> Option<Config> {
        self.history.last().cloned()
    }

    /// The rates that may pass.
    pub(super) fn limits(&self) -> &Limits {
        &self.limits.wanted
    }

    /// How the cache is used.
    pub(super) fn cache(&self) -> Mode {
        self.cache.wanted
    }

    /// What is done about dangerous statements.
    pub(super) fn guardrail(&self) -> Guardrail {
        self.guardrail.wanted
    }

    /// Whether customers may change anything.
    pub(super) fn writes(&self) -> Writes {
        self.writes.wanted
    }

    /// The open leases by id.
    pub(super) fn leases(&self) -> impl Iterator<Item = (u64, &Lease<Topic, Wanted>)> {
        self.leases.iter()
    }

    /// Somebody sets something. Gives the id of the lease, if there are terms.
    pub(super) fn change(&mut self, wanted: Wanted, order: Order, now: Tick) -> (Option<u64>, Vec<Happened>) {
        let topic = wanted.topic();
        let mut happened = vec![event(&wanted, By::Admin)];
        let before = self.set(wanted, now);
        let lease = order.terms.map(|terms| self.leases.open(topic, (self.revision(topic), before), terms, now));
        if let Some(id) = lease {
            happened.push(lease_event(id, "opened"));
        } else {
            let undone = self.leases.undone(topic);
            happened.extend(undone.into_iter().map(|id| lease_event(id, "undone by a later change")));
        }
        if topic == Topic::Flag && order.look == Look::Pushed {
            happened.extend(self.look(Look::Pushed, now));
        }
        (lease, happened)
    }

    /// Renews a lease; why not, when it is not open.
    pub(super) fn renew(
        &mut self,
        id: u64,
        length: Option<Duration>,
        now: Tick,
    ) -> Result<Lease<Topic, Wanted>, Option<Closed>> {
        self.leases.renew(id, length, now)
    }

    /// Lets time pass: ends leases, lets the backends look when it is their time, and rolls releases on.
    pub(super) fn tick(&mut self, now: Tick) -> Vec<Happened> {
        let mut happened = Vec::new();
        for id in self.leases.expired(now) {
            happened.push(lease_event(id, "expired"));
            let revision = self.leases.topic(id).map_or(0, |topic| self.revision(topic));
            if let Some((_, Some(back))) = self.leases.settle(id, revision) {
                happened.push(event(&back, By::Lease));
                if let Wanted::Release(rollout) = back {
                    self.rolling.all_at_once(rollout);
                    self.release.change(rollout);
                    continue;
                }
                self.set(back, now);
                happened.extend(self.look(Look::Pushed, now));
            }
        }
        happened.extend(self.look(Look::WhenDue, now));
        for (backend, rollout) in self.rolling.tick(now) {
            happened.push(("deployed", json!({"backend": BACKENDS[backend], "release": rollout.release.name()})));
        }
        happened
    }

    /// Sets a dial; gives what it was.
    fn set(&mut self, wanted: Wanted, now: Tick) -> Wanted {
        match wanted {
            Wanted::Flag(setting) => Wanted::Flag(self.flag.change(setting)),
            Wanted::Release(rollout) => {
                self.rolling.begin(rollout, now);
                Wanted::Release(self.release.change(rollout))
            }
            Wanted::Balance(config) => {
                let before = self.balance.change(config);
                self.remember(&before);
                Wanted::Balance(before)
            }
            Wanted::Limits(limits) => Wanted::Limits(self.limits.change(limits)),
            Wanted::Cache(mode) => Wanted::Cache(self.cache.change(mode)),
            Wanted::Guardrail(guardrail) => Wanted::Guardrail(self.guardrail.change(guardrail)),
            Wanted::Writes(writes) => Wanted::Writes(self.writes.change(writes)),
        }
    }

    /// Going back to a configuration forgets what came after it.
    fn remember(&mut self, before: &Config) {
        let number = self.balance.wanted.number;
        if number > before.number {
            self.history.push(before.clone());
        } else {
            self.history.retain(|config| config.number < number);
        }
    }

    fn revision(&self, topic: Topic) -> u64 {
        match topic {
            Topic::Flag => self.flag.revision,
            Topic::Release => self.release.revision,
            Topic::Balance => self.balance.revision,
            Topic::Limits => self.limits.revision,
            Topic::Cache => self.cache.revision,
            Topic::Guardrail => self.guardrail.revision,
            Topic::Writes => self.writes.revision,
        }
    }

    fn look(&mut self, look: Look, now: Tick) -> Vec<Happened> {
        let flag = self.flag;
        let views = self.views.iter_mut().zip(BACKENDS);
        views
            .filter_map(|(view, backend)| {
                let serving = view.look(&flag, look, now)?;
                Some(("serving", json!({"flag": SMART_CART, "backend": backend, "serving": serving})))
            })
            .collect()
    }
}

fn event(wanted: &Wanted, by: By) -> Happened {
    let (name, mut data) = match wanted {
        Wanted::Flag(setting) => {
            ("flag", json!({"flag": SMART_CART, "enabled": setting.enabled, "rollout_pct": setting.rollout_pct}))
        }
        Wanted::Release(rollout) => {
            ("deploy", json!({"release": rollout.release.name(), "share_pct": rollout.share_pct}))
        }
        Wanted::Balance(config) => ("balance", json!(config)),
        Wanted::Limits(limits) => ("limits", json!(limits)),
        Wanted::Cache(mode) => ("cache", json!({"mode": mode})),
        Wanted::Guardrail(guardrail) => ("guardrail", json!(guardrail)),
        Wanted::Writes(writes) => ("writes", json!({"read_only": *writes == Writes::Refused})),
    };
    data["by"] = json!(match by {
        By::Admin => "admin",
        By::Lease => "lease",
    });
    (name, data)
}

fn lease_event(id: u64, what: &str) -> Happened {
    ("lease", json!({"lease": lease_name(id), "what": what}))
}

/// A lease's id as people and machines write it: `l-7`.
pub(super) fn lease_name(id: u64) -> String {
    format!("l-{id}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staging::gateway::balance::Weights;
    use crate::staging::releases::Release;

    const ON: Wanted = Wanted::Flag(Setting { enabled: true, rollout_pct: 100 });
    const OFF: Wanted = Wanted::Flag(Setting::OFF);

    fn board() -> Switchboard {
        let start = Start {
            polls: (Duration::from_secs(5), Duration::from_secs(15)),
            deploy_step: Duration::from_secs(20),
            balance: Config::even("/readyz"),
            cache: Mode::Normal,
        };
        Switchboard::new(start, Tick::ZERO)
    }

    fn at_once(terms: Option<Terms>) -> Order {
        Order { look: Look::Pushed, terms }
    }

    fn leased() -> Order {
        at_once(Some(Terms { length: Duration::from_secs(15), drill: None }))
    }

    fn when_due() -> Order {
        Order { look: Look::WhenDue, terms: None }
    }

    fn names(happened: &[Happened]) -> Vec<&'static str> {
        happened.iter().map(|(name, _)| *name).collect()
    }

    #[test]
    fn a_change_without_push_reaches_a_and_then_b() {
        let mut board = board();
        board.change(ON, at_once(None), Tick::ZERO);
        let (lease, happened) = board.change(OFF, when_due(), Tick::from_secs(1));
        assert_eq!((lease, names(&happened)), (None, vec!["flag"]));
        assert!(board.tick(Tick::from_millis(4_999)).is_empty());
        let happened = board.tick(Tick::from_secs(5));
        assert_eq!(happened[0].1["backend"], "a");
        assert!(board.is_serving(), "b still acts on it");
        assert_eq!(board.tick(Tick::from_secs(15))[0].1["backend"], "b");
        assert!(!board.is_serving());
    }

    #[test]
    fn an_expired_lease_sets_the_flag_back_and_pushes() {
        let mut board = board();
        let (lease, _) = board.change(ON, leased(), Tick::ZERO);
        assert_eq!((lease, board.is_serving()), (Some(1), true));
        board.renew(1, None, Tick::from_secs(10)).unwrap();
        board.tick(Tick::from_secs(24));
        assert!(board.is_serving());
        let happened = board.tick(Tick::from_secs(25));
        assert_eq!(names(&happened), ["lease", "flag", "serving", "serving"]);
        assert_eq!(happened[1].1["by"], "lease");
        assert!(!board.is_serving() && board.leases().next().is_none());
    }

    #[test]
    fn a_change_by_hand_ends_the_lease_and_is_not_set_back() {
        let mut board = board();
        board.change(ON, leased(), Tick::ZERO);
        board.change(OFF, when_due(), Tick::from_secs(3));
        assert_eq!(board.renew(1, None, Tick::from_secs(4)), Err(Some(Closed::Undone)));
        board.change(ON, at_once(None), Tick::from_secs(4));
        board.tick(Tick::from_secs(60));
        assert!(board.is_serving(), "the later change is somebody else's");
    }

    #[test]
    fn leases_on_different_things_do_not_touch_each_other() {
        let mut board = board();
        let limits = Limits { global: Some(50), ..Limits::default() };
        board.change(Wanted::Limits(limits.clone()), leased(), Tick::ZERO);
        board.change(ON, at_once(None), Tick::from_secs(1));
        assert_eq!((board.limits(), board.leases().count()), (&limits, 1));
        board.tick(Tick::from_secs(15));
        assert_eq!((board.limits(), board.is_serving()), (&Limits::default(), true));
    }

    #[test]
    fn the_end_of_a_lease_takes_a_release_back_at_once() {
        let mut board = board();
        let canary = Rollout { release: Release::R42, share_pct: 10, before: Release::R41 };
        board.change(Wanted::Release(canary), leased(), Tick::ZERO);
        board.renew(1, None, Tick::from_secs(14)).unwrap();
        board.tick(Tick::from_secs(20));
        assert_eq!((board.rolling().serving(0), board.rolling().serving(1)), (canary, Rollout::default()));
        board.tick(Tick::from_secs(29));
        assert_eq!(board.rolling().settled(), Some(Rollout::default()));
    }

    #[test]
    fn going_back_to_a_configuration_finds_the_one_before_it() {
        let mut board = board();
        let all_on_a = |number| Config { number, weights: Weights { a: 1, b: 0, dr: 0 }, ..Config::even("/") };
        board.change(Wanted::Balance(all_on_a(18)), at_once(None), Tick::ZERO);
        assert_eq!((board.next_config(), board.config_before().unwrap().number), (19, 17));
        let before = board.config_before().unwrap();
        board.change(Wanted::Balance(before), at_once(None), Tick::ZERO);
        assert_eq!((board.balance().number, board.config_before()), (17, None));
        assert_eq!(board.next_config(), 18, "what was given up is numbered anew");
    }
}
