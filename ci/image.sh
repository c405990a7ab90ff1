#!/usr/bin/env bash
# Builds the image of the function app for a scan, then pushes what was scanned, with SBOM and provenance, and signs it without a key.
#
# Usage: ci/image.sh build, then ci/image.sh push, with COMMIT, VERSION, BASE (an output of build) and REGISTRIES (login servers, one per
# installation; all get the same digest). Both builds share one builder's cache, so that they are the same layers.
set -euo pipefail

: "${COMMIT:?}"
mode=$1
name=aks-copilot-functions
output=${GITHUB_OUTPUT:-/dev/stdout}
build=(docker buildx build --builder aks-copilot --file Dockerfile.functions --build-arg "REVISION=$COMMIT" --build-arg "VERSION=${VERSION:-0}")

case $mode in
  build)
    docker buildx inspect aks-copilot >/dev/null 2>&1 || docker buildx create --name aks-copilot --driver docker-container
    tag=$(sed -n 's/^ARG BASE=//p' Dockerfile.functions)
    base="$tag@$(docker buildx imagetools inspect "$tag" --format '{{json .Manifest}}' | jq --exit-status --raw-output .digest)"
    "${build[@]}" --build-arg "BASE=$base" --load --tag "$name:$COMMIT" .
    echo "base=$base" >>"$output"
    echo "image=$name:$COMMIT" >>"$output"
    ;;
  push)
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    read -ra registries <<<"${REGISTRIES:?}"
    tags=()
    for registry in "${registries[@]}"; do
      az acr login --name "${registry%%.*}"
      tags+=(--tag "$registry/$name:$COMMIT")
    done
    "${build[@]}" --build-arg "BASE=${BASE:?}" "${tags[@]}" --push --sbom=true --provenance=mode=max --metadata-file "$work/metadata.json" .
    digest=$(jq --exit-status --raw-output '."containerimage.digest"' "$work/metadata.json")
    for registry in "${registries[@]}"; do
      cosign sign --yes "$registry/$name@$digest"
    done
    docker buildx imagetools inspect "${registries[0]}/$name@$digest" --format '{{json .SBOM.SPDX}}' >"${SBOM:-sbom.spdx.json}"
    echo "digest=$digest" >>"$output"
    ;;
  *)
    echo "usage: ci/image.sh build|push" >&2
    exit 2
    ;;
esac
