"""The command line of the client: options, settings, exit codes; nothing else."""

from __future__ import annotations

import logging
import os
import queue
import sys
from pathlib import Path
from typing import Any

import click

from astcti_client.hand_over.requests import NoHandOver, OtherClient
from astcti_client.hand_over.running_client import ask_running_client, listen_for_requests
from astcti_client.headless import Headless, InboxItem
from astcti_client.net.connection import connection_for
from astcti_client.password import Password
from astcti_client.phone_number import clean_number
from astcti_client.settings import (
    LoadedSettings,
    Settings,
    SettingsError,
    load_settings,
    system_file,
    user_file,
)
from astcti_client.triggers.memory_file import MemoryFile, pop_ups_file
from astcti_client.triggers.runner import TriggerRunner
from astcti_client.triggers.trigger_memory import TriggerMemory
from schemas.log_lines import log_to_standard_error
from schemas.version import VERSION

EPILOG = """\
\b
Examples:
  astcti-client --headless --host cti.example --tls --user mario
  astcti-client --headless --user mario --password-file ~/.astcti-password
  astcti-client --headless --no-triggers --verbose --mac 00:11:22:33:44:55
  astcti-client dial "+39 (055) 123-45.67"

\b
Settings: an option outranks its environment variable (ASTCTI_CLIENT_HOST for
--host, and so on), that the user's file, that the system's file; what stands
in the table [locked] of the system's file outranks everything. Files are TOML:
  host = "cti.example"
  tls = true
  user = "mario"
  password-file = "/home/mario/.astcti-password"
Only there or in the environment: password = "..." (or "md5:" and the hex MD5
of it) and allowed-programs = ["crm", "/opt/crm/bin/crm"], the only programs
that triggers may run. Without that list they run any program, but only for a
server whose certificate was checked (TLS), or on this PC. The files:
  {user}
  {system}

\b
Exit codes:
  0  stopped by SIGINT, SIGTERM or the end of its terminal, after logging out
  1  failure of the client itself
  2  wrong usage or settings, such as a connection that would leave this PC
     unencrypted though plain is not allowed
  3  the server ended the session for good: another log-in took it over, or
     the operator was disabled; start again by hand if that is right
  4  the server refused the user name or the password, or the password was withheld
Every other loss of the connection is retried: for 15 seconds about
twice a second, then after pauses that grow to 10 seconds.
""".replace("{user}", str(user_file())).replace("{system}", str(system_file()))


@click.group(
    invoke_without_command=True,
    no_args_is_help=False,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--headless", is_flag=True, help="Run without a window: print every line and event, carry out triggers."
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    envvar="ASTCTI_CLIENT_CONFIG",
    help="The user's settings file, instead of the usual one.",
)
@click.option("--host", help="Name or IP address of the server (default 127.0.0.1).")
@click.option("--port", help="Port of the server (default 5000).")
@click.option("--user", help="User name of the operator.")
@click.option(
    "--password-file",
    metavar="FILE",
    help="File with the password, or md5: and its hash, in the first line. Without a password from any "
    "source it is asked for on a terminal.",
)
@click.option("--mac", metavar="ADDRESS", help="MAC address to be known by, instead of those this PC has.")
@click.option("--tls/--no-tls", default=None, help="Speak TLS (default no).")
@click.option(
    "--plain/--no-plain",
    default=None,
    help="Allow a connection without TLS that leaves this PC (default no). Whoever is on the way can read "
    "the password then, and programs of calls are started only if allowed-programs lists them.",
)
@click.option("--ca-file", metavar="FILE", help="Certificates (PEM) to trust instead of the system's.")
@click.option(
    "--server-name", metavar="NAME", help="Name that the server's certificate carries (default the host)."
)
@click.option(
    "--verify/--no-verify",
    default=None,
    help="Check the server's certificate (default yes). Without, anybody may pose as the server.",
)
@click.option(
    "--allow-md5/--no-allow-md5",
    default=None,
    help="Send the password's MD5 also to a server that took SCRAM before and now does not (default no).",
)
@click.option(
    "--keep-alive",
    metavar="SECONDS",
    help="Time between two signs of life (default: a third of what the server asks).",
)
@click.option(
    "--triggers/--no-triggers", default=None, help="Carry out triggers (default), or only print them."
)
@click.option("--verbose", is_flag=True, help="Print what is sent and the XML of events, too.")
@click.version_option(VERSION, prog_name="astcti-client")
@click.pass_context
def main(
    context: click.Context, /, headless: bool, config: Path | None, verbose: bool, **options: Any
) -> None:
    """The AsteriskCTI client: shows the right page or program when the phone of this seat answers a call."""
    if context.invoked_subcommand is not None:
        return
    _use_plain_log(verbose)
    if headless:
        context.exit(_run_headless(_settings(config, options), verbose))
    context.exit(_run_window(config, options))


@main.command("dial")
@click.argument("number")
def dial_number(number: str) -> None:
    """Have the running client call NUMBER from this seat's phone.

    NUMBER may be written as people write it ("+39 (055) 123-45.67") or be a tel:, callto: or sip: address;
    anything with letters in it is refused. The call goes through the operator's first outbound service.

    Exit codes: 0 the server accepted the call, 1 it did not or no client is running, 2 not a number.
    """
    try:
        cleaned = clean_number(number)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    try:
        ask_running_client(cleaned)
    except NoHandOver as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"calling {cleaned}")


@main.command("register-urls")
@click.option("--remove", is_flag=True, help="Take the registration back.")
def register_urls(remove: bool) -> None:
    """Make this client the one that tel:, callto: and sip: links of other programs reach (for this user)."""
    from astcti_client.ui.desktop import url_handler

    try:
        click.echo(url_handler.unregister_url_handler() if remove else url_handler.register_url_handler())
    except url_handler.CannotRegister as error:
        raise click.ClickException(str(error)) from None


@main.command("browser-window", hidden=True)
def browser_window() -> None:
    """How a bundle without a Python of its own opens one of its browser windows."""
    from astcti_client.ui.browser.window import main as show

    code = show()
    os._exit(code)  # a thread may still wait for an address


@main.command("open-page", hidden=True)
@click.argument("url")
@click.pass_context
def open_page(context: click.Context, url: str) -> None:
    """How a bundle without a Python of its own has the system's browser open a page."""
    import webbrowser

    context.exit(0 if url.startswith(("http://", "https://")) and webbrowser.open(url) else 1)


def _run_window(config: Path | None, options: dict[str, Any]) -> int:
    file = config or user_file()
    loaded = _loaded(None if config is not None and _is_missing(config) else config, options)
    if not _display_is_there():
        raise click.ClickException(_NO_DISPLAY)
    try:
        from astcti_client.ui.app.start import NoDisplay, run_window
    except ImportError as error:
        raise click.ClickException(
            f"the window needs a part that is missing ({error}); install tkinter (Debian: apt-get install "
            "python3-tk) and pip install 'asteriskcti[client]', or run astcti-client --headless"
        ) from None
    try:
        return run_window(loaded, lambda: _loaded_again(file, options), file)
    except OtherClient:
        raise click.ClickException("another client of this user is running, without a window") from None
    except NoDisplay as error:
        raise click.ClickException(f"{_NO_DISPLAY} ({error})") from None


_NO_DISPLAY = "there is no display to open a window on; without one run: astcti-client --headless"


def _display_is_there() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY"))


def _is_missing(config: Path) -> bool:
    try:
        return not config.is_file()
    except OSError:  # a folder that this user may not enter: reading it will say so
        return False


def _loaded_again(file: Path, options: dict[str, Any]) -> LoadedSettings:
    return load_settings(
        {name.replace("_", "-"): value for name, value in options.items()}, os.environ, file, system_file()
    )


def _settings(config: Path | None, options: dict[str, Any]) -> Settings:
    return _loaded(config, options).settings


def _loaded(config: Path | None, options: dict[str, Any]) -> LoadedSettings:
    if config is not None and _is_missing(config):
        raise click.UsageError(f"--config {config}: there is no such file")
    given = {name.replace("_", "-"): value for name, value in options.items()}
    try:
        loaded = load_settings(given, os.environ, config or user_file(), system_file())
    except SettingsError as error:
        raise click.UsageError("\n".join(error.problems)) from None
    for remark in loaded.remarks:
        click.echo(f"warning: {remark}", err=True)
    return loaded


def _password(settings: Settings) -> Password:
    if settings.password is not None:
        return settings.password
    if not sys.stdin.isatty():
        raise click.UsageError(
            "no password: give --password-file, set ASTCTI_CLIENT_PASSWORD, or write password or password-"
            f"file into {user_file()}"
        )
    return Password.from_text(click.prompt(f"Password of {settings.user}", hide_input=True, err=True))


def _run_headless(settings: Settings, verbose: bool) -> int:
    if not settings.user:
        raise click.UsageError(
            f"no user name: give --user, set ASTCTI_CLIENT_USER, or write user into {user_file()}"
        )
    inbox: queue.SimpleQueue[InboxItem] = queue.SimpleQueue()
    memory = TriggerMemory(MemoryFile(pop_ups_file()))
    memory.enter(settings.place)
    connection = connection_for(settings, _password(settings), inbox, memory.position())
    return Headless(
        connection,
        inbox,
        TriggerRunner(allowed=settings.allowed_programs, memory=memory),
        memory,
        carry_out=settings.triggers,
        verbose=verbose,
        listen=listen_for_requests,
    ).run()


def window_main() -> None:
    """The entry point without a terminal: what goes wrong before there is a window is shown in one."""
    try:
        main(prog_name="astcti-client", standalone_mode=False)
    except click.ClickException as error:
        _show_failure(error.format_message())
        sys.exit(error.exit_code)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.Abort:
        sys.exit(1)


def _show_failure(text: str) -> None:
    if sys.stderr is not None:
        click.echo(f"Error: {text}", err=True)
    try:
        from tkinter import Tk, messagebox

        root = Tk()
    except Exception:  # no tkinter or no display: nothing more can be done
        return
    root.withdraw()
    messagebox.showerror("AsteriskCTI", text)
    root.destroy()


def _use_plain_log(verbose: bool) -> None:
    log_to_standard_error(logging.INFO if verbose else logging.WARNING, "%(levelname)s: %(message)s")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(
                errors="backslashreplace"
            )  # a caller's name may not fit the terminal's encoding
