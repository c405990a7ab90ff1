// Everything that aks-copilot needs in Azure, in a resource group of its own. docs/azure.md says how, what it costs and why.
// Written without a Bicep compiler at hand, in the part of the language that pycep-parser reads, so that tests can read it too.
targetScope = 'subscription'

@minLength(1)
@maxLength(20)
@description('Names the installation, for example dev or prod; letters, digits and hyphens.')
param environmentName string

@description('Region of everything.')
param location string

@description('Tags of everything.')
param tags object = {}

@allowed(['flex', 'containerapps'])
@description('flex: Functions on Flex Consumption. containerapps: the same app as a container.')
param hosting string = 'flex'

@description('Everything that the app uses is reached through private endpoints alone. The app itself stays reachable.')
param privateNetwork bool = true

@description('First two numbers of the network, for example 10.60; must not overlap with networks that are joined to it.')
param addressPrefix string = '10.60'

@description('Addresses (CIDR) that may call the app beside Event Grid; empty: everybody may. Flex Consumption only.')
param inboundAddresses array = []

@description('The application registration that callers of the API sign in to, beside the function key; empty: the key alone (docs/azure.md).')
param entraClientId string = ''

@description('A person, group or program that uploads, reads results and sets secrets; empty for none.')
param operatorPrincipalId string = ''
@allowed(['User', 'Group', 'ServicePrincipal'])
param operatorPrincipalType string = 'User'

@description('Standard_LRS, Standard_ZRS, Standard_GZRS...')
param storageSku string = 'Standard_GZRS'

@minValue(7)
@maxValue(90)
@description('Days that deleted blobs and secrets can be brought back, and that runs, results and cache are kept.')
param undoDays int = 30
param runDays int = 180
param resultDays int = 365
param cacheDays int = 90

@minValue(30)
@maxValue(730)
@description('Days that logs are kept, and the most that is taken in a day, in GB (-1: no bound).')
param logDays int = 90
param logGigabytesPerDay int = 5

@description('Flex Consumption: see function.bicep.')
param pythonVersion string = '3.12'
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048
@minValue(40)
@maxValue(1000)
param maximumInstances int = 40
param alwaysReadyHttp int = 0
param httpConcurrency int = 16

@description('Container Apps: see container.bicep and registry.bicep. Without an image it starts with the empty host of Microsoft.')
param containerImage string = ''
param minReplicas int = 0
param maxReplicas int = 10
param registrySku string = 'Premium'

@description('Also make Azure OpenAI; else llmBaseUrl and llmModel may name a model elsewhere (docs/model.md).')
param deployModel bool = false
param modelName string = 'gpt-4.1-mini'
param modelVersion string = '2025-04-14'
param modelCapacity int = 100
param embeddingName string = 'text-embedding-3-small'
param embeddingVersion string = '1'
param embeddingCapacity int = 100
param modelDeploymentKind string = 'GlobalStandard'
param llmMode string = ''
param llmBaseUrl string = ''
param llmModel string = ''

@description('Also make Azure AI Search.')
param deploySearch bool = false
param searchSku string = 'basic'
param searchReplicas int = 1

@description('App settings: see settings.bicep.')
param reportUrl string = ''
@allowed(['off', 'bot', 'webhook'])
param slack string = 'off'
param slackChannel string = ''
param githubApiUrl string = 'https://api.github.com'
param settingOverrides object = {}

@description('Who gets alerts by mail; empty: alerts are only seen in the portal.')
param alertEmails array = []

@description('Money for a month, in the currency of the subscription; 0: no budget. It warns, it stops nothing. A new budget starts on the first of this month or of one to come, and keeps that day.')
param monthlyBudget int = 0
param budgetStart string = '2026-12-01'

var suffix = toLower(uniqueString(subscription().id, environmentName, location))
var allTags = union(tags, {
  'azd-env-name': environmentName
})

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-aks-copilot-${environmentName}'
  location: location
  tags: allTags
}

// What the app uses, with the roles on it. It is whole before the app starts: a host that meets a 403 on its queues stops.
module platform 'platform.bicep' = {
  name: 'platform'
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: allTags
    privateNetwork: privateNetwork
    addressPrefix: addressPrefix
    operatorPrincipalId: operatorPrincipalId
    operatorPrincipalType: operatorPrincipalType
    storageSku: storageSku
    undoDays: undoDays
    runDays: runDays
    resultDays: resultDays
    cacheDays: cacheDays
    logDays: logDays
    logGigabytesPerDay: logGigabytesPerDay
    onContainerApps: (hosting == 'containerapps')
    registrySku: registrySku
    deployModel: deployModel
    modelName: modelName
    modelVersion: modelVersion
    modelCapacity: modelCapacity
    embeddingName: embeddingName
    embeddingVersion: embeddingVersion
    embeddingCapacity: embeddingCapacity
    modelDeploymentKind: modelDeploymentKind
    deploySearch: deploySearch
    searchSku: searchSku
    searchReplicas: searchReplicas
  }
}

module settings 'settings.bicep' = {
  name: 'settings'
  scope: group
  params: {
    identityClientId: platform.outputs.identityClientId
    blobEndpoint: platform.outputs.blobEndpoint
    queueEndpoint: platform.outputs.queueEndpoint
    vaultUri: platform.outputs.vaultUri
    insightsConnectionString: platform.outputs.insightsConnectionString
    reportUrl: reportUrl
    slack: slack
    slackChannel: slackChannel
    githubApiUrl: githubApiUrl
    llmMode: llmMode
    llmBaseUrl: deployModel ? platform.outputs.openAiBaseUrl : llmBaseUrl
    llmModel: deployModel ? modelName : llmModel
    embeddingModel: deployModel ? embeddingName : ''
    searchEndpoint: platform.outputs.searchEndpoint
    overrides: settingOverrides
  }
}

module flex 'function.bicep' = if (hosting == 'flex') {
  name: 'flex'
  scope: group
  params: {
    name: 'func-aks-copilot-${suffix}'
    planName: 'plan-aks-copilot-${suffix}'
    location: location
    tags: allTags
    identityId: platform.outputs.identityId
    packageUrl: '${platform.outputs.blobEndpoint}app-package'
    pythonVersion: pythonVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstances: maximumInstances
    alwaysReadyHttp: alwaysReadyHttp
    httpConcurrency: httpConcurrency
    subnetId: platform.outputs.appSubnetId
    inboundAddresses: inboundAddresses
    entraClientId: entraClientId
    settings: settings.outputs.values
  }
}

module container 'container.bicep' = if (hosting == 'containerapps') {
  name: 'container'
  scope: group
  params: {
    name: 'ca-${suffix}'
    environmentName: 'cae-${suffix}'
    location: location
    tags: allTags
    identityId: platform.outputs.identityId
    workspaceId: platform.outputs.workspaceId
    image: empty(containerImage) ? 'mcr.microsoft.com/azure-functions/python:4-python3.12' : containerImage
    registryServer: platform.outputs.registryServer
    minReplicas: minReplicas
    maxReplicas: maxReplicas
    subnetId: platform.outputs.appSubnetId
    entraClientId: entraClientId
    settings: settings.outputs.values
  }
}

module alerts 'alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    namePrefix: 'aks-copilot-${environmentName}'
    location: location
    tags: allTags
    insightsId: platform.outputs.insightsId
    topicId: platform.outputs.topicId
    emails: alertEmails
    monthlyBudget: monthlyBudget
    budgetStart: budgetStart
  }
}

// azd keeps these in .azure/<environment>/.env; connect-events.sh and the workflows read them.
output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = group.name
output HOSTING string = hosting
output FUNCTION_APP_NAME string = (hosting == 'flex') ? flex.outputs.name : container.outputs.name
output FUNCTION_APP_HOST string = (hosting == 'flex') ? flex.outputs.hostName : container.outputs.hostName
output STORAGE_ACCOUNT_NAME string = platform.outputs.storageName
output EVENT_TOPIC_NAME string = platform.outputs.topicName
output KEY_VAULT_NAME string = platform.outputs.vaultName
output IDENTITY_CLIENT_ID string = platform.outputs.identityClientId
output REGISTRY_NAME string = platform.outputs.registryName
output AZURE_CONTAINER_REGISTRY_ENDPOINT string = platform.outputs.registryServer
output OUTBOUND_ADDRESS string = platform.outputs.outboundAddress
