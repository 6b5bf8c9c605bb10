"""Which texts stand in several languages."""

from modeltranslation.translator import TranslationOptions, register

from shop.catalogue.models import (
    AttributeOption,
    AttributeOptionGroup,
    Category,
    Product,
    ProductAttribute,
    ProductClass,
)


@register(Product)
class ProductTranslation(TranslationOptions):
    fields = ("title", "summary", "description")


@register(Category)
class CategoryTranslation(TranslationOptions):
    fields = ("name", "description")


@register([ProductClass, ProductAttribute, AttributeOptionGroup])
class NameTranslation(TranslationOptions):
    fields = ("name",)


@register(AttributeOption)
class OptionTranslation(TranslationOptions):
    fields = ("option",)
