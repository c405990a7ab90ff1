#!/usr/bin/env bash
# What .github/delivery.json says for one environment, as outputs of the step. None of it is a secret: an id is of use to nobody
# but a job of that environment of this repository. `hosting` empty: nothing is delivered.
# Usage: ci/settings.sh ENVIRONMENT
set -euo pipefail

file=${DELIVERY:-.github/delivery.json}
jq --exit-status --raw-output --arg environment "$1" '
  def checked(name; form): if type == "string" and test(form) then . else error("\(name) cannot be \(tojson)") end;
  (.hosting | checked("hosting"; "^(flex|containerapps|)$")) as $hosting |
  "hosting=\($hosting)",
  if $hosting == "" then empty else
    "tenant=\(.tenantId | checked("tenantId"; "^[0-9a-f-]{36}$"))",
    "subscription=\(.subscriptionId | checked("subscriptionId"; "^[0-9a-f-]{36}$"))",
    "client=\(.clientIds[$environment] | checked("clientIds.\($environment)"; "^[0-9a-f-]{36}$"))",
    "audience=\(.audiences[$environment] // "" | checked("audiences.\($environment)"; "^([0-9a-f-]{36})?$"))",
    "location=\(.location | checked("location"; "^[a-z0-9]+$"))",
    "parameters=\(.parameters[$environment] // "" | checked("parameters.\($environment)"; "^([a-z0-9-]+[.]parameters[.]json)?$"))",
    "registries=\([.registries[] | checked("registries"; "^[a-z0-9]+[.]azurecr[.]io$")] | join(" "))"
  end' "$file" >>"${GITHUB_OUTPUT:-/dev/stdout}"
