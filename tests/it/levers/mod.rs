//! Levers, leases and the keeper, seen from outside: whatever becomes of the drill, nothing stays broken.

mod all;
mod ends;
mod kills;
mod night;
mod undone;

use std::path::Path;

use crate::support::quiet::alone;
use night::{Night, active, begun, lines, open};

#[test]
fn three_kinds_of_levers_are_pulled_renewed_and_healed_through_the_keeper() {
    let _lock = alone();
    let in_force = |night: &Night, run: &Path| {
        night.state() == 'T' && night.target.flag() && active(run) == Some(vec!["slow".to_owned()])
    };
    let (night, running, run) = begun(|night| night.all(8), in_force);
    let ran = running.ends();
    // A generator that was late (5) pulls and heals all the same.
    assert!(matches!(ran.code(), Some(0 | 5)), "{:?}\n{}{}", ran.code(), ran.stdout(), ran.stderr());
    assert_eq!((night.state(), night.target.flag(), night.path_is_up()), ('S', false, false));
    let journal = lines(&run.join("journal.jsonl"));
    for act in ["slow", "frozen", "ship"] {
        let kinds: Vec<&str> =
            journal.iter().filter(|line| line["data"]["id"] == act).filter_map(|line| line["kind"].as_str()).collect();
        assert_eq!(kinds.first(), Some(&"intent"), "{act}: {kinds:?}");
        for kind in ["injected", "renewed", "healing", "healed", "verified"] {
            assert!(kinds.contains(&kind), "{act}: {kinds:?}");
        }
    }
    assert!(open(&run).is_empty());
    drop(ran);
}
