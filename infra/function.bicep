// The function app on Flex Consumption: scales to nothing, each queue's function by the length of its queue.
param name string
param planName string
param location string
param tags object
param identityId string

@description('The container that holds the package of the app.')
param packageUrl string

@description('3.11, 3.12 or 3.13.')
param pythonVersion string

@description('512, 2048 or 4096. A run of 200 MB needs 2048.')
param instanceMemoryMB int

@description('40 to 1000.')
param maximumInstances int

@description('Instances that always wait for HTTP; each is paid for by the second. GitHub wants an answer within ten seconds.')
param alwaysReadyHttp int

@description('Requests that one instance serves at once.')
param httpConcurrency int

@description('Subnet of the network that the app works in; empty for none.')
param subnetId string

@description('Addresses (CIDR) that may call the app beside Event Grid; empty: everybody may, and every route but health asks for a key or a signature.')
param inboundAddresses array

@description('The registration that callers sign in to; empty: the function key alone.')
param entraClientId string

@description('The app settings, name by name.')
param settings object

var appSettings = [for setting in items(settings): {
  name: setting.key
  value: setting.value
}]
var fromEventGrid = {
  name: 'event-grid'
  action: 'Allow'
  priority: 100
  tag: 'ServiceTag'
  ipAddress: 'AzureEventGrid'
}
var fromAddresses = [for (address, i) in inboundAddresses: {
  name: 'allowed-${i}'
  action: 'Allow'
  priority: 200 + i
  ipAddress: address
}]

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  // checkov:skip=CKV_AZURE_225: zone redundancy of Flex Consumption doubles the always-ready instances; without them nothing is paid for idling
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  // checkov:skip=CKV_AZURE_212: instances come and go with the work; always-ready ones are a parameter
  // checkov:skip=CKV_AZURE_213: the platform replaces instances itself; one that lost its storage is no better after a restart
  // checkov:skip=CKV_AZURE_17: callers are Event Grid, GitHub and people; none of them has a client certificate
  // checkov:skip=CKV_AZURE_222: Event Grid and GitHub deliver from outside; inboundAddresses narrows it to them
  // checkov:skip=CKV_AZURE_78: Flex Consumption has no FTP and refuses ftpsState; its password is switched off below
  name: name
  location: location
  // azd finds the app of the service `api` (azure.yaml) by this tag.
  tags: union(tags, {
    'azd-service-name': 'api'
  })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    clientAffinityEnabled: false
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: pythonVersion
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstances
        alwaysReady: (alwaysReadyHttp == 0) ? [] : [
          {
            name: 'http'
            instanceCount: alwaysReadyHttp
          }
        ]
        triggers: {
          http: {
            perInstanceConcurrency: httpConcurrency
          }
        }
      }
    }
    // Flex Consumption refuses a deployment for what it does not know here, ftpsState among it (tests/test_bicep_settings.py has the names).
    siteConfig: {
      appSettings: appSettings
      http20Enabled: true
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      remoteDebuggingEnabled: false
      ipSecurityRestrictionsDefaultAction: empty(inboundAddresses) ? 'Allow' : 'Deny'
      ipSecurityRestrictions: empty(inboundAddresses) ? [] : concat([
        fromEventGrid
      ], fromAddresses)
      // Deploying asks for a token of Entra ID (below); GitHub's runners have no fixed address.
      scmIpSecurityRestrictionsUseMain: false
    }
  }
}

resource noFtpPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource noDeployPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

module signin 'signin.bicep' = if (!empty(entraClientId)) {
  name: 'signin'
  params: {
    appName: app.name
    onFlex: true
    clientId: entraClientId
  }
}

output id string = app.id
output name string = app.name
output hostName string = app.properties.defaultHostName
