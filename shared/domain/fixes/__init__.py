"""The fixes that rule files name. Importing this package registers them all."""

from shared.domain.fixes import basic, images, storage
from shared.domain.fixes.base import FIXES, FixMechanism

__all__ = ["FIXES", "FixMechanism", "basic", "images", "storage"]
