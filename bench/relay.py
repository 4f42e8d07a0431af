#!/usr/bin/env python3
"""Durable ingest and ingest-to-delivered, whole process, on this machine's loopback.

    bench/relay.py [--seconds 10] [--connections 64] [--grapnel FILE] [--programs FOLDER] [NAME ...]

    ingest     one paused action: webhooks are stored and answered, their deliveries wait
    delivered  one action: stored, answered, delivered, the outcome stored
    ten        ten actions an event

Load comes from wrk (one thread) and goes to bench_sink, both beside the process, so all of them
share the cores. Prints, for each: events a second, CPU microseconds of the relay's process an
event, latencies as wrk saw them, the largest write-ahead log and memory seen. In the same run, as
baselines of the ratios: the same with the store left out (bench_no_store: the same code over a log
and a book that keep nothing), and the generator against the sink alone. Machines differ and are
noisy: compare ratios and CPU per event.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "functional"))
import grapnel as harness  # noqa: E402


def wrk(url, connections, seconds, script="post.lua"):
    """(requests a second, p50 ms, p99 ms, not 2xx)"""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    command += ["-s", str(HERE / script), url]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))
    factor = {"us": 0.001, "ms": 1.0, "s": 1000.0}
    quantile = {
        q: float(v) * factor[u] for q, v, u in re.findall(r"(\d+)%\s+([\d.]+)(us|ms|s)", out)
    }
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    return rate, quantile["50"], quantile["99"], int(bad.group(1)) if bad else 0


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid):
    return (
        int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1))
        / 1024
    )


def delivered(grapnel):
    return grapnel.metrics().get('deliveries_ended_total{state="delivered"}', 0)


def without_store(args, name, target, state):
    """The same load, half a minute at most, on the relay with nothing but the store left out."""
    seconds = min(args.seconds, 30)
    relay = subprocess.Popen(
        [args.programs / "bench_no_store", target, state],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        port = int(relay.stdout.readline())
        cpu = cpu_seconds(relay.pid)
        rate, p50, p99, bad = wrk(
            f"http://127.0.0.1:{port}/webhooks/bench", args.connections, seconds
        )
        total = rate * seconds
        used = cpu_seconds(relay.pid) - cpu
    finally:
        relay.stdin.close()
        ended = int(relay.stdout.readline() or 0)
        relay.wait(10)
    line = f"{name:28} {rate:9.0f}/s  p50 {p50:6.2f} ms  p99 {p99:7.2f} ms  not 2xx {bad}"
    if state == "active":
        line += f"  delivered {ended / seconds:.0f}/s under load, backlog {total - ended:.0f}"
    print(f"{line}  cpu {used / total * 1e6:.1f} us/event", flush=True)
    return rate if state == "paused" else ended / seconds


class Watch:
    """The largest write-ahead log and memory of a process, looked at each second."""

    def __init__(self, grapnel):
        self.grapnel = grapnel
        self.wal_mib = self.rss_mib = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.look)
        self.thread.start()

    def look(self):
        while not self.ended.wait(1):
            wal = self.grapnel.metrics()["grapnel_store_wal_bytes"] / (1 << 20)
            self.wal_mib = max(self.wal_mib, wal)
            self.rss_mib = max(self.rss_mib, resident_mib(self.grapnel.process.pid))

    def end(self):
        self.ended.set()
        self.thread.join()
        return f"rss max {self.rss_mib:.0f} MiB  log max {self.wal_mib:.0f} MiB"


def measure(args, name, target, actions, fields):
    """(answers a second, deliveries a second under load)"""
    with harness.Grapnel() as grapnel:
        grapnel.source("bench")
        for number in range(actions):
            grapnel.action("bench", f"{target}{number}", name=f"bench-{number}", **fields)
        pid = grapnel.process.pid
        watch = Watch(grapnel)
        cpu, began = cpu_seconds(pid), time.monotonic()
        rate, p50, p99, bad = wrk(
            f"http://{grapnel.api_address}/webhooks/bench", args.connections, args.seconds
        )
        taken = time.monotonic() - began
        total = rate * args.seconds
        done = delivered(grapnel)
        line = f"{name:28} {rate:9.0f}/s  p50 {p50:6.2f} ms  p99 {p99:7.2f} ms  not 2xx {bad}"
        if fields.get("state") == "paused":
            line += f"  {total:.0f} waiting"
        else:
            wanted = (total - 1 - bad) * actions
            line += f"  delivered {done / taken:.0f}/s under load, backlog {wanted - done:.0f}"
            harness.eventually(lambda: delivered(grapnel) >= wanted, 120, "everything delivered")
        used = cpu_seconds(pid) - cpu
        print(f"{line}  cpu {used / total * 1e6:.1f} us/event  {watch.end()}", flush=True)
        return rate, done / taken


def ingest(args, url):
    rate, _ = measure(args, "durable ingest, one paused", url, 1, {"state": "paused"})
    return f"ingest {rate / without_store(args, '  the store left out', url, 'paused'):.2f}"


def whole(args, url):
    _, rate = measure(args, "ingest -> delivered", url, 1, {"max_in_flight": 64})
    bare = without_store(args, "  the store left out", url, "active")
    return f"ingest -> delivered {rate / bare:.2f}"


def ten(args, url):
    measure(args, "ingest -> ten deliveries", url, 10, {"max_in_flight": 64})


SCENES = {"ingest": ingest, "delivered": whole, "ten": ten}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--grapnel", default=str(HERE.parent / "build" / "grapnel"))
    parser.add_argument(
        "--programs", type=pathlib.Path, default=HERE.parent / "build" / "release" / "bench"
    )
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("scenes", nargs="*", metavar="NAME")
    args = parser.parse_args()
    unknown = set(args.scenes) - set(SCENES)
    if unknown:
        parser.error(f"no such scene: {', '.join(sorted(unknown))}; there are {', '.join(SCENES)}")
    harness.BINARY = args.grapnel
    sink = subprocess.Popen(
        [args.programs / "bench_sink"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        url = f"http://127.0.0.1:{int(sink.stdout.readline())}/"
        base, p50, p99, _ = wrk(url, args.connections, args.seconds)
        print(
            f"{'baseline: the sink alone':28} {base:9.0f}/s  p50 {p50:6.2f} ms  p99 {p99:7.2f} ms",
            flush=True,
        )
        ratios = [SCENES[name](args, url) for name in args.scenes or SCENES]
        print(f"of the same without the store: {', '.join(filter(None, ratios))}")
    finally:
        sink.stdin.close()
        sink.wait(10)


if __name__ == "__main__":
    main()
