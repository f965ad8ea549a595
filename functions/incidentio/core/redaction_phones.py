"""Phone numbers: the forms that no other number has, and those that only a word in front makes one."""

import re

from incidentio.core.redaction_pattern import Late, Rule

_COUNTRY = (
    r"(?:1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]"
    r"|2[1-69]\d|3[578]\d|42\d|5[09]\d|6[7-9]\d|8[0578]\d|9[679]\d)"
)
_STATUS = r"(?:20[01246]|30[12478]|40[01345689]|41[0235]|42[29]|50[0-4])"  # of HTTP, before sizes and times
_UNIT = (
    r"(?:%|(?:[num]?s|sec(?:ond)?s?|min(?:ute)?s?|[kKMGT]?i?B|bytes|rows|times|items|users|errors|calls|requests)\b)"
)
_NATIONAL = (
    # North America: 3-3-4. With blanks also a row of three numbers, so it has to be a valid one and stand alone
    r"(?:1[ .-]?)?\(\d{3}\)[ .-]?\d{3}[ .-]\d{4}",
    r"(?:1-)?\d{3}-\d{3}-\d{4}",
    r"(?:[2-9]\d\d\.[2-9]|555\.\d)\d\d\.\d{4}",
    rf"(?!{_STATUS})[2-9]\d\d \d{{3}}-\d{{4}}",
    rf"(?<!\d )(?<!\d, )(?:1 )?(?!{_STATUS}|[2-79]00)(?:[2-9][0-8]\d [2-9]|555 \d)\d\d \d{{4}}(?<!00)(?! ?\d)",
    # 00 and a country; then two groups or more
    rf"00{_COUNTRY}(?P<abroad>[ /-])(?:\(0\) ?)?\d{{1,5}}(?:(?P=abroad)\d{{2,8}}){{1,4}}",
    # 0 and an area: 020 7946 0958, 044 668 18 00, 01 42 68 53 00, 07700 900123, (030) 901820
    r"(?!0\d[ -](?:19|20)\d\d)0[1-9]\d{0,3}(?P<area>[ -])\d{3,4}(?P=area)\d{3,4}(?! \d)",
    r"0[1-9]\d?(?P<short>[ -])\d{3}(?P=short)\d\d(?P=short)\d\d(?! \d)",
    (  # in pairs: neither bytes nor a time
        r"(?<!\b[0-9a-f]{2} )(?!0\d.(?:0\d|1[0-2]).[0-3]\d)"
        r"0[1-9](?P<pairs>[ -])\d\d(?:(?P=pairs)\d\d){3}(?! ?[0-9a-f]{1,2}\b)"
    ),
    r"(?<!\d )0[1-9]\d{3} \d{6}(?! \d)",
    r"\(0[1-9]\d{0,3}\)[ -]?\d{3,8}(?:[ -]\d{2,4}){0,3}",
)
PHONE = (
    r"(?<![\w+])\+\d[\d ().-]{6,20}\d(?!\w)"
    rf"|(?<![\w.:/+#-])(?:{'|'.join(_NATIONAL)})(?![\w-]|[.:/]\d| ?{_UNIT})"
)
PHONE_DIGITS = r"\+\d|\d{3}(?:[ .-]|\)[ .-]?)\d{3}[ .-]\d{4}|0(?<![\w.:/-]0)\d{1,4}[ )-]{1,2}\d[\d -]"

_DATE = Late(
    r"(?<!\d)(?:19|20)\d\d[-/.](?:0[1-9]|1[0-2])(?!\d)"
    r"|(?<!\d)[0-3]?\d(?P<mark>[./ -])[0-3]?\d(?P=mark)(?:19|20)\d\d(?!\d)"
    r"|(?<!\d)(?:19|20)\d\d(?:0\d|1[0-2])[0-3]\d(?!\d)"
)
_ADDRESS = Late(r"\d{1,3}(?:\.\d{1,3}){3}")
_NUMBERED = Late(
    r"(?i)\b(?:order|build|invoice|ticket|case|job|run|version|release|serial|part|sku|ref|reference|id"
    r"|status|sizes?|counts?|bytes|latency|latencies|p\d\d|rows?|total)\W{1,3}(?:(?:no|nr|number|id)\W{1,3})?\Z"
)


def is_phone(match: re.Match[str]) -> bool:
    """Whether what has the form of a phone number is one."""
    number = match["phone"]
    if not 8 <= sum(c.isdigit() for c in number) <= 15 or _DATE.ready.search(number):
        return False
    return number.startswith("+") or not _NUMBERED.ready.search(match.string, max(0, match.start() - 24), match.start())


_CALLED = Late(
    r"(?i)(?P<before>(?<![a-z])(?:(?P<sure>(?:tele)?phone|tel|fax|whatsapp|hotline)|mobile|(?:on-?)?call|dial|sms)"
    r"(?:[^\w+(]|_){0,6}(?:(?:number|no|nr|me|us|him|her|them|back|at|on|is|now|please)[^\w+(]{1,6}){0,3})"
    rf"(?P<number>(?<!\w)[+(]?(?:\d{{1,5}}(?:[ ()./-]{{1,3}}\d{{2,8}}){{1,5}}|\d{{8,15}}))(?![\w-]|[.:]\d| ?{_UNIT})"
)


def _called(match: re.Match[str]) -> str:
    number = match["number"]
    groups = re.findall(r"\d+", number)
    digits = sum(map(len, groups))
    if len(groups) > 1:
        fits = 7 <= digits <= 15 and number.count(".") != 1
    elif number.startswith("00"):
        fits = bool(match["sure"]) and 11 <= digits <= 15
    else:
        fits = 8 <= digits <= 11 if match["sure"] else number.startswith("0") and 10 <= digits <= 11
    if not fits or _DATE.ready.search(number) or _ADDRESS.ready.fullmatch(number):
        return match[0]
    return f"{match['before']}[redacted:phone]"


CALLED = Rule(("phone", "tel", "fax", "whatsapp", "hotline", "mobile", "call", "dial", "sms"), _CALLED, _called)
