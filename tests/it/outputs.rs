//! What machines read of a run: `result.json` against its schema, `latency.hlog` by a foreign reader, GitHub and GitLab.
//! Files are compared, not verdicts: a busy machine may make a run invalid.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::program::{Ran, Squall};
use crate::support::schema::violations;
use crate::support::server::Server;
use crate::support::throwaway::{needs, skip};

fn run(flags: &[&str]) -> Ran {
    let server = Server::start().drop_every(10);
    Squall::new().args(["run", &server.url(), "--rate", "200/s", "--for", "3s"]).args(flags).run()
}

#[test]
fn the_result_keeps_to_its_published_schema() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/result.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut result = run(&["--check", "errors < 1%"]).json("result.json");
    assert_eq!(violations(&schema, &schema, &result, ""), [""; 0]);
    result["findings"][0]["verdict"] = "perhaps".into();
    assert_eq!(violations(&schema, &schema, &result, "").len(), 1, "the schema can refuse");
}

/// Python with `hdrhistogram` of the package index, in a folder of its own; `None` (said aloud) without one.
fn python(folder: &Path) -> Option<PathBuf> {
    let python = needs("python3")?;
    let quiet = |command: &mut Command| {
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    let own = folder.join("bin/python");
    let is_ready = quiet(Command::new(python).args(["-m", "venv"]).arg(folder))
        && quiet(Command::new(&own).args(["-m", "pip", "install", "-q", "hdrhistogram==0.10.8"]));
    if !is_ready {
        skip("hdrhistogram for python3");
        return None;
    }
    Some(own)
}

const READER: &str = r"
import json, sys
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader
found = {}
reader = HistogramLogReader(sys.argv[1], HdrHistogram(1, 3600000000, 3))
while True:
    one = reader.get_next_interval_histogram()
    if one is None:
        break
    total = found.setdefault(one.tag, HdrHistogram(1, 3600000000, 3))
    total.add(one)
print(json.dumps({tag: dict(n=h.get_total_count(), **{str(q): h.get_value_at_percentile(q) for q in (50, 90, 99)}) for tag, h in found.items()}))
";

#[test]
fn an_independent_reader_finds_the_same_counts_and_percentiles_in_the_interval_log() {
    let folder = tempfile::tempdir().unwrap();
    let Some(python) = python(folder.path()) else { return };
    let ran = run(&[]);
    let result = ran.json("result.json");
    let log = ran.report().join("latency.hlog");
    let read = Command::new(python).args(["-c", READER]).arg(&log).output().unwrap();
    let read: Value = serde_json::from_slice(&read.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&read.stderr)));
    assert_eq!(read["response"]["n"], 600, "{read}");
    assert_eq!(read["response:GET%20/"], read["response"], "one step is the whole");
    let lateness = &result["latency_us"]["lateness"];
    for (theirs, ours) in [("n", "n"), ("50", "p50"), ("90", "p90"), ("99", "p99")] {
        assert_eq!(read["lateness"][theirs], lateness[ours], "{theirs}: {read} {lateness}");
    }
}

#[test]
fn github_gets_annotations_and_a_summary_and_machines_get_json_alone() {
    let folder = tempfile::tempdir().unwrap();
    let summary = folder.path().join("summary.md");
    fs::write(&summary, "before\n").unwrap();
    let server = Server::start().drop_every(10);
    let squall = || {
        let squall =
            Squall::new().args(["run", &server.url(), "--rate", "200/s", "--for", "3s", "--check", "errors < 1%"]);
        squall.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())
    };
    let ran = squall().run();
    let line = ran.stdout().lines().find(|line| line.starts_with("::error ")).map(str::to_owned).unwrap();
    assert!(line.contains("file=url.ron,line=") && line.contains("title=errors < 1%25::"), "{line}");
    let text = fs::read_to_string(&summary).unwrap();
    assert!(text.starts_with("before\n<!-- squall:") && text.contains("`errors < 1%`"), "{text}");
    assert_eq!(fs::read_to_string(ran.report().join("summary.md")).unwrap(), text.trim_start_matches("before\n"));
    let machine = squall().args(["--json"]).run();
    serde_json::from_str::<Value>(&machine.stdout()).unwrap();
}

#[test]
fn gitlab_gets_its_three_files_where_it_wants_them() {
    let ran = run(&["--out-gitlab", "gl"]);
    let file = |name: &str| fs::read_to_string(ran.folder().join("gl").join(name)).unwrap();
    let metrics = file("metrics.txt");
    assert!(metrics.ends_with("# EOF\n"), "{metrics}");
    assert!(metrics.contains("squall_bad_ratio{step=\"all\"} 0.1\n"), "{metrics}");
    let load: Value = serde_json::from_str(&file("load-performance.json")).unwrap();
    assert_eq!(load["metrics"]["http_reqs"]["count"], 600);
    assert!(load["metrics"]["http_req_duration"]["p(95)"].as_f64().unwrap() > 0.0);
    roxmltree::Document::parse(&file("junit.xml")).unwrap();
    let inside = Squall::new()
        .args(["run", &Server::start().url(), "--rate", "50/s", "--for", "1s"])
        .env("GITLAB_CI", "true")
        .run();
    assert!(inside.report().join("metrics.txt").is_file());
}
