//! May two runs be compared? Their hosts and records field by field, with what each difference means.
//!
//! Not here: reading the host (`measure::host`), the comparison itself (`baseline`).

use crate::measure::record::Head;

/// Share by which memory may differ.
const MEMORY: f64 = 0.05;

/// What a difference means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Worth a word.
    Warn,
    /// No comparison.
    Refuse,
}

/// One field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its name, as `--allow-mismatch` would take it.
    pub field: &'static str,
    /// What it is in the baseline.
    pub baseline: String,
    /// What it is in the candidate.
    pub candidate: String,
    /// What that means.
    pub weight: Weight,
}

/// Every field in which two runs differ so that it matters.
pub fn differences(baseline: &Head, candidate: &Head) -> Vec<Difference> {
    let minor = |version: &str| version.split('.').take(2).collect::<Vec<_>>().join(".");
    let (ours, theirs) = (&baseline.host, &candidate.host);
    let (one, other) = (ours.memory_mib as f64, theirs.memory_mib as f64);
    let alike = (one - other).abs() <= MEMORY * one.max(other);
    let memory = if alike { ours.memory_mib } else { theirs.memory_mib };
    let fields = [
        ("cpu", ours.cpu.clone(), theirs.cpu.clone(), Weight::Refuse),
        ("cores", ours.cores.to_string(), theirs.cores.to_string(), Weight::Refuse),
        ("memory_mib", ours.memory_mib.to_string(), memory.to_string(), Weight::Refuse),
        ("squall", minor(&baseline.squall), minor(&candidate.squall), Weight::Refuse),
        ("plan_hash", baseline.plan_hash.clone(), candidate.plan_hash.clone(), Weight::Refuse),
        ("grid_ms", baseline.grid_ms.to_string(), candidate.grid_ms.to_string(), Weight::Refuse),
        ("kernel", ours.kernel.clone(), theirs.kernel.clone(), Weight::Warn),
    ];
    let differs = |(field, baseline, candidate, weight): (&'static str, String, String, Weight)| {
        (baseline != candidate).then_some(Difference { field, baseline, candidate, weight })
    };
    fields.into_iter().filter_map(differs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::host::Fingerprint;

    #[test]
    fn each_field_is_named_and_small_differences_of_memory_do_not_count() {
        let host = Fingerprint { cpu: "A".into(), cores: 4, memory_mib: 8_000, kernel: "6.1".into() };
        let ours = Head { squall: "0.4.1".into(), plan_hash: "p".into(), host: host.clone(), ..Head::default() };
        let alike = Head { squall: "0.4.9".into(), host: Fingerprint { memory_mib: 7_700, ..host }, ..ours.clone() };
        assert_eq!(differences(&ours, &alike), []);
        let other = Head {
            squall: "0.5.0".into(),
            plan_hash: "q".into(),
            host: Fingerprint { cpu: "B".into(), cores: 8, memory_mib: 7_000, kernel: "6.2".into() },
            ..ours.clone()
        };
        let found = differences(&ours, &other);
        let names: Vec<&str> = found.iter().map(|one| one.field).collect();
        assert_eq!(names, ["cpu", "cores", "memory_mib", "squall", "plan_hash", "kernel"]);
        assert_eq!(found.iter().filter(|one| one.weight == Weight::Warn).count(), 1);
        assert_eq!((found[2].baseline.as_str(), found[2].candidate.as_str()), ("8000", "7000"));
    }
}
