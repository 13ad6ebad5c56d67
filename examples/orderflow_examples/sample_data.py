"""What the sample's shop sells, and where: made-up goods and people, real currencies and tax rates of 2026."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from attrs import frozen

from orderflow.domain.money.calendar import PaymentTerms
from orderflow.domain.money.currencies import exponent
from orderflow.domain.money.price import Price
from orderflow.domain.money.split import Rounding
from orderflow.domain.money.tax import TaxCategory, TaxPolicy, TaxRounding
from orderflow.domain.orders.content import LineKind

__all__ = [
    "BOTH_SKUS",
    "CATALOGUE",
    "COUPON",
    "GOODS",
    "LAST_ONES",
    "LOCATIONS",
    "MARKETS",
    "SCARCE",
    "SERVICES",
    "SHIPPING",
    "Market",
    "Product",
]


#: Where stock is, by priority.
LOCATIONS: Final = ("tokyo", "osaka")


@frozen
class Product:
    """``base`` is the unit price in pounds without tax; ``decimals`` is how many more decimals it has than money."""

    sku: str
    description: str
    base: str
    weight_grams: int = 0
    reduced: bool = False
    kind: LineKind = LineKind.GOODS
    decimals: int = 0


@frozen
class Market:
    """A country's customers (id, name, city), their currency (``rate`` to the pound), taxes and payment terms."""

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


#: One is stocked only at the first location, the other only at the second: ordered together, they ship separately.
BOTH_SKUS: Final = (
    Product("WHISK-100", "Bamboo whisk", "12.60", 60),
    Product("LAMP-PAPER", "Paper lamp", "31.00", 520),
)


#: Comes in small lots; between them, orders for it are on back-order.
SCARCE: Final = Product("BOWL-RAKU", "Raku bowl, signed", "118.00", 430)


#: Sold out for good: the last customers to order it still wait at the end.
LAST_ONES: Final = Product("CALENDAR-26", "Calendar 2026", "10.00", 210)


#: A printed catalogue, free of charge.
CATALOGUE: Final = Product("CATALOGUE", "Catalogue, free of charge", "0.00", 150)


SERVICES: Final = (
    Product("ENGRAVING", "Engraving, per letter", "1.15", kind=LineKind.SERVICE),
    Product("WORKSHOP", "Tea workshop, one seat", "36.00", kind=LineKind.SERVICE),
)


SHIPPING: Final = Product("SHIPPING", "Shipping and handling", "4.20", kind=LineKind.CHARGE)


COUPON: Final = Product("COUPON", "Coupon", "-3.00", kind=LineKind.ALLOWANCE)


_INCLUDED: Final = TaxPolicy(prices_include_tax=True)


#: A qualified invoice is rounded once for each rate; the seller chooses the direction, usually down.
_JAPAN: Final = TaxPolicy(prices_include_tax=True, rounding=Rounding.DOWN)


_JAPAN_TRADE: Final = TaxPolicy(rounding=Rounding.DOWN)


_PER_LINE: Final = TaxPolicy(TaxRounding.PER_LINE)


_UK: Final = (
    ("ada", "Ada Byrne", "Leeds"),
    ("owen", "Owen Hughes", "Cardiff"),
    ("isla", "Isla Reid", "Perth"),
    ("tom", "Tom Marsh", "Hull"),
)


_GERMANY: Final = (
    ("anna", "Anna Koch", "Bremen"),
    ("jonas", "Jonas Vogt", "Ulm"),
    ("mia", "Mia Brandt", "Jena"),
    ("karl", "Karl Fuchs", "Trier"),
)


_FRENCH_TRADE: Final = (
    ("lumiere", "Café Lumière", "Lyon"),
    ("noel", "Maison Noël", "Dijon"),
    ("soleil", "Épicerie Soleil", "Nîmes"),
)


_AMERICA: Final = (
    ("grace", "Grace Miller", "Albany"),
    ("ray", "Ray Ortiz", "Queens"),
    ("joan", "Joan Park", "Ithaca"),
)


_JAPANESE: Final = (
    ("hana", "佐藤 花", "京都市"),
    ("ichiro", "鈴木 一郎", "札幌市"),
    ("misaki", "高橋 美咲", "福岡市"),
    ("ken", "田中 健", "仙台市"),
)


_JAPANESE_TRADE: Final = (
    ("midori", "株式会社みどり茶房", "名古屋市"),
    ("yamamoto", "有限会社山本商店", "金沢市"),
)


_BAHRAIN: Final = (
    ("noor", "Noor Trading", "Manama"),
    ("layla", "Layla Hasan", "Riffa"),
)


_tax = TaxCategory.of


MARKETS: Final = (
    Market("GB", "GBP", "1.20", "Europe/London", _INCLUDED, _tax("S", "20"), _tax("Z", "0"), _UK),
    Market("DE", "EUR", "1.37", "Europe/Berlin", _INCLUDED, _tax("S", "19"), _tax("S", "7"), _GERMANY),
    Market(
        "FR", "EUR", "1.15", "Europe/Paris", TaxPolicy(), _tax("S", "20"), _tax("S", "5.5"), _FRENCH_TRADE,
        terms=PaymentTerms(days=30),
    ),
    Market("US", "USD", "1.27", "America/New_York", _PER_LINE, _tax("S", "8.875"), _tax("Z", "0"), _AMERICA),
    Market(
        "JP", "JPY", "209", "Asia/Tokyo", _JAPAN, _tax("S", "10"), _tax("S", "8"), _JAPANESE,
        slots=("08-12", "14-16", "18-20"),
    ),
    # Cut-off on the 20th, paid at the end of next month (20日締め翌月末払い).
    Market(
        "JP", "JPY", "171", "Asia/Tokyo", _JAPAN_TRADE, _tax("S", "10"), _tax("S", "8"), _JAPANESE_TRADE,
        terms=PaymentTerms(cutoff_day=20, months=1, end_of_month=True),
    ),
    Market(
        "BH", "BHD", "0.478", "Asia/Bahrain", TaxPolicy(), _tax("S", "10"), _tax("Z", "0"), _BAHRAIN,
        terms=PaymentTerms(days=14),
    ),
)  # fmt: skip
