#!/bin/sh
# Builds what is handed out, into dist: `build.sh dist TOOLS PYTHON SOURCE...` the wheel, the source archive and the
# bills of materials, `build.sh deb TOOLS PYTHON SOURCE...` the wheel and Debian's packages. TOOLS is an environment
# with locked/build.txt, PYTHON the distribution's. Of the same commit and for the same system the same bytes come out,
# whoever builds them, where and when: their times are the commit's.
set -eu
umask 022
export LC_ALL=C.UTF-8 TZ=UTC
what=$1 tools=$2/bin python=$3
shift 3
top=$(pwd)
work=$top/build/distribution
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct)}"
[ -n "$SOURCE_DATE_EPOCH" ] || { echo "The time of what is built is the commit's: git tells none here" >&2; exit 1; }
export SOURCE_DATE_EPOCH
version=$(sed -n 's/^VERSION = "\(.*\)"$/\1/p' schemas/version.py)

# A copy, with modes that do not come from somebody's umask, and without what an earlier build left.
rm -rf "$work"
mkdir -p "$work/source" "$work/out" dist
cp -R "$@" "$work/source"
find "$work/source" -name __pycache__ -prune -exec rm -rf {} +
chmod -R u=rwX,go=rX "$work/source"

build_wheel() {
    "$tools/python" -m build --no-isolation --outdir "$work/out" "$work/source" >"$work/wheel.log" 2>&1 ||
        { cat "$work/wheel.log" >&2; exit 1; }
    "$tools/python" packaging/same_archive.py "$work"/out/*.tar.gz
    wheel=$(echo "$work"/out/*.whl)
}

make_environment() { # make_environment NAME PROGRAM...
    name=$1
    shift
    "$tools/python" packaging/environment.py "$name" "$work/$name" "$wheel" "$python" "$tools/pip" "$@"
}

# What each program needs, of the locked versions, where its package puts it.
build_environments() {
    make_environment server astcti-server
    make_environment configurator astcti-configurator
    make_environment client astcti-client astcti-client-window
}

# What is in each environment, with licences and who needs what.
write_bills() {
    for name in server configurator client; do
        needed=$(sed -n 's/^\([a-z0-9-]*\)==.*/"\1"/p' "packaging/locked/$name.txt" | paste -s -d ,)
        printf '[project]\nname = "asteriskcti"\nversion = "%s"\nlicense = "MIT"\ndependencies = [%s]\n' \
            "$version" "$needed" >"$work/bill.toml"
        "$tools/cyclonedx-py" environment --pyproject "$work/bill.toml" --output-reproducible \
            --output-file "$work/out/asteriskcti-$name-$version.cdx.json" \
            "$work/$name/usr/lib/astcti/$name/bin/python3"
    done
}

# Before the first release of this version something lower than it, after that something higher. The time orders them.
package_version() {
    now=$(git log -1 --format=%cd --date=format-local:%Y%m%d%H%M%S).$(git rev-parse --short=8 HEAD)
    if git describe --exact-match --match "v$version" >/dev/null 2>&1; then
        echo "$version"
    elif git rev-parse --quiet --verify "refs/tags/v$version" >/dev/null; then
        echo "$version+$now"
    else
        echo "$version~$now"
    fi
}

# debhelper's tree: what stands in debian/, and beside it what goes into the packages.
build_packages() {
    : "${DEB_VERSION:=$(package_version)}"
    tree=$work/packages
    mkdir "$tree"
    cp -R packaging/debian packaging/help_files.py docs CHANGELOG.md "$tree"
    cp -R "$work/source/astcti_server/etc" "$tree/server"
    cp -R "$work/source/configurator/etc" "$tree/configurator"
    chmod -R u=rwX,go=rX "$tree"
    maintainer=$(sed -n 's/^Maintainer: //p' "$tree/debian/control")
    printf 'asteriskcti (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- %s  %s\n' "$DEB_VERSION" \
        "$maintainer" "$(date --rfc-email --date="@$SOURCE_DATE_EPOCH")" >"$tree/debian/changelog"
    (cd "$tree" && dpkg-buildpackage --build=binary --unsigned-changes --unsigned-buildinfo) >"$work/packages.log" 2>&1 ||
        { tail -n 40 "$work/packages.log" >&2; exit 1; }
    mv "$work"/*.deb "$work/out"
}

build_wheel
build_environments
write_bills
if [ "$what" = deb ]; then build_packages; fi
rm -f dist/asteriskcti* dist/SHA256SUMS
mv "$work"/out/* dist
cd dist
sha256sum asteriskcti* >SHA256SUMS
