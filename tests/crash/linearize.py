"""Is a history of one register linearizable? Wing and Gong's search with Lowe's memory of visited states.

An operation took effect at one instant between its invocation and its response. One without a response may have
taken effect at any time after its invocation, or never.
"""

from dataclasses import dataclass

NEVER = float("inf")


@dataclass(frozen=True)
class Call:
    """kind: "read" (result: value), "write" (argument), "cas" (argument = (expected, new), result: True or False),
    "delete" (result: True when something was there). result None: no response."""
    kind: str
    argument: object
    result: object
    invoked: float
    responded: float
    client: str = ""

    def __str__(self):
        return f"{self.invoked:.6f}..{self.responded:.6f} {self.client} {self.kind} {self.argument} -> {self.result}"


ABSENT = None   # the register's value when the tag does not exist
IMPOSSIBLE = object()


def step(state, call: Call):
    """The state after `call`, or IMPOSSIBLE when its result does not fit `state`."""
    unknown = call.responded == NEVER
    if call.kind == "read":
        return state if unknown or call.result == state else IMPOSSIBLE
    if call.kind == "write":
        return call.argument
    if call.kind == "delete":
        return ABSENT if unknown or call.result == (state is not ABSENT) else IMPOSSIBLE
    expected, new = call.argument
    matches = state == expected
    if not unknown and call.result != matches:
        return IMPOSSIBLE
    return new if matches else state


def linearization(history: list[Call], initial=ABSENT) -> list[Call] | None:
    """An order that explains every result, or None when there is none."""
    calls = sorted(history, key=lambda call: call.invoked)
    required = sum(1 << i for i, call in enumerate(calls) if call.responded != NEVER)
    seen, path = set(), []
    # Depth first without recursion: (state before, done mask, candidates left to try).
    stack = [(initial, 0, _candidates(calls, 0))]
    while stack:
        state, done, candidates = stack[-1]
        if done & required == required:
            return path
        for i in candidates:
            after = step(state, calls[i])
            key = (done | 1 << i, after)
            if after is not IMPOSSIBLE and key not in seen:
                seen.add(key)
                path.append(calls[i])
                stack.append((after, key[0], _candidates(calls, key[0])))
                break
        else:
            stack.pop()
            if path:
                path.pop()
    return None


def _candidates(calls: list[Call], done: int):
    """Calls that may come next: not done, and invoked before the earliest response among those not done."""
    earliest = min((call.responded for i, call in enumerate(calls) if not done >> i & 1), default=NEVER)
    return iter([i for i, call in enumerate(calls) if not done >> i & 1 and call.invoked <= earliest])


def shortest_unexplained(history: list[Call], initial=ABSENT) -> list[Call]:
    """The shortest beginning of a history (by response) that already cannot be explained: what to look at.
    Calls that began earlier and answered later are part of it as unanswered ones."""
    answered = sorted((call for call in history if call.responded != NEVER), key=lambda call: call.responded)
    low, high = 1, len(answered)
    while low < high:
        middle = (low + high) // 2
        if linearization(_until(history, answered[middle - 1].responded), initial) is None:
            high = middle
        else:
            low = middle + 1
    return _until(history, answered[high - 1].responded)


def _until(history: list[Call], moment: float) -> list[Call]:
    began = [call for call in history if call.invoked <= moment]
    return [call if call.responded <= moment else Call(call.kind, call.argument, None, call.invoked, NEVER, call.client)
            for call in began]
