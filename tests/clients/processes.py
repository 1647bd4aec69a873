"""Programs the suite runs: one-shot commands, and daemons that it stops by their own pid."""
import os
import shutil
import signal
import subprocess
import time


def run(*command, env=None, cwd=None, stdin=None, timeout=180, check=True):
    """Runs a command to its end and returns its stdout as text; a failure shows the whole command and its output.
    With check=False: the finished process, whatever its exit code."""
    __tracebackhide__ = True
    command = [str(part) for part in command]
    try:
        done = subprocess.run(command, env=env, cwd=cwd, input=stdin, capture_output=True, text=True, timeout=timeout)
    except FileNotFoundError:
        raise AssertionError(f"the program '{command[0]}' is not installed; tests/clients/run.sh installs it") from None
    except subprocess.TimeoutExpired:
        raise AssertionError(f"no end after {timeout} s: {' '.join(command)}") from None
    if check and done.returncode != 0:
        output = (done.stdout + done.stderr)[-4000:]
        raise AssertionError(f"exit code {done.returncode}: {' '.join(command)}\n{output}")
    return done.stdout if check else done


def eventually(deadline_s, what, probe):
    """Polls `probe` until it returns something true, and returns that; fails with `what` after the deadline."""
    __tracebackhide__ = True
    end = time.monotonic() + deadline_s
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() >= end:
            raise AssertionError(f"after {deadline_s} s still not: {what}")
        time.sleep(0.02)


class Daemon:
    """A program in the background with its output in a log file. `stop()` may be called twice."""

    def __init__(self, name, command, log_path, env=None):
        self.name = name
        self.log_path = log_path
        self._log = open(log_path, "wb")
        command = [str(part) for part in command]
        if not shutil.which(command[0]):
            raise AssertionError(f"the program '{command[0]}' is not there: {name} cannot start")
        # Its own session: a Ctrl-C for the tests reaches it through stop(), in order, and not directly.
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log, stdin=subprocess.DEVNULL,
                                         env=env, start_new_session=True)

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def log_size(self):
        return os.path.getsize(self.log_path)

    def alive(self):
        return self._process.poll() is None

    def wait_until(self, deadline_s, what, probe):
        """`eventually`, but ends at once with the log when the daemon dies."""
        def alive_and_probe():
            if not self.alive():
                raise AssertionError(f"{self.name} ended with code {self._process.returncode}:\n{self.log()[-3000:]}")
            return probe()
        try:
            return eventually(deadline_s, what, alive_and_probe)
        except AssertionError as problem:
            raise AssertionError(f"{problem}\n{self.name} said:\n{self.log()[-3000:]}") from None

    def stop(self, grace_s=20):
        """SIGTERM, after `grace_s` SIGKILL. Returns the exit code."""
        if self.alive():
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(grace_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._log.close()
        return self._process.returncode


def unmount_below(directory):
    """Detaches what container engines left mounted under a directory, innermost first, so that it can be removed."""
    prefix = os.path.realpath(directory) + "/"
    with open("/proc/self/mounts") as mounts:
        points = [line.split()[1] for line in mounts]
    for point in sorted((point for point in points if point.startswith(prefix)), reverse=True):
        subprocess.run(["umount", "--lazy", point], capture_output=True)


def remove_tree(directory):
    unmount_below(directory)
    shutil.rmtree(directory, ignore_errors=True)
