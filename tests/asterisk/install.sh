#!/bin/sh
# Install what the tests with a real Asterisk need: SIPp, and two Asterisks, each in a folder of its own
# (a minimal Debian made by mmdebstrap, entered with chroot). Nothing of the machine's own Debian is replaced.
#
#   install.sh            both versions
#   install.sh 22         only that one
#
# ASTCTI_ASTERISK_CACHE  where the folders are kept (default /var/cache/astcti-test)
# ASTCTI_DEBIAN_MIRROR   the Debian archive (default: the one of the machine's own apt sources)
# ASTCTI_DEBIAN_SNAPSHOT an archive of sid as it was on a day on which it had Asterisk 22 (default: none)
#
# Asterisk 22 is in no release of Debian, but in sid. The day sid has another one, the 22 of the snapshot is
# taken, and where none is named or it cannot be reached, what sid has instead, if it is a later one.
set -eu

CACHE=${ASTCTI_ASTERISK_CACHE:-/var/cache/astcti-test}
SUITE_22=sid
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

# Where the machine's own apt has Debian from: not the security archive, nor third parties. Empty if it has none.
# What apt knows of an archive it has from the archive's Release file, that is, after an update.
apt_mirror() {
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1
}

debian_mirror() {
    mirror=${ASTCTI_DEBIAN_MIRROR:-$(apt_mirror)}
    if [ -z "$mirror" ]; then
        twice apt-get -qq update >&2 || say "apt-get update failed: is the network there?"
        mirror=$(apt_mirror)
    fi
    [ -n "$mirror" ] || fail "the apt sources name no Debian archive: name one in ASTCTI_DEBIAN_MIRROR"
    echo "${mirror%/}"
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

install_asterisk() {  # VERSION SUITE [LATER], which says that a later version does as well
    root=$CACHE/asterisk-$1
    if [ -x "$root/usr/sbin/asterisk" ]; then
        say "Asterisk $1 is there: $root"
        return 0
    fi
    mirror=$(debian_mirror) || exit 1
    snapshot=${ASTCTI_DEBIAN_SNAPSHOT:-}
    say "making $root from $2 of $mirror (about 340 MB, half a minute)"
    # Made beside and moved in whole, so that an interrupted run leaves nothing that looks complete.
    twice bootstrap "$2" "$root.new" "$mirror" || say "mmdebstrap could not make it from $2 of $mirror"
    if ! has_asterisk "$1" "$root.new" && [ -n "${3:-}" ] && [ -n "$snapshot" ]; then
        say "making $root from $snapshot"
        if twice bootstrap "$2" "$root.snapshot" "$snapshot" && has_asterisk "$1" "$root.snapshot"; then
            rm -rf "$root.new"
            mv "$root.snapshot" "$root.new"
        fi
        rm -rf "$root.snapshot"
    fi
    has_asterisk "$1" "$root.new" "${3:-}" ||
        fail "no Asterisk $1 could be made from $2 of $mirror: name another archive in ASTCTI_DEBIAN_MIRROR${3:+ or ASTCTI_DEBIAN_SNAPSHOT}"
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
        22) install_asterisk 22 "$SUITE_22" LATER ;;
        16) install_asterisk 16 "$SUITE_16" ;;
    esac
done
