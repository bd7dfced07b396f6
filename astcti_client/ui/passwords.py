"""Remembers a password in the system's keyring: as what the server wants to see, never on disk in clear."""

from __future__ import annotations

import logging

from astcti_client.password import Password

logger = logging.getLogger(__name__)
_SERVICE = "AsteriskCTI"


def can_remember() -> bool:
    """Whether this system has a keyring that keeps secrets."""
    try:
        import keyring
        from keyring.backends import fail

        found = keyring.get_keyring()
    except Exception as error:  # backends raise whatever their libraries raise
        logger.info("no keyring: %s", error)
        return False
    # Some add-ons write into plain files; that would be on disk in clear.
    return not isinstance(found, fail.Keyring) and not type(found).__module__.startswith("keyrings.alt")


def remembered(host: str, user: str) -> Password | None:
    """The password for this user at this server, if it was kept."""
    if not user or not can_remember():
        return None
    try:
        import keyring

        text = keyring.get_password(_SERVICE, f"{user}@{host}")
        return Password.from_text(text) if text else None
    except Exception as error:
        logger.warning("the keyring does not give the password: %s", error)
        return None


def remember(host: str, user: str, password: Password) -> bool:
    """Keep it; whether that worked."""
    if not can_remember():
        return False
    try:
        import keyring

        keyring.set_password(_SERVICE, f"{user}@{host}", f"md5:{password.md5}")
    except Exception as error:
        logger.warning("the keyring does not take the password: %s", error)
        return False
    return True


def forget(host: str, user: str) -> None:
    """Delete it, if it was kept."""
    if not can_remember():
        return
    try:
        import keyring

        if keyring.get_password(_SERVICE, f"{user}@{host}"):
            keyring.delete_password(_SERVICE, f"{user}@{host}")
    except Exception as error:
        logger.info("the keyring did not forget: %s", error)
