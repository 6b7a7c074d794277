//! The lever on a cluster: a manifest, applied and deleted by `kubectl` from PATH, in a context and namespace that are always named.
//!
//! Not here: what the objects do. The client finds its configuration by HOME and KUBECONFIG, as it does for its user.

use std::path::Path;

use super::LeverError;
use super::command::run;
use super::undo::UndoEnv;
use crate::measure::journal::UndoCommand;

/// What the client needs of our environment.
const PASSED: [&str; 3] = ["PATH", "HOME", "KUBECONFIG"];
/// Longest time for one call, ms.
const LIMIT: u64 = 9_000;

/// Where, and what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Object<'a> {
    pub(super) context: &'a str,
    pub(super) namespace: &'a str,
    /// Path of the manifest.
    pub(super) manifest: &'a str,
}

async fn client(object: Object<'_>, words: &[&str], env: &UndoEnv) -> Result<String, LeverError> {
    let mut argv: Vec<String> =
        ["kubectl", "--context", object.context, "--namespace", object.namespace].map(str::to_owned).to_vec();
    argv.extend(words.iter().map(|word| (*word).to_owned()));
    argv.extend(["-f".to_owned(), object.manifest.to_owned()]);
    run(&UndoCommand { argv, env: Vec::new(), timeout_ms: LIMIT }, &PASSED, env).await
}

/// Writes the manifest where the undo will find it; a run's folder outlives the run.
pub(super) fn keep(path: &Path, text: &str) -> Result<(), LeverError> {
    std::fs::write(path, text).map_err(|source| LeverError::Io { address: path.display().to_string(), source })
}

/// Makes the objects, and sees that they are there.
pub(super) async fn apply(object: Object<'_>, env: &UndoEnv) -> Result<u64, LeverError> {
    client(object, &["apply"], env).await?;
    client(object, &["get"], env).await.map(|_| 1)
}

/// Deletes the objects.
pub(super) async fn delete(object: Object<'_>, env: &UndoEnv) -> Result<String, String> {
    let words = ["delete", "--ignore-not-found", "--timeout=8s"];
    client(object, &words, env).await.map(|_| "its objects were deleted".to_owned()).map_err(|error| error.to_string())
}

/// Sees that none of the objects is there.
pub(super) async fn is_gone(object: Object<'_>, env: &UndoEnv) -> Result<String, String> {
    let words = ["get", "--ignore-not-found", "-o", "name"];
    match client(object, &words, env).await {
        Ok(names) if names.trim().is_empty() => Ok("none of its objects is there".to_owned()),
        Ok(names) => Err(format!("still there: {}", names.split_whitespace().collect::<Vec<_>>().join(", "))),
        Err(error) => Err(error.to_string()),
    }
}
