//! Undoing a change from its line in the journal, and reading back that it is undone: for the drill itself, its keeper, and
//! `squall recover`, which all do the same.
//!
//! Doing it twice is doing it once. Not here: what is open (`recover`), who holds it (`keeper`), proxies of this process (`fault`).

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::http::{Ask, Endpoint, Vouch};
use super::kube::{self, Object};
use super::probe::{self, Look, Wanted};
use super::{LeverError, READ_BACK, TRIES, command, process, toxiproxy};
use crate::base::clock::Clock;
use crate::base::secret::Secret;
use crate::base::timer::Timer;
use crate::measure::journal::{Undo, UndoProbe};

/// Longest time for one try.
const ONE_TRY: Duration = Duration::from_secs(10);
/// Between two tries, and between two looks.
const PAUSE: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(200);

/// Reads an environment variable.
pub type Variable = dyn Fn(&str) -> Option<Secret> + Send + Sync;

/// What undoing needs from its caller.
#[derive(Clone)]
pub struct UndoEnv {
    /// Limits and pauses.
    pub clock: Clock,
    /// Who may be sent requests.
    pub vouch: Arc<Vouch>,
    /// Where secrets are looked up by the name the journal holds.
    pub variable: Arc<Variable>,
    /// How long a healed state is awaited; [`READ_BACK`] by default.
    pub read_back: Duration,
}

impl UndoEnv {
    /// An environment with the usual patience.
    pub fn new(clock: Clock, vouch: Arc<Vouch>, variable: Arc<Variable>) -> Self {
        Self { clock, vouch, variable, read_back: READ_BACK }
    }
}

impl fmt::Debug for UndoEnv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UndoEnv").field("read_back", &self.read_back).finish_non_exhaustive()
    }
}

/// Carries `undo` out: three tries, 10 s each. In words what was done.
///
/// # Errors
/// Why the last try failed, in words.
pub async fn run(undo: &Undo, env: &UndoEnv) -> Result<String, String> {
    let mut timer = Timer::new(&env.clock).map_err(|error| error.to_string())?;
    let mut tried = 0;
    loop {
        tried += 1;
        let end = env.clock.now() + ONE_TRY;
        let done = {
            let once = pin!(once(undo, env));
            tokio::select! {
                biased;
                done = once => done,
                () = timer.until(end) => Err(format!("no end after {} s", ONE_TRY.as_secs())),
            }
        };
        match done {
            Ok(how) => return Ok(how),
            Err(why) if tried >= TRIES => return Err(format!("{why} (tried {TRIES} times)")),
            Err(_) => timer.until(env.clock.now() + PAUSE).await,
        }
    }
}

async fn once(undo: &Undo, env: &UndoEnv) -> Result<String, String> {
    match undo {
        Undo::DiesWithProcess => Ok("it lived in the drill's own process and ended with it".to_owned()),
        Undo::InKeeper => Ok("it lived in the keeper and ended with it".to_owned()),
        Undo::Http { method, url, body, token_env, timeout_ms, .. } => {
            let (endpoint, path) = endpoint(url, token_env, env)?;
            let usual = Ask::new(method, &path, body);
            let limit = if *timeout_ms == 0 { usual.limit } else { Duration::from_millis(*timeout_ms) };
            let ask = Ask { limit, ..usual };
            endpoint.send(&ask).await.and_then(|answer| answer.accepted(&ask)).map_err(|error| error.to_string())?;
            Ok(format!("set back by {method} {url}"))
        }
        Undo::Process(process) => process::revive(process, &env.clock).await,
        Undo::Command { run, .. } => {
            let program = run.argv.first().cloned().unwrap_or_default();
            command::run(run, &[], env)
                .await
                .map(|_| format!("set back by {program}"))
                .map_err(|error| error.to_string())
        }
        Undo::Toxiproxy { url, proxy, toxic } => toxiproxy::remove((url, proxy, toxic), env).await,
        Undo::Kube { context, namespace, manifest } => kube::delete(Object { context, namespace, manifest }, env).await,
    }
}

/// True when the system shows the undone state by itself already; false when it does not, or nobody can tell.
pub async fn is_undone(undo: &Undo, env: &UndoEnv) -> bool {
    match undo {
        Undo::Http { verify: Some(probe), .. } | Undo::Command { verify: Some(probe), .. } => {
            let Ok((endpoint, path)) = endpoint(&probe.url, &probe.token_env, env) else { return false };
            probe::read(&endpoint, &path, &probe.at).await.is_ok_and(|text| text != probe.is_not)
        }
        _ => false,
    }
}

/// Reads back, for at most `within`, that `undo` took. What was seen, in words.
///
/// # Errors
/// What was seen last, in words.
pub async fn seen(undo: &Undo, within: Duration, env: &UndoEnv) -> Result<String, String> {
    match undo {
        Undo::DiesWithProcess | Undo::InKeeper => Ok("there is nothing left of it".to_owned()),
        Undo::Http { verify, .. } | Undo::Command { verify, .. } => match verify {
            Some(probe) => read_back(probe, within, env).await,
            None => Ok("there is nothing to read back".to_owned()),
        },
        Undo::Process(process) => process::is_revived(process, (&env.clock, within)).await,
        Undo::Toxiproxy { url, proxy, toxic } => {
            again(within, env, async || toxiproxy::is_gone((url, proxy, toxic), env).await).await
        }
        Undo::Kube { context, namespace, manifest } => {
            again(within, env, async || kube::is_gone(Object { context, namespace, manifest }, env).await).await
        }
    }
}

/// Looks again and again, at least once.
async fn again(
    within: Duration,
    env: &UndoEnv,
    look: impl AsyncFn() -> Result<String, String>,
) -> Result<String, String> {
    let mut timer = Timer::new(&env.clock).map_err(|error| error.to_string())?;
    let end = env.clock.now() + within;
    loop {
        let last = look().await;
        let next = env.clock.now() + LOOK;
        if last.is_ok() || next > end {
            return last;
        }
        timer.until(next).await;
    }
}

async fn read_back(probe: &UndoProbe, within: Duration, env: &UndoEnv) -> Result<String, String> {
    let (endpoint, path) = endpoint(&probe.url, &probe.token_env, env)?;
    let look = Look { path: &path, at: &probe.at, wanted: Wanted::IsNot(&probe.is_not) };
    probe::wait_for(&endpoint, look, &env.clock, within).await
}

/// The endpoint of a whole URL with its token, and the path on it.
fn endpoint(url: &str, token_env: &str, env: &UndoEnv) -> Result<(Endpoint, String), String> {
    let token = match token_env {
        "" => None,
        name => Some(
            (env.variable)(name)
                .ok_or_else(|| format!("the environment variable {name} is not set; it holds the admin token"))?,
        ),
    };
    let start = url.find("://").map_or(0, |at| at + 3);
    let slash = url.get(start..).and_then(|rest| rest.find('/')).map_or(url.len(), |at| start + at);
    let (base, path) = url.split_at(slash);
    let path = if path.is_empty() { "/" } else { path };
    let made = Endpoint::at(base, token, &env.clock, &*env.vouch).map_err(|error: LeverError| error.to_string())?;
    Ok((made, path.to_owned()))
}
