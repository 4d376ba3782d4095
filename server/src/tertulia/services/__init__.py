"""Use cases. A service's writes are one transaction, or short ones around a system that is awaited in between.

A transaction is a plain function over a `Transaction` (see `ports`): it cannot await anything while it is open, by
construction.
"""
