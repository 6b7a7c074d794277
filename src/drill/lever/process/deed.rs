//! What is done to pinned processes, how they run again, and how one sees that they do.
//!
//! Doing it twice is doing it once. Not here: which processes (`process`).

use std::os::unix::process::CommandExt as _;
use std::process::{Command as StdCommand, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Signal as Sig, geteuid, pidfd_send_signal};

use super::{Pinned, Seen, all, cmdline, find, fits, is_live, owner, refused};
use crate::base::clock::Clock;
use crate::base::digest::sha256;
use crate::base::timer::Timer;
use crate::drill::lever::LeverError;
use crate::drill::lever::command::{found_on_path, passed_on};
use crate::measure::journal::{PinnedProcess, UndoProcess};
use crate::plan::lever::{Process, ProcessDeed, Signal};

/// Between two looks at a process.
const EVERY: Duration = Duration::from_millis(10);
/// Longest time until a process has stopped.
const STOPS: Duration = Duration::from_secs(2);
/// Longest time until a process has ended.
const ENDS: Duration = Duration::from_secs(5);
/// Longest time until a started process is seen.
const STARTS: Duration = Duration::from_secs(3);

/// How many processes of `undo` run now: the picked ones, or those started in their place.
fn running(undo: &UndoProcess) -> usize {
    let start: Vec<u8> = undo.start.iter().flat_map(|word| word.bytes().chain([0])).collect();
    let is_one = |seen: &Seen| {
        let line = cmdline(seen.pid);
        let by_pattern = !undo.exe.is_empty() && fits(seen.pid, &undo.exe, &undo.args_contain);
        by_pattern || (!line.is_empty() && (line == start || sha256(&line) == undo.like))
    };
    let live = all().into_iter().filter(|seen| is_live(seen) && !matches!(seen.state, 'T' | 't'));
    live.filter(|seen| owner(seen.pid) == Some(geteuid().as_raw())).filter(is_one).count()
}

/// Does to the picked processes what the lever says; gives how many were touched.
pub(in crate::drill::lever) async fn apply(
    process: &Process,
    undo: &UndoProcess,
    clock: &Clock,
) -> Result<u64, LeverError> {
    let mut touched = 0;
    for one in &undo.pinned {
        let Pinned::Same(descriptor, _) = find(*one, &undo.boot) else {
            return Err(refused(one.pid, "it ended before it could be touched"));
        };
        let send =
            |signal: Sig| pidfd_send_signal(&descriptor, signal).map_err(|error| refused(one.pid, error.to_string()));
        let ended = || matches!(find(*one, &undo.boot), Pinned::Ended | Pinned::Reused);
        let done = match process.does {
            ProcessDeed::Pause => {
                send(Sig::STOP)?;
                let is_stopped =
                    || matches!(find(*one, &undo.boot), Pinned::Same(_, seen) if matches!(seen.state, 'T' | 't'));
                until(clock, STOPS, is_stopped).await
            }
            ProcessDeed::Kill(signal) => {
                send(sig(signal))?;
                until(clock, ENDS, ended).await
            }
            ProcessDeed::Restart => {
                send(Sig::TERM)?;
                if !until(clock, ENDS, ended).await {
                    send(Sig::KILL)?;
                }
                until(clock, ENDS, ended).await
            }
        };
        if !done {
            return Err(refused(one.pid, "it took no notice of the signal"));
        }
        touched += 1;
    }
    if process.does == ProcessDeed::Restart {
        start_missing(undo, clock).await.map_err(|why| refused(0, why))?;
    }
    Ok(touched)
}

fn sig(signal: Signal) -> Sig {
    match signal {
        Signal::Term => Sig::TERM,
        Signal::Int => Sig::INT,
        Signal::Quit => Sig::QUIT,
        Signal::Hup => Sig::HUP,
        Signal::Abrt => Sig::ABORT,
        Signal::Kill => Sig::KILL,
    }
}

/// Lets the processes run again; in words what was found.
///
/// # Errors
/// Why one does not, in words.
pub(in crate::drill::lever) async fn revive(undo: &UndoProcess, clock: &Clock) -> Result<String, String> {
    if !undo.start.is_empty() {
        return start_missing(undo, clock).await;
    }
    let mut said = Vec::new();
    for one in &undo.pinned {
        match find(*one, &undo.boot) {
            Pinned::Same(descriptor, _) => {
                pidfd_send_signal(&descriptor, Sig::CONT).map_err(|error| format!("process {}: {error}", one.pid))?;
                said.push(format!("process {} was resumed", one.pid));
            }
            Pinned::Ended => said.push(format!("process {} has ended since", one.pid)),
            Pinned::Reused => said.push(format!(
                "process {} has ended since; its number belongs to another process now, which was not signalled",
                one.pid
            )),
        }
    }
    Ok(said.join("; "))
}

/// Sees that the processes run again.
///
/// # Errors
/// What was seen instead, in words.
pub(in crate::drill::lever) async fn is_revived(
    undo: &UndoProcess,
    (clock, within): (&Clock, Duration),
) -> Result<String, String> {
    if !undo.start.is_empty() {
        let (wanted, mut seen) = (undo.pinned.len(), 0);
        let all_run = || {
            seen = running(undo);
            seen >= wanted
        };
        let done = until(clock, within, all_run).await;
        return if done { Ok(format!("{seen} run again")) } else { Err(format!("{seen} of {wanted} run again")) };
    }
    let stopped = || {
        let is_stopped = |one: &&PinnedProcess| matches!(find(**one, &undo.boot), Pinned::Same(_, seen) if matches!(seen.state, 'T' | 't'));
        undo.pinned.iter().find(is_stopped).map(|one| one.pid)
    };
    if until(clock, within, || stopped().is_none()).await {
        return Ok("none of them is stopped".to_owned());
    }
    Err(format!("process {} is still stopped", stopped().unwrap_or_default()))
}

/// Starts what does not run; what runs already is left alone, so that doing it twice is doing it once.
async fn start_missing(undo: &UndoProcess, clock: &Clock) -> Result<String, String> {
    let wanted = undo.pinned.len();
    let mut started = 0;
    while started < wanted && running(undo) < wanted {
        let before = running(undo);
        spawn(undo)?;
        started += 1;
        until(clock, STARTS, || running(undo) > before).await;
    }
    Ok(match started {
        0 => "running already".to_owned(),
        n => format!("started {n} times"),
    })
}

fn spawn(undo: &UndoProcess) -> Result<(), String> {
    let [program, arguments @ ..] = undo.start.as_slice() else { return Err("no program is named".to_owned()) };
    let path = found_on_path(program).ok_or_else(|| format!("there is no program {program}"))?;
    let mut command = StdCommand::new(path);
    command.arg0(program).args(arguments).env_clear().envs(passed_on(&["PATH", "HOME", "USER", "LANG", "TMPDIR"]));
    command.current_dir(&undo.folder).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| format!("{program}: {error}"))?;
    // Whoever started a process has to take note of its end.
    let wait = move || drop(child.wait());
    thread::Builder::new().name("revived".to_owned()).spawn(wait).map_err(|error| error.to_string()).map(drop)
}

/// Looks until `seen`, for at most `within`, at least once.
async fn until(clock: &Clock, within: Duration, mut seen: impl FnMut() -> bool) -> bool {
    let Ok(mut timer) = Timer::new(clock) else { return seen() };
    let end = clock.now() + within;
    loop {
        if seen() {
            return true;
        }
        let next = clock.now() + EVERY;
        if next > end {
            return false;
        }
        timer.until(next).await;
    }
}
