//! A process that stands still for a while, as a machine does that swaps or pauses.
//!
//! Called by `squall selftest` on a child of its own. Not here: starting processes.

use std::io;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::base::timer::Timer;

/// Stops process `id` for `length` by SIGSTOP and SIGCONT.
///
/// # Errors
/// When there is no such process, or it is not ours.
pub async fn stand(id: u32, timer: &mut Timer, length: Duration) -> io::Result<()> {
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
    let until = timer.clock().now() + length;
    kill_process(pid, Signal::STOP)?;
    timer.until(until).await;
    Ok(kill_process(pid, Signal::CONT)?)
}
