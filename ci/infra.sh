#!/usr/bin/env bash
# What infra/ would change in one installation, or the change itself, whose outputs become those of the step.
#
# Usage: ci/infra.sh what-if|create, with ENVIRONMENT, AZURE_LOCATION, PARAMETERS (a file in infra/) and HOSTING (flex or containerapps).
# The image of a Container App stays the one that runs: code is brought by ci/deploy.sh, after the smoke test of the staging installation.
set -euo pipefail

: "${ENVIRONMENT:?}" "${AZURE_LOCATION:?}" "${PARAMETERS:?}" "${HOSTING:?}"
mode=$1
given=(environmentName="$ENVIRONMENT" location="$AZURE_LOCATION" hosting="$HOSTING")

# Only a group that is not there yet has no image: after an error nothing may be put in the place of the one that runs.
group=rg-aks-copilot-$ENVIRONMENT
if [ "$HOSTING" = containerapps ] && [ "$(az group exists --name "$group")" = true ]; then
  query="[?tags.\"azd-service-name\"=='api'].properties.template.containers[0].image | [0]"
  image=$(az containerapp list --query "$query" --resource-group "$group" --output tsv)
  [ -z "$image" ] || given+=(containerImage="$image")
fi
arguments=(--name "aks-copilot-$ENVIRONMENT" --location "$AZURE_LOCATION" --template-file infra/main.bicep --parameters "infra/$PARAMETERS" "${given[@]}")

case $mode in
  what-if)
    {
      echo "### What infra/ would change in $ENVIRONMENT"
      echo '```text'
      az deployment sub what-if "${arguments[@]}" --validation-level ProviderNoRbac # who asks may only read
      echo '```'
    } | tee -a "${GITHUB_STEP_SUMMARY:-/dev/null}"
    ;;
  create)
    az deployment sub create "${arguments[@]}" --query properties.outputs --output json |
      jq --raw-output 'to_entries[] | "\(.key | ascii_upcase)=\(.value.value)"' >>"${GITHUB_OUTPUT:-/dev/stdout}"
    ;;
  *)
    echo "usage: ci/infra.sh what-if|create" >&2
    exit 2
    ;;
esac
