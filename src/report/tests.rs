//! The promises of this room, on synthetic accounts.

use super::sample::{self, HOSTILE};
use super::terminal::{Colour, summary};
use super::{annotation, gitlab, hlog, html, json, junit, markdown, view, words, write_all};
use crate::judge::account::{Account, Band, BandKind};
use crate::judge::finding::{Compare, Finding, FindingKind, Verdict};

pub(super) fn page(account: &Account) -> String {
    html::render(account, &view::of(account, 0))
}

pub(super) fn all() -> [(&'static str, Account); 5] {
    [
        ("drill", sample::drill()),
        ("load", sample::load()),
        ("nothing", sample::nothing()),
        ("hostile", sample::hostile()),
        ("pair", sample::compared()),
    ]
}

#[test]
fn a_page_of_many_steps_faults_and_checks_stays_small() {
    let mut account = sample::drill();
    let cell = account.totals.steps.values().next().unwrap().clone();
    account.totals.steps = (0..5_000).map(|n| (format!("/api/{n}/{}", "x".repeat(200)), cell.clone())).collect();
    let fault = account.bands.iter().find(|band| band.kind == BandKind::Fault).unwrap().clone();
    for n in 0..40 {
        let at = 60.0 + f64::from(n) / 2.0;
        account.bands.push(Band { name: format!("fault {n}"), from_s: at, to_s: at + 9.0, ..fault.clone() });
    }
    let one = |n| sample::finding(&format!("{n} {}", "y".repeat(300)), Verdict::Fail, [48e3, 46e3, 51e3, 30e3]);
    account.findings = (0..1_000).map(one).collect();
    let page = page(&account);
    assert!(page.len() <= 1 << 20, "{} bytes", page.len());
    assert!(page.contains("4950 others") && page.contains("800 more, none of them worse"));
    let terminal = summary(&account, 1, "x", 100, Colour::Plain);
    assert!(terminal.lines().count() <= 40 && terminal.contains("990 more in the report"), "{terminal}");
}

#[test]
fn hostile_names_stay_text_everywhere() {
    let account = sample::hostile();
    let view = view::of(&account, 1);
    let page = page(&account);
    assert!(!page.contains("<img") && !page.contains("</script"));
    assert!(page.contains("&lt;/script&gt;&lt;img onerror=alert(1)"));
    let junit = junit::render(&account, &view);
    let parsed = roxmltree::Document::parse(&junit).unwrap();
    assert!(parsed.descendants().any(|node| node.attribute("name").is_some_and(|name| name.contains("<img onerror"))));
    let postmortem = markdown::postmortem(&account, &view).unwrap();
    assert!(!postmortem.contains("<img") && !postmortem.contains("`x`"));
    for row in postmortem.lines().filter(|line| line.starts_with('|')) {
        let bars = row.replace("\\|", "").matches('|').count();
        assert!((3..=7).contains(&bars), "{row}");
    }
    let terminal = summary(&account, 1, "reports/x/index.html", 100, Colour::Plain);
    for (name, text) in [("page", &page), ("junit", &junit), ("postmortem", &postmortem), ("terminal", &terminal)] {
        let bad = text.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
        assert_eq!(bad, None, "{name}");
        assert!(!text.contains(&"n".repeat(122)), "{name}: names are cut");
    }
    let result = json::result(&account, 1);
    assert_eq!(result["name"], HOSTILE, "machines get names unchanged");
    assert!(!result.to_string().contains('\u{7}'));
}

#[test]
fn the_terminal_keeps_to_its_lines_columns_and_colours() {
    for (name, account) in all() {
        for columns in [20, 60, 80, 200] {
            let text = summary(&account, 1, "reports/shop/index.html", columns, Colour::Plain);
            assert!(text.lines().count() <= 40, "{name}");
            assert!(text.lines().all(|line| line.chars().count() <= columns.clamp(40, 100)), "{name}: {text}");
            assert!(!text.contains('\u{1b}'), "{name}");
            assert!(text.trim_end().lines().last().unwrap().starts_with("FAIL"), "{name}");
        }
        assert!(summary(&account, 0, "x", 100, Colour::Ansi).contains("\u{1b}[0m"), "{name}");
    }
}

#[test]
fn the_summary_of_a_load_run_reads_well() {
    insta::assert_snapshot!(summary(
        &sample::load(),
        1,
        "reports/shop-20261120T224000Z/index.html (212 KiB)",
        100,
        Colour::Plain
    ));
}

#[test]
fn the_summary_of_a_drill_reads_well() {
    insta::assert_snapshot!(summary(
        &sample::drill(),
        0,
        "reports/midnight_flag-20261120T224000Z/index.html",
        100,
        Colour::Plain
    ));
}

#[test]
fn junit_of_a_load_run_is_as_machines_expect() {
    let account = sample::load();
    insta::assert_snapshot!(junit::render(&account, &view::of(&account, 1)));
}

#[test]
fn the_result_of_a_drill_is_as_machines_expect() {
    let mut result = json::result(&sample::drill(), 0);
    // One of a kind is enough for a golden file.
    let steps = result["steps"].as_object_mut().unwrap();
    steps.retain(|name, _| name == "/");
    result["findings"].as_array_mut().unwrap().truncate(1);
    insta::assert_snapshot!(format!("{result:#}"));
}

#[test]
fn the_postmortem_of_a_drill_is_filled_in() {
    let account = sample::drill();
    insta::assert_snapshot!(markdown::postmortem(&account, &view::of(&account, 0)).unwrap());
    assert!(markdown::postmortem(&sample::load(), &view::of(&sample::load(), 0)).is_none());
}

#[test]
fn a_drill_is_told_in_two_sentences() {
    let told = |change: &dyn Fn(&mut Account), exit: u8| {
        let mut account = sample::drill();
        change(&mut account);
        words::plain(&view::of(&account, exit).headline)
    };
    assert_eq!(
        told(&|_| {}, 0),
        "Users were hurt for 43 s: 61 % of requests failed or were slow. “Kill feature flag smart_cart” came 21 s after \
         the page, and 9.9 s later users were fine again."
    );
    let unhealed = told(
        &|account| {
            let drill = account.drill.as_mut().unwrap();
            (drill.timeline.recovered_s, drill.timeline.mitigated_s) = (None, None);
            drill.actions.clear();
        },
        1,
    );
    assert!(unhealed.starts_with("Users were hurt for at least 88 s"), "{unhealed}");
    assert!(unhealed.ends_with("Nobody did anything about it."), "{unhealed}");
    let calm = told(&|account| account.drill.as_mut().unwrap().timeline.impact_s = None, 0);
    assert!(calm.starts_with("Users felt nothing."), "{calm}");
    let unproved = |account: &mut Account| {
        let drill = account.drill.as_mut().unwrap();
        drill.timeline.impact_s = None;
        drill.acts[0].proved = false;
    };
    assert!(told(&unproved, 4).contains("no proof that “ship” touched anything"));
    assert!(told(&|_| {}, 5).starts_with("Nothing may be concluded:"));
    assert!(
        told(&|account| account.ended = "aborted: lease lost".into(), 6)
            .starts_with("Ended early: aborted: lease lost.")
    );
}

#[test]
fn the_exit_code_and_the_verdict_agree() {
    let account = sample::load();
    for (exit, verdict) in [(1, "fail"), (4, "inconclusive"), (5, "invalid"), (7, "fail"), (6, "fail")] {
        assert_eq!(json::result(&account, exit)["verdict"], verdict, "{exit}");
    }
    assert_eq!(json::result(&sample::nothing(), 130)["verdict"], "inconclusive");
}

#[test]
fn a_percentile_among_unanswered_arrivals_is_null() {
    let account = sample::drill();
    let result = json::result(&account, 0);
    let response = &result["latency_us"]["response"];
    assert!(response["p50"].is_u64() && response["p99"].is_null(), "{response}");
    assert_eq!(response["n"], account.totals.all.arrivals());
    assert!(result["latency_us"]["lateness"]["p99"].is_u64());
    let row = &view::of(&account, 0).tables.all;
    assert!(row.times[2].starts_with('≥'), "{row:?}");
}

#[test]
fn numbers_that_are_none_are_null() {
    let mut account = sample::load();
    account.findings[0].evidence.high = Some(f64::INFINITY);
    account.findings[0].evidence.value = Some(f64::NAN);
    account.totals.offered = f64::NAN;
    let result = json::result(&account, 1);
    assert!(
        result["findings"][0]["evidence"]["high"].is_null() && result["findings"][0]["evidence"]["value"].is_null()
    );
    assert!(result["rate"]["offered"].is_null());
    assert!(!page(&account).contains("NaN"));
}

#[test]
fn junit_says_what_each_verdict_means_and_never_repeats_a_name() {
    let mut account = sample::load();
    let one = |id: &str, verdict| Finding { verdict, ..sample::finding(id, Verdict::Pass, [1.0, 1.0, 1.0, 2.0]) };
    account.findings = vec![
        one("a", Verdict::Fail),
        one("b", Verdict::Invalid),
        one("c", Verdict::Inconclusive),
        one("d", Verdict::Warn),
        one("e", Verdict::Pass),
        one("e", Verdict::Pass),
    ];
    let text = junit::render(&account, &view::of(&account, 1));
    let parsed = roxmltree::Document::parse(&text).unwrap();
    let inside = |name: &str| {
        let case = parsed.descendants().find(|node| node.attribute("name") == Some(name)).unwrap();
        case.children().find(roxmltree::Node::is_element).map(|node| node.tag_name().name().to_owned())
    };
    let found: Vec<_> = ["a", "b", "c", "d", "e"].iter().map(|name| inside(name)).collect();
    let expected = [Some("failure"), Some("error"), Some("skipped"), Some("system-out"), None];
    assert_eq!(found, expected.map(|name| name.map(str::to_owned)));
    assert_eq!(text.matches("<testcase").count(), 6, "five of ours and squall.answered");
    account.findings = (0..5_000).map(|n| one(&format!("{n} {HOSTILE}"), Verdict::Fail)).collect();
    let text = junit::render(&account, &view::of(&account, 1));
    assert!(text.len() <= 1 << 20 && text.matches("<testcase").count() <= 2_000);
    assert!(roxmltree::Document::parse(&text).is_ok());
}

#[test]
fn all_documents_are_written_and_an_edited_one_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let names = |written: Vec<std::path::PathBuf>| {
        written.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    let account = sample::drill();
    let first = names(write_all(&account, dir.path(), 0).unwrap());
    assert_eq!(first, ["index.html", "result.json", "junit.xml", "summary.md", "latency.hlog", "postmortem.md"]);
    assert_eq!(names(write_all(&account, dir.path(), 0).unwrap()), first, "an unedited one is written again");
    let edited = dir.path().join("postmortem.md");
    std::fs::write(&edited, "our own words").unwrap();
    assert_eq!(names(write_all(&account, dir.path(), 0).unwrap())[5], "postmortem.new.md");
    assert_eq!(std::fs::read_to_string(&edited).unwrap(), "our own words");
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().ends_with(".draft")), "{left:?}");
    let missing = write_all(&account, &dir.path().join("none"), 0).unwrap_err();
    assert!(missing.to_string().contains("index.html could not be written"), "{missing}");
    assert_eq!(names(write_all(&sample::load(), dir.path(), 1).unwrap()).len(), 5);
}

/// `SQUALL_PICTURES=/tmp/x cargo test --lib report::tests::pages_to_look_at -- --ignored` writes pages for human eyes.
#[test]
#[ignore = "writes pages for human eyes"]
fn pages_to_look_at() {
    let Some(dir) = std::env::var_os("SQUALL_PICTURES").map(std::path::PathBuf::from) else { return };
    for (name, account) in all() {
        let dir = dir.join(name);
        std::fs::create_dir_all(&dir).unwrap();
        write_all(&account, &dir, u8::from(name == "load")).unwrap();
    }
}

#[test]
fn hostile_names_stay_text_for_ci_systems_too() {
    let account = sample::hostile();
    let view = view::of(&account, 1);
    let (summary, notes) = (markdown::summary(&account, &view), annotation::github(&account, &view));
    let (metrics, log) = (gitlab::metrics(&account), hlog::render(&account));
    assert!(!summary.contains("<img") && !summary.contains("</script"), "{summary}");
    for row in summary.lines().filter(|line| line.starts_with('|')) {
        assert_eq!(row.replace("\\|", "").matches('|').count(), 5, "{row}");
    }
    for line in notes.lines() {
        assert!(line.starts_with("::error ") || line.starts_with("::warning "), "{line}");
    }
    for line in log.lines().filter(|line| !line.starts_with(['#', '"'])) {
        assert_eq!((line.starts_with("Tag="), line.matches(',').count()), (true, 4), "{line}");
        assert!(!line.contains(' '), "{line}");
    }
    for (name, text) in [("summary", &summary), ("notes", &notes), ("metrics", &metrics), ("log", &log)] {
        assert_eq!(text.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}'), None, "{name}");
    }
}

#[test]
fn a_thousand_red_checks_fit_into_a_comment_and_ten_annotations() {
    let mut account = sample::load();
    let place = account.findings.iter().find_map(|one| one.source.clone());
    let one = |n| {
        let finding = sample::finding(&format!("{n} {}", "y".repeat(100)), Verdict::Fail, [48e3, 46e3, 51e3, 30e3]);
        Finding { source: place.clone(), ..finding }
    };
    account.findings = (0..1_000).map(one).collect();
    let view = view::of(&account, 1);
    let summary = markdown::summary(&account, &view);
    assert!(summary.len() <= 60_000 && summary.contains("more rows are in the report"), "{}", summary.len());
    let notes = annotation::github(&account, &view);
    assert_eq!(notes.lines().count(), 10);
    assert!(notes.lines().last().unwrap().contains("and 991 more"), "{notes}");
}

#[test]
fn a_day_of_many_steps_keeps_the_interval_log_below_ten_thousand_lines() {
    let log = hlog::render(&sample::long(2));
    let lines = log.lines().filter(|line| line.starts_with("Tag=")).count();
    assert!((1_000..=10_000).contains(&lines), "{lines}");
    assert!(log.contains(",10.000,"), "the first length that fits is taken");
}

#[test]
fn a_comparison_is_one_line_and_what_it_could_not_see_another() {
    let mut account = sample::load();
    let mut finding = sample::finding("p95{step=/x} <= baseline +5%", Verdict::Fail, [0.0815, 0.057, 0.1037, 0.05]);
    finding.kind = FindingKind::Comparison;
    finding.observed = "+8.2 % [+5.7, +10.4]".into();
    finding.evidence.compare = Some(Box::new(Compare {
        what: "p95 /x".into(),
        margin: "+5 %".into(),
        w: 51.0,
        w_max: 55.0,
        p: 7.0 / 1_024.0,
        alpha: 0.01,
        m: 1,
        stage: (1, 1),
        sd: Some(0.024),
        mde: Some(0.0292),
        blocks: vec![(0.0839, true); 10],
        shift: Vec::new(),
    }));
    let mut tied = finding.clone();
    if let Some(compare) = tied.evidence.compare.as_mut() {
        (compare.w, compare.p) = (50.5, 0.5);
    }
    account.findings = vec![finding, tied];
    let terminal = summary(&account, 1, "x", 100, Colour::Plain);
    assert!(
        terminal.contains("p95 /x  +8.2 % [+5.7, +10.4]  vs baseline +5 %  W 51/55  p 0.0068  FAIL\n"),
        "{terminal}"
    );
    assert!(terminal.contains("W 50.5/55  p 0.50  FAIL"), "{terminal}");
    assert!(terminal.contains("detectable: p95 /x +2.9 % beyond the margin (10 blocks, sd 2.4 %)"), "{terminal}");
    let result = json::result(&account, 1);
    let evidence = &result["findings"][0]["evidence"];
    let (compare, conf) = (&evidence["compare"], evidence["conf"].as_f64().unwrap());
    assert!((conf - 0.98).abs() < 1e-12 && compare["mode"] == "interleaved", "{evidence:#}");
    assert_eq!(
        (&compare["w"], &compare["stage"], compare["effects"].as_array().unwrap().len()),
        (&51.0.into(), &1.into(), 10)
    );
    assert_eq!(json::result(&sample::load(), 0)["findings"][0]["evidence"]["compare"], serde_json::Value::Null);
}
