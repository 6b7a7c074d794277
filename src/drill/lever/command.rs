//! The command lever: a program and its arguments, no shell, an environment of its own, a limit of time; its output is cut and
//! redacted.
//!
//! Not here: what its success proves (a probe does), processes of the system (`process`).

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command as TokioCommand};

use super::LeverError;
use super::undo::UndoEnv;
use crate::base::secret::Secret;
use crate::base::timer::Timer;
use crate::measure::journal::UndoCommand;
use crate::plan::check;
use crate::plan::lever::Command;

/// Bytes of output that are kept.
const KEPT: usize = 64 << 10;
/// Characters of output that a message quotes.
const QUOTED: usize = 160;

/// Variables of our own environment, as they are.
pub(super) fn passed_on(names: &[&str]) -> Vec<(String, OsString)> {
    names.iter().filter_map(|name| Some(((*name).to_owned(), env::var_os(name)?))).collect()
}

/// Where a program lies: its own path, or the first folder of our PATH that has it.
pub(super) fn found_on_path(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|path| path.is_file());
    }
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// The command as the journal keeps it.
pub(super) fn written(command: &Command) -> UndoCommand {
    UndoCommand {
        argv: command.argv.clone(),
        env: command.env.clone(),
        timeout_ms: u64::try_from(command.timeout.as_millis()).unwrap_or(u64::MAX),
    }
}

/// Runs `command`; gives its output, cut and redacted.
///
/// # Errors
/// It could not be started, took too long, or ended with another code than 0.
pub(super) async fn run(command: &UndoCommand, more: &[&str], env: &UndoEnv) -> Result<String, LeverError> {
    let program = command.argv.first().cloned().unwrap_or_default();
    let failed = |why: String| LeverError::Command { program: program.clone(), why };
    let path = found_on_path(&program).ok_or_else(|| failed("there is no such program".to_owned()))?;
    let (variables, secrets) = variables(command, env).map_err(&failed)?;
    let mut child = TokioCommand::new(path)
        .args(command.argv.iter().skip(1))
        .env_clear()
        .envs(passed_on(more))
        .envs(variables)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let limit = Duration::from_millis(command.timeout_ms);
    let mut timer = Timer::new(&env.clock).map_err(|error| failed(error.to_string()))?;
    let ended = {
        let done = pin!(finish(&mut child));
        tokio::select! {
            biased;
            done = done => Some(done),
            () = timer.until(env.clock.now() + limit) => None,
        }
    };
    let Some(ended) = ended else {
        // Its own children too: they would go on with what was given up.
        if let Some(group) = group {
            let _ = kill_process_group(group, Signal::KILL);
        }
        return Err(failed(format!("took longer than {} s and was ended", limit.as_secs_f64())));
    };
    let (status, output) = ended.map_err(|error| failed(error.to_string()))?;
    let output = redacted(&output, &secrets);
    if status.success() {
        return Ok(output);
    }
    let end: Vec<char> = output.trim().chars().rev().take(QUOTED).collect();
    Err(failed(format!("{status}: {}", end.iter().rev().collect::<String>())))
}

async fn finish(child: &mut Child) -> std::io::Result<(std::process::ExitStatus, Vec<u8>)> {
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (status, mut output, errors) = tokio::join!(child.wait(), kept(out), kept(err));
    output.extend(errors);
    output.truncate(KEPT);
    Ok((status?, output))
}

/// The beginning of a stream; the rest is read and forgotten, so that nobody waits for a full pipe.
async fn kept(stream: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let Some(mut stream) = stream else { return Vec::new() };
    let (mut kept, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(n @ 1..) = stream.read(&mut buffer).await {
        let room = KEPT.saturating_sub(kept.len()).min(n);
        kept.extend_from_slice(buffer.get(..room).unwrap_or_default());
    }
    kept
}

type Variables = Vec<(String, String)>;

/// What the program finds in its environment, and what of it must never be shown.
fn variables(command: &UndoCommand, env: &UndoEnv) -> Result<(Variables, Vec<Secret>), String> {
    let (mut all, mut secrets) = (Vec::new(), Vec::new());
    for (name, value) in &command.env {
        match value.strip_prefix('$') {
            None => all.push((name.clone(), value.clone())),
            Some(from) => {
                let secret =
                    (env.variable)(from).ok_or_else(|| format!("the environment variable {from} is not set"))?;
                all.push((name.clone(), secret.expose().to_owned()));
                secrets.push(secret);
            }
        }
    }
    Ok((all, secrets))
}

/// Output without what it was given in secret, and without what looks like a secret.
fn redacted(output: &[u8], secrets: &[Secret]) -> String {
    let mut text = String::from_utf8_lossy(output).into_owned();
    for secret in secrets.iter().filter(|secret| secret.expose().len() >= 4) {
        text = text.replace(secret.expose(), "***");
    }
    check::redacted(&text)
}

/// Keeps what an act's program said, in the run's folder.
pub(super) fn keep(dir: &Path, act: &str, output: &str) {
    if !output.trim().is_empty() {
        drop(std::fs::write(dir.join(format!("{act}.output.txt")), output));
    }
}
