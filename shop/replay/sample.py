"""A file of transactions made up by ourselves, in the shape of real ones, with everything that bites in them.

Every figure is drawn from `seed`; codes, texts and buyers are fictional. For tests, for measuring, and for trying a
replay without a file of one's own: `python -m shop.replay.sample 500 > sample.csv`.
"""

from __future__ import annotations

import csv
import random
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TextIO

COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
COUNTRIES = ("United Kingdom",) * 16 + ("Germany", "France", "EIRE", "USA", "Channel Islands", "Unspecified")
WORDS = ("OAK", "LINEN", "TIN", "BLUE", "SMALL", "GARDEN", "TEA", "LAMP", "BOX", "TRAY", "CANDLE", "RIBBON")
START = datetime(2024, 12, 1, 8, 26)
ODD_EVERY = 9  # every ninth invoice is one of ODDITIES, in turn

Row = tuple[object, ...]


class Sample:
    """Rows of `invoices` invoices. With `lines`, each order has that many and nothing is odd."""

    def __init__(self, invoices: int, seed: int = 1, lines: int | None = None, skus: int = 200) -> None:
        self.random = random.Random(seed)
        self.invoices = invoices
        self.lines = lines
        self.at = START
        self.goods = [self._goods(number) for number in range(skus)]
        self.sold: list[tuple[str, str, int, Decimal, str, str]] = []

    def _goods(self, number: int) -> tuple[str, str, Decimal]:
        suffix = self.random.choice(("", "", "A", "B"))
        price = Decimal(self.random.randint(29, 1995)) / 100
        return f"{20000 + number * 7}{suffix}", " ".join(self.random.sample(WORDS, 3)), price

    def rows(self) -> Iterator[Row]:
        """All rows, in file order."""
        odd = 0
        for index in range(self.invoices):
            self.at += timedelta(minutes=self.random.randint(1, 40))
            number = str(536365 + index)
            if self.lines is None and index % ODD_EVERY == ODD_EVERY - 1:
                yield from ODDITIES[odd % len(ODDITIES)](self, number)
                odd += 1
            else:
                yield from self._order(number)

    def _order(self, number: str) -> Iterator[Row]:
        buyer = self.random.choice(("", *(str(12346 + n) for n in range(40))))
        country = self.random.choice(COUNTRIES)
        for code, title, price in self.random.choices(self.goods, k=self.lines or self.random.randint(1, 24)):
            quantity = self.random.choice((1, 1, 2, 3, 6, 12, 24))
            self.sold.append((code, title, quantity, price, buyer, country))
            yield self._row(number, code, title, quantity, price, buyer, country)

    def _row(self, number: str, code: str, title: str, quantity: object, price: object, buyer: str = "",
             country: str = "United Kingdom", at: object = None) -> Row:  # fmt: skip
        return number, code, title, quantity, at or f"{self.at:%Y-%m-%d %H:%M:%S}", price, buyer, country

    # --- oddities ---

    def returned(self, number: str) -> Iterator[Row]:
        """Three sales of before come back, each a cancellation of its own; one by more than was bought."""
        for place, more in enumerate((0, 0, 5)):
            code, title, quantity, price, buyer, country = self.random.choice(self.sold)
            yield self._row(f"C{number}{place}", code, title, -quantity - more, price, buyer, country)

    def written_off(self, number: str) -> Iterator[Row]:
        """Price 0: taken off stock, found again."""
        code, title, _ = self.random.choice(self.goods)
        yield self._row(number, code, "damaged", -self.random.randint(1, 9), 0)
        yield self._row(f"{number}1", code, "", self.random.randint(1, 9), "0.00")

    def charged(self, number: str) -> Iterator[Row]:
        """An order with postage and a manual charge among its lines."""
        yield from self._order(number)
        yield self._row(number, "POST", "POSTAGE", 3, "18.00", self.sold[-1][4], self.sold[-1][5])
        yield self._row(number, "m", "Manual", 1, "12.75", self.sold[-1][4], self.sold[-1][5])

    def corrected(self, number: str) -> Iterator[Row]:
        """Money without goods: a bad debt, and a quantity below 0 outside a cancellation."""
        yield self._row(f"A{number}", "B", "Adjust bad debt", 1, "-11062.06")
        code, title, price = self.random.choice(self.goods)
        yield self._row(number, code, title, -2, price)

    def twice_one_sku(self, number: str) -> Iterator[Row]:
        """One SKU at two prices and in two spellings, two timestamps in one invoice."""
        code, title, price = next(goods for goods in self.goods if goods[0][-1].isalpha())
        yield self._row(number, code, title, 4, price, "12346")
        self.at += timedelta(minutes=1)
        yield self._row(number, code.lower(), title, 2, price + 1, "12346")

    def too_fine(self, number: str) -> Iterator[Row]:
        """A price finer than the currency, beside one that is not."""
        code, title, price = self.random.choice(self.goods)
        yield self._row(number, code, title, 1, "0.001", "12350")
        yield self._row(number, code, title, 1, price, "12350")

    def broken(self, number: str) -> Iterator[Row]:
        """Rows that cannot be read."""
        code, title, price = self.random.choice(self.goods)
        yield self._row(number, code, title, "six", price)
        yield self._row(number, code, title, 1, "1,50")
        yield self._row(number, code, title, 1, price, at="12/1/2010 8:26")
        yield self._row(number, "", title, 1, price)
        yield self._row("", code, title, 1, price)
        yield self._row(number, code, title, 0, price)

    def discounted(self, number: str) -> Iterator[Row]:
        """A cancellation that cancels nothing: a discount, and goods of nobody."""
        yield self._row(f"C{number}", "D", "Discount", -1, "27.50", "12347")
        code, title, price = self.random.choice(self.goods)
        yield self._row(f"C{number}9", code, title, -1, price)

    def long(self, number: str) -> Iterator[Row]:
        """A wholesale order of very many lines."""
        for code, title, price in self.random.choices(self.goods, k=300):
            yield self._row(number, code, title, self.random.randint(1, 9), price, "12348", "Germany")


ODDITIES = (
    Sample.written_off, Sample.returned, Sample.charged, Sample.corrected, Sample.twice_one_sku, Sample.too_fine,
    Sample.broken, Sample.discounted, Sample.long,
)  # fmt: skip


def write(stream: TextIO, sample: Sample) -> None:
    """The sample as CSV."""
    out = csv.writer(stream, lineterminator="\n")
    out.writerow(COLUMNS)
    out.writerows(sample.rows())


if __name__ == "__main__":
    write(sys.stdout, Sample(int(sys.argv[1])))
