"""What the shop is examined for by `manage.py doctor`."""

from integrations.hub import doctor
from shop.symptoms import data, database, files, installation


def register() -> None:
    """Once, from `shop.wiring.connect`."""
    doctor.register("mode", installation.mode, needs_database=False)
    doctor.register("checks", installation.system_checks, needs_database=False)
    doctor.register("address", installation.address, needs_database=False)
    doctor.register("secrets", files.secrets, needs_database=False)
    doctor.register("static", files.static, needs_database=False)
    doctor.register("uploads", files.uploads, needs_database=False)
    doctor.register("disk", files.disk, needs_database=False)
    doctor.register("cache", installation.cache, needs_database=False)
    doctor.register("database", database.server)
    doctor.register("durability", database.durability)
    doctor.register("connections", database.connections)
    doctor.register("clock", database.clock)
    doctor.register("migrations", database.migrations)
    doctor.register("groups", data.groups)
    doctor.register("people", data.people)
    doctor.register("trade", data.trade)
    doctor.register("mail", data.mail)
    doctor.register("shop", installation.answers, needs_database=False, online=True)
