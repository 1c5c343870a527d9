"""The manifests of docs/examples/kubernetes are what a cluster takes, and their commands are commands."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pegbox.cli.app import app
from pegbox.report.check_cluster import check_cluster
from pegbox.schemas.plan import RunSpec

FOLDER = Path(__file__).parents[2] / "docs" / "examples" / "kubernetes"
FILES = sorted(FOLDER.glob("*.yaml"))


def manifests(path):
    return list(YAML(typ="safe").load_all(path.read_text()))


def containers(path):
    specs = (one["spec"]["template"]["spec"] for one in manifests(path) if "template" in one["spec"])
    return [(spec, container) for spec in specs for container in spec["containers"]]


@pytest.mark.long
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_cluster_takes_each_manifest(path):
    validator = pytest.importorskip("kubernetes_validate")  # it brings the schemas of all versions, a hundred megabytes
    newest = validator.latest_version()
    for manifest in manifests(path):
        for version in ("1.31", newest):  # podReplacementPolicy is in all clusters that are still looked after
            validator.validate(manifest, version, strict=True)
        with pytest.raises(validator.ValidationError):
            validator.validate(manifest | {"spec": {**manifest["spec"], "bakoffLimit": 6}}, newest, strict=True)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_a_manifest_names_is_there(path):
    for spec, container in containers(path):
        volumes = {volume["name"] for volume in spec.get("volumes", ())}
        assert {mount["name"] for mount in container.get("volumeMounts", ())} == volumes
    for manifest in manifests(path):
        if manifest["kind"] == "Service":
            labels = [
                one["spec"]["template"]["metadata"]["labels"] for one in manifests(path) if one["kind"] == "Deployment"
            ]
            assert manifest["spec"]["selector"] in labels


@pytest.mark.parametrize("path", sorted(FOLDER.glob("driver*.yaml")), ids=lambda path: path.stem)
def test_the_driver_is_started_by_a_command_of_ours(path):
    ((_, container),) = containers(path)
    program, *arguments = container["command"]
    assert program == "pegbox"
    command, bound, _ = app.parse_args(arguments, exit_on_error=False, print_error=False)
    assert command.__name__ == "run"
    assert "store" in bound.arguments


@pytest.mark.parametrize(("name", "engine"), [("dask", "dask"), ("ray", "ray")])
def test_the_address_that_a_cluster_is_told_with_is_that_of_its_service(name, engine):
    path = FOLDER / f"{name}.yaml"
    said = re.search(r"`run: (\{.*\})`", path.read_text().splitlines()[0])
    assert said is not None
    run = RunSpec.model_validate(YAML(typ="safe").load(said[1]) | {"workers": 2})
    assert [problem for problem in check_cluster(run) if problem.path[-1] == "address"] == []
    (service,) = (one for one in manifests(path) if one["kind"] == "Service")
    host, port = str(run.address).partition("://")[2].split(":")
    assert host == service["metadata"]["name"]
    assert int(port) in {one["port"] for one in service["spec"]["ports"]}


@pytest.mark.long
@pytest.mark.parametrize("name", ["dask", "ray"])
def test_a_cluster_is_started_by_commands_that_its_program_has(name):
    pytest.importorskip({"dask": "distributed", "ray": "ray"}[name])
    start = {
        "dask": "from dask.__main__ import main; main()",
        "ray": "from ray.scripts.scripts import main; main()",
    }[name]
    for _, container in containers(FOLDER / f"{name}.yaml"):
        program, command, *options = container["command"]
        assert program == name
        done = subprocess.run(
            [sys.executable, "-c", start, command, "--help"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        for option in options:
            if option.startswith("--"):
                assert re.search(
                    rf"{re.escape(option.partition('=')[0].replace('--no-', '--'))}\b",
                    done.stdout.replace("--no-", "--"),
                )
