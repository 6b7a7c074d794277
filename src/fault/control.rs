//! Between the registry and the workers: each change is made under a short lock and posted to every worker in that order.
//!
//! Nothing here waits for a socket that carries data; a worker confirms a snapshot after a sweep of its links. Not here:
//! what callers see (`proxies`, `injection`).

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use futures::future::{Either, join_all, select};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Notify, oneshot};

use super::FaultError;
use super::registry::{Change, Registry, Withdrawal};
use super::wake::Wakes;
use super::worker::Command;
use crate::base::clock::Clock;
use crate::base::seed::Seed;
use crate::base::timer::Timer;

/// How long an answer waits for the workers.
const PATIENCE: Duration = Duration::from_millis(250);

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
pub(super) struct Posted(Vec<(usize, oneshot::Receiver<usize>)>);

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

    /// All of them.
    pub(super) fn workers(&self) -> &[UnboundedSender<Command>] {
        &self.workers
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
            for (number, worker) in self.workers.iter().enumerate() {
                let (reply, receiver) = oneshot::channel();
                drop(worker.send(Command::Swap { proxy: Arc::clone(proxy), snapshot: Arc::clone(snapshot), reply }));
                replies.push((number, receiver));
            }
        }
        Posted(replies)
    }
}

impl Posted {
    /// Waits until every worker has swept its links, though no longer than [`PATIENCE`]: the snapshots are in force anyway. Gives the
    /// number of connections that still carry a fault which is no longer in force; a worker that is gone has taken its connections
    /// with it.
    pub(super) async fn confirmed(self, clock: &Clock) -> Confirmed {
        let mut asked = self.0;
        let mut heard = Confirmed { strays: 0, complete: true, late: None };
        let limit = clock.now() + PATIENCE;
        let answers = poll_fn(|cx| {
            asked.retain_mut(|(_, reply)| match Pin::new(reply).poll(cx) {
                Poll::Pending => true,
                Poll::Ready(Ok(strays)) => {
                    heard.strays += strays;
                    false
                }
                Poll::Ready(Err(_)) => {
                    heard.complete = false;
                    false
                }
            });
            if asked.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        });
        // Without a timer there is no limit.
        match Timer::new(clock) {
            Ok(mut timer) => match select(pin!(answers), pin!(timer.until(limit))).await {
                Either::Left(_) | Either::Right(_) => {}
            },
            Err(_) => answers.await,
        }
        Confirmed { late: asked.first().map(|(worker, _)| *worker), ..heard }
    }
}

/// What the workers answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Confirmed {
    pub(super) strays: usize,
    /// No worker is gone.
    pub(super) complete: bool,
    /// A worker that has not answered yet.
    pub(super) late: Option<usize>,
}

impl Confirmed {
    /// An error unless all have answered.
    pub(super) fn all(self) -> Result<(), FaultError> {
        match self.late {
            Some(worker) => Err(FaultError::Late { worker }),
            None if self.complete => Ok(()),
            None => Err(FaultError::Stopped),
        }
    }
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

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_worker_that_does_not_answer_is_named_after_a_quarter_of_a_second() {
        let (clock, hand) = Clock::manual();
        let (quick, first) = oneshot::channel();
        let (stuck, second) = oneshot::channel();
        quick.send(0).unwrap();
        let mut waiting = pin!(Posted(vec![(0, first), (1, second)]).confirmed(&clock));
        assert!(waiting.as_mut().now_or_never().is_none());
        hand.advance(Duration::from_millis(249));
        assert!(waiting.as_mut().now_or_never().is_none());
        hand.advance(Duration::from_millis(1));
        let said = waiting.await.all().unwrap_err().to_string();
        assert_eq!(said, "fault worker 1 did not confirm within 250 ms; the change is in force anyway");
        drop(stuck);
    }
}
