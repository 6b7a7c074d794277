#!/usr/bin/env python3
"""How late squall sends, beside a bare timerfd loop in the same run: median and 99th percentile of sent - due.

One worker on one core, nginx on another. The bare loop arms an absolute timerfd for each instant and reads the clock when
it wakes; it shows what the kernel of this machine can do (the interpreter adds 1 to 3 us to it).

    cargo build --release && benches/lateness.py [--seconds 4]

Exits 1 when the median of a rate up to 5 000/s is above 60 us and more than 40 us above the bare loop's.
"""

import argparse
import ctypes
import os
import statistics
import struct
import sys
import time

import ground

MONOTONIC, ABSOLUTE, TIMER_SLACK = 1, 1, 29


def bare(rate, seconds):
    """Latenesses of a loop that only waits, in microseconds."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(TIMER_SLACK, ctypes.c_ulong(1), 0, 0, 0)
    timer = libc.timerfd_create(MONOTONIC, 0)
    if timer < 0:
        sys.exit("no timerfd on this machine")
    start, apart, late = time.monotonic_ns() + 20_000_000, 1_000_000_000 // rate, []
    for n in range(rate * seconds):
        due = start + n * apart
        spec = struct.pack("qqqq", 0, 0, due // 1_000_000_000, due % 1_000_000_000)
        libc.timerfd_settime(timer, ABSOLUTE, spec, None)
        os.read(timer, 8)
        late.append((time.monotonic_ns() - due) / 1e3)
    os.close(timer)
    return late


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rates", type=int, nargs="*", default=[1000, 2000, 5000])
    args = parser.parse_args()
    os.sched_setaffinity(0, {0})
    met = True
    print(f"{'rate':>8} {'bare p50':>9} {'bare p99':>9} {'squall p50':>11} {'squall p99':>11}   us")
    with ground.nginx() as (url, folder):
        for rate in args.rates:
            timer = bare(rate, args.seconds)
            floor, tail = statistics.median(timer), statistics.quantiles(timer, n=100)[98]
            _, result = ground.squall([url + "/", "--rate", f"{rate}/s", "--for", f"{args.seconds}s"], folder)
            late = result["latency_us"]["lateness"]
            good = late["p50"] <= max(60, floor + 40) or rate > 5000
            met &= good
            word = "" if good else "   above"
            print(f"{rate:>6}/s {floor:9.1f} {tail:9.1f} {late['p50']:11.1f} {late['p99']:11.1f}{word}", flush=True)
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
