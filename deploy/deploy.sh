#!/usr/bin/env bash
# Applies one folder to one namespace: render, refuse what is not the namespace's own, server-side dry run, apply, wait for the rollouts.
#
# One attempt. What goes wrong leaves evidence: the error, the states of containers, the events. Neither logs nor environment variables nor
# Secrets are looked at, so evidence shows none. Objects lie in RUNNER_TEMP and are never printed: some may be Secrets.
set -euo pipefail

work=$(mktemp -d "$RUNNER_TEMP/aks-copilot-deploy-XXXXXX")
evidence=$work/evidence.txt
errors=$work/errors.txt
system="kube-system kube-public kube-node-lease gatekeeper-system app-routing-system aks-istio-system aks-istio-ingress azure-arc"
events_shown=30

finish() {
    echo "state=$1" >>"$GITHUB_OUTPUT"
    echo "evidence-file=$evidence" >>"$GITHUB_OUTPUT"
    rm -f "$work"/*.json "$work/rendered.yaml"
    [ "$1" = succeeded ]
}

# Prints standard input while the runner takes no commands from it: names and messages come from manifests and from the cluster.
show() {
    local token
    token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    echo "::stop-commands::$token"
    cat
    echo
    echo "::$token::"
}

# fail MESSAGE: the first line of the evidence, then what the last command said.
fail() {
    {
        echo "$1"
        [ ! -s "$errors" ] || head -c 4000 "$errors"
        [ "${2:-}" != cluster ] || { echo; describe; }
    } >"$evidence" 2>/dev/null || true
    echo "::error title=aks-copilot deploy::$(printf '%s' "$1" | tr '\r\n' '  ' | sed 's/%/%25/g')"
    show <"$evidence"
    finish failed
    exit 1
}

# What the cluster says of the namespace's pods and what happened to them. Texts of containers' environment are not part of it.
describe() {
    echo "Pods:"
    kubectl get pods -n "$INPUT_NAMESPACE" -o json | jq -r '.items[] | . as $pod
        | ((.status.containerStatuses // []) + (.status.initContainerStatuses // []))[]
        | select(.ready | not)
        | "  \($pod.metadata.name) \(.name): " + ([
            (.state.waiting // {} | [.reason, .message] | map(select(. != null)) | join(": ")),
            (.lastState.terminated // .state.terminated // {} | select(.reason) | "exit \(.exitCode) \(.reason)"),
            "restarts \(.restartCount)"] | map(select(. != "" and . != null)) | join(", "))'
    kubectl get pods -n "$INPUT_NAMESPACE" -o json | jq -r '.items[] | . as $pod | (.status.conditions // [])[]
        | select(.type == "PodScheduled" and .status == "False") | "  \($pod.metadata.name): not scheduled: \(.message)"'
    echo "Events:"
    kubectl get events -n "$INPUT_NAMESPACE" -o json | jq -r --argjson shown "$events_shown" '[.items[] | select(.type != "Normal")]
        | sort_by(.lastTimestamp // .eventTime // "") | .[-$shown:][]
        | "  \(.involvedObject.kind)/\(.involvedObject.name) \(.reason): \(.message)"'
}

check_inputs() {
    : >"$errors"
    case $INPUT_MODE in apply | dry-run) ;; *) fail "mode is apply or dry-run" ;; esac
    [[ $INPUT_NAMESPACE =~ ^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$ ]] || fail "the namespace is no name of a namespace"
    for name in $system; do
        [ "$name" != "$INPUT_NAMESPACE" ] || fail "$name is one of the cluster's own namespaces"
    done
    [[ $INPUT_TIMEOUT =~ ^[0-9]{1,5}$ ]] || fail "timeout is a number of seconds"
    folder=$(realpath -e -- "$GITHUB_WORKSPACE/$INPUT_PATH" 2>"$errors") || fail "the folder is not there"
    case $folder/ in "$(realpath -e "$GITHUB_WORKSPACE")"/*) ;; *) fail "the folder lies outside of the checkout" ;; esac
    [ -d "$folder" ] || fail "the path is no folder"
}

# The commit must be on the branch that it was merged into: an approval of one commit is none of another.
check_commit() {
    [ -n "$INPUT_COMMIT" ] || return 0
    [ "$(git -C "$GITHUB_WORKSPACE" rev-parse HEAD 2>"$errors")" = "$INPUT_COMMIT" ] || fail "the checkout is not the commit to deploy"
    [ -z "$INPUT_REF" ] || git -C "$GITHUB_WORKSPACE" merge-base --is-ancestor "$INPUT_COMMIT" "refs/remotes/origin/$INPUT_REF" 2>"$errors" ||
        fail "the commit is not on the branch it was merged into"
}

render() {
    local kustomization
    for kustomization in kustomization.yaml kustomization.yml Kustomization; do
        if [ -f "$folder/$kustomization" ]; then
            kubectl kustomize "$folder" >"$work/rendered.yaml" 2>"$errors" || fail "the kustomization does not build"
            return
        fi
    done
    (cd "$folder" && find . -type f \( -name '*.yaml' -o -name '*.yml' -o -name '*.json' \) -not -path '*/.*' -print0) | sort -z |
        while IFS= read -r -d '' file; do
            printf -- '\n---\n'
            cat -- "$folder/$file"
        done >"$work/rendered.yaml"
}

# The objects as JSON, in a List. Nothing is sent: the server is only asked which kinds it has.
read_objects() {
    kubectl create --dry-run=client --validate=false -n "$INPUT_NAMESPACE" -o json -f "$work/rendered.yaml" >"$work/stream.json" 2>"$errors" ||
        fail "the manifests cannot be read"
    jq -s '{apiVersion: "v1", kind: "List", items: [.[] | if .kind == "List" then .items[] else . end]}' "$work/stream.json" >"$work/all.json"
    [ "$(jq '.items | length' "$work/all.json")" -gt 0 ] || fail "the folder holds no manifest"
}

check_scope() {
    local outside
    kubectl api-resources --namespaced=false --no-headers 2>"$errors" >"$work/kinds.txt" || fail "the cluster does not say which kinds it has"
    # Columns: name, short names (often none), API version, namespaced, kind.
    awk '{print $(NF-2) " " $NF}' "$work/kinds.txt" | jq -R . | jq -s . >"$work/cluster-kinds.json"
    jq --slurpfile kinds "$work/cluster-kinds.json" '.items |= map(. + {outside: ("\(.apiVersion) \(.kind)" as $k | $kinds[0] | index($k) != null)})' \
        "$work/all.json" >"$work/marked.json"
    outside=$(jq -r '[.items[] | select(.outside) | "\(.kind)/\(.metadata.name)"] | join(", ")' "$work/marked.json")
    if [ -n "$outside" ] && [ "$INPUT_CLUSTER_SCOPED" != skip ]; then
        fail "not of a namespace, so they are not applied: $outside. Who runs the cluster applies them; or set cluster-scoped to skip"
    fi
    [ -z "$outside" ] || printf 'Left out, not of a namespace: %s' "$outside" | show
    jq '.items |= map(select(.outside | not) | del(.outside))' "$work/marked.json" >"$work/objects.json"
    outside=$(jq -r --arg ns "$INPUT_NAMESPACE" '[.items[] | select((.metadata.namespace // $ns) != $ns) | "\(.kind)/\(.metadata.name) in \(.metadata.namespace)"]
        | join(", ")' "$work/objects.json")
    [ -z "$outside" ] || fail "of another namespace than $INPUT_NAMESPACE: $outside"
}

apply() {
    kubectl apply --server-side --field-manager=aks-copilot "${force[@]}" -n "$INPUT_NAMESPACE" -f "$work/objects.json" -o name "$@" 2>"$errors"
}

# Workloads that roll out by themselves; of the others (paused, OnDelete) a person decides when.
workloads() {
    jq -r '.items[] | select(.kind | IN("Deployment", "StatefulSet", "DaemonSet"))
        | select((.spec.paused // false | not) and ((.spec.updateStrategy.type // "RollingUpdate") != "OnDelete"))
        | "\(.kind | ascii_downcase)/\(.metadata.name)"' "$work/objects.json"
}

wait_for_rollouts() {
    local deadline=$((SECONDS + INPUT_TIMEOUT)) left workload
    for workload in $(workloads); do
        left=$((deadline - SECONDS))
        [ "$left" -gt 0 ] || left=1
        kubectl rollout status -n "$INPUT_NAMESPACE" "$workload" --timeout="${left}s" 2>"$errors" || fail "$workload did not become ready" cluster
    done
}

force=()
[ "$INPUT_FORCE_CONFLICTS" != true ] || force=(--force-conflicts)
check_inputs
check_commit
render
read_objects
check_scope
apply --dry-run=server || fail "the cluster refuses the manifests (server-side dry run; nothing was applied)"
if [ "$INPUT_MODE" = dry-run ]; then
    echo "The cluster accepts every object; nothing was applied." | tee "$evidence" >>"$GITHUB_STEP_SUMMARY"
    finish succeeded
    exit 0
fi
apply || fail "the cluster refused a manifest while they were applied: some may be applied" cluster
wait_for_rollouts
echo "Applied to namespace $INPUT_NAMESPACE: $(jq '.items | length' "$work/objects.json") objects; every rollout is done." | tee "$evidence" >>"$GITHUB_STEP_SUMMARY"
finish succeeded
