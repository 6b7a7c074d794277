//! One connection's state: its SQLite connection, its transaction, and the right to write while it holds it.
//!
//! Blocking on purpose: a session lives on a thread of its own. Codes: `25P02` after an error in a transaction,
//! `55P03` when the right to write did not come in time, `23505` and its family for broken constraints, `42601`
//! `42P01` `42703` for statements SQLite does not understand, else `XX000`. Errors and sleeps that fault rules ask for are
//! made here, as PostgreSQL would. Called by `protocol`.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use pgwire::api::Type;
use pgwire::api::portal::Portal;
use pgwire::api::results::{FieldFormat, FieldInfo, Tag};
use pgwire::error::{ErrorInfo, PgWireError, PgWireResult, SEVERITY_ERROR};
use pgwire::messages::data::DataRow;
use pgwire::messages::response::TransactionStatus;
use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, Statement, ffi};

use super::Depot;
use super::rows::{Column, columns, encode, fields, parameter};
use super::sql::{Verb, raised, slept};
use super::writer::{PATIENCE, Turn, Writer};
use crate::base::clock::Clock;
use crate::base::stop::Stop;

/// Looks for the end of the database while a statement sleeps.
const NAP: Duration = Duration::from_millis(50);

/// A prepared statement: text, what it does, and where each `$n` is bound.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    pub(super) sql: String,
    verb: Verb,
    writes: bool,
    /// SQLite's index of `$1`, `$2`, …: to SQLite they are names.
    slots: Vec<Option<usize>>,
    pub(super) columns: Vec<Column>,
}

impl Prepared {
    /// How many parameters it takes.
    pub(super) fn parameters(&self) -> usize {
        self.slots.len()
    }
}

/// What a statement brought.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) fields: Arc<Vec<FieldInfo>>,
    pub(super) rows: Vec<DataRow>,
    pub(super) tag: Tag,
    /// The transaction's state after it.
    pub(super) status: TransactionStatus,
}

/// An SQL error that goes to the client with `code`.
pub(super) fn refused(code: &str, message: String) -> PgWireError {
    PgWireError::UserError(Box::new(ErrorInfo::new(SEVERITY_ERROR.to_owned(), code.to_owned(), message)))
}

#[derive(Debug)]
pub(super) struct Session {
    writer: Arc<Writer>,
    stop: Stop,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    // Dropped first: an open transaction is rolled back before the next writer goes on.
    connection: Connection,
    turn: Option<Turn>,
}

impl Session {
    pub(super) fn open(depot: &Depot) -> rusqlite::Result<Self> {
        let connection = Connection::open(&depot.file)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        // The file is thrown away at the end: nothing to protect from a power cut.
        connection.pragma_update(None, "synchronous", "off")?;
        connection.pragma_update(None, "temp_store", "memory")?;
        connection.pragma_update(None, "mmap_size", 64 << 20)?;
        connection.busy_timeout(PATIENCE)?;
        connection.set_prepared_statement_cache_capacity(64);
        let stop = depot.stop.clone();
        Ok(Self { writer: Arc::clone(&depot.writer), stop, inner: Mutex::new(Inner { connection, turn: None }) })
    }

    /// Looks at a statement: its parameters and columns, or why SQLite does not take it.
    pub(super) fn prepare(&self, sql: &str) -> PgWireResult<Prepared> {
        let verb = Verb::of(sql);
        let Verb::Other(_) = verb else {
            return Ok(Prepared { sql: sql.to_owned(), verb, writes: false, slots: Vec::new(), columns: Vec::new() });
        };
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let statement = inner.connection.prepare_cached(sql).map_err(|error| translated(&error))?;
        let slots = slots(&statement)?;
        let columns = columns(&inner.connection, &statement);
        Ok(Prepared { sql: sql.to_owned(), verb, writes: !statement.readonly(), slots, columns })
    }

    /// Runs a bound statement of the extended protocol.
    pub(super) fn run_portal(
        &self,
        portal: &Portal<Arc<Prepared>>,
        status: TransactionStatus,
    ) -> PgWireResult<Outcome> {
        let prepared = &portal.statement.statement;
        if portal.parameter_len() != prepared.slots.len() {
            let (given, wanted) = (portal.parameter_len(), prepared.slots.len());
            return Err(refused("08P01", format!("{given} parameters for a statement that takes {wanted}")));
        }
        let kinds = &portal.statement.parameter_types;
        let values = (0..portal.parameter_len())
            .map(|at| parameter(portal, at, kinds.get(at).and_then(Option::as_ref).unwrap_or(&Type::UNKNOWN)))
            .collect::<PgWireResult<Vec<Value>>>()?;
        self.run(prepared, &values, &|at| portal.result_column_format.format_for(at), status)
    }

    /// Runs one statement of the simple protocol: no parameters, answers as text.
    pub(super) fn run_text(&self, sql: &str, status: TransactionStatus) -> PgWireResult<Outcome> {
        let outside = matches!(Verb::of(sql), Verb::Commit | Verb::Rollback | Verb::Ignored);
        if status == TransactionStatus::Error && !outside {
            return Err(failed_transaction());
        }
        self.run(&self.prepare(sql)?, &[], &|_| FieldFormat::Text, status)
    }

    /// As `pg_sleep`, though it ends with the database.
    fn sleep(&self, seconds: f64) {
        let clock = Clock::start();
        let until = clock.now() + Duration::from_secs_f64(seconds);
        while clock.now() < until && self.stop.reason().is_none() {
            thread::park_timeout(until.since(clock.now()).min(NAP));
        }
    }

    fn run(
        &self,
        prepared: &Prepared,
        values: &[Value],
        format: &dyn Fn(usize) -> FieldFormat,
        status: TransactionStatus,
    ) -> PgWireResult<Outcome> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = status == TransactionStatus::Error;
        let done = |tag, status| Ok(Outcome { fields: Arc::default(), rows: Vec::new(), tag, status });
        match prepared.verb {
            Verb::Begin | Verb::Raise | Verb::Sleep | Verb::Other(_) if failed => Err(failed_transaction()),
            Verb::Raise => {
                let (sqlstate, message) = raised(&prepared.sql).unwrap_or_default();
                Err(refused(&sqlstate, message))
            }
            Verb::Sleep => {
                drop(inner);
                self.sleep(slept(&prepared.sql).unwrap_or_default());
                done(Tag::new("SELECT").with_rows(0), status)
            }
            Verb::Begin => {
                inner.begin(&self.writer)?;
                done(Tag::new("BEGIN"), TransactionStatus::Transaction)
            }
            Verb::Commit if !failed => {
                inner.end("COMMIT")?;
                done(Tag::new("COMMIT"), TransactionStatus::Idle)
            }
            Verb::Commit | Verb::Rollback => {
                inner.end("ROLLBACK")?;
                done(Tag::new("ROLLBACK"), TransactionStatus::Idle)
            }
            Verb::Ignored => done(Tag::new("SET"), status),
            Verb::Other(word) => {
                let _turn = match inner.turn {
                    None if prepared.writes => Some(turn(&self.writer)?),
                    _ => None,
                };
                let fields = fields(&prepared.columns, format);
                let (rows, changed) = inner.execute(prepared, values, &fields)?;
                let count = if prepared.writes { changed } else { rows.len() };
                let tag = match word {
                    "INSERT" => Tag::new("INSERT").with_oid(0).with_rows(count),
                    "CREATE" | "DROP" | "SAVEPOINT" | "OK" => Tag::new(word),
                    other => Tag::new(other).with_rows(count),
                };
                Ok(Outcome { fields, rows, tag, status })
            }
        }
    }
}

impl Inner {
    fn begin(&mut self, writer: &Arc<Writer>) -> PgWireResult<()> {
        if self.turn.is_some() {
            return Err(refused("25001", "there is already a transaction in progress".to_owned()));
        }
        let turn = turn(writer)?;
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| translated(&error))?;
        self.turn = Some(turn);
        Ok(())
    }

    /// Ends the transaction, if there is one: without one PostgreSQL only warns.
    fn end(&mut self, how: &str) -> PgWireResult<()> {
        let ended = if self.connection.is_autocommit() { Ok(()) } else { self.connection.execute_batch(how) };
        if ended.is_err() && !self.connection.is_autocommit() {
            drop(self.connection.execute_batch("ROLLBACK"));
        }
        self.turn = None;
        ended.map_err(|error| translated(&error))
    }

    fn execute(
        &mut self,
        prepared: &Prepared,
        values: &[Value],
        fields: &[FieldInfo],
    ) -> PgWireResult<(Vec<DataRow>, usize)> {
        let mut statement = self.connection.prepare_cached(&prepared.sql).map_err(|error| translated(&error))?;
        for (slot, value) in prepared.slots.iter().zip(values) {
            if let Some(slot) = slot {
                statement.raw_bind_parameter(*slot, value).map_err(|error| translated(&error))?;
            }
        }
        let mut rows = Vec::new();
        let mut found = statement.raw_query();
        while let Some(row) = found.next().map_err(|error| translated(&error))? {
            rows.push(encode(row, fields)?);
        }
        drop(found);
        drop(statement);
        let changed = usize::try_from(self.connection.changes()).unwrap_or(usize::MAX);
        Ok((rows, changed))
    }
}

/// Where each `$n` is bound. A number that the text leaves out takes a parameter too, and binds it nowhere.
fn slots(statement: &Statement<'_>) -> PgWireResult<Vec<Option<usize>>> {
    let mut slots = Vec::new();
    for index in 1..=statement.parameter_count() {
        let number = statement.parameter_name(index).and_then(|name| name.strip_prefix('$')?.parse::<usize>().ok());
        let Some(at) = number.filter(|number| (1..=1_000).contains(number)).map(|number| number - 1) else {
            return Err(refused("42601", "parameters are written $1, $2, …".to_owned()));
        };
        if slots.len() <= at {
            slots.resize(at + 1, None);
        }
        slots[at] = Some(index);
    }
    Ok(slots)
}

fn turn(writer: &Arc<Writer>) -> PgWireResult<Turn> {
    writer.acquire(PATIENCE).ok_or_else(|| {
        refused("55P03", format!("the right to write did not come within {} s: lock not available", PATIENCE.as_secs()))
    })
}

fn failed_transaction() -> PgWireError {
    refused("25P02", "current transaction is aborted, commands ignored until end of transaction block".to_owned())
}

/// SQLite's error with PostgreSQL's code.
fn translated(error: &rusqlite::Error) -> PgWireError {
    let message = error.to_string();
    let code = match error {
        rusqlite::Error::SqliteFailure(failure, _) | rusqlite::Error::SqlInputError { error: failure, .. } => {
            match (failure.code, failure.extended_code) {
                (_, ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => "23505",
                (_, ffi::SQLITE_CONSTRAINT_NOTNULL) => "23502",
                (_, ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => "23503",
                (_, ffi::SQLITE_CONSTRAINT_CHECK) => "23514",
                (ErrorCode::ConstraintViolation, _) => "23000",
                (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => "55P03",
                // SQLite has one code for all that it cannot parse; only the text tells them apart.
                _ if message.contains("no such table") => "42P01",
                _ if message.contains("no such column") => "42703",
                _ if message.contains("already exists") => "42P07",
                _ if message.contains("syntax error") || message.contains("incomplete input") => "42601",
                _ => "XX000",
            }
        }
        _ => "XX000",
    };
    refused(code, message)
}
