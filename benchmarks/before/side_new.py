"""What is measured, in the names of this tree; ``side_old`` says the same in those of the tag ``before-house``."""

from __future__ import annotations

from datetime import UTC, datetime

from _answer import answer
from _sample import basket_of
from bench_pure import guest, settled

from orderflow.adapters.codec import Codec
from orderflow.domain.keys import Key
from orderflow.domain.order.messages import PlaceOrder
from orderflow.domain.shape import faults_of
from orderflow.domain.stamp import Stamp
from orderflow.domain.standard import MACHINES
from orderflow.flows.handle import fingerprint
from orderflow.flows.settle import Order

basket, codec = basket_of(7, 3), Codec(MACHINES)
place, text = PlaceOrder(basket), codec.encode(PlaceOrder(basket))
order = Order(Key("main", "order", "o-1"), place, Stamp(datetime(2026, 3, 31, tzinfo=UTC), "bench", "c-1"))

answer(
    {
        "life": settled(guest(basket_of(1, 3))),
        "check": lambda: faults_of(place),
        "fingerprint": lambda: fingerprint(order),
        "read": lambda: codec.read(PlaceOrder, text),
        "encode": lambda: codec.encode(place),
    }
)
