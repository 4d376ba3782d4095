"""HTTP infrastructure on Starlette: operations, their checks and documents. It knows no service."""
