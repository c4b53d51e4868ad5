"""PostgreSQL's roles and databases: one role a service, which owns one database and can connect to no other.

Within its database a role may do everything: migrations make tables, and a worker makes the months to come and drops
those that are over.
"""

from collections.abc import Iterator, Sequence

UNPRIVILEGED = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
PRIVILEGED = "(rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls OR NOT rolcanlogin)"
SHARED_DATABASES = ("postgres", "template1")
"""Open to every role in a new server."""


def as_script(names: Sequence[str]) -> Iterator[str]:
    """A script for psql, and a server of PostgreSQL 16 or newer: for each name the role and the database of that name.

    A role's password is taken from the environment, `<NAME>_PASSWORD`; without one it stays as it is. Running the
    script again is harmless.
    """
    yield "-- for psql, as a superuser or as a role with CREATEROLE and CREATEDB; passwords are taken from the environment:"
    yield f"-- {', '.join(f'{name.upper()}_PASSWORD' for name in names)}"
    yield r"\set ON_ERROR_STOP on"
    for name in names:
        yield ""
        yield r"\set password ''"
        yield rf"\getenv password {name.upper()}_PASSWORD"
        yield f"SELECT 'CREATE ROLE {name} LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') \\gexec"
        yield f"SELECT 'ALTER ROLE {name} {UNPRIVILEGED}' FROM pg_roles WHERE rolname = '{name}' AND {PRIVILEGED} \\gexec"
        yield f"SELECT format('ALTER ROLE {name} PASSWORD %L', :'password') WHERE :'password' <> '' \\gexec"
        yield f"SELECT 'GRANT {name} TO CURRENT_USER' WHERE NOT pg_has_role('{name}', 'SET') \\gexec"
        yield (
            f"SELECT 'CREATE DATABASE {name} OWNER {name}'"
            f" WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{name}') \\gexec"
        )
        yield f"REVOKE ALL ON DATABASE {name} FROM PUBLIC;"
    yield ""
    yield "-- on a server that other programs use too, see first whether their roles connect to these"
    yield f"REVOKE ALL ON DATABASE {', '.join(SHARED_DATABASES)} FROM PUBLIC;"
