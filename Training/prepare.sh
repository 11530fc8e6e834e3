#!/bin/sh
# The training data of Cosmos from a bare Debian 12 machine: the package by name and checksum, then prepare.py.
#
#     sh prepare.sh DIRECTORY        (needs about 2 GB there; writes DIRECTORY/data)
#
# Uses the Python that $PYTHON names (default python3), which needs numpy and pillow: see README.md.
set -eu

version=0.22.2-1
checksum=45aaebf39a814acbd6dcccea058c2f5651bcb5635599da03a215feeb51f4d5a5
here=$(cd "$(dirname "$0")" && pwd)
target=${1:?which directory?}

mkdir -p "$target"
cd "$target"
package=stellarium-data_${version}_all.deb
if [ ! -f "$package" ]; then
    apt-get download "stellarium-data=$version" || {
        echo "apt offers no stellarium-data $version (Debian 12): put $package from snapshot.debian.org into $target" >&2
        exit 1
    }
fi
echo "$checksum  $package" | sha256sum --check --strict
dpkg-deb --extract "$package" package
"${PYTHON:-python3}" "$here/prepare.py" --package package --output data
