//! With rules declared but not hit, every client sees what it would have seen without a proxy; what was asked is counted by
//! its shape, and no value of it is found anywhere.

use std::fmt::Write as _;
use std::process::{Command, Stdio};

use squall::plan::fault::rule::Place;
use squall::plan::fault::rule::postgres::{Act, Death, Moment, Only};

use super::bed::{Bed, bed, connect, delay, error};
use crate::support::throwaway::needs;

/// Rules of every kind on a table that nobody touches.
fn declare(bed: &Bed) {
    let only = || Only { tables: vec!["nobody".into()], ..Only::default() };
    bed.put("error", only(), error("40P01"));
    bed.put("kill", only(), Act::Kill { how: Death::Rst, moment: Moment::Statement });
    bed.put("unknown", only(), Act::Kill { how: Death::Rst, moment: Moment::UnknownCommit });
    bed.put("read_only", only(), Act::ReadOnly);
    for (name, place) in [("request", Place::Request), ("response", Place::Response), ("server", Place::Server)] {
        bed.put(name, only(), delay(1_000, place));
    }
}

const SCRIPT: &str = r"
CREATE TABLE t (a int PRIMARY KEY, b text);
INSERT INTO t SELECT n, repeat('x', n % 300) FROM generate_series(1, 5000) n;
SELECT * FROM t ORDER BY a;
COPY t TO STDOUT;
CREATE TABLE c (a int, b text);
COPY c FROM STDIN;
1	one
2	two
\.
SELECT * FROM c;
COPY c FROM STDIN;
no number	x
\.
BEGIN; SELECT 1; INSERT INTO t VALUES (1, 'twice'); SELECT 2; COMMIT;
ROLLBACK;
SELECT nothing FROM nowhere;
BEGIN; DECLARE k CURSOR FOR SELECT a FROM t ORDER BY a; FETCH 3 FROM k; MOVE 10 IN k; FETCH 2 FROM k; COMMIT;
LISTEN x; NOTIFY x, 'hello';
PREPARE p AS SELECT a FROM t WHERE a = $1; EXECUTE p(7); DEALLOCATE p;
DO $$BEGIN RAISE NOTICE 'noticed'; END$$;
SELECT 1; SELECT 2 \; SELECT 3;
SET application_name = 'other';
SELECT repeat('y', 3000000);
SELECT length($q$a ' b$q$), /* '; */ ';';
\bind 5
SELECT $1::int + 1;
";

fn psql(port: u16) -> Option<String> {
    let mut child = Command::new(needs("psql")?)
        .args(["-X", "-a", "-h", "127.0.0.1", "-U", "postgres", "-p", &port.to_string(), "postgres"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), SCRIPT.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    // The process id in a notification is the server's own affair.
    let mut all = String::new();
    for line in said.iter().flat_map(|text| text.lines()) {
        let line = line.split(" from server process").next().unwrap_or_default();
        writeln!(all, "{line}").unwrap();
    }
    Some(all)
}

#[test]
fn psql_sees_the_same_with_rules_that_are_not_hit() {
    let Some(bed) = bed() else { return };
    let Some(without) = psql(bed.server.address().port()) else { return };
    bed.direct("DROP TABLE t, c");
    declare(&bed);
    let with = psql(bed.listen.port()).unwrap();
    let differs = without.lines().zip(with.lines()).find(|(one, other)| one != other);
    assert!(without == with, "{differs:?}, {} and {} bytes", without.len(), with.len());
    assert!(without.len() > 3_000_000 && without.contains("noticed") && without.contains("duplicate key"));
}

#[test]
fn pgbench_runs_in_every_mode_with_rules_that_are_not_hit() {
    let Some(bed) = bed() else { return };
    let Some(pgbench) = needs("pgbench") else { return };
    declare(&bed);
    let port = bed.listen.port().to_string();
    let bench = |more: &[&str]| {
        let base = ["-h", "127.0.0.1", "-U", "postgres", "-p", &port, "postgres", "-n"];
        let output = Command::new(&pgbench).args(base).args(more).output().unwrap();
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        assert!(output.status.success(), "{more:?}: {said}");
        said
    };
    bench(&["-i", "-q", "-s", "1"]);
    for mode in ["simple", "extended", "prepared"] {
        let said = bench(&["-M", mode, "-c", "4", "-t", "50"]);
        assert!(said.contains("number of transactions actually processed: 200/200"), "{mode}: {said}");
        assert!(said.contains("number of failed transactions: 0"), "{mode}: {said}");
    }
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("pipeline.sql");
    std::fs::write(&script, "\\startpipeline\nBEGIN;\nUPDATE pgbench_branches SET bbalance = bbalance + 1;\nSELECT 1;\nCOMMIT;\n\\endpipeline\n").unwrap();
    let said = bench(&["-M", "prepared", "-c", "2", "-t", "30", "-f", script.to_str().unwrap()]);
    assert!(said.contains("60/60"), "{said}");
}

#[test]
fn shapes_are_counted_and_hold_no_value() {
    let Some(bed) = bed() else { return };
    declare(&bed);
    bed.runtime.block_on(async {
        let client = connect(bed.listen).await;
        client.batch_execute("CREATE TABLE secrets (word text)").await.unwrap();
        for n in 0..5 {
            client
                .batch_execute(&format!("INSERT INTO secrets VALUES ('planted-{n}') -- planted-comment"))
                .await
                .unwrap();
        }
        let select = client.prepare("SELECT word FROM secrets WHERE word = $1").await.unwrap();
        for _ in 0..7 {
            client.query(&select, &[&"planted-parameter"]).await.unwrap();
        }
    });
    let shapes = bed.proxies.fingerprints("db").unwrap();
    let find = |text: &str| shapes.iter().find(|shape| shape.text == text).map(|shape| shape.count);
    assert_eq!(find("insert into secrets values(?)"), Some(5));
    assert_eq!(find("select word from secrets where word = ?"), Some(7));
    assert!(!format!("{shapes:?}").contains("planted"));
}
