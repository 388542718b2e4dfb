#!/bin/sh
# Install the Debian packages that the window and its tests need, where any is missing.
# Without root it prints the one line to run and goes on; it does nothing on other systems.
set -eu
list="$(dirname "$0")/system-packages.txt"
command -v dpkg-query >/dev/null 2>&1 || exit 0
missing=""
for name in $(grep -v '^#' "$list"); do
    dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q "ok installed" || missing="$missing $name"
done
[ -z "$missing" ] && exit 0
install="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" = 0 ]; then
    apt-get update && $install
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    sudo apt-get update && sudo $install
else
    echo "System packages are missing. Run this once, then start again:" >&2
    echo "    sudo apt-get update && sudo $install" >&2
    exit 2
fi
