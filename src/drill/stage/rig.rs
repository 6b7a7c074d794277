//! The rig: starts the system that is shaken, piece by piece, and ends it in reverse order.
//!
//! ```text
//! shop:   database ─► proxy "db" (+4 ms on the way back) ─► shop ─► pages to the sandbox        all on free loopback ports
//! remote: nothing is started; its two addresses are pinned
//! ```
//! Not here: whether the system agrees to be shaken (`handshake`). Called by the stage.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::stack::{Ground, RigError, Stack, fresh_token};
use crate::base::clock::Clock;
use crate::base::secret::Secret;
use crate::base::seed::Seed;
use crate::drill::lever::http::{Endpoint, Vouch};
use crate::fault::Proxies;
use crate::measure::journal::{Undo, UndoProbe};
use crate::plan::drill::{Lever, Proof, ShopData, System, Technical};
use crate::staging::settings::{Data, Paces, Settings};

/// What a rig is started with.
pub(super) struct Needs<'a> {
    pub(super) clock: &'a Clock,
    pub(super) seed: Seed,
    /// The run's folder.
    pub(super) dir: &'a Path,
    /// Where the shop sends its pages.
    pub(super) pages_url: &'a str,
    pub(super) vouch: &'a Arc<Vouch>,
}

/// A system, up.
#[derive(Debug)]
pub(super) struct Rig {
    /// Where users go.
    pub(super) public: Endpoint,
    /// Where levers are.
    pub(super) admin: Endpoint,
    pub(super) proxies: Option<Proxies>,
    /// Environment variable with the admin token of a system that outlives us; `None` when it ends with us.
    outlives: Option<String>,
    stack: Option<Stack>,
}

impl Rig {
    pub(super) async fn start(system: &System, needs: &Needs<'_>) -> Result<Self, RigError> {
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
            System::Remote { base, admin, token_env } => Self::remote(base, admin, token_env, needs),
        }
    }

    fn remote(base: &str, admin: &str, token_env: &str, needs: &Needs<'_>) -> Result<Self, RigError> {
        let token = if token_env.is_empty() {
            None
        } else {
            let value = std::env::var(token_env).map_err(|_| RigError::NoToken { variable: token_env.to_owned() })?;
            Some(Secret::new(value))
        };
        Ok(Self {
            public: Endpoint::at(base, None, needs.clock, &**needs.vouch)?,
            admin: Endpoint::at(admin, token, needs.clock, &**needs.vouch)?,
            proxies: None,
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
        let ground = Ground { clock: needs.clock, seed: needs.seed, database, vouch: &**needs.vouch };
        let stack = Stack::start(&ground, token.clone(), ours).await?;
        Ok(Self {
            public: Endpoint::new(stack.gateway(), None, needs.clock),
            admin: Endpoint::new(stack.admin(), Some(token), needs.clock),
            proxies: Some(stack.proxies()),
            outlives: None,
            stack: Some(stack),
        })
    }

    /// How `act` is healed when only the journal is left.
    pub(super) fn undo(&self, act: &Technical) -> Undo {
        let (Some(token_env), Some(Lever::Http { method, path, json })) = (&self.outlives, &act.revert) else {
            return Undo::DiesWithProcess;
        };
        let verify = match &act.proof {
            Proof::Probe(probe) => {
                Some(UndoProbe { url: self.admin.url(&probe.get), at: probe.at.clone(), is_not: probe.is.clone() })
            }
            Proof::Touched { .. } => None,
        };
        Undo::Http {
            method: method.clone(),
            url: self.admin.url(path),
            body: json.clone(),
            token_env: token_env.clone(),
            verify,
        }
    }

    /// Ends what was started.
    pub(super) async fn stop(self) {
        if let Some(stack) = self.stack {
            stack.stop().await;
        }
    }
}

/// The staging system's own account of every second.
fn staging_log(dir: &Path) -> PathBuf {
    dir.join("staging.jsonl")
}
