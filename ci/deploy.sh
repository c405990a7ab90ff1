#!/usr/bin/env bash
# Brings one commit to one installation, tries it, and goes back to the commit that worked before where it does not work.
#
# By the environment: HOSTING (flex or containerapps), COMMIT, PREVIOUS (empty: there is none), AZURE_RESOURCE_GROUP, FUNCTION_APP_NAME,
# FUNCTION_APP_URL; AUDIENCE where callers sign in with Entra ID; for containerapps also REGISTRY (login server). The runner's GITHUB_WORKFLOW_REF says who must have signed the image.
# Exit codes: 0 the commit works; 1 it does not, the one before does again; 2 nothing was changed; 3 it does not, and nothing else either.
set -euo pipefail

: "${HOSTING:?}" "${COMMIT:?}" "${AZURE_RESOURCE_GROUP:?}" "${FUNCTION_APP_NAME:?}" "${FUNCTION_APP_URL:?}"
here=$(cd "$(dirname "$0")" && pwd)
app=(--resource-group "$AZURE_RESOURCE_GROUP" --name "$FUNCTION_APP_NAME")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The commands for keys are in an extension that is in preview; az would ask on a terminal first, and a runner has none.
if [ "$HOSTING" = containerapps ]; then
  az extension add --name containerapp --upgrade --yes --allow-preview true --only-show-errors
fi

# The image of a commit by its digest, if the workflow of this repository signed it. cosign reads the registry as docker does.
image_of() {
  local digest image
  az acr login --name "${REGISTRY%%.*}" >&2 || return
  digest=$(az acr repository show --name "${REGISTRY%%.*}" --image "aks-copilot-functions:$1" --query digest --output tsv) || return
  image="$REGISTRY/aks-copilot-functions@$digest"
  cosign verify --certificate-oidc-issuer https://token.actions.githubusercontent.com --certificate-identity "https://github.com/$GITHUB_WORKFLOW_REF" "$image" \
    >"$work/signatures" || return
  echo "$image"
}

# What can be found wrong before anything is changed.
prepare() {
  case $HOSTING in
    flex) bash "$here/package.sh" "$1" "$work/$1.zip" ;;
    containerapps) image_of "$1" >"$work/$1.image" ;;
    *) echo "HOSTING must be flex or containerapps" >&2 && return 2 ;;
  esac
}

bring() {
  case $HOSTING in
    flex) az functionapp deployment source config-zip "${app[@]}" --src "$work/$1.zip" --build-remote true --timeout 1800 --output none ;;
    containerapps) az containerapp update "${app[@]}" --image "$(cat "$work/$1.image")" --output none ;;
  esac
}

key() {
  case $HOSTING in
    flex) az functionapp function keys list "${app[@]}" --function-name runs --query default --output tsv ;;
    containerapps)
      az containerapp function keys show "${app[@]}" --function-name runs --key-type functionKey --key-name default --query value.value --output tsv
      ;;
  esac
}

# A host that just started may not have made its keys yet.
key_of_the_app() {
  local found try
  for ((try = 1; try <= ${KEY_TRIES:-20}; try++)); do
    curl --silent --max-time 30 --output "$work/health" "$FUNCTION_APP_URL/api/health" || true
    found=$(key 2>"$work/errors") && [ -n "$found" ] && echo "$found" && return
    sleep "${KEY_PAUSE_SECONDS:-15}"
  done
  echo "the key of the function runs cannot be read: $(tail -n 1 "$work/errors")" >&2
  return 1
}

works() {
  local found token=
  found=$(key_of_the_app) || return
  echo "::add-mask::$found"
  if [ -n "${AUDIENCE:-}" ]; then
    token=$(az account get-access-token --resource "$AUDIENCE" --query accessToken --output tsv) || return
    echo "::add-mask::$token"
  fi
  APP_URL=$FUNCTION_APP_URL AKS_COPILOT_KEY=$found AKS_COPILOT_TOKEN=$token EXPECTED_REVISION=$1 bash "$here/smoke.sh"
}

prepare "$COMMIT" || exit 2
if [ -n "${PREVIOUS:-}" ]; then
  prepare "$PREVIOUS" || exit 2
fi
if bring "$COMMIT" && works "$COMMIT"; then
  echo "$FUNCTION_APP_NAME works with $COMMIT"
  exit 0
fi
if [ -z "${PREVIOUS:-}" ] || [ "$PREVIOUS" = "$COMMIT" ]; then
  echo "::error::$COMMIT does not work on $FUNCTION_APP_NAME, and there is no commit to go back to"
  exit 3
fi
echo "::warning::$COMMIT does not work on $FUNCTION_APP_NAME: going back to $PREVIOUS"
if bring "$PREVIOUS" && works "$PREVIOUS"; then
  echo "::error::$COMMIT did not work; $FUNCTION_APP_NAME is back at $PREVIOUS"
  exit 1
fi
echo "::error::$COMMIT does not work on $FUNCTION_APP_NAME, and $PREVIOUS no longer does: look at it now"
exit 3
