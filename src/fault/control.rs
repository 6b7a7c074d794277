//! Between the registry and the workers: each change is made under a short lock and posted to every worker in that order.
//!
//! Nothing here waits for a socket that carries data; a worker confirms a snapshot after a sweep of its links. Not here:
//! what callers see (`proxies`, `injection`).

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::{Either, join_all, select};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Notify, oneshot};

use super::registry::{Change, Registry, Withdrawal};
use super::wake::Wakes;
use super::worker::Command;
use crate::base::clock::Clock;
use crate::base::seed::Seed;

/// The registry, and the workers that follow it.
#[derive(Debug)]
pub(super) struct Control {
    pub(super) clock: Clock,
    registry: Mutex<Registry>,
    workers: Arc<[UnboundedSender<Command>]>,
    /// A lease was made or moved.
    leases: Notify,
}

/// Confirmations under way.
#[derive(Debug)]
pub(super) struct Posted(Vec<oneshot::Receiver<usize>>);

impl Control {
    pub(super) fn new(clock: Clock, seed: Seed, workers: Arc<[UnboundedSender<Command>]>) -> Self {
        Self { clock, registry: Mutex::new(Registry::new(seed)), workers, leases: Notify::new() }
    }

    /// The registry, for reading and for changes that no worker has to know. Never held across an await.
    pub(super) fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The worker that opens listeners and keeps the leases.
    pub(super) fn first(&self) -> Option<&UnboundedSender<Command>> {
        self.workers.first()
    }

    /// Tells every worker; one that is gone has nothing left to do.
    pub(super) fn tell(&self, command: impl Fn() -> Command) {
        for worker in &*self.workers {
            drop(worker.send(command()));
        }
    }

    /// Changes the registry and posts the snapshots while the lock is held, so that all workers see one order of changes.
    pub(super) fn change<T, E>(
        &self,
        change: impl FnOnce(&mut Registry) -> Result<(T, Vec<Change>), E>,
    ) -> Result<(T, Posted), E> {
        let mut registry = self.registry();
        let (made, changes) = change(&mut registry)?;
        let posted = self.post(&changes);
        drop(registry);
        self.leases.notify_one();
        Ok((made, posted))
    }

    /// [`Control::change`] for a withdrawal, which cannot fail.
    pub(super) fn withdraw(&self, withdraw: impl FnOnce(&mut Registry) -> Withdrawal) -> (Withdrawal, Posted) {
        let mut registry = self.registry();
        let withdrawal = withdraw(&mut registry);
        let posted = self.post(&withdrawal.changes);
        drop(registry);
        (withdrawal, posted)
    }

    /// A lease was moved.
    pub(super) fn renewed(&self) {
        self.leases.notify_one();
    }

    /// Number of workers.
    pub(super) fn size(&self) -> usize {
        self.workers.len()
    }

    /// Tells every worker, and waits until all that live have answered.
    pub(super) async fn ask(&self, command: impl Fn(oneshot::Sender<()>) -> Command) {
        let mut answers = Vec::with_capacity(self.workers.len());
        for worker in &*self.workers {
            let (reply, answer) = oneshot::channel();
            drop(worker.send(command(reply)));
            answers.push(answer);
        }
        join_all(answers).await;
    }

    /// Ends every worker; each answers when its connections are closed, or by dropping its reply.
    pub(super) fn stop(&self, replies: Vec<oneshot::Sender<()>>) {
        for (worker, reply) in self.workers.iter().zip(replies) {
            drop(worker.send(Command::Stop { reply: Some(reply) }));
        }
    }

    fn post(&self, changes: &[Change]) -> Posted {
        let mut replies = Vec::with_capacity(changes.len() * self.workers.len());
        for Change { proxy, snapshot } in changes {
            for worker in &*self.workers {
                let (reply, receiver) = oneshot::channel();
                drop(worker.send(Command::Swap { proxy: Arc::clone(proxy), snapshot: Arc::clone(snapshot), reply }));
                replies.push(receiver);
            }
        }
        Posted(replies)
    }
}

impl Posted {
    /// Waits until every worker has swept its links. Gives the number of connections that still carry a fault which is no
    /// longer in force, and whether every worker answered; one that is gone has taken its connections with it.
    pub(super) async fn confirmed(self) -> Confirmed {
        let answers = join_all(self.0).await;
        Confirmed {
            strays: answers.iter().filter_map(|answer| answer.as_ref().ok()).sum(),
            complete: answers.iter().all(Result::is_ok),
        }
    }
}

/// What the workers answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Confirmed {
    pub(super) strays: usize,
    pub(super) complete: bool,
}

/// Heals every fault when its lease is over. Runs on the first worker.
pub(super) async fn keep_leases(control: Arc<Control>, wakes: Wakes) {
    loop {
        let expiry = control.registry().next_expiry();
        let moved = pin!(control.leases.notified());
        match expiry {
            None => moved.await,
            Some(at) => match select(pin!(wakes.until(at)), moved).await {
                Either::Left(_) | Either::Right(_) => {}
            },
        }
        let now = wakes.clock().now();
        let (withdrawal, _) = control.withdraw(|registry| registry.expire(now));
        for (name, _) in withdrawal.faults {
            tracing::info!(fault = name, "lease over: healed");
        }
    }
}
