"""How many URLs are converted a second, on one core: python tests/benchmarks/urls.py."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import product

from speechroute import Offering, urls

_CUSTOM_DOMAIN, _REGION = "my-private-link-speech.cognitiveservices.azure.com", "westeurope"
_COUNT = 60_000
_BOUND = 100_000


def _rate(convert: Callable[[str, str], str], inputs: list[str], target: str) -> float:
    started = time.perf_counter()
    for url in inputs:
        convert(url, target)
    return len(inputs) / (time.perf_counter() - started)


def main() -> None:
    path = "/speech/recognition/conversation/cognitiveservices/v1?language=en-US&number="
    regional = [
        f"wss://{_REGION}.{offering}.speech.microsoft.com{path}{number}"
        for offering, number in product(Offering, range(_COUNT // len(Offering)))
    ]
    private = [urls.to_private(url, _CUSTOM_DOMAIN) for url in regional]
    for name, rate in (
        ("to_private", _rate(urls.to_private, regional, _CUSTOM_DOMAIN)),
        ("to_regional", _rate(urls.to_regional, private, _REGION)),
    ):
        print(f"{name}: {rate:,.0f} a second, {rate / _BOUND:.1f} x the bound of {_BOUND:,}")


if __name__ == "__main__":
    main()
