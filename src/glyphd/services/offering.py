"""What there is of one model in a view of the market: its cheapest offers, and those of the best value."""

from dataclasses import dataclass

import polars as pl

from glyphd.domain.listing import model_key
from glyphd.domain.market_report import LEAST_PRICE, Offer
from glyphd.services.context import Context
from glyphd.services.market_figures import TOP, Best, MarketFigures
from glyphd.services.offers import Offers
from glyphd.services.surveying import Market
from glyphd.store import market, sightings, statistics, visibility

CHEAPEST = 20


@dataclass(frozen=True, slots=True)
class ModelOffers:
    """The offers of a model: how many there are, the cheapest first, and the best of them by score per dollar."""

    count: int
    cheapest: list[Offer]
    best_value: list[Offer]


def offer_model(context: Context, model: str, wanted: Market) -> ModelOffers:
    """Return what there is of a model; spellings that differ in case, spaces, `-` and `_` are one model."""
    figures, cheapest = MarketFigures([]), Best({"price": False, "score": True}, CHEAPEST)
    with context.database.reading() as connection:
        view = visibility.market_imports(connection, as_of=wanted.as_of, source=wanted.source)
        import_ids = [entry.import_id for entry in view]
        models = statistics.models_matching(connection, model_key(model))
        for number, import_id in enumerate(import_ids):
            place = pl.lit(number).alias("place")
            cheapest.add(market.cheapest(connection, import_id, models, CHEAPEST).with_columns(place))
            worth = market.most_for_the_money(connection, import_id, models, TOP, LEAST_PRICE)
            figures.add(worth.with_columns(place))
        offers = Offers(connection, import_ids)
        offers.read(cheapest, figures.best_value)
        prices = sightings.prices_of_models(connection, import_ids, models)
        count = sum(each.rows for each in prices)
        return ModelOffers(count, offers.of(cheapest), offers.of(figures.best_value))
