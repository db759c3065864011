"""Settings: environment variables `GLYPHD_*`, the same names in `.env`, or without the prefix in `glyphd.toml`."""

import re
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import unquote

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

MIB = 1024 * 1024


class SourceGates(BaseModel):
    """The gates of a source, as in `domain/gates.py`; what is not given is not asked for."""

    model_config = ConfigDict(extra="forbid")

    max_reject_rate: float | None = Field(None, ge=0, le=1)
    max_price_move: float | None = Field(None, ge=0)
    min_rows: int | None = Field(None, ge=0)


def _long_enough(token: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x21-\x7e]{16,}", token.get_secret_value()):
        raise ValueError("an access token has at least 16 printable ASCII characters, and no space")
    return token


class Settings(BaseSettings):
    """Everything that can be set, with its default (DESIGN §9)."""

    model_config = SettingsConfigDict(
        env_prefix="GLYPHD_", env_file=".env", toml_file="glyphd.toml", extra="ignore", populate_by_name=True
    )

    database_url: str = Field(
        "sqlite:///data/glyphd.sqlite",
        description="Where the ledger and the rows live: `sqlite:///…` or `postgresql://…`.",
    )
    database_pool: int = Field(
        16, gt=0, description="Connections to the database that one process may have; SQLite opens up to twice as many."
    )
    db_path: Path | None = Field(None, description="A SQLite file; the older way to say `GLYPHD_DATABASE_URL`.")
    artifacts_url: str | None = Field(
        None, description="Folder of the submitted files; `artifacts/` beside the SQLite file when unset."
    )
    host: str = Field("127.0.0.1", description="Address the server listens on.")
    port: int = Field(8080, ge=0, le=65535, description="Port the server listens on.")
    pipeline_dir: Path | None = Field(
        None, description="Folder below which pipeline runs may be imported by path; unset: paths are refused."
    )
    url: str | None = Field(
        None, description="Server that commands work against, as with `--url`; unset: what is on this machine."
    )
    api_token: Annotated[SecretStr, AfterValidator(_long_enough)] | None = Field(
        None,
        description="Access token: writes need it as `Authorization: Bearer …`, and the console asks for it; commands "
        "send it to the server of GLYPHD_URL. At least 16 printable ASCII characters.",
    )
    guard_reads: bool = Field(default=False, description="Whether reads need the access token too.")
    max_body_bytes: int = Field(2048 * MIB, gt=0, description="Largest request body.")
    max_json_bytes: int = Field(256 * MIB, gt=0, description="Largest JSON request body.")
    max_cell_bytes: int = Field(64 * 1024, gt=0, description="Largest cell of a submitted file.")
    max_queue: int = Field(1000, gt=0, description="Imports that may wait for a worker before new ones answer 429.")
    import_workers: int = Field(
        1, ge=0, description="Worker processes that `glyphd serve` starts; 0: workers run elsewhere."
    )
    gates: dict[str, SourceGates] = Field(
        {},
        description="Gates by source, `*` for every one, as JSON: "
        '`{"*": {"max_reject_rate": 0.2}, "wamatek": {"min_rows": 100, "max_price_move": 0.5}}`.',
    )
    lease_seconds: float = Field(30, gt=0, description="How long a silent worker keeps its import.")
    wait_seconds: float = Field(
        60, ge=0, description="How long a request that imports waits for the outcome, at most, before it answers 202."
    )
    idempotency_hours: float = Field(
        24, gt=0, le=24 * 366, description="How long an idempotency key leads to the import that was made with it."
    )
    log_level: str = Field(
        "INFO",
        pattern="(?i)^(debug|info|warning|error|critical)$",
        description="Least level that is logged: debug, info, warning, error or critical.",
    )

    @model_validator(mode="after")
    def _need_a_token_to_guard_reads(self) -> Self:
        if self.guard_reads and self.api_token is None:
            raise ValueError("guard_reads is set, and no api_token: nobody could read")
        return self

    @model_validator(mode="after")
    def _understand_db_path(self) -> Self:
        if self.db_path is not None and "database_url" not in self.model_fields_set:
            self.database_url = f"sqlite:///{self.db_path}"
        return self

    @property
    def artifacts_folder(self) -> Path:
        """The folder of the submitted files."""
        if self.artifacts_url:
            return Path(unquote(self.artifacts_url.removeprefix("file://")))
        if sqlite := re.match(r"sqlite(?:\+\w+)?:///([^?]+)", self.database_url):
            return Path(sqlite[1]).parent / "artifacts"
        return Path("data/artifacts")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, the environment over `.env`, `.env` over `glyphd.toml`."""
        return init_settings, env_settings, dotenv_settings, TomlConfigSettingsSource(settings_cls)
