"""Ports for programs that must be told one. Whoever can listen on port 0 does that instead."""
import pathlib
import random
import socket

_HELD = []  # names that say "this port is given out", to every process of the machine, until this one ends


def _outside_ephemeral():
    """The kernel gives out ephemeral ports for outgoing connections at any moment, also between a look and a listen:
    those that it never gives out are the only ones that stay free."""
    low, high = map(int, pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split())
    return [*range(10000, low), *range(high + 1, 65536)]


def _is_free(port):
    try:
        if socket.has_dualstack_ipv6():  # every address of both families, as Caddy listens
            socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True).close()
        else:
            socket.create_server(("", port)).close()
        return True
    except OSError:
        return False


def free_port():
    """A TCP port that nobody listens on, and that no other caller is given as long as this process lives."""
    candidates = _outside_ephemeral()
    for port in random.sample(candidates, len(candidates)):
        name = socket.socket(socket.AF_UNIX)
        try:
            name.bind(f"\0berth-test-port-{port}")
        except OSError:
            name.close()
            continue
        if _is_free(port):
            _HELD.append(name)
            return port
        name.close()
    raise RuntimeError("every port outside of the ephemeral range is taken")
