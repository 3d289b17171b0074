"""The container examples, as far as they can be held without Docker."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[3]
FOLDER = CHECKOUT / "flows" / "services" / "containers"
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text())
DOCKERFILE = (FOLDER / "Dockerfile").read_text()
POOL = yaml.safe_load((FOLDER / "kubernetes-pool.yaml").read_text())
SERVICES = COMPOSE["services"]
INSTRUCTIONS = {
    "FROM", "RUN", "COPY", "WORKDIR", "ENV", "USER", "CMD",
}  # fmt: skip


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n", " ", "\n".join(
        line for line in DOCKERFILE.splitlines() if not line.startswith("#")
    ))  # fmt: skip
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


def environment(of: dict) -> dict[str, str]:
    return dict(of.get("environment", {}))


def test_the_image_is_made_of_known_instructions_in_a_known_order():
    names = [name for name, _ in instructions()]
    assert names[0] == "FROM"
    assert set(names) <= INSTRUCTIONS
    assert names.index("USER") > max(i for i, name in enumerate(names) if name == "RUN")


@pytest.mark.parametrize(
    "image",
    [dict(instructions())["FROM"], SERVICES["postgres"]["image"], SERVICES["prefect"]["image"],
     POOL["work_pool"]["job_variables"]["image"]],
)  # fmt: skip
def test_every_image_has_a_whole_version(image):
    assert re.fullmatch(r"[a-z-]+:\d+\.\d+(\.\d+)?(-[a-z]+)*", image), image


def test_our_image_has_one_name_and_the_python_that_is_tested():
    ours = {s["image"] for s in SERVICES.values()} - {SERVICES["postgres"]["image"]}
    assert ours == {POOL["work_pool"]["job_variables"]["image"]}
    version = (CHECKOUT / "pyproject.toml").read_text()
    assert f'version = "{ours.pop().partition(":")[2]}"' in version
    python = (CHECKOUT / ".python-version").read_text().strip()
    assert dict(instructions())["FROM"].startswith(f"python:{python}")


def test_what_is_copied_and_mounted_exists():
    for name, rest in instructions():
        if name == "COPY":
            *sources, _ = rest.split()
            assert [s for s in sources if not (CHECKOUT / s).exists()] == []
    mounts = [v for s in SERVICES.values() for v in s.get("volumes", [])]
    named, files = set(COMPOSE["volumes"]), []
    for mount in mounts:
        source = mount.split(":")[0]
        if source.startswith("."):
            files.append(source)
        else:
            assert source in named
    assert [f for f in files if not (FOLDER / f).is_file()] == []
    build = SERVICES["worker"]["build"]
    assert (FOLDER / build["context"]).resolve() == CHECKOUT
    assert (CHECKOUT / build["dockerfile"]).is_file()


def names_of(model) -> set[str]:
    """Variables that set a field of Prefect's settings, or of a block of them."""
    prefix = model.model_config.get("env_prefix", "")
    found = set()
    for name, field in model.model_fields.items():
        found.add(f"{prefix}{name}".upper())
        if hasattr(field.validation_alias, "choices"):
            found |= {c.upper() for c in field.validation_alias.choices if isinstance(c, str)}
        if hasattr(field.annotation, "model_fields"):
            found |= names_of(field.annotation)
    return found


def test_settings_of_prefect_are_those_that_it_knows():
    from prefect.settings import Settings

    stated = {key for s in SERVICES.values() for key in environment(s)}
    stated |= set(POOL["work_pool"]["job_variables"]["env"])
    stated |= set(re.findall(r"(PREFECT_\w+)=", DOCKERFILE))
    prefect = {key for key in stated if key.startswith("PREFECT_")}
    assert len(prefect) > 6
    assert prefect - names_of(Settings) == set()


def test_commands_are_programs_of_the_image_and_of_make():
    for name in ("prefect", "mlflow"):
        assert SERVICES[name]["command"][0] == name
        assert (CHECKOUT / ".venv" / "bin" / name).exists()
    script = SERVICES["worker"]["command"][2]
    programs = {shlex.split(line)[0] for line in script.replace("\\\n", "").splitlines() if line}
    assert programs <= {"prefect", "exec"}
    assert "make setup" in DOCKERFILE


def test_the_pool_of_the_worker_is_that_of_the_deployments():
    deployments = yaml.safe_load((CHECKOUT / "prefect.yaml").read_text())["deployments"]
    (pool,) = {d["work_pool"]["name"] for d in deployments}
    assert f"worker start --pool {pool} --type process" in SERVICES["worker"]["command"][2]


def test_every_port_is_on_loopback_and_no_secret_has_a_default():
    ports = [port for s in SERVICES.values() for port in s.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    text = (FOLDER / "compose.yaml").read_text()
    for secret in ("POSTGRES_PASSWORD", "PREFECT_AUTH"):
        uses = re.findall(rf"\$\{{{secret}([^}}]*)\}}", text)
        assert any(use.startswith(":?") for use in uses)
        assert not any(use.startswith((":-", "-")) for use in uses)


def test_services_wait_for_what_they_need_and_run_as_a_user_without_rights():
    for name, service in SERVICES.items():
        for needed in service.get("depends_on", {}):
            assert "healthcheck" in SERVICES[needed], (name, needed)
    assert ("USER", "10001") in instructions()
    pod = POOL["job_manifest_template"]["spec"]
    assert pod["securityContext"]["runAsUser"] == 10001
    mounted = {m["name"] for m in pod["containers"][0]["volumeMounts"]}
    assert mounted == {v["name"] for v in pod["volumes"]}


def test_the_code_of_the_pool_is_where_the_image_has_it():
    (step,) = POOL["pull"]
    (place,) = [v["directory"] for v in step.values()]
    assert dict(instructions())["WORKDIR"] == place
    assert POOL["job_manifest_template"]["spec"]["containers"][0]["workingDir"] == place
