"""The set-up: what `make` and the browser script do on machines that lack something. Nothing is downloaded here."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = """#!/bin/sh
# A Python that makes environments whose python only notes what it was asked for.
echo "$@" >> "{log}"
case "$*" in
  "-m venv "*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; cp "$0" "$3/bin/streamlit";;
esac
"""
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="no make")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt", "pyproject.toml", "package.json", "package-lock.json"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    script(tmp_path / "python", PYTHON.format(log=tmp_path / "log"))
    return tmp_path


def script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def make(project: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = ["make", f"PYTHON={project / 'python'}", *arguments]
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "BNVIZ_"))}
    return subprocess.run(command, cwd=project, env=plain | environment, capture_output=True, text=True, check=False, timeout=60)


def asked(project: Path) -> str:
    log = project / "log"
    text = log.read_text() if log.exists() else ""
    log.unlink(missing_ok=True)
    return text


def test_app_sets_up_once_and_again_when_requirements_change(project: Path) -> None:
    first = make(project, "app", "PORT=8765")
    assert first.returncode == 0, first.stderr
    assert "http://localhost:8765" in first.stdout
    told = asked(project)
    assert "-m venv .venv" in told
    assert "-r requirements.txt" in told
    assert "--editable ." in told
    assert "run app.py --server.port 8765" in told
    make(project, "app")
    assert "install" not in asked(project)
    later = (project / ".venv" / ".runtime").stat().st_mtime + 10
    os.utime(project / "requirements.txt", (later, later))
    make(project, "app")
    assert "-r requirements.txt" in asked(project)


def test_pytorchs_own_index_is_used_only_when_asked_for(project: Path) -> None:
    make(project, ".venv/.runtime")
    assert "index" not in asked(project)
    shutil.rmtree(project / ".venv")
    make(project, ".venv/.runtime", "TORCH_INDEX=https://download.pytorch.org/whl/cpu")
    assert "--extra-index-url https://download.pytorch.org/whl/cpu" in asked(project)


def test_the_suite_may_not_leave_out_the_browser(project: Path) -> None:
    planned = make(project, "-n", "test").stdout
    assert "BNVIZ_REQUIRE_BROWSER=1" in planned
    assert "BNVIZ_REQUIRE_TYPESCRIPT=1" in planned
    assert "not browser" not in planned
    assert "not slow" not in planned
    assert "make test" in (ROOT / ".ci" / "run").read_text()


def test_typescript_is_installed_once_and_again_when_its_versions_change(project: Path) -> None:
    stamp = "build/node/.installed"
    assert make(project, stamp).returncode == 0
    assert "scripts/javascript.py install" in asked(project)
    make(project, stamp)
    assert "javascript" not in asked(project)
    later = (project / stamp).stat().st_mtime + 10
    os.utime(project / "package-lock.json", (later, later))
    make(project, stamp)
    assert "scripts/javascript.py install" in asked(project)


def test_typescript_that_could_not_be_installed_is_asked_for_again(project: Path) -> None:
    script(project / "python", PYTHON.format(log=project / "log") + 'case "$*" in *" install") exit 1;; esac\n')
    assert make(project, "build/node/.installed").returncode != 0
    assert not (project / "build" / "node" / ".installed").exists()


def test_the_lock_of_the_javascript_s_tools_names_no_host() -> None:
    for name in ("package.json", "package-lock.json", ".npmrc"):
        assert "://" not in (ROOT / name).read_text("utf-8")


def test_an_old_python_is_told(project: Path) -> None:
    script(project / "python", '#!/bin/sh\ncase "$1" in --version) echo Python 3.9.2;; *) exit 1;; esac\n')
    done = make(project, "app")
    assert done.returncode != 0
    assert "needs Python 3.11 or newer; found: Python 3.9.2" in done.stderr


def test_a_missing_python_is_told(project: Path) -> None:
    (project / "python").unlink()
    done = make(project, "app")
    assert done.returncode != 0
    assert "needs Python 3.11 or newer" in done.stderr


def test_a_missing_venv_module_is_told_and_leaves_nothing_behind(project: Path) -> None:
    script(project / "python", '#!/bin/sh\ncase "$1" in -m) mkdir -p .venv/bin; exit 1;; esac\n')
    done = make(project, "app")
    assert done.returncode != 0
    assert "python3-venv" in done.stderr
    assert not (project / ".venv").exists()


def chromium(tmp_path: Path, *programs: str, **bodies: str) -> subprocess.CompletedProcess[str]:
    """Run the script with nothing but these programs, an empty home and the commands it is written with."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("ls", "sh"):
        (tools / name).symlink_to(str(shutil.which(name)))
    for name in programs:
        script(tools / name, "#!/bin/sh\nexit 0\n")
    for name, body in bodies.items():
        script(tools / name.replace("_", "-"), f"#!/bin/sh\n{body}\n")
    environment = {"PATH": str(tools), "HOME": str(tmp_path)}
    command = [str(tools / "sh"), str(ROOT / "scripts" / "chromium.sh")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=30)


def test_a_browser_that_is_there_is_taken(tmp_path: Path) -> None:
    done = chromium(tmp_path, "chromium", apt_get="echo called")
    assert (done.returncode, done.stdout) == (0, "")


def test_without_a_browser_and_apt_the_script_says_what_is_missing(tmp_path: Path) -> None:
    done = chromium(tmp_path)
    assert done.returncode == 1
    assert "playwright install chromium" in done.stderr


def test_root_gets_a_browser_with_apt(tmp_path: Path) -> None:
    browser = f"{tmp_path}/bin/chromium"
    install = f'echo "$@" >> {tmp_path}/apt; case "$1" in install) echo "#!/bin/sh" > {browser}; /bin/chmod +x {browser};; esac'
    done = chromium(tmp_path, id="echo 0", apt_get=install)
    assert done.returncode == 0, done.stderr
    told = (tmp_path / "apt").read_text()
    assert told.startswith("update")
    assert "chromium" in told


def test_without_the_right_to_install_the_script_says_the_command(tmp_path: Path) -> None:
    done = chromium(tmp_path, id="echo 1000", apt_get="exit 1", sudo="exit 1")
    assert done.returncode == 1
    assert "sudo apt-get install chromium" in done.stderr
