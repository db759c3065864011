"""Batches whose every row can be foretold, so that a lost, doubled or foreign row shows."""

from dataclasses import dataclass
from functools import cached_property

MODELS = 12
_INVALID_EVERY = 97


@dataclass(frozen=True)
class Batch:
    """A CSV of ``records`` records, each 97th of them invalid. Its tag is its source and is in each model's name."""

    tag: str
    records: int

    @cached_property
    def rejected(self) -> list[int]:
        """The import_index of every record that must be rejected."""
        return list(range(_INVALID_EVERY, self.records + 1, _INVALID_EVERY))

    @cached_property
    def rows(self) -> list[tuple[int, str, float, float, str]]:
        """What must be stored: import_index, canonical_model, price in USD, score, seller."""
        return [
            (index, self.model(index), self._price(index), index * 7 % 10_000 / 100, f"seller {index % 300}")
            for index in range(1, self.records + 1)
            if index % _INVALID_EVERY
        ]

    @cached_property
    def model_counts(self) -> dict[str, int]:
        """How many rows each model must have."""
        models = [model for _, model, *_ in self.rows]
        return {model: models.count(model) for model in set(models)}

    @cached_property
    def content(self) -> bytes:
        """The file."""
        lines = ["canonical_model,vram_gb,tdp_watts,mig_support,nvlink,price,score,seller,region"]
        lines += [
            f"{self.model(index)},{80 if index % _INVALID_EVERY else 0},350,7,True,"
            f"{self._price(index):.2f},{index * 7 % 10_000 / 100},seller {index % 300},R{index % 5}"
            for index in range(1, self.records + 1)
        ]
        return ("\n".join(lines) + "\n").encode()

    def model(self, index: int) -> str:
        """Return the model of a record."""
        return f"{self.tag}-M{index % MODELS:02}"

    @staticmethod
    def _price(index: int) -> float:
        return 100_000 + index / 100
