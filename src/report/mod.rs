//! Floor 5: renders journal and record into pages, tables and files.
//!
//! ```text
//! judge::account::Account -> view::View -> html · json · junit · markdown · terminal
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `view` `words` | order, rounding and wording, decided once |
//! | `html` | `index.html`: one file, no request, no script |
//! | `json` `junit` `hlog` | `result.json`, `junit.xml`, `latency.hlog` |
//! | `markdown` | `summary.md`, `postmortem.md` |
//! | `annotation` `gitlab` | what CI systems show beside a change |
//! | `terminal` `knee` | the summary at the end of a run; the rates of a search |
//! | `live` | progress while it runs |
//!
//! Everything is a function of the account and the exit code: no clock, no randomness, the same bytes every time.
//! Not here: judgement (`judge`), the run itself, who reads the files.

pub mod annotation;
pub mod arrivals;
pub mod gitlab;
pub mod hlog;
pub mod html;
pub mod json;
pub mod junit;
pub mod knee;
pub mod live;
pub mod markdown;
pub mod terminal;
pub mod view;
pub mod words;
pub mod xml;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::judge::account::Account;

/// Why a report cannot be written.
#[derive(Debug, Error)]
pub enum ReportError {
    /// The file system refused.
    #[error("{path} could not be written: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Writes every document of `account`, which ended with `exit_code`, into the folder `dir`: `index.html`, `result.json`,
/// `junit.xml`, `summary.md`, `latency.hlog`, and `postmortem.md` for a drill. Each is written under a temporary name and renamed, so that an old one is
/// never left half. A post-mortem that people have edited is kept; the new one is `postmortem.new.md`.
///
/// # Errors
/// When a file cannot be written.
pub fn write_all(account: &Account, dir: &Path, exit_code: u8) -> Result<Vec<PathBuf>, ReportError> {
    let view = view::of(account, exit_code);
    let mut result = format!("{:#}", json::result(account, exit_code));
    result.push('\n');
    let mut written = vec![
        write(dir, "index.html", &html::render(account, &view))?,
        write(dir, "result.json", &result)?,
        write(dir, "junit.xml", &junit::render(account, &view))?,
        write(dir, "summary.md", &markdown::summary(account, &view))?,
        write(dir, "latency.hlog", &hlog::render(account))?,
    ];
    if let Some(text) = markdown::postmortem(account, &view) {
        let edited = fs::read_to_string(dir.join("postmortem.md")).is_ok_and(|old| old != text);
        written.push(write(dir, if edited { "postmortem.new.md" } else { "postmortem.md" }, &text)?);
    }
    Ok(written)
}

/// Writes what GitLab shows into the folder `dir`: `junit.xml`, `metrics.txt` and `load-performance.json`.
///
/// # Errors
/// When a file cannot be written.
pub fn write_gitlab(account: &Account, dir: &Path, exit_code: u8) -> Result<Vec<PathBuf>, ReportError> {
    let view = view::of(account, exit_code);
    fs::create_dir_all(dir).map_err(|source| ReportError::Io { path: dir.to_owned(), source })?;
    let performance = format!("{:#}\n", gitlab::load_performance(account));
    Ok(vec![
        write(dir, "junit.xml", &junit::render(account, &view))?,
        write(dir, "metrics.txt", &gitlab::metrics(account))?,
        write(dir, "load-performance.json", &performance)?,
    ])
}

fn write(dir: &Path, name: &str, text: &str) -> Result<PathBuf, ReportError> {
    let path = dir.join(name);
    let draft = dir.join(format!(".{name}.draft"));
    let done = fs::write(&draft, text).and_then(|()| fs::rename(&draft, &path));
    match done {
        Ok(()) => Ok(path),
        Err(source) => {
            // What is left of the draft is of no use to anybody; the first error is the one that counts.
            fs::remove_file(&draft).ok();
            Err(ReportError::Io { path, source })
        }
    }
}
