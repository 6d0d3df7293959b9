"""The product is loaded before pytest puts folders of tests with its names onto the path."""

from __future__ import annotations

import checklists.published  # noqa: F401
import fieldkit.cli  # noqa: F401
import server.context  # noqa: F401
