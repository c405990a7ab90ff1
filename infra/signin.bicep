// Optional: who calls the API also signs in with Entra ID, as a person or a program, before the platform lets a request through. The
// function key is asked for as well. Only tokens are looked at: there is no page to sign in on, so no secret of the registration either.
param appName string
param onFlex bool

@description('The application registration that stands for this API (docs/azure.md).')
param clientId string

// What asks for a proof of its own, or tells nothing secret: a test compares it with the routes that ask for no key.
var open = [
  '/api/github/webhook'
  '/api/health'
  '/runtime/webhooks/blobs'
]
var issuer = '${environment().authentication.loginEndpoint}${subscription().tenantId}/v2.0'
var validation = {
  requireAuthentication: true
  unauthenticatedClientAction: 'Return401'
  excludedPaths: open
}
var providers = {
  azureActiveDirectory: {
    enabled: true
    registration: {
      clientId: clientId
      openIdIssuer: issuer
    }
    validation: {
      allowedAudiences: [
        'api://${clientId}'
        clientId
      ]
    }
  }
}

// checkov takes every config of a site for the site itself; its settings stand in function.bicep.
resource onSite 'Microsoft.Web/sites/config@2024-11-01' = if (onFlex) {
  // checkov:skip=CKV_AZURE_13: this is what switches authentication on
  // checkov:skip=CKV_AZURE_63: a setting of the site, see function.bicep; Flex Consumption logs to Application Insights
  // checkov:skip=CKV_AZURE_65: a setting of the site, see function.bicep; Flex Consumption has none of it
  // checkov:skip=CKV_AZURE_66: a setting of the site, see function.bicep; Flex Consumption has none of it
  // checkov:skip=CKV_AZURE_80: Python, no .NET
  // checkov:skip=CKV_AZURE_88: a setting of the site, see function.bicep; Flex Consumption takes its package from a container
  // checkov:skip=CKV_AZURE_222: a setting of the site, see function.bicep
  name: '${appName}/authsettingsV2'
  properties: {
    platform: {
      enabled: true
    }
    globalValidation: validation
    identityProviders: providers
    httpSettings: {
      requireHttps: true
    }
    login: {
      tokenStore: {
        enabled: false
      }
    }
  }
}

resource app 'Microsoft.App/containerApps@2025-07-01' existing = {
  name: appName
}

resource onContainerApp 'Microsoft.App/containerApps/authConfigs@2025-07-01' = if (!onFlex) {
  parent: app
  name: 'current'
  properties: {
    platform: {
      enabled: true
    }
    globalValidation: {
      unauthenticatedClientAction: 'Return401'
      excludedPaths: open
    }
    identityProviders: providers
    httpSettings: {
      requireHttps: true
    }
  }
}
