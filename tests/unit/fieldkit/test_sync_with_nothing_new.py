"""A sync with nothing new asks the store no more when there is much behind it (S1)."""

from __future__ import annotations

from pathlib import Path

from field_device import FieldDevice, picture

from fieldkit.ledger import Ledger
from fieldkit.left import what_is_left
from fieldkit.outbox import Outbox


def test_a_sync_with_nothing_new_is_as_much_work_with_much_behind_it_as_with_little(
    device: FieldDevice, tmp_path: Path
) -> None:
    """S1: neither lines nor files that are held safely are looked at, in the run or after it."""
    inspection, counts = device.start().inspection, []
    for begin, end in ((0, 3), (3, 30)):
        device.photo(inspection, *(picture(tmp_path / f"{n}.jpg", n) for n in range(begin, end)))
        device.sync()
        device.holds_exactly()
        counts.append(_steps_of_a_run(device))
    assert counts[0] == counts[1]


def _steps_of_a_run(device: FieldDevice) -> int:
    """How many instructions SQLite carries out for it, and for what is told after it."""
    taken: list[None] = []
    syncer = device.syncer()
    connection = syncer.store.database._conn
    connection.set_progress_handler(lambda: taken.append(None), 1)
    assert syncer.run().requests == 1
    assert what_is_left(Outbox(syncer.store, syncer.identity)).nothing
    connection.set_progress_handler(None, 1)
    return len(taken)


def test_what_waits_of_lines_and_files_is_counted_of_all_and_of_one(
    device: FieldDevice, tmp_path: Path
) -> None:
    """S4: of the log that is asked about, and of nothing that a receipt lists."""
    held = device.start().inspection
    device.photo(held, picture(tmp_path / "held.jpg", 1))
    device.sync()
    waits = device.start(new=True).inspection
    device.photo(waits, picture(tmp_path / "waits.jpg", 2))
    store = device.store
    outbox, ledger = Outbox(store, store.identity()), Ledger(store.database)
    lines = [line for log in store.logs(waits) for line in log.lines]
    assert outbox.waiting(held) == (0, 0)
    assert outbox.waiting(waits) == (len(lines), sum(len(line) + 1 for line in lines))
    own = ledger.waiting_lines(store.identity(), "device")
    assert outbox.waiting()[0] == len(lines) + own > len(lines)
    assert outbox.waiting()[1] == outbox.waiting(waits)[1] + outbox.waiting("device")[1]
    assert [one.log for one in ledger.waiting_files()] == [waits]
    assert [one.log for one in ledger.waiting_files(waits)] == [waits]
    assert ledger.waiting_files(held) == []
    assert ledger.count_files() == 2
