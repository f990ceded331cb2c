#!/bin/sh
# The edit loop. The server is rebuilt and restarted when one of its files
# changes; Next.js serves the pages on port 3001, reloads them by itself and
# passes /api on to the server.
set -eu
cd "$(dirname "$0")/.."
mkdir -p bin

# The browser's origin is Next's, which is not the server's own.
export ALLOWED_ORIGINS="${ALLOWED_ORIGINS:-http://localhost:3001}"
export LOG_LEVEL="${LOG_LEVEL:-debug}"

binary=bin/social-server-dev
stamp=bin/.dev-stamp
server=
pages=

stop() {
  trap - INT TERM EXIT
  for pid in $server $pages; do
    kill "$pid" 2>/dev/null || true
  done
  wait
}
trap stop EXIT
trap 'stop; exit 0' INT TERM

changed() {
  [ ! -e "$stamp" ] || [ -n "$(find server -type f \( -name '*.go' -o -name '*.sql' -o -name '*.json' -o -name go.mod \) \
    ! -name '*_test.go' ! -path '*/testdata/*' ! -path '*/dist/*' -newer "$stamp" | head -n 1)" ]
}

restart() {
  touch "$stamp"
  if ! (cd server && go build -o "../$binary" .); then
    echo "dev: the server does not build; the old one runs on" >&2
    return 0
  fi
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" || true
  fi
  "./$binary" &
  server=$!
}

rm -f "$stamp"
restart
(cd client && exec node_modules/.bin/next dev -H localhost -p 3001) &
pages=$!
while kill -0 "$pages" 2>/dev/null; do
  sleep 1
  if changed; then
    echo "dev: the server changed" >&2
    restart
  fi
done
