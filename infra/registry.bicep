// The registry of the container image, made only where the app runs on Container Apps.
param name string
param location string
param tags object

@description('Premium is the only one with a private endpoint and a policy for old images; Basic is enough to try it.')
param sku string

@description('Whether the registry answers from outside its private endpoint: Enabled or Disabled. Disabled: who pushes needs to be in the network.')
param publicAccess string = 'Disabled'

resource registry 'Microsoft.ContainerRegistry/registries@2025-04-01' = {
  // checkov:skip=CKV_AZURE_163: images are scanned in the workflow before they are pushed (docs/delivery.md); Defender is bought for a subscription
  // checkov:skip=CKV_AZURE_166: quarantine needs an agent that releases images; the workflow pushes only what it has scanned
  name: name
  location: location
  tags: tags
  sku: {
    name: sku
  }
  properties: {
    adminUserEnabled: false
    anonymousPullEnabled: false
    publicNetworkAccess: publicAccess
    policies: {
      retentionPolicy: (sku == 'Premium') ? {
        days: 30
        status: 'enabled'
      } : null
    }
  }
}

output id string = registry.id
output name string = registry.name
output loginServer string = registry.properties.loginServer
