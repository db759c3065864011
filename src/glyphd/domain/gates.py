"""Gates: what an import must be like to publish itself. One that fails leaves it staged, for a person to see."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class GateLimits:
    """The limits of an import's gates; None is a gate that is not asked for.

    ``max_reject_rate``: rejected / received, 0…1. ``max_price_move``: of :func:`price_move`. ``min_rows``: rows stored.
    """

    max_reject_rate: float | None = None
    max_price_move: float | None = None
    min_rows: int | None = None

    def over(self, weaker: "GateLimits") -> "GateLimits":
        """Return these limits, and those of ``weaker`` where these say nothing."""
        said = {name: value for name, value in asdict(self).items() if value is not None}
        return GateLimits(**{**asdict(weaker), **said})


GATE_NAMES = tuple(field.name for field in fields(GateLimits))


@dataclass(frozen=True, slots=True)
class GateFigures:
    """What the gates look at. ``price_move`` is None when there is nothing to compare with."""

    received: int
    count: int
    rejected: int
    price_move: float | None


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate of one import. ``value`` and ``passed`` are None until the import has been audited.

    A price move that nobody can tell, for want of an earlier batch or a common model, has no ``value`` and passes.
    """

    gate: str
    limit: float
    value: float | None = None
    passed: bool | None = None


def requested_gates(limits: GateLimits) -> list[Gate]:
    """Return the gates that an import asks for, not yet evaluated."""
    return [Gate(name, limit) for name, limit in asdict(limits).items() if limit is not None]


def limits_of(gates: list[Gate]) -> GateLimits:
    """Return the limits that :func:`requested_gates` was given."""
    return GateLimits(**{gate.gate: gate.limit for gate in gates})  # type: ignore[arg-type] # as it was written


def evaluate_gates(gates: list[Gate], figures: GateFigures) -> list[Gate]:
    """Return the gates with their values, and whether each passes; a value at its limit does."""
    return [_evaluated(gate, figures) for gate in gates]


def _evaluated(gate: Gate, figures: GateFigures) -> Gate:
    match gate.gate:
        case "min_rows":
            return Gate(gate.gate, gate.limit, figures.count, figures.count >= gate.limit)
        case "max_reject_rate":
            rate = figures.rejected / figures.received
            return Gate(gate.gate, gate.limit, rate, rate <= gate.limit)
        case _:
            move = figures.price_move
            return Gate(gate.gate, gate.limit, move, move is None or move <= gate.limit)


def price_move(medians: Mapping[str, float], earlier: Mapping[str, float]) -> float | None:
    """Return how far prices moved: the median over the models in both of |median price / earlier median price - 1|.

    A single model gone wild does not fail a crawl; a crawl in another currency, or a column mistaken, does. None when
    the two have no model in common.
    """
    moves = _moves(medians, earlier)
    return median(map(abs, moves)) if moves else None


def price_shift(medians: Mapping[str, float], earlier: Mapping[str, float]) -> float | None:
    """Return which way prices went: the median over the models in both of median price / earlier median price - 1.

    Moves up and down cancel each other out, which :func:`price_move` does not let them.
    """
    moves = _moves(medians, earlier)
    return median(moves) if moves else None


def _moves(medians: Mapping[str, float], earlier: Mapping[str, float]) -> list[float]:
    return [medians[model] / earlier[model] - 1 for model in medians.keys() & earlier.keys()]


def read_gates(stored: list[dict[str, Any]]) -> list[Gate]:
    """Return the gates as the ledger keeps them."""
    return [Gate(**each) for each in stored]
