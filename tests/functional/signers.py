"""The providers' own npm packages as a process that signs and judges (tests/npm/signers.mjs)."""

import http.client
import json
import pathlib
import subprocess

from grapnel import Answer

NPM = pathlib.Path(__file__).parent.parent / "npm"


class Signers:
    def __init__(self):
        self.process = subprocess.Popen(
            ["node", "signers.mjs"],
            cwd=NPM,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **document):
        self.process.stdin.write(json.dumps(document) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the signers ended"
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


def post(address, path, body, headers):
    """Headers as a list, so that one can come twice and in any case."""
    host, port = address.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    try:
        connection.putrequest("POST", path, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return Answer(
            answer.status, dict((k.lower(), v) for k, v in answer.getheaders()), answer.read()
        )
    finally:
        connection.close()
