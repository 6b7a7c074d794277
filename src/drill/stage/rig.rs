//! The rig: starts the system that is shaken, piece by piece, and ends it in reverse order.
//!
//! ```text
//! shop:   database ─► proxy "db" (+4 ms on the way back) ─► shop ─► pages to the sandbox        all on free loopback ports
//! remote: its two addresses are pinned; the keeper is started, which opens the proxies between its parts
//! ```
//! Not here: whether the system agrees to be shaken (`handshake`). Called by the stage.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::stack::{Ground, RigError, Stack, fresh_token};
use crate::base::clock::Clock;
use crate::base::secret::Secret;
use crate::base::seed::Seed;
use crate::drill::keeper::{Keeper, Program};
use crate::drill::lever::Paths;
use crate::drill::lever::http::{Endpoint, Vouch};
use crate::fault::Scribe;
use crate::plan::drill::{DrillPlan, Lever, ShopData, System};
use crate::plan::fault::Keep;
use crate::staging::settings::{Data, Paces, Pass, Settings};

/// What a rig is started with.
pub(super) struct Needs<'a> {
    pub(super) clock: &'a Clock,
    pub(super) seed: Seed,
    /// The run's folder.
    pub(super) dir: &'a Path,
    /// Where the shop sends its pages.
    pub(super) pages_url: &'a str,
    pub(super) vouch: &'a Arc<Vouch>,
    /// How a keeper is started.
    pub(super) keeper: Option<&'a Program>,
}

/// A system, up.
#[derive(Debug)]
pub(super) struct Rig {
    /// Where users go.
    pub(super) public: Endpoint,
    /// Where levers are.
    pub(super) admin: Endpoint,
    /// Where its proxies are.
    pub(super) paths: Paths,
    /// Who holds leases and undos beside us.
    pub(super) keeper: Option<Keeper>,
    /// Environment variable with the admin token of a system that outlives us; `None` when it ends with us.
    pub(super) outlives: Option<String>,
    stack: Option<Stack>,
}

impl Rig {
    pub(super) async fn start(plan: &DrillPlan, needs: &Needs<'_>) -> Result<Self, RigError> {
        let mut rig = Self::begin(&plan.system, needs).await?;
        if let Some(program) = needs.keeper.filter(|_| needs_keeper(plan)) {
            let keeper = Keeper::start(program.clone(), needs.dir.to_owned(), needs.clock).await?;
            if matches!(plan.system, System::Remote { .. }) {
                rig.paths = Paths::Kept(keeper.clone());
            }
            rig.keeper = Some(keeper);
        } else if cannot_do_without(plan) {
            return Err(RigError::NoKeeper);
        }
        Ok(rig)
    }

    async fn begin(system: &System, needs: &Needs<'_>) -> Result<Self, RigError> {
        match system {
            System::Shop { data, in_flight, flag_poll, database } => {
                let kind = match data {
                    ShopData::Realistic => Data::Realistic,
                    ShopData::TestLike => Data::TestLike,
                };
                let tune = |settings: Settings| Settings {
                    data: kind,
                    in_flight: *in_flight,
                    paces: Paces { flag_poll: *flag_poll, ..settings.paces },
                    ..settings
                };
                Self::shop(database.as_deref(), tune, needs).await
            }
            System::Remote { base, admin, token_env, .. } => Self::remote((base, admin, token_env), needs),
        }
    }

    fn remote((base, admin, token_env): (&str, &str, &str), needs: &Needs<'_>) -> Result<Self, RigError> {
        let token = if token_env.is_empty() {
            None
        } else {
            let value = std::env::var(token_env).map_err(|_| RigError::NoToken { variable: token_env.to_owned() })?;
            Some(Secret::new(value))
        };
        Ok(Self {
            public: Endpoint::at(base, None, needs.clock, &**needs.vouch)?,
            admin: Endpoint::at(admin, token, needs.clock, &**needs.vouch)?,
            paths: Paths::None,
            keeper: None,
            outlives: Some(token_env.to_owned()),
            stack: None,
        })
    }

    async fn shop(
        database: Option<&str>,
        tune: impl FnOnce(Settings) -> Settings,
        needs: &Needs<'_>,
    ) -> Result<Self, RigError> {
        let token = fresh_token()?;
        let ours = |settings: Settings| Settings {
            alerts_to: Some(needs.pages_url.to_owned()),
            log: Some(staging_log(needs.dir)),
            ..tune(settings)
        };
        let ground =
            Ground { clock: needs.clock, seed: needs.seed, pass: Pass::Standard, database, vouch: &**needs.vouch };
        let stack = Stack::start(&ground, token.clone(), ours).await?;
        Ok(Self {
            public: Endpoint::new(stack.gateway(), None, needs.clock),
            admin: Endpoint::new(stack.admin(), Some(token), needs.clock),
            paths: Paths::Here(stack.proxies()),
            keeper: None,
            outlives: None,
            stack: Some(stack),
        })
    }

    /// Takes the decisions of the drill's faults down in its folder, if it has any. A folder that takes no file costs the ledger, not
    /// the drill.
    pub(super) fn keep_ledger(&self, plan: &DrillPlan, dir: &Path) -> Option<Scribe> {
        let faulty = plan.acts.iter().any(|act| matches!(act.does.apply, Lever::Fault(_)));
        // A keeper's proxies decide in the keeper.
        let Paths::Here(proxies) = &self.paths else { return None };
        if !faulty {
            return None;
        }
        let kept = proxies.keep_ledger(Keep::Hits, &dir.join("decisions.sqd"));
        kept.inspect_err(|error| tracing::error!(%error, "no decision ledger")).ok()
    }

    /// Ends what was started.
    pub(super) async fn stop(self) {
        if let Some(stack) = self.stack {
            stack.stop().await;
        }
    }
}

/// A system of somebody else outlives the drill; so may what levers change.
fn needs_keeper(plan: &DrillPlan) -> bool {
    matches!(plan.system, System::Remote { .. }) || outlived(plan)
}

/// Proxies that must be somewhere, or changes that nothing but a keeper would take back.
fn cannot_do_without(plan: &DrillPlan) -> bool {
    let has_proxies = matches!(&plan.system, System::Remote { proxies, .. } if !proxies.is_empty());
    has_proxies || outlived(plan)
}

fn outlived(plan: &DrillPlan) -> bool {
    let levers = plan.acts.iter().flat_map(|act| [Some(&act.does.apply), act.does.revert.as_ref()]);
    levers.flatten().any(Lever::outlives)
}

/// The staging system's own account of every second.
fn staging_log(dir: &Path) -> PathBuf {
    dir.join("staging.jsonl")
}
