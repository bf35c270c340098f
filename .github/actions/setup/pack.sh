#!/usr/bin/env bash
# pack.sh EXECUTABLE VERSION TARGET DIRECTORY: makes the archive of a release, and its checksum.
set -euo pipefail
executable=$1 version=$2 target=$3 directory=$4
name=ovhai-$version-$target
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/$name"
install -m 755 "$executable" "$scratch/$name/ovhai"
cp "$(dirname "$0")/../../../LICENSE" "$scratch/$name/"
mkdir -p "$directory"
tar -C "$scratch" -czf "$directory/$name.tar.gz" "$name"
cd "$directory"
if command -v sha256sum > /dev/null; then sum=(sha256sum); else sum=(shasum -a 256); fi
"${sum[@]}" "$name.tar.gz" > "$name.tar.gz.sha256"
