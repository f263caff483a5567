"""This file keeps every edition of the knowledge base that ever ran on this record, by its digest, as opaque bytes."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from store.database import Database
from store.errors import NotFound
from store.tables import knowledge_editions


def keep(database: Database, digest: str, *, edition: str, files: bytes, now: datetime) -> None:
    """Keep an edition; one that is kept already stays as it is. Each process does this once, when it starts."""
    here = sa.select(knowledge_editions.c.digest).where(knowledge_editions.c.digest == digest)

    def work(connection: Connection) -> None:
        if connection.scalar(here) is None:
            connection.execute(
                sa.insert(knowledge_editions),
                {"digest": digest, "edition": edition, "files": files, "recorded_at": now},
            )

    with database.read() as connection:
        if connection.scalar(here) is not None:
            return
    database.write_again(work)


def read(database: Database, digest: str) -> bytes:
    """The files of an edition. Raises NotFound."""
    query = sa.select(knowledge_editions.c.files).where(knowledge_editions.c.digest == digest)
    with database.read() as connection:
        files: bytes | None = connection.scalar(query)
    if files is None:
        raise NotFound("knowledge edition", digest)
    return files
