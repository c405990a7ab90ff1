"""Timer schedules: NCRONTAB (six fields, or five without seconds) or a time span (CronSchedule.cs, ConstantSchedule.cs)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Protocol

from croniter import CroniterBadCronError, CroniterBadDateError, croniter
from dateutil import tz

from funchost.errors import ConfigurationError

# NCrontab's own alphabet: croniter would also take L, #, ?, @daily and Sunday as 7, which the real host refuses.
_VALUE = r"(?:\*|\d+|[A-Za-z]{3})"
_ITEM = rf"{_VALUE}(?:-{_VALUE})?(?:/\d+)?"
_FIELD = re.compile(rf"^{_ITEM}(?:,{_ITEM})*$")
_SUNDAY_AS_7 = re.compile(r"(?<![/\d])7")
_SPAN = re.compile(r"^(?:(\d+)\.)?(\d{1,2}):(\d{1,2}):(\d{1,2})$")


class Schedule(Protocol):
    """When a timer fires."""

    def next_after(self, moment: datetime) -> datetime:
        """The first occurrence after ``moment`` (an aware datetime)."""


@dataclass(frozen=True)
class CronSchedule:
    """An NCRONTAB expression in a time zone; day of month and day of week must both match, as in NCrontab."""

    expression: str
    zone: tzinfo

    def next_after(self, moment: datetime) -> datetime:
        fields = len(self.expression.split())
        found = croniter(self.expression, moment.astimezone(self.zone), day_or=False, second_at_beginning=fields == 6)
        occurrence: datetime = found.get_next(datetime)
        return occurrence


@dataclass(frozen=True)
class ConstantSchedule:
    """Every ``interval``."""

    interval: timedelta

    def next_after(self, moment: datetime) -> datetime:
        return moment + self.interval


def parse_schedule(text: str, where: str, environ: Mapping[str, str]) -> Schedule:
    """Parse a schedule; raises ConfigurationError starting with ``where``."""
    span = _SPAN.match(text.strip())
    if span:
        days, hours, minutes, seconds = (int(part or 0) for part in span.groups())
        interval = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if not interval:
            raise ConfigurationError(f"{where}: the schedule {text!r} is no time at all")
        return ConstantSchedule(interval)
    return _cron(text, where, time_zone(where, environ))


def time_zone(where: str, environ: Mapping[str, str]) -> tzinfo:
    """WEBSITE_TIME_ZONE, else the machine's zone; raises ConfigurationError for an unknown name."""
    name = environ.get("WEBSITE_TIME_ZONE")
    zone = tz.gettz(name) if name else tz.tzlocal()
    if zone is None:
        raise ConfigurationError(f"{where}: WEBSITE_TIME_ZONE {name!r} is not a time zone of this machine")
    return zone


def _cron(text: str, where: str, zone: tzinfo) -> CronSchedule:
    fields = text.split()
    refused = ConfigurationError(f"{where}: the schedule {text!r} is no NCRONTAB expression with 5 or 6 fields")
    if len(fields) not in {5, 6} or not all(_FIELD.match(part) for part in fields) or _SUNDAY_AS_7.search(fields[-1]):
        raise refused
    schedule = CronSchedule(" ".join(fields), zone)
    try:
        schedule.next_after(datetime.now(zone))
    except (CroniterBadCronError, CroniterBadDateError, ValueError):
        raise refused from None
    return schedule
