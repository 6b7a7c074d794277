//! Levers, leases and the keeper, seen from outside: whatever becomes of the drill, nothing stays broken.

mod ends;
mod kills;
mod night;
mod undone;

use std::time::Duration;

use crate::support::quiet::alone;
use night::{Night, active, folder, lines, open, until};

const SOON: Duration = Duration::from_secs(60);

#[test]
fn three_kinds_of_levers_are_pulled_renewed_and_healed_through_the_keeper() {
    let _lock = alone();
    let night = Night::begin();
    let running = night.drill(&night.all(8));
    let run = until(SOON, || folder(&running));
    until(SOON, || (night.state() == 'T' && night.target.flag()).then_some(()));
    assert_eq!(until(SOON, || active(&run).filter(|all| !all.is_empty())), ["slow"]);
    let ran = running.ends();
    println!("{}{}", ran.stdout(), ran.stderr());
    let ran = ran.exits(0);
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
