//! The comparisons of two arms as lines, and what the gate could not have seen.
//!
//! Rendered by `terminal`. Not here: how a comparison is decided (`judge::blocks`).

use crate::judge::account::Account;
use crate::judge::finding::{Compare, Finding, Verdict};
use crate::report::words;

use super::checks::counted;

/// `p95 /x  +8.2 % [+5.7, +10.4]  vs baseline +5 %  W 51/55  p 0.0068` and the verdict as it counts, in the order of the findings.
pub fn lines(account: &Account) -> Vec<(Verdict, String)> {
    account.findings.iter().filter_map(|one| Some((counted(one), line(one, one.evidence.compare.as_ref()?)))).collect()
}

fn line(finding: &Finding, compare: &Compare) -> String {
    format!(
        "{}  {}  vs baseline {}  W {}/{}  p {}",
        words::name(&compare.what),
        words::text(finding.observed.split(';').next().unwrap_or_default()),
        compare.margin,
        rank_sum(compare.w),
        rank_sum(compare.w_max),
        chance(compare.p),
    )
}

/// A sum of ranks: whole, or with its half.
fn rank_sum(sum: f64) -> String {
    let text = format!("{sum:.1}");
    text.trim_end_matches(".0").to_owned()
}

/// A probability in two significant digits: `0.0068`, `0.98`.
fn chance(p: f64) -> String {
    match p {
        p if p >= 0.1 => format!("{p:.2}"),
        p if p >= 0.01 => format!("{p:.3}"),
        p if p >= 0.0001 => format!("{p:.4}"),
        _ => "<0.0001".to_owned(),
    }
}

/// `detectable: p95 +2.9 % beyond the margin (10 blocks, sd 2.4 %)`, of the comparison that sees least; none without one.
pub fn detectable(account: &Account) -> Option<String> {
    let seen = account.findings.iter().filter_map(|one| {
        let compare = one.evidence.compare.as_ref()?;
        Some((compare, compare.mde?, compare.sd?, compare.margin.contains("pp")))
    });
    // Points and percent cannot be put in one order: times are what a gate is asked about first.
    let (compare, mde, sd, is_share) = seen.reduce(|a, b| if (!b.3, b.1) > (!a.3, a.1) { b } else { a })?;
    let unit = if is_share { "pp" } else { "%" };
    let what = words::name(&compare.what);
    let n = compare.blocks.len();
    Some(format!(
        "detectable: {what} {:+.1} {unit} beyond the margin ({n} blocks, sd {:.1} {unit})",
        mde * 100.0,
        sd * 100.0
    ))
}
