"""What the server holds and how fast it answers: ``python benchmarks/serving.py``.

A home with one refit of the demo (least squares, so that it is made quickly; ``--home`` names one
that is there) is served by a process of its own. It receives a file of 200 MB, as the body that the
page sends and as the form of the earlier backend, and answers 50 readers at once who go from page
to page and from output to output. Printed are the peak of its memory and the quantiles of its
answers, by kind of address. The script ends with exit code 1 where a promise was not kept: under
``MAX_MB`` of memory, 95 % of answers within ``MAX_SECONDS``, so it wants an idle machine.
"""

import argparse
import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from flows.services import servers
from tasks.store.home import Home
from tasks.store.warehouse.runs import list_runs

ROOT = Path(__file__).resolve().parents[1]
MAX_MB, MAX_SECONDS = 400.0, 0.5
FILE_MB, READERS, ROUNDS = 200, 50, 3
HEADER, LINE = b"week,revenue,tv,price\n", b"2024-01-01,100000,5000,1.5\n"
BOUNDARY = "between"


def rows(n_bytes: int) -> Iterator[bytes]:
    """Yield a CSV file of about this size, in pieces; no column has a name that a refit knows."""
    yield HEADER
    piece = LINE * (65_536 // len(LINE))
    for _ in range(n_bytes // len(piece)):
        yield piece


def form(n_bytes: int) -> Iterator[bytes]:
    """Yield the same as the field of a form."""
    named = 'Content-Disposition: form-data; name="file"; filename="big.csv"'
    yield f"--{BOUNDARY}\r\n{named}\r\n\r\n".encode()
    yield from rows(n_bytes)
    yield f"\r\n--{BOUNDARY}--\r\n".encode()


def connect(address: str) -> http.client.HTTPConnection:
    """Return a connection to a server."""
    return http.client.HTTPConnection(urlsplit(address).netloc, timeout=600)


def upload_body(address: str, n_bytes: int) -> int:
    """Send a file as the page does; return the status."""
    con = connect(address)
    con.request("PUT", "/api/v1/datasets/big/file?name=big.csv", rows(n_bytes), {},
                encode_chunked=True)  # fmt: skip
    return con.getresponse().status


def upload_form(address: str, n_bytes: int) -> int:
    """Send a file as clients of the earlier backend do; it is kept, and asks for a run spec."""
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    con = connect(address)
    con.request("POST", "/datasets/upload?dataset_id=big", form(n_bytes), kind, encode_chunked=True)
    return con.getresponse().status


def peak_megabytes(pid: int) -> float:
    """Return the most memory that a process has held so far (Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise OSError(f"process {pid} does not say how much memory it held")


def addresses(run_id: str) -> list[str]:
    """Return what a reader opens, one after another."""
    return [
        "/", f"/results/{run_id}", f"/run/{run_id}", "/compare", "/champions", f"/export/{run_id}",
        "/api/v1/runs", f"/api/v1/runs/{run_id}", f"/api/v1/runs/{run_id}/status",
        f"/api/v1/outputs/{run_id}/roi", f"/api/v1/outputs/{run_id}/contributions?as=csv",
    ]  # fmt: skip


def read_at_once(
    address: str, paths: list[str], *, readers: int, rounds: int
) -> list[tuple[str, int, float]]:
    """Let readers open everything side by side; return path, status and seconds of each answer."""
    found: list[tuple[str, int, float]] = []
    together = threading.Barrier(readers)

    def read(number: int) -> None:
        con, mine = connect(address), paths[number % len(paths) :] + paths[: number % len(paths)]
        together.wait()
        for path in mine * rounds:
            began = time.perf_counter()
            con.request("GET", path, headers={"Accept": "text/html, */*"})
            answer = con.getresponse()
            answer.read()
            found.append((path, answer.status, time.perf_counter() - began))

    threads = [threading.Thread(target=read, args=(n,)) for n in range(readers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def make_home(root: Path) -> None:
    """Refit the demo once, by least squares."""
    spec = yaml.safe_load((ROOT / "data/demo/run_spec.yaml").read_text(encoding="utf-8"))
    spec |= {"data": str(ROOT / "data/demo/panel.csv"), "model": {"kind": "ridge"}}
    (root / "spec.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
    command = [sys.executable, "-m", "flows.cli.app", "refit", "--spec", str(root / "spec.yaml")]
    done = subprocess.run(command, env=_environment(root), capture_output=True, check=False)
    if done.returncode not in (0, 3):
        raise SystemExit(done.stderr.decode())


def serve(root: Path) -> servers.Service:
    """Serve a home; the caller closes it."""
    port = servers.free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli.app", "serve", "--port", str(port)],
        env=_environment(root), stdout=subprocess.DEVNULL,
    )  # fmt: skip
    service = servers.Service("web app", port, "/health", process)
    servers.require_healthy(service)
    return service


def measure(root: Path) -> bool:
    """Print both tables; return whether every promise was kept."""
    service = serve(root)
    try:
        kept = _measure_memory(service)
        run_id = next(run.run_id for run in list_runs(Home(root)) if run.is_accepted)
        for path in addresses(run_id):  # warm: what is written once is written now
            read_at_once(service.address, [path], readers=1, rounds=1)
        answers = read_at_once(service.address, addresses(run_id), readers=READERS, rounds=ROUNDS)
        return _print_answers(answers) and kept
    finally:
        service.process.terminate()
        service.process.wait()


def _measure_memory(service: servers.Service) -> bool:
    """Print the peak of memory before and after each upload."""
    print(f"{'':<34}{'status':>8}{'seconds':>10}{'peak, MB':>10}")
    print(f"{'before':<34}{'':>18}{peak_megabytes(service.process.pid):>10.0f}")
    kept = True
    ways = {
        "200 MB as the body": (upload_body, {201}),
        "200 MB as a form": (upload_form, {200}),
    }
    for name, (send, expected) in ways.items():
        began = time.perf_counter()
        status = send(service.address, FILE_MB * 1_000_000)
        took, peak = time.perf_counter() - began, peak_megabytes(service.process.pid)
        print(f"{name:<34}{status:>8}{took:>10.1f}{peak:>10.0f}")
        kept &= status in expected and peak < MAX_MB
    return kept


def _print_answers(answers: list[tuple[str, int, float]]) -> bool:
    """Print the quantiles of answers by path, and over all."""
    print(f"\n{READERS} readers at once, {len(answers)} answers")
    print(f"{'address':<60}{'median, ms':>12}{'95 %, ms':>12}")
    for path in dict.fromkeys(path for path, _, _ in answers):
        times = [took for each, _, took in answers if each == path]
        print(f"{path:<60}{_ms(times, 50):>12.0f}{_ms(times, 95):>12.0f}")
    times = [took for _, _, took in answers]
    print(f"{'all':<60}{_ms(times, 50):>12.0f}{_ms(times, 95):>12.0f}")
    refused = {path for path, status, _ in answers if status != 200}
    if refused:
        print(f"not answered with 200: {', '.join(sorted(refused))}")
    return not refused and _ms(times, 95) < 1000 * MAX_SECONDS


def _ms(times: list[float], percent: int) -> float:
    return 1000 * statistics.quantiles(times, n=100, method="inclusive")[percent - 1]


def _environment(root: Path) -> dict[str, str]:
    return {**os.environ, "MMM_HOME": str(root), "PYTHONPATH": str(ROOT)}


def main() -> int:
    """Measure, and say by the exit code whether promises were kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, help="a home with a run; default: one is made")
    home = parser.parse_args().home
    with tempfile.TemporaryDirectory(prefix="mmm-serving-") as folder:
        if home is None:
            home = Path(folder)
            make_home(home)
        return 0 if measure(home) else 1


if __name__ == "__main__":
    sys.exit(main())
