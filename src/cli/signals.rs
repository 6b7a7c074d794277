//! Ctrl-C, SIGTERM and the keys of a drill become the stop word; what stopping means is everybody else's business.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::thread;

use tokio::signal::unix::{SignalKind, signal};

use super::exit::{Failure, could_not};
use crate::base::stop::{Stop, StopReason};

/// Asks `stop` for the end at the first SIGINT or SIGTERM. Needs a runtime; ends with it.
///
/// A second SIGINT asks `hurry`: it stops waiting for verification, never the healing.
pub(super) fn watch(stop: &Stop, hurry: &Stop) -> Result<(), Failure> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(could_not("watch for Ctrl-C"))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(could_not("watch for SIGTERM"))?;
    let (stop, hurry) = (stop.clone(), hurry.clone());
    tokio::spawn(async move {
        loop {
            let reason = tokio::select! {
                got = interrupt.recv() => got.map(|()| StopReason::Interrupted),
                got = terminate.recv() => got.map(|()| StopReason::Terminated),
            };
            let Some(reason) = reason else { return };
            if !stop.request(reason.clone()) {
                hurry.request(reason);
            }
        }
    });
    Ok(())
}

/// Two `x` on the terminal, with or without a space between them, then Enter: abort. Without a terminal nobody types.
pub(super) fn watch_keys(stop: &Stop) -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        return Ok(());
    }
    let stop = stop.clone();
    let read = move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if is_abort(&line) {
                stop.request(StopReason::Aborted("`x x` was typed on the terminal".to_owned()));
            }
        }
    };
    thread::Builder::new().name("keys".to_owned()).spawn(read).map(drop).map_err(could_not("watch the terminal"))
}

fn is_abort(line: &str) -> bool {
    let keys: String = line.chars().filter(|key| !key.is_whitespace()).collect();
    keys == "xx"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_x_abort_and_nothing_else_does() {
        for line in ["x x", "xx", " x  x "] {
            assert!(is_abort(line), "{line}");
        }
        for line in ["x", "", "xxx", "x y", "X X", "exit"] {
            assert!(!is_abort(line), "{line}");
        }
    }
}
