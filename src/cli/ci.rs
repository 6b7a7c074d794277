//! What a CI system is told of a finished run: annotations and the job's summary on GitHub, metrics on GitLab.
//!
//! Called behind every result that decides a job. Not here: the formats (`report`).

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::args::Global;
use super::assemble::Judged;
use super::exit::{Failure, could_not};
use super::term;
use crate::report::{self, annotation, markdown, view};

/// Where this process runs.
#[derive(Clone, Debug, Default)]
pub(super) struct Ci {
    /// Annotations go to stdout.
    pub(super) annotates: bool,
    /// The summary of the job.
    pub(super) summary: Option<PathBuf>,
    /// Where GitLab's files go.
    pub(super) gitlab: Option<PathBuf>,
}

impl Ci {
    /// As the environment and the command line say.
    pub(super) fn of(global: &Global) -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let on_github = set("GITHUB_ACTIONS").is_some();
        let on_gitlab = set("GITLAB_CI").is_some();
        Self {
            annotates: on_github && !global.json,
            summary: set("GITHUB_STEP_SUMMARY").filter(|_| on_github).map(PathBuf::from),
            gitlab: global.out_gitlab.clone().or_else(|| on_gitlab.then(PathBuf::new)),
        }
    }
}

/// Shows the run in `dir` to the person at the terminal, and to the system around it.
pub(super) fn show(judged: &Judged, dir: &Path, global: &Global) -> Result<(), Failure> {
    show_as(judged, &Ci::of(global), (dir, global))
}

/// The same, with another idea of the system around it.
pub(super) fn show_as(judged: &Judged, ci: &Ci, (dir, global): (&Path, &Global)) -> Result<(), Failure> {
    term::result(judged, dir, global);
    tell(judged, ci, dir)
}

/// Tells it of the run in `dir`.
fn tell(judged: &Judged, ci: &Ci, dir: &Path) -> Result<(), Failure> {
    let (account, code) = (&judged.account, judged.exit.code());
    let view = view::of(account, code);
    if ci.annotates {
        let lines = annotation::github(account, &view);
        if !lines.is_empty() {
            term::out(&lines);
        }
    }
    if let Some(path) = &ci.summary {
        let text = markdown::summary(account, &view);
        let file = OpenOptions::new().append(true).create(true).open(path);
        file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(could_not("write the job's summary"))?;
    }
    if let Some(place) = &ci.gitlab {
        // Without a folder of their own they lie beside the run's other files.
        let place = if place.as_os_str().is_empty() { dir } else { place };
        report::write_gitlab(account, place, code).map_err(could_not("write GitLab's files"))?;
    }
    Ok(())
}
