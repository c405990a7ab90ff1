"""Entry point of the function app. The worker wants it beside host.json; the triggers live in functions/."""

import azure.functions as func

from functions import api, github, health, inspector, intake, knowledge, patcher, poison, reporter, thinker

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
for _module in (intake, inspector, thinker, patcher, reporter, poison, knowledge, api, github, health):
    app.register_functions(_module.bp)
