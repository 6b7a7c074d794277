//! When a workload begins: at a time, or after another one.
//!
//! `After` is settled here, to the end of that workload and its drain: the plan stays one plan, whatever the answers do.

use std::time::Duration;

use super::Desk;
use crate::plan::load::Workload;
use crate::spec::scenario::Start as Written;
use crate::spec::source::{Mark, Spanned};

/// A beginning as written, with the name of its workload.
#[derive(Debug)]
pub(super) struct Beginning {
    name: String,
    what: What,
}

#[derive(Debug)]
enum What {
    At(Duration),
    After(String, Mark),
}

pub(super) fn read(desk: &mut Desk, name: String, written: Option<&Spanned<Written>>) -> Beginning {
    let what = match desk.open_if(written) {
        Some(Written::At(at)) => What::At(desk.duration(at).unwrap_or_default()),
        Some(Written::After(other)) => match desk.text(other) {
            Some(text) => What::After(text.to_owned(), other.mark),
            None => What::At(Duration::ZERO),
        },
        None => What::At(Duration::ZERO),
    };
    Beginning { name, what }
}

/// Gives every workload its beginning; rings and unknown names are reported.
pub(super) fn settle(desk: &mut Desk, all: &[Beginning], workloads: &mut [Workload]) {
    let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
    for one in all {
        if let What::After(other, at) = &one.what
            && !names.contains(&other.as_str())
        {
            desk.unknown("workload", other, *at, &names);
        }
    }
    for one in all {
        let start = match begin(one, all, workloads, &mut Vec::new()) {
            Ok(start) => start,
            Err(ring) => {
                if let What::After(_, at) = one.what {
                    let message = format!("workloads wait for each other: {}", ring.join(" → "));
                    desk.error("cyclic_start", at, message, "let one of them begin `At(\"0s\")`");
                }
                return;
            }
        };
        if let Some(workload) = workloads.iter_mut().find(|workload| workload.name == one.name) {
            workload.start = start;
        }
    }
}

/// When `one` begins, or the ring of names it waits in.
fn begin<'a>(
    one: &'a Beginning,
    all: &'a [Beginning],
    workloads: &[Workload],
    path: &mut Vec<&'a str>,
) -> Result<Duration, Vec<&'a str>> {
    path.push(&one.name);
    let name = match &one.what {
        What::At(at) => return Ok(*at),
        What::After(name, _) => name,
    };
    if let Some(first) = path.iter().position(|known| known == name) {
        let ring = path.iter().skip(first).copied().chain([name.as_str()]).collect();
        return Err(ring);
    }
    let Some(other) = all.iter().find(|other| other.name == *name) else { return Ok(Duration::ZERO) };
    let start = begin(other, all, workloads, path)?;
    let lasts = workloads
        .iter()
        .find(|workload| workload.name == *name)
        .map_or(Duration::ZERO, |workload| workload.length().saturating_sub(workload.start) + workload.drain);
    Ok(start + lasts)
}
