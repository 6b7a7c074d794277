#!/usr/bin/env python3
"""What the fault proxy costs: squall proxy beside HAProxy in TCP mode (and Toxiproxy, when it is on PATH), in alternating rounds.

    cargo build --release && benches/fault_proxy.py [--rounds 5] [--seconds 4] [--squall target/release/squall]

Prints, each as the median of the rounds: CPU per proxied keep-alive request (proxy process alone: its user + system
time over the requests that wrk completed) and the ratio; the median latency that each adds; throughput of `pgbench -S -M prepared`
with 16 clients through squall against direct (needs --postgres HOST:PORT/DB); memory per idle connection over 8 000
of them; error of an injected latency of 5 ms, p50 and p99, one request at a time; and that a body of many chunks is late by one latency,
not by many. Needs nginx, wrk, taskset and haproxy. All traffic stays on loopback.
"""

import argparse
import http.client
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def up(port):
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit(f"nothing listens on {port}")


def nginx(folder, port):
    with open(f"{folder}/nginx.conf", "w", encoding="utf-8") as file:
        file.write(
            f"""daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 12000; }}
http {{ access_log off; keepalive_requests 100000000; keepalive_timeout 600s;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ default_type text/plain; return 200 "ok\\n"; }} }} }}
"""
        )
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    server = subprocess.Popen(["taskset", "-c", "1", binary, "-p", folder, "-c", f"{folder}/nginx.conf"])
    up(port)
    return server


def squall(binary, api, listen, upstream):
    command = [binary, "proxy", "--api", f"127.0.0.1:{api}", "--quiet"]
    process = subprocess.Popen(["taskset", "-c", "0", *command], stdout=subprocess.DEVNULL)
    up(api)
    ask(api, "POST", "/proxies", {"name": "a", "listen": f"127.0.0.1:{listen}", "upstream": f"127.0.0.1:{upstream}"})
    return process


def haproxy(folder, listen, upstream):
    path = f"{folder}/haproxy.cfg"
    with open(path, "w", encoding="utf-8") as file:
        file.write(
            f"""global
  maxconn 12000
  nbthread 1
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen a
  bind 127.0.0.1:{listen}
  server s 127.0.0.1:{upstream}
"""
        )
    process = subprocess.Popen(["taskset", "-c", "0", "haproxy", "-db", "-f", path], stderr=subprocess.DEVNULL)
    up(listen)
    return process


def ask(api, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", api, timeout=10)
    connection.request(method, path, json.dumps(body) if body is not None else None)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status >= 400:
        sys.exit(f"{method} {path}: {answer.status} {text}")
    return text


def cpu(process):
    with open(f"/proc/{process.pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident(process):
    with open(f"/proc/{process.pid}/status", encoding="utf-8") as file:
        return int(re.search(r"VmRSS:\s+(\d+) kB", file.read()).group(1)) * 1024


def wrk(port, seconds):
    command = ["wrk", "-t1", "-c50", f"-d{seconds}s", "--latency", f"http://127.0.0.1:{port}/"]
    out = subprocess.run(["taskset", "-c", "1", *command], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"(\d+) requests in", out).group(1))


def single(port, count=2000):
    """Median and 99th percentile of one request at a time, in milliseconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    times = []
    for _ in range(count):
        begin = time.perf_counter()
        connection.request("GET", "/")
        connection.getresponse().read()
        times.append((time.perf_counter() - begin) * 1e3)
    times.sort()
    return times[count // 2], times[count * 99 // 100]


def idle(port, process, count=8000):
    before = resident(process)
    held = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
    time.sleep(1)
    each = (resident(process) - before) / count
    for one in held:
        one.close()
    return each


def pgbench(place, port, seconds):
    database = place.split("/", 1)[1]
    command = ["pgbench", "-n", "-S", "-M", "prepared", "-c", "16", "-j", "2", "-T", str(seconds), "-h", "127.0.0.1"]
    out = subprocess.run([*command, "-p", str(port), database], capture_output=True, text=True, check=True).stdout
    return float(re.search(r"tps = ([\d.]+)", out).group(1))


def cost(proxies, args):
    rows = {name: [] for name in proxies}
    for name, (port, _) in proxies.items():
        wrk(port, 1)
    for _ in range(args.rounds):
        for name, (port, process) in proxies.items():
            before = cpu(process)
            done = wrk(port, args.seconds)
            rows[name].append((cpu(process) - before) * 1e6 / done)
    for name, values in rows.items():
        print(f"{name:10} {statistics.median(values):6.2f} us CPU per request   (rounds {', '.join(f'{v:.2f}' for v in values)})")
    for name in proxies:
        if name != "squall":
            ratio = statistics.median(ours / theirs for ours, theirs in zip(rows["squall"], rows[name]))
            print(f"median ratio squall / {name}: {ratio:.3f}")


def accuracy(api, listen, direct):
    plain, _ = single(direct)
    through, _ = single(listen)
    print(f"added median latency: {(through - plain) * 1e3:.0f} us")
    ask(api, "POST", "/proxies/a/toxics", {"name": "slow", "type": "latency", "attributes": {"latency": 5}})
    p50, p99 = single(listen, 600)
    print(f"an injected latency of 5 ms is late by {p50 - through - 5:+.3f} ms at p50, {p99 - through - 5:+.3f} ms at p99")
    ask(api, "DELETE", "/proxies/a/toxics/slow")


def chunks(api):
    """A body in 50 chunks under 100 ms: all of it is there after about 100 ms, not after 5 s."""
    source = socket.create_server(("127.0.0.1", 0))
    listen = free_port()
    upstream = f"127.0.0.1:{source.getsockname()[1]}"
    ask(api, "POST", "/proxies", {"name": "b", "listen": f"127.0.0.1:{listen}", "upstream": upstream})
    ask(api, "POST", "/proxies/b/toxics", {"type": "latency", "attributes": {"latency": 100}})
    client = socket.create_connection(("127.0.0.1", listen))
    server, _ = source.accept()
    begin = time.perf_counter()
    for _ in range(50):
        server.sendall(b"x" * 1000)
        time.sleep(0.001)
    server.close()
    while client.recv(65536):
        pass
    print(f"50 chunks over 50 ms under 100 ms of latency: whole after {(time.perf_counter() - begin) * 1e3:.0f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--squall", default=os.path.join(ROOT, "target/release/squall"))
    parser.add_argument("--postgres", help="HOST:PORT/DB of a database that pgbench has filled; PGUSER and PGPASSWORD apply")
    args = parser.parse_args()
    running = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            web, api, ours = free_port(), free_port(), free_port()
            running.append(nginx(folder, web))
            running.append(squall(args.squall, api, ours, web))
            proxies = {"squall": (ours, running[-1])}
            if shutil.which("haproxy"):
                theirs = free_port()
                running.append(haproxy(folder, theirs, web))
                proxies["haproxy"] = (theirs, running[-1])
            else:
                print("haproxy is not on PATH: no comparison")
            cost(proxies, args)
            accuracy(api, ours, web)
            chunks(api)
            for name, (port, process) in proxies.items():
                print(f"{name:10} {idle(port, process) / 1024:.1f} KiB per idle connection")
            if args.postgres:
                place, listen = args.postgres, free_port()
                upstream = place.split("/", 1)[0]
                ask(api, "POST", "/proxies", {"name": "pg", "listen": f"127.0.0.1:{listen}", "upstream": upstream})
                direct = int(upstream.rsplit(":", 1)[1])
                pairs = [(pgbench(place, direct, args.seconds), pgbench(place, listen, args.seconds)) for _ in range(args.rounds)]
                ratio = statistics.median(through / plain for plain, through in pairs)
                print(f"pgbench through squall against direct: {ratio:.3f}")
        finally:
            for process in reversed(running):
                process.send_signal(signal.SIGTERM)
                process.wait()


if __name__ == "__main__":
    main()
