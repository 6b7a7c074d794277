//! An account of two arms: a red comparison of times with its shift, a passing one of shares, and a silent block.
//!
//! Not here: any assertion.

use super::{finding, made, phase, second};
use crate::judge::account::Account;
use crate::judge::finding::{Compare, Evidence, Finding, FindingKind, Verdict};
use crate::measure::interval::Interval;
use crate::plan::threshold::Unit;
use crate::stats::shift::{QUANTILES, Shift};

const CHANGES: [f64; 10] = [0.0839, 0.0784, 0.0661, 0.1024, 0.0328, 0.0987, 0.0488, 0.0934, 0.0621, 0.1029];

/// Ten blocks of two arms.
pub(in crate::report) fn compared() -> Account {
    let mut dice = super::Dice(5);
    let seconds: Vec<Interval> = (0..60).map(|at| second(at, 40, 0, &mut dice)).collect();
    let mut account = made("ab", "pair", seconds);
    account.bands = (0..20_u32)
        .map(|n| {
            phase(
                &format!("{}:{}", if n % 4 < 2 { "base" } else { "candidate" }, n / 2 + 1),
                f64::from(n) * 3.0,
                f64::from(n) * 3.0 + 3.0,
            )
        })
        .collect();
    let moved = |q: f64| Shift { q, ratio: 1.0 + q / 9.0, low: Some(1.0 + q / 20.0), high: Some(1.0 + q / 6.0) };
    let blocks = |scale: f64| CHANGES.iter().enumerate().map(|(n, one)| (one * scale, n % 3 > 0)).collect();
    let compare = |what: &str, margin: &str, scale: f64| Compare {
        what: what.to_owned(),
        margin: margin.to_owned(),
        w: 51.0,
        w_max: 55.0,
        p: 0.006_84,
        alpha: 0.01,
        m: 2,
        stage: (1, 1),
        sd: Some(0.024),
        mde: Some(0.029),
        blocks: blocks(scale),
        shift: Vec::new(),
    };
    let one = |id: &str, verdict, compare: Compare, [value, low, high, bound]: [f64; 4]| Finding {
        kind: FindingKind::Comparison,
        observed: "+8.2 % [+5.7, +10.4]".to_owned(),
        evidence: Evidence {
            value: Some(value),
            low: Some(low),
            high: Some(high),
            bound: Some(bound),
            unit: Unit::Ratio,
            n: 10,
            compare: Some(Box::new(compare)),
            ..Evidence::nothing()
        },
        ..finding(id, verdict, [1.0; 4])
    };
    let mut times = compare("p95 /api/checkout", "+5 %", 1.0);
    times.shift = QUANTILES.iter().map(|q| moved(*q)).collect();
    times.blocks[4].0 = 50.0;
    let shares = compare("errors", "+1 pp", 0.01);
    account.findings = vec![
        one("p95{step=/api/checkout} <= baseline +5%", Verdict::Fail, times, [0.0815, 0.0570, 0.1037, 0.05]),
        one("errors <= baseline +1pp", Verdict::Pass, shares, [0.0008, 0.0005, 0.0011, 0.01]),
    ];
    account
}
