"""What the benches stand on: an nginx on a core of its own, the CPU time of a client on another, and a table of medians.

Not a bench itself. All traffic stays on loopback; what is started here is ended here.
"""

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
from contextlib import contextmanager

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SQUALL = os.environ.get("SQUALL", os.path.join(ROOT, "target/release/squall"))

PLAIN = 'location / { default_type text/plain; return 200 "ok\\n"; }'


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def nginx(locations=PLAIN, core=1, connections=4096):
    """One worker of nginx, pinned; gives its address and a folder that is gone afterwards."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    with tempfile.TemporaryDirectory() as folder:
        port, conf = free_port(), os.path.join(folder, "nginx.conf")
        with open(conf, "w", encoding="utf-8") as file:
            file.write(
                f"""daemon off; worker_processes 1; worker_rlimit_nofile 65536; pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections {connections}; }}
http {{ access_log off; keepalive_requests 100000000; keepalive_timeout 600s;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port} backlog=16384; {locations} }} }}
"""
            )
        server = subprocess.Popen(["taskset", "-c", str(core), program, "-p", folder, "-c", conf])
        try:
            for _ in range(100):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            else:
                sys.exit("nginx did not start")
            yield f"http://127.0.0.1:{port}", folder
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()


def cpu_of(command, core=0):
    """Runs a command pinned to one core; gives its user + system seconds, from start to exit, and its output."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(["taskset", "-c", str(core), *command], capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)
    return cpu, done.stdout, done.stderr


def count(name, pattern, out, err):
    found = re.search(pattern, out)
    if not found:
        sys.exit(f"{name} said nothing to count:\n{out}{err}")
    return int(found.group(1))


def squall(arguments, folder):
    """CPU time of one request of `squall run …` in microseconds, and its result; ends the bench when one failed."""
    cpu, out, err = cpu_of([SQUALL, "run", *arguments, "--threads", "1", "--json", "--out", folder])
    try:
        result = json.loads(out)
        totals = result["totals"]
    except (ValueError, KeyError, TypeError):
        sys.exit(f"squall said nothing to count:\n{out}{err}")
    if totals["failed"] or totals["done"] == 0:
        sys.exit(f"squall had failures: {totals}")
    return cpu * 1e6 / totals["done"], result


def wrk(url, seconds, connections):
    cpu, out, err = cpu_of(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", url])
    return cpu * 1e6 / count("wrk", r"(\d+) requests in", out, err)


def oha(program, url, seconds, connections, rate=None):
    pace = ["-q", str(rate)] if rate else []
    command = [program, "--no-tui", "--output-format", "json", "-z", f"{seconds}s", "-c", str(connections), *pace, url]
    cpu, out, err = cpu_of(command)
    try:
        codes = json.loads(out)["statusCodeDistribution"]
    except (ValueError, KeyError):
        sys.exit(f"oha said nothing to count:\n{out}{err}")
    return cpu * 1e6 / sum(codes.values())


def hey(program, url, seconds, connections):
    cpu, out, err = cpu_of([program, "-z", f"{seconds}s", "-c", str(connections), "-cpus", "1", url])
    return cpu * 1e6 / count("hey", r"\[200\]\s+(\d+) responses", out, err)


def find(name):
    """Where a rival is: `name` or `name=/path/to/it`; nothing when it is absent."""
    name, _, path = name.partition("=")
    return name, shutil.which(path or name)


def table(first, rounds, pairs):
    """Prints each client's median beside the first's; `pairs` are (of, beside, limit). True when every limit holds."""
    print(f"\n{'':24} {'us/request':>10} {'min':>7} {'max':>7} {f'/ {first}':>8}")
    for name, seen in rounds.items():
        ratio = statistics.median(a / b for a, b in zip(seen, rounds[first]))
        print(f"{name:24} {statistics.median(seen):10.2f} {min(seen):7.2f} {max(seen):7.2f} {ratio:8.3f}")
    met = True
    for of, beside, limit in pairs:
        if of in rounds and beside in rounds:
            ratio = statistics.median(a / b for a, b in zip(rounds[of], rounds[beside]))
            met &= ratio <= limit
            print(f"median of {of} / {beside}, round by round: {ratio:.3f} (goal {limit}){'' if ratio <= limit else '  above'}")
    return met
