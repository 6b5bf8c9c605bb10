"""Words that libraries show in the admin (django-unfold, treebeard, Oscar) and for which they bring no Chinese.

They stand here so that makemessages keeps them in our catalogue.
"""

from django.utils.translation import gettext_noop, ngettext_lazy, pgettext_lazy

TREE = (
    gettext_noop("First child of"),
    gettext_noop("Before"),
    gettext_noop("After"),
    gettext_noop("Exclude from menu"),
    gettext_noop("Exclude this category from the menu."),
)
OSCAR = (
    gettext_noop("Fulfillment partner"),
    gettext_noop("Fulfillment partners"),
    gettext_noop("Order Line"),
    gettext_noop("Order Lines"),
    pgettext_lazy("Product attribute value", "Yes"),
    pgettext_lazy("Product attribute value", "No"),
)
CATALOGUE = (
    gettext_noop("Product class"),
    gettext_noop("Product classes"),
    gettext_noop("Attribute option"),
    gettext_noop("Attribute option group"),
    gettext_noop("Attribute option groups"),
    gettext_noop("Unique identifier"),
    gettext_noop("Option Group"),
)
UNFOLD = (
    gettext_noop("No"),
    gettext_noop(" By %(filter_title)s "),
    gettext_noop("Select record"),
    gettext_noop("Select action"),
    gettext_noop("Select action to run"),
    gettext_noop("Select value"),
    gettext_noop("Select all rows"),
    gettext_noop("Run"),
    gettext_noop("Filters"),
    gettext_noop("Apply Filters"),
    gettext_noop("Reset filters"),
    gettext_noop("Expand row"),
    gettext_noop("Add row"),
    gettext_noop("Welcome back to"),
    gettext_noop("Type to search"),
    gettext_noop("Search apps and models..."),
    gettext_noop("Recent searches"),
    gettext_noop("No recent searches"),
    gettext_noop("No results matching your query"),
    gettext_noop("No results found"),
    gettext_noop("No data"),
    gettext_noop("This page yielded into no results. Create a new item or reset your filters."),
    gettext_noop("Loading more results..."),
    gettext_noop("You have been successfully logged out from the administration"),
    gettext_noop("More actions"),
    gettext_noop("All applications"),
    gettext_noop("True"),
    gettext_noop("False"),
    gettext_noop("Submit"),
    gettext_noop("Record picture"),
    gettext_noop("Image preview"),
    gettext_noop("Choose file to upload"),
    gettext_noop("Click to download"),
    gettext_noop("Click to cancel"),
    gettext_noop("This item will be deleted."),
    gettext_noop("Go back"),
    gettext_noop("Previous"),
    gettext_noop("Next"),
    gettext_noop("Light"),
    gettext_noop("Dark"),
    gettext_noop("System"),
    gettext_noop("Toggle password visibility"),
    gettext_noop("After you've created a user, you’ll be able to edit more user options."),
    gettext_noop(
        "Raw passwords are not stored, so there is no way to see this user’s password, but you can change the password "
        'using <a href="{}" class="text-primary-600 dark:text-primary-500">this form</a>.'
    ),
    ngettext_lazy("entry", "entries"),
    ngettext_lazy("%(counter)s result", "%(counter)s results"),
    ngettext_lazy("Please correct the error below.", "Please correct the errors below."),
)
