"""What to say of a file or folder that cannot be read."""

from errno import EACCES, EPERM

_RIGHTS = "You have no permission to read it; ask its owner for it, or change its permissions."


def hint_against(error: BaseException, otherwise: str) -> str:
    """What to do about a read that failed: permissions where they are the cause.

    Args:
        error: What was raised; its causes are looked through, too.
        otherwise: The hint for every other fault.
    """
    return _RIGHTS if is_forbidden(error) else otherwise


def is_forbidden(error: BaseException | None) -> bool:
    """Whether the system refused the read for want of permission."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (EACCES, EPERM):
            return True
        error = error.__cause__ or error.__context__
    return False


def reason_of(error: BaseException) -> str:
    """Why a read failed, in few words and without the path that is named anyway."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    first = str(error).strip().splitlines()
    return first[0].rstrip(".") if first else ""
