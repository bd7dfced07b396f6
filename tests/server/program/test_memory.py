"""How the server's process handles its memory while it serves. In processes of their own: it is set once."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

COLLECTIONS = textwrap.dedent(
    """
    import gc, sys
    from astcti_server.process.memory import collect_seldom

    if "as-it-is" not in sys.argv:
        collect_seldom()
    found = [0, 0, 0]
    def count(phase, info):
        found[info["generation"]] += phase == "stop"
    gc.callbacks.append(count)
    kept = [[number] for number in range(80_000)]  # a thousand clients are about as much
    print(*found)
    """
)
ARENAS = textwrap.dedent(
    """
    import ctypes, sys, threading
    from schemas.web.large_blocks import give_large_blocks_back

    if "as-it-is" not in sys.argv:
        assert give_large_blocks_back()
    libc = ctypes.CDLL(None)
    libc.malloc.restype = libc.fopen.restype = ctypes.c_void_p
    begun = threading.Barrier(4)
    def work():
        begun.wait()
        libc.malloc(1000)
        begun.wait()
    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    work()
    for thread in threads:
        thread.join()
    file = ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b"w"))
    libc.malloc_info(0, file)
    libc.fclose(file)
    """
)


def output(script: str, *words: str) -> str:
    found = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=True)
    return found.stdout


def test_what_comes_with_a_thousand_clients_is_collected_seldom_and_never_all_at_once() -> None:
    """Both ways: by itself Python looks through older objects again and again."""
    young, older, everything = map(int, output(COLLECTIONS).split())
    assert (older, everything) == (0, 0)
    assert young <= 40
    assert int(output(COLLECTIONS, "as-it-is").split()[0]) > 2 * 40


@pytest.mark.skipif(sys.platform != "linux", reason="the setting is that of the GNU C library")
def test_all_threads_share_one_arena(tmp_path: Path) -> None:
    """Both ways: by itself the C library makes one for each of the first threads."""
    path = tmp_path / "info.xml"
    output(ARENAS, str(path))
    assert path.read_text().count("<heap nr=") == 1
    output(ARENAS, str(path), "as-it-is")
    assert path.read_text().count("<heap nr=") > 1
