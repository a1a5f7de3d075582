"""Procrastinate's tables, as the library's installed version defines them."""

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the job queue."""
    op.get_bind().exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))
