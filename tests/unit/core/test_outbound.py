"""Where playbooks may call: no form of an address that is not on the internet gets through."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from incidentio.core.errors import Forbidden, InvalidInput
from incidentio.core.outbound import METADATA, Destination, allowed, destinations, judged, refused, taken_apart

PRIVATE = [
    ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128", "fc00::/7", "fe80::/10",
        "fec0::/10", "ff00::/8", "64:ff9b::/96", "2002::/16", "2001::/32",
    )
]  # fmt: skip
private = st.sampled_from(PRIVATE).flatmap(lambda network: st.ip_addresses(network=network))
HOST = Destination("flags.shop.example")


@given(private)
def test_nothing_but_the_internet_is_called(address: IPv4Address | IPv6Address) -> None:
    assert refused(str(address))
    if isinstance(address, IPv4Address):
        assert refused(f"::ffff:{address}")
        assert refused(str(IPv6Address(0xFFFF_0000_0000 + int(address))))


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_the_same_inside_an_ipv6_one(address: IPv4Address) -> None:
    assert bool(refused(str(address))) == bool(refused(f"::ffff:{address}"))


@given(st.ip_addresses(v=4))
def test_every_way_through_a_gateway_is_closed(address: IPv4Address) -> None:
    assert refused(f"64:ff9b::{address}")
    assert refused(str(IPv6Address((0x2002 << 112) | int(address) << 80)))


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14"])
def test_the_internet_is_called(address: str) -> None:
    assert refused(address) is None


@given(private)
def test_a_private_network_is_called_where_it_is_listed_and_a_metadata_service_never(
    address: IPv4Address | IPv6Address,
) -> None:
    everything = (ip_network("0.0.0.0/0"), ip_network("::/0"))
    stands_for_another = any(address in network for network in PRIVATE[-3:] if network.version == address.version)
    assert bool(refused(str(address), everything)) == (address in METADATA or stands_for_another)


def test_metadata_services_are_refused_whatever_is_listed() -> None:
    networks = (ip_network("169.254.0.0/16"), ip_network("fd00::/8"))
    for address in METADATA:
        assert "metadata" in str(refused(str(address), networks))
    assert "metadata" in str(refused("::ffff:169.254.169.254", networks))


@pytest.mark.parametrize("address", ["fe80::1%eth0", "not-an-address", "", "127.1", "0x7f000001", "2130706433"])
def test_what_is_no_plain_address_is_refused(address: str) -> None:
    assert refused(address)


def test_one_bad_address_among_good_ones_is_enough_to_refuse() -> None:
    assert judged(["93.184.215.14", "93.184.215.15"], HOST) == "93.184.215.14"
    with pytest.raises(Forbidden, match=r"resolves to 10\.0\.0\.1, which is not on the internet"):
        judged(["93.184.215.14", "10.0.0.1"], HOST)
    with pytest.raises(Forbidden, match="has no address"):
        judged([], HOST)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://flags.shop.example/", "only https"),
        ("file:///etc/passwd", "only https"),
        ("gopher://flags.shop.example/", "only https"),
        ("//flags.shop.example/", "only https"),
        ("https://user:pass@flags.shop.example/", "user or password"),
        ("https://flags.shop.example@169.254.169.254/", "user or password"),
        ("https://169.254.169.254/latest/meta-data", "is not a name"),
        ("https://[::1]/", "is not a name"),
        ("https://[::ffff:169.254.169.254]/", "is not a name"),
        ("https://127.0.0.1/", "is not a name"),
        ("https://2130706433/", "is not a name"),
        ("https://0x7f000001/", "is not a name"),
        ("https://0x7f.0.0.1/", "is not a name"),
        ("https://0177.0.0.1/", "is not a name"),
        ("https://127.1/", "is not a name"),
        ("https://127.0.0.1./", "is not a name"),
        ("https:///path", "is not a name"),
        ("https://flags.shop.example:99999/", "not a URL"),
        ("https://flags.shop.example:x/", "not a URL"),
        ("https://flags.shop.example\\@evil.example/", "backslashes"),
        ("https://flags.shop.example/\r\nHost: evil", "printable"),
        ("https://flags.shop.example/ä", "printable"),
        ("https://fläggs.example/", "printable"),
        ("https://flags_shop.example/", "is not a name"),
        ("https://*.shop.example/", "is not a name"),
        ("https://-a.example/", "is not a name"),
    ],
)
def test_a_url_that_may_be_read_in_two_ways_is_none(url: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        taken_apart(url)


def test_a_url_is_taken_apart_without_its_fragment() -> None:
    url = taken_apart("https://Flags.Shop.Example.:8443/a/b?c=d#e")
    assert (url.host, url.port, url.path) == ("flags.shop.example", 8443, "/a/b?c=d")
    assert taken_apart("https://flags.shop.example").path == "/"


@given(st.text(alphabet="abcxyz.@:/\\?#[]%0123456789-_*", max_size=40))
def test_whatever_is_written_only_a_listed_name_is_left(text: str) -> None:
    try:
        url = taken_apart(f"https://{text}")
        destination = allowed(url, (HOST,))
    except (InvalidInput, Forbidden):
        return
    assert (url.host, destination) == ("flags.shop.example", HOST)


LISTED = destinations("flags.shop.example, *.eks.amazonaws.com,k8s.shop.example:6443=10.0.0.0/8=fd12::/16")


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("https://flags.shop.example/a", True),
        ("https://abc.gr7.eu-west-1.eks.amazonaws.com/", True),
        ("https://k8s.shop.example:6443/", True),
        ("https://k8s.shop.example/", False),
        ("https://flags.shop.example:8443/", False),
        ("https://evil-flags.shop.example/", False),
        ("https://flags.shop.example.evil.example/", False),
        ("https://eks.amazonaws.com/", False),
        ("https://evileks.amazonaws.com/", False),
    ],
)
def test_only_what_is_listed_is_called(url: str, *, fits: bool) -> None:
    if fits:
        allowed(taken_apart(url), LISTED)
    else:
        with pytest.raises(Forbidden, match=r"is not a destination of this deployment: those are flags\.shop"):
            allowed(taken_apart(url), LISTED)


def test_a_list_is_told_as_it_was_written() -> None:
    written = "flags.shop.example,*.eks.amazonaws.com,k8s.shop.example:6443=10.0.0.0/8=fd12::/16"
    assert ",".join(map(str, LISTED)) == written
    assert destinations("") == ()


@pytest.mark.parametrize("text", ["flags", "10.0.0.1", "*", "*.com", "FLAGS.example", "a.example:0", "a.example:x"])
def test_a_wrong_destination_is_told(text: str) -> None:
    with pytest.raises(InvalidInput):
        destinations(text)


@given(st.ip_addresses())
def test_what_is_private_by_python_is_refused(address: IPv4Address | IPv6Address) -> None:
    assume(ip_address(address).is_private)
    assert refused(str(address))
