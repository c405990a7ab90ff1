// Tells of new blobs. The subscriptions to it are in events.bicep, deployed after the code: Event Grid asks the address at once
// whether it wants the events, and the key in the address exists only when the host runs.
param name string
param location string
param tags object
param storageId string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: name
  location: location
  tags: tags
  // Writes what could not be delivered into the container dead-letters.
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    source: storageId
    topicType: 'Microsoft.Storage.StorageAccounts'
  }
}

output id string = topic.id
output name string = topic.name
output principalId string = topic.identity.principalId
