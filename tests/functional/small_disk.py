"""A file system of a few MiB of its own, for a process to fill."""

import pathlib
import subprocess
import tempfile


class SmallDisk:
    """A tmpfs in a mount namespace that lasts as long as this object; needs no root where users may
    have namespaces."""

    def __init__(self, mib):
        self._folder = tempfile.TemporaryDirectory(prefix="grapnel-disk-")
        self.path = self._folder.name
        mount = f'mount -t tmpfs -o size={mib}m,mode=700 none "$0" && echo ready && exec cat'
        self._holder = subprocess.Popen(
            ["unshare", "-rm", "sh", "-c", mount, self.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        if self._holder.stdout.readline() != "ready\n":
            why = self._holder.stderr.read().strip()
            self.close()
            raise PermissionError(f"no file system of our own: {why}")
        pid = self._holder.pid
        # What runs a command inside, and where the files are seen from outside.
        self.prefix = ["nsenter", "-t", str(pid), "-U", "-m", "--preserve-credentials"]
        self.root = pathlib.Path(f"/proc/{pid}/root{self.path}")

    def close(self):
        for pipe in (self._holder.stdin, self._holder.stdout, self._holder.stderr):
            pipe.close()
        self._holder.wait(10)
        self._folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
