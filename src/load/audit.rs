//! Reads acknowledged writes back when the load is over, at a rate of its own and within the time of teardown.
//!
//! What it asks is part of no series. A book that is too long for the time is read in even steps, and the count says so. Not
//! here: what was lost (`measure::ledger`), what follows (`judge`).

use std::cell::Cell;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream;

use super::client::answer::{Answer, Keep};
use super::client::request::Mould;
use super::client::{Client, Errand, Seat};
use super::pace::{Limits, Pace};
use super::step::Script;
use super::step::extract::{Reading, Source};
use super::{LoadError, secrets};
use crate::base::clock::{Clock, Tick};
use crate::base::digest::sha256;
use crate::base::shard::Shard;
use crate::base::timer::Timer;
use crate::measure::ledger::{self, Books, Entry, Fate, Found};
use crate::measure::record::RecordError;
use crate::plan::audit::Audit;
use crate::plan::load::{Connections, LoadPlan};
use crate::plan::program::{From, Http};
use crate::plan::template::VarId;

/// Longest time of a teardown.
const TEARDOWN: Duration = Duration::from_secs(30);
/// Reads under way at once at most, and as many connections.
const AT_ONCE: usize = 32;

/// Reads every book of `plan` that lies in `folder` and is to be audited; by name what each came to.
///
/// # Errors
/// When a book cannot be read or written, or the system has no timer left.
pub async fn audit(
    plan: &Arc<LoadPlan>,
    folder: &Path,
    clock: &Clock,
) -> Result<Vec<(String, ledger::Audit)>, LoadError> {
    let books = &plan.books;
    if books.audits.is_empty() {
        return Ok(Vec::new());
    }
    let mut script = Script::new(Arc::clone(plan))?;
    script.given = secrets::reveal(plan)?;
    let timer = Timer::new(clock).map_err(|source| LoadError::System { what: "timer", source })?;
    let pace = Rc::new(Pace::new(clock.clone()));
    let reader = Reader {
        client: Client::new(&script, Connections::Shared { max: AT_ONCE }, Shard::WHOLE),
        given: given(&script),
        plan: Arc::clone(plan),
        cut: Cell::new(clock.now() + TEARDOWN),
        pace: Rc::clone(&pace),
    };
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let driver = tokio::task::spawn_local(async move { pace.drive(timer).await });
            let mut found = Vec::new();
            for audit in &books.audits {
                let name = books.names.get(usize::from(audit.book)).cloned().unwrap_or_default();
                let compared = reader.book(folder, &name, audit).await?;
                found.push((name, compared));
            }
            driver.abort();
            Ok(found)
        })
        .await
}

/// The values that every request may use: secrets.
fn given(script: &Script) -> Vec<String> {
    let mut values = vec![String::new(); usize::from(script.plan.values.count)];
    for (variable, value) in &script.given {
        if let Some(slot) = values.get_mut(usize::from(variable.0)) {
            value.expose().clone_into(slot);
        }
    }
    values
}

struct Reader {
    client: Client,
    given: Vec<String>,
    plan: Arc<LoadPlan>,
    /// When teardown is over.
    cut: Cell<Tick>,
    pace: Rc<Pace>,
}

/// A compiled read.
struct Ask {
    mould: Mould,
    origin: usize,
    total: Duration,
    content: Source,
}

impl Reader {
    async fn book(&self, folder: &Path, name: &str, audit: &Audit) -> Result<ledger::Audit, LoadError> {
        let path = ledger::path(folder, name);
        let io = |path: &Path, source| LoadError::Record(RecordError::Io { path: path.to_owned(), source });
        let entries = ledger::read(&path).map_err(|error| io(&path, error))?;
        let ask = self.ask(&audit.read, &audit.content)?;
        let chosen = self.chosen(&entries, self.rate(audit));
        let apart = Duration::from_secs_f64(1.0 / self.rate(audit));
        let (ask, from) = (&ask, self.pace.now());
        let reads = chosen.into_iter().enumerate().map(|(place, index)| {
            let id = entries.get(index).and_then(|entry| entry.id.as_deref()).unwrap_or_default();
            let due = from + apart.saturating_mul(u32::try_from(place).unwrap_or(u32::MAX));
            async move {
                self.pace.until(due.min(self.cut.get())).await;
                (index, self.read(ask, (audit.id, id)).await)
            }
        });
        let read: Vec<(usize, Found)> = stream::iter(reads).buffered(AT_ONCE).collect().await;
        let listed = match &audit.list {
            Some((list, content)) => self.list(&self.ask(list, content)?).await,
            None => None,
        };
        let compared = ledger::compare(&entries, &read, listed.as_deref());
        self.note_lost((folder, name), &entries, &read).map_err(|(path, error)| io(&path, error))?;
        Ok(compared)
    }

    /// The rate of the audit, at most the ceiling of its target.
    fn rate(&self, audit: &Audit) -> f64 {
        let ceiling = self.plan.origins.get(audit.read.origin).and_then(|origin| origin.ceiling);
        ceiling.map_or(audit.rate, |ceiling| ceiling.get().min(audit.rate)).max(0.01)
    }

    /// Which entries are read back: all acknowledged ones, or as many of them in even steps as the time allows.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 0; casts saturate")]
    fn chosen(&self, entries: &[Entry], rate: f64) -> Vec<usize> {
        let known = |entry: &Entry| entry.fate == Fate::Acknowledged && entry.id.is_some();
        let all: Vec<usize> = entries.iter().enumerate().filter(|(_, one)| known(one)).map(|(n, _)| n).collect();
        // The last tenth of the time is for the last answers, and for the list.
        let most = (rate * self.cut.get().since(self.pace.now()).as_secs_f64() * 0.9) as usize;
        let most = most.max(1);
        if all.len() <= most {
            return all;
        }
        (0..most).filter_map(|n| all.get(n * all.len() / most).copied()).collect()
    }

    fn ask(&self, http: &Http, content: &From) -> Result<Ask, LoadError> {
        Ok(Ask {
            mould: Mould::new(&self.plan, http)?,
            origin: http.origin,
            total: http.total,
            content: Source::new(content)?,
        })
    }

    async fn read(&self, ask: &Ask, id: (VarId, &str)) -> Found {
        let Some(answer) = self.bring(ask, Some(id)).await else { return Found::Unclear };
        match answer.status {
            404 | 410 => Found::Gone,
            200..=299 => {
                let content = ask.content.first(&Reading::new(&answer)).unwrap_or_default();
                Found::There(sha256(content.as_bytes()))
            }
            _ => Found::Unclear,
        }
    }

    /// The hashes of all contents that are there; `None` when the target does not say.
    async fn list(&self, ask: &Ask) -> Option<Vec<String>> {
        let answer = self.bring(ask, None).await.filter(|answer| (200..300).contains(&answer.status))?;
        let all = ask.content.every(&Reading::new(&answer));
        Some(all.iter().map(|content| sha256(content.as_bytes())).collect())
    }

    /// A whole answer.
    async fn bring(&self, ask: &Ask, id: Option<(VarId, &str)>) -> Option<Answer> {
        let now = self.pace.now();
        if now >= self.cut.get() {
            return None;
        }
        let value = |variable: VarId| match id {
            Some((own, id)) if own == variable => id,
            _ => self.given.get(usize::from(variable.0)).map_or("", String::as_str),
        };
        let request = ask.mould.cast(value)?;
        let keep = Keep { headers: true, body: Some(self.plan.client.body_limit) };
        let mut limits = Limits::new(&self.pace, (now, now + ask.total), &self.cut);
        let errand = Errand { origin: ask.origin, request, keep };
        let trip = self.client.trip(errand, &mut Seat::default(), &mut limits).await;
        trip.result.ok().filter(|answer| !answer.too_large)
    }

    /// What is lost now is resurrected when a later audit finds it.
    fn note_lost(
        &self,
        (folder, name): (&Path, &str),
        entries: &[Entry],
        read: &[(usize, Found)],
    ) -> Result<(), (PathBuf, io::Error)> {
        let at_us = self.pace.now().micros();
        let gone = read.iter().filter(|(_, found)| *found == Found::Gone);
        let lost: Vec<(u16, Entry)> = gone
            .filter_map(|(index, _)| entries.get(*index))
            .map(|entry| (0, Entry { fate: Fate::Lost, at_us, ..entry.clone() }))
            .collect();
        Books::new(folder, &[name.to_owned()]).write(&lost)
    }
}
