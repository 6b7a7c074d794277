//! Changes of what the shop is set to: flags, releases, the balancer's configuration, limits, the cache's mode.
//!
//! Each may come with `X-Squall-Lease`; the answer then names the lease. What cannot be taken back is in `moves`.

use hyper::StatusCode;
use hyper::header::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{bad, state, terms};
use crate::staging::cache::Mode;
use crate::staging::flags::{Look, Setting};
use crate::staging::gateway::balance::ConfigChange;
use crate::staging::guardrail::Guardrail;
use crate::staging::inside::Inside;
use crate::staging::limiter::Limits;
use crate::staging::releases::{Release, Rollout};
use crate::staging::serve::{Reply, json_reply, read_json};
use crate::staging::switchboard::{Order, Switchboard, Wanted, Writes, lease_name};

/// What a lever gives: an answer, or the refusal to send instead.
pub(super) type Answered = Result<Reply, Box<Reply>>;

/// Body of `PUT /admin/flags/{f}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FlagChange {
    enabled: bool,
    rollout_pct: Option<u8>,
    #[serde(default)]
    push: bool,
}

/// Body of `POST /admin/deploy`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deploy {
    release: Release,
    #[serde(default = "everybody")]
    share_pct: u8,
}

fn everybody() -> u8 {
    100
}

/// Body of `POST /admin/rollback`; without a name, to what served before.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rollback {
    to: Option<Release>,
}

/// Body of `PUT /admin/cache`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CacheChange {
    mode: Mode,
}

/// Body of `PUT /admin/db/writes`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WritesChange {
    read_only: bool,
}

/// A request to a lever.
#[derive(Clone, Copy)]
pub(super) struct Pull<'a> {
    pub(super) inside: &'a Inside,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

impl Pull<'_> {
    /// Carries out what `change` makes of the switchboard, and answers with what `shown` says afterwards.
    fn change(
        self,
        change: impl FnOnce(&Switchboard) -> Result<(Wanted, Look), Box<Reply>>,
        shown: impl FnOnce(&Inside) -> Value,
    ) -> Answered {
        let terms = terms(self.headers)?;
        let now = self.inside.now();
        let mut board = self.inside.board();
        let (wanted, look) = change(&board)?;
        let (lease, happened) = board.change(wanted, Order { look, terms }, now);
        drop(board);
        self.inside.note(happened, now);
        let mut data = shown(self.inside);
        if let Some(id) = lease {
            data["lease"] = json!(lease_name(id));
        }
        Ok(json_reply(StatusCode::OK, &data))
    }
}

fn wrong(reason: &str) -> Box<Reply> {
    Box::new(bad(reason))
}

/// `PUT /admin/flags/smart_cart`.
pub(super) fn flag(pull: Pull<'_>) -> Answered {
    let asked: FlagChange = read_json(pull.body)?;
    let change = |board: &Switchboard| {
        let rollout_pct = asked.rollout_pct.unwrap_or(board.flag().rollout_pct);
        if rollout_pct > 100 {
            return Err(wrong("`rollout_pct` is 0 to 100"));
        }
        let look = if asked.push { Look::Pushed } else { Look::WhenDue };
        Ok((Wanted::Flag(Setting { enabled: asked.enabled, rollout_pct }), look))
    };
    pull.change(change, state::flag)
}

/// `POST /admin/deploy`: rolls a release out, backend by backend, to a share of the requests.
pub(super) fn deploy(pull: Pull<'_>) -> Answered {
    let Deploy { release, share_pct } = read_json(pull.body)?;
    if !(1..=100).contains(&share_pct) {
        return Err(wrong("`share_pct` is 1 to 100"));
    }
    let change = |board: &Switchboard| {
        let before = board.release().rest();
        Ok((Wanted::Release(Rollout { release, share_pct, before }), Look::WhenDue))
    };
    pull.change(change, state::release)
}

/// `POST /admin/rollback`: one release for everybody, backend by backend.
pub(super) fn rollback(pull: Pull<'_>) -> Answered {
    let Rollback { to } = read_json(pull.body)?;
    let change = |board: &Switchboard| {
        let release = to.unwrap_or(board.release().before);
        Ok((Wanted::Release(Rollout::whole(release)), Look::WhenDue))
    };
    pull.change(change, state::release)
}

/// `PUT /admin/lb/config`: the next configuration of the balancer.
pub(super) fn balance(pull: Pull<'_>) -> Answered {
    let asked: ConfigChange = read_json(pull.body)?;
    let change = |board: &Switchboard| {
        let config = asked.after(board.balance(), board.next_config()).map_err(|reason| wrong(&reason))?;
        Ok((Wanted::Balance(config), Look::WhenDue))
    };
    pull.change(change, state::balance)
}

/// `POST /admin/lb/revert`: the configuration before the one in force.
pub(super) fn revert_balance(pull: Pull<'_>) -> Answered {
    let change = |board: &Switchboard| {
        let none = || wrong("there is no earlier configuration to go back to");
        Ok((Wanted::Balance(board.config_before().ok_or_else(none)?), Look::WhenDue))
    };
    pull.change(change, state::balance)
}

/// `PUT /admin/ratelimit`: the rates that may pass; what is absent is without limit.
pub(super) fn limits(pull: Pull<'_>) -> Answered {
    let limits: Limits = read_json(pull.body)?;
    if let Some(mistake) = limits.mistake() {
        return Err(wrong(&mistake));
    }
    pull.change(|_| Ok((Wanted::Limits(limits), Look::WhenDue)), state::limits)
}

/// `PUT /admin/cache`: how the cache is used.
pub(super) fn cache(pull: Pull<'_>) -> Answered {
    let CacheChange { mode } = read_json(pull.body)?;
    pull.change(|_| Ok((Wanted::Cache(mode), Look::WhenDue)), state::cache)
}

/// `PUT /admin/guardrail`: what is done about dangerous statements.
pub(super) fn guardrail(pull: Pull<'_>) -> Answered {
    let guardrail: Guardrail = read_json(pull.body)?;
    pull.change(|_| Ok((Wanted::Guardrail(guardrail), Look::WhenDue)), state::guardrail)
}

/// `PUT /admin/db/writes`: whether customers may change anything.
pub(super) fn writes(pull: Pull<'_>) -> Answered {
    let WritesChange { read_only } = read_json(pull.body)?;
    let writes = if read_only { Writes::Refused } else { Writes::Open };
    pull.change(|_| Ok((Wanted::Writes(writes), Look::WhenDue)), state::database)
}
