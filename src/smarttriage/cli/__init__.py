"""The command line. stdout is the result, stderr the log and progress; exit 0 fine, 1 expected failure, 2 usage, 3 gate refused."""

import sys

import typer

from smarttriage.cli.backtest import backtest
from smarttriage.cli.doctor import doctor
from smarttriage.cli.escalations import escalations
from smarttriage.cli.evaluate import app as evaluate_app
from smarttriage.cli.forecast import forecast
from smarttriage.cli.importing import app as import_app
from smarttriage.cli.predict import predict
from smarttriage.cli.promote import promote, rollback
from smarttriage.cli.report import app as report_app
from smarttriage.cli.serve import serve
from smarttriage.cli.train import train
from smarttriage.cli.undo import undo
from smarttriage.domain.errors import GateRefused, SmartTriageError

EXIT_FAILURE = 1
EXIT_GATE_REFUSED = 3

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Incident triage for IT service desks."
)
app.command()(serve)
app.command()(train)
app.command()(predict)
app.command()(backtest)
app.command()(doctor)
app.command()(escalations)
app.command()(forecast)
app.command()(promote)
app.command()(rollback)
app.command()(undo)
app.add_typer(evaluate_app, name="evaluate")
app.add_typer(import_app, name="import")
app.add_typer(report_app, name="report")


def main() -> None:
    """Run the command line; an expected failure prints its message and no traceback."""
    try:
        app()
    except SmartTriageError as error:
        sys.stderr.write(f"smarttriage: {error.message}\n")
        sys.exit(EXIT_GATE_REFUSED if isinstance(error, GateRefused) else EXIT_FAILURE)
