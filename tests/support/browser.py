"""A real browser that a test drives: Chromium by its debugging protocol, over one socket.

What it asks for is written down, so that a test can say that no other host was asked.
"""

import base64
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.hostile_page import browser as find_browser
from websockets.sync.client import connect

SECONDS = 60.0
ANSWER_SECONDS = 120.0
"""How long the browser may take to answer; while a page is on its way it answers nothing."""


class Page:
    """One tab."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._number = 0
        self._session: str | None = None
        self.requests: list[str] = []
        """Addresses that were asked for, in their order."""
        self.complaints: list[str] = []
        """What the page wrote to the console as an error, and what the policy refused."""
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log", "DOM"):
            self._call(f"{domain}.enable")

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._socket.send(json.dumps(message))
        while True:
            answer = json.loads(self._socket.recv(timeout=ANSWER_SECONDS))
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return dict(answer["result"])
            self._note(answer)

    def _note(self, event: dict[str, Any]) -> None:
        params = event.get("params", {})
        if event.get("method") == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif event.get("method") == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
        elif event.get("method") == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            said = details.get("exception", {}).get("description", details["text"])
            self.complaints.append(said)

    def run(self, script: str) -> Any:
        """Return what an expression, or a promise, comes to."""
        found = self._call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, f"{script}: {found['exceptionDetails']}"
        return found["result"].get("value")

    def wait(self, script: str, seconds: float = SECONDS) -> Any:
        """Wait until an expression is true, and return what it came to."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := self.run(script):
                return found
            time.sleep(0.1)
        raise AssertionError(f"{script} did not come true; the page says:\n{self.text()}")

    def open(self, address: str) -> None:
        """Go to an address and wait until its script has run."""
        self._call("Page.navigate", url=address)
        self.wait("document.readyState === 'complete' && document.documentElement?.dataset.ready")

    def text(self) -> str:
        """Return what a reader sees; nothing between two pages."""
        return str(self.run("document.body?.innerText ?? ''"))

    def see(self, words: str, seconds: float = SECONDS) -> None:
        """Wait until words are on the page."""
        self.wait(f"(document.body?.innerText ?? '').includes({json.dumps(words)})", seconds)

    def click(self, selector: str) -> None:
        """Click an element as soon as it is there."""
        found = json.dumps(selector)
        self.wait(f"!!document.querySelector({found})")
        self.run(f"document.querySelector({found}).click()")

    def fill(self, selector: str, value: str) -> None:
        """Put a value into a field as if it had been typed or chosen."""
        found = json.dumps(selector)
        self.wait(f"!!document.querySelector({found})")
        self.run(
            f"(e => {{ e.value = {json.dumps(value)}; "
            "e.dispatchEvent(new Event('input', {bubbles: true})); "
            f"e.dispatchEvent(new Event('change', {{bubbles: true}})); }})"
            f"(document.querySelector({found}))"
        )

    def choose_file(self, selector: str, path: Path) -> None:
        """Choose a file in a file field."""
        root = self._call("DOM.getDocument")["root"]["nodeId"]
        node = self._call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self._call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def press(self, key: str, code: int) -> None:
        """Press a key."""
        for kind in ("keyDown", "keyUp"):
            self._call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code
            )

    def look(self, *, width: int, dark: bool = False, height: int = 900) -> None:
        """Set how wide the window is, and whether the person likes it dark."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self, path: Path) -> None:
        """Write a picture of the whole page."""
        size = self._call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        found = self._call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(found["data"]))


@contextmanager
def open_page() -> Iterator[Page]:
    """Start a browser of its own and yield its page; it ends with the block."""
    program = find_browser()
    assert program is not None
    with tempfile.TemporaryDirectory(prefix="mmm-browser-", ignore_cleanup_errors=True) as folder:
        command = [
            program, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            "--disable-background-networking", "--disable-component-update", "--no-first-run",
            "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank",
        ]  # fmt: skip
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with connect(_address(Path(folder), process), max_size=None) as socket:
                yield Page(socket)
        finally:
            process.terminate()
            process.wait(timeout=20)


def _address(folder: Path, process: "subprocess.Popen[bytes]") -> str:
    """Return where the browser listens, once it has written that down."""
    deadline, file = time.monotonic() + SECONDS, folder / "DevToolsActivePort"
    while time.monotonic() < deadline and process.poll() is None:
        if file.is_file() and len(lines := file.read_text().split()) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        time.sleep(0.05)
    raise AssertionError("the browser did not start")
