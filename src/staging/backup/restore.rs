//! Carries a snapshot back into the table, while the shop serves: one connection, twenty rows per statement.
//!
//! It takes the way the backends take to the database, so its speed is that of the distance: at 4 ms about 5 000 rows per
//! second. One restore at a time. Called by the admin address.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Mode, Recipe};
use crate::staging::inside::Inside;
use crate::staging::store::filling::FillError;
use crate::staging::store::rows::{OrderRow, TOGETHER, Writer};

/// How far a restore is.
#[derive(Clone, Debug, Default)]
pub(in crate::staging) enum Progress {
    /// None was asked for.
    #[default]
    Never,
    /// It writes.
    Running { done: usize, rows: usize },
    /// It has ended.
    Done { rows: usize, took_s: f64 },
    /// The database refused.
    Failed(String),
}

impl Progress {
    /// For `GET /admin/state`.
    pub(in crate::staging) fn state(&self) -> Value {
        match self {
            Self::Never => json!({"state": "never"}),
            Self::Running { done, rows } => json!({"state": "running", "done": done, "rows": rows}),
            Self::Done { rows, took_s } => json!({"state": "done", "rows": rows, "took_s": took_s}),
            Self::Failed(reason) => json!({"state": "failed", "reason": reason}),
        }
    }
}

/// Runs `recipe` to its end; says how far it is in the shop's state and log.
pub(in crate::staging) async fn carry_back(inside: Arc<Inside>, recipe: Recipe) {
    let begun = inside.now();
    let rows = recipe.len();
    let data =
        json!({"snapshot": recipe.snapshot.id, "mode": recipe.mode, "rows": rows, "replayed": recipe.replay.len()});
    inside.log.event("restore", begun, &data);
    let ended = match write(&inside, &recipe).await {
        Ok(()) => Progress::Done { rows, took_s: inside.now().since(begun).as_secs_f64() },
        Err(error) => Progress::Failed(error.to_string()),
    };
    inside.log.event("restored", inside.now(), &ended.state());
    *inside.restore() = ended;
}

async fn write(inside: &Inside, recipe: &Recipe) -> Result<(), FillError> {
    let writer = Writer::connect(&inside.settings.behind.database).await?;
    if recipe.mode == Mode::Replace {
        writer.empty().await?;
    }
    let all: Vec<OrderRow> = recipe.rows().cloned().collect();
    let mut done = 0;
    for rows in all.chunks(TOGETHER) {
        writer.add(rows).await?;
        done += rows.len();
        *inside.restore() = Progress::Running { done, rows: all.len() };
    }
    inside.cache().purge("orders");
    Ok(())
}
