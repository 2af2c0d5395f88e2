"""Shows a diagnosis: one table, then the commands to run about what is missing.

It knows nothing of how anything was found out.
"""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lmmscope.doctor_checks import Diagnosis
from lmmscope.invocation import lmmscope
from lmmscope.settings import DEFAULT_PROFILE

STYLES = {"ok": "green", "missing": "bold red", "note": "yellow"}


def show(diagnosis: Diagnosis, console: Console) -> None:
    """Print the diagnosis."""
    table = Table(box=None, pad_edge=False, title=None, show_header=False)
    for _ in range(3):
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    section = ""
    for check in diagnosis.checks:
        if section and check.section != section:
            table.add_row()
        heading = "" if check.section == section else f"[bold]{check.section}[/]"
        state = f"[{STYLES[check.state]}]{check.state}[/]"
        table.add_row(heading, check.name, state, escape(check.found))
        section = check.section
    console.print(table)
    console.print()
    for line in _advice(diagnosis):
        # A command that was broken into lines could not be pasted.
        console.print(line, soft_wrap=True, highlight=False)


def _advice(diagnosis: Diagnosis) -> list[str]:
    if diagnosis.healthy:
        where = "" if diagnosis.profile == DEFAULT_PROFILE else f" --profile {diagnosis.profile}"
        asking = f"{lmmscope()} ask{where} 'what does feature 3 respond to?'"
        return [f"Everything needed is here. Try: {escape(asking)}"]
    reasons: dict[str, list[str]] = {}
    for check in diagnosis.checks:
        if check.state == "missing" and check.fix:
            reasons.setdefault(check.fix, []).append(f"{check.section}: {check.name}")
    commands = [
        f"  {escape(fix)}    [dim]# {escape(', '.join(names))}[/]" for fix, names in reasons.items()
    ]
    return ["Missing. Run:", *commands]
