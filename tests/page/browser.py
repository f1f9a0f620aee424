"""Chromium over the WebDriver protocol, in plain HTTP: what a test needs of it."""

import base64
import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the name that the protocol gives to elements


def is_installed():
    return bool(shutil.which("chromedriver") and (shutil.which("chromium") or shutil.which("google-chrome")))


class Browser:
    def __init__(self):
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                       text=True)
        self.base = None
        for line in self.driver.stdout:  # "... was started successfully on port 38123."
            if "on port" in line and "successfully" in line:
                self.base = f"http://127.0.0.1:{line.rstrip().rstrip('.').rsplit(' ', 1)[1]}"
                break
        options = {"args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1200,1000"]}
        if shutil.which("chromium"):
            options["binary"] = shutil.which("chromium")
        answer = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}})
        self.base += f"/session/{answer['sessionId']}"

    def call(self, method, path, body=None):
        data = None if method == "GET" else json.dumps(body or {}).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {json.load(error)['value']['message']}") from None

    def close(self):
        try:
            self.call("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait()
            self.driver.stdout.close()

    def open(self, url):
        self.call("POST", "/url", {"url": url})

    def run(self, script, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def find(self, xpath):
        return self.call("POST", "/element", {"using": "xpath", "value": xpath})[ELEMENT]

    def click(self, xpath):
        """As a person does: scrolls there, moves the mouse and presses; fails if something lies above it."""
        self.call("POST", f"/element/{self.find(xpath)}/click")

    def keys(self, xpath, text):
        self.call("POST", f"/element/{self.find(xpath)}/value", {"text": text})

    def mouse(self, xpath, *steps):
        """Moves to points given as fractions of an element's width and height; True presses, False lets go."""
        element = self.find(xpath)
        width, height = self.run("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'}); return "
                                 "[arguments[0].clientWidth, arguments[0].clientHeight]", {ELEMENT: element})
        actions = []
        for step in steps:
            if isinstance(step, bool):
                actions.append({"type": "pointerDown" if step else "pointerUp", "button": 0})
            else:  # from the middle
                actions.append({"type": "pointerMove", "duration": 50, "origin": {ELEMENT: element},
                                "x": round((step[0] - 0.5) * width), "y": round((step[1] - 0.5) * height)})
        self.call("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": actions}]})

    def wait(self, script, seconds=15):
        """Until the script returns something true, which is returned."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if result := self.run(script):
                return result
            time.sleep(0.05)
        raise AssertionError(f"never true: {script}")

    def emulate(self, width, height, dark=False):
        self.call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}})
        self.call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {
            "features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
                         {"name": "prefers-reduced-motion", "value": "reduce"}]}})

    def picture(self, path):
        """The whole page."""
        shot = self.call("POST", "/goog/cdp/execute", {"cmd": "Page.captureScreenshot", "params": {
            "captureBeyondViewport": True}})
        path.write_bytes(base64.b64decode(shot["data"]))

    def console(self):
        """What the page complained of since the last call; that tests read pixels back is no fault of the page."""
        return [entry["message"] for entry in self.call("POST", "/se/log", {"type": "browser"})
                if entry["level"] in ("SEVERE", "WARNING") and "willReadFrequently" not in entry["message"]]
