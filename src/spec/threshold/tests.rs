//! The grammar's table: what must parse, what must not, and the exact first line of each message.

use super::{Bound, Cmp, Level, Modifier, Reference, Subject, Value, parse};

#[test]
fn every_line_of_the_left_table_parses() {
    for line in [
        "p95{step=/api/checkout, phase=steady} < 250ms",
        "errors{status=5xx} < 0.1%",
        "should: p99.9 < 2s",
        "p95{step=/api/*} <= baseline +5% or 10ms",
        "errors < 20%, over 10s, abort",
        "achieved >= 98%",
        "shed < 0.1%",
        "recovery{fault=db-latency} < 60s",
        "hard: lateness.p99 < 2ms",
        "unavailable{fault=F} < 5s",
        "p99{phase=fault:F} < 2s",
        "p95{step!=/payments*, phase=fault:pay} <= steady +10%",
        "p95 <= anchor +15%",
        "apdex(500ms) > 0.9",
        "p99 < 250ms, in 95% of 5s",
        "goodput{phase=steady} > 500/s, after 30s, n >= 1000, as 'floor'",
        "slow( 200ms ){step=\"GET /a b\"}<1%",
        "errors <= baseline +1pp",
        "achieved > 2k/min",
    ] {
        if let Err(refusal) = parse(line) {
            panic!("{line}: {} at {:?}", refusal.message, refusal.at);
        }
    }
}

#[test]
fn every_mistake_has_its_own_sentence_and_place() {
    for (line, message, place) in [
        ("p95 < 250", "p95 is a time: did you mean 250ms?", "250"),
        ("errors over 10s < 20%", "modifiers come last: errors < 20%, over 10s", "over 10s"),
        ("p95 == 3ms", "a measured time never equals a number: use < <= > >=", "=="),
        ("p95 <", "a bound is missing after <", "<"),
        ("errors < 20% abort", "a comma is missing before abort", "abort"),
        ("rps > 500/s", "unknown subject rps: did you mean achieved?", "rps"),
        ("p95{route=/x} < 3ms", "unknown selector route: did you mean step?", "route"),
        ("p100 < 1s", "p100 is max", "p100"),
        ("errors <= baseline +1%", "say +1pp (points), relative slack on a share is ambiguous", "baseline +1%"),
        ("p95 <= baseline", "without a margin this can fail by luck and hardly ever pass: add +5%", "baseline"),
        ("p95 < 1s, for 5s, over 5s", "for and over exclude each other", "over 5s"),
        ("p95{status=200} < 1s", "status narrows shares and counts; for times say outcome=ok", "status=200"),
        ("errors < 5", "errors is a share: did you mean 5%?", "5"),
        ("eror < 5%", "unknown subject eror: did you mean errors?", "eror"),
        ("wuld: p95 < 1s", "unknown level wuld", "wuld"),
        ("p95 < 1s, unless 3", "unknown modifier unless: use for over in after abort n as", "unless"),
        ("p95{outcome=good} < 1s", "outcome is one of: ok, failed, any", "outcome=good"),
        ("p95 < 5parsecs", "parsecs is not a unit: use us ms s m h, %, pp, /s or /min", "parsecs"),
    ] {
        let refusal = parse(line).expect_err(line);
        assert_eq!((refusal.message.as_str(), line.get(refusal.at).unwrap()), (message, place), "{line}");
    }
}

#[test]
fn the_parts_are_what_was_written() {
    let line = parse("should: p99.9{step!=/a*} <= steady -10% or 5ms, abort 4, n >= 20, as \"x\"").unwrap();
    assert_eq!((line.level, line.subject, line.cmp), (Level::Should, Subject::Quantile(0.999), Cmp::AtMost));
    assert!(line.scope[0].is_negated && line.scope[0].glob == "/a*");
    assert_eq!(line.bound, Bound::Reference { to: Reference::Steady, slack: Value::Share(-0.1), or: Some(5_000.0) });
    assert_eq!(line.modifiers, [Modifier::Abort(4), Modifier::AtLeast(20), Modifier::As("x".into())]);
}
