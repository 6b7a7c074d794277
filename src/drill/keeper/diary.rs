//! What a keeper did by itself: written to a journal of its own at once, and to the run's journal once its writer is gone.
//!
//! A controller that was stopped still holds the run's journal; nothing that heals waits for that. Not here: what is done (`serve`).

use std::path::Path;
use std::time::Duration;

use super::{JOURNAL, KeeperError};
use crate::base::clock::Clock;
use crate::base::timer::Timer;
use crate::measure::journal::{Contents, Event, Journal, JournalError, Source};

/// Longest time until the controller's hold on the journal is gone.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(50);

/// The lines, and where they go.
#[derive(Debug)]
pub(super) struct Diary {
    journal: Journal,
    told: Vec<Event>,
}

impl Diary {
    /// Begins, or goes on with what a keeper before this one wrote.
    pub(super) fn open(dir: &Path, clock: &Clock) -> Result<Self, KeeperError> {
        let path = dir.join(JOURNAL);
        let journal = if path.exists() { Journal::reopen(&path, clock)?.0 } else { Journal::create(&path, clock)? };
        Ok(Self { journal, told: Vec::new() })
    }

    /// Writes a line. That it cannot be written stops no healing.
    pub(super) fn note(&mut self, event: Event) {
        if let Err(error) = self.journal.append(Source::Keeper, "", event.clone()) {
            tracing::error!(%error, "the keeper's journal");
        }
        self.told.push(event);
    }

    /// Adds the lines to the run's journal and closes it, if its writer has not.
    pub(super) async fn hand_over(&mut self, dir: &Path, clock: &Clock) {
        let path = dir.join("journal.jsonl");
        let Ok(mut timer) = Timer::new(clock) else { return };
        let end = clock.now() + PATIENCE;
        loop {
            match Journal::reopen(&path, clock) {
                Ok((mut journal, contents)) => {
                    if let Err(error) = self.add_to(&mut journal, &contents) {
                        tracing::error!(%error, "the run's journal");
                    }
                    return;
                }
                Err(error) if clock.now() >= end => {
                    tracing::error!(%error, "the run's journal; what was done stands in the keeper's own");
                    return;
                }
                Err(_) => timer.until(clock.now() + LOOK).await,
            }
        }
    }

    fn add_to(&mut self, journal: &mut Journal, contents: &Contents) -> Result<(), JournalError> {
        let closed = contents.lines.iter().any(|line| matches!(line.event, Event::End { .. }));
        let reason = "aborted: the controller is gone; its keeper healed what was in force".to_owned();
        let last = (!closed).then_some(Event::End { reason });
        for event in self.told.drain(..).chain(last) {
            journal.append(Source::Keeper, "", event)?;
        }
        Ok(())
    }
}
