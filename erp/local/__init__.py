"""A real Tryton beside the shop, for development, the demo and the tests: brought up, provisioned, worked in.

Plain Python, no Django. Nothing here imports Tryton's code: it runs in its own environment and process, and is spoken
to over HTTP only.
"""
