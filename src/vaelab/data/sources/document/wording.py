"""Made-up wording for rendered pages: sentences, names, dates and amounts, from a vocabulary of our own."""

from collections.abc import Sequence

from numpy.random import Generator


def _list(words: str) -> tuple[str, ...]:
    return tuple(words.split())


PEOPLE = _list(
    "manager office committee department team customer supplier director engineer board teacher assistant library "
    "company council doctor station laboratory school museum"
)
THINGS = _list(
    "report invoice contract order budget proposal schedule letter drawing sample machine parcel catalogue form "
    "meeting project result survey payment list building garden kitchen window bridge river market journey"
)
ADJECTIVES = _list(
    "new annual early final local large small careful complete second quiet modern useful general recent open public "
    "common simple important"
)
VERBS = _list(
    "received approved checked returned described completed prepared discussed changed followed ordered measured "
    "explained repaired visited accepted reviewed planned opened finished"
)
PREPOSITIONS = _list("for before after near with about without behind under beyond")
TIMES = ("yesterday", "last week", "this month", "in the morning", "on time", "at once", "once again", "without delay")
TITLES = _list("report order proposal schedule survey budget review catalogue inventory programme summary")
FORMS = ("order", "delivery", "expense", "inspection", "request", "travel", "repair", "supplier", "application")
DEPARTMENTS = ("Sales", "Accounts", "Printing", "Research", "Purchasing", "Transport", "Planning")
OPENINGS = ("However", "In addition", "For this reason", "At the same time", "Last year", "As a result", "Meanwhile")
FIRST_NAMES = _list("Anna Robert Maria David Helen Thomas Laura Peter Sarah Martin Julia George")
LAST_NAMES = _list("Baker Miller Carter Hansen Walker Fisher Turner Murphy Stone Wagner Palmer Brooks")
STREETS = _list("Station Harbour Garden Church Mill Market Bridge Forest")
TOWNS = _list("Ashford Newport Kingston Milton Lakewood Brighton Oakland Fairview")
TRADES = ("Supply", "Printing", "Hardware", "Trading", "Foods", "Motors", "Paper", "Textiles")
GOODS = _list(
    "paper lamp cable bread coffee milk butter apples chair folder pencil soap battery ladder paint brush towel "
    "bottle rice tea cheese honey flour candle notebook scissors envelope hammer"
)
MONTHS = _list("January February March April May June July August September October November December")


def choose(rng: Generator, options: Sequence[str]) -> str:
    """Return one of the options."""
    return options[int(rng.integers(len(options)))]


def _thing(rng: Generator) -> str:
    adjective = f"{choose(rng, ADJECTIVES)} " if rng.random() < 0.5 else ""
    return f"the {adjective}{choose(rng, THINGS)}"


def sentence(rng: Generator) -> str:
    """Return an English sentence, which ends in a full stop."""
    subject = f"the {choose(rng, PEOPLE)}" if rng.random() < 0.7 else "we"
    opening = f"{choose(rng, OPENINGS)}, " if rng.random() < 0.3 else ""
    clause = f"{opening}{subject} {choose(rng, VERBS)} {_thing(rng)}"
    if rng.random() < 0.6:
        clause += f" {choose(rng, PREPOSITIONS)} {_thing(rng)}"
    if rng.random() < 0.3:
        clause += f" and {choose(rng, VERBS)} {_thing(rng)}"
    if rng.random() < 0.3:
        clause += f" {choose(rng, TIMES)}"
    return f"{clause[0].upper()}{clause[1:]}."


def paragraph(rng: Generator) -> str:
    """Return two to four sentences."""
    return " ".join(sentence(rng) for _ in range(rng.integers(2, 5)))


def title(rng: Generator) -> str:
    """Return a short heading: adjective and noun, capitalised."""
    return f"{choose(rng, ADJECTIVES)} {choose(rng, TITLES)}".title()


def date(rng: Generator) -> str:
    """Return a date in one of three ways of writing."""
    day, month, year = rng.integers(1, 29), rng.integers(1, 13), rng.integers(1975, 2026)
    written = (f"{MONTHS[month - 1]} {day}, {year}", f"{day:02d}.{month:02d}.{year}", f"{year}-{month:02d}-{day:02d}")
    return choose(rng, written)


def amount(cents: int) -> str:
    """Return an amount of money: thousands with commas, two decimals."""
    return f"{cents / 100:,.2f}"


def digits(rng: Generator, count: int) -> str:
    """Return a number of `count` digits, the first of which is not 0."""
    return str(rng.integers(10 ** (count - 1), 10**count))


def person(rng: Generator) -> str:
    """Return a first and a last name."""
    return f"{choose(rng, FIRST_NAMES)} {choose(rng, LAST_NAMES)}"


def company(rng: Generator) -> str:
    """Return the name of a firm."""
    return f"{choose(rng, LAST_NAMES)} {choose(rng, TRADES)} {choose(rng, ('Ltd.', 'Inc.', 'and Sons', 'Company'))}"


def street(rng: Generator) -> str:
    """Return a house number and a street."""
    return f"{rng.integers(2, 400)} {choose(rng, STREETS)} {choose(rng, ('Street', 'Road', 'Lane'))}"


def town(rng: Generator) -> str:
    """Return a town and its post code."""
    return f"{choose(rng, TOWNS)} {digits(rng, 5)}"


def phone(rng: Generator) -> str:
    """Return a telephone number."""
    return f"{digits(rng, 3)}-{digits(rng, 3)}-{digits(rng, 4)}"


def goods(rng: Generator) -> str:
    """Return an article that is sold, capitalised."""
    return choose(rng, GOODS).capitalize()
