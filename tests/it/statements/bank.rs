//! Transfers between accounts under injected errors, kills and delays: what a client believes committed is what the table
//! holds, to the last row, and no money is made or lost.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use futures::future::join_all;
use squall::base::seed::{Seed, Stream};
use squall::plan::fault::rule::Place;
use squall::plan::fault::rule::postgres::{Act, Death, Moment, Only};
use squall::wire::sql::Verb;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};

use super::bed::{Bed, bed, connect_as, delay, error, verbs};

const ACCOUNTS: u64 = 40;
const CLIENTS: u64 = 8;

/// What the clients believe, by the number of the transfer.
#[derive(Debug, Default)]
struct Belief {
    committed: BTreeSet<i32>,
    /// The connection broke while COMMIT was under way.
    unknown: BTreeSet<i32>,
}

/// One client's prepared statements.
struct Teller {
    client: Client,
    all: [Statement; 4],
}

const TEXTS: [&str; 4] =
    ["BEGIN", "UPDATE account SET balance = balance + $2 WHERE id = $1", "INSERT INTO log VALUES ($1)", "COMMIT"];

async fn teller(bed: &Bed) -> Teller {
    loop {
        let Ok(client) = connect_as(bed.listen, "postgres").await else { continue };
        let prepared = join_all(TEXTS.iter().map(|text| client.prepare(text))).await;
        let prepared: Result<Vec<Statement>, _> = prepared.into_iter().collect();
        if let Ok(all) = prepared {
            return Teller { client, all: all.try_into().unwrap() };
        }
    }
}

/// One transfer: who, to whom, how much, its number.
#[derive(Clone, Copy)]
struct Transfer {
    from: i32,
    to: i32,
    much: i32,
    id: i32,
}

fn draw(stream: &mut Stream, id: i32) -> Transfer {
    let mut account = || i32::try_from(stream.below(ACCOUNTS)).unwrap();
    let (from, to) = (account(), account());
    Transfer { from, to, much: i32::try_from(stream.below(50)).unwrap() + 1, id }
}

/// Believed committed, surely not, or unknown: the connection broke at COMMIT.
async fn simple(teller: &Teller, of: Transfer) -> Option<bool> {
    let Transfer { from, to, much, id } = of;
    let (low, high) = if from < to { ((from, -much), (to, much)) } else { ((to, much), (from, -much)) };
    let texts = [
        "BEGIN".to_owned(),
        format!("UPDATE account SET balance = balance + {} WHERE id = {}", low.1, low.0),
        format!("UPDATE account SET balance = balance + {} WHERE id = {}", high.1, high.0),
        format!("INSERT INTO log VALUES ({id})"),
    ];
    for text in texts {
        if teller.client.batch_execute(&text).await.is_err() {
            drop(teller.client.batch_execute("ROLLBACK").await);
            return Some(false);
        }
    }
    believed(teller.client.batch_execute("COMMIT").await.err(), &teller.client)
}

fn believed(wrong: Option<tokio_postgres::Error>, client: &Client) -> Option<bool> {
    match wrong {
        None => Some(true),
        Some(error) if error.code().is_none() || client.is_closed() => None,
        Some(_) => Some(false),
    }
}

async fn prepared(teller: &Teller, of: Transfer) -> Option<bool> {
    let [begin, give, log, commit] = &teller.all;
    let client = &teller.client;
    let Transfer { from, to, much, id } = of;
    let (low, high) = if from < to { ((from, -much), (to, much)) } else { ((to, much), (from, -much)) };
    let done = async {
        client.execute(begin, &[]).await?;
        client.execute(give, &[&low.0, &low.1]).await?;
        client.execute(give, &[&high.0, &high.1]).await?;
        client.execute(log, &[&id]).await
    };
    if done.await.is_err() {
        drop(client.batch_execute("ROLLBACK").await);
        return Some(false);
    }
    believed(client.execute(commit, &[]).await.err(), client)
}

/// All five statements are sent before the first answer is read.
async fn pipelined(teller: &Teller, of: Transfer) -> Option<bool> {
    let [begin, give, log, commit] = &teller.all;
    let client = &teller.client;
    let Transfer { from, to, much, id } = of;
    let (low, high) = if from < to { ((from, -much), (to, much)) } else { ((to, much), (from, -much)) };
    let low: [&(dyn ToSql + Sync); 2] = [&low.0, &low.1];
    let high: [&(dyn ToSql + Sync); 2] = [&high.0, &high.1];
    let number: [&(dyn ToSql + Sync); 1] = [&id];
    let (begun, taken, given, logged, committed) = futures::join!(
        client.execute(begin, &[]),
        client.execute(give, &low),
        client.execute(give, &high),
        client.execute(log, &number),
        client.execute(commit, &[]),
    );
    if begun.is_ok() && taken.is_ok() && given.is_ok() && logged.is_ok() {
        return believed(committed.err(), client);
    }
    // An error before COMMIT makes COMMIT a rollback, whatever it answers.
    if committed.is_err() {
        drop(client.batch_execute("ROLLBACK").await);
    }
    Some(false)
}

async fn work(bed: &Bed, number: u64, transfers: std::ops::Range<i32>, belief: Arc<Mutex<Belief>>) {
    let mut stream = Seed(12).keyed("bank", &[number]);
    let mut one = teller(bed).await;
    for id in transfers {
        if one.client.is_closed() {
            one = teller(bed).await;
        }
        let of = draw(&mut stream, id);
        let outcome = match stream.below(3) {
            0 => simple(&one, of).await,
            1 => prepared(&one, of).await,
            _ => pipelined(&one, of).await,
        };
        let mut belief = belief.lock().unwrap();
        match outcome {
            Some(true) => drop(belief.committed.insert(id)),
            Some(false) => {}
            None => drop(belief.unknown.insert(id)),
        }
    }
}

/// Runs the transfers; gives what was believed, what the table holds, and the sum of all balances.
fn run(bed: &Bed, transfers: i32) -> (Belief, BTreeSet<i32>, i64) {
    bed.direct(&format!(
        "CREATE TABLE account (id int PRIMARY KEY, balance int); CREATE TABLE log (id int PRIMARY KEY); \
         INSERT INTO account SELECT n, 1000 FROM generate_series(0, {}) n",
        ACCOUNTS - 1
    ));
    let belief = Arc::new(Mutex::new(Belief::default()));
    let share = transfers / i32::try_from(CLIENTS).unwrap();
    let all = (0..CLIENTS).map(|number| {
        let first = i32::try_from(number).unwrap() * share;
        work(bed, number, first..first + share, Arc::clone(&belief))
    });
    bed.runtime.block_on(join_all(all));
    bed.runtime.block_on(async {
        let client = connect_as(bed.server.address(), "postgres").await.unwrap();
        let rows = client.query("SELECT id FROM log", &[]).await.unwrap();
        let sum = client.query_one("SELECT sum(balance) FROM account", &[]).await.unwrap().get(0);
        let belief = Arc::try_unwrap(belief).unwrap().into_inner().unwrap();
        (belief, rows.iter().map(|row| row.get(0)).collect(), sum)
    })
}

fn storm(bed: &Bed) {
    let on = |table: &str, list: &[Verb]| Only { tables: vec![table.into()], ..verbs(list) };
    bed.put_on("deadlocks", on("account", &[Verb::Update]), error("40P01"), 0.03);
    bed.put_on("duplicates", on("log", &[Verb::Insert]), error("23505"), 0.03);
    bed.put_on("conflicts", verbs(&[Verb::Commit]), error("40001"), 0.03);
    bed.put_on("resets", Only::default(), Act::Kill { how: Death::Rst, moment: Moment::Statement }, 0.004);
    let fatal = Act::Kill { how: Death::Fatal("57P01".into()), moment: Moment::InTransaction };
    bed.put_on("fatals", Only::default(), fatal, 0.004);
    for (name, place) in [("late", Place::Request), ("held", Place::Response), ("busy", Place::Server)] {
        bed.put_on(name, Only::default(), delay(1, place), 0.03);
    }
}

fn hold(transfers: i32) {
    let Some(bed) = bed() else { return };
    storm(&bed);
    let (belief, stored, sum) = run(&bed, transfers);
    assert_eq!(sum, i64::try_from(ACCOUNTS).unwrap() * 1_000);
    assert_eq!(belief.committed, stored, "believed and stored differ");
    assert!(stored.len() > usize::try_from(transfers / 2).unwrap(), "only {} were committed", stored.len());
    for name in ["deadlocks", "duplicates", "conflicts", "resets", "fatals", "late", "held", "busy"] {
        assert!(bed.proxies.stats(name).unwrap().touched > 0, "{name} never acted");
    }
}

#[test]
fn what_is_believed_committed_is_stored() {
    hold(640);
}

#[test]
#[ignore = "minutes of transfers"]
fn full_ten_thousand_transfers_are_believed_as_they_are_stored() {
    hold(10_000);
}

#[test]
fn only_the_unknown_commit_may_differ_and_only_where_the_connection_broke() {
    let Some(bed) = bed() else { return };
    let unknown = Act::Kill { how: Death::Rst, moment: Moment::UnknownCommit };
    bed.put_on("unknown", Only::default(), unknown, 0.1);
    let (belief, stored, sum) = run(&bed, 320);
    assert_eq!(sum, i64::try_from(ACCOUNTS).unwrap() * 1_000);
    assert!(belief.committed.is_subset(&stored));
    let surprises: BTreeSet<i32> = stored.difference(&belief.committed).copied().collect();
    assert_eq!(surprises, belief.unknown, "what differs is what nobody heard of");
    let touched = bed.proxies.stats("unknown").unwrap().touched;
    assert_eq!(touched, surprises.len() as u64, "and each is counted");
}
