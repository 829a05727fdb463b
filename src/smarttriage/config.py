"""Settings: environment variables SMARTTRIAGE_*, each with a default that works offline on one machine."""

from enum import StrEnum
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from smarttriage.domain.suggestion import FieldMode


class EncoderSize(StrEnum):
    """Which of the shipped encoders reads texts."""

    QUALITY = "quality"
    FAST = "fast"


class Settings(BaseSettings):
    """How an installation runs. Unset paths mean what the package ships."""

    model_config = SettingsConfigDict(env_prefix="SMARTTRIAGE_", extra="ignore")

    data_dir: Path = Field(Path("data"), description="Store, indexes, trained models; made if it is not there.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    bootstrap_key: SecretStr | None = Field(
        None, description="An administrator's API key of tenant `default`, valid on every start."
    )
    taxonomy: Path | None = Field(None, description="taxonomy.toml; default: the data folder's, else the shipped one.")
    priority: Path | None = Field(None, description="priority.toml; default: the data folder's, else the shipped one.")
    model: Path | None = Field(None, description="A model bundle; default: the data folder's promoted one, else the starter.")
    encoder: EncoderSize = Field(
        EncoderSize.QUALITY,
        description="`fast` reads a text in about half the time and finds somewhat less; the indexes follow a change by themselves.",
    )
    field_modes: dict[str, FieldMode] = Field(default_factory=dict, description='JSON, for example {"urgency": "recommend"}.')
    holdout_share: float = Field(
        0.05, ge=0, le=1, description="Share of suggestions that fill nothing in, to measure the precision of what is filled in."
    )
    four_eyes: bool = Field(False, description="Nobody, trusted or not, publishes or accepts what they wrote themselves.")
    accepted_an_hour: int | None = Field(
        120, gt=0, description="Drafts and quarantined lessons that one key may accept within an hour: nobody reads faster."
    )
    confirmations: int = Field(
        2, gt=0, description="Trusted people who must confirm a quarantined lesson where none of them is a reviewer."
    )
    max_body_bytes: int = Field(1_000_000, gt=0, description="Larger requests get 413 before they are parsed.")
    max_concurrent: int = Field(32, gt=0, description="More requests under way at once get 503 with Retry-After.")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="Least severity that is logged.")
