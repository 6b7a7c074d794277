//! Pulling: what must be known before (the undo), the change itself, and the proof that it touched something.
//!
//! Not here: renewing and undoing (`heal`).

use std::path::PathBuf;
use std::time::Duration;

use super::http::Ask;
use super::kube::{self, Object};
use super::probe::{self, Look, Wanted};
use super::{Held, LeverError, Levers, command, process, toxiproxy};
use crate::measure::journal::{Undo, UndoProbe};
use crate::plan::drill::{Act, HttpRequest, Kube, Lever, Probe, Proof, Technical};

/// What an act is put in force with.
#[derive(Clone, Copy, Debug)]
struct Pull<'a> {
    act: &'a Act,
    lease: Duration,
}

impl Levers {
    /// What must be in the journal before act number `n` is put in force: how it is undone. Processes are picked here, once.
    ///
    /// # Errors
    /// A process that is not there or may not be touched, or a file that cannot be written: nothing was done.
    pub fn prepare(&self, n: usize, act: &Act) -> Result<Undo, LeverError> {
        let undo = self.undo_of(act)?;
        // Nobody else holds an act that was not begun.
        if let Some(mut held) = self.held.get(n).and_then(|slot| slot.try_lock().ok()) {
            *held = Held { undo: Some(undo.clone()), ..Held::default() };
        }
        Ok(undo)
    }

    fn undo_of(&self, act: &Act) -> Result<Undo, LeverError> {
        let ground = &self.ground;
        Ok(match &act.does.apply {
            Lever::Fault(_) if ground.keeper.is_some() => Undo::InKeeper,
            Lever::Fault(_) | Lever::Load(_) => Undo::DiesWithProcess,
            Lever::Process(process) => {
                let keeper = ground.keeper.as_ref().map(super::Keeper::pid);
                Undo::Process(process::pick(process, keeper)?)
            }
            Lever::Toxiproxy(toxic) => {
                Undo::Toxiproxy { url: toxic.url.clone(), proxy: toxic.proxy.clone(), toxic: toxic.name.clone() }
            }
            Lever::Kube(kube) => {
                let path = self.manifest(act);
                kube::keep(&path, &kube.text)?;
                Undo::Kube {
                    context: kube.context.clone(),
                    namespace: kube.namespace.clone(),
                    manifest: path.display().to_string(),
                }
            }
            Lever::Http(_) | Lever::Command(_) => self.reverting(&act.does),
        })
    }

    /// Where the manifest of an act lies in the run's folder; the whole path, for whoever finds it in the journal.
    fn manifest(&self, act: &Act) -> PathBuf {
        let dir = &self.ground.dir;
        dir.canonicalize().unwrap_or_else(|_| dir.clone()).join(format!("{}.manifest.yaml", act.name))
    }

    fn reverting(&self, does: &Technical) -> Undo {
        let (admin, outlives) = (&self.ground.admin, &self.ground.outlives);
        let verify = match (&does.proof, outlives) {
            (Proof::Probe(probe), Some(token_env)) => Some(UndoProbe {
                url: admin.url(&probe.get),
                at: probe.at.clone(),
                is_not: probe.is.clone(),
                token_env: token_env.clone(),
            }),
            _ => None,
        };
        match (&does.revert, outlives) {
            (Some(Lever::Command(command)), _) => Undo::Command { run: command::written(command), verify },
            (Some(Lever::Http(http)), _) if http.base.is_some() => Undo::Http {
                method: http.method.clone(),
                url: http.elsewhere().unwrap_or_default(),
                body: http.json.clone(),
                token_env: String::new(),
                verify,
                timeout_ms: millis(http.timeout),
            },
            (Some(Lever::Http(http)), Some(token_env)) => Undo::Http {
                method: http.method.clone(),
                url: admin.url(&http.path),
                body: http.json.clone(),
                token_env: token_env.clone(),
                verify,
                timeout_ms: millis(http.timeout),
            },
            // `check` refuses an act without a revert.
            _ => Undo::DiesWithProcess,
        }
    }

    /// Puts act number `n` in force.
    ///
    /// # Errors
    /// When it was refused, or nobody knows whether it took.
    pub async fn apply(&self, n: usize, act: &Act) -> Result<(), LeverError> {
        let Some(slot) = self.held.get(n) else { return Ok(()) };
        let mut held = slot.lock().await;
        if held.undo.is_none() {
            held.undo = Some(self.undo_of(act)?);
        }
        let lease = act.does.lease;
        let pull = Pull { act, lease };
        if let (Some(keeper), Some(undo)) = (&self.ground.keeper, &held.undo)
            && !matches!(undo, Undo::DiesWithProcess | Undo::InKeeper)
        {
            held.hold = Some(keeper.hold(&act.name, undo.clone(), lease).await?);
        }
        held.until = self.clock().now() + lease;
        match &act.does.apply {
            Lever::Http(http) => self.request(&mut held, pull, http).await,
            Lever::Fault(fault) => {
                held.guard = Some(self.ground.paths.inject(fault, lease).await?);
                Ok(())
            }
            Lever::Process(process) => {
                let Some(Undo::Process(picked)) = &held.undo else { return Ok(()) };
                held.touched = process::apply(process, picked, self.clock()).await?;
                Ok(())
            }
            Lever::Command(command) => {
                let output = command::run(&command::written(command), &[], &self.ground.undo).await?;
                command::keep(&self.ground.dir, &act.name, &output);
                held.touched = 1;
                Ok(())
            }
            Lever::Toxiproxy(toxic) => {
                held.touched = toxiproxy::apply(toxic, &self.ground.undo).await?;
                Ok(())
            }
            Lever::Kube(kube) => {
                held.touched = self.make(act, kube).await?;
                Ok(())
            }
            Lever::Load(surge) => {
                let traffic = self.ground.surge.as_ref().ok_or(LeverError::NoTraffic)?;
                traffic.begin(surge.times, surge.lasts.map(|lasts| self.clock().now() + lasts));
                Ok(())
            }
        }
    }

    async fn make(&self, act: &Act, kube: &Kube) -> Result<u64, LeverError> {
        let path = self.manifest(act).display().to_string();
        kube::apply(Object { context: &kube.context, namespace: &kube.namespace, manifest: &path }, &self.ground.undo)
            .await
    }

    async fn request(&self, held: &mut Held, pull: Pull<'_>, http: &HttpRequest) -> Result<(), LeverError> {
        let terms = format!("{}ms; drill={}", pull.lease.as_millis(), self.ground.drill);
        let lease = if http.base.is_none() { terms.as_str() } else { "" };
        let ask = Ask { lease, limit: http.timeout, ..Ask::new(&http.method, &http.path, &http.json) };
        let answer = match &http.base {
            None => self.ground.admin.send(&ask).await?.accepted(&ask)?,
            Some(base) => {
                let env = &self.ground.undo;
                let other = super::Endpoint::at(base, None, &env.clock, &*env.vouch)?;
                other.send(&ask).await?.accepted(&ask)?
            }
        };
        held.lease = answer.json().get("lease").and_then(|name| name.as_str()).map(str::to_owned);
        held.until = self.clock().now() + pull.lease;
        if held.lease.is_some() || held.hold.is_some() {
            return Ok(());
        }
        // Neither the system nor a keeper would take it back.
        self.undo(held, &pull.act.does)
            .await
            .map_err(|_| LeverError::NoLease { url: self.ground.admin.url(&http.path) })?;
        Err(LeverError::NoLease { url: self.ground.admin.url(&http.path) })
    }

    /// Seeks the proof that act number `n` touched something. In words, when it was seen in time.
    ///
    /// # Errors
    /// What was seen instead, in words.
    pub async fn prove(&self, n: usize, act: &Act) -> Result<String, String> {
        match (&act.does.proof, &act.does.apply) {
            (Proof::Probe(probe), _) => self.wait_for(probe).await,
            (Proof::Touched { at_least, within }, Lever::Fault(fault)) => {
                self.ground.paths.wait_touched(&fault.name, *at_least, (self.clock(), *within)).await
            }
            (Proof::Touched { at_least, within }, Lever::Load(_)) => {
                let Some(surge) = &self.ground.surge else { return Err("there is no traffic".to_owned()) };
                super::heal::wait_begun(surge, *at_least, (self.clock(), *within)).await
            }
            (Proof::Touched { at_least, .. }, lever) => {
                let touched = match self.held.get(n) {
                    Some(slot) => slot.lock().await.touched,
                    None => 0,
                };
                let words = format!("{touched} touched, at least {at_least} wanted: {}", lever.words());
                if touched >= *at_least { Ok(words) } else { Err(words) }
            }
        }
    }

    /// Waits for the text a probe wants. What was seen, in words.
    ///
    /// # Errors
    /// What was seen last, in words.
    pub async fn wait_for(&self, probe: &Probe) -> Result<String, String> {
        let look = Look { path: &probe.get, at: &probe.at, wanted: Wanted::Is(&probe.is) };
        probe::wait_for(&self.ground.admin, look, self.clock(), probe.within).await
    }

    /// Carries out a mitigation; without a lease, because it is meant to stay.
    ///
    /// # Errors
    /// When it was refused or not answered.
    pub async fn perform(&self, lever: &Lever) -> Result<(), LeverError> {
        let env = &self.ground.undo;
        match lever {
            Lever::Http(http) => {
                let ask = Ask { limit: http.timeout, ..Ask::new(&http.method, &http.path, &http.json) };
                let answer = match &http.base {
                    None => self.ground.admin.send(&ask).await?,
                    Some(base) => super::Endpoint::at(base, None, &env.clock, &*env.vouch)?.send(&ask).await?,
                };
                answer.accepted(&ask).map(drop)
            }
            Lever::Command(command) => command::run(&command::written(command), &[], env).await.map(drop),
            other => Err(LeverError::Command { program: other.words(), why: "no mitigation does that".to_owned() }),
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
