//! Conversations between a client and a server whose parts are played by hand.

use std::time::Duration;

use super::*;
use crate::fault::rule::stand::{Stand, active};
use crate::fault::snapshot::Snapshot;
use crate::plan::fault::rule::redis::{Failure, Only, Redis as Kind};
use crate::plan::fault::rule::{Nth, Protocol, Speaks, Within};
use crate::plan::fault::{Ending, Time};

const GET: &str = "*2\r\n$3\r\nGET\r\n$1\r\na\r\n";
const SET: &str = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n";
const OOM: &str = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";

fn speaks() -> Speaks {
    Speaks { protocol: Protocol::Redis, ..Speaks::default() }
}

fn rule(commands: &[&str], act: Act) -> Rule {
    let only = Only { commands: commands.iter().map(|one| (*one).to_owned()).collect(), ..Only::default() };
    Rule::Redis(Box::new(Kind { only, act }))
}

fn stand(rules: &[Rule]) -> Stand {
    Stand::new(&speaks(), rules, 0)
}

fn oom() -> Act {
    Act::Error(Failure::Oom)
}

/// `words` as an array of strings.
fn say(words: &str) -> String {
    let words: Vec<&str> = words.split(' ').collect();
    let head = format!("*{}\r\n", words.len());
    words.iter().fold(head, |all, word| all + &format!("${}\r\n{word}\r\n", word.len()))
}

#[test]
fn an_error_takes_the_place_of_its_reply_in_a_pipeline() {
    let mut stand = stand(&[rule(&["SET"], oom())]);
    assert_eq!(stand.client(format!("{GET}{SET}get b\r\n{SET}")), format!("{GET}get b\r\n"));
    assert_eq!(stand.take(Way::Down), "");
    assert_eq!(stand.server("$1\r\nx"), "$1\r\nx");
    assert_eq!(stand.server("\r\n:7\r\n"), format!("\r\n{OOM}:7\r\n{OOM}"));
    let seen = stand.seen();
    assert_eq!((seen.considered, seen.touched, seen.active), (2, 2, 0));
}

#[test]
fn in_a_transaction_the_server_fails_the_command_and_exec_is_never_believed() {
    let mut one = stand(&[rule(&["SET"], oom())]);
    assert_eq!(one.client(say("multi")), say("multi"));
    assert_eq!(one.client(SET), say("SQUALL.INJECTED"));
    assert_eq!(one.client(say("exec")), say("exec"));
    let replies = "+OK\r\n-ERR unknown command\r\n-EXECABORT Transaction discarded\r\n";
    assert_eq!(one.server(replies), format!("+OK\r\n{OOM}-EXECABORT Transaction discarded\r\n"));
    assert_eq!(one.client(SET), "", "outside, nobody is asked");
    let mut one = stand(&[rule(&["EXEC", "DISCARD"], oom())]);
    one.client(say("multi"));
    assert_eq!(one.client(say("exec")), say("DISCARD"), "what is said to have failed has not been done");
    assert_eq!(one.server("+OK\r\n+OK\r\n"), format!("+OK\r\n{OOM}"));
    one.client(say("multi"));
    assert_eq!(one.client(say("discard")), say("discard"));
    assert_eq!(one.seen().untouched.unsafe_to_touch, 1);
}

#[test]
fn a_miss_is_the_servers_own_answer_for_a_key_that_does_not_exist() {
    let mut stand = stand(&[rule(&[], Act::Miss)]);
    let asked = stand.client(GET);
    assert!(asked.starts_with("*2\r\n$3\r\nGET\r\n$") && asked.contains("{a}squall:missing:"), "{asked}");
    assert!(stand.client(say("hgetall x{tag}y")).contains("{tag}squall:missing:"), "the slot stays");
    assert_eq!(stand.client(SET), SET);
    assert_eq!(stand.client(say("multi")), say("multi"));
    assert_eq!(stand.client(GET), GET, "not in a transaction");
    let seen = stand.seen();
    assert_eq!((seen.considered, seen.touched, seen.untouched.unsafe_to_touch), (3, 2, 1));
}

#[test]
fn a_flushed_key_is_missing_until_it_is_written_through_any_connection() {
    let only = Only { keys: Some("a*".into()), ..Only::default() };
    let flush = Rule::Redis(Box::new(Kind { only, act: Act::Flush }));
    let snapshot = Snapshot::default().with(active(1, flush, 1.0));
    let mut one = Stand::under(&speaks(), snapshot.clone(), 0);
    let mut other = Stand::under(&speaks(), snapshot, 1);
    assert!(
        one.client(say("mget a b ab")).contains("{ab}squall:missing") && !one.client(say("get b")).contains("squall")
    );
    assert_eq!(other.client(SET), SET);
    assert_eq!(one.client(GET), GET);
    assert!(one.client(say("mget a ab")).contains("$1\r\na\r\n$"));
}

#[test]
fn a_delay_holds_the_command_and_all_behind_it() {
    let mut one = stand(&[rule(&["GET"], Act::Delay(Time::Fixed(Duration::from_millis(50))))]);
    assert_eq!(one.client(format!("{GET}{SET}")), "");
    one.wait(50);
    assert_eq!(one.take(Way::Up), format!("{GET}{SET}"));
    assert_eq!(one.client(GET), "");
    one.end(Way::Up, Signal::Fin);
    assert_eq!(one.take(Way::Up), format!("{GET}<fin>"), "nobody waits any more");
    assert_eq!(one.seen().active, 0);
}

#[test]
fn a_drop_cuts_in_the_middle_of_the_reply() {
    let mut one = stand(&[rule(&["GET"], Act::Drop { after: 5, close: Ending::Rst })]);
    one.client(format!("{SET}{GET}"));
    assert_eq!(one.server("+OK\r\n$5\r\nhello\r\n"), "+OK\r\n$5\r\nh<cut>");
    assert_eq!((one.verdict(), one.seen().cut), (Some(Close::Rst), 1));
}

#[test]
fn only_the_nth_of_a_connection_or_of_all() {
    for (of, expected) in
        [(Within::Connection, [false, true, false, false, true]), (Within::Fault, [false, true, false, false, false])]
    {
        let only = Only { nth: Some(Nth { n: 2, of }), ..Only::default() };
        let snapshot = Snapshot::default().with(active(1, Rule::Redis(Box::new(Kind { only, act: oom() })), 1.0));
        let mut one = Stand::under(&speaks(), snapshot.clone(), 0);
        let mut other = Stand::under(&speaks(), snapshot, 1);
        let first: Vec<bool> = (0..3).map(|_| one.client(GET).is_empty()).collect();
        let second: Vec<bool> = (0..2).map(|_| other.client(GET).is_empty()).collect();
        assert_eq!([first, second].concat(), expected, "{of:?}");
    }
}

#[test]
fn pushes_take_no_slot_and_subscriptions_turn_the_connection_to_bytes() {
    let mut one = stand(&[rule(&["SET"], oom())]);
    one.client(format!("{GET}{SET}"));
    assert_eq!(one.server(">2\r\n+invalidate\r\n*1\r\n+a\r\n"), ">2\r\n+invalidate\r\n*1\r\n+a\r\n");
    assert_eq!(one.server("_\r\n"), format!("_\r\n{OOM}"));
    one.client(format!("{GET}{}{SET}", say("subscribe x")));
    assert_eq!(one.server("_\r\n*3\r\n+subscribe\r\n+x\r\n:1\r\n"), "_\r\n*3\r\n+subscribe\r\n+x\r\n:1\r\n");
    assert_eq!(one.client(SET), SET);
    assert_eq!((one.straight(Way::Up), one.straight(Way::Down)), (usize::MAX, usize::MAX));
    assert_eq!(one.seen().untouched.unparsed, 1);
}

#[test]
fn a_cap_counts_connections_and_refuses_as_the_server_would() {
    let snapshot = Snapshot::default().with(active(1, rule(&[], Act::Cap(2)), 1.0));
    let mut open: Vec<Stand> = (0..2).map(|n| Stand::under(&speaks(), snapshot.clone(), n)).collect();
    let mut third = Stand::under(&speaks(), snapshot.clone(), 2);
    assert_eq!(third.take(Way::Down), "-ERR max number of clients reached\r\n<cut>");
    assert_eq!(open[1].client(GET), GET);
    open.remove(0);
    assert_eq!(Stand::under(&speaks(), snapshot, 3).client(GET), GET);
    assert_eq!(third.seen().touched, 1);
}

#[test]
fn a_long_command_and_a_long_reply_go_straight() {
    let mut one = stand(&[rule(&["GET"], oom())]);
    let long = format!("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1000000\r\n{}", "x".repeat(100_000));
    assert_eq!(one.client(&long), long);
    assert!(one.straight(Way::Up) > 800_000);
    let mut one = stand(&[rule(&["SET"], oom())]);
    one.client(GET);
    assert_eq!(one.server("$1000000\r\nx"), "$1000000\r\nx");
    assert!(one.straight(Way::Down) > 900_000);
    let mut one = stand(&[rule(&["SET"], oom())]);
    assert_eq!(one.client(&long), "");
    assert_eq!(one.take(Way::Down), OOM);
    assert_eq!(one.client(format!("{}\r\n{GET}", "x".repeat(900_000))), GET, "its rest goes with it");
}
