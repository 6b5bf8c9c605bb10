"""Practice payment gateways: Alipay and WeChat Pay, as a merchant's programs and a buyer's browser meet them.

    python -m integrations.sandbox.payments --port 8730 --folder FOLDER [--state FILE]

A process of its own that knows nothing of Weft: standard library and `cryptography` only, written from the providers'
documents, specifications and published vectors, and accepted when other people's clients pass (docs/sandbox.md).
"""
