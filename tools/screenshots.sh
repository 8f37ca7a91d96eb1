#!/usr/bin/env bash
# Makes the pictures in docs/ anew. Needs root, unshare, a Chromium and pngquant, and is best looked at with a font such as Inter.
# The machine is dressed up in namespaces of its own, so that the pictures name no real one.
set -euo pipefail
cd "$(dirname "$0")/.."
docs=$PWD/docs
pictures=$(mktemp -d)
trap 'rm -rf "$pictures"' EXIT
export SKULK_SCREENSHOTS=$pictures SKULK_SCREENSHOTS_STORE=/srv/models SKULK_SCREENSHOTS_HOME=/home/anna/skulk
unshare --uts --net --mount bash -euc '
  hostname mac-studio-1
  ip link set lo up && ip address add 192.168.1.10/24 dev lo
  mount -t tmpfs -o size=2T tmpfs /srv && mount -t tmpfs -o size=1T tmpfs /home
  mkdir -p /srv/models
  npx vitest run --project camera
'
mkdir -p "$docs"
# Only those that a page shows.
for name in store-light store-dark details-dark add-light nodes-light activity-light settings-dark first-start-light; do
  pngquant --force --quality 80-100 --speed 1 --strip --output "$docs/$name.png" "$pictures/$name.png"
done
ls -l "$docs"
