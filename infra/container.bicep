// The alternative: the same app as a container on Azure Container Apps. `kind: functionapp` makes the platform derive a KEDA rule
// from every queue trigger (queueLength is host.json's batchSize) and use the trigger's identity; rules of one's own are refused.
// https://learn.microsoft.com/azure/container-apps/functions-keda-mappings (read 2026-11)
param name string
param environmentName string
param location string
param tags object
param identityId string
param workspaceId string

@description('The whole name of the image, by digest where it is known.')
param image string

@description('The registry that the image comes from; empty for a public one.')
param registryServer string

@description('0 costs nothing while nothing happens; the first upload then waits for a container to start.')
param minReplicas int
param maxReplicas int

@description('Subnet of the network that the app works in; empty for none.')
param subnetId string

@description('The registration that callers sign in to; empty: the function key alone.')
param entraClientId string

@description('The app settings, name by name.')
param settings object

// Above 1024, so that the container need not be root.
var port = 8080
var environmentVariables = [for setting in items(settings): {
  name: setting.key
  value: setting.value
}]
// Container Apps does not tell the app its own address as Flex Consumption does.
var withoutReportUrl = filter(environmentVariables, variable => variable.name != 'REPORT_URL')

resource environment 'Microsoft.App/managedEnvironments@2025-07-01' = {
  name: environmentName
  location: location
  tags: tags
  properties: {
    // To Log Analytics by the diagnostic setting below: the other way needs the workspace's key.
    appLogsConfiguration: {
      destination: 'azure-monitor'
    }
    vnetConfiguration: empty(subnetId) ? null : {
      infrastructureSubnetId: subnetId
      internal: false
    }
    workloadProfiles: [
      {
        name: 'Consumption'
        workloadProfileType: 'Consumption'
      }
    ]
    zoneRedundant: !empty(subnetId)
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: environment
  name: 'to-log-analytics'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'allLogs'
        enabled: true
      }
    ]
  }
}

resource app 'Microsoft.App/containerApps@2025-07-01' = {
  name: name
  location: location
  tags: union(tags, {
    'azd-service-name': 'api'
  })
  kind: 'functionapp'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    environmentId: environment.id
    workloadProfileName: 'Consumption'
    configuration: {
      // One revision at a time: two would both take messages from the queues, whatever share of the HTTP traffic they have.
      activeRevisionsMode: 'Single'
      ingress: {
        allowInsecure: false
        external: true
        targetPort: port
        transport: 'auto'
      }
      registries: empty(registryServer) ? [] : [
        {
          server: registryServer
          identity: identityId
        }
      ]
    }
    template: {
      containers: [
        {
          name: 'functions'
          image: image
          resources: {
            cpu: json('1.0')
            memory: '2Gi'
          }
          env: concat([
            {
              name: 'ASPNETCORE_URLS'
              value: 'http://+:${port}'
            }
            {
              // Keys of functions and of Event Grid's door are made by the host and kept in storage: files would be gone with the replica.
              name: 'AzureWebJobsSecretStorageType'
              value: 'blob'
            }
            {
              name: 'REPORT_URL'
              value: empty(settings.REPORT_URL) ? 'https://${name}.${environment.properties.defaultDomain}/api/runs/{runId}/report?format=html' : settings.REPORT_URL
            }
          ], withoutReportUrl)
        }
      ]
      scale: {
        minReplicas: minReplicas
        maxReplicas: maxReplicas
      }
    }
  }
}

module signin 'signin.bicep' = if (!empty(entraClientId)) {
  name: 'signin'
  params: {
    appName: app.name
    onFlex: false
    clientId: entraClientId
  }
}

output id string = app.id
output name string = app.name
output hostName string = app.properties.configuration.ingress.fqdn
