"""The Python that runs programs: our own without its packages, or one of the user's with them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache

from srpo.errors import UserError

OLDEST = (3, 11)  # what runs inside the walls is written for it
ASK_S = 30.0
_ASK = """
import importlib.metadata as m, json, os, sys, sysconfig
base = {"base": sys.base_prefix, "platbase": sys.base_exec_prefix}
base |= {"installed_base": sys.base_prefix, "installed_platbase": sys.base_exec_prefix}
paths = [sysconfig.get_path(n, vars=base) for n in ("stdlib", "platstdlib")]
sites = [p for p in sys.path if p.endswith(("site-packages", "dist-packages"))]
found = sorted({f"{d.metadata['Name']} {d.version}" for d in m.distributions(path=sites)})
print(json.dumps({
    "executable": os.path.realpath(getattr(sys, "_base_executable", sys.executable)),
    "readable": [*paths, sysconfig.get_config_var("LIBDIR"), sys.base_prefix + "/lib"],
    "packages": sites,
    "version": list(sys.version_info[:3]),
    "installed": found,
}))
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python as a sandbox needs to know it.

    executable   the interpreter itself, behind a virtual environment
    readable     what programs may read: it, its library, shared libraries, its packages
    packages     the folders of its packages
    version      for people
    installed    the packages in them, with their versions
    """

    executable: str
    readable: tuple[str, ...]
    packages: tuple[str, ...] = ()
    version: str = sys.version.split()[0]
    installed: tuple[str, ...] = ()

    def describe(self) -> str:
        """What programs can import."""
        packages = [name for name in self.installed if name.split()[0] not in _TOOLS]
        more = f", {', '.join(packages)}" if packages else " alone"
        return f"Python {self.version}: its standard library{more}"


_TOOLS = ("pip", "setuptools", "wheel")


def find_interpreter(python: str | None) -> Interpreter:
    """The one at a path: an executable, or the folder of a virtual environment; None: ours.

    Raises UserError when there is none, or it is too old.
    """
    return ours() if python is None else _ask(python)


@cache
def ours() -> Interpreter:
    """That which runs us, without any packages."""
    library = sysconfig.get_config_var("LIBDIR"), os.path.join(sys.base_prefix, "lib")
    executable = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    paths = [executable, base_path("stdlib"), base_path("platstdlib"), *library]
    return Interpreter(executable, _outermost(paths))


def base_path(name: str) -> str:
    """A path of the interpreter itself, not of the virtual environment around it."""
    base = {"base": sys.base_prefix, "platbase": sys.base_exec_prefix}
    installed = {"installed_base": sys.base_prefix, "installed_platbase": sys.base_exec_prefix}
    return sysconfig.get_path(name, vars=base | installed)


@cache
def _ask(python: str) -> Interpreter:
    path = os.path.abspath(os.path.expanduser(python))
    path = os.path.join(path, "bin", "python") if os.path.isdir(path) else path
    try:
        done = subprocess.run(
            [path, "-I", "-c", _ASK], capture_output=True, timeout=ASK_S, check=True, cwd="/"
        )
        said = json.loads(done.stdout)
        version = tuple(said["version"])
        readable = [said["executable"], *said["readable"], *said["packages"]]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
        raise UserError(
            f"verifier.python is {python!r}: no Python that runs ({type(error).__name__});"
            " give an executable or the folder of a virtual environment"
        ) from error
    if version < OLDEST:
        found, least = (".".join(map(str, v)) for v in (version, OLDEST))
        raise UserError(f"verifier.python is {python!r}: Python {found}; give {least} or newer")
    return Interpreter(
        said["executable"],
        _outermost(readable),
        tuple(said["packages"]),
        ".".join(map(str, version)),
        tuple(said["installed"]),
    )


def _outermost(paths: list[str | None]) -> tuple[str, ...]:
    """Those that exist, with the machine's shared libraries; none that lies in another one."""
    shared = "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache"
    there = {path for path in (*paths, *shared) if path and os.path.exists(path)}
    return tuple(sorted(p for p in there if not any(_lies_in(p, other) for other in there)))


def _lies_in(path: str, other: str) -> bool:
    return path != other and path.startswith(other.rstrip("/") + "/")
