// Optional: Azure AI Search for the knowledge base. Without it the index lies in the container `cache` (docs/knowledge.md).
param name string
param location string
param tags object

@description('free, basic, standard... free is shared and knows no private endpoint.')
param sku string

@description('Three replicas have an agreed availability for reading and writing; one has none.')
param replicas int

@description('Whether the service answers from outside its private endpoint: enabled or disabled.')
param publicEndpoint string = 'disabled'

resource service 'Microsoft.Search/searchServices@2023-11-01' = {
  // checkov:skip=CKV_AZURE_208: replicas are a parameter; the index is rebuilt from the articles where it is lost
  name: name
  location: location
  tags: tags
  sku: {
    name: sku
  }
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    disableLocalAuth: true
    hostingMode: 'default'
    partitionCount: 1
    publicNetworkAccess: publicEndpoint
    replicaCount: replicas
  }
}

output id string = service.id
output name string = service.name
output endpoint string = 'https://${service.name}.search.windows.net'
