"""Pure conversions of whole objects to what AKS serves; see `base` for the contract and `registry` for their names."""

from shared.domain.convert.base import CannotConvert, Conversion, Converter, Lookup, Loss, Op
from shared.domain.convert.registry import CONVERSIONS

__all__ = ["CONVERSIONS", "CannotConvert", "Conversion", "Converter", "Lookup", "Loss", "Op"]
