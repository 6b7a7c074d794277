#!/usr/bin/env python3
"""CPU time per request of a five-step journey, beside what wrk spends on a plain GET in the same run.

A login whose answer holds a token, a search, a product whose id the search gave, a cart, an order; a check on each step,
cookies on. nginx answers on a core of its own, from fixed texts, so that only the client is measured. Client and wrk run in
turn; the median of the ratios round by round is what to quote.

    cargo build --release && benches/journey.py [--rounds 5] [--seconds 5]

Exits 1 when the ratio is above 2.7.
"""

import argparse
import os
import sys

import ground

LOCATIONS = """default_type application/json;
location = / { return 200 "ok\\n"; }
location = /login { add_header Set-Cookie "sid=4f1c; Path=/";
  return 200 '{"user": {"id": 17, "name": "Ada"}, "token": "eyJhbGciOiJIUzI1NiJ9.c3F1YWxs.4f1c2b"}'; }
location = /search { return 200 '{"hits": 3, "items": [{"id": "p-1017", "name": "red shoes", "price": 4200},
  {"id": "p-1018", "name": "blue shoes", "price": 4300}, {"id": "p-1019", "name": "socks", "price": 700}]}'; }
location /p/ { return 200 '{"id": "p-1017", "name": "red shoes", "price": 4200, "stock": 12, "about": "Shoes. Red."}'; }
location = /cart { return 200 '{"version": 1, "lines": [{"sku": "p-1017", "qty": 1}], "total": 4200}'; }
location = /orders { return 201 '{"order": {"id": "o-9", "state": "accepted"}, "total": 4200}'; }
"""

SCENARIO = """(name: "five_steps", target: (base: "{url}"), client: (headers: {{"accept": "application/json"}}),
  load: [Closed(name: "shoppers", users: [Hold(users: {users}, for: "{seconds}s")], mix: {{"buy": 1}})],
  vars: {{"colour": Choice([("red", 3), ("blue", 1)])}},
  journeys: {{"buy": (steps: [
    Http(name: "login", method: "POST", url: "/login", body: Json(r#"{{"email": "ada@shop.example", "password": "secret"}}"#),
      check: [Status("200")], extract: {{"token": Json(path: "$.token")}}),
    Http(name: "search", url: "/search", query: {{"q": "${{colour}} shoes"}}, headers: {{"authorization": "Bearer ${{token}}"}},
      check: [Json(path: "$.hits", is: AtLeast(1))], extract: {{"sku": Json(path: "$.items[0].id")}}),
    Http(name: "product", url: "/p/${{sku}}", headers: {{"authorization": "Bearer ${{token}}"}}, check: [Body(Contains("stock"))]),
    Http(name: "cart", method: "POST", url: "/cart", headers: {{"authorization": "Bearer ${{token}}"}},
      body: Json(r#"{{"sku": "${{sku}}", "qty": 1}}"#), check: [Status("200"), Json(path: "$.version", is: Equals("1"))]),
    Http(name: "order", method: "POST", url: "/orders", headers: {{"authorization": "Bearer ${{token}}"}},
      body: Json(r#"{{"sku": "${{sku}}"}}"#), check: [Status("201")]),
  ])}})
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=50)
    args = parser.parse_args()
    if not ground.find("wrk")[1]:
        sys.exit("skipped: wrk is not there")
    rounds = {"wrk, plain GET": [], "squall, five steps": []}
    with ground.nginx(LOCATIONS) as (url, folder):
        path = os.path.join(folder, "five_steps.ron")
        with open(path, "w", encoding="utf-8") as file:
            file.write(SCENARIO.format(url=url, users=args.connections, seconds=args.seconds))
        for number in range(args.rounds):
            theirs = ground.wrk(url + "/", args.seconds, args.connections)
            ours, result = ground.squall([path], folder)
            if len(result["steps"]) != 5:
                sys.exit(f"five steps were meant: {list(result['steps'])}")
            rounds["wrk, plain GET"].append(theirs)
            rounds["squall, five steps"].append(ours)
            print(f"round {number + 1}, us/request: wrk {theirs:.2f}  squall {ours:.2f}", flush=True)
    pairs = [("squall, five steps", "wrk, plain GET", 2.7)]
    sys.exit(0 if ground.table("wrk, plain GET", rounds, pairs) else 1)


if __name__ == "__main__":
    main()
