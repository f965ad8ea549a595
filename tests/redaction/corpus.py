# ruff: noqa: E501 - one family of formats a line
"""Labelled texts for the redaction: what must go, and what only looks like it. The same every time.

Formats follow the issuers' own documents: AWS "unique identifiers" (AKIA, ASIA), RFC 7519 (JWT), RFC 7468 (PEM), RFC 6750
(bearer), RFC 7616 (digest), RFC 6265 (cookies), RFC 3986 (user information in URLs), E.164, national phone numbers as they are
written in North America, Britain, Ireland, France, Belgium, Switzerland, Australia, Japan and India, ISO/IEC 7812 (cards, with
Luhn's digit).
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
    digits, letters = string.digits, string.ascii_letters + string.digits
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
            lambda: f"rk_live_{_of(chance, letters, 24)}",
            lambda: f"sk-ant-api03-{_of(chance, _URL, 93)}AA",
            lambda: f"npm_{_of(chance, string.ascii_letters + digits, 36)}",
            lambda: f"pypi-AgEIcHlwaS5vcmc{_of(chance, _URL, 120)}",
            lambda: f"dckr_{chance.choice('po')}at_{_of(chance, _URL, 27)}",
            lambda: f"gl{chance.choice(('dt', 'rt', 'ptt'))}-{_of(chance, _URL, 20)}",
            lambda: f"xapp-1-A{_of(chance, digits, 10)}-{_of(chance, digits, 13)}-{_of(chance, _HEX, 64)}",
            lambda: f"xox{chance.choice('cd')}-{_of(chance, letters, 40)}%2B{_of(chance, letters, 9)}%3D",
            lambda: f"glsa_{_of(chance, letters, 32)}_{_of(chance, _HEX, 8)}",
            lambda: f"ya29.{_of(chance, _URL, 120)}",
            lambda: f"GOCSPX-{_of(chance, _URL, 28)}",
            lambda: f"SK{_of(chance, _HEX, 32)}",
            lambda: f"hv{chance.choice('br')}.{_of(chance, _URL, 90)}",
            lambda: f"s.{_of(chance, letters, 20)}7aB2",
            lambda: f"{_of(chance, letters, 14)}.atlasv1.{_of(chance, letters, 67)}",
            lambda: f"shp{chance.choice(('at', 'ca', 'pa', 'ss'))}_{_of(chance, _HEX, 32)}",
            lambda: f"{_of(chance, letters, 3)}8Q~{_of(chance, _URL + '.~', 34)}",
            lambda: f"AGE-SECRET-KEY-1{_of(chance, '023456789ACDEFGHJKLMNPQRSTUVWXYZ', 58)}",
            lambda: f"LS0tLS1CRUdJTi{_of(chance, letters, 200)}",
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


def _area(chance: random.Random) -> tuple[str, str, str]:
    """A North American number: area, exchange, line."""
    d = lambda low, n: str(chance.randint(low, 9)) + _of(chance, string.digits, n - 1)  # noqa: E731 - digits
    return f"{chance.randint(2, 9)}{chance.randint(0, 8)}{chance.randint(0, 9)}", d(2, 3), d(0, 4)


def _national(chance: random.Random) -> str:
    """What no other number looks like."""
    d = lambda n: str(chance.randint(2, 9)) + _of(chance, string.digits, n - 1)  # noqa: E731 - digits
    area, exchange, line = _area(chance)
    return chance.choice(
        (
            f"({area}) {exchange}-{line}", f"1-{area}-{exchange}-{line}", f"{area}-{exchange}-{line}", f"1 ({area}) {exchange}-{line}",
            f"555 {_of(chance, string.digits, 3)} {d(2)}{d(2)}", f"0{d(2)} {d(4)} {d(4)}", f"0{d(3)} {d(3)} {d(4)}", f"07{d(3)} {d(6)}",
            f"(0{d(2)}) {d(4)} {d(4)}", f"0{d(1)} {d(4)} {d(4)}", f"04{d(2)} {d(3)} {d(3)}", f"0{d(1)}-{d(4)}-{d(4)}",
            f"0{d(2)} {d(3)} {d(2)} {d(2)}", f"0{d(1)} {d(3)} {d(2)} {d(2)}", f"0{d(1)} {d(2)} {d(2)} {d(2)} {d(2)}",
            f"0049 {d(2)} {d(7)}", f"0044 {d(2)} {d(4)} {d(4)}", f"0033-{d(1)}-{d(2)}-{d(2)}-{d(2)}-{d(2)}", f"00353 {d(1)} {d(3)} {d(4)}",
        )
    )  # fmt: skip


def _called(chance: random.Random) -> str:
    """What only the word in front makes a phone number."""
    d = lambda n: str(chance.randint(2, 9)) + _of(chance, string.digits, n - 1)  # noqa: E731 - digits
    return chance.choice(
        (" ".join(_area(chance)), f"0{d(2)} {d(6)}", f"0{d(3)} {d(7)}", f"0{d(2)}/{d(6)}", f"0{d(2)} {d(2)} {d(2)} {d(2)}",
         f"{d(2)} {d(2)} {d(2)} {d(2)}", f"{d(3)}-{d(4)}", f"{d(4)} {d(4)}", f"0{d(9)}", f"{d(2)} {d(3)} {d(4)}")
    )  # fmt: skip


def _header(chance: random.Random) -> str:
    """Short ones too, and such as are letters alone."""
    return chance.choice(
        (
            _of(chance, string.ascii_lowercase, 8),
            _of(chance, _HEX, 12),
            _of(chance, _URL, 40),
            _of(chance, _B64, 60) + "==",
        )
    )


def _webhook(chance: random.Random) -> str:
    letters, guid = string.ascii_letters + string.digits, _uuid(chance)
    return chance.choice(
        (f"https://hooks.slack.com/services/T{_of(chance, letters, 9)}/B{_of(chance, letters, 9)}/{_of(chance, letters, 24)}",
         f"https://hooks.slack.com/triggers/T{_of(chance, letters, 9)}/{_of(chance, string.digits, 13)}/{_of(chance, _HEX, 32)}",
         f"https://discord.com/api/webhooks/{_of(chance, string.digits, 18)}/{_of(chance, _URL, 68)}",
         f"https://discordapp.com/api/v10/webhooks/{_of(chance, string.digits, 18)}/{_of(chance, _URL, 68)}",
         f"https://acme.webhook.office.com/webhookb2/{guid}@{guid}/IncomingWebhook/{_of(chance, _HEX, 32)}/{guid}",
         f"https://events.pagerduty.com/integration/{_of(chance, letters, 32)}/enqueue")
    )  # fmt: skip


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
    "phone, national": _national,
    "phone, 3-3-4 with blanks": lambda c: " ".join(_area(c)),
    "phone behind a word": _called,
    "card": _card,
    "header": _header,
    "digest and signature": lambda c: _of(c, _HEX, 32),
    "cookie": lambda c: _of(c, string.ascii_letters + string.digits, c.randint(8, 40)),
    "password in a variable": lambda c: _of(c, string.ascii_letters + string.digits, c.randint(8, 24)),
    "signed url": lambda c: _of(c, string.ascii_letters + string.digits, 43),
    "webhook url": _webhook,
}
_SCHEMES = ("ApiKey", "GenieKey", "Splunk", "NTLM", "Negotiate", "SSWS", "Token", "Bearer", "Bearer ")
_FORMS = (
    "Authorization: {s} {}",
    "authorization={s} {}",
    '{"Authorization": "{s} {}"}',
    "{'Authorization': '{s} {}', 'a': 1}",
    "curl -H 'Authorization: {s} {}' https://x.test",
    'curl -H "Authorization: {s} {}" -v',
    "Proxy-Authorization: {s} {} Host: x",
    r"{\"Authorization\": \"{s} {}\"}",
    "('Authorization', '{s} {}')",
    '{"name": "Authorization", "value": "{s} {}"}',
    "Authorization:[{s} {}]",
    "> authorization: {s} {}\n> accept: *",
)
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
    "header": (*(form.replace("{s}", scheme) for form in _FORMS for scheme in _SCHEMES), "X-Api-Key: {}", "-H 'X-Api-Key:{}'",
               '"x-api-key": "{}"', "Ocp-Apim-Subscription-Key: {}", "DD-APPLICATION-KEY: {}", "PRIVATE-TOKEN: {}"),
    "digest and signature": (
        'Authorization: Digest username="jane", realm="x", nonce="x", uri="/", response="{}"',
        r'{"Authorization": "Digest username=\"jane\", response=\"{}\", qop=auth"}', "Authorization: Token token={}",
        "Authorization: AWS4-HMAC-SHA256 Credential=A/20260301/eu-west-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature={}",
        "curl -H 'Authorization: AWS4-HMAC-SHA256 Credential=A/20260301/x/s3/aws4_request,SignedHeaders=host,Signature={}' x",
    ),
    "cookie": ("Cookie: sid={}", "Cookie: theme=dark; sid={}; n=1", "Set-Cookie: sid={}; Path=/; HttpOnly", '{"Cookie": "a=b; sid={}"}',
               "curl -H 'Cookie: a=b; sid={}' https://x.test", "('Set-Cookie', 'sid={}; Secure')", "--cookie 'sid={}'"),
    "password in a variable": (
        "DB_PASS={}", "SMTP_PASS='{}'", "db_pass: {}", '{"dbPass": "{}"}', "MYSQL_PWD={} mysql", "PGPASSWORD={}", "ACME_PASS={}",
        '{"name": "DB_PASSWORD", "value": "{}"}', r'{\"name\": \"API_KEY\", \"value\": \"{}\"}', "--db-pass {}", "AZURE_CLIENT_SECRET={}",
    ),
    "signed url": (
        "https://b.s3.amazonaws.com/k?X-Amz-Signature={}&x=1", "https://b.s3.amazonaws.com/k?X-Amz-Security-Token={}", "?sig={}%3D",
        "https://a.blob.core.windows.net/c?sv=2024-11-04&se=2026-03-01T00%3A00%3A00Z&sp=r&sig={}%3D&sr=b", "AccountName=a;AccountKey={}==;x=1",
        "https://prod-1.westeurope.logic.azure.com/workflows/a/triggers/manual/paths/invoke?sp=%2Frun&sv=1.0&sig={}",
    ),
    "phone behind a word": ("call {}", "phone: {}", "Tel. {}", "phone number {} now", "mobile: {}", "call me back on {}.", "on-call: {}",
                            '"phone": "{}"', r'{\"phone\": \"{}\"}', "phone_number={}", "Telephone {}"),
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


def _like_a_phone(chance: random.Random) -> str:
    """Digits in groups that are none."""
    n = lambda digits: str(chance.randint(1, 9)) + _of(chance, string.digits, digits - 1)  # noqa: E731 - digits
    day, month, year = f"{chance.randint(1, 28):02}", f"{chance.randint(1, 12):02}", f"20{chance.randint(20, 29)}"
    clock = f"{chance.randint(0, 23):02}:{chance.randint(0, 59):02}"
    return chance.choice(
        (f"{day}.{month}.{year} {clock}", f"{day} {month} {year} {clock.replace(':', ' ')}", f"{month}/{day}/{year} {clock}",
         f"{day}-{month}-{year}", f"{year} {month} {day}", f"{year}{month}{day} {clock.replace(':', '')}00", f"{day} {month} {year[2:]} 12 30",
         f"{year}{month}{day}-{clock.replace(':', '')}", f"p50 p90 p99 max {n(3)} {n(3)} {n(4)} {n(4)}", f"p50={n(3)} p90={n(3)} p99={n(4)}",
         f"p50 p90 p99 {n(1)}00 {n(1)}50 {n(2)}00", f"status 200 {n(3)} {n(4)}", f"latency {n(3)} {n(3)} {n(4)}", f"GET /x 404 {n(3)} {n(4)}", f"build 2{n(2)}-{n(3)}-{n(4)}",
         f"order 0{n(3)}-{n(3)}-{n(3)}", f"order {n(3)}-{n(7)}-{n(7)}", f"0{_of(chance, string.digits, 11)}", f"call 10.0.{n(2)}.{n(2)} failed",
         f"dial tcp 192.168.{n(2)}.{n(2)}:{n(4)}", f"calls: {n(7)}", f"call {n(2)} took {n(7)} ns", f"call at {year}-{month}-{day} {clock}",
         f"mobile: {n(7)} users", f"phone_id: {n(10)}", f"version {n(3)}.0.{n(4)}.{n(3)}", f"1.{n(3)}.{n(3)}.{n(4)}", f"0012 {n(4)} {n(4)}",
         f"0a 01 {n(2)} {n(2)} {n(2)} {n(2)} ff", f"01-{n(2)}-{n(2)}-{n(2)}-{n(2)}-ab", f"job 0{n(3)} {n(7)}", f"1 {n(3)} {n(3)} {n(3)}",
         f"{n(1)},{n(3)},{n(3)}.{n(2)}", f"{n(2)} {n(3)} {n(3)}", f"0930 {n(6)} requests", f"contact {n(12)}", f"port {n(4)} {n(4)}",
         f"arn:aws:iam::0{n(11)}:role/x", f"1{n(2)} {n(3)} {n(4)} rows", f"{_uuid(chance)}", f"took {n(3)} {n(3)} {n(4)} ms")
    )  # fmt: skip


def _like_a_header(chance: random.Random) -> str:
    n = chance.randint(1, 9999)
    return chance.choice(
        ("Authorization: denied for user bob", "Authorization: Bearer token is missing", "Authorization: required", "Vary: Cookie",
         'WWW-Authenticate: Bearer realm="x", error="invalid_token"', "bearer authentication failed", "Bearer certificates", 'curl -H "Authorization: Bearer $SIGNALS_KEY" x', "-H 'Authorization: Token ${KEY}'",
         f"Splunk 9.1.{n} forwarder", f"negotiate TLSv1.3 with peer {n}", "digest sha256:0123456789abcdef", f"cookie_count={n}", f"cookies: {n}",
         "cookie: missing", "cookie_domain=example.com", '["Authorization", "Content-Type", "X-Api-Key"]', "set cookie for a user",
         "Access-Control-Allow-Headers: Authorization, Cookie, X-Api-Key", "no authorization for the token endpoint")
    )  # fmt: skip


def _like_a_token(chance: random.Random) -> str:
    n = chance.randint(1, 9999)
    return chance.choice(
        (f"tests_pass: {n}", f"pass={n} fail=2", f"PASS: TestCheckout{n}", f"TESTS_PASS={n}", f"first_pass={n}", "bypass=1", "compass: north",
         "PWD=/home/app", "OLDPWD=/home", "exit sig=9", f"?sig={n}", "routing_key: orders.created", "partition_key=orders", "primary_key: id",
         "encryption_key: alias/prod", "account key rotated", f"accountKeyCount={n}", "s.getObject", f"metrics.count{n}", "SKIPPED", f"SKU{n}",
         "disk-1234", "hooks.slack.com timed out", "discord.com/api/webhooks answered 500", "npm_config_registry", f"task-{n}", "glsa_checkout",
         f"ya29 {n}", "is.TypeOfTheOrderedCollection")
    )  # fmt: skip


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
    "number like a phone": _like_a_phone,
    "text like a header": _like_a_header,
    "text like a token": _like_a_token,
}
