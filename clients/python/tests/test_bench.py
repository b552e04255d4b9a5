"""`hotcell bench --lang python`: the programs run and give figures of the right shape. Their times are for benchmarks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import hotcell

PACKAGES = Path(hotcell.__file__).parents[1]
PROGRAM = PACKAGES / "hotcell" / "bin" / "hotcell"


def bench(*words: str, path: Path = PACKAGES) -> Any:
    options = ["--python", sys.executable, "--quick", "--rounds", "1", "--format", "json"]
    run: list[str | Path] = [PROGRAM, "bench", "--lang", "python", *options, *words]
    environment = {**os.environ, "PYTHONPATH": str(path)}
    done = subprocess.run(run, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_programs_give_figures() -> None:
    report = bench()
    figures = {figure["id"]: figure for figure in report["figures"]}
    left_out = {it["id"]: it["reason"] for it in report["left_out"]}
    assert all(0 < it["min"] <= it["median"] <= it["max"] for it in figures.values())
    expected = {
        f"python.{means}.{operation}"
        for means in ["ctypes", "contained", "contained.map.10000", "multiprocessing.pipe", "multiprocessing.pool"]
        for operation in ["add", "crc32.1k"]
    }
    expected |= {"python.ctypes.callback", "python.contained.callback", "python.contained.add.default-mode"}
    if Path(sysconfig.get_path("include"), "Python.h").is_file():
        expected |= {"python.cffi.add", "python.cffi.crc32.1k", "python.cffi.callback"}
    if len(os.sched_getaffinity(0)) == 1:
        expected -= {name for name in expected if "contained" in name and "default-mode" not in name}
        assert left_out["python.contained.add"] == "this process may use one CPU only"
    else:
        cffi = "python.cffi.add" in expected
        assert all(it.startswith("python.cffi.") and not cffi for it in left_out), left_out
    assert expected <= figures.keys()
    bars = {name: (it["baseline"], it["bar"], it["ok"]) for name, it in figures.items() if it["bar"] is not None}
    for name, (baseline, bar) in {
        "python.contained.add": ("python.ctypes.add", 0.9),
        "python.contained.add.by-cffi": ("python.cffi.add", 3.0),
        "python.contained.crc32.1k": ("python.ctypes.crc32.1k", 1.4),
        "python.contained.map.10000.add": ("python.ctypes.add", 0.1),
        "python.contained.add.default-mode": ("python.multiprocessing.pipe.add", 0.01),
        "python.contained.add.default-mode.by-pool": ("python.multiprocessing.pool.add", 0.0025),
    }.items():
        if name in figures and baseline in figures:
            assert bars[name][:2] == (baseline, bar) and isinstance(bars[name][2], bool)
    programs = report["machine"]["programs"]
    assert programs["python.contained"] == f"hotcell {hotcell.__version__}"


def test_an_interpreter_without_the_module_is_told(tmp_path: Path) -> None:
    def reason() -> str:
        only = ["--only", "python.contained.add.default-mode", "--only", "python.ctypes.add"]
        report = bench(*only, path=tmp_path)
        assert "python.ctypes.add" in {figure["id"] for figure in report["figures"]}
        reasons: dict[str, str] = {it["id"]: it["reason"] for it in report["left_out"]}
        return reasons["python.contained.add.default-mode"]

    assert reason().startswith("there is no module `hotcell`")
    (tmp_path / "hotcell.py").write_text("__version__ = '0.0.1'\n")
    assert reason() == f"the module `hotcell` is 0.0.1, and the command that measures {hotcell.__version__}"
