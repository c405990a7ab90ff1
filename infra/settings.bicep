// The one list of app settings, for either way of hosting. Every name that the code reads is here, and nothing that nobody reads;
// a test compares both ways. What is secret is not here: the app reads it from the Key Vault by KEY_VAULT_URI.
param identityClientId string
param blobEndpoint string
param queueEndpoint string
param vaultUri string
param insightsConnectionString string

@description('Where people read a report, with {runId} in it; empty: the address of the app, which Flex Consumption tells it.')
param reportUrl string

@description('off, bot or webhook; the channel is the id that a bot writes to (docs/slack.md).')
param slack string
param slackChannel string

@description('https://<host>/api/v3 for an Enterprise Server.')
param githubApiUrl string

@description('off, suggest or apply; the address and the name of the model, empty for none (docs/model.md).')
param llmMode string
param llmBaseUrl string
param llmModel string
param embeddingModel string

@description('Azure AI Search, empty for the index in the container cache (docs/knowledge.md).')
param searchEndpoint string

@description('Other values for any of the names below, for example {"RUN_QUIET_SECONDS": "30"}.')
param overrides object

// Of the host: its own storage by identity, and telemetry without a key.
var platform = {
  AzureWebJobsStorage__blobServiceUri: blobEndpoint
  AzureWebJobsStorage__queueServiceUri: queueEndpoint
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
}

// The numbers are the code's defaults, written out so that they can be seen and changed in the portal.
var program = {
  STORAGE__blobServiceUri: blobEndpoint
  STORAGE__queueServiceUri: queueEndpoint
  STORAGE__credential: 'managedidentity'
  STORAGE__clientId: identityClientId
  BLOB_TRIGGER_SOURCE: 'EventGrid'
  RUN_QUIET_SECONDS: '10'
  BATCH_BYTES: '262144'
  MAX_FILE_BYTES: '20000000'
  MAX_RUN_BYTES: '200000000'
  MAX_UPLOAD_BYTES: '104857600'
  SWEEP_AFTER_SECONDS: '60'
  STUCK_AFTER_SECONDS: '1800'
  KEY_VAULT_URI: vaultUri
  SECRET_CACHE_SECONDS: '300'
  GITHUB_API_URL: githubApiUrl
  GITHUB_PAUSE_SECONDS: '1'
  SLACK: slack
  SLACK_CHANNEL: slackChannel
  SLACK_API_URL: 'https://slack.com/api/'
  REPORT_URL: reportUrl
  LLM_MODE: llmMode
  LLM_BASE_URL: llmBaseUrl
  LLM_MODEL: llmModel
  LLM_AUTH: ''
  LLM_INTERNAL_HOSTS: ''
  LLM_TIMEOUT_SECONDS: '60'
  LLM_TRIES: '3'
  LLM_CONCURRENCY: '4'
  LLM_ANSWER_TOKENS: '2000'
  LLM_TOKENS_PER_VIOLATION: '30000'
  LLM_TOKENS_PER_RUN: '400000'
  LLM_TOKENS_PER_DAY: '4000000'
  LLM_PRICE_PROMPT: ''
  LLM_PRICE_ANSWER: ''
  LLM_EMBEDDING_MODEL: embeddingModel
  LLM_EMBEDDING_DIMENSIONS: '1536'
  SEARCH_ENDPOINT: searchEndpoint
  SEARCH_INDEX: 'aks-copilot'
  SEARCH_AUTH: 'identity'
}

output values object = union(platform, program, overrides)
