"""The site's settings. All come from the environment or ``.env``; a fresh clone needs none of them.

``.env.example`` lists the ones people set. Production is ``DEBUG=false``.
"""

import os
from pathlib import Path
from urllib.parse import quote

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from redis.backoff import NoBackoff
from redis.retry import Retry

from detector import BACKBONES, ConfigError, DetectorConfig, Limits
from truthlens_site.environment import Environment
from truthlens_site.languages import languages_in
from truthlens_site.logging import log_settings
from truthlens_site.places import broker_socket, secret_key, store_origin
from truthlens_site.production import check_mode, site_address
from truthlens_site.reporting import start_reporting

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment(Path(os.environ.get("TRUTHLENS_ENV_FILE", BASE_DIR / ".env")))

# Mode and state. DEBUG unset: a site for this machine; false: production; true: development, where whoever
# meets an error sees its traceback and the settings around it.

DEBUG = env.switch("DEBUG", default=False)
PRODUCTION = bool(env.text("DEBUG")) and not DEBUG
STATE = env.folder("TRUTHLENS_STATE", BASE_DIR / "var", base=BASE_DIR)
MEDIA_ROOT = env.folder("MEDIA_ROOT", STATE / "media", base=BASE_DIR)

SECRET_KEY = env.text("SECRET_KEY")
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS", [] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]"])
check_mode(debug=DEBUG, production=PRODUCTION, key=SECRET_KEY, hosts=ALLOWED_HOSTS)
SECRET_KEY_FALLBACKS = env.names("SECRET_KEY_FALLBACKS", [])
SECRET_KEY = SECRET_KEY or secret_key(STATE / "secret_key")

# The detector

MAX_VIDEO_SIZE_BYTES = env.integer("MAX_VIDEO_SIZE", 100, low=1, high=1_000_000) * 1024 * 1024
MAX_VIDEO_DURATION_S = env.integer("MAX_VIDEO_DURATION", 1800, low=1, high=86_400)
ANALYSIS_TIMEOUT_S = env.integer("ANALYSIS_TIMEOUT", 600, low=1, high=86_400)
try:
    DETECTOR = DetectorConfig(
        backbone=env.text("BACKBONE", "efficientnet"),
        model_path=env.file("MODEL_PATH", base=BASE_DIR),
        sequence_length=env.integer("SEQUENCE_LENGTH", 30, low=20, high=40),
        threshold=env.decimal("CONFIDENCE_THRESHOLD", 0.70),
        batch_size=env.integer("BATCH_SIZE", 16, low=1, high=1024),
        device=env.text("DEVICE", "auto"),
        face_finder=env.text("FACE_FINDER", "mtcnn"),
        trust_list=env.file("C2PA_TRUST_LIST", base=BASE_DIR),
        limits=Limits(max_bytes=MAX_VIDEO_SIZE_BYTES, max_duration_s=float(MAX_VIDEO_DURATION_S)),
    )
except ConfigError as error:
    raise ImproperlyConfigured(str(error)) from None

# Database

DATABASES = {"default": env.database("DATABASE_URL", f"sqlite:///{quote(str(STATE / 'db.sqlite3'))}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # The web threads and the worker write at once: readers never wait (WAL), and a writer takes its lock
    # when it begins, where waiting works, and not halfway, where SQLite gives up at once.
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
    }
else:
    DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Queue. The embedded broker runs unless REDIS_URL names another one.

EMBEDDED_BROKER = not env.text("REDIS_URL")
BROKER_SOCKET = broker_socket(STATE)
REDIS_URL = env.broker_url("REDIS_URL", f"unix://{quote(str(BROKER_SOCKET))}")
RQ_QUEUES = {
    "default": {
        "URL": REDIS_URL,
        "SERIALIZER": "rq.serializers.JSONSerializer",
        # The worker stops an analysis itself; this is the net below it.
        "DEFAULT_TIMEOUT": ANALYSIS_TIMEOUT_S + 120,
    }
}
RQ = {"COMMIT_MODE": "on_db_commit"}
# What this worker takes, the first named first; and which analyses wait for one with a GPU: all, those of a
# model, or those with the check on compressed copies.
WORKER_QUEUES = env.choices("WORKER_QUEUES", ["chores", "gpu", "default"], ("chores", "gpu", "default"))
GPU_ANALYSES = env.choices("GPU_ANALYSES", [], ("all", "stability", *BACKBONES))
RQ_SHOW_ADMIN_LINK = False

# What requests are counted by, at the API and where somebody logs in: the same for all web processes.

CACHES = {
    "default": {
        "BACKEND": "truthlens_site.shared_cache.SharedCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "truthlens",
        # A broker that is down must not hold up the request.
        "OPTIONS": {"retry": Retry(NoBackoff(), 0), "socket_connect_timeout": 1, "socket_timeout": 1},
    }
}

# Applications

INSTALLED_APPS = [
    "truthlens_site",
    "accounts",
    "analyses",
    "detector",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "knox",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_rq",
    "accounts.apps.AdministrationApp",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "truthlens_site.requests.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "truthlens_site.permissions_policy.PermissionsPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "truthlens_site.page_language.PageLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.preferences.PreferencesMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "truthlens_site.errors.StorageAwayMiddleware",
]
ROOT_URLCONF = "truthlens_site.urls"
WSGI_APPLICATION = "truthlens_site.wsgi.application"
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
                "accounts.context.signup",
                "analyses.context.notices",
            ]
        },
    }
]

# Accounts

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "display_name")},
    },
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
SIGNUP = env.choice("SIGNUP", "open", ("open", "invited", "closed"))
EMAIL_VERIFICATION = env.switch("EMAIL_VERIFICATION", default=False)  # a fresh clone has no mail server
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {"signup": "accounts.forms.SignupForm"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if EMAIL_VERIFICATION else "none"
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_CHANGE_EMAIL = True  # one address, and the next one until its owner has confirmed it
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "TruthLens: "
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "signup": "20/m/ip",
    "reset_password": "20/m/ip,5/m/key",
    "reset_password_from_key": "20/m/ip",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
    "manage_email": "10/m/user",
    "confirm_email": "1/3m/key",
    "report_result": "10/h/ip",
}
MFA_ADAPTER = "accounts.mfa.MfaAdapter"
MFA_FORMS = {
    "add_webauthn": "accounts.forms.PasskeyForm",
    "edit_webauthn": "accounts.forms.PasskeyNameForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "TruthLens"
MFA_TOTP_TOLERANCE = 1  # clocks of phones are seconds off
MFA_ALLOW_UNVERIFIED_EMAIL = True  # where addresses are verified, nobody is logged in without
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "analyses"
ACCOUNT_LOGOUT_REDIRECT_URL = "home"

# The first administrator, made by `up` on an empty database. Unless set, a password is made and shown once.

ADMIN_EMAIL = env.text("TRUTHLENS_ADMIN_EMAIL", "admin@localhost")
ADMIN_PASSWORD = env.text("TRUTHLENS_ADMIN_PASSWORD")

# Tokens of the API; only their hashes are stored. The prefix lets scanners of published code find them.

KNOX_TOKEN_MODEL = "accounts.ApiToken"
REST_KNOX = {"TOKEN_PREFIX": "tl_"}

# The API. A token may ask so often, by what a request costs; a user twice as often.

API_RATES = {
    "read": env.rate("API_RATE_READ", "600/minute"),
    "write": env.rate("API_RATE_WRITE", "120/minute"),
    "upload": env.rate("API_RATE_UPLOAD", "60/minute"),
    "detect": env.rate("API_RATE_DETECT", "30/minute"),
}
# So many requests may wait for a verdict at once; each keeps one of the web server's threads.
DETECT_WAITERS = env.integer("DETECT_WAITERS", 4, low=0, high=1000)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "analyses.api.permissions.MayWrite",
    ],
    "DEFAULT_THROTTLE_CLASSES": [
        "analyses.api.throttles.TokenThrottle",
        "analyses.api.throttles.UserThrottle",
    ],
    "DEFAULT_PARSER_CLASSES": [
        "rest_framework.parsers.JSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "analyses.api.negotiation.OneAnswer",
    "DEFAULT_SCHEMA_CLASS": "analyses.api.openapi.ApiSchema",
    "EXCEPTION_HANDLER": "analyses.api.problems.problem_response",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "TruthLens",
    "DESCRIPTION": "Checks whether the faces in a video were manipulated, and says so when it can’t tell.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api(/v1)?",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "StateEnum": "analyses.models.State.choices",
    },
    "PREPROCESSING_HOOKS": ["analyses.api.openapi.only_the_api"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "analyses.api.openapi.with_the_result",
    ],
}

# What each role may use: analyses and minutes of video a day, megabytes stored, analyses that wait or run.
QUOTAS = {
    "user": env.limits("QUOTA_USER", analyses=200, minutes=1440, storage=20_480, running=25),
    "moderator": env.limits("QUOTA_MODERATOR", analyses=1000, minutes=7200, storage=102_400, running=100),
    "administrator": env.limits(
        "QUOTA_ADMINISTRATOR", analyses=None, minutes=None, storage=None, running=None
    ),
}

# Moderation. With a second moderator a decision is only proposed until somebody else agrees. Files and
# results are deleted after so many days; 0: never.

SECOND_MODERATOR = env.switch("SECOND_MODERATOR", default=False)
RETENTION_FILES_DAYS = env.integer("RETENTION_FILES_DAYS", 0, low=0, high=36_500)
RETENTION_RESULTS_DAYS = env.integer("RETENTION_RESULTS_DAYS", 0, low=0, high=36_500)

# Webhooks. Addresses of the network that the site stands in, and plain http, only where its owner says so.
WEBHOOKS_PRIVATE = env.switch("WEBHOOKS_PRIVATE", default=False)

# Without a mail server letters are printed where `up` runs.
vars().update(env.mail("EMAIL_URL", "consolemail://"))
EMAIL_TIMEOUT = 15  # a page waits for it
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("DEFAULT_FROM_EMAIL", "truthlens@localhost")

# Security

HTTPS = env.switch("HTTPS", default=PRODUCTION)
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
# Letters that no request asks for lead there. On a site for this machine `up` knows it, and tells the worker.
SITE_URL = env.web_address("SITE_URL") or (site_address(ALLOWED_HOSTS, https=HTTPS) if PRODUCTION else "")
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
SECURE_HSTS_SECONDS = 30 * 24 * 3600 if HTTPS else 0
# Whether other hosts of the domain speak https, and whether browsers ship its name, is its owner's to say.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
TRUSTED_PROXIES = env.integer("TRUSTED_PROXIES", 0, low=0, high=10)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "media-src": [SELF, "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# Files

STATIC_URL = "/static/"
STATIC_ROOT = env.folder("STATIC_ROOT", STATE / "static", base=BASE_DIR)
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = DEBUG
S3_BUCKET = env.text("S3_BUCKET")
S3_ENDPOINT_URL = env.web_address("S3_ENDPOINT_URL")
S3_PUBLIC_URL = env.web_address("S3_PUBLIC_URL") or S3_ENDPOINT_URL
S3_REGION = env.text("S3_REGION", "us-east-1")
S3_ADDRESSING = env.choice("S3_ADDRESSING", "path" if S3_ENDPOINT_URL else "virtual", ("path", "virtual"))
S3_URL_EXPIRY = env.integer("S3_URL_EXPIRY", 3600, low=60, high=604_800)
S3_OPTIONS = {
    "bucket_name": S3_BUCKET,
    "endpoint_url": S3_ENDPOINT_URL or None,
    "public_url": S3_PUBLIC_URL,
    "region_name": S3_REGION,
    "addressing_style": S3_ADDRESSING,
    "location": env.text("S3_PREFIX"),
    "access_key": env.text("S3_ACCESS_KEY_ID") or None,
    "secret_key": env.text("S3_SECRET_ACCESS_KEY") or None,
    "querystring_expire": S3_URL_EXPIRY,
}
if S3_BUCKET:
    # Pages show videos and images that the store hands out itself.
    S3_ORIGIN = store_origin(S3_PUBLIC_URL, S3_BUCKET, S3_REGION, S3_ADDRESSING)
    for kind in ("img-src", "media-src"):
        CONTENT_SECURITY_POLICY["DIRECTIVES"][kind].append(S3_ORIGIN)
# Where workers keep a copy of a file in the object store for as long as they work on it.
SCRATCH_FOLDER = env.folder("SCRATCH_FOLDER", STATE / "scratch", base=BASE_DIR)
SCRATCH_LIMIT_BYTES = env.integer("SCRATCH_LIMIT", 0, low=0, high=10_000_000) * 1024 * 1024
STORAGES = {
    "default": {"BACKEND": "analyses.object_storage.ObjectStorage", "OPTIONS": S3_OPTIONS}
    if S3_BUCKET
    else {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "truthlens_site.static_files.StaticFilesStorage"},
}
# Uploads stream to disk, never into memory, whatever their size.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
FILE_UPLOAD_TEMP_DIR = env.folder("UPLOAD_FOLDER", STATE / "uploads", base=BASE_DIR)
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700

# Language, time, log

# The visitor's own language, where ``locale`` has it.
USE_I18N = True
LANGUAGE_CODE = "en"
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGES = languages_in(LOCALE_PATHS[0])
LANGUAGE_COOKIE_HTTPONLY = True
TIME_ZONE = "UTC"
USE_TZ = True
LOGGING = log_settings(
    env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
    env.choice("LOG_FORMAT", "text", ("text", "json")),
)

# Seeing inside. Without a token the figures are shown to this machine alone, and in production to nobody.

METRICS_TOKEN = env.text("METRICS_TOKEN")
DISK_RESERVE_BYTES = env.integer("DISK_RESERVE", 500, low=0, high=10_000_000) * 1024 * 1024
if SENTRY_DSN := env.text("SENTRY_DSN"):
    start_reporting(SENTRY_DSN, production=PRODUCTION)
