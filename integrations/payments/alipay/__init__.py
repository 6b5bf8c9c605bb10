"""The parts of the Alipay connector (`integrations/payments/providers/alipay.py`)."""
