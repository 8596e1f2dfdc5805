"""What pip makes of the package, and its types."""

import contextlib
import re
import shutil
import subprocess
import sys
import tarfile
import unittest
import zipfile
from pathlib import Path

import helper

PACKAGE = Path(__file__).resolve().parent.parent

BUILD = "import sys; from setuptools import build_meta as b; to = sys.argv[1]; b.build_sdist(to); b.build_wheel(to)"

INSTALLED = """
import importlib.metadata, importlib.util, sys
found = importlib.metadata.distribution("penstock")
assert found.metadata["License-Expression"] == "Apache-2.0", found.metadata["License-Expression"]
assert found.requires[0] == "numpy>=1.26", found.requires
plugins = {(e.group, e.name, e.value) for e in found.entry_points}
assert plugins == {
    ("vllm.general_plugins", "penstock", "penstock.vllm:register"),
    ("sglang.srt.plugins", "penstock", "penstock.sglang:register"),
}, plugins
for plugin in found.entry_points:
    assert callable(plugin.load())
import penstock
assert penstock.__file__.startswith(sys.argv[1]), penstock.__file__
print(found.version)
"""


def setuptools_is_new():
    with contextlib.suppress(ImportError):
        import setuptools

        return int(setuptools.__version__.split(".")[0]) >= 77
    return False


def run(*command, cwd=None):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise AssertionError(f"{command} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout


class Package(unittest.TestCase):
    @unittest.skipUnless(setuptools_is_new(), "SKIPPED: setuptools 77 is not installed, and would have to be downloaded")
    def test_wheel_and_sdist_hold_everything_and_the_wheel_installs(self):
        with helper.directory() as place:
            shutil.copytree(PACKAGE, place / "clone", ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
            run(sys.executable, "-c", BUILD, str(place), cwd=place / "clone")
            (wheel,), (sdist,) = place.glob("*.whl"), place.glob("*.tar.gz")
            self.assertRegex(wheel.name, r"^penstock-[\d.]+-py3-none-any\.whl$")
            modules = {str(p.relative_to(PACKAGE / "src")) for p in (PACKAGE / "src").rglob("*.py")} | {"penstock/py.typed"}
            held = {n for n in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in n}
            self.assertEqual(held, modules)
            with tarfile.open(sdist) as tar:
                names = {n.split("/", 1)[1] for n in tar.getnames() if "/" in n}
            self.assertLessEqual({"pyproject.toml", "README.md"} | {f"src/{m}" for m in modules}, names)
            target = place / "installed"
            run(sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target", str(target), str(wheel))
            program = f"import sys; sys.path.insert(0, sys.argv[1])\n{INSTALLED}"
            version = run(sys.executable, "-c", program, str(target), cwd=place)
            self.assertIn(f'version = "{version.strip()}"', (PACKAGE / "pyproject.toml").read_text())

    @unittest.skipUnless(helper.have("mypy"), "SKIPPED: mypy is not installed (benchmarks/setup.sh installs it)")
    def test_types_are_strict(self):
        with helper.directory() as place:
            said = run(sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(place / "cache"), cwd=PACKAGE)
        files = len(list((PACKAGE / "src").rglob("*.py")))
        self.assertTrue(re.search(rf"no issues found in {files} source files", said), said)


if __name__ == "__main__":
    unittest.main()
