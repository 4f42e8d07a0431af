"""A webhook receiver that can be good, slow, dead, flapping or rude.

Its behaviour is a function of the request, chosen per path with `on`. Everything received is kept.
"""

import socket
import struct
import threading
import time


class Request:
    def __init__(self, method, path, headers, body):
        self.method = method
        self.path = path
        self.headers = headers  # list of (name, value)
        self.body = body
        self.time = time.time()

    def header(self, name):
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return None


def answer(status=200, body=b"ok", headers=()):
    """An ordinary answer."""

    def act(connection, request):
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
        lines += [f"{k}: {v}" for k, v in headers]
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        return True

    return act


def slow(seconds, then=None):
    def act(connection, request):
        connection.closing.wait(seconds)
        return (then or answer())(connection, request)

    return act


def reset(connection, request):
    """Half a status line, then a TCP reset."""
    connection.sendall(b"HTTP/1.1 20")
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def hang(connection, request):
    """Takes the request and never answers."""
    connection.closing.wait(60)
    return False


def drip(connection, request):
    """One byte a second of a long answer."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while not connection.closing.wait(1):
        connection.sendall(b"x")
    return False


def endless(connection, request):
    """200 and a body without end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    try:
        for _ in range(4096):
            connection.sendall(b"y" * 65536)
    except OSError:
        pass
    return False


def wrong_length(connection, request):
    """Promises 100 bytes, sends 10 and closes."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"z" * 10)
    return False


def sequence(*acts):
    """One behaviour after the other; the last one stays."""
    left = list(acts)
    lock = threading.Lock()

    def act(connection, request):
        with lock:
            current = left.pop(0) if len(left) > 1 else left[0]
        return current(connection, request)

    return act


class _Connection:
    def __init__(self, sock, closing):
        self.socket = sock
        self.closing = closing
        self.buffer = b""

    def sendall(self, data):
        self.socket.sendall(data)

    def read_line(self):
        while b"\r\n" not in self.buffer:
            more = self.socket.recv(65536)
            if not more:
                return None
            self.buffer += more
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line.decode("latin-1")

    def read_exactly(self, count):
        while len(self.buffer) < count:
            more = self.socket.recv(65536)
            if not more:
                return None
            self.buffer += more
        body, self.buffer = self.buffer[:count], self.buffer[count:]
        return body

    def read_request(self):
        line = self.read_line()
        if not line:
            return None
        method, path, _ = line.split(" ", 2)
        headers = []
        length = 0
        while True:
            line = self.read_line()
            if line is None:
                return None
            if line == "":
                break
            name, value = line.split(":", 1)
            headers.append((name, value.strip()))
            if name.lower() == "content-length":
                length = int(value)
        body = self.read_exactly(length)
        return None if body is None else Request(method, path, headers, body)


class Receiver:
    def __init__(self):
        self.requests = []
        self._acts = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def on(self, path, act):
        self._acts[path] = act
        return f"{self.url}{path}"

    def at(self, path):
        with self._lock:
            return [r for r in self.requests if r.path == path]

    def close(self):
        self._closing.set()
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _accept(self):
        while not self._closing.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        connection = _Connection(sock, self._closing)
        with sock:
            try:
                while not self._closing.is_set():
                    request = connection.read_request()
                    if request is None:
                        return
                    with self._lock:
                        self.requests.append(request)
                    if not self._acts.get(request.path, answer())(connection, request):
                        return
            except OSError:
                return
