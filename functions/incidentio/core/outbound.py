"""Where playbooks may call by HTTP: names that the deployment lists, at addresses of the internet.

A name may resolve to anything, and to something else a second later. So an address is judged after the name was
resolved, once, and the connection goes to that address.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from incidentio.core.errors import Forbidden, InvalidInput

HTTPS = 443
Network = IPv4Network | IPv6Network

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(\*\.)?({_LABEL}\.)*{_LABEL}")
_PRINTABLE = re.compile(r"[!-~]*")

METADATA = frozenset(
    ip_address(text) for text in ("169.254.169.254", "fd00:ec2::254", "169.254.170.2", "169.254.170.23", "fd00:ec2::23")
)
"""Who reaches these gets the credentials of the machine: refused whatever is listed.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
"""
_CARRY_IPV4 = tuple(ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
"""NAT64, 6to4 and Teredo: an IPv4 address inside, which a gateway would reach for us (RFC 6052, 3056, 4380)."""


@dataclass(frozen=True)
class Destination:
    """A name that may be called. `*.` in front: any name below. `networks`: private addresses it may have."""

    name: str
    port: int = HTTPS
    networks: tuple[Network, ...] = ()

    def fits(self, host: str, port: int) -> bool:
        named = host.endswith(self.name[1:]) if self.name.startswith("*.") else host == self.name
        return named and port == self.port

    def __str__(self) -> str:
        port = "" if self.port == HTTPS else f":{self.port}"
        return f"{self.name}{port}" + "".join(f"={network}" for network in self.networks)


@dataclass(frozen=True)
class Url:
    """What a URL says, taken apart: `path` has the query."""

    host: str
    port: int
    path: str


def destinations(text: str) -> tuple[Destination, ...]:
    """`flags.shop.example,*.eks.amazonaws.com,k8s.shop.example:6443=10.0.0.0/8`, with commas between them.

    Raises:
        InvalidInput: one of them is neither a name nor a name with port and networks.
    """
    return tuple(_destination(part.strip()) for part in text.split(",") if part.strip())


def _destination(text: str) -> Destination:
    place, *networks = text.split("=")
    name, _, port = place.partition(":")
    if not _NAME.fullmatch(name) or _looks_like_an_address(name) or "." not in name.removeprefix("*."):
        raise InvalidInput(f"{text!r} is no destination: write a full name in lower case, such as flags.shop.example")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise InvalidInput(f"{text!r}: {port!r} is no port")
    try:
        return Destination(name, int(port) if port else HTTPS, tuple(ip_network(network) for network in networks))
    except ValueError as error:
        raise InvalidInput(f"{text!r}: {error}") from None


def taken_apart(url: str) -> Url:
    """Raises InvalidInput: not https, no name, or something that one client reads so and another otherwise."""
    if not _PRINTABLE.fullmatch(url) or "\\" in url:
        raise InvalidInput("a URL is printable ASCII without backslashes: write other characters percent-encoded")
    try:
        parts = urlsplit(url)
        port = parts.port or HTTPS
    except ValueError as error:
        raise InvalidInput(f"not a URL: {error}") from None
    if parts.scheme != "https":
        raise InvalidInput(f"only https is called, not {parts.scheme or 'a URL without scheme'}")
    if "@" in parts.netloc:
        raise InvalidInput("a URL must not hold a user or password: use a secret")
    host = (parts.hostname or "").removesuffix(".")
    if not _NAME.fullmatch(host) or host.startswith("*") or _looks_like_an_address(host):
        raise InvalidInput(f"{host[:80]!r} is not a name: addresses are not called, in whatever form")
    return Url(host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


def _looks_like_an_address(host: str) -> bool:
    """`127.0.0.1`, `2130706433`, `0x7f.1`, `0177.0.0.1`: what some resolver takes for an IPv4 address."""
    return bool(re.fullmatch(r"\d+|0x[0-9a-f]*", host.rsplit(".", 1)[-1]))


def allowed(place: Url, listed: Sequence[Destination]) -> Destination:
    """The destination in the list that `place` is.

    Raises:
        Forbidden: none.
    """
    for destination in listed:
        if destination.fits(place.host, place.port):
            return destination
    known = ", ".join(map(str, listed)) or "none"
    raise Forbidden(
        f"{place.host}:{place.port} is not a destination of this deployment: those are {known}. "
        "They are chosen with the context `outbound`"
    )


def judged(addresses: Sequence[str], destination: Destination) -> str:
    """The address to connect to: the first.

    Raises:
        Forbidden: one of them may not be called. A name with one good and one bad address is not called at all.
    """
    if not addresses:
        raise Forbidden(f"{destination.name} has no address")
    for address in addresses:
        if why := refused(address, destination.networks):
            raise Forbidden(f"{destination.name} resolves to {address}, {why}")
    return addresses[0]


def refused(address: str, networks: Sequence[Network] = ()) -> str | None:
    """Why `address` may not be called, or None. `networks` are private ones that may."""
    try:
        told = ip_address(address.partition("%")[0])
    except ValueError:
        return "which is no address"
    meant = list(_meant(told))
    if METADATA.intersection(meant):
        return "which is a metadata service"
    if any(told in network for network in _CARRY_IPV4 if network.version == told.version):
        return "which stands for another address"
    inside = meant[-1]
    if any(inside in network for network in networks if network.version == inside.version):
        return None
    # Site-local (fec0::/10) is deprecated and global to Python: RFC 3879.
    local = isinstance(inside, IPv6Address) and inside.is_site_local
    if local or not inside.is_global or inside.is_multicast or inside.is_reserved or inside.is_unspecified:
        return "which is not on the internet, and its network is not listed"
    return None


def _meant(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address | IPv6Address]:
    """The address, and the IPv4 one that it is mapped from."""
    yield address
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        yield address.ipv4_mapped
