//! The process lever: processes are picked once, told from every later one by their start, and never taken for another.
//!
//! A number alone says nothing: it may be given away again. A process is therefore opened (pidfd), its start is compared, and only
//! then it is signalled, through what was opened. Only processes of our own user are touched; never number 1, ourselves, those that
//! started us, or the keeper. Not here: when (`director`), other programs (`command`).

mod deed;

use std::fs;
use std::os::fd::OwnedFd;

use rustix::io;
use rustix::process::{Pid, PidfdFlags, Signal as Sig, geteuid, getpid, pidfd_open, pidfd_send_signal, setsid};

use super::LeverError;
use crate::base::digest::sha256;
use crate::measure::journal::{PinnedProcess, UndoProcess};
use crate::plan::lever::{Pick, Process};
pub(super) use deed::{apply, is_revived, revive};

/// A process as the system shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) pid: u32,
    parent: u32,
    /// One letter: `R` runs, `T` is stopped, `Z` has ended.
    state: char,
    /// Clock ticks from the boot to its start.
    pub(crate) started: u64,
}

/// The process with this number, if there is one.
pub(crate) fn look(pid: u32) -> Option<Seen> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in brackets and may hold anything, brackets and spaces too.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    let started = fields.nth(17)?.parse().ok()?;
    Some(Seen { pid, parent, state, started })
}

/// Names this boot: the numbers of another one mean nothing.
pub(crate) fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|text| text.trim().to_owned()).unwrap_or_default()
}

/// What a pinned process is now.
#[derive(Debug)]
pub(crate) enum Pinned {
    /// The same process, held open.
    Same(OwnedFd, Seen),
    /// It has ended.
    Ended,
    /// It has ended, and its number belongs to another one.
    Reused,
}

/// Looks for a process again.
pub(crate) fn find(pinned: PinnedProcess, boot_then: &str) -> Pinned {
    if boot_then != boot() {
        return Pinned::Ended;
    }
    let open = i32::try_from(pinned.pid).ok().and_then(Pid::from_raw).map(|pid| pidfd_open(pid, PidfdFlags::empty()));
    // Opened first, looked at second: what is held open cannot become another process in between.
    match (open, look(pinned.pid)) {
        (Some(Ok(_)), Some(seen)) if seen.started != pinned.started => Pinned::Reused,
        (Some(Ok(_)), Some(seen)) if matches!(seen.state, 'Z' | 'X') => Pinned::Ended,
        (Some(Ok(descriptor)), Some(seen)) => Pinned::Same(descriptor, seen),
        _ => Pinned::Ended,
    }
}

/// Sends SIGTERM to a pinned process, if it is still the same. True when it was.
pub(crate) fn terminate(pinned: PinnedProcess, boot_then: &str) -> bool {
    match find(pinned, boot_then) {
        Pinned::Same(descriptor, _) => pidfd_send_signal(descriptor, Sig::TERM).is_ok(),
        Pinned::Ended | Pinned::Reused => false,
    }
}

/// This process, pinned.
pub(crate) fn ourselves() -> Option<PinnedProcess> {
    let pid = getpid().as_raw_nonzero().get().unsigned_abs();
    look(pid).map(|seen| PinnedProcess { pid, started: seen.started })
}

/// Leaves the terminal and the group of whoever started this process, so that what ends those does not end it.
pub(crate) fn detach() -> io::Result<()> {
    setsid().map(drop)
}

fn refused(pid: u32, why: impl Into<String>) -> LeverError {
    LeverError::Process { pid, why: why.into() }
}

/// The processes of `process`, pinned, and how they run again.
///
/// # Errors
/// When they are not there, not as many as expected, or may not be touched.
pub(in crate::drill::lever) fn pick(process: &Process, keeper: Option<u32>) -> Result<UndoProcess, LeverError> {
    let (pids, exe, args_contain) = match &process.pick {
        Pick::Pid(pid) => (vec![*pid], String::new(), String::new()),
        Pick::PidFile(path) => {
            let text = fs::read_to_string(path).map_err(|error| refused(0, format!("{path}: {error}")))?;
            let pid = text.trim().parse().map_err(|_| refused(0, format!("{path} holds no number of a process")))?;
            (vec![pid], String::new(), String::new())
        }
        Pick::Command { exe, args_contain, expect } => {
            let found: Vec<u32> = all()
                .into_iter()
                .filter(|seen| is_live(seen) && fits(seen.pid, exe, args_contain))
                .map(|seen| seen.pid)
                .collect();
            if found.len() != *expect as usize {
                let why = format!("{} processes run {exe} with such an argument, {expect} are expected", found.len());
                return Err(LeverError::Process { pid: 0, why });
            }
            (found, exe.clone(), args_contain.clone())
        }
    };
    let mut pinned = Vec::new();
    for pid in pids {
        let seen = may_touch(pid, keeper)?;
        pinned.push(PinnedProcess { pid, started: seen.started });
    }
    let first = pinned.first().map_or(0, |one| one.pid);
    let folder =
        fs::read_link(format!("/proc/{first}/cwd")).map_or_else(|_| "/".to_owned(), |path| path.display().to_string());
    Ok(UndoProcess {
        boot: boot(),
        pinned,
        start: process.start.clone(),
        folder,
        exe,
        args_contain,
        like: sha256(&cmdline(first)),
    })
}

/// Whether a process may be touched at all.
fn may_touch(pid: u32, keeper: Option<u32>) -> Result<Seen, LeverError> {
    let own = getpid().as_raw_nonzero().get().unsigned_abs();
    let seen = look(pid).filter(is_live).ok_or_else(|| refused(pid, "there is no such process"))?;
    if pid <= 1 {
        return Err(refused(pid, "it is the first process of this machine"));
    }
    if pid == own {
        return Err(refused(pid, "it is squall itself"));
    }
    if Some(pid) == keeper {
        return Err(refused(pid, "it is the keeper of this run"));
    }
    let mut above = look(own).map_or(0, |seen| seen.parent);
    while above > 1 {
        if above == pid {
            return Err(refused(pid, "squall was started by it"));
        }
        above = look(above).map_or(0, |seen| seen.parent);
    }
    if owner(pid) != Some(geteuid().as_raw()) {
        return Err(refused(pid, "it belongs to another user"));
    }
    Ok(seen)
}

/// The user of a process, when its real and its effective one are the same.
fn owner(pid: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let mut ids = status.lines().find_map(|line| line.strip_prefix("Uid:"))?.split_whitespace();
    let (real, effective): (u32, u32) = (ids.next()?.parse().ok()?, ids.next()?.parse().ok()?);
    (real == effective).then_some(real)
}

fn is_live(seen: &Seen) -> bool {
    !matches!(seen.state, 'Z' | 'X')
}

/// Every process there is.
fn all() -> Vec<Seen> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| look(entry.file_name().to_str()?.parse().ok()?)).collect()
}

/// Program and arguments, each ended by a zero byte.
fn cmdline(pid: u32) -> Vec<u8> {
    fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default()
}

fn fits(pid: u32, exe: &str, args_contain: &str) -> bool {
    let is_it = fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|path| path.as_os_str() == exe);
    is_it
        && (args_contain.is_empty()
            || String::from_utf8_lossy(&cmdline(pid)).split('\0').skip(1).any(|arg| arg.contains(args_contain)))
}
