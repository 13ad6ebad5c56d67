"""What is measured, in the names of this tree; ``side_old`` says the same in those of the tag ``before-house``."""

from __future__ import annotations

from datetime import UTC, datetime

from _answer import answer
from _sample import content_of
from bench_pure import decided, guest

from orderflow.adapters.codec import Codec
from orderflow.domain.engine.decide import Envelope
from orderflow.domain.engine.schema import faults_of
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.orders.placing import PlaceOrder
from orderflow.domain.workflow.table import MACHINES
from orderflow.errors import Key
from orderflow.flows.handle import fingerprint

content, codec = content_of(7, 3), Codec(MACHINES)
place, text = PlaceOrder(content), codec.encode(PlaceOrder(content))
order = Envelope(Key("main", "order", "o-1"), place, Stamp(datetime(2026, 3, 31, tzinfo=UTC), "bench", "c-1"))

answer(
    {
        "life": decided(guest(content_of(1, 3))),
        "check": lambda: faults_of(place),
        "fingerprint": lambda: fingerprint(order),
        "read": lambda: codec.read(PlaceOrder, text),
        "encode": lambda: codec.encode(place),
    }
)
