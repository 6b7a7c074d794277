//! Takes a snapshot at every interval, and when asked to. Started with the shop.

use std::io;
use std::sync::Arc;

use serde_json::json;

use crate::base::timer::Timer;
use crate::staging::inside::Inside;
use crate::staging::store::filling::FillError;
use crate::staging::store::rows::all_orders;

/// Takes snapshots until the shop ends, the first when it opens.
pub(in crate::staging) async fn keep_snapshots(inside: Arc<Inside>) -> io::Result<()> {
    let mut timer = Timer::new(&inside.settings.clock)?;
    let every = inside.settings.paces.snapshot_every;
    let mut next = inside.now();
    loop {
        if let Err(error) = take(&inside).await {
            inside.log.event("backup_failed", inside.now(), &json!({"reason": error.to_string()}));
        }
        next = (next + every).max(inside.now());
        timer.until(next).await;
    }
}

/// Takes one snapshot; gives its id.
pub(in crate::staging) async fn take(inside: &Inside) -> Result<u64, FillError> {
    let acknowledged = inside.vault().acknowledged();
    let at = inside.now();
    let rows = all_orders(inside.settings.direct()).await?;
    let orders = rows.len();
    let id = inside.vault().put(rows, acknowledged, at);
    inside.log.event("backup", at, &json!({"snapshot": id, "orders": orders}));
    Ok(id)
}
