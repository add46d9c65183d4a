"""MLflow without the libraries and parts of it that a worker never uses: a third less memory, and a quicker start.

MLflow and pandas import pyarrow and scipy where they find them (40 MB), and MLflow its judges and its gateway (10 MB),
for everybody who says `import mlflow`. A check needs none of them.
"""

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

NOT_IMPORTED = ("pyarrow", "scipy")
"""MLflow and pandas do without them where they are not installed, so both are told that they are not."""
WHEN_USED = ("mlflow.genai", "mlflow.gateway")
"""Imported by whoever first uses something of them."""

OUR_MODELS = "models:/text-message-angel"
"""How the address of a registered model of ours begins (see `bot.evaluation.registry.MODEL`)."""


@contextmanager
def lean_imports(model_uri: str | None) -> Iterator[None]:
    """Whatever is imported and loaded meanwhile comes without NOT_IMPORTED, and WHEN_USED when used.

    Nothing is left out where a model of somebody else's is to be loaded: its code may need all of it.
    """
    if model_uri and not model_uri.startswith(OUR_MODELS):
        yield
        return
    absent = [name for name in NOT_IMPORTED if name not in sys.modules]
    finder = _WhenUsed()
    sys.meta_path.insert(0, finder)
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]  # this is how Python itself says "can't be imported"
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
        sys.meta_path.remove(finder)


class _WhenUsed(MetaPathFinder):
    """Finds the modules of WHEN_USED, and puts their loading off until something of them is used."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in WHEN_USED:
            return None
        spec = PathFinder.find_spec(fullname, path)
        if spec and spec.loader:
            spec.loader = _Later(spec.loader)
        return spec


class _Later(Loader):
    """Loads a package at the first use of an attribute that it does not have yet.

    Not `importlib.util.LazyLoader`: that one loads as soon as a module inside the package is imported, which MLflow
    does while its own import is half done, and in that order the two can't be imported.
    """

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        turn = threading.RLock()  # a second thread waits; the package itself asks for its own attributes meanwhile
        begun = False

        def load(name: str) -> object:
            nonlocal begun
            with turn:
                if not begun:
                    begun = True
                    self._loader.exec_module(module)
                    del module.__getattr__
            try:
                return vars(module)[name]
            except KeyError:
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}") from None

        module.__getattr__ = load  # type: ignore[method-assign]
