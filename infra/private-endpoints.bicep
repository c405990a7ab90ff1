// Which services get a private endpoint. An empty id: the service is not there.
param namePrefix string
param location string
param tags object
param networkId string
param subnetId string
param storageId string
param vaultId string
param openAiId string
param searchId string
param registryId string

module blob 'private-endpoint.bicep' = {
  name: 'endpoint-blob'
  params: {
    name: '${namePrefix}-blob'
    location: location
    tags: tags
    serviceId: storageId
    part: 'blob'
    zoneName: 'privatelink.blob.${environment().suffixes.storage}'
    networkId: networkId
    subnetId: subnetId
  }
}

module queue 'private-endpoint.bicep' = {
  name: 'endpoint-queue'
  params: {
    name: '${namePrefix}-queue'
    location: location
    tags: tags
    serviceId: storageId
    part: 'queue'
    zoneName: 'privatelink.queue.${environment().suffixes.storage}'
    networkId: networkId
    subnetId: subnetId
  }
}

module vault 'private-endpoint.bicep' = {
  name: 'endpoint-vault'
  params: {
    name: '${namePrefix}-vault'
    location: location
    tags: tags
    serviceId: vaultId
    part: 'vault'
    zoneName: 'privatelink.vaultcore.azure.net'
    networkId: networkId
    subnetId: subnetId
  }
}

module openAi 'private-endpoint.bicep' = if (!empty(openAiId)) {
  name: 'endpoint-openai'
  params: {
    name: '${namePrefix}-openai'
    location: location
    tags: tags
    serviceId: openAiId
    part: 'account'
    zoneName: 'privatelink.openai.azure.com'
    networkId: networkId
    subnetId: subnetId
  }
}

module search 'private-endpoint.bicep' = if (!empty(searchId)) {
  name: 'endpoint-search'
  params: {
    name: '${namePrefix}-search'
    location: location
    tags: tags
    serviceId: searchId
    part: 'searchService'
    zoneName: 'privatelink.search.windows.net'
    networkId: networkId
    subnetId: subnetId
  }
}

module registry 'private-endpoint.bicep' = if (!empty(registryId)) {
  name: 'endpoint-registry'
  params: {
    name: '${namePrefix}-registry'
    location: location
    tags: tags
    serviceId: registryId
    part: 'registry'
    zoneName: 'privatelink.azurecr.io'
    networkId: networkId
    subnetId: subnetId
  }
}
