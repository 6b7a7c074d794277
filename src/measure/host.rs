//! What this machine is, and how a thread fares on it: processor model, cores, memory, time spent waiting for a processor.
//!
//! Reads `/proc`; everything is optional, because containers hide parts of it. Not here: judgement of the numbers (`judge`).

use std::fs;
use std::thread;

use serde::{Deserialize, Serialize};

/// What the run was measured on; runs of unlike hosts are not compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Processor model.
    pub cpu: String,
    /// Processors this process may use.
    pub cores: usize,
    /// Memory, MiB.
    pub memory_mib: u64,
    /// Kernel release.
    pub kernel: String,
}

/// The fingerprint of this machine.
pub fn fingerprint() -> Fingerprint {
    Fingerprint {
        cpu: field("/proc/cpuinfo", "model name").unwrap_or_default(),
        cores: cores(),
        memory_mib: field("/proc/meminfo", "MemTotal").and_then(|text| kib(&text)).unwrap_or(0) / 1024,
        kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
    }
}

/// Processors this process may use, at least 1.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Largest resident memory of this process so far, KiB.
pub fn max_rss_kib() -> u64 {
    field("/proc/self/status", "VmHWM").and_then(|text| kib(&text)).unwrap_or(0)
}

/// Microseconds the calling thread has spent ready to run but waiting for a processor (Linux `schedstat`).
pub fn waited_us() -> u64 {
    fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split_whitespace().nth(1)?.parse::<u64>().ok())
        .map_or(0, |nanos| nanos / 1_000)
}

/// Microseconds that other guests of this machine took from one of its processors, on average, since it started.
pub fn stolen_us() -> u64 {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    stolen(&text) / cores() as u64
}

/// The eighth number of the first line, in hundredths of a second (proc(5)).
fn stolen(stat: &str) -> u64 {
    let all = stat.lines().next().unwrap_or_default();
    all.split_whitespace().nth(8).and_then(|ticks| ticks.parse::<u64>().ok()).map_or(0, |ticks| ticks * 10_000)
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

fn kib(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stolen_time_is_the_eighth_number() {
        assert_eq!(stolen("cpu  1 2 3 4 5 6 7 80 9 10\ncpu0 1 1 1 1 1 1 1 1"), 800_000);
        assert_eq!(stolen("cpu  1 2 3"), 0);
    }

    #[test]
    fn this_machine_has_cores_and_memory() {
        let host = fingerprint();
        assert!(host.cores >= 1);
        assert!(host.memory_mib > 0 && max_rss_kib() > 0);
    }
}
