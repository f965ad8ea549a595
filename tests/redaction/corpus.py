# ruff: noqa: E501 - one family of formats a line
"""Labelled texts for the redaction: what must go, and what only looks like it. The same every time.

Formats follow the issuers' own documents: AWS "unique identifiers" (AKIA, ASIA), RFC 7519 (JWT), RFC 7468 (PEM), RFC 6750
(bearer), RFC 3986 (user information in URLs), E.164 and national phone numbers, ISO/IEC 7812 (cards, with Luhn's digit).
"""

import base64
import json
import random
import string
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

EACH = 300
_B64 = string.ascii_letters + string.digits + "+/"
_URL = string.ascii_letters + string.digits + "-_"
_HEX = "0123456789abcdef"


@dataclass(frozen=True)
class Sample:
    """`secret` is what must not be left of `text`; None: nothing may change."""

    kind: str
    text: str
    secret: str | None


def samples(seed: int = 7) -> Iterator[Sample]:
    """EACH of every kind, positives before negatives."""
    for kind, make in POSITIVES.items():
        for n in range(EACH):
            chance = random.Random(f"{seed} {kind} {n}")
            secret = make(chance)
            carrier = chance.choice(OWN_WORDS.get(kind, CARRIERS))
            yield Sample(kind, carrier.replace("{}", secret), secret)
    for kind, make in NEGATIVES.items():
        for n in range(EACH):
            chance = random.Random(f"{seed} {kind} {n}")
            yield Sample(kind, chance.choice(PLAIN).replace("{}", make(chance)), None)


def _of(chance: random.Random, alphabet: str, length: int) -> str:
    return "".join(chance.choices(alphabet, k=length))


def _aws_key(chance: random.Random) -> str:
    return chance.choice(("AKIA", "ASIA")) + _of(chance, string.ascii_uppercase + "234567", 16)


def _token(chance: random.Random) -> str:
    digits = string.digits
    return chance.choice(
        (
            lambda: f"gh{chance.choice('pousr')}_{_of(chance, string.ascii_letters + digits, 36)}",
            lambda: (
                f"github_pat_{_of(chance, string.ascii_letters + digits, 22)}_{_of(chance, _URL.replace('-', ''), 59)}"
            ),
            lambda: f"glpat-{_of(chance, _URL, 20)}",
            lambda: (
                f"xox{chance.choice('bpa')}-{_of(chance, digits, 12)}-{_of(chance, string.ascii_letters + digits, 24)}"
            ),
            lambda: f"sk_live_{_of(chance, string.ascii_letters + digits, 24)}",
            lambda: f"sk-proj-{_of(chance, _URL, 48)}",
            lambda: f"npm_{_of(chance, string.ascii_letters + digits, 36)}",
            lambda: f"AIza{_of(chance, _URL, 35)}",
            lambda: f"SG.{_of(chance, _URL, 22)}.{_of(chance, _URL, 43)}",
            lambda: f"hvs.{_of(chance, _URL, 90)}",
            lambda: f"hvs.CAES{_of(chance, string.ascii_letters + digits, 24)}",
            lambda: f"dop_v1_{_of(chance, _HEX, 64)}",
            lambda: (
                f"hooks.slack.com/services/T{_of(chance, digits, 8)}/B{_of(chance, digits, 8)}/"
                f"{_of(chance, string.ascii_letters + digits, 24)}"
            ),
        )
    )()


def _jwt(chance: random.Random) -> str:
    def part(document: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")

    return (
        f"{part({'alg': chance.choice(('HS256', 'RS256', 'ES256')), 'typ': 'JWT'})}."
        f"{part({'sub': _of(chance, _HEX, 12), 'exp': chance.randrange(10**9, 2 * 10**9)})}.{_of(chance, _URL, 43)}"
    )


def _pem(chance: random.Random) -> str:
    what = chance.choice(("RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY"))
    lines = "\n".join(_of(chance, _B64, 64) for _ in range(chance.randint(2, 12)))
    return f"-----BEGIN {what}-----\n{lines}\n-----END {what}-----"


def _password(chance: random.Random) -> str:
    return _of(chance, string.ascii_letters + string.digits + "!#%*.:~^", chance.randint(8, 24))


def _punctuated(chance: random.Random) -> str:
    """One mark in the middle that could also end a value."""
    half = string.ascii_letters + string.digits
    return f"{_of(chance, half, chance.randint(4, 9))}{chance.choice(',;&)]}<>' + chr(34) + chr(39))}{_of(chance, half, 9)}"


def _url_credentials(chance: random.Random) -> str:
    scheme = chance.choice(("postgres", "https", "redis", "amqps", "mongodb+srv", "mysql"))
    return f"{scheme}://{_of(chance, string.ascii_lowercase, 6)}:{_of(chance, _URL + '.~!$', 12)}@db.internal:5432/x"


def _email(chance: random.Random) -> str:
    names = ("jane.doe", "j.o'neil", "max_mustermann", "ops+pager", "a.b-c", "李雷", "björn")
    domains = ("example.com", "mail.example.co.uk", "sub.example-corp.io", "example.museum", "exämple.de")
    return f"{chance.choice(names)}{chance.randint(0, 99)}@{chance.choice(domains)}"


def _phone(chance: random.Random) -> str:
    d = lambda n: str(chance.randint(2, 9)) + _of(chance, string.digits, n - 1)  # noqa: E731 - digits
    return chance.choice(
        (
            f"+49 {d(2)} {d(4)} {d(4)}",
            f"+1 {d(3)} {d(3)} {d(4)}",
            f"+1-{d(3)}-{d(3)}-{d(4)}",
            f"+44{d(10)}",
            f"+33 {d(1)} {d(2)} {d(2)} {d(2)} {d(2)}",
            f"({d(3)}) {d(3)}-{d(4)}",
            f"{d(3)}-{d(3)}-{d(4)}",
            f"{d(3)}.{d(3)}.{d(4)}",
            f"+91 {d(5)} {d(5)}",
        )
    )


def _card(chance: random.Random) -> str:
    prefix, length = chance.choice((("4", 16), ("51", 16), ("2221", 16), ("34", 15), ("37", 15), ("6011", 16)))
    digits = prefix + _of(chance, string.digits, length - 1 - len(prefix))
    total = sum(sum(divmod(int(c) * (1 + i % 2), 10)) for i, c in enumerate(reversed(digits + "0")))
    number = digits + str(-total % 10)
    if length == 15:
        return chance.choice((number, f"{number[:4]} {number[4:10]} {number[10:]}"))
    separator = chance.choice(("", " ", "-"))
    return separator.join(number[i : i + 4] for i in range(0, 16, 4))


POSITIVES: dict[str, Callable[[random.Random], str]] = {
    "aws access key": _aws_key,
    "aws secret key": lambda c: _of(c, _B64, 40),
    "aws session token": lambda c: c.choice(("IQoJb3JpZ2luX2Vj", "FwoGZXIvYXdz")) + _of(c, _B64, 200),
    "token": _token,
    "jwt": _jwt,
    "pem": _pem,
    "bearer": lambda c: _of(c, _URL + ".~+/", c.randint(20, 64)),
    "basic": lambda c: base64.b64encode(f"{_of(c, string.ascii_lowercase, 5)}:{_password(c)}".encode()).decode(),
    "password": _password,
    "password with punctuation": _punctuated,
    "password, written otherwise": lambda c: _of(c, string.ascii_letters + string.digits, c.randint(8, 24)),
    "url credentials": _url_credentials,
    "email": _email,
    "email in a query": lambda c: (
        f"{c.choice(('jane.doe', 'ops+pager', 'max_m'))}{c.randint(0, 99)}%40mail.example.com"
    ),
    "phone": _phone,
    "card": _card,
}
CARRIERS = (
    "{}", "failed for {} again", "({})", "'{}'", '"{}"', "user={} status=500", '{"value": "{}", "n": 1}', "see {}.",
    "a,{},b", "log: {}\nnext line", "<{}>", "ALARM: {} is gone;", "caller {}: timeout", "[{}]",
)  # fmt: skip
OWN_WORDS = {
    "aws access key": (*CARRIERS, "_{}", "key_{}", "{}_1", "key%3D{}"),
    "password with punctuation": ("password={}", "login with password={} failed", "DB_PASSWORD={}", "token: {}", "(secret={})"),
    "password, written otherwise": (
        '{"password": ["{}"]}', '{"password": {"value": "{}"}}', '{"password":["a]b", {"c": "{}"}], "n": 1}', '{"password" : "{}"}',
        r'{\"password\": \"{}\"}', r'{\"a\": \"{\\\"api_key\\\":\\\"{}\\\"}\"}', r'"{\"password\": [\"{}\"]}"', '{"api key": "{}"}',
        "secret:{}", "token:{}", "api_key:{}", "password:  {}", "password=  {}", "password   =   {}", "password == {}", "token:'{}'",
        '--password "{}"', "--db-password   '{}'", r'--token \"{}\"', "password%3D{}", "q?x=1%26token%3D{}%26n%3D1", "secret%3A%20{}",
        r"https:\/\/app:{}@db.internal\/x", "postgres%3A%2F%2Fapp%3A{}%40db%2Forders", "password={},host=db1", "password=<{}>",
    ),
    "email in a query": ("{}", "mail={}", "https://x.test/u?mail={}&n=1", '"{}"', "user%3D{}"),
    "bearer": ("Authorization: Bearer {}", "authorization=bearer {}", '{"authorization": "Bearer {}"}', "-H 'Authorization: Bearer {}'"),
    "basic": ("Authorization: Basic {}", '"Authorization": "Basic {}"', "sent Basic {} twice"),
    "password": ("password={}", "password: {}", 'DB_PASSWORD="{}"', '{"dbPassword": "{}"}', "--password {}", "PGPASSWORD={} psql", "pwd='{}'",
                 "secret={}", "api_key: {}", "x-api-key: {}", "client_secret={}&grant_type=x", "passphrase = {}"),
    "pem": ("{}", "key:\n{}\nend", '{"key": "{}"}'),
    "url credentials": ("{}", "dialing {} failed", 'url="{}"', "({})"),
    "aws secret key": ("aws_secret_access_key = {}", "AWS_SECRET_ACCESS_KEY={}", '"SecretAccessKey": "{}"', "{}", "key {} leaked",
                       "SK={}", "AKIAIOSFODNN7EXAMPLE:{}", "ASIAIOSFODNN7EXAMPLE={}"),
}  # fmt: skip
PLAIN = (
    "{}", "took {} today", "at {}: failed", "({})", '"{}"', "id={} n=4", '{"x": "{}", "n": 1}', "see {}.", "a,{},b", "[{}]",
)  # fmt: skip


def _hex(chance: random.Random, n: int) -> str:
    return _of(chance, _HEX, n)


def _uuid(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _stamp(chance: random.Random) -> str:
    day = f"20{chance.randint(20, 29)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
    time = f"{chance.randint(0, 23):02}:{chance.randint(0, 59):02}:{chance.randint(0, 59):02}"
    return chance.choice(
        (f"{day}T{time}.{chance.randint(0, 999):03}Z", f"{day} {time}", f"{day}T{time}+00:00", f"{day}T{time}.123+0000",
         str(chance.randint(1_600_000_000, 1_900_000_000)), str(chance.randint(1_600_000_000_000, 1_900_000_000_000)))
    )  # fmt: skip


def _arn(chance: random.Random) -> str:
    account, region = _of(chance, string.digits[1:], 12), chance.choice(("eu-west-1", "us-east-1", "ap-southeast-2"))
    name = chance.choice(("checkout-5xx", "prod/db-AbCdEf", "jane@example.com", "orders_token_rotation"))
    resource = chance.choice(
        (f"lambda:{region}:{account}:function:{name}", f"cloudwatch:{region}:{account}:alarm:{name}",
         f"secretsmanager:{region}:{account}:secret:{name}", f"secretsmanager:{region}:{account}:secret:{name}:password::",
         f"cloudwatch:{region}:{account}:alarm:CheckoutServiceHighErrorRateAlar{_of(chance, 'ABCDEF123456', 8)}", f"sts::{account}:assumed-role/AWSReservedSSO_ops/{name}",
         f"elasticloadbalancing:{region}:{account}:targetgroup/web/{_hex(chance, 16)}")
    )  # fmt: skip
    return f"arn:aws:{resource}"


def _metric(chance: random.Random) -> str:
    value = chance.choice((chance.random() * 10**6, chance.random(), chance.random() * 10**12))
    return chance.choice(
        (f"{value:.14g}", f"[{value:.1f} (02/10/{chance.randint(20, 29)} 16:59:00)]", f"{value:.8e}", f"{int(value)} bytes",
         f"{value:.3f} ms", f"{chance.randint(10**15, 10**16)} ns", f"count {chance.randint(10**5, 10**7)}")
    )  # fmt: skip


def _name(chance: random.Random) -> str:
    return chance.choice(
        (f"checkout-{_hex(chance, 10)}-{_of(chance, string.ascii_lowercase + string.digits, 5)}",
         f"ip-10-{chance.randint(0, 255)}-{chance.randint(0, 255)}-{chance.randint(0, 255)}.eu-west-1.compute.internal",
         f"i-{_hex(chance, 17)}", f"vol-{_hex(chance, 17)}", f"INC-{_of(chance, '0123456789ABCDEFGHJKMNPQRSTVWXYZ', 6)}",
         f"/aws/lambda/checkout-{_hex(chance, 8)}", f"2026/03/04/[$LATEST]{_hex(chance, 32)}",
         f"CheckoutStack-OrdersTable{_of(chance, string.ascii_uppercase + string.digits, 8)}-{_of(chance, string.ascii_uppercase + string.digits, 13)}",
         f"registry.example.com/app@sha256:{_hex(chance, 64)}", f"v{chance.randint(0, 9)}.{chance.randint(0, 99)}.{chance.randint(0, 999)}",
         f"10.{chance.randint(0, 255)}.{chance.randint(0, 255)}.{chance.randint(0, 255)}:5432",
         f"2001:db8::{_hex(chance, 4)}:{_hex(chance, 4)}", f"sg-{_hex(chance, 8)}", f"subnet-{_hex(chance, 17)}",
         f"1-{_hex(chance, 8)}-{_hex(chance, 24)}", f"z:{chance.randint(100, 999)}-{chance.randint(1000, 9999)}")
    )  # fmt: skip


def _sentence(chance: random.Random) -> str:
    return chance.choice(
        ("Threshold Crossed: 2 out of the last 3 datapoints were greater than the threshold (50.0)", "TokenCount=5 SecretsRotated=7",
         "the token bucket of the API is empty", "password rotation finished for 12 users", "the secret rotation lambda timed out",
         "basic monitoring and bearer certificates", "Task timed out after 30.03 seconds", "key not found in cache: orders",
         "HTTP/1.1 503 Service Unavailable", "order 4111-22 from shop 12 was late", "authorization failed for 3 callers",
         "deploy 6 min ago: v1.2.3 -> v1.2.4", "p99=1234.567ms p50=12.1ms", "call 911-style drill at 12:00",
         "https://docs.aws.amazon.com/lambda/latest/dg/services.html", "s3://bucket/path/key.json", "git@github.com:org/repo.git",
         "mention @oncall in #incidents", "retry 3/5 in 200ms", "Errors 12>5 on checkout")
    )  # fmt: skip


def _with_a_word(chance: random.Random) -> str:
    """What stands beside the words that name secrets without being one."""
    n = chance.randint(1, 65535)
    return chance.choice(
        ("token: expired", "token:expired", "password: required", "secret: missing", '{"password": null}', "password required",
         f"dial tcp token:{n}: connection refused", f"registry.example.com/team/token:v1.{n}", "system:serviceaccount:token:reader",
         "Auth::Token::Expired", "secretsmanager:GetSecretValue", f"POST /v1/token:refresh took {n} ms", f"token_ttl={n}",
         f"TokenCount: {n}", "auth/token/src/token.py:45", "com.acme.KeyJoiner.combine", f"password_age: {n}",
         "api keys: see the runbook", "https://example.com/reset?next=%2Ftoken", "--token-file /etc/token")
    )  # fmt: skip


def _not_a_card(chance: random.Random) -> str:
    """Sixteen digits whose last one Luhn's check refuses."""
    digits = _card(chance).replace(" ", "").replace("-", "")
    return digits[:-1] + str((int(digits[-1]) + 1 + chance.randrange(8)) % 10)


NEGATIVES: dict[str, Callable[[random.Random], str]] = {
    "arn": _arn,
    "request id": _uuid,
    "timestamp": _stamp,
    "metric": _metric,
    "resource name": _name,
    "git sha": lambda c: _hex(c, 40),
    "image digest": lambda c: f"sha256:{_hex(c, 64)}",
    "account": lambda c: _of(c, string.digits[1:], 12),
    "long number": _not_a_card,
    "sentence": _sentence,
    "word of a secret": _with_a_word,
}
