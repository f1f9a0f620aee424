#!/usr/bin/env python3
"""serve_test.py BITLAB RESULTS: `bitlab serve` over loopback, as a browser, a script and an attacker would ask it."""

import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

NAME = "babygpt vs-bit"  # with a space, which a URL has to write otherwise


def start(folder, port=0):
    return subprocess.Popen([BITLAB, "serve", "--port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, env={**os.environ, "BITLAB_RESULTS": str(folder)})


def contents(folder):
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(folder.rglob("*"))}


class ServeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="bitlab-serve-"))
        shutil.copytree(RESULTS, cls.folder / NAME, ignore=shutil.ignore_patterns("report"))
        (cls.folder / "secret.txt").write_text("secret")
        cls.server = start(cls.folder)
        cls.url = cls.server.stdout.readline().strip()
        cls.port = int(cls.url.rstrip("/").rsplit(":", 1)[1])

    @classmethod
    def tearDownClass(cls):
        cls.server.send_signal(signal.SIGTERM)
        assert cls.server.wait(10) == 143
        cls.server.stdout.close()
        cls.server.stderr.close()
        shutil.rmtree(cls.folder)

    def get(self, path, headers=None, method="GET", body=None):
        """Status, headers and body, of a path that is sent just as it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.putrequest(method, path, skip_host="Host" in (headers or {}))
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        result = answer.status, answer.headers, answer.read().decode()
        connection.close()
        return result

    def test_pages(self):
        with urllib.request.urlopen(self.url) as answer:
            page = answer.read().decode()
        self.assertIn('<a href="/experiments/babygpt%20vs-bit">babygpt vs-bit</a>', page)
        status, headers, page = self.get("/experiments/babygpt%20vs-bit")
        self.assertEqual(status, 200)
        self.assertIn('data-live="/api/experiments/babygpt%20vs-bit"', page)
        self.assertIn("babyGPT against babyBitNet", page)
        self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
        self.assertEqual(headers["Cache-Control"], "no-store")
        self.assertEqual(self.get("/", method="HEAD")[::2], (200, ""))

    def test_json_and_its_tag(self):
        for path in ("/api/experiments", "/api/experiments/babygpt%20vs-bit"):
            status, headers, body = self.get(path)
            self.assertEqual(status, 200)
            parts = json.loads(body)["parts"]
            self.assertTrue(parts)
            self.assertEqual(self.get(path, {"If-None-Match": headers["ETag"]})[0], 304)
        self.assertIn("6 done", parts["progress"])

    def test_what_changes_is_seen(self):
        status_file = next((self.folder / NAME).glob("*/seed-1/status.json"))
        done_file = status_file.with_name("DONE")
        old, mark = status_file.read_text(), done_file.read_text()
        _, headers, _ = self.get("/api/experiments/babygpt%20vs-bit")
        done_file.unlink()
        status_file.write_text(json.dumps(json.loads(old) | {"state": "failed", "reason": "diverged at step 7"}))
        try:
            end = time.monotonic() + 20
            while True:
                status, _, body = self.get("/api/experiments/babygpt%20vs-bit", {"If-None-Match": headers["ETag"]})
                if status == 200 or time.monotonic() > end:
                    break
                time.sleep(0.2)
            self.assertIn("diverged at step 7", json.loads(body)["parts"]["runs"])
        finally:
            status_file.write_text(old)
            done_file.write_text(mark)

    def test_nothing_else_is_there(self):
        for path in ("/nothing", "/experiments/nothing", "/api/experiments/nothing", "/experiments/", "/secret.txt"):
            self.assertEqual(self.get(path)[0], 404, path)

    def test_paths_lead_nowhere(self):
        for path in ("/../secret.txt", "/experiments/../secret.txt", "/experiments/..%2fsecret.txt", "/experiments/..",
                     "/experiments/.", "/experiments/%2e%2e", "/experiments/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
                     "/experiments/%00", "/api/experiments/..%2f" + str(self.folder.name), "//etc/passwd",
                     "/experiments//etc/passwd", "/experiments/..\\secret.txt"):
            status, _, body = self.get(path)
            self.assertIn(status, (400, 404), path)
            self.assertNotIn("root:", body)
            self.assertNotEqual(body, "secret")

    def test_only_its_own_name(self):
        for host in ("evil.example", f"evil.example:{self.port}", "127.0.0.1", "127.0.0.1:1", f"127.0.0.1:{self.port}.evil"):
            status, _, body = self.get("/", {"Host": host})
            self.assertEqual(status, 403, host)
            self.assertNotIn("babygpt", body)
        self.assertEqual(self.get("/", {"Host": f"localhost:{self.port}"})[0], 200)
        with socket.create_connection(("127.0.0.1", self.port), 20) as raw:
            raw.sendall(b"GET / HTTP/1.0\r\n\r\n")  # no Host at all
            self.assertIn(b" 403 ", raw.recv(100))

    def test_nothing_can_be_written(self):
        before = contents(self.folder)
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            status, headers, _ = self.get("/api/experiments", method=method, body=b"{}")
            self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"), method)
        for path in ("/", "/experiments/babygpt%20vs-bit", "/api/experiments"):
            self.get(path)
        self.assertEqual(contents(self.folder), before)

    def test_no_second_request_hides_in_a_refused_body(self):
        hidden = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n\r\n".encode()
        with socket.create_connection(("127.0.0.1", self.port), 20) as raw:
            raw.sendall(f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nContent-Length: {len(hidden)}\r\n\r\n".encode()
                        + hidden)
            answer = b""
            try:
                while piece := raw.recv(65536):
                    answer += piece
            except ConnectionResetError:
                pass
        self.assertEqual(answer.count(b"HTTP/1.1 "), 1)

    def test_other_addresses_of_this_machine_do_not_answer(self):
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.2", self.port), 5)

    def test_a_taken_port_is_said(self):
        second = start(self.folder, self.port)
        _, said = second.communicate(timeout=20)
        self.assertEqual(second.returncode, 2)
        self.assertIn(f"but {self.port} is not; --port 0 takes any that is free", said)

    def test_ctrl_c_ends_it(self):
        server = start(self.folder)
        server.stdout.readline()
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=10)
        self.assertEqual(server.returncode, 130)


if __name__ == "__main__":
    BITLAB, RESULTS = sys.argv[1], pathlib.Path(sys.argv[2])
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
