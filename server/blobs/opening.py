"""Evidence and previews, on the shelves that the settings name."""

from __future__ import annotations

from server.blobs import Blobs, Previews
from server.blobs.folder import FolderShelf
from server.blobs.shelf import Shelf
from server.settings import Settings


def open_blobs(settings: Settings) -> tuple[Blobs, Previews]:
    """Nothing is asked of a bucket yet. Raises `files-setting` where TAPAK_FILES is not one."""
    files: Shelf
    previews: Shelf
    if settings.files_url is None:
        files = FolderShelf(settings.files)
        previews = FolderShelf(settings.previews, durable=False)
    else:
        # Imported here: most installations keep their files on disk.
        from server.blobs.bucket import BucketShelf, open_bucket  # noqa: PLC0415

        bucket, shown = open_bucket(settings.files_url, settings.s3_endpoint)
        files = BucketShelf(bucket, "files", shown, settings.incoming)
        previews = BucketShelf(bucket, "previews", shown, settings.incoming)
    return Blobs(files, settings.incoming), Previews(previews, settings.incoming)
