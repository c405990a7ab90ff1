#!/usr/bin/env bash
# Credentials of the cluster in a kubeconfig of this job's own, through the login that azure/login left. No admin credentials, no secret.
set -euo pipefail

if [ -z "$INPUT_CLUSTER" ]; then
    echo "No cluster is named: kubectl is used as it is set up."
    exit 0
fi
az aks get-credentials --resource-group "$INPUT_RESOURCE_GROUP" --name "$INPUT_CLUSTER" --file "$KUBECONFIG" --overwrite-existing --only-show-errors
chmod 600 "$KUBECONFIG"
kubelogin convert-kubeconfig --login azurecli --kubeconfig "$KUBECONFIG"
