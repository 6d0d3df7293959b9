"""Whether a text column is one of many texts, asked by one parameter however many they are.

SQLAlchemy writes an IN anew for each number of values, which for a statement of the way in costs
several times what running it does.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import sqlalchemy
from sqlalchemy import Boolean, Column, ColumnElement, Dialect, TypeDecorator, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeEngine

from server.store.types import Key, storable, storable_key


def among(column: Column[Any], name: str) -> ColumnElement[bool]:
    """The condition that the column is one of the texts that the parameter of this name holds."""
    return _Among(column, bindparam(name, type_=_Texts(isinstance(column.type, Key))))


# -- inside ---------------------------------------------------------------------------------------


class _Texts(TypeDecorator[Collection[str]]):
    """Texts as one value, each as its column holds it: a JSON array, in PostgreSQL an array."""

    impl = sqlalchemy.Text
    cache_ok = True

    def __init__(self, keys: bool) -> None:
        super().__init__()
        self.keys = keys

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        text = sqlalchemy.Text()
        return dialect.type_descriptor(ARRAY(text) if dialect.name == "postgresql" else text)

    def process_bind_param(self, value: Collection[str] | None, dialect: Dialect) -> Any:
        texts = [storable_key(one) if self.keys else storable(one) for one in value or ()]
        return texts if dialect.name == "postgresql" else json.dumps(texts, ensure_ascii=False)


class _Among(FunctionElement[bool]):
    name = "among"
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: OperatorType | None = None) -> _Among:
        """As it is: written as `... = 1`, as SQLite's booleans are, it would use no index."""
        return self


@compiles(_Among, "sqlite")
def _in_json(element: _Among, compiler: SQLCompiler, **kw: Any) -> str:
    column, texts = (compiler.process(part, **kw) for part in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({texts}))"  # noqa: S608 - our own names


@compiles(_Among, "postgresql")
def _in_array(element: _Among, compiler: SQLCompiler, **kw: Any) -> str:
    column, texts = (compiler.process(part, **kw) for part in element.clauses)
    return f"{column} = ANY ({texts})"
