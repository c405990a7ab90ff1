// Optional, on the AKS side: the cluster may pull images from a registry, and the Debugger gets an identity of its own without a secret.
// Deployed into the cluster's resource group: az deployment group create -g <rg> --template-file infra/aks/main.bicep --parameters ...
param location string = resourceGroup().location

@description('A cluster with the OIDC issuer and workload identity on: az aks update --enable-oidc-issuer --enable-workload-identity')
param clusterName string

@description('The registry that images come from, and its resource group; empty for none.')
param registryName string = ''
param registryResourceGroup string = resourceGroup().name

@description('The service account that the Debugger runs under (debugger.yaml).')
param debuggerNamespace string = 'aks-copilot'
param debuggerServiceAccount string = 'debugger'

resource cluster 'Microsoft.ContainerService/managedClusters@2024-09-01' existing = {
  name: clusterName
}

module pull 'acr-pull.bicep' = if (!empty(registryName)) {
  name: 'acr-pull'
  scope: resourceGroup(registryResourceGroup)
  params: {
    registryName: registryName
    kubeletPrincipalId: cluster.properties.identityProfile.kubeletidentity.objectId
  }
}

resource debugger 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-aks-copilot-debugger'
  location: location
}

// The token of the service account is taken for one of this identity; it has no role in Azure until something gives it one.
resource trust 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2024-11-30' = {
  parent: debugger
  name: clusterName
  properties: {
    audiences: [
      'api://AzureADTokenExchange'
    ]
    issuer: cluster.properties.oidcIssuerProfile.issuerURL
    subject: 'system:serviceaccount:${debuggerNamespace}:${debuggerServiceAccount}'
  }
}

@description('Goes into the annotation azure.workload.identity/client-id of the service account.')
output debuggerClientId string = debugger.properties.clientId
