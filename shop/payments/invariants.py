"""What must always be true of the money that came and went."""

from __future__ import annotations

from shop import invariants
from shop.invariants import Invariant

# Two payments of one order are kept only where giving one of them back failed: then a person has it on their list.
I3 = Invariant(
    "I3",
    "Payments: given back + on its way back <= paid, each the sum of its movements; who was paid knows of it, once",
    """
    WITH sums AS (
        SELECT a.*, o.number AS order_number, o.paid_at AS order_paid_at,
               coalesce((SELECT sum(e.amount) FROM payments_entry e WHERE e.attempt_id = a.id
                         AND e.kind = 'captured' AND e.currency = a.currency), 0) AS booked,
               coalesce((SELECT sum(e.amount) FROM payments_entry e WHERE e.attempt_id = a.id
                         AND e.kind = 'refunded' AND e.currency = a.currency), 0) AS booked_back,
               coalesce((SELECT sum(p.amount) FROM payments_refundpart p
                         WHERE p.attempt_id = a.id AND p.status = 'pending'), 0) AS on_its_way,
               EXISTS (SELECT 1 FROM payments_refundpart p
                       WHERE p.attempt_id = a.id AND p.status = 'failed') AS has_failed
        FROM payments_attempt a JOIN order_order o ON o.id = a.order_id
    )
    SELECT number AS subject, 'more is given back than was paid' AS problem, concat('<= ', captured) AS expected,
           concat(refunded, ' + ', refund_pending) AS found
    FROM sums WHERE refunded + refund_pending > captured
    UNION ALL
    SELECT number, 'paid is not the sum of its movements', booked::text, captured::text
    FROM sums WHERE captured <> booked
    UNION ALL
    SELECT number, 'given back is not the sum of its movements', booked_back::text, refunded::text
    FROM sums WHERE refunded <> booked_back
    UNION ALL
    SELECT number, 'on its way back is not the sum of its parts', on_its_way::text, refund_pending::text
    FROM sums WHERE refund_pending <> on_its_way
    UNION ALL
    SELECT number, 'money of which nobody is told', 'an order or a person', 'nobody'
    FROM sums WHERE status = 'captured' AND (captured > refunded + refund_pending OR captured = 0) AND review = ''
        AND advance_at IS NULL AND advanced_at IS NULL
    UNION ALL
    SELECT concat(order_number, ' ', number), 'its order was told and is not paid', 'paid, or all given back', 'neither'
    FROM sums WHERE advanced_at IS NOT NULL AND captured > refunded + refund_pending + disputed AND NOT has_failed
        AND order_paid_at IS NULL
    UNION ALL
    SELECT order_number, 'was paid twice, and both are kept', '1', count(*)::text
    FROM sums WHERE advanced_at IS NOT NULL AND captured > refunded + refund_pending + disputed
    GROUP BY order_number HAVING count(*) > 1 AND NOT bool_or(has_failed)
    UNION ALL
    SELECT concat(s.order_number, ' ', s.number), 'made its order paid, and is not all there', s.total::text,
           s.captured::text
    FROM sums s JOIN order_orderstatuschange c ON c.order_id = s.order_id AND c.new_status = 'paid'
        AND c.old_status <> 'paid' AND c.reason = s.number
    WHERE s.captured <> s.total OR s.advanced_at IS NULL
    """,
)

# That the provider did each once is seen in its own book only; here: nothing that would have it done twice.
I8 = Invariant(
    "I8",
    "Refunds: each part is booked once when it is done and never else; sent once, and not before it was approved",
    """
    WITH parts AS (
        SELECT p.*, r.order_id AS of_order, a.order_id AS paid_order,
               r.needs_approval AND r.approved_at IS NULL AS waits,
               (SELECT count(*) FROM payments_entry e WHERE e.attempt_id = p.attempt_id AND e.refund_key = p.key
                AND e.kind = 'refunded' AND e.amount = p.amount AND e.currency = a.currency) AS booked,
               (SELECT count(*) FROM hub_outgoing o WHERE o.topic = 'payments.refund' AND o.key = p.key) AS sent
        FROM payments_refundpart p JOIN payments_refund r ON r.id = p.refund_id
        JOIN payments_attempt a ON a.id = p.attempt_id
    )
    SELECT key AS subject, 'is not booked once when it is done' AS problem,
           CASE status WHEN 'done' THEN '1' ELSE '0' END AS expected, booked::text AS found
    FROM parts WHERE booked <> CASE status WHEN 'done' THEN 1 ELSE 0 END
    UNION ALL
    SELECT e.refund_key, 'was booked, and is no part of a refund of this payment', 'a part', 'none'
    FROM payments_entry e WHERE e.refund_key <> '' AND e.source NOT LIKE '%%: made there' AND NOT EXISTS (
        SELECT 1 FROM parts p WHERE p.key = e.refund_key AND p.attempt_id = e.attempt_id)
    UNION ALL
    SELECT key, 'is sent before it was approved', '0', sent::text FROM parts WHERE waits AND sent > 0
    UNION ALL
    SELECT key, 'is to be given back, and not sent', '1', sent::text
    FROM parts WHERE status = 'pending' AND NOT waits AND sent = 0 AND NOT is_stuck
    UNION ALL
    SELECT key, 'gives back what another order paid', of_order::text, paid_order::text
    FROM parts WHERE of_order <> paid_order
    UNION ALL
    SELECT concat('refund ', r.id), 'is not the sum of its parts', coalesce(sum(p.amount), 0)::text, r.amount::text
    FROM payments_refund r LEFT JOIN payments_refundpart p ON p.refund_id = r.id
        AND NOT (p.status = 'failed' AND left(p.closed_note, 14) = 'tried again as')
    GROUP BY r.id HAVING r.amount <> coalesce(sum(p.amount), 0)
    """,
)


def register() -> None:
    """From the wiring."""
    invariants.register(I3)
    invariants.register(I8)
