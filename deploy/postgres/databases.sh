#!/usr/bin/env bash
# Run by the postgres image when its volume is empty: a role and a database of the same name for each service, which
# no other role can connect to. The passwords are the secrets <name>_password.
set -euo pipefail

for name in survey_intake attribution kpi_aggregator closed_loop bonus; do
  export name password_file="/run/secrets/${name}_password"
  psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\getenv name name
\set password `cat "$password_file"`
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name", postgres, template1 FROM PUBLIC;
SQL
done
