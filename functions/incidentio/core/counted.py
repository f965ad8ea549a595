"""Numbers with their noun, as people say them."""


def counted(number: int, noun: str) -> str:
    """`1 incident`, `2 incidents`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def fire(firing: int, members: int) -> str:
    """How many signals of an incident fire: `its signal fires`, `1 of its 3 signals fires`."""
    if members == 1:
        return "its signal fires" if firing else "its signal is ok"
    return f"{firing or 'none'} of its {counted(members, 'signal')} {'fire' if firing > 1 else 'fires'}"
