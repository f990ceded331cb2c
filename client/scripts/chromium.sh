#!/bin/sh
# Prints the path of a Chromium that the browser tests can drive, installing
# Debian's where there is none. CHROMIUM_PATH names one's own.
set -eu
for candidate in "${CHROMIUM_PATH:-}" chromium chromium-browser google-chrome; do
  if [ -n "$candidate" ] && command -v "$candidate"; then
    exit 0
  fi
done
# Without a font, text is drawn as boxes.
if ! sh "$(dirname "$0")/../../.ci/need.sh" chromium chromium fonts-liberation; then
  echo "or set CHROMIUM_PATH to a Chromium or Chrome" >&2
  exit 1
fi
command -v chromium
