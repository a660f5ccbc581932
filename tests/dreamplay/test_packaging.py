"""The package list; the sdist and the wheel as a stranger uses them: elsewhere, with this tree nowhere in sight."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from dreamplay.cli import COMMANDS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
FOLDERS = {"dreamplay": "dreamplay", "envs": "dreamplay.envs", "agents": "dreamplay.agents"}


def folders_with_code() -> dict[str, str]:
    """Import name -> folder of every package in the tree."""
    found = {}
    for top, package in FOLDERS.items():
        for init in (ROOT / top).rglob("__init__.py"):
            inner = init.parent.relative_to(ROOT / top).parts
            found[".".join((package, *inner))] = str(init.parent.relative_to(ROOT))
    return found


def test_the_package_list_is_the_tree():
    assert sorted(SETUPTOOLS["packages"]) == sorted(folders_with_code())


def test_every_folder_with_code_is_a_package():
    packages = set(folders_with_code().values())
    for top in FOLDERS:
        for file in (ROOT / top).rglob("*.py"):
            assert str(file.parent.relative_to(ROOT)) in packages


def test_the_mapping_names_the_three_folders():
    assert SETUPTOOLS["package-dir"] == {package: folder for folder, package in FOLDERS.items()}


def test_typings_show_type_checkers_the_mapped_folders():
    for folder in ("envs", "agents"):
        assert (ROOT / "typings" / "dreamplay" / folder).resolve() == ROOT / folder


def test_every_command_file_is_a_command():
    files = (ROOT / "dreamplay/commands").glob("[!_]*.py")
    assert {file.stem.rstrip("_") for file in files} == set(COMMANDS)  # import_.py: `import` is a word of Python


def check(*command: str | Path, cwd: Path) -> str:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        command, cwd=cwd, env=clean, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def build(kind: str, tree: Path, out: Path) -> Path:
    # --no-isolation: setuptools is in the dev extra, so that building needs no network.
    check(sys.executable, "-m", "build", f"--{kind}", "--no-isolation", "--outdir", out, tree, cwd=out.parent)
    (built,) = out.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return built


@pytest.mark.slow
def test_the_wheel_of_the_sdist_works_in_a_fresh_environment_from_any_folder(run, tmp_path):
    tree = tmp_path / "tree"
    skip = shutil.ignore_patterns(".*", "*.egg-info", "build", "dist", "runs", "data", "wandb", "__pycache__")
    shutil.copytree(ROOT, tree, symlinks=True, ignore=skip)
    shutil.copytree(run, tree / "dreamplay/models/tiny", ignore=shutil.ignore_patterns("training-*"))
    (tree / "dreamplay/models/tiny/evaluation").mkdir()
    (tree / "dreamplay/models/tiny/evaluation/horizon.json").write_text('{"horizons": {}}')

    sdist = build("sdist", tree, tmp_path / "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    for name in ("README.md", "LICENSE", "pyproject.toml"):
        assert (unpacked / name).read_bytes() == (ROOT / name).read_bytes()
    wheel = build("wheel", unpacked, tmp_path / "wheel")

    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {name.split("/")[0].split("-")[0] for name in names} == {"dreamplay"}  # no stray top-level envs or agents
    for package, folder in folders_with_code().items():
        for file in (ROOT / folder).glob("*.py"):
            assert f"{package.replace('.', '/')}/{file.name}" in names
    assert "dreamplay/py.typed" in names
    shipped = [file.relative_to(tree) for file in (tree / "dreamplay/models").rglob("*") if file.is_file()]
    assert Path("dreamplay/models/tiny/evaluation/horizon.json") in shipped
    assert {file.as_posix() for file in shipped} <= names

    home = tmp_path / "fresh"
    venv.create(home, with_pip=True)
    python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    check(python, "-m", "pip", "install", "--no-deps", "--no-index", wheel, cwd=tmp_path)
    site = Path(check(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip())
    # Dependencies are borrowed from the environment of this test. A plain path line runs none of that folder's .pth
    # files, so the editable install of this tree stays out: what imports as dreamplay can only be the wheel.
    lenders = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site / "borrowed.pth").write_text("\n".join(lenders) + "\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    packages = ", ".join(folders_with_code())
    code = f"import sys, {packages}\nfor name in '{packages}'.split(', '): print(sys.modules[name].__file__)"
    for file in check(python, "-c", code, cwd=elsewhere).split():
        assert Path(file).is_relative_to(site)
    for command in ("collect", "evaluate"):
        assert f"usage: dreamplay {command}" in check(python.with_name("dreamplay"), command, "--help", cwd=elsewhere)
    snippet = "import gymnasium as gym, dreamplay; e = gym.make('Dreamplay/Bricks-v0'); print(e.reset(seed=0)[0].dtype)"
    assert "uint8" in check(python, "-c", snippet, cwd=elsewhere)

    # A shipped dream, where there is neither a display nor a package of Atari games.
    (site / "ale_py.py").write_text("raise ImportError('not here')\n")
    assert "tiny" in check(python.with_name("dreamplay"), "models", cwd=elsewhere)
    for name in {file.parts[2] for file in shipped}:
        check(python.with_name("dreamplay"), "play", name, "--record", f"{name}.mp4", "--steps", "5", cwd=elsewhere)
        assert (elsewhere / f"{name}.mp4").stat().st_size > 0
