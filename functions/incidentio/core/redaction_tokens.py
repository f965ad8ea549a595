"""Tokens, keys and URLs that are secrets by themselves: what their issuers begin them with says so."""

from incidentio.core.redaction_pattern import Late, Rule

_PREFIXED = (
    r"gh[pousr]_\w{20,}|github_pat_\w{20,}",
    r"gl(?:pat|dt|rt|ptt|cbt)-[\w-]{16,}+(?:\.\w{2,}+){0,2}",  # GitLab
    r"(?:xox[a-z]|xapp)-[A-Za-z0-9%-]{10,}",  # Slack
    r"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/]{20,}={0,2}",  # Stripe, standard webhooks
    r"sk-[\w-]{20,}",  # OpenAI, Anthropic
    r"AIza[\w-]{35}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,}",  # Google
    r"glsa_[A-Za-z0-9]{20,}_[0-9a-fA-F]{8}|glc_[A-Za-z0-9+/=]{32,}",  # Grafana
    r"hv[bsr]\.[\w-]{20,}|[A-Za-z0-9]{14}\.atlasv1\.[\w-]{40,}",  # HashiCorp: Vault, Terraform
    r"[\w.~-]{3}[78]Q~[\w.~-]{31,34}",  # a client secret of Azure
    r"TlRMTVNT[A-Za-z0-9+/=]{8,}",  # NTLM
    r"npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,}|dckr_[op]at_[\w-]{20,}|SG\.[\w-]{16,}+\.[\w-]{16,}|do[opr]_v1_[a-f0-9]{40,}",
    r"shp(?:at|ca|pa|ss)_[0-9A-Fa-f]{32}|AGE-SECRET-KEY-1[A-Z0-9]{50,}|iio_[a-z][a-z0-9-]{0,39}_[0-9a-f]{64}",
    r"LS0tLS1CRUdJTi[A-Za-z0-9+/=]{20,}",  # PEM in base64
)
_HINTS = (
    "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "pat_", "glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "xox", "xapp-",
    "sk_", "rk_", "pk_", "whsec_", "sk-", "aiza", "ya29.", "gocspx-", "glsa_", "glc_", "hvs.", "hvb.", "hvr.",
    ".atlasv1.", "q~", "tlrmtvnt", "npm_", "pypi-", "dckr_", "sg.", "_v1_", "shp", "age-secret-key-", "iio_",
    "ls0tls1crudjti",
)  # fmt: skip

_SLASH = r"(?:\\*+/|%2F)"
_REST = r"[\w\\/%@.-]"
_WEBHOOKS = (
    rf"hooks\.slack\.com{_SLASH}(?:services|workflows|triggers){_SLASH}{_REST}{{20,}}",
    rf"discord(?:app)?\.com{_SLASH}api{_SLASH}(?:v\d{{1,2}}{_SLASH})?webhooks{_SLASH}\d{{10,20}}{_SLASH}[\w-]{{20,}}",
    rf"webhook\.office\.com{_SLASH}webhookb2{_SLASH}{_REST}{{30,}}|outlook\.office\.com{_SLASH}webhook{_SLASH}{_REST}{{30,}}",
    rf"events\.pagerduty\.com{_SLASH}integration{_SLASH}\w{{20,}}",
)

TOKENS = (
    Rule(
        _HINTS,
        Late(rf"(?:(?<![A-Za-z0-9])|(?<=%[0-9A-F]{{2}}))(?:{'|'.join(_PREFIXED)})"),
        "[redacted:token]",
    ),
    Rule(
        ("hooks", "webhook", "events.pagerduty.com"),
        Late("|".join(_WEBHOOKS)),
        "[redacted:token]",
    ),
    Rule(  # Twilio; the older ones of Vault
        ("sk", "s."),
        Late(
            r"SK(?:(?<![A-Za-z0-9]..)|(?<=%[0-9A-F]{2}..))[0-9a-f]{32}(?![A-Za-z0-9])"
            r"|s\.(?:(?<![\w.-]..)|(?<=%[0-9A-F]{2}..))(?=[A-Za-z]*+\d)(?=[a-z0-9]*+[A-Z])[A-Za-z0-9]{24}(?![\w-]|\.\w)"
        ),
        "[redacted:token]",
    ),
    Rule(  # PagerDuty's; a word is the routing key of a queue
        ("routing", "integration"),
        Late(r"(?i)(?P<name>(?:routing|integration)[_ -]?key\\*+[\"']?\s?[:=]?\s?\\*+[\"']?)[a-z0-9]{32}(?!\w)"),
        r"\g<name>[redacted:token]",
    ),
    Rule(  # a shared access signature of Azure
        ("sig=", "sig%3d"),
        Late(r"(?i)(?P<name>(?<![a-z])sig(?:=|%3D))[\w%+/-]{20,}={0,2}"),
        r"\g<name>[redacted:token]",
    ),
)
