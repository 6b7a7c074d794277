//! The right to write: one session at a time, in the order they asked, at most two seconds of waiting.
//!
//! SQLite would let writers race for its lock and poll; a queue is fair, and its limit gives PostgreSQL's `55P03`.
//! Called by `session` before anything that changes the file.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The longest a statement waits for its turn.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug, Default)]
pub(super) struct Writer {
    queue: Mutex<Queue>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    next: u64,
    waiting: VecDeque<u64>,
    taken: bool,
}

impl Writer {
    /// The right to write, or `None` when it did not come within `patience`. Blocks the calling thread.
    pub(super) fn acquire(self: &Arc<Self>, patience: Duration) -> Option<Turn> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let ticket = queue.next;
        queue.next += 1;
        queue.waiting.push_back(ticket);
        let (mut queue, _) = self
            .moved
            .wait_timeout_while(queue, patience, |queue| queue.taken || queue.waiting.front() != Some(&ticket))
            .unwrap_or_else(PoisonError::into_inner);
        let ours = !queue.taken && queue.waiting.front() == Some(&ticket);
        queue.waiting.retain(|waiting| *waiting != ticket);
        queue.taken |= ours;
        drop(queue);
        self.moved.notify_all();
        ours.then(|| Turn(Arc::clone(self)))
    }
}

/// Held while writing; the next in the queue goes on when it is dropped.
#[derive(Debug)]
pub(super) struct Turn(Arc<Writer>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner).taken = false;
        self.0.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread;

    #[test]
    fn the_second_writer_waits_for_the_first_and_gives_up_in_time() {
        let writer = Arc::new(Writer::default());
        let first = writer.acquire(PATIENCE).unwrap();
        assert!(writer.acquire(Duration::from_millis(5)).is_none());
        drop(first);
        assert!(writer.acquire(Duration::ZERO).is_some());
    }

    #[test]
    fn writers_go_in_the_order_they_asked() {
        let writer = Arc::new(Writer::default());
        let first = writer.acquire(PATIENCE).unwrap();
        let (said, order) = mpsc::channel();
        let threads: Vec<_> = (0..4)
            .map(|n| {
                let (writer_n, said) = (Arc::clone(&writer), said.clone());
                let thread = thread::spawn(move || {
                    let turn = writer_n.acquire(PATIENCE);
                    said.send((n, turn.is_some())).unwrap();
                });
                // The next one may ask only when this one is in the queue.
                while writer.queue.lock().unwrap().waiting.len() <= n {
                    thread::yield_now();
                }
                thread
            })
            .collect();
        drop(first);
        for thread in threads {
            thread.join().unwrap();
        }
        drop(said);
        assert_eq!(order.iter().collect::<Vec<_>>(), [(0, true), (1, true), (2, true), (3, true)]);
    }
}
