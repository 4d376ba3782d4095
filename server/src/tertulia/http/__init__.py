"""The edge: translates between HTTP and the services; no rule lives here.

Operation: one method on one path, with who may call it, what it reads and what it answers. Api: the operations of one
base path as an ASGI application. Call: one request to an operation. Reply: what goes back.
"""
