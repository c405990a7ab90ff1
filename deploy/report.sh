#!/usr/bin/env bash
# Tells aks-copilot how the deployment goes: $1 is running, or empty for what deploy.sh said. A report that does not arrive fails nothing.
set -euo pipefail

[ -n "$INPUT_REPORT_URL" ] && [ "$INPUT_MODE" = apply ] || exit 0
state=${1:-${DEPLOY_STATE:-}}
[ -n "$state" ] || state=failed # a step before the deployment failed
text=$RUNNER_TEMP/aks-copilot-evidence.txt
if [ -n "${EVIDENCE_FILE:-}" ] && [ -f "$EVIDENCE_FILE" ]; then
    head -c 16000 "$EVIDENCE_FILE" | iconv -c -f utf-8 -t utf-8 >"$text"
elif [ "$state" = failed ]; then
    echo "The job failed before anything was applied; its log says why." >"$text"
else
    : >"$text"
fi
jq -n --arg state "$state" --arg url "$RUN_URL" --rawfile evidence "$text" '{state: $state, url: $url, evidence: $evidence}' >"$RUNNER_TEMP/aks-copilot-report.json"
# Key and token come by a file descriptor: a process's arguments are public on its machine.
credentials() {
    printf 'x-functions-key: %s\n' "$REPORT_KEY"
    [ -z "${INPUT_REPORT_AUDIENCE:-}" ] ||
        printf 'Authorization: Bearer %s\n' "$(az account get-access-token --resource "$INPUT_REPORT_AUDIENCE" --query accessToken --output tsv)"
}
curl --fail --silent --show-error --max-time 20 --retry 3 --retry-connrefused -X POST -H 'Content-Type: application/json' \
    -H @<(credentials) --data-binary "@$RUNNER_TEMP/aks-copilot-report.json" \
    "${INPUT_REPORT_URL%/}/api/runs/$INPUT_RUN/deployment" ||
    echo "::warning title=aks-copilot deploy::the outcome ($state) could not be reported"
