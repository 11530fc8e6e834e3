#!/usr/bin/env bash
# Installs what Choir needs beside a Swift toolchain. Run it as often as you like; it does only what is missing:
#   1. a Swift toolchain is looked for (never installed);
#   2. libvips and pkg-config come from apt;
#   3. the pinned OpenVINO wheel goes into the git-ignored .deps/openvino;
#   4. .deps/pkgconfig/openvino_c.pc says where that is, for the package manager;
#   5. the merges of CLIP's vocabulary, from a pinned wheel of OpenCLIP, go into the git-ignored file
#      Sources/ChoirModels/Resources/CLIP/merges.txt.
set -euo pipefail

readonly openvino_version=2026.4.1
readonly open_clip_version=3.3.0
readonly swift_minimum=6.2
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
readonly root
readonly deps=$root/.deps
readonly merges=$root/Sources/ChoirModels/Resources/CLIP/merges.txt

say() { printf 'setup: %s\n' "$*" >&2; }
fail() {
    say "$*"
    exit 1
}

# Prints nothing and returns 0 when version $1 is at least version $2.
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

check_swift() {
    PATH=$PATH:/opt/swift/usr/bin:/usr/local/swift/usr/bin:${HOME:-/root}/.local/share/swiftly/bin
    command -v swift >/dev/null 2>&1 ||
        fail "no Swift toolchain found: install Swift $swift_minimum or newer from https://swift.org/install and put it on PATH."
    local found
    found=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1)
    at_least "${found:-0}" "$swift_minimum" ||
        fail "Swift ${found:-of unknown version} found, but Choir needs Swift $swift_minimum or newer: see https://swift.org/install."
}

has_vips() { command -v pkg-config >/dev/null 2>&1 && pkg-config --exists vips; }
has_pip() { python3 -m pip --version >/dev/null 2>&1; }
has_venv() { python3 -c 'import ensurepip, venv' >/dev/null 2>&1; }
has_openvino() { [ -d "$deps/openvino/openvino-$openvino_version.dist-info" ]; }
has_vocabulary() { [ -s "$merges" ]; }

install_system_packages() {
    local missing=()
    command -v pkg-config >/dev/null 2>&1 || missing+=(pkg-config)
    has_vips || missing+=(libvips-dev)
    if ! has_openvino || ! has_vocabulary; then
        command -v python3 >/dev/null 2>&1 || missing+=(python3)
        has_pip || has_venv || missing+=(python3-pip)
    fi
    [ ${#missing[@]} -gt 0 ] || return 0

    command -v apt-get >/dev/null 2>&1 ||
        fail "this system has no apt-get: install pkg-config, the libvips development files and Python 3 with pip, then run this again."
    local privileged=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null 2>&1 ||
            fail "run this as root or install sudo: ${missing[*]} must be installed with apt-get."
        privileged=(sudo)
    fi
    say "installing ${missing[*]} with apt-get"
    # "${a[@]+…}" because an empty array counts as unset in old bash.
    ${privileged[@]+"${privileged[@]}"} apt-get update -qq ||
        fail "apt-get update failed: check the network and the package sources, then run this again."
    ${privileged[@]+"${privileged[@]}"} env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2 ||
        fail "apt-get could not install ${missing[*]}: see its message above."
    has_vips || fail "pkg-config still does not find vips after installing ${missing[*]}."
}

# Unpacks the wheel $1, without what it depends on, into $2/tree.
unpack_wheel() {
    local wheel=$1 partial=$2 python=python3
    rm -rf "$partial"
    mkdir -p "$partial"
    if ! has_pip; then
        python3 -m venv "$partial/venv" || fail "python3 could not make a virtual environment: install python3-venv."
        python=$partial/venv/bin/python
    fi
    # No Python code of it is run, so any wheel does: one Python version is named in order that every machine, whatever
    # its own Python, gets the same files.
    "$python" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-compile --no-deps \
        --only-binary=:all: --python-version 3.12 --target "$partial/tree" "$wheel" >&2 ||
        fail "pip could not install $wheel: check the network and that this is 64-bit Linux, then run this again."
}

install_openvino() {
    has_openvino && return 0
    say "installing OpenVINO $openvino_version into .deps/openvino (about 180 MB)"
    local partial=$deps/openvino.partial
    unpack_wheel "openvino==$openvino_version" "$partial"

    local library
    library=$(cd "$partial/tree/openvino/libs" && ls libopenvino_c.so.* 2>/dev/null | head -n 1)
    [ -n "$library" ] || fail "the openvino wheel has no libopenvino_c.so: is this Linux?"
    ln -s "$library" "$partial/tree/openvino/libs/libopenvino_c.so"

    # The rename is the installation: an interrupted run leaves only openvino.partial, which the next one removes.
    rm -rf "$deps/openvino"
    mv "$partial/tree" "$deps/openvino"
    rm -rf "$partial"
}

# The file in the wheel has a longer list; CLIP's vocabulary has its first 48 894 merges, which follow a line of its own.
install_vocabulary() {
    has_vocabulary && return 0
    say "installing CLIP's vocabulary into ${merges#"$root/"} (a download of 1.5 MB)"
    local partial=$deps/open_clip.partial
    unpack_wheel "open_clip_torch==$open_clip_version" "$partial"
    gunzip -c "$partial/tree/open_clip/bpe_simple_vocab_16e6.txt.gz" | sed -n '2,48895p' >"$partial/merges.txt" ||
        fail "the open_clip_torch wheel has no vocabulary that gunzip can read."
    mv "$partial/merges.txt" "$merges"
    rm -rf "$partial"
}

write_pkg_config() {
    local file=$deps/pkgconfig/openvino_c.pc prefix
    # pkg-config splits at blanks.
    prefix=$(printf '%s' "$deps/openvino/openvino" | sed 's/ /\\ /g')
    local text="prefix=$prefix

Name: openvino_c
Description: OpenVINO C API (from the wheel in .deps)
Version: $openvino_version
Cflags: -I\${prefix}/include
Libs: -L\${prefix}/libs -lopenvino_c"
    # An unchanged file keeps its date, and the package manager its plan.
    [ -f "$file" ] && [ "$(cat "$file")" = "$text" ] && return 0
    mkdir -p "$deps/pkgconfig"
    printf '%s\n' "$text" >"$file.partial"
    mv "$file.partial" "$file"
}

check_swift
mkdir -p "$deps"
# Two runs at once (make demo beside make test) take turns.
if command -v flock >/dev/null 2>&1; then
    exec 9>"$deps/.lock"
    flock 9
fi
install_system_packages
install_openvino
install_vocabulary
write_pkg_config
