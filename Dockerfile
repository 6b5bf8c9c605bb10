# One image for web, workers and one-off commands. Nothing secret is in it: all settings come with the container.
FROM python:3.11-slim-bookworm AS build
WORKDIR /srv/weft
COPY requirements.txt ./
RUN python -m venv .venv && .venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check -r requirements.txt
COPY . .
# Static files need complete settings, not real ones: they get throw-away secrets for this one command.
RUN .venv/bin/python -m runtime.environment production -- .venv/bin/python manage.py collectstatic --noinput --verbosity 0
RUN .venv/bin/python -m compileall -q erp integrations runtime shop

FROM python:3.11-slim-bookworm
COPY --from=build /srv/weft /srv/weft
# The only two folders that are written: uploads, and backups where they are mounted.
RUN groupadd --gid 10001 weft \
    && useradd --uid 10001 --gid weft --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin weft \
    && install -d -o weft -g weft -m 750 /srv/weft/var/media /srv/weft/backups
WORKDIR /srv/weft
ENV PATH=/srv/weft/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 WEFT_BIND=0.0.0.0:8000
USER weft
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=40s CMD ["python", "-m", "runtime.probe"]
CMD ["python", "-m", "gunicorn", "-c", "python:runtime.web", "shop.wsgi:application"]
