//! The controller's end: starts the keeper, asks it, and knows at once when it is gone.
//!
//! Not here: what the keeper does (`serve`). Called by the stage and the levers.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::KeeperError;
use super::link::{Link, held};
use super::message::{Reply, Request};
use crate::base::clock::Clock;
use crate::base::timer::Timer;
use crate::measure::journal::Undo;

/// Longest time for an answer; healing a fault takes the workers' confirmation.
const ANSWERS: Duration = Duration::from_secs(5);

/// How a keeper is started: the run's folder is appended.
#[derive(Clone, Debug)]
pub struct Program {
    /// The program.
    pub path: PathBuf,
    /// Its arguments up to the folder.
    pub args: Vec<String>,
}

/// A keeper under way; clones are the same one.
#[derive(Clone, Debug)]
pub struct Keeper(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    program: Program,
    dir: PathBuf,
    clock: Clock,
    link: Mutex<Arc<Link>>,
    /// Addresses of the proxies: kept when a keeper is started in the place of another.
    proxies: Mutex<Vec<(String, String)>>,
}

/// What came of a renewal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The lease goes on.
    Renewed,
    /// It is over; why.
    Over(String),
    /// The keeper could not be asked.
    Unasked(String),
}

/// A change that the keeper holds under lease. Dropped without [`Hold::release`], it is undone by the keeper.
#[derive(Debug)]
#[must_use = "a change that nobody holds is undone by the keeper at once"]
pub struct Hold {
    keeper: Keeper,
    id: String,
    generation: u64,
    done: bool,
}

impl Hold {
    /// Lets go of a change that was undone and read back.
    pub async fn release(mut self) {
        self.done = true;
        // A keeper that is gone holds nothing any more.
        drop(self.keeper.ask(Request::Release { id: self.id.clone() }).await);
    }

    /// The keeper has ended it already.
    pub fn forget(mut self) {
        self.done = true;
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if !self.done {
            let link = self.keeper.link();
            link.tell(Request::Drop { id: self.id.clone() });
        }
    }
}

impl Keeper {
    /// Starts a keeper for the run in `dir`, whose journal has begun, and waits until its proxies listen.
    ///
    /// # Errors
    /// It does not start, or cannot open a proxy.
    pub async fn start(program: Program, dir: PathBuf, clock: &Clock) -> Result<Self, KeeperError> {
        let link = Link::start(&program, &dir)?;
        let keeper = Self(Arc::new(Inner {
            program,
            dir,
            clock: clock.clone(),
            link: Mutex::new(Arc::new(link)),
            proxies: Mutex::default(),
        }));
        keeper.open().await?;
        Ok(keeper)
    }

    /// Starts another one in the place of one that is gone: the same proxies, no fault, nothing held.
    ///
    /// # Errors
    /// As [`Keeper::start`].
    pub async fn restart(&self) -> Result<(), KeeperError> {
        let link = Link::start(&self.0.program, &self.0.dir)?;
        *held(&self.0.link) = Arc::new(link);
        self.open().await
    }

    async fn open(&self) -> Result<(), KeeperError> {
        let listens = held(&self.0.proxies).clone();
        match self.ask(Request::Open { listens }).await? {
            Reply::Opened { proxies } => {
                *held(&self.0.proxies) = proxies;
                Ok(())
            }
            Reply::Failed { why } => Err(KeeperError::Refused(why)),
            other => Err(KeeperError::Strange(format!("{other:?}"))),
        }
    }

    fn link(&self) -> Arc<Link> {
        Arc::clone(&held(&self.0.link))
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.link().pid
    }

    /// Names and addresses of its proxies.
    pub fn proxies(&self) -> Vec<(String, String)> {
        held(&self.0.proxies).clone()
    }

    /// Returns when the keeper that runs now is gone. Cancel-safe.
    pub async fn gone(&self) {
        let mut gone = self.link().gone.clone();
        // A sender that is dropped is a stream that has ended.
        drop(gone.wait_for(|gone| *gone).await);
    }

    async fn ask(&self, request: Request) -> Result<Reply, KeeperError> {
        let link = self.link();
        let mut timer = Timer::new(&self.0.clock).map_err(KeeperError::Start)?;
        let answer = link.ask(request);
        tokio::select! {
            biased;
            reply = answer => reply.map_err(|_| KeeperError::Gone),
            () = timer.until(self.0.clock.now() + ANSWERS) => Err(KeeperError::Silent { limit_s: ANSWERS.as_secs() }),
        }
    }

    /// Hands over the undo of a change that is about to be made.
    ///
    /// # Errors
    /// The keeper is gone or does not answer: the change must not be made.
    pub async fn hold(&self, id: &str, undo: Undo, lease: Duration) -> Result<Hold, KeeperError> {
        let request = Request::Hold { id: id.to_owned(), undo, lease_ms: millis(lease) };
        self.holding(id, request).await
    }

    /// Puts the fault of act `id` in force.
    ///
    /// # Errors
    /// The keeper is gone, does not answer, or its proxies refuse.
    pub async fn inject(&self, id: &str, lease: Duration) -> Result<Hold, KeeperError> {
        self.holding(id, Request::Inject { id: id.to_owned(), lease_ms: millis(lease) }).await
    }

    async fn holding(&self, id: &str, request: Request) -> Result<Hold, KeeperError> {
        match self.ask(request).await? {
            Reply::Held { generation } => Ok(Hold { keeper: self.clone(), id: id.to_owned(), generation, done: false }),
            Reply::Failed { why } => Err(KeeperError::Refused(why)),
            other => Err(KeeperError::Strange(format!("{other:?}"))),
        }
    }

    /// Renews the lease of `hold` for `lease`.
    pub async fn renew(&self, hold: &Hold, lease: Duration) -> Answer {
        let (id, generation) = (hold.id.clone(), hold.generation);
        match self.ask(Request::Renew { id, lease_ms: millis(lease), generation }).await {
            Ok(Reply::Done) => Answer::Renewed,
            Ok(Reply::Over { why } | Reply::Failed { why }) => Answer::Over(why),
            Ok(other) => Answer::Unasked(format!("{other:?}")),
            Err(error) => Answer::Unasked(error.to_string()),
        }
    }

    /// We undo `hold` ourselves now; the keeper stands by.
    pub async fn healing(&self, hold: &Hold) {
        drop(self.ask(Request::Healing { id: hold.id.clone() }).await);
    }

    /// Ends the fault of act `id`; whether every worker confirmed. One that a keeper took along is gone.
    ///
    /// # Errors
    /// The keeper does not answer.
    pub async fn heal(&self, id: &str) -> Result<bool, KeeperError> {
        match self.ask(Request::Heal { id: id.to_owned() }).await {
            Ok(Reply::Healed { verified }) => Ok(verified),
            Ok(Reply::Failed { why }) => Err(KeeperError::Refused(why)),
            Ok(other) => Err(KeeperError::Strange(format!("{other:?}"))),
            Err(KeeperError::Gone) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// How many connections the fault of act `id` has touched.
    ///
    /// # Errors
    /// The keeper is gone or does not answer.
    pub async fn touched(&self, id: &str) -> Result<u64, KeeperError> {
        match self.ask(Request::Touched { id: id.to_owned() }).await? {
            Reply::Touched { connections } => Ok(connections),
            other => Err(KeeperError::Strange(format!("{other:?}"))),
        }
    }

    /// The run is over and nothing is left in force: the keeper ends. Returns when it has.
    pub async fn farewell(&self) {
        drop(self.ask(Request::Farewell).await);
        self.leave().await;
    }

    /// Lets go of the stream without a farewell: the keeper undoes what it holds, and goes on with that after we have ended.
    pub fn abandon(&self) {
        held(&self.link().out).take();
    }

    async fn leave(&self) {
        let child = held(&self.link().child).take();
        let (Some(mut child), Ok(mut timer)) = (child, Timer::new(&self.0.clock)) else { return };
        tokio::select! {
            biased;
            ended = child.wait() => drop(ended),
            () = timer.until(self.0.clock.now() + ANSWERS) => {}
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
