#!/usr/bin/env python3
"""Durable ingest and ingest-to-delivered, whole process, on this machine's loopback.

    bench/relay.py [--seconds 10] [--connections 64] [--grapnel FILE] [--programs FOLDER] [NAME ...]

    ingest     one paused action: webhooks are stored and answered, their deliveries wait
    delivered  one action: stored, answered, delivered, the outcome stored
    ten        ten actions an event
    transform  one action behind a transform that reads and rewrites each event

Load comes from wrk (one thread) and goes to bench_sink, both beside the process, so all of them
share the cores. Prints, for each: events a second, CPU microseconds of the relay's process an
event and of its two busiest threads, latencies as wrk saw them, the largest write-ahead log and
memory seen. In the same run, as baselines of the ratios: the same with the store left out
(bench_no_store: the same code over a log and a book that keep nothing), and the generator against
the sink alone. Machines differ and are noisy: compare ratios and CPU per event.
"""

import subprocess
import time

from measure import (
    Sink,
    Watch,
    arguments,
    cpu_seconds,
    cpu_seconds_of_children,
    cpu_seconds_of_threads,
    delivered,
    harness,
    parse,
    wrk,
)

SCRIPT = """function transform(event) {
  const p = event.payload
  return { type: 'made.' + p.type, payload: { kind: p.type, size: p.data.length, data: p.data } }
}"""
#: Baselines need no longer than this.
BASELINE_SECONDS = 20


def without_store(args, name, target, state):
    """The same load on the relay with nothing but the store left out: answers or deliveries/s."""
    seconds = min(args.seconds, BASELINE_SECONDS)
    relay = subprocess.Popen(
        [args.programs / "bench_no_store", target, state],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        port = int(relay.stdout.readline())
        cpu = cpu_seconds(relay.pid)
        load = wrk(f"http://127.0.0.1:{port}/webhooks/bench", args.connections, seconds)
        used = cpu_seconds(relay.pid) - cpu
    finally:
        relay.stdin.close()
        ended = int(relay.stdout.readline() or 0)
        relay.wait(10)
    line = f"{name:28} {load.rate:9.0f}/s  p50 {load.p50:6.2f} ms  p99 {load.p99:7.2f} ms"
    if state == "active":
        line += f"  delivered {ended / seconds:.0f}/s under load"
    print(f"{line}  cpu {used / load.requests * 1e6:.1f} us/event", flush=True)
    return load.rate if state == "paused" else ended / seconds


def measure(args, name, target, actions, fields):
    """(answers a second, deliveries a second under load)"""
    with harness.Grapnel() as grapnel:
        grapnel.source("bench")
        for number in range(actions):
            grapnel.action("bench", f"{target}{number}", name=f"bench-{number}", **fields)
        pid = grapnel.process.pid
        watch = Watch(grapnel)
        cpu, threads, began = cpu_seconds(pid), cpu_seconds_of_threads(pid), time.monotonic()
        load = wrk(f"http://{grapnel.api_address}/webhooks/bench", args.connections, args.seconds)
        taken = time.monotonic() - began
        done = delivered(grapnel)
        assert load.refused == 0, f"{load.refused} webhooks were refused"
        line = f"{name:28} {load.rate:9.0f}/s  p50 {load.p50:6.2f} ms  p99 {load.p99:7.2f} ms"
        used = {t: s - threads.get(t, 0) for t, s in cpu_seconds_of_threads(pid).items()}
        if fields.get("state") == "paused":
            line += f"  {load.requests} waiting"
        else:
            wanted = load.requests * actions
            line += f"  delivered {done / taken:.0f}/s under load, backlog {wanted - done:.0f}"
            harness.eventually(lambda: delivered(grapnel) >= wanted, 120, "everything delivered")
        whole = (cpu_seconds(pid) - cpu) / load.requests * 1e6
        parts = " + ".join(
            f"{seconds / load.requests * 1e6:.1f}"
            for seconds in sorted(used.values(), reverse=True)[:2]
        )
        line += f"  cpu {whole:.1f} us/event ({parts})"
        if actions > 1:
            line += f", {whole / actions:.1f} us/delivery"
        print(f"{line}  {watch.end()}", flush=True)
        return load.rate, done / taken


def ingest(args, url):
    rate, _ = measure(args, "durable ingest, one paused", url, 1, {"state": "paused"})
    return f"ingest {rate / without_store(args, '  the store left out', url, 'paused'):.2f}"


def ingest_to_delivered(args, url):
    _, rate = measure(args, "ingest -> delivered", url, 1, {"max_in_flight": 64})
    bare = without_store(args, "  the store left out", url, "active")
    return f"ingest -> delivered {rate / bare:.2f}"


def ten(args, url):
    measure(args, "ingest -> ten deliveries", url, 10, {"max_in_flight": 64})


def transform(args, url):
    """Each event is two deliveries: its transform, and its action."""
    with harness.Grapnel() as grapnel:
        grapnel.source("bench", script_body=SCRIPT)
        grapnel.action("bench", f"{url}0", name="bench-0", max_in_flight=64)
        pid = grapnel.process.pid
        cpu, children, began = cpu_seconds(pid), cpu_seconds_of_children(pid), time.monotonic()
        load = wrk(f"http://{grapnel.api_address}/webhooks/bench", args.connections, args.seconds)
        taken = time.monotonic() - began
        done = delivered(grapnel)
        harness.eventually(lambda: delivered(grapnel) >= 2 * load.requests, 300, "all delivered")
        drained = time.monotonic() - began
        of_scripts = (cpu_seconds_of_children(pid) - children) / load.requests * 1e6
        whole = (cpu_seconds(pid) - cpu) / load.requests * 1e6
        print(
            f"{'ingest -> transformed -> del.':28} {load.rate:9.0f}/s  p50 {load.p50:6.2f} ms"
            f"  p99 {load.p99:7.2f} ms  delivered {done / 2 / taken:.0f}/s under load,"
            f" {load.requests / drained:.0f}/s to the last  cpu {whole:.1f} us/event and"
            f" {of_scripts:.1f} of script workers",
            flush=True,
        )


SCENES = {"ingest": ingest, "delivered": ingest_to_delivered, "ten": ten, "transform": transform}


def main():
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--connections", type=int, default=64)
    args = parse(parser, SCENES)
    sink = Sink(args.programs)
    try:
        bare = wrk(sink.url, args.connections, min(args.seconds, BASELINE_SECONDS))
        print(
            f"{'baseline: the sink alone':28} {bare.rate:9.0f}/s  p50 {bare.p50:6.2f} ms"
            f"  p99 {bare.p99:7.2f} ms",
            flush=True,
        )
        ratios = [SCENES[name](args, sink.url) for name in args.names]
        if any(ratios):
            print(f"of the same without the store: {', '.join(filter(None, ratios))}")
    finally:
        sink.end()


if __name__ == "__main__":
    main()
