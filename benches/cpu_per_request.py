#!/usr/bin/env python3
"""CPU time per plain keep-alive GET: squall beside its rivals, on one core, against one nginx on another.

Whole-process figures: user + system time of the client from start to exit, its reports included, divided by the
requests it completed. All clients run in turn (A B C A B C …), so that a drift of the machine's speed hits every one; the
median of the ratios round by round is what to quote. Wall-clock throughput on a shared machine is not.

    cargo build --release && benches/cpu_per_request.py [--rivals wrk oha=/path/to/oha hey] [--rounds 5] [--seconds 5]

squall runs a scenario with one status check, closed (as wrk does) and, where oha is there, at a set rate as oha does.
A rival that is not there is skipped with a word. Exits 1 when a ratio is above its goal.
"""

import argparse
import os
import sys

import ground

SCENARIO = """(name: "plain", target: (base: "{url}"), {client}
  load: [{load}],
  journeys: {{"get": (steps: [Http(name: "get", url: "/", check: [Status("200")])])}})
"""


def scenario(folder, name, url, load, client=""):
    path = os.path.join(folder, f"{name}.ron")
    with open(path, "w", encoding="utf-8") as file:
        file.write(SCENARIO.format(url=url, load=load, client=client))
    return path


def clients(args, url, folder):
    """Name of each client, and how it is measured once."""
    seconds, most = args.seconds, args.connections
    closed = f'Closed(name: "w", users: [Hold(users: {most}, for: "{seconds}s")], mix: {{"get": 1}})'
    closed = scenario(folder, "closed", url, closed)
    rated = f'Open(name: "w", rate: [Hold(rate: "{args.rate}/s", for: "{seconds}s")], mix: {{"get": 1}})'
    rated = scenario(folder, "rated", url, rated, f"client: (connections: Shared(max: {most})),")
    rivals = dict(ground.find(one) for one in args.rivals)
    for name in [name for name, path in rivals.items() if not path]:
        print(f"skipped: {name} is not there")
        del rivals[name]
    all_of_them = {}
    if "wrk" in rivals:
        all_of_them["wrk"] = lambda: ground.wrk(url + "/", seconds, most)
    all_of_them["squall"] = lambda: ground.squall([closed], folder)[0]
    if "hey" in rivals:
        all_of_them["hey"] = lambda: ground.hey(rivals["hey"], url + "/", seconds, most)
    if "oha" in rivals:
        all_of_them["oha"] = lambda: ground.oha(rivals["oha"], url + "/", seconds, most)
        at = f"at {args.rate}/s"
        all_of_them[f"oha {at}"] = lambda: ground.oha(rivals["oha"], url + "/", seconds, most, args.rate)
        all_of_them[f"squall {at}"] = lambda: ground.squall([rated], folder)[0]
    return all_of_them


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rivals", nargs="*", default=["wrk", "oha", "hey"], help="names, or name=/path")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--rate", type=int, default=20000, help="requests a second where a rate is set")
    args = parser.parse_args()
    with ground.nginx() as (url, folder):
        measured = clients(args, url, folder)
        rounds = {name: [] for name in measured}
        for number in range(args.rounds):
            for name, once in measured.items():
                rounds[name].append(once())
            said = "  ".join(f"{name} {seen[-1]:.2f}" for name, seen in rounds.items())
            print(f"round {number + 1}, us/request: {said}", flush=True)
    at = f"at {args.rate}/s"
    pairs = [("squall", "wrk", 1.25), (f"squall {at}", f"oha {at}", 0.7)]
    sys.exit(0 if ground.table(next(iter(rounds)), rounds, pairs) else 1)


if __name__ == "__main__":
    main()
