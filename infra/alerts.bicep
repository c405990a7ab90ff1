// Who is told when something is wrong: alerts on logs and metrics, the workbook that shows them, and a budget.
// What to do about each is in docs/operations.md.
param namePrefix string
param location string
param tags object
param insightsId string
param topicId string

@description('Who gets mail; empty: alerts are only seen in the portal.')
param emails array

@description('Money for a month, in the currency of the subscription; 0: no budget. budgetStart is the first of a month.')
param monthlyBudget int
param budgetStart string

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${namePrefix}-people'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'aks-copilot'
    emailReceivers: [for (email, i) in emails: {
      name: 'person-${i}'
      emailAddress: email
      useCommonAlertSchema: true
    }]
  }
}

// A row of the query is a reason to tell; severity 1 is worth waking somebody, 3 is worth a look tomorrow. The window is longer than the
// frequency, since logs arrive some minutes late; what is seen twice is told once (autoMitigate).
var logAlerts = [
  {
    name: 'poison'
    says: 'A message was given up after five tries: its run is marked failed.'
    severity: 1
    query: 'requests | where name endswith "_poison" | summarize messages = count() by name'
    frequency: 'PT5M'
    window: 'PT15M'
  }
  {
    name: 'failing'
    says: 'More than a fifth of the calls of a function failed within half an hour.'
    severity: 2
    query: 'requests | where isempty(tostring(customDimensions.stage)) | summarize calls = count(), failed = countif(success == false) by name | where calls >= 10 and failed * 5 > calls'
    frequency: 'PT15M'
    window: 'PT30M'
  }
  {
    name: 'stuck'
    says: 'A run stopped moving: none of its messages is left, or one never ends.'
    severity: 2
    query: 'customMetrics | where name == "aks_copilot.runs.stuck" | summarize runs = sum(valueSum) | where runs > 0'
    frequency: 'PT15M'
    window: 'PT30M'
  }
  {
    // Three looks of the timer: a message that was put off for an hour is old for a moment, when its hour is over.
    name: 'waiting'
    says: 'The message at the head of a queue waits longer than ten minutes.'
    severity: 3
    query: 'customMetrics | where name == "aks_copilot.queue.age" | summarize looks = countif(valueMax > 600) by queue = tostring(customDimensions.queue) | where looks >= 3'
    frequency: 'PT15M'
    window: 'PT30M'
  }
  {
    name: 'model-budget'
    says: 'A token budget forbade questions to the language model: what is left is told without one.'
    severity: 3
    query: 'customMetrics | where name == "aks_copilot.model.budget_spent" | summarize questions = sum(valueSum) by budget = tostring(customDimensions.budget) | where questions > 0'
    frequency: 'PT15M'
    window: 'PT30M'
  }
]

resource logAlert 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for alert in logAlerts: {
  name: '${namePrefix}-${alert.name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: '${namePrefix}: ${alert.name}'
    description: alert.says
    severity: alert.severity
    enabled: true
    scopes: [
      insightsId
    ]
    evaluationFrequency: alert.frequency
    windowSize: alert.window
    criteria: {
      allOf: [
        {
          query: alert.query
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    autoMitigate: true
    actions: {
      actionGroups: [
        people.id
      ]
    }
  }
}]

// An upload of which the app never hears: Event Grid gave up after a day. The event lies in the container dead-letters, or not even there.
var givenUp = [
  {
    name: 'undelivered'
    metric: 'DeadLetteredCount'
  }
  {
    name: 'dropped'
    metric: 'DroppedEventCount'
  }
]

resource undelivered 'Microsoft.Insights/metricAlerts@2018-03-01' = [for alert in givenUp: {
  name: '${namePrefix}-${alert.name}'
  location: 'global'
  tags: tags
  properties: {
    description: 'Event Grid could not deliver an event: an upload started no run.'
    severity: 1
    enabled: true
    scopes: [
      topicId
    ]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: alert.name
          criterionType: 'StaticThresholdCriterion'
          metricNamespace: 'Microsoft.EventGrid/systemTopics'
          metricName: alert.metric
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    autoMitigate: true
    actions: [
      {
        actionGroupId: people.id
      }
    ]
  }
}]

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, namePrefix, 'workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: '${namePrefix}: runs'
    category: 'workbook'
    sourceId: insightsId
    serializedData: loadTextContent('workbook.json')
  }
}

resource budget 'Microsoft.Consumption/budgets@2023-11-01' = if (monthlyBudget > 0) {
  name: namePrefix
  properties: {
    amount: monthlyBudget
    category: 'Cost'
    timeGrain: 'Monthly'
    timePeriod: {
      startDate: budgetStart
    }
    notifications: {
      spent: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 80
        thresholdType: 'Actual'
        contactEmails: emails
        contactGroups: [
          people.id
        ]
      }
      foreseen: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: emails
        contactGroups: [
          people.id
        ]
      }
    }
  }
}
