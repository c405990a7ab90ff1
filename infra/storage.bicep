// One storage account for everything: uploads, runs, results, knowledge, cache, queues, and the host's own keys and leases.
// Names of containers and queues are those of shared/pipeline/names.py; a test compares them.
param name string
param location string
param tags object

@description('Standard_LRS: three copies in one data centre. Standard_ZRS: in three zones. Standard_GZRS: and in a second region.')
param redundancy string = 'Standard_GZRS'

@description('What is said to callers from outside its private endpoints: Allow or Deny. Either way only Entra ID gets in.')
param firewall string = 'Deny'

@description('Where the log of the queue service goes.')
param workspaceId string

@description('Days that deleted or overwritten blobs can still be brought back.')
param undoDays int

@description('Days after which what belongs to a run goes, counted from when it was last read.')
param runDays int

@description('Days after which results (patched manifests and reports) go, counted from when they were written.')
param resultDays int

@description('Days after which cached model answers, files of repositories and budgets go, counted from when they were last read.')
param cacheDays int

var containers = [
  'manifests'
  'runs'
  'patched'
  'reports'
  'knowledge'
  'cache'
]
// Of the platform: the package of the function app, and events that Event Grid could not deliver.
var platformContainers = [
  'app-package'
  'dead-letters'
]
var workQueues = [
  'intake'
  'inspections'
  'violations'
  'patches'
  'reports'
]

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  // checkov:skip=CKV_AZURE_59: closed by the firewall, whose only exception is Azure's trusted services with a role; Event Grid is one
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: redundancy
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    // The firewall closes it. With Disabled here the topic of Event Grid, which comes as a trusted service, could not write dead letters.
    publicNetworkAccess: 'Enabled'
    supportsHttpsTrafficOnly: true
    encryption: {
      keySource: 'Microsoft.Storage'
      requireInfrastructureEncryption: true
      services: {
        blob: {
          enabled: true
        }
        queue: {
          enabled: true
          keyType: 'Account'
        }
      }
    }
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: firewall
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    // No versioning: every stage writes a blob once or under a condition, and a version of each poll of the join would cost more than it saves.
    deleteRetentionPolicy: {
      enabled: true
      days: undoDays
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: undoDays
    }
    // What the lifecycle rules of runs and cache count from.
    lastAccessTimeTrackingPolicy: {
      enable: true
      name: 'AccessTimeTracking'
      trackingGranularityInDays: 1
      blobType: [
        'blockBlob'
      ]
    }
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = [for item in containers: {
  parent: blobs
  name: item
  properties: {
    publicAccess: 'None'
  }
}]

resource platformContainer 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = [for item in platformContainers: {
  parent: blobs
  name: item
  properties: {
    publicAccess: 'None'
  }
}]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-01-01' = {
  parent: account
  name: 'default'
}

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' = [for item in workQueues: {
  parent: queueService
  name: item
}]

// The host would make a poison queue only when it first needs it; made here, alerts and role checks have something to look at.
resource poisonQueue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' = [for item in workQueues: {
  parent: queueService
  name: '${item}-poison'
}]

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-01-01' = {
  parent: account
  name: 'default'
  dependsOn: [
    blobs
  ]
  properties: {
    policy: {
      rules: [
        {
          // By the last read, since runs/branches/ and runs/knowledge/ serve later runs than the one that wrote them.
          name: 'runs-nobody-reads'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              prefixMatch: [
                'runs/'
              ]
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterLastAccessTimeGreaterThan: runDays
                }
              }
            }
          }
        }
        {
          name: 'old-results'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              prefixMatch: [
                'patched/'
                'reports/'
                'dead-letters/'
              ]
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: resultDays
                }
              }
            }
          }
        }
        {
          name: 'cache-nobody-reads'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              // Not the index of the knowledge base: it is made when articles change, not when it is missed.
              prefixMatch: [
                'cache/answers/'
                'cache/budget/'
                'cache/git/'
              ]
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterLastAccessTimeGreaterThan: cacheDays
                }
              }
            }
          }
        }
      ]
    }
  }
}

resource queueLog 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: queueService
  name: 'to-log-analytics'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'StorageDelete'
        enabled: true
      }
      {
        category: 'StorageWrite'
        enabled: true
      }
    ]
  }
}

output id string = account.id
output name string = account.name
output blobEndpoint string = account.properties.primaryEndpoints.blob
output queueEndpoint string = account.properties.primaryEndpoints.queue
