"""Redaction takes out secrets and personal data, leaves what operators work with, and stays linear."""

import time
from re import Pattern
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentio.core.redaction import redact, redact_data
from incidentio.core.redaction_rules import PERSONAL, RULES, personal

SECRETS = {
    "AWS access key id": ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
    "AWS temporary key id": ("ASIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"),
    "AWS secret key in a setting": ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtn"),
    "AWS secret key by itself": ("Qm9keVNhbHQ5/8sD+fGhJ2kLpZ0xCvBnMqWeRtYa", "Qm9keVNhbHQ5/8sD"),
    "AWS session token": ("IQoJb3JpZ2luX2Vj" + "Ab1/" * 20, "IQoJb3JpZ2luX2Vj"),
    "JSON Web Token": ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmN", "dozjgNryP4J3jVmN"),
    "GitHub token": ("ghp_" + "a1B2c3" * 6, "ghp_a1B2"),
    "Slack token": ("xoxb-123456789012-abcdefABCDEF", "abcdefABCDEF"),
    "key of an integration": ("sent with iio_prometheus_" + "0a1b2c3d" * 8, "0a1b2c3d"),
    "webhook signing secret": ("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "C2FVsBQI"),
    "private key": ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----", "MIIEow"),
    "private key cut off": ("-----BEGIN EC PRIVATE KEY-----\nMHcCAQ", "MHcCAQ"),
    "bearer": ("Authorization: Bearer 0a1b2c3d4e5f", "0a1b2c3d4e5f"),
    "basic": ("authorization: Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA"),
    "basic alone": ("sent Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA"),
    "API key as a scheme": ("Authorization: ApiKey 9f8e7d6c Host: x", "9f8e7d6c"),
    "short bearer": ("Authorization: Bearer abcdefgh", "abcdefgh"),
    "short bearer behind two blanks": ("curl -H 'Authorization: Bearer  deadbeef' https://x.test", "deadbeef"),
    "hexadecimal bearer by itself": ("sent Bearer deadbeef", "deadbeef"),
    "digest": ('Authorization: Digest username="a", realm="b", response="6629fae4"', "6629fae4"),
    "AWS signature": (
        "Authorization: AWS4-HMAC-SHA256 Credential=A/1/x, SignedHeaders=host, Signature=fe5f80f7",
        "fe5f80",
    ),
    "unknown scheme": ("Authorization: Acme-V1 9f8e7d6c5b4a", "9f8e7d6c5b4a"),
    "header of a list": ("('Proxy-Authorization', 'NTLM abcdefgh')", "abcdefgh"),
    "cookies": ("Cookie: theme=dark; sid=38afes7a8 Host: x", "38afes7a8"),
    "cookie in JSON": ('{"Set-Cookie": "sid=38afes7a8; Path=/"}', "38afes7a8"),
    "header and a bare colon": ("-H X-Api-Key:abcdefgh", "abcdefgh"),
    "variable": ("DB_PASS=hunter2", "hunter2"),
    "variable in a task definition": ('{"name": "DB_PASSWORD", "value": "hunter2"}', "hunter2"),
    "storage account": ("AccountName=a;AccountKey=Zm9vYmFy==;x=1", "Zm9vYmFy=="),
    "shared access signature": (
        "https://a.blob.core.windows.net/c?sp=r&sig=abc%2Bdef0123456789abcdef%3D",
        "def0123456789",
    ),
    "webhook of Discord": ("https://discord.com/api/webhooks/123456789012345678/" + "aB3_-" * 13, "aB3_-"),
    "webhook of Slack, escaped": (r"https:\/\/hooks.slack.com\/services\/T01\/B01\/" + "aB3d" * 6, "aB3d"),
    "routing key of PagerDuty": ("routing_key: " + "0a1b2c3d" * 4, "0a1b2c3d"),
    "older Vault token": ("s.aB3dEfGh1jKlMn0pQrStUv7x", "aB3dEfGh"),
    "key of RFC 4716": (
        "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nP2/56\n---- END SSH2 ENCRYPTED PRIVATE KEY ----",
        "P2/56",
    ),
    "key of PuTTY": ("Private-Lines: 1\nAAAAIQ\nPrivate-MAC: 0", "AAAAIQ"),
    "URL credentials": ("postgres://app:hunter2@db.internal:5432/orders", "hunter2"),
    "token in a URL": ("https://s3cr3tt0k3n@git.example.com/x.git", "s3cr3tt0k3n"),
    "signed URL": ("https://b.example.com/k?X-Amz-Signature=9f86d081&x=1", "9f86d081"),
    "password": ("password=hunter2", "hunter2"),
    "password after a colon": ("db-password:hunter2", "hunter2"),
    "password in JSON": ('{"dbPassword": "hun\\"ter2", "user": "app"}', 'ter2"'),
    "API key": ("x-api-key: 5f2b9c", "5f2b9c"),
    "password in a list": ('{"password": ["hunter2", "other"]} stays', "other"),
    "password too deep to follow": (f'{{"password": {"[" * 20}"hunter2"{"]" * 20}}}', "hunter2"),
    "password in JSON in JSON": (r"{\"password\": \"hun\\\"ter2\"}", "ter2"),
    "password in a query": ("next=%2Fa%3Fpassword%3Dhunter2", "hunter2"),
    "password with a comma": ("password=hunt,er2secret", "er2secret"),
    "password before another setting": ("password=hunter2,host=db1", "hunter2"),
    "token after a bare colon": ("token:x0y1", "x0y1"),
    "key after a sign of equality": ("SK=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtn"),
    "URL credentials with escaped slashes": (r"https:\/\/app:hunter2@db.internal\/x", "hunter2"),
    "URL credentials in a query": ("postgres%3A%2F%2Fapp%3Ahunt%40er2%40db%2Forders", "er2"),
    "key id in a name": ("key_AKIAIOSFODNN7EXAMPLE_1", "AKIAIOSFODNN7EXAMPLE"),
    "Vault token": ("vault says hvs.CAESIJlWh0123456789abcdefghij is expired", "CAESIJ"),
    "e-mail in a query": ("mail=alice%40example.com", "alice"),
    "e-mail": ("ask jane.doe+oncall@payments.example.co.uk now", "jane.doe"),
    "phone": ("call +49 30 901820 now", "901820"),
    "US phone": ("call (555) 123-4567 now", "123-4567"),
    "US phone with blanks": ("ask 555 123 4567 now", "123 4567"),
    "US phone, free of charge": ("ask 1-800-555-0199 now", "555-0199"),
    "London phone": ("ask 020 7946 0958 now", "7946"),
    "phone with 00": ("ask 0049 30 1234567 now", "1234567"),
    "phone that only a word tells": ("call me on 030 901820, please", "901820"),
    "phone in JSON": ('{"phone": "5551234567"}', "5551234567"),
    "card": ("paid with 4111 1111 1111 1111", "4111 1111"),
    "card without spaces": ("card 5555555555554444 declined", "5555555555554444"),
}

KEPT = [
    "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:checkout-5xx",
    "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-AbCdEf",
    "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_ops/jane@example.com",
    "arn:aws-cn:iam::123456789012:role/token-vending",
    "123456789012",
    "INC-7K3F9A",
    "2026-03-01T12:00:00.000Z",
    "2019-10-02T17:04:40.985+0000",
    "rose by +150 2024-05-06 12:00",
    "2 out of the last 3 datapoints [99.50160229693434 (02/10/19 16:59:00), 1.2345678E9 (02/10/19 16:54:00)] were",
    "greater than the threshold (50.0) (minimum 2 datapoints for OK -> ALARM transition).",
    "4111111111111111.0 bytes",
    "1760000000000000000 ns",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "0c4c1c1c9-6542-e61b-6ef0-8c4d36933a92",
    "CheckoutServiceHighErrorRateAlarm1A2B3C4D",
    "basic monitoring and bearer certificates",
    "TokenCount=5 SecretsRotated=7",
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/",
    "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-AbCdEf:password::",
    "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:CheckoutServiceHighErrorRateAlar1A2B3C4D",
    "token: expired",
    "password: required",
    "dial tcp token:8080: refused",
    "team/auth-token:v2",
    "Auth::Token::New",
    "com.acme.KeyJoiner.combine",
    "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709",
    '{"password": null}',
    "Authorization: Bearer token is missing",
    'curl -H "Authorization: Bearer $(aws secretsmanager get-secret-value --secret-id x)"',
    'WWW-Authenticate: Bearer realm="x"',
    '["Authorization", "Content-Type", "X-Api-Key"]',
    "Vary: Cookie",
    "TESTS_PASS=12: PASS: TestFoo",
    "PWD=/home/app",
    "routing_key: orders.created",
    "latencies 250 500 1000 on host",
    "status 200 512 1043",
    "01.03.2026 10:30, 01 03 2026 10 30, 20260301 120000",
    "call at 2026-03-01 12:00",
    "dial tcp 10.0.0.12:5432: connection refused",
    "order 0123-456-789",
    "INC-7K3F9A|AWS::Lambda::Function|123456789012|eu-central-1|checkout",
]

words = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)


@pytest.mark.parametrize("name", SECRETS)
def test_takes_out(name: str) -> None:
    text, secret = SECRETS[name]
    found = redact(text, limit=1000)
    assert secret not in found
    assert "[redacted:" in found


@pytest.mark.parametrize("text", KEPT)
def test_leaves_alone(text: str) -> None:
    assert redact(text, limit=1000) == text


@given(before=words, after=words, name=st.sampled_from(sorted(SECRETS)))
def test_takes_it_out_of_any_surroundings(before: str, after: str, name: str) -> None:
    text, secret = SECRETS[name]
    assert secret not in redact(f"{before} {text} {after}", limit=10_000)


@given(st.text(max_size=400), st.integers(0, 300))
def test_output_is_bounded_valid_and_on_one_line(text: str, limit: int) -> None:
    found = redact(text, limit=limit)
    assert len(found.encode()) <= limit
    assert len(found.splitlines()) <= 1
    assert all(c == " " or c.isprintable() or c.isspace() or ord(c) > 0x9F for c in found)


@given(st.text(max_size=200), st.sampled_from(sorted(SECRETS)))
def test_redacting_twice_changes_nothing(text: str, name: str) -> None:
    once = redact(f"{text} {SECRETS[name][0]}", limit=10_000)
    assert redact(once, limit=10_000) == once


def test_line_breaks_cannot_forge_a_header_or_a_log_line() -> None:
    assert redact("Subject: x\r\nBcc: all\u2028{}", limit=100) == "Subject: x Bcc: all {}"


def test_hidden_characters_do_not_hide_a_secret() -> None:
    assert redact("AKIA\u200bIOSFODNN7\x00EXAMPLE", limit=100) == "[redacted:aws-key]"


def test_a_document_keeps_its_lines() -> None:
    assert redact("a\r\nb\x1b[2J\nc", limit=100, multiline=True) == "a\nb[2J\nc"


def test_half_a_surrogate_pair_becomes_storable() -> None:
    assert redact("\ud83d!", limit=100) == "\ufffd!"


@pytest.mark.parametrize(("limit", "expected"), [(8, "äöüß"), (7, "äö…"), (5, "ä…"), (4, "…"), (2, "ä"), (1, "")])
def test_cuts_between_characters(limit: int, expected: str) -> None:
    assert redact("äöüß", limit=limit) == expected


def test_data_is_redacted_at_every_level_under_keys_and_names() -> None:
    data: dict[str, Any] = {
        "password": "short",
        "jane@example.com": 1,
        "list": [{"url": "https://u:p@h/x"}, True, None, 1.5],
    }
    assert redact_data(data) == {
        "password": "[redacted:value]",
        "[redacted:email]": 1,
        "list": [{"url": "https://[redacted:credentials]@h/x"}, True, None, 1.5],
    }


@pytest.mark.parametrize(
    "data",
    [
        {"password": ["hunter2"]}, {"password": {"value": "hunter2"}}, {"password": 12345678},
        {"password_old": "hunter2"},
        {"api key": "hunter2"}, {"DB_PASSWORD_1": "hunter2"}, {"db/password": "hunter2"},
        {"passwords": {"db": "hunter2"}},
        {"event": '{"password": ["hunter2"]}'}, {"token": {"id": 12345678}}, {"deep": [{"db:secret": ["hunter2"]}]},
        {"environment": [{"name": "DB_PASSWORD", "value": "hunter2"}]}, {"Cookie": "sid=hunter2"},
        {"dbPass": "hunter2"},
    ],
)  # fmt: skip
def test_whatever_is_under_the_name_of_a_secret_goes(data: dict[str, Any]) -> None:
    found = str(redact_data(data))
    assert "[redacted:value]" in found
    assert not any(secret in found for secret in ("hunter2", "12345678"))


@pytest.mark.parametrize(
    "data",
    [
        {"password": None}, {"manage_password": True}, {"token_count": 5}, {"TokenCount": 5},
        {"secret_name": "prod/db"},
        {"secret_arn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-AbCdEf"}, {"token_ttl": 3600},
        {"key": "orders"}, {"password_policy": "strict"}, {"monkey": 1},
        {"name": "LOG_LEVEL", "value": "info"}, {"cookie_domain": "example.com"}, {"first_pass": 3},
    ],
)  # fmt: skip
def test_what_is_only_about_a_secret_stays(data: dict[str, Any]) -> None:
    assert redact_data(data) == data


def test_data_is_bounded_in_depth_and_width() -> None:
    deep: Any = "x"
    for _ in range(50):
        deep = {"a": deep}
    found, depth = redact_data(deep), 0
    while isinstance(found, dict):
        found, depth = found["a"], depth + 1
    assert (found, depth) == ("[too deep]", 8)
    assert len(redact_data({str(n): n for n in range(1000)})) == 200


HOSTILE = [
    "password=", "a@", "://", "-----BEGIN A-----", "eyJ", "eyJaaaaaa.", "-eyJaaaaa", "+1 ", "1 ", "((555", "a.",
    "token ",
    "basic ", "1111-", "sk-", '"password":"\\', "arn:aws:", "A1b/", "x", "@b.", "-eyJaaaaaa.eyJaaaaaa", "eyJ-",
    "-----BEGIN A",
    "-SG.aaaaaaaaaaaaaaaa", "SG.", "hooks.slack.com/services/a/", ".github_pat_", "-iio_a-", "IQoJ+",
    "/IQoJaaaaaaaa", "AKIA",
    ":\\/\\/a", ":\\", "%3A%2F%2Fa%40", "%3A%2F%2F", "a%40", "%40b.", "%40", "--a-a-a-a-", "--password ",
    "--password \"",
    "password ", "password: ", "password:[", 'password:{"', "password:[{[{[{", "[", 'password="', "password=\\", "\\",
    'password=\\"\\', 'password=\\\\"a\\"', "password=,a", "token:x/", "secret::", "a/token:", "password%3D%20",
    "api key\\",
    "authorization: a ", "authorization: a a=,", 'authorization: a a="', "authorization', 'a ", "cookie: a=;",
    "cookie',", "cookie: a=b; ", "sig=", "sig%3D", "pass: ", "_pass=", 'token", "value": ', "---- BEGIN A ----",
    "Private-Lines: 1 ", "call ", "call 1", "call me on ", "tel 1-", "0049 1 ", "01 23 ", "(030)", "555 123 ", "0",
    "01 ", "s.", "SK", "\\/", "aaaaaaaaaaaaaa.atlasv1.", "a8Q~", "hooks.slack.com/triggers/",
    "webhook.office.com/webhookb2/", "routing_key ", "glpat-a.",
    "git@a.", "+1 (1) ", "\u00e4@", "\n ", "password=[redacted:",
]  # fmt: skip
PATTERNS = [*((rule.pattern.ready, rule.replacement) for rule in RULES), (PERSONAL.ready, personal)]


@pytest.mark.parametrize("piece", HOSTILE)
def test_the_work_of_every_rule_grows_with_the_length_and_not_with_its_square(piece: str) -> None:
    def work(rule: Pattern[str], replacement: Any, size: int) -> float:
        text = "password=[" + (piece * size)[:size]
        start = time.process_time()
        rule.sub(replacement, text)
        rule.sub(replacement, text[len("password=[") :])
        return time.process_time() - start

    for rule, replacement in PATTERNS:
        short = min(work(rule, replacement, 4_000) for _ in range(2))
        assert any(work(rule, replacement, 32_000) < 40 * max(short, 0.001) for _ in range(3)), rule.pattern


LONG = {
    "private key": f"-----BEGIN RSA PRIVATE KEY-----\n{'MIIEpAIBAAKCAQEA' * 4096}\n-----END RSA PRIVATE KEY-----",
    "quoted": f'password="{"hunter two " * 8000}"',
    "list": f'{{"password": ["{"hunter two " * 8000}"]}}',
    "URL": f"https://app:{'hunter2' * 3000}@db.internal/x",
    "JSON Web Token": f"eyJhbGciOi{'J9' * 12000}.{'ab' * 9000}.{'cd' * 500}",
    "card": "4111 1111 1111 1111 " * 3000,
}


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize(
    ("before", "words"), [(0, "alarm "), (65_000, "alarm "), (65_700, "alarm "), (65_000, "alarm-")]
)
def test_of_a_very_long_text_the_beginning_is_what_it_would_be_had_all_been_read(
    name: str, before: int, words: str
) -> None:
    text = f"{(words * before)[:before]} {LONG[name]} {words * 12_000}"
    assert redact(text, limit=500) == redact(redact(text, limit=4 * len(text)), limit=500)


def test_much_of_a_very_long_text_is_not_read() -> None:
    read = []

    class Counted(str):
        """Says how much of it was taken."""

        __slots__ = ()

        def __getitem__(self, part: Any) -> str:
            found = super().__getitem__(part)
            read.append(len(found))
            return found

    assert redact(Counted("the disk is full " * 200_000), limit=200) == ("the disk is full " * 20)[:197] + "…"
    assert 0 < sum(read) < 100_000


@pytest.mark.parametrize(
    "text",
    [
        "SyntaxError: Unexpected token: { at checkout.js:31, 5xx 12 % in eu-west-1, runbook https://wiki.example.com/x",
        "image token:v2.3 on host web-1",
        "k8s secret:default/db missing",
        "queue token:events lag",
    ],
)
def test_what_only_names_a_token_stays(text: str) -> None:
    assert redact(text, limit=400) == text


@pytest.mark.parametrize("secret", ["hunter\\$2secretpart", "\\$ecretpart1", "ab\\!cdefsecret", "pa'ss1word"])
def test_a_value_of_an_option_goes_with_what_the_shell_escapes(secret: str) -> None:
    assert redact(f"mysql --password {secret} -h db", limit=200) == "mysql --password [redacted:value] -h db"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tel:+49-30-901820", "tel:[redacted:phone]"),
        ("Authorization: ApiKey 9f8e7d6c Host: x", "Authorization: [redacted:value] Host: x"),
        (
            "Authorization: denied Authorization: Token abcdefgh",
            "Authorization: denied Authorization: [redacted:value]",
        ),
        ("Cookie: a=b; c=d Host: x", "Cookie: [redacted:value] Host: x"),
        ("curl -H 'Authorization: Token abcdefgh' -v", "curl -H 'Authorization: [redacted:value]' -v"),
        ("call me on 030 901820, thanks", "call me on [redacted:phone], thanks"),
        ("password= x-api-key: 5f2b9c", "password= x-api-key: [redacted:value]"),
        ("password: hunter2: expired", "password: [redacted:value] expired"),
    ],
)
def test_nothing_beside_it_goes(text: str, expected: str) -> None:
    assert redact(text, limit=200) == expected
