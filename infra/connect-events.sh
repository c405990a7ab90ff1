#!/usr/bin/env bash
# Makes the Event Grid subscriptions once the code is deployed: only then does the key exist with which Event Grid may deliver.
# Reads what azd or the workflow knows of the deployment; running it again does no harm, and is right after the key was renewed.
set -euo pipefail

: "${AZURE_RESOURCE_GROUP:?} ${FUNCTION_APP_NAME:?} ${FUNCTION_APP_HOST:?} ${EVENT_TOPIC_NAME:?} ${STORAGE_ACCOUNT_NAME:?}"
here=$(cd "$(dirname "$0")" && pwd)
tries=${TRIES:-20}
pause=${PAUSE_SECONDS:-15}

# Its commands for keys are in an extension that is in preview; az would ask on a terminal first, and a runner has none.
if [ "${HOSTING:-flex}" = containerapps ]; then
  az extension add --name containerapp --upgrade --yes --allow-preview true --only-show-errors
fi

system_key() {
  if [ "${HOSTING:-flex}" = containerapps ]; then
    az containerapp function keys show --resource-group "$AZURE_RESOURCE_GROUP" --name "$FUNCTION_APP_NAME" \
      --key-type systemKey --key-name blobs_extension --query value.value --output tsv
  else
    az functionapp keys list --resource-group "$AZURE_RESOURCE_GROUP" --name "$FUNCTION_APP_NAME" \
      --query systemKeys.blobs_extension --output tsv
  fi
}

# The host makes the key when it first starts with a blob trigger.
key=
for ((try = 1; try <= tries; try++)); do
  key=$(system_key 2>/dev/null || true)
  if [ -n "$key" ] && [ "$key" != None ]; then
    break
  fi
  key=
  echo "waiting for the host of $FUNCTION_APP_NAME ($try of $tries)" >&2
  sleep "$pause"
done
if [ -z "$key" ]; then
  echo "$FUNCTION_APP_NAME has no system key blobs_extension: is the code deployed, and does /api/health answer?" >&2
  exit 1
fi

# By a file that only this user can read: an argument would be seen by every process on the machine.
parameters=$(mktemp)
trap 'rm -f "$parameters"' EXIT
chmod 600 "$parameters"
# shellcheck disable=SC2016 # $schema is a name in JSON
printf '{"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#", "contentVersion": "1.0.0.0", "parameters": {"topicName": {"value": "%s"}, "storageName": {"value": "%s"}, "hostName": {"value": "%s"}, "blobsExtensionKey": {"value": "%s"}}}\n' \
  "$EVENT_TOPIC_NAME" "$STORAGE_ACCOUNT_NAME" "$FUNCTION_APP_HOST" "$key" >"$parameters"
az deployment group create --resource-group "$AZURE_RESOURCE_GROUP" --name events \
  --template-file "$here/events.bicep" --parameters "@$parameters" --output none
echo "new blobs in manifests and knowledge now wake $FUNCTION_APP_NAME"
