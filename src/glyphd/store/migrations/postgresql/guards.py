"""What keeps references whole on PostgreSQL where rows are written without foreign keys (DESIGN §4, G1).

Rows come in by COPY and are compared with imports and models as sets, at the audit. What is left to refuse is that an
import or a model goes away, or is renamed, under rows that are there: that is rare, so triggers can look. They are made
here alone; `store/tables.py` declares no triggers.
"""

from sqlalchemy import Connection


def guard_imports(connection: Connection, table: str) -> None:
    """Refuse to delete or rename an import that has rows in a table, of whose primary key `import_id` is the prefix."""
    refused = f"EXISTS (SELECT 1 FROM {table} WHERE import_id = OLD.import_id)"
    _create(connection, "import_batches", "import_id", table, refused)


def guard_models(connection: Connection) -> None:
    """Refuse to delete or rename a model that an import's figures or a raw listing name."""
    refused = " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} WHERE canonical_model = OLD.model)"
        for table in ("import_model_stats", "listings")
    )
    _create(connection, "models", "model", "rows", refused)


def release_imports(connection: Connection, table: str) -> None:
    """Undo :func:`guard_imports`."""
    _drop(connection, "import_batches", table)


def release_models(connection: Connection) -> None:
    """Undo :func:`guard_models`."""
    _drop(connection, "models", "rows")


def _create(connection: Connection, parent: str, key: str, child: str, refused: str) -> None:
    name = f"{parent}_keep_{child}"
    connection.exec_driver_sql(f"""CREATE FUNCTION glyphd_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.{key} = OLD.{key} THEN
            RETURN NEW;
        END IF;
    END IF;
    IF {refused} THEN
        RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation', TABLE = '{parent}',
            MESSAGE = '{parent}: ' || OLD.{key} || ' is still referred to by {child}';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        RETURN NEW;
    END IF;
    RETURN OLD;
END $$""")
    connection.exec_driver_sql(
        f"CREATE TRIGGER {name} BEFORE DELETE OR UPDATE OF {key} ON {parent}"
        f" FOR EACH ROW EXECUTE FUNCTION glyphd_{name}()"
    )


def _drop(connection: Connection, parent: str, child: str) -> None:
    name = f"{parent}_keep_{child}"
    connection.exec_driver_sql(f"DROP TRIGGER {name} ON {parent}")
    connection.exec_driver_sql(f"DROP FUNCTION glyphd_{name}()")
