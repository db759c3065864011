"""What can be wrong with an idempotency key."""

from glyphd.errors.base import GlyphdError, Kind


class MalformedIdempotencyKey(GlyphdError):
    """The idempotency key is not one."""

    code, kind = "idempotency_key_malformed", Kind.SYNTAX


class IdempotencyKeyInFlight(GlyphdError):
    """A request with this idempotency key is being received."""

    code, kind = "idempotency_key_in_flight", Kind.CONFLICT


class IdempotencyKeyReused(GlyphdError):
    """The idempotency key belongs to another request."""

    code, kind = "idempotency_key_reused", Kind.INVALID
