"""The parts of the WeChat Pay connector: `integrations/payments/providers/wechatpay.py`."""
