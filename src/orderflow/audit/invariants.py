"""The numbered invariants of a database: what each says, and why a database alone cannot show some of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from orderflow.domain.workflow.laws import LAWS
from orderflow.errors import Key


class Violation(NamedTuple):
    """A breach: the invariant's number, the row it was found at (None: the database as a whole), and what was found."""

    invariant: str
    key: Key | None
    detail: str


#: Number to rule, for all that is checked.
INVARIANTS: Final[Mapping[str, str]] = {
    "DB": "The file is intact: its pages, its indexes, and the chain of each row's events.",
    "LAW": "Every stored state satisfies its machine's check.",
    "L1": "The buckets of a goods line sum to what was ordered.",
    "I02": "No counter of a stock row is negative.",
    "I06": "Returned units were shipped; shipped units were ordered and not cancelled.",
    "I07": "Every counter of a stock row is the sum of its movements.",
    "I08": "Every movement cites one command, and one document where another row caused it.",
    "I09": "Every event of the journal follows a row of its machine's table.",
    "I11": "An order's state is the one that its line vectors imply.",
    "I12": "Each line has a number of its own, and its vector.",
    "I13": "Line amounts and order totals recompute.",
    "I14": "What was ordered is what was placed, but for the lines that amendments have added.",
    "I15": "A cancelled order holds no stock.",
    "I16": "Quantities and numbers of lines are within their limits.",
    "I17": "Every document has the number its series allotted to it, and no two of a tenant show the same.",
    "I18": "Numbers run from the start of their series, or of its year or month, without a gap.",
    "I19": "Numbers were allotted in order of time, and of the dates of documents unless their series allows others.",
    "I20": "Units billed of an order were dispatched, if dispatch is the basis.",
    "I21": "An issued document is as it was drafted, and credits do not exceed the invoice.",
    "I22": "The totals of documents recompute from their lines for each tax rate.",
    "I25": "Refunded is at most captured, captured at most authorised, and no money is used twice.",
    "I26": "Every column stored beside a state agrees with the state and its journal.",
    "I27": "Exposure stays within the credit limit when an order is confirmed.",
    "I30": "A tracking number belongs to one shipment, or to several of one order.",
    "I32": "The outbox holds exactly the effects that the journal requires.",
    "I38": "Every event has its stored command, and every command names the version of its row that it led to.",
    "I41": "The versions of a row run from 1 to n.",
    "I42": "What events tell other rows to do is done there in the same decision, and nothing else is.",
    "I43": "Folding the journal of a row gives its stored state.",
    "I46": "The recorded times of a row never go back.",
    "I47": "Every command names its actor, its id and the workflow it was decided by.",
    "I49": "Events and their commands belong to the same tenant.",
    "I54": "Every stored event and state can be read.",
    **LAWS,
}


#: Number to the reason why a database alone does not show it.
UNCHECKED: Final[Mapping[str, str]] = {
    "I01": "stock rows are counters with movements; there is no counter-account to check them against",
    "I03": "said by A3",
    "I04": "allocations are buckets of line vectors, not rows; L1 and A3 check their sums",
    "I05": "whether an allocation had expired is decided by the command's guard when it is used",
    "I10": "follows from I09: a table whose final states lead elsewhere is refused when it is made",
    "I23": "there is no ledger of debits and credits; B1 and B2 check the sums by currency",
    "I24": "said by B1, B2 and F2",
    "I28": "splits are computed where documents are drafted; I22 and I42 check their results",
    "I29": "said by A1",
    "I31": "follows from I09: the table's rows for late and duplicate events lead to the same state",
    "I33": "what receivers got is known to them alone",
    "I34": "deliveries are counted by receivers alone",
    "I35": "a dead letter that was made due again may rightly be older than what its lane has sent",
    "I36": "the time of each attempt is not kept",
    "I37": "a refused lease leaves no trace",
    "I39": "a refused command leaves no trace",
    "I40": "what callers were told is known to them alone",
    "I44": "shown by readers of the feed",
    "I45": "shown by readers during a commit",
    "I48": "there is no hash chain yet",
    "I50": "needs a subject to erase and to look for",
    "I51": "needs the logs",
    "I52": "a refused command leaves no trace",
    "I53": "shown by running the same work twice",
    "I55": "shown by migrating a database",
}
