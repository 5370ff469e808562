"""What `asserts` and `check` mean is what Python means, for plain programs of every kind.

Each row is run by Python itself too, in one process, so that it is right.
"""

# ruff: noqa: E501 (a row reads better whole)
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from srpo.sandbox.base import Limits, Sandbox
from srpo.sandbox.mechanisms import available, open_sandbox
from srpo.types import Outcome, Problem, UserError
from srpo.verifiers.code.verifier import CodeVerifier

MECHANISM = "unsafe-subprocess" if available()["sandlock"] else "sandlock"  # programs: our own

# The program, the tests' setup, and the tests.
PLAIN: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "operators": (
        '''
class V:

    def __init__(self, x, y):
        self.x, self.y = (x, y)

    def __add__(self, o):
        return V(self.x + o.x, self.y + o.y)

    def __mul__(self, k):
        return V(self.x * k, self.y * k)
    __rmul__ = __mul__

    def __eq__(self, o):
        return isinstance(o, V) and (self.x, self.y) == (o.x, o.y)

    def __hash__(self):
        return hash((self.x, self.y))

    def __lt__(self, o):
        return self.x < o.x

    def __repr__(self):
        return f'V({self.x}, {self.y})'

    def __bool__(self):
        return self.x != 0

    def __abs__(self):
        return self.x + self.y

    def __getitem__(self, i):
        return (self.x, self.y)[i]

    def __iter__(self):
        return iter((self.x, self.y))

    def __neg__(self):
        return V(-self.x, -self.y)

    def __call__(self, z):
        return z + self.x

    def __contains__(self, z):
        return z in (self.x, self.y)
''',
        "",
        (
            "assert V(1, 2) + V(3, 4) == V(4, 6)",
            "assert 3 * V(1, 2) == V(3, 6) == V(1, 2) * 3",
            "assert len({V(1, 2), V(1, 2)}) == 1",
            "assert str(V(1, 2)) == 'V(1, 2)' and repr([V(1, 2)]) == '[V(1, 2)]' and (f'{V(1, 2)}' == 'V(1, 2)')",
            "assert not V(0, 1) and V(1, 1)",
            "assert abs(V(3, 4)) == 7 and V(3, 4)[1] == 4 and (list(V(3, 4)) == [3, 4])",
            '''
x, y = V(1, 2)
assert (x, y) == (1, 2) and -V(1, 2) == V(-1, -2)
''',
            "assert V(1, 2)(5) == 6 and 2 in V(1, 2) and (9 not in V(1, 2))",
            "assert sorted([V(3, 0), V(1, 0)])[0].x == 1 and max(V(3, 0), V(1, 0)) == V(3, 0)",
            '''
a = V(1, 2)
a += V(1, 1)
assert a == V(2, 3) and a != V(0, 0)
''',
            "assert V(1, 2) < V(2, 0) and V(2, 0) > V(1, 2)",
        ),
    ),
    "context managers": (
        '''
trail = []

class CM:

    def __init__(self):
        self.open = False

    def __enter__(self):
        self.open = True
        return self

    def __exit__(self, t, e, tb):
        self.open = False
        self.seen = t.__name__ if t else None
        return t is ValueError
from contextlib import contextmanager

@contextmanager
def tag(n):
    trail.append('<' + n)
    yield n.upper()
    trail.append('>' + n)
''',
        "",
        (
            '''
with CM() as c:
    assert c.open
assert not c.open and c.seen is None
''',
            '''
with CM() as c:
    raise ValueError('x')
assert c.seen == 'ValueError'
''',
            '''
with tag('b') as x:
    assert x == 'B'
assert trail == ['<b', '>b']
''',
            '''
try:
    with CM() as c:
        raise KeyError('q')
except KeyError:
    ok = True
assert ok
''',
        ),
    ),
    "exceptions": (
        '''
class BankError(Exception):
    pass

class Low(BankError, ValueError):

    def __init__(self, need, have):
        super().__init__(f'need {need}, have {have}')
        self.need = need
        self.have = have

def f(n):
    if n < 0:
        raise Low(n, 5)
    if n == 0:
        raise BankError('zero')
    return n
''',
        "",
        (
            '''
try:
    f(-3)
except Low as e:
    assert e.need == -3 and str(e) == 'need -3, have 5' and (e.args == ('need -3, have 5',))
else:
    assert 0
''',
            '''
try:
    f(-3)
except BankError as e:
    pass
''',
            '''
try:
    f(-3)
except ValueError as e:
    pass
''',
            '''
try:
    f(0)
except Low:
    assert 0
except BankError as e:
    assert str(e) == 'zero' and isinstance(e, BankError) and (not isinstance(e, Low))
''',
            "assert issubclass(Low, BankError) and issubclass(Low, ValueError)",
            '''
def r(exc, g, *a):
    try:
        g(*a)
    except exc as e:
        return e
    assert 0
assert r(Low, f, -1).have == 5
''',
            "assert type(r(Low, f, -1)).__name__ == 'Low'",
            '''
e = Low(1, 2)
assert e.need == 1 and isinstance(e, Exception)
try:
    raise e
except Low as q:
    assert q.have == 2
''',
        ),
    ),
    "data classes and enumerations": (
        '''
from collections import namedtuple
P = namedtuple('P', 'x y')

def f():
    return P(1, 2)
from typing import NamedTuple

class Q(NamedTuple):
    x: int
    y: int = 5

    def norm(self):
        return self.x + self.y

    def __add__(self, o):
        return Q(self.x + o.x, self.y + o.y)
from dataclasses import dataclass, field

@dataclass(order=True, frozen=True)
class D:
    a: int
    b: list = field(default_factory=list)
from enum import IntEnum, Flag, auto

class I(IntEnum):
    ONE = 1

class S(str):

    def shout(self):
        return self.upper()

class F(Flag):
    A = auto()
    B = auto()
''',
        "",
        (
            "assert f() == (1, 2) and f().x == 1 and (f() == P(1, 2)) and (f()._replace(x=9) == (9, 2))",
            "assert isinstance(f(), tuple) and isinstance(f(), P) and (not isinstance((1, 2), P)) and (repr(f()) == 'P(x=1, y=2)')",
            '''
a, b = f()
assert (a, b) == (1, 2) and len(f()) == 2 and (f()[0] == 1) and (f()._asdict() == {'x': 1, 'y': 2})
''',
            "assert Q(1).norm() == 6 and Q(1) + Q(2, 3) == Q(3, 8) and (P._fields == ('x', 'y'))",
            "assert D(1) == D(1, []) and D(1) < D(2) and (str(D(1, [2])) == 'D(a=1, b=[2])')",
            '''
try:
    D(1).a = 3
except AttributeError:
    ok = 1
assert ok
''',
            "assert I.ONE == 1 and I.ONE.name == 'ONE' and (I(1) is not None) and (I.ONE + 1 == 2) and isinstance(I.ONE, int)",
            "assert S('a').shout() == 'A' and S('a') == 'a' and (''.join([S('a')]) == 'a')",
            "assert (F.A | F.B) & F.A == F.A and F.A in F.A | F.B and (not F.A & F.B)",
            "assert {P(1, 2): 1}[1, 2] == 1 and hash(P(1, 2)) == hash((1, 2))",
            "assert sorted([D(2), D(1)])[0].a == 1",
            "from dataclasses import asdict",
        ),
    ),
    "callbacks and decorators": (
        '''
import functools, inspect

def ap(g, *a, **k):
    return g(*a, **k)

def deco(g):

    @functools.wraps(g)
    def w(*a, **k):
        w.calls += 1
        return g(*a, **k)
    w.calls = 0
    return w

def memo(g):
    c = {}

    @functools.wraps(g)
    def w(*a):
        if a not in c:
            c[a] = g(*a)
        return c[a]
    return w

def compose(*fs):
    return functools.reduce(lambda f, g: lambda x: f(g(x)), fs)

def curry(g):
    n = len(inspect.signature(g).parameters)
    n2 = g.__code__.co_argcount
    assert n == n2

    def c(*a):
        return g(*a) if len(a) >= n else lambda *b: c(*a, *b)
    return c

def retry(n):

    def d(g):

        def w(*a):
            for i in range(n):
                try:
                    return g(*a)
                except ValueError as e:
                    last = e
            raise last
        return w
    return d

def gen(g):
    return (g(x) for x in range(3))

def same(g):
    return g
''',
        "import operator",
        (
            "assert ap(lambda x: x * 2, 3) == 6 and ap(max, [1, 4]) == 4 and (ap(operator.add, 1, 2) == 3) and (ap(sorted, [2, 1], key=lambda v: -v) == [2, 1])",
            '''
@deco
def g(x, y=2):
    """doc"""
    return x + y
assert g(1) == 3 and g(1, y=5) == 6 and (g.calls == 2) and (g.__name__ == 'g')
''',
            "assert g.__doc__ in (None, 'doc')",
            '''
n = [0]

@memo
def h(x):
    n[0] += 1
    return x * x
assert [h(2), h(2), h(3)] == [4, 4, 9] and n[0] == 2
''',
            '''
@memo
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
assert fib(30) == 832040
''',
            "assert compose(lambda x: x + 1, lambda x: x * 2)(5) == 11",
            "assert curry(lambda a, b, c: a + b + c)(1)(2)(3) == 6",
            '''
tries = []

@retry(3)
def q(x):
    tries.append(x)
    if len(tries) < 3:
        raise ValueError('no')
    return 'ok'
assert q(1) == 'ok' and len(tries) == 3
''',
            '''
@retry(2)
def z():
    raise ValueError('bad')
try:
    z()
except ValueError as e:
    assert str(e) == 'bad'
else:
    assert 0
''',
            '''
class MyE(ValueError):
    pass

@retry(2)
def z2():
    raise MyE('bad')
try:
    z2()
except MyE as e:
    pass
else:
    assert 0
''',
            "assert list(gen(lambda x: x + 1)) == [1, 2, 3]",
            '''
k = lambda: 1
assert same(k) is k and same(len) is len
''',
        ),
    ),
    "generators": (
        '''
def f():
    i = 0
    while True:
        yield i
        i += 1

def echo():
    r = None
    while True:
        r = (yield r)

def three():
    yield from [1, 2, 3]

class It:

    def __init__(s, n):
        s.n = n
        s.i = 0

    def __iter__(s):
        return s

    def __next__(s):
        if s.i >= s.n:
            raise StopIteration
        s.i += 1
        return s.i

class It2:

    def __iter__(s):
        yield from 'ab'

def bad():
    yield 1
    raise ValueError('mid')

def ret():
    x = (yield 1)
    return x
''',
        "import types, itertools",
        (
            '''
g = f()
assert [next(g) for _ in range(3)] == [0, 1, 2]
''',
            "assert list(itertools.islice(f(), 5)) == [0, 1, 2, 3, 4] and isinstance(f(), types.GeneratorType)",
            '''
e = echo()
next(e)
assert e.send(5) == 5 and e.send(6) == 6
''',
            "assert list(three()) == [1, 2, 3] and sum(three()) == 6 and ([x for x in three()] == [1, 2, 3])",
            '''
g = three()
for _ in range(3):
    next(g)
try:
    next(g)
except StopIteration:
    ok = 1
assert ok and next(g, 9) == 9
''',
            "assert list(It(4)) == [1, 2, 3, 4] and list(It2()) == ['a', 'b'] and (''.join(It2()) == 'ab')",
            '''
b = bad()
assert next(b) == 1
try:
    next(b)
except ValueError:
    ok2 = 1
assert ok2
''',
            '''
r = []
try:
    for x in bad():
        r.append(x)
except ValueError:
    pass
assert r == [1]
''',
            "assert dict(zip('ab', f())) == {'a': 0, 'b': 1} and next(iter(It(1))) == 1 and (2 in three())",
            '''
a, *b = three()
assert a == 1 and b == [2, 3]
''',
            '''
q = ret()
next(q)
try:
    q.send(4)
except StopIteration as s:
    assert s.value == 4
else:
    assert 0
''',
            '''
g = f()
for x in g:
    if x == 3:
        break
assert next(g) == 4
g.close()
''',
            '''
import inspect
assert inspect.isgeneratorfunction(f) and inspect.isgenerator(f())
''',
        ),
    ),
    "coroutines": (
        '''
import asyncio

async def f(x):
    await asyncio.sleep(0.01)
    return x + 1

async def agen():
    for i in range(3):
        await asyncio.sleep(0)
        yield i

class AC:

    async def __aenter__(s):
        s.o = 1
        return s

    async def __aexit__(s, *a):
        s.o = 0

async def acall(cb):
    return await cb(3)

async def boom():
    raise ValueError('x')
''',
        "import asyncio, inspect",
        (
            "assert asyncio.run(f(1)) == 2",
            '''
async def main():
    return await asyncio.gather(f(1), f(2))
assert asyncio.run(main()) == [2, 3]
''',
            '''
async def m2():
    return [x async for x in agen()]
assert asyncio.run(m2()) == [0, 1, 2]
''',
            '''
async def m3():
    async with AC() as a:
        assert a.o == 1
    return a.o
assert asyncio.run(m3()) == 0
''',
            '''
async def cb(x):
    await asyncio.sleep(0)
    return x * 2
assert asyncio.run(acall(cb)) == 6
''',
            "assert inspect.iscoroutinefunction(f)",
            '''
try:
    asyncio.run(boom())
except ValueError:
    ok = 1
assert ok
''',
            '''
async def m4():
    t = asyncio.create_task(f(5))
    return await t
assert asyncio.run(m4()) == 6
''',
        ),
    ),
    "containers and properties": (
        '''
from collections import OrderedDict, Counter, defaultdict

class LRU(OrderedDict):

    def __init__(self, cap):
        super().__init__()
        self.cap = cap

    def get(self, k):
        if k not in self:
            return -1
        self.move_to_end(k)
        return self[k]

    def put(self, k, v):
        self[k] = v
        self.move_to_end(k)
        if len(self) > self.cap:
            self.popitem(last=False)

class Stack(list):

    def push(self, x):
        self.append(x)

    def peek(self):
        return self[-1]

class B:

    def __init__(s, a):
        s.a = a

    def __len__(s):
        return len(s.a)

    def __getitem__(s, i):
        return s.a[i]

    def __setitem__(s, i, v):
        s.a[i] = v

    def __delitem__(s, i):
        del s.a[i]

    def __contains__(s, x):
        return x in s.a

class N:

    def __init__(self):
        self._p = 1

    @property
    def p(self):
        return self._p

    @p.setter
    def p(self, v):
        if v < 0:
            raise ValueError
        self._p = v

    @staticmethod
    def st(a):
        return a

    @classmethod
    def cl(cls):
        return cls()

class Sing:
    _i = None

    def __new__(cls):
        if cls._i is None:
            cls._i = super().__new__(cls)
        return cls._i

def cnt(s):
    return Counter(s)

def mk():
    return Stack([1, 2])
''',
        "import copy",
        (
            '''
c = LRU(2)
c.put(1, 1)
c.put(2, 2)
assert c.get(1) == 1
c.put(3, 3)
assert c.get(2) == -1 and len(c) == 2 and (dict(c) == {1: 1, 3: 3}) and (c == {1: 1, 3: 3})
''',
            '''
s = Stack()
s.push(1)
s.push(2)
assert s.peek() == 2 and s == [1, 2] and (len(s) == 2) and (s[0] == 1) and (list(s) == [1, 2]) and (2 in s) and (s.pop() == 2)
''',
            '''
b = B([1, 2])
assert len(b) == 2 and b[0] == 1 and (1 in b) and (5 not in b) and (list(b) == [1, 2])
b[0] = 7
del b[1]
assert b.a == [7]
''',
            "assert cnt('aab')['z'] == 0 and cnt('aab').most_common(1) == [('a', 2)] and (cnt('aab') == {'a': 2, 'b': 1})",
            '''
n = N()
n.p = 5
assert n.p == 5 and N.st(3) == 3 and (N.cl().p == 1)
try:
    n.p = -1
except ValueError:
    pass
else:
    assert 0
''',
            "assert Sing() is Sing()",
            '''
d = copy.deepcopy(n)
d.p = 9
assert n.p == 5 and hasattr(n, 'p') and (not hasattr(n, 'zz')) and isinstance(n, N) and (type(n).__name__ == 'N')
''',
            "assert mk() == [1, 2] and mk() + [3] == [1, 2, 3] and callable(mk)",
            "assert n.__dict__ == {'_p': 5} and vars(n) == {'_p': 5}",
            "assert bool(B([])) == False and (not B([]))",
        ),
    ),
    "what is not defined": (
        '''
class B:

    def __init__(s, a):
        s.a = a

def f(x):
    return B(x)
''',
        "",
        (
            '''
assert not callable(B([1])) and callable(B)
try:
    B([1])()
except TypeError:
    pass
else:
    assert 0
''',
            '''
try:
    B([1]) + 1
except TypeError:
    pass
else:
    assert 0
''',
            '''
try:
    f(1)[0]
except TypeError:
    pass
else:
    assert 0
''',
        ),
    ),
    "an enumeration beside its member": (
        '''
from enum import Enum

class Color(Enum):
    RED = 1
    B = 2

def f():
    return Color.RED
''',
        "",
        (
            "assert f() == Color.RED and f().value == 1 and (f() is Color(1))",
        ),
    ),
    "a match": (
        '''
import re

def f(s):
    return re.match('a', s)
''',
        "",
        (
            "assert f('a').group() == 'a' and f('a')[0] == 'a' and (f('b') is None)",
        ),
    ),
    "an order against numbers": (
        '''
class Temp:

    def __init__(s, c):
        s.c = c

    def __gt__(s, o):
        return s.c > o
''',
        "",
        (
            "assert Temp(30) > 20 and Temp(30).c == 30",
        ),
    ),
    "fractions": (
        '''
from math import gcd

class Frac:

    def __init__(s, a, b):
        g = gcd(a, b)
        s.num, s.den = (a // g, b // g)

    def __add__(s, o):
        return Frac(s.num * o.den + o.num * s.den, s.den * o.den)

    def __eq__(s, o):
        return s.num == o * s.den if isinstance(o, int) else (s.num, s.den) == (o.num, o.den)

    def __str__(s):
        return f'{s.num}/{s.den}'
''',
        "",
        (
            '''
assert Frac(1, 2) + Frac(1, 2) == 1
assert str(Frac(2, 4)) == '1/2'
assert Frac(1, 2).num == 1
''',
        ),
    ),
    "matrices": (
        '''
class Matrix:

    def __init__(s, r):
        s.rows = r

    def __matmul__(s, o):
        return Matrix([[sum((a * b for a, b in zip(r, c))) for c in zip(*o.rows)] for r in s.rows])

    def __mul__(s, k):
        return Matrix([[x * k for x in r] for r in s.rows])

    def __getitem__(s, ij):
        return s.rows[ij[0]][ij[1]]

    def T(s):
        return Matrix([list(c) for c in zip(*s.rows)])
''',
        "",
        (
            '''
m = Matrix([[1, 2], [3, 4]])
assert (m @ Matrix([[1, 0], [0, 1]])).rows == [[1, 2], [3, 4]]
assert (m * 2).rows[0] == [2, 4]
assert m[0, 1] == 2 and m.T().rows == [[1, 3], [2, 4]]
''',
        ),
    ),
    "abstract classes": (
        '''
from abc import ABC, abstractmethod

class Shape(ABC):

    @abstractmethod
    def area(s):
        ...

class Sq(Shape):

    def __init__(s, a):
        s.a = a

    def area(s):
        return s.a ** 2
''',
        "",
        (
            '''
try:
    Shape()
except TypeError:
    pass
else:
    assert 0
''',
            "assert Sq(2).area() == 4 and issubclass(Sq, Shape) and isinstance(Sq(1), Shape)",
        ),
    ),
    "observers": (
        '''
class Emitter:

    def __init__(s):
        s.h = {}

    def on(s, n, f):
        s.h.setdefault(n, []).append(f)

    def emit(s, n, *a):
        for f in s.h.get(n, []):
            f(*a)
''',
        "",
        (
            '''
got = []
e = Emitter()
e.on('x', got.append)
e.on('x', lambda v: got.append(v * 2))
e.emit('x', 3)
assert got == [3, 6]
''',
        ),
    ),
    "causes": (
        '''
class AppError(Exception):
    pass

def f():
    try:
        {}['a']
    except KeyError as e:
        raise AppError('no') from e
''',
        "",
        (
            '''
try:
    f()
except AppError as e:
    assert isinstance(e.__cause__, KeyError), e.__cause__
else:
    assert 0
''',
        ),
    ),
    "data classes": (
        '''
from dataclasses import dataclass

@dataclass
class P:
    x: int
    y: int = 0
''',
        "from dataclasses import asdict, replace",
        (
            '''
p = P(1, 2)
assert p == P(1, 2) and p.y == 2 and (P(1).y == 0) and (repr(p) == 'P(x=1, y=2)')
''',
            "assert asdict(p) == {'x': 1, 'y': 2}",
        ),
    ),
    "linked lists": (
        '''
class N:

    def __init__(s, v):
        s.v = v
        s.next = None

class L:

    def __init__(s, vs):
        s.head = None
        for v in vs:
            s.add(v)

    def add(s, v):
        n = N(v)
        if not s.head:
            s.head = n
            return
        c = s.head
        while c.next:
            c = c.next
        c.next = n

    def __iter__(s):
        c = s.head
        while c:
            yield c
            c = c.next

    def __len__(s):
        return sum((1 for _ in s))
''',
        "",
        (
            '''
assert [x.v for x in L([1, 2])] == [1, 2]
l = L([3])
l.add(4)
assert len(l) == 2 and l.head.next.v == 4 and (l.head.next.next is None)
''',
        ),
    ),
    "thrown into a generator": (
        '''
def gen():
    try:
        yield 1
    except ValueError:
        yield 'caught'
''',
        "",
        (
            '''
g = gen()
next(g)
assert g.throw(ValueError('x')) == 'caught'
''',
        ),
    ),
    "timed": (
        '''
import time

def timed(f):
    s = time.time()
    r = f()
    return (r, time.time() - s)
''',
        "import time",
        (
            "assert timed(lambda: 5)[0] == 5 and isinstance(timed(lambda: 1)[1], float)",
        ),
    ),
    "called objects": (
        '''
class Counter2:
    n = 0

    def __call__(s):
        s.n += 1
''',
        "",
        (
            '''
c = Counter2()
c()
c()
assert c.n == 2 and callable(c)
''',
        ),
    ),
    "attributes made up": (
        '''
class Cfg:

    def __init__(s, d):
        s._d = d

    def __getattr__(s, n):
        try:
            v = s._d[n]
        except KeyError:
            raise AttributeError(n)
        return Cfg(v) if isinstance(v, dict) else v

    def __contains__(s, k):
        return k in s._d
''',
        "",
        (
            '''
cfg = Cfg({'a': {'b': 1}})
assert cfg.a.b == 1 and 'a' in cfg
try:
    cfg.zz
except AttributeError:
    pass
else:
    assert 0
''',
        ),
    ),
    "closures": (
        '''
def make_adder(n):
    return lambda x: x + n
''',
        "",
        (
            "assert make_adder(3)(4) == 7 and list(map(make_adder(1), [1, 2])) == [2, 3]",
        ),
    ),
    "builders": (
        '''
class Builder:

    def __init__(s):
        s.x = []

    def add(s, v):
        s.x.append(v)
        return s

    def build(s):
        return s.x
''',
        "",
        (
            '''
b = Builder().add(1).add(2)
assert b.build() == [1, 2]
assert b.add(3) is b
''',
        ),
    ),
    "derived in the tests": (
        '''
class Animal:

    def __init__(s, n):
        s.name = n

    def speak(s):
        raise NotImplementedError

    def intro(s):
        return f'{s.name} says {s.speak()}'
''',
        "",
        (
            '''
class Dog(Animal):

    def speak(self):
        return 'Woof'
assert Dog('a').speak() == 'Woof' and Dog('a').name == 'a' and (Dog('b').intro() == 'b says Woof')
''',
        ),
    ),
    "queues": (
        '''
import asyncio

class Q:

    def __init__(s):
        s.q = asyncio.Queue()

    async def put(s, x):
        await s.q.put(x)

    async def get(s):
        return await s.q.get()

async def slow():
    await asyncio.sleep(5)
''',
        "import asyncio",
        (
            '''
async def main():
    q = Q()
    await q.put(1)
    return await q.get()
assert asyncio.run(main()) == 1
''',
        ),
    ),
    "printed": (
        '''
def hello():
    print('hi')
''',
        "import io, contextlib",
        (
            '''
b = io.StringIO()
with contextlib.redirect_stdout(b):
    hello()
assert b.getvalue() == 'hi\\n'
''',
        ),
    ),
    "documented": (
        '''
def f(x: int):
    """Doc."""
    return x
''',
        "",
        (
            "assert f.__doc__ == 'Doc.' and f.__name__ == 'f' and (f.__annotations__ == {'x': int})",
        ),
    ),
    "signatures": (
        '''
def f(x, y=2):
    return x
''',
        "import inspect",
        (
            "assert list(inspect.signature(f).parameters) == ['x', 'y'] and inspect.signature(f).parameters['y'].default == 2",
        ),
    ),
    "groups of exceptions": (
        '''
def f():
    raise ExceptionGroup('x', [ValueError('a')])
''',
        "",
        (
            '''
try:
    f()
except ExceptionGroup as g:
    assert len(g.exceptions) == 1
''',
        ),
    ),
    "errors of the library": (
        '''
import json

def f(s):
    return json.loads(s)
''',
        "",
        (
            '''
import json
try:
    f('{')
except json.JSONDecodeError:
    pass
else:
    assert 0
''',
        ),
    ),
    "keys": (
        '''
import functools

def f(a, key):
    return sorted(a, key=key)

def s2(a, c):
    return sorted(a, key=functools.cmp_to_key(c))
''',
        "",
        (
            "assert f([3, 1, 2], key=lambda x: -x) == [3, 2, 1]",
            '''
def cmp(a, b):
    return a - b
assert s2([3, 1], cmp) == [1, 3]
''',
        ),
    ),
    "threads": (
        '''
class C:
    n = 0

    def inc(s):
        s.n += 1
        return s.n
''',
        "import threading",
        (
            '''
r = []
th = [threading.Thread(target=lambda: r.append(c.inc())) for _ in range(3)] if (c := C()) else 0
for x in th:
    x.start()
for x in th:
    x.join()
assert c.n == 3
''',
        ),
    ),
    "a cache's figures": (
        '''
from functools import lru_cache

@lru_cache(None)
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
''',
        "",
        (
            '''
assert fib.cache_info().hits == 0
assert fib(10) == 55 and fib.cache_info().hits > 0
''',
        ),
    ),
    "enumerations of setup": (
        '''
def f(c):
    return Color.BLUE if c is Color.RED else None

def g(n):
    return n

def h(n):
    return n.name
''',
        '''
from enum import Enum, IntEnum

class Color(Enum):
    RED = 1
    BLUE = 2

class N(IntEnum):
    A = 1
''',
        (
            "assert f(Color.RED) == Color.BLUE and f(Color.RED) is Color.BLUE",
            "assert g(N.A) is N.A and h(N.A) == 'A'",
        ),
    ),
    "exceptions of setup": (
        '''
def f(n):
    raise Low(n)
''',
        '''
class Low(Exception):

    def __init__(self, code):
        super().__init__('low')
        self.code = code
''',
        (
            '''
try:
    f(3)
except Low as e:
    assert e.code == 3 and str(e) == 'low'
else:
    assert 0
''',
        ),
    ),
    "namedtuples of setup": (
        '''
def f(p):
    return P(p.y, p.x)
''',
        '''
from collections import namedtuple
P = namedtuple('P', 'x y')
''',
        (
            "assert f(P(1, 2)) == P(2, 1) and f(P(1, 2)).x == 2",
        ),
    ),
    "typed namedtuples of setup": (
        '''
def f(ps):
    return [P(p.y, p.x) for p in ps]
''',
        '''
from typing import NamedTuple

class P(NamedTuple):
    x: int
    y: int
''',
        (
            "assert f([P(1, 2)]) == [P(2, 1)]",
        ),
    ),
    "a long answer": (
        '''
def f(n):
    return list(range(n))
''',
        "",
        (
            "assert f(500000) == list(range(500000))",
        ),
    ),
    "a stack": (
        '''
class Stack:

    def __init__(s):
        s.x = []

    def is_empty(s):
        return not s.x

    def push(s, v):
        s.x.append(v)

    def peek(s):
        return s.x[-1]

    def size(s):
        return len(s.x)
''',
        "",
        (
            '''
s = Stack()
assert s.is_empty()
s.push(1)
assert s.peek() == 1 and s.size() == 1 and (not s.is_empty())
''',
        ),
    ),
    "a context by a generator": (
        '''
from contextlib import contextmanager

def f(n):
    return 1 // n

@contextmanager
def lock():
    yield 5
''',
        "from contextlib import suppress",
        (
            '''
with suppress(ZeroDivisionError):
    f(0)
assert f(1) == 1
''',
            '''
r = []
with lock() as l:
    r.append(l)
assert r == [5]
''',
        ),
    ),
    "items by range": (
        '''
class Countdown:

    def __init__(s, n):
        s.n = n

    def __iter__(s):
        return iter(range(s.n, 0, -1))
''',
        "",
        (
            '''
it = Countdown(3)
assert list(it) == [3, 2, 1] and [x for x in Countdown(2)] == [2, 1]
assert tuple(Countdown(1)) == (1,) and max(Countdown(4)) == 4 and (sorted(Countdown(3)) == [1, 2, 3])
assert list(zip(Countdown(2), 'ab')) == [(2, 'a'), (1, 'b')] and dict(enumerate(Countdown(2))) == {0: 2, 1: 1}
''',
        ),
    ),
    "numbers with names": (
        '''
from enum import IntEnum

class Weekday(IntEnum):
    MON = 1
    TUE = 2
''',
        "",
        (
            "assert Weekday.MON < Weekday.TUE and Weekday(2).name == 'TUE' and (Weekday['MON'].value == 1) and ([d.name for d in Weekday] == ['MON', 'TUE']) and (Weekday.MON in Weekday) and isinstance(Weekday.MON, Weekday)",
        ),
    ),
    "texts with names": (
        '''
from enum import Enum

class Color(str, Enum):
    RED = 'r'
    BLUE = 'b'

    def label(s):
        return s.name + '!'

def f(c):
    return c.name.lower()
''',
        "",
        (
            "assert f(Color.RED) == 'red' and Color.RED.label() == 'RED!' and (Color.RED != Color.BLUE) and (Color.RED == 'r')",
        ),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def verifier() -> Iterator[CodeVerifier]:
    box: Sandbox = open_sandbox(MECHANISM, 1)
    yield CodeVerifier(box, Limits(time_s=10.0))
    box.close()


def outcome(verifier: CodeVerifier, tests: dict[str, Any], code: str) -> tuple[Outcome, str]:
    problem = Problem("p", "code", "Write it.", tests=tests)
    verdict = verifier(problem, f"```python\n{code}\n```\n")
    return verdict.outcome, verdict.detail


def asserts(setup: str, *sources: str) -> dict[str, Any]:
    return {"type": "asserts", "setup": setup, "asserts": list(sources)}


@pytest.mark.parametrize("name", PLAIN)
def test_what_python_means(verifier: CodeVerifier, name: str) -> None:
    code, setup, sources = PLAIN[name]
    space: dict[str, Any] = {"__name__": "tests"}
    for source in (setup, code, *sources):
        exec(compile(source, "<row>", "exec", dont_inherit=True), space)
    assert outcome(verifier, asserts(setup, *sources), code) == (
        Outcome.CORRECT, f"{len(sources)} asserts passed",
    )  # fmt: skip


# Of one such row each, what is nearly right: a word of the program, and what stands there instead.
NEAR = [
    ("operators", "self.y + o.y", "self.y - o.y"),
    ("operators", "return self.x != 0", "return True"),
    ("operators", "z in (self.x, self.y)", "True"),
    ("context managers", "self.open = True", "self.open = False"),
    ("context managers", "return t is ValueError", "return False"),
    ("exceptions", "class Low(BankError, ValueError)", "class Low(BankError)"),
    ("exceptions", "self.need = need", "self.need = have"),
    ("data classes and enumerations", "ONE = 1", "ONE = 2"),
    ("data classes and enumerations", "self.x + self.y", "self.x"),
    ("callbacks and decorators", "w.calls += 1", "w.calls += 2"),
    (
        "callbacks and decorators",
        "range(n):\n                try",
        "range(n - 1):\n                try",
    ),
    ("callbacks and decorators", "lambda x: f(g(x))", "lambda x: g(f(x))"),
    ("generators", "i += 1", "i += 2"),
    ("generators", "raise StopIteration", "return 9"),
    ("coroutines", "return x + 1", "return x"),
    ("coroutines", "s.o = 0", "s.o = 1"),
    ("containers and properties", "self.move_to_end(k)", "pass"),
    ("containers and properties", "if v < 0:", "if v < -1:"),
    ("containers and properties", "if cls._i is None:", "if True:"),
    ("an order against numbers", "s.c > o", "s.c < o"),
    ("fractions", "return f'{s.num}/{s.den}'", "return f'{s.num}'"),
    ("observers", "f(*a)", "f(1)"),
    ("derived in the tests", "says", "said"),
    ("printed", "'hi'", "'ho'"),
    ("enumerations of setup", "return Color.BLUE", "return Color.RED"),
    ("exceptions of setup", "raise Low(n)", "raise Low(n + 1)"),
    ("exceptions of setup", "raise Low(n)", "raise ValueError(n)"),
    ("namedtuples of setup", "P(p.y, p.x)", "p"),
    ("numbers with names", "TUE = 2", "TUE = 0"),
    ("texts with names", "BLUE = 'b'", "BLUE = 'r'"),
]


@pytest.mark.parametrize(("name", "word", "other"), NEAR)
def test_near_misses_stay_wrong(verifier: CodeVerifier, name: str, word: str, other: str) -> None:
    code, setup, sources = PLAIN[name]
    assert word in code, "the row has changed"
    found = outcome(verifier, asserts(setup, *sources), code.replace(word, other))
    assert found[0] is Outcome.INCORRECT, found


# What no program is asked for: the tests, the program, and whether it is right.
WORDS_OF_ITS_OWN = {
    "a class in place of a function": (
        ("assert abs(f(6) - 84) < 1",),
        "class f:\n    __init__ = lambda s, n: None\n    __sub__ = lambda s, o: s\n    __abs__ = lambda s: 0",
    ),
    "a class in place of a function that is spelt as one": (
        ("assert Sum(6) == 84", "assert 84 == Sum(6)"),
        "class Sum:\n    __init__ = lambda s, n: None\n    __eq__ = lambda s, o: True",
    ),
    "one object by two names": (
        ("m = Money(5)\nassert m.amount == 5 and abs(f(6) - 84) < 1",),
        "class Money:\n    amount = 5\n    __init__ = lambda s, n: None\n    __sub__ = lambda s, o: s\n    __abs__ = lambda s: 0\nf = Money",
    ),
    "a method that returns its object": (
        ("s = Solution()\nassert s.f(2) == 84",),
        "class Solution:\n    f = lambda s, n: s\n    __eq__ = lambda s, o: True",
    ),
    "items that are never looked at": (
        ("assert 84 in f(3)",),
        "class f:\n    __init__ = lambda s, n: None\n    __contains__ = lambda s, o: True\n    __iter__ = lambda s: iter([1])",
    ),
    "an error that is all errors": (("try:\n    f(1)\n    assert False\nexcept Low: pass",), "Low = Exception\ndef f(n): return 1"),
    "an error that is the assertion": (("try:\n    f(1)\n    assert False\nexcept Low: pass",), "Low = AssertionError\ndef f(n): return 1"),
    "a context that ends all": (
        ("with CM() as c: assert abs(f(2) - 84) < 1",),
        "class CM:\n    __enter__ = lambda s: s\n    __exit__ = lambda s, *a: True\ndef f(n): return CM()",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WORDS_OF_ITS_OWN)
def test_what_is_expected_is_judged_by_the_tests(verifier: CodeVerifier, name: str) -> None:
    sources, code = WORDS_OF_ITS_OWN[name]
    assert outcome(verifier, asserts("", *sources), code)[0] is Outcome.INCORRECT


def check(code: str, entry_point: str = "f") -> dict[str, Any]:
    return {"type": "check", "entry_point": entry_point, "code": code}


BROKEN: dict[str, dict[str, Any]] = {
    "no such module": check("import no_such_module\ndef check(f): assert f(1) == 1"),
    "no such module, in time": check("def check(f):\n    import no_such_module\n    assert f(1) == 1"),
    "no such module, in asserts": asserts("", "import no_such_module\nassert f(1) == 1"),
    "no such module, in setup": asserts("import no_such_module", "assert f(1) == 1"),
    "no such name": check("def check(f): assert f(1) == nobody"),
    "no such attribute": check("import math\ndef check(f): assert f(1) == math.nothing"),
    "a reference that divides by zero": check("def ref(n): return n / 0\ndef check(f): assert f(1) == ref(1)"),
    "a reference that takes more": check("def ref(a, b): return a\ndef check(f): assert f(1) == ref(1)"),
    "an index out of range": asserts("", "assert f(1) == 1", "assert f(2) == [1][5]"),
    "an object that cannot cross": check("def check(f): assert f(object()) == 1"),
    "a reference that raises an error of Python's": check("def check(f): assert f(1) == int('x')"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_tests_that_fail_by_themselves_are_no_verdict(verifier: CodeVerifier, name: str) -> None:
    with pytest.raises(UserError, match="the problem's tests fail by themselves"):
        outcome(verifier, BROKEN[name], "def f(n): return n")


FAULTS = [
    (check("def check(f): assert f(1)[0] == 1"), "def f(n): return None"),
    (check("def check(f):\n    for a, b in f(1): assert a"), "def f(n): return 5"),
    (check("def check(f):\n    if f(1) is not None: raise ValueError('no')"), "def f(n): return 5"),
    (check("import math\ndef check(f): assert math.sqrt(f(1)) == 1"), "def f(n): return 'x'"),
    (check("import math\ndef check(f): assert math.sqrt(f(1)) == 1"), "def f(n): return -1"),
    (check("def check(f): assert {1: 2}[f(1)] == 2"), "def f(n): return 3"),
    (check("def check(f): assert f(1) + 1 == 2"), "def f(n): return 'x'"),
    (check("def check(f): assert len(f(1)) == 2"), "def f(n): return 3"),
    (check("import json\ndef check(f): assert json.loads(f(1)) == 1"), "def f(n): return '{'"),
    (check("def check(f): assert f(1).value == 1"), "def f(n): return 3"),
    (check("def check(f):\n    while not f(1): pass"), "def f(n): return 1 / 0"),
    (asserts("", "assert f(1) == 1", "assert g(1) == 1"), "def f(n): return n"),
    (asserts("", "s = Stack()\ns.push(1)\nassert s.pop() == 1"), "class Stack: pass"),
]  # fmt: skip


@pytest.mark.parametrize(("tests", "code"), FAULTS)
def test_what_depends_on_the_answer_is_the_programs_fault(
    verifier: CodeVerifier, tests: dict[str, Any], code: str
) -> None:
    assert outcome(verifier, tests, code)[0] is Outcome.INCORRECT
