"""Starting, stopping, being killed, backing up."""

import hashlib
import hmac
import json
import os
import shutil
import socket
import subprocess
import time
import unittest

import receiver as acts
from grapnel import BINARY, Grapnel, eventually, request
from receiver import Receiver, answer, slow


class Stopping(unittest.TestCase):
    def test_sigterm_finishes_attempts_in_flight_and_exits_0(self):
        with Grapnel(
            config="shutdown: {grace: 200ms, drain: 10s}\n"
        ) as grapnel, Receiver() as receiver:
            grapnel.source("s")
            grapnel.action("s", receiver.on("/s", slow(1.0)))
            event = grapnel.send("s").json()["event_id"]
            eventually(lambda: receiver.at("/s"), what="the attempt began")
            self.assertEqual(grapnel.terminate(), 0, grapnel.log_text())
            grapnel.start()
            delivery = grapnel.wait_state(event, "delivered")[0]
            self.assertEqual(delivery["attempts"], 1)
            self.assertEqual(len(receiver.at("/s")), 1)

    def test_sigterm_hands_back_what_does_not_finish(self):
        with Grapnel(
            config="shutdown: {grace: 100ms, drain: 1s}\n"
        ) as grapnel, Receiver() as receiver:
            grapnel.source("s")
            grapnel.action("s", receiver.on("/s", acts.hang), timeout="30s")
            event = grapnel.send("s").json()["event_id"]
            eventually(lambda: receiver.at("/s"), what="the attempt began")
            started = time.monotonic()
            self.assertEqual(grapnel.terminate(), 0, grapnel.log_text())
            self.assertLess(time.monotonic() - started, 10)
            receiver.on("/s", answer())
            grapnel.start()
            delivery = grapnel.wait_state(event, "delivered")[0]
            self.assertEqual(delivery["tries_used"], 0)

    def test_readyz_fails_while_stopping_and_accepting_goes_on_for_the_grace(self):
        with Grapnel(config="shutdown: {grace: 2s, drain: 5s}\n") as grapnel:
            grapnel.source("s")
            grapnel.process.terminate()
            eventually(
                lambda: request(grapnel.ops_address, "GET", "/readyz").status == 503, 2, "not ready"
            )
            event = grapnel.send("s")
            self.assertEqual(event.status, 202)
            self.assertEqual(grapnel.process.wait(20), 0)
            grapnel.start()
            self.assertEqual(
                grapnel.get(f"/api/events/{event.json()['event_id']}")["id"],
                event.json()["event_id"],
            )

    def test_second_sigterm_ends_at_once_and_loses_nothing(self):
        with Grapnel() as grapnel, Receiver() as receiver:
            grapnel.source("s")
            grapnel.action("s", receiver.on("/s", acts.hang), timeout="30s")
            event = grapnel.send("s").json()["event_id"]
            eventually(lambda: receiver.at("/s"), what="the attempt began")
            grapnel.process.terminate()
            eventually(
                lambda: request(grapnel.ops_address, "GET", "/readyz").status == 503, 5, "draining"
            )
            grapnel.process.terminate()
            grapnel.process.wait(5)
            receiver.on("/s", answer())
            grapnel.start()
            grapnel.wait_state(event, "delivered")


class Killing(unittest.TestCase):
    def test_kill_9_makes_the_running_attempt_unknown_and_makes_it_again(self):
        with Grapnel() as grapnel, Receiver() as receiver:
            grapnel.source("k")
            grapnel.action("k", receiver.on("/k", acts.hang), timeout="30s")
            event = grapnel.send("k").json()["event_id"]
            eventually(lambda: receiver.at("/k"), what="the attempt began")
            grapnel.kill()
            receiver.on("/k", answer())
            grapnel.start()
            delivery = grapnel.wait_state(event, "delivered")[0]
            attempts = grapnel.get(f"/api/deliveries/{delivery['id']}/attempts")
            self.assertEqual([a["result"] for a in attempts], ["unknown", "succeeded"])
            self.assertEqual(delivery["tries_used"], 0)
            self.assertEqual({r.header("webhook-id") for r in receiver.at("/k")}, {event})

    def test_duplicate_after_kill_is_still_a_duplicate(self):
        with Grapnel() as grapnel:
            grapnel.source("d")
            first = grapnel.send("d", headers={"Idempotency-Key": "x"}).json()["event_id"]
            grapnel.kill()
            grapnel.start()
            again = grapnel.send("d", headers={"Idempotency-Key": "x"}).json()
            self.assertEqual((again["status"], again["event_id"]), ("duplicate", first))

    def test_taken_port_and_wrong_certificate_are_told_in_one_line(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            for env, config, said in (
                ({"GRAPNEL_LISTEN": f"127.0.0.1:{port}"}, "", f"port {port}"),
                ({"GRAPNEL_METRICS_LISTEN": f"127.0.0.1:{port}"}, "", f"port {port}"),
                ({}, "tls: {cert: /nowhere.crt, key: /nowhere.key}\n", "/nowhere.crt"),
            ):
                grapnel = Grapnel(config=config, env=env)
                self.addCleanup(grapnel.close)
                grapnel.start(wait=False)
                self.assertEqual(grapnel.process.wait(20), 1)
                eventually(lambda: "grapnel: " in grapnel.log_text(), what="the last line")
                self.assertTrue(grapnel.log_lines[-1].startswith("grapnel: "), grapnel.log_text())
                self.assertIn(said, grapnel.log_lines[-1])

    def test_second_process_on_the_directory_says_who_holds_it(self):
        with Grapnel() as grapnel:
            env = dict(
                os.environ,
                GRAPNEL_DATA_DIR=str(grapnel.data),
                GRAPNEL_LISTEN="127.0.0.1:0",
                GRAPNEL_METRICS_LISTEN="127.0.0.1:0",
            )
            other = subprocess.run(
                [BINARY, "serve"],
                env=env,
                capture_output=True,
                text=True,
                timeout=20,
                cwd=grapnel.directory,
            )
            self.assertNotEqual(other.returncode, 0)
            self.assertIn(str(grapnel.process.pid), other.stderr + other.stdout)


class Backup(unittest.TestCase):
    def test_backup_is_online_and_restore_makes_a_store_that_works(self):
        with Grapnel() as grapnel, Receiver() as receiver:
            grapnel.source("b")
            secret = grapnel.action("b", receiver.url + "/b")["signing_secret"]
            small = grapnel.send("b", b"small").json()["event_id"]
            big = grapnel.send("b", b"B" * 600_000).json()["event_id"]
            grapnel.wait_state(big, "delivered")
            page = grapnel.api("GET", "/api/events?limit=1", expect=200)
            folder = grapnel.directory / "copy"
            made = grapnel.cli("backup", str(folder))
            self.assertEqual(made.returncode, 0, made.stderr)
            later = grapnel.send("b", b"later").json()["event_id"]
            key = (
                (grapnel.data / "master.key").read_text()
                if (grapnel.data / "master.key").exists()
                else None
            )
            self.assertEqual(grapnel.terminate(), 0)

            data = grapnel.directory / "restored"
            run = subprocess.run(
                [BINARY, "restore", str(folder), "--data-dir", str(data)],
                capture_output=True,
                text=True,
            )
            self.assertEqual(run.returncode, 0, run.stderr)
            again = subprocess.run(
                [BINARY, "restore", str(folder), "--data-dir", str(data)],
                capture_output=True,
                text=True,
            )
            self.assertNotEqual(again.returncode, 0)
            grapnel.data = data
            if key:
                grapnel.env["GRAPNEL_MASTER_KEY"] = key.strip()
            grapnel.start()
            self.assertEqual(grapnel.api("GET", f"/api/events/{big}/body").body, b"B" * 600_000)
            self.assertEqual(grapnel.api("GET", f"/api/events/{small}/body").body, b"small")
            self.assertEqual(grapnel.api("GET", f"/api/events/{later}").status, 404)
            link = page.headers["link"]
            old = grapnel.api("GET", link[link.index("<") + 1 : link.index(">")])
            self.assertIn(old.status, (400, 410), old)
            event = grapnel.send("b", b"new").json()["event_id"]
            grapnel.wait_state(event, "delivered")
            self.assertTrue(secret)

    def test_damaged_backup_is_refused(self):
        with Grapnel() as grapnel:
            grapnel.source("b")
            grapnel.send("b", b"x" * 400_000)
            folder = grapnel.directory / "copy"
            self.assertEqual(grapnel.cli("backup", str(folder)).returncode, 0)
            victim = next(
                p for p in folder.rglob("*") if p.is_file() and p.stat().st_size >= 400_000
            )
            data = bytearray(victim.read_bytes())
            data[len(data) // 2] ^= 1
            victim.write_bytes(bytes(data))
            run = subprocess.run(
                [BINARY, "restore", str(folder), "--data-dir", str(grapnel.directory / "r")],
                capture_output=True,
                text=True,
            )
            self.assertNotEqual(run.returncode, 0)
            self.assertTrue(run.stderr.strip())


class MasterKey(unittest.TestCase):
    def test_wrong_or_missing_master_key_refuses_to_start_with_the_sentence_that_helps(self):
        with Grapnel(env={"GRAPNEL_MASTER_KEY": "11" * 32}) as grapnel:
            grapnel.source("m")
            grapnel.action("m", "http://127.0.0.1:9/")
            grapnel.terminate()
            grapnel.env["GRAPNEL_MASTER_KEY"] = "22" * 32
            grapnel.start(wait=False)
            self.assertNotEqual(grapnel.process.wait(20), 0)
            eventually(lambda: "GRAPNEL_MASTER_KEY" in grapnel.log_text(), 5, "the sentence")
            grapnel.env["GRAPNEL_MASTER_KEY"] = "11" * 32
            grapnel.start()

    def test_rotated_key_can_be_forgotten_and_deliveries_are_signed_as_before(self):
        old, new = "11" * 32, "22" * 32
        with Grapnel(env={"GRAPNEL_MASTER_KEY": old}) as grapnel, Receiver() as receiver:
            grapnel.source("m")
            grapnel.action("m", receiver.url + "/m", signing_secret="s3cret")
            self.assertEqual(grapnel.terminate(), 0)

            grapnel.env.update(GRAPNEL_MASTER_KEY=new, GRAPNEL_MASTER_KEY_OLD=f"{'33' * 32},{old}")
            grapnel.start()
            told = [line for line in grapnel.log_lines if "sealed all secrets anew" in line]
            self.assertEqual([json.loads(line)["secrets"] for line in told], [2])
            self.assertEqual(grapnel.terminate(), 0)

            del grapnel.env["GRAPNEL_MASTER_KEY_OLD"]
            grapnel.start()
            event = grapnel.send("m", b"abc").json()["event_id"]
            grapnel.wait_state(event, "delivered")
            self.assertEqual(
                receiver.at("/m")[0].header("X-Webhook-Signature-256"),
                "sha256=" + hmac.new(b"s3cret", b"abc", hashlib.sha256).hexdigest(),
            )
            self.assertEqual(grapnel.terminate(), 0)

            grapnel.env["GRAPNEL_MASTER_KEY"] = old
            grapnel.start(wait=False)
            self.assertNotEqual(grapnel.process.wait(20), 0)
            eventually(lambda: "GRAPNEL_MASTER_KEY_OLD" in grapnel.log_text(), 5, "the sentence")

    def test_key_file_that_was_moved_away_is_replaced_by_a_new_one(self):
        with Grapnel() as grapnel, Receiver() as receiver:
            grapnel.source("m")
            grapnel.action("m", receiver.url + "/m")
            self.assertEqual(grapnel.terminate(), 0)
            moved = grapnel.data / "master.key.old"
            (grapnel.data / "master.key").rename(moved)
            grapnel.config = f"master_key_older_files: [{moved}]\n"
            grapnel.start()
            self.assertEqual(grapnel.terminate(), 0)
            moved.unlink()
            grapnel.config = ""
            grapnel.start()
            grapnel.wait_state(grapnel.send("m").json()["event_id"], "delivered")

    def test_no_secret_in_the_store_logs_or_answers(self):
        with Grapnel() as grapnel, Receiver() as receiver:
            grapnel.source("q")
            secret = grapnel.action("q", receiver.url + "/q", signing_secret="super-secret-text")[
                "signing_secret"
            ]
            self.assertEqual(secret, "super-secret-text")
            event = grapnel.send("q").json()["event_id"]
            grapnel.wait_state(event, "delivered")
            for path in (
                "/api/sources",
                "/api/sources/q",
                "/api/sources/q/actions",
                "/api/sources/q/actions/out",
                "/api/deliveries",
                "/api/keys",
                "/api/status",
            ):
                self.assertNotIn("super-secret", grapnel.api("GET", path).body.decode())
            self.assertNotIn(
                "super-secret", request(grapnel.ops_address, "GET", "/metrics").body.decode()
            )
            self.assertEqual(grapnel.terminate(), 0)
            self.assertNotIn("super-secret", grapnel.log_text())
            for file in grapnel.data.rglob("*"):
                if file.is_file():
                    self.assertNotIn(b"super-secret-text", file.read_bytes(), file)
            self.assertEqual((grapnel.data / "admin.key").stat().st_mode & 0o777, 0o600)


if __name__ == "__main__":
    unittest.main()
