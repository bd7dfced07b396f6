"""What a program writes into a page of the documents, between two lines that mark its place."""

from __future__ import annotations

END = "<!-- end of what is made -->\n"


def begin_of(target: str) -> str:
    """The line in front of what `make target` writes."""
    return f"<!-- made by `make {target}` -->\n"


def with_made_part(page: str, target: str, made: str) -> str:
    """The page with this in the place of what `make target` wrote last. Raises ValueError without marks."""
    mark = begin_of(target)
    before, begin, rest = page.partition(mark)
    _old, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page does not have the lines {mark!r} and {END!r}")
    return f"{before}{begin}\n{made}\n{end}{after}"
