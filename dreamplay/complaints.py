"""What went wrong, in one line for the person at the keyboard: mistakes of the user and refusals of the disk."""

import errno
from pathlib import Path

from dreamplay.errors import UserError

_CURES = {
    errno.ENOSPC: "the disk is full; free some space or choose another place",
    errno.EDQUOT: "the disk quota is used up; free some space or choose another place",
    errno.EFBIG: "the file grew larger than this place allows; choose another one",
    errno.EACCES: "permission denied; check its owner and rights, or choose another place",
    errno.EPERM: "not permitted; check its owner and rights, or choose another place",
    errno.EROFS: "the file system is read-only; choose another place",
    errno.ENOTDIR: "a file stands where a folder is needed; choose another path",
    errno.EISDIR: "a folder stands where a file is needed; choose another path",
    errno.EEXIST: "exists already and is not overwritten; choose another path",
    errno.ENOTEMPTY: "holds files already and is not overwritten; choose another path",
    errno.ENOENT: "no such file or folder; check the path",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
    errno.ELOOP: "too many symbolic links; choose another path",
    errno.EMFILE: "too many open files; raise the limit with `ulimit -n 4096`",
}


def explain(error: Exception, out: Path | None = None) -> str | None:
    """Says in one line what went wrong and what to do.

    Args:
        error: What a command raised.
        out: What the command was writing to, named when the error itself names no path.

    Returns:
        The line, or None when the error is no fault of the user's or the machine's: then it is ours, and its traceback
        is worth more than a line.
    """
    if isinstance(error, UserError):
        return str(error)
    cure = _CURES.get(_number(error) or 0)
    if cure is None:
        return None
    # A rename names two paths, and the temporary one is of no interest to anybody.
    place = getattr(error, "filename2", None) or getattr(error, "filename", None) or out
    return cure if place is None else f"{place}: {cure}"


def _number(error: Exception) -> int | None:
    """The errno of a refusal, also where the library in between lost it: NumPy counts, safetensors quotes."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    text = str(error)
    short_write = isinstance(error, OSError) and " requested and " in text and text.endswith(" written")
    return errno.ENOSPC if short_write or "No space left on device" in text else None
