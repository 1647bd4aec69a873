"""A few kill rounds and power cuts, so that plain pytest notices a broken promise or a broken harness. The full numbers
are run by ci.sh and, by hand, run.sh and power.sh."""

import kill_rounds
import power_loss
from harness.database import integrity_complaint


def test_five_kill_rounds_lose_nothing(tmp_path):
    passed, wrong = kill_rounds.run(5, 20_240, tmp_path)
    assert wrong == [] and passed == 5, "\n".join(wrong)


def test_six_power_cuts_lose_nothing(tmp_path):
    passed, failures = power_loss.run(6, 20_241, 160, tmp_path)
    assert failures == [] and passed == 6, "\n".join(failures)


def test_a_damaged_database_is_noticed(tmp_path):
    """The integrity look itself must not be blind."""
    assert integrity_complaint(tmp_path) is None
    (tmp_path / "meta.db").write_bytes(b"SQLite format 3\0" + bytes(5000))
    assert integrity_complaint(tmp_path) is not None
