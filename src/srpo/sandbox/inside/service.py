"""The program's side of a test: answers what the tests' process asks, until it stops asking.

A request is {"op", ...}: look a name up, read or set an attribute, call something. See
`mirror` for how values travel. What this process answers is the program's word, nothing more.
"""

from __future__ import annotations

import json
import sys
from types import ModuleType
from typing import Any

from . import wire
from .mirror import Packer, Unpacker

MESSAGES_OUT, MESSAGES_IN = 3, 4


def serve(module: ModuleType, candidate: Any) -> None:
    """Say which names the program has, then answer requests. Returns when no more come."""
    sys.set_int_max_str_digits(0)
    known = _Known(module)
    if candidate is not None:
        known.handles.append(candidate)  # handle 0
    _send({"names": [name for name in module.__dict__ if not name.startswith("__")]})
    while (frame := wire.read_frame(MESSAGES_IN)) is not None:
        _send(_answer(json.loads(frame), known))


class _Known:
    """The objects that the tests hold handles of, and the classes that both sides know."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self.handles: list[Any] = []
        self.classes: frozenset[str] = frozenset()

    def class_name(self, value: Any) -> str:
        name = type(value).__name__
        return name if name in self.classes else ""

    def handle(self, value: Any) -> int:
        self.handles.append(value)
        return len(self.handles) - 1

    def new_object(self, name: str) -> Any:
        return object.__new__(self.module.__dict__[name])


def _answer(request: dict[str, Any], known: _Known) -> dict[str, Any]:
    known.classes = frozenset(request["classes"])
    unpacker = Unpacker(known.new_object, known.handles.__getitem__)
    target, args, kwargs = unpacker.unpack(request["nodes"], request["values"])
    packer = Packer(known.class_name, known.handle, unpacker.objects)
    try:
        result = packer.pack(_do(request["op"], known.module, target, args, kwargs))
    except Exception as error:
        return {"raised": type(error).__name__, "text": str(error)[:300]}
    before = {int(number): node for number, node in request["nodes"].items()}
    for number, node in before.items():
        if node[0] in "lqdso" and (after := packer.node(packer.objects[number])) != node:
            packer.nodes[number] = after
    packer.pack(None)  # what the changed ones hold
    return {"value": result, "nodes": packer.nodes}


def _do(op: str, module: ModuleType, target: Any, args: Any, kwargs: Any) -> Any:
    if op == "call":
        return target(*args, **kwargs)
    if op == "name":
        return module.__dict__[args[0]]
    if op == "get":
        return getattr(target, args[0])
    setattr(target, *args)
    return None


def _send(message: dict[str, Any]) -> None:
    wire.write_frame(MESSAGES_OUT, json.dumps(message).encode())
