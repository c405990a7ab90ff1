// AcrPull for the nodes of a cluster: what `az aks update --attach-acr` does. A registry in ABAC mode takes
// Container Registry Repository Reader instead.
param registryName string

@description('Object id of the kubelet identity of the cluster.')
param kubeletPrincipalId string

var role = {
  name: 'AcrPull'
  id: '7f951dda-4ed3-4680-a7ca-43fe172d538d'
  reason: 'the nodes pull the images of the applications'
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-04-01' existing = {
  name: registryName
}

resource pull 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: registry
  name: guid(registry.id, kubeletPrincipalId, role.id)
  properties: {
    principalId: kubeletPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.id)
    description: '${role.name}: ${role.reason}'
  }
}
