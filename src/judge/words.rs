//! Numbers and subjects in words: how findings say what they demand, what was seen, and what to do next.
//!
//! Called by every file of this room that makes findings. Not here: layout and escaping (`report`).

use super::finding::Reason;
use crate::base::duration::show;
use crate::plan::threshold::{ClockKind, EVERY_PHASE, Margin, Outcomes, Scope, Subject, Threshold, Unit, Window};

/// `value` in `unit`, three significant digits: `241 ms`, `1.24 s`, `0.42 %`, `512 /s`, `12`.
pub fn quantity(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Us if value >= 1e6 => format!("{} s", digits(value / 1e6)),
        Unit::Us if value >= 1e3 => format!("{} ms", digits(value / 1e3)),
        Unit::Us => format!("{} us", digits(value)),
        Unit::S => format!("{} s", digits(value)),
        Unit::Ratio => format!("{} %", digits(value * 100.0)),
        Unit::PerS => format!("{} /s", digits(value)),
        Unit::Count if value.fract().abs() > 0.0 => digits(value),
        Unit::Count => format!("{value:.0}"),
    }
}

/// Three significant digits without trailing zeros; whole from 100 on.
fn digits(value: f64) -> String {
    let places = match value.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.9995 || size <= 0.0 => 2,
        size if size >= 0.0995 => 3,
        _ => 4,
    };
    let text = format!("{value:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A quantile as users write it: `p95`, `p99.9`.
pub fn percentile(q: f64) -> String {
    let text = format!("{:.4}", q * 100.0);
    format!("p{}", text.trim_end_matches('0').trim_end_matches('.'))
}

/// The subject as users write it.
pub fn subject(subject: Subject) -> String {
    match subject {
        Subject::Quantile(q) => percentile(q),
        Subject::Lateness(q) => format!("lateness.{}", percentile(q)),
        Subject::Slow(limit) => format!("slow({})", show(limit)),
        Subject::Mean => "mean".to_owned(),
        Subject::Max => "max".to_owned(),
        Subject::Min => "min".to_owned(),
        Subject::Errors => "errors".to_owned(),
        Subject::Timeouts => "timeouts".to_owned(),
        Subject::Shed => "shed".to_owned(),
        Subject::Offered => "offered".to_owned(),
        Subject::Achieved | Subject::AchievedShare => "achieved".to_owned(),
        Subject::Goodput => "goodput".to_owned(),
        Subject::Requests => "requests".to_owned(),
        Subject::Apdex(limit) => format!("apdex({})", show(limit)),
        Subject::Recovery => "recovery".to_owned(),
        Subject::Unavailable => "unavailable".to_owned(),
        Subject::GeneratorCpu => "generator_cpu".to_owned(),
    }
}

/// What a check is about: subject and scope; `steps` are the record's names.
pub fn about(check: &Threshold, steps: &[String]) -> String {
    let text = scope(&check.scope, steps);
    if text.is_empty() { subject(check.subject) } else { format!("{}{{{text}}}", subject(check.subject)) }
}

fn scope(scope: &Scope, steps: &[String]) -> String {
    let mut parts = Vec::new();
    let names: Vec<&str> =
        scope.steps.iter().filter_map(|step| steps.get(usize::from(step.0)).map(String::as_str)).collect();
    if !scope.steps.is_empty() {
        parts.push(format!("step={}", names.join("|")));
    }
    if !scope.phases.is_empty() && !scope.phases.iter().any(|phase| phase == EVERY_PHASE) {
        // The slots of one arm are one thing to a reader.
        let slots = scope.phases.len() > 1 && scope.phases.iter().all(|phase| phase.starts_with("candidate:"));
        parts.push(if slots { "phase=candidate:*".to_owned() } else { format!("phase={}", scope.phases.join("|")) });
    }
    parts.extend(scope.but.iter().map(|phase| format!("phase!={phase}")));
    for one in &scope.statuses {
        parts.push(format!("status{}{}", if one.is_negated { "!=" } else { "=" }, one.pattern));
    }
    match scope.outcome {
        Outcomes::Any => {}
        Outcomes::Ok => parts.push("outcome=ok".to_owned()),
        Outcomes::Failed => parts.push("outcome=failed".to_owned()),
    }
    if scope.clock == ClockKind::Service {
        parts.push("clock=service".to_owned());
    }
    parts.join(", ")
}

/// What a check demands: subject, comparison, bound, window.
pub fn demand(check: &Threshold) -> String {
    let bound = quantity(check.bound, check.subject.unit());
    let window = match check.window {
        Window::Whole => String::new(),
        Window::Over(length) => format!(", over {}", show(length)),
        Window::For(length) => format!(", not broken for {}", show(length)),
        Window::In(share, length) => format!(", in {} of {}", quantity(share, Unit::Ratio), show(length)),
    };
    let bound = match check.lean {
        Some(lean) if check.bound.is_finite() => {
            format!("{} {}, which is {bound}", lean.on.word(), margin(lean.margin, check.subject))
        }
        Some(lean) => format!("{} {}", lean.on.word(), margin(lean.margin, check.subject)),
        None => bound,
    };
    format!("{} {} {bound}{window}", subject(check.subject), check.cmp.sign())
}

/// A margin as users write it: `+5 %`, `-1 pp`, `+5 % or 10 ms`.
pub fn margin(margin: Margin, subject: Subject) -> String {
    let unit = if subject.is_share() { "pp" } else { "%" };
    let text = format!("{:+.3}", margin.slack * 100.0);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    let or = margin.least_us.map(|us| format!(" or {}", quantity(us, Unit::Us))).unwrap_or_default();
    format!("{text} {unit}{or}")
}

/// One fixed sentence of advice per reason.
pub fn advice(reason: Reason) -> &'static str {
    match reason {
        Reason::Within => "nothing to do",
        Reason::Beyond => "look at the slowest and the failed requests of this window in the report",
        Reason::Marginal => "run longer: the bound lies inside the interval",
        Reason::Unanswered => "see the errors by kind: failed and shed arrivals rank above every answer",
        Reason::NoData => "check that the scope is reached: nothing in it was measured",
        Reason::FewSamples => "run longer or at a higher rate, or state `n >= N` in the check",
        Reason::Unbounded => "run longer: so few samples do not limit this percentile from above",
        Reason::Generator => "give the generator more processor, or lower the rate, and run again",
        Reason::NotInjected => {
            "make sure that the act reaches its target: without proof nothing depending on it can pass"
        }
        Reason::Truncated => "run again: the record ends before the run did",
        Reason::NotEvaluated => "run longer than the window of the check",
        Reason::LowPower => "use more blocks, or longer slots: so few neither prove a change nor that there is none",
        Reason::Unresolvable => "use more blocks: so few can prove nothing",
        Reason::CarryOver => "lengthen --settle: what one slot leaves behind reaches the next",
        Reason::ControlMoved => "find what else differs between the arms: a step moved that the change cannot touch",
        Reason::ArmsUnlike => {
            "give both arms the same load and compare their errors as well: unlike arms have unlike times"
        }
        Reason::Uncalibrated => {
            "run `squall gate calibrate` until the ledger proves few false reds: until then this comparison only warns"
        }
        Reason::Fingerprint => {
            "measure both on the same machine with the same plan, or name the field with --allow-mismatch"
        }
        Reason::Censored => "it did not happen while the run was observed: rehearse this response again",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_three_digits_and_a_unit() {
        for (value, unit, text) in [
            (241_300.0, Unit::Us, "241 ms"),
            (1_244_000.0, Unit::Us, "1.24 s"),
            (850.0, Unit::Us, "850 us"),
            (999_960.0, Unit::Us, "1000 ms"),
            (0.004_2, Unit::Ratio, "0.42 %"),
            (0.0, Unit::Ratio, "0 %"),
            (1.0, Unit::Ratio, "100 %"),
            (512.3, Unit::PerS, "512 /s"),
            (12.0, Unit::Count, "12"),
            (75.0, Unit::S, "75 s"),
        ] {
            assert_eq!(quantity(value, unit), text);
        }
        assert_eq!(
            (percentile(0.95), percentile(0.999), percentile(0.5)),
            ("p95".into(), "p99.9".into(), "p50".into())
        );
    }
}
