"""What there is of one model in a view of the market: its cheapest offers, and those of the best value."""

from dataclasses import dataclass

import polars as pl
from sqlalchemy import Connection

from glyphd.domain.listing import model_key
from glyphd.domain.market_report import Offer
from glyphd.services.context import Context
from glyphd.services.market_figures import Best, MarketFigures
from glyphd.services.offers import Offers
from glyphd.services.surveying import Market
from glyphd.store import market, statistics, visibility

CHEAPEST = 20


@dataclass(frozen=True, slots=True)
class ModelOffers:
    """The offers of a model: how many there are, the cheapest first, and the best of them by score per dollar."""

    count: int
    cheapest: list[Offer]
    best_value: list[Offer]


def offer_model(context: Context, model: str, wanted: Market) -> ModelOffers:
    """Return what there is of a model; spellings that differ in case, spaces, `-` and `_` are one model."""
    figures, cheapest = MarketFigures([]), Best({"price": False}, CHEAPEST)
    with context.database.reading() as connection:
        view = visibility.market_imports(connection, as_of=wanted.as_of, source=wanted.source)
        import_ids = [entry.import_id for entry in view]
        rows = _sightings(connection, import_ids, statistics.models_matching(connection, model_key(model)))
        figures.add(rows)
        cheapest.add(rows)
        offers = Offers(connection, import_ids)
        offers.read(cheapest, figures.best_value)
        return ModelOffers(rows.height, offers.of(cheapest), offers.of(figures.best_value))


def _sightings(connection: Connection, import_ids: list[str], models: list[str]) -> pl.DataFrame:
    """Return the sightings of some models, with the `place` of each one's import."""
    nobody = market.SIGHTINGS.to_frame().with_columns(place=pl.lit(0))
    parts = [
        market.sightings_between(connection, import_id, model, model).with_columns(place=pl.lit(place))
        for place, import_id in enumerate(import_ids)
        for model in models
    ]
    return pl.concat([nobody, *parts])
