"""Passphrases in stories (S11): set, changed, removed, mistyped, forgotten; killed anywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from fieldkit.forgotten import ask_office, set_forgotten
from fieldkit.home import PLAIN
from fieldkit.passphrase import change_passphrase, remove_passphrase, set_passphrase, unlock
from fieldkit.vault import Cost, has_vault
from server.services import draft_key
from sync.draft_key import write_key_request

from .device import Device
from .office import CONSOLE
from .protected import in_plain

if TYPE_CHECKING:
    from .world import Story

QUICK = Cost(1, 64, 1)


def set_words(story: Story, device: Device, inspection: str) -> None:
    """Give the device a passphrase, or another one."""
    words = f"made-up words {story.mark()}"
    device.words.insert(0, words)
    device.ever.insert(0, words)
    change = has_vault(device.home.folder)
    if change:
        done = device.on_folder(lambda home: change_passphrase(home, words, QUICK))
    else:
        done = device.on_folder(lambda home: set_passphrase(home, words, QUICK))
    device.held = None
    code = done.problem.code if done.problem else ""
    story.tell(f"{device.name} {'changes' if change else 'sets'} a passphrase: {done.how} {code}")
    if done.how == "returned":
        story.tally.acts["passphrase set"] += 1
        story.book.faults += sealed_whole(story, device)


def remove_words(story: Story, device: Device, inspection: str) -> None:
    if has_vault(device.home.folder):
        done = device.on_folder(remove_passphrase)
        device.held = None
        story.tell(f"{device.name} removes its passphrase: {done.how}")


def lock_or_unlock(story: Story, device: Device, inspection: str) -> None:
    """Hold the key in memory, or forget it; what a wrong word opens is nothing."""
    folder = device.home.folder
    if not has_vault(folder):
        return
    if device.held is not None:
        device.held = None
        story.book.faults += sealed_whole(story, device)
        return
    before = _bytes_in(folder)
    wrong = device.on_folder(lambda _: unlock(folder, "a wrong guess of it"), opened=False)
    story.tally.count("passphrase mistyped")
    if wrong.how == "returned":
        story.book.faults.append(f"opened by a wrong word: {device.name} (S11)")
    if wrong.how == "refused" and _bytes_in(folder) != before:
        story.book.faults.append(f"changed by a wrong word: {device.name} (S11)")
    done = device.on_folder(lambda home: home.data_key)
    if done.how == "returned":
        device.held = done.value


def forget(story: Story, device: Device, inspection: str) -> None:
    """Nobody knows the passphrase any more; the office opens what it has of it."""
    folder = device.home.folder
    if not has_vault(folder):
        set_words(story, device, inspection)
    if not has_vault(folder):
        return
    known, device.words, device.held = device.words, [], None
    words, became = f"made-up words {story.mark()}", "died"
    for attempt in range(8):
        if attempt == 6:
            story.calm_down()
        became = _ask(story, device, words)
        if became not in ("died", "away"):
            break
    story.tell(f"{device.name} has a forgotten passphrase: {became}")
    if became == "opened":
        story.tally.acts["passphrase forgotten"] += 1
        return
    # There was no way back: as well that it came to mind.
    device.words = [*device.words, *known]
    if became == "away":
        story.book.faults.append(f"no way back: the office does not open {device.name} (S11)")


def _ask(story: Story, device: Device, words: str) -> str:
    """Ask the office, and take its answer: opened, died, away or never (had it ever spoken)."""
    folder = device.home.folder
    asked = device.on_folder(lambda _: ask_office(folder), opened=False)
    if asked.how != "returned":
        return "died" if asked.how == "died" else "never"
    request = write_key_request(asked.value)
    answer = story.office.tried(lambda: _answer(story, request), with_process=True)
    if answer is None:
        return "away"
    device.words = [words]
    device.ever.insert(0, words)
    done = device.on_folder(lambda _: set_forgotten(folder, answer, words, QUICK), opened=False)
    if done.how == "returned" or _opens(device, words):
        return "opened"
    return "died"


def _answer(story: Story, request: bytes) -> bytes:
    ctx = story.office.up()
    asked = draft_key.look_at(ctx, request)
    return draft_key.answer(ctx, CONSOLE, asked, asked.code, "rang up")


def _opens(device: Device, words: str) -> bool:
    done = device.on_folder(lambda _: unlock(device.home.folder, words), opened=False)
    return done.how == "returned"


# -- what must hold -------------------------------------------------------------------------------


def sealed_whole(story: Story, device: Device) -> Iterator[str]:
    """S11: on a device with a passphrase nothing that was recorded can be read."""
    folder = device.home.folder
    if not has_vault(folder):
        return
    yield from in_plain(folder, [*(said.mark for said in story.book.said), "PRIVATE KEY"])
    for path in folder.rglob("*"):
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() in story.book.files:
            yield f"in plain: the file {path.name} on {device.name} (S11)"
    for name in PLAIN[:2]:
        if (folder / name).exists():
            yield f"in plain: {name} is still on {device.name} (S11)"


def locked(story: Story) -> Iterator[str]:
    """S11: no device with a passphrase tells anything, and no key of one is at the office."""
    for device in story.devices:
        if not has_vault(device.home.folder):
            continue
        yield from sealed_whole(story, device)
        key = device.seen_home().data_key
        assert key is not None
        for path in story.office.process.folder.rglob("*"):
            if path.is_file() and (
                key in (data := path.read_bytes()) or key.hex().encode() in data
            ):
                yield f"in plain: the data key of {device.name} in {path.name} (S11)"


def _bytes_in(folder: Path) -> dict[str, bytes]:
    return {
        str(path): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith("-shm")
    }
