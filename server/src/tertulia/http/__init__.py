"""HTTP: translates between requests and the services; no rule lives here.

`server`: the root application. `api`: the two documented APIs, one file a noun. `kit`: the infrastructure, on
Starlette. Operation: one method on one path, with who may call it, what it reads and what it answers.
OperationRequest: a request to an operation, authenticated, permitted and validated.
"""
