#!/usr/bin/env bash
# What the action does once aks-copilot is installed: annotations and a diff in the log, SARIF and reports as files, counts as outputs.
#
# Everything comes by the environment (action.yml), so that no input is ever part of a script. What is printed from manifests cannot
# give the runner commands: annotations are escaped by aks-copilot, the diff is printed while commands are stopped.
set -euo pipefail

copilot=${AKS_COPILOT:-aks-copilot}
reports=$(mktemp -d "$RUNNER_TEMP/aks-copilot-XXXXXX")
summary_bytes=900000 # GitHub shows at most 1 MiB of one step

common=(--source "$INPUT_SOURCE" --fail-on "$INPUT_FAIL_ON")
[ -z "$INPUT_TARGET" ] || common+=(--target "$INPUT_TARGET")
[ -z "$INPUT_KNOWLEDGE" ] || common+=(--knowledge "$INPUT_KNOWLEDGE")
[ -z "$INPUT_BASELINE" ] || common+=(--baseline "$INPUT_BASELINE")

# Runs aks-copilot with its standard output in file $1; 0 and 1 are answers, anything else ends the step with the program's own words.
answer() {
    local file=$1 code=0
    shift
    "$copilot" "$@" -- "$INPUT_PATH" >"$file" || code=$?
    [ "$code" -le 1 ] || exit "$code"
    return "$code"
}

inspected=0 fixed=0
answer "$reports/annotations.txt" inspect "${common[@]}" --format github || inspected=$?
answer "$reports/code-scanning.sarif" inspect "${common[@]}" --format sarif || inspected=$?
answer "$reports/changes.txt" fix "${common[@]}" --diff --report-dir "$reports" || fixed=$?

# Accepted findings would become alerts: code scanning does not read their suppressions.
jq -c '.runs[].results |= map(select((.suppressions // []) == []))' "$reports/code-scanning.sarif" >"$reports/upload.sarif"
mv "$reports/upload.sarif" "$reports/code-scanning.sarif"

case " $INPUT_FORMAT " in *" github "*) cat "$reports/annotations.txt" ;; esac

if [ "$INPUT_DIFF" = true ] && [ -s "$reports/changes.txt" ]; then
    token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    echo "::group::What aks-copilot fix would change"
    echo "::stop-commands::$token"
    cat "$reports/changes.txt"
    echo "::$token::"
    echo "::endgroup::"
fi
rm "$reports/annotations.txt" "$reports/changes.txt"

code=$inspected
[ "$INPUT_ALLOW_FIXABLE" != true ] || code=$fixed

{
    jq -r '.summary | "files=\(.files)", "findings=\(.violations)", "fixable=\(.fixed)", "suggested=\(.suggested)",
        "needs-human=\(.needsHuman)", "refused=\(.refused)"' "$reports/report.json"
    echo "report-dir=$reports"
    echo "sarif-file=$reports/code-scanning.sarif"
    echo "exit-code=$code"
} >>"$GITHUB_OUTPUT"

if [ "$(wc -c <"$reports/report.md")" -le "$summary_bytes" ]; then
    cat "$reports/report.md" >>"$GITHUB_STEP_SUMMARY"
else
    { head -c "$summary_bytes" "$reports/report.md" | sed '$d'; printf '\nThe report is longer; the file report.md has all of it.\n'; } >>"$GITHUB_STEP_SUMMARY"
fi
