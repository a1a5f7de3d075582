"""Forward-only migrations, by Alembic. Revisions are files in `migrations/versions`, in order of their numbers."""

from __future__ import annotations

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config

from bpn.database.revisions import VERSIONS

_LOCK_KEY = 0x62706E6D
_LOCK_TIMEOUT = "10s"


def upgrade(url: str) -> None:
    """Bring the database at `url` (libpq URL, several hosts allowed) to the newest revision.

    Two processes may call it at once: the second waits. A statement that cannot get its lock within 10 s fails
    the migration rather than stopping the traffic behind it; what was applied before stays applied.
    """
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=sqlalchemy.NullPool
    )
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT pg_advisory_lock(%s)", (_LOCK_KEY,))
        connection.exec_driver_sql(f"SET lock_timeout = '{_LOCK_TIMEOUT}'")
        connection.commit()
        try:
            configuration = _configuration()
            configuration.attributes["connection"] = connection
            command.upgrade(configuration, "head")
        finally:
            connection.rollback()
            connection.exec_driver_sql("SELECT pg_advisory_unlock(%s)", (_LOCK_KEY,))
            connection.commit()
    engine.dispose()


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(VERSIONS.parent))
    return configuration
