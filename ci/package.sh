#!/usr/bin/env bash
# The package of the function app for Flex Consumption, of one commit: the same bytes every time, so that rolling back needs no store of packages.
# Its requirements.txt is requirements.lock, so that the platform's own build checks every hash; `revision` names the commit.
# Usage: ci/package.sh COMMIT FILE.zip
set -euo pipefail

commit=$(git rev-parse --verify --quiet "$1^{commit}") || { echo "package: $1 is no commit of this repository" >&2; exit 2; }
file=$(realpath "$2")
extra=$(mktemp -d)
trap 'rm -rf "$extra"' EXIT

git show "$commit:requirements.lock" >"$extra/requirements.txt"
printf '%s' "$commit" >"$extra/revision"
TZ=UTC git archive --format=zip --output="$file" --add-file="$extra/requirements.txt" --add-file="$extra/revision" \
  "$commit" -- host.json function_app.py functions shared ':(exclude)shared/cli'
echo "package: $(basename "$file") of $commit, sha256 $(sha256sum "$file" | cut -d' ' -f1)"
