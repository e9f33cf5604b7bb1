"""Runs scenarios on CPython's asyncio and tells what happened.

It reads a scenario a line from stdin, as JSON, and answers each with a line on
stdout: {"id": ..., "trace": [...]}. The first line it writes says which Python
this is.

What is not asyncio's own here:

Time. The loop is asyncio's BaseEventLoop with two parts replaced: time() is a
number that only the selector moves, and the selector, which has nothing to
watch, moves it to where the loop would have waited until. So sleeping takes no
time, and what is simultaneous is exactly so. A second is the unit; all times
are whole numbers.

Sets. asyncio keeps a group's members in a set, and so cancels them in the order
of their addresses. Group gives it one that remembers who came first.

Differences. aio differs from asyncio on purpose in a few points (docs). Where
aio's meaning can be had with asyncio's means, at the same cost in turns of the
loop, a scenario means aio's: Waiting awaits without passing on a cancellation.
Where it can't, the trace ends with a line "stop: ..." that says why, and what
follows is not compared. Each such place begins with "differs". A request with
"faithful" set has asyncio's own behaviour instead: it shows the differences.
"""

import asyncio
import json
import logging
import sys

HAS = sys.version_info


class Failure(Exception):
    """What a scenario raises."""


class Misuse(Exception):
    """An operation that both libraries refuse, each in its own words."""


class Return(BaseException):
    def __init__(self, value):
        self.value = value


class Loop(asyncio.BaseEventLoop):
    """An event loop on virtual time."""

    def __init__(self, world):
        super().__init__()
        self.world = world
        self.now = 0
        self.turns = 0
        self._selector = self
        self.set_exception_handler(lambda loop, context: None)

    def time(self):
        return self.now

    def select(self, timeout):
        if timeout:  # never None: the end of the scenario is a timer
            self.now += timeout
        return ()

    def _process_events(self, events):
        pass

    def _write_to_self(self):
        pass

    def _run_once(self):
        self.turns += 1
        super()._run_once()

    def call_at(self, when, callback, *args, context=None):
        if any(h._when == when and not h._cancelled for h in self._scheduled):
            self.world.differs("rule 10: equal deadlines are FIFO")
        return super().call_at(when, callback, *args, context=context)


class Waiting:
    """Awaits a future, and does not hand it one's own cancellation.

    For the task it is a future; it is resumed by the one it stands for, so it
    costs no turn.
    """

    _asyncio_future_blocking = False

    def __init__(self, future):
        self.future = future

    def get_loop(self):
        return self.future.get_loop()

    def add_done_callback(self, wakeup, *, context=None):
        self.wakeup, self.context = wakeup, context
        self.future.add_done_callback(wakeup, context=context)

    def cancel(self, msg=None):
        if self.future.done():
            return False
        self.future.remove_done_callback(self.wakeup)
        self.get_loop().call_soon(self.wakeup, self, context=self.context)
        return True

    def result(self):
        raise asyncio.CancelledError

    def __await__(self):
        if not self.future.done():
            self._asyncio_future_blocking = True
            yield self
        return self.future.result()


class Ordered(dict):
    """As much of a set as TaskGroup needs, in the order things came."""

    def add(self, item):
        self[item] = None

    def discard(self, item):
        self.pop(item, None)


class Group(asyncio.TaskGroup):
    """A TaskGroup whose members are cancelled in the order they were started."""

    def __init__(self, world, actor):
        super().__init__()
        self._tasks = Ordered()
        self.world, self.actor = world, actor

    def _abort(self):
        if self.world.faithful:
            return super()._abort()
        self.world.needs((3, 13), "a group that fails")  # an older one leaves the task cancelled
        self._aborting = True
        self.world.interrupts(self.actor, self)
        if 0 < self._parent_task.cancelling() <= self.actor.base:
            self.world.differs("rule 3: a group fails in the clean-up of a cancelled task")
        for t in self._tasks:
            self.world.cancel_task(t)


class Timeout(asyncio.Timeout):
    """A Timeout that looks whether it interrupts something where aio differs."""

    async def __aenter__(self):
        self.actor = asyncio.current_task().actor
        self.actor.blocks.append(self)
        return await super().__aenter__()

    async def __aexit__(self, *exc):
        self.actor.blocks.pop()
        return await super().__aexit__(*exc)

    def _on_timeout(self):
        self.actor.world.interrupts(self.actor, self)
        super()._on_timeout()


asyncio.timeouts.Timeout = Timeout


class Task(asyncio.Task):
    """A task that knows its actor."""


class Actor:
    """Who does steps: a task, or a callback."""

    def __init__(self, world, name):
        self.world = world
        self.name = name
        self.blocks = []  # groups and timeouts that it is in, outer first
        self.base = 0  # cancellations that its clean-up has seen
        self.task = None
        self.cond = None  # the condition at which it waits
        self.starting = False  # it starts an eager task at this moment

    def interrupted(self):
        return asyncio.current_task().cancelling() > self.base


class Call:
    """A callback that was scheduled, or waits for a future."""

    def __init__(self):
        self.over = False
        self.handle = None
        self.future = None
        self.run = None


class World:
    """One scenario at work."""

    def __init__(self, request):
        self.faithful = request["faithful"]
        self.lines = []
        self.over = False
        self.last = None  # the second of the last line
        self.loop = Loop(self)
        self.things = {}
        self.tasks = {}
        self.calls = {}
        self.watches = {}
        self.groups = {}
        self.bug = None  # of this program
        self.keep = []  # the loop holds tasks weakly
        asyncio.events._set_running_loop(self.loop)
        for o in request["uses"]:
            self.things[o["name"]] = self.make(o)
        asyncio.events._set_running_loop(None)
        self.spawn("main", request["body"], eager=False)
        self.loop.call_at(request["limit"], self.loop.stop)

    def make(self, o):
        n = o["n"]
        match o["kind"]:
            case "future":
                return self.loop.create_future()
            case "queue":
                return asyncio.Queue(n)
            case "lifo":
                return asyncio.LifoQueue(n)
            case "priority":
                return asyncio.PriorityQueue(n)
            case "mutex":
                return asyncio.Lock()
            case "event":
                return asyncio.Event()
            case "cond":
                return asyncio.Condition(self.things[o["of"]])
            case "sem":
                return asyncio.Semaphore(n)
            case "bounded":
                return asyncio.BoundedSemaphore(n)
            case "barrier":
                return asyncio.Barrier(n)

    def run(self):
        self.loop.run_forever()
        self.over = True
        for t in self.keep:
            t._log_destroy_pending = False
        self.loop.close()
        if self.bug:
            raise self.bug
        return self.lines

    # What is told.

    def log(self, actor, text, result=None):
        if self.over:
            return
        if self.loop.now != self.last:
            self.last, self.turn = self.loop.now, self.loop.turns
        line = f"{self.last}.{self.loop.turns - self.turn} {actor.name} {text}"
        if result is not None:
            line += f": {result}"
        self.lines.append(line)

    def differs(self, why):
        """Ends the trace, unless asyncio itself is what is asked for."""
        if not self.faithful:
            self.stop(why)

    def stop(self, why):
        if not self.over:
            self.lines.append("stop: " + why)
            self.over = True
            self.loop.stop()

    def needs(self, version, what):
        if HAS < version:
            self.stop(f"{what} needs Python {version[0]}.{version[1]}")

    # Tasks and callbacks.

    def spawn(self, name, body, eager, group=None):
        actor = Actor(self, name)
        return self.start(actor, self.task(actor, body), eager, group)

    def start(self, actor, coro, eager=False, group=None):
        if eager:
            self.needs((3, 12), "an eager task")
            t = Eager(coro, loop=self.loop, name=actor.name, actor=actor)
        elif group:
            t = group.create_task(coro, name=actor.name)
            t.actor = actor
        else:
            t = Task(coro, loop=self.loop, name=actor.name)
            t.actor = actor
        self.keep.append(t)
        self.tasks[actor.name] = t
        return t

    async def task(self, actor, body):
        actor.task = asyncio.current_task()
        self.log(actor, "begins")
        clean_up = None
        if body and body[-1]["op"] == "cancelled":
            body, clean_up = body[:-1], body[-1].get("body", ())
        try:
            await self.steps(actor, body)
        except Return as r:
            return r.value
        except asyncio.CancelledError:
            if clean_up is None:
                raise
            actor.base = asyncio.current_task().cancelling()
            try:
                await self.steps(actor, clean_up)
            except Return as r:
                return r.value
            raise
        except Failure:
            raise
        except Exception as e:
            self.bug = self.bug or e
            raise
        return 0

    def cancel_task(self, t):
        """Cancels a task of ours as aio does."""
        if t.done():
            return
        if self.faithful:
            t.cancel()
            return
        if t is asyncio.current_task() or t.actor.starting:
            self.differs("rule 3: a running task is cancelled; its next wait fails at once")
        if t.cancelling() and not any(isinstance(block, Group) and block._aborting for block in t.actor.blocks):
            return  # a context ends once, so clean-up is not interrupted again
        self.interrupts(t.actor, None)
        t.cancel()

    def interrupts(self, actor, by):
        """A block that actor is in, or the whole task (None), is cancelled."""
        if actor.cond and actor.task._fut_waiter in (actor.cond._lock._waiters or ()):
            self.differs("rule 3: who is cancelled while it takes a condition's lock again keeps its place")
        for block in reversed(actor.blocks):
            if block is by:
                break
            if isinstance(block, Group) and block._tasks:
                self.differs("rule 3: the end of a context reaches a group's members at once, not after the body")
            elif isinstance(block, Group) and block._aborting:
                self.differs("rule 3: a task that is cancelled while its group fails: the cancellation comes first")

    def callback(self, name, body, call, future=None):
        actor = Actor(self, name)

        def run(*_):
            if call.over:
                return
            call.over = True
            self.log(actor, "called", future and self.outcome(future))
            try:
                for s in body:
                    self.act_and_log(actor, s)
            except Return:
                pass
            except Exception as e:
                self.bug = self.bug or e
        return run

    def outcome(self, future):
        if not future.done():
            return "pending"
        if future.cancelled():
            return "cancelled"
        e = future.exception()
        return self.word(e) if e else future.result()

    def word(self, e):
        match e:
            case Failure():
                return str(e)
            case asyncio.CancelledError():
                return "cancelled"
            case Misuse():
                return "misuse"
            case asyncio.QueueFull():
                return "full"
            case asyncio.QueueEmpty():
                return "empty"
            case asyncio.BrokenBarrierError():
                return "broken"
            case TimeoutError() | asyncio.TimeoutError():
                return "timeout"
            case BaseExceptionGroup():
                return " ".join(self.word(x) for x in e.exceptions)
            case RuntimeError() if self.faithful:
                return "refused"
        if type(e).__name__ == "QueueShutDown":
            return "closed"
        return f"{type(e).__name__}: {e}"

    # Steps.

    async def steps(self, actor, steps):
        for s in steps:
            if self.over:
                await self.loop.create_future()
            if s["op"] == "raise":
                self.log(actor, s["text"])
                raise Failure(s["word"])
            if s["op"] == "repeat":
                for _ in range(s["n"]):
                    await self.steps(actor, s.get("body", ()))
                continue
            do = getattr(self, "do_" + s["op"], None)
            if do is None:
                self.act_and_log(actor, s)
                continue
            if not self.bound(actor, s):
                continue
            try:
                result = await do(actor, s)
            except asyncio.CancelledError:
                if actor.interrupted():
                    self.log(actor, s["text"], "interrupted")
                    raise
                result = "cancelled"
            except Exception as e:
                result = self.word(e)
            self.log(actor, s["text"], result)

    def bound(self, actor, s):
        """Whether everything that s speaks of is there by now."""
        for name in s.get("on", ()):
            if name not in self.things and name not in self.tasks and name not in self.calls and name not in self.watches:
                self.log(actor, s["text"], "none")
                return False
        if s.get("in", None) and s["in"] not in self.groups:
            self.log(actor, s["text"], "none")
            return False
        return True

    def act_and_log(self, actor, s):
        """Does a step that does not wait."""
        if not self.bound(actor, s):
            return
        if s["op"] == "return":
            self.log(actor, s["text"])
            raise Return(s["n"])
        if s["op"] == "repeat":
            for _ in range(s["n"]):
                for inner in s.get("body", ()):
                    self.act_and_log(actor, inner)
            return
        try:
            result = getattr(self, "act_" + s["op"])(actor, s)
        except Exception as e:
            result = self.word(e)
        self.log(actor, s["text"], result)

    def future(self, name):
        return self.tasks.get(name) or self.things[name]

    def futures(self, s):
        return [self.future(name) for name in s["on"]]

    def waiting(self, future):
        return future if self.faithful else Waiting(future)

    def act_go(self, actor, s):
        group = self.groups.get(s.get("in", None))
        if group and (group._aborting or group._exiting and not group._tasks):
            self.differs("rule 4: a group is joined that is over for asyncio")
        if s.get("child", False):
            self.differs("rule 2: a task that is started under a context ends with it")
        actor.starting = s.get("eager", False)
        try:
            self.spawn(s["name"], s.get("body", ()), s.get("eager", False), group)
        except RuntimeError:
            return "refused"  # by the group
        finally:
            actor.starting = False

    def act_say(self, actor, s):
        pass

    def act_soon(self, actor, s):
        call = self.calls[s["name"]] = Call()
        call.handle = self.loop.call_soon(self.callback(s["name"], s.get("body", ()), call))

    def act_later(self, actor, s):
        call = self.calls[s["name"]] = Call()
        call.handle = self.loop.call_later(s["n"], self.callback(s["name"], s.get("body", ()), call))

    def act_at(self, actor, s):
        call = self.calls[s["name"]] = Call()
        call.handle = self.loop.call_at(s["n"], self.callback(s["name"], s.get("body", ()), call))

    def act_drop(self, actor, s):
        call = self.calls[s["on"][0]]
        kept = not call.over and not call.handle.cancelled()
        call.handle.cancel()
        return int(kept)

    def act_resolve(self, actor, s):
        future = self.things[s["on"][0]]
        if future.done():
            return "done"
        future.set_result(s["n"])

    def act_reject(self, actor, s):
        future = self.things[s["on"][0]]
        if future.done():
            return "done"
        future.set_exception(Failure(s["word"]))

    def act_cancel(self, actor, s):
        future = self.future(s["on"][0])
        if isinstance(future, asyncio.Task):
            self.cancel_task(future)
        else:
            future.cancel()

    def act_state(self, actor, s):
        future = self.future(s["on"][0])
        return "pending" if not future.done() else "cancelled" if future.cancelled() else "finished"

    def act_result(self, actor, s):
        return self.outcome(self.future(s["on"][0]))

    def act_ondone(self, actor, s):
        call = self.watches[s["name"]] = Call()
        call.future = self.future(s["on"][0])
        call.run = self.callback(s["name"], s.get("body", ()), call, call.future)
        call.future.add_done_callback(call.run)

    def act_undone(self, actor, s):
        call = self.watches[s["on"][0]]
        call.future.remove_done_callback(call.run)
        kept, call.over = not call.over, call.over or not self.faithful  # aio: until it starts
        return int(kept)

    def act_tryput(self, actor, s):
        self.things[s["on"][0]].put_nowait(s["n"])

    def act_tryget(self, actor, s):
        return self.things[s["on"][0]].get_nowait()

    def act_len(self, actor, s):
        return self.things[s["on"][0]].qsize()

    def act_taskdone(self, actor, s):
        try:
            self.things[s["on"][0]].task_done()
        except ValueError:
            raise Misuse

    def act_close(self, actor, s):
        self.needs((3, 13), "closing a queue")
        if not self.over:
            self.things[s["on"][0]].shutdown()

    def act_unlock(self, actor, s):
        try:
            self.things[s["on"][0]].release()
        except RuntimeError:
            raise Misuse

    def act_release(self, actor, s):
        try:
            self.things[s["on"][0]].release()
        except ValueError:
            raise Misuse

    def act_set(self, actor, s):
        self.things[s["on"][0]].set()

    def act_clear(self, actor, s):
        self.things[s["on"][0]].clear()

    def act_isset(self, actor, s):
        return int(self.things[s["on"][0]].is_set())

    def act_notify(self, actor, s):
        self.notify(s, 1)

    def act_notifyall(self, actor, s):
        self.notify(s, sys.maxsize)

    def notify(self, s, n):
        cond = self.things[s["on"][0]]
        if not cond.locked():
            self.differs("a condition can be signalled without its mutex")
        cond.notify(n)

    def act_abort(self, actor, s):
        self.at_barrier(s, "abort")

    def act_reset(self, actor, s):
        self.at_barrier(s, "reset")

    def at_barrier(self, s, what):
        """abort and reset are coroutines, which wait only for the barrier's lock."""
        coro = getattr(self.things[s["on"][0]], what)()
        try:
            coro.send(None)
        except StopIteration:
            return
        coro.close()
        self.differs("a barrier's Abort and Reset do not wait")

    # Steps that wait.

    async def do_yield(self, actor, s):
        await asyncio.sleep(0)

    async def do_sleep(self, actor, s):
        await asyncio.sleep(s["n"])

    async def do_await(self, actor, s):
        return await self.waiting(self.future(s["on"][0]))

    async def do_gather(self, actor, s):
        return await self.gathered(s, False)

    async def do_gatherall(self, actor, s):
        return await self.gathered(s, True)

    async def gathered(self, s, all):
        futures = self.futures(s)
        if any(f.done() for f in futures):
            self.needs((3, 12), "gathering what is done")
        results = await self.waiting(asyncio.gather(*futures, return_exceptions=all))
        return " ".join(self.word(r) if isinstance(r, BaseException) else str(r) for r in results)

    async def do_waitall(self, actor, s):
        return await self.waited(s, asyncio.ALL_COMPLETED)

    async def do_waitfirst(self, actor, s):
        return await self.waited(s, asyncio.FIRST_COMPLETED)

    async def do_waiterror(self, actor, s):
        return await self.waited(s, asyncio.FIRST_EXCEPTION)

    async def waited(self, s, when):
        done, _ = await asyncio.wait(self.futures(s), timeout=s["n"] or None, return_when=when)
        words = [name for name in s["on"] if self.future(name) in done]
        return "done " + " ".join(words) if words else "none done"

    async def do_completed(self, actor, s):
        self.needs((3, 13), "iterating over as_completed")
        futures = self.futures(s)
        if len({f for f in futures if f.done()}) > 1:
            self.differs("asyncio has those that are done already in the order of a set")
        names = dict(zip(reversed(futures), reversed(s["on"])))
        async for f in asyncio.as_completed(futures, timeout=s["n"] or None):
            self.log(actor, s["text"], names[f])
            await self.steps(actor, s.get("body", ()))
        return "all"

    async def do_group(self, actor, s):
        group = self.groups[s["name"]] = Group(self, actor)
        actor.blocks.append(group)
        failed = None
        try:
            async with group:
                try:
                    await self.steps(actor, s.get("body", ()))
                except Failure as e:
                    failed = e
                    raise
        except BaseExceptionGroup as e:
            errors = list(e.exceptions)
            if failed and not self.faithful:  # asyncio has the body's at the end, aio has them as they came
                errors.insert(0, errors.pop())
            return " ".join(self.word(x) for x in errors)
        finally:
            actor.blocks.pop()
            del self.groups[s["name"]]

    async def do_timeout(self, actor, s):
        if s["n"] == 0:
            self.differs("rule 3: a context that has ended fails the next wait, also one that need not suspend")
        async with asyncio.timeout(s["n"]):
            await self.steps(actor, s.get("body", ()))

    async def do_waitfor(self, actor, s):
        self.needs((3, 12), "waiting for a coroutine in the same task")
        await asyncio.wait_for(self.steps(actor, s.get("body", ())), s["n"])

    async def do_shield(self, actor, s):
        t = self.spawn(s["name"], s.get("body", ()), False)
        del self.tasks[s["name"]]  # only its result has a name
        left = False  # has the end of t had its turn?
        def leave(_):
            nonlocal left
            left = True
        t.add_done_callback(leave)
        try:
            return await asyncio.shield(t)
        except asyncio.CancelledError:
            lost = not left or t.cancelled() or t.exception()
            if lost and any(isinstance(block, Group) for block in actor.blocks):
                self.differs("rule 4: a group waits for what is shielded in its body, and takes its late failure")
            raise

    async def do_put(self, actor, s):
        await self.things[s["on"][0]].put(s["n"])

    async def do_get(self, actor, s):
        return await self.things[s["on"][0]].get()

    async def do_join(self, actor, s):
        await self.things[s["on"][0]].join()

    async def do_lock(self, actor, s):
        await self.things[s["on"][0]].acquire()

    async def do_acquire(self, actor, s):
        sem = self.things[s["on"][0]]
        waits = sem.locked()
        try:
            await sem.acquire()
        finally:
            if waits and sem._value > 0 and any(not w.done() for w in sem._waiters or ()):
                self.needs((3, 13), "a semaphore with permits for several who wait")

    async def do_wait(self, actor, s):
        thing = self.things[s["on"][0]]
        if isinstance(thing, asyncio.Barrier):
            return await self.at_the_barrier(thing)
        if isinstance(thing, asyncio.Condition):
            await self.at_the_condition(actor, thing, thing.wait())
        else:
            await thing.wait()

    async def at_the_condition(self, actor, cond, wait):
        if not cond.locked():
            wait.close()
            raise Misuse
        actor.cond = cond
        try:
            await wait
        except asyncio.CancelledError:
            self.needs((3, 13), "a condition whose waiter is cancelled")
            raise
        finally:
            actor.cond = None

    async def at_the_barrier(self, barrier):
        if barrier._count == 0:
            barrier.left_early = False
        elif getattr(barrier, "left_early", False):
            self.differs("after a party was cancelled, asyncio gives one index twice")
        try:
            return await barrier.wait()
        except asyncio.CancelledError:
            self.needs((3, 13), "a barrier with a party that is cancelled")
            barrier.left_early = True
            raise

    async def do_until(self, actor, s):
        cond, event = (self.things[name] for name in s["on"])
        await self.at_the_condition(actor, cond, cond.wait_for(event.is_set))


class Eager(asyncio.Task):
    """A task that begins at once, which knows its actor by then."""

    def __init__(self, coro, *, loop, name, actor):
        self.actor = actor
        super().__init__(coro, loop=loop, name=name, eager_start=True)


def main():
    logging.disable()
    print(json.dumps({"version": list(HAS[:3])}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        answer = {"id": request["id"]}
        try:
            if "compile" in request:
                compile(request["compile"], "program", "exec")
            else:
                answer["trace"] = World(request).run()
        except Exception as e:
            answer["error"] = f"{type(e).__name__}: {e}"
        print(json.dumps(answer), flush=True)


main()
