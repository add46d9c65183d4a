"""The model that is evaluated."""

from dataclasses import dataclass
from pathlib import Path

from mlflow.models import Model

from bot.evaluation.registry import Registry, Version
from bot.evaluation.store import mlflow_errors
from bot.model.loading import LoadedModel, Source, load, load_uri


@dataclass(frozen=True)
class Subject:
    """A model to be evaluated. `version` where it is one of ours."""

    model: LoadedModel
    described: Model
    version: Version | None

    @property
    def title(self) -> str:
        name = "the offline check" if self.model.offline else self.model.name
        return (
            f"{name} ({', '.join((f'version {self.version.number}', *self.version.aliases))})" if self.version else name
        )


def subject(chosen: Source, registry: Registry, cache_dir: Path) -> Subject:
    """The chosen model, loaded; an alias becomes the version it means now. Raises ModelMisconfigured, StoreError."""
    version = registry.at(chosen.uri) if chosen.uri else None
    model = load_uri(version.uri, version=version.number) if version else load(chosen, cache_dir)
    with mlflow_errors("describe the model"):
        return Subject(model, Model.load(model.uri), version)


def unregistered(model: LoadedModel) -> Subject:
    """A model that is only on this machine."""
    return Subject(model, Model.load(model.uri), None)
