"""What a profile says: a TOML file, with LMMSCOPE_* variables of the environment laid over it.

A profile may extend another one: what it says is laid over that, table by table, value by value.

It knows names and values only: whether a folder exists or a server answers is for the doctor and
the wiring to find out.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError
from pydantic_settings.sources import PydanticBaseSettingsSource

from lmmscope.published import Coder, Part, Published, Serving
from sae_core.errors import UserError
from tools.backends.config import ServerConfig

PROFILES = Path(__file__).with_name("profiles")
DEFAULT_PROFILE = "toybox"
PREFIX = "LMMSCOPE_"
PROFILE_VARIABLE = f"{PREFIX}PROFILE"


def _by_address(server: object) -> object:
    """Addresses alone stand for a server with the usual settings."""
    return {"base_url": server} if isinstance(server, str | list) else server


Server = Annotated[ServerConfig, BeforeValidator(_by_address)]


class Models(Part):
    """A model for each role: a path, a name on the hub, or `toybox:ROLE` for a shipped one."""

    target: str
    """The large multimodal model whose features are explained."""
    explainer: str | None = None
    """The model that proposes, refines and categorises explanations."""
    judge: str | None = None
    """The model that says whether an explanation fits a picture."""
    describer: str | None = None
    """The model that says what is in a picture; none is the target, or the explainer's server."""
    clip: str
    """The model that compares pictures with texts."""
    grounder: str
    """The model that finds what a text names in a picture: its pixels, or boxes around it."""
    segmenter: str | None = None
    """The model that finds the pixels within the grounder's boxes."""
    text_encoder: str | None = None
    """The BERT of a GroundingDINO as its authors publish it; grounder and segmenter are then their
    checkpoints."""
    sae: str | None = None
    """The sparse coder whose features are explained, in any of the known formats."""


class Data(Part):
    """Where pictures come from, and the layer that is looked at."""

    hook: str = "layers.0"
    """The block of the target's language model whose output is split into features."""
    train: str | None = None
    """What coders are trained on: `toybox:SPLIT`, a .jsonl file in chat format, Parquet files with
    turns, or pictures as below."""
    explore: str | None = None
    """The pictures that the feature index is built from, and that explanations are made from:
    `toybox:SPLIT`, `hub:ORGANISATION/NAME[/PATTERN]`, a folder, .tar or .parquet files, a .txt list
    of these. `#0-80` after it means the part of it between two percentages."""
    validation: str | None = None
    """The pictures that scores are measured on."""
    test: str | None = None
    """The pictures that a finding is verified on, once."""
    explore_pictures: PositiveInt | None = None
    """How many pictures of `explore` are looked at; none is all."""
    held_out_pictures: PositiveInt | None = None
    """How many pictures of `validation`, and of `test`, are looked at; none is all."""
    validation_pictures: PositiveInt | None = None
    """How many of `validation` at most: only scores by hand are measured there."""
    side: PositiveInt | None = None
    """Pictures are drawn to this many pixels a side, for a target whose grid follows a picture's
    size; none leaves them as they are."""
    index: str | None = None
    """The feature index of the SAE on the explore pictures, with its levels."""
    test_index: str | None = None
    """The same on the test pictures; where none is named, it is built when it is first needed."""
    firing: float = Field(default=0.5, ge=0, le=1)
    """From what share of what its fifth-best picture reaches a feature counts as firing; 0: from
    any activation on."""
    looks: str | None = None
    """A folder with the CLIP embeddings of the first pictures; others are made once."""
    questions: str | None = None
    """Questions with right answers, to mend behaviours on: a .jsonl file, `toybox:validate`."""
    questions_test: str | None = None
    """Those that a fix is tested on, once."""


class Servers(Part):
    """OpenAI-compatible servers, as an address or as a table. One replaces the role's folder.

    Several addresses, in a list or with commas between them, are replicas of one server.
    """

    explainer: Server | None = None
    """Explains instead of `models.explainer`."""
    judge: Server | None = None
    """Judges instead of `models.judge`."""
    describer: Server | None = None
    """Describes pictures instead of `models.describer`."""
    planner: Server | None = None
    """Plans; without it, planning works offline."""
    editor: Server | None = None
    """Changes pictures as words say."""

    @field_validator("planner")
    @classmethod
    def _one_planner(cls, server: ServerConfig | None) -> ServerConfig | None:
        if server is not None and server.replicas:
            raise ValueError("a planner has one address: its conversation stays at one place")
        return server

    def given(self) -> dict[str, str]:
        """The addresses of the servers that there are, by role; of replicas the first."""
        servers = {role: getattr(self, role) for role in type(self).model_fields}
        return {role: one.base_url for role, one in servers.items() if one is not None}


class Settings(BaseSettings):
    """One profile, complete and checked."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )

    name: str
    """What the profile is called."""
    models: Models
    """Model folders by role."""
    data: Data = Data()
    """Pictures, and the layer that is looked at."""
    servers: Servers = Servers()
    """Model servers by role."""
    coder: Coder | None = None
    """The sparse coder to train."""
    engines: dict[str, Serving] = {}
    """How servers are started, by role."""
    published: Published = Published()
    """Sizes to plan with."""
    runs: Path = Path("runs")
    """Where runs write; relative to the folder that lmmscope is run in."""
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    """What the target computes in."""
    bits: Literal[4, 8] | None = None
    """Bits that a weight of the target is kept in; none is as many as it computes in."""
    batch: PositiveInt = 32
    """Pictures that the target looks at together while an index is built."""
    threads: PositiveInt | None = None
    """CPU threads of torch; none leaves it to torch and OMP_NUM_THREADS."""

    @model_validator(mode="after")
    def _every_role_has_a_model(self) -> Self:
        for role in ("explainer", "judge"):
            if getattr(self.models, role) is None and getattr(self.servers, role) is None:
                raise ValueError(f"neither models.{role} nor servers.{role} is given")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment first, then what the profile's file said; no .env, no secrets folder."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings


def known_profiles() -> list[str]:
    """The names of the profiles that are shipped."""
    return sorted(path.stem for path in PROFILES.glob("*.toml"))


def overrides() -> list[str]:
    """The LMMSCOPE_* variables that are set."""
    return sorted(name for name in os.environ if name.upper().startswith(PREFIX))


def load_settings(profile: str | None = None) -> Settings:
    """Read a profile, with the environment laid over it."""
    path = profile_path(profile)
    _refuse_unknown_variables()
    values: dict[str, Any] = {"name": path.stem, **_extended(path)}
    try:
        return Settings(**values)
    except ValidationError as error:
        faults = "; ".join(_fault(details) for details in error.errors())
        raise UserError(f"Profile {path.stem!r} ({path}) does not fit: {faults}.") from None
    except SettingsError as error:
        raise UserError(f"A {PREFIX}* variable can't be read: {error}.") from None


def profile_path(profile: str | None = None) -> Path:
    """The file of a known name or of a path; without either, of $LMMSCOPE_PROFILE, or toybox."""
    profile = profile or os.environ.get(PROFILE_VARIABLE) or DEFAULT_PROFILE
    if profile.endswith(".toml") or os.sep in profile:
        path = Path(profile).expanduser()
        if not path.is_file():
            raise UserError(f"No profile file at {path}. Known profiles: {_known()}.")
        return path
    if profile not in known_profiles():
        raise UserError(
            f"No profile {profile!r}. Known: {_known()}; or give the path of a .toml file. "
            f"Try lmmscope doctor --profile {DEFAULT_PROFILE}"
        )
    return PROFILES / f"{profile}.toml"


def _known() -> str:
    return ", ".join(known_profiles())


def _extended(path: Path, below: tuple[Path, ...] = ()) -> dict[str, Any]:
    """What a file says, laid over what the profile says that it extends."""
    if path in below:
        raise UserError(f"The profile {path} extends itself. Take out one `extends`")
    said = _read(path)
    if (name := said.pop("extends", None)) is None:
        return said
    beside = path.parent / str(name)
    base = beside if beside.suffix == ".toml" and beside.is_file() else profile_path(str(name))
    return _laid_over(_extended(base, (*below, path)), said)


def _laid_over(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """Tables are merged, values replaced; a profile's name is its own."""
    merged = {key: value for key, value in base.items() if key != "name"}
    for key, value in top.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _laid_over(merged[key], value) if both else value
    return merged


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"The profile {path} can't be read: {error}.") from None


def _refuse_unknown_variables() -> None:
    """A mistyped variable would otherwise be ignored in silence."""
    known = {PROFILE_VARIABLE, *(f"{PREFIX}{field}".upper() for field in Settings.model_fields)}
    for name in overrides():
        if name.upper().partition("__")[0] not in known:
            raise UserError(
                f"Unknown variable {name} in the environment. Known: {', '.join(sorted(known))}; "
                f"inside a table with two underscores, as in {PREFIX}MODELS__TARGET."
            )


def _fault(details: ErrorDetails) -> str:
    """One complaint of pydantic's in a few words: where, what, and which keys there are."""
    where = ".".join(str(part) for part in details["loc"])
    match details["type"]:
        case "extra_forbidden":
            tables = {"models": Models, "data": Data, "servers": Servers, "coder": Coder}
            table = tables.get(str(details["loc"][0]), Settings)
            return f"unknown key {where} (known: {', '.join(table.model_fields)})"
        case "missing":
            return f"{where} is missing"
        case "value_error":
            message = details["msg"].removeprefix("Value error, ")
            return f"{where}: {message}" if where else message
        case _:
            return f"{where} = {details['input']!r}: {details['msg'].lower()}"
