//! Cases of the self-test in which nobody is answered for as long as anybody arrives: what users and clients then do to a target.

use std::time::Duration;

use super::lab::{Lab, Seen};
use super::line::Line;
use crate::cli::exit::Failure;
use crate::load::truth::target::Reply;

/// Arrivals a second: everyone who waits has a connection.
const RATE: u32 = 100;

/// `RATE` arrivals a second of a client that does `what`, all of them while the target is silent.
fn silence(lab: &Lab, what: &str) -> Result<Seen, Failure> {
    let length = Duration::from_secs(u64::from(lab.seconds));
    let load = Lab::arrivals(RATE, lab.seconds, ", max_in_flight: 20000");
    let parts = format!(
        "client: (connections: Shared(max: 4000), {what}), load: [{load}], \
         journeys: {{\"j\": (steps: [Http(name: \"get\", url: \"/\")])}}"
    );
    lab.written(&parts, move |asked| Reply::ok("late").after(length.saturating_sub(asked.at)))
}

/// A fifth of the silence, as the file says it.
fn fifth(lab: &Lab) -> String {
    format!("{}ms", u64::from(lab.seconds) * 200)
}

/// Who waits a fifth of the silence and asks again at once, three times at most: 1 + 0.8 + 0.6 + 0.4 attempts in it.
pub(super) fn reloads(lab: &Lab) -> Result<Vec<Line>, Failure> {
    let seen = silence(lab, &format!("patience: (leaves_after: Fixed({:?}), then: Reload(3))", fifth(lab)))?;
    let all = u64::from(RATE) * u64::from(lab.seconds);
    let ratio = seen.asked as f64 / all as f64;
    // Four attempts end within the silence for whoever came in its first fifth: these leave.
    let gone = seen.errors("abandoned") as f64 / all as f64;
    Ok(vec![
        Line::exact("planned", &all, &seen.planned()),
        Line::exact("asked, by the target", &seen.account.totals.flow.sent, &seen.asked),
        Line::near("attempts per arrival", 2.80, ratio, (0.056, ""), seen.noise),
        Line::near("abandoned for good", 0.20, gone, (0.02, ""), seen.noise),
    ])
}

/// A client that tries again after a fifth of the silence, for a tenth of its requests at most.
pub(super) fn budget(lab: &Lab) -> Result<Vec<Line>, Failure> {
    let what = format!("timeouts: (first_byte: {:?}), retry: (on: \"timeout\", times: 3, budget: \"10%\")", fifth(lab));
    let seen = silence(lab, &what)?;
    let all = u64::from(RATE) * u64::from(lab.seconds);
    let ratio = seen.asked as f64 / all as f64;
    Ok(vec![
        Line::exact("planned", &all, &seen.planned()),
        Line::exact("asked, by the target", &seen.account.totals.flow.sent, &seen.asked),
        Line::at_most("attempts per arrival", 1.10, ratio, "", seen.noise),
        Line::at_most("and some were tried again", ratio, 1.0, "", seen.noise),
    ])
}
