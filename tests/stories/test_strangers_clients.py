"""tus-js-client and tuspy upload, are cut, resume and finish against the running server (S6)."""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path

import pytest
from cutting_proxy import relay
from get_tus_js import FOLDER, install, tool
from named_files import MB, held, named
from requests.exceptions import RequestException
from small_region import Region
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError

pytestmark = pytest.mark.xdist_group("strangers-clients")

SEED = 4


def cuts(count: int) -> list[int]:
    draw = random.Random(SEED)
    return [draw.randrange(150_000, 700_000) for _ in range(count)]


def test_tus_js_client_is_cut_goes_on_and_finishes(region: Region) -> None:
    """S6"""
    missing = install()
    if missing:
        pytest.skip(missing)
    node = tool("node")
    assert node is not None
    (one,) = named(region, 3 * MB)
    script = Path(__file__).with_name("tus_upload.cjs")
    with relay(region.stage.port, cuts(4)) as counted:
        endpoint = f"http://127.0.0.1:{counted.port}/api/files"
        done = subprocess.run(
            [node, str(script), endpoint, one.token, one.sha256, str(one.path), "300000"],
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "TUS_JS": str(FOLDER / "node_modules" / "tus-js-client")},
        )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["failures"] >= counted.done == 4
    assert told["url"].endswith(one.sha256)
    assert held(region, one)


def test_tuspy_is_cut_goes_on_and_finishes(region: Region) -> None:
    """S6"""
    (one,) = named(region, 3 * MB)
    failures, url = 0, None
    with relay(region.stage.port, cuts(4)) as counted:
        client = TusClient(
            f"http://127.0.0.1:{counted.port}/api/files",
            headers={"Authorization": f"Bearer {one.token}"},
        )
        while not held(region, one):
            with one.path.open("rb") as file:
                try:
                    uploader = client.uploader(
                        file_stream=file,
                        chunk_size=300_000,
                        url=url,
                        metadata={"sha256": one.sha256},
                        upload_checksum=True,
                    )
                    if url is None:
                        url = uploader.create_url()
                        uploader.set_url(url)
                    uploader.upload()
                except (TusCommunicationError, RequestException, OSError):
                    failures += 1
    assert counted.done == 4 and failures >= 4
