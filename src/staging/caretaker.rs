//! What happens in the shop because time passes: leases end, backends look at the flag, seconds are closed, the alert
//! is judged. Ten times a second; decides nothing itself.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;

use super::gateway::seconds::Row;
use super::inside::Inside;
use super::pager::Receiver;
use crate::base::clock::Tick;
use crate::base::timer::Timer;

const EVERY: Duration = Duration::from_millis(100);

/// Takes care until the shop ends.
pub(super) async fn look_after(inside: Arc<Inside>, pages: UnboundedSender<(Receiver, Value)>) -> io::Result<()> {
    let mut timer = Timer::new(&inside.settings.clock)?;
    let mut judged = inside.now().second();
    let mut next = inside.now();
    loop {
        next = (next + EVERY).max(inside.now());
        timer.until(next).await;
        let now = inside.now();
        let happened = inside.board().tick(now);
        inside.note(happened, now);
        close_seconds(&inside, now);
        if now.second() != judged {
            judged = now.second();
            judge(&inside, now, &pages);
        }
    }
}

fn judge(inside: &Inside, now: Tick, pages: &UnboundedSender<(Receiver, Value)>) {
    let total = inside.seconds().total();
    let (page, to) = {
        let mut alert = inside.alert();
        (alert.step(now, total), alert.rule.to.clone())
    };
    if let (Some(page), Some(to)) = (page, to) {
        // Fails only when the sender has ended, and then the shop has.
        drop(pages.send((to, page.event(&inside.settings.id))));
    }
}

/// Writes the seconds that are over at `now`.
pub(super) fn close_seconds(inside: &Inside, now: Tick) {
    let closed = inside.seconds().close(now);
    for (second, row) in closed {
        let Row { n, ended: _, status_5xx, over_500ms, abandoned, not_good } = row;
        let at = Tick::from_secs(second.into());
        inside.log.write(&json!({
            "t": at.secs_f64(), "utc": inside.log.utc(at), "second": second, "n": n, "status_5xx": status_5xx,
            "over_500ms": over_500ms, "abandoned": abandoned, "not_good": not_good,
        }));
    }
}
