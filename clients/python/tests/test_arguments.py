"""What a call makes of what Python passes: numbers at their limits, texts, data, and everything wrong."""

from __future__ import annotations

import array
import inspect
import subprocess
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

import hotcell


class Index:
    """Something that is an integer for who asks."""

    def __index__(self) -> int:
        return 7


class Text(str):
    """A text of a class of its own."""


class Data(bytes):
    """Data of a class of its own."""


def test_numbers_say_what_they_hold(grid: Any) -> None:
    with pytest.raises(OverflowError, match=r"grid_i8\(\)|i8\(\).*`value` \(int8_t\) is 128; it holds -128 to 127"):
        grid.i8(128)
    with pytest.raises(OverflowError, match="holds 0 to 18446744073709551615"):
        grid.u64(-1)
    with pytest.raises(OverflowError, match="very big number"):
        grid.i64(10**5000)
    with pytest.raises(TypeError, match="takes an integer, not float"):
        grid.i32(1.0)
    with pytest.raises(TypeError, match="takes an integer, not NoneType"):
        grid.i32(None)
    with pytest.raises(TypeError, match="takes a number, not str"):
        grid.f64("1")


def test_what_is_a_number_in_python_is_one_here(grid: Any) -> None:
    assert grid.i32(True) == 1
    assert grid.i32(Index()) == 7
    assert grid.i32(np.int64(5)) == 5
    assert grid.f64(np.float32(0.5)) == 0.5
    assert grid.f64(3) == 3.0
    assert grid.bool(True) is True
    assert grid.bool(0) is False
    with pytest.raises(OverflowError, match="holds 0 to 1"):
        grid.bool(2)


def test_an_error_of_index_comes_out_as_itself(grid: Any) -> None:
    class Bad:
        def __index__(self) -> int:
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        grid.i32(Bad())
    assert grid.i32(1) == 1


def test_texts(grid: Any) -> None:
    assert grid.length(Text("abc")) == 3
    assert grid.length(b"abc") == 3
    with pytest.raises(UnicodeEncodeError):
        grid.length("\ud800")
    with pytest.raises(ValueError, match="no UTF-8"):
        grid.length(b"\xff")
    with pytest.raises(TypeError, match="takes a str, not int"):
        grid.length(1)
    with pytest.raises(hotcell.InvalidArgument, match="NUL at byte 1"):
        grid.length("a\0b")
    with pytest.raises(ValueError, match="NUL"):  # Python's own class catches it, too
        grid.length("a\0b")
    with pytest.raises(TypeError, match="must not be None"):
        grid.length(None)
    assert grid.raw("ü") == "ü".encode()
    with pytest.raises(hotcell.BadEncoding):
        grid.latin("♥")


NULLS = """
struct pair { int a, b; };
static inline int letter(const char *text) { return text[0]; }
/** Returns the first letter.
 *  @param text a text, or NULL */
static inline int letter_or(const char *text) { return text ? text[0] : -1; }
static inline unsigned sum(const unsigned char *data, unsigned long data_len) { return data_len ? data[0] : 0; }
static inline int first(const struct pair *of) { return of->a; }
"""


def test_a_header_does_not_say_that_null_may_be_passed(tmp_path: Path) -> None:
    (tmp_path / "nulls.h").write_text(NULLS)
    with hotcell.load(tmp_path / "nulls.h", lib="c") as library:
        line = r'`nullable = \["letter.text"\]`'
        for call in [library.letter, lambda text: library.letter.map([text])]:
            with pytest.raises(TypeError, match=rf"letter\(\): `text` \(const char \*\) must not be None: .*{line}"):
                call(None)
        with pytest.raises(TypeError, match=r"must not be None: .*sum.data"):
            library.sum(None)
        assert library.letter_or(None) == -1 and library.letter("a") == ord("a")
        assert library.generation == 1
    lines = 'params.of = { in = "struct" }'
    head = 'hotcell = 1\nlibrary = "nulls"\nheaders = ["nulls.h"]\nlink = ["c"]\n'
    (tmp_path / "bind.toml").write_text(f'{head}nullable = ["sum.data"]\n[function.first]\n{lines}\n')
    with hotcell.load(tmp_path / "bind.toml") as library:
        # As the line says it.
        assert library.sum(None) == 0
        with pytest.raises(TypeError, match=r"must not be None: .*first.of"):
            library.first(None)
        with pytest.raises(TypeError, match=r"must not be None: .*letter.text"):
            library.letter(None)
        assert library.generation == 1


def test_data_of_every_kind(grid: Any) -> None:
    wanted = grid.checksum(b"\x01\x02\x03")
    for data in [
        Data(b"\x01\x02\x03"),
        bytearray(b"\x01\x02\x03"),
        memoryview(b"\x00\x01\x02\x03")[1:],
        array.array("B", [1, 2, 3]),
        np.array([1, 2, 3], dtype=np.uint8),
    ]:
        assert grid.checksum(data) == wanted
    assert grid.checksum(b"") == grid.checksum(np.array([], dtype=np.uint8)) == 17
    with pytest.raises(ValueError, match="without gaps"):
        grid.checksum(np.arange(6, dtype=np.uint8)[::2])
    for wrong in [3, "abc", [1, 2], None]:
        with pytest.raises(TypeError):
            grid.checksum(wrong)


def test_numbers_in_buffers_are_those_that_c_has(grid: Any) -> None:
    assert grid.total([1, 2, -5]) == -2
    assert grid.total((1, 2)) == 3
    assert grid.total(np.array([1, 2], dtype=np.int32)) == 3
    assert grid.total(array.array("i", [4, 5])) == 9
    assert grid.total(range(4)) == 6
    with pytest.raises(TypeError, match="takes elements of format `i` and 4 bytes, not `[lq]` and 8"):
        grid.total(np.array([1, 2], dtype=np.int64))
    with pytest.raises(TypeError, match="not `I`"):
        grid.total(np.array([1, 2], dtype=np.uint32))
    with pytest.raises(TypeError):
        grid.total(np.array([1, 2], dtype=">i4"))
    with pytest.raises(OverflowError, match="element 1"):
        grid.total([1, 2**31])
    assert grid.mean(np.array([1.0, 2.0])) == 1.5


def test_results(grid: Any) -> None:
    assert grid.divide(-7, 2) == (-3, -1)
    assert grid.nothing() is None
    ramp = grid.ramp(3)
    assert ramp == array.array("i", [-1, 2, 5])
    assert np.asarray(ramp).dtype == np.int32
    assert grid.reverse(b"abc") == b"cba"
    assert grid.name(3) is None


def test_memory_to_fill(grid: Any) -> None:
    room = bytearray(b"-" * 8)
    assert grid.fill(room, 3) == 3
    assert room == b"xxx-----"
    numbers = np.zeros(4, dtype=np.int32)
    assert grid.ramp(numbers) == 4
    assert numbers.tolist() == [-1, 2, 5, 8]
    with pytest.raises(TypeError, match="cannot be written"):
        grid.fill(b"12345678", 3)
    with pytest.raises(TypeError):
        grid.ramp(np.zeros(4, dtype=np.int64))
    with pytest.raises(hotcell.LimitExceeded):
        grid.fill(2**60, 1)
    with pytest.raises(OverflowError):
        grid.fill(-1, 1)


def test_arguments_by_name_and_their_number(grid: Any) -> None:
    assert grid.add(a=1, b=2) == grid.add(1, b=2) == grid.add(b=2, a=1) == 3
    with pytest.raises(TypeError, match=r"add\(\) misses b"):
        grid.add(1)
    with pytest.raises(TypeError, match=r"has no parameter `c`; it has a, b$"):
        grid.add(1, 2, c=3)
    with pytest.raises(TypeError, match="got `a` twice"):
        grid.add(1, a=1)
    with pytest.raises(TypeError, match="takes 2 arguments, 3 given"):
        grid.add(1, 2, 3)
    assert grid.add(*(1, 2)) == grid.add(**{"a": 1, "b": 2}) == 3
    assert list(inspect.signature(grid.add).parameters) == ["a", "b"]
    assert "grid_add" in grid.add.__doc__
    assert grid.grid_add is not None and grid.grid_add(1, 2) == 3


def test_names_that_are_not_there_say_why(grid: Any) -> None:
    with pytest.raises(AttributeError, match="grid has no function, class or constant `nope`"):
        grid.nope
    with pytest.raises(AttributeError, match="is a method"):
        grid.grid_box_sum


def test_what_is_compared_with_direct_calls() -> None:
    with hotcell.load("zlib.h", lib="z") as z:
        data = bytes(range(256)) * 400
        assert z.crc32(0, data) == zlib.crc32(data)
        assert z.adler32(1, data) == zlib.adler32(data)
        # Of a header alone it is not known that 0 means success: it is a result.
        status, packed = z.compress(z.compress_bound(len(data)), data)
        assert status == 0 and zlib.decompress(packed) == data
        assert z.uncompress(len(data), zlib.compress(data)) == (0, data)
        with z.within(5) as other:
            assert other.crc32(0, data) == zlib.crc32(data)


def test_a_buffer_of_the_session_is_read_where_it_lies(grid: Any) -> None:
    buffer = grid.buffer(1 << 20)
    view = np.frombuffer(buffer, dtype=np.uint8)
    view[:] = 7
    assert grid.checksum(view) == grid.checksum(bytes([7]) * (1 << 20))
    view[5] = 9
    assert grid.checksum(buffer) == grid.checksum(bytes(view))
    assert grid.checksum(view[16:4096]) == grid.checksum(bytes(view[16:4096]))
    assert len(buffer) == 1 << 20
    for bytes_, said in [(-1, "is -1, which is no number of bytes"), (1 << 64, f"is {1 << 64}, which is no")]:
        with pytest.raises(OverflowError, match=said):
            grid.buffer(bytes_)
    with pytest.raises(TypeError, match="^buffer\\(\\): `bytes` takes a number of bytes, not str$"):
        grid.buffer("1")
    with pytest.raises(hotcell.LimitExceeded):
        grid.buffer(1 << 62)


def test_columns_of_numbers_of_every_size(grid: Any) -> None:
    rows = 3_000  # more than are sent together
    for name, dtype in [("u8", np.uint8), ("i16", np.int16), ("u32", np.uint32), ("i64", np.int64), ("f32", np.float32), ("f64", np.float64)]:
        function = getattr(grid, name)
        column = (np.arange(rows) % 127).astype(dtype)
        of_array, of_list = function.map(column), function.map(column.tolist())
        assert np.asarray(of_array).dtype == dtype
        assert of_array.tolist() == of_list.tolist() == [function(number) for number in column.tolist()]
    column = np.arange(rows, dtype=np.int32)
    for first, second in [(column, column), (column, column.tolist()), (tuple(column.tolist()), column), (7, column), (column, 7)]:
        sums = np.asarray(grid.add.map(first, second))
        assert (sums == np.asarray(first) + np.asarray(second)).all()
    assert grid.add.map(a=column[::2], b=1).tolist() == (column[::2] + 1).tolist()
    assert grid.bool.map([True, False, True]) == [True, False, True]


def test_columns(grid: Any) -> None:
    assert grid.checksum.map([b"a", b"bc", b""]).tolist() == [grid.checksum(x) for x in (b"a", b"bc", b"")]
    column = np.arange(20_000, dtype=np.int32)
    sums = np.asarray(grid.add.map(column, 5))
    assert (sums == column + 5).all()
    assert grid.name.map([1, 2, 3]) == ["first", "zwei é", None]
    assert grid.divide.map([7, 8], 3) == [(2, 1), (2, 2)]
    assert grid.add.map([], 1).tolist() == []
    with pytest.raises(ValueError, match="`a` has 1 rows, `b` has 2"):
        grid.add.map([1], [1, 2])
    with pytest.raises(TypeError, match="takes a list or an array"):
        grid.add.map(1, 2)
    with pytest.raises(OverflowError):
        grid.add.map([1, 2**40], 1)
    with pytest.raises(hotcell.LibraryError) as raised:
        grid.check.map([0, 0, 3])
    assert raised.value.symbol == "GRID_BUSY"
    assert raised.value.__notes__ == ["in row 2 of map()"]
    with pytest.raises(hotcell.Crashed):
        grid.crash.map() if False else grid.abort()
    assert grid.add.map([1], 1).tolist() == [2]


def test_names_that_may_be_meant_are_told(grid: Any, load_grid: Any) -> None:
    box = grid.box_new(3)
    wrongs: list[tuple[Callable[[], Any], str]] = [
        (lambda: grid.uper, "grid has no function, class or constant `uper`; is it `upper`"),
        (lambda: grid.LIMITT, "grid has no function, class or constant `LIMITT`; is it `LIMIT`"),
        (lambda: grid.GRID_LIMITT, "is it `GRID_LIMIT`"),
        (lambda: grid.GridBocks, "is it `GridBox`"),
        (lambda: grid.grid_box_sum, "`grid_box_sum` is a method: call .sum(…) of a GridBox"),
        (lambda: box.sun, "GridBox has no function `sun`; is it `sum`"),
        (lambda: box.add, "`grid_add` is a function of the library: library.add(…)"),
        (lambda: box.watch_all, "GridBox has no function `watch_all`"),
        (lambda: grid.type("Bocks"), "grid has no type `Bocks`; it has GridBox, Counter, Item, Point"),
        (lambda: getattr(grid, "\ud800"), "has no function"),
        (lambda: getattr(box, "\ud800"), "has no function"),
        (lambda: getattr(grid.add, "\ud800"), "no attribute"),
    ]
    for wrong, expect in wrongs:
        with pytest.raises(AttributeError) as raised:
            wrong()
        assert expect in str(raised.value)
    assert not hasattr(box, "__array__") and not hasattr(box, "nothing")
    box.release()
    with pytest.raises(AttributeError, match="'GridBox' object has no attribute 'sun'"):
        box.sun  # noqa: B018
    with pytest.raises(TypeError, match="there is no option `dedline`; is it `deadline`"):
        load_grid(dedline=3)
    with pytest.raises(TypeError, match="there is no option `include_dir`; is it `include_dirs`[?]; there are include_dirs, "):
        hotcell.load("zlib.h", lib="z", include_dir=["/usr/include"])
    for name in hotcell.Options.__annotations__:
        with pytest.raises((TypeError, ValueError), match=f"`{name}`"):
            load_grid(**{name: object()})


HEADER = """
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#define XY_SIZE 1
#define XY_XY_SIZE 2
#define XY_OTHER 3
struct xy_thing;
struct xy_thing *xy_thing_new(void);
void xy_thing_free(struct xy_thing *thing);
static inline int xy_number(void) { return 1; }
static inline int xy_xy_number(void) { return 2; }
static inline int xy_easy_perform(struct xy_thing *thing) { return thing != 0; }
static inline int xy_easy_reset(struct xy_thing *thing) { return thing != 0; }
static inline int xy_easy_add(int first, ...) { return first; }
static inline int xy_multi_mul(int first, ...) { return first; }
static inline int xy_share_mul(int first, ...) { return first; }
static inline int xy_walk_onward_8(int first, ...) { return first; }
static inline int xy_opened(const char *path) { return open(path, O_RDONLY); }
static inline int xy_socket(int family) { return socket(family, SOCK_STREAM, 0); }
static inline int xy_fork(void) { return (int)fork(); }
"""


@pytest.fixture(scope="module")
def xy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A library whose header says it all, but that one object may be NULL: what takes that is no method."""
    folder = tmp_path_factory.mktemp("xy")
    (folder / "xy.h").write_text(HEADER)
    source = "struct xy_thing { int x; } it; struct xy_thing *xy_thing_new(void) { return &it; } void xy_thing_free(struct xy_thing *t) { t->x++; }"
    (folder / "xy.c").write_text(source)
    made = folder / "libxy.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-Wl,-soname,libxy.so", "-o", str(made), str(folder / "xy.c")], check=True)
    head = f'hotcell = 1\nlibrary = "xy"\nheaders = ["xy.h"]\nlink = ["{made}"]\n'
    (folder / "bind.toml").write_text(f'{head}nullable = ["xy_easy_perform.thing"]\n')
    with hotcell.load(folder / "bind.toml") as library:
        yield library


def test_a_name_in_c_is_nothing_else(xy: Any) -> None:
    """Without what all names start with, `XY_XY_SIZE` would be `XY_SIZE`, which is another."""
    assert (xy.XY_SIZE, xy.SIZE, xy.XY_XY_SIZE, xy.OTHER) == (1, 1, 2, 3)
    assert (xy.xy_number(), xy.number(), xy.xy_xy_number()) == (1, 1, 2)


def test_what_is_left_out_or_elsewhere_is_told_by_the_end_of_its_name(xy: Any) -> None:
    thing = xy.thing_new()
    wrongs: list[tuple[Callable[[], Any], str]] = [
        (lambda: xy.easy_add, "`xy_easy_add` cannot be called: it takes a variable number of arguments"),
        (lambda: xy.add, "`xy_easy_add` cannot be called"),
        (lambda: xy.mul, "`xy_multi_mul`, `xy_share_mul` cannot be called: ask for one by that name, to be told why"),
        (lambda: xy.walk_onward, "xy has no function, class or constant `walk_onward`; is it `xy_walk_onward_8`?"),
        (lambda: xy.xy_walk_onward_8, "`xy_walk_onward_8` cannot be called: it takes a variable number of arguments"),
        (lambda: thing.perform, "`xy_easy_perform` is a function of the library: library.easy_perform(…)"),
        (lambda: thing.reset, "or `easy_reset`"),
        (lambda: xy.xy_easy_reset, "`xy_easy_reset` is a method: call .easy_reset(…) of a Thing"),
    ]
    for wrong, expect in wrongs:
        with pytest.raises(AttributeError) as raised:
            wrong()
        assert expect in str(raised.value)
    assert thing.easy_reset() == 1 and (xy.easy_perform(thing), xy.easy_perform(None)) == (1, 0)


def test_a_denied_call_says_what_would_allow_it(xy: Any) -> None:
    denied = r"the sandbox denied openat\(\"/etc/hosts\"\); "
    with pytest.raises(hotcell.SandboxDenied, match=denied) as raised:
        xy.opened("/etc/hosts")
    said = str(raised.value)
    assert said.endswith('; sandbox={"profile": "files", "read": ["/etc/hosts"]} would allow it, or `refuse` with this path where it is missing')
    assert raised.value.cause is not None
    sandbox = raised.value.cause["remedy"]
    assert sandbox == {"profile": "files", "read": ["/etc/hosts"]}
    with xy.open(sandbox=sandbox) as other:
        assert other.opened("/etc/hosts") >= 0
    with pytest.raises(hotcell.SandboxDenied, match=r'; sandbox=\{"profile": "network", "connect": \[PORT\]\} would allow it'):
        xy.socket(2)
    with pytest.raises(hotcell.SandboxDenied, match="; no profile allows that$"):
        xy.fork()
    line = "socket(arg0 == 1 && arg1 == 1 && arg2 == 0)"
    with xy.open(sandbox={"profile": "files", "read": ["/etc/hosts"], "write_xor_execute": True}) as other:
        with pytest.raises(hotcell.SandboxDenied) as raised:
            other.socket(1)
        allowed = f'"read": ["/etc/hosts"], "allow": ["{line}"], "write_xor_execute": True'
        assert f'sandbox={{"profile": "custom", {allowed}}} would allow it' in str(raised.value)
        assert raised.value.cause is not None
        with other.open(sandbox=raised.value.cause["remedy"]) as third:
            assert third.socket(1) >= 0


def test_functions_that_are_no_methods_stay_so(grid: Any) -> None:
    box = grid.box_new(3)
    box.put(4)

    class Own:
        add = grid.add
        sum = box.sum

    assert Own().add(1, 2) == 3 and Own.add(1, 2) == 3
    assert Own().sum() == Own.sum() == 4
    assert type(box).sum(box) == 4


def test_what_cannot_be_changed_in_place_is_not_passed(grid: Any) -> None:
    point = {"x": 1, "y": 2}
    with pytest.raises(TypeError, match="it is changed in place, and cannot be"):
        grid.grid_move(MappingProxyType(point), 1)
    grid.grid_move(point, 1)
    assert point != {"x": 1, "y": 2}


def test_what_is_passed_to_callbacks_is_told(grid: Any) -> None:
    lines = grid.each.__doc__.splitlines()
    assert lines[-3:] == ["The library calls visit(value), which gives a number.", "", f"C: {lines[-1][3:]}"]
    assert "(*visit)(" in lines[-1]


def test_what_is_left_out_says_the_lines_that_decide_it(tmp_path: Path) -> None:
    lines = "struct node { struct node *next; int value; };\nstatic inline int value_of(struct node *of) { return of->value; }\n"
    (tmp_path / "nodes.h").write_text(lines + "static inline int one(int number) { return number; }\n")
    with hotcell.load(tmp_path / "nodes.h", lib="c") as library, pytest.raises(AttributeError) as raised:
        library.value_of  # noqa: B018
    said = str(raised.value)
    assert "`value_of` cannot be called: " in said
    fields = "# when its fields go with every call (`zero` hides one: NULL goes in, and nothing comes out):\n[struct.node]\nfields.next = "
    assert f". A contract decides it:\n{fields}" in said
    assert "handle.node" not in said, "nothing gives callers one"


def test_a_method_that_is_left_out_says_so_where_another_has_a_like_name(tmp_path: Path) -> None:
    declared = ["P make(void);", "int XY_Reset(P p);", "int XY_Parse(P p, void *what);", "void XY_Free(P p);", "int XY_Open(int a);"]
    (tmp_path / "xy.h").write_text("typedef struct P_ *P;\n" + "\n".join(declared).replace("make", "XY_Make"))
    functions = "struct P_ { int n; } it;\nP XY_Make(void) { return &it; }\nint XY_Reset(P p) { return p->n; }\n"
    functions += "int XY_Parse(P p, void *what) { return what == p; }\nvoid XY_Free(P p) { (void)p; }\nint XY_Open(int a) { return a; }\n"
    (tmp_path / "xy.c").write_text('#include "xy.h"\n' + functions)
    library = tmp_path / "libxy.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-Wl,-soname,libxy.so", "-o", library, tmp_path / "xy.c"], check=True)
    lines = ['hotcell = 1', 'library = "xy"', 'headers = ["xy.h"]', f'link = ["{library}"]', '[handle]', 'P_ = { release = "XY_Free", made_by = ["XY_Make"] }']
    (tmp_path / "bind.toml").write_text("\n".join(lines))
    with hotcell.load(tmp_path / "bind.toml") as xy, xy.make() as made:
        assert made.reset() == 0
        with pytest.raises(AttributeError, match="`XY_Parse` cannot be called: "):
            made.parse  # noqa: B018
        with pytest.raises(AttributeError, match="has no function `rese`; is it `reset`"):
            made.rese  # noqa: B018
        # A session has such a function of its own.
        with pytest.raises(TypeError, match=r"begins another session, .*; `XY_Open` is a function of the library: library\.\w+\("):
            xy.open(1)
        with pytest.raises(AttributeError, match="`XY_Open` is a function of the library"):
            xy.open_  # noqa: B018
