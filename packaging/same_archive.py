"""Writes a .tar.gz anew, so that it says nothing of who packed it, where, and when: `same_archive.py FILE`.

The time of all that is in it is SOURCE_DATE_EPOCH; without that it stays as it is.
"""

import gzip
import os
import sys
import tarfile
from pathlib import Path


def main(path: Path, moment: int) -> None:
    renewed = path.with_suffix(".part")
    with (
        renewed.open("wb") as file,
        tarfile.open(path) as old,
        gzip.GzipFile("", "wb", fileobj=file, mtime=moment) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as new,
    ):
        for member in sorted(old.getmembers(), key=lambda member: member.name):
            member.mtime, member.uid, member.gid, member.uname, member.gname = moment, 0, 0, "", ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            member.pax_headers = {}
            new.addfile(member, old.extractfile(member) if member.isfile() else None)
    renewed.replace(path)


if __name__ == "__main__":
    if said := os.environ.get("SOURCE_DATE_EPOCH"):
        main(Path(sys.argv[1]), int(said))
