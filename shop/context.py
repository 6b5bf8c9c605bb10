def storefront(request): return {}
