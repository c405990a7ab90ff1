// What the app uses: its identity, storage, vault, logs, events, and where wanted a network, a registry, a model and a search service.
// Parameters are those of main.bicep.
param suffix string
param location string
param tags object
param privateNetwork bool
param addressPrefix string
param operatorPrincipalId string
param operatorPrincipalType string
param storageSku string
param undoDays int
param runDays int
param resultDays int
param cacheDays int
param logDays int
param logGigabytesPerDay int
param onContainerApps bool
param registrySku string
param deployModel bool
param modelName string
param modelVersion string
param modelCapacity int
param embeddingName string
param embeddingVersion string
param embeddingCapacity int
param modelDeploymentKind string
param deploySearch bool
param searchSku string
param searchReplicas int

// Not named as the modules' parameters are: checkov would take one for the other.
// Without a private network the services answer from outside, but only to identities that have a role on them: keys are off everywhere.
var fromOutside = privateNetwork ? 'Disabled' : 'Enabled'
var byDefault = privateNetwork ? 'Deny' : 'Allow'

module identity 'identity.bicep' = {
  name: 'identity'
  params: {
    name: 'id-aks-copilot-${suffix}'
    location: location
    tags: tags
  }
}

module monitoring 'monitoring.bicep' = {
  name: 'monitoring'
  params: {
    workspaceName: 'log-aks-copilot-${suffix}'
    name: 'appi-aks-copilot-${suffix}'
    location: location
    tags: tags
    logDays: logDays
    logGigabytesPerDay: logGigabytesPerDay
  }
}

module storage 'storage.bicep' = {
  name: 'storage'
  params: {
    name: 'st${suffix}'
    location: location
    tags: tags
    redundancy: storageSku
    firewall: byDefault
    workspaceId: monitoring.outputs.workspaceId
    undoDays: undoDays
    runDays: runDays
    resultDays: resultDays
    cacheDays: cacheDays
  }
}

module vault 'vault.bicep' = {
  name: 'vault'
  params: {
    name: 'kv-${suffix}'
    location: location
    tags: tags
    publicAccess: fromOutside
    firewall: byDefault
    undoDays: undoDays
    workspaceId: monitoring.outputs.workspaceId
  }
}

module topic 'events-topic.bicep' = {
  name: 'topic'
  params: {
    name: 'egst-aks-copilot-${suffix}'
    location: location
    tags: tags
    storageId: storage.outputs.id
  }
}

module openAi 'openai.bicep' = if (deployModel) {
  name: 'openai'
  params: {
    name: 'oai-${suffix}'
    location: location
    tags: tags
    publicAccess: fromOutside
    firewall: byDefault
    modelName: modelName
    modelVersion: modelVersion
    modelCapacity: modelCapacity
    embeddingName: embeddingName
    embeddingVersion: embeddingVersion
    embeddingCapacity: embeddingCapacity
    deploymentKind: modelDeploymentKind
  }
}

module search 'search.bicep' = if (deploySearch) {
  name: 'search'
  params: {
    name: 'srch-${suffix}'
    location: location
    tags: tags
    sku: searchSku
    replicas: searchReplicas
    publicEndpoint: toLower(fromOutside)
  }
}

module registry 'registry.bicep' = if (onContainerApps) {
  name: 'registry'
  params: {
    name: 'cr${suffix}'
    location: location
    tags: tags
    sku: registrySku
    publicAccess: fromOutside
  }
}

module network 'network.bicep' = if (privateNetwork) {
  name: 'network'
  params: {
    name: 'vnet-aks-copilot-${suffix}'
    location: location
    tags: tags
    addressPrefix: addressPrefix
    callersReachSubnet: onContainerApps
  }
}

module endpoints 'private-endpoints.bicep' = if (privateNetwork) {
  name: 'endpoints'
  params: {
    namePrefix: 'pe-${suffix}'
    location: location
    tags: tags
    networkId: network.outputs.id
    subnetId: network.outputs.endpointSubnetId
    storageId: storage.outputs.id
    vaultId: vault.outputs.id
    openAiId: deployModel ? openAi.outputs.id : ''
    searchId: deploySearch ? search.outputs.id : ''
    registryId: onContainerApps ? registry.outputs.id : ''
  }
}

module roles 'rbac.bicep' = {
  name: 'roles'
  params: {
    storageName: storage.outputs.name
    vaultName: vault.outputs.name
    insightsName: monitoring.outputs.name
    openAiName: deployModel ? openAi.outputs.name : ''
    searchName: deploySearch ? search.outputs.name : ''
    registryName: onContainerApps ? registry.outputs.name : ''
    appPrincipalId: identity.outputs.principalId
    topicPrincipalId: topic.outputs.principalId
    operatorPrincipalId: operatorPrincipalId
    operatorPrincipalType: operatorPrincipalType
  }
}

output identityId string = identity.outputs.id
output identityClientId string = identity.outputs.clientId
output workspaceId string = monitoring.outputs.workspaceId
output insightsId string = monitoring.outputs.id
output insightsConnectionString string = monitoring.outputs.connectionString
output storageName string = storage.outputs.name
output blobEndpoint string = storage.outputs.blobEndpoint
output queueEndpoint string = storage.outputs.queueEndpoint
output vaultName string = vault.outputs.name
output vaultUri string = vault.outputs.uri
output topicId string = topic.outputs.id
output topicName string = topic.outputs.name
output openAiBaseUrl string = deployModel ? openAi.outputs.baseUrl : ''
output searchEndpoint string = deploySearch ? search.outputs.endpoint : ''
output registryName string = onContainerApps ? registry.outputs.name : ''
output registryServer string = onContainerApps ? registry.outputs.loginServer : ''
output appSubnetId string = privateNetwork ? network.outputs.appSubnetId : ''
output outboundAddress string = privateNetwork ? network.outputs.outboundAddress : ''
