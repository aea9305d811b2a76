#!/bin/sh
# Installs Chromium for packages/testkit/src/browser.test.ts on a Debian machine, and prints its path; does nothing where
# there is one already. Needs apt-get and root. Where packages come from is the machine's own apt configuration.
set -eu

find_it() { command -v chromium || command -v chromium-browser || command -v google-chrome-stable || command -v google-chrome; }

find_it && exit 0
command -v apt-get > /dev/null || { echo "chromium: needs apt-get" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "chromium: needs root: apt-get install chromium" >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
{
	apt-get -q update
	apt-get -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends chromium
} >&2
find_it
