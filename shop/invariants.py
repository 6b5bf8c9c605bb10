"""What must always be true of the data. Each invariant is one query that returns the rows which break it.

The floors above add theirs with `register()`, from their wiring. `manage.py check_invariants` runs them all in one
read-only snapshot, so that what it compares was true at one moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from babel.numbers import list_currencies
from django.db import connection, transaction

from shop.pricing.money import exponent
from shop.stock import explaining


@dataclass(frozen=True, slots=True)
class Invariant:
    """`sql` returns (subject, problem, expected, found) for each row that breaks it; `params` are its parameters.

    `explain` takes such a row and says what may have made it so. `quiet_time`: true only once all is quiet.
    """

    id: str
    title: str
    sql: str
    params: Callable[[], Sequence[Any]] = tuple
    explain: Callable[[str, str, str, str], Sequence[str]] | None = None
    quiet_time: bool = False


@dataclass(frozen=True, slots=True)
class Broken:
    """One row that breaks an invariant, in words."""

    invariant: str
    subject: str
    problem: str
    expected: str
    found: str
    why: tuple[str, ...] = ()


_invariants: dict[str, Invariant] = {}


def register(invariant: Invariant) -> None:
    """Have it checked. Registering one of the same id again replaces it."""
    _invariants[invariant.id] = invariant


def registered(*, quiet_time: bool = False) -> list[Invariant]:
    """All invariants, by number; those of a quiet time only when asked for."""
    in_order = [_invariants[key] for key in sorted(_invariants, key=lambda key: (len(key), key))]
    return [each for each in in_order if quiet_time or not each.quiet_time]


@contextmanager
def snapshot() -> Iterator[None]:
    """A read-only transaction in which every query sees the same moment. Opened outside any other transaction."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # These sums go over everything: in memory where they can, and along an index rather than sorted.
            cursor.execute("SET LOCAL work_mem = '64MB'")
            cursor.execute("SET LOCAL random_page_cost = 1.1")
            # Nobody waits for an index here: whatever cores are idle may help.
            cursor.execute("SET LOCAL max_parallel_workers_per_gather = 2")
            cursor.execute("SET LOCAL parallel_setup_cost = 100")
            cursor.execute("SET LOCAL parallel_tuple_cost = 0.01")
        yield


def broken(invariant: Invariant, *, limit: int = 20) -> list[Broken]:
    """The first `limit` rows that break one invariant, in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT subject, problem, expected, found FROM ({invariant.sql}) broken ORDER BY 1, 2 LIMIT %s",
            [*invariant.params(), limit],
        )
        rows = [tuple(map(str, row)) for row in cursor.fetchall()]
    explain = invariant.explain
    return [Broken(invariant.id, *row, why=tuple(explain(*row)) if explain else ()) for row in rows]


I1 = Invariant(
    "I1",
    "Pools: reserved + escrow <= on hand + shortage, and each shortage has its row",
    """
    SELECT p.sku AS subject, 'a balance is below 0' AS problem, '>= 0' AS expected,
           concat('reserved ', p.reserved, ', escrow ', p.escrow, ', shortage ', p.shortage) AS found
    FROM stock_pool p WHERE least(p.reserved, p.escrow, p.shortage) < 0
    UNION ALL
    SELECT p.sku, 'more is promised than is there and known to be short',
           concat('<= ', p.on_hand, ' + ', p.shortage), concat(p.reserved, ' + ', p.escrow)
    FROM stock_pool p WHERE p.reserved + p.escrow > p.on_hand + p.shortage
    UNION ALL
    SELECT p.sku, 'shortage is not what is missing', greatest(0, p.reserved + p.escrow - p.on_hand)::text,
           p.shortage::text
    FROM stock_pool p WHERE p.shortage <> greatest(0, p.reserved + p.escrow - p.on_hand)
    UNION ALL
    SELECT p.sku, 'open shortage rows say something else', p.shortage::text, coalesce(sum(s.quantity), 0)::text
    FROM stock_pool p LEFT JOIN stock_shortage s ON s.sku = p.sku AND s.closed_at IS NULL
    GROUP BY p.sku HAVING coalesce(sum(s.quantity), 0) <> p.shortage
    UNION ALL
    SELECT concat(l.sku, ' @ ', w.code), 'below 0 in a warehouse of our own', '>= 0', l.on_hand::text
    FROM stock_level l JOIN stock_warehouse w ON w.id = l.warehouse_id
    WHERE l.on_hand < 0 AND w.erp_account_id IS NULL
    """,
    explain=explaining.explain,
)

I2 = Invariant(
    "I2",
    "Stock: reserved = open holds, each as long as its order waits for payment and none of one that is over; escrow = "
    "channels' shares, pool = its sellable shelves, level = its movements, only shelves are sold from",
    """
    SELECT p.sku AS subject, 'reserved is not the sum of open holds' AS problem,
           coalesce(sum(h.open), 0)::text AS expected, p.reserved::text AS found
    FROM stock_pool p LEFT JOIN stock_hold h ON h.sku = p.sku AND h.open > 0
    GROUP BY p.sku HAVING coalesce(sum(h.open), 0) <> p.reserved
    UNION ALL
    SELECT h.sku, 'held for an order that is over', '0', sum(h.open)::text
    FROM stock_hold h JOIN order_line l ON l.id = h.line_id JOIN order_order o ON o.id = l.order_id
    WHERE h.open > 0 AND o.status IN ('cancelled', 'expired') GROUP BY h.sku
    UNION ALL
    SELECT p.sku, 'on hand is not the sum of sellable shelves',
           coalesce(sum(l.on_hand) FILTER (WHERE w.is_sellable AND w.kind = 'shelf'), 0)::text, p.on_hand::text
    FROM stock_pool p LEFT JOIN stock_level l ON l.sku = p.sku LEFT JOIN stock_warehouse w ON w.id = l.warehouse_id
    GROUP BY p.sku HAVING coalesce(sum(l.on_hand) FILTER (WHERE w.is_sellable AND w.kind = 'shelf'), 0) <> p.on_hand
    UNION ALL
    SELECT concat(o.number, ' ', h.sku), 'held until another moment than the order awaits its payment',
           coalesce(o.payment_deadline::text, 'no deadline'), coalesce(h.deadline::text, 'no deadline')
    FROM order_order o JOIN order_line l ON l.order_id = o.id JOIN stock_hold h ON h.line_id = l.id
    WHERE o.status = 'pending_payment' AND h.open > 0 AND h.deadline IS DISTINCT FROM o.payment_deadline
    UNION ALL
    SELECT w.code, 'goods that are no shelf may be sold', 'closed for sale', w.kind
    FROM stock_warehouse w WHERE w.is_sellable AND w.kind <> 'shelf'
    UNION ALL
    SELECT w.code, 'goods set apart belong to no warehouse', 'a warehouse', coalesce(p.kind, 'none')
    FROM stock_warehouse w LEFT JOIN stock_warehouse p ON p.id = w.parent_id
    WHERE (w.kind IN ('damaged', 'quality') AND coalesce(p.kind, 'damaged') IN ('damaged', 'quality'))
       OR (w.kind NOT IN ('damaged', 'quality') AND p.id IS NOT NULL)
    UNION ALL
    SELECT p.sku, 'escrow is not the sum of the channels'' shares', coalesce(sum(s.escrow), 0)::text, p.escrow::text
    FROM stock_pool p LEFT JOIN stock_share s ON s.sku = p.sku
    GROUP BY p.sku HAVING coalesce(sum(s.escrow), 0) <> p.escrow
    UNION ALL
    SELECT concat(s.sku, ' on ', a.name), 'more is set aside than was sent last, though it is drained',
           concat('<= ', s.shown), s.escrow::text
    FROM stock_share s JOIN hub_account a ON a.id = s.channel_id WHERE s.is_drained AND s.escrow > s.shown
    UNION ALL
    SELECT concat(sku, ' @ ', (SELECT code FROM stock_warehouse w WHERE w.id = warehouse_id)),
           'level is not the sum of its movements', coalesce(m.units, 0)::text, coalesce(l.on_hand, 0)::text
    FROM (SELECT sku, warehouse_id, sum(quantity) AS units FROM stock_movement GROUP BY sku, warehouse_id) m
    FULL JOIN (SELECT sku, warehouse_id, on_hand FROM stock_level) l USING (sku, warehouse_id)
    WHERE coalesce(m.units, 0) <> coalesce(l.on_hand, 0)
    """,
    explain=explaining.explain,
)


def _exponents() -> Sequence[Any]:
    currencies = sorted(list_currencies())
    return [currencies, [exponent(currency) for currency in currencies]]


# A net amount is right when it is the gross one without tax, rounded half up; the casts keep PostgreSQL's division
# exact enough to tell a half from almost a half. Historical orders were taxed elsewhere: there only sums are checked.
# Whole orders are looked at first, and the lines only of those that look wrong: most of the time goes into lines.
I4 = Invariant(
    "I4",
    "Money: net + tax = gross, order total = lines + shipping, in the currency's decimals",
    """
    WITH exponents AS (SELECT * FROM unnest(%s::text[], %s::int[]) AS e(currency, digits)
    ), orders AS (
        SELECT o.id, o.is_historical, o.shipping_incl_tax, o.shipping_excl_tax, o.shipping_tax_rate,
               coalesce(e.digits, 2) AS digits
        FROM order_order o LEFT JOIN exponents e USING (currency)
    ), sums AS (
        SELECT order_id, sum(line_price_incl_tax) AS gross, sum(line_price_excl_tax) AS net,
               max(greatest(min_scale(line_price_incl_tax), min_scale(line_price_excl_tax))) AS scale,
               bool_or(line_price_excl_tax < 0 OR line_price_excl_tax > line_price_incl_tax) AS is_odd
        FROM order_line GROUP BY order_id
    ), taxed AS (
        SELECT o.id AS order_id, l.partner_sku AS part, l.line_price_incl_tax AS gross, l.line_price_excl_tax AS net,
               l.tax_rate AS rate, o.digits, o.is_historical
        FROM sums s JOIN orders o ON o.id = s.order_id JOIN order_line l ON l.order_id = o.id
        WHERE s.is_odd OR s.scale > o.digits
        UNION
        SELECT o.id, l.partner_sku, l.line_price_incl_tax, l.line_price_excl_tax, l.tax_rate, o.digits, false
        FROM orders o JOIN order_line l ON l.order_id = o.id
        WHERE NOT o.is_historical
          AND l.line_price_excl_tax <> round(l.line_price_incl_tax::numeric(40, 20) / (1 + l.tax_rate), o.digits)
        UNION
        SELECT id, 'shipping', shipping_incl_tax, shipping_excl_tax, shipping_tax_rate, digits, is_historical
        FROM orders
        WHERE greatest(min_scale(shipping_incl_tax), min_scale(shipping_excl_tax)) > digits
           OR shipping_excl_tax < 0 OR shipping_excl_tax > shipping_incl_tax OR (NOT is_historical
               AND shipping_excl_tax <> round(shipping_incl_tax::numeric(40, 20) / (1 + shipping_tax_rate), digits))
    )
    SELECT concat(o.number, ' ', t.part) AS subject, v.problem, v.expected, v.found
    FROM taxed t JOIN order_order o ON o.id = t.order_id CROSS JOIN LATERAL (
        SELECT round(t.gross::numeric(40, 20) / (1 + t.rate), t.digits) AS net
    ) AS right_one CROSS JOIN LATERAL (VALUES
        (greatest(min_scale(t.gross), min_scale(t.net)) > t.digits, 'finer than its currency',
         concat(t.digits, ' decimals'), concat(t.gross, ' / ', t.net)),
        (NOT t.is_historical AND t.net <> right_one.net, 'net is not gross less tax', right_one.net::text, t.net::text),
        (t.net < 0 OR t.net > t.gross, 'net is not between 0 and gross', concat('0 to ', t.gross), t.net::text)
    ) AS v(is_broken, problem, expected, found)
    WHERE v.is_broken
    UNION ALL
    SELECT o.number, 'gross total is not lines + shipping',
           (coalesce(s.gross, 0) + o.shipping_incl_tax)::text, o.total_incl_tax::text
    FROM order_order o LEFT JOIN sums s ON s.order_id = o.id
    WHERE o.total_incl_tax <> coalesce(s.gross, 0) + o.shipping_incl_tax
    UNION ALL
    SELECT o.number, 'net total is not lines + shipping',
           (coalesce(s.net, 0) + o.shipping_excl_tax)::text, o.total_excl_tax::text
    FROM order_order o LEFT JOIN sums s ON s.order_id = o.id
    WHERE o.total_excl_tax <> coalesce(s.net, 0) + o.shipping_excl_tax
    UNION ALL
    SELECT concat('credit note ', n.number), 'total is not the sum of its lines',
           concat(coalesce(sum(l.line_price_incl_tax), 0), ' / ', coalesce(sum(l.line_price_excl_tax), 0)),
           concat(n.total_incl_tax, ' / ', n.total_excl_tax)
    FROM returns_creditnote n LEFT JOIN returns_creditnoteline l ON l.credit_note_id = n.id
    GROUP BY n.id
    HAVING n.total_incl_tax <> coalesce(sum(l.line_price_incl_tax), 0)
        OR n.total_excl_tax <> coalesce(sum(l.line_price_excl_tax), 0)
    """,
    _exponents,
)

I5 = Invariant(
    "I5",
    "Orders: each number of each source exists once; our own shop's orders carry their own number",
    """
    SELECT concat(source_account, ' ', external_number) AS subject, 'placed more than once' AS problem,
           '1' AS expected, concat(count(*), ': ', string_agg(number, ', ' ORDER BY number)) AS found
    FROM order_order GROUP BY source_account, external_number HAVING count(*) > 1
    UNION ALL
    SELECT number, 'number used more than once', '1', count(*)::text
    FROM order_order GROUP BY number HAVING count(*) > 1
    UNION ALL
    SELECT number, 'does not say where it came from', 'a source and its number',
           concat('"', source_account, '" "', external_number, '"')
    FROM order_order WHERE source_account = '' OR external_number = ''
    UNION ALL
    SELECT number, 'an order of our own under another number', number, external_number
    FROM order_order WHERE source_account = 'web' AND external_number <> number
    """,
)

# Nearly every line leaves in one parcel: only the others are added up.
I9 = Invariant(
    "I9",
    "Goods: no line has more shipped than ordered, or more returned than shipped",
    """
    WITH suspect AS (
        SELECT p.line_id FROM fulfilment_parcelline p JOIN order_line l ON l.id = p.line_id
        WHERE p.quantity > l.quantity
        UNION
        SELECT line_id FROM (
            SELECT line_id FROM fulfilment_parcelline WHERE line_id IS NOT NULL ORDER BY line_id
        ) AS sorted GROUP BY line_id HAVING count(*) > 1
    ), shipped AS (
        SELECT line_id, (SELECT sum(quantity) FROM fulfilment_parcelline p WHERE p.line_id = s.line_id) AS units
        FROM suspect s
    ), returned AS (
        SELECT r.line_id, r.units,
               (SELECT CASE l.kind WHEN 'goods' THEN 0 ELSE l.quantity END FROM order_line l WHERE l.id = r.line_id)
               + (SELECT coalesce(sum(p.quantity), 0) FROM fulfilment_parcelline p WHERE p.line_id = r.line_id) AS most
        FROM (SELECT line_id, sum(quantity) AS units FROM returns_returnline GROUP BY line_id) r
    )
    SELECT concat(o.number, ' ', l.partner_sku) AS subject, 'more shipped than ordered' AS problem,
           l.quantity::text AS expected, s.units::text AS found
    FROM shipped s JOIN order_line l ON l.id = s.line_id JOIN order_order o ON o.id = l.order_id
    WHERE s.units > l.quantity
    UNION ALL
    SELECT concat(o.number, ' ', l.partner_sku), 'more returned than shipped', concat('<= ', r.most), r.units::text
    FROM returned r JOIN order_line l ON l.id = r.line_id JOIN order_order o ON o.id = l.order_id
    WHERE r.units > r.most
    """,
)


def _moves() -> Sequence[Any]:
    from shop.order.lifecycle import MOVES  # here: moving orders needs far more than looking at them
    from shop.order.models import Status

    first = [("", Status.PENDING_PAYMENT), ("", Status.ON_ACCOUNT)]
    moves = first + [(old, new) for old, targets in MOVES.items() for new in targets]
    return [[str(old) for old, _ in moves], [str(new) for _, new in moves], str(Status.PAID)]


# One pass over the audit rows, each beside the state its forerunner left. They are written under the order's lock, so
# their ids are in the order of the moves. A row that stays where it is is a note. History, what a channel sold and what
# costs nothing may begin as paid.
I10 = Invariant(
    "I10",
    "Orders: moved only along the table of moves, with an audit row for each move",
    """
    WITH moves AS (SELECT * FROM unnest(%s::text[], %s::text[]) AS m(old, new)
    ), steps AS (
        SELECT id, order_id, old_status AS old, new_status AS new, lag(new_status, 1, '') OVER chain AS before,
               lead(id) OVER chain IS NULL AS is_last
        FROM order_orderstatuschange WINDOW chain AS (PARTITION BY order_id ORDER BY id)
    ), judged AS (
        SELECT o.number, CASE
            WHEN s.id IS NULL
            THEN ARRAY['has no audit row', 'one for each move', 'none']
            WHEN s.old <> s.before
            THEN ARRAY['was moved without an audit row', concat('from "', s.before, '"'), concat('from "', s.old, '"')]
            WHEN (s.old <> s.new OR s.old = '') AND m.old IS NULL
                 AND NOT (s.old = '' AND s.new = %s
                          AND (o.is_historical OR starts_with(o.source_account, 'channel:') OR o.total_incl_tax = 0))
            THEN ARRAY['moved as no order may', 'a move of the table', concat('"', s.old, '" -> "', s.new, '"')]
            WHEN s.is_last AND s.new <> o.status
            THEN ARRAY['stands elsewhere than its last audit row says', s.new, o.status]
        END AS broken
        FROM order_order o LEFT JOIN steps s ON s.order_id = o.id
        LEFT JOIN moves m ON m.old = s.old AND m.new = s.new
    )
    SELECT number AS subject, broken[1] AS problem, broken[2] AS expected, broken[3] AS found
    FROM judged WHERE broken IS NOT NULL
    """,
    _moves,
)

# What was decided, beside what was written of it: by SKU and warehouse, under the document's name. An approved proposal
# or sheet has exactly its movements, all others have none.
I16 = Invariant(
    "I16",
    "Approvals: approved adjustments and count sheets have exactly their movements, others have none",
    """
    WITH wanted AS (
        SELECT concat('proposal:', id) AS document, sku, warehouse_id, change AS reason, quantity
        FROM stock_proposal WHERE state = 'approved'
        UNION ALL
        SELECT concat('proposal:', id), sku, destination_id, change, -quantity
        FROM stock_proposal WHERE state = 'approved' AND destination_id IS NOT NULL
        UNION ALL
        SELECT concat('sheet:', s.id), r.sku, s.warehouse_id, 'count', r.found - r.figure
        FROM stock_countsheet s JOIN stock_countrow r ON r.sheet_id = s.id
        WHERE s.state = 'approved' AND r.found <> r.figure
    ), written AS (
        SELECT document, sku, warehouse_id, reason, quantity FROM stock_movement
        WHERE document LIKE 'proposal:%%' OR document LIKE 'sheet:%%'
    ), both_ AS (
        SELECT document, sku, warehouse_id, reason, sum(wanted)::bigint AS wanted, sum(written)::bigint AS written,
               sum(rows) AS rows
        FROM (
            SELECT document, sku, warehouse_id, reason, quantity AS wanted, 0 AS written, 0 AS rows FROM wanted
            UNION ALL
            SELECT document, sku, warehouse_id, reason, 0, quantity, 1 FROM written
        ) AS each_ GROUP BY document, sku, warehouse_id, reason
    )
    SELECT concat(document, ' ', sku, ' @ ', (SELECT code FROM stock_warehouse w WHERE w.id = warehouse_id)) AS subject,
           concat('its movements (', reason, ') are not what was approved') AS problem,
           wanted::text AS expected, concat(written, CASE WHEN rows > 1 THEN ' in several' END) AS found
    FROM both_ WHERE wanted <> written OR rows > 1
    UNION ALL
    SELECT concat('proposal:', id), 'was decided by who proposed it, or by nobody', 'somebody else', decided_by
    FROM stock_proposal WHERE state <> 'waiting' AND (decider_id IS NULL OR decider_id = proposer_id)
    UNION ALL
    SELECT concat('sheet:', s.id), 'rows do not say what their last entries say', concat(e.found, ' / ', e.figure),
           concat(r.found, ' / ', r.figure)
    FROM stock_countrow r JOIN stock_countsheet s ON s.id = r.sheet_id
    JOIN LATERAL (
        SELECT found, figure, round FROM stock_countentry e WHERE e.row_id = r.id ORDER BY e.id DESC LIMIT 1
    ) e ON e.round = s.round
    WHERE (r.found, r.figure) IS DISTINCT FROM (e.found, e.figure)
    """,
)

I17 = Invariant(
    "I17",
    "Presales: promised = who waits, as long as the order waits for payment, at most the cap, which the supply covers; "
    "what was filled is held",
    """
    SELECT concat(s.sku, ' #', s.id) AS subject, 'promised is not the sum of who waits' AS problem,
           coalesce(sum(w.open), 0)::text AS expected, s.promised::text AS found
    FROM stock_presale s LEFT JOIN stock_waiting w ON w.presale_id = s.id
    GROUP BY s.id HAVING coalesce(sum(w.open), 0) <> s.promised
    UNION ALL
    SELECT concat(s.sku, ' #', s.id), 'done is not what was filled and shipped',
           coalesce(sum(w.filled + w.shipped), 0)::text, s.done::text
    FROM stock_presale s LEFT JOIN stock_waiting w ON w.presale_id = s.id
    GROUP BY s.id HAVING coalesce(sum(w.filled + w.shipped), 0) <> s.done
    UNION ALL
    SELECT concat(sku, ' #', id), 'more is promised than may be', concat('<= ', cap), promised::text
    FROM stock_presale WHERE promised > cap
    UNION ALL
    SELECT concat(s.sku, ' #', s.id), 'more may be promised than is to come',
           concat('<= ', greatest(s.promised, u.open)), s.cap::text
    FROM stock_presale s JOIN stock_supply u ON u.id = s.supply_id WHERE s.cap > greatest(s.promised, u.open)
    UNION ALL
    SELECT concat(s.sku, ' #', s.id), 'is of another SKU or day than its supply', concat(u.sku, ' ', u.expected_on),
           concat(s.sku, ' ', s.ships_on)
    FROM stock_presale s JOIN stock_supply u ON u.id = s.supply_id
    WHERE u.sku <> s.sku OR u.expected_on <> s.ships_on
    UNION ALL
    SELECT concat('line ', w.line_id), 'filled is not what it holds', coalesce(sum(h.quantity), 0)::text, w.filled::text
    FROM stock_waiting w LEFT JOIN stock_filling f ON f.waiting_id = w.id
    LEFT JOIN stock_hold h ON h.id = f.hold_id AND h.line_id = w.line_id
    GROUP BY w.id HAVING coalesce(sum(h.quantity), 0) <> w.filled
    UNION ALL
    SELECT concat(o.number, ' ', s.sku), 'waits until another moment than the order awaits its payment',
           coalesce(o.payment_deadline::text, 'no deadline'), coalesce(w.deadline::text, 'no deadline')
    FROM stock_waiting w JOIN stock_presale s ON s.id = w.presale_id JOIN order_line l ON l.id = w.line_id
    JOIN order_order o ON o.id = l.order_id
    WHERE o.status = 'pending_payment' AND w.open > 0 AND w.deadline IS DISTINCT FROM o.payment_deadline
    UNION ALL
    SELECT concat('supply ', u.id), 'more was received in a warehouse of ours than its movements say', u.received::text,
           m.units::text
    FROM stock_supply u JOIN stock_warehouse p ON p.id = u.warehouse_id AND p.erp_account_id IS NULL
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(quantity), 0) AS units FROM stock_movement WHERE document = concat('supply:', u.id)
    ) m WHERE m.units < u.received
    """,
)

I18 = Invariant(
    "I18",
    "Kits: no pool of their own, no kits within kits; lines of one kit agree",
    """
    SELECT r.partner_sku AS subject, 'a kit has a pool' AS problem, 'none' AS expected, p.sku AS found
    FROM partner_stockrecord r JOIN stock_pool p ON upper(p.sku) = upper(r.partner_sku)
    WHERE EXISTS (SELECT 1 FROM stock_kitpart k WHERE k.kit_id = r.product_id)
    UNION ALL
    SELECT r.partner_sku, 'a part of a kit is a kit itself', 'single goods', k.kit_id::text
    FROM stock_kitpart k JOIN partner_stockrecord r ON r.id = k.part_id
    WHERE EXISTS (SELECT 1 FROM stock_kitpart i WHERE i.kit_id = r.product_id)
    UNION ALL
    SELECT concat(o.number, ' kit ', l.kit_number), 'its lines tell of different kits', '1',
           count(DISTINCT (l.kit_sku, l.kit_quantity))::text
    FROM order_line l JOIN order_order o ON o.id = l.order_id WHERE l.kit_number IS NOT NULL
    GROUP BY o.number, l.kit_number HAVING count(DISTINCT (l.kit_sku, l.kit_quantity)) > 1
    """,
)

# Each row beside its line: what it says of it, and what the line's promises and parcels say.
I19 = Invariant(
    "I19",
    "Promises not kept: once each, of what was promised and given up or shipped; worth their share of the line",
    """
    WITH exponents AS (SELECT * FROM unnest(%s::text[], %s::int[]) AS e(currency, digits)
    ), rows AS (
        SELECT b.*, concat(o.number, ' ', l.partner_sku) AS subject, l.partner_sku, l.quantity, s.sku AS short_sku,
               s.cause AS short_cause, s.provisional,
               round(l.line_price_incl_tax * b.units / l.quantity, coalesce(e.digits, 2)) AS share
        FROM stock_brokenpromise b JOIN order_line l ON l.id = b.line_id JOIN order_order o ON o.id = l.order_id
        LEFT JOIN exponents e ON e.currency = o.currency LEFT JOIN stock_shortage s ON s.id = b.shortage_id
    ), lines AS (
        SELECT line_id, subject, quantity, sum(units) AS units,
               coalesce(sum(units) FILTER (WHERE ending = 'cancelled'), 0) AS cancelled,
               coalesce(sum(units) FILTER (WHERE ending = 'late'), 0) AS late,
               (SELECT coalesce(sum(h.released), 0) FROM stock_hold h WHERE h.line_id = r.line_id)
               + (SELECT coalesce(sum(w.released), 0) FROM stock_waiting w WHERE w.line_id = r.line_id) AS released,
               (SELECT coalesce(sum(p.quantity), 0) FROM fulfilment_parcelline p WHERE p.line_id = r.line_id) AS shipped
        FROM rows r GROUP BY line_id, subject, quantity
    )
    SELECT subject, concat('written more than once (', ending, ', ', cause, ')') AS problem, '1' AS expected,
           count(*)::text AS found
    FROM rows GROUP BY line_id, subject, ending, cause HAVING count(*) > 1
    UNION ALL
    SELECT subject, 'more was not kept than was promised', concat('<= ', quantity), units::text
    FROM lines WHERE units > quantity
    UNION ALL
    SELECT subject, 'more was cancelled than was given back', concat('<= ', released), cancelled::text
    FROM lines WHERE cancelled > released
    UNION ALL
    SELECT subject, 'more was late than was shipped', concat('<= ', shipped), late::text
    FROM lines WHERE late > shipped
    UNION ALL
    SELECT subject, 'is not worth its share of the line', share::text, value::text FROM rows WHERE value <> share
    UNION ALL
    SELECT subject, 'is of another SKU than its line', partner_sku, sku FROM rows WHERE sku <> partner_sku
    UNION ALL
    SELECT subject, 'says something else than its shortage', concat(short_sku, ' ', short_cause),
           concat(sku, ' ', cause)
    FROM rows WHERE (short_sku, short_cause) IS DISTINCT FROM
        (CASE WHEN cause <> 'supply' THEN sku END, CASE WHEN cause <> 'supply' THEN cause END)
    UNION ALL
    SELECT subject, 'was counted on a shortage that nobody confirmed', 'confirmed', 'provisional'
    FROM rows WHERE provisional
    UNION ALL
    SELECT concat('shortage ', s.id), 'more promises were not kept than it cost', concat('<= ', s.given_back),
           sum(r.units)::text
    FROM stock_shortage s JOIN rows r ON r.shortage_id = s.id
    GROUP BY s.id HAVING sum(r.units) > s.given_back
    UNION ALL
    SELECT concat('shortage ', id), 'ended for more units than it ever had', concat('<= ', in_all),
           (given_back + CASE WHEN closed_at IS NULL THEN quantity ELSE 0 END)::text
    FROM stock_shortage WHERE given_back + CASE WHEN closed_at IS NULL THEN quantity ELSE 0 END > in_all
    """,
    _exponents,
)

for _each in (I1, I2, I4, I5, I9, I10, I16, I17, I18, I19):
    register(_each)
