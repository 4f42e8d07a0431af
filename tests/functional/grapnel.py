"""Drives the grapnel binary from outside: start, talk, kill, start again.

The binary is $GRAPNEL_BIN. Every server started here listens on a free loopback port and is ended
by its pid.
"""

import http.client
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import time

BINARY = os.environ.get("GRAPNEL_BIN", "")


def eventually(condition, timeout=20.0, what="condition"):
    """Polls until `condition()` is truthy and returns that; fails with `what` after `timeout` s."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout:g} s: {what}")
        time.sleep(0.02)


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


def request(address, method, path, body=None, headers=None, timeout=30.0):
    """One request on a connection of its own."""
    host, port = address.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return Answer(
            answer.status, dict((k.lower(), v) for k, v in answer.getheaders()), answer.read()
        )
    finally:
        connection.close()


class Grapnel:
    """One data directory and, at times, one process on it."""

    def __init__(self, config="", env=None, directory=None, prefix=(), key=None):
        if not BINARY:
            raise RuntimeError("set GRAPNEL_BIN to the grapnel binary")
        self._own = None
        if directory is None:
            self._own = tempfile.TemporaryDirectory(prefix="grapnel-test-")
            directory = self._own.name
        self.directory = pathlib.Path(directory)
        self.data = self.directory / "data"
        self.config = config
        self.env = dict(env or {})
        self.prefix = list(prefix)  # a command that becomes what follows it
        self.process = None
        self.log_lines = []
        self.api_address = None
        self.ops_address = None
        self._key = key

    # ---- process

    def start(self, wait=True, timeout=30.0):
        config_file = self.directory / "grapnel.yaml"
        config_file.write_text(self.config)
        env = {k: v for k, v in os.environ.items() if not k.startswith("GRAPNEL_") and k != "PORT"}
        env.update(
            GRAPNEL_DATA_DIR=str(self.data),
            GRAPNEL_LISTEN="127.0.0.1:0",
            GRAPNEL_METRICS_LISTEN="127.0.0.1:0",
            GRAPNEL_LOG_FORMAT="json",
            GRAPNEL_EGRESS_ALLOW="127.0.0.0/8",
        )
        env.update(self.env)
        self.api_address = self.ops_address = None
        self._ended = threading.Event()
        if self.process:
            self.process.stdout.close()
        self.process = subprocess.Popen(
            [*self.prefix, BINARY, "serve", "--config", str(config_file)],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        threading.Thread(target=self._read_log, args=(self.process,), daemon=True).start()
        if wait:
            self.wait_ready(timeout)
        return self

    def _read_log(self, process):
        for line in process.stdout:
            line = line.rstrip("\n")
            self.log_lines.append(line)
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if entry.get("message") == "listening":
                if entry["surface"] == "api":
                    self.api_address = entry["address"]
                else:
                    self.ops_address = entry["address"]
        self._ended.set()

    def wait_ready(self, timeout=30.0):
        def ready():
            if self.process.poll() is not None:
                self._ended.wait(5)
                raise AssertionError("grapnel ended: " + "\n".join(self.log_lines[-20:]))
            if not (self.api_address and self.ops_address):
                return False
            try:
                return request(self.ops_address, "GET", "/readyz", timeout=5).status == 200
            except OSError:
                return False

        eventually(ready, timeout, "ready\n" + "\n".join(self.log_lines[-20:]))

    def kill(self):
        self.process.kill()
        self.wait_end()

    def wait_end(self, timeout=30.0):
        """Its exit code, once all it said is in log_lines."""
        code = self.process.wait(timeout)
        self._ended.wait(5)
        return code

    def terminate(self, timeout=40.0):
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait_end(timeout)

    def close(self):
        if self.process and self.process.poll() is None:
            self.kill()
        if self.process:
            self.process.stdout.close()
        if self._own:
            self._own.cleanup()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    def log_text(self):
        return "\n".join(self.log_lines)

    # ---- talking

    def key(self):
        """The admin key of the first start; it stays valid in a restored store."""
        if self._key is None:
            self._key = (self.data / "admin.key").read_text().strip()
        return self._key

    def api(self, method, path, body=None, key=None, headers=None, expect=None):
        """A call of the REST API; `body` goes out as JSON. `expect`: the status, or several."""
        sent = {"Authorization": f"Bearer {key or self.key()}"}
        if body is not None:
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        answer = request(
            self.api_address, method, path, None if body is None else json.dumps(body), sent
        )
        if expect is not None:
            wanted = expect if isinstance(expect, tuple) else (expect,)
            assert answer.status in wanted, f"{method} {path}: {answer}"
        return answer

    def get(self, path):
        return self.api("GET", path, expect=200).json()

    def send(self, source, body=b"{}", headers=None, method="POST"):
        return request(self.api_address, method, f"/webhooks/{source}", body, headers or {})

    def source(self, slug, **fields):
        return self.api(
            "POST", "/api/sources", {"name": slug, "slug": slug, **fields}, expect=201
        ).json()

    def action(self, slug, url, name="out", **fields):
        return self.api(
            "POST",
            f"/api/sources/{slug}/actions",
            {"type": "webhook", "name": name, "target_url": url, **fields},
            expect=201,
        ).json()

    def metrics(self):
        """Every sample of /metrics by its name with labels."""
        out = {}
        for line in request(self.ops_address, "GET", "/metrics").body.decode().splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                out[name] = float(value)
        return out

    def deliveries(self, query=""):
        return self.get(f"/api/deliveries?limit=200{query}")

    def wait_state(self, event, state, timeout=20.0):
        """Waits until every delivery of the event is in that state and returns them."""

        def check():
            found = self.deliveries(f"&event={event}")
            return found if found and all(d["state"] == state for d in found) else None

        return eventually(check, timeout, f"{event} {state}")

    def cli(self, *args, stdin=None, env=None):
        """Runs the binary as a command against this server."""
        full = dict(os.environ, GRAPNEL_SERVER=f"http://{self.api_address}", NO_COLOR="1")
        if (self.data / "admin.key").exists():
            full["GRAPNEL_API_KEY"] = self.key()
        full.update(env or {})
        return subprocess.run(
            [BINARY, *args], input=stdin, capture_output=True, text=True, timeout=60, env=full
        )
