"""A disk that fills up and gets room again, as senders, receivers and the operator see it."""

import contextlib
import time
import unittest

from grapnel import Grapnel, eventually, request
from receiver import Receiver, slow
from small_disk import SmallDisk

KEY = "key-of-the-test-of-a-full-disk"
BODY = b"x" * 100_000


class DiskFull(unittest.TestCase):
    def setUp(self):
        try:
            self.disk = SmallDisk(mib=24)
        except PermissionError as why:
            self.skipTest(str(why))
        self.addCleanup(self.disk.close)
        self.filler = self.disk.root / "filler"
        self.filler.write_bytes(b"f" * (6 << 20))
        self.grapnel = Grapnel(
            env={"GRAPNEL_DATA_DIR": f"{self.disk.path}/data", "GRAPNEL_API_KEY": KEY},
            prefix=self.disk.prefix,
        )
        self.grapnel._key = KEY
        self.addCleanup(self.grapnel.close)
        self.grapnel.start()

    def send_until_refused(self):
        """(ids of what was taken, the refusal)"""
        taken = []
        for _ in range(1000):
            answer = self.grapnel.send("s", BODY)
            if answer.status != 202:
                return taken, answer
            taken.append(answer.json()["event_id"])
        self.fail("the disk never filled")

    def ready(self):
        return request(self.grapnel.ops_address, "GET", "/readyz")

    def test_senders_are_refused_until_there_is_room_and_nothing_taken_is_lost(self):
        with Receiver() as receiver:
            self.grapnel.source("s")
            self.grapnel.action("s", receiver.url + "/s")
            taken, refusal = self.send_until_refused()
            self.assertEqual(refusal.status, 503, refusal)
            self.assertIn("retry-after", refusal.headers)
            self.assertGreater(len(taken), 20)
            not_ready = self.ready()
            self.assertEqual(not_ready.status, 503)
            self.assertIn(b"full", not_ready.body)

            self.filler.unlink()
            after = eventually(
                lambda: (a := self.grapnel.send("s", BODY)).status == 202 and a, what="room"
            )
            taken.append(after.json()["event_id"])
            eventually(lambda: self.ready().status == 200, what="readiness")
            for event in taken:
                self.grapnel.wait_state(event, "delivered")

    def test_outcomes_that_find_no_room_are_kept_and_nothing_is_sent_again(self):
        with Receiver() as receiver:
            receiver.on("/s", slow(2))
            self.grapnel.source("s")
            self.grapnel.action("s", receiver.url + "/s", max_in_flight=500)
            taken, _ = self.send_until_refused()
            # Every attempt ends while nothing can be written.
            eventually(lambda: len(receiver.at("/s")) >= len(taken) - 5, what="the attempts")
            time.sleep(3)
            self.assertEqual(self.ready().status, 503)
            ids = [r.header("webhook-id") for r in receiver.at("/s")]
            self.assertEqual(len(ids), len(set(ids)), "an attempt was repeated")

            self.filler.unlink()
            for event in taken:
                self.grapnel.wait_state(event, "delivered")
            ids = [r.header("webhook-id") for r in receiver.at("/s")]
            self.assertEqual(len(ids), len(set(ids)), "an attempt was repeated")

    def test_killed_on_a_full_disk_it_says_why_it_does_not_start_and_loses_nothing(self):
        self.grapnel.source("s")
        taken, _ = self.send_until_refused()
        self.grapnel.kill()
        with (self.disk.root / "rest").open("wb", buffering=0) as rest:
            with contextlib.suppress(OSError):  # no space left
                while rest.write(b"r" * 4096) == 4096:
                    pass
        self.grapnel.start(wait=False)
        self.grapnel.process.wait(20)
        self.grapnel._ended.wait(5)
        self.assertNotEqual(self.grapnel.process.returncode, 0)
        self.assertIn("the store's disk is full", self.grapnel.log_lines[-1])

        self.filler.unlink()
        self.grapnel.start()
        for event in taken:
            body = self.grapnel.api("GET", f"/api/events/{event}/body", expect=200).body
            self.assertEqual(body, BODY)


if __name__ == "__main__":
    unittest.main()
