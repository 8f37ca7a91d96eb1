#!/bin/sh
# Installs skulk for this user from a release: a directory or URL with SHA256SUMS and the archives. It needs no Node and no root.
set -eu

usage() {
  cat <<'END'
Usage: sh install.sh [--from DIR-OR-URL] [--prefix DIR]
       sh install.sh --uninstall [--prefix DIR]

  --from DIR-OR-URL  where the release is (or the environment variable SKULK_RELEASE_URL); default: the directory of install.sh
  --prefix DIR       where to install: DIR/lib/skulk, DIR/bin/skulk, DIR/share/man (default ~/.local)
  --uninstall        remove what this script installed; models, keys and configuration stay

The archive is checked against SHA256SUMS of the same place before anything is unpacked.
END
}

fail() {
  echo "install.sh: $1" >&2
  exit "${2:-1}"
}

# The whole script is read before anything happens: a download of it that was cut off does nothing.
main() {
  from=${SKULK_RELEASE_URL:-@RELEASE_URL@}
  prefix=${HOME:-}/.local
  uninstall=false
  while [ $# -gt 0 ]; do
    case $1 in
      --from) [ $# -gt 1 ] || fail '--from needs a directory or URL' 2; from=$2; shift ;;
      --prefix) [ $# -gt 1 ] || fail '--prefix needs a directory' 2; prefix=$2; shift ;;
      --uninstall) uninstall=true ;;
      -h | --help) usage; exit 0 ;;
      *) usage >&2; fail "unknown argument: $1" 2 ;;
    esac
    shift
  done
  case $prefix in
    /.local) fail 'HOME is not set; name a directory with --prefix' 2 ;;
    /*) ;;
    *) prefix=$PWD/$prefix ;;
  esac
  place=$prefix/lib/skulk
  program=$prefix/bin/skulk
  require_own
  if $uninstall; then remove; else install; fi
}

# Replaces and removes only what it made: the marker is in each archive, and the link points there.
require_own() {
  if [ -e "$place" ] || [ -L "$place" ]; then
    if [ -L "$place" ] || [ ! -f "$place/.skulk-release" ]; then fail "$place was not made by this script; move it away, or choose another --prefix" 5; fi
  fi
  if [ -L "$program" ]; then
    [ "$(readlink "$program")" = ../lib/skulk/bin/skulk ] || fail "$program is a link to $(readlink "$program"); move it away, or choose another --prefix" 5
  elif [ -e "$program" ]; then
    fail "$program was not made by this script; move it away, or choose another --prefix" 5
  fi
}

remove() {
  [ -e "$place" ] || { echo "nothing to do: skulk is not installed in $prefix"; return; }
  remove_pages
  rm -f "$program"
  rm -rf "$place"
  echo "removed skulk from $prefix; models, keys and configuration are still in ~/.skulk and in the directories that you configured"
}

remove_pages() {
  for page in "$prefix"/share/man/man1/skulk*.1 "$prefix"/share/man/man5/skulk*.5; do
    [ -L "$page" ] || continue
    case $(readlink "$page") in ../../../lib/skulk/*) rm -f "$page" ;; esac
  done
}

install() {
  case $from:$0 in
    @*:*install.sh) [ ! -f "$(dirname "$0")/SHA256SUMS" ] || from=$(dirname "$0") ;;
  esac
  case $from in
    @*) fail 'where is the release? name its directory or URL with --from' 2 ;;
  esac
  system=$(uname -s) machine=$(uname -m)
  case $system-$machine in
    Linux-x86_64 | Linux-amd64) target=linux-x64 ;;
    Linux-aarch64 | Linux-arm64) target=linux-arm64 ;;
    Darwin-arm64) target=darwin-arm64 ;;
    *) fail "no archive for $system on $machine; install the npm package with Node 24 instead" 2 ;;
  esac
  mkdir -p "$prefix/lib" "$prefix/bin"
  begin
  trap put_back EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  get SHA256SUMS
  archive=$(sed -n "s/^[0-9a-f]\{64\}  \(skulk-[0-9][0-9A-Za-z.+-]*-$target\.tar\.gz\)\$/\1/p" "$work/SHA256SUMS")
  [ "$(echo "$archive" | grep -c .)" = 1 ] || fail "$from/SHA256SUMS does not name one archive for $target"
  get "$archive"
  (cd "$work" && grep -F "  $archive" SHA256SUMS > expected && check expected) ||
    fail "$archive is not what SHA256SUMS says; nothing was installed"
  mkdir "$work/new"
  tar -xzf "$work/$archive" -C "$work/new" --strip-components 1
  version=$("$work/new/bin/skulk" --version) || fail "the skulk in $archive does not run on this machine; nothing was installed"
  if [ -d "$place" ]; then mv "$place" "$work/old"; fi
  mv "$work/new" "$place" || fail "$place could not be written"
  ln -sf ../lib/skulk/bin/skulk "$program"
  link_pages
  echo "installed $version as $program"
  case :$PATH: in
    *":$prefix/bin:"*) ;;
    *) echo "next: put it on your PATH: export PATH=\"$prefix/bin:\$PATH\"" ;;
  esac
  if [ -d "$work/old" ]; then
    echo 'next: restart a running server: skulk service restart, or end `skulk serve` and start it again'
  else
    echo 'next: skulk --help'
  fi
}

# One installation at a time. What a killed one left is put in order first.
begin() {
  work=$prefix/lib/.skulk-install
  if ! mkdir "$work" 2> /dev/null; then
    other=$(cat "$work/pid" 2> /dev/null || true)
    if [ -z "$other" ] || kill -0 "$other" 2> /dev/null; then
      fail "another installation into $prefix is running; if there is none, remove $work" 5
    fi
    put_back
    mkdir "$work" || fail "$work cannot be made"
  fi
  echo $$ > "$work/pid"
}

# An installation that ended between the two renames has its old version again.
put_back() {
  if [ -d "$work/old" ] && [ ! -e "$place" ]; then mv "$work/old" "$place"; fi
  rm -rf "$work"
}

link_pages() {
  remove_pages
  for section in 1 5; do
    mkdir -p "$prefix/share/man/man$section"
    for page in "$place/app/man"/*."$section"; do
      [ -f "$page" ] || continue
      name=$(basename "$page")
      [ -e "$prefix/share/man/man$section/$name" ] || ln -s "../../../lib/skulk/app/man/$name" "$prefix/share/man/man$section/$name"
    done
  done
}

get() {
  case $from in
    http://* | https://*)
      if command -v curl > /dev/null; then
        curl -fsSL --retry 3 -o "$work/$1" "$from/$1" || fail "$from/$1 could not be downloaded"
      elif command -v wget > /dev/null; then
        wget -q -O "$work/$1" "$from/$1" || fail "$from/$1 could not be downloaded"
      else
        fail 'curl or wget is needed to download the release' 2
      fi
      ;;
    *) cp "$from/$1" "$work/$1" 2> /dev/null || fail "$from/$1 could not be read" 2 ;;
  esac
}

check() {
  if command -v sha256sum > /dev/null; then sha256sum -c "$1" > /dev/null 2>&1; else shasum -a 256 -c "$1" > /dev/null 2>&1; fi
}

main "$@"
