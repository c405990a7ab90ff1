// Where logs, traces and metrics go. Nothing is written with a key: the app's identity has the role for it (rbac.bicep).
param workspaceName string
param name string
param location string
param tags object

@description('Days that logs are kept, 30 to 730. The first 31 cost nothing.')
param logDays int

@description('The most that is taken in a day, in GB; -1 for no bound. Above it logs are lost until midnight UTC.')
param logGigabytesPerDay int

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    retentionInDays: logDays
    sku: {
      name: 'PerGB2018'
    }
    features: {
      disableLocalAuth: true
    }
    workspaceCapping: {
      dailyQuotaGb: logGigabytesPerDay
    }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: name
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    DisableLocalAuth: true
    IngestionMode: 'LogAnalytics'
    WorkspaceResourceId: workspace.id
  }
}

output workspaceId string = workspace.id
output id string = insights.id
output name string = insights.name
output connectionString string = insights.properties.ConnectionString
