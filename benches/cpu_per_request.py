#!/usr/bin/env python3
"""CPU time per plain keep-alive GET: squall beside wrk, on one core, against one nginx on another.

Whole-process figures: user + system time of the client from start to exit, its reports included, divided by the
requests it completed. The two run in turn (A B A B …), so that a drift of the machine's speed hits both; the median
of the pairwise ratios is what to quote. Wall-clock throughput on a shared machine is not.

    cargo build --release && benches/cpu_per_request.py [--rounds 5] [--seconds 5] [--connections 50] [--limit 1.4]

Exits 1 when the median ratio is above --limit. Needs nginx, wrk and taskset; all traffic stays on loopback.
"""

import argparse
import json
import os
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start_nginx(folder, port):
    conf = os.path.join(folder, "nginx.conf")
    with open(conf, "w", encoding="utf-8") as file:
        file.write(
            f"""daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 100000000; keepalive_timeout 600s;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; location / {{ default_type text/plain; return 200 "ok\\n"; }} }} }}
"""
        )
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    server = subprocess.Popen(["taskset", "-c", "1", nginx, "-p", folder, "-c", conf])
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return server
        time.sleep(0.05)
    server.kill()
    sys.exit("nginx did not start")


def cpu_of(command):
    """Runs a command pinned to core 0; gives its CPU seconds and its output."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(["taskset", "-c", "0", *command], capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime), done.stdout, done.stderr


def wrk(url, args):
    cpu, out, err = cpu_of(["wrk", "-t1", f"-c{args.connections}", f"-d{args.seconds}s", url])
    found = re.search(r"(\d+) requests in", out)
    if not found:
        sys.exit(f"wrk said nothing to count:\n{out}{err}")
    return cpu * 1e6 / int(found.group(1))


def squall(url, args, folder, load):
    command = [os.path.join(ROOT, "target/release/squall"), "run", url, *load, "--for", f"{args.seconds}s"]
    cpu, out, err = cpu_of([*command, "--threads", "1", "--json", "--out", folder])
    try:
        totals = json.loads(out)["totals"]
    except (ValueError, KeyError):
        sys.exit(f"squall said nothing to count:\n{out}{err}")
    if totals["failed"] or totals["done"] == 0:
        sys.exit(f"squall had failures: {totals}")
    return cpu * 1e6 / totals["done"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--rate", help="squall at a set rate such as 20000/s, instead of its closed loop")
    parser.add_argument("--limit", type=float, default=1.4)
    args = parser.parse_args()
    load = ["--rate", args.rate] if args.rate else ["--users", str(args.connections)]
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        server = start_nginx(folder, port)
        try:
            url = f"http://127.0.0.1:{port}/"
            wrk(url, args), squall(url, args, folder, load)  # warm up both
            ratios = []
            for number in range(args.rounds):
                theirs, ours = wrk(url, args), squall(url, args, folder, load)
                ratios.append(ours / theirs)
                print(f"round {number + 1}: wrk {theirs:.2f} us/request  squall {ours:.2f} us/request  ratio {ours / theirs:.3f}")
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()
    middle = statistics.median(ratios)
    print(f"median ratio squall / wrk: {middle:.3f}  (min {min(ratios):.3f}, max {max(ratios):.3f}, limit {args.limit})")
    sys.exit(0 if middle <= args.limit else 1)


if __name__ == "__main__":
    main()
