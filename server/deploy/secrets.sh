#!/bin/sh
# secrets.sh [FOLDER]: makes the secrets of the profile "scale" in
# docker-compose.yml, once. The folder keeps other people out; the files in it
# can be read by the containers' users, which are not ours.
set -eu
folder=${1:-$(dirname "$0")/../../secrets}
if [ -e "$folder" ]; then
  echo "$folder is there already: the nodes and PostgreSQL know its secrets, so it stays as it is" >&2
  exit 1
fi
random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
mkdir -m 700 "$folder"
postgres=$(random)
redis=$(random)
random >"$folder/jwt"
printf %s "$postgres" >"$folder/postgres-password"
printf %s "postgres://social:$postgres@postgres:5432/social?sslmode=disable" >"$folder/database-url"
printf %s "$redis" >"$folder/redis-password"
printf %s "redis://:$redis@redis:6379" >"$folder/redis-url"
chmod 644 "$folder"/*
