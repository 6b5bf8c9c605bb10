"""Which texts stand in several languages."""

from modeltranslation.translator import TranslationOptions, register

from shop.catalogue.models import Category, Product


@register(Product)
class ProductTranslation(TranslationOptions):
    fields = ("title", "summary", "description")


@register(Category)
class CategoryTranslation(TranslationOptions):
    fields = ("name", "description")
