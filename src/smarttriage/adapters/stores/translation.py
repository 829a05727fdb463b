"""What SQLAlchemy raises, in the errors of the project."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, ExceptionContext, event
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from smarttriage.domain.errors import Overloaded, SmartTriageError, StoreError


def translate_errors(engine: Engine) -> None:
    """Make the engine raise our errors from the statement at fault, so that they can be caught inside a transaction.

    IntegrityError passes: the records know which constraint means what.
    """

    def translate(context: ExceptionContext) -> SmartTriageError | None:
        error = context.sqlalchemy_exception
        if isinstance(error, StatementError) and not isinstance(error, IntegrityError):
            return _ours(error, engine)
        return None

    event.listen(engine, "handle_error", translate)


@contextmanager
def translated(engine: Engine) -> Iterator[None]:
    """Turn into our errors what is raised outside SQLAlchemy's statements, or by a constraint that no record expected."""
    try:
        yield
    except engine.dialect.loaded_dbapi.Error as error:
        raise _refused(error, engine) from error
    except PoolTimeout as error:
        raise Overloaded(f"No connection to {engine.url.database} came free in time; try again.", retry_after_s=1) from error
    except IntegrityError as error:
        raise _ours(error, engine) from error


def _ours(error: StatementError, engine: Engine) -> SmartTriageError:
    return error.orig if isinstance(error.orig, SmartTriageError) else _refused(error.orig, engine)


def _refused(error: BaseException | None, engine: Engine) -> SmartTriageError:
    database = engine.url.database
    if isinstance(error, engine.dialect.loaded_dbapi.Error) and "locked" in str(error):
        return Overloaded(f"{database} is locked by another process; try again.", retry_after_s=1)
    return StoreError(
        f"{database} refused the statement ({error}); check the disk, the file's permissions and that it is a store."
    )
