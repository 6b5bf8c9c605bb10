"""All settings, flat. Values come from the environment; what is missing in production is an error, not a default.

WEFT_MODE: unset = production; `demo` (loopback only), `test`.
"""

from decimal import Decimal
from pathlib import Path

import environ
import oscar
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from oscar.defaults import *

from runtime import logs

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = BASE_DIR / "var"
env = environ.Env()


def secret(name: str, default: str = "") -> str:
    """NAME, or the content of the file named by NAME_FILE."""
    if file := env.str(f"{name}_FILE", ""):
        return Path(file).read_text().strip()
    return env.str(name, default)


WEFT_MODE = env.str("WEFT_MODE", "production")
if WEFT_MODE not in ("production", "demo", "test"):
    raise ImproperlyConfigured(f"WEFT_MODE is {WEFT_MODE!r}; leave it unset for production, or use demo or test.")
PRODUCTION = WEFT_MODE == "production"
WEFT_DEEP = env.bool("WEFT_DEEP", False)

# --- what production must be given -----------------------------------------------------------------------------------

SECRET_KEY = secret("SECRET_KEY")
WEFT_KEY_RING = tuple(secret("WEFT_KEY_RING").split())
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
DATABASE_URL = secret("DATABASE_URL")
_missing = [
    name
    for name, value in (
        ("SECRET_KEY or SECRET_KEY_FILE", SECRET_KEY),
        ("WEFT_KEY_RING or WEFT_KEY_RING_FILE", WEFT_KEY_RING),
        ("ALLOWED_HOSTS", ALLOWED_HOSTS),
        ("DATABASE_URL or DATABASE_URL_FILE", DATABASE_URL),
    )
    if not value
]
if _missing:
    raise ImproperlyConfigured(f"Not set: {', '.join(_missing)}. See .env.example; `make demo` has its own.")
if WEFT_MODE == "demo" and not set(ALLOWED_HOSTS) <= {"127.0.0.1", "localhost", "[::1]", "testserver"}:
    raise ImproperlyConfigured("The demo serves this machine only: ALLOWED_HOSTS may hold 127.0.0.1 and localhost.")

DEBUG = False
WEFT_SHOP_URL = env.str("WEFT_SHOP_URL", f"https://{ALLOWED_HOSTS[0]}").rstrip("/")
WEFT_PRIVATE_HOSTS = frozenset(env.list("WEFT_PRIVATE_HOSTS", default=[]))

# --- apps ------------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "modeltranslation",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.import_export",
    "shop.backoffice.BackofficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.sites",
    "django.contrib.sitemaps",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "integrations.hub.apps.HubConfig",
    "shop.apps.ShopConfig",
    "shop.pricing.apps.PricingConfig",
    "shop.customer.apps.CustomerConfig",
    "shop.catalogue.apps.CatalogueConfig",
    "shop.partner.apps.PartnerConfig",
    "shop.basket.apps.BasketConfig",
    "shop.checkout.apps.CheckoutConfig",
    "shop.shipping.apps.ShippingConfig",
    "shop.offer.apps.OfferConfig",
    "shop.voucher.apps.VoucherConfig",
    "shop.order.apps.OrderConfig",
    "shop.stock.apps.StockConfig",
    "shop.fulfilment.apps.FulfilmentConfig",
    "shop.returns.apps.ReturnsConfig",
    "shop.payments.apps.PaymentsConfig",
    "shop.api.apps.ApiConfig",
    "shop.desk.apps.DeskConfig",
    "erp.apps.ErpConfig",
    "shop.address.apps.AddressConfig",
    "shop.communication.apps.CommunicationConfig",
    "shop.payment.apps.PaymentConfig",
    "treebeard",
    "sorl.thumbnail",
    "django_q",
    "import_export",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
SITE_ID = 1
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "customer.User"

MIDDLEWARE = [
    "integrations.hub.health.probes.Probes",  # first: a probe knows neither TLS nor the shop's name
    "shop.tracing.TraceMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "shop.shortcut.HooksFirst",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",  # why that is safe here: docs/decisions/0014-compressed-pages.md
    "shop.freshness.PrivatePages",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "shop.customer.middleware.TimeZoneMiddleware",
    "shop.basket.middleware.BasketMiddleware",
]
ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "shop.context.storefront",
            ],
        },
    }
]

# --- data ------------------------------------------------------------------------------------------------------------

_database = env.db_url_config(DATABASE_URL)
_database["ENGINE"] = "django.db.backends.postgresql"
_database["ATOMIC_REQUESTS"] = False
_database["CONN_MAX_AGE"] = env.int("WEFT_DB_CONN_MAX_AGE", 60)
_database["CONN_HEALTH_CHECKS"] = True
_database.setdefault("OPTIONS", {}).setdefault("application_name", "weft")
# Nobody waits for the database for ever: a page says so instead (shop/errors.py). Commands of people may wait.
_database["OPTIONS"].setdefault("connect_timeout", 5)
_database["OPTIONS"].setdefault("tcp_user_timeout", 20_000)  # milliseconds without a sign of the other side
_limits = {
    "statement_timeout": env.int("WEFT_DB_STATEMENT_SECONDS", 15),
    "lock_timeout": env.int("WEFT_DB_LOCK_SECONDS", 3),
    "idle_in_transaction_session_timeout": env.int("WEFT_DB_IDLE_SECONDS", 30),
}
TIME_ZONE = env.str("WEFT_TIME_ZONE", "Asia/Shanghai")
_set = [f"-c weft.time_zone={TIME_ZONE}"]  # what a day is in statements: `stock_today()`
if not env.bool("WEFT_DB_PATIENT", False):
    _set += [f"-c {name}={seconds}s" for name, seconds in _limits.items() if seconds]
if _own := _database["OPTIONS"].get("options"):  # of DATABASE_URL: the last one counts
    _set.append(_own)
_database["OPTIONS"]["options"] = " ".join(_set)
DATABASES = {"default": _database}
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": env.str("REDIS_URL")}
    if env.str("REDIS_URL", "")
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
SESSION_ENGINE = (
    "django.contrib.sessions.backends.cached_db"
    if env.str("REDIS_URL", "")
    else ("django.contrib.sessions.backends.db")
)

# --- people, languages, time -----------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
if WEFT_MODE == "test":
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # slow ones guard nothing in a test
LOGIN_URL = "customer:login"
LOGIN_REDIRECT_URL = "customer:orders"
LOGOUT_REDIRECT_URL = "catalogue:home"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
MODELTRANSLATION_DEFAULT_LANGUAGE = "zh-hans"
MODELTRANSLATION_FALLBACK_LANGUAGES = ("zh-hans", "en")
LOCALE_PATHS = [BASE_DIR / "locale", Path(oscar.__file__).parent / "locale"]  # Oscar's names of its own models
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = ["shop.formats"]
LANGUAGE_COOKIE_SAMESITE = "Lax"

# --- files -----------------------------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_URL = "media/"
MEDIA_ROOT = env.path("WEFT_MEDIA_ROOT", default=VAR / "media")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if WEFT_MODE == "test"
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
THUMBNAIL_FORMAT = "WEBP"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# --- security --------------------------------------------------------------------------------------------------------

_prefix = "weft" if PRODUCTION else f"weft_{WEFT_MODE}"
SESSION_COOKIE_NAME = f"{_prefix}_session"
CSRF_COOKIE_NAME = f"{_prefix}_csrf"
LANGUAGE_COOKIE_NAME = f"{_prefix}_language"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = PRODUCTION and env.bool("WEFT_SSL_REDIRECT", True)
SECURE_HSTS_SECONDS = 31536000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("WEFT_BEHIND_TLS_PROXY", False) else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# --- work in the background ------------------------------------------------------------------------------------------

WEFT_URGENT_CLUSTER = "weft-urgent"
# retry must exceed (timeout + 3) * (1 + ceil((queue_limit + bulk) / workers)): see docs/decisions/0003-django-q2.md
Q_CLUSTER = {
    "name": "weft",
    "orm": "default",
    "workers": env.int("WEFT_WORKERS", 2),
    "timeout": 160,
    "retry": 2000,
    "max_attempts": 0,
    "ack_failures": False,
    "save_limit": -1,
    "bulk": 10,
    "queue_limit": 10,
    "recycle": 500,
    "max_rss": 400_000,
    "catch_up": False,
    "poll": 0.5,
    "guard_cycle": 0.5,
    "label": "django-q2",
    "ALT_CLUSTERS": {
        WEFT_URGENT_CLUSTER: {"workers": 1, "timeout": 160, "retry": 3600, "bulk": 1, "queue_limit": 2, "poll": 0.5},
    },
}
WEFT_PROVIDER_PACKAGES = [
    "integrations.messages.providers", "integrations.alarms.providers", "integrations.channels.providers",
    "integrations.payments.providers", "erp.providers",
]  # fmt: skip
WEFT_ALARM_MAIL = env.list("WEFT_ALARM_MAIL", default=[])
WEFT_ALARM_WEBHOOK = env.str("WEFT_ALARM_WEBHOOK", "")
WEFT_ALARM_WEBHOOK_SECRET = secret("WEFT_ALARM_WEBHOOK_SECRET")
WEFT_METRICS_TOKEN = secret("WEFT_METRICS_TOKEN")

# --- shop ------------------------------------------------------------------------------------------------------------

OSCAR_SHOP_NAME = "Weft"
OSCAR_DEFAULT_CURRENCY = env.str("WEFT_CURRENCY", "CNY")
OSCAR_ALLOW_ANON_CHECKOUT = True
OSCAR_OFFERS_INCL_TAX = True
OSCAR_REQUIRED_ADDRESS_FIELDS = ("first_name", "line1", "line4", "state", "country", "phone_number")
OSCAR_BASKET_COOKIE_OPEN = f"{_prefix}_basket"
OSCAR_BASKET_COOKIE_SECURE = PRODUCTION
OSCAR_DYNAMIC_CLASS_LOADER = "oscar.core.loading.default_class_loader"
OSCAR_DELETE_IMAGE_FILES = False  # Oscar deletes before the commit; see shop/catalogue/receivers.py
PHONENUMBER_DEFAULT_REGION = "CN"
WEFT_BANK_TRANSFER_HOURS = 72
WEFT_TRANSFER_HOURS = env.int("WEFT_TRANSFER_HOURS", 48)
WEFT_PAYMENT_MINUTES = env.int("WEFT_PAYMENT_MINUTES", 30)
WEFT_REFUND_LIMIT = Decimal(env.str("WEFT_REFUND_LIMIT", "5000"))
WEFT_AUTOMATIC_REFUNDS = env.int("WEFT_AUTOMATIC_REFUNDS", 20)
WEFT_AUTOMATIC_REFUND_SUM = Decimal(env.str("WEFT_AUTOMATIC_REFUND_SUM", "20000"))
WEFT_PAYMENT_LATEST_HOURS = env.int("WEFT_PAYMENT_LATEST_HOURS", 168)
WEFT_OWN_SHOP_WEIGHT = env.str("WEFT_OWN_SHOP_WEIGHT", "1")
WEFT_MARKET_PORT = env.int("WEFT_MARKET_PORT", 0)  # of the demo's practice market
WEFT_MARKET_KEY_FILE = env.str("WEFT_MARKET_KEY_FILE", "")
WEFT_GATEWAYS_PORT = env.int("WEFT_GATEWAYS_PORT", 0)  # of the demo's practice payment gateways
WEFT_GATEWAYS_FOLDER = env.str("WEFT_GATEWAYS_FOLDER", "")
WEFT_SHIPPING_FEE = env.str("WEFT_SHIPPING_FEE", "12.00")
WEFT_FREE_SHIPPING_FROM = env.str("WEFT_FREE_SHIPPING_FROM", "299.00")
WEFT_SHIPPING_TAX_CODE = env.str("WEFT_SHIPPING_TAX_CODE", "VAT9")
WEFT_PAGE_SIZE = 24
WEFT_SHOW_NET_PRICES = env.bool("WEFT_SHOW_NET_PRICES", False)
WEFT_BANK_DETAILS = env.str("WEFT_BANK_DETAILS", "")
WEFT_APPROVE_UNITS = env.int("WEFT_APPROVE_UNITS", 100)
WEFT_APPROVE_VALUE = Decimal(env.str("WEFT_APPROVE_VALUE", "5000"))

# --- partner API -----------------------------------------------------------------------------------------------------

WEFT_API_TOKEN_SECONDS = env.int("WEFT_API_TOKEN_SECONDS", 3600)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["shop.api.access.Bearer"],
    "DEFAULT_PERMISSION_CLASSES": ["shop.api.access.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["shop.api.access.ByClient"],
    "DEFAULT_THROTTLE_RATES": {
        "client": env.str("WEFT_API_RATE", "600/min"),
        "token": env.str("WEFT_API_TOKEN_RATE", "30/min"),
    },
    "DEFAULT_PARSER_CLASSES": ["shop.api.parsing.Json"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "shop.api.schema.Described",
    "EXCEPTION_HANDLER": "shop.api.problems.answer",
    "UNAUTHENTICATED_USER": None,
    "NUM_PROXIES": 1 if env.bool("WEFT_BEHIND_TLS_PROXY", False) else 0,
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": _("Weft partner API"),
    "DESCRIPTION": _(
        "Products, stock and orders for partners of the shop. Ask for a token with your client id and secret at "
        "`/api/v1/token/`, and send it with every request. Amounts are texts with a point; times are ISO 8601 with "
        "their zone. Whatever goes wrong is answered as a problem document that says what to do."
    ),
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "TAGS": [{"name": name} for name in ("token", "products", "stock", "orders")],
    "APPEND_COMPONENTS": {"securitySchemes": {"clientBasic": {"type": "http", "scheme": "basic"}}},
    "ENUM_NAME_OVERRIDES": {
        "OrderStatus": "shop.order.models.Status",
        "LineKind": "shop.order.models.LineKind",
    },
}

# --- mail ------------------------------------------------------------------------------------------------------------

DEFAULT_FROM_EMAIL = OSCAR_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", f"shop@{ALLOWED_HOSTS[0]}")
WEFT_MAIL_FOLDER = env.path("WEFT_MAIL_FOLDER", default=VAR / "mail")

LOGGING = logs.configuration(
    env.str("WEFT_LOG_LEVEL", "WARNING" if WEFT_MODE == "test" else "INFO"),
    as_json=env.str("WEFT_LOG_FORMAT", "json" if PRODUCTION else "text") == "json",
)
WEFT_TRUST_REQUEST_ID = env.bool("WEFT_TRUST_REQUEST_ID", False)
SILENCED_SYSTEM_CHECKS: list[str] = []

# --- admin -----------------------------------------------------------------------------------------------------------

_ink = ("#f6f5f2", "#eceae4", "#dcd9d0", "#c2c0bb", "#8e92a0", "#626a80", "#475069", "#333d59", "#1f2a44", "#161f34",
        "#0e1526")  # fmt: skip
_madder = ("#fdf4f1", "#fbe5df", "#f6cabf", "#eea593", "#e2654d", "#d4523a", "#c8452f", "#a63724", "#863022", "#6e2b20",
           "#3c140e")  # fmt: skip
_weights = ("50", "100", "200", "300", "400", "500", "600", "700", "800", "900", "950")
UNFOLD = {
    "SITE_TITLE": "Weft",
    "SITE_HEADER": "Weft",
    "SITE_SUBHEADER": _("Back office"),
    "SITE_URL": "/",
    "SITE_ICON": "shop.navigation.logo",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "shop.navigation.logo"}],
    "SHOW_LANGUAGES": True,
    "SHOW_VIEW_ON_SITE": False,
    "ENVIRONMENT": "shop.navigation.environment",
    "DASHBOARD_CALLBACK": "shop.todo.dashboard",
    "STYLES": ["shop.navigation.stylesheet"],
    "SCRIPTS": ["shop.navigation.script"],
    "BORDER_RADIUS": "6px",
    "COLORS": {
        "base": dict(zip(_weights, _ink, strict=True)),
        "primary": dict(zip(_weights, _madder, strict=True)),
    },
    "SIDEBAR": {"show_search": True, "show_all_applications": False, "navigation": "shop.navigation.sidebar"},
}
