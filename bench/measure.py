"""What the benchmarks share: wrk and the sink, a process's processor time and memory, arguments."""

import argparse
import contextlib
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import typing

BENCH = pathlib.Path(__file__).parent
sys.path.insert(0, str(BENCH.parent / "tests" / "functional"))
import grapnel as harness  # noqa: E402


class Load(typing.NamedTuple):
    """What wrk saw."""

    requests: int
    rate: float  # a second
    p50: float  # ms
    p99: float
    refused: int  # not 2xx or 3xx


def arguments(page):
    """A parser that describes itself by a script's first page and knows where the programs are."""
    parser = argparse.ArgumentParser(
        description=page, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--grapnel", default=str(BENCH.parent / "build" / "grapnel"))
    parser.add_argument(
        "--programs", type=pathlib.Path, default=BENCH.parent / "build" / "release" / "bench"
    )
    return parser


def parse(parser, scenes=()):
    """The arguments; with scenes, `names` are those asked for, or all."""
    if scenes:
        parser.add_argument("names", nargs="*", metavar="NAME")
    args = parser.parse_args()
    if scenes:
        unknown = set(args.names) - set(scenes)
        if unknown:
            parser.error(f"no {', '.join(sorted(unknown))} here; there are {', '.join(scenes)}")
        args.names = args.names or list(scenes)
    harness.BINARY = args.grapnel
    return args


def wrk(url, connections, seconds, script="post.lua"):
    """One thread of wrk."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    command += ["-s", str(BENCH / script), url]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    factor = {"us": 0.001, "ms": 1.0, "s": 1000.0}
    quantile = {
        q: float(v) * factor[u] for q, v, u in re.findall(r"(\d+)%\s+([\d.]+)(us|ms|s)", out)
    }
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    return Load(
        requests=int(re.search(r"(\d+) requests in", out).group(1)),
        rate=float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)),
        p50=quantile["50"],
        p99=quantile["99"],
        refused=int(refused.group(1)) if refused else 0,
    )


def _used(stat):
    fields = stat.read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    return _used(pathlib.Path(f"/proc/{pid}/stat"))


def cpu_seconds_of_threads(pid):
    """{thread: CPU seconds}"""
    return {t.name: _used(t / "stat") for t in pathlib.Path(f"/proc/{pid}/task").iterdir()}


def cpu_seconds_of_children(pid):
    """Of processes that it started and that live: script workers."""
    found = subprocess.run(
        ["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split()
    return sum(cpu_seconds(child) for child in found)


def delivered(grapnel):
    return grapnel.metrics().get('deliveries_ended_total{state="delivered"}', 0)


def resident_mib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024


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


class Sink:
    """bench_sink, and what it saw when it ended."""

    def __init__(self, programs):
        self.process = subprocess.Popen(
            [programs / "bench_sink"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}/"

    def end(self):
        """(requests, p50 ms, p99 ms) of the way here, for bodies that say when they were due."""
        self.process.stdin.close()
        requests, p50, p99 = map(int, self.process.stdout.read().split())
        self.process.wait(10)
        return requests, p50 / 1e3, p99 / 1e3


@contextlib.contextmanager
def silent_endpoint():
    """A URL whose connections are taken and never answered."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
