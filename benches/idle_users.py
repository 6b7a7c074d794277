#!/usr/bin/env python3
"""Resident memory per connected user who does nothing: 10 000 users of a closed workload, one request each, then they think.

The resident memory of squall (the kernel's own memory for sockets is not in it) while all of them wait, less that of the
same squall with one user, divided by the users.

    cargo build --release && benches/idle_users.py [--users 10000]

Exits 1 above 28 KiB a user. Needs as many file descriptors as users; `ulimit -Hn` must allow it.
"""

import argparse
import os
import resource
import signal
import subprocess
import sys
import time

import ground

GOAL_KIB = 28.0

SCENARIO = """(name: "idle", target: (base: "{url}"),
  load: [Closed(name: "idlers", users: [Ramp(to: {users}, over: "5s"), Hold(users: {users}, for: "1h")], mix: {{"come": 1}}, think: Fixed("30m"))],
  journeys: {{"come": (steps: [Http(name: "get", url: "/", check: [Status("200")])])}})
"""


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def connected(pid):
    """Sockets that the process holds."""
    folder = f"/proc/{pid}/fd"
    found = 0
    for name in os.listdir(folder):
        try:
            found += os.readlink(f"{folder}/{name}").startswith("socket:")
        except OSError:
            pass
    return found


def waiting(users, seconds, url, folder):
    """Resident memory once `users` are connected and wait, and how many sockets there are."""
    path = os.path.join(folder, f"idle_{users}.ron")
    with open(path, "w", encoding="utf-8") as file:
        file.write(SCENARIO.format(url=url, users=users))
    command = ["taskset", "-c", "0", ground.SQUALL, "run", path, "--threads", "1", "--json", "--out", folder]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(seconds)
        if run.poll() is not None:
            sys.exit(f"squall ended early: {' '.join(command)}")
        return resident_kib(run.pid), connected(run.pid)
    finally:
        run.send_signal(signal.SIGINT)
        run.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=10000)
    parser.add_argument("--seconds", type=int, default=20)
    args = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < args.users + 200:
        sys.exit(f"skipped: {args.users} users need more file descriptors than {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with ground.nginx(connections=args.users + 500) as (url, folder):
        before, _ = waiting(1, args.seconds, url, folder)
        after, sockets = waiting(args.users, args.seconds, url, folder)
    if sockets < args.users:
        sys.exit(f"only {sockets} of {args.users} users were connected")
    each = (after - before) / (args.users - 1)
    print(f"one user {before} KiB, {args.users} users {after} KiB ({sockets} sockets)")
    print(f"{each:.1f} KiB a user (goal {GOAL_KIB:.0f}){'' if each <= GOAL_KIB else '  above'}")
    sys.exit(0 if each <= GOAL_KIB else 1)


if __name__ == "__main__":
    main()
