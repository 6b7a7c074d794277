//! One number of the self-test beside its truth.
//!
//! A count must be exact whatever the machine does; a time may be off where the machine is known to be noisy.

use serde_json::{Value, json};

/// How a number came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Within its tolerance.
    Holds,
    /// Outside, and nothing excuses it.
    Off,
    /// Outside, on a machine that is too noisy to tell.
    Noisy,
}

/// Whether noise can excuse a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Noise {
    /// The generator kept its pace and the machine its time.
    Quiet,
    /// It did not.
    Loud,
}

/// A number, its truth and its tolerance, in words; and whether it holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    what: String,
    truth: String,
    seen: String,
    tolerance: String,
    state: State,
}

impl Line {
    /// What must be the very same.
    pub(super) fn exact<T: PartialEq + ToString>(what: &str, truth: &T, seen: &T) -> Self {
        let state = if truth == seen { State::Holds } else { State::Off };
        Self::new(what, (truth.to_string(), seen.to_string(), "exact".to_owned()), state)
    }

    /// What must lie within `tolerance` of its truth, all in `unit`.
    pub(super) fn near(what: &str, truth: f64, seen: f64, (tolerance, unit): (f64, &str), noise: Noise) -> Self {
        let holds = (seen - truth).abs() <= tolerance;
        let texts = (with(truth, unit), with(seen, unit), format!("± {}", with(tolerance, unit)));
        Self::new(what, texts, excused(holds, noise))
    }

    /// What must be at most `most`, in `unit`.
    pub(super) fn at_most(what: &str, most: f64, seen: f64, unit: &str, noise: Noise) -> Self {
        Self::new(
            what,
            (format!("≤ {}", with(most, unit)), with(seen, unit), String::new()),
            excused(seen <= most, noise),
        )
    }

    /// A word that depends on how quiet the machine is.
    pub(super) fn word(what: &str, truth: &str, seen: &str, noise: Noise) -> Self {
        Self::new(what, (truth.to_owned(), seen.to_owned(), String::new()), excused(truth == seen, noise))
    }

    fn new(what: &str, (truth, seen, tolerance): (String, String, String), state: State) -> Self {
        Self { what: what.to_owned(), truth, seen, tolerance, state }
    }

    pub(super) fn state(&self) -> State {
        self.state
    }

    /// As a row of the table.
    pub(super) fn row(&self, case: &str) -> String {
        let word = match self.state {
            State::Holds => "ok",
            State::Off => "OFF",
            State::Noisy => "noisy",
        };
        row(case, &self.what, [&self.truth, &self.seen, &self.tolerance, word])
    }

    /// As an object.
    pub(super) fn json(&self, case: &str) -> Value {
        let state = match self.state {
            State::Holds => "ok",
            State::Off => "off",
            State::Noisy => "noisy",
        };
        json!({
            "case": case, "what": self.what, "truth": self.truth, "seen": self.seen, "tolerance": self.tolerance,
            "state": state,
        })
    }
}

fn excused(holds: bool, noise: Noise) -> State {
    match (holds, noise) {
        (true, _) => State::Holds,
        (false, Noise::Quiet) => State::Off,
        (false, Noise::Loud) => State::Noisy,
    }
}

fn with(value: f64, unit: &str) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if unit.is_empty() { text.to_owned() } else { format!("{text} {unit}") }
}

fn row(case: &str, what: &str, [truth, seen, tolerance, word]: [&str; 4]) -> String {
    format!("{case:<18} {what:<30} {truth:>14} {seen:>14} {tolerance:>11}  {word}")
}

/// The head of the table.
pub(super) fn head() -> String {
    row("case", "what", ["truth", "seen", "tolerance", ""]).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_never_excused_and_a_time_only_where_it_is_loud() {
        assert_eq!(Line::exact("n", &10, &10).state(), State::Holds);
        assert_eq!(Line::exact("n", &10, &11).state(), State::Off);
        let time = |seen, noise| Line::near("p50", 500.0, seen, (10.0, "ms"), noise).state();
        assert_eq!(
            [time(509.0, Noise::Quiet), time(511.0, Noise::Quiet), time(511.0, Noise::Loud)],
            [State::Holds, State::Off, State::Noisy]
        );
        assert_eq!(Line::at_most("late", 60.0, 61.0, "us", Noise::Quiet).state(), State::Off);
        assert_eq!(Line::near("p", 1.0, f64::NAN, (1.0, ""), Noise::Quiet).state(), State::Off);
    }
}
