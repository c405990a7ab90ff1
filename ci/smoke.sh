#!/usr/bin/env bash
# Whether a deployed function app works: it answers, it is the one that was deployed, it asks for a key, and a sample goes through the whole pipeline.
#
# By the environment: APP_URL, AKS_COPILOT_KEY (a key of the function `runs`), EXPECTED_REVISION (empty: any), SMOKE_SECONDS for each wait,
# AKS_COPILOT (the command), AKS_COPILOT_TOKEN (where callers sign in with Entra ID). The application has a name of its own each time: the same input would be the same run, done long ago.
set -euo pipefail

: "${APP_URL:?}" "${AKS_COPILOT_KEY:?}"
seconds=${SMOKE_SECONDS:-600}
command=${AKS_COPILOT:-aks-copilot}
sample=${SMOKE_SAMPLE:-samples/k3s-shop}
url=${APP_URL%/}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# By a file that only this user can read: an argument would be seen by every process on the machine.
(umask 077 && printf 'x-functions-key: %s\n' "$AKS_COPILOT_KEY" >"$work/key")
[ -z "${AKS_COPILOT_TOKEN:-}" ] || printf 'Authorization: Bearer %s\n' "$AKS_COPILOT_TOKEN" >>"$work/key"

fail() {
  echo "smoke: $1" >&2
  exit 1
}

# The status of an answer; its body is in $work/body, its headers in $work/headers.
status() {
  curl --silent --max-time 30 --dump-header "$work/headers" --output "$work/body" --write-out '%{http_code}' "$@" || true
}

revision() {
  tr -d '\r' <"$work/headers" | sed -n 's/^x-aks-copilot-revision: //Ip'
}

is_up() {
  [ "$(status "$url/api/health")" = 200 ]
}

is_the_new_one() {
  [ "$(status --header "@$work/key" "$url/api/runs")" = 200 ] && { [ -z "${EXPECTED_REVISION:-}" ] || [ "$(revision)" = "$EXPECTED_REVISION" ]; }
}

# Tries until it is so, or the time is up.
wait_until() {
  local end=$((SECONDS + seconds))
  until "$1"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 2
  done
}

wait_until is_up || fail "/api/health is not well within $seconds s: $(head -c 500 "$work/body" 2>/dev/null)"
wait_until is_the_new_one || fail "not within $seconds s: /api/runs answered by ${EXPECTED_REVISION:-the app}; it is $(revision)"
open=$(status "$url/api/runs")
[ "$open" = 401 ] || fail "/api/runs without a key answers $open, not 401"

app="smoke-$(date +%s)-$RANDOM"
run=$("$command" submit "$sample" --app "$app" --url "$url")
"$command" watch "$run" --url "$url" --timeout "$seconds" || fail "the run $run did not end well"
[ "$(status --header "@$work/key" "$url/api/runs/$run/report")" = 200 ] || fail "the run $run has no report"
jq --exit-status '.summary.fixed > 0 and .summary.refused == 0 and all(.files[]; .status != "failed")' "$work/body" >"$work/judged" ||
  fail "the report of $run is not that of the sample: $(jq --compact-output .summary "$work/body")"
echo "smoke: $run is done on $url, revision $(revision)"
