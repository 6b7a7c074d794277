//! One test for each rule.

use std::net::IpAddr;

use jiff::civil::date;

use super::*;
use crate::plan::check::{Files, targets};

const LIST: &str = r#"(
  allow: [
    (host: "*.staging.example", ports: [443, 80], max_rate: "2000/s", owner: "team-shop", until: "2027-03-31"),
    (host: "shop.test", ports: [80], owner: "me"),
    (net: "10.20.0.0/16", ports: [80], max_rate: "50/s", owner: "me"),
  ],
  never: ["10.20.9.0/24", "billing.staging.example"],
)"#;

fn list(text: &str) -> Result<Allow, String> {
    let mut files = Files::held([("squall.targets.ron".to_owned(), text)]);
    targets(&mut files, "squall.targets.ron", date(2026, 11, 20))
        .map(|(allow, _)| allow)
        .map_err(|found| found.0.iter().map(|one| one.id).collect::<Vec<_>>().join(" "))
}

fn guard(extra: &[&str]) -> Guard {
    let extra: Vec<String> = extra.iter().map(ToString::to_string).collect();
    Guard::new(Some(list(LIST).unwrap()), &extra).unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn loopback_is_always_allowed_and_unlimited() {
    let guard = Guard::default();
    for (address, host) in
        [("127.0.0.1", "127.0.0.1"), ("127.8.9.1", "localhost"), ("::1", "[::1]"), ("::ffff:127.0.0.1", "x")]
    {
        assert_eq!(guard.admit(ip(address), host, 8080), Ok(MaxRate::Unlimited), "{address}");
    }
    assert!(guard.admit_host("localhost", 80).is_ok() && guard.admit_host("[::1]", 80).is_ok());
}

#[test]
fn everything_else_is_refused_unless_it_is_named() {
    let refusal = Guard::default().admit(ip("10.0.0.7"), "shop.test", 443).unwrap_err();
    assert_eq!(refusal.reason, Reason::Unlisted);
    let text = refusal.to_string();
    assert!(text.contains("shop.test:443 (10.0.0.7)") && text.contains("no squall.targets.ron was found"), "{text}");
    assert!(refusal.remedy().contains("(host: \"shop.test\", ports: [443]"), "{}", refusal.remedy());
    assert!(Guard::default().admit_host("shop.test", 443).is_err());
    assert!(
        Guard::default().admit_host("0.0.0.0", 80).is_err(),
        "it would lead to this machine, but it is not loopback"
    );
}

#[test]
fn an_entry_allows_its_names_and_ports_at_its_ceiling() {
    let guard = guard(&[]);
    let at = |rate| Ok(MaxRate::At(Rate::per_second(rate)));
    assert_eq!(guard.admit(ip("192.0.2.1"), "Shop.Staging.example.", 443), at(2000.0));
    assert_eq!(guard.admit(ip("192.0.2.1"), "a.b.staging.example", 80), at(2000.0));
    assert_eq!(guard.admit(ip("192.0.2.1"), "shop.test", 80), at(DEFAULT_CEILING));
    assert_eq!(guard.admit(ip("192.0.2.1"), "shop.test", 81).unwrap_err().reason, Reason::Port);
    assert_eq!(guard.admit(ip("192.0.2.1"), "staging.example", 80).unwrap_err().reason, Reason::Unlisted);
    assert_eq!(guard.admit(ip("192.0.2.1"), "evilstaging.example", 80).unwrap_err().reason, Reason::Unlisted);
}

#[test]
fn a_range_vouches_for_its_addresses_whatever_their_names() {
    let guard = guard(&[]);
    assert!(guard.admit_host("any.test", 80).is_ok(), "undecided until its addresses are known");
    assert!(guard.admit_host("any.test", 81).is_err());
    assert_eq!(guard.admit(ip("10.20.3.4"), "any.test", 80), Ok(MaxRate::At(Rate::per_second(50.0))));
    assert_eq!(guard.admit(ip("::ffff:10.20.3.4"), "any.test", 80), Ok(MaxRate::At(Rate::per_second(50.0))));
    assert!(guard.admit(ip("10.21.3.4"), "any.test", 80).is_err());
}

#[test]
fn never_beats_allow_and_flags() {
    let guard = guard(&["billing.staging.example:80", "10.20.9.1:80"]);
    assert_eq!(guard.admit(ip("10.20.9.1"), "10.20.9.1", 80).unwrap_err().reason, Reason::Never);
    let refusal = guard.admit_host("billing.staging.example", 80).unwrap_err();
    assert_eq!((refusal.reason.clone(), refusal.remedy()), (Reason::Never, String::new()));
}

#[test]
fn a_production_label_is_refused_wherever_it_leads() {
    let guard = guard(&["api.prod.test:80"]);
    for host in ["api.prod.test", "PRD.example", "production.staging.example", "live"] {
        assert!(matches!(guard.admit_host(host, 80).unwrap_err().reason, Reason::Label(_)), "{host}");
        assert!(guard.admit(ip("127.0.0.1"), host, 80).is_err(), "a tunnel to {host} is no loopback target");
    }
    assert!(guard.admit_host("prodigy.staging.example", 80).is_ok(), "a label is a whole one");
}

#[test]
fn a_flag_allows_one_target_at_the_usual_ceiling() {
    let guard = guard(&["Beta.test:8080"]);
    assert_eq!(guard.admit(ip("192.0.2.9"), "beta.test", 8080), Ok(MaxRate::At(Rate::per_second(100.0))));
    assert!(guard.admit(ip("192.0.2.9"), "beta.test", 80).is_err());
    for bad in ["beta.test", "*.test:80", "beta.test:0", ":80"] {
        assert_eq!(Guard::new(None, &[bad.to_owned()]).unwrap_err(), BadTarget(bad.to_owned()));
    }
}

#[test]
fn entries_that_ran_out_have_no_owner_or_are_too_wide_are_mistakes() {
    for (entry, ids) in [
        (r#"host: "a.test", ports: [80], owner: "me", until: "2026-11-19""#, "expired"),
        (r#"host: "a.test", ports: [80]"#, "no_owner"),
        (r#"host: "a.test", ports: [80], owner: " ""#, "no_owner"),
        (r#"host: "*.test", ports: [80], owner: "me""#, "too_wide"),
        (r#"net: "10.0.0.0/7", ports: [80], owner: "me""#, "too_wide"),
        (r#"net: "fd00::/31", ports: [80], owner: "me""#, "too_wide"),
        (r#"host: "a*.test", ports: [80], owner: "me""#, "bad_target"),
        (r#"ports: [0], until: "soon""#, "missing_field no_owner bad_number bad_date"),
    ] {
        let found = list(&format!("(allow: [({entry})])")).unwrap_err();
        let (mut found, mut ids): (Vec<_>, Vec<_>) = (found.split(' ').collect(), ids.split(' ').collect());
        found.sort_unstable();
        ids.sort_unstable();
        assert_eq!(found, ids, "{entry}");
    }
    let good = r#"(allow: [(net: "10.0.0.0/8", ports: [80], owner: "me", until: "2026-11-20")])"#;
    assert!(list(good).is_ok(), "an entry holds through its last day");
}

#[test]
fn a_planned_peak_above_the_ceiling_is_found_before_anything_is_sent() {
    let text = r#"(name: "m", target: (base: "http://shop.test"), load: [Open(rate: [Ramp(to: "80/s", over: "10s"), Hold(rate: "30/s", for: "5s")])],
      journeys: {"two": (steps: [Http(name: "a", url: "/"), Http(name: "b", url: "/")])})"#;
    let mut files = Files::held([("m.ron".to_owned(), text)]);
    let plan = crate::plan::check::scenario(&mut files, "m.ron", &crate::plan::check::ScenarioOptions::default());
    let found = guard(&[]).judge_load(&plan.unwrap().0, "m.ron");
    let want = "the planned peak of 160/s requests at second 10 is above the ceiling of 100/s for shop.test:80";
    assert_eq!((found.0[0].id, found.0[0].message.as_str()), ("ceiling", want));
}
