"""Configurations that a page of docs/ shows, for tests that run those very ones.

A block ```LANGUAGE berth-test=NAME is taken out of the page; names of files, ports and hosts are replaced by those of
the test, and each one that is replaced has to be there.
"""
import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"


def block(page, language, name):
    found = re.findall(rf"^```{language} berth-test={name}\n(.*?)^```$", (DOCS / page).read_text(),
                       re.DOTALL | re.MULTILINE)
    assert len(found) == 1, f"{len(found)} blocks ```{language} berth-test={name} in docs/{page}"
    return found[0]


def filled(text, places):
    for place, value in places.items():
        assert place in text, f"{place} is not in\n{text}"
        text = text.replace(place, str(value))
    return text
