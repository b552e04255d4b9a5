"""The measured library in this process, through a module that cffi makes of its declarations (API mode)."""

import contextlib
import io
import os
import shlex
import subprocess
import sysconfig
from pathlib import Path

from program import CALLBACKS, CRC, DATA, EACH, LIBRARY, SUM, LeftOut, check, measure, serve, three, two

DECLARED = """
int measured_add(int a, int b);
uint32_t measured_crc32(uint32_t crc, const unsigned char *data, size_t length);
int64_t measured_each(int32_t count, int32_t (*visit)(void *user, int32_t number), void *user);
extern "Python" int32_t visit(void *user, int32_t number);
"""

ffi = lib = None


def compile_module():
    """The module, compiled beside this file as cffi compiles one, but without setuptools; what it is."""
    try:
        import cffi
    except ImportError:
        raise LeftOut("there is no module `cffi`: `pip install cffi`") from None
    builder = cffi.FFI()
    builder.cdef(DECLARED)
    builder.set_source("_measured_cffi", '#include "measured.h"')
    folder = Path(__file__).parent
    source = folder / "_measured_cffi.c"
    # It prints which file it writes.
    with contextlib.redirect_stdout(io.StringIO()):
        builder.emit_c_code(str(source))
    command = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    command += ["-O2", "-fPIC", "-shared", f"-I{sysconfig.get_path('include')}", f"-I{LIBRARY}", str(source)]
    command += [f"-L{LIBRARY}", "-l:libhotcell_measured.so", f"-Wl,-rpath,{LIBRARY}"]
    module = folder / ("_measured_cffi" + sysconfig.get_config_var("EXT_SUFFIX"))
    try:
        done = subprocess.run([*command, "-o", str(module)], capture_output=True, text=True, check=False)
    except OSError as error:
        raise LeftOut(f"the compiler did not start: {error}") from None
    if done.returncode != 0:
        raise LeftOut(f"cffi's module cannot be compiled, which needs the headers of Python: {done.stderr.strip()}")
    return f"cffi {cffi.__version__}"


def about():
    global ffi, lib
    made = compile_module()
    import _measured_cffi

    ffi, lib = _measured_cffi.ffi, _measured_cffi.lib
    ffi.def_extern(name="visit")(lambda _, number: number // 2)
    return made


def add(ask):
    check(lib.measured_add(1, 2), SUM)
    return measure(ask, two(lib.measured_add, 1, 2))


def crc32(ask):
    check(lib.measured_crc32(0, DATA, len(DATA)), CRC)
    return measure(ask, three(lib.measured_crc32, 0, DATA, len(DATA)))


def callback(ask):
    check(lib.measured_each(CALLBACKS, lib.visit, ffi.NULL), EACH)
    return measure(ask, three(lib.measured_each, CALLBACKS, lib.visit, ffi.NULL), each=CALLBACKS)


if __name__ == "__main__":
    serve(about, {"add": add, "crc32.1k": crc32, "callback": callback})
