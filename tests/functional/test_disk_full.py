"""A disk that fills up and gets room again, as senders, receivers and the operator see it."""

import contextlib
import threading
import unittest

from grapnel import Grapnel, eventually, request
from receiver import Receiver, answer
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
            key=KEY,
        )
        self.addCleanup(self.grapnel.close)
        self.grapnel.start()

    def send_until_refused(self):
        """(ids of what was taken, the refusal)"""
        taken = []
        for _ in range(1000):
            sent = self.grapnel.send("s", BODY)
            if sent.status != 202:
                return taken, sent
            taken.append(sent.json()["event_id"])
        self.fail("the disk never filled")

    def readiness(self):
        return request(self.grapnel.ops_address, "GET", "/readyz")

    def test_senders_are_refused_until_there_is_room_and_nothing_taken_is_lost(self):
        with Receiver() as receiver:
            self.grapnel.source("s")
            self.grapnel.action("s", receiver.url + "/s")
            taken, refusal = self.send_until_refused()
            self.assertEqual(refusal.status, 503, refusal)
            self.assertIn("retry-after", refusal.headers)
            self.assertGreater(len(taken), 20)
            not_ready = self.readiness()
            self.assertEqual(not_ready.status, 503)
            self.assertIn(b"full", not_ready.body)

            self.filler.unlink()
            after = eventually(
                lambda: (sent := self.grapnel.send("s", BODY)).status == 202 and sent, what="room"
            )
            taken.append(after.json()["event_id"])
            eventually(lambda: self.readiness().status == 200, what="readiness")
            for event in taken:
                self.grapnel.wait_state(event, "delivered")
            self.assertEqual({r.body for r in receiver.at("/s")}, {BODY})

    def test_outcomes_that_find_no_room_are_kept_and_nothing_is_sent_again(self):
        is_full = threading.Event()
        self.addCleanup(is_full.set)

        def answer_when_full(connection, received):
            is_full.wait(60)
            return answer()(connection, received)

        with Receiver() as receiver:
            receiver.on("/s", answer_when_full)
            self.grapnel.source("s")
            self.grapnel.action("s", receiver.url + "/s", max_in_flight=500)
            taken, _ = self.send_until_refused()
            eventually(
                lambda: self.grapnel.metrics()["http_calls_in_flight"] == len(receiver.at("/s")),
                what="every call arrived",
            )
            begun = len(receiver.at("/s"))
            self.assertGreater(begun, 20)
            is_full.set()
            eventually(
                lambda: self.grapnel.metrics()["http_calls_in_flight"] == 0, what="every answer"
            )
            self.assertEqual(self.readiness().status, 503)
            self.assertEqual(len(receiver.at("/s")), begun, "an attempt began on a full disk")

            self.filler.unlink()
            for event in taken:
                self.grapnel.wait_state(event, "delivered")
            sent = [r.header("webhook-id") for r in receiver.at("/s")]
            self.assertEqual(sorted(sent), sorted(taken))

    def test_killed_on_a_full_disk_it_says_why_it_does_not_start_and_loses_nothing(self):
        self.grapnel.source("s")
        taken, _ = self.send_until_refused()
        self.grapnel.kill()
        with (self.disk.root / "rest").open("wb", buffering=0) as rest:
            with contextlib.suppress(OSError):  # no space left
                while rest.write(b"r" * 4096) == 4096:
                    pass
        self.grapnel.start(wait=False)
        self.assertNotEqual(self.grapnel.wait_end(), 0)
        self.assertIn("the store's disk is full", self.grapnel.log_lines[-1])

        self.filler.unlink()
        self.grapnel.start()
        for event in taken:
            body = self.grapnel.api("GET", f"/api/events/{event}/body", expect=200).body
            self.assertEqual(body, BODY)


if __name__ == "__main__":
    unittest.main()
