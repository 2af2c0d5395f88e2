"""Reads `prompts/*.md`: a front matter of `key: value` lines, then a body with {{name}}s.

Strict, because a prompt that lost a variable still gets an answer, only a worse one: unknown or
missing keys, and missing or superfluous variables, fail and are named. It knows nothing of models
or replies; `output` is a promise that whoever parses the reply has to check.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
KEYS = ("version", "role", "output")

_FRONT_MATTER = re.compile(r"---\n(.*?\n)---\n(.+)", re.DOTALL)
_PLACEHOLDER = re.compile(r"\{\{([a-z_][a-z0-9_]*)\}\}")


class PromptError(Exception):
    """A prompt file, or the variables given to it, are not what its template asks for."""


@dataclass(frozen=True)
class Prompt:
    """One prompt template, as its file says."""

    name: str
    """The file's name without `.md`."""
    version: int
    """Raised whenever the wording changes, so that scores of different wordings stay apart."""
    role: str
    """The model role it is written for: explainer, judge, ..."""
    output: str
    """A regular expression that the last line of a good reply matches in full."""
    body: str
    """The text, with placeholders."""
    content_hash: str
    """SHA-256 of the file's bytes: what a recorded call refers to."""

    @property
    def variables(self) -> frozenset[str]:
        """The names of the placeholders in the body."""
        return frozenset(_PLACEHOLDER.findall(self.body))

    def render(self, **variables: str) -> str:
        """The body with its placeholders replaced; values go in as they are, never expanded."""
        missing = self.variables - variables.keys()
        superfluous = variables.keys() - self.variables
        if missing or superfluous:
            faults = [
                f"{kind} {', '.join(sorted(names))}"
                for kind, names in (("missing", missing), ("superfluous", superfluous))
                if names
            ]
            raise PromptError(f"Prompt {self.name}: {'; '.join(faults)}")
        return _PLACEHOLDER.sub(lambda match: variables[match[1]], self.body)


def names(folder: Path = FOLDER) -> list[str]:
    """The prompts that there are."""
    return sorted(path.stem for path in folder.glob("*.md"))


def load(name: str, folder: Path = FOLDER) -> Prompt:
    """Read `folder/name.md`."""
    path = folder / f"{name}.md"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.md")))
        raise PromptError(f"No prompt {name!r} in {folder}. Known: {known or 'none'}")
    content = path.read_bytes()
    parts = _FRONT_MATTER.fullmatch(content.decode())
    if parts is None:
        raise PromptError(f"{path}: expected a front matter between two --- lines, then a body")
    matter = _front_matter(parts[1], path)
    body = parts[2].strip()
    _check_braces(body, path)
    return Prompt(
        name=name,
        version=_version(matter["version"], path),
        role=matter["role"],
        output=_pattern(matter["output"], path),
        body=body,
        content_hash=hashlib.sha256(content).hexdigest(),
    )


def _front_matter(text: str, path: Path) -> dict[str, str]:
    matter: dict[str, str] = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        key, value = key.strip(), value.strip()
        if not colon or not value:
            raise PromptError(f"{path}: expected `key: value` in the front matter, not {line!r}")
        if key not in KEYS or key in matter:
            fault = "repeated" if key in matter else "unknown"
            raise PromptError(f"{path}: {fault} key {key!r}. Each of {', '.join(KEYS)} once")
        matter[key] = value
    if missing := [key for key in KEYS if key not in matter]:
        raise PromptError(f"{path}: the front matter lacks {', '.join(missing)}")
    return matter


def _check_braces(body: str, path: Path) -> None:
    """A mistyped placeholder ({{ name }}, {{Name}}) must not reach a model as literal braces."""
    left_over = _PLACEHOLDER.sub("", body)
    if "{{" in left_over or "}}" in left_over:
        raise PromptError(f"{path}: a placeholder is {{{{name}}}}, lower case, without spaces")


def _version(text: str, path: Path) -> int:
    if not text.isdecimal():
        raise PromptError(f"{path}: version is a whole number, not {text!r}")
    return int(text)


def _pattern(text: str, path: Path) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise PromptError(f"{path}: output is no regular expression: {error}") from error
    return text
