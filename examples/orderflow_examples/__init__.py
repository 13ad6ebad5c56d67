"""What the demo and the benchmarks need but the library does not: a file reader, a sample generator, digests."""

from __future__ import annotations
