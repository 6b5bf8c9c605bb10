#!/bin/sh
# Run once by the PostgreSQL container, on an empty volume: the shop's own role, which is no superuser, and its database.
set -eu
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<SQL
CREATE ROLE weft LOGIN PASSWORD '$(cat /run/secrets/weft_password)';
CREATE DATABASE weft OWNER weft ENCODING 'UTF8' TEMPLATE template0;
SQL
