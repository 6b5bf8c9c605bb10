"""How dates are written, where Django's own way does not suit us (`FORMAT_MODULE_PATH`)."""
