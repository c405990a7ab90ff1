#!/usr/bin/env bash
# The commit that last worked in an environment, by GitHub's own record of its deployments (a job with `environment` makes one); empty for none.
# Usage: ci/previous.sh ENVIRONMENT, with GH_TOKEN (deployments: read) and GITHUB_REPOSITORY
set -euo pipefail

deployments="repos/${GITHUB_REPOSITORY:?}/deployments"
list=$(gh api "$deployments?environment=$1&per_page=50" --jq '.[] | "\(.id) \(.sha)"')
while read -r id commit; do
  [ -n "$id" ] || continue
  state=$(gh api "$deployments/$id/statuses?per_page=1" --jq '.[0].state // ""')
  # A commit that a rewritten history no longer has cannot be packaged again.
  if [ "$state" = success ] && git cat-file -e "$commit^{commit}" 2>/dev/null; then
    echo "$commit"
    exit 0
  fi
done <<<"$list"
