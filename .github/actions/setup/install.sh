#!/usr/bin/env bash
# install.sh REPOSITORY VERSION DIRECTORY: downloads ovhai of a release for this machine, checks it, and
# installs it.
set -euo pipefail
repository=$1 version=$2 directory=$3
case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) target=x86_64-unknown-linux-gnu ;;
  Linux-aarch64) target=aarch64-unknown-linux-gnu ;;
  Darwin-x86_64) target=x86_64-apple-darwin ;;
  Darwin-arm64) target=aarch64-apple-darwin ;;
  *)
    echo "error: there is no executable for $(uname -s) on $(uname -m); build it: cargo install --path . --profile dist" >&2
    exit 1
    ;;
esac
name=ovhai-$version-$target
from=${GITHUB_SERVER_URL:-https://github.com}/$repository/releases/download/$version
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
curl --fail --silent --show-error --location --retry 3 \
  --remote-name "$from/$name.tar.gz" --remote-name "$from/$name.tar.gz.sha256"
if command -v sha256sum > /dev/null; then sum=(sha256sum); else sum=(shasum -a 256); fi
"${sum[@]}" --check "$name.tar.gz.sha256" >&2
tar -xzf "$name.tar.gz"
mkdir -p "$directory"
install -m 755 "$name/ovhai" "$directory/ovhai"
echo "installed $directory/ovhai" >&2
if [ -n "${GITHUB_PATH:-}" ]; then echo "$directory" >> "$GITHUB_PATH"; fi
