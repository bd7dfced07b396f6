"""What a program says that was installed without the packages it is made of. Standard library only."""

from __future__ import annotations


def missing(program: str, extra: str, error: ModuleNotFoundError) -> str:
    """A sentence for people: what is missing, and the extra of the distribution that brings it."""
    return (
        f"{program}: the package {error.name} is missing here: install AsteriskCTI with its extra [{extra}], "
        f"as in pip install './asteriskcti-VERSION-py3-none-any.whl[{extra}]'"
    )
