"""A relay in front of the registry that remembers what went through, for questions a client does not answer itself."""
import re
import socket
import socketserver
import threading


class Wiretap:
    """`with Wiretap(address) as tap:` listens on `tap.address` and passes everything on to `address`; with `source`,
    from that address of this machine."""

    def __init__(self, address, source=""):
        host, _, port = address.partition(":")
        self.requests, self.answers = bytearray(), bytearray()
        tap = self

        class Relay(socketserver.BaseRequestHandler):
            def handle(self):
                with socket.create_connection((host, int(port)), source_address=(source, 0)) as server:
                    back = threading.Thread(target=_pass_on, args=(server, self.request, tap.answers))
                    back.start()
                    _pass_on(self.request, server, tap.requests)
                    back.join()

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Relay)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def ranges(self):
        """The ranges of every GET that had some, as lists of (first, last)."""
        headers = re.findall(rb"\r\nrange: bytes=([0-9,\- ]+)\r\n", bytes(self.requests), re.I)
        return [[tuple(map(int, part.split(b"-"))) for part in header.split(b",")] for header in headers]


def _pass_on(source, target, memory):
    """Copies until the source ends, then ends the target's direction too."""
    try:
        while data := source.recv(65536):
            memory += data
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # one side hung up, which the other notices by itself
