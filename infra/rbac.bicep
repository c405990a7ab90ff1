// Every role assignment of the installation. Beside each id stand the role's name and why it is needed; the portal shows both.
// Scopes are the narrowest that do: one account, one vault, one service.
param storageName string
param vaultName string
param insightsName string

@description('Empty where the service is not there.')
param openAiName string
param searchName string
param registryName string

@description('The identity that the app works under.')
param appPrincipalId string

@description('The identity of the Event Grid topic.')
param topicPrincipalId string

@description('A person or group that uploads, reads results and sets secrets; empty for none. User, Group or ServicePrincipal.')
param operatorPrincipalId string
param operatorPrincipalType string

var onStorage = [
  {
    name: 'Storage Blob Data Owner'
    id: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
    reason: 'reads uploads, writes runs and results; the host keeps its keys, leases and package there'
  }
  {
    name: 'Storage Queue Data Contributor'
    id: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
    reason: 'takes, sends and releases messages, and makes a queue that is missing; the narrower roles may not release one'
  }
]
var onVault = [
  {
    name: 'Key Vault Secrets User'
    id: '4633458b-17de-408a-b874-0445c86b69e6'
    reason: 'reads the webhook secret and the tokens of GitHub, Slack and the model'
  }
]
var onInsights = [
  {
    name: 'Monitoring Metrics Publisher'
    id: '3913510d-42f4-4e42-8a64-420c390055eb'
    reason: 'sends logs, traces and metrics without a key'
  }
]
var onOpenAi = [
  {
    name: 'Cognitive Services OpenAI User'
    id: '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd'
    reason: 'asks the model and embeds articles'
  }
]
var onSearch = [
  {
    name: 'Search Index Data Contributor'
    id: '8ebe5a00-799e-43f5-93ac-243d3dce84a7'
    reason: 'writes articles into the index and searches it'
  }
  {
    name: 'Search Service Contributor'
    id: '7ca78c08-252a-4471-8644-bb5ff32d4ba0'
    reason: 'makes the index and changes its fields'
  }
]
var onRegistry = [
  {
    name: 'AcrPull'
    id: '7f951dda-4ed3-4680-a7ca-43fe172d538d'
    reason: 'Container Apps pulls the image with it'
  }
]
var ofTopic = {
  name: 'Storage Blob Data Contributor'
  id: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  reason: 'writes events that could not be delivered, into one container'
}
var ofOperatorOnStorage = [
  {
    name: 'Storage Blob Data Contributor'
    id: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
    reason: 'uploads manifests and articles, reads results'
  }
  {
    name: 'Storage Queue Data Contributor'
    id: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
    reason: 'sends a run by the command line, looks at poison queues'
  }
]
var ofOperatorOnVault = {
  name: 'Key Vault Secrets Officer'
  id: 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
  reason: 'sets the secrets that the app reads'
}

resource storage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageName
}

resource deadLetters 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' existing = {
  name: '${storageName}/default/dead-letters'
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: vaultName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

// Where a service is not there, its name is never used: the assignments below have the same condition.
resource openAi 'Microsoft.CognitiveServices/accounts@2024-10-01' existing = {
  name: empty(openAiName) ? 'none' : openAiName
}

resource search 'Microsoft.Search/searchServices@2023-11-01' existing = {
  name: empty(searchName) ? 'none' : searchName
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-04-01' existing = {
  name: empty(registryName) ? 'none' : registryName
}

resource appOnStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in onStorage: {
  scope: storage
  name: guid(storage.id, appPrincipalId, role.id)
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.id)
    description: '${role.name}: ${role.reason}'
  }
}]

resource appOnVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in onVault: {
  scope: vault
  name: guid(vault.id, appPrincipalId, role.id)
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.id)
    description: '${role.name}: ${role.reason}'
  }
}]

resource appOnInsights 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in onInsights: {
  scope: insights
  name: guid(insights.id, appPrincipalId, role.id)
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.id)
    description: '${role.name}: ${role.reason}'
  }
}]

resource appOnOpenAi 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in onOpenAi: if (!empty(openAiName)) {
  scope: openAi
  name: guid(openAi.id, appPrincipalId, role.id)
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.id)
    description: '${role.name}: ${role.reason}'
  }
}]

resource appOnSearch 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in onSearch: if (!empty(searchName)) {
  scope: search
  name: guid(search.id, appPrincipalId, role.id)
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.id)
    description: '${role.name}: ${role.reason}'
  }
}]

resource appOnRegistry 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in onRegistry: if (!empty(registryName)) {
  scope: registry
  name: guid(registry.id, appPrincipalId, role.id)
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.id)
    description: '${role.name}: ${role.reason}'
  }
}]

resource topicOnDeadLetters 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: deadLetters
  name: guid(deadLetters.id, topicPrincipalId, ofTopic.id)
  properties: {
    principalId: topicPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', ofTopic.id)
    description: '${ofTopic.name}: ${ofTopic.reason}'
  }
}

resource operatorOnStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in ofOperatorOnStorage: if (!empty(operatorPrincipalId)) {
  scope: storage
  name: guid(storage.id, operatorPrincipalId, role.id)
  properties: {
    principalId: operatorPrincipalId
    principalType: operatorPrincipalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.id)
    description: '${role.name}: ${role.reason}'
  }
}]

resource operatorOnVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorPrincipalId)) {
  scope: vault
  name: guid(vault.id, operatorPrincipalId, ofOperatorOnVault.id)
  properties: {
    principalId: operatorPrincipalId
    principalType: operatorPrincipalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', ofOperatorOnVault.id)
    description: '${ofOperatorOnVault.name}: ${ofOperatorOnVault.reason}'
  }
}
