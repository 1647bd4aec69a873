"""berth login --web, as it runs on a machine that has no browser, in a home of its own."""

import re
import subprocess

SECONDS = 30


class WebLogin:
    def __init__(self, berth, url, home, *flags):
        home.mkdir()
        self.home = home
        self.process = subprocess.Popen([berth, "login", "--web", *flags, url], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env={"HOME": str(home), "PATH": "/usr/bin:/bin"})
        said = ""
        while "Waiting" not in said:
            line = self.process.stderr.readline()
            assert line, said
            said += line
        self.address = re.search(r"http\S+", said)[0]
        self.code = re.search(r"code: +(\S+)", said)[1]

    def ends(self):
        out, said = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, out, said
