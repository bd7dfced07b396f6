#!/bin/sh
# Install what the tests with a real Asterisk need: SIPp, and two Asterisks, each in a folder of its own
# (a minimal Debian made by mmdebstrap, entered with chroot). Nothing of the machine's own Debian is replaced.
#
#   install.sh            both versions
#   install.sh 22         only that one
#
# ASTCTI_ASTERISK_CACHE  where the folders are kept (default /var/cache/astcti-test)
# ASTCTI_DEBIAN_MIRROR   the Debian mirror (default: the one the machine's own apt sources name)
#
# Asterisk 22 is in no release of Debian, but in sid. The day sid has another one, or none, the 22 of a
# snapshot of sid is taken, and where that cannot be reached, what sid has instead, if it is a later one.
set -eu

CACHE=${ASTCTI_ASTERISK_CACHE:-/var/cache/astcti-test}
SUITE_22=sid
SNAPSHOT_22=http://snapshot.debian.org/archive/debian/20261030T120000Z
SUITE_16=bullseye
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

say() { echo "install.sh: $*" >&2; }
fail() { say "$*"; exit 1; }

# One attempt fails now and then on a busy mirror; two in a row mean that something is wrong.
twice() {
    "$@" && return 0
    say "failed, trying once more: $*"
    sleep 3
    "$@"
}

# Each URI of a binary source, from deb822 .sources and from one-line .list files.
apt_uris() {
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -r "$file" ] || continue
        awk 'BEGIN { RS = ""; FS = "\n" }
             {
                 types = uris = ""; enabled = "yes"
                 for (i = 1; i <= NF; i++) {
                     if ($i ~ /^#/) continue
                     key = tolower($i); sub(/:.*/, "", key)
                     value = $i; sub(/^[^:]*:[ \t]*/, "", value)
                     if (key == "types") types = " " value " "
                     else if (key == "uris") uris = value
                     else if (key == "enabled") enabled = tolower(value)
                 }
                 if (types ~ / deb / && enabled != "no") print uris
             }' "$file" | tr ' \t' '\n\n'
    done
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -r "$file" ] || continue
        sed -n 's/^[[:space:]]*deb[[:space:]]\{1,\}\(\[[^]]*\][[:space:]]*\)\{0,1\}\([^[:space:]]\{1,\}\).*/\2/p' "$file"
    done
}

debian_mirror() {
    if [ -n "${ASTCTI_DEBIAN_MIRROR:-}" ]; then
        echo "$ASTCTI_DEBIAN_MIRROR"
        return
    fi
    # Not the security archive (debian-security), nor third parties below somebody's /debian.
    mirror=$(apt_uris | grep -E '^(https?|ftp|file|copy)://?.*/debian/?$' | head -n 1)
    if [ -z "$mirror" ]; then
        mirror=http://deb.debian.org/debian
        say "the apt sources name no Debian mirror, using $mirror"
    fi
    echo "$mirror"
}

# What the machine itself must have; apt is only asked when something is missing.
install_tools() {
    wanted=
    command -v mmdebstrap >/dev/null || wanted="$wanted mmdebstrap"
    command -v sipp >/dev/null || wanted="$wanted sip-tester"
    command -v openssl >/dev/null || wanted="$wanted openssl"
    [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || wanted="$wanted debian-archive-keyring"
    [ -n "$wanted" ] || return 0
    say "installing:$wanted"
    twice apt-get -qq update || fail "apt-get update failed: is the network there?"
    # shellcheck disable=SC2086  # a list of words
    twice apt-get -qq install -y --no-install-recommends $wanted || fail "apt-get could not install:$wanted"
}

bootstrap() {  # SUITE FOLDER MIRROR
    rm -rf "$2"
    mmdebstrap --quiet --variant=minbase --include=asterisk,asterisk-modules \
        --aptopt='APT::Install-Recommends "false"' \
        --aptopt='Acquire::Check-Valid-Until "false"' \
        --aptopt='Acquire::Retries "3"' \
        --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
        --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        "$1" "$2" "$3"
}

# Whether the folder has an Asterisk that starts and is of this version, or LATER than it; says what it found.
has_asterisk() {  # VERSION FOLDER [LATER]
    [ -x "$2/usr/sbin/asterisk" ] || return 1
    found=$(chroot "$2" asterisk -V) || { say "the Asterisk in $2 does not start"; return 1; }
    number=${found#Asterisk }
    number=${number%%.*}
    [ "$number" = "$1" ] && return 0
    [ -n "${3:-}" ] && [ "$number" -gt "$1" ] 2>/dev/null && return 0
    say "'$found' is in $2, Asterisk $1 is wanted"
    return 1
}

install_asterisk() {  # VERSION SUITE [SNAPSHOT]
    root=$CACHE/asterisk-$1
    if [ -x "$root/usr/sbin/asterisk" ]; then
        say "Asterisk $1 is there: $root"
        return 0
    fi
    mirror=$(debian_mirror)
    say "making $root from $2 of $mirror (about 340 MB, half a minute)"
    # Made beside and moved in whole, so that an interrupted run leaves nothing that looks complete.
    twice bootstrap "$2" "$root.new" "$mirror" || say "mmdebstrap could not make it from $2 of $mirror"
    if ! has_asterisk "$1" "$root.new" && [ -n "${3:-}" ]; then
        say "making $root from $3"
        if twice bootstrap "$2" "$root.snapshot" "$3" && has_asterisk "$1" "$root.snapshot"; then
            rm -rf "$root.new"
            mv "$root.snapshot" "$root.new"
        fi
        rm -rf "$root.snapshot"
    fi
    has_asterisk "$1" "$root.new" "${3:+LATER}" || fail "no Asterisk $1 could be made from $2 of $mirror"
    rm -rf "$root.new/var/cache/apt" "$root.new/var/lib/apt/lists"
    mv "$root.new" "$root"
    say "$found is in $root"
}

[ "$(id -u)" -eq 0 ] || fail "must be run as root (it uses apt-get, mmdebstrap and chroot)"
command -v apt-get >/dev/null || fail "this needs Debian or a system made from it: there is no apt-get"
for version in "$@"; do
    case $version in 16 | 22) ;; *) fail "unknown version '$version': 16 and 22 can be installed" ;; esac
done

mkdir -p "$CACHE"
exec 9>"$CACHE/.lock"
flock 9 # a second run waits for the first and then finds everything there
install_tools
for version in ${*:-22 16}; do
    case $version in
        22) install_asterisk 22 "$SUITE_22" "$SNAPSHOT_22" ;;
        16) install_asterisk 16 "$SUITE_16" ;;
    esac
done
