//! Journeys of several steps: values taken from answers, checks, and what a failed step does.

use std::time::Duration;

use super::server::{Answer, Server};
use super::{get, http, open, plan, run};
use crate::plan::program::{Body, Check, Draw, Drawn, Extraction, From, Http, Is, OnFailure, Op, Pick, Think, What};
use crate::plan::template::{Escape, Piece, Template, VarId};

fn path(before: &str, var: u16) -> Template {
    Template { pieces: vec![Piece::Text(before.to_owned()), Piece::Var(VarId(var), Escape::Percent)] }
}

fn take(label: u16, into: u16, from: From) -> Extraction {
    Extraction { label, into: VarId(into), from, pick: Pick::First, or: None }
}

fn json(path: &str) -> From {
    From::Json(path.to_owned())
}

#[test]
fn a_value_from_one_answer_goes_into_the_next_request() {
    let server = Server::start(|request| match request.path() {
        "/cart" => Answer::status(201, r#"{"items": [{"sku": "a/b 7", "qty": 2}]}"#),
        "/item/a%2Fb%207" if request.head.contains("x-qty: 2\r\n") && request.body == br#"{"sku":"a/b 7"}"# => {
            Answer::ok("good")
        }
        _ => Answer::status(404, "no"),
    });
    let cart = Http { extract: vec![take(1, 0, json("$.items[0].sku"))], ..get(0, "/cart") };
    let body = Template {
        pieces: vec![
            Piece::Text(r#"{"sku":""#.to_owned()),
            Piece::Var(VarId(0), Escape::Json),
            Piece::Text(r#""}"#.to_owned()),
        ],
    };
    let quantity = Template { pieces: vec![Piece::Var(VarId(1), Escape::Plain)] };
    let item = Http {
        method: "PUT".to_owned(),
        path: path("/item/", 0),
        headers: vec![("x-qty".to_owned(), quantity)],
        body: Some(Body::text(body)),
        ..get(1, "")
    };
    let steps = vec![
        http(cart),
        Op::Extract(vec![take(2, 1, json("$.items[0].qty"))]),
        Op::Pause(Think::Fixed(Duration::from_millis(30))),
        http(item),
    ];
    let seen = run(plan(&server, open(100.0, 200), steps), 1);
    assert_eq!((seen.travel().completed, seen.all.flow.good), (20, 40), "{:?}", seen.all.total().errors);
    let second = seen.step(1);
    assert!(second.lateness.value_at(0.5).unwrap() < 20_000, "a later step is due after its pause");
}

#[test]
fn an_answer_that_is_not_what_it_must_be_is_refused_with_its_reason() {
    let cases = [
        (What::Json { path: "$.n".to_owned(), is: Is::AtLeast(5.0) }, "check:first"),
        (What::Body(Is::Contains("missing".to_owned())), "check:first"),
        (What::Header { name: "x-kind".to_owned(), is: Is::Equals("other".to_owned()) }, "check:first"),
        (What::Header { name: "x-kind".to_owned(), is: Is::Absent }, "check:first"),
        (What::Size { at_least: 100, at_most: 200 }, "check:first"),
        (What::Time { at_most: Duration::ZERO }, "check:first"),
    ];
    let server = Server::start(|_| Answer::ok(r#"{"n": 4}"#));
    for (what, key) in cases {
        let mut ask = get(0, "/");
        ask.check.push(Check { label: 1, what: what.clone() });
        let seen = run(plan(&server, open(50.0, 60), vec![http(ask)]), 1);
        assert_eq!((seen.errors(key), seen.travel().failed), (3, 3), "{what:?}");
    }
    let ask = Http { extract: vec![take(2, 0, json("$.absent"))], ..get(0, "/") };
    let seen = run(plan(&server, open(50.0, 60), vec![http(ask)]), 1);
    assert_eq!(seen.errors("extract:second"), 3);
}

#[test]
fn a_failed_step_ends_its_journey_or_not_as_written() {
    for (on_failure, second, completed) in [(OnFailure::EndJourney, 0, 0), (OnFailure::Continue, 5, 5)] {
        let server =
            Server::start(
                |request| {
                    if request.path() == "/broken" { Answer::status(500, "no") } else { Answer::ok("fine") }
                },
            );
        let mut plan = plan(&server, open(50.0, 100), vec![http(get(0, "/broken")), http(get(1, "/fine"))]);
        plan.journeys[0].on_failure = on_failure;
        let seen = run(plan, 1);
        assert_eq!((seen.errors("status_500"), seen.step(1).answered()), (5, second));
        assert_eq!(seen.travel().completed, completed);
    }
}

#[test]
fn a_value_that_cannot_stand_in_a_header_is_not_sent() {
    let server = Server::start(|_| Answer::ok("two\r\nlines"));
    let first = Http { extract: vec![take(1, 0, From::Body)], ..get(0, "/") };
    let value = Template { pieces: vec![Piece::Var(VarId(0), Escape::Plain)] };
    let second = Http { headers: vec![("x-value".to_owned(), value)], ..get(1, "/") };
    let mut plan = plan(&server, open(50.0, 60), vec![http(first), http(second)]);
    plan.values.draws = vec![Drawn { name: "key".to_owned(), into: VarId(1), draw: Draw::Uuid }];
    let folder = run(plan, 1);
    assert_eq!((folder.errors("variable"), server.requests()), (3, 3));
}
