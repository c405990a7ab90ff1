// Optional: Azure OpenAI with one model that repairs and one that embeds. Without it the program is complete (docs/model.md).
param name string
param location string
param tags object

@description('Whether the service answers from outside its private endpoint: Enabled or Disabled, and Allow or Deny.')
param publicAccess string = 'Disabled'
param firewall string = 'Deny'

@description('Name and version of the model that repairs; the name is also that of its deployment.')
param modelName string
param modelVersion string

@description('Thousands of tokens a minute.')
param modelCapacity int

@description('The model that embeds articles; empty for none.')
param embeddingName string
param embeddingVersion string
param embeddingCapacity int

@description('GlobalStandard is cheapest and may compute in any region; DataZoneStandard stays in the EU or the US, Standard in the region.')
param deploymentKind string

resource service 'Microsoft.CognitiveServices/accounts@2024-10-01' = {
  name: name
  location: location
  tags: tags
  kind: 'OpenAI'
  sku: {
    name: 'S0'
  }
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    customSubDomainName: name
    disableLocalAuth: true
    publicNetworkAccess: publicAccess
    networkAcls: {
      defaultAction: firewall
    }
  }
}

resource model 'Microsoft.CognitiveServices/accounts/deployments@2024-10-01' = {
  parent: service
  name: modelName
  sku: {
    name: deploymentKind
    capacity: modelCapacity
  }
  properties: {
    model: {
      format: 'OpenAI'
      name: modelName
      version: modelVersion
    }
    // An answer is cached by its question: a model that changed by itself would make the same run end in two ways.
    versionUpgradeOption: 'NoAutoUpgrade'
  }
}

resource embedding 'Microsoft.CognitiveServices/accounts/deployments@2024-10-01' = if (!empty(embeddingName)) {
  parent: service
  name: embeddingName
  // Deployments of one account are made one after another.
  dependsOn: [
    model
  ]
  sku: {
    name: deploymentKind
    capacity: embeddingCapacity
  }
  properties: {
    model: {
      format: 'OpenAI'
      name: embeddingName
      version: embeddingVersion
    }
    versionUpgradeOption: 'NoAutoUpgrade'
  }
}

output id string = service.id
output name string = service.name
output baseUrl string = '${service.properties.endpoint}openai/v1'
