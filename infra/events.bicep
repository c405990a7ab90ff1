// Which new blobs wake which function. Deployed by connect-events.sh once the app runs; again after the system key was renewed.
param topicName string
param storageName string

@description('The name that the app answers to, without https://.')
param hostName string

@secure()
@description('The system key blobs_extension of the app.')
param blobsExtensionKey string

// Container, and the function whose blob trigger has it (functions/*.py). Nothing else writes into these containers, so nothing loops.
var triggers = [
  {
    container: 'manifests'
    function: 'intake_blob'
  }
  {
    container: 'knowledge'
    function: 'knowledge_blob'
  }
]

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageName
}

resource wake 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = [for trigger in triggers: {
  parent: topic
  name: 'to-${replace(trigger.function, '_', '-')}'
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    destination: {
      endpointType: 'WebHook'
      properties: {
        endpointUrl: 'https://${hostName}/runtime/webhooks/blobs?functionName=Host.Functions.${trigger.function}&code=${blobsExtensionKey}'
        maxEventsPerBatch: 16
        preferredBatchSizeInKilobytes: 64
      }
    }
    filter: {
      includedEventTypes: [
        'Microsoft.Storage.BlobCreated'
      ]
      subjectBeginsWith: '/blobServices/default/containers/${trigger.container}/blobs/'
    }
    retryPolicy: {
      eventTimeToLiveInMinutes: 1440
      maxDeliveryAttempts: 30
    }
    deadLetterWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: {
          resourceId: account.id
          blobContainerName: 'dead-letters'
        }
      }
    }
  }
}]

output subscriptionNames array = [for trigger in triggers: 'to-${replace(trigger.function, '_', '-')}']
