"""The folder in which models are kept between starts. What lies there is run unseen, so it must be nobody else's."""

import functools
import logging
import os
import tempfile
from pathlib import Path

logger = logging.getLogger(__name__)


@functools.cache
def private(folder: Path) -> Path:
    """The folder, which only this user can read and write from now on.

    Where it is somebody else's, or somebody else may have written to it, or it can't be had, a temporary one that is
    gone with the machine's temporary files.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
        if os.name == "posix" and found.st_uid != os.geteuid():
            problem = "belongs to another user"
        elif os.name == "posix" and found.st_mode & 0o022:
            problem = "can be written by other users; look at what is in it and run chmod 700 on it"
        elif not os.access(folder, os.W_OK):
            problem = "can't be written"
        else:
            folder.chmod(0o700)
            return folder
    except OSError as error:
        problem = f"can't be used: {error.strerror}"
    logger.warning("The cache folder %s %s. A temporary one is used.", folder, problem)
    return Path(tempfile.mkdtemp(prefix="angel-"))
