"""Amazon Web Services. Prices are those of us-east-1. Most regions have the same or similar prices."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Optional

from recost.pricing.model import PriceCase, ProviderDef
from recost.pricing.sources import PricePage, per_million, per_thousand

__all__ = ["RULES"]

_S3: Final = PricePage("https://aws.amazon.com/s3/pricing/ (S3 Standard, us-east-1)", "2026-11-21")
_SES: Final = PricePage(
    "https://aws.amazon.com/ses/pricing/ (outbound e-mail, without attachments)", "2026-11-21"
)
_LAMBDA: Final = PricePage(
    "https://aws.amazon.com/lambda/pricing/ (the request, without its duration)", "2026-11-21"
)
_SQS: Final = PricePage("https://aws.amazon.com/sqs/pricing/ (standard queues, us-east-1)", "2026-11-21")
_BEDROCK_HOSTS: Final = (
    "bedrock-runtime*.*.amazonaws.com",
    "*.bedrock-runtime*.*.vpce.amazonaws.com",  # an endpoint in a private network
)
_COUNTING: Final = PricePage(
    "https://docs.aws.amazon.com/bedrock/latest/userguide/count-tokens.html", "2026-11-21"
)
_HERE: Final = ("*.s3.us-east-1.amazonaws.com", "s3.us-east-1.amazonaws.com")
_S3_HOSTS: Final = (
    *_HERE,
    "*.s3.*.amazonaws.com",
    "s3.*.amazonaws.com",
    "*.s3.amazonaws.com",
    "s3.amazonaws.com",
)
"""Hosts of S3. The prices are those of the region of the first two."""
_BEDROCK: Final = PricePage(
    "https://aws.amazon.com/bedrock/pricing/ (on demand, as litellm's list has it)", "2026-11-29"
)
_GUARDRAILS: Final = {
    "guardrail_content_units": per_thousand("0.15"),
    "guardrail_topic_units": per_thousand("0.15"),
    "guardrail_pii_units": per_thousand("0.10"),
    "guardrail_grounding_units": per_thousand("0.10"),
}
"""Prices by unit of up to 1,000 characters, in addition to the model's tokens."""
_MODELS: Final = {
    "amazon.nova-2-multimodal-embeddings-v1": ("0.135", "0"),
    "ai21.j2-mid-v1": ("12.5", "12.5"),
    "ai21.j2-ultra-v1": ("18.8", "18.8"),
    "ai21.jamba-1-5-large-v1": ("2", "8"),
    "ai21.jamba-1-5-mini-v1": ("0.2", "0.4"),
    "anthropic.claude-instant-v1": ("0.8", "2.4"),
    "anthropic.claude-v2": ("8", "24"),
    "cohere.command-light-text-v14": ("0.3", "0.6"),
    "cohere.embed-v4": ("0.12", "0"),
    "cohere.embed-english-v3": ("0.1", "0"),
    "cohere.embed-multilingual-v3": ("0.1", "0"),
    "meta.llama2-13b-chat-v1": ("0.75", "1"),
    "meta.llama2-70b-chat-v1": ("1.95", "2.56"),
}
"""Models that genai-prices doesn't have, in all versions: dollars for a million tokens, in and out."""
_TOKENS: Final = {
    f"{model}.{unit}": per_million(usd)
    for model, prices in _MODELS.items()
    for unit, usd in zip(("input_tokens", "output_tokens"), prices)
}


def _s3(host: str) -> tuple[PriceCase, ...]:
    """Return the prices of writes and lists, of reads, and of deletions, which are free."""
    bucket = "/" if host.startswith("*.") else "/*"  # where the bucket is in the host, or in the path
    unknown = ("storage_class",) if host in _HERE else ("storage_class", "region")
    return (
        _per_call(host, None, per_thousand("0.005"), _S3, "PUT|POST", unknown),
        _per_call(host, bucket, per_thousand("0.005"), _S3, "GET", unknown),
        _per_call(host, None, per_thousand("0.0004"), _S3, "GET|HEAD", unknown),
        _per_call(host, None, Decimal(0), _S3, "DELETE"),
    )


def _per_call(
    host: str,
    path: Optional[str],
    usd: Decimal,
    source: PricePage,
    method: Optional[str] = None,
    leaves_out: tuple[str, ...] = (),
) -> PriceCase:
    return PriceCase(
        host=host,
        path=path,
        method=method,
        usd_per_call=usd,
        leaves_out=leaves_out,
        price_source=source.url,
        price_date=source.day,
    )


RULES: Final = (
    ProviderDef(
        "*.amazonaws.com",
        "aws",
        prices=(
            *(
                case
                for host in _BEDROCK_HOSTS
                for case in (
                    _per_call(host, "/model/*/count-tokens", Decimal(0), _COUNTING),
                    PriceCase(
                        host=host,
                        path="/guardrail/*/version/*/apply",
                        usage="bedrock",
                        usd_per_unit=_GUARDRAILS,
                        price_source=_BEDROCK.url,
                        price_date=_BEDROCK.day,
                    ),
                    PriceCase(
                        host=host,
                        usage="bedrock",
                        genai_provider="aws",
                        usd_per_unit={**_TOKENS, **_GUARDRAILS},
                        price_source=_BEDROCK.url,
                        price_date=_BEDROCK.day,
                    ),
                )
            ),
            PriceCase(
                host="email.*.amazonaws.com",
                path="/v2/email/outbound-emails",
                method="POST",
                usd_per_unit={"recipients": per_thousand("0.10")},
                minimum_usd=per_thousand("0.10"),
                price_source=_SES.url,
                price_date=_SES.day,
            ),
            _per_call(
                "lambda.*.amazonaws.com",
                "/2015-03-31/functions/*/invocations",
                per_million("0.20"),
                _LAMBDA,
                leaves_out=("duration",),
            ),
            _per_call(
                "sqs.*.amazonaws.com",
                None,
                per_million("0.40"),
                _SQS,
                leaves_out=("kind_of_queue", "size", "region"),
            ),
            PriceCase(host="dynamodb.*.amazonaws.com"),  # by the units that an item takes
            *(case for host in _S3_HOSTS for case in _s3(host)),
        ),
    ),
)
