//! What can be done to the database by hand: snapshots, restores, and statements that the guardrail lets pass.

use std::sync::Arc;

use hyper::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::levers::{Answered, Pull};
use super::{bad, refuse_lease};
use crate::base::digest::sha256;
use crate::staging::backup::restore::{Progress, carry_back};
use crate::staging::backup::{Mode, Recipe, keep};
use crate::staging::guardrail::{Broken, Statement, Strictness};
use crate::staging::inside::Inside;
use crate::staging::serve::{Reply, json_reply, read_json, refusal};
use crate::staging::store::filling::FillError;
use crate::staging::store::rows::{count, order_numbers, run};

/// Body of `POST /admin/db/restore`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Restore {
    mode: Mode,
    #[serde(default)]
    replay_wal: bool,
    /// The latest, if absent.
    snapshot: Option<u64>,
    #[serde(default)]
    dry_run: bool,
}

/// Body of `POST /admin/db/exec`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Execute {
    sql: String,
    /// The second person's token.
    approver: Option<String>,
    /// The table's name, typed by that person.
    table: Option<String>,
}

fn failed(error: &FillError) -> Box<Reply> {
    Box::new(refusal(StatusCode::BAD_GATEWAY, "database", &error.to_string()))
}

/// `POST /admin/db/backup`: a snapshot now.
pub(super) async fn backup(pull: Pull<'_>) -> Answered {
    refuse_lease(pull.headers)?;
    let id = keep::take(pull.inside).await.map_err(|error| failed(&error))?;
    Ok(json_reply(StatusCode::OK, &json!({"snapshot": id})))
}

/// `POST /admin/db/restore`: begins to carry a snapshot back, or says what that would do.
pub(super) async fn restore(pull: Pull<'_>, inside: &Arc<Inside>) -> Answered {
    refuse_lease(pull.headers)?;
    let asked: Restore = read_json(pull.body)?;
    let recipe = {
        let vault = inside.vault();
        let known = vault.snapshot(asked.snapshot);
        let snapshot = known.ok_or_else(|| Box::new(bad("there is no such snapshot: GET /admin/db/backups")))?;
        let replay = if asked.replay_wal { vault.since(&snapshot) } else { Vec::new() };
        Recipe { snapshot, mode: asked.mode, replay }
    };
    let present = order_numbers(inside.settings.direct()).await.map_err(|error| failed(&error))?;
    let (back, gone) = recipe.effect(&present);
    let data = json!({
        "snapshot": recipe.snapshot.id, "mode": recipe.mode, "rows": recipe.len(), "replayed": recipe.replay.len(),
        "brought_back": back, "thrown_away": gone, "dry_run": asked.dry_run,
    });
    if asked.dry_run {
        return Ok(json_reply(StatusCode::OK, &data));
    }
    {
        let mut progress = inside.restore();
        if matches!(*progress, Progress::Running { .. }) {
            return Err(Box::new(refusal(StatusCode::CONFLICT, "restoring", "another restore is running")));
        }
        *progress = Progress::Running { done: 0, rows: recipe.len() };
    }
    tokio::spawn(carry_back(Arc::clone(inside), recipe));
    Ok(json_reply(StatusCode::ACCEPTED, &data))
}

/// `POST /admin/db/exec`: one statement, if the guardrail lets it pass.
pub(super) async fn execute(pull: Pull<'_>) -> Answered {
    refuse_lease(pull.headers)?;
    let asked: Execute = read_json(pull.body)?;
    let inside = pull.inside;
    let statement = Statement::read(&asked.sql);
    let url = inside.settings.direct();
    let rows = match &statement.count {
        Some(text) => count(url, text).await.map_err(|error| failed(&error))?,
        None => 0,
    };
    let guardrail = inside.board().guardrail();
    let broken = statement.breaks(guardrail, rows.unsigned_abs()).filter(|_| guardrail.mode != Strictness::Off);
    let approved = approves(inside, &asked, statement.table.as_deref());
    if let Some(Broken { rule, why }) = broken.filter(|_| guardrail.mode == Strictness::Enforce && !approved) {
        inside.log.event("guardrail", inside.now(), &json!({"rule": rule, "refused": true}));
        let data =
            json!({"error": "guardrail", "rule": rule, "reason": format!("{why}; a second person may approve it")});
        return Err(Box::new(json_reply(StatusCode::FORBIDDEN, &data)));
    }
    let ran = run(url, &asked.sql).await.map_err(|error| failed(&error))?;
    let rule = broken.map(|broken| broken.rule);
    // The statement itself is not written down: it may hold what customers gave.
    let data = json!({"rows": ran.rows, "table": statement.table, "warning": rule, "approved": approved});
    inside.log.event("executed", inside.now(), &data);
    inside.cache().purge("orders");
    Ok(json_reply(StatusCode::OK, &data))
}

/// True when a second person's token came, and the name of the table that is changed.
fn approves(inside: &Inside, asked: &Execute, table: Option<&str>) -> bool {
    let Some(wanted) = &inside.settings.tokens.approver else { return false };
    let token =
        asked.approver.as_ref().is_some_and(|given| sha256(given.as_bytes()) == sha256(wanted.expose().as_bytes()));
    token && table.is_some() && asked.table.as_deref() == table
}
