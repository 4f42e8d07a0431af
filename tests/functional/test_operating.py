"""What an operator sees: metrics of the drivers, certificates that cannot be read again."""

import json
import pathlib
import re
import socket
import subprocess
import unittest

from grapnel import Grapnel, eventually, request
from receiver import Receiver


def self_signed(folder):
    """A certificate and its key for localhost, as PEM files in the folder."""
    certificate, key = folder / "tls.crt", folder / "tls.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        + ["-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    return certificate, key


class DriverMetrics(unittest.TestCase):
    def test_figures_of_every_driver_are_there_before_anything_happened(self):
        with Grapnel() as grapnel:
            found = grapnel.metrics()
            for name in (
                'http_connections{surface="api"}',
                'http_connections{surface="ops"}',
                'http_connections_idle{surface="api"}',
                'http_connections_accepted_total{surface="api"}',
                'http_connections_refused_total{surface="api",reason="too_many"}',
                'http_connections_refused_total{surface="api",reason="accept_failed"}',
                'http_connections_refused_total{surface="api",reason="tls_failed"}',
                'http_connections_evicted_total{surface="api"}',
                'http_requests_total{surface="api"}',
                'http_requests_refused_total{surface="api",reason="too_many_in_flight"}',
                'http_requests_refused_total{surface="api",reason="timeout"}',
                'http_answers_cut_total{surface="api"}',
                'http_large_body_waits_total{surface="api"}',
                'http_body_bytes_in_flight{surface="api"}',
                "http_calls_in_flight",
                'http_calls_refused_total{reason="too_many"}',
                'http_calls_refused_total{reason="egress"}',
                "http_call_connects_total",
                "http_call_reuses_total",
                "http_call_second_tries_total",
                "http_call_connections_kept",
                "name_lookups_total",
                "name_lookups_cached_total",
                "name_lookup_failures_total",
                "name_lookups_refused_total",
                "grapnel_store_commits_total",
                "grapnel_store_commit_duration_seconds_count",
                "grapnel_store_commit_bytes_count",
                "grapnel_store_commands_total",
                "grapnel_store_reopenings_total",
                "grapnel_store_wal_restarts_total",
                "log_lines_dropped_total",
                "tls_reload_failures_total",
            ):
                self.assertIn(name, found)

    def test_the_page_of_metrics_names_each_of_them_and_no_other(self):
        page = (pathlib.Path(__file__).parents[2] / "docs" / "METRICS.md").read_text()
        listed = set(re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE))
        with Grapnel() as grapnel, Receiver() as receiver:
            grapnel.source("m")
            grapnel.action("m", receiver.url + "/m")
            grapnel.send("m")
            eventually(lambda: receiver.at("/m"), what="the delivery")
            text = request(grapnel.ops_address, "GET", "/metrics").body.decode()
        shown = set(re.findall(r"^# TYPE ([a-z_]+) ", text, re.MULTILINE))
        self.assertEqual({name for name in shown if not name.startswith("process_")}, listed)

    def test_figures_follow_what_happens(self):
        with Grapnel() as grapnel, Receiver() as receiver:
            host, port = grapnel.api_address.rsplit(":", 1)
            with socket.create_connection((host, int(port))) as rude:
                rude.sendall(b"\x16\x03\x01")
                while rude.recv(65536):
                    pass
            grapnel.source("m")
            grapnel.action("m", receiver.url + "/m")
            grapnel.action("m", "http://10.255.255.1/", name="refused")
            grapnel.send("m")
            eventually(lambda: receiver.at("/m"), what="the delivery")
            with socket.create_connection((host, int(port))):

                def seen():
                    found = grapnel.metrics()
                    bad = 'http_requests_refused_total{surface="api",reason="bad_request"}'
                    return (
                        found[bad] == 1
                        and found['http_calls_refused_total{reason="egress"}'] >= 1
                        and found["http_call_connects_total"] >= 1
                        and found['http_connections{surface="api"}'] == 1
                        and found['http_connections{surface="ops"}'] == 1
                        and found['http_requests_total{surface="api"}'] >= 4
                        and found["grapnel_store_commits_total"] >= 4
                    )

                eventually(seen, what="the figures")


class Certificates(unittest.TestCase):
    def test_certificate_that_cannot_be_read_again_is_logged_once_and_counted(self):
        grapnel = Grapnel()
        certificate, key = self_signed(grapnel.directory)
        grapnel.config = f"tls: {{cert: {certificate}, key: {key}}}\n"

        def failures(count):
            return grapnel.metrics()["tls_reload_failures_total"] >= count

        def lines(word):
            entries = [json.loads(line) for line in grapnel.log_lines]
            return [e for e in entries if word in e["message"]]

        with grapnel:
            good = key.read_text()
            key.write_text("broken")
            eventually(lambda: failures(1), what="the first failure")
            key.write_text("broken still")
            eventually(lambda: failures(2), what="the second failure")
            told = lines("the changed certificate cannot be used")
            self.assertEqual(len(told), 1, told)
            self.assertIn(str(key), told[0]["error"])
            key.write_text(good)
            eventually(lambda: lines("the changed certificate is in use"), what="the good one")


if __name__ == "__main__":
    unittest.main()
