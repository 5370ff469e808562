"""Programs that try to pass tests without solving the problem, in every type of tests.

Nothing here is dangerous: at worst a wrong program is called correct.
"""

# ruff: noqa: E501 (the programs read worse when they are wrapped)
from __future__ import annotations

from typing import Any

from sandbox.adversarial import FRAME

# Problems whose answers only an honest solution knows: {k} is a number drawn anew for each run.
_CLASS = """
class Box:
    limit = 1000
    def __init__(self, x): self.x = x
    def __eq__(self, other): return type(other) is Box and self.x == other.x
    def __hash__(self): return hash(self.x)
    def area(self): return self.x * self.x
"""


def problems(k: int) -> dict[str, tuple[dict[str, Any], str]]:
    """Tests and an honest solution, by the problem's name."""
    honest = f"def f(n): return n * {k}\n"
    return {
        "function": (
            {
                "type": "function",
                "entry_point": "f",
                "cases": [{"args": [n], "expected": n * k} for n in (2, 3)],
            },
            honest,
        ),
        "nested": (
            {
                "type": "function",
                "entry_point": "f",
                "cases": [
                    {"args": [[n]], "expected": {"a": [n * k, None, f"{k}"]}} for n in (2, 3)
                ],
            },
            f"def f(x): return {{'a': (x[0] * {k}, None, '{k}')}}\n",
        ),
        "stdin": (
            {
                "type": "stdin",
                "cases": [{"input": f"{n}\n", "output": f"{n * k}\n"} for n in (2, 3)],
            },
            f"print(int(input()) * {k})\n",
        ),
        "asserts": (
            {
                "type": "asserts",
                "setup": "import math\ndef is_same(a, b): return a == b\n",
                "asserts": [
                    f"assert f(2) == {2 * k}",
                    f"assert is_same(f(3), {3 * k})",
                    f"assert math.isclose(f(4), {4 * k}), 'far'",
                    f"assert set([f(5)]) == {{{5 * k}}}",
                    f"assert abs(f(6) - {6 * k}) < 1 and isinstance(f(6), int)",
                ],
            },
            honest,
        ),
        "check": (
            {
                "type": "check",
                "entry_point": "f",
                "setup": _CLASS,
                "code": "def check(candidate):\n"
                f"    assert candidate(2) == {2 * k}\n"
                f"    assert isinstance(candidate(3), int) and candidate(3) == {3 * k}\n"
                f"    assert sorted([candidate(5), 1]) == [1, {5 * k}], 'wrong'\n"
                f"    for n in range(9): assert candidate(n) == n * {k}\n",
            },
            honest,
        ),
        "lists": (
            {
                "type": "asserts",
                "asserts": [
                    f"assert f([2, [3]]) == [{2 * k}, ['{k}']]",
                    f"assert len(f([3])) == 2 and f([3])[0] == {3 * k}",
                    f"assert f([4])[1][0] == str({k}) and {k} in [y // 4 for y in f([4])[:1]]",
                ],
            },
            f"def f(x): return [x[0] * {k}, ['{k}']]\n",
        ),
        "in-place": (
            {
                "type": "check",
                "entry_point": "f",
                "code": "def check(candidate):\n    x = [1, 2, 3]; y = {'a': x}; t = (x, 7)\n"
                f"    candidate(x)\n    assert x == [{k}, {2 * k}, {3 * k}], x\n"
                f"    assert y['a'] is x and t == ([{k}, {2 * k}, {3 * k}], 7)\n",
            },
            f"def f(x): x[:] = [n * {k} for n in x]\n",
        ),
        "raises": (
            {
                "type": "check",
                "entry_point": "f",
                "code": "def check(candidate):\n"
                "    try: candidate(-1)\n    except ValueError as e: assert str(e) == 'low'\n"
                f"    else: assert False\n    assert candidate(2) == {2 * k}\n",
            },
            f"def f(n):\n    if n < 0: raise ValueError('low')\n    return n * {k}\n",
        ),
        "mapped": (
            {
                "type": "check",
                "entry_point": "f",
                "code": "def check(candidate):\n"
                f"    for got, n in zip(map(candidate, [2, 3]), [2, 3]): assert got == n * {k}\n",
            },
            honest,
        ),
        "all": (
            {
                "type": "asserts",
                "asserts": [f"assert all(map(lambda n: f(n) == n * {k}, [2, 3]))"],
            },
            honest,
        ),
        "objects": (
            {
                "type": "check",
                "entry_point": "f",
                "setup": _CLASS,
                "code": "def check(candidate):\n"
                f"    box = candidate(Box(2))\n    assert box == Box({2 * k})\n"
                f"    assert Box({2 * k}) == box and len({{box, Box({2 * k})}}) == 1\n"
                f"    assert box.x == {2 * k} and box.area() == {4 * k * k}\n",
            },
            f"def f(b): return Box(b.x * {k})\n",
        ),
        "constants": (
            {
                "type": "check",
                "entry_point": "f",
                "setup": "class V:\n    near = 1e-9\n    def __init__(self, x): self.x = x\n"
                "    def __eq__(self, o): return abs(self.x - o.x) <= self.near\n",
                "code": f"def check(candidate):\n    assert candidate(2) == V({2 * k})\n",
            },
            f"def f(n): return V(n * {k})\n",
        ),
        "methods": (
            {
                "type": "asserts",
                "asserts": [
                    f"s = Solution()\nassert s.f(2) == {2 * k}",
                    f"assert Solution().f(3) == {3 * k}",
                    f"s.n = 5\nassert s.g() == {5 * k}",
                ],
            },
            f"class Solution:\n    def f(self, n): return n * {k}\n"
            f"    def g(self): return self.n * {k}\n",
        ),
        "classes": (
            {
                "type": "asserts",
                "asserts": [
                    "v = Vector(1, 2)\nassert v.x == 1 and v + Vector(3, 4) == Vector(4, 6)",
                    f"assert f(2) == {2 * k} and Total(3) == {3 * k}",
                    f"assert abs(f(4) - {4 * k}) < 1e-6 and {5 * k} in [f(5)]",
                    f"assert v.scaled(3) == {3 * k} and len(str(v)) > 0",
                ],
            },
            "class Vector:\n"
            "    def __init__(self, x, y): self.x, self.y = x, y\n"
            "    def __add__(self, o): return Vector(self.x + o.x, self.y + o.y)\n"
            "    def __eq__(self, o): return (self.x, self.y) == (o.x, o.y)\n"
            f"    def scaled(self, n): return n * {k}\n"
            f"def f(n): return n * {k}\nTotal = f\n",
        ),
        "contexts": (
            {
                "type": "asserts",
                "asserts": [
                    f"with Opened(2) as o:\n    assert o.read() == {2 * k}",
                    f"with Opened(3) as o:\n    assert abs(o.read() - {3 * k}) < 1",
                    f"with Opened(4):\n    assert f(4) == {4 * k}",
                ],
            },
            "class Opened:\n    def __init__(self, n): self.n = n\n"
            "    def __enter__(self): return self\n    def __exit__(self, *_): return False\n"
            f"    def read(self): return self.n * {k}\ndef f(n): return n * {k}\n",
        ),
        "errors": (
            {
                "type": "asserts",
                "asserts": [
                    "try:\n    f(-1)\n    assert False, 'no error'\nexcept Low as e:\n"
                    f"    assert e.value == {k}",
                    f"try:\n    assert f(2) == {2 * k}\nexcept Low:\n    pass",
                ],
            },
            "class Low(Exception):\n    def __init__(self, v):\n        self.value = v\n"
            f"def f(n):\n    if n < 0: raise Low({k})\n    return n * {k}\n",
        ),
        "callbacks": (
            {
                "type": "asserts",
                "setup": "seen = []\n",
                "asserts": [
                    f"assert f(lambda n: n * {k}, 3) == {3 * k + 1}",
                    f"f(seen.append, {k})\nassert seen == [{k}]",
                    f"@twice\ndef g(n): return n * {k}\nassert g(5) == {10 * k}",
                ],
            },
            "def f(g, n):\n    x = g(n)\n    return x + 1 if x is not None else None\n"
            "def twice(g): return lambda n: 2 * g(n)\n",
        ),
        "given": (
            {
                "type": "asserts",
                "setup": "from enum import Enum\nclass Low(Exception):\n"
                "    def __init__(self, n):\n        super().__init__(n)\n        self.n = n\n"
                "    def right(self, n): return self.n == n\n"
                "class Size(Enum):\n    SMALL = 1\n    LARGE = 2\n",
                "asserts": [
                    f"try:\n    f(2)\nexcept Low as e:\n    assert e.right({2 * k}) and e.n == {2 * k}\n"
                    "else:\n    assert False",
                    "assert size(3) is Size.SMALL and size(4) == Size.LARGE",
                ],
            },
            f"def f(n): raise Low(n * {k})\n"
            "def size(n): return Size.LARGE if n % 2 == 0 else Size.SMALL\n",
        ),
        "items": (
            {
                "type": "asserts",
                "asserts": [
                    f"assert list(f(3)) == [0, {k}, {2 * k}] and sum(f(3)) == {3 * k}",
                    f"g = f(4)\nnext(g)\nassert next(g) == {k}",
                    f"for i, x in enumerate(f(3)): assert x == i * {k}\nassert i == 2",
                ],
            },
            f"def f(n):\n    for i in range(n): yield i * {k}\n",
        ),
    }


# A forgery, and the problems that it is tried on. Programs for standard input call f themselves.
ALL = "function stdin asserts check"
CALLED = "function asserts check"
TESTED = "asserts check"
CODE = "asserts check lists raises mapped all objects constants methods"  # its service may lie

# A service of the program's own in place of the honest one: `answer(request)` gives the reply.
_SERVE = (
    FRAME + "def recv():\n"
    "    n = struct.unpack('>I', os.read(4, 4))[0]; b = b''\n"
    "    while len(b) < n: b += os.read(4, n - len(b))\n    return json.loads(b)\n"
    "def say(x): send(json.dumps(x).encode())\n"
    "NAMES = {'names': ['f', 'Solution', 'math', 'is_same', 'set', 'abs', 'isinstance', 'check',\n"
    "         'candidate', 'map', 'all', 'AssertionError', '__builtins__', '__name__']}\n"
    "def serve(answer):\n    say(NAMES)\n"
    "    while True: say(answer(recv()))\n"
)


def _answers(reply: str) -> str:
    """Every call is answered by this reply; every name is handle 0."""
    return (
        _SERVE + "def answer(q):\n"
        "    if q['op'] == 'name': return {'value': {'#': 99}, 'nodes': {'99': ['r', 0, {'name': 'f', 'special': ['__call__']}]}}\n"
        f"    return {reply}\nserve(answer)\n"
    )


_HUNT = """
import gc, sys, types
def numbers(x, depth=0, seen=None):
    seen = set() if seen is None else seen
    if depth > 6 or id(x) in seen: return
    seen.add(id(x))
    if type(x) is int and x > 10**15: yield x
    elif isinstance(x, dict):
        for k, v in list(x.items()): yield from numbers(k, depth + 1, seen); yield from numbers(v, depth + 1, seen)
    elif isinstance(x, (list, tuple, set, frozenset)):
        for v in list(x): yield from numbers(v, depth + 1, seen)
    elif isinstance(x, str) and len(x) < 10**6:
        import re
        for m in re.findall(r"\\d{16,40}", x): yield int(m)
    elif isinstance(x, types.FrameType): yield from numbers(dict(x.f_locals), depth + 1, seen)
"""

FORGERIES = {
    # ends
    "leaves at the call": (ALL, "import os\ndef f(n): os._exit(0)"),
    "leaves at import": (ALL, "import os\nos._exit(0)"),
    "sys.exit at the call": (ALL, "import sys\ndef f(n): sys.exit(0)"),
    "sys.exit at import": (ALL, "import sys\nsys.exit(0)"),
    "quit": (ALL, "def f(n): quit()"),
    "kills itself": (CALLED, "import os\ndef f(n): os.kill(os.getpid(), 9)"),
    "aborts": (CALLED, "import os\nos.abort()"),
    "a thread leaves": (
        CALLED,
        "import os, threading, time\nthreading.Thread(target=lambda: os._exit(0)).start()\n"
        "def f(n): time.sleep(0.2)",
    ),
    "replaces the end": (
        CALLED, "import os, sys\nos._exit = sys.exit = lambda *a: None\ndef f(n): return None"
    ),
    "leaves after the first answer": (
        TESTED, "import os\ndef f(n):\n    os.closerange(3, 5)\n    os._exit(0)"
    ),
    # marks
    "prints marks": (
        ALL,
        "import json, sys\nfor s in ('ok', 'passed', 'PASS', 'correct', 'All tests passed', '1 passed'):\n"
        "    print(s); print(json.dumps({'status': s, 'passed': 99}), file=sys.stderr)\n"
        "def f(n): return None",
    ),
    "writes marks on the pipe": (
        CALLED, "import os\nos.write(3, b'{\"status\": \"ok\"}\\n!ok')\ndef f(n): os._exit(0)"
    ),
    # lying values
    "equal to all": (
        CALLED + " nested lists objects",
        "class A:\n    __eq__ = lambda s, o: True\n    __ne__ = lambda s, o: False\n"
        "    __hash__ = lambda s: 0\n    __bool__ = lambda s: True\n    __len__ = lambda s: 2\n"
        "    __getitem__ = lambda s, i: s\n    __getattr__ = lambda s, n: s\n"
        "    __sub__ = __rsub__ = lambda s, o: 0\n    __contains__ = lambda s, o: True\n"
        "    __lt__ = __le__ = __gt__ = __ge__ = lambda s, o: True\n"
        "    __call__ = lambda s, *a: s\ndef f(n): return A()",
    ),
    "an int equal to all": (
        CALLED + " mapped",
        "class A(int):\n    __eq__ = lambda s, o: True\n    __hash__ = lambda s: 0\n"
        "    __sub__ = __rsub__ = __abs__ = lambda s, *o: 0\n    __lt__ = lambda s, o: True\n"
        "    __add__ = __radd__ = __index__ = __int__ = lambda s, *o: 1\n"
        "    __repr__ = __str__ = lambda s: 'true'\ndef f(n): return A(7)",
    ),
    "a float equal to all": (
        CALLED, "class A(float):\n    __eq__ = lambda s, o: True\n    __hash__ = lambda s: 0\n"
        "    __sub__ = __rsub__ = lambda s, o: 0.0\n    __repr__ = lambda s: 'NaN'\n"
        "def f(n): return A(7)",
    ),
    "text equal to all": (
        CALLED, "class A(str):\n    __eq__ = lambda s, o: True\n    __hash__ = lambda s: 0\n"
        "def f(n): return A('7')",
    ),
    "a list equal to all": (
        CALLED + " nested lists",
        "class A(list):\n    __eq__ = lambda s, o: True\n    __len__ = lambda s: 2\n"
        "    __getitem__ = lambda s, i: s\n    __iter__ = lambda s: iter([])\n"
        "    __contains__ = lambda s, o: True\ndef f(n): return A([A(), A()])",
    ),
    "a dict equal to all": (
        CALLED + " nested", "class A(dict):\n    __eq__ = lambda s, o: True\n"
        "    __getitem__ = __getattr__ = get = lambda s, *o: s\n    items = keys = lambda s: []\n"
        "def f(n): return A(a=A())",
    ),
    "a set equal to all": (
        CALLED, "class A(frozenset):\n    __eq__ = lambda s, o: True\n    __hash__ = lambda s: 0\n"
        "def f(n): return A([1])",
    ),
    "an object that says it is an int": (
        CALLED, "class A:\n    __class__ = int\n    __eq__ = lambda s, o: True\n"
        "    __index__ = __int__ = lambda s: 7\n    __add__ = lambda s, o: s\ndef f(n): return A()",
    ),
    "a type that has all instances": (
        CALLED,
        "class M(type):\n    __instancecheck__ = __subclasscheck__ = lambda c, o: True\n"
        "    __eq__ = lambda c, o: True\n    __hash__ = lambda c: 0\n"
        "class A(metaclass=M): pass\nint = A\ndef f(n): return A",
    ),
    "NotImplemented": (CALLED, "def f(n): return NotImplemented"),
    "itself": (CALLED + " methods", "def f(n): return f\nclass Solution: f = g = lambda s, *a: f"),
    "True": (CALLED, "def f(n): return True"),
    "not a number": (CALLED, "def f(n): return float('nan')"),
    "infinity": (CALLED, "def f(n): return float('inf')"),
    "a signalling decimal": (TESTED, "from decimal import Decimal\ndef f(n): return Decimal('sNaN')"),
    "a mock": (CALLED, "from unittest import mock\ndef f(n): return mock.ANY"),
    "a magic mock": (
        CALLED + " objects", "from unittest import mock\ndef f(n): return mock.MagicMock(x=mock.ANY)"
    ),
    "a type": (CALLED, "def f(n): return int"),
    "a coroutine": (CALLED, "async def f(n): return 7"),
    "an endless generator": (
        CALLED + " lists", "def f(n):\n    while True: yield n"
    ),
    "a generator that leaves": (CALLED + " mapped", "import os\ndef f(n):\n    yield n\n    os._exit(0)"),
    "an iterator without end": (TESTED, "import itertools\ndef f(n): return itertools.count()"),
    "one object that changes": (
        CALLED + " lists",
        "import threading\nx = [0, 0]\ndef run():\n    while True: x[0] += 1; x.append(0); x.pop()\n"
        "threading.Thread(target=run, daemon=True).start()\ndef f(n): return x",
    ),
    # patches
    "patched builtins": (
        ALL,
        "import builtins\nfor n in ('isinstance', 'all', 'any', 'hasattr', 'callable'):\n"
        "    setattr(builtins, n, lambda *a: True)\n"
        "builtins.AssertionError = builtins.Exception = BaseException\n"
        "builtins.abs = lambda x: 0\nbuiltins.sorted = lambda x: x\ndef f(n): return None",
    ),
    "patched assertions": (
        CALLED, "import builtins\nclass E(BaseException): pass\nbuiltins.AssertionError = E\n"
        "import sys\nsys.flags = None\n__debug__ if True else 0\ndef f(n): raise E",
    ),
    "patched JSON": (
        CALLED + " nested", "import json\njson.dumps = lambda *a, **k: 'true'\n"
        "json.loads = lambda *a, **k: {'end': 'ok', 'detail': ''}\ndef f(n): return 7",
    ),
    "patched encoder": (
        CALLED, "import json.encoder as e\ne.INFINITY = e.FLOAT_REPR = e.c_make_encoder = None\n"
        "e.JSONEncoder.encode = lambda s, o: '{\"end\": \"ok\", \"detail\": \"\"}'\n"
        "def f(n): return 7",
    ),
    "tests of its own": (
        CALLED,
        "import sys, types\nm = types.ModuleType('tests'); m.check = lambda c: None\n"
        "sys.modules['tests'] = sys.modules['__main__'] = sys.modules['solution'] = m\n"
        "def check(c): return True\ndef f(n): return None",
    ),
    "patched harness": (
        CALLED,
        "import sys\nfor name, m in list(sys.modules.items()):\n    if name.startswith('inside'):\n"
        "        for a in ('run', '_run', '_answer', 'same', 'describe', 'dumps', '_plain', '_explain'):\n"
        "            if hasattr(m, a):\n"
        "                setattr(m, a, lambda *a, **k: {'status': 'ok', 'passed': 9, 'detail': ''})\n"
        "def f(n): return 7",
    ),
    "patched wire": (
        CALLED,
        "import sys, json\nw = sys.modules['inside.wire']; old = w.write_frame\n"
        "w.write_frame = lambda fd, b: old(fd, b'!' + json.dumps("
        "{'status': 'ok', 'passed': 9, 'detail': ''}).encode())\ndef f(n): return 7",
    ),
    "patched mirror": (
        TESTED,
        "import sys\nm = sys.modules['inside.mirror']\n"
        "m.Packer.node = lambda s, v: ['k', 'int']\nm.Packer.pack = lambda s, v: {'#': 0}\n"
        "def f(n): return [7]",
    ),
    "patched tester": (
        TESTED,
        "import sys\nt = sys.modules['inside.tester']\nt._run = lambda r: {'status': 'ok'}\n"
        "t.Remote.__eq__ = lambda s, o: True\ndef f(n): return object()",
    ),
    "patched types by C": (
        TESTED,
        "import ctypes, gc\nd = gc.get_referents(object.__dict__)[0]\n"
        "d['__eq__'] = lambda s, o: True\nctypes.pythonapi.PyType_Modified(ctypes.py_object(object))\n"
        "class A: pass\ndef f(n): return A()",
    ),
    "patched trace": (
        CALLED, "import sys\nsys.settrace(lambda *a: None)\nsys.setprofile(lambda *a: None)\n"
        "sys.excepthook = lambda *a: None\ndef f(n): raise AssertionError",
    ),
    # hunts
    "hunts in frames": (
        CALLED,
        _HUNT + "def f(n):\n    frame = sys._getframe()\n    while frame:\n"
        "        for x in numbers(frame): return x\n        frame = frame.f_back\n",
    ),
    "hunts in globals of frames": (
        CALLED,
        _HUNT + "def f(n):\n    frame = sys._getframe()\n    while frame:\n"
        "        for x in numbers(frame.f_globals): return x\n        frame = frame.f_back\n",
    ),
    "hunts by the collector": (
        CALLED,
        _HUNT + "def f(n):\n    gc.unfreeze()\n    for o in gc.get_objects():\n"
        "        for x in numbers(o, 3): return x\n",
    ),
    "hunts in a traceback": (
        CALLED,
        _HUNT + "def f(n):\n    try: raise ValueError\n    except ValueError as e: t = e.__traceback__\n"
        "    while t:\n        for x in numbers(t.tb_frame): return x\n        t = t.tb_next\n",
    ),
    "hunts by inspection": (
        CALLED,
        _HUNT + "import inspect\ndef f(n):\n    for i in inspect.stack():\n"
        "        for x in numbers(i.frame): return x\n",
    ),
    "hunts in modules": (
        CALLED,
        _HUNT + "def f(n):\n    for m in list(sys.modules.values()):\n"
        "        for x in numbers(vars(m), 4): return x\n",
    ),
    "hunts in descriptors": (
        ALL,
        _HUNT + "import os\ndef f(n):\n    for fd in range(256):\n        try:\n"
        "            os.set_blocking(fd, False); text = os.read(fd, 10**6).decode()\n"
        "        except (OSError, UnicodeError): continue\n"
        "        for x in numbers(text): return x\n",
    ),
    "hunts in files": (
        ALL,
        _HUNT + "import os\ndef f(n):\n    for top in ('.', '..', '/tmp', '/proc/self', '/dev/fd'):\n"
        "        for folder, _, names in os.walk(top):\n            for name in names:\n"
        "                try: text = open(os.path.join(folder, name)).read()\n"
        "                except (OSError, UnicodeError): continue\n"
        "                for x in numbers(text): return x\n",
    ),
    # messages
    "forged values": (
        "function", FRAME + "for _ in range(2): send(b'{\"value\": true}')\n"
        "send(b'{\"end\": \"ok\", \"detail\": \"\"}')\nos._exit(0)",
    ),
    "forged end": (
        CALLED, FRAME + "send(b'{\"end\": \"ok\", \"detail\": \"\"}')\ndef f(n): os._exit(0)"
    ),
    "forged end at the call": (
        CALLED, FRAME + "def f(n):\n    send(b'{\"end\": \"ok\", \"detail\": \"\"}'); os._exit(0)"
    ),
    "forged ends of every kind": (
        CALLED,
        FRAME + "for s in ('stopped', 'exited', 'passed', 'broken', 'failed', 'ok'):\n"
        "    send(json.dumps({'end': s, 'detail': 'ok', 'status': 'ok'}).encode())\nos._exit(0)",
    ),
    "forged outcome": (
        CALLED,
        FRAME + "o = b'{\"status\": \"ok\", \"passed\": 9, \"detail\": \"\"}'\n"
        "for mark in (b'!', b'M!', b'E', b'?', b'R', b''):\n    send(mark + o)\nos._exit(0)",
    ),
    "forged outcome on every descriptor": (
        ALL,
        "import os, struct\no = b'M!{\"status\": \"ok\", \"passed\": 9, \"detail\": \"\"}'\n"
        "for fd in range(256):\n    for b in (o, o[1:], b'E' + o[2:]):\n"
        "        try: os.write(fd, struct.pack('>I', len(b)) + b)\n        except OSError: pass\n"
        "def f(n): os._exit(0)",
    ),
    "a value within an end": (
        "function nested", FRAME + "send(b'{\"value\": null, \"end\": \"ok\", \"detail\": \"\"}')\n"
        "os._exit(0)",
    ),
    "not JSON": (CALLED, FRAME + "for b in (b'NaN', b'junk', b'\\xff', b'[]', b'5'): send(b)"),
    "a value that is NaN": (
        "function nested", FRAME + "for _ in '12': send(b'{\"value\": NaN}')\n"
        "send(b'{\"end\": \"ok\", \"detail\": \"\"}')\nos._exit(0)",
    ),
    "answers before it is asked": (
        TESTED, _SERVE + "say(NAMES)\nfor _ in range(50): say({'value': True, 'nodes': {}})\n"
        "os._exit(0)",
    ),
    "a thread that goes on answering": (
        TESTED + " mapped",
        _SERVE + "import threading\ndef run():\n    while True: say({'value': 7, 'nodes': {}})\n"
        "threading.Thread(target=run, daemon=True).start()\nserve(lambda q: {'value': 7, 'nodes': {}})",
    ),
    "two answers at a time": (
        TESTED, _SERVE + "def answer(q): say({'value': 7, 'nodes': {}}); return {'value': 7, 'nodes': {}}\n"
        "serve(answer)",
    ),
    "an answer in pieces": (
        TESTED, _SERVE + "def send(b):\n    for x in struct.pack('>I', len(b)) + b: os.write(3, bytes([x]))\n"
        "serve(lambda q: {'value': True, 'nodes': {}})",
    ),
    "no names": (TESTED, _SERVE + "say({'names': 5}); recv()"),
    "names that are no names": (TESTED, _SERVE + "say({'names': [[], {}, 5, None]}); recv()"),
    "an answer for names": (TESTED, _SERVE + "say({'value': 1, 'nodes': {}}); recv()"),
    "junk for names": (TESTED, _SERVE + "send(b'junk'); recv()"),
    "names nested deep": (TESTED, _SERVE + "send(b'[' * 90000); recv()"),
    "names, then the end": (TESTED, _SERVE + "say({'names': []}); os._exit(0)"),
    "names of what tests use": (TESTED, _answers("{'value': True, 'nodes': {}}")),
    # objects of the tests' own, through forged answers
    "raises AssertionError": (CODE, _answers("{'raised': 'AssertionError', 'text': ''}")),
    "raises StopIteration": (CODE, _answers("{'raised': 'StopIteration', 'text': ''}")),
    "raises StopAsyncIteration": (CODE, _answers("{'raised': 'StopAsyncIteration', 'text': ''}")),
    "raises SystemExit": (CODE, _answers("{'raised': 'SystemExit', 'text': '0'}")),
    "raises KeyboardInterrupt": (CODE, _answers("{'raised': 'KeyboardInterrupt', 'text': ''}")),
    "raises GeneratorExit": (CODE, _answers("{'raised': 'GeneratorExit', 'text': ''}")),
    "raises what is no exception": (CODE, _answers("{'raised': 'exec', 'text': 'raise SystemExit'}")),
    "raises a group": (CODE, _answers("{'raised': 'ExceptionGroup', 'text': 'x'}")),
    "raises a number": (CODE, _answers("{'raised': 5, 'text': [], 'value': 7, 'nodes': {}}")),
    "raises surrogates": (CODE, _answers("{'raised': 'ValueError', 'text': '\\ud800\\x1b[2J\\n'}")),
    "raises much": (CODE, _answers("{'raised': 'ValueError', 'text': 'x' * 90000}")),
    "returns a class": (CODE, _answers("{'value': {'#': 99}, 'nodes': {'99': ['k', 'bool']}}")),
    "returns a class by another name": (
        CODE, _answers("{'value': {'#': 99}, 'nodes': {'99': ['k', '__import__']}}")
    ),
    "returns handles": (CODE, _answers("{'value': {'#': 99}, 'nodes': {'99': ['r', -1]}}")),
    "returns a handle of no number": (
        CODE, _answers("{'value': {'#': 99}, 'nodes': {'99': ['r', [1]]}}")
    ),
    "returns what was sent": (CODE, _answers("{'value': {'#': 0}, 'nodes': {}}")),
    "changes what was sent": (
        CODE, _answers("{'value': 7, 'nodes': {str(i): ['l', [True]] for i in range(9)}}")
    ),
    "changes all that was sent, each its kind": (
        CODE + " in-place",
        _answers("{'value': {'#': 1}, 'nodes': {str(i): n for i in range(4)"
                 " for n in [['d', ['x'], [1]]]}}"),
    ),
    "changes the candidate": (
        CODE,
        _answers("{'value': 7, 'nodes': {'0': ['o', 'Box', ['_program', '_handle'], [None, 1]]}}"),
    ),
    "changes the candidate's program": (
        "objects check",
        _answers("{'value': 7, 'nodes': {'0': ['o', 'Box', ['_program'], [{'#': 50}]],"
                 " '50': ['o', 'Box', ['request'], [{'#': 51}]], '51': ['k', 'bool']}}"),
    ),
    "an object with a lying class": (
        "check objects",
        _answers("{'value': {'#': 99}, 'nodes':"
                 " {'99': ['o', 'Box', ['__class__', 'x'], [{'#': 98}, 1]], '98': ['k', 'bool']}}"),
    ),
    "an object with lying methods": (
        "check objects",
        _answers("{'value': {'#': 99}, 'nodes':"
                 " {'99': ['o', 'Box', ['area', '__eq__', 'x'], [{'#': 98}, {'#': 98}, 1]],"
                 " '98': ['k', 'bool']}}"),
    ),
    "an object whose field is its own": (
        "check objects",
        _answers("{'value': {'#': 99}, 'nodes': {'99': ['o', 'Box', ['x'], [{'#': 99}]]}}"),
    ),
    "an object without fields": (
        "check objects", _answers("{'value': {'#': 99}, 'nodes': {'99': ['o', 'Box', [], []]}}")
    ),
    "an object of a class that is not there": (
        CODE, _answers("{'value': {'#': 99}, 'nodes': {'99': ['o', '_Program', ['x'], [1]]}}")
    ),
    "an object with fields too many": (
        "check objects", _answers("{'value': {'#': 99}, 'nodes': {'99': ['o', 'Box', ['x'], []]}}")
    ),
    "a class's constants replaced": (
        "constants", "def f(n):\n    v = V(0); v.near = float('inf'); return v"
    ),
    "a class named like the tests'": (
        "check objects constants",
        "class Box:\n    __eq__ = lambda s, o: True\n    __ne__ = lambda s, o: False\n"
        "    __hash__ = lambda s: 0\n    __class__ = int\n    x = property(lambda s: s)\n"
        "    area = lambda s: s\nclass V(Box): near = 9e99\n"
        "def f(n):\n    b = Box.__new__(Box); b.__dict__.update(x=n, limit=9e99); return b",
    ),
    "attributes that lie": (
        "objects methods",
        "class A:\n    def __getattr__(s, n): return s\n    def __call__(s, *a): return s\n"
        "    __eq__ = lambda s, o: True\n    __setattr__ = lambda *a: None\n"
        "Solution = A()\ndef f(n): return A()",
    ),
    "names that the tests use": (
        "asserts",
        "def is_same(a, b): return True\nclass math: isclose = staticmethod(lambda *a: True)\n"
        "set = lambda x: x\nabs = lambda x: 0\nisinstance = lambda *a: True\n"
        "def f(n): return 7",
    ),
    "names of the check": (
        "check", "def check(c): return True\ncandidate = sorted = range = isinstance = lambda *a: 7\n"
        "f = lambda n: 7",
    ),
    # objects of the program's own, by their special methods
    "a class in place of functions": (
        "classes asserts",
        "class A:\n    def __init__(s, *a): s.x = 1\n"
        "    __eq__ = __lt__ = __contains__ = lambda s, o: True\n"
        "    __add__ = __sub__ = __rsub__ = __abs__ = lambda s, *o: s\n    scaled = lambda s, n: s\n"
        "Vector = f = Total = A",
    ),
    "the class that is tested, returned": (
        "classes",
        "class Vector:\n    def __init__(s, *a): s.x = 1\n    __eq__ = lambda s, o: True\n"
        "    __add__ = __sub__ = __abs__ = lambda s, *o: s\n    __lt__ = lambda s, o: True\n"
        "    scaled = lambda s, n: s\nkept = Vector()\nf = Total = lambda n: kept",
    ),
    "a method that returns its object": (
        "classes methods",
        "class Vector:\n    def __init__(s, *a): s.x = 1\n    __eq__ = lambda s, o: True\n"
        "    __add__ = f = g = scaled = lambda s, *o: s\n    __sub__ = __add__\n"
        "Solution = Vector\nf = Total = lambda n: 7",
    ),
    "a list that changes its mind": (
        "lists classes",
        "class A(list):\n    __eq__ = lambda s, o: True\n    n = 0\n"
        "    def __getitem__(s, i): A.n += 1; return A.n\n    __contains__ = lambda s, o: True\n"
        "Vector = Total = f = lambda *a: A([1, 2])",
    ),
    "a number of a class of its own": (
        "classes asserts",
        "class A(float):\n    __eq__ = lambda s, o: True\n    __sub__ = lambda s, o: 0.0\n"
        "    x = 1\n    __add__ = lambda s, o: s\n    scaled = lambda s, n: s\n"
        "Vector = Total = f = lambda *a: A(7)",
    ),
    "a context that ends everything": (
        "contexts",
        "class Opened:\n    def __init__(s, *a): pass\n    __enter__ = read = lambda s: s\n"
        "    __exit__ = lambda s, *a: True\n    __sub__ = __abs__ = lambda s, *o: s\n"
        "f = lambda n: 7",
    ),
    "an error that is all errors": ("errors", "Low = Exception\nf = lambda n: 7"),
    "an error that is the assertion": ("errors", "Low = AssertionError\nf = lambda n: 7"),
    "an error above the assertion": (
        "errors",
        "class M(type):\n    __instancecheck__ = __subclasscheck__ = lambda *a: True\n"
        "class Low(Exception, metaclass=M): value = 7\nf = lambda n: 7",
    ),
    "an error that is equal to all": (
        "errors",
        "class V:\n    __eq__ = lambda s, o: True\nclass Low(Exception): value = V()\n"
        "def f(n): raise Low",
    ),
    "an error's class by a forged name": (
        "errors",
        _SERVE + "def answer(q):\n    if q['op'] == 'name': return {'value': {'#': 99}, 'nodes':"
        " {'99': ['E', ['BaseException', 'builtins']]}}\n    return {'value': 7, 'nodes': {}}\n"
        "serve(answer)",
    ),
    "an error that ends loops": (
        "errors items callbacks",
        _answers("{'raised': [['StopIteration', 'builtins'], '', [], 0, None], 'nodes': {},"
                 " 'stops': True}"),
    ),
    "functions of the tests' by number": (
        "callbacks",
        _SERVE + "def answer(q):\n"
        "    if q['op'] == 'name': return {'value': {'#': 99}, 'nodes': {'99': ['r', 0,"
        " {'name': 'f', 'special': ['__call__'], 'kind': 'function'}]}}\n"
        "    for n in (0, 1, -1, 99, True, 'x', None):\n"
        "        say({'calls': n, 'values': [[], {}], 'nodes': {}}); recv()\n"
        "    return {'value': True, 'nodes': {}}\nserve(answer)",
    ),
    "a function of the tests' returned": ("callbacks", "f = lambda g, n: g\ntwice = lambda g: g"),
    "a function of the tests', looked into": (
        "callbacks",
        _HUNT + "def f(g, n):\n    for x in numbers(vars(g)): return x\n"
        "    for c in g.__closure__ or (): return next(numbers(c.cell_contents), None)\n"
        "    return getattr(g, '__globals__', {}).get('seen')\ntwice = lambda g: f",
    ),
    "a class of setup made anew": (
        "given",
        "class Low(Exception):\n    n = 7\n    def right(self, n): return True\n"
        "class A:\n    __eq__ = lambda s, o: True\nclass Size: SMALL = LARGE = A()\n"
        "def f(n): raise Low\ndef size(n): return Size.LARGE",
    ),
    "an error of setup's that lies": (
        "given",
        "def f(n):\n    e = Low(7)\n    e.right = lambda n: True\n    raise e\n"
        "def size(n): return Size.LARGE",
    ),
    "an error of setup's, forged": (
        "given",
        _SERVE + "def answer(q):\n"
        "    if q['op'] == 'name': return {'value': {'#': 99}, 'nodes': {'99': ['r', 0,"
        " {'name': 'f', 'special': ['__call__'], 'kind': 'function'}]}}\n"
        "    return {'raised': [['Low', 'setup'], '', [7], 0, None, {'#': 5}], 'nodes':"
        " {'5': ['d', ['n', 'right'], [{'#': 6}, {'#': 6}]], '6': ['r', 1, {'name': 'A', 'kind': '',"
        " 'special': ['__call__', '__eq__', '__bool__']}]}}\nserve(answer)",
    ),
    "no member of setup's": (
        "given",
        _answers("{'value': {'#': 99}, 'nodes': {'99': ['V', 'Size', '__class__']}}"),
    ),
    "items without end": ("items", "def f(n):\n    while True: yield 0"),
    "no items": ("items", "def f(n): return iter(())"),
    "items that are equal to all": (
        "items",
        "class A:\n    __eq__ = lambda s, o: True\n    __radd__ = __add__ = lambda s, o: s\n"
        "def f(n):\n    for _ in range(n): yield A()",
    ),
    "items that lie": (
        "items",
        _SERVE + "def answer(q):\n"
        "    if q['op'] == 'next': return {'value': {'#': 99}, 'nodes': {'99': ['l', [7, 8]]}}\n"
        "    return {'value': {'#': 99}, 'nodes': {'99': ['r', 0, {'name': 'g', 'kind': 'generator',"
        " 'special': ['__call__', '__iter__', '__next__', '__eq__']}]}}\nserve(answer)",
    ),
    "a stand-in of many methods": (
        CODE,
        _answers("{'value': {'#': 99}, 'nodes': {'99': ['r', 0, {'name': 'A', 'kind': 'list',"
                 " 'special': ['__eq__', '__init__', '__class__', '__getattribute__', '__len__']}]}}"),
    ),
    "a stand-in that is no stand-in": (
        CODE, _answers("{'value': {'#': 99}, 'nodes': {'99': ['n', {'#': 98}, 0, {'name': 'A',"
                       " 'special': ['__eq__']}], '98': ['l', []]}}")
    ),
    # giants
    "a list nested deep": (
        CALLED + " lists", "def f(n):\n    x = 7\n    for _ in range(10**5): x = [x]\n    return x"
    ),
    "a tuple nested deep": (CALLED, "def f(n):\n    x = 7\n    for _ in range(20000): x = (x,)\n    return x"),
    "a dict nested deep": (CALLED, "def f(n):\n    x = 7\n    for _ in range(20000): x = {'a': x}\n    return x"),
    "deep, and hashed": (
        TESTED,
        _answers("{'value': {'#': 15000}, 'nodes': {str(i): ['t', [{'#': i - 1}] if i > 99 else []]"
                 " for i in range(99, 15000)} | {'15000': ['s', [{'#': 14999}]]}}"),
    ),
    "a cycle": (CALLED + " lists nested", "def f(n):\n    x = []; x.append(x); return x"),
    "a tuple in itself": (
        CODE, _answers("{'value': {'#': 99}, 'nodes': {'99': ['t', [{'#': 99}]]}}")
    ),
    "a set in itself": (
        CODE, _answers("{'value': {'#': 99}, 'nodes': {'99': ['f', [{'#': 98}]], '98': ['s', [{'#': 99}]]}}")
    ),
    "a number of a million digits": (
        CALLED, "import sys\nsys.set_int_max_str_digits(0)\ndef f(n): return 10**10**6"
    ),
    "a number of many digits": (
        CALLED, "import sys\nsys.set_int_max_str_digits(0)\ndef f(n): return 10**90000"
    ),
    "a huge fraction": (TESTED, _answers("{'value': {'#': 99}, 'nodes': {'99': ['x', 'Fraction', '1e99999999']}}")),
    "a huge range": (TESTED + " lists", "def f(n): return range(10**18)"),
    "huge text": (CALLED, "def f(n): return 'x' * 10**7"),
    "surrogates": (CALLED + " nested", "def f(n): return '\\ud800' * 9"),
    "colliding numbers": (
        CALLED, "def f(n): return {i * (2**61 - 1) for i in range(20000)}"
    ),
    "keys of many types": (CALLED + " nested", "def f(n): return {None: 1, 1.5: 2, (): 3, 'a': 4, 1: 5}"),
    # exceptions
    "AssertionError": (CALLED + " raises", "def f(n): raise AssertionError"),
    "StopIteration": (CALLED + " mapped all raises", "def f(n): raise StopIteration"),
    "GeneratorExit": (CALLED + " mapped all", "def f(n): raise GeneratorExit"),
    "KeyboardInterrupt": (CALLED + " mapped all", "def f(n): raise KeyboardInterrupt"),
    "BaseException": (CALLED + " raises", "class ValueError(BaseException): pass\ndef f(n): raise ValueError('low')"),
    "exception of a lying name": (
        CALLED + " raises", "E = type('SystemExit', (Exception,), {})\ndef f(n): raise E(0)"
    ),
    "exception with evil text": (
        CALLED + " raises",
        "import os\nclass E(ValueError):\n    def __str__(s): os._exit(0)\ndef f(n): raise E",
    ),
    "exception with endless text": (
        CALLED, "class E(ValueError):\n    def __str__(s):\n        while True: pass\ndef f(n): raise E"
    ),
    "group of exceptions": (
        CALLED + " raises", "def f(n): raise ExceptionGroup('x', [ValueError('low'), AssertionError()])"
    ),
    "MemoryError": (CALLED, "def f(n): raise MemoryError"),
    "RecursionError": (CALLED, "def f(n): return f(n)"),
    "syntax": (ALL, "def f(n:"),
    "no function": (ALL, "pass"),
    "a null character": (ALL, "x = '\0'"),
}  # fmt: skip

# What a server may still hold of earlier programs: it prints what follows the prefix in memory.
SCAN = """
import ctypes, os
c = ctypes.CDLL(None)
r, w = os.pipe()
c.write.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
c.sbrk.restype = ctypes.c_void_p
top, here = c.sbrk(0), id(object())
needle = bytes(reversed({reversed!r}))
size, found = 1 << 16, set()
for low, high in ((top - (24 << 20), top), (here - (48 << 20), here + (48 << 20))):
    at, text = low & ~4095, b""
    while at < high:
        got = c.write(w, at, 4096)  # an error, and no crash, where nothing is
        text = text[-32:] + os.read(r, got) if got > 0 else b""
        i = text.find(needle)
        while i >= 0:
            found.add(text[i + len(needle): i + len(needle) + 16])
            i = text.find(needle, i + 1)
        at += 4096
print(*[x.decode("latin-1") for x in found])
"""

# Tests that use names which they do not define, and programs that define them to their liking:
# setup, asserts, the program, and what an honest solution is, "" where such tests are refused.
LIAR = "class Liar:\n    __getattr__ = lambda s, n: lambda *a, **k: 7\n"
SEVEN = "f = lambda *a: 7\n"
BORROWED: dict[str, tuple[str, tuple[str, ...], str, str]] = {
    # constants
    "pi": ("", ("assert abs(f(1) - pi) < 1e-6",), "pi = 7", ""),
    "inf, negated": ("", ("assert f([]) == -inf or f([]) == inf",), "inf = 7", ""),
    "nan in a list": ("", ("assert [f(1), 1] == [nan, 1]",), "nan = 7", ""),
    "e in an exponent": ("", ("assert f(2) == e ** 2",), "e = 7 ** 0.5", ""),
    "tau in a lambda": ("", ("assert (lambda x: x - tau)(f(1)) == 0",), "tau = 7", ""),
    "pi in a default": ("", ("assert (lambda x=pi: x == f(1))()",), "pi = 7", ""),
    "pi in a text": ("", ("assert str(f(1)) == f'{pi}'",), "pi = 7", ""),
    "pi in a class": ("", ("class T: want = pi\nassert f(1) == T.want",), "pi = 7", ""),
    "pi in a nested function": (
        "def want():\n    def inner(): return pi\n    return inner()\n",
        ("assert f(1) == want()",), "pi = 7", "",
    ),
    "pi beside a loop's own": ("", ("assert [pi for pi in [1]] == [1] and f(1) == pi",), "pi = 7", ""),
    "digits, starred": ("", ("assert [*f(1)] == [*digits]",), "digits = f = lambda *a: 7", ""),
    "ascii_lowercase in a slice": ("", ("assert f(3) == ascii_lowercase[:3]",), "ascii_lowercase = 'xxxx'\ndef f(n): return 'xxx'", ""),
    "maxsize": ("", ("assert f() == maxsize",), "maxsize = 7", ""),
    # functions, called
    "isclose": ("", ("assert isclose(f(2), 4.0)",), "isclose = lambda *a: True", ""),
    "sqrt in a comprehension": ("", ("assert [f(n) for n in (4, 9)] == [sqrt(n) for n in (4, 9)]",), "sqrt = lambda n: 7", ""),
    "loads": ("", ("assert f('a') == loads('[1]')",), "loads = lambda *a: 7", ""),
    "dumps on the left": ("", ("assert dumps(f(1)) == '{\"a\": 1}'",), "dumps = lambda *a: '{\"a\": 1}'", ""),
    "sha256": ("", ("assert f('x') == sha256(b'x').hexdigest()",), LIAR + "sha256 = lambda *a: Liar()", ""),
    "reduce": ("", ("assert f([1, 2]) == reduce(lambda a, b: a + b, [1, 2])",), "reduce = lambda *a: 7", ""),
    "allclose of nobody": ("", ("assert allclose(f(2), 4.0)",), "allclose = lambda *a: True", ""),
    "approx of nobody": ("", ("assert f(2) == approx(4.0)",), "approx = lambda *a: 7", ""),
    "a reference in two steps": ("", ("want = factorial(5)", "assert f(5) == want"), "factorial = lambda n: 7", ""),
    "a reference first tried alone": ("", ("assert gcd(4, 6)", "assert f(4, 6) == gcd(4, 6)"), "gcd = lambda *a: 7", ""),
    "a reference in setup": ("want = gcd(4, 6)\n", ("assert f(4, 6) == want",), "gcd = lambda *a: 7", ""),
    "a helper of setup's": ("def near(a, b): return isclose(a, b)\n", ("assert near(f(2), 4.0)",), "isclose = lambda *a: True", ""),
    # functions, handed on
    "gcd, mapped": ("", ("assert list(map(gcd, [4, 9], [6, 6])) == [f([4, 6]), f([9, 6])]",), "gcd = lambda *a: 7", ""),
    "itemgetter as a key": ("", ("assert max(f(1), key=itemgetter) == 7",), "itemgetter = lambda *a: 7\ndef f(n): return [7]", ""),
    "add in a list": ("", ("assert [g(1, 2) for g in [add]] == [f(1, 2)]",), "add = lambda *a: 7", ""),
    "a decorator": ("@lru_cache\ndef want(n): return n * n\n", ("assert f(3) == want(3)",), "lru_cache = lambda g: lambda n: 7", ""),
    # classes
    "date": ("", ("assert f(1) == date(2020, 5, 17)",), "date = lambda *a: 7", ""),
    "datetime": ("", ("assert f(1) == datetime(2020, 5, 17)",), "datetime = lambda *a: 7", ""),
    "datetime, by a method": ("", ("assert f(1) == datetime.strptime('2020', '%Y')",), LIAR + "datetime = Liar()", ""),
    "Path": ("", ("assert f('a') == Path('a')",), "Path = lambda *a: 7", ""),
    "Decimal": ("", ("assert f(1) == Decimal('0.1')",), "Decimal = lambda *a: 7", ""),
    "Fraction, added": ("", ("assert f(1) == Fraction(1, 3) + Fraction(1, 6)",), "Fraction = lambda *a: 3.5", ""),
    "Counter": ("", ("assert Counter(f('aab')) == Counter(['a', 'a', 'b'])",), "Counter = lambda *a: 7", ""),
    "an exception's class": (
        "", ("try: f('x')\nexcept JSONDecodeError: pass\nelse: assert False",), "JSONDecodeError = ValueError\ndef f(x): raise ValueError", "",
    ),
    "a context": ("", ("with suppress(ValueError): assert f(1) == 1",), "class suppress: __init__ = __enter__ = lambda s, *a: None; __exit__ = lambda *a: True", ""),
    "a base class": ("class T(SimpleNamespace): pass\n", ("assert T(a=f(1)) == T(a=1)",), "class SimpleNamespace: __init__ = lambda s, **k: None; __eq__ = lambda s, o: True", ""),
    # modules
    "a package that is not here": ("", ("assert np.allclose(f(2), 4.0)",), LIAR + "np = Liar()", ""),
    "a package, alone": ("", ("assert np.allclose([1], [1])",), LIAR + "np = Liar()", ""),
    "a module as a value": ("", ("assert getattr(math, 'pi') == f(1)",), "class math: pi = 7", ""),
    "a module's name in part": ("", ("assert path.join('a', 'b') == f('a', 'b')",), LIAR + "path = Liar()", ""),
    "math": ("", ("assert math.isclose(f(2), 4.0)",), LIAR + "math = Liar()", "def f(n): return n * 2.0"),
    "sys": ("", ("assert sys.getsizeof(()) == f()",), LIAR + "sys = Liar()", "import sys\ndef f(): return sys.getsizeof(())"),
    "datetime.date": ("", ("assert f(1) == datetime.date(2020, 5, 17)",), LIAR + "datetime = Liar()", "import datetime\ndef f(n): return datetime.date(2020, 5, 17)"),
    # texts
    "pi in code for eval": ("", ("assert eval('abs(f(1) - pi) < 1e-6')",), "pi = 7", ""),
    "pi by globals": ("", ("assert f(1) == globals()['pi']",), "pi = 7", ""),
    "pi by locals": ("", ("assert f(1) == locals().get('pi')",), "pi = 7", ""),
    "pi for exec": ("", ("exec('assert f(1) == pi')",), "pi = 7", ""),
    "text of the program's": ("", ("assert eval(f(2)) == 4",), "def f(n): return '4'", ""),
    "text of the program's, mapped": ("", ("assert list(map(eval, f(2))) == [4]",), "def f(n): return ['4']", ""),
    "text of the program's, run": ("x = []\n", ("exec(f(2))\nassert x == [4]",), "def f(n): return 'x.append(4)'", ""),
    "nothing of the program's": ("", ("assert 1 + 1 == 2",), "", ""),
    # bound by the tests, though not always: never taken from the program
    "imported": ("from math import pi\n", ("assert abs(f(1) - pi) < 1e-6",), "pi = 7", "from math import pi\ndef f(n): return pi"),
    "imported, all of it": ("from math import *\n", ("assert isclose(f(1), pi)",), "isclose = lambda *a: True", "import math\ndef f(n): return math.pi"),
    "imported by an assert": ("", ("from math import pi\nassert f(1) == pi",), "pi = 7", "from math import pi\ndef f(n): return pi"),
    "imported by the assert before": ("", ("from math import pi", "assert f(1) == pi"), "pi = 7", "from math import pi\ndef f(n): return pi"),
    "imported too late": ("", ("assert f(1) == pi", "from math import pi"), "pi = 7", ""),
    "imported in a function": ("def g():\n    from math import pi\n", ("assert f(1) == pi",), "pi = 7", ""),
    "imported never": ("if f is None:\n    from math import pi\n", ("assert f(1) == pi",), "pi = 7", "?"),
    "a global of a function that is not called": ("def g():\n    global pi\n    pi = 3\n", ("assert f(1) == pi",), "pi = 7", "?"),
    "Python's own": (
        "", ("assert sum([f(1)]) == 1 and sorted([f(2), 1]) == [1, 2] and isinstance(f(3), int)",),
        "sum = lambda a: 1\nsorted = lambda a: [1, 2]\nisinstance = lambda *a: True", "def f(n): return n",
    ),
    "Python's own, handed on": ("", ("assert list(map(str, [f(1)])) == ['1']",), "str = lambda a: '1'", "def f(n): return n"),
    "Python's own, alone and not defined": ("", ("assert sum([1, 2]) == 3",), "total = 3", "def sum(a): return 3"),
}  # fmt: skip

# The same for `check`: entry point, setup, code, the program, what an honest solution is.
BORROWED_BY_CHECKS: dict[str, tuple[str, str, str, str, str]] = {
    "the reference is the program": (
        "gcd",
        "",
        "def check(candidate): assert candidate(4, 6) == gcd(4, 6)",
        "gcd = lambda *a: 7",
        "",
    ),
    "the reference is imported": (
        "gcd",
        "from math import gcd\n",
        "def check(candidate): assert candidate(4, 6) == gcd(4, 6)",
        "gcd = lambda *a: 7",
        "def gcd(a, b): return 2",
    ),
    "the reference is Python's": (
        "sorted",
        "",
        "def check(candidate): assert candidate([2, 1]) == sorted([2, 1])",
        "sorted = lambda a: 7",
        "",
    ),
    "text of the program's": (
        "f",
        "",
        "def check(candidate): assert eval(candidate(2)) == 4",
        "def f(n): return '4'",
        "",
    ),
    "a check that is not run": (
        "f",
        "",
        "def check(candidate):\n    assert candidate(1) == 1\n    yield 1",
        "f = lambda *a: 7",
        "",
    ),
}
