#!/bin/sh
# Runs each line of stdin as a step of a job, and tells a recipient how far it is. Redis is all it
# needs. Usage: progress.sh <recipient>
set -eu
recipient=$1
steps=$(cat)
of=$(printf '%s\n' "$steps" | wc -l | tr -d ' ')
count=0

# Text as a JSON string: backslashes and quotes are escaped, control characters become spaces.
json() { printf '"%s"' "$(printf '%s' "$1" | tr '\001-\037' ' ' | sed 's/[\\"]/\\&/g')"; }

tell() { # <step> <whether it failed>
  redis-cli -u "${REDIS_URL:-redis://localhost:6379}" -e XADD my_stream MAXLEN '~' 100000 '*' message \
    "{\"recipients\":[$(json "$recipient")],\"type\":\"progress\",\"done\":$count,\"of\":$of,\"step\":$(json "$1"),\"failed\":$2}" >/dev/null
}

tell "" false
# No pipe: it would run the loop in a shell of its own, whose failure does not end this one.
while IFS= read -r step; do
  sh -c "$step" </dev/null || { tell "$step" true; exit 1; }
  count=$((count + 1))
  tell "$step" false
done <<STEPS
$steps
STEPS
