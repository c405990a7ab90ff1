// The Key Vault that holds the webhook secret, the tokens of GitHub and Slack, and the key of a model that is not in Azure.
// The app reads it by KEY_VAULT_URI, so that a secret that is rotated needs no restart.
param name string
param location string
param tags object

@description('Whether the vault answers from outside its private endpoint: Enabled or Disabled, and Allow or Deny.')
param publicAccess string = 'Disabled'
param firewall string = 'Deny'

@description('Days that a deleted vault or secret can still be brought back, 7 to 90.')
param undoDays int

@description('Where the audit log goes.')
param workspaceId string

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: subscription().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    enablePurgeProtection: true
    softDeleteRetentionInDays: undoDays
    publicNetworkAccess: publicAccess
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: firewall
    }
  }
}

resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'to-log-analytics'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'AuditEvent'
        enabled: true
      }
    ]
  }
}

output id string = vault.id
output name string = vault.name
output uri string = vault.properties.vaultUri
