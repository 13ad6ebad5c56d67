"""What the demo and the benchmarks need and the library does not: a reader, a generator of samples, digests."""

from __future__ import annotations
