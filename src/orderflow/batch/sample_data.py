"""What the sample's shop sells, and where: made-up goods and people, real currencies and tax rates of 2026."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from attrs import frozen

from orderflow.domain.calendar import PaymentTerms
from orderflow.domain.currencies import exponent
from orderflow.domain.money import Rounding
from orderflow.domain.order.values import LineKind
from orderflow.domain.price import Price
from orderflow.domain.tax import TaxCategory, TaxPolicy, TaxRounding

__all__ = [
    "BOTH_SKUS", "CATALOGUE", "COUPON", "GOODS", "LAST_ONES", "LOCATIONS", "MARKETS", "SCARCE", "SERVICES", "SHIPPING",
    "Market", "Product",
]  # fmt: skip

#: Where stock is, by priority.
LOCATIONS: Final = ("tokyo", "osaka")


@frozen
class Product:
    """``base`` is the price of a unit in pounds without tax; ``decimals`` how much finer than money it is kept."""

    sku: str
    description: str
    base: str
    weight_grams: int = 0
    reduced: bool = False
    kind: LineKind = LineKind.GOODS
    decimals: int = 0


@frozen
class Market:
    """Where customers are (id, name, city): their money (``rate`` to the pound), their taxes, the terms they buy on."""

    country: str
    currency: str
    rate: str
    zone: str
    tax: TaxPolicy
    standard: TaxCategory
    reduced: TaxCategory
    people: tuple[tuple[str, str, str], ...]
    terms: PaymentTerms = PaymentTerms()
    slots: tuple[str, ...] = ("am", "pm")

    def price(self, product: Product) -> Price:
        """What a unit costs here, as written on the price tag."""
        step = Decimal(1).scaleb(-exponent(self.currency) - product.decimals)
        return Price((Decimal(product.base) * Decimal(self.rate)).quantize(step), self.currency)

    def category(self, product: Product) -> TaxCategory:
        """How it is taxed here."""
        return self.reduced if product.reduced else self.standard


GOODS: Final = (
    Product("CUP-BLUE", "Tea cup, blue glaze", "9.20", 310),
    Product("CUP-WHITE", "Tea cup, white glaze", "8.70", 300),
    Product("POT-IRON", "Cast-iron tea pot", "54.00", 1850),
    Product("TRAY-OAK", "Serving tray, oak", "23.50", 740),
    Product("TEA-SENCHA", "Sencha, 100 g", "7.35", 130, reduced=True),
    Product("TEA-HOJICHA", "Hojicha, 200 g", "6.10", 240, reduced=True),
    Product("MATCHA-30", "Matcha, tin of 30 g", "14.80", 95, reduced=True),
    Product("BOOK-TEA", "The Book of Tea, paperback", "4.99", 180, reduced=True),
    Product("RIBBON-CM", "Ribbon, by the centimetre", "0.024", 1, decimals=1),
    Product("CLOTH-INDIGO", "Wrapping cloth, indigo", "11.40", 85),
)
#: One lies in the first location only, the other in the second: ordered together they travel apart.
BOTH_SKUS: Final = (
    Product("WHISK-100", "Bamboo whisk", "12.60", 60),
    Product("LAMP-PAPER", "Paper lamp", "31.00", 520),
)
#: Comes in by small lots, and waits in back-orders meanwhile.
SCARCE: Final = Product("BOWL-RAKU", "Raku bowl, signed", "118.00", 430)
#: Sold out for good: the last to order it are still waiting at the end.
LAST_ONES: Final = Product("CALENDAR-26", "Calendar 2026", "10.00", 210)
#: Free of charge, on paper.
CATALOGUE: Final = Product("CATALOGUE", "Catalogue, free of charge", "0.00", 150)
SERVICES: Final = (
    Product("ENGRAVING", "Engraving, per letter", "1.15", kind=LineKind.SERVICE),
    Product("WORKSHOP", "Tea workshop, one seat", "36.00", kind=LineKind.SERVICE),
)
SHIPPING: Final = Product("SHIPPING", "Shipping and handling", "4.20", kind=LineKind.CHARGE)
COUPON: Final = Product("COUPON", "Coupon", "-3.00", kind=LineKind.ALLOWANCE)

_INCLUDED: Final = TaxPolicy(included=True)
#: A qualified invoice rounds once for each rate; which way is the seller's choice, mostly down.
_JAPAN: Final = TaxPolicy(included=True, rounding=Rounding.DOWN)
_JAPAN_TRADE: Final = TaxPolicy(rounding=Rounding.DOWN)
_PER_LINE: Final = TaxPolicy(TaxRounding.PER_LINE)


def _rates(standard: str, reduced: str, code: str = "S") -> Mapping[str, TaxCategory]:
    return {"standard": TaxCategory.of("S", standard), "reduced": TaxCategory.of(code, reduced)}


MARKETS: Final = (
    Market(
        "GB", "GBP", "1.20", "Europe/London", _INCLUDED, **_rates("20", "0", "Z"),
        people=(("ada", "Ada Byrne", "Leeds"), ("owen", "Owen Hughes", "Cardiff"), ("isla", "Isla Reid", "Perth"), ("tom", "Tom Marsh", "Hull")),
    ),
    Market(
        "DE", "EUR", "1.37", "Europe/Berlin", _INCLUDED, **_rates("19", "7"),
        people=(("anna", "Anna Koch", "Bremen"), ("jonas", "Jonas Vogt", "Ulm"), ("mia", "Mia Brandt", "Jena"), ("karl", "Karl Fuchs", "Trier")),
    ),
    Market(
        "FR", "EUR", "1.15", "Europe/Paris", TaxPolicy(), **_rates("20", "5.5"), terms=PaymentTerms(days=30),
        people=(("lumiere", "Café Lumière", "Lyon"), ("noel", "Maison Noël", "Dijon"), ("soleil", "Épicerie Soleil", "Nîmes")),
    ),
    Market(
        "US", "USD", "1.27", "America/New_York", _PER_LINE, **_rates("8.875", "0", "Z"),
        people=(("grace", "Grace Miller", "Albany"), ("ray", "Ray Ortiz", "Queens"), ("joan", "Joan Park", "Ithaca")),
    ),
    Market(
        "JP", "JPY", "209", "Asia/Tokyo", _JAPAN, **_rates("10", "8"), slots=("08-12", "14-16", "18-20"),
        people=(("hana", "佐藤 花", "京都市"), ("ichiro", "鈴木 一郎", "札幌市"), ("misaki", "高橋 美咲", "福岡市"), ("ken", "田中 健", "仙台市")),
    ),
    Market(
        "JP", "JPY", "171", "Asia/Tokyo", _JAPAN_TRADE, **_rates("10", "8"), slots=("08-12",),
        terms=PaymentTerms(cutoff_day=20, months=1, end_of_month=True),
        people=(("midori", "株式会社みどり茶房", "名古屋市"), ("yamamoto", "有限会社山本商店", "金沢市")),
    ),
    Market(
        "BH", "BHD", "0.478", "Asia/Bahrain", TaxPolicy(), **_rates("10", "0", "Z"), terms=PaymentTerms(days=14),
        people=(("noor", "Noor Trading", "Manama"), ("layla", "Layla Hasan", "Riffa")),
    ),
)  # fmt: skip
