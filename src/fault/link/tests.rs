//! Links under changing snapshots: what is drawn, what survives healing, what is counted.

use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::base::ratio::Ratio;
use crate::fault::decide::Decider;
use crate::fault::parcel::{Piece, Signal};
use crate::plan::fault::{
    Caps, Data, Ending, Envelope, Fault, Moment, Origin, Pattern, Ramp, Scale, Side, Time, Toxic as Kind,
};

fn ms(n: u64) -> Tick {
    Tick::from_millis(n)
}

fn active(id: u64, inject: Kind, side: Side, share: f64) -> Arc<Active> {
    let fault = Fault {
        name: format!("f{id}"),
        on: "db".into(),
        inject: inject.into(),
        side,
        share: Ratio::new(share),
        lasts: None,
        envelope: Box::default(),
    };
    Arc::new(Active {
        id: FaultId(id),
        version: 0,
        decider: Arc::new(Decider::new(Seed(1), fault, ms(100), Arc::default())),
    })
}

const SLOW: Kind = Kind::latency(Duration::from_millis(50));
const HOLD: Kind = Kind::Timeout { after: Duration::ZERO };

fn link(connection: u64, snapshot: &Snapshot, at: u64) -> Link {
    let key = LinkKey { seed: Seed(1), proxy: 1, connection, user: None };
    Link::open(key, (&Speaks::default(), &Arc::default()), snapshot, ms(at))
}

fn data() -> Signal {
    Signal::Data(Bytes::from_static(b"x"))
}

#[test]
fn a_fault_acts_on_a_living_connection_from_its_injection_on() {
    let mut link = link(0, &Snapshot::default(), 0);
    link.chain(Way::Down).arrive(ms(100), data());
    let fault = active(1, SLOW, Side::Downstream, 1.0);
    let with = Snapshot::default().with(Arc::clone(&fault));
    link.sync(&with, ms(100));
    link.sync(&with, ms(100));
    link.chain(Way::Down).arrive(ms(100), data());
    link.chain(Way::Up).arrive(ms(100), data());
    let down = link.chain(Way::Down);
    assert_eq!(down.head(ms(100)), Some(&Piece::Pass(data())), "what came before the fault is not held");
    down.advance(1, ms(100));
    assert_eq!(down.head_due(), Some(ms(150)));
    assert_eq!(link.chain(Way::Up).head_due(), Some(ms(100)));
    link.sync(&with.retaining(|_| false), ms(120));
    assert_eq!(link.chain(Way::Down).head_due(), Some(ms(120)));
    assert_eq!(link.verdict(ms(120)), None, "a delay that healed ends nothing");
    let seen = fault.decider.stats();
    assert_eq!((seen.considered, seen.touched, seen.active, seen.peak), (1, 1, 0, 1));
    assert_eq!((seen.drawn.count, seen.drawn.total, seen.parcels), (1, Duration::from_millis(50), 1));
}

#[test]
fn healing_ends_only_the_connections_whose_bytes_were_swallowed() {
    for (signal, end) in [(Some(data()), Some(Close::Fin)), (Some(Signal::Fin), Some(Close::Fin)), (None, None)] {
        let fault = active(1, HOLD, Side::Both, 1.0);
        let with = Snapshot::default().with(Arc::clone(&fault));
        let mut link = link(0, &with, 100);
        if let Some(signal) = signal {
            link.chain(Way::Up).arrive(ms(110), signal.clone());
            link.chain(Way::Down).arrive(ms(110), signal);
        }
        link.sync(&with.retaining(|_| false), ms(120));
        assert_eq!(link.verdict(ms(120)), end);
        let seen = fault.decider.stats();
        let n = u64::from(end.is_some());
        assert_eq!((seen.considered, seen.touched, seen.untouched.idle, seen.cut), (1, n, 1 - n, n));
    }
}

#[test]
fn considered_is_touched_plus_untouched() {
    let fault = active(1, SLOW, Side::Downstream, 0.25);
    let with = Snapshot::default().with(Arc::clone(&fault));
    let mut links: Vec<Link> = (0..1_000).map(|n| link(n, &with, 0)).collect();
    for link in links.iter_mut().take(600) {
        link.chain(Way::Down).arrive(ms(1), data());
    }
    let seen = fault.decider.stats();
    assert_eq!(seen.considered, 1_000);
    assert_eq!(seen.considered, seen.touched + seen.untouched.share + seen.untouched.idle);
    assert!(seen.touched > 100 && seen.untouched.idle > 60 && seen.untouched.share > 700, "{seen:?}");
    drop(links);
    assert_eq!(fault.decider.stats().active, 0);
}

#[test]
fn a_draw_depends_on_no_other_fault() {
    let held = |snapshot: &Snapshot| -> Vec<bool> {
        let mut links: Vec<Link> = (0..200).map(|n| link(n, snapshot, 0)).collect();
        links.iter_mut().map(|link| !link.chain(Way::Down).is_clear()).collect()
    };
    let one = Snapshot::default().with(active(1, SLOW, Side::Downstream, 0.5));
    let two =
        Snapshot::default().with(active(2, SLOW, Side::Upstream, 0.5)).with(active(1, SLOW, Side::Downstream, 0.5));
    assert_eq!(held(&one), held(&two));
}

#[test]
fn the_toxics_of_the_path_come_first_and_are_never_healed() {
    let base = Snapshot { base: vec![(SLOW, Side::Downstream)].into(), ..Snapshot::default() };
    let mut link = link(0, &base, 0);
    link.sync(&base.retaining(|_| false), ms(1));
    link.chain(Way::Down).arrive(ms(2), data());
    assert_eq!(link.chain(Way::Down).head_due(), Some(ms(52)));
    assert!(!link.strays(&base));
}

#[test]
fn a_link_that_was_not_brought_along_is_a_stray() {
    let with = Snapshot::default().with(active(1, SLOW, Side::Both, 1.0));
    let mut link = link(0, &with, 0);
    let without = with.retaining(|_| false);
    assert!(link.strays(&without));
    link.sync(&without, ms(1));
    assert!(!link.strays(&without));
}

#[test]
fn a_reset_of_either_side_sees_the_first_byte_of_the_client() {
    let reset = Kind::ResetPeer { after: Duration::ZERO, data: Data::Pass, grace: Duration::from_millis(50) };
    for side in [Side::Upstream, Side::Downstream, Side::Both] {
        let with = Snapshot::default().with(active(1, reset.clone(), side, 1.0));
        let mut link = link(0, &with, 200);
        assert_eq!((link.verdict(ms(200)), link.alarm_due()), (None, Some(ms(250))));
        link.chain(Way::Up).arrive(ms(203), data());
        assert_eq!(link.verdict(ms(203)), Some(Close::Rst));
    }
}

fn bounded(share: f64, envelope: Envelope) -> Arc<Active> {
    let fault = Fault { envelope: Box::new(envelope), ..active(1, SLOW, Side::Downstream, share).fault().clone() };
    let decider = Arc::new(Decider::new(Seed(1), fault, ms(100), Arc::default()));
    Arc::new(Active { id: FaultId(1), version: 0, decider })
}

fn is_held(link: &mut Link, at: u64) -> bool {
    while link.turn_due().is_some_and(|due| due <= ms(at)) {
        link.turn(ms(at));
    }
    link.chain(Way::Down).faults().next().is_some()
}

#[test]
fn a_window_closes_and_opens_on_living_connections() {
    let windows =
        Pattern::Windows([0, 20].map(|from| (Duration::from_millis(from), Duration::from_millis(from + 10))).into());
    let fault = bounded(1.0, Envelope { pattern: windows, ..Envelope::default() });
    let with = Snapshot::default().with(Arc::clone(&fault));
    let mut link = link(0, &with, 105);
    link.chain(Way::Down).arrive(ms(105), data());
    assert!(is_held(&mut link, 109));
    assert!(!is_held(&mut link, 110), "the first window has closed");
    assert_eq!(link.chain(Way::Down).head_due(), Some(ms(110)), "what it held goes on");
    assert_eq!(fault.decider.stats().active, 0);
    assert!(!is_held(&mut link, 119) && is_held(&mut link, 120) && !is_held(&mut link, 130));
    let seen = fault.decider.stats();
    assert_eq!((seen.considered, seen.touched, seen.peak, link.turn_due()), (1, 1, 1, None));
}

#[test]
fn a_rising_share_takes_living_connections_in_at_their_own_moment() {
    let points = [(0, 0.0), (1_000, 1.0)].map(|(at, value)| (Duration::from_millis(at), value));
    let ramp = Some(Ramp { of: Scale::Share, points: points.into() });
    let fault = bounded(1.0, Envelope { ramp, ..Envelope::default() });
    let with = Snapshot::default().with(Arc::clone(&fault));
    let mut links: Vec<Link> = (0..1_000).map(|n| link(n, &with, 100)).collect();
    for (at, share) in [(100, 0), (350, 250), (600, 500), (1_101, 1_000)] {
        let held = links.iter_mut().filter_map(|link| is_held(link, at).then_some(())).count();
        assert!(held.abs_diff(share) <= 50, "{held} held at {at} ms");
    }
    assert_eq!(fault.decider.stats().considered, 1_000);
}

#[test]
fn what_the_caps_refuse_passes_untouched() {
    let caps = Caps { connections: Some(10), ..Caps::default() };
    let fault = bounded(1.0, Envelope { caps, ..Envelope::default() });
    let with = Snapshot::default().with(Arc::clone(&fault));
    let mut links: Vec<Link> = (0..40).map(|n| link(n, &with, 100)).collect();
    let held = links.iter_mut().filter_map(|link| is_held(link, 100).then_some(())).count();
    assert_eq!((held, fault.decider.stats().untouched.capped), (10, 30));
}

#[test]
fn a_lifetime_that_waits_for_a_pause_cuts_between_messages() {
    let after = Time::Fixed(Duration::from_millis(50));
    let old = Kind::MaxLifetime { after, from: Origin::Opened, close: Ending::Fin, at: Moment::Idle };
    let with = Snapshot::default().with(active(1, old, Side::Downstream, 1.0));
    let mut link = link(0, &with, 0);
    for at in (0..100).step_by(10) {
        link.chain(Way::Down).hear(ms(at));
        assert_eq!(link.verdict(ms(at)), None, "data flows at {at}");
    }
    assert_eq!((link.alarm_due(), link.verdict(ms(109))), (Some(ms(110)), None));
    assert_eq!(link.verdict(ms(110)), Some(Close::Fin));
}
