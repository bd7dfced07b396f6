#!/bin/sh
# What the tests need of the system, besides Python: a browser, a screen without a monitor, and Asterisk.
# As root it installs what is missing; as another user the tests that need it are left out.
set -eu

if [ "$(id -u)" != 0 ]; then
    echo "Not root: tests that need Asterisk, a browser or a screen run only if those are there." >&2
    exit 0
fi

export DEBIAN_FRONTEND=noninteractive
missing=""
need() { # need PROGRAM PACKAGE...
    program=$1
    shift
    command -v "$program" >/dev/null || missing="$missing $*"
}
need openssl openssl
need systemd-analyze systemd
/usr/bin/python3 -c 'import seccomp' 2>/dev/null || missing="$missing python3-seccomp"
need chromium chromium fonts-noto-core
need npm npm
need promtool prometheus
need nginx nginx-light
need apache2 apache2-bin
need caddy caddy
need Xvfb xvfb
need openbox openbox
need trayer trayer
need man man-db
need mandoc mandoc
need zsh zsh
need xdotool xdotool
need xprop x11-utils
need xsetroot x11-xserver-utils
need dbus-run-session dbus
need gnome-keyring-daemon gnome-keyring
need xdg-open xdg-utils
need gio libglib2.0-bin
need desktop-file-validate desktop-file-utils
need appstreamcli appstream
need dh debhelper
need lintian lintian
need mmdebstrap mmdebstrap
/usr/bin/python3 -c 'import tkinter' 2>/dev/null || missing="$missing python3-tk"
# Qt's web view, for the client's own browser window.
for library in libnss3 libasound2 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libegl1; do
    ldconfig -p | grep -q "$(echo "$library" | sed 's/0$//; s/[0-9]*$//; s/-$//')" || missing="$missing $library"
done
if [ -n "$missing" ]; then
    echo "Installing:$missing" >&2
    apt-get update -qq
    # shellcheck disable=SC2086  # a list of words
    apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi
exec "$(dirname "$0")/asterisk/install.sh"
