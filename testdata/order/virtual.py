"""What the programs here share: an asyncio loop on virtual time, and a log
that says in which turn of the loop something happened.

Each program's output is recorded beside it, from CPython 3.13.0:
    for t in *.trace; do python3.13 "${t%.trace}.py" >"$t"; done
"""
import asyncio
import selectors


class VirtualSelector(selectors.DefaultSelector):
    loop = None

    def select(self, timeout=None):
        if timeout is not None and timeout > 0:
            self.loop.now += timeout
        elif timeout is None:
            raise RuntimeError("deadlock")
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self):
        self.now = 0
        selector = VirtualSelector()
        selector.loop = self
        super().__init__(selector)

    def time(self):
        return self.now


turns = 0


def log(what):
    print(f"{turns} {what}")


def run(main):
    """Runs main; a callback that calls itself soon counts the turns."""
    async def counted():
        loop = asyncio.get_running_loop()
        handle = None

        def tick():
            nonlocal handle
            global turns
            turns += 1
            handle = loop.call_soon(tick)
        handle = loop.call_soon(tick)
        try:
            await main()
            log("end")
        finally:
            handle.cancel()
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(counted())
