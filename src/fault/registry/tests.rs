//! Proxies, faults and leases as names, without workers.

use super::*;
use crate::base::ratio::Ratio;
use crate::plan::fault::rule::Speaks;
use crate::plan::fault::{Side, Toxic};

const TERM: Duration = Duration::from_secs(15);

fn spec(name: &str) -> ProxySpec {
    ProxySpec {
        name: name.into(),
        listen: "127.0.0.1:0".parse().unwrap(),
        upstream: "127.0.0.1:9".parse().unwrap(),
        dial_timeout: Duration::from_secs(1),
        buffer: 1 << 16,
        base: vec![],
        speaks: Speaks::default(),
    }
}

fn fault(name: &str, on: &str) -> Fault {
    let inject = Toxic::latency(Duration::from_millis(1)).into();
    Fault {
        name: name.into(),
        on: on.into(),
        inject,
        side: Side::Downstream,
        share: Ratio::ONE,
        lasts: None,
        envelope: Box::default(),
    }
}

fn registry() -> Registry {
    let mut registry = Registry::default();
    registry.add(spec("orders_db")).unwrap();
    registry.add(spec("pay")).unwrap();
    registry
}

#[test]
fn mistakes_name_the_thing_and_the_remedy() {
    let mut registry = registry();
    registry.inject(fault("slow", "pay"), Some(TERM), Tick::ZERO).unwrap();
    let looped = ProxySpec { name: "x".into(), listen: "127.0.0.1:9".parse().unwrap(), ..spec("x") };
    let said: Vec<String> = [
        registry.add(spec("pay")).unwrap_err(),
        registry.add(looped).unwrap_err(),
        registry.inject(fault("slow", "pay"), Some(TERM), Tick::ZERO).unwrap_err(),
        registry.inject(fault("other", "ordersdb"), Some(TERM), Tick::ZERO).unwrap_err(),
        registry.inject(fault("other", "pay"), Some(Duration::ZERO), Tick::ZERO).unwrap_err(),
        registry.renew("slwo", TERM, Tick::ZERO).unwrap_err(),
        registry.renew("slow", TERM, Tick::from_secs(15)).unwrap_err(),
    ]
    .iter()
    .map(ToString::to_string)
    .collect();
    assert_eq!(
        said,
        [
            "a proxy called `pay` exists; give this one another name",
            "the upstream 127.0.0.1:9 of proxy `x` is this proxy",
            "fault `slow` is in force; heal it before it is injected again",
            "no proxy is called `ordersdb`; did you mean `orders_db`?",
            "the lease of fault `other` is zero; write at least 5s",
            "no fault is called `slwo`; did you mean `slow`?",
            "the lease of fault `slow` is over; inject it anew",
        ]
    );
}

#[test]
fn a_refused_injection_changes_nothing() {
    let mut registry = registry();
    registry.inject(fault("slow", "nowhere"), Some(TERM), Tick::ZERO).unwrap_err();
    assert!(!registry.is_active("slow") && registry.stats("slow").is_none());
    assert!(registry.present().iter().all(|change| change.snapshot.faults.is_empty()));
}

#[test]
fn each_proxy_gets_one_new_snapshot_when_everything_is_withdrawn() {
    let mut registry = registry();
    for (name, on) in [("a", "pay"), ("b", "orders_db"), ("c", "pay")] {
        registry.inject(fault(name, on), Some(TERM), Tick::ZERO).unwrap();
    }
    let withdrawal = registry.withdraw_all();
    assert_eq!((withdrawal.faults.len(), withdrawal.changes.len()), (3, 2));
    assert!(withdrawal.changes.iter().all(|change| change.snapshot.faults.is_empty()));
    let generations: Vec<u64> = withdrawal.changes.iter().map(|change| change.snapshot.generation).collect();
    assert_eq!(generations, [2, 3]);
    assert!(registry.withdraw_all().changes.is_empty());
}

#[test]
fn a_lease_that_is_over_goes_and_the_others_stay() {
    let mut registry = registry();
    registry.inject(fault("early", "pay"), Some(TERM), Tick::ZERO).unwrap();
    registry.inject(fault("late", "pay"), Some(TERM), Tick::from_secs(5)).unwrap();
    let short = Fault { lasts: Some(Duration::from_secs(3)), ..fault("short", "pay") };
    registry.inject(short, Some(TERM), Tick::ZERO).unwrap();
    assert_eq!(registry.next_expiry(), Some(Tick::from_secs(3)));
    registry.expire(Tick::from_secs(3));
    registry.renew("early", TERM, Tick::from_secs(10)).unwrap();
    let gone: Vec<String> = registry.expire(Tick::from_secs(20)).faults.into_iter().map(|(name, _)| name).collect();
    assert_eq!(gone, ["late"]);
    assert_eq!(registry.next_expiry(), Some(Tick::from_secs(25)));
    assert!(registry.stats("late").is_some(), "what a fault did outlives it");
}

#[test]
fn a_stale_guard_never_heals_a_later_fault_of_the_same_name() {
    let mut registry = registry();
    let (first, _) = registry.inject(fault("slow", "pay"), Some(TERM), Tick::ZERO).unwrap();
    registry.withdraw_named("slow").unwrap();
    registry.inject(fault("slow", "pay"), Some(TERM), Tick::ZERO).unwrap();
    assert!(registry.withdraw_injection(first).faults.is_empty());
    assert!(registry.is_active("slow"));
}
