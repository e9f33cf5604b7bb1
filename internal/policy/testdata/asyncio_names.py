"""Prints the names that docs/asyncio.md has to map, one a line, sorted:

    python3.13 asyncio_names.py >asyncio_names.txt

They are asyncio.__all__ and concurrent.futures.__all__ (the latter's written in
full), as CPython 3.13 has them on Linux, and the public members of the classes
behind them. A member is listed once, under the class that defines it; an event
loop's are written "loop.call_soon".
"""
import asyncio
import concurrent.futures
import sys

# Attributes that are set in __init__, which dir() of a class does not show.
INSTANCE = ["loop.slow_callback_duration"]

# Classes that are written otherwise than by their names.
WRITTEN = {asyncio.AbstractEventLoop: "loop"}

# Their members are those of the interface, which is listed.
NO_MEMBERS = {asyncio.BaseEventLoop, asyncio.SelectorEventLoop, asyncio.DefaultEventLoopPolicy, asyncio.Server}


def public(cls):
    return {name for name in dir(cls) if not name.startswith("_")}


def members(module, prefix):
    classes = {}
    for name in module.__all__:
        value = getattr(module, name)
        if isinstance(value, type) and not issubclass(value, BaseException) and value not in NO_MEMBERS:
            classes.setdefault(value, name)
    for cls, name in classes.items():
        inherited = set()
        for base in cls.__mro__[1:]:
            if base in classes:
                inherited |= public(base)
        for member in public(cls) - inherited:
            yield f"{prefix}{WRITTEN.get(cls, name)}.{member}"


assert sys.version_info[:2] == (3, 13), sys.version
names = set(asyncio.__all__) | set(members(asyncio, "")) | set(INSTANCE)
names |= {f"Server.{m}" for m in public(asyncio.Server) - public(asyncio.AbstractServer)}
names |= {f"subprocess.Process.{m}" for m in public(asyncio.subprocess.Process)}
names |= {f"concurrent.futures.{n}" for n in concurrent.futures.__all__}
names |= set(members(concurrent.futures, "concurrent.futures."))
print("# Made by asyncio_names.py, with CPython 3.13.0 on Linux.")
print(*sorted(names), sep="\n")
