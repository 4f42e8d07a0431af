#!/usr/bin/env python3
"""Durable ingest and ingest-to-delivered, whole process, on this machine's loopback.

    bench/relay.py [--seconds 10] [--connections 64] [--grapnel FILE] [--programs FOLDER]

Load comes from wrk (one thread) and goes to bench_sink, both beside the process, so all of them
share the cores. Prints, for each: events a second, CPU microseconds of the relay's process an
event, latencies as wrk saw them. In the same run, as baselines of the ratios: the same with the
store left out (bench_no_store: the same code over a log and a book that keep nothing), and the
generator against the sink alone. Machines differ and are noisy: compare ratios and CPU per event.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "functional"))
import grapnel as harness  # noqa: E402


def wrk(url, args):
    """(requests a second, p50 ms, p99 ms, not 2xx)"""
    out = subprocess.run(
        [
            "wrk",
            "-t1",
            f"-c{args.connections}",
            f"-d{args.seconds}s",
            "--latency",
            "-s",
            str(HERE / "post.lua"),
            url,
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
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
    """The same load on the relay with nothing but the store left out."""
    relay = subprocess.Popen(
        [args.programs / "bench_no_store", target, state],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        port = int(relay.stdout.readline())
        cpu = cpu_seconds(relay.pid)
        rate, p50, p99, bad = wrk(f"http://127.0.0.1:{port}/webhooks/bench", args)
        total = rate * args.seconds
        used = cpu_seconds(relay.pid) - cpu
    finally:
        relay.stdin.close()
        ended = int(relay.stdout.readline() or 0)
        relay.wait(10)
    line = f"{name:28} {rate:9.0f}/s  p50 {p50:6.2f} ms  p99 {p99:7.2f} ms  not 2xx {bad}"
    if state == "active":
        line += f"  delivered {ended / args.seconds:.0f}/s under load, backlog {total - ended:.0f}"
    print(f"{line}  cpu {used / total * 1e6:.1f} us/event", flush=True)
    return rate if state == "paused" else ended / args.seconds


def measure(args, name, target, fields, wait_for_deliveries):
    with harness.Grapnel() as grapnel:
        grapnel.source("bench")
        grapnel.action("bench", target, **fields)
        idle = resident_mib(grapnel.process.pid)
        cpu, began = cpu_seconds(grapnel.process.pid), time.monotonic()
        rate, p50, p99, bad = wrk(f"http://{grapnel.api_address}/webhooks/bench", args)
        taken = time.monotonic() - began
        total = rate * args.seconds
        done_at_end = delivered(grapnel)
        line = (
            f"{name:28} {rate:9.0f}/s  p50 {p50:6.2f} ms  p99 {p99:7.2f} ms  "
            f"not 2xx {bad}  rss {idle:.0f} -> {resident_mib(grapnel.process.pid):.0f} MiB"
        )
        if wait_for_deliveries:
            backlog = total - done_at_end
            harness.eventually(
                lambda: delivered(grapnel) >= total - 1 - bad, 120, "everything delivered"
            )
            whole = time.monotonic() - began
            line += (
                f"  delivered {done_at_end / taken:.0f}/s under load, {total / whole:.0f}/s in all,"
            )
            line += f" backlog {backlog:.0f}"
        used = cpu_seconds(grapnel.process.pid) - cpu
        print(f"{line}  cpu {used / total * 1e6:.1f} us/event", flush=True)
        return done_at_end / taken if wait_for_deliveries else rate


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
    args = parser.parse_args()
    harness.BINARY = args.grapnel
    sink = subprocess.Popen(
        [args.programs / "bench_sink"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        url = f"http://127.0.0.1:{int(sink.stdout.readline())}/"
        base, p50, p99, _ = wrk(url, args)
        print(
            f"{'baseline: the sink alone':28} {base:9.0f}/s  p50 {p50:6.2f} ms  p99 {p99:7.2f} ms",
            flush=True,
        )
        ingest = measure(args, "durable ingest, action paused", url, {"state": "paused"}, False)
        bare_ingest = without_store(args, "  the store left out", url, "paused")
        whole = measure(args, "ingest -> delivered", url, {"max_in_flight": 64}, True)
        bare_whole = without_store(args, "  the store left out", url, "active")
        print(
            f"ratios: ingest {ingest / bare_ingest:.2f} of it without the store,"
            f" {ingest / base:.2f} of the sink; ingest -> delivered {whole / bare_whole:.2f} of it"
            f" without the store, {whole / base:.2f} of the sink"
        )
    finally:
        sink.stdin.close()
        sink.wait(10)


if __name__ == "__main__":
    main()
