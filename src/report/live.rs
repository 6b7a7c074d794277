//! Progress while a run lasts, on stderr: a bar and five lines on a terminal; elsewhere one plain line every 10 s and at each
//! phase and act.
//!
//! Live numbers are by the second of completion, and so late by up to the timeout; the record is not. Not here: the summary.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::words;
use crate::measure::interval::{Cell, Flow, Interval};
use crate::measure::outcome::Class;

/// Where progress goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// A terminal: a bar that redraws itself.
    Terminal,
    /// A file or a pipe: plain lines.
    Lines,
    /// Nowhere: `--quiet`, tests.
    Silent,
}

/// Seconds that the moving numbers look back, and between plain lines.
const WINDOW: usize = 10;

/// The progress of one run.
#[derive(Debug)]
pub struct Live {
    title: String,
    screen: Screen,
    bar: ProgressBar,
    total_s: u64,
    elapsed_s: u64,
    window: VecDeque<Interval>,
    phase: String,
    fault: String,
}

impl Live {
    /// Begins to show the run called `title`, which is planned to take `total`.
    pub fn new(title: &str, total: Duration, screen: Screen) -> Self {
        let total_s = total.as_secs().max(1);
        let bar = match screen {
            Screen::Terminal => ProgressBar::with_draw_target(Some(total_s), ProgressDrawTarget::stderr_with_hz(4)),
            _ => ProgressBar::hidden(),
        };
        if let Ok(style) = ProgressStyle::with_template("{prefix:.bold}  {wide_bar:.cyan/dim}  {pos}/{len} s\n{msg}") {
            bar.set_style(style.progress_chars("━╸─"));
        }
        let title = words::name(title);
        bar.set_prefix(title.clone());
        Self {
            title,
            screen,
            bar,
            total_s,
            elapsed_s: 0,
            window: VecDeque::new(),
            phase: "-".to_owned(),
            fault: "-".to_owned(),
        }
    }

    /// A second is over, by completion.
    pub fn second(&mut self, second: &Interval) {
        self.elapsed_s += 1;
        self.window.push_back(second.clone());
        if self.window.len() > WINDOW {
            self.window.pop_front();
        }
        match self.screen {
            Screen::Terminal => {
                self.bar.set_position(self.elapsed_s.min(self.total_s));
                self.bar.set_message(self.lines());
            }
            Screen::Lines if self.elapsed_s.is_multiple_of(WINDOW as u64) => say(&self.line()),
            _ => {}
        }
    }

    /// A phase begins.
    pub fn phase(&mut self, name: &str) {
        self.phase = words::name(name);
        self.bar.set_prefix(format!("{} · {}", self.title, self.phase));
        let line = format!("t={}s phase={}", self.elapsed_s, self.phase);
        self.event(&line, &format!("── {}", self.phase));
    }

    /// A fault is in force, or none (`""`).
    pub fn fault(&mut self, name: &str) {
        self.fault = if name.is_empty() { "-".to_owned() } else { words::name(name) };
        let line = format!("t={}s fault={}", self.elapsed_s, self.fault);
        self.event(&line, &format!("── fault: {}", self.fault));
    }

    /// Something happened that a watcher should know.
    pub fn note(&mut self, text: &str) {
        let text = words::plain(&words::text(text));
        let line = format!("t={}s {text}", self.elapsed_s);
        self.event(&line, &text);
    }

    fn event(&self, line: &str, shown: &str) {
        match self.screen {
            Screen::Terminal => self.bar.println(shown),
            Screen::Lines => say(line),
            Screen::Silent => {}
        }
    }

    /// Clears the bar; what was printed stays.
    pub fn finish(&mut self) {
        self.bar.finish_and_clear();
    }

    /// The last seconds as one, and how many they are.
    fn recent(&self) -> (Cell, Flow, f64) {
        let (mut all, mut flow) = (Cell::default(), Flow::default());
        for second in &self.window {
            second.steps.values().for_each(|cell| all.merge(cell));
            flow.merge(&second.flow);
        }
        flow.in_flight = self.window.back().map_or(0, |last| last.flow.in_flight);
        (all, flow, self.window.len().max(1) as f64)
    }

    /// The plain line of the last ten seconds.
    pub fn line(&self) -> String {
        let (all, flow, seconds) = self.recent();
        let both = all.response.both();
        let time = |q: f64| tight(&words::time_or_dash(both.value_at(q)));
        let unanswered = all.failed() + all.classes.get(Class::Shed);
        format!(
            "t={}s phase={} offered={} achieved={} in_flight={} p50={} p95={} p99={} errors={} lateness_p99={} fault={} n={}",
            self.elapsed_s,
            self.phase,
            tight(&words::rate(all.arrivals() as f64 / seconds)),
            tight(&words::rate(flow.sent as f64 / seconds)),
            flow.in_flight,
            time(0.5),
            time(0.95),
            time(0.99),
            tight(&words::part(unanswered, all.arrivals())),
            tight(&words::time_or_dash(all.lateness.value_at(0.99))),
            self.fault,
            all.arrivals()
        )
    }

    /// What stands under the bar on a terminal.
    fn lines(&self) -> String {
        let (all, flow, seconds) = self.recent();
        let both = all.response.both();
        let time = |q: f64| words::time_or_dash(both.value_at(q));
        let n = all.arrivals();
        let mut text = format!(
            "  load       {} offered · {} sent · {} under way\n",
            words::rate(n as f64 / seconds),
            words::rate(flow.sent as f64 / seconds),
            words::count(flow.in_flight)
        );
        let _ = writeln!(
            text,
            "  response   p50 {} · p95 {} · p99 {}   last {seconds:.0} s, n {}, by completion",
            time(0.5),
            time(0.95),
            time(0.99),
            words::count(n)
        );
        let mut kinds: Vec<(&String, &u64)> = all.errors.iter().collect();
        kinds.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let kinds: Vec<String> =
            kinds.iter().take(3).map(|(kind, n)| format!("{} {}", words::name(kind), words::count(**n))).collect();
        let _ = writeln!(text, "  bad        {}   {}", words::part(all.classes.bad(), n), kinds.join(" · "));
        let _ = writeln!(text, "  generator  lateness p99 {}", words::time_or_dash(all.lateness.value_at(0.99)));
        let _ = write!(text, "  phase      {} · fault {}", self.phase, self.fault);
        words::plain(&text)
    }
}

/// Without spaces, as `key=value` lines want it.
fn tight(text: &str) -> String {
    words::plain(text).replace(' ', "")
}

/// One line on stderr; a closed stderr must not end a run.
fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").ok();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::sample::StepId;

    fn second(ms: u64, n: u64) -> Interval {
        let mut interval = Interval::at(0);
        let cell = interval.steps.entry(StepId(0)).or_default();
        for _ in 0..n {
            cell.response.ok.record(ms * 1_000);
            cell.classes.add(Class::Ok, 1);
            cell.lateness.record(300);
        }
        interval.flow.sent = n;
        interval.flow.in_flight = 4;
        interval
    }

    #[test]
    fn the_plain_line_is_of_the_last_ten_seconds() {
        let mut live = Live::new("shop", Duration::from_secs(30), Screen::Silent);
        live.phase("steady");
        for _ in 0..10 {
            live.second(&second(900, 5));
        }
        for _ in 0..10 {
            live.second(&second(40, 100));
        }
        insta::assert_snapshot!(live.line(), @"t=20s phase=steady offered=100/s achieved=100/s in_flight=4 p50=40ms p95=40ms p99=40ms errors=0% lateness_p99=300µs fault=- n=1000");
        live.finish();
    }

    #[test]
    fn nothing_measured_is_shown_as_a_dash() {
        let mut live = Live::new("shop", Duration::ZERO, Screen::Silent);
        live.second(&Interval::at(0));
        assert!(live.line().contains("p95=– p99=– errors=–"), "{}", live.line());
        assert!(live.lines().contains("p95 –"));
    }
}
