"""What the prices of a model would be of, had nothing been rolled back."""

from glyphd.domain.history import RetractedPrices
from glyphd.domain.listing import model_key
from glyphd.services.context import Context
from glyphd.services.periods import Period
from glyphd.store import statistics


def retracted_prices(context: Context, model: str, period: Period) -> list[RetractedPrices]:
    """Return the rolled-back imports of a period that have a model, in order of time."""
    with context.database.reading() as connection:
        known = statistics.models_matching(connection, model_key(model))
        found = statistics.rolled_back_prices(connection, known, source=period.source)
    return [each for each in found if period.has(each.observed_at)]
